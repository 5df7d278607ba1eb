//! Phases of what rrun does, for `--trace`: who did what, from when on and for how long.
//!
//! A phase is recorded by a guard ([`phase`]); where nobody asked for a trace, that is one look at a
//! flag. Every process records its own: a clone begins with an empty list ([`begin_as`]) and sends what
//! it has over the connections that are there anyway ([`take`], [`add`]), so that nothing that becomes
//! a container holds a file of the host for it. The process of the verb writes the whole ([`document`]).
//!
//! Times are those of CLOCK_REALTIME, the clock that no time namespace shifts (time_namespaces(7)).

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Bytes that the phases of one process may take on their way; what comes later is not told.
const LIMIT: usize = 48 * 1024;

/// What no process can tell of itself, since it would have to say so under the container's filter: the
/// time between its last word and the execve that closes its connection.
pub const LAST_PHASE: &str = "limits, seccomp, execve";

/// Something that one of rrun's processes did: who, what, and nanoseconds: from when on (since 1970),
/// for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span(Cow<'static, str>, Cow<'static, str>, u64, u64);

static IS_ON: AtomicBool = AtomicBool::new(false);
static RECORDED: Mutex<Recorded> = Mutex::new(Recorded { who: "", spans: Vec::new() });

struct Recorded {
    who: &'static str,
    spans: Vec<Span>,
}

fn with<T>(work: impl FnOnce(&mut Recorded) -> T) -> T {
    work(&mut RECORDED.lock().unwrap_or_else(PoisonError::into_inner))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Whether anybody wants to know.
pub fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// Records from now on, in the name of `who`.
pub fn begin(who: &'static str) {
    IS_ON.store(true, Ordering::Relaxed);
    with(|recorded| *recorded = Recorded { who, spans: Vec::new() });
}

/// In a clone: what was recorded before it is its parent's, and what comes is its own.
pub fn begin_as(who: &'static str) {
    if is_on() {
        begin(who);
    }
}

/// Records no more, and forgets.
pub fn end() {
    IS_ON.store(false, Ordering::Relaxed);
    with(|recorded| recorded.spans = Vec::new());
}

/// A phase that lasts until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Phase(Option<(Cow<'static, str>, u64)>);

impl Drop for Phase {
    fn drop(&mut self) {
        if let Some((what, from)) = self.0.take() {
            let lasted = now().saturating_sub(from);
            with(|recorded| recorded.spans.push(Span(recorded.who.into(), what, from, lasted)));
        }
    }
}

/// Begins a phase.
pub fn phase(what: &'static str) -> Phase {
    Phase(is_on().then(|| (what.into(), now())))
}

/// A phase that is one expression.
pub fn during<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    let _phase = phase(what);
    work()
}

/// Begins a phase whose name is made only where it is wanted.
pub fn phase_of(what: impl FnOnce() -> String) -> Phase {
    Phase(is_on().then(|| (what().into(), now())))
}

/// Begins a phase of another process, which cannot tell of it: it is over when this is dropped.
pub fn phase_in(who: &'static str, what: &'static str) -> Remote {
    Remote(is_on().then(|| (who, what, now())))
}

/// A phase of another process, as seen from here.
#[derive(Debug)]
#[must_use]
pub struct Remote(Option<(&'static str, &'static str, u64)>);

impl Drop for Remote {
    fn drop(&mut self) {
        if let Some((who, what, from)) = self.0.take() {
            let lasted = now().saturating_sub(from);
            with(|recorded| recorded.spans.push(Span(who.into(), what.into(), from, lasted)));
        }
    }
}

/// What this process has recorded so far, to be sent: as much as a packet takes.
pub fn take() -> Vec<Span> {
    let mut spans = with(|recorded| std::mem::take(&mut recorded.spans));
    let mut bytes = 0;
    // Beside the names two numbers, quotes, brackets; in JSON a control character takes six bytes.
    let too_much = spans.iter().position(|span| {
        bytes += span.0.len() + span.1.len() * 6 + 60;
        bytes > LIMIT
    });
    spans.truncate(too_much.unwrap_or(spans.len()));
    spans
}

/// What another process has recorded.
pub fn add(spans: Vec<Span>) {
    with(|recorded| recorded.spans.extend(spans));
}

/// Everything, in the JSON of Chrome's `about:tracing` and of <https://ui.perfetto.dev> ("Trace Event
/// Format"): complete events, one process of the viewer for each of rrun's; microseconds since the first.
pub fn document() -> String {
    let mut spans = with(|recorded| std::mem::take(&mut recorded.spans));
    // What is longer comes first: it holds the other.
    spans.sort_by_key(|span| (span.2, std::cmp::Reverse(span.3)));
    let first = spans.first().map_or(0, |span| span.2);
    let mut known: Vec<Cow<'static, str>> = Vec::new();
    let mut events = Vec::new();
    for Span(who, what, from, lasted) in spans {
        let number = known.iter().position(|it| *it == who).unwrap_or_else(|| {
            known.push(who.clone());
            events.push(json!({"ph": "M", "name": "process_name", "pid": known.len(), "tid": 1,
                "args": {"name": who}}));
            known.len() - 1
        });
        events.push(json!({"ph": "X", "cat": "rrun", "name": what, "pid": number + 1, "tid": 1,
            "ts": micros(from - first), "dur": micros(lasted)}));
    }
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    format!("{{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n{}\n]}}\n", lines.join(",\n"))
}

#[allow(clippy::cast_precision_loss)] // a trace of a hundred days
fn micros(nanos: u64) -> Value {
    json!(nanos as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    // One test, since what is recorded is the process's.
    #[test]
    fn phases_of_two_processes_become_one_document() {
        drop(phase("nobody asked"));
        begin("rrun");
        let outer = phase("outer");
        drop(phase_of(|| "inner".to_owned()));
        drop(outer);
        drop(phase_in("init", "execve"));
        add(vec![Span("init".into(), "mount `/proc`".into(), 1, 2)]);
        let value: Value = serde_json::from_str(&document()).unwrap();
        let events = value["traceEvents"].as_array().unwrap();
        let names: Vec<_> = events.iter().map(|it| it["name"].as_str().unwrap()).collect();
        let expected =
            ["process_name", "mount `/proc`", "process_name", "outer", "inner", "execve"];
        assert_eq!(names, expected);
        assert_eq!((&events[1]["ts"], &events[1]["dur"]), (&json!(0.0), &json!(0.002)));
        assert_eq!(events[1]["pid"], events[5]["pid"]);
        begin_as("init");
        for _ in 0..10_000 {
            drop(phase("one of many"));
        }
        let sent = serde_json::to_vec(&take()).unwrap();
        assert!(sent.len() < LIMIT && sent.len() > LIMIT / 4, "{}", sent.len());
        end();
        drop(phase("nobody asks any more"));
        assert!(take().is_empty());
    }
}
