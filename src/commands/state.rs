//! `state`: the state of a container as JSON.

use super::Call;
use super::observe::observe;
use crate::cli;
use crate::error::{Error, Result};
use crate::plan::Record;
use crate::state::Entry;

/// Prints the state.
pub(super) fn state(call: &mut Call<'_>, args: &cli::State) -> Result<i32> {
    let entry = call.store.open(&args.id)?;
    let record = entry.read()?;
    let state = describe(&entry, &record)?;
    let text = serde_json::to_string_pretty(&state)
        .map_err(|error| Error::internal(format!("print the state: {error}")))?;
    call.say(&format!("{text}\n"))?;
    Ok(0)
}

/// The state as `state` and `list` show it. runc leaves the owner to `list`; here both have it.
pub(super) fn describe(entry: &Entry<Record>, record: &Record) -> Result<serde_json::Value> {
    let seen = observe(entry, record)?;
    let owner = user_name(record.owner);
    Ok(record.extended_state(seen.status.name(), seen.pid(record), owner))
}

/// A user's name by the host's /etc/passwd, or the number.
fn user_name(uid: u32) -> String {
    if uid == 0 {
        return "root".to_owned();
    }
    let text = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| uid.to_string())
}
