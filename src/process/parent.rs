//! The parent's side of `create`: clone, place, answer, record.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use super::channel::{self, InitEnd, ParentEnd};
use super::gate::Gate;
use super::init::Init;
use super::message::{ToInit, ToParent};
use super::pid_file::PidFile;
use super::protocol::{Expected, Protocol};
use super::stage;
use super::steps::has_hooks_before_pivot;
use crate::cgroups;
use crate::error::{Context, Error, Kind as Failure, Result};
use crate::hooks;
use crate::namespaces;
use crate::namespaces::{CgroupNamespace, Kind, Source};
use crate::plan::{Plan, ProcessRecord, Record};
use crate::rootfs;
use crate::state::{Entry, Identity, Lock, Phase, Reservation};
use crate::sys;
use crate::sys::process::Cloned;
use crate::sys::procfs::Procfs;

/// A container that was created: it waits at its gate.
#[derive(Debug)]
pub struct Created {
    /// Its directory.
    pub entry: Entry<Record>,
    /// Its lock, still held.
    pub lock: Lock,
    /// Its record.
    pub record: Record,
    /// Its first process.
    pub init: OwnedFd,
}

/// Init while it is ours to end: dropping it kills and reaps.
struct Child {
    pid: i32,
    pidfd: Option<OwnedFd>,
}

impl Child {
    fn pidfd(&self) -> Result<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd).ok_or_else(|| Error::internal("init was let go"))
    }

    fn release(mut self) -> Result<OwnedFd> {
        self.pidfd.take().ok_or_else(|| Error::internal("init was let go twice"))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(pidfd) = self.pidfd.take() {
            let _ = sys::process::pidfd_send_signal(pidfd.as_fd(), libc::SIGKILL);
            let _ = sys::process::wait_for(pidfd.as_fd());
        }
    }
}

/// Host directories that go with the container; dropped before it is created, they go at once.
struct HostDirectories<'a>(&'a Plan);

impl Drop for HostDirectories<'_> {
    fn drop(&mut self) {
        for directory in self.0.rootfs.host_directories() {
            let _ = rootfs::release(&directory, &self.0.owner());
        }
    }
}

/// Creates the container that `plan` describes, in the directory that is reserved for it. On any
/// failure nothing of it is left: no process, cgroup, mount or file.
///
/// # Errors
/// Init's own sentence where init failed.
pub fn create(
    plan: &Plan,
    reservation: Reservation<Record>,
    mut record: Record,
    pid_file: Option<&Path>,
) -> Result<Created> {
    let entry = reservation.entry()?;
    let namespaces = namespaces::Handles::open(&plan.namespaces)?;
    let gate = Gate::bind(entry.dir())?;
    let directories = HostDirectories(plan);
    let (mut cgroup, placement) =
        cgroups::prepare(&plan.cgroup).context(|| "prepare the cgroup")?;
    let mut protocol =
        Protocol::new(plan.strategy.stage.is_some(), has_hooks_before_pivot(&plan.hooks));
    let (channel, init_end) = channel::pair()?;
    let strategy = plan.strategy.clone();
    let lock = reservation.lock()?;
    let mut launch = Launch { plan, record: &record, lock, strategy, placement };
    let child = launch.clone_init((gate, namespaces, init_end), &channel, &mut protocol)?;
    let placed = launch.placement.is_done();

    record.init = Some(Identity::of(child.pid, child.pidfd()?)?);
    entry.write(&record)?;
    if !placed {
        cgroups::place(&plan.cgroup, &mut cgroup, child.pid)
            .context(|| "move init into its cgroup")?;
    }
    prepare_child(plan, child.pid)?;
    let mut parent =
        Parent { plan, record: &record, channel: &channel, child: &child, restricted: false };
    parent.proceed()?;
    // While the child mounts; before any hook or code of the image runs.
    cgroups::limit(&plan.cgroup).context(|| "limit the cgroup")?;
    parent.converse(&mut protocol)?;

    record.phase = Phase::Created;
    let pid_file = pid_file.map(|path| PidFile::write(path, child.pid)).transpose()?;
    let process = serde_json::to_vec(&ProcessRecord::of(plan))
        .map_err(|error| Error::internal(format!("write process.json: {error}")))?;
    entry.replace("process.json", &process)?;
    entry.write(&record)?;
    // Everything is recorded; only now may init go on to the gate.
    let parent =
        Parent { plan, record: &record, channel: &channel, child: &child, restricted: true };
    parent.let_go()?;
    if let Some(pid_file) = pid_file {
        pid_file.keep();
    }
    let (entry, lock) = reservation.commit()?;
    std::mem::forget(directories);
    cgroup.keep();
    Ok(Created { entry, lock, record, init: child.release()? })
}

