//! Running a list of hooks.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use super::plan::Hook;
use crate::error::{Context, Error, Kind, Result};
use crate::sys;
use crate::sys::process::{Cloned, Ended};
use crate::trace;

/// How much of a failed hook's output goes into the error.
const LAST_WORDS: usize = 1024;

/// A hook without a time-out may take as long as it wants.
const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);

/// Runs `hooks` in their order, each with `state` on its stdin; `moment` is their name in
/// config.json. A hook that brings no environment gets `environment`. Hooks see the namespaces and
/// the root of the caller.
///
/// # Errors
/// Of kind [`Kind::Hook`], at the first hook that cannot be run, fails or takes longer than its time-out; the later ones
/// are not run.
pub fn run(hooks: &[Hook], moment: &str, state: &[u8], environment: &[CString]) -> Result<()> {
    for (index, hook) in hooks.iter().enumerate() {
        let _phase = trace::phase_of(|| format!("{moment} hook `{}`", hook.path.display()));
        run_one(hook, state, environment)
            .map_err(|error| error.with_kind(Kind::Hook))
            .context(|| format!("run {moment} hook {index} (`{}`)", hook.path.display()))?;
    }
    Ok(())
}

/// Stdin and output are files in memory and not pipes: a hook that reads nothing raises no SIGPIPE
/// in us, and one that leaves a daemon behind with its stdout open does not hang us.
fn run_one(hook: &Hook, state: &[u8], environment: &[CString]) -> Result<()> {
    let input = sys::io::memory("hook-state")?;
    sys::io::write_at_start(input.as_fd(), state)?;
    let output = sys::io::memory("hook-output")?;
    let (stdout, stderr) = (file(hook.stdout.as_deref())?, file(hook.stderr.as_deref())?);
    let files = [&input, stdout.as_ref().unwrap_or(&output), stderr.as_ref().unwrap_or(&output)];
    let pidfd = match sys::process::fork()? {
        Cloned::Child => {
            let Err(error) = exec(hook, files, environment);
            let _ = sys::io::write_once(output.as_fd(), error.to_string().as_bytes());
            sys::process::exit_now(127)
        }
        Cloned::Parent { pidfd, .. } => pidfd,
    };
    let patience = hook.timeout.map_or(FOREVER, Duration::from_secs).min(FOREVER);
    if !sys::process::has_ended(pidfd.as_fd(), patience)? {
        let _ = sys::process::pidfd_send_signal(pidfd.as_fd(), libc::SIGKILL);
        sys::process::wait_for(pidfd.as_fd())?;
        let text = format!("it took longer than {} s and was killed", patience.as_secs());
        return Err(Error::message(Kind::System, text));
    }
    match sys::process::wait_for(pidfd.as_fd())? {
        Ended::Exited(0) => Ok(()),
        ended => {
            let words = last_words(output.as_fd());
            let text = if words.is_empty() {
                format!("it {ended}")
            } else {
                format!("it {ended}: {words}")
            };
            Err(Error::message(Kind::System, text))
        }
    }
}

/// Opens a file that the user has named for what hooks write.
fn file(path: Option<&Path>) -> Result<Option<OwnedFd>> {
    let Some(path) = path else { return Ok(None) };
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND | libc::O_NOCTTY;
    let opened = sys::file::open_at(rustix::fs::CWD, path, flags, 0o600);
    opened.map(Some).context(|| "open the file for its output")
}

fn exec(
    hook: &Hook,
    files: [&OwnedFd; 3],
    environment: &[CString],
) -> Result<std::convert::Infallible> {
    for (target, fd) in (0..).zip(files) {
        sys::io::dup_onto(fd.as_fd(), target)?;
    }
    sys::file::close_on_exec_from(3)?;
    sys::signal::reset_all()?;
    let path = sys::c_string(hook.path.as_os_str().as_bytes())?;
    let strings = |list: &[String]| {
        list.iter().map(|text| sys::c_string(text.as_bytes())).collect::<Result<Vec<_>>>()
    };
    let args = strings(&hook.args)?;
    match &hook.env {
        Some(env) => sys::exec::execve(&path, &args, &strings(env)?),
        None => sys::exec::execve(&path, &args, environment),
    }
}

/// The end of what a hook wrote, on one line.
fn last_words(output: BorrowedFd<'_>) -> String {
    let bytes = sys::io::read_from_start(output).unwrap_or_default();
    let tail = &bytes[bytes.len().saturating_sub(LAST_WORDS)..];
    String::from_utf8_lossy(tail).trim().replace('\n', "; ")
}
