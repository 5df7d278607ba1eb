//! Descriptors 0 to 2.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use crate::error::{Context, Result};
use crate::sys;
use crate::sys::file::FileType;

/// Makes a terminal the standard descriptors, and the controlling terminal of our session.
///
/// # Errors
/// EPERM where we lead no session.
pub fn make_standard(terminal: BorrowedFd<'_>) -> Result<()> {
    sys::tty::make_controlling(terminal)?;
    replace_standard(terminal)
}

/// Makes a terminal the standard descriptors, and no more.
///
/// # Errors
/// As dup2(2).
pub fn replace_standard(terminal: BorrowedFd<'_>) -> Result<()> {
    (0..=2).try_for_each(|number| sys::io::dup_onto(terminal, number))
}

/// Gives the standard descriptors to `uid`, so that a program which is not root may open
/// `/dev/stdout` again. Not those that are /dev/null: that would be the host's node.
///
/// # Errors
/// As fchown(2), but for EPERM, EINVAL and EROFS: a descriptor may be nobody's to give away (a
/// socket, a file of a read-only file system, an id that is not mapped), as with runc.
pub fn give_stdio_to(uid: u32) -> Result<()> {
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    for fd in [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()] {
        let stat = match sys::file::fstat(fd) {
            Err(error) if error.is(libc::EBADF) => continue,
            other => other?,
        };
        let is_null = sys::file::file_type(&stat) == FileType::CharacterDevice
            && sys::file::device_numbers(&stat) == (1, 3);
        if is_null || stat.st_uid == uid {
            continue;
        }
        match sys::file::chown_at(fd, Path::new(""), uid, stat.st_gid) {
            Err(error)
                if error.is(libc::EPERM) || error.is(libc::EINVAL) || error.is(libc::EROFS) => {}
            other => other.context(|| format!("give the standard descriptors to user {uid}"))?,
        }
    }
    Ok(())
}
