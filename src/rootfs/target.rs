//! Finding the place of a mount inside the root, and making it where it is missing.
//!
//! What exists is one scoped look-up. Where a part is missing the path is walked one component at a
//! time, each opened without following, so that a symlink, dangling ones included, is read and its
//! target looked up inside the root: nothing is made outside, whoever swaps what meanwhile
//! (CVE-2024-45310).

use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use libc::{O_DIRECTORY, O_NOFOLLOW, O_PATH};

use crate::error::{Context, Error, Result};
use crate::sys::file::{self, FileType};

/// How many symlinks are followed on one way, as the kernel does (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// What is made where the last component is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// A directory.
    Directory,
    /// An empty file, for a bind mount to lie on.
    File,
}

/// A place for a mount.
pub(super) struct Target {
    /// It, opened with O_PATH.
    pub fd: OwnedFd,
    /// Whether it had to be made.
    pub made: bool,
}

/// Finds `path` inside `root`, or makes it.
pub(super) fn find(root: BorrowedFd<'_>, path: &Path, want: Want) -> Result<Target> {
    match file::open_in_root(root, path, O_PATH) {
        Ok(fd) => Ok(Target { fd, made: false }),
        Err(error) if error.is(libc::ENOENT) => Walk::new(root, path, true)?.make(want),
        Err(error) => Err(error),
    }
}

/// Finds `path` inside `root`, or makes it as a directory; no component may be a symlink.
pub(super) fn find_real_directory(root: BorrowedFd<'_>, path: &Path) -> Result<Target> {
    let relative = path.strip_prefix("/").unwrap_or(path);
    match file::open_beneath_nofollow(root, relative, O_PATH | O_DIRECTORY) {
        Ok(fd) => Ok(Target { fd, made: false }),
        Err(error) if error.is(libc::ENOENT) => Walk::new(root, path, false)?.make(Want::Directory),
        Err(error) => Err(error)
            .hint(|| "proc and sysfs are mounted on real directories only, not through symlinks"),
    }
}

/// A directory inside `root`, made with its parents where it is missing.
pub(super) fn directory(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd> {
    Ok(find(root, path, Want::Directory)?.fd)
}

struct Walk {
    /// The directories gone through, the root first: `..` goes back along them and nowhere else.
    trail: Vec<OwnedFd>,
    /// What is still to be walked.
    ahead: VecDeque<OsString>,
    links: usize,
    follow: bool,
}

impl Walk {
    fn new(root: BorrowedFd<'_>, path: &Path, follow: bool) -> Result<Walk> {
        let root = file::open_at(root, Path::new("."), O_PATH | O_DIRECTORY, 0)?;
        Ok(Walk { trail: vec![root], ahead: names(path), links: 0, follow })
    }

    fn make(mut self, want: Want) -> Result<Target> {
        let mut made = false;
        while let Some(name) = self.ahead.pop_front() {
            if name == ".." {
                if self.trail.len() > 1 {
                    self.trail.pop();
                }
                continue;
            }
            let want = if self.ahead.is_empty() { want } else { Want::Directory };
            let name = Path::new(&name);
            let Some(here) = self.trail.last() else { break };
            let (fd, new) = open_or_make(here.as_fd(), name, want)?;
            if file::file_type(&file::fstat(fd.as_fd())?) == FileType::Symlink {
                self.follow(&fd, name)?;
                continue;
            }
            made = new;
            self.trail.push(fd);
        }
        let fd = self.trail.pop();
        let fd = fd.ok_or_else(|| Error::internal("walked out of the root"))?;
        Ok(Target { fd, made })
    }

    fn follow(&mut self, link: &OwnedFd, name: &Path) -> Result<()> {
        self.links += 1;
        if !self.follow || self.links > MAX_LINKS {
            return Err(Error::call("openat", format!("`{}`", name.display()), libc::ELOOP));
        }
        let to = file::readlink_at(link.as_fd(), Path::new(""))?;
        if to.is_absolute() {
            self.trail.truncate(1);
        }
        for name in names(&to).into_iter().rev() {
            self.ahead.push_front(name);
        }
        Ok(())
    }
}

fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

fn open_or_make(dir: BorrowedFd<'_>, name: &Path, want: Want) -> Result<(OwnedFd, bool)> {
    match file::open_at(dir, name, O_PATH | O_NOFOLLOW, 0) {
        Err(error) if error.is(libc::ENOENT) => {}
        result => return Ok((result?, false)),
    }
    let made = match want {
        Want::Directory => file::mkdir_at(dir, name, 0o755),
        // mknod and not open(O_CREAT): it follows nothing and opens nothing.
        Want::File => file::mknod_at(dir, name, FileType::RegularFile, 0o644, (0, 0)),
    };
    match made {
        // Somebody who shares the image was quicker: theirs will do.
        Err(error) if !error.is(libc::EEXIST) => return Err(error),
        _ => {}
    }
    Ok((file::open_at(dir, name, O_PATH | O_NOFOLLOW, 0)?, true))
}
