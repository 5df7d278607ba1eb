//! What state a container is in, as seen from outside.

use std::os::fd::OwnedFd;

use crate::error::Result;
use crate::plan::Record;
use crate::process::gate;
use crate::state::{Entry, Lock, Phase, Seen, Status};

/// A container as it was a moment ago.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) status: Status,
    /// Its first process, where it lives.
    pub(super) init: Option<OwnedFd>,
}

impl Observed {
    /// The pid to show: that of a process that lives, or 0.
    pub(super) fn pid(&self, record: &Record) -> i32 {
        if self.init.is_some() && self.status != Status::Stopped { record.pid() } else { 0 }
    }
}

/// Looks at one container from outside. Nothing is asked that the answer does not need.
pub(super) fn observe(entry: &Entry<Record>, record: &Record) -> Result<Observed> {
    look(entry, record, || entry.is_locked())
}

/// Looks at a container whose lock we hold ourselves, so that nobody else is at work on it.
pub(super) fn observe_held(
    entry: &Entry<Record>,
    record: &Record,
    _held: &Lock,
) -> Result<Observed> {
    look(entry, record, || false)
}

fn look(
    entry: &Entry<Record>,
    record: &Record,
    is_locked: impl FnOnce() -> bool,
) -> Result<Observed> {
    let init = match &record.init {
        Some(identity) => identity.find()?,
        None => None,
    };
    let alive = init.is_some();
    let created = record.phase == Phase::Created;
    let frozen = alive && created && record.cgroup.is_frozen();
    let gate = alive && created && !frozen && gate::is_waiting(entry.dir())?;
    let seen =
        Seen { phase: record.phase, lock_held: !created && is_locked(), alive, gate, frozen };
    Ok(Observed { status: seen.status(), init })
}