/// What the clone needs, and what may change on the way when a sandbox refuses clone3(2).
struct Launch<'a> {
    plan: &'a Plan,
    record: &'a Record,
    lock: &'a Lock,
    strategy: namespaces::Strategy,
    placement: cgroups::Placement,
}

impl Launch<'_> {
    /// Clones init, directly or through a stage. In the child this never returns.
    fn clone_init(
        &mut self,
        parts: (Gate, namespaces::Handles, InitEnd),
        channel: &ParentEnd,
        protocol: &mut Protocol,
    ) -> Result<Child> {
        let (gate, handles, init_end) = parts;
        // Whoever enters a namespace with foreign processes must not be looked into. A child in a
        // new user namespace, on the other hand, has to stay dumpable until its maps are written;
        // as long as it is alone there, that is safe.
        let foreign = self.plan.namespaces.joined_kinds().next().is_some();
        if foreign || *self.plan.namespaces.source(Kind::User) != Source::New {
            sys::process::set_dumpable(false)?;
        }
        let cloned = match self.strategy.stage.clone() {
            None => {
                let _home = self.enter_pid_namespace(&handles)?;
                self.clone_with(0)?
            }
            Some(_) => sys::process::fork()?,
        };
        match (cloned, self.strategy.stage.clone()) {
            (Cloned::Parent { pid, pidfd }, None) => Ok(Child { pid, pidfd: Some(pidfd) }),
            (Cloned::Parent { pidfd, .. }, Some(_)) => {
                // Only init may hold the other end, or its death would not be seen.
                drop((gate, handles, init_end));
                let (child, placed) = await_stage(&pidfd, channel, protocol)?;
                self.placement.after_clone |= !placed;
                Ok(child)
            }
            (Cloned::Child, None) => self.become_init((gate, handles, init_end), channel),
            (Cloned::Child, Some(joins)) => {
                if joins.contains(&Kind::Cgroup) {
                    // From inside a cgroup namespace one can place nobody outside it (ENOENT, where
                    // cgroup2 is mounted with nsdelegate).
                    self.leave_placement_to_parent();
                }
                let cloned = handles
                    .enter(&joins)
                    .and_then(|()| self.clone_with(sys::process::CLONE_PARENT));
                if stage::report(cloned, self.placement.is_done(), &init_end) {
                    self.become_init((gate, handles, init_end), channel)
                }
                sys::process::exit_now(0)
            }
        }
    }

    fn become_init(
        &mut self,
        (gate, namespaces, channel): (Gate, namespaces::Handles, InitEnd),
        parent_end: &ParentEnd,
    ) -> ! {
        let init = Init {
            plan: self.plan,
            record: self.record,
            channel,
            gate,
            opened: None,
            parent_end,
            lock: self.lock,
            namespaces,
            strategy: self.strategy.clone(),
            tasks: std::mem::take(&mut self.placement.tasks),
            clock_offsets: None,
            procfs: None,
            root: None,
            in_cwd: false,
            executable: None,
            environment: Vec::new(),
        };
        init.run()
    }

    /// One clone3 for everything that it can do. Where a sandbox refuses it: clone(2), which cannot
    /// place the child, so that its cgroup namespace has to wait for the placement.
    fn clone_with(&mut self, extra: u64) -> Result<Cloned> {
        let flags = |kinds: &[Kind]| namespaces::flags(kinds) | extra;
        let cgroup = self.placement.at_clone.as_ref().map(AsFd::as_fd);
        let placed = cgroup.is_some();
        let refused = match sys::process::clone3(flags(&self.strategy.at_clone), cgroup) {
            Err(error) if error.is(libc::ENOSYS) || error.is(libc::EPERM) => error,
            other => {
                let other = if placed { other.map_err(cgroups::refused_process) } else { other };
                return other.context(|| "clone the container's first process");
            }
        };
        self.leave_placement_to_parent();
        if self.strategy.cgroup == CgroupNamespace::AtClone {
            self.strategy.cgroup = CgroupNamespace::AfterPlacement;
            self.strategy.at_clone.retain(|kind| *kind != Kind::Cgroup);
        }
        log::debug!("{refused}; trying clone(2)");
        sys::process::clone_legacy(flags(&self.strategy.at_clone))
            .context(|| "clone the container's first process")
    }

    /// The cgroup that the clone would have entered is entered by pid.
    fn leave_placement_to_parent(&mut self) {
        self.placement.after_clone |= self.placement.at_clone.take().is_some();
    }

    /// A pid namespace is entered by children only: by ours, until the guard is dropped.
    fn enter_pid_namespace(&self, handles: &namespaces::Handles) -> Result<Option<HomePid>> {
        if !self.strategy.parent_joins_pid {
            return Ok(None);
        }
        let own = sys::file::open(Path::new("/proc/self/ns/pid"), libc::O_RDONLY)?;
        handles.enter(&[Kind::Pid])?;
        Ok(Some(HomePid(own)))
    }
}

