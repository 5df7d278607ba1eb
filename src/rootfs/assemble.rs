//! Making the root file system: the root itself, the mounts in it, `/dev`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use libc::{MS_PRIVATE, MS_SHARED, MS_SLAVE, O_DIRECTORY, O_PATH};

use super::bind::{self, Source};
use super::outside::Outside;
use super::plan::{Action, FileSystem, Mount, MountNamespace, Plan, Propagation, Root};
use super::target::{self, Target, Want};
use super::{attributes, cgroup, devices, filesystem, union};
use crate::error::{Context, Error, Kind, Result};
use crate::sys::entry;
use crate::sys::file::{self, FileType};
use crate::sys::magic;
use crate::sys::mount;
use crate::trace;

/// A root file system that is complete, and not yet anybody's `/`.
#[derive(Debug)]
pub struct Assembled<'a> {
    pub(super) plan: &'a Plan,
    pub(super) root: OwnedFd,
    /// The host's /dev/null, to mask files with.
    pub(super) null: Option<OwnedFd>,
    /// Mounts to be made read-only when nothing more is made in them.
    pub(super) late: Vec<OwnedFd>,
}

/// Sets the propagation type of the new mount namespace. This comes before every mount, so that none
/// reaches the host.
///
/// # Errors
/// As mount_setattr(2).
pub fn propagate(plan: &Plan) -> Result<()> {
    if plan.mount_namespace != MountNamespace::New {
        return Ok(());
    }
    let root = file::open(Path::new("/"), O_PATH | O_DIRECTORY)?;
    attributes::propagate(root.as_fd(), plan.propagation)
        .context(|| "set the propagation type of the mount namespace")
}

/// Makes the root file system and puts it where `root.path` is, in the mount namespace that the caller
/// is in; [`Assembled::pivot`] takes it from there.
/// The caller is alone in its process, and root in the user namespace of the container; `outside` is
/// its parent, where that can do more.
///
/// # Errors
/// Whatever the kernel refuses, with the mount or device that it was about.
pub fn assemble<'a>(plan: &'a Plan, outside: Option<&dyn Outside>) -> Result<Assembled<'a>> {
    // Modes are meant as they are written. The container's own mask is set by a later step.
    let mask = file::umask(0);
    let assembled = match plan.mount_namespace {
        MountNamespace::New => build(plan, outside),
        MountNamespace::Joined | MountNamespace::Shared => open_root(plan.root_path())
            .map(|root| Assembled { plan, root, null: None, late: Vec::new() }),
    };
    let complete = assembled.and_then(|assembled| {
        let Some(cwd) = &plan.cwd else { return Ok(assembled) };
        working_directory(assembled.root(), cwd)
            .context(|| format!("make the working directory `{}`", cwd.display()))?;
        Ok(assembled)
    });
    file::umask(mask);
    complete
}

fn build<'a>(plan: &'a Plan, outside: Option<&dyn Outside>) -> Result<Assembled<'a>> {
    let phase = trace::phase("open the sources of binds");
    let source = |(index, mount)| source(index, mount, outside.filter(|_| plan.user_namespace));
    let sources = plan.mounts.iter().enumerate().map(source).collect::<Result<Vec<_>>>()?;
    drop(phase);
    let masked = !plan.masked_paths.is_empty();
    let null = masked.then(devices::host_null).transpose().context(|| "open `/dev/null`")?;
    if may_reach_the_host(plan) {
        // From here on mounts are made and, without a pivot, taken away in what are peers of the
        // host's. The sources have been copied and keep their propagation.
        leave_the_peers().context(|| "leave the peer groups of the host")?;
    }
    let phase = trace::phase("make and attach the root");
    let root = make_root(plan, outside).context(|| "make the root file system")?;
    put_in_place(plan, root.as_fd()).context(|| "attach the root file system")?;
    drop(phase);
    let mut assembled = Assembled { plan, root, null, late: Vec::new() };
    for (index, source) in sources.into_iter().enumerate() {
        let mount = &plan.mounts[index];
        let _phase = trace::phase_of(|| format!("mount `{}`", mount.destination.display()));
        assembled
            .mount((index, mount), source, outside)
            .context(|| format!("mount `{}`", mount.destination.display()))?;
    }
    if let Some(devices) = &plan.devices {
        let _phase = trace::phase("devices");
        devices::make(assembled.root(), devices, plan.user_namespace)?;
    }
    Ok(assembled)
}

