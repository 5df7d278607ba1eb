//! A pair of typed ends: one packet is one message, with descriptors attached where need be.

use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::message::{ToInit, ToParent};
use crate::error::{Context, Error, Result, WIRE_LIMIT};
use crate::sys;
use crate::trace;

/// A failure is JSON inside JSON: escaping may double it, and control characters take six bytes.
const PACKET_LIMIT: usize = WIRE_LIMIT * 2 + 1024;

/// One end: what it sends and what it receives are different types, so that neither side can even
/// write a message meant for itself.
#[derive(Debug)]
pub(super) struct Channel<Send, Receive> {
    socket: OwnedFd,
    types: PhantomData<(Send, Receive)>,
}

/// The parent's end.
pub(super) type ParentEnd = Channel<ToInit, ToParent>;

/// The end of stage and init.
pub(super) type InitEnd = Channel<ToParent, ToInit>;

impl ParentEnd {
    /// Answers the other side, with what it asked for. Where it is dead already, what it said last is
    /// still to be read.
    ///
    /// # Errors
    /// As sendmsg(2).
    pub(super) fn proceed(&self, fds: &[BorrowedFd<'_>]) -> Result<()> {
        match self.send_with(&ToInit::Proceed, fds) {
            Err(error) if error.is(libc::EPIPE) || error.is(libc::ECONNRESET) => Ok(()),
            other => other,
        }
    }
}

impl InitEnd {
    /// Tells what was done so far, if anybody wants to know.
    pub(super) fn tell_phases(&self) {
        if trace::is_on() {
            // A trace with less in it is no failure.
            let _ = self.send(&ToParent::Phases(trace::take()));
        }
    }

    /// Waits for the parent's answer, and takes what comes with it. End-of-file means that it is dead,
    /// and so are we.
    ///
    /// # Errors
    /// As recvmsg(2).
    pub(super) fn answer(&self) -> Result<Vec<OwnedFd>> {
        match self.receive().context(|| "wait for the parent")? {
            Some((ToInit::Proceed, fds)) => Ok(fds),
            None => sys::process::exit_now(1),
        }
    }

    /// The same where nothing comes with it.
    ///
    /// # Errors
    /// As recvmsg(2).
    pub(super) fn wait_for_answer(&self) -> Result<()> {
        self.answer().map(drop)
    }
}

/// Both ends.
pub(super) fn pair() -> Result<(ParentEnd, InitEnd)> {
    let (parent, init) = sys::socket::pair()?;
    Ok((
        Channel { socket: parent, types: PhantomData },
        Channel { socket: init, types: PhantomData },
    ))
}

impl<Send: Serialize, Receive: DeserializeOwned> Channel<Send, Receive> {
    /// Lets a forked child go of an end that is its parent's: as long as the child held it too, it
    /// would not see the parent's death. `instead` is what the descriptor stands for then.
    pub(super) fn leave_to_parent(&self, instead: BorrowedFd<'_>) -> Result<()> {
        sys::io::replace(self.socket.as_fd(), instead)
    }

    /// Readable when there is something to receive.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Sends a message.
    pub(super) fn send(&self, message: &Send) -> Result<()> {
        self.send_with(message, &[])
    }

    /// Sends a message with descriptors.
    pub(super) fn send_with(&self, message: &Send, fds: &[BorrowedFd<'_>]) -> Result<()> {
        let bytes = serde_json::to_vec(message)
            .map_err(|error| Error::internal(format!("encode a message: {error}")))?;
        sys::socket::send(self.socket.as_fd(), &bytes, fds)
    }

    /// Receives a message; None where the other side is gone.
    pub(super) fn receive(&self) -> Result<Option<(Receive, Vec<OwnedFd>)>> {
        let packet = match sys::socket::receive(self.socket.as_fd(), PACKET_LIMIT) {
            Err(error) if error.is(libc::ECONNRESET) => return Ok(None),
            other => other?,
        };
        let Some(packet) = packet else { return Ok(None) };
        let message = serde_json::from_slice(&packet.bytes)
            .map_err(|error| Error::internal(format!("decode a message: {error}")))
            .context(|| "listen to the other side of the clone")?;
        Ok(Some((message, packet.fds)))
    }
}
