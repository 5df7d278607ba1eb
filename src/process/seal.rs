//! Self-protection (CVE-2019-5736): the container must not get hold of a writable rrun.
//!
//! Between our clone and the program's execve, and where the program *is* `/proc/self/exe`, a link
//! to it or a script with it as interpreter, somebody inside can open our binary through
//! `/proc/PID/exe`. So the verbs that enter containers run from a mount that cannot be written:
//! first thing, they take their binary's place through a detached read-only overlay of its
//! directory; where the kernel refuses that (a third level of overlays, no module), through a
//! read-only clone of its mount; and as an ordinary user, who can have neither, from a sealed copy
//! in memory, if the binary is one that the user could change at all. To take its place they map the
//! same bytes anew, under their own feet; where the kernel does not let them, they execute it.
//!
//! Every descriptor of such a mount is close-on-exec and goes with the execve: with one left open, a
//! privileged container clears the read-only flag and writes. Whether we are sealed is seen from our
//! own executable, never from an environment variable, which anybody can set.

use std::ffi::{CString, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result};
use crate::sys;
use crate::sys::mount::{ATTR_NODEV, ATTR_NOSUID, ATTR_RDONLY, FsContext, MountAttr};

const EXE: &str = "/proc/self/exe";

/// Returns where rrun is sealed, by now or before, or needs no seal; otherwise executes it again,
/// sealed, with the same arguments, environment and descriptors.
///
/// # Errors
/// Where none of the three ways is possible.
pub fn seal(args: &[OsString]) -> Result<()> {
    let exe = sys::file::open(Path::new(EXE), libc::O_RDONLY).context(|| "open our own binary")?;
    if sys::file::is_read_only(exe.as_fd())? || sys::io::is_sealed(exe.as_fd()) {
        return Ok(());
    }
    let sealed = if sys::cred::geteuid().is_root() {
        let path = sys::file::readlink_at(exe_link()?.as_fd(), Path::new(""))?;
        through_overlay(&path, &exe).or_else(|_| through_clone(&path, &exe))
    } else if nobody_inside_may_write(&exe)? {
        return Ok(());
    } else {
        Err(Error::internal("mounts are for root"))
    };
    let sealed = sealed.or_else(|_| in_memory(&exe)).context(|| "seal our own binary")?;
    drop(exe);
    // Without a second execve, which costs a third of what all else costs; but that always works.
    match sys::remap::executable(sealed.as_fd()) {
        Ok(()) => return Ok(()),
        Err(error) => log::debug!("{error}; executing rrun again instead"),
    }
    let args: Vec<CString> =
        args.iter().map(|arg| sys::c_string(arg.as_bytes())).collect::<Result<_>>()?;
    let environment = sys::exec::inherited_environment();
    let Err(error) = sys::exec::execve_fd(sealed.as_fd(), &args, &environment);
    Err(error).context(|| "execute our own sealed binary")
}

fn exe_link() -> Result<OwnedFd> {
    sys::file::open(Path::new(EXE), libc::O_PATH | libc::O_NOFOLLOW)
}

/// The usual /usr/bin/rrun: root's, writable by root alone, whom an ordinary user cannot map.
fn nobody_inside_may_write(exe: &OwnedFd) -> Result<bool> {
    let stat = sys::file::fstat(exe.as_fd())?;
    Ok(stat.st_uid == 0 && stat.st_gid == 0 && stat.st_mode & 0o022 == 0)
}

/// A superblock of its own, read-only whatever happens to mounts of it: not even
/// `fspick` on our executable leads to the host's file system.
fn through_overlay(path: &Path, exe: &OwnedFd) -> Result<OwnedFd> {
    let (directory, name) = split(path)?;
    let text = directory.to_str().filter(|text| !text.contains([':', ',', '\\']));
    let Some(text) = text else { return Err(Error::internal("no name for an overlay option")) };
    // Without an upper layer overlayfs wants two lower ones; the second is an empty tmpfs.
    let empty = FsContext::open("tmpfs")?;
    empty.create()?;
    let empty = empty.mount(ATTR_RDONLY)?;
    let empty_path = sys::file::proc_path(empty.as_fd());
    let overlay = FsContext::open("overlay")?;
    overlay.set_string("lowerdir", &format!("{text}:{}", empty_path.display()))?;
    overlay.set_flag("ro")?;
    overlay.create()?;
    let mount = overlay.mount(ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV)?;
    let sealed = sys::file::open_at(mount.as_fd(), &name, libc::O_RDONLY | libc::O_NOFOLLOW, 0)?;
    same_file(&sealed, exe)?;
    Ok(sealed)
}

/// A read-only clone of the mount that holds the binary.
fn through_clone(path: &Path, exe: &OwnedFd) -> Result<OwnedFd> {
    let mount = sys::mount::open_tree(None, path, sys::mount::OPEN_TREE_CLONE)?;
    let attr = MountAttr { set: ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV, ..MountAttr::default() };
    sys::mount::mount_setattr(mount.as_fd(), false, &attr)?;
    let sealed = sys::file::open(&sys::file::proc_path(mount.as_fd()), libc::O_RDONLY)?;
    if !sys::file::same_file(sealed.as_fd(), exe.as_fd())? {
        return Err(Error::internal("our binary was replaced meanwhile"));
    }
    Ok(sealed)
}

/// The only copy that rrun ever makes of itself.
fn in_memory(exe: &OwnedFd) -> Result<OwnedFd> {
    let copy = sys::io::memory_sealable("rrun")?;
    let bytes = sys::io::read_from_start(exe.as_fd())?;
    sys::io::write_all(copy.as_fd(), &bytes)?;
    sys::io::seal(copy.as_fd())?;
    Ok(copy)
}

/// An overlay gives the file another device number, so that a binary replaced this very moment is
/// told by its size and times only. The time of its last change among them, which nobody can set: two
/// versions from a reproducible package may well have all else in common, and to be mapped in our place
/// it has to be the same to the last byte.
fn same_file(a: &OwnedFd, b: &OwnedFd) -> Result<()> {
    let of = |file: &OwnedFd| {
        let stat = sys::file::fstat(file.as_fd())?;
        let (modified, changed) = (stat.st_mtime, stat.st_ctime);
        Ok((stat.st_size, modified, stat.st_mtime_nsec, changed, stat.st_ctime_nsec))
    };
    if of(a)? == of(b)? {
        return Ok(());
    }
    Err(Error::internal("our binary was replaced meanwhile"))
}

fn split(path: &Path) -> Result<(PathBuf, PathBuf)> {
    match (path.parent(), path.file_name()) {
        (Some(directory), Some(name)) if path.is_absolute() => {
            Ok((directory.to_path_buf(), PathBuf::from(name)))
        }
        _ => Err(Error::internal("our binary has no path")),
    }
}