fn source(index: usize, mount: &Mount, outside: Option<&dyn Outside>) -> Result<Option<Source>> {
    let Action::Bind(bind) = &mount.action else { return Ok(None) };
    let ask = |error| outside.map_or(Err(error), |outside| outside.source(Some(index)));
    bind::open(bind, ask).map(Some).context(|| {
        format!("bind `{}` to `{}`", bind.source.display(), mount.destination.display())
    })
}

fn open_root(path: &Path) -> Result<OwnedFd> {
    file::open(path, O_PATH | O_DIRECTORY)
        .context(|| "open the root file system")
        .hint(|| "`root.path` in config.json names a directory, relative to the bundle")
}

/// The root, detached, with everything that is mounted below it, and private at the top unless
/// config.json says slave: what is mounted in the image on the host later is not the container's.
pub(super) fn make_root(plan: &Plan, outside: Option<&dyn Outside>) -> Result<OwnedFd> {
    let root = match &plan.root {
        Root::Layers { layers, path } => union::make(layers, path, plan.user_namespace)?,
        Root::Directory(path) => match (open_root(path), outside) {
            (Err(error), Some(outside)) if error.is(libc::EACCES) && plan.user_namespace => {
                outside.source(None)?
            }
            (held, _) => mount::clone_tree(held?.as_fd(), true)?,
        },
    };
    let kind = if plan.root_is_slave { MS_SLAVE } else { MS_PRIVATE };
    attributes::propagate(root.as_fd(), Propagation { kind, recursive: false })?;
    Ok(root)
}

/// Whether mounts of the new namespace may still have peers outside.
fn may_reach_the_host(plan: &Plan) -> bool {
    plan.propagation.kind == MS_SHARED || !plan.propagation.recursive
}

fn leave_the_peers() -> Result<()> {
    let old = file::open(Path::new("/"), O_PATH | O_DIRECTORY)?;
    attributes::propagate(old.as_fd(), Propagation { kind: MS_SLAVE, recursive: true })
}

/// Attaches the root to where the document says it is, so that hooks, which run before the pivot and
/// know no other name for it, find there what the container will see. Layers may have no such
/// directory, and the container's root may not be able to reach it: then it goes on top of `/`, unseen
/// by path look-ups, which begin below.
fn put_in_place(plan: &Plan, root: BorrowedFd<'_>) -> Result<()> {
    let flags = O_PATH | O_DIRECTORY;
    let place = match file::open(plan.root_path(), flags) {
        Err(error) if error.is(libc::EACCES) || matches!(plan.root, Root::Layers { .. }) => {
            file::open(Path::new("/"), flags)?
        }
        place => place?,
    };
    mount::move_mount(root, place.as_fd())
}

/// Whether a bind gives the container its `/proc` or `/sys`: paths below are masked and made read-only
/// later, so that it has to be in that place and not behind a link of the image.
fn stands_for_proc_or_sys(mount: &Mount, source: &Source) -> Result<bool> {
    let kind = file::fstatfs(source.fd.as_fd())?.f_type;
    let top = mount.destination.components().filter(|part| matches!(part, Component::Normal(_)));
    Ok(matches!(kind, magic::PROC_MAGIC | magic::SYSFS_MAGIC) && top.count() == 1)
}

/// A directory that the caller may not even see exists; whether the user can enter it shows later.
fn working_directory(root: BorrowedFd<'_>, cwd: &Path) -> Result<()> {
    match target::find(root, cwd, Want::Directory) {
        Err(error) if !error.is(libc::EACCES) => Err(error),
        _ => Ok(()),
    }
}

