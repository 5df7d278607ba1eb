//! `linux.netDevices`: interfaces of the host that go into the container's network namespace.
//!
//! The parent moves them, since only it has power over both namespaces. An interface that moves
//! goes down and loses its addresses: those with global scope that have no end are given back to it,
//! and it is brought up (config-linux.md "Network Devices"). The kernel takes physical interfaces
//! back when the namespace ends; rrun moves none back but when `create` fails.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use super::plan::{NetDevice, Plan};
use crate::error::{Context, Error, Kind, Result};
use crate::sys;
use crate::sys::netlink::{self, Route};
use crate::sys::process::{CLONE_NEWNET, setns};

const IFLA_IFNAME: u16 = 3;
const IFLA_NET_NS_FD: u16 = 28;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const IFA_FLAGS: u16 = 8;
const IFA_F_PERMANENT: u32 = 0x80;
/// Of `struct ifaddrmsg`.
const ADDRESS_HEADER: usize = 8;

/// The interfaces that were moved; dropped before [`Moved::keep`], they go back as they were.
#[derive(Debug)]
pub struct Moved {
    host: Side,
    inside: Side,
    devices: Vec<Device>,
}

/// One network namespace.
#[derive(Debug)]
struct Side {
    route: Route,
    namespace: OwnedFd,
}

#[derive(Debug)]
struct Device {
    /// Its name outside.
    name: String,
    /// Its number inside.
    index: u32,
    was_up: bool,
    addresses: Vec<Address>,
}

/// One address, as the kernel told it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    family: u8,
    prefix: u8,
    attributes: Vec<(u16, Vec<u8>)>,
}

/// Moves all interfaces of the plan into `namespace`, from the one that we are in.
///
/// # Errors
/// ENODEV for one that is not here; where the name is taken inside; EPERM without CAP_NET_ADMIN over
/// both namespaces; EINVAL for one that cannot leave its namespace.
pub fn move_devices(plan: &Plan, namespace: OwnedFd) -> Result<Moved> {
    let own = sys::file::open(Path::new("/proc/self/ns/net"), libc::O_RDONLY)?;
    let host = Side { route: Route::open()?, namespace: own };
    if sys::file::same_file(host.namespace.as_fd(), namespace.as_fd())? {
        let text = "the network namespace in /linux/namespaces is that of rrun itself";
        return Err(Error::config("/linux/netDevices", text));
    }
    let route = socket_in(namespace.as_fd(), host.namespace.as_fd())?;
    let inside = Side { route, namespace };
    let mut moved = Moved { host, inside, devices: Vec::new() };
    for device in &plan.net_devices {
        moved.take(device).context(|| format!("move the network device `{}`", device.host))?;
    }
    Ok(moved)
}

/// A socket belongs to the namespace that it was made in, so a moment there is enough.
fn socket_in(there: BorrowedFd<'_>, home: BorrowedFd<'_>) -> Result<Route> {
    setns(there, CLONE_NEWNET).context(|| "enter the container's network namespace")?;
    let route = Route::open();
    setns(home, CLONE_NEWNET).context(|| "return to rrun's own network namespace")?;
    route
}

impl Moved {
    /// The container has been created: they are its own now.
    pub fn keep(mut self) {
        self.devices.clear();
    }

    fn take(&mut self, wanted: &NetDevice) -> Result<()> {
        let (index, was_up) = self.host.find(&wanted.host)?;
        let is_template = wanted.name.contains("%d");
        if !is_template && self.inside.find(&wanted.name).is_ok() {
            let text = format!("`{}` exists in the container's network namespace", wanted.name);
            return Err(Error::message(Kind::System, text))
                .hint(|| "a name that ends in `%d` lets the kernel choose a free number");
        }
        let addresses = self.host.addresses(index)?;
        // A template is for the kernel to fill in where it counts, which is inside; on the way the
        // interface has a name that nobody else uses.
        let passing = if is_template { format!("rr{index}x") } else { wanted.name.clone() };
        self.host.send(index, &passing, self.inside.namespace.as_fd())?;
        let (index, _) = self.inside.find(&passing)?;
        let name = wanted.host.clone();
        self.devices.push(Device { name, index, was_up, addresses: addresses.clone() });
        if is_template {
            self.inside.rename(index, &wanted.name)?;
        }
        self.inside.settle(index, &addresses, true)
    }
}

impl Drop for Moved {
    fn drop(&mut self) {
        for device in self.devices.drain(..) {
            // As far as it goes: the failure that brought us here is the one to be told.
            let _ = self
                .inside
                .send(device.index, &device.name, self.host.namespace.as_fd())
                .and_then(|()| self.host.find(&device.name))
                .and_then(|(index, _)| self.host.settle(index, &device.addresses, device.was_up));
        }
    }
}

