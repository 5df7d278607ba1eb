//! Unix sockets that carry one packet and its descriptors at a time (SOCK_SEQPACKET, unix(7)).

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};

use crate::error::{Error, Result};
use crate::sys::{named, quoted};

/// How many descriptors one packet may carry here; the kernel takes up to 253.
const MAX_FDS: usize = 16;

/// A connected pair, close-on-exec.
///
/// # Errors
/// As socketpair(2).
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    let pair = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
    named("socketpair", pair, || "AF_UNIX, SOCK_SEQPACKET".to_owned())
}

fn new_socket(kind: SocketType) -> Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, kind, flags, None);
    named("socket", socket, || "AF_UNIX".to_owned())
}

fn address(path: &Path) -> Result<SocketAddrUnix> {
    named("socket address", SocketAddrUnix::new(path), || quoted(path))
}

/// A listener bound at `path` (at most 107 bytes: name a held directory by `/proc/self/fd/N`).
///
/// # Errors
/// EADDRINUSE where the name exists.
pub fn listen(path: &Path) -> Result<OwnedFd> {
    let socket = new_socket(SocketType::SEQPACKET)?;
    named("bind", rustix::net::bind(&socket, &address(path)?), || quoted(path))?;
    named("listen", rustix::net::listen(&socket, 16), || quoted(path))?;
    Ok(socket)
}

/// A connection to the listener at `path`.
///
/// # Errors
/// ECONNREFUSED where nobody listens any more, ENOENT where there is no such socket.
pub fn connect(path: &Path) -> Result<OwnedFd> {
    connect_with(path, SocketType::SEQPACKET)
}

/// Whether a listener of [`listen`] is still open at `path`, without its owner noticing.
///
/// A socket of another type is asked for: the kernel compares the types once it has found an open socket
/// (EPROTOTYPE, unix(7)), and says ECONNREFUSED where it finds none. A connection would wake the owner, and
/// one that is not accepted stays in its queue.
///
/// # Errors
/// What says neither: as socket(2) and connect(2).
pub fn is_open(path: &Path) -> Result<bool> {
    use rustix::io::Errno;
    // One for all that `list` asks for: it stays unconnected.
    static ASKING: OnceLock<OwnedFd> = OnceLock::new();
    let socket = match ASKING.get() {
        Some(socket) => socket,
        None => {
            let new = new_socket(SocketType::DGRAM)?;
            ASKING.get_or_init(|| new)
        }
    };
    match rustix::net::connect(socket, &address(path)?) {
        Err(Errno::PROTOTYPE) => Ok(true),
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(false),
        result => named("connect", result, || quoted(path)).map(|()| false),
    }
}

/// A stream connection to the listener at `path`, which may take until `deadline` to have room in its
/// queue. The socket does not wait ([O_NONBLOCK](libc::O_NONBLOCK)).
///
/// # Errors
/// As [`connect`]; EAGAIN where the queue stays full.
pub fn connect_stream_until(path: &Path, deadline: std::time::Instant) -> Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None);
    let socket = named("socket", socket, || "AF_UNIX, SOCK_STREAM".to_owned())?;
    let address = address(path)?;
    loop {
        match rustix::net::connect(&socket, &address) {
            Err(rustix::io::Errno::AGAIN) if std::time::Instant::now() < deadline => {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            result => return named("connect", result, || quoted(path)).map(|()| socket),
        }
    }
}

/// A connection to a listener of another sort, a stream (SOCK_STREAM), at `path`.
///
/// # Errors
/// As [`connect`].
pub fn connect_stream(path: &Path) -> Result<OwnedFd> {
    connect_with(path, SocketType::STREAM)
}

/// A socket for datagrams, bound at `path`.
///
/// # Errors
/// As [`listen`].
pub fn bind_datagram(path: &Path) -> Result<OwnedFd> {
    let socket = new_socket(SocketType::DGRAM)?;
    named("bind", rustix::net::bind(&socket, &address(path)?), || quoted(path))?;
    Ok(socket)
}

