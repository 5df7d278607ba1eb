//! A user namespace without inhabitants, for the ids of an idmapped mount.

use std::os::fd::{AsFd, OwnedFd};

use super::idmap::write_map;
use super::plan::IdMap;
use crate::error::{Context, Result};
use crate::sys;
use crate::sys::process::{CLONE_NEWUSER, Cloned};
use crate::sys::procfs::Procfs;

/// Makes a user namespace with these maps. A short-lived process has to be in it until it is held.
///
/// # Errors
/// ENOSPC at the limit of user namespaces, EPERM where they are forbidden.
pub fn user_namespace(uids: &[IdMap], gids: &[IdMap]) -> Result<OwnedFd> {
    let intent = || "make a user namespace for an idmapped mount";
    let (ours, theirs) = sys::socket::pair()?;
    let cloned = match sys::process::clone3(CLONE_NEWUSER, None) {
        Err(error) if error.is(libc::ENOSYS) || error.is(libc::EPERM) => {
            sys::process::clone_legacy(CLONE_NEWUSER)
        }
        other => other,
    };
    let (pid, pidfd) = match cloned.context(intent)? {
        Cloned::Child => {
            // It lives as long as its parent holds the other end.
            drop(ours);
            let _ = sys::socket::receive(theirs.as_fd(), 1);
            sys::process::exit_now(0)
        }
        Cloned::Parent { pid, pidfd } => (pid, pidfd),
    };
    let proc = Procfs::mounted()?;
    let namespace = write_map(&proc, pid, "gid_map", gids)
        .and_then(|()| write_map(&proc, pid, "uid_map", uids))
        .and_then(|()| proc.open_link(&format!("{pid}/ns/user"), libc::O_RDONLY));
    drop((ours, theirs));
    sys::process::wait_for(pidfd.as_fd())?;
    namespace.context(intent)
}
