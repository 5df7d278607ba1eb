//! What the state of a container keeps of its cgroups, and what can be done with that: look,
//! signal, thaw, remove.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::files;
use super::plan::Place;
use super::systemd::UnitName;
use crate::error::{Context, Error, Result};
use crate::sys;
use crate::sys::quoted;

/// How long the processes of a cgroup that is being removed may take to go.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long an init that has lost its parent may take to notice.
const PATIENCE_WITH_ORPHANS: Duration = Duration::from_secs(1);

/// How often new processes are found among those that are killed, before they are frozen for it.
const ROUNDS: usize = 3;

/// Every cgroup of a container. Written down before any of them is made, so that none can be
/// forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// One in every hierarchy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    places: Vec<Place>,
    /// The scope, where systemd owns the tree. Later verbs ask for it here: engines leave out
    /// `--systemd-cgroup` then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<UnitName>,
}

impl Record {
    /// Adds the cgroup of one hierarchy.
    pub(super) fn add(&mut self, place: &Place) {
        self.places.push(place.clone());
    }

    /// The cgroup of every hierarchy.
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Whether the container stays in the cgroup of its caller.
    pub fn is_absent(&self) -> bool {
        self.places.is_empty()
    }

    /// The one of cgroup v2.
    pub(super) fn unified(&self) -> Option<&Path> {
        self.places.iter().find(|place| place.unified).map(|place| place.directory.as_path())
    }

    /// The one of cgroup v1 with a controller.
    pub(super) fn legacy(&self, controller: &str) -> Option<&Path> {
        let place = self.places.iter().find(|place| place.has(controller))?;
        Some(&place.directory)
    }

    /// The one by which the container is frozen.
    pub fn freezer(&self) -> Option<&Path> {
        self.legacy("freezer").or_else(|| self.unified())
    }

    /// All of them, v2 first: killing is one write there, and empties the others.
    fn directories(&self) -> impl Iterator<Item = &Path> {
        let of = |unified| self.places.iter().filter(move |place| place.unified == unified);
        of(true).chain(of(false)).map(|place| place.directory.as_path())
    }

    /// The pids of all processes in the cgroups and those below them, in order. None if the
    /// container has no cgroup, or has none any more.
    ///
    /// # Errors
    /// As read(2) of cgroup.procs.
    pub fn processes(&self) -> Result<Vec<i32>> {
        let mut pids = BTreeSet::new();
        for directory in self.directories() {
            collect(directory, &mut pids)?;
        }
        Ok(pids.into_iter().collect())
    }

    /// Sends a signal to every process; with SIGKILL until none is left that has not got it. Whether
    /// there was any.
    ///
    /// # Errors
    /// As pidfd_send_signal(2), except for processes that have ended meanwhile.
    pub fn kill_all(&self, signal: i32) -> Result<bool> {
        self.signal_all(signal).context(|| "signal the processes of the cgroup")
    }

    fn signal_all(&self, signal: i32) -> Result<bool> {
        let mut reached = false;
        if signal == libc::SIGKILL {
            reached = self.unified().map_or(Ok(false), kill_unified)?;
        }
        let mut known = BTreeMap::new();
        for round in 0_usize.. {
            if round == ROUNDS && self.unified().is_none() {
                // They fork faster than they are found: on v1 alone they have to be stopped first.
                self.freeze()?;
            }
            let mut new = BTreeMap::new();
            for pid in self.processes()? {
                if known.contains_key(&pid) {
                    continue;
                }
                match sys::process::pidfd_open(pid) {
                    Ok(pidfd) => drop(new.insert(pid, pidfd)),
                    // The second while the process is being reaped (seen on Linux 6.1).
                    Err(error) if error.is(libc::ESRCH) || error.is(libc::EINVAL) => {}
                    Err(error) => return Err(error),
                }
            }
            if new.is_empty() {
                break;
            }
            // A pid that is still in the cgroup now, while we hold the process, is that process.
            let inside = self.processes()?;
            new.retain(|pid, _| inside.binary_search(pid).is_ok());
            for pidfd in new.values() {
                reached |= send(pidfd, signal)?;
            }
            if signal != libc::SIGKILL {
                return Ok(reached);
            }
            known.append(&mut new);
        }
        if signal == libc::SIGKILL {
            self.thaw_for_kill()?;
        }
        Ok(reached)
    }