/// Takes our later children (hooks) back into our own pid namespace.
struct HomePid(OwnedFd);

impl Drop for HomePid {
    fn drop(&mut self) {
        let _ = sys::process::setns(self.0.as_fd(), sys::process::CLONE_NEWPID);
    }
}

/// Hears from the stage who init is, and reaps the stage.
fn await_stage(
    stage: &OwnedFd,
    channel: &ParentEnd,
    protocol: &mut Protocol,
) -> Result<(Child, bool)> {
    let heard = channel.receive();
    let ended = sys::process::wait_for(stage.as_fd())?;
    let Some((message, mut fds)) = heard? else {
        return Err(Error::message(Failure::System, format!("the stage {ended}")));
    };
    protocol.accept(&message)?;
    match (message, fds.pop()) {
        (ToParent::Cloned { pid, placed }, Some(pidfd)) => {
            Ok((Child { pid, pidfd: Some(pidfd) }, placed))
        }
        _ => Err(Error::internal("the stage sent no pidfd")),
    }
}

/// What only the parent can write, or can write before the child has lost sight of itself: id maps,
/// and the oom score, which an undumpable process in a user namespace cannot open.
fn prepare_child(plan: &Plan, pid: i32) -> Result<()> {
    let needs_maps = *plan.namespaces.source(Kind::User) == Source::New;
    if !needs_maps && plan.workload.oom_score_adj.is_none() {
        return Ok(());
    }
    let proc = Procfs::mounted()?;
    if needs_maps {
        namespaces::write_maps(&plan.namespaces, &proc, pid)?;
    }
    crate::workload::set_oom_score(&plan.workload, &proc, pid)
}

/// The conversation with init.
struct Parent<'a> {
    plan: &'a Plan,
    record: &'a Record,
    channel: &'a ParentEnd,
    child: &'a Child,
    /// Whether the devices are restricted already.
    restricted: bool,
}

impl Parent<'_> {
    /// Answers init. Where init is dead already, what it said last is still to be read.
    fn proceed(&self) -> Result<()> {
        match self.channel.send(&ToInit::Proceed) {
            Err(error) if error.is(libc::EPIPE) || error.is(libc::ECONNRESET) => Ok(()),
            other => other,
        }
    }

    /// The last answer. Nothing is to be heard after it, so that a dead init shows here.
    fn let_go(&self) -> Result<()> {
        match self.channel.send(&ToInit::Proceed) {
            Err(error) if error.is(libc::EPIPE) || error.is(libc::ECONNRESET) => {
                Err(self.obituary())
            }
            other => other,
        }
    }

    fn converse(&mut self, protocol: &mut Protocol) -> Result<()> {
        while !protocol.is_over() {
            let Some((message, _)) = self.channel.receive()? else {
                return Err(self.obituary());
            };
            match protocol.accept(&message)? {
                Expected::Mounted => {
                    self.restrict_devices()?;
                    self.run_hooks()?;
                    self.proceed()?;
                }
                Expected::Ready => self.restrict_devices()?,
                Expected::Cloned => {}
            }
        }
        Ok(())
    }

    /// At the first moment at which init has made all its mounts and waits for an answer.
    fn restrict_devices(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.restricted, true) {
            return Ok(());
        }
        cgroups::restrict_devices(&self.plan.cgroup)
    }

    fn run_hooks(&self) -> Result<()> {
        let state = self.record.oci_state("creating", self.child.pid);
        let environment = sys::exec::inherited_environment();
        hooks::run(&self.plan.hooks.prestart, "prestart", &state, &environment)?;
        hooks::run(&self.plan.hooks.create_runtime, "createRuntime", &state, &environment)
    }

    /// Init is gone without a word.
    fn obituary(&self) -> Error {
        let ended = self.child.pidfd().and_then(sys::process::wait_for);
        let text = match ended {
            Ok(ended) => format!("the container's first process {ended} while it was set up"),
            Err(_) => "the container's first process vanished while it was set up".to_owned(),
        };
        let error = Error::message(Failure::System, text);
        match ended {
            Ok(sys::process::Ended::Killed(libc::SIGKILL)) => error.hinted(
                "somebody killed it, or its memory limit is too small for the set-up itself",
            ),
            _ => error,
        }
    }
}
