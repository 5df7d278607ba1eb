//! Signals: masks, dispositions, signalfd.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::error::Result;
use crate::sys::check;

/// The highest signal number (`_NSIG - 1` on all architectures but MIPS).
pub const LAST: i32 = 64;

fn full_set() -> libc::sigset_t {
    let mut set = std::mem::MaybeUninit::uninit();
    // SAFETY: sigfillset initialises the set it is given.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    // SAFETY: initialised just above.
    unsafe { set.assume_init() }
}

fn empty_set() -> libc::sigset_t {
    let mut set = std::mem::MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set it is given.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: initialised just above.
    unsafe { set.assume_init() }
}

fn set_mask(set: &libc::sigset_t) -> Result<()> {
    // SAFETY: set outlives the call; a NULL old set is allowed.
    let result = unsafe { libc::sigprocmask(libc::SIG_SETMASK, set, std::ptr::null_mut()) };
    check("sigprocmask", result, || "SIG_SETMASK".to_owned()).map(drop)
}

/// Blocks every signal that can be blocked: they wait, none is lost.
///
/// # Errors
/// Never in practice.
pub fn block_all() -> Result<()> {
    set_mask(&full_set())
}

/// Blocks none.
///
/// # Errors
/// Never in practice.
pub fn unblock_all() -> Result<()> {
    set_mask(&empty_set())
}

/// `struct sigaction` as the kernel has it, which for `SIG_DFL` is zeroes on every architecture.
const DEFAULT_ACTION: [u64; 4] = [0; 4];

/// Sets every disposition to the default (SIGPIPE too, which Rust's start-up ignores) and empties
/// the mask: what a program expects after execve(2), which keeps ignored signals ignored.
///
/// # Errors
/// Never in practice.
pub fn reset_all() -> Result<()> {
    for signal in 1..=LAST {
        if signal == libc::SIGKILL || signal == libc::SIGSTOP {
            continue;
        }
        reset(signal)?;
    }
    unblock_all()
}

/// Sets the disposition of one signal to the default.
///
/// # Errors
/// EINVAL for SIGKILL and SIGSTOP.
pub fn reset(signal: i32) -> Result<()> {
    // SAFETY: the kernel reads a zeroed sigaction and an 8 byte mask size; going past libc reaches
    // the two signals that libc keeps for itself.
    let result = unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            signal,
            DEFAULT_ACTION.as_ptr(),
            std::ptr::null_mut::<u64>(),
            8usize,
        )
    };
    check("rt_sigaction", result, || signal.to_string()).map(drop)
}

/// signalfd(2) for every signal, close-on-exec. Block them first.
///
/// # Errors
/// As signalfd(2).
pub fn all_as_fd() -> Result<OwnedFd> {
    let set = full_set();
    // SAFETY: set outlives the call; -1 asks for a new descriptor.
    let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC) };
    check("signalfd", fd, String::new)?;
    // SAFETY: a new descriptor that nobody else has seen.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The number of the next signal that arrived at a signalfd; waits for one.
///
/// # Errors
/// As read(2).
pub fn next(fd: BorrowedFd<'_>) -> Result<i32> {
    let mut info = std::mem::MaybeUninit::<libc::signalfd_siginfo>::zeroed();
    loop {
        // SAFETY: the kernel writes at most the size it is told into a buffer that outlives it.
        let length =
            unsafe { libc::read(fd.as_raw_fd(), info.as_mut_ptr().cast(), size_of_val(&info)) };
        match check("read", length as i64, || "signalfd".to_owned()) {
            Err(error) if error.is(libc::EINTR) => {}
            Err(error) => return Err(error),
            // SAFETY: all zeroes is a valid siginfo, and the kernel wrote a whole one.
            Ok(_) => return Ok(unsafe { info.assume_init() }.ssi_signo as i32),
        }
    }
}
