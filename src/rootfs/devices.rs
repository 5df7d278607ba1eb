//! The nodes and links of `/dev` (config-linux.md "Devices", "Default Devices").
//!
//! Everything is made relative to held directories, so that an image whose `/dev` is a symlink gets
//! its nodes inside the image (CVE-2026-41579).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use libc::{O_NOFOLLOW, O_PATH};

use super::assemble::Assembled;
use super::plan::{Device, LINKS, MountNamespace, NodeKind};
use super::target::{self, Want};
use crate::error::{Context, Error, Kind, Result};
use crate::sys::file::{self, FileType, Stat};
use crate::sys::mount;

/// Makes nodes and links; in a user namespace (`bound`) nodes are those of the host, bound.
pub(super) fn make(root: BorrowedFd<'_>, devices: &[Device], bound: bool) -> Result<()> {
    let dev = target::directory(root, Path::new("/dev")).context(|| "open `/dev`")?;
    for device in devices {
        let result = match device.path.parent() {
            Some(parent) if parent == Path::new("/dev") => node(root, dev.as_fd(), device, bound),
            parent => target::directory(root, parent.unwrap_or(Path::new("/")))
                .and_then(|parent| node(root, parent.as_fd(), device, bound)),
        };
        result.context(|| format!("make the device `{}`", device.path.display()))?;
    }
    links(root, dev.as_fd()).context(|| "make the links of `/dev`")
}

fn file_type(kind: NodeKind) -> FileType {
    match kind {
        NodeKind::Character => FileType::CharacterDevice,
        NodeKind::Block => FileType::BlockDevice,
        NodeKind::Fifo => FileType::Fifo,
    }
}

fn matches(stat: &Stat, device: &Device) -> bool {
    let kind = file_type(device.kind);
    let numbers = kind == FileType::Fifo || file::device_numbers(stat) == device.numbers;
    file::file_type(stat) == kind && numbers
}

fn node(root: BorrowedFd<'_>, dir: BorrowedFd<'_>, device: &Device, bound: bool) -> Result<()> {
    let name = device.path.file_name().map(Path::new);
    let name = name.ok_or_else(|| Error::internal("a device without a name"))?;
    let bindable = device.kind != NodeKind::Fifo;
    if bound && bindable {
        return bind(root, dir, (name, device));
    }
    match file::mknod_at(dir, name, file_type(device.kind), device.mode, device.numbers) {
        Ok(()) => file::chown_at(dir, name, device.uid, device.gid),
        Err(error) if error.is(libc::EEXIST) => exists(dir, name, device),
        // Without CAP_MKNOD, or where rrun itself is in a user namespace.
        Err(error) if error.is(libc::EPERM) && bindable => bind(root, dir, (name, device)),
        Err(error) => Err(error),
    }
}

/// What is there already must be what was asked for.
fn exists(dir: BorrowedFd<'_>, name: &Path, device: &Device) -> Result<()> {
    if matches(&file::stat_at(dir, name)?, device) {
        return Ok(());
    }
    let (major, minor) = device.numbers;
    let text = format!("something else is there, not {:?} {major}:{minor}", device.kind);
    Err(Error::message(Kind::Config, text.to_lowercase()))
        .hint(|| "remove it from the image, or mount a tmpfs on /dev")
}

/// Binds the host's node of the same name: (name, device).
fn bind(root: BorrowedFd<'_>, dir: BorrowedFd<'_>, (name, device): (&Path, &Device)) -> Result<()> {
    match file::stat_at(dir, name) {
        Ok(stat) if matches(&stat, device) => return Ok(()),
        Ok(stat) if file::file_type(&stat) != FileType::RegularFile => {
            return exists(dir, name, device);
        }
        _ => {}
    }
    let host = host_node(device)?;
    let copy = mount::clone_tree(host.as_fd(), false)?;
    // An image of ours may have the file from the last time; anybody's own is only covered.
    let target = match file::open_at(dir, name, O_PATH | O_NOFOLLOW, 0) {
        Ok(fd) => fd,
        Err(_) => target::find(root, &device.path, Want::File)?.fd,
    };
    mount::move_mount(copy.as_fd(), target.as_fd())
}

fn host_node(device: &Device) -> Result<OwnedFd> {
    let host = file::open(&device.path, O_PATH | O_NOFOLLOW)
        .hint(|| "in a user namespace nodes cannot be made, only bound from the host")?;
    if matches(&file::fstat(host.as_fd())?, device) {
        return Ok(host);
    }
    let text = format!("`{}` of the host is another device", device.path.display());
    Err(Error::message(Kind::System, text))
}

/// A copy of the host's `/dev/null`, detached, verified: what masks a file must be that and nothing
/// that somebody put in its place (CVE-2025-31133).
pub(super) fn host_null() -> Result<OwnedFd> {
    let null = Device {
        path: "/dev/null".into(),
        kind: NodeKind::Character,
        numbers: (1, 3),
        mode: 0,
        uid: 0,
        gid: 0,
    };
    mount::clone_tree(host_node(&null)?.as_fd(), false)
}

impl Assembled<'_> {
    /// Binds the program's terminal to `/dev/console`, by descriptor, where the container has a mount
    /// namespace of its own.
    ///
    /// # Errors
    /// Where the image has something in its place that is neither file nor device.
    pub fn bind_console(&self, terminal: BorrowedFd<'_>) -> Result<()> {
        if self.plan.mount_namespace != MountNamespace::New {
            return Ok(());
        }
        let dev = target::directory(self.root(), Path::new("/dev"))?;
        let name = Path::new("console");
        match file::mknod_at(dev.as_fd(), name, FileType::RegularFile, 0o620, (0, 0)) {
            Err(error) if error.is(libc::EEXIST) => {}
            other => other?,
        }
        let place = file::open_at(dev.as_fd(), name, O_PATH | O_NOFOLLOW, 0)?;
        match file::file_type(&file::fstat(place.as_fd())?) {
            FileType::RegularFile | FileType::CharacterDevice => {}
            // move_mount(2) would not follow a link, but one here is a trap all the same.
            other => {
                let text = format!("something else is there: {other:?}").to_lowercase();
                return Err(Error::message(Kind::Config, text))
                    .hint(|| "remove it from the image, or mount a tmpfs on /dev");
            }
        }
        let copy = mount::clone_tree(terminal, false)?;
        mount::move_mount(copy.as_fd(), place.as_fd())
    }
}

fn links(root: BorrowedFd<'_>, dev: BorrowedFd<'_>) -> Result<()> {
    for (name, target) in LINKS {
        link(dev, Path::new(name), Path::new(target))?;
    }
    let kcore = Path::new("/proc/kcore");
    if file::open_in_root(root, kcore, O_PATH | O_NOFOLLOW).is_ok() {
        link(dev, Path::new("core"), kcore)?;
    }
    // The one of the container's own devpts; an image may have a node of that name.
    let (ptmx, target) = (Path::new("ptmx"), Path::new("pts/ptmx"));
    if file::readlink_at(dev, ptmx).is_ok_and(|found| found == target) {
        return Ok(());
    }
    match file::unlink_at(dev, ptmx) {
        Err(error) if !error.is(libc::ENOENT) => return Err(error),
        _ => {}
    }
    file::symlink_at(target, dev, ptmx)
}

fn link(dev: BorrowedFd<'_>, name: &Path, target: &Path) -> Result<()> {
    match file::symlink_at(target, dev, name) {
        Err(error) if error.is(libc::EEXIST) => Ok(()),
        result => result,
    }
}
