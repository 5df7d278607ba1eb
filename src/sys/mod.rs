//! System calls, and the only `unsafe` of rrun.
//!
//! Each wrapper is one call: it owns what the kernel hands out ([`OwnedFd`](std::os::fd::OwnedFd)),
//! borrows what it is given, sets close-on-exec on every descriptor, and fails with the call's name,
//! its operands and the errno. It knows no container words: it has `mount_setattr`, not "make
//! read-only". Where [rustix](https://docs.rs/rustix) has a safe call, that is used; what it lacks
//! goes through `syscall(2)`.
#![allow(unsafe_code)]

pub mod bpf;
pub mod cred;
pub mod entry;
pub mod exec;
pub mod file;
pub mod io;
pub mod magic;
pub mod mount;
pub mod net;
pub mod netlink;
pub mod process;
pub mod procfs;
pub mod remap;
pub mod sched;
pub mod seccomp;
pub mod signal;
pub mod socket;
pub mod tree;
pub mod tty;

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::{Error, Result};

/// The errno of the last failed libc call of this thread.
pub(crate) fn last_errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

/// Turns the result of a raw call into ours; `operands` are rendered only on failure.
pub(crate) fn check<T: Into<i64> + Copy>(
    call: &str,
    result: T,
    operands: impl FnOnce() -> String,
) -> Result<T> {
    if result.into() < 0 { Err(Error::call(call, operands(), last_errno())) } else { Ok(result) }
}

/// Turns a rustix result into ours; `operands` are rendered only on failure.
pub(crate) fn named<T>(
    call: &str,
    result: rustix::io::Result<T>,
    operands: impl FnOnce() -> String,
) -> Result<T> {
    result.map_err(|errno| Error::call(call, operands(), errno.raw_os_error()))
}

/// A path as the kernel wants it. A NUL inside cannot name any file.
pub(crate) fn c_path(path: &Path) -> Result<CString> {
    c_string(path.as_os_str().as_bytes())
}

/// Bytes as the kernel wants a string.
pub(crate) fn c_string(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes)
        .map_err(|_| Error::call("open", String::from_utf8_lossy(bytes), libc::EINVAL))
}

/// A path in backticks, for operands.
pub(crate) fn quoted(path: &Path) -> String {
    format!("`{}`", path.display())
}
