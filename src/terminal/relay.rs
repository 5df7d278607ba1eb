//! A container's terminal in the foreground: bytes between it and rrun's own standard descriptors.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::sys::io::{self, Readiness};
use crate::sys::tty::{self, OutputModes, SpecialCodeIndex, Termios};

/// How much is moved at once. A pipe that can be written takes at least this much without blocking
/// (PIPE_BUF, pipe(7)), and the caller's descriptors cannot be made non-blocking: they are shared.
const CHUNK: usize = 4096;

/// How long a program may take to change the mode of its terminal.
const FIRST_INTERVAL: Duration = Duration::from_millis(50);

/// rrun's own terminal while a container has it: every key is the container's. Dropping it gives it
/// back as it was.
struct HostTerminal {
    fd: OwnedFd,
    before: Termios,
}

impl HostTerminal {
    /// The first of the standard descriptors that is a terminal.
    fn take() -> Result<Option<HostTerminal>> {
        let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
        let standard = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
        let Some(fd) = standard.into_iter().find(|fd| tty::is_tty(*fd)) else { return Ok(None) };
        let before = tty::modes(fd)?;
        let mut raw = before.clone();
        raw.make_raw();
        // What others print meanwhile still begins at the left margin.
        raw.output_modes = before.output_modes;
        let fd = io::duplicate(fd)?;
        tty::set_modes(fd.as_fd(), &raw)?;
        Ok(Some(HostTerminal { fd, before }))
    }
}

impl Drop for HostTerminal {
    fn drop(&mut self) {
        let _ = tty::set_modes(self.fd.as_fd(), &self.before);
    }
}

/// Moves what is typed in and what is printed out.
pub struct Relay {
    master: OwnedFd,
    /// Our own handle on the program's side: without one, reading fails whenever no process happens
    /// to have it open.
    slave: Option<OwnedFd>,
    host: Option<HostTerminal>,
    typed: Vec<u8>,
    printed: Vec<u8>,
    stdin_is_open: bool,
    stdout_is_open: bool,
    /// When the end of what is typed is told the next time, and how long to wait after that.
    next_end: Option<(Instant, Duration)>,
}

impl Relay {
    /// Begins, with the outer side of a container's terminal.
    ///
    /// # Errors
    /// Where that is no terminal.
    pub fn begin(master: OwnedFd) -> Result<Relay> {
        io::set_nonblocking(master.as_fd())?;
        // As runc: what is printed goes to a pipe or to our own terminal, which makes CR LF itself.
        let mut modes = tty::modes(master.as_fd())?;
        modes.output_modes.remove(OutputModes::ONLCR);
        tty::set_modes(master.as_fd(), &modes)?;
        let slave = Some(tty::peer(master.as_fd())?);
        let relay = Relay {
            master,
            slave,
            host: HostTerminal::take()?,
            typed: Vec::new(),
            printed: Vec::new(),
            stdin_is_open: true,
            stdout_is_open: true,
            next_end: None,
        };
        relay.resize();
        Ok(relay)
    }

    /// Our own terminal has got another size.
    pub fn resize(&self) {
        if let Some(host) = &self.host
            && let Ok(size) = tty::size(host.fd.as_fd())
        {
            let _ = tty::set_size(self.master.as_fd(), size);
        }
    }

    /// Moves bytes until there is something to read from `other`.
    ///
    /// # Errors
    /// As poll(2).
    pub fn run_until_readable(&mut self, other: BorrowedFd<'_>) -> Result<()> {
        let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
        loop {
            let fds = [other, stdin.as_fd(), self.master.as_fd(), stdout.as_fd()];
            let wanted = [
                Readiness::read(true),
                Readiness::read(self.stdin_is_open && self.typed.is_empty()),
                Readiness { read: self.printed.is_empty(), write: !self.typed.is_empty() },
                Readiness::write(!self.printed.is_empty()),
            ];
            let patience =
                self.next_end.map(|(at, _)| at.saturating_duration_since(Instant::now()));
            let ready = io::wait_until_ready(&fds, &wanted, patience)?;
            self.repeat_the_end();
            if ready[1].read {
                self.read_stdin(stdin.as_fd());
            }
            if ready[2].read {
                self.read_master();
            }
            if ready[2].write {
                self.write_master();
            }
            if ready[3].write {
                self.write_stdout(stdout.as_fd());
            }
            if ready[0].read {
                return Ok(());
            }
        }
    }

    /// The program has ended: what it printed last comes out yet.
    pub fn drain(mut self) {
        // With nobody on the other side, the end of what was printed is an error (EIO).
        self.slave = None;
        let stdout = std::io::stdout();
        loop {
            while !self.printed.is_empty() {
                self.write_stdout(stdout.as_fd());
            }
            if !self.read_master() {
                return;
            }
        }
    }

    fn read_stdin(&mut self, stdin: BorrowedFd<'_>) {
        match io::read_some(stdin, CHUNK) {
            Ok(bytes) if bytes.is_empty() => {
                self.stdin_is_open = false;
                self.next_end = Some((Instant::now(), FIRST_INTERVAL));
            }
            Ok(bytes) => self.typed = bytes,
            Err(error) if is_temporary(&error) => {}
            // A background job may not read its terminal: that is no end of what is typed.
            Err(_) => self.stdin_is_open = false,
        }
    }

    /// Types what a person would type at the end: without it, a program that reads to the end waits for
    /// ever. Twice, for the first one ends a line that has been begun. In raw mode too: there it is the
    /// program that understands the key, as shells that edit their lines do.
    ///
    /// And again, ever more seldom: what was typed before a program changed the mode of its terminal
    /// is not that key any more, and whoever reads a pipe that is at its end finds that every time.
    fn repeat_the_end(&mut self) {
        let Some((at, interval)) = self.next_end else { return };
        if Instant::now() < at || !self.typed.is_empty() {
            return;
        }
        self.next_end = Some((Instant::now() + interval, interval * 2));
        if let Ok(modes) = tty::modes(self.master.as_fd()) {
            self.typed = vec![modes.special_codes[SpecialCodeIndex::VEOF]; 2];
        }
    }

    /// Whether anything was there.
    fn read_master(&mut self) -> bool {
        match io::read_some(self.master.as_fd(), CHUNK) {
            Ok(bytes) => {
                self.printed = bytes;
                !self.printed.is_empty()
            }
            Err(_) => false,
        }
    }

    fn write_master(&mut self) {
        match io::write_some(self.master.as_fd(), &self.typed) {
            Ok(count) => drop(self.typed.drain(..count)),
            Err(error) if is_temporary(&error) => {}
            Err(_) => self.typed.clear(),
        }
    }

    /// Where nobody takes it, it is thrown away: the program must not block on it.
    fn write_stdout(&mut self, stdout: BorrowedFd<'_>) {
        if !self.stdout_is_open {
            self.printed.clear();
            return;
        }
        match io::write_some(stdout, &self.printed) {
            Ok(count) => drop(self.printed.drain(..count)),
            Err(error) if is_temporary(&error) => {}
            Err(_) => self.stdout_is_open = false,
        }
    }
}

fn is_temporary(error: &Error) -> bool {
    error.is(libc::EAGAIN) || error.is(libc::EINTR)
}
