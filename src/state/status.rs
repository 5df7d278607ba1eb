//! Pure: what state a container is in, which verbs that allows, and what a container may be called.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};

/// How far `create` got, as the record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It has begun; what it names may exist or not.
    Creating,
    /// It was finished.
    Created,
}

/// The state of a container (runtime.md; `paused` is an addition of all runtimes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `create` is at work.
    Creating,
    /// It waits for `start`.
    Created,
    /// The program runs.
    Running,
    /// Its processes are frozen.
    Paused,
    /// The program has ended, or never began.
    Stopped,
}

impl Status {
    /// The word of the spec.
    pub fn name(self) -> &'static str {
        match self {
            Status::Creating => "creating",
            Status::Created => "created",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was seen of a container from outside.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// How far `create` got.
    pub phase: Phase,
    /// Whether some verb holds the container's lock.
    pub lock_held: bool,
    /// Whether init lives.
    pub alive: bool,
    /// Whether somebody waits at the gate.
    pub gate: bool,
    /// Whether the cgroup is frozen.
    pub frozen: bool,
}

impl Seen {
    /// The status is derived, never stored: what was stored would be wrong after a crash, a reboot
    /// or an exit that nobody watched.
    pub fn status(self) -> Status {
        match self.phase {
            // Begun, and nobody holds the lock: whoever created it died.
            Phase::Creating if !self.lock_held => Status::Stopped,
            Phase::Creating => Status::Creating,
            Phase::Created if !self.alive => Status::Stopped,
            // Also one that waits at its gate: it could not go through.
            Phase::Created if self.frozen => Status::Paused,
            Phase::Created if self.gate => Status::Created,
            Phase::Created => Status::Running,
        }
    }
}

/// A verb whose permission depends on the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `start`
    Start,
    /// `kill`
    Kill,
    /// `delete`
    Delete,
    /// `ps`
    Ps,
    /// `pause`
    Pause,
    /// `resume`
    Resume,
    /// `update`
    Update,
    /// `events`
    Events,
    /// `exec`
    Exec,
    /// `exec --ignore-paused`
    ExecWhenResumed,
    /// `checkpoint`
    Checkpoint,
}

impl Verb {
    /// The verb as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Start => "start",
            Verb::Kill => "kill",
            Verb::Delete => "delete",
            Verb::Ps => "ps",
            Verb::Pause => "pause",
            Verb::Resume => "resume",
            Verb::Update => "update",
            Verb::Events => "events",
            Verb::Exec | Verb::ExecWhenResumed => "exec in",
            Verb::Checkpoint => "checkpoint",
        }
    }
}

impl Status {
    /// Whether `verb` may act on a container in this state.
    pub fn allows(self, verb: Verb) -> bool {
        match verb {
            Verb::Start => self == Status::Created,
            // The spec says created or running; a frozen container takes the signal when thawed.
            Verb::Kill => matches!(self, Status::Created | Status::Running | Status::Paused),
            // The spec says stopped only; runc deletes a created one too, after killing it, and
            // containerd's shim relies on that.
            Verb::Delete => matches!(self, Status::Stopped | Status::Created),
            Verb::Ps => self != Status::Creating,
            Verb::Pause => matches!(self, Status::Created | Status::Running),
            Verb::Resume => self == Status::Paused,
            // One that waits to be started is still rrun itself.
            Verb::Checkpoint => matches!(self, Status::Running | Status::Paused),
            // As runc: also one that waits to be started.
            Verb::Exec => matches!(self, Status::Created | Status::Running),
            Verb::Update | Verb::Events | Verb::ExecWhenResumed => {
                matches!(self, Status::Created | Status::Running | Status::Paused)
            }
        }
    }

    /// Refuses a verb that this state does not allow, in the words that engines look for.
    ///
    /// # Errors
    /// Of kind [`Kind::State`].
    pub fn require(self, verb: Verb, id: &str) -> Result<()> {
        if self.allows(verb) {
            return Ok(());
        }
        let text = match (verb, self) {
            // containerd and CRI-O look for these three words.
            (Verb::Kill, Status::Stopped) => "container not running".to_owned(),
            (Verb::Delete, Status::Running | Status::Paused) => {
                format!("container `{id}` is {self}: stop it first, or delete --force")
            }
            (Verb::Exec, Status::Paused) => {
                format!("cannot exec in container `{id}`: it is paused (use --ignore-paused)")
            }
            (Verb::Exec | Verb::ExecWhenResumed, Status::Stopped) => {
                // CRI-O looks for "container not running".
                format!("cannot exec in container `{id}`: container not running")
            }
            _ => format!("cannot {} container `{id}`: it is {self}", verb.name()),
        };
        Err(Error::message(Kind::State, text))
    }
}