    /// Removes the cgroups and all below them, killing what is still inside.
    ///
    /// # Errors
    /// EBUSY where something inside does not die; what can be removed is gone all the same.
    pub fn destroy(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut result = Ok(());
        let mut killed = false;
        for directory in self.directories() {
            if remove(directory).is_ok() {
                continue;
            }
            let removed =
                self.kill_once(&mut killed).and_then(|()| self.clear(directory, deadline));
            let removed = removed.context(|| format!("remove the cgroup {}", quoted(directory)));
            result = result.and(removed);
        }
        if result.is_ok() {
            self.forget_unit();
        }
        result
    }

    /// Has systemd forget the scope. It does so by itself sooner or later once that is empty, so a
    /// systemd that does not answer is no failure.
    fn forget_unit(&self) {
        if let Some(unit) = &self.unit
            && let Err(error) = unit.stop()
        {
            log::warn!("remove the scope of the container: {error}");
        }
        self.remove_scopes();
    }

    /// What we made above a subgroup, in those hierarchies of v1 that systemd leaves alone: the scope.
    fn remove_scopes(&self) {
        let Some(unit) = &self.unit else { return };
        for directory in self.directories() {
            let mut above = directory.ancestors().skip(1);
            // One that is not empty is somebody's.
            if let Some(scope) = above.find(|path| path.ends_with(&unit.name)) {
                let _ = remove(scope);
            }
        }
    }

    /// Removes the cgroups that have no process, with those below them, and names the others. For a
    /// container all of whose processes are known to be gone: who is inside now was given the same
    /// path. It may also be an init whose parent was killed in the moment after the clone; that one
    /// is about to end, so it gets the time.
    pub fn remove_empty(&self) {
        let deadline = Instant::now() + PATIENCE_WITH_ORPHANS;
        let mut all = true;
        for directory in self.directories() {
            let mut removed = remove_unpopulated(directory);
            while removed.as_ref().is_err_and(|error| error.is(libc::EBUSY))
                && Instant::now() < deadline
            {
                std::thread::sleep(Duration::from_millis(1));
                removed = remove_unpopulated(directory);
            }
            if let Err(error) = removed {
                all = false;
                log::warn!("{error}: left alone, for its processes are not the container's");
            }
        }
        if all {
            self.forget_unit();
        }
    }

    /// Kills everything, the first time.
    fn kill_once(&self, killed: &mut bool) -> Result<()> {
        if !std::mem::replace(killed, true) {
            self.kill_all(libc::SIGKILL)?;
            self.thaw_for_kill()?;
        }
        Ok(())
    }

    /// Removes a cgroup whose processes are dying. On v2 the kernel tells when it is empty; v1 has
    /// to be asked again and again.
    fn clear(&self, directory: &Path, deadline: Instant) -> Result<()> {
        let mut pause = Duration::from_micros(100);
        loop {
            let events = sys::file::open(&directory.join("cgroup.events"), libc::O_RDONLY);
            // Read before we try, so that a change from here on ends the wait.
            let populated = events.as_ref().is_ok_and(|events| {
                sys::io::read_all(events.as_fd())
                    .is_ok_and(|text| String::from_utf8_lossy(&text).contains("populated 1"))
            });
            match remove_tree(directory) {
                Err(error) if error.is(libc::EBUSY) && Instant::now() < deadline => {}
                other => return other,
            }
            match events {
                Ok(events) if populated => wait_for_change(events.as_fd(), deadline)?,
                _ => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(20));
                }
            }
            // Forked in the moment of the kill, or moved here since.
            self.kill_all(libc::SIGKILL)?;
        }
    }
}

/// Kills by cgroup.kill (Linux 5.14), which no fork escapes. Whether there was anybody.
fn kill_unified(directory: &Path) -> Result<bool> {
    let populated = files::has_line(&directory.join("cgroup.events"), "populated 1");
    match files::write(&directory.join("cgroup.kill"), "1") {
        Err(error) if error.is(libc::ENOENT) || error.is(libc::ENODEV) => Ok(false),
        other => other.map(|()| populated),
    }
}