/// A socket whose datagrams go to the one at `path`; with a leading `@` that is an abstract name
/// (unix(7)).
///
/// # Errors
/// As [`connect`].
pub fn connect_datagram(path: &Path) -> Result<OwnedFd> {
    let socket = new_socket(SocketType::DGRAM)?;
    let address = match path.as_os_str().as_bytes().strip_prefix(b"@") {
        Some(name) => {
            named("socket address", SocketAddrUnix::new_abstract_name(name), || quoted(path))?
        }
        None => address(path)?,
    };
    named("connect", rustix::net::connect(&socket, &address), || quoted(path))?;
    Ok(socket)
}

fn connect_with(path: &Path, kind: SocketType) -> Result<OwnedFd> {
    let socket = new_socket(kind)?;
    let address = address(path)?;
    named("connect", rustix::net::connect(&socket, &address), || quoted(path))?;
    Ok(socket)
}

/// accept(2): waits for the next connection.
///
/// # Errors
/// As accept(2).
pub fn accept(listener: BorrowedFd<'_>) -> Result<OwnedFd> {
    loop {
        match rustix::net::accept_with(listener, SocketFlags::CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            result => return named("accept", result, || "listener".to_owned()),
        }
    }
}

/// Sends one packet with descriptors. Never raises SIGPIPE.
///
/// # Errors
/// EPIPE or ECONNRESET where the other side is gone.
pub fn send(socket: BorrowedFd<'_>, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Error::internal(format!("{} descriptors in one packet", fds.len())));
    }
    loop {
        let slices = [IoSlice::new(bytes)];
        match rustix::net::sendmsg(socket, &slices, &mut control, SendFlags::NOSIGNAL) {
            Err(rustix::io::Errno::INTR) => {}
            result => {
                return named("sendmsg", result, || format!("{} bytes", bytes.len())).map(drop);
            }
        }
    }
}

/// One packet that arrived: its bytes and its descriptors.
#[derive(Debug)]
pub struct Packet {
    /// The bytes, never empty.
    pub bytes: Vec<u8>,
    /// The descriptors, close-on-exec.
    pub fds: Vec<OwnedFd>,
}

/// Waits for a packet and tells how long it is: almost all are a few bytes, and a buffer for the
/// longest would cost more page faults than all else that happens here. 0 at end-of-file.
fn length_of_next(socket: BorrowedFd<'_>) -> Result<usize> {
    loop {
        let flags = RecvFlags::PEEK | RecvFlags::TRUNC;
        match rustix::net::recv(socket, &mut [0_u8; 0], flags) {
            Err(rustix::io::Errno::INTR) => {}
            result => {
                return named("recv", result, || "packet".to_owned()).map(|(_, length)| length);
            }
        }
    }
}

/// Receives one packet of up to `limit` bytes; None at end-of-file.
///
/// # Errors
/// ECONNRESET where the other side died with something unread; EMSGSIZE for a longer packet, which is
/// lost.
pub fn receive(socket: BorrowedFd<'_>, limit: usize) -> Result<Option<Packet>> {
    let length = length_of_next(socket)?;
    if length > limit {
        // Out of the queue with it, or whoever comes again would meet it again and again.
        let _ = rustix::net::recv(socket, &mut [0_u8; 0], RecvFlags::DONTWAIT);
        return Err(Error::call("recvmsg", format!("more than {limit} bytes"), libc::EMSGSIZE));
    }
    let mut bytes = vec![0; length.max(1)];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        let mut slices = [IoSliceMut::new(&mut bytes)];
        match rustix::net::recvmsg(socket, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            result => break named("recvmsg", result, || "packet".to_owned())?,
        }
    };
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    bytes.truncate(received.bytes);
    Ok(if bytes.is_empty() { None } else { Some(Packet { bytes, fds }) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_listener_is_told_from_a_closed_one_and_from_what_cannot_be_asked() {
        let path = std::env::temp_dir().join(format!("rrun-gate-{}", std::process::id()));
        assert!(!is_open(&path).unwrap());
        let listener = listen(&path).unwrap();
        assert!(is_open(&path).unwrap());
        drop(listener);
        assert!(!is_open(&path).unwrap());
        // A file in its place is as good as nobody there; a name that no socket can have is a mistake.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "").unwrap();
        assert!(!is_open(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(is_open(&path.join("x".repeat(200))).is_err());
    }
}
