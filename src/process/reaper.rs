//! The first process of a sandbox: rrun itself, which hands signals on and reaps what others leave.
//!
//! To the first process of a pid namespace the kernel delivers no signal that it has no handler for:
//! as that, most programs could not be interrupted, and nobody would wait for their orphans. So the
//! program is its child, and leads the terminal's foreground group, as in a session of a shell.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::error::{Context, Result};
use crate::sys;
use crate::sys::process::{Cloned, reap_any};

/// Returns in a child, which is to become the program; `terminal` is its own, if it has one. We stay
/// until that child ends, with its status.
///
/// # Errors
/// As clone(2).
pub(super) fn stay_as_parent(terminal: Option<BorrowedFd<'_>>) -> Result<()> {
    // Before there are two of us: none of a signal's moments is nobody's.
    sys::signal::block_all()?;
    match sys::process::fork().context(|| "make the process of the program")? {
        Cloned::Parent { pid, pidfd } => {
            let status = reap_until(pid, &pidfd);
            sys::process::exit_now(status.unwrap_or(1))
        }
        Cloned::Child => {
            sys::process::lead_group()?;
            if let Some(terminal) = terminal {
                // A group in the background may do so only with SIGTTOU blocked.
                sys::tty::set_foreground(terminal)?;
            }
            sys::signal::unblock_all()
        }
    }
}

/// The status of the child, when it has ended.
fn reap_until(child: i32, pidfd: &OwnedFd) -> Result<i32> {
    // Whoever opened the gate waits until only the program could hold the connection, and is gone.
    sys::file::close_from(3, pidfd.as_fd())?;
    let signals = sys::signal::all_as_fd()?;
    loop {
        while let Some((reaped, ended)) = reap_any() {
            if reaped == child {
                return Ok(ended.code());
            }
        }
        match sys::signal::next(signals.as_fd())? {
            libc::SIGCHLD => {}
            // What is left is for the program, which may be gone by now; then the loop will tell.
            signal => drop(sys::process::pidfd_send_signal(pidfd.as_fd(), signal)),
        }
    }
}
