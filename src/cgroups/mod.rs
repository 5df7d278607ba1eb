//! The container's cgroup in every hierarchy: made, entered, limited, emptied and removed
//! (cgroups(7)).
//!
//! [`compile`] decides everything. Then [`prepare`] makes the directories and hands out what the
//! clone and the child need to get in, [`limit`] writes the limits, and the [`Record`] in the
//! container's state is enough for all that comes later.

mod change;
mod devices;
mod files;
mod freezer;
mod joining;
mod measure;
mod merge;
mod oom;
mod plan;
mod record;
mod resources;
mod restrict;
mod stats;
mod subgroup;
mod systemd;
mod tree;
mod write;

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use crate::error::{Context, Error, Kind, Result};
use crate::sys;

pub use change::{Change, change};
pub use joining::{follow_first_process, prepare_joining};
pub use oom::OomWatch;
pub use plan::{Compiled, Owner, Place, Plan, Request, compile};
pub use record::Record;
pub use restrict::restrict_devices;
pub use stats::*;
pub use subgroup::SubGroups;

/// How the first process gets into the cgroups.
#[derive(Debug, Default)]
pub struct Placement {
    /// The v2 cgroup, for `CLONE_INTO_CGROUP`.
    pub at_clone: Option<OwnedFd>,
    /// The v1 `tasks` files, for [`enter`].
    pub tasks: Vec<OwnedFd>,
    /// Whether somebody else has to be told the pid first.
    pub after_clone: bool,
}

impl Placement {
    /// Whether the process is where it belongs once it has been cloned and has entered.
    pub fn is_done(&self) -> bool {
        !self.after_clone
    }
}

/// Cgroups that have been made for a container that may still fail. Dropping it kills what is
/// inside and removes them.
#[derive(Debug)]
#[must_use]
pub struct Guard(Record);

impl Guard {
    /// The container has come to be: its cgroups stay.
    pub fn keep(mut self) {
        self.0 = Record::default();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Something has failed already, and that is what gets reported.
        let _ = self.0.thaw_for_kill();
        let _ = self.0.destroy();
    }
}

/// Makes the container's cgroup in every hierarchy and opens what the first process needs to get in.
///
/// # Errors
/// A cgroup that has processes or is frozen; a controller that is not to be had; EACCES, EPERM or
/// EROFS without permission. Nothing is left behind then.
pub fn prepare(plan: &Plan) -> Result<(Guard, Placement)> {
    let mut guard = Guard(Record::default());
    let mut placement = Placement::default();
    if plan.unit.is_some() {
        refuse_used(plan)?;
        // systemd makes its scope around the process.
        placement.after_clone = true;
        return Ok((guard, placement));
    }
    let mut all_are_free = false;
    for place in plan.places() {
        let intent = || format!("make the cgroup `{}`", place.directory.display());
        let is_new = tree::make(place).context(intent)?;
        if !is_new && !all_are_free {
            // Before the first that is not our own is taken: what the guard takes away again must be
            // nobody else's.
            refuse_used(plan)?;
            all_are_free = true;
        }
        guard.0.add(place);
        make_ready(place, plan).context(intent)?;
        if place.unified {
            let flags = libc::O_PATH | libc::O_DIRECTORY;
            placement.at_clone = Some(sys::file::open(&place.directory, flags).context(intent)?);
        } else {
            let tasks = place.directory.join("tasks");
            placement.tasks.push(sys::file::open(&tasks, libc::O_WRONLY).context(intent)?);
        }
    }
    write::apply(&plan.steps.early).context(|| "limit the cgroup")?;
    Ok((guard, placement))
}

/// Cgroups that are there may be taken if nobody uses one of them.
fn refuse_used(plan: &Plan) -> Result<()> {
    plan.places().iter().try_for_each(|place| {
        tree::refuse_used(place)
            .context(|| format!("take the cgroup `{}`", place.directory.display()))
    })
}

/// What a cgroup that is there still needs before a process can be in it.
fn make_ready(place: &Place, plan: &Plan) -> Result<()> {
    if place.has("cpuset") {
        tree::inherit_cpuset(place)?;
    }
    if place.unified {
        tree::turn_on_controllers(place, plan)?;
        if let Some(user) = plan.manager {
            tree::delegate(place, user)?;
        }
    }
    Ok(())
}

/// Moves the calling process, which has to have one thread, into the cgroups behind `tasks`.
///
/// A thread that moves itself (`0`) takes no lock that waits for an RCU grace period; a pid, or
/// cgroup.procs, would cost milliseconds on an idle machine.
///
/// # Errors
/// As write(2) to `tasks`.
pub fn enter(tasks: &[OwnedFd]) -> Result<()> {
    for file in tasks {
        sys::io::write_once(file.as_fd(), b"0")
            .map_err(|error| refused_process(error).wrap("enter the cgroup"))?;
    }
    Ok(())
}

