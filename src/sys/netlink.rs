//! rtnetlink(7): questions and orders about network interfaces, each one packet and its answer.

use std::cell::Cell;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::net::netlink::SocketAddrNetlink;

use crate::error::{Error, Result};
use crate::sys::{check, named};

/// `RTM_NEWLINK`.
pub const RTM_NEWLINK: u16 = 16;
/// `RTM_GETLINK`.
pub const RTM_GETLINK: u16 = 18;
/// `RTM_SETLINK`.
pub const RTM_SETLINK: u16 = 19;
/// `RTM_NEWADDR`.
pub const RTM_NEWADDR: u16 = 20;
/// `RTM_GETADDR`.
pub const RTM_GETADDR: u16 = 22;

/// `NLM_F_CREATE | NLM_F_EXCL`.
pub const CREATE: u16 = 0x400 | 0x200;
/// `NLM_F_DUMP`: everything, not one thing.
pub const DUMP: u16 = 0x300;

/// Whose address is this.
const KERNEL: u32 = 0;

const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLMSGERR_ATTR_MSG: u16 = 1;
/// Of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Of `struct nlmsgerr` without the message that it answers.
const ERROR_HEADER: usize = 4 + HEADER;

/// A socket of the network namespace that it was opened in, wherever its owner goes.
#[derive(Debug)]
pub struct Route {
    socket: OwnedFd,
    sequence: Cell<u32>,
}

impl Route {
    /// A socket of the network namespace that we are in.
    ///
    /// # Errors
    /// EPROTONOSUPPORT where the kernel has none.
    pub fn open() -> Result<Route> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: socket takes numbers only.
        let fd = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) };
        let fd = check("socket", fd, || "AF_NETLINK, NETLINK_ROUTE".to_owned())?;
        // SAFETY: the kernel just made this descriptor, and nobody else has its number.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        // The kernel's own sentence where it refuses, and not our message back.
        for option in [libc::NETLINK_EXT_ACK, libc::NETLINK_CAP_ACK] {
            let on: libc::c_int = 1;
            let size = size_of::<libc::c_int>() as libc::socklen_t;
            // SAFETY: the kernel reads one int, which outlives the call.
            let set = unsafe {
                let on = (&raw const on).cast();
                libc::setsockopt(socket.as_raw_fd(), libc::SOL_NETLINK, option, on, size)
            };
            check("setsockopt", set, || format!("SOL_NETLINK, {option}"))?;
        }
        Ok(Route { socket, sequence: Cell::new(0) })
    }

    /// Sends one message and returns the bodies of what is answered; `what` names it in an error.
    ///
    /// # Errors
    /// What the kernel answers, with its own sentence where it has one.
    pub fn ask(&self, kind: u16, flags: u16, body: &[u8], what: &str) -> Result<Vec<Vec<u8>>> {
        let sequence = self.sequence.get() + 1;
        self.sequence.set(sequence);
        let mut message = Vec::with_capacity(HEADER + body.len());
        message.extend((HEADER as u32 + body.len() as u32).to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend((NLM_F_REQUEST | NLM_F_ACK | flags).to_ne_bytes());
        message.extend(sequence.to_ne_bytes());
        message.extend(0_u32.to_ne_bytes());
        message.extend(body);
        let sent = rustix::net::send(&self.socket, &message, rustix::net::SendFlags::empty());
        named("rtnetlink", sent, || what.to_owned())?;
        let mut answers = Vec::new();
        loop {
            let mut packet = vec![0; 1 << 16];
            let flags = rustix::net::RecvFlags::empty();
            let received = rustix::net::recvfrom(&self.socket, &mut packet[..], flags);
            let (length, _, sender) = named("rtnetlink", received, || what.to_owned())?;
            // Whoever has CAP_NET_ADMIN over the namespace may send us what looks like an answer.
            let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
            if sender.is_none_or(|sender| sender.pid() != KERNEL) {
                continue;
            }
            for (kind, answer) in messages(&packet[..length], sequence) {
                match kind {
                    NLMSG_DONE => return Ok(answers),
                    NLMSG_ERROR => return acknowledged(answer, what).map(|()| answers),
                    _ => answers.push(answer.to_vec()),
                }
            }
        }
    }
}

