//! Sending a descriptor to whoever listens at a socket of the caller's (`--console-socket`,
//! `--pidfd-socket`): one message with one descriptor, as runc has it and every engine expects it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use crate::error::{Context, Error, Kind, Result};
use crate::sys::{file, socket};

/// Connects to the listener at `path`, which may be longer than the 107 bytes of a socket's address.
///
/// # Errors
/// ENOENT, ECONNREFUSED where nobody listens.
pub fn connect(path: &Path) -> Result<OwnedFd> {
    let intent = || format!("connect to `{}`", path.display());
    let Some(name) = path.file_name() else {
        return Err(Error::message(Kind::Usage, "it names no socket")).context(intent);
    };
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let directory = file::open(parent, libc::O_PATH | libc::O_DIRECTORY).context(intent)?;
    socket::connect_stream(&file::proc_path(directory.as_fd()).join(name)).context(intent)
}

/// Sends `fd`; `name` is the payload, which no receiver reads but which may not be empty.
///
/// # Errors
/// EPIPE where the receiver is gone.
pub fn send(socket: BorrowedFd<'_>, name: &str, fd: BorrowedFd<'_>) -> Result<()> {
    socket::send(socket, name.as_bytes(), &[fd])
}
