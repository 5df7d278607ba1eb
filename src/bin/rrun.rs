//! `rrun`: argv in, exit code out. The only place that reports a failure, once.

use std::ffi::OsString;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rrun::cli::{Global, Request};
use rrun::error::{Error, Result};
use rrun::log::{Format, Options};

/// A heap that grows by 64 KiB at a time: musl's own maps and unmaps single pages, two hundred system
/// calls for a `run`, and glibc's is no quicker (docs/performance.md).
#[global_allocator]
static HEAP: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// What rrun exits with where it fails before a verb is known; every verb says for itself.
const FAILURE: i32 = 1;

fn main() -> ExitCode {
    // A panic is our own mistake; it is reported like any other failure, without a backtrace.
    std::panic::set_hook(Box::new(|_| {}));
    let args: Vec<OsString> = std::env::args_os().collect();
    let mut failure = FAILURE;
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| run(&args, &mut failure)));
    let outcome = outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic");
        Err(Error::internal(text).hinted("this is a bug in rrun"))
    });
    let status = match outcome {
        Ok(status) => {
            rrun::log::finish();
            status
        }
        Err(error) => {
            rrun::log::report(&error);
            failure
        }
    };
    ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX))
}

fn run(args: &[OsString], failure: &mut i32) -> Result<i32> {
    let mut out = std::io::stdout().lock();
    let status = match rrun::cli::parse(args, rrun::plan::OCI_VERSION)? {
        Request::Say(text) => {
            let said = out.write_all(text.as_bytes());
            said.map_err(|error| Error::io("write", "standard output", &error))?;
            0
        }
        Request::Do(global, verb) => {
            *failure = verb.failure_status();
            rrun::log::set_up(log_options(&global)?)?;
            rrun::commands::dispatch(args, &global, &verb, &mut out)?
        }
    };
    out.flush().map_err(|error| Error::io("write", "standard output", &error))?;
    Ok(status)
}

fn log_options(global: &Global) -> Result<Options> {
    let json = global.log_format.as_deref() == Some("json");
    Ok(Options {
        file: global.log.as_deref().map(log_file).transpose()?,
        format: if json { Format::Json } else { Format::Text },
        debug: global.debug || global.log_level.as_deref() == Some("debug"),
    })
}

/// A path, with or without the `file:` that crun takes before it.
fn log_file(value: &Path) -> Result<PathBuf> {
    let text = value.to_string_lossy();
    for kind in ["journald:", "syslog:"] {
        if text.starts_with(kind) {
            return Err(Error::unsupported(format!("--log {kind}")));
        }
    }
    Ok(text.strip_prefix("file:").map_or_else(|| value.to_path_buf(), PathBuf::from))
}
