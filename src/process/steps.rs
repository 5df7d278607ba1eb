//! The bodies of init's steps: each hands its room what it needs.

use std::ffi::CString;
use std::os::fd::AsFd;

use super::init::Init;
use super::listener;
use super::message::ToParent;
use super::reaper;
use crate::cgroups;
use crate::error::{Context, Error, Result};
use crate::hooks;
use crate::namespaces;
use crate::namespaces::{CgroupNamespace, Kind, Source};
use crate::rootfs;
use crate::security;
use crate::sys;
use crate::sys::procfs::Procfs;
use crate::terminal;
use crate::workload;

impl<'a> Init<'a> {
    pub(super) fn leave_to_parent(&mut self) -> Result<()> {
        self.parent_end.leave_to_parent(self.gate.as_fd())?;
        self.lock.leave_to_parent(self.gate.as_fd())
    }

    pub(super) fn join_tasks(&mut self) -> Result<()> {
        let tasks = std::mem::take(&mut self.tasks);
        cgroups::enter(&tasks)
    }

    pub(super) fn hold_clock_offsets(&mut self) -> Result<()> {
        if !self.plan.namespaces.time_offsets.is_empty() {
            let file = Procfs::mounted()?.open_own("timens_offsets", libc::O_WRONLY)?;
            self.clock_offsets = Some(file);
        }
        Ok(())
    }

    pub(super) fn wait_for_parent(&mut self) -> Result<()> {
        self.channel.wait_for_answer()
    }

    pub(super) fn join_namespaces(&mut self) -> Result<()> {
        self.namespaces.enter(&self.strategy.init_joins)
    }

    pub(super) fn make_namespaces(&mut self) -> Result<()> {
        namespaces::unshare(&self.strategy.init_unshares)
    }

    pub(super) fn become_root(&mut self) -> Result<()> {
        if !self.plan.namespaces.is_private(Kind::User) {
            return Ok(());
        }
        sys::cred::setresgid(0)?;
        sys::cred::setresuid(0)?;
        // The change of user made us undumpable, and an undumpable process in a user namespace may
        // not open its own files in /proc. In a new namespace nobody else is there yet.
        let alone = *self.plan.namespaces.source(Kind::User) == Source::New
            && !matches!(self.plan.namespaces.source(Kind::Pid), Source::Path(..));
        sys::process::set_dumpable(alone)
    }

    pub(super) fn new_session(&mut self) -> Result<()> {
        sys::process::setsid()
    }

    pub(super) fn open_procfs(&mut self) -> Result<()> {
        let security = &self.plan.security;
        if self.strategy.new_time
            || !self.plan.namespaces.sysctls.is_empty()
            || security.apparmor.is_some()
            || security.selinux.is_some()
        {
            self.procfs = Some(Procfs::private()?);
        }
        Ok(())
    }

    pub(super) fn cgroup_namespace(&mut self) -> Result<()> {
        match self.strategy.cgroup {
            CgroupNamespace::AfterPlacement => namespaces::unshare(&[Kind::Cgroup]),
            CgroupNamespace::None | CgroupNamespace::AtClone => Ok(()),
        }
    }

    pub(super) fn time_namespace(&mut self) -> Result<()> {
        if !self.strategy.new_time {
            return Ok(());
        }
        let offsets = self.clock_offsets.take();
        namespaces::enter_new_time_namespace(&self.plan.namespaces, offsets, self.procfs()?)
    }

    pub(super) fn loopback(&mut self) -> Result<()> {
        namespaces::bring_up_loopback(&self.plan.namespaces)
    }

    pub(super) fn network_devices(&mut self) -> Result<()> {
        if self.plan.namespaces.net_devices.is_empty() {
            return Ok(());
        }
        let own = Procfs::private()?.open_own_link("ns/net", libc::O_RDONLY)?;
        self.channel.send_with(&ToParent::Network, &[own.as_fd()])?;
        self.channel.wait_for_answer()
    }

    pub(super) fn propagation(&mut self) -> Result<()> {
        rootfs::propagate(&self.plan.rootfs)
    }

    pub(super) fn assemble_root(&mut self) -> Result<()> {
        // An ordinary user's parent can do no more than we can.
        let outside = self.plan.can_help.then_some(&self.channel as &dyn rootfs::Outside);
        self.root = Some(rootfs::assemble(&self.plan.rootfs, outside)?);
        Ok(())
    }