fn send(pidfd: &OwnedFd, signal: i32) -> Result<bool> {
    match sys::process::pidfd_send_signal(pidfd.as_fd(), signal) {
        Ok(()) => Ok(true),
        Err(error) if error.is(libc::ESRCH) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a cgroup went away while we looked at it.
fn is_gone(error: &Error) -> bool {
    error.is(libc::ENOENT) || error.is(libc::ENODEV)
}

fn collect(directory: &Path, pids: &mut BTreeSet<i32>) -> Result<()> {
    match files::read(&directory.join("cgroup.procs")) {
        // 0 stands for a process that our pid namespace does not show.
        Ok(text) => {
            let numbers = text.lines().filter_map(|line| line.parse::<i32>().ok());
            pids.extend(numbers.filter(|pid| *pid > 0));
        }
        Err(error) if is_gone(&error) => return Ok(()),
        // A threaded cgroup does not tell; its domain does.
        Err(error) if error.is(libc::EOPNOTSUPP) => {}
        Err(error) => return Err(error),
    }
    let below = children(directory)?;
    for child in &below.paths {
        collect(child, pids)?;
    }
    Ok(())
}

/// Whether there is any process in a cgroup or below it.
///
/// # Errors
/// As read(2) of cgroup.procs.
pub(super) fn is_populated(directory: &Path) -> Result<bool> {
    match files::read(&directory.join("cgroup.procs")) {
        // Also a process that our pid namespace does not show: it stands there as 0.
        Ok(text) if !text.is_empty() => return Ok(true),
        Err(error) if is_gone(&error) => return Ok(false),
        // A threaded cgroup does not tell; its domain does.
        Err(error) if !error.is(libc::EOPNOTSUPP) => return Err(error),
        _ => {}
    }
    let below = children(directory)?;
    for child in &below.paths {
        if is_populated(child)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes a cgroup and those below it, unless there is a process in one of them.
fn remove_unpopulated(directory: &Path) -> Result<()> {
    // The kernel refuses that by itself for a cgroup without children.
    match remove(directory) {
        Err(error) if error.is(libc::EBUSY) && !is_populated(directory)? => remove_tree(directory),
        other => other,
    }
}

/// The cgroups below one.
#[derive(Default)]
struct Children {
    paths: Vec<PathBuf>,
    /// What the paths begin with, where the whole would be too long.
    _held: Option<OwnedFd>,
}

fn children(directory: &Path) -> Result<Children> {
    /// Half of PATH_MAX. A container that may make cgroups makes them as deep as it likes, and must
    /// not escape us by it.
    const LONG: usize = 2048;
    if directory.as_os_str().len() > LONG {
        let held = match sys::file::open(directory, libc::O_PATH | libc::O_DIRECTORY) {
            Err(error) if is_gone(&error) => return Ok(Children::default()),
            other => other?,
        };
        let below = children(&sys::file::proc_path(held.as_fd()))?;
        return Ok(Children { _held: Some(held), ..below });
    }
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Children::default());
        }
        Err(error) => return Err(Error::io("open", quoted(directory), &error)),
    };
    let directories = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|t| t.is_dir()));
    Ok(Children { paths: directories.map(|entry| entry.path()).collect(), _held: None })
}

fn remove(directory: &Path) -> Result<()> {
    match std::fs::remove_dir(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("rmdir", quoted(directory), &error))
        }
        _ => Ok(()),
    }
}

/// Removes a cgroup, those below it first.
fn remove_tree(directory: &Path) -> Result<()> {
    let below = children(directory)?;
    for child in &below.paths {
        remove_tree(child)?;
    }
    remove(directory)
}

/// Waits until cgroup.events, which has been read, says something new.
pub(super) fn wait_for_change(events: BorrowedFd<'_>, deadline: Instant) -> Result<()> {
    let patience = deadline.saturating_duration_since(Instant::now());
    sys::io::wait_for_priority(events, patience).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A container that may make cgroups could make one that nobody was able to remove, or to kill.
    #[test]
    fn what_is_deeper_than_a_path_is_long_is_found() {
        let top = std::env::temp_dir().join(format!("rrun-deep-{}", std::process::id()));
        std::fs::create_dir(&top).unwrap();
        let flags = libc::O_PATH | libc::O_DIRECTORY;
        let mut here = sys::file::open(&top, flags).unwrap();
        let name = PathBuf::from("x".repeat(200));
        for _ in 0..50 {
            let procs = (Path::new("cgroup.procs"), sys::file::FileType::RegularFile);
            sys::file::mknod_at(here.as_fd(), procs.0, procs.1, 0o600, (0, 0)).unwrap();
            sys::file::mkdir_at(here.as_fd(), &name, 0o700).unwrap();
            here = sys::file::open_at(here.as_fd(), &name, flags, 0).unwrap();
        }
        let made = sys::file::open_at(
            here.as_fd(),
            Path::new("cgroup.procs"),
            libc::O_CREAT | libc::O_WRONLY,
            0o600,
        );
        sys::io::write_once(made.unwrap().as_fd(), b"42\n").unwrap();
        let mut pids = BTreeSet::new();
        let found = (collect(&top, &mut pids), is_populated(&top));
        let removed = std::process::Command::new("rm").arg("-rf").arg(&top).status().unwrap();
        assert!(removed.success());
        found.0.unwrap();
        assert!(found.1.unwrap() && pids.contains(&42));
    }
}
