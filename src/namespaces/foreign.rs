//! The namespaces of a process that runs, entered by another one (`exec`).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::join::{flag, flags};
use super::plan::Kind;
use crate::error::{Context, Result};
use crate::sys;
use crate::sys::process as calls;
use crate::sys::procfs::Procfs;

/// Those namespaces of a process that are not ours, held open.
#[derive(Debug)]
pub struct Foreign {
    held: Vec<(Kind, OwnedFd)>,
}

impl Foreign {
    /// Looks at the process `pid` as `proc` shows it. The caller has to make sure afterwards that it
    /// still is the process that was meant.
    ///
    /// # Errors
    /// EACCES without the right to look into it.
    pub fn of(proc: &Procfs, pid: i32) -> Result<Foreign> {
        let mut held = Vec::new();
        for kind in Kind::ALL {
            let link = format!("ns/{}", kind.link());
            let open = || proc.open_link(&format!("{pid}/{link}"), libc::O_RDONLY);
            let theirs = match open() {
                // A kernel without namespaces of that kind.
                Err(error) if error.is(libc::ENOENT) && kind == Kind::Time => continue,
                other => other.context(|| format!("look at the {kind} namespace"))?,
            };
            let ours = proc.open_own_link(&link, libc::O_RDONLY)?;
            // In one that we are in there is nothing to enter; for a user namespace it is an error.
            if !sys::file::same_file(theirs.as_fd(), ours.as_fd())? {
                held.push((kind, theirs));
            }
        }
        Ok(Foreign { held })
    }

    /// Whether the namespace of `kind` is not ours.
    pub fn has(&self, kind: Kind) -> bool {
        self.held.iter().any(|(held, _)| *held == kind)
    }

    /// Enters all of them with one setns(2) on the pidfd of the process (Linux 5.8), in which the
    /// kernel finds the order itself. Where a sandbox takes no pidfd: one after the other.
    ///
    /// # Errors
    /// EPERM without power over the namespaces; ESRCH where the process has ended.
    pub fn enter(&self, process: BorrowedFd<'_>) -> Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let kinds: Vec<Kind> = self.held.iter().map(|(kind, _)| *kind).collect();
        let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
        let intent = || format!("join the container's namespaces ({})", names.join(", "));
        match calls::setns(process, flags(&kinds)) {
            Err(error) if error.is(libc::EINVAL) || error.is(libc::EPERM) => {
                self.enter_singly().map_err(|_| error).context(intent)
            }
            other => other.context(intent),
        }
    }

    /// The user namespace first for whoever has power only inside it, last for whoever loses power
    /// there; the mount namespace late, since it replaces root and working directory.
    fn enter_singly(&self) -> Result<()> {
        let mut order: Vec<&(Kind, OwnedFd)> = self.held.iter().collect();
        let user_last = sys::cred::geteuid().is_root();
        order.sort_by_key(|(kind, _)| match kind {
            Kind::User if user_last => 3,
            Kind::User => 0,
            Kind::Mount => 2,
            _ => 1,
        });
        order.into_iter().try_for_each(|(kind, fd)| calls::setns(fd.as_fd(), flag(*kind)))
    }
}