/// Takes a mount away and puts a copy of it in its place that is changed while it is nowhere: what has
/// ever been seen cannot be idmapped any more.
fn replaced(
    mounted: &OwnedFd,
    to: BorrowedFd<'_>,
    change: impl FnOnce(BorrowedFd<'_>) -> Result<()>,
) -> Result<OwnedFd> {
    let copy = mount::clone_tree(mounted.as_fd(), false)?;
    mount::umount_detach(&file::proc_path(mounted.as_fd()))?;
    change(copy.as_fd())?;
    mount::move_mount(copy.as_fd(), to)?;
    Ok(copy)
}

impl Assembled<'_> {
    /// The root of the container, opened with O_PATH: every path inside it is looked up from here.
    pub fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    fn mount(
        &mut self,
        (index, mount): (usize, &Mount),
        source: Option<Source>,
        outside: Option<&dyn Outside>,
    ) -> Result<()> {
        let map_ids = |at: BorrowedFd<'_>| match (&mount.idmapped, outside) {
            (None, _) => Ok(()),
            (Some(_), Some(outside)) => outside.idmap(index, at),
            (Some(_), None) => Err(Error::call("mount_setattr", "idmap", libc::EPERM))
                .hint(|| "idmapped mounts take the powers of the machine's root"),
        };
        let target = self.target(mount, source.as_ref())?;
        let to = target.fd.as_fd();
        let mounted = match (&mount.action, source) {
            (Action::Bind(_), Some(source)) => {
                map_ids(source.fd.as_fd())?;
                mount::move_mount(source.fd.as_fd(), to)?;
                source.fd
            }
            (Action::Bind(_), None) => return Err(Error::internal("a bind without a source")),
            (Action::FileSystem(wanted), _) => {
                let mounted = match filesystem::mount(wanted, &target) {
                    // No fresh one in a user namespace that does not own what it shows.
                    Err(error) if error.is(libc::EPERM) => {
                        filesystem::of_the_host(wanted, to)?.ok_or(error)?
                    }
                    other => other?,
                };
                self.label_queues(wanted, mounted.as_fd())?;
                match &mount.idmapped {
                    None => mounted,
                    Some(_) => replaced(&mounted, to, map_ids)?,
                }
            }
            (Action::Cgroups { tree, top }, _) => {
                cgroup::mount(tree, *top, self.plan.label.as_ref(), to)?
            }
            (Action::Remount { bind, with }, _) => {
                filesystem::remount(with, *bind, to)?;
                target.fd
            }
        };
        attributes::change(mounted.as_fd(), true, mount.tree)?;
        for propagation in &mount.propagation {
            attributes::propagate(mounted.as_fd(), *propagation)?;
        }
        if matches!(&mount.action, Action::FileSystem(wanted) if wanted.read_only_late) {
            self.late.push(mounted);
        }
        Ok(())
    }

    /// A message queue file system takes no context when it is mounted, only afterwards.
    fn label_queues(&self, wanted: &FileSystem, mounted: BorrowedFd<'_>) -> Result<()> {
        match &self.plan.label {
            Some(label) if wanted.fstype == "mqueue" => {
                entry::set_xattr(mounted, "security.selinux", label.value.as_bytes())
                    .context(|| "label it as /linux/mountLabel says")
            }
            _ => Ok(()),
        }
    }

    fn target(&self, mount: &Mount, source: Option<&Source>) -> Result<Target> {
        let real = match (&mount.action, source) {
            (Action::FileSystem(wanted), _) => wanted.wants_real_directory(),
            (Action::Bind(_), Some(source)) => stands_for_proc_or_sys(mount, source)?,
            _ => false,
        };
        let want = source.map_or(Want::Directory, |source| source.want);
        let target = if real {
            target::find_real_directory(self.root(), &mount.destination)
        } else {
            target::find(self.root(), &mount.destination, want)
        }
        .map_err(|error| match error.errno() {
            Some(libc::EACCES) => {
                error.hinted("it is missing, and the root of the container cannot make it there")
            }
            Some(libc::EROFS) => {
                error.hinted("it is missing, and what it would be in is read-only")
            }
            _ => error,
        })
        .context(|| "find its place")?;
        let is_directory = file::file_type(&file::fstat(target.fd.as_fd())?) == FileType::Directory;
        let remount = matches!(mount.action, Action::Remount { .. });
        if is_directory != (want == Want::Directory) && !remount {
            let (is, what) = if is_directory { ("a", "a file") } else { ("no", "a directory") };
            let text = format!("there is {is} directory in its place, and {what} is mounted");
            return Err(Error::message(Kind::Config, text));
        }
        let in_proc = file::fstatfs(target.fd.as_fd())?.f_type == magic::PROC_MAGIC;
        if in_proc && !mount.inside_proc {
            let text = "the place is inside a procfs, where nothing may be covered";
            return Err(Error::message(Kind::Config, text))
                .hint(|| "a symlink in the image leads there");
        }
        Ok(target)
    }
}
