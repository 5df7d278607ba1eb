//! sd_notify(3) for a container: what it tells goes on to the service manager that started rrun.
//!
//! The program gets a socket of its own, in a directory that only shows that socket, since the
//! manager's would be no use inside: systemd believes the processes of its own unit only. Of all
//! that is said there, the first READY= goes on, with the pid of the container as MAINPID where rrun
//! leaves. Then a barrier: rrun must not be gone before systemd has seen whose message it is.

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Context, Result};
use crate::sys;
use crate::sys::io::{Readiness, wait_until_ready};

/// The directory in the container's own on the host; it is mounted in the container.
const DIRECTORY: &str = "notify";

/// The socket in it.
const SOCKET: &str = "notify.sock";

/// Where the container sees the directory, as with runc.
pub const INSIDE: &str = "/run/notify";

/// More than any message has to be.
const LIMIT: usize = 4096;

/// How long systemd may take for a barrier (sd_notify_barrier(3)).
const PATIENCE: Duration = Duration::from_secs(30);

/// The environment variable that names the socket, on either side.
pub const VARIABLE: &str = "NOTIFY_SOCKET";

/// The directory of the container `id` below the state directory `root`, for its mount.
pub fn directory(root: &Path, id: &str) -> PathBuf {
    root.join(id).join(DIRECTORY)
}

/// Where the program finds the socket.
pub fn path_inside() -> String {
    format!("{INSIDE}/{SOCKET}")
}

/// Makes the directory in the container's own, `dir`.
///
/// # Errors
/// As mkdir(2).
pub fn make_directory(dir: BorrowedFd<'_>) -> Result<()> {
    sys::file::mkdir_at(dir, Path::new(DIRECTORY), 0o755)
        .context(|| format!("make the directory for {VARIABLE}"))
}

/// The socket of a container that is about to run, and that of the manager.
#[derive(Debug)]
pub struct Notify {
    socket: OwnedFd,
    manager: PathBuf,
    /// Whether the manager knows that the container is ready.
    told: Cell<bool>,
}

impl Notify {
    /// Listens in the directory of the container directory `dir`, for the manager at the address
    /// `manager`. None where the container was made without one.
    ///
    /// # Errors
    /// As bind(2).
    pub fn listen(dir: BorrowedFd<'_>, manager: PathBuf) -> Result<Option<Notify>> {
        let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW;
        let held = match sys::file::open_at(dir, Path::new(DIRECTORY), flags, 0) {
            Err(error) if error.is(libc::ENOENT) => return Ok(None),
            other => other?,
        };
        let name = Path::new(SOCKET);
        // Left by a start that was killed.
        let _ = sys::file::unlink_at(held.as_fd(), name);
        let path = sys::file::proc_path(held.as_fd()).join(SOCKET);
        let intent = || format!("listen for {VARIABLE}");
        let socket = sys::socket::bind_datagram(&path).context(intent)?;
        // Whoever the program runs as.
        sys::file::chmod_at(held.as_fd(), name, 0o777).context(intent)?;
        Ok(Some(Notify { socket, manager, told: Cell::new(false) }))
    }

    /// The socket, readable when something was said.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Waits until the container says that it is ready, or `init`, whose pid is `pid`, has ended.
    ///
    /// # Errors
    /// As poll(2); where the manager does not take it.
    pub fn wait(&self, pid: i32, init: BorrowedFd<'_>) -> Result<()> {
        loop {
            let fds = [self.socket.as_fd(), init];
            let ready = wait_until_ready(&fds, &[Readiness::read(true); 2], None)?;
            if ready[0].read {
                self.hand_on(Some(pid))?;
            }
            // What has been said meanwhile may be a barrier of the program's own.
            if !ready[0].read && ready[1].read || self.told.get() && !self.is_readable()? {
                return Ok(());
            }
        }
    }

    fn is_readable(&self) -> Result<bool> {
        let fds = [self.socket.as_fd()];
        let ready = wait_until_ready(&fds, &[Readiness::read(true)], Some(Duration::ZERO))?;
        Ok(ready[0].read)
    }

    /// Takes one message, and hands on what the manager has to know.
    ///
    /// # Errors
    /// As sendmsg(2).
    pub(super) fn hand_on(&self, pid: Option<i32>) -> Result<()> {
        // A descriptor that comes along is the program's own barrier, and closing it is the answer.
        let Ok(Some(packet)) = sys::socket::receive(self.socket.as_fd(), LIMIT) else {
            return Ok(());
        };
        let mut lines = packet.bytes.split(|byte| *byte == b'\n');
        match lines.find(|line| line.starts_with(b"READY=")) {
            Some(ready) if !self.told.replace(true) => {
                self.tell_manager(ready, pid).context(|| format!("tell {VARIABLE}"))
            }
            _ => Ok(()),
        }
    }

    fn tell_manager(&self, ready: &[u8], pid: Option<i32>) -> Result<()> {
        let manager = sys::socket::connect_datagram(&self.manager)?;
        let mut text = ready.to_vec();
        if let Some(pid) = pid {
            text.extend_from_slice(format!("\nMAINPID={pid}").as_bytes());
        }
        sys::socket::send(manager.as_fd(), &text, &[])?;
        let (reader, writer) = sys::io::pipe()?;
        sys::socket::send(manager.as_fd(), b"BARRIER=1", &[writer.as_fd()])?;
        drop(writer);
        // The end of the pipe: systemd has closed its copy. An older one takes no notice of it.
        wait_until_ready(&[reader.as_fd()], &[Readiness::read(true)], Some(PATIENCE)).map(drop)
    }
}
