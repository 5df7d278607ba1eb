//! Leaving the old root: pivot_root(2), or chroot(2) where that cannot be.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use libc::{MS_SLAVE, O_DIRECTORY, O_PATH};

use super::assemble::Assembled;
use super::attributes;
use super::filesystem::tmpfs;
use super::plan::{MountNamespace, Propagation};
use crate::error::{Context, Error, Result};
use crate::sys::{entry, file, mount};

impl Assembled<'_> {
    /// Makes the root of the container the working directory, as createContainer hooks want it.
    ///
    /// # Errors
    /// As fchdir(2).
    pub fn enter_for_hooks(&self) -> Result<()> {
        file::fchdir(self.root())
    }

    /// Makes the new root `/` and leaves the old one for good.
    ///
    /// # Errors
    /// EINVAL where the old root is an initramfs, with a hint.
    pub fn pivot(&mut self) -> Result<()> {
        if self.plan.mount_namespace != MountNamespace::New {
            return self.change_root();
        }
        if self.plan.no_pivot {
            hide_host_filesystems(self.root()).context(|| "hide the proc and sysfs of the host")?;
            let old = file::open(Path::new("/"), O_PATH | O_DIRECTORY)?;
            mount::move_mount(self.root(), old.as_fd()).context(|| "move the root onto `/`")?;
            self.change_root()?;
        } else {
            self.pivot_root().context(|| "leave the old root")?;
        }
        Ok(())
    }

    fn change_root(&self) -> Result<()> {
        file::fchdir(self.root())?;
        file::chroot(Path::new("."))
    }

    /// pivot_root(2) with both arguments `.`: the old root lands on top of the new one, and nothing
    /// has to be made in the image for it.
    fn pivot_root(&self) -> Result<()> {
        let old = file::open(Path::new("/"), O_PATH | O_DIRECTORY)?;
        file::fchdir(self.root())?;
        mount::pivot_root(Path::new("."), Path::new(".")).hint(|| {
            "pivot_root does not work where `/` is an initramfs; try `--no-pivot`, which is weaker"
        })?;
        file::fchdir(old.as_fd())?;
        // What is unmounted here would be unmounted at the peers of a shared mount: on the host.
        attributes::propagate(old.as_fd(), Propagation { kind: MS_SLAVE, recursive: true })?;
        mount::umount_detach(Path::new("."))?;
        file::chdir(Path::new("/"))
    }
}

/// Without a pivot the mounts of the host stay in the namespace, beyond a chroot. A complete proc or
/// sysfs among them would allow the container to mount new ones without any mask, and a descriptor
/// that leaks would reach them: they are unmounted, or covered where they are locked.
fn hide_host_filesystems(root: BorrowedFd<'_>) -> Result<()> {
    let text = std::fs::read_to_string("/proc/self/mountinfo")
        .map_err(|error| Error::io("read", "`/proc/self/mountinfo`", &error))?;
    for (id, point) in foreign_filesystems(&text, entry::mount_id(root)?).iter().rev() {
        // The name may lead elsewhere: into the container's root, where that covers it.
        let found = file::open(point, O_PATH).and_then(|at| entry::mount_id(at.as_fd()));
        if !found.is_ok_and(|found| found == *id) {
            continue;
        }
        let hidden = match mount::umount_detach(point) {
            Err(error) if error.is(libc::EINVAL) || error.is(libc::EPERM) => cover(point),
            result => result,
        };
        hidden.context(|| format!("hide `{}`", point.display()))?;
    }
    Ok(())
}

fn cover(point: &Path) -> Result<()> {
    let at = file::open(point, O_PATH)?;
    let cover = tmpfs(&[("nr_inodes", "1")], mount::ATTR_RDONLY)?;
    mount::move_mount(cover.as_fd(), at.as_fd())
}

/// Mount points of complete proc and sysfs file systems that are not below the mount `root`
/// (proc_pid_mountinfo(5)).
fn foreign_filesystems(mountinfo: &str, root: u64) -> Vec<(u64, PathBuf)> {
    let read = |line: &str| -> Option<(u64, u64)> {
        let mut fields = line.split(' ');
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let parents: BTreeMap<u64, u64> = mountinfo.lines().filter_map(read).collect();
    let is_ours = |mut id: u64| {
        // A mount can be its own parent, and the list may be one that changed while it was read.
        for _ in 0..parents.len() {
            match parents.get(&id) {
                _ if id == root => return true,
                Some(parent) => id = *parent,
                None => return false,
            }
        }
        false
    };
    let foreign = |line: &str| {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut fields = mount.split(' ');
        let id = fields.next()?.parse().ok()?;
        let (subtree, point) = (fields.nth(2)?, fields.next()?);
        let whole =
            subtree == "/" && matches!(filesystem.split(' ').next(), Some("proc" | "sysfs"));
        (whole && !is_ours(id)).then(|| (id, PathBuf::from(point.replace("\\040", " "))))
    };
    mountinfo.lines().filter_map(foreign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_containers_own_stay() {
        let text = "89 91 0:22 / /proc/y rw - sysfs sysfs rw\n\
                    27 1 254:0 / / rw - ext4 /dev/vda rw\n\
                    22 27 0:21 / /proc rw - proc proc rw\n\
                    23 27 0:22 / /sys rw - sysfs sysfs rw\n\
                    24 22 0:21 /sys /proc/sys rw - proc proc rw\n\
                    90 27 254:0 /img / rw - ext4 /dev/vda rw\n\
                    91 90 0:50 / /proc rw - proc proc rw\n\
                    92 91 0:22 / /proc/x rw - sysfs sysfs rw\n";
        let foreign = foreign_filesystems(text, 90);
        assert_eq!(foreign, [(22, PathBuf::from("/proc")), (23, PathBuf::from("/sys"))]);
    }
}
