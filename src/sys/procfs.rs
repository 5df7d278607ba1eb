//! A procfs to write to that nobody can have tampered with (proc(5)).
//!
//! A path like `/proc/self/attr/exec` is only as good as what is mounted on `/proc`: in the past,
//! images put something else there and writes went nowhere or elsewhere (CVE-2019-16884,
//! CVE-2025-52881). So writes go below a held descriptor that is known to be a procfs root.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use crate::error::{Context, Error, Kind, Result};
use crate::sys::file;
use crate::sys::magic;
use crate::sys::mount::{ATTR_NODEV, ATTR_NOEXEC, ATTR_NOSUID, FsContext};

/// The root of a procfs.
#[derive(Debug)]
pub struct Procfs(OwnedFd);

impl Procfs {
    /// The one mounted on /proc, verified to be a procfs.
    ///
    /// # Errors
    /// Where /proc is missing or something else.
    pub fn mounted() -> Result<Procfs> {
        let root = file::open(Path::new("/proc"), libc::O_PATH | libc::O_DIRECTORY)?;
        if file::fstatfs(root.as_fd())?.f_type != magic::PROC_MAGIC {
            return Err(Error::message(Kind::System, "`/proc` is not a procfs"))
                .hint(|| "mount one: mount -t proc proc /proc");
        }
        Ok(Procfs(root))
    }

    /// A detached one of our own, which shows the pid namespace that we are in now. Where the
    /// kernel refuses it (a new user namespace below a partly masked /proc), the mounted one: what
    /// is masked there was masked on purpose.
    ///
    /// # Errors
    /// Where neither is to be had.
    pub fn private() -> Result<Procfs> {
        let detached = || {
            let context = FsContext::open("proc")?;
            context.create()?;
            context.mount(ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC)
        };
        detached().map(Procfs).or_else(|_| Procfs::mounted())
    }

    /// Opens a file below it, following no symlink (so: numbers, not `self`) and passing no mount, for
    /// something may be mounted over a file of the mounted one.
    ///
    /// # Errors
    /// As openat2(2).
    pub fn open(&self, path: &str, flags: i32) -> Result<OwnedFd> {
        file::open_on_mount(self.0.as_fd(), Path::new(path), flags)
            .map_err(|error| error.wrap(format!("open `/proc/{path}`")))
    }

    /// Opens a file of our own process: its number in this procfs is asked of `self`, for it is not
    /// the one that getpid(2) tells where the procfs shows another pid namespace.
    ///
    /// # Errors
    /// As openat2(2).
    pub fn open_own(&self, name: &str, flags: i32) -> Result<OwnedFd> {
        self.open(&format!("{}/{name}", self.own_number()?), flags)
    }

    /// Opens what a magic link of our own process stands for.
    ///
    /// # Errors
    /// As openat(2).
    pub fn open_own_link(&self, name: &str, flags: i32) -> Result<OwnedFd> {
        self.open_link(&format!("{}/{name}", self.own_number()?), flags)
    }

    fn own_number(&self) -> Result<String> {
        let number = file::readlink_at(self.0.as_fd(), Path::new("self"))
            .context(|| "find ourselves in /proc")
            .hint(|| "this procfs shows a pid namespace that we are not in")?;
        Ok(number.to_string_lossy().into_owned())
    }

    /// Opens what a magic link of a process (`PID/ns/…`, `PID/exe`) stands for.
    ///
    /// # Errors
    /// As openat(2).
    pub fn open_link(&self, path: &str, flags: i32) -> Result<OwnedFd> {
        let path = Path::new(path);
        let (directory, name) = (path.parent(), path.file_name());
        let (Some(directory), Some(name)) = (directory, name) else {
            return Err(Error::call("openat", path.display().to_string(), libc::EINVAL));
        };
        let flags_of_directory = libc::O_PATH | libc::O_DIRECTORY;
        let held = file::open_on_mount(self.0.as_fd(), directory, flags_of_directory)?;
        file::open_at(held.as_fd(), Path::new(name), flags, 0)
    }
}