    pub(super) fn hooks_before_pivot(&mut self) -> Result<()> {
        let hooks = &self.plan.hooks;
        if has_hooks_before_pivot(hooks) {
            self.channel.send(&ToParent::Mounted)?;
            self.channel.wait_for_answer()?;
        }
        if hooks.create_container.is_empty() {
            return Ok(());
        }
        self.assembled()?.enter_for_hooks()?;
        let state = self.record.oci_state("creating", sys::process::own_pid());
        let environment = sys::exec::inherited_environment();
        hooks::run(&hooks.create_container, "createContainer", &state, &environment)
    }

    pub(super) fn pivot(&mut self) -> Result<()> {
        self.assembled()?.pivot()
    }

    pub(super) fn terminal(&mut self) -> Result<()> {
        let workload = &self.plan.workload;
        if !workload.terminal {
            return Ok(());
        }
        let size = workload.console_size.map(|(rows, columns)| terminal::Size { rows, columns });
        let root = self.assembled()?;
        let pty = terminal::Pty::open(root.root(), size).context(|| "make a terminal")?;
        root.bind_console(pty.slave.as_fd()).context(|| "make the device `/dev/console`")?;
        self.channel.send_with(&ToParent::Console, &[pty.master.as_fd()])?;
        self.terminal = Some(pty.slave);
        Ok(())
    }

    pub(super) fn names(&mut self) -> Result<()> {
        namespaces::set_names(&self.plan.namespaces)
    }

    pub(super) fn sysctl(&mut self) -> Result<()> {
        let plan = self.plan;
        if plan.namespaces.sysctls.is_empty() {
            return Ok(());
        }
        namespaces::write_sysctls(&plan.namespaces, self.procfs()?)
    }

    pub(super) fn protect_paths(&mut self) -> Result<()> {
        self.assembled()?.protect()
    }

    pub(super) fn keyring(&mut self) -> Result<()> {
        let plan = self.plan;
        if plan.security.selinux.is_some() {
            security::label_keys(&plan.security, self.procfs()?)?;
        }
        security::join_session_keyring(&plan.security, &plan.id)
    }

    pub(super) fn labels(&mut self) -> Result<()> {
        let plan = self.plan;
        if plan.security.apparmor.is_none() && plan.security.selinux.is_none() {
            return Ok(());
        }
        security::arm_labels(&plan.security, self.procfs()?)
    }

    pub(super) fn umask(&mut self) -> Result<()> {
        if let Some(mask) = self.plan.workload.umask {
            sys::file::umask(mask);
        }
        Ok(())
    }

    pub(super) fn domain(&mut self) -> Result<()> {
        workload::enter_domain(&self.plan.workload.domain)
    }

    pub(super) fn schedule(&mut self) -> Result<()> {
        workload::set_io_priority(&self.plan.workload.share)?;
        workload::set_scheduler(&self.plan.workload.share, 0)
    }

    pub(super) fn raise_limits(&mut self) -> Result<()> {
        workload::raise_limits(&self.plan.workload)
    }

    pub(super) fn seccomp_while_privileged(&mut self) -> Result<()> {
        if self.plan.security.no_new_privs { Ok(()) } else { self.load_filter() }
    }

    pub(super) fn seccomp_with_listener(&mut self) -> Result<()> {
        let late = self.plan.security.no_new_privs && listener::of(&self.plan.security).is_some();
        if late { self.load_filter() } else { Ok(()) }
    }

    pub(super) fn seccomp_at_last(&mut self) -> Result<()> {
        if self.is_filtered { Ok(()) } else { self.load_filter() }
    }

    fn load_filter(&mut self) -> Result<()> {
        let held = (&self.channel, self.gate.as_fd());
        let plan = self.plan;
        listener::load_filter(&plan.security, plan.privileged, held, &mut self.is_filtered)
    }

    pub(super) fn stdio(&mut self) -> Result<()> {
        if let Some(terminal) = self.terminal.take() {
            workload::make_standard(terminal.as_fd())
                .context(|| "give the program its terminal")?;
        }
        workload::give_stdio_to(self.plan.workload.uid)
    }

