//! Making the pair.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use crate::error::{Context, Error, Kind, Result};
use crate::sys::tty::Winsize;
use crate::sys::{file, magic, tty};

/// Rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Rows.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
}

/// A pair of pseudo terminals.
#[derive(Debug)]
pub struct Pty {
    /// The outer side: what is read from it was printed, what is written to it was typed.
    pub master: OwnedFd,
    /// The program's side.
    pub slave: OwnedFd,
}

impl Pty {
    /// Makes a pair in the devpts that is mounted at `/dev/pts` below `root`, of `size`.
    ///
    /// The image may have put anything in its place, so the file system is asked what it is before
    /// anything in it is opened, and the program's side is taken from the outer one and not by its
    /// name (CVE-2025-52565).
    ///
    /// # Errors
    /// Where there is no devpts; ENOSPC where it has no pair left.
    pub fn open(root: BorrowedFd<'_>, size: Option<Size>) -> Result<Pty> {
        let directory = libc::O_PATH | libc::O_DIRECTORY;
        let pts = file::open_in_root(root, Path::new("/dev/pts"), directory);
        let is_devpts = |pts: &OwnedFd| {
            file::fstatfs(pts.as_fd()).is_ok_and(|stat| stat.f_type == magic::DEVPTS_MAGIC)
        };
        let Some(pts) = pts.ok().filter(is_devpts) else {
            return Err(Error::message(Kind::Config, "there is no devpts at `/dev/pts`")).hint(
                || "a terminal needs a mount of type devpts there, in /mounts of config.json",
            );
        };
        // Of that file system itself: `exec` comes to containers where somebody may have mounted a
        // file of FUSE over it, and whoever answers our calls on that names any descriptor of ours as
        // the program's side.
        let flags = libc::O_RDWR | libc::O_NOCTTY;
        let master = file::open_on_mount(pts.as_fd(), Path::new("ptmx"), flags)
            .context(|| "open `/dev/pts/ptmx`")
            .hint(
                || "the devpts may have been mounted without newinstance or with a ptmxmode of 0",
            )?;
        tty::unlock(master.as_fd())?;
        let slave = tty::peer(master.as_fd())?;
        if let Some(Size { rows, columns }) = size {
            let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
            tty::set_size(master.as_fd(), size)?;
        }
        Ok(Pty { master, slave })
    }
}