/// Checks a container id: letters, digits, `_`, `+`, `-` and `.`, in a name that a directory can have
/// (runc's rule; crun and this runtime also refuse a leading dot, which
/// `list` would hide).
///
/// # Errors
/// Of kind [`Kind::Usage`].
pub fn check_id(id: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-' | '.');
    let wrong = if id.is_empty() {
        "it is empty"
    } else if id.len() > 255 {
        "it is longer than 255 bytes"
    } else if !id.chars().all(allowed) {
        "only letters, digits, `_`, `+`, `-` and `.` are allowed"
    } else if id.starts_with('.') {
        "it begins with a dot"
    } else {
        return Ok(());
    };
    Err(Error::message(
        Kind::Usage,
        format!("invalid container id `{}`: {wrong}", id.escape_debug()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_derived() {
        let seen = |phase, lock_held, alive, gate, frozen| {
            Seen { phase, lock_held, alive, gate, frozen }.status()
        };
        use Phase::{Created, Creating};
        for (phase, lock, alive, gate, frozen, expected) in [
            (Creating, true, false, false, false, Status::Creating),
            (Creating, true, true, true, false, Status::Creating),
            (Creating, false, true, true, false, Status::Stopped),
            (Creating, false, false, false, false, Status::Stopped),
            (Created, false, true, true, false, Status::Created),
            (Created, true, true, true, true, Status::Paused),
            (Created, false, true, true, true, Status::Paused),
            (Created, false, true, false, false, Status::Running),
            (Created, true, true, false, false, Status::Running),
            (Created, false, true, false, true, Status::Paused),
            (Created, false, false, true, false, Status::Stopped),
            (Created, true, false, false, true, Status::Stopped),
        ] {
            assert_eq!(seen(phase, lock, alive, gate, frozen), expected);
        }
    }

    #[test]
    fn the_table_of_allowed_verbs() {
        use Status::{Created, Creating, Paused, Running, Stopped};
        for (verb, allowed) in [
            (Verb::Start, &[Created][..]),
            (Verb::Kill, &[Created, Running, Paused]),
            (Verb::Delete, &[Created, Stopped]),
            (Verb::Ps, &[Created, Running, Paused, Stopped]),
            (Verb::Pause, &[Created, Running]),
            (Verb::Resume, &[Paused]),
            (Verb::Update, &[Created, Running, Paused]),
            (Verb::Events, &[Created, Running, Paused]),
            (Verb::Exec, &[Created, Running]),
            (Verb::ExecWhenResumed, &[Created, Running, Paused]),
            (Verb::Checkpoint, &[Running, Paused]),
        ] {
            for status in [Creating, Created, Running, Paused, Stopped] {
                assert_eq!(status.allows(verb), allowed.contains(&status), "{verb:?} {status}");
            }
        }
    }

    #[test]
    fn refusals_use_the_words_that_engines_look_for() {
        let text = |status: Status, verb| status.require(verb, "a").unwrap_err().to_string();
        assert_eq!(text(Status::Stopped, Verb::Kill), "container not running");
        assert_eq!(text(Status::Running, Verb::Start), "cannot start container `a`: it is running");
        assert!(text(Status::Running, Verb::Delete).contains("is running: stop it first"));
    }

    #[test]
    fn ids() {
        for good in ["a", "A.b_c+d-9", "0", "a..b"] {
            assert!(check_id(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "../x", "a/b", "a b", "a\n", "é", ".hidden", ",x"] {
            assert!(check_id(bad).is_err(), "{bad}");
        }
        assert!(check_id(&"x".repeat(256)).is_err());
        let text = check_id("a\nb").unwrap_err().to_string();
        assert!(text.starts_with("invalid container id `a\\nb`"), "{text}");
    }
}
