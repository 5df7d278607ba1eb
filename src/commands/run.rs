//! `run`: create, start and, in the foreground, wait and delete.

use std::os::fd::{AsFd, OwnedFd};

use super::Call;
use super::create::{Way, make, prepare_making};
use super::delete::destroy;
use super::start::{await_ready, prepare_notify, start_created};
use crate::cli;
use crate::error::{Context, Kind, Result};
use crate::plan::Record;
use crate::process::notify::Notify;
use crate::process::{Created, Foreground};
use crate::state::Entry;
use crate::terminal::Relay;

/// Runs a container; its own exit status is ours.
pub(super) fn run(call: &mut Call<'_>, args: &cli::Run) -> Result<i32> {
    let inherited = prepare_making(call, &args.container, &args.id)?;
    let foreground = if args.detach {
        None
    } else {
        // Before the clone: a signal or a death in between must wait for us.
        Some(Foreground::prepare(!args.container.no_subreaper)?)
    };
    let way = if args.detach { Way::RunDetached } else { Way::Run };
    let created = make(call, &args.container, &args.id, inherited, way)?;
    let Some(foreground) = foreground else {
        start_detached(created)?;
        return Ok(0);
    };
    run_to_end(created, &foreground, args.keep)
}

/// Starts a container and leaves it to itself.
fn start_detached(created: Created) -> Result<()> {
    let (created, _, notify) = begin(created)?;
    await_ready(notify, &created.record, Some(created.init.as_fd()))
}

/// Starts a container, waits for its end and, unless it is kept, deletes it; the program's status.
pub(super) fn run_to_end(created: Created, foreground: &Foreground, keep: bool) -> Result<i32> {
    let (created, relay, notify) = begin(created)?;
    let process = (created.record.pid(), created.init.as_fd());
    let status = foreground.wait(process, relay, notify.as_ref())?;
    if !keep {
        let id = created.entry.id();
        clean_up(&created.entry).context(|| format!("delete container `{id}`"))?;
    }
    Ok(status)
}

/// A container as others may find it.
struct Begun {
    entry: Entry<Record>,
    record: Record,
    init: OwnedFd,
}

/// Starts it, and lets go of its lock.
fn begin(mut created: Created) -> Result<(Begun, Option<Relay>, Option<Notify>)> {
    // Before the program runs, which may ask for the size or print at once.
    let relay = created.terminal.take().map(Relay::begin).transpose();
    let relay = relay.context(|| "use the terminal of the container");
    let Created { entry, lock, record, init, .. } = created;
    let started = relay.and_then(|relay| {
        let notify = prepare_notify(&entry)?;
        start_created(&entry, &record, Some(init.as_fd()), &lock)?;
        Ok((relay, notify))
    });
    match started {
        // The lock is never held while the program runs: other verbs may want it.
        Ok((relay, notify)) => Ok((Begun { entry, record, init }, relay, notify)),
        Err(error) => {
            // A failed run leaves nothing; a failed hook has removed it already.
            if error.kind() != Kind::Hook {
                destroy(&entry, &record, Some(init.as_fd()), &lock)?;
            }
            Err(error)
        }
    }
}

/// Somebody may have deleted it meanwhile, or even made a new one of the same name, which the held
/// directory tells apart.
pub(super) fn clean_up(entry: &Entry<Record>) -> Result<()> {
    let deleted = entry.lock("delete").and_then(|lock| {
        let record = entry.read()?;
        destroy(entry, &record, None, &lock)
    });
    match deleted {
        Err(error) if error.kind() == Kind::NotFound => Ok(()),
        other => other,
    }
}