/// The messages of a packet that answer the one with this number.
fn messages(mut packet: &[u8], sequence: u32) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while let (Some(length), Some(kind)) = (u32_at(packet, 0), u16_at(packet, 4)) {
        let length = length as usize;
        let Some(body) = packet.get(HEADER..length) else { break };
        if u32_at(packet, 8) == Some(sequence) {
            found.push((kind, body));
        }
        packet = packet.get(aligned(length)..).unwrap_or_default();
    }
    found
}

fn acknowledged(answer: &[u8], what: &str) -> Result<()> {
    let errno = u32_at(answer, 0).unwrap_or_default().wrapping_neg() as i32;
    if errno == 0 {
        return Ok(());
    }
    let text = attributes(answer.get(ERROR_HEADER..).unwrap_or_default())
        .find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG)
        .map(|(_, text)| String::from_utf8_lossy(text).trim_end_matches('\0').to_owned());
    let operands = match text {
        Some(text) => format!("{what}; kernel: {text}"),
        None => what.to_owned(),
    };
    Err(Error::call("rtnetlink", operands, errno))
}

fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

/// A number in a message.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Appends an attribute to a message.
pub fn put(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    // Nothing that is put here comes near 64 KiB.
    message.extend((4 + value.len() as u16).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(value);
    message.resize(aligned(message.len()), 0);
}

/// The attributes in the rest of a message.
pub fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (length, kind) = (u16_at(rest, 0)? as usize, u16_at(rest, 2)?);
        let value = rest.get(4..length)?;
        rest = rest.get(aligned(length)..).unwrap_or_default();
        // The upper two bits say how the value is to be read.
        Some((kind & 0x3fff, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_come_back_as_they_were_put() {
        let mut message = Vec::new();
        put(&mut message, 3, b"eth0\0");
        put(&mut message, 0x8001, &[1, 2, 3, 4]);
        assert_eq!(message.len(), 12 + 8);
        let found: Vec<_> = attributes(&message).collect();
        assert_eq!(found, [(3, &b"eth0\0"[..]), (1, &[1, 2, 3, 4][..])]);
        // Broken off anywhere it ends, and nothing else.
        for length in 0..message.len() {
            assert!(attributes(&message[..length]).count() <= 2);
        }
    }

    /// In a network namespace that is joined there may be somebody with power over it.
    #[test]
    fn only_the_kernel_answers() {
        let link = |name: &str| {
            let mut message = vec![0; 16];
            put(&mut message, 3, format!("{name}\0").as_bytes());
            message
        };
        let (ours, theirs) = (Route::open().unwrap(), Route::open().unwrap());
        let _ = ours.ask(RTM_GETLINK, 0, &link("lo"), "get `lo`").unwrap();
        let address = rustix::net::getsockname(&ours.socket).unwrap();
        let mut forged = (ERROR_HEADER as u32 + 16).to_ne_bytes().to_vec();
        forged.extend(NLMSG_ERROR.to_ne_bytes());
        forged.extend(0_u16.to_ne_bytes());
        forged.extend(2_u32.to_ne_bytes());
        forged.resize(ERROR_HEADER + 16, 0);
        let flags = rustix::net::SendFlags::empty();
        match rustix::net::sendto(&theirs.socket, &forged, flags, &address) {
            // Nobody of importance runs the test.
            Err(rustix::io::Errno::PERM) => {}
            sent => {
                let _ = sent.unwrap();
                let answer = ours.ask(RTM_GETLINK, 0, &link("nobody"), "get `nobody`");
                assert!(answer.unwrap_err().is(libc::ENODEV));
            }
        }
    }

    #[test]
    fn a_refusal_has_the_kernels_sentence() {
        let mut answer = (-libc::EPERM).to_ne_bytes().to_vec();
        answer.resize(ERROR_HEADER, 0);
        put(&mut answer, NLMSGERR_ATTR_MSG, b"no such thing\0");
        let error = acknowledged(&answer, "get `x`").unwrap_err();
        let expected = "rtnetlink(get `x`; kernel: no such thing): operation not permitted (EPERM)";
        assert_eq!(error.to_string(), expected);
    }
}
