//! Becoming another program: execve, execveat.

use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

use crate::error::{Error, Result};
use crate::sys::last_errno;

/// A list of strings as execve(2) wants it.
struct StringVector {
    _strings: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

impl StringVector {
    fn new(strings: &[CString]) -> StringVector {
        let strings = strings.to_vec();
        let mut pointers: Vec<_> = strings.iter().map(|string| string.as_ptr()).collect();
        pointers.push(std::ptr::null());
        StringVector { _strings: strings, pointers }
    }
}

/// execve(2). Returns only where it failed.
///
/// # Errors
/// As execve(2).
pub fn execve(path: &CStr, args: &[CString], env: &[CString]) -> Result<Infallible> {
    let (argv, envp) = (StringVector::new(args), StringVector::new(env));
    // SAFETY: path is NUL-terminated, argv and envp are NULL-terminated arrays of strings that
    // live until the call replaces us.
    unsafe { libc::execve(path.as_ptr(), argv.pointers.as_ptr(), envp.pointers.as_ptr()) };
    Err(Error::call("execve", format!("`{}`", path.to_string_lossy()), last_errno()))
}

/// execveat(2) of the held file `fd` itself. Returns only where it failed.
///
/// # Errors
/// As execveat(2); ENOENT for a script, whose interpreter could not open it.
pub fn execve_fd(fd: BorrowedFd<'_>, args: &[CString], env: &[CString]) -> Result<Infallible> {
    let (argv, envp) = (StringVector::new(args), StringVector::new(env));
    // SAFETY: the path is a static NUL-terminated string, argv and envp as in execve.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            fd.as_raw_fd(),
            c"".as_ptr(),
            argv.pointers.as_ptr(),
            envp.pointers.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    Err(Error::call("execveat", "held file", last_errno()))
}

/// Our own environment, for what inherits it.
pub fn inherited_environment() -> Vec<CString> {
    let entry = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        let bytes = [name.as_bytes(), b"=", value.as_bytes()].concat();
        CString::new(bytes).ok()
    };
    std::env::vars_os().filter_map(entry).collect()
}
