//! The one error type of rrun, and the convention for using it.
//!
//! # Convention
//!
//! 1. There is one opaque [`Error`]. Rooms have no error enums of their own; what a caller may want
//!    to tell apart is the small [`Kind`], which decides the exit code and nothing else.
//! 2. A failed system call names the call, its operands and the errno: `sys` makes those with
//!    [`Error::call`].
//! 3. Each layer on the way up adds *one phrase of intent* with [`Context::context`]: what it was
//!    trying to do, lower case, operands in backticks, no full stop. The result reads outside in:
//!    ``create container `web`: mount `/proc`: fsmount(`proc`): permission denied (EACCES)``.
//! 4. A [`hint`](Context::hint) is due wherever somebody can act on the failure. The innermost hint
//!    wins, since it knows most.
//! 5. Rooms return errors; they never log and return. Only `bin/rrun.rs` reports, once.
//! 6. A failure crosses the fork whole: [`Error`] serialises, at most [`WIRE_LIMIT`] bytes of it.
//! 7. A user's mistake is an [`Error`], never a panic. A mistake in `config.json` carries the JSON
//!    pointer of the member ([`Error::config`]).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The result of everything in rrun that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How many bytes of a failure are sent from a child to its parent; longer texts are cut.
pub const WIRE_LIMIT: usize = 64 * 1024;

/// What sort of failure it was. Decides exit code and log level only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The command line cannot be understood.
    Usage,
    /// A document (config.json, resources, a process file) asks for something wrong.
    Config,
    /// The container does not exist.
    NotFound,
    /// The container is not in a state that allows the verb.
    State,
    /// The system refused a call.
    System,
    /// A hook failed, which ends the container's life.
    Hook,
    /// rrun itself is at fault.
    Internal,
}

/// A failure: what was intended, what went wrong, and what somebody can do about it.
#[derive(Serialize, Deserialize)]
pub struct Error(Box<Inner>);

#[derive(Serialize, Deserialize)]
struct Inner {
    kind: Kind,
    /// Phrases of intent, innermost first.
    context: Vec<String>,
    cause: Cause,
    hint: Option<String>,
}

#[derive(Serialize, Deserialize)]
enum Cause {
    Message(String),
    Call { call: String, operands: String, errno: i32 },
}

impl Error {
    fn new(kind: Kind, cause: Cause) -> Error {
        Error(Box::new(Inner { kind, context: Vec::new(), cause, hint: None }))
    }

    /// A failure of `kind` told in words.
    pub fn message(kind: Kind, text: impl Into<String>) -> Error {
        Error::new(kind, Cause::Message(text.into()))
    }

    /// A mistake in a document, at the JSON `pointer` of the member that is wrong.
    pub fn config(pointer: impl fmt::Display, text: impl fmt::Display) -> Error {
        Error::message(Kind::Config, format!("{pointer}: {text}"))
    }

    /// A member of a document that asks for something this version of rrun cannot do.
    pub fn unsupported(pointer: impl fmt::Display) -> Error {
        Error::message(Kind::Config, format!("not supported yet: {pointer}"))
    }

    /// A failure of rrun itself, or of something that cannot happen.
    pub fn internal(text: impl Into<String>) -> Error {
        Error::message(Kind::Internal, text)
    }

    /// A system call that failed with `errno`; `operands` render its arguments.
    pub fn call(call: &str, operands: impl Into<String>, errno: i32) -> Error {
        let cause = Cause::Call { call: call.to_owned(), operands: operands.into(), errno };
        let error = Error::new(Kind::System, cause);
        if errno == libc::ENOSYS { error.hinted(missing_call(call)) } else { error }
    }

    /// A failed operation of `std`, named like a system call.
    pub fn io(call: &str, operands: impl Into<String>, error: &std::io::Error) -> Error {
        match error.raw_os_error() {
            Some(errno) => Error::call(call, operands, errno),
            None => Error::message(Kind::System, format!("{call}({}): {error}", operands.into())),
        }
    }

    /// The errno of the system call that failed, if it was one.
    pub fn errno(&self) -> Option<i32> {
        match self.0.cause {
            Cause::Call { errno, .. } => Some(errno),
            Cause::Message(_) => None,
        }
    }

