//! What the container may not write or read: read-only and masked paths, a read-only root.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use libc::O_PATH;

use super::assemble::Assembled;
use super::attributes;
use super::filesystem::tmpfs;
use crate::error::{Context, Error, Result};
use crate::sys::file::{self, FileType};
use crate::sys::mount;

impl Assembled<'_> {
    /// Applies read-only paths, masked paths, the read-only root and its propagation type. This comes after the pivot and
    /// after everything that writes to the root.
    ///
    /// # Errors
    /// Whatever the kernel refuses, with the path that it was about. A path that does not exist
    /// needs no protection.
    pub fn protect(&self) -> Result<()> {
        for late in &self.late {
            attributes::make_read_only(late.as_fd())?;
        }
        for path in &self.plan.read_only_paths {
            self.make_read_only(path).context(|| format!("make `{}` read-only", path.display()))?;
        }
        let (mut nothing, mut null) = (Mask::default(), Mask::default());
        for path in &self.plan.masked_paths {
            let context = || format!("mask `{}`", path.display());
            let Some(target) = existing(self.root(), path).context(context)? else { continue };
            let stat = file::fstat(target.as_fd()).context(context)?;
            match file::file_type(&stat) {
                FileType::Directory => nothing.put(target.as_fd(), empty_directory),
                _ => null.put(target.as_fd(), || self.null()),
            }
            .context(context)?;
        }
        if self.plan.read_only {
            attributes::make_read_only(self.root()).context(|| "make the root read-only")?;
        }
        // Last: what is unbindable could not be bound to itself any more.
        match self.plan.root_propagation {
            Some(propagation) => attributes::propagate(self.root(), propagation)
                .context(|| "set the propagation type of the root"),
            None => Ok(()),
        }
    }

    /// Binds a path to itself, read-only. All other properties stay.
    fn make_read_only(&self, path: &Path) -> Result<()> {
        let Some(target) = existing(self.root(), path)? else { return Ok(()) };
        let copy = mount::clone_tree(target.as_fd(), true)?;
        attributes::make_read_only(copy.as_fd())?;
        mount::move_mount(copy.as_fd(), target.as_fd())
    }

    fn null(&self) -> Result<OwnedFd> {
        let null = self.null.as_ref().ok_or_else(|| Error::internal("no /dev/null was opened"))?;
        null.try_clone().map_err(|error| Error::io("fcntl", "F_DUPFD_CLOEXEC", &error))
    }
}

fn existing(root: BorrowedFd<'_>, path: &Path) -> Result<Option<OwnedFd>> {
    match file::open_in_root(root, path, O_PATH) {
        Err(error) if error.is(libc::ENOENT) || error.is(libc::ENOTDIR) => Ok(None),
        result => result.map(Some),
    }
}

/// A mount that covers several places.
#[derive(Default)]
struct Mask {
    source: Option<OwnedFd>,
}

impl Mask {
    /// Covers `target`: the first time with the mount itself, then with copies of it, since before
    /// Linux 6.15 a mount that is still detached cannot be copied.
    fn put(
        &mut self,
        target: BorrowedFd<'_>,
        make: impl FnOnce() -> Result<OwnedFd>,
    ) -> Result<()> {
        match &self.source {
            Some(source) => {
                let copy = mount::clone_tree(source.as_fd(), false)?;
                mount::move_mount(copy.as_fd(), target)
            }
            None => {
                let source = self.source.insert(make()?);
                mount::move_mount(source.as_fd(), target)
            }
        }
    }
}

/// One read-only directory with no room for a second inode: should a container make it writable, it
/// still cannot become a channel between masked paths.
fn empty_directory() -> Result<OwnedFd> {
    let attributes =
        mount::ATTR_RDONLY | mount::ATTR_NOSUID | mount::ATTR_NODEV | mount::ATTR_NOEXEC;
    tmpfs(&[("nr_inodes", "1"), ("mode", "755")], attributes)
}
