//! Mounting a file system: fsopen(2), fsconfig(2), fsmount(2), and mount(2) for what they cannot say.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use libc::{MS_DIRSYNC, MS_I_VERSION, MS_LAZYTIME, MS_MANDLOCK, MS_RDONLY, MS_SILENT};
use libc::{MS_SYNCHRONOUS, O_PATH};

use super::attributes;
use super::copy;
use super::plan::FileSystem;
use super::target::Target;
use crate::error::{Context, Result};
use crate::sys::file;
use crate::sys::magic;
use crate::sys::mount::{self, FsContext};

/// What fsconfig(2) calls the flags of a superblock.
const FLAGS: &[(u64, &str)] = &[
    (MS_RDONLY, "ro"),
    (MS_SYNCHRONOUS, "sync"),
    (MS_DIRSYNC, "dirsync"),
    (MS_LAZYTIME, "lazytime"),
    (MS_MANDLOCK, "mand"),
];

/// Flags that only mount(2) takes.
const MOUNT_CALL_ONLY: u64 = MS_SILENT | MS_I_VERSION;

/// The longest value that fsconfig(2) takes.
const MAX_VALUE: usize = 255;

/// Mounts a file system on `target`; returns the mount.
pub(super) fn mount(wanted: &FileSystem, target: &Target) -> Result<OwnedFd> {
    let mut data = wanted.data.clone();
    if wanted.fstype == "tmpfs" && !target.made {
        // What is covered keeps its permissions, unless the options say others, which come later.
        let mode = file::fstat(target.fd.as_fd())?.st_mode & 0o7777;
        data.insert(0, format!("mode={mode:o}"));
    }
    let to = target.fd.as_fd();
    let copy_from = (wanted.copy_up && !target.made).then_some(to);
    let detached = match needs_mount_call(wanted, &data) {
        true => None,
        false => Some(by_context(wanted, &data)),
    };
    let is_detached = matches!(detached, Some(Ok(_)));
    let mounted = match detached {
        None => by_mount_call(wanted, &data, to),
        // Some parsers take a parameter only in one piece with the others. If mount(2) refuses
        // too, the first failure is the better one: the kernel says there what it disliked.
        Some(Err(error)) if error.is(libc::EINVAL) => {
            by_mount_call(wanted, &data, to).map_err(|_| error)
        }
        Some(made) => made,
    };
    let mounted = mounted.map_err(|error| {
        let hint = hint(&wanted.fstype, error.is(libc::EPERM));
        error.hinted(hint)
    })?;
    if let Some(from) = copy_from {
        copy::tree(from, mounted.as_fd())?;
    }
    if is_detached {
        mount::move_mount(mounted.as_fd(), to)?;
    }
    Ok(mounted)
}

/// Binds the host's own sysfs or mqueue where the container may not have a new one: that takes a
/// network or ipc namespace that belongs to its user namespace. All mounts below come along, for they
/// are locked, and are changed alike: with `ro`, the host's cgroups are read-only too
/// (CVE-2023-25809). None for other file systems.
pub(super) fn of_the_host(wanted: &FileSystem, to: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
    let (path, magic) = match wanted.fstype.as_str() {
        "sysfs" => ("/sys", magic::SYSFS_MAGIC),
        "mqueue" => ("/dev/mqueue", magic::MQUEUE_MAGIC),
        _ => return Ok(None),
    };
    if !file::statfs(Path::new(path)).is_ok_and(|it| it.f_type == magic) {
        return Ok(None);
    }
    let flags = mount::OPEN_TREE_CLONE | mount::AT_RECURSIVE;
    let copy = mount::open_tree(None, Path::new(path), flags);
    let copy = copy.context(|| format!("bind `{path}` of the host"))?;
    attributes::change(copy.as_fd(), true, wanted.top)?;
    mount::move_mount(copy.as_fd(), to)?;
    Ok(Some(copy))
}

