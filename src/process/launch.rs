//! Cloning init, directly or through a stage, and init as long as it is ours to end.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use super::channel::{InitEnd, ParentEnd};
use super::gate::Gate;
use super::init::Init;
use super::message::ToParent;
use super::protocol::Protocol;
use super::stage;
use crate::cgroups;
use crate::error::{Context, Error, Kind as Failure, Result};
use crate::namespaces;
use crate::namespaces::{CgroupNamespace, Kind, Source};
use crate::plan::{Plan, Record};
use crate::state::Lock;
use crate::sys;
use crate::sys::process::Cloned;

/// How long one that was killed may take to die.
const PATIENCE: Duration = Duration::from_secs(2);

/// Init, or the process of `exec`, while it is ours to end: dropping it kills and reaps.
pub(super) struct Child {
    pub(super) pid: i32,
    pidfd: Option<OwnedFd>,
}

impl Child {
    pub(super) fn new(pid: i32, pidfd: OwnedFd) -> Child {
        Child { pid, pidfd: Some(pidfd) }
    }

    pub(super) fn pidfd(&self) -> Result<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd).ok_or_else(|| Error::internal("init was let go"))
    }

    pub(super) fn release(mut self) -> Result<OwnedFd> {
        self.pidfd.take().ok_or_else(|| Error::internal("init was let go twice"))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(pidfd) = self.pidfd.take() {
            let _ = sys::process::pidfd_send_signal(pidfd.as_fd(), libc::SIGKILL);
            // One that is frozen on cgroup v1 dies when it is thawed, and is not waited for.
            if sys::process::has_ended(pidfd.as_fd(), PATIENCE).unwrap_or(true) {
                let _ = sys::process::wait_for(pidfd.as_fd());
            }
        }
    }
}

/// What the clone needs, and what may change on the way when a sandbox refuses clone3(2).
pub(super) struct Launch<'a> {
    pub(super) plan: &'a Plan,
    pub(super) record: &'a Record,
    pub(super) lock: &'a Lock,
    pub(super) strategy: namespaces::Strategy,
    pub(super) placement: cgroups::Placement,
}

impl Launch<'_> {
    /// Clones init, directly or through a stage. In the child this never returns.
    pub(super) fn clone_init(
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
            (Cloned::Parent { pid, pidfd }, None) => Ok(Child::new(pid, pidfd)),
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
            terminal: None,
            in_cwd: false,
            is_filtered: false,
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
                return self.explained(other);
            }
        };
        self.leave_placement_to_parent();
        if self.strategy.cgroup == CgroupNamespace::AtClone {
            self.strategy.cgroup = CgroupNamespace::AfterPlacement;
            self.strategy.at_clone.retain(|kind| *kind != Kind::Cgroup);
        }
        log::debug!("{refused}; trying clone(2)");
        self.explained(sys::process::clone_legacy(flags(&self.strategy.at_clone)))
    }

    fn explained(&self, cloned: Result<Cloned>) -> Result<Cloned> {
        let has_user = self.plan.namespaces.is_private(Kind::User);
        cloned.context(|| "clone the container's first process").map_err(|error| {
            match error.errno() {
                Some(libc::EPERM) if !self.plan.privileged && !has_user => error.hinted(
                    "whoever is not root needs a user namespace; `rrun spec --rootless` writes a \
                     config.json with one",
                ),
                Some(libc::EPERM) if has_user => error.hinted(
                    "user namespaces may be forbidden here: see the sysctls \
                     kernel.unprivileged_userns_clone and \
                     kernel.apparmor_restrict_unprivileged_userns; inside a chroot they cannot be made",
                ),
                Some(libc::ENOSPC) => error.hinted(
                    "there may be too many namespaces: see the sysctls user.max_*_namespaces; a value \
                     of 0 forbids them",
                ),
                _ => error,
            }
        })
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
        (ToParent::Cloned { pid, placed }, Some(pidfd)) => Ok((Child::new(pid, pidfd), placed)),
        _ => Err(Error::internal("the stage sent no pidfd")),
    }
}
