//! Being told the moment that a container runs out of memory: an eventfd on v1, memory.events on v2.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use super::record::Record;
use super::{files, stats};
use crate::error::Result;
use crate::sys;
use crate::sys::io::Interest;

/// Tells when the kernel has killed for want of memory.
#[derive(Debug)]
pub enum OomWatch {
    /// The file memory.events, and how many it has told of.
    Unified(OwnedFd, u64),
    /// The counter to which the kernel adds, and the cgroup.
    Legacy(OwnedFd, PathBuf),
}

impl Record {
    /// Begins to watch. None where no cgroup of the container counts memory.
    ///
    /// # Errors
    /// As open(2) and write(2) of the cgroup's files.
    pub fn watch_oom(&self) -> Result<Option<OomWatch>> {
        if let Some(own) = self.legacy("memory") {
            return watch_legacy(own).map(Some);
        }
        let Some(own) = self.unified() else { return Ok(None) };
        match sys::file::open(&own.join("memory.events"), libc::O_RDONLY) {
            Err(error) if error.is(libc::ENOENT) => Ok(None),
            file => {
                let file = file?;
                let count = kills(&sys::io::read_from_start(file.as_fd())?);
                Ok(Some(OomWatch::Unified(file, count)))
            }
        }
    }
}

/// cgroup.event_control takes the number of an eventfd and that of the file to be told of.
fn watch_legacy(own: &Path) -> Result<OomWatch> {
    let counter = sys::io::counter()?;
    let control = sys::file::open(&own.join("memory.oom_control"), libc::O_RDONLY)?;
    let line = format!("{} {}", counter.as_raw_fd(), control.as_raw_fd());
    files::write(&own.join("cgroup.event_control"), &line)?;
    Ok(OomWatch::Legacy(counter, own.to_path_buf()))
}

fn kills(events: &[u8]) -> u64 {
    let counts = stats::keyed(&String::from_utf8_lossy(events));
    counts.get("oom_kill").copied().unwrap_or(0)
}

impl OomWatch {
    /// What to wait for.
    pub fn interest(&self) -> Interest<'_> {
        match self {
            OomWatch::Unified(file, _) => Interest::Changed(file.as_fd()),
            OomWatch::Legacy(counter, _) => Interest::Readable(counter.as_fd()),
        }
    }

    /// Whether it has happened since the last time that we asked.
    ///
    /// # Errors
    /// Never for a cgroup that is gone: it is out of nothing.
    pub fn has_happened(&mut self) -> Result<bool> {
        match self {
            OomWatch::Unified(file, known) => {
                let Some(count) = count(file.as_fd())? else { return Ok(false) };
                Ok(std::mem::replace(known, count) < count)
            }
            // The end of the cgroup is told the same way.
            OomWatch::Legacy(counter, own) => match sys::io::take_count(counter.as_fd()) {
                Err(error) if error.is(libc::EAGAIN) => Ok(false),
                taken => taken.map(|_| own.join("memory.oom_control").exists()),
            },
        }
    }
}

fn count(file: BorrowedFd<'_>) -> Result<Option<u64>> {
    match sys::io::read_from_start(file) {
        Err(error) if error.is(libc::ENODEV) || error.is(libc::ENOENT) => Ok(None),
        text => text.map(|text| Some(kills(&text))),
    }
}
