//! `list`: all containers, as a table or as JSON.

use serde_json::Value;

use super::Call;
use super::state::describe;
use crate::cli;
use crate::error::{Error, Kind, Result};

/// The columns, as runc has them.
const COLUMNS: [&str; 6] = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"];

/// Prints the containers.
pub(super) fn list(call: &mut Call<'_>, args: &cli::List) -> Result<i32> {
    let ids = call.store.ids()?;
    if args.quiet {
        let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
        call.say(&text)?;
        return Ok(0);
    }
    let mut states = Vec::with_capacity(ids.len());
    for id in ids {
        match call.store.open(&id).and_then(|entry| describe(&entry, &entry.read()?)) {
            Ok(state) => states.push(state),
            // Deleted while we looked.
            Err(error) if error.kind() == Kind::NotFound => {}
            // One damaged record must not hide the others.
            Err(error) => log::warn!("{error}"),
        }
    }
    let text = if args.format == "json" {
        let text = serde_json::to_string(&states);
        text.map_err(|error| Error::internal(format!("print the list: {error}")))? + "\n"
    } else {
        table(&states)
    };
    call.say(&text)?;
    Ok(0)
}

fn table(states: &[Value]) -> String {
    let cell = |state: &Value, column: &str| match &state[column.to_lowercase()] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(states.iter().map(|state| COLUMNS.map(|column| cell(state, column))));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells: Vec<_> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("   ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}
