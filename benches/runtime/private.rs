//! A mount namespace of our own: for the bundles' tmpfs, and for the work-around that crun needs.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

const INSIDE: &str = "RRUN_BENCH_INSIDE";

/// The directory for everything, once we are inside. The first time, runs this program again there, and
/// then there is only a status to exit with.
pub(crate) fn enter() -> Result<PathBuf, ExitCode> {
    if let Some(directory) = std::env::var_os(INSIDE) {
        return Ok(directory.into());
    }
    let directory = std::env::temp_dir().join(format!("rrun-bench-{}", std::process::id()));
    std::fs::create_dir(&directory).expect("a directory for the bundles");
    let status = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(std::env::current_exe().unwrap())
        .args(std::env::args_os().skip(1))
        .env(INSIDE, &directory)
        .status()
        .expect("unshare(1)");
    std::fs::remove_dir(&directory).expect("nothing in the directory, which had a tmpfs on it");
    Err(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}
