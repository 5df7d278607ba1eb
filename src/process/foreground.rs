//! A container in the foreground: signals go to it, its status comes back.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::error::Result;
use crate::sys;
use crate::terminal::Relay;

/// Prepared before the clone, so that no signal and no death can fall into a gap.
#[derive(Debug)]
pub struct Foreground(OwnedFd);

impl Foreground {
    /// Blocks all signals and listens to them instead. As a subreaper (`PR_SET_CHILD_SUBREAPER`)
    /// we also inherit what the container leaves behind without a pid namespace.
    ///
    /// # Errors
    /// As signalfd(2).
    pub fn prepare(subreaper: bool) -> Result<Foreground> {
        sys::signal::block_all()?;
        if subreaper {
            sys::process::set_child_subreaper()?;
        }
        sys::signal::all_as_fd().map(Foreground)
    }

    /// Forwards every signal to `init` until it ends, and moves what goes through its terminal, where
    /// that is ours; its status as a shell shows it.
    ///
    /// # Errors
    /// As waitid(2).
    pub fn wait(&self, pid: i32, init: BorrowedFd<'_>, mut terminal: Option<Relay>) -> Result<i32> {
        loop {
            // Several deaths make one SIGCHLD: reap all before waiting again.
            while let Some((reaped, ended)) = sys::process::reap_any() {
                if reaped == pid {
                    if let Some(relay) = terminal {
                        relay.drain();
                    }
                    return Ok(ended.code());
                }
            }
            if let Some(relay) = &mut terminal {
                relay.run_until_readable(self.0.as_fd())?;
            }
            match (sys::signal::next(self.0.as_fd())?, &terminal) {
                (libc::SIGCHLD, _) => {}
                // The kernel tells the program, when its own terminal gets the size.
                (libc::SIGWINCH, Some(relay)) => relay.resize(),
                // It may be dead already; then the loop will tell.
                (signal, _) => drop(sys::process::pidfd_send_signal(init, signal)),
            }
        }
    }
}
