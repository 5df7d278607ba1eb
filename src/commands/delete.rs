//! `delete`: removes a container and everything that its record names.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::Call;
use super::observe::observe_held;
use super::select::select;
use crate::cli;
use crate::error::{Context, Error, Kind, Result};
use crate::hooks;
use crate::plan::Record;
use crate::rootfs;
use crate::state::{Entry, Identity, Lock, Status, Verb};
use crate::sys;

/// How long a killed process may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Deletes one container, or all that the pattern matches.
pub(super) fn delete(call: &mut Call<'_>, args: &cli::Delete) -> Result<i32> {
    for id in select(call, &args.id, args.regex)? {
        let deleted = delete_one(call, &id, args.force);
        match deleted {
            // Somebody else was faster, or it never was: with --force that is what was wanted.
            Err(error) if args.force && error.kind() == Kind::NotFound => call.store.sweep(&id),
            other => other.context(|| format!("delete container `{}`", id.escape_debug()))?,
        }
    }
    Ok(0)
}

fn delete_one(call: &Call<'_>, id: &str, force: bool) -> Result<()> {
    let entry = call.store.open(id)?;
    let record = match entry.read() {
        Ok(record) => record,
        Err(error) if force && error.kind() == Kind::Internal => {
            log::warn!("{error}: only the directory is removed");
            let _lock = entry.lock("delete")?;
            return entry.remove();
        }
        Err(error) => return Err(error),
    };
    if force {
        // Killed before the lock is asked for: a `create` or `start` at work holds it, and lets go
        // when its init dies.
        end_init(&record, find(&record)?.as_ref().map(AsFd::as_fd))?;
    }
    let lock = entry.lock("delete")?;
    // It may have come further while we waited.
    let record = entry.read()?;
    if !force {
        observe_held(&entry, &record, &lock)?.status.require(Verb::Delete, id)?;
    }
    destroy(&entry, &record, find(&record)?.as_ref().map(AsFd::as_fd), &lock)
}

/// The container's first process, where it lives. Nobody is asked but the kernel: at the gate there
/// may be a queue.
fn find(record: &Record) -> Result<Option<OwnedFd>> {
    record.init.as_ref().map_or(Ok(None), Identity::find)
}

/// Ends the container, whose first process is `init` unless that has ended, and removes all that the
/// record names; its hooks come last. The lock shows that nobody else is at it.
pub(super) fn destroy(
    entry: &Entry<Record>,
    record: &Record,
    init: Option<BorrowedFd<'_>>,
    _held: &Lock,
) -> Result<()> {
    end_init(record, init)?;
    if may_leave_processes(record) {
        record.cgroup.destroy().context(|| "remove the cgroup")?;
    } else {
        record.cgroup.remove_empty();
    }
    record.resctrl.remove().context(|| "remove the class of service")?;
    for directory in &record.host_directories {
        rootfs::release(directory, &record.upper_owner())
            .context(|| format!("release `{}`", directory.display()))?;
    }
    entry.remove()?;
    run_poststop(record);
    Ok(())
}

/// Whether there may still be processes of the container when its init is gone. With a pid namespace
/// of its own all end with init, and nobody that was alive before the last boot is alive now: whoever
/// is found in its cgroup then is somebody else's, and must live.
pub(super) fn may_leave_processes(record: &Record) -> bool {
    !record.private_pid && record.init.as_ref().is_some_and(Identity::is_of_this_boot)
}

/// Kills init and waits for its end.
fn end_init(record: &Record, init: Option<BorrowedFd<'_>>) -> Result<()> {
    let Some(init) = init else { return Ok(()) };
    match sys::process::pidfd_send_signal(init, libc::SIGKILL) {
        Err(error) if error.is(libc::ESRCH) => return Ok(()),
        other => other.context(|| "kill the container's first process")?,
    }
    record.cgroup.thaw_for_kill()?;
    if sys::process::has_ended(init, PATIENCE)? {
        return Ok(());
    }
    let text = format!("process {} does not end, though it was killed", record.pid());
    Err(Error::message(Kind::System, text))
        .hint(|| "it may hang in the kernel, on a dead network file system for example")
}

/// runtime.md: a failed poststop hook is a warning, and the others are still run.
pub(super) fn run_poststop(record: &Record) {
    let state = record.oci_state(Status::Stopped.name(), 0);
    let environment = sys::exec::inherited_environment();
    for hook in &record.hooks.poststop {
        let hook = std::slice::from_ref(hook);
        if let Err(error) = hooks::run(hook, "poststop", &state, &environment) {
            log::warn!("{error}");
        }
    }
}
