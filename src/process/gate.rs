//! The gate: where a created container waits for `start`.
//!
//! A SEQPACKET listener called `gate` in the container's directory. The parent binds it before the
//! clone, init inherits it. `start` connects and sends `go`; init closes the gate by becoming the
//! program, since every descriptor is close-on-exec. So for whoever looks from outside:
//!
//! - the socket is there: init is still before its execve (asked without a connection, which would wake it);
//! - a connection is refused: it was started, or it is dead;
//! - `executing` and then end-of-file: the program runs;
//! - end-of-file without it: init was killed;
//! - any other packet: init's own error.
//!
//! A fifo could not tell the second from the third, and needs a /proc inside the container to be
//! opened again (KERNEL: an O_PATH descriptor of a fifo is reopened through /proc).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Kind, Result, WIRE_LIMIT};
use crate::sys;
use crate::trace;

/// Its name in the container's directory.
const NAME: &str = "gate";

/// The word that opens it.
const GO: &[u8] = b"go";

/// The same from somebody who wants to know what takes how long.
const GO_TRACED: &[u8] = b"go, traced";

/// Init's last word. Only what cannot fail for want of a listener comes after it. With no_new_privs
/// no seccomp profile has to allow sending it: it comes before that is loaded. With a trace, what init
/// did since `go` comes after it, as JSON.
const EXECUTING: &[u8] = b"executing";

/// sun_path holds 107 bytes; a path through the held directory always fits.
fn path(dir: BorrowedFd<'_>) -> PathBuf {
    sys::file::proc_path(dir).join(NAME)
}

/// Init's side.
#[derive(Debug)]
pub(super) struct Gate(OwnedFd);

impl Gate {
    /// Binds the gate in the container's directory.
    pub(super) fn bind(dir: BorrowedFd<'_>) -> Result<Gate> {
        sys::socket::listen(&path(dir)).map(Gate).context(|| "make the gate")
    }

    /// The listener, for whoever needs a harmless descriptor.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Waits for `start`. A connection that ends without `go` was somebody looking.
    pub(super) fn wait(&self) -> Result<Opened> {
        loop {
            let connection = sys::socket::accept(self.0.as_fd()).context(|| "wait for `start`")?;
            match sys::socket::receive(connection.as_fd(), 64) {
                Ok(Some(packet)) if packet.bytes == GO => return Ok(Opened(connection)),
                Ok(Some(packet)) if packet.bytes == GO_TRACED => {
                    trace::begin("init");
                    return Ok(Opened(connection));
                }
                // ECONNRESET, end-of-file or another word: not a start.
                _ => {}
            }
        }
    }
}

/// Somebody said `go` and waits for what becomes of it.
#[derive(Debug)]
pub(super) struct Opened(OwnedFd);

impl Opened {
    /// Tells that somebody that execve is next: a connection that just ends would look the same
    /// for a program that runs and an init that was killed.
    pub(super) fn executing(&self) {
        let mut word = EXECUTING.to_vec();
        if trace::is_on() {
            word.extend(serde_json::to_vec(&trace::take()).unwrap_or_default());
        }
        // Whoever said `go` may be dead by now; the program runs all the same.
        let _ = sys::socket::send(self.0.as_fd(), &word, &[]);
        // Nobody hears of what comes, and under the filter even a look at the clock may be forbidden.
        trace::end();
    }

    /// Tells that somebody why the program does not run.
    pub(super) fn fail(&self, error: &Error) {
        let _ = sys::socket::send(self.0.as_fd(), &error.to_wire(), &[]);
    }
}

/// Whether init waits at the gate of the container directory `dir`.
///
/// # Errors
/// Where that cannot be asked: no descriptor is left, say.
pub fn is_waiting(dir: BorrowedFd<'_>) -> Result<bool> {
    sys::socket::is_open(&path(dir)).context(|| "ask whether it waits at its gate")
}

/// Removes the gate: it was passed, or its init is dead.
pub fn remove(dir: BorrowedFd<'_>) {
    let _ = sys::file::unlink_at(dir, Path::new(NAME));
}

/// Opens the gate and waits until init has become the program.
///
/// # Errors
/// What kept init from it, in init's own words; of kind [`Kind::State`] where nobody waits.
pub fn open(dir: BorrowedFd<'_>) -> Result<()> {
    let connection = match sys::socket::connect(&path(dir)) {
        Err(error) if error.is(libc::ECONNREFUSED) || error.is(libc::ENOENT) => {
            return Err(Error::message(Kind::State, "nobody waits to be started"));
        }
        other => other?,
    };
    let go = if trace::is_on() { GO_TRACED } else { GO };
    sys::socket::send(connection.as_fd(), go, &[]).context(|| "open the gate")?;
    let mut executing = None;
    loop {
        return match sys::socket::receive(connection.as_fd(), WIRE_LIMIT) {
            Ok(Some(packet)) => match packet.bytes.strip_prefix(EXECUTING) {
                Some(phases) => {
                    if !phases.is_empty() {
                        trace::add(serde_json::from_slice(phases).unwrap_or_default());
                    }
                    executing = Some(trace::phase_in("init", trace::LAST_PHASE));
                    continue;
                }
                None => Err(Error::from_wire(&packet.bytes)),
            },
            Ok(None) if executing.is_some() => Ok(()),
            Ok(None) => Err(killed()),
            // The listener was closed with our connection still in its queue.
            Err(error) if error.is(libc::ECONNRESET) => Err(killed()),
            Err(error) => Err(error),
        };
    }
}

fn killed() -> Error {
    Error::message(Kind::State, "its first process was killed before it became the program")
}
