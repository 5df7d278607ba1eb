//! Showing the control groups (cgroups(7)).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use libc::{O_DIRECTORY, O_NOFOLLOW, O_PATH};

use super::attributes;
use super::filesystem::tmpfs;
use super::plan::{Attributes, CgroupTree, Label, LegacyMount, Shown};
use crate::error::{Context, Error, Result};
use crate::sys::file;
use crate::sys::mount::{self, FsContext};

/// Mounts the control groups on the held directory `to`; returns the topmost mount.
pub(super) fn mount(
    tree: &CgroupTree,
    top: Attributes,
    label: Option<&Label>,
    to: BorrowedFd<'_>,
) -> Result<OwnedFd> {
    let (mounted, complete) = match tree {
        CgroupTree::Empty => (directories(label)?, false),
        CgroupTree::Unified(shown) => match unified(shown, top)? {
            Some(mounted) => (mounted, true),
            // CVE-2023-25809: better nothing than the host's tree showing through.
            None => (directories(label)?, false),
        },
        CgroupTree::Legacy { hierarchies, links } => {
            let base = directories(label)?;
            mount::move_mount(base.as_fd(), to)?;
            for legacy in hierarchies {
                below(legacy, top, base.as_fd())
                    .context(|| format!("show the cgroup hierarchy `{}`", legacy.name))?;
            }
            for (name, target) in links {
                file::symlink_at(Path::new(target), base.as_fd(), Path::new(name))?;
            }
            // All of them at once, and last: nothing can be made in what is read-only.
            attributes::change(base.as_fd(), true, top)?;
            return Ok(base);
        }
    };
    if !complete {
        attributes::make_read_only(mounted.as_fd())?;
    }
    mount::move_mount(mounted.as_fd(), to)?;
    Ok(mounted)
}

/// A small file system of our own, for directories only.
fn directories(label: Option<&Label>) -> Result<OwnedFd> {
    let attributes = mount::ATTR_NOSUID | mount::ATTR_NODEV | mount::ATTR_NOEXEC;
    let mut parameters = vec![("mode", "755"), ("size", "64k")];
    parameters.extend(label.map(|label| (label.key, label.value.as_str())));
    tmpfs(&parameters, attributes)
}

/// One of several hierarchies, in a directory of `base`, which is attached, and ours alone: so its
/// name can be trusted, and mount(2) does in one call what takes ten by descriptors.
fn below(legacy: &LegacyMount, top: Attributes, base: BorrowedFd<'_>) -> Result<()> {
    let name = Path::new(&legacy.name);
    file::mkdir_at(base, name, 0o755)?;
    if legacy.shown.fresh {
        let fstype = if legacy.unified { "cgroup2" } else { "cgroup" };
        // Not read-only: mount(2) would make the file system so, which other mounts may share.
        let flags = attributes::for_mount_call(top) & !libc::MS_RDONLY;
        let data = legacy.data.join(",");
        let data = (!legacy.unified).then_some(data.as_str());
        let at = file::proc_path(base).join(name);
        match mount::mount(Some(fstype), &at, Some(fstype), flags, data) {
            Err(error) if is_not_fresh(&error) => {}
            mounted => return mounted,
        }
    }
    let to = file::open_at(base, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0)?;
    match copy(&legacy.shown, top)? {
        Some(mounted) => mount::move_mount(mounted.as_fd(), to.as_fd()),
        None => Ok(()),
    }
}

/// Where a new one is refused, a copy of the host's shows the same. EPERM: the cgroup namespace is not
/// the container's user namespace's. EBUSY: on v1 the controller is mounted together with others.
fn is_not_fresh(error: &Error) -> bool {
    error.is(libc::EPERM) || error.is(libc::EBUSY)
}

/// The v2 hierarchy, detached: new where the container's own cgroup is its root, else a copy of what
/// the host has there. None where the container has no cgroup in it.
fn unified(shown: &Shown, top: Attributes) -> Result<Option<OwnedFd>> {
    if shown.fresh {
        match fresh(top) {
            Err(error) if is_not_fresh(&error) => {}
            mounted => return mounted.map(Some),
        }
    }
    copy(shown, top)
}

fn copy(shown: &Shown, top: Attributes) -> Result<Option<OwnedFd>> {
    let flags = mount::OPEN_TREE_CLONE | mount::AT_RECURSIVE;
    let copied = match mount::open_tree(None, &shown.own, flags) {
        Err(error) if error.is(libc::ENOENT) => return Ok(None),
        copied => copied?,
    };
    attributes::change(copied.as_fd(), true, top)?;
    Ok(Some(copied))
}

fn fresh(top: Attributes) -> Result<OwnedFd> {
    let context = FsContext::open("cgroup2")?;
    context.set_string("source", "cgroup2")?;
    context.create()?;
    context.mount(attributes::for_new(top))
}
