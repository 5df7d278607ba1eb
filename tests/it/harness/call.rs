//! One call of a program, with a time limit, and what came of it.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::PATIENCE;

/// A call that is not made yet.
#[must_use]
pub(crate) struct Call {
    command: Command,
    shown: String,
    out: PathBuf,
    err: PathBuf,
    names: Vec<(&'static str, String)>,
    patience: Duration,
}

impl Call {
    /// A call of `program`, whose output goes to the files `out` and `err`: a pipe would stay open
    /// as long as the container lives. `names` are placeholders in expected texts.
    pub(crate) fn new(
        program: &Path,
        (out, err): (PathBuf, PathBuf),
        names: Vec<(&'static str, String)>,
    ) -> Call {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
        let shown = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Call { command, shown, out, err, names, patience: PATIENCE }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Call {
        self.shown.push(' ');
        self.shown.push_str(&arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<I: AsRef<OsStr>>(self, args: impl IntoIterator<Item = I>) -> Call {
        args.into_iter().fold(self, Call::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Call {
        self.command.env(name, value);
        self
    }

    pub(crate) fn cwd(mut self, dir: &Path) -> Call {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Call {
        self.command.stdin(stdin);
        self
    }

    /// Replaces the stdout that [`Outcome`] would show.
    pub(crate) fn to(mut self, stdout: impl Into<Stdio>) -> Running {
        let err = File::create(&self.err).unwrap();
        self.command.stdout(stdout).stderr(err);
        self.go()
    }

    pub(crate) fn spawn(mut self) -> Running {
        let (out, err) = (File::create(&self.out).unwrap(), File::create(&self.err).unwrap());
        self.command.stdout(out).stderr(err);
        self.go()
    }

    fn go(mut self) -> Running {
        let child = self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.shown));
        let deadline = Instant::now() + self.patience;
        let (shown, names) = (self.shown, self.names);
        Running { child, shown, out: self.out, err: self.err, names, deadline }
    }

    pub(crate) fn done(self) -> Outcome {
        self.spawn().done()
    }
}

/// A call that is being made.
pub(crate) struct Running {
    child: Child,
    shown: String,
    out: PathBuf,
    err: PathBuf,
    names: Vec<(&'static str, String)>,
    deadline: Instant,
}

impl Running {
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.pid()).unwrap();
        // It may have ended; it is not reaped, so the pid is nobody else's.
        let _ = rustix::process::kill_process(pid, signal);
    }

    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// What it has written to stdout so far.
    pub(crate) fn output(&self) -> String {
        read(&self.out)
    }

    /// Waits for its end; beyond its time it is killed, and the test has failed.
    pub(crate) fn done(mut self) -> Outcome {
        let pid = rustix::process::Pid::from_raw(self.pid()).unwrap();
        if let Ok(pidfd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            let left = self.deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).unwrap();
            let ended = poll(&mut [PollFd::new(&pidfd.as_fd(), PollFlags::IN)], Some(&left));
            if ended == Ok(0) {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                panic!("hangs: {}\nstderr: {}", self.shown, read(&self.err));
            }
        }
        let status = self.child.wait().unwrap();
        Outcome {
            status: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
            stdout: read(&self.out),
            stderr: read(&self.err),
            shown: std::mem::take(&mut self.shown),
            names: std::mem::take(&mut self.names),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only where a test failed in between.
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

/// What came of a call.
#[derive(Debug)]
#[must_use]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    shown: String,
    names: Vec<(&'static str, String)>,
}

impl Outcome {
    /// The texts with the names of this very test replaced by placeholders, so that they compare.
    fn general(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(value, name))
    }

    fn show(&self) -> String {
        let (status, stdout, stderr) = (self.status, &self.stdout, &self.stderr);
        format!("{}\nstatus: {status}\nstdout: {stdout}\nstderr: {stderr}", self.shown)
    }

    #[track_caller]
    pub(crate) fn code(self, expected: i32) -> Outcome {
        assert_eq!(self.status, expected, "{}", self.show());
        self
    }

    /// Success, and silence on stderr.
    #[track_caller]
    pub(crate) fn ok(self) -> Outcome {
        assert!(self.status == 0 && self.stderr.is_empty(), "failed: {}", self.show());
        self
    }

    #[track_caller]
    pub(crate) fn stdout(self, expected: &str) -> Outcome {
        assert_eq!(self.general(&self.stdout), expected, "stdout of {}", self.show());
        self
    }

    /// One line of stdout is `line`.
    #[track_caller]
    pub(crate) fn has(self, line: &str) -> Outcome {
        assert!(self.stdout.lines().any(|it| it == line), "no line `{line}`: {}", self.show());
        self
    }

    /// A failure whose stderr is exactly this error, and exactly this hint if it has one.
    #[track_caller]
    pub(crate) fn fails_with_hint(self, error: &str, hint: &str) -> Outcome {
        let hint = if hint.is_empty() { String::new() } else { format!("rrun: hint: {hint}\n") };
        let expected = format!("rrun: error: {error}\n{hint}");
        assert_eq!(self.general(&self.stderr), expected, "stderr of {}", self.show());
        self.code(1)
    }

    /// A failure whose stderr is exactly this error, without a hint.
    #[track_caller]
    pub(crate) fn fails(self, error: &str) -> Outcome {
        self.fails_with_hint(error, "")
    }

    /// A failure whose one error line contains `part`.
    #[track_caller]
    pub(crate) fn refused(self, part: &str) -> Outcome {
        self.says(part).code(1)
    }

    /// The same, with whatever status.
    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Outcome {
        let stderr = self.general(&self.stderr);
        let first = stderr.lines().next().unwrap_or_default();
        assert!(first.starts_with("rrun: error: "), "no error: {}", self.show());
        assert!(first.contains(part), "no `{part}` in the error: {}", self.show());
        let lines = stderr.lines().count();
        assert!(
            lines == 1 || lines == 2 && stderr.contains("\nrrun: hint: "),
            "more than an error and a hint: {}",
            self.show()
        );
        self
    }
}
