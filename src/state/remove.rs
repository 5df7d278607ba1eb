//! Removing a container's directory, by descriptors.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use super::store::RECORD;
use crate::error::Result;
use crate::sys;

pub(super) fn open_dir_at(dir: BorrowedFd<'_>, name: &Path) -> Result<OwnedFd> {
    sys::file::open_at(dir, name, libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW, 0)
}

/// Removes a container's directory with what is in it.
pub(super) fn remove_tree(parent: BorrowedFd<'_>, name: &Path) -> Result<()> {
    let dir = match open_dir_at(parent, name) {
        Err(error) if error.is(libc::ENOENT) => return Ok(()),
        other => other?,
    };
    // The record goes last of all files: as long as it is there, what it names can be found.
    let mut names = sys::file::names_in(dir.as_fd())?;
    names.sort_by_key(|name| name.as_os_str() == RECORD);
    for entry in names {
        match sys::file::unlink_at(dir.as_fd(), &entry) {
            Err(error) if error.is(libc::ENOENT) => {}
            Err(error) if error.is(libc::EISDIR) => remove_tree(dir.as_fd(), &entry)?,
            other => other?,
        }
    }
    match sys::file::rmdir_at(parent, name) {
        Err(error) if error.is(libc::ENOENT) => Ok(()),
        other => other,
    }
}
