//! One command: how long it took and what it used, as [`measure.c`](measure.c) tells.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

/// What one command used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Milliseconds from start to end.
    pub(crate) wall: f64,
    /// Milliseconds of CPU, its own and of those that it reaped.
    pub(crate) cpu: f64,
    /// The most memory that it or one that it reaped had at once, in KiB.
    pub(crate) rss: f64,
    /// Page faults without reading.
    pub(crate) faults: f64,
    pub(crate) switches: f64,
    pub(crate) failed: bool,
}

/// Runs a command to its end.
pub(crate) fn run(measure: &Path, arguments: &[OsString]) -> Usage {
    let output = Command::new(measure)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", measure.display()));
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = text.split_whitespace().map(|it| it.parse().unwrap()).collect();
    let [wall, cpu, rss, faults, switches, failed] = figures[..] else {
        panic!("{}: {} {text}", arguments[0].display(), output.status)
    };
    Usage { wall, cpu, rss, faults, switches, failed: failed != 0.0 }
}