fn hint(fstype: &str, is_forbidden: bool) -> String {
    match fstype {
        "proc" if is_forbidden => {
"a new proc needs a pid namespace of the container's own, and, in a user namespace, a /proc \
             of ours in which nothing is masked (another container's is): there, leave out the pid \
             namespace and bind /proc"
                .to_owned()
        }
        "sysfs" if is_forbidden => {
            "a new sysfs needs a network namespace of the container's own; without one, \
                    bind /sys"
                .to_owned()
        }
        "mqueue" if is_forbidden => {
            "a new mqueue needs an ipc namespace of the container's own, and the host has none in its \
             /dev to bind"
                .to_owned()
        }
        "devpts" => "in a user namespace the group of `gid=` must be mapped".to_owned(),
        fstype => format!("mount(8) has the options of `{fstype}`"),
    }
}

fn needs_mount_call(wanted: &FileSystem, data: &[String]) -> bool {
    let long = |text: &str| text.split('=').any(|part| part.len() > MAX_VALUE);
    wanted.superblock & MOUNT_CALL_ONLY != 0
        || data.iter().any(|parameter| long(parameter))
        || wanted.source.as_ref().is_some_and(|source| source.len() > MAX_VALUE)
}

fn by_context(wanted: &FileSystem, data: &[String]) -> Result<OwnedFd> {
    let context = FsContext::open(&wanted.fstype)?;
    if let Some(source) = &wanted.source {
        context.set_string("source", source)?;
    }
    for (flag, name) in FLAGS {
        if wanted.superblock & flag != 0 {
            context.set_flag(name)?;
        }
    }
    set_parameters(&context, data)?;
    context.create()?;
    context.mount(attributes::for_new(wanted.top))
}

/// Hands `key=value` and `key` to a context.
fn set_parameters(context: &FsContext, data: &[String]) -> Result<()> {
    for parameter in data.iter().filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            // mount(2) takes quotes around a SELinux context; fsconfig(2) wants the value itself.
            Some((key, value)) => context.set_string(key, value.trim_matches('"'))?,
            None => context.set_flag(parameter)?,
        }
    }
    Ok(())
}

/// A tmpfs of our own, detached.
pub(super) fn tmpfs(parameters: &[(&str, &str)], attributes: u64) -> Result<OwnedFd> {
    let context = FsContext::open("tmpfs")?;
    context.set_string("source", "tmpfs")?;
    for (key, value) in parameters {
        context.set_string(key, value)?;
    }
    context.create()?;
    context.mount(attributes)
}

fn by_mount_call(wanted: &FileSystem, data: &[String], to: BorrowedFd<'_>) -> Result<OwnedFd> {
    let flags = attributes::for_mount_call(wanted.top) | wanted.superblock;
    let text = data.join(",");
    let text = (!text.is_empty()).then_some(text.as_str());
    let source = wanted.source.as_deref().or(Some("none"));
    mount::mount(source, &file::proc_path(to), Some(&wanted.fstype), flags, text)?;
    topmost(to)
}

/// What is mounted on top of a held directory. `..` of a directory that is the root of the look-up
/// is that directory again, and this time the kernel steps onto what is mounted there.
pub(super) fn topmost(of: BorrowedFd<'_>) -> Result<OwnedFd> {
    file::open_in_root(of, Path::new(".."), O_PATH)
}

/// Changes the mount that the held directory is the root of, and, unless `bind`, its file system.
pub(super) fn remount(wanted: &FileSystem, bind: bool, at: BorrowedFd<'_>) -> Result<()> {
    if bind {
        return attributes::change(at, false, wanted.top);
    }
    let flags = libc::MS_REMOUNT | attributes::for_mount_call(wanted.top) | wanted.superblock;
    let text = wanted.data.join(",");
    let text = (!text.is_empty()).then_some(text.as_str());
    mount::mount(None, &file::proc_path(at), None, flags, text)
        .hint(|| "`remount` changes a mount that is there: is one?")
}
