//! The lock of a container: one flock(2), which the kernel drops when its holder dies.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Context, Error, Kind, Result};
use crate::sys;
use crate::sys::file::FlockOperation;

/// How long a verb waits for another one.
const PATIENCE: Duration = Duration::from_secs(10);

/// The name of the lock file in a container's directory.
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
        let file = open(dir)?;
        let deadline = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(1);
        while let Err(error) = try_lock(file.as_fd(), FlockOperation::NonBlockingLockExclusive) {
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
        let mut lock = Lock(file);
        lock.sign(verb)?;
        Ok(lock)
    }

    /// Whether somebody holds the lock of `dir` for a change. Never waits, and lets go at once.
    pub fn is_held(dir: BorrowedFd<'_>) -> bool {
        let shared = FlockOperation::NonBlockingLockShared;
        let attempt = open(dir).and_then(|file| try_lock(file.as_fd(), shared));
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

    /// Writes who holds it, for the one who waits in vain.
    fn sign(&mut self, verb: &str) -> Result<()> {
        let text = format!("{verb} {}\n", sys::process::own_pid());
        sys::io::truncate(self.0.as_fd())?;
        sys::io::write_at_start(self.0.as_fd(), text.as_bytes())
    }
}

fn open(dir: BorrowedFd<'_>) -> Result<OwnedFd> {
    sys::file::open_at(dir, Path::new(NAME), libc::O_RDWR | libc::O_CREAT, 0o600)
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
