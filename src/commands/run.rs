//! `run`: create, start and, in the foreground, wait and delete.

use std::os::fd::AsFd;

use super::Call;
use super::create::{Way, make, prepare_making};
use super::delete::destroy;
use super::start::{await_ready, prepare_notify, start_created};
use crate::cli;
use crate::error::{Context, Kind, Result};
use crate::plan::Record;
use crate::process::{Created, Foreground};
use crate::state::Entry;
use crate::terminal::Relay;
use crate::trace;

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
    let mut created = make(call, &args.container, &args.id, inherited, way)?;
    // Before the program runs, which may ask for the size or print at once.
    let relay = created.terminal.take().map(Relay::begin).transpose();
    let relay = relay.context(|| "use the terminal of the container");
    let Created { entry, lock, record, init, .. } = &created;
    let init = Some(init.as_fd());
    let started = relay.and_then(|relay| {
        let notify = prepare_notify(entry)?;
        start_created(entry, record, init, lock)?;
        Ok((relay, notify))
    });
    let (relay, notify) = match started {
        Ok(both) => both,
        Err(error) => {
            // A failed run leaves nothing; a failed hook has removed it already.
            if error.kind() != Kind::Hook {
                destroy(entry, record, init, lock)?;
            }
            return Err(error);
        }
    };
    // Never while the program runs: other verbs may want it.
    drop(created.lock);
    let Some(foreground) = foreground else {
        await_ready(notify, &created.record, Some(created.init.as_fd()))?;
        return Ok(0);
    };
    let process = (created.record.pid(), created.init.as_fd());
    let status =
        trace::during("the program runs", || foreground.wait(process, relay, notify.as_ref()))?;
    if !args.keep {
        let _phase = trace::phase("delete");
        clean_up(&created.entry).context(|| format!("delete container `{}`", args.id))?;
    }
    Ok(status)
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
