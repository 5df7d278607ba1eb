//! The bodies of the steps: each hands its room what it needs.

use std::os::fd::AsFd;
use std::path::Path;

use super::joiner::Joiner;
use crate::cgroups;
use crate::error::{Context, Error, Result};
use crate::namespaces::Kind;
use crate::process::listener;
use crate::process::message::ToParent;
use crate::process::steps::command;
use crate::security;
use crate::sys;
use crate::terminal;
use crate::trace;
use crate::workload;

impl Joiner<'_> {
    pub(super) fn leave_to_parent(&mut self) -> Result<()> {
        self.parent_end.leave_to_parent(self.target)
    }

    pub(super) fn initial_processors(&mut self) -> Result<()> {
        let initial = self.plan.workload.share.initial_cpus.as_ref();
        if self.tasks.is_empty() { Ok(()) } else { workload::set_affinity(initial, "initial") }
    }

    pub(super) fn processors(&mut self) -> Result<()> {
        let share = &self.plan.workload.share;
        match (&share.final_cpus, &share.initial_cpus) {
            (None, Some(initial)) => workload::set_affinity(Some(initial), "initial"),
            (cpus, _) => workload::set_affinity(cpus.as_ref(), "final"),
        }
    }

    pub(super) fn domain(&mut self) -> Result<()> {
        workload::enter_domain(&self.plan.workload.domain)?;
        workload::set_io_priority(&self.plan.workload.share)
    }

    pub(super) fn join_tasks(&mut self) -> Result<()> {
        cgroups::enter(&std::mem::take(&mut self.tasks))
    }

    pub(super) fn oom_score(&mut self) -> Result<()> {
        let workload = &self.plan.workload;
        if workload.oom_score_adj.is_none() {
            return Ok(());
        }
        workload::set_oom_score(workload, &self.proc, sys::process::own_pid())
    }

    pub(super) fn raise_limits(&mut self) -> Result<()> {
        workload::raise_limits(&self.plan.workload)
    }

    pub(super) fn labels(&mut self) -> Result<()> {
        security::arm_labels(&self.plan.security, &self.proc)
    }

    pub(super) fn be_undumpable(&mut self) -> Result<()> {
        sys::process::set_dumpable(false)
    }

    pub(super) fn join_namespaces(&mut self) -> Result<()> {
        self.foreign.enter(self.target)
    }

    pub(super) fn change_root(&mut self) -> Result<()> {
        let Some(root) = &self.root else { return Ok(()) };
        sys::file::fchdir(root.as_fd())?;
        sys::file::chroot(Path::new("."))
    }

    pub(super) fn become_root(&mut self) -> Result<()> {
        if !self.foreign.has(Kind::User) {
            return Ok(());
        }
        let changed = sys::cred::setresgid(0).and_then(|()| sys::cred::setresuid(0));
        match changed {
            // A namespace that maps no root: we stay nobody, with all capabilities over it.
            Err(error) if error.is(libc::EINVAL) => {}
            other => other?,
        }
        // Where fs.suid_dumpable is 1, a change of user makes a process dumpable again.
        sys::process::set_dumpable(false)
    }

    pub(super) fn keyring(&mut self) -> Result<()> {
        security::share_session_keyring(&self.plan.security, &self.plan.id)
    }

    pub(super) fn terminal(&mut self) -> Result<()> {
        let workload = &self.plan.workload;
        if !workload.terminal {
            return Ok(());
        }
        let size = workload.console_size.map(|(rows, columns)| terminal::Size { rows, columns });
        let root = sys::file::open(Path::new("/"), libc::O_PATH | libc::O_DIRECTORY)?;
        let pty = terminal::Pty::open(root.as_fd(), size).context(|| "make a terminal")?;
        self.channel.send_with(&ToParent::Console, &[pty.master.as_fd()])?;
        workload::replace_standard(pty.slave.as_fd()).context(|| "give the program its terminal")
    }

    pub(super) fn stdio(&mut self) -> Result<()> {
        if let Some(mask) = self.plan.workload.umask {
            sys::file::umask(mask);
        }
        workload::give_stdio_to(self.plan.workload.uid)
    }

    pub(super) fn seccomp_while_privileged(&mut self) -> Result<()> {
        if self.plan.security.no_new_privs { Ok(()) } else { self.load_filter() }
    }

    pub(super) fn seccomp_with_listener(&mut self) -> Result<()> {
        let security = &self.plan.security;
        let late = security.no_new_privs && listener::of(security).is_some();
        if late { self.load_filter() } else { Ok(()) }
    }

    pub(super) fn seccomp_at_last(&mut self) -> Result<()> {
        if self.is_filtered { Ok(()) } else { self.load_filter() }
    }

    fn load_filter(&mut self) -> Result<()> {
        let plan = self.plan;
        // We become dumpable for a moment then. In a container with the host's pid namespace somebody
        // may look on: there is nothing of the host to be had.
        if !plan.privileged && listener::of(&plan.security).is_some() {
            self.descriptors()?;
        }
        let held = (&self.channel, self.channel.as_fd());
        listener::load_filter(&plan.security, plan.privileged, held, &mut self.is_filtered)
    }

    pub(super) fn working_directory(&mut self) -> Result<()> {
        // What is refused, or does not exist for us, is tried again in the container.
        self.in_cwd = workload::enter_cwd(&self.plan.workload).is_ok();
        if self.in_cwd { Ok(()) } else { sys::file::chdir(Path::new("/")) }
    }

    pub(super) fn bounding_set(&mut self) -> Result<()> {
        security::drop_bounding_set(&self.plan.security, self.plan.last_capability)
    }

    pub(super) fn become_user(&mut self) -> Result<()> {
        workload::become_user(&self.plan.workload)?;
        // As above.
        sys::process::set_dumpable(false)
    }

    pub(super) fn capabilities(&mut self) -> Result<()> {
        security::set_capabilities(&self.plan.security)
    }

    pub(super) fn no_new_privs(&mut self) -> Result<()> {
        security::set_no_new_privs(&self.plan.security)
    }

    pub(super) fn signals(&mut self) -> Result<()> {
        sys::signal::reset_all()
    }

    pub(super) fn descriptors(&mut self) -> Result<()> {
        // The log file's descriptor goes too, and its number may become another's.
        log::set_max_level(log::LevelFilter::Off);
        sys::file::close_from(3 + self.plan.preserve_fds, self.channel.as_fd())
    }

    pub(super) fn new_session(&mut self) -> Result<()> {
        sys::process::setsid()?;
        if self.plan.workload.terminal {
            sys::tty::make_controlling(std::io::stdin().as_fd())?;
        }
        Ok(())
    }

    pub(super) fn working_directory_as_user(&mut self) -> Result<()> {
        if self.in_cwd { Ok(()) } else { workload::enter_cwd(&self.plan.workload) }
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

    pub(super) fn last_word(&mut self) -> Result<()> {
        self.channel.tell_phases();
        let told = self.channel.send(&ToParent::Executing);
        // As at the gate: nobody hears of what comes.
        trace::end();
        told
    }

    pub(super) fn limits(&mut self) -> Result<()> {
        workload::set_limits(&self.plan.workload)
    }

    pub(super) fn exec(&mut self) -> Result<()> {
        let Some(executable) = &self.executable else {
            return Err(Error::internal("no executable was resolved"));
        };
        let Err(error) = sys::exec::execve(&executable.path, &executable.args, &self.environment);
        Err(error)
    }
}
