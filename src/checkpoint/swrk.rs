//! criu as a child that serves one request (`criu swrk`): started, talked to over a pair of sockets,
//! and gone with its handle.

use std::convert::Infallible;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::log;
use super::request::{self, Notification, Request, Said};
use crate::error::{Context, Error, Kind, Result};
use crate::sys;
use crate::sys::process::Cloned;
use crate::sys::socket::Packet;

/// The longest message that criu sends.
const LIMIT: usize = 64 * 1024;

/// Where programs are looked for where the caller says nothing.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Finds criu on PATH.
pub fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").filter(|path| !path.is_empty());
    let path = path.unwrap_or_else(|| PATH.into());
    let candidates = std::env::split_paths(&path).map(|directory| directory.join("criu"));
    let is_program = |file: &PathBuf| file.is_file() && sys::file::check_executable(file).is_ok();
    candidates.into_iter().find(is_program)
}

/// What is said where it is not there.
pub(super) fn missing() -> Error {
    Error::message(Kind::System, "there is no program `criu` on PATH, which does the work")
        .hinted("install it: the package `criu` of Debian, Fedora or Alpine; https://criu.org")
}

/// How criu comes to be.
pub struct Start<'a> {
    /// The cgroup v2 directory to start in.
    pub cgroup: Option<BorrowedFd<'a>>,
    /// Descriptors that criu gets, under the numbers that they have: all that the request names.
    pub kept: Vec<i32>,
    /// Whether it has our standard descriptors, for what it restores; /dev/null otherwise.
    pub keeps_stdio: bool,
}

/// criu at work. Dropping it ends it.
#[derive(Debug)]
pub struct Criu {
    /// Brings the socket that criu is spoken to by.
    first: OwnedFd,
    pid: i32,
    process: OwnedFd,
    /// What went wrong before criu was there.
    words: OwnedFd,
}

impl Criu {
    /// Starts it; `before` runs in the child first.
    ///
    /// # Errors
    /// With a hint where criu is missing.
    pub fn start(start: &Start<'_>, before: impl FnOnce() -> Result<()>) -> Result<Criu> {
        let program = find().ok_or_else(missing)?;
        let (first, theirs) = sys::socket::pair()?;
        let words = sys::io::memory("criu-words")?;
        let cloned = match start.cgroup {
            Some(cgroup) => sys::process::clone3(0, Some(cgroup)),
            None => sys::process::fork(),
        };
        match cloned.context(|| "start criu")? {
            Cloned::Parent { pid, pidfd } => Ok(Criu { first, pid, process: pidfd, words }),
            Cloned::Child => {
                let Err(error) = before().and_then(|()| exec(&program, &theirs, start));
                let _ = sys::io::write_once(words.as_fd(), &error.to_wire());
                sys::process::exit_now(127)
            }
        }
    }

    /// Its pid.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Has it do what is asked; `heard` is told of each notification, with what came along, and an
    /// error of it ends the work. The first process, after a restore.
    ///
    /// # Errors
    /// The last errors of criu's log, which is in the held directory `work`, with its place.
    pub fn serve(
        &self,
        request: &Request<'_>,
        (work, place): (BorrowedFd<'_>, &Path),
        heard: &mut dyn FnMut(&Notification, Vec<OwnedFd>) -> Result<()>,
    ) -> Result<Option<i32>> {
        let mut refused = None;
        let served = self.converse(request, &mut |notification, fds| {
            heard(notification, fds)
                .inspect_err(|_| ())
                .map_err(|error| refused = Some(error))
                .is_ok()
        });
        let said = match (refused, served) {
            // Our own reason, of which criu knows only that it is to stop.
            (Some(error), _) => return Err(error),
            (None, served) => served?,
        };
        match said {
            Said::Done { pid } => Ok(pid),
            Said::Failed { errno, text } => {
                Err(log::failure(work, (place, request.task), errno, &text))
            }
            Said::Notification(_) => Err(Error::internal("a notification is no end")),
        }
    }

    /// Until criu has done it or has failed.
    fn converse(
        &self,
        request: &Request<'_>,
        heard: &mut dyn FnMut(&Notification, Vec<OwnedFd>) -> bool,
    ) -> Result<Said> {
        let Some(socket) = next(&self.first)?.and_then(|mut packet| packet.fds.pop()) else {
            return self.ended();
        };
        match sys::socket::send(socket.as_fd(), &request.to_bytes(), &[]) {
            Err(error) if !error.is(libc::EPIPE) => return Err(error).context(|| "talk to criu"),
            _ => {}
        }
        loop {
            let Some(packet) = next(&socket)? else { return self.ended() };
            match request::read(&packet.bytes).context(|| "talk to criu")? {
                Said::Notification(notification) => {
                    let success = heard(&notification, packet.fds);
                    sys::socket::send(socket.as_fd(), &request::answer(success), &[])
                        .context(|| "talk to criu")?;
                }
                said => return Ok(said),
            }
        }
    }

    /// It ended without an answer: its log may tell why, unless it never came to be.
    fn ended(&self) -> Result<Said> {
        let words = sys::io::read_from_start(self.words.as_fd())?;
        if words.is_empty() {
            return Ok(Said::Failed { errno: 0, text: String::new() });
        }
        Err(Error::from_wire(&words))
    }

    /// Waits for its end, which comes by itself when it has answered.
    ///
    /// # Errors
    /// As waitid(2).
    pub fn finish(self) -> Result<()> {
        sys::process::wait_for(self.process.as_fd()).map(drop)
    }
}

/// The next packet; None where the other side is gone.
fn next(socket: &OwnedFd) -> Result<Option<Packet>> {
    match sys::socket::receive(socket.as_fd(), LIMIT) {
        Err(error) if error.is(libc::ECONNRESET) => Ok(None),
        packet => packet.context(|| "talk to criu"),
    }
}

impl Drop for Criu {
    fn drop(&mut self) {
        // One that has been waited for is gone: ESRCH, ECHILD.
        let _ = sys::process::pidfd_send_signal(self.process.as_fd(), libc::SIGKILL);
        let _ = sys::process::wait_for(self.process.as_fd());
    }
}

/// criu takes numbers of descriptors for those of whoever made the socket (SO_PEERCRED): made by the
/// process that becomes criu, they are its own, and lead nowhere outside its mount namespace.
fn exec(program: &Path, parent: &OwnedFd, start: &Start<'_>) -> Result<Infallible> {
    let (theirs, own) = sys::socket::pair()?;
    sys::socket::send(parent.as_fd(), b"socket", &[theirs.as_fd()])?;
    if !start.keeps_stdio {
        let null = sys::file::open(Path::new("/dev/null"), libc::O_RDWR)?;
        (0..=2).try_for_each(|number| sys::io::dup_onto(null.as_fd(), number))?;
    }
    sys::file::close_on_exec_from(3)?;
    sys::io::keep_across_exec(own.as_raw_fd())?;
    start.kept.iter().try_for_each(|number| sys::io::keep_across_exec(*number))?;
    sys::signal::reset_all()?;
    let path = sys::c_string(program.as_os_str().as_bytes())?;
    let number = own.as_raw_fd().to_string();
    let args = [b"criu".as_slice(), b"swrk", number.as_bytes()];
    let args = args.map(sys::c_string).into_iter().collect::<Result<Vec<_>>>()?;
    sys::exec::execve(&path, &args, &sys::exec::inherited_environment())
}
