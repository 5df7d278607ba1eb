//! `ps`: the processes of a container.

use super::Call;
use super::observe::observe;
use crate::cli;
use crate::error::{Context, Error, Kind, Result};
use crate::state::Verb;

/// Prints the pids as JSON, or what ps(1) says of them.
pub(super) fn ps(call: &mut Call<'_>, args: &cli::Ps) -> Result<i32> {
    let entry = call.store.open(&args.id)?;
    let record = entry.read()?;
    let seen = observe(&entry, &record)?;
    seen.status.require(Verb::Ps, &args.id)?;
    let mut pids = record.cgroup.processes().context(|| "list the processes of the cgroup")?;
    if pids.is_empty() && seen.init.is_some() {
        // No cgroup of its own: init is all that is known.
        pids.push(record.pid());
    }
    let text = if args.format == "json" {
        let pids: Vec<String> = pids.iter().map(i32::to_string).collect();
        format!("[{}]\n", pids.join(","))
    } else {
        table(&pids, &args.options)?
    };
    call.say(&text)?;
    Ok(0)
}

/// The lines of ps(1) whose PID is one of ours, as runc does it: the options are the caller's.
fn table(pids: &[i32], options: &[String]) -> Result<String> {
    let default = ["-ef".to_owned()];
    let options = if options.is_empty() { &default } else { options };
    let output = std::process::Command::new("ps")
        .args(options)
        .output()
        .map_err(|error| Error::io("execve", "`ps`", &error))
        .hint(|| "the table is made by ps(1) of procps; --format json goes without it")?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        return Err(Error::message(Kind::Usage, format!("ps {}: {words}", options.join(" "))));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let Some(column) = header.split_whitespace().position(|name| name == "PID") else {
        return Err(Error::message(Kind::Usage, "the options of ps(1) show no PID column"));
    };
    let is_ours = |line: &&str| {
        let field = line.split_whitespace().nth(column);
        field.and_then(|field| field.parse().ok()).is_some_and(|pid: i32| pids.contains(&pid))
    };
    let ours: Vec<&str> = std::iter::once(header).chain(lines.filter(is_ours)).collect();
    Ok(ours.join("\n") + "\n")
}
