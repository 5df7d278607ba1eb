//! seccomp(2): filters of system calls, and the descriptor by which another process is asked.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use crate::error::{Error, Result};
use crate::sys::{check, last_errno};

const SECCOMP_SET_MODE_FILTER: libc::c_uint = 1;
const SECCOMP_FILTER_FLAG_NEW_LISTENER: u32 = 1 << 3;

/// Loads a filter for this thread and all that come from it (Linux 3.17). With
/// `SECCOMP_FILTER_FLAG_NEW_LISTENER` (Linux 5.0) among `flags`, its listener comes back,
/// close-on-exec.
///
/// # Errors
/// EACCES with neither no_new_privs nor CAP_SYS_ADMIN in the own user namespace, EINVAL for a
/// program, an action or a flag that the kernel does not take, EBUSY for a second listener.
pub fn load_filter(program: &[[u8; 8]], flags: u32) -> Result<Option<OwnedFd>> {
    let operands =
        || format!("SECCOMP_SET_MODE_FILTER, {flags:#x}, {} instructions", program.len());
    let Ok(length) = u16::try_from(program.len()) else {
        return Err(Error::call("seccomp", operands(), libc::EINVAL));
    };
    let filter = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: the kernel copies `length` instructions of eight bytes, however they are aligned, and
    // writes none; filter and program outlive the call.
    let result = unsafe {
        libc::syscall(libc::SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &raw const filter)
    };
    let result = check("seccomp", result, operands)?;
    if flags & SECCOMP_FILTER_FLAG_NEW_LISTENER == 0 {
        // Without TSYNC_ESRCH, a thread that cannot be synchronised is told by its id.
        return match result {
            0 => Ok(None),
            _ => Err(Error::call("seccomp", operands(), libc::ESRCH)),
        };
    }
    // SAFETY: with this flag the result is a new descriptor, which nobody else knows.
    Ok(Some(unsafe { OwnedFd::from_raw_fd(result as RawFd) }))
}

/// Whether the kernel knows a flag of [`load_filter`]. Nothing is loaded.
pub fn knows_flag(flag: u32) -> bool {
    // This flag is refused without a listener; with one, what is wrong is the missing program.
    const WAIT_KILLABLE_RECV: u32 = 1 << 5;
    let flags = match flag {
        WAIT_KILLABLE_RECV => flag | SECCOMP_FILTER_FLAG_NEW_LISTENER,
        _ => flag,
    };
    // SAFETY: the kernel checks the flags and then finds that NULL cannot be read, so it does nothing.
    let result =
        unsafe { libc::syscall(libc::SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, 0usize) };
    result < 0 && last_errno() == libc::EFAULT
}

/// pidfd_getfd(2) (Linux 5.6): another process's descriptor, close-on-exec.
///
/// # Errors
/// EBADF where that number is not open there, ESRCH where the process is gone, EPERM where we may
/// not look into it.
pub fn pidfd_getfd(pidfd: BorrowedFd<'_>, number: RawFd) -> Result<OwnedFd> {
    // SAFETY: pidfd_getfd takes numbers only.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), number, 0) };
    let fd = check("pidfd_getfd", result, || number.to_string())?;
    // SAFETY: the kernel just made this descriptor, and nobody else has its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}