    pub(super) fn working_directory(&mut self) -> Result<()> {
        match workload::enter_cwd(&self.plan.workload) {
            Err(error) if error.is(libc::EACCES) || error.is(libc::EPERM) => Ok(()),
            other => {
                self.in_cwd = other.is_ok();
                other
            }
        }
    }

    pub(super) fn bounding_set(&mut self) -> Result<()> {
        security::drop_bounding_set(&self.plan.security, self.plan.last_capability)
    }

    pub(super) fn become_user(&mut self) -> Result<()> {
        // The last use of what only a dumpable process may open is behind us.
        self.procfs = None;
        sys::process::set_dumpable(false)?;
        workload::become_user(&self.plan.workload)
    }

    pub(super) fn capabilities(&mut self) -> Result<()> {
        security::set_capabilities(&self.plan.security)
    }

    pub(super) fn no_new_privs(&mut self) -> Result<()> {
        security::set_no_new_privs(&self.plan.security)
    }

    pub(super) fn working_directory_as_user(&mut self) -> Result<()> {
        if self.in_cwd { Ok(()) } else { workload::enter_cwd(&self.plan.workload) }
    }

    pub(super) fn signals(&mut self) -> Result<()> {
        sys::signal::reset_all()
    }

    pub(super) fn end_with_rrun(&mut self) -> Result<()> {
        if self.plan.dies_with_us { sys::process::die_with_parent() } else { Ok(()) }
    }

    pub(super) fn descriptors(&mut self) -> Result<()> {
        sys::file::close_on_exec_from(3 + self.plan.preserve_fds)
    }

    pub(super) fn executable(&mut self) -> Result<()> {
        let (executable, environment) = command(&self.plan.workload, self.plan.listen_fds)?;
        self.executable = Some(executable);
        self.environment = environment;
        Ok(())
    }

    pub(super) fn ready(&mut self) -> Result<()> {
        self.channel.send(&ToParent::Ready)?;
        self.channel.wait_for_answer()
    }

    pub(super) fn start_hooks(&mut self) -> Result<()> {
        let hooks = &self.plan.hooks.start_container;
        if hooks.is_empty() {
            return Ok(());
        }
        let state = self.record.oci_state("created", sys::process::own_pid());
        hooks::run(hooks, "startContainer", &state, &self.environment)
    }

    pub(super) fn last_word(&mut self) -> Result<()> {
        if let Some(opened) = &self.opened {
            opened.executing();
        }
        Ok(())
    }

    pub(super) fn limits(&mut self) -> Result<()> {
        workload::set_limits(&self.plan.workload)
    }

    pub(super) fn stay_as_parent(&mut self) -> Result<()> {
        if !self.plan.reaps {
            return Ok(());
        }
        let stdin = std::io::stdin();
        reaper::stay_as_parent(self.plan.workload.terminal.then(|| stdin.as_fd()))
    }

    pub(super) fn exec(&mut self) -> Result<()> {
        let Some(executable) = &self.executable else {
            return Err(Error::internal("no executable was resolved"));
        };
        let Err(error) = sys::exec::execve(&executable.path, &executable.args, &self.environment);
        Err(error)
    }

    fn assembled(&mut self) -> Result<&mut rootfs::Assembled<'a>> {
        self.root.as_mut().ok_or_else(|| Error::internal("the root was not assembled"))
    }
}

/// What execve needs, found by the process that is going to call it.
pub(super) fn command(
    workload: &workload::Plan,
    listen_fds: u32,
) -> Result<(workload::Executable, Vec<CString>)> {
    let executable = workload::resolve(workload)?;
    let mut extra = Vec::new();
    if listen_fds > 0 {
        // sd_listen_fds(3): the descriptors are for the process with this pid, as it sees it.
        extra.push(("LISTEN_FDS", listen_fds.to_string()));
        extra.push(("LISTEN_PID", sys::process::own_pid().to_string()));
    }
    Ok((executable, workload::environment(workload, &extra)?))
}

/// Whether init has to wait for the parent before the pivot: for the parent's own hooks, and for
/// the limits under which its own run.
pub(super) fn has_hooks_before_pivot(hooks: &hooks::Plan) -> bool {
    !hooks.prestart.is_empty()
        || !hooks.create_runtime.is_empty()
        || !hooks.create_container.is_empty()
}
