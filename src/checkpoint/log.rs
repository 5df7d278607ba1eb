//! criu's log, which is all that it tells of a failure.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use super::request::Task;
use crate::error::{Error, Kind, Result};
use crate::sys;

/// How many of the errors in a log are quoted.
const QUOTED: usize = 3;

/// Makes the log of a request that is about to be made, empty: what an earlier one left says nothing
/// of this, and callers copy it even where criu does not come to write to it.
///
/// # Errors
/// As openat(2).
pub fn begin(work: BorrowedFd<'_>, task: Task) -> Result<()> {
    open(work, task, libc::O_TRUNC).map(drop)
}

/// Tells the log of a failure before criu could.
pub fn note(work: BorrowedFd<'_>, task: Task, error: &Error) {
    // The caller hears it anyway.
    if let Ok(file) = open(work, task, libc::O_APPEND)
        && sys::file::fstat(file.as_fd()).is_ok_and(|stat| stat.st_size == 0)
    {
        let _ = sys::io::write_once(file.as_fd(), format!("rrun: {error}\n").as_bytes());
    }
}

fn open(work: BorrowedFd<'_>, task: Task, how: i32) -> Result<std::os::fd::OwnedFd> {
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_NOFOLLOW | how;
    sys::file::open_at(work, Path::new(task.log()), flags, 0o600)
}

/// What criu says of its failure; `place` is how the user names the directory of the log.
pub(super) fn failure(
    work: BorrowedFd<'_>,
    (place, task): (&Path, Task),
    errno: i32,
    text: &str,
) -> Error {
    let log = sys::file::open_at(work, Path::new(task.log()), libc::O_RDONLY | libc::O_NOFOLLOW, 0)
        .and_then(|file| sys::io::read_all(file.as_fd()))
        .unwrap_or_default();
    let mut quoted = errors(&String::from_utf8_lossy(&log));
    if quoted.is_empty() {
        quoted = text.trim().replace('\n', "; ");
    }
    if quoted.is_empty() {
        quoted = if errno == 0 { "it gives no reason".into() } else { format!("errno {errno}") };
    }
    Error::message(Kind::System, format!("criu has failed: {quoted}"))
        .hinted(format!("all that it says is in `{}`", place.join(task.log()).display()))
}

/// The last errors of a log, without the time before each.
fn errors(log: &str) -> String {
    let error = |line: &str| {
        let (_, rest) = line.split_once(") ").filter(|(time, _)| time.starts_with('('))?;
        // Before the word there may be the pid.
        let at = rest.find("Error (")?;
        Some(rest.get(at..)?.trim().to_owned())
    };
    let all: Vec<_> = log.lines().filter_map(error).collect();
    all.get(all.len().saturating_sub(QUOTED)..).unwrap_or_default().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_errors_are_quoted() {
        let log = "(00.000001) Version: 4.1.1\n(00.01) Error (a.c:1): one\n\
                   (00.02)    5: Error (b.c:2): two\n(00.03) Warn  (c.c:3): Error\n\
                   (00.04) Error (d.c:4): three\n(00.05) Error (e.c:5): four\n";
        let expected = "Error (b.c:2): two; Error (d.c:4): three; Error (e.c:5): four";
        assert_eq!(errors(log), expected);
        assert_eq!(errors("nothing of the sort\n"), "");
    }
}
