//! Network interfaces of the namespace we are in (netdevice(7)).

use std::os::fd::AsRawFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::error::{Error, Result};
use crate::sys::{check, named};

/// Sets `IFF_UP` on the interface `name`.
///
/// # Errors
/// ENODEV where there is none, EPERM without CAP_NET_ADMIN over the namespace.
pub fn interface_up(name: &str) -> Result<()> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None);
    let socket = named("socket", socket, || "AF_INET, SOCK_DGRAM".to_owned())?;
    if name.len() >= libc::IFNAMSIZ {
        return Err(Error::call("ioctl", format!("SIOCGIFFLAGS, `{name}`"), libc::ENODEV));
    }
    // SAFETY: all zeroes is a valid ifreq.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (slot, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *slot = byte as libc::c_char;
    }
    // SAFETY: request outlives the call, which writes its flags.
    let got = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS as _, &raw mut request) };
    check("ioctl", got, || format!("SIOCGIFFLAGS, `{name}`"))?;
    // SAFETY: SIOCGIFFLAGS filled the flags member of the union.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    request.ifr_ifru.ifru_flags = flags | libc::IFF_UP as libc::c_short;
    // SAFETY: request outlives the call, which only reads it.
    let set =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) };
    check("ioctl", set, || format!("SIOCSIFFLAGS, `{name}`, IFF_UP")).map(drop)
}
