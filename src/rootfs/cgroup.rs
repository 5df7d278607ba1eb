//! Showing the control groups (cgroups(7)).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use libc::{O_DIRECTORY, O_NOFOLLOW, O_PATH};

use super::attributes;
use super::filesystem::{set_parameters, tmpfs};
use super::plan::{Attributes, CgroupTree, Label, LegacyMount, Shown};
use crate::error::{Context, Result};
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
        CgroupTree::Unified(shown) => match hierarchy("cgroup2", &[], shown, top)? {
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
            attributes::change(base.as_fd(), false, top)?;
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

fn below(legacy: &LegacyMount, top: Attributes, base: BorrowedFd<'_>) -> Result<()> {
    let name = Path::new(&legacy.name);
    file::mkdir_at(base, name, 0o755)?;
    let to = file::open_at(base, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0)?;
    let (fstype, data) = match legacy.unified {
        true => ("cgroup2", &[][..]),
        false => ("cgroup", &legacy.data[..]),
    };
    match hierarchy(fstype, data, &legacy.shown, top)? {
        Some(mounted) => mount::move_mount(mounted.as_fd(), to.as_fd()),
        None => Ok(()),
    }
}

/// One hierarchy, detached: new where the container's own cgroup is its root, else a copy of what
/// the host has there. None where the container has no cgroup in it.
fn hierarchy(
    fstype: &str,
    data: &[String],
    shown: &Shown,
    top: Attributes,
) -> Result<Option<OwnedFd>> {
    if shown.fresh {
        match fresh(fstype, data, top) {
            // EPERM: the cgroup namespace is not the container's user namespace's. EBUSY: on v1 the
            // controller is mounted together with others. A copy shows the same.
            Err(error) if error.is(libc::EPERM) || error.is(libc::EBUSY) => {}
            mounted => return mounted.map(Some),
        }
    }
    let flags = mount::OPEN_TREE_CLONE | mount::AT_RECURSIVE;
    let copied = match mount::open_tree(None, &shown.own, flags) {
        Err(error) if error.is(libc::ENOENT) => return Ok(None),
        copied => copied?,
    };
    attributes::change(copied.as_fd(), true, top)?;
    Ok(Some(copied))
}

fn fresh(fstype: &str, data: &[String], top: Attributes) -> Result<OwnedFd> {
    let context = FsContext::open(fstype)?;
    context.set_string("source", fstype)?;
    set_parameters(&context, data)?;
    context.create()?;
    context.mount(attributes::for_new(top))
}
