//! What a file or directory has beyond what stat(2) tells: mount roots and ids (statx(2)), names in a
//! directory (getdents64(2)), extended attributes (xattr(7)).

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{AtFlags, StatxAttributes, StatxFlags};

use crate::error::Result;
use crate::sys::named;

fn statx(fd: BorrowedFd<'_>) -> Result<rustix::fs::Statx> {
    named("statx", rustix::fs::statx(fd, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID), || {
        "held descriptor".to_owned()
    })
}

/// Whether the held file is the root of a mount (Linux 5.8).
///
/// # Errors
/// As statx(2).
pub fn is_mount_root(fd: BorrowedFd<'_>) -> Result<bool> {
    Ok(statx(fd)?.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// The number of the mount that the held file is on, as mountinfo shows it (Linux 5.8).
///
/// # Errors
/// As statx(2).
pub fn mount_id(fd: BorrowedFd<'_>) -> Result<u64> {
    Ok(statx(fd)?.stx_mnt_id)
}

/// The names in a directory that is open for reading, without `.` and `..`.
///
/// # Errors
/// As getdents64(2).
pub fn names(dir: BorrowedFd<'_>) -> Result<Vec<OsString>> {
    let operands = || "held directory".to_owned();
    let mut names = Vec::new();
    for entry in named("getdents64", rustix::fs::Dir::read_from(dir), operands)? {
        let name = named("getdents64", entry, operands)?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    Ok(names)
}

/// setxattr(2) on a held file, O_PATH included: through /proc/self/fd, since fsetxattr(2) wants a
/// descriptor that is open for reading.
///
/// # Errors
/// EOPNOTSUPP where the file system has no attributes of that class.
pub fn set_xattr(fd: BorrowedFd<'_>, name: &str, value: &[u8]) -> Result<()> {
    let path = super::file::proc_path(fd);
    let result = rustix::fs::setxattr(&path, name, value, rustix::fs::XattrFlags::empty());
    named("setxattr", result, || format!("{}, `{name}`", super::quoted(&path)))
}
