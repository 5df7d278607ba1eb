//! Freezing and thawing: the freezer controller on v1, cgroup.freeze on v2 (Linux 5.2).

use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use super::record::Record;
use super::{files, record, refusal};
use crate::error::{Context, Error, Result};
use crate::sys;
use crate::sys::quoted;

/// How long processes may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often v1 is asked before everything is thawed and frozen anew: processes that fork all the
/// time can keep the state at FREEZING.
const ATTEMPTS: u32 = 50;

impl Record {
    /// Whether the container's processes are frozen by the hierarchy that freezes it, on v1 also about to be.
    /// Not if the cgroup is gone.
    pub fn is_frozen(&self) -> bool {
        match (self.legacy("freezer"), self.unified()) {
            (Some(legacy), _) => is_frozen_legacy(legacy),
            (None, Some(own)) => files::has_line(&own.join("cgroup.events"), "frozen 1"),
            (None, None) => false,
        }
    }

    /// Freezes every process, and waits until all are at rest.
    ///
    /// # Errors
    /// Where a process does not come to rest in time, which thaws all again; where the container has
    /// no cgroup that freezes.
    pub fn freeze(&self) -> Result<()> {
        let frozen = match (self.legacy("freezer"), self.unified()) {
            (Some(legacy), _) => freeze_legacy(legacy),
            (None, Some(unified)) => freeze_unified(unified),
            (None, None) => Err(no_freezer()),
        };
        frozen.context(|| "freeze the cgroup")
    }

    /// Lets every process go on.
    ///
    /// # Errors
    /// Where a cgroup above is frozen, which keeps this one frozen too.
    pub fn thaw(&self) -> Result<()> {
        let thawed = match (self.legacy("freezer"), self.unified()) {
            (Some(legacy), _) => thaw_legacy(legacy),
            (None, Some(unified)) => thaw_unified(unified),
            (None, None) => Err(no_freezer()),
        };
        thawed.context(|| "thaw the cgroup")
    }

    /// Thaws what cgroup v1 has frozen: there, a process dies only when it can run. A frozen v2
    /// cgroup needs none of this.
    ///
    /// # Errors
    /// As write(2) to freezer.state.
    pub fn thaw_for_kill(&self) -> Result<()> {
        match self.legacy("freezer") {
            Some(directory) if is_frozen_legacy(directory) => {
                files::write(&directory.join("freezer.state"), "THAWED")
                    .context(|| "thaw the cgroup")
            }
            _ => Ok(()),
        }
    }
}

fn no_freezer() -> Error {
    refusal("it has no cgroup of its own that can be frozen".to_owned()).hinted(
        "on cgroup v1 that takes the controller `freezer`; --cgroup-manager disabled has none",
    )
}

fn is_frozen_legacy(directory: &Path) -> bool {
    let state = files::read_once(&directory.join("freezer.state"));
    state.is_ok_and(|state| matches!(state.trim_end(), "FROZEN" | "FREEZING"))
}

fn freeze_legacy(directory: &Path) -> Result<()> {
    let file = directory.join("freezer.state");
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_micros(50);
    for attempt in 1.. {
        // Once more each time: it reaches those that were forked since.
        files::write(&file, "FROZEN")?;
        if files::has_line(&file, "FROZEN") {
            return Ok(());
        }
        if Instant::now() >= deadline {
            break;
        }
        if attempt % ATTEMPTS == 0 {
            files::write(&file, "THAWED")?;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
    files::write(&file, "THAWED")?;
    Err(restless(directory))
}

fn thaw_legacy(directory: &Path) -> Result<()> {
    let file = directory.join("freezer.state");
    files::write(&file, "THAWED")?;
    match files::has_line(&file, "THAWED") {
        true => Ok(()),
        false => Err(refusal(format!("{} is still frozen", quoted(directory))))
            .hint(|| "a cgroup above is frozen"),
    }
}

fn freeze_unified(directory: &Path) -> Result<()> {
    let file = directory.join("cgroup.freeze");
    files::write(&file, "1")?;
    if await_frozen(directory, true)? {
        return Ok(());
    }
    files::write(&file, "0")?;
    Err(restless(directory))
}

fn thaw_unified(directory: &Path) -> Result<()> {
    files::write(&directory.join("cgroup.freeze"), "0")?;
    // An empty cgroup, or one with nothing but zombies, may never have been frozen.
    match await_frozen(directory, false)? {
        true => Ok(()),
        false => Err(refusal(format!("{} is still frozen", quoted(directory))))
            .hint(|| "a cgroup above is frozen (cgroup.freeze)"),
    }
}

/// Waits until cgroup.events says so; whether it did in time.
fn await_frozen(directory: &Path, frozen: bool) -> Result<bool> {
    let wanted = if frozen { "frozen 1" } else { "frozen 0" };
    // A cgroup above that is frozen keeps this one so for as long as it likes.
    let deadline = Instant::now() + if frozen { PATIENCE } else { PATIENCE / 10 };
    let events = sys::file::open(&directory.join("cgroup.events"), libc::O_RDONLY)?;
    loop {
        let text = sys::io::read_from_start(events.as_fd())?;
        if String::from_utf8_lossy(&text).lines().any(|line| line == wanted) {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        record::wait_for_change(events.as_fd(), deadline)?;
    }
}

fn restless(directory: &Path) -> Error {
    refusal(format!("{} does not come to rest", quoted(directory))).hinted(
        "a process in it hangs in the kernel, on a dead network file system for example; all go on",
    )
}