/// Places a process from outside: in the scope that systemd makes for it, or, where
/// `CLONE_INTO_CGROUP` (Linux 5.7) was refused by an outer sandbox, in the v2 cgroup.
///
/// # Errors
/// As write(2) to cgroup.procs; what systemd says.
pub fn place(plan: &Plan, guard: &mut Guard, pid: i32) -> Result<()> {
    if let Some(unit) = &plan.unit {
        return place_in_scope(plan, unit, guard, pid);
    }
    let Some(place) = plan.unified() else { return Ok(()) };
    move_process(place, pid)
}

/// Moves the process into the cgroup below the container's that is its own to manage, if it has one:
/// after the cgroup namespace, which ends above, and after the limits, which are above.
///
/// # Errors
/// As mkdir(2), chown(2), write(2).
pub fn enter_delegated(plan: &Plan, pid: i32) -> Result<()> {
    let delegated = plan.unit.as_ref().and_then(|unit| unit.delegated.as_ref());
    let (Some(name), Some(place)) = (delegated, plan.unified()) else { return Ok(()) };
    let place = Place { directory: place.directory.join(name), ..place.clone() };
    let made = tree::make(&place).and_then(|_| match plan.manager {
        Some(user) => tree::delegate(&place, user),
        None => Ok(()),
    });
    made.and_then(|()| move_process(&place, pid))
        .context(|| format!("delegate the cgroup `{}`", place.directory.display()))
}

fn move_process(place: &Place, pid: i32) -> Result<()> {
    files::write(&place.directory.join("cgroup.procs"), &pid.to_string())
        .map_err(|error| refused_process(error).wrap("enter the cgroup"))
}

/// systemd makes the cgroup in those hierarchies that it knows; the others get one from us.
fn place_in_scope(plan: &Plan, unit: &systemd::Unit, guard: &mut Guard, pid: i32) -> Result<()> {
    unit.start(pid).context(|| format!("make the unit `{}`", unit.name))?;
    // From here on it is ours.
    guard.0.unit = Some(unit.name.clone());
    for place in plan.places() {
        let intent = || format!("make the cgroup `{}`", place.directory.display());
        let scope = place.directory.ancestors().nth(unit.depth);
        if place.unified && plan.places().len() == 1 && !scope.is_some_and(Path::exists) {
            return Err(refusal(format!("systemd has put process {pid} elsewhere"))
                .hinted(format!("see /proc/{pid}/cgroup; is this systemd's cgroup namespace?")))
            .context(intent);
        }
        tree::make(place).context(intent)?;
        guard.0.add(place);
        if unit.depth > 0 && place.unified {
            // A cgroup with processes cannot pass on controllers: the scope has to be empty first.
            move_process(place, pid)?;
        }
        make_ready(place, plan).context(intent)?;
    }
    write::apply(&plan.steps.early).context(|| "limit the cgroup")?;
    plan.places().iter().try_for_each(|place| move_process(place, pid))
}

/// Adds a hint for the errno with which a cgroup refuses a process; for clone3(2) with
/// `CLONE_INTO_CGROUP` as well.
pub fn refused_process(error: Error) -> Error {
    match error.errno() {
        Some(libc::EBUSY) => error.hinted(tree::INTERNAL_PROCESS),
        Some(libc::EOPNOTSUPP) => error.hinted(tree::THREADED),
        Some(libc::ENOSPC) => error.hinted("the cpuset has no processors or no memory nodes"),
        Some(libc::EINVAL) => error.hinted(
            "a process with real-time scheduling enters a v1 cpu cgroup only if that has a real-time \
             budget (linux.resources.cpu.realtimeRuntime)",
        ),
        Some(libc::EACCES | libc::EPERM) => error.hinted(plan::DELEGATION),
        _ => error,
    }
}

/// Writes all limits. The parent does this while the child sets itself up.
///
/// # Errors
/// Whatever the kernel refuses, with the file and the value.
pub fn limit(plan: &Plan) -> Result<()> {
    write::apply(&plan.steps.limits)
}

/// Makes a change to the container of `record`: all of it or nothing.
///
/// # Errors
/// Whatever the kernel refuses, with the file and the value.
pub fn update(record: &Record, change: &Change) -> Result<()> {
    if let Some(place) = &change.unified {
        tree::turn_on(place, &change.steps.controllers, false)?;
    }
    // First, since systemd writes files too, and less exactly.
    let unit = record.unit.as_ref();
    unit.map_or(Ok(()), |unit| unit.set(&change.properties))?;
    let updated = update_files(record, change);
    if updated.is_err()
        && let Some(unit) = unit
        && let Err(worse) = unit.set(&change.properties_before)
    {
        return updated.map_err(|error| error.hinted(format!("not undone: {worse}")));
    }
    updated
}

fn update_files(record: &Record, change: &Change) -> Result<()> {
    let steps = &change.steps;
    let early = write::apply_or_undo(&steps.early).context(|| "limit the cgroup")?;
    let done = write::apply_or_undo(&steps.limits)
        .map_err(|error| early.undo(error))
        .context(|| "limit the cgroup")?;
    restrict::change(record, &change.devices)
        .map_err(|error| early.undo(done.undo(error)))
        .context(|| "restrict the devices")
}

/// A failure told in words that an administrator can act upon.
fn refusal(text: String) -> Error {
    Error::message(Kind::System, text)
}
