//! Copying a directory tree into a new tmpfs (`tmpcopyup`).
//!
//! Both sides are held directories; no symlink is followed, and no other mount entered. Contents, owners, permissions, links and
//! nodes are copied; extended attributes and hard links are not, as runc does it.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use libc::{O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_PATH, O_RDONLY, O_WRONLY};

use crate::error::{Context, Error, Result};
use crate::sys::entry;
use crate::sys::file::{self, FileType, Stat};

/// Copies what is in `from` into `to`, and the owner and permissions of `from` itself.
pub(super) fn tree(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    let stat = file::fstat(from)?;
    own(to, Path::new(""), &stat)?;
    let to = file::open_at(to, Path::new("."), O_RDONLY | O_DIRECTORY, 0)?;
    file::fchmod(to.as_fd(), stat.st_mode & 0o7777)?;
    children(from, to.as_fd()).context(|| "copy what the tmpfs covers")
}

fn children(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    let from = file::open_at(from, Path::new("."), O_RDONLY | O_DIRECTORY, 0)?;
    for name in entry::names(from.as_fd())? {
        let name = Path::new(&name);
        child(from.as_fd(), to, name).context(|| format!("copy `{}`", name.display()))?;
    }
    Ok(())
}

fn child(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &Path) -> Result<()> {
    let flags = O_PATH | O_NOFOLLOW;
    let (held, is_mount) = match file::open_on_mount(from, name, flags) {
        Err(error) if error.is(libc::EXDEV) => (file::open_at(from, name, flags, 0)?, true),
        other => (other?, false),
    };
    let stat = file::fstat(held.as_fd())?;
    match file::file_type(&stat) {
        // Not what is mounted there: of a volume that a symlink leads to `/`, say, that would be all of
        // /proc and /sys, some of which do something when they are read.
        FileType::Directory if is_mount => return file::mkdir_at(to, name, 0o755),
        FileType::Directory => {
            file::mkdir_at(to, name, 0o700)?;
            let made = file::open_at(to, name, O_PATH | O_NOFOLLOW, 0)?;
            children(held.as_fd(), made.as_fd())?;
        }
        FileType::RegularFile => contents(held.as_fd(), to, name)?,
        FileType::Symlink => {
            let target = file::readlink_at(held.as_fd(), Path::new(""))?;
            file::symlink_at(&target, to, name)?;
            return own(to, name, &stat);
        }
        kind => file::mknod_at(to, name, kind, 0o600, file::device_numbers(&stat))?,
    }
    own(to, name, &stat)?;
    // After the owner, since changing that clears the set-user-id bits.
    file::chmod_at(to, name, stat.st_mode & 0o7777)
}

/// Through the held file: by its name one could get a device that took its place meanwhile.
fn contents(held: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &Path) -> Result<()> {
    let reader = file::open(&file::proc_path(held), O_RDONLY)?;
    let writer = file::open_at(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)?;
    copy_bytes(reader, writer)
        .map_err(|error| Error::io("copy", format!("`{}`", name.display()), &error))
}

fn copy_bytes(reader: OwnedFd, writer: OwnedFd) -> std::io::Result<()> {
    std::io::copy(&mut File::from(reader), &mut File::from(writer)).map(drop)
}

/// An owner that the user namespace does not map stays ours.
fn own(dir: BorrowedFd<'_>, name: &Path, stat: &Stat) -> Result<()> {
    match file::chown_at(dir, name, stat.st_uid, stat.st_gid) {
        Err(error) if error.is(libc::EINVAL) => Ok(()),
        result => result,
    }
}
