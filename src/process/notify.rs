//! sd_notify(3) for a container: what it tells goes on to the service manager that started rrun.
//!
//! The program gets a socket of its own, in a directory that only shows that socket, since the
//! manager's would be no use inside: systemd believes the processes of its own unit only. Of all
//! that is said there, the first READY=1 goes on, with the pid of the container as MAINPID where rrun
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

/// How many messages are still taken when the manager has been told, or the container's first process
/// has ended: more than wait in a queue (net.unix.max_dgram_qlen), so that one who never stops talking
/// does not keep us.
const LEFT_OVER: usize = 1024;

/// All that the manager is told of what the container says.
const READY: &[u8] = b"READY=1";

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
        // Whoever the program runs as may write to it. By the mask, since chmod(2) would follow what
        // somebody with the right to make the mount writable has put in its place meanwhile.
        let mask = sys::file::umask(0);
        let socket = sys::socket::bind_datagram(&path);
        sys::file::umask(mask);
        let socket = socket.context(|| format!("listen for {VARIABLE}"))?;
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
        let mut left_over = LEFT_OVER;
        loop {
            let fds = [self.socket.as_fd(), init];
            let ready = wait_until_ready(&fds, &[Readiness::read(true); 2], None)?;
            if ready[0].read {
                self.hand_on(Some(pid))?;
            }
            // What has been said meanwhile may be a barrier of the program's own.
            if self.told.get() || ready[1].read {
                left_over -= 1;
                if left_over == 0 || !self.is_readable()? {
                    return Ok(());
                }
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
        // Messages that are too long are nothing to hand on either.
        let Ok(Some(packet)) = sys::socket::receive(self.socket.as_fd(), LIMIT) else {
            return Ok(());
        };
        let is_ready = packet.bytes.split(|byte| *byte == b'\n').any(|line| line == READY);
        if !is_ready || self.told.replace(true) {
            return Ok(());
        }
        self.tell_manager(pid).context(|| format!("tell {VARIABLE}"))
    }

    fn tell_manager(&self, pid: Option<i32>) -> Result<()> {
        let manager = sys::socket::connect_datagram(&self.manager)?;
        let mut text = READY.to_vec();
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
