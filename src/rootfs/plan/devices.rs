//! Pure: the nodes of `/dev` (config-linux.md "Devices" and "Default Devices").

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::spec;

/// What sort of node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rootfs) enum NodeKind {
    /// `c` and `u`.
    Character,
    /// `b`.
    Block,
    /// `p`.
    Fifo,
}

/// One node to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rootfs) struct Device {
    /// Where, absolute inside the container.
    pub path: PathBuf,
    /// What.
    pub kind: NodeKind,
    /// Major and minor number; zeros for a FIFO.
    pub numbers: (u32, u32),
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// The nodes that every container has, all character devices of major number 1 or 5.
const DEFAULTS: &[(&str, (u32, u32))] = &[
    ("/dev/null", (1, 3)),
    ("/dev/zero", (1, 5)),
    ("/dev/full", (1, 7)),
    ("/dev/random", (1, 8)),
    ("/dev/urandom", (1, 9)),
    ("/dev/tty", (5, 0)),
];

/// The links that every container has (`ptmx` is treated by itself: it replaces what is there).
pub(in crate::rootfs) const LINKS: &[(&str, &str)] = &[
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// The defaults, and what the document asks for; of several with one path the last.
pub(in crate::rootfs) fn compile(wanted: &[spec::Device]) -> Result<Vec<Device>> {
    let mut devices: Vec<Device> = DEFAULTS
        .iter()
        .map(|(path, numbers)| Device {
            path: PathBuf::from(path),
            kind: NodeKind::Character,
            numbers: *numbers,
            mode: 0o666,
            uid: 0,
            gid: 0,
        })
        .collect();
    for (at, device) in wanted.iter().enumerate() {
        let device = read(device, &format!("/linux/devices/{at}"))?;
        match devices.iter_mut().find(|known| known.path == device.path) {
            Some(known) => *known = device,
            None => devices.push(device),
        }
    }
    Ok(devices)
}

fn read(device: &spec::Device, pointer: &str) -> Result<Device> {
    let kind = match device.kind.as_str() {
        "c" | "u" => NodeKind::Character,
        "b" => NodeKind::Block,
        "p" => NodeKind::Fifo,
        other => {
            let text = format!("`{other}` is none of `c`, `b`, `u`, `p`");
            return Err(Error::config(format!("{pointer}/type"), text));
        }
    };
    let path = Path::new("/").join(&device.path);
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().contains(&0) {
        let text = format!("`{}` is no path of a node", device.path.display());
        return Err(Error::config(format!("{pointer}/path"), text));
    }
    let number = |member: &str, value: i64| {
        u32::try_from(value).map_err(|_| {
            let text = format!("{value} is no device number");
            Error::config(format!("{pointer}/{member}"), text)
        })
    };
    // The numbers of a FIFO mean nothing; callers that fill in every member write some.
    let numbers = match kind {
        NodeKind::Fifo => (0, 0),
        _ => (number("major", device.major)?, number("minor", device.minor)?),
    };
    Ok(Device {
        path,
        kind,
        numbers,
        // Docker puts the type bits in here too.
        mode: device.file_mode.unwrap_or(0o666) & 0o7777,
        uid: device.uid.unwrap_or(0),
        gid: device.gid.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(kind: &str, path: &str, major: i64, minor: i64) -> spec::Device {
        let (kind, path) = (kind.to_owned(), PathBuf::from(path));
        spec::Device { kind, path, major, minor, ..spec::Device::default() }
    }

    #[test]
    fn the_document_overrides_a_default() {
        let mut null = device("c", "/dev/null", 1, 3);
        null.file_mode = Some(0o20_600);
        null.gid = Some(7);
        let devices = compile(&[null]).unwrap();
        assert_eq!(devices.len(), DEFAULTS.len());
        assert_eq!((devices[0].mode, devices[0].gid), (0o600, 7));
    }

    #[test]
    fn all_four_types() {
        for (kind, expected, numbers) in [
            ("c", NodeKind::Character, (10, 229)),
            ("u", NodeKind::Character, (10, 229)),
            ("b", NodeKind::Block, (10, 229)),
            ("p", NodeKind::Fifo, (0, 0)),
        ] {
            let devices = compile(&[device(kind, "/dev/x", 10, 229)]).unwrap();
            let last = devices.last().unwrap();
            assert_eq!((last.kind, last.numbers), (expected, numbers));
        }
        assert!(
            compile(&[device("p", "fifo", -1, -1)]).unwrap().last().unwrap().path.is_absolute()
        );
    }

    #[test]
    fn mistakes_name_their_place() {
        for (wrong, expected) in [
            (device("d", "/dev/x", 1, 1), "/linux/devices/0/type: `d` is none of"),
            (device("c", "", 1, 1), "/linux/devices/0/path: `` is no path"),
            (device("c", "/dev/..", 1, 1), "/linux/devices/0/path: `/dev/..` is no path"),
            (device("c", "/dev/x", -1, 1), "/linux/devices/0/major: -1 is no device number"),
            (device("b", "/dev/x", 1, 1 << 40), "/linux/devices/0/minor: 1099511627776 is no"),
        ] {
            let error = compile(&[wrong]).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
