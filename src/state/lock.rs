//! The lock of a container: one flock(2), which the kernel drops when its holder dies.
//!
//! It is on the container's directory itself: a file in it could be removed or made again under
//! those who wait for it. The file `lock` only tells who the holder is.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Context, Error, Kind, Result};
use crate::sys;
use crate::sys::file::FlockOperation;

/// How long a verb waits for another one.
const PATIENCE: Duration = Duration::from_secs(10);

/// The file in a container's directory that names the holder.
const NAME: &str = "lock";

/// A held lock; dropping it lets go.
#[derive(Debug)]
pub struct Lock(OwnedFd);

impl Lock {
    /// Takes the lock of the container directory `dir`, waiting up to ten seconds for whoever
    /// holds it.
    ///
    /// # Errors
    /// After that, naming the verb and pid that hold it.
    pub fn take(dir: BorrowedFd<'_>, verb: &str, id: &str) -> Result<Lock> {
        let own = reopen(dir)?;
        let deadline = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(1);
        while let Err(error) = try_lock(own.as_fd(), FlockOperation::NonBlockingLockExclusive) {
            if !error.is(libc::EWOULDBLOCK) {
                return Err(error).context(|| format!("lock container `{id}`"));
            }
            if Instant::now() >= deadline {
                let holder = holder(dir);
                let text = format!("container `{id}` is being changed by {holder}");
                return Err(Error::message(Kind::State, text));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        sign(dir, verb)?;
        Ok(Lock(own))
    }

    /// Takes the lock of a directory that may be abandoned; None where somebody holds it.
    ///
    /// # Errors
    /// As flock(2).
    pub(super) fn try_take(dir: BorrowedFd<'_>) -> Result<Option<Lock>> {
        let own = reopen(dir)?;
        match try_lock(own.as_fd(), FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock(own))),
            Err(error) if error.is(libc::EWOULDBLOCK) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether somebody holds the lock of `dir` for a change. Never waits, and lets go at once.
    pub fn is_held(dir: BorrowedFd<'_>) -> bool {
        let shared = FlockOperation::NonBlockingLockShared;
        let attempt = reopen(dir).and_then(|own| try_lock(own.as_fd(), shared));
        matches!(attempt, Err(error) if error.is(libc::EWOULDBLOCK))
    }

    /// Lets a forked child go of the lock: parent and child share it, so that otherwise the child's
    /// life would prolong it. `instead` is what the descriptor stands for then.
    ///
    /// # Errors
    /// Never in practice.
    pub fn leave_to_parent(&self, instead: BorrowedFd<'_>) -> Result<()> {
        sys::io::replace(self.0.as_fd(), instead)
    }
}

/// A lock belongs to an open file, so each one who takes it opens the directory anew.
fn reopen(dir: BorrowedFd<'_>) -> Result<OwnedFd> {
    sys::file::open_at(dir, Path::new("."), libc::O_RDONLY | libc::O_DIRECTORY, 0)
}

/// Writes who holds it, for the one who waits in vain.
fn sign(dir: BorrowedFd<'_>, verb: &str) -> Result<()> {
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_NOFOLLOW;
    let file = sys::file::open_at(dir, Path::new(NAME), flags, 0o600)?;
    let text = format!("{verb} {}\n", sys::process::own_pid());
    sys::io::write_once(file.as_fd(), text.as_bytes())
}

fn try_lock(file: BorrowedFd<'_>, operation: FlockOperation) -> Result<()> {
    loop {
        match sys::file::flock(file, operation) {
            Err(error) if error.is(libc::EINTR) => {}
            result => return result,
        }
    }
}

fn holder(dir: BorrowedFd<'_>) -> String {
    let text = sys::file::open_at(dir, Path::new(NAME), libc::O_RDONLY, 0)
        .and_then(|file| sys::io::read_all(file.as_fd()))
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    match text.trim().split_once(' ') {
        Some((verb, pid)) => format!("`{verb}` (pid {pid})"),
        None => "another rrun".to_owned(),
    }
}