    /// Whether the failed call answered `errno` (a `libc` constant).
    pub fn is(&self, errno: i32) -> bool {
        self.errno() == Some(errno)
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What somebody can do about it, if the code that failed knew.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The same failure with its kind replaced.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Error {
        self.0.kind = kind;
        self
    }

    /// The same failure with one more phrase of intent around it.
    #[must_use]
    pub fn wrap(mut self, phrase: impl Into<String>) -> Error {
        self.0.context.push(phrase.into());
        self
    }

    /// The same failure with a hint, unless it has one already.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Error {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// The failure as bytes for another process, at most [`WIRE_LIMIT`] of them.
    pub fn to_wire(&self) -> Vec<u8> {
        match serde_json::to_vec(self) {
            Ok(bytes) if bytes.len() <= WIRE_LIMIT => bytes,
            // Too long to send whole: the sentence is what matters, so that is what gets cut.
            _ => {
                let mut text = self.to_string();
                let mut end = text.len().min(WIRE_LIMIT / 8);
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                text.truncate(end);
                let cut = Error::message(self.kind(), text);
                serde_json::to_vec(&cut).unwrap_or_default()
            }
        }
    }

    /// Reads a failure that another process wrote with [`Error::to_wire`].
    pub fn from_wire(bytes: &[u8]) -> Error {
        serde_json::from_slice(bytes).unwrap_or_else(|_| {
            Error::internal(format!(
                "the child failed with something unreadable: {}",
                String::from_utf8_lossy(bytes)
            ))
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for phrase in self.0.context.iter().rev() {
            write!(f, "{phrase}: ")?;
        }
        match &self.0.cause {
            Cause::Message(text) => f.write_str(text),
            Cause::Call { call, operands, errno } => {
                write!(f, "{call}({operands}): {}", Errno(*errno))
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

/// What to say where the kernel lacks a call, or a sandbox around rrun hides it.
fn missing_call(call: &str) -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "rrun needs {call}(2) as Linux 5.14 has it; this is Linux {}, or a sandbox hides the call",
        release.trim()
    )
}

/// Adds intent and hints to a result on its way up.
pub trait Context<T> {
    /// Adds one phrase of intent to a failure; built only when there is one.
    ///
    /// # Errors
    /// The failure itself, wrapped.
    fn context<S: Into<String>>(self, phrase: impl FnOnce() -> S) -> Result<T>;

    /// Adds a hint to a failure that has none.
    ///
    /// # Errors
    /// The failure itself, with the hint.
    fn hint<S: Into<String>>(self, hint: impl FnOnce() -> S) -> Result<T>;
}

impl<T> Context<T> for Result<T> {
    fn context<S: Into<String>>(self, phrase: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|error| error.wrap(phrase()))
    }

    fn hint<S: Into<String>>(self, hint: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|error| error.hinted(hint()))
    }
}

/// An errno for people: `no such file or directory (ENOENT)`.
pub struct Errno(pub i32);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = std::io::Error::from_raw_os_error(self.0).to_string();
        // std appends " (os error N)", which says less than the name that man pages use.
        let text = text.split(" (os error").next().unwrap_or_default();
        // In lower case, as Go has it: Docker's client finds its exit codes 126 and 127 by the
        // words "permission denied" and "no such file or directory".
        let text = uncapitalized(text);
        match NAMES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => write!(f, "{text} ({name})"),
            None => write!(f, "{text} (errno {})", self.0),
        }
    }
}

fn uncapitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

macro_rules! errno_names {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name))),*] };
}

/// The errno names that the calls of a container runtime answer with (errno(3)).
const NAMES: &[(i32, &str)] = errno_names! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT
    ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG
    ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY
    ELOOP ENODATA ETIME EOVERFLOW EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT
    EPROTONOSUPPORT EOPNOTSUPP EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH
    ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ETIMEDOUT ECONNREFUSED EHOSTUNREACH EALREADY
    EINPROGRESS ESTALE EDQUOT ECANCELED EOWNERDEAD EKEYEXPIRED EKEYREVOKED EKEYREJECTED
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_outside_in_and_names_the_errno() {
        let error = Error::call("fsmount", "`proc`", libc::EACCES)
            .wrap("mount `/proc`")
            .wrap("create container `web`");
        assert_eq!(
            error.to_string(),
            "create container `web`: mount `/proc`: fsmount(`proc`): permission denied (EACCES)"
        );
        assert!(error.is(libc::EACCES));
        assert!(!error.is(libc::EPERM));
    }

    #[test]
    fn the_innermost_hint_wins() {
        let error = Error::internal("x").hinted("inner").wrap("y").hinted("outer");
        assert_eq!(error.hint_text(), Some("inner"));
    }

    #[test]
    fn crosses_a_fork_whole() {
        let error = Error::config("/process/cwd", "is not absolute").wrap("plan").hinted("mend it");
        let back = Error::from_wire(&error.to_wire());
        assert_eq!(back.to_string(), error.to_string());
        assert_eq!(back.kind(), Kind::Config);
        assert_eq!(back.hint_text(), Some("mend it"));
    }

    #[test]
    fn a_huge_failure_is_cut_not_lost() {
        let error = Error::internal("é".repeat(WIRE_LIMIT)).wrap("outer");
        let wire = error.to_wire();
        assert!(wire.len() <= WIRE_LIMIT);
        assert!(Error::from_wire(&wire).to_string().starts_with("outer: éé"));
    }

    #[test]
    fn garbage_from_the_other_side_is_a_failure_too() {
        assert!(Error::from_wire(b"\xff\x00").to_string().contains("unreadable"));
    }

    #[test]
    fn an_errno_without_a_name_still_prints() {
        assert!(Errno(4000).to_string().contains("4000"));
    }
}
