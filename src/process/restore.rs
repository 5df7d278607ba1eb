//! Making a container from images: everything around its processes as `create` makes it, the
//! processes by criu.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use super::checkpoint::{DESCRIPTORS, Images, OUTSIDE};
use super::launch::Child;
use super::parent::{Created, HostDirectories, Receivers, run_hooks};
use super::pid_file::PidFile;
use crate::cgroups;
use crate::checkpoint::{Criu, Notification, Options, Request, Start, Task};
use crate::error::{Context, Error, Result};
use crate::namespaces::{self, Kind, Source};
use crate::plan::{Plan, ProcessRecord, Record};
use crate::resctrl;
use crate::rootfs;
use crate::state::{Entry, Identity, Phase, Reservation};
use crate::sys;

/// Makes the container that `plan` describes from images, in the directory that is reserved for it. On
/// any failure nothing of it is left.
///
/// # Errors
/// What criu says.
pub fn restore(
    plan: &Plan,
    reservation: Reservation<Record>,
    record: Record,
    receivers: &Receivers<'_>,
    (images, options): (&Images, &Options),
) -> Result<Created> {
    refuse(plan)?;
    let entry = reservation.entry()?;
    let handles = namespaces::Handles::open(&plan.namespaces)?;
    let directories = HostDirectories(plan);
    let (mut cgroup, placement) =
        cgroups::prepare(&plan.cgroup).context(|| "prepare the cgroup")?;
    let held: Vec<_> =
        OUTSIDE.iter().filter_map(|(kind, name)| Some((*name, handles.get(*kind)?))).collect();
    let mut kept = vec![images.images.as_raw_fd(), images.work.as_raw_fd()];
    kept.extend(held.iter().map(|(_, fd)| fd.as_raw_fd()));
    let cgroup_fd = placement.at_clone.as_ref().map(AsFd::as_fd);
    let start = Start { cgroup: cgroup_fd, kept, keeps_stdio: true };
    let criu = Criu::start(&start, || {
        cgroups::enter(&placement.tasks)?;
        namespaces::unshare(&[Kind::Mount])?;
        images.reopen()?;
        rootfs::prepare_for_restore(&plan.rootfs)
    })?;
    if !placement.is_done() {
        cgroups::place(&plan.cgroup, &mut cgroup, criu.pid())
            .context(|| "move criu into the cgroup")?;
    }
    cgroups::limit(&plan.cgroup).context(|| "limit the cgroup")?;
    let mut restorer =
        Restorer { plan, entry, record, receivers, child: None, terminal: None, groups: None };
    let mut inherited = standard_descriptors(images)?;
    inherited.extend(held.iter().map(|(name, fd)| ((*name).to_owned(), fd.as_raw_fd())));
    let request = request(plan, images, options, inherited);
    // Its own place only: the child may be on its way into the cgroups of v1 still.
    let request = Request { cgroup_roots: plan.cgroup.roots(), ..request };
    let work = (images.work.as_fd(), images.place.as_path());
    criu.serve(&request, work, &mut |notification, fds| restorer.hear(notification, fds))?;
    criu.finish()?;
    let (record, child, terminal) = restorer.finish()?;
    let pid_file = receivers.pid_file.map(|path| PidFile::write(path, child.pid)).transpose()?;
    if let Some(pid_file) = pid_file {
        pid_file.keep();
    }
    let (entry, lock) = reservation.commit()?;
    std::mem::forget(directories);
    cgroup.keep();
    Ok(Created { entry, lock, record, init: child.release()?, terminal })
}

/// What only init can do, which is not there this time.
fn refuse(plan: &Plan) -> Result<()> {
    if plan.namespaces.net_devices.is_empty() {
        return Ok(());
    }
    let text = "criu cannot restore network devices of the host";
    Err(Error::config("/linux/netDevices", text))
}

