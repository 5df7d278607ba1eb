//! `pause` and `resume`: freezes the processes of a container, and lets them go on.

use super::Call;
use super::observe::observe_held;
use crate::cli;
use crate::error::{Context, Result};
use crate::plan::Record;
use crate::state::Verb;

/// Freezes.
pub(super) fn pause(call: &mut Call<'_>, args: &cli::Pause) -> Result<i32> {
    change(call, &args.id, Verb::Pause, |record| record.cgroup.freeze())
}

/// Thaws.
pub(super) fn resume(call: &mut Call<'_>, args: &cli::Resume) -> Result<i32> {
    change(call, &args.id, Verb::Resume, |record| record.cgroup.thaw())
}

fn change(
    call: &Call<'_>,
    id: &str,
    verb: Verb,
    act: impl FnOnce(&Record) -> Result<()>,
) -> Result<i32> {
    let entry = call.store.open(id)?;
    let lock = entry.lock(verb.name())?;
    let record = entry.read()?;
    observe_held(&entry, &record, &lock)?.status.require(verb, id)?;
    act(&record).context(|| format!("{} container `{id}`", verb.name()))?;
    Ok(0)
}
