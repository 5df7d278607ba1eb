//! What only the parent can do for the root file system: open what the container's root may not
//! reach, and idmap mounts, which takes power over the file system behind them.
//!
//! What the parent clones is not locked in the container: its flags can be taken back there, its
//! submounts unmounted. So init opens by itself whatever it can, and asks only for the rest.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use libc::{O_DIRECTORY, O_PATH};

use super::attributes;
use super::plan::{Action, IdRange, Plan, Root};
use crate::error::{Context, Error, Result};
use crate::sys::file;
use crate::sys::mount;

/// The parent, as init sees it.
pub trait Outside {
    /// A detached copy of what the mount of this number binds, or of the root (None).
    ///
    /// # Errors
    /// What the parent's attempt ends with.
    fn source(&self, index: Option<usize>) -> Result<OwnedFd>;

    /// Idmaps the detached mount of this number.
    ///
    /// # Errors
    /// What the parent's attempt ends with.
    fn idmap(&self, index: usize, mount: BorrowedFd<'_>) -> Result<()>;
}

/// In the parent: the copy that init asks for.
///
/// # Errors
/// As open_tree(2).
pub fn open_outside(plan: &Plan, index: Option<usize>) -> Result<OwnedFd> {
    let (path, flags) = match index.map(|index| plan.mounts.get(index).map(|it| &it.action)) {
        None => match &plan.root {
            Root::Directory(path) => (path, O_PATH | O_DIRECTORY),
            Root::Layers { .. } => return Err(Error::internal("layers are not opened outside")),
        },
        Some(Some(Action::Bind(bind))) => (&bind.source, O_PATH),
        Some(_) => return Err(Error::internal("init asks for a source that is none")),
    };
    let recursive = match index.and_then(|index| plan.mounts.get(index)).map(|it| &it.action) {
        Some(Action::Bind(bind)) => bind.recursive,
        _ => true,
    };
    let held = file::open(path, flags)?;
    let copy = mount::clone_tree(held.as_fd(), recursive)?;
    // As what the child opens by itself has it: from here it would still be a peer of the host's.
    attributes::propagate(copy.as_fd(), plan.propagation)?;
    Ok(copy)
}

/// In the parent: the ids by which the mount of this number is idmapped, or None for those of the
/// container.
///
/// # Errors
/// Where the mount is not idmapped at all.
pub fn mapping(plan: &Plan, index: usize) -> Result<Option<(&[IdRange], &[IdRange])>> {
    let mapped = plan.mounts.get(index).and_then(|mount| mount.idmapped.as_ref());
    let mapped = mapped.ok_or_else(|| Error::internal("init asks to map a mount that is not"))?;
    Ok(mapped.mapping.as_ref().map(|mapping| (mapping.uids.as_slice(), mapping.gids.as_slice())))
}

/// In the parent: idmaps a detached mount of init's by the ids of a user namespace (Linux 5.12).
///
/// # Errors
/// EINVAL, EPERM as mount_setattr(2), with what may be behind it.
pub fn idmap(plan: &Plan, index: usize, at: BorrowedFd<'_>, userns: BorrowedFd<'_>) -> Result<()> {
    use std::os::fd::AsRawFd;
    let Some(wanted) = plan.mounts.get(index) else { return Err(Error::internal("no such mount")) };
    let recursive = wanted.idmapped.as_ref().is_some_and(|it| it.recursive);
    let attr = mount::MountAttr {
        set: mount::ATTR_IDMAP,
        userns_fd: userns.as_raw_fd() as u64,
        ..mount::MountAttr::default()
    };
    mount::mount_setattr(at, recursive, &attr)
        .map_err(|error| reason(error, at, recursive))
        .context(|| "map its ids")
}

/// The kernel says one word for many reasons.
fn reason(error: Error, at: BorrowedFd<'_>, recursive: bool) -> Error {
    let magic = file::fstatfs(at).map_or(0, |stat| stat.f_type);
    let below = if recursive { ", or one that is mounted below it (then use `idmap`)" } else { "" };
    match error.errno() {
        Some(libc::EINVAL) => error.hinted(format!(
            "the file system (statfs type {magic:#x}){below} has no idmapped mounts in this kernel, or \
             is idmapped already: ext4 and xfs have them since Linux 5.12, btrfs 5.15, overlayfs 5.19, \
             tmpfs 6.3"
        )),
        Some(libc::EPERM) => error.hinted(
            "it takes CAP_SYS_ADMIN over the file system, so an ordinary user, and rrun in a user \
             namespace, can map no file system of the host",
        ),
        _ => error,
    }
}
