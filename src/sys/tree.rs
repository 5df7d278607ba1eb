//! What making a tree of files takes beyond [`file`](super::file): hard links, owners, times, extended
//! attributes (xattr(7)) of what is held or named in a held directory.

use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Gid, Timespec, Timestamps, Uid, XattrFlags};

use crate::error::Result;
use crate::sys::{named, quoted};

/// linkat(2): `new` in `to` becomes another name of `old` in `from`, which is not followed.
///
/// # Errors
/// As linkat(2).
pub fn link_at(from: BorrowedFd<'_>, old: &Path, to: BorrowedFd<'_>, new: &Path) -> Result<()> {
    named("linkat", rustix::fs::linkat(from, old, to, new, AtFlags::empty()), || {
        format!("{}, {}", quoted(old), quoted(new))
    })
}

/// fchown(2) of a descriptor that is open for reading or writing.
///
/// # Errors
/// EPERM without CAP_CHOWN, EINVAL for an id that the user namespace does not map.
pub fn chown(fd: BorrowedFd<'_>, uid: u32, gid: u32) -> Result<()> {
    let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    named("fchown", rustix::fs::fchown(fd, owner.0, owner.1), || format!("{uid}:{gid}"))
}

/// ftruncate(2).
///
/// # Errors
/// EFBIG where the file system has no files of that size.
pub fn truncate(fd: BorrowedFd<'_>, length: u64) -> Result<()> {
    named("ftruncate", rustix::fs::ftruncate(fd, length), || length.to_string())
}

/// lseek(2) from the beginning.
///
/// # Errors
/// EINVAL beyond what the file system has.
pub fn seek(fd: BorrowedFd<'_>, offset: u64) -> Result<()> {
    let sought = rustix::fs::seek(fd, rustix::fs::SeekFrom::Start(offset));
    named("lseek", sought, || offset.to_string()).map(drop)
}

/// Access and modification time, both the same.
fn times((seconds, nanoseconds): (i64, u32)) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
    Timestamps { last_access: time, last_modification: time }
}

/// futimens(3): seconds and nanoseconds since 1970.
///
/// # Errors
/// As utimensat(2).
pub fn set_times(fd: BorrowedFd<'_>, modified: (i64, u32)) -> Result<()> {
    named("utimensat", rustix::fs::futimens(fd, &times(modified)), || "held file".to_owned())
}

/// utimensat(2) of a name that is not followed.
///
/// # Errors
/// As utimensat(2).
pub fn set_times_at(dir: BorrowedFd<'_>, name: &Path, modified: (i64, u32)) -> Result<()> {
    let set = rustix::fs::utimensat(dir, name, &times(modified), AtFlags::SYMLINK_NOFOLLOW);
    named("utimensat", set, || quoted(name))
}

/// fsetxattr(2) of a descriptor that is open for reading or writing.
///
/// # Errors
/// As setxattr(2).
pub fn set_attribute(fd: BorrowedFd<'_>, name: &str, value: &[u8]) -> Result<()> {
    let set = rustix::fs::fsetxattr(fd, name, value, XattrFlags::empty());
    named("fsetxattr", set, || format!("`{name}`"))
}

/// lsetxattr(2) of a name in a held directory.
///
/// # Errors
/// As setxattr(2).
pub fn set_attribute_at(dir: BorrowedFd<'_>, file: &Path, name: &str, value: &[u8]) -> Result<()> {
    let path = super::file::proc_path(dir).join(file);
    let set = rustix::fs::lsetxattr(&path, name, value, XattrFlags::empty());
    named("lsetxattr", set, || format!("{}, `{name}`", quoted(file)))
}

/// getxattr(2) of a held file, O_PATH included: whether the attribute has this value.
pub fn has_attribute(fd: BorrowedFd<'_>, name: &str, value: &[u8]) -> bool {
    let mut found = [0u8; 64];
    let length = rustix::fs::getxattr(super::file::proc_path(fd), name, &mut found[..]);
    length.is_ok_and(|length| found[..length] == *value)
}

/// removexattr(2) of a held file; nothing to remove is fine.
pub fn remove_attribute(fd: BorrowedFd<'_>, name: &str) {
    let _ = rustix::fs::removexattr(super::file::proc_path(fd), name);
}