/// `struct ifinfomsg`.
fn link_message(index: u32, flags: i32, change: i32) -> Vec<u8> {
    let mut message = vec![0; 4];
    message.extend(index.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend(change.to_ne_bytes());
    message
}

fn put_name(message: &mut Vec<u8>, name: &str) {
    netlink::put(message, IFLA_IFNAME, &[name.as_bytes(), b"\0"].concat());
}

impl Side {
    /// The number of an interface, and whether it is up.
    fn find(&self, name: &str) -> Result<(u32, bool)> {
        let mut message = link_message(0, 0, 0);
        put_name(&mut message, name);
        let answers =
            self.route.ask(netlink::RTM_GETLINK, 0, &message, &format!("get `{name}`"))?;
        let answer = answers.first().map(Vec::as_slice).unwrap_or_default();
        match (netlink::u32_at(answer, 4), netlink::u32_at(answer, 8)) {
            (Some(index), Some(flags)) => Ok((index, flags & libc::IFF_UP as u32 != 0)),
            _ => Err(Error::internal(format!("no answer about `{name}`"))),
        }
    }

    fn addresses(&self, index: u32) -> Result<Vec<Address>> {
        let what = "list addresses";
        let answers =
            self.route.ask(netlink::RTM_GETADDR, netlink::DUMP, &[0; ADDRESS_HEADER], what)?;
        Ok(answers.iter().filter_map(|answer| lasting(answer, index)).collect())
    }

    /// Moves an interface from here; it has the name `name` there at once.
    fn send(&self, index: u32, name: &str, to: BorrowedFd<'_>) -> Result<()> {
        use std::os::fd::AsRawFd;
        let mut message = link_message(index, 0, 0);
        netlink::put(&mut message, IFLA_NET_NS_FD, &to.as_raw_fd().to_ne_bytes());
        put_name(&mut message, name);
        let what = format!("move {index} as `{name}`");
        self.route
            .ask(netlink::RTM_SETLINK, 0, &message, &what)
            .map(drop)
            .hint(|| "it takes CAP_NET_ADMIN over both namespaces, and an interface that may leave")
    }

    fn rename(&self, index: u32, name: &str) -> Result<()> {
        let mut message = link_message(index, 0, 0);
        put_name(&mut message, name);
        let what = format!("rename {index} to `{name}`");
        self.route.ask(netlink::RTM_SETLINK, 0, &message, &what).map(drop)
    }

    /// Gives an interface that has just come its addresses, and brings it up.
    fn settle(&self, index: u32, addresses: &[Address], up: bool) -> Result<()> {
        for address in addresses {
            let mut message = vec![address.family, address.prefix, IFA_F_PERMANENT as u8, 0];
            message.extend(index.to_ne_bytes());
            for (kind, value) in &address.attributes {
                netlink::put(&mut message, *kind, value);
            }
            let what = format!("give {index} an address");
            self.route.ask(netlink::RTM_NEWADDR, netlink::CREATE, &message, &what)?;
        }
        if !up {
            return Ok(());
        }
        let message = link_message(index, libc::IFF_UP, libc::IFF_UP);
        self.route.ask(netlink::RTM_SETLINK, 0, &message, &format!("bring up {index}")).map(drop)
    }
}

/// An address of the interface `index` that has global scope and no end.
fn lasting(answer: &[u8], index: u32) -> Option<Address> {
    let [family, prefix, flags, scope] = *answer.first_chunk::<4>()?;
    let attributes: Vec<_> = netlink::attributes(answer.get(ADDRESS_HEADER..)?).collect();
    // The flags have outgrown the byte in the header.
    let flags = attributes
        .iter()
        .find(|(kind, _)| *kind == IFA_FLAGS)
        .and_then(|(_, value)| netlink::u32_at(value, 0))
        .unwrap_or(flags.into());
    if netlink::u32_at(answer, 4)? != index || flags & IFA_F_PERMANENT == 0 || scope != 0 {
        return None;
    }
    let kept = |(kind, value): &(u16, &[u8])| {
        matches!(*kind, IFA_ADDRESS | IFA_LOCAL | IFA_BROADCAST).then(|| (*kind, value.to_vec()))
    };
    let attributes = attributes.iter().filter_map(kept).collect();
    Some(Address { family, prefix, attributes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(flags: u8, scope: u8, more: Option<u32>) -> Vec<u8> {
        let mut answer = vec![2, 24, flags, scope];
        answer.extend(7_u32.to_ne_bytes());
        netlink::put(&mut answer, IFA_LOCAL, &[10, 0, 0, 1]);
        netlink::put(&mut answer, 6, &[0; 16]);
        if let Some(more) = more {
            netlink::put(&mut answer, IFA_FLAGS, &more.to_ne_bytes());
        }
        answer
    }

    #[test]
    fn lasting_global_addresses_are_kept() {
        let kept = lasting(&address(0x80, 0, None), 7).unwrap();
        assert_eq!((kept.family, kept.prefix), (2, 24));
        assert_eq!(kept.attributes, [(IFA_LOCAL, vec![10, 0, 0, 1])]);
        assert!(lasting(&address(0, 0, Some(0x280)), 7).is_some());
        for (answer, index) in [
            (address(0x80, 0, None), 8),
            (address(0x80, 253, None), 7),
            (address(0, 0, None), 7),
            (address(0x80, 0, Some(0x200)), 7),
            (vec![2, 24], 7),
        ] {
            assert_eq!(lasting(&answer, index), None);
        }
    }
}
