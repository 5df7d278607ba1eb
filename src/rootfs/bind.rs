//! Bind mounts: a copy of a mount of the host, changed while it is detached, then attached.

use std::os::fd::{AsFd, OwnedFd};

use super::attributes;
use super::plan::Bind;
use super::target::Want;
use crate::error::{Context, Error, Kind, Result};
use crate::sys::file::{self, FileType};
use crate::sys::magic;
use crate::sys::mount;

/// A bind mount before it is attached.
pub(super) struct Source {
    /// The detached copy.
    pub fd: OwnedFd,
    /// What it needs to lie on.
    pub want: Want,
}

/// Copies the source. This comes before anything else is mounted: the source is a path of the host,
/// and it still has the host's propagation type, which its copy inherits.
///
/// What the container's root may not reach is `ask`ed for.
pub(super) fn open(bind: &Bind, ask: impl FnOnce(Error) -> Result<OwnedFd>) -> Result<Source> {
    let recursive = if bind.recursive { mount::AT_RECURSIVE } else { 0 };
    let fd = match mount::open_tree(None, &bind.source, mount::OPEN_TREE_CLONE | recursive) {
        Err(error) if error.is(libc::EACCES) => ask(error)?,
        other => other.map_err(|error| hinted(error, bind))?,
    };
    if bind.must_be_proc && file::fstatfs(fd.as_fd())?.f_type != magic::PROC_MAGIC {
        let text = format!("`{}` is no procfs", bind.source.display());
        return Err(Error::message(Kind::Config, text)).hint(
            || "whoever writes to /proc must reach the kernel, so nothing else may be there",
        );
    }
    attributes::change(fd.as_fd(), false, bind.top)?;
    let want = match file::file_type(&file::fstat(fd.as_fd())?) {
        FileType::Directory => Want::Directory,
        _ => Want::File,
    };
    Ok(Source { fd, want })
}

fn hinted(error: Error, bind: &Bind) -> Error {
    match error.errno() {
        Some(libc::ENOENT) => {
            error.hinted("a source is a path of the host, made before the container")
        }
        Some(libc::EINVAL) if !bind.recursive => error.hinted(
            "in a user namespace, what has mounts of the host below it can only be bound with them \
             (`rbind`); nor can an unbindable mount be bound",
        ),
        Some(libc::EINVAL) => error.hinted("an unbindable mount cannot be bound"),
        _ => error,
    }
}
