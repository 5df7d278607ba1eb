//! Terminals: pairs of pseudo terminals, their size and modes (pty(7), termios(3), ioctl_tty(2)).

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

pub use rustix::termios::{OutputModes, SpecialCodeIndex, Termios, Winsize};

use crate::error::Result;
use crate::sys::named;

fn held() -> String {
    "held terminal".to_owned()
}

/// Whether `fd` is a terminal.
pub fn is_tty(fd: BorrowedFd<'_>) -> bool {
    rustix::termios::isatty(fd)
}

/// `TIOCSPTLCK`: lets the other side of a new pair be opened.
///
/// # Errors
/// ENOTTY where `master` is no such thing.
pub fn unlock(master: BorrowedFd<'_>) -> Result<()> {
    named("TIOCSPTLCK", rustix::pty::unlockpt(master), held)
}

/// `TIOCGPTPEER` (Linux 4.13): the other side of a pair, by no name that anybody could have
/// replaced; close-on-exec, and not made the controlling terminal.
///
/// # Errors
/// As open(2).
pub fn peer(master: BorrowedFd<'_>) -> Result<OwnedFd> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    named("TIOCGPTPEER", rustix::pty::ioctl_tiocgptpeer(master, flags), held)
}

/// `TIOCSCTTY`: makes a terminal the controlling one of the calling session's leader.
///
/// # Errors
/// EPERM where the caller leads no session, or another session has the terminal.
pub fn make_controlling(fd: BorrowedFd<'_>) -> Result<()> {
    named("TIOCSCTTY", rustix::process::ioctl_tiocsctty(fd), held)
}

/// Makes our process group the foreground one of our controlling terminal: tcsetpgrp(3).
///
/// # Errors
/// ENOTTY for another terminal.
pub fn set_foreground(fd: BorrowedFd<'_>) -> Result<()> {
    named("tcsetpgrp", rustix::termios::tcsetpgrp(fd, rustix::process::getpgrp()), held)
}

/// The modes of a terminal: tcgetattr(3).
///
/// # Errors
/// ENOTTY.
pub fn modes(fd: BorrowedFd<'_>) -> Result<Termios> {
    named("tcgetattr", rustix::termios::tcgetattr(fd), held)
}

/// Sets the modes of a terminal at once: tcsetattr(3).
///
/// # Errors
/// ENOTTY, EIO.
pub fn set_modes(fd: BorrowedFd<'_>, modes: &Termios) -> Result<()> {
    named("tcsetattr", rustix::termios::tcsetattr(fd, OptionalActions::Now, modes), held)
}

/// The size of a terminal: `TIOCGWINSZ`.
///
/// # Errors
/// ENOTTY.
pub fn size(fd: BorrowedFd<'_>) -> Result<Winsize> {
    named("TIOCGWINSZ", rustix::termios::tcgetwinsize(fd), held)
}

/// Sets the size of a terminal, which its foreground processes learn by SIGWINCH: `TIOCSWINSZ`.
///
/// # Errors
/// ENOTTY.
pub fn set_size(fd: BorrowedFd<'_>, size: Winsize) -> Result<()> {
    named("TIOCSWINSZ", rustix::termios::tcsetwinsize(fd, size), held)
}
