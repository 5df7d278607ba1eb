//! Writing limits: all of them, or for a container that runs, all or none.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::files;
use super::resources::{Step, Write, restoring};
use crate::error::{Context, Error, Result};

/// What was written, in order, and what puts back what was there before.
#[derive(Debug, Default)]
pub(super) struct Journal(Vec<(PathBuf, String)>);

impl Journal {
    /// Puts everything back, since `error` came after it; what could not be is named in the hint.
    pub(super) fn undo(&self, error: Error) -> Error {
        // Backwards every state is one that was legal a moment ago.
        let failed: Vec<String> = self
            .0
            .iter()
            .rev()
            .filter_map(|(file, value)| files::write(file, value).err())
            .map(|error| error.to_string())
            .collect();
        match failed.as_slice() {
            [] => error,
            failed => error.hinted(format!("not undone: {}", failed.join("; "))),
        }
    }
}

/// Does everything. The cgroup of a container that cannot be made is removed anyway, so nothing is
/// undone on failure.
///
/// # Errors
/// Whatever the kernel refuses, with the file and the value.
pub(super) fn apply(steps: &[Step]) -> Result<()> {
    steps.iter().try_for_each(|step| apply_step(step, &mut None))
}

/// Does everything or nothing.
///
/// # Errors
/// As [`apply`].
pub(super) fn apply_or_undo(steps: &[Step]) -> Result<Journal> {
    let mut journal = Some(Journal::default());
    let applied = steps.iter().try_for_each(|step| apply_step(step, &mut journal));
    let journal = journal.unwrap_or_default();
    match applied {
        Ok(()) => Ok(journal),
        Err(error) => Err(journal.undo(error)),
    }
}

fn apply_step(step: &Step, journal: &mut Option<Journal>) -> Result<()> {
    match step {
        Step::Write(write) => put(write, journal).context(|| &write.pointer),
        Step::Together(writes) => put_together(writes, journal),
        Step::Check { file, limit } => {
            let usage = files::read(file)?;
            if usage.trim().parse().is_ok_and(|usage: i64| usage > *limit) {
                let text = format!("{limit} is less than what is in use, {}", usage.trim());
                return Err(Error::config("/linux/resources/memory/limit", text));
            }
            Ok(())
        }
    }
}

/// Each value is tried until the kernel takes it or takes none of those that are left.
fn put_together(writes: &[Write], journal: &mut Option<Journal>) -> Result<()> {
    let mut left: VecDeque<&Write> = writes.iter().collect();
    let mut refused = 0;
    while let Some(write) = left.pop_front() {
        match put(write, journal) {
            Ok(()) => refused = 0,
            Err(error) if error.is(libc::EINVAL) && refused < left.len() => {
                refused += 1;
                left.push_back(write);
            }
            Err(error) => return Err(error.wrap(&write.pointer)),
        }
    }
    Ok(())
}

fn put(write: &Write, journal: &mut Option<Journal>) -> Result<()> {
    let written = put_into(&write.file, &write.value, journal);
    let missing = written.as_ref().is_err_and(|error| error.is(libc::ENOENT));
    match (&write.otherwise, missing) {
        (Some((file, value)), true) => explained(put_into(file, value, journal), file),
        (None, true) if write.optional => Ok(()),
        _ => explained(written, &write.file),
    }
}

fn put_into(file: &Path, value: &str, journal: &mut Option<Journal>) -> Result<()> {
    let Some(journal) = journal else { return files::write(file, value) };
    let old = files::read(file);
    files::write(file, value)?;
    // A file that only takes (memory.reclaim) has done what it does.
    if let Ok(old) = old {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        journal.0.push((file.to_path_buf(), restoring(&name, value, &old)));
    }
    Ok(())
}

/// Adds what is likely to be the cause.
fn explained(result: Result<()>, file: &Path) -> Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    result.map_err(|error| match error.errno() {
        Some(libc::ENOENT) if name.contains("sw") && name.starts_with("memory.") => {
            error.hinted("swap is not counted: boot with swapaccount=1, and with CONFIG_SWAP")
        }
        Some(libc::ENOENT) if name.starts_with("hugetlb.") => error.hinted(page_sizes()),
        Some(libc::ENOENT) => error.hinted("this kernel does not offer that limit"),
        Some(libc::EINVAL) if name == "cpu.rt_runtime_us" => {
            error.hinted("the cgroup above needs a real-time budget of at least as much")
        }
        Some(libc::EINVAL) if name.starts_with("cpuset.") => {
            error.hinted("the list is malformed, or names what this machine does not have")
        }
        Some(libc::EACCES | libc::EPERM) if name.starts_with("cpuset.") => {
            error.hinted("the cgroup above has to have all that is on the list")
        }
        Some(libc::EBUSY) if name.starts_with("memory.") => {
            error.hinted("more than that is in use, and cannot be reclaimed")
        }
        Some(libc::ENODEV | libc::ENXIO) if name.contains("io") => {
            error.hinted("major:minor has to name a whole disk, not a partition, that is there")
        }
        Some(libc::EOPNOTSUPP) if name.contains("bfq.weight") => error.hinted(
            "weights of single disks are BFQ's: choose it in /sys/block/DISK/queue/scheduler",
        ),
        _ => error,
    })
}

fn page_sizes() -> String {
    let entries = std::fs::read_dir("/sys/kernel/mm/hugepages").into_iter().flatten().flatten();
    let mut sizes: Vec<String> = entries
        .filter_map(|entry| {
            Some(entry.file_name().to_str()?.strip_prefix("hugepages-")?.to_owned())
        })
        .collect();
    sizes.sort();
    format!("this machine has huge pages of {}", sizes.join(", "))
}