fn request<'a>(
    plan: &'a Plan,
    images: &Images,
    options: &'a Options,
    inherited: Vec<(String, i32)>,
) -> Request<'a> {
    let mut external: Vec<String> = Vec::new();
    for it in plan.rootfs.external() {
        external.push(format!("mnt[{}]:{}", it.name.display(), it.source.display()));
    }
    external.sort();
    external.dedup();
    let outside = OUTSIDE.map(|(kind, _)| kind);
    let joined = plan.namespaces.joined_kinds().filter(|kind| !outside.contains(kind));
    let path = |kind: Kind| match plan.namespaces.source(kind) {
        Source::Path(path, _) => Some((kind.link(), path.clone())),
        Source::New | Source::Inherited => None,
    };
    Request {
        task: Task::Restore,
        images: images.images.as_raw_fd(),
        work: images.work.as_raw_fd(),
        pid: None,
        root: plan.rootfs.root_path(),
        external,
        inherited,
        joined: joined.filter_map(path).collect(),
        cgroup_roots: Vec::new(),
        freezer: None,
        options,
    }
}

/// What descriptors 0 to 2 were, each with ours of that number; terminals come with the images.
fn standard_descriptors(images: &Images) -> Result<Vec<(String, i32)>> {
    let opened =
        sys::file::open_at(images.images.as_fd(), Path::new(DESCRIPTORS), libc::O_RDONLY, 0);
    let bytes = match opened {
        Err(error) if error.is(libc::ENOENT) => return Ok(Vec::new()),
        opened => sys::io::read_all(opened?.as_fd())?,
    };
    let names: Vec<String> = serde_json::from_slice(&bytes)
        .map_err(|error| Error::internal(format!("damaged {DESCRIPTORS}: {error}")))
        .context(|| "read what the images say of descriptors")?;
    let outside = |name: &String| name.starts_with("pipe:") || name.starts_with("file[");
    Ok(names.into_iter().zip(0..=2).filter(|(name, _)| outside(name)).collect())
}

/// What is done at the moments that criu tells of.
struct Restorer<'a> {
    plan: &'a Plan,
    entry: &'a Entry<Record>,
    record: Record,
    receivers: &'a Receivers<'a>,
    /// The first process, as long as it is ours to end.
    child: Option<Child>,
    /// The outer side of the terminal, where it is ours.
    terminal: Option<OwnedFd>,
    groups: Option<resctrl::Made>,
}

impl Restorer<'_> {
    fn hear(&mut self, notification: &Notification, mut fds: Vec<OwnedFd>) -> Result<()> {
        log::debug!("criu: {}", notification.script);
        match (notification.script.as_str(), notification.pid) {
            ("setup-namespaces", Some(pid)) => {
                self.adopt(pid)?;
                run_hooks(self.plan, &self.record, pid)
            }
            // Its memory is there, and it does not run yet.
            ("post-restore", Some(pid)) => {
                self.adopt(pid)?;
                cgroups::restrict_devices(&self.plan.cgroup)?;
                self.write()
            }
            ("orphan-pts-master", _) => {
                self.terminal = self.receivers.give_terminal(fds.pop())?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// From here on it is in the record, so that `delete --force` finds it.
    fn adopt(&mut self, pid: i32) -> Result<()> {
        if self.child.is_some() {
            return Ok(());
        }
        let child = Child::new(pid, sys::process::pidfd_open(pid)?);
        if let Some(plan) = &self.plan.resctrl {
            self.record.resctrl = resctrl::intended(plan);
        }
        self.record.init = Some(Identity::of(pid, child.pidfd()?)?);
        self.child = Some(child);
        self.entry.write(&self.record)?;
        let groups = self.plan.resctrl.as_ref().map(|plan| resctrl::apply(plan, pid));
        self.groups = groups.transpose()?;
        Ok(())
    }

    /// Everything is recorded before the program runs.
    fn write(&mut self) -> Result<()> {
        let process = serde_json::to_vec(&ProcessRecord::of(self.plan))
            .map_err(|error| Error::internal(format!("write process.json: {error}")))?;
        self.entry.replace("process.json", &process)?;
        self.record.phase = Phase::Created;
        self.entry.write(&self.record)
    }

    fn finish(self) -> Result<(Record, Child, Option<OwnedFd>)> {
        let child = self.child.ok_or_else(|| Error::internal("criu has restored no process"))?;
        // The record has named them from the beginning.
        self.groups.map(resctrl::Made::keep);
        Ok((self.record, child, self.terminal))
    }
}
