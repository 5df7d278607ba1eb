//! Getting another process into the cgroups of a container that exists (`exec`).

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use super::plan::Place;
use super::record::Record;
use super::subgroup::SubGroups;
use super::{Placement, refusal};
use crate::error::{Context, Error, Kind, Result};
use crate::sys;
use crate::sys::procfs::Procfs;
use crate::sys::quoted;

/// Opens what a process needs to get into the container's cgroups, or into those below them that
/// were asked for. Nothing is made.
///
/// # Errors
/// ENOENT for a cgroup that is not there.
pub fn prepare_joining(record: &Record, groups: &SubGroups) -> Result<Placement> {
    let controllers: Vec<_> =
        record.places().iter().map(|place| place.controllers.as_slice()).collect();
    if let Some(name) = groups.unknown(&controllers) {
        let text = format!("--cgroup: the container has no cgroup of the controller `{name}`");
        return Err(Error::message(Kind::Usage, text));
    }
    let mut placement = Placement::default();
    for place in record.places() {
        let directory = place.directory.join(groups.within(&place.controllers));
        open(place, &directory, &mut placement)
            .context(|| format!("join the cgroup {}", quoted(&directory)))?;
    }
    Ok(placement)
}

fn open(place: &Place, directory: &Path, placement: &mut Placement) -> Result<()> {
    if place.unified {
        placement.at_clone = Some(sys::file::open(directory, libc::O_PATH | libc::O_DIRECTORY)?);
    } else {
        placement.tasks.push(sys::file::open(&directory.join("tasks"), libc::O_WRONLY)?);
    }
    Ok(())
}

/// Where a container has made cgroups below its own and given them controllers, its own takes no
/// process any more: the new one goes where the container's first process is, as with runc.
///
/// # Errors
/// Where that is outside the container's cgroup.
pub fn follow_first_process(
    record: &Record,
    proc: &Procfs,
    pid: i32,
    placement: &mut Placement,
) -> Result<()> {
    let Some(place) = record.places().iter().find(|place| place.unified) else { return Ok(()) };
    let file = proc.open(&format!("{pid}/cgroup"), libc::O_RDONLY)?;
    let text = sys::io::read_all(file.as_fd())?;
    let text = String::from_utf8_lossy(&text);
    let own = text.lines().find_map(|line| line.strip_prefix("0::/"));
    let own = own.ok_or_else(|| Error::internal(format!("`/proc/{pid}/cgroup` has no v2 line")))?;
    let directory: PathBuf = place.mount.join(own);
    if !directory.starts_with(&place.directory) || own.split('/').any(|name| name == "..") {
        return Err(refusal(format!(
            "the container's first process is in {}, which is not below {}",
            quoted(&directory),
            quoted(&place.directory)
        )));
    }
    let flags = libc::O_PATH | libc::O_DIRECTORY;
    let held = sys::file::open(&directory, flags).context(|| "join the cgroup of its init")?;
    placement.at_clone = Some(held);
    Ok(())
}

impl Placement {
    /// Whether the v2 cgroup gives its children controllers, so that it takes no process itself.
    pub fn has_children_with_controllers(&self) -> bool {
        let Some(directory) = &self.at_clone else { return false };
        let path = Path::new("cgroup.subtree_control");
        let file = sys::file::open_at(directory.as_fd(), path, libc::O_RDONLY, 0);
        file.and_then(|file| sys::io::read_all(file.as_fd())).is_ok_and(|text| !text.is_empty())
    }

    /// Where `CLONE_INTO_CGROUP` was refused by an outer sandbox: the process moves itself.
    ///
    /// # Errors
    /// As openat(2).
    pub fn without_clone3(&mut self) -> Result<()> {
        if let Some(directory) = self.at_clone.take() {
            let path = Path::new("cgroup.procs");
            self.tasks.push(sys::file::open_at(directory.as_fd(), path, libc::O_WRONLY, 0)?);
        }
        Ok(())
    }
}
