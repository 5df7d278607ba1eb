//! Sending a descriptor to whoever listens at a socket of the caller's (`--console-socket`,
//! `--pidfd-socket`): one message with one descriptor, as runc has it and every engine expects it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use crate::error::Result;
use crate::sys::{file, socket};

/// The longest path that fits into the address of a socket (unix(7)).
const LONGEST: usize = 107;

/// Connects to the listener at `path`; a longer one is named by its directory.
///
/// # Errors
/// ENOENT, ECONNREFUSED where nobody listens.
pub fn connect(path: &Path) -> Result<OwnedFd> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if path.as_os_str().len() > LONGEST => {
            let parent = file::open(parent, libc::O_PATH | libc::O_DIRECTORY)?;
            socket::connect_stream(&file::proc_path(parent.as_fd()).join(name))
        }
        _ => socket::connect_stream(path),
    }
}

/// Sends `fd`; `name` is the payload, which no receiver reads but which may not be empty.
///
/// # Errors
/// EPIPE where the receiver is gone.
pub fn send(socket: BorrowedFd<'_>, name: &str, fd: BorrowedFd<'_>) -> Result<()> {
    socket::send(socket, name.as_bytes(), &[fd])
}
