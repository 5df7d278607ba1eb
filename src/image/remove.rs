//! Removing what was unpacked. Every directory is held while it is emptied, and no symlink is followed;
//! how deep a layer may be limits how many are held at a time.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use libc::{O_DIRECTORY, O_NOFOLLOW, O_RDONLY};

use crate::error::Result;
use crate::sys::file;

/// Removes a file, or a directory with everything in it, whatever its modes are.
pub(super) fn remove(dir: BorrowedFd<'_>, name: &Path) -> Result<()> {
    match file::unlink_at(dir, name) {
        Err(error) if error.is(libc::ENOENT) => return Ok(()),
        Err(error) if error.is(libc::EISDIR) => {}
        other => return other,
    }
    file::chmod_at(dir, name, 0o700)?;
    let directory = file::open_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)?;
    empty(directory.as_fd())?;
    file::rmdir_at(dir, name)
}

/// Removes everything in a directory.
pub(super) fn empty(directory: BorrowedFd<'_>) -> Result<()> {
    for name in file::names_in(directory)? {
        remove(directory, &name)?;
    }
    Ok(())
}
