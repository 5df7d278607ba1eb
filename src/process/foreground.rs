//! A container in the foreground: signals go to it, its status comes back.

use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::notify::Notify;
use crate::error::{Error, Kind, Result};
use crate::sys;
use crate::sys::io::{Readiness, any_readable, wait_until_ready};
use crate::terminal::Relay;

/// Prepared before the clone, so that no signal and no death can fall into a gap.
#[derive(Debug)]
pub struct Foreground {
    signals: OwnedFd,
    /// Those that came while there was no program yet.
    early: RefCell<Vec<i32>>,
}

/// Signals that end rrun where there is no program yet that could have them.
const ENDING: [i32; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

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
        Ok(Foreground { signals: sys::signal::all_as_fd()?, early: RefCell::default() })
    }

    /// Waits until there is something to read from `other`, while the program is set up. Once it may
    /// be running, every signal is kept for it.
    ///
    /// # Errors
    /// A signal that asks us to end, while nothing runs yet.
    pub(super) fn until_readable(&self, other: BorrowedFd<'_>, may_run: bool) -> Result<()> {
        while !self.look(other, None, may_run)? {}
        Ok(())
    }

    /// Whether a signal asks us to end, while the program is set up.
    ///
    /// # Errors
    /// That it does.
    pub(super) fn check(&self) -> Result<()> {
        self.look(self.signals.as_fd(), Some(Duration::ZERO), false).map(drop)
    }

    fn look(
        &self,
        other: BorrowedFd<'_>,
        patience: Option<Duration>,
        may_run: bool,
    ) -> Result<bool> {
        let fds = [self.signals.as_fd(), other];
        let ready = wait_until_ready(&fds, &[Readiness::read(true); 2], patience)?;
        if ready[0].read {
            match sys::signal::next(self.signals.as_fd())? {
                signal if ENDING.contains(&signal) && !may_run => {
                    let text = format!("interrupted by signal {signal}");
                    return Err(Error::message(Kind::State, text));
                }
                // Deaths are asked for before anything is waited for.
                libc::SIGCHLD => {}
                signal => self.early.borrow_mut().push(signal),
            }
        }
        Ok(ready[1].read)
    }

    /// Forwards every signal to `init` until it ends, and moves what goes through its terminal, where
    /// that is ours; its status as a shell shows it. What it has to tell a service manager is handed
    /// on.
    ///
    /// # Errors
    /// As waitid(2).
    pub fn wait(
        &self,
        (pid, init): (i32, BorrowedFd<'_>),
        mut terminal: Option<Relay>,
        notify: Option<&Notify>,
    ) -> Result<i32> {
        let gathered = match notify {
            Some(notify) => Some(any_readable(&[self.signals.as_fd(), notify.as_fd()])?),
            None => None,
        };
        for signal in self.early.take() {
            let _ = sys::process::pidfd_send_signal(init, signal);
        }
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
            let awaited = gathered.as_ref().map_or(self.signals.as_fd(), AsFd::as_fd);
            if let Some(relay) = &mut terminal {
                relay.run_until_readable(awaited)?;
            }
            if let Some(told) = notify {
                let fds = [awaited, self.signals.as_fd(), told.as_fd()];
                let ready = wait_until_ready(&fds, &[Readiness::read(true); 3], None)?;
                // rrun stays, so that the manager goes on watching rrun; and what it does not take is
                // no reason to leave the program alone.
                if ready[2].read {
                    let _ = told.hand_on(None);
                }
                if !ready[1].read {
                    continue;
                }
            }
            match (sys::signal::next(self.signals.as_fd())?, &terminal) {
                (libc::SIGCHLD, _) => {}
                // The kernel tells the program, when its own terminal gets the size.
                (libc::SIGWINCH, Some(relay)) => relay.resize(),
                // It may be dead already; then the loop will tell.
                (signal, _) => drop(sys::process::pidfd_send_signal(init, signal)),
            }
        }
    }
}
