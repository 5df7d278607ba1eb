//! `events`: what a container uses, again and again, and the moment that it runs out of memory.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Call;
use super::observe::observe;
use crate::cgroups::OomWatch;
use crate::cli;
use crate::error::{Context, Error, Kind, Result};
use crate::plan::Record;
use crate::state::Verb;
use crate::sys::io::{Interest, wait_for_any};

/// One line of output, as runc has it.
#[derive(Serialize)]
struct Event<'a, T> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
}

/// Prints once with `--stats`, else until the container has ended.
pub(super) fn events(call: &mut Call<'_>, args: &cli::Events) -> Result<i32> {
    if args.interval.is_zero() {
        return Err(Error::message(Kind::Usage, "--interval has to be longer than nothing"));
    }
    let entry = call.store.open(&args.id)?;
    let record = entry.read()?;
    let seen = observe(&entry, &record)?;
    seen.status.require(Verb::Events, &args.id)?;
    if record.cgroup.is_absent() {
        let text =
            format!("container `{}` has no cgroup of its own, so nothing is counted", args.id);
        return Err(Error::message(Kind::State, text));
    }
    if args.stats {
        say_stats(call, &record)?;
        return Ok(0);
    }
    let Some(init) = seen.init else { return Ok(0) };
    let mut watch = record.cgroup.watch_oom().context(|| "watch the cgroup")?;
    let mut next = Instant::now() + args.interval;
    loop {
        let mut interests = vec![Interest::Readable(init.as_fd())];
        interests.extend(watch.as_ref().map(OomWatch::interest));
        let left = next.saturating_duration_since(Instant::now());
        let happened = wait_for_any(&interests, left)?;
        // The end last: what killed the container is told before it.
        if let Some(watch) = &mut watch
            && watch.has_happened()?
        {
            say(call, &Event::<()> { kind: "oom", id: &args.id, data: None })?;
        }
        if happened.first() == Some(&true) {
            return Ok(0);
        }
        if Instant::now() >= next {
            say_stats(call, &record)?;
            next = later(next, args.interval);
        }
    }
}

/// The next moment that is not past: whoever is late skips.
fn later(mut moment: Instant, interval: Duration) -> Instant {
    let now = Instant::now();
    moment += interval;
    if moment < now { now + interval } else { moment }
}

fn say_stats(call: &mut Call<'_>, record: &Record) -> Result<()> {
    let stats = record.cgroup.stats();
    say(call, &Event { kind: "stats", id: &record.id, data: Some(stats) })
}

fn say<T: Serialize>(call: &mut Call<'_>, event: &Event<'_, T>) -> Result<()> {
    let text = serde_json::to_string(event)
        .map_err(|error| Error::internal(format!("print an event: {error}")))?;
    call.say(&format!("{text}\n"))
}
