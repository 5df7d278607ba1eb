//! `run`: create, start and, in the foreground, wait and delete.

use std::os::fd::AsFd;

use super::Call;
use super::create::{make, prepare};
use super::delete::destroy;
use super::start::start_created;
use crate::cli;
use crate::error::{Context, Kind, Result};
use crate::plan::Record;
use crate::process::{Created, Foreground};
use crate::state::Entry;

/// Runs a container; its own exit status is ours.
pub(super) fn run(call: &mut Call<'_>, args: &cli::Run) -> Result<i32> {
    let inherited = prepare(call, &args.container, &args.id)?;
    let foreground = if args.detach {
        None
    } else {
        // Before the clone: a signal or a death in between must wait for us.
        Some(Foreground::prepare(!args.container.no_subreaper)?)
    };
    let created = make(call, &args.container, &args.id, inherited, "run")?;
    let Created { entry, lock, record, init } = &created;
    let init = Some(init.as_fd());
    if let Err(error) = start_created(entry, record, init, lock) {
        // A failed run leaves nothing; a failed hook has removed it already.
        if error.kind() != Kind::Hook {
            destroy(entry, record, init, lock)?;
        }
        return Err(error);
    }
    // Never while the program runs: other verbs may want it.
    drop(created.lock);
    let Some(foreground) = foreground else { return Ok(0) };
    let status = foreground.wait(created.record.pid(), created.init.as_fd())?;
    if !args.keep {
        clean_up(&created.entry).context(|| format!("delete container `{}`", args.id))?;
    }
    Ok(status)
}

/// Somebody may have deleted it meanwhile, or even made a new one of the same name, which the held
/// directory tells apart.
fn clean_up(entry: &Entry<Record>) -> Result<()> {
    let deleted = entry.lock("delete").and_then(|lock| {
        let record = entry.read()?;
        destroy(entry, &record, None, &lock)
    });
    match deleted {
        Err(error) if error.kind() == Kind::NotFound => Ok(()),
        other => other,
    }
}
