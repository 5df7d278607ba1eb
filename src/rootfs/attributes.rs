//! Mount properties as the kernel takes them: mount_setattr(2), fsmount(2), and mount(2).

use std::os::fd::BorrowedFd;

use libc::{MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_NOSYMFOLLOW, MS_RDONLY};

use super::plan::{AccessTime, Attributes, Propagation};
use crate::error::{Context, Result};
use crate::sys::mount;

/// mount(2)'s names and mount_setattr(2)'s.
const FLAGS: &[(u64, u64)] = &[
    (MS_RDONLY, mount::ATTR_RDONLY),
    (MS_NOSUID, mount::ATTR_NOSUID),
    (MS_NODEV, mount::ATTR_NODEV),
    (MS_NOEXEC, mount::ATTR_NOEXEC),
    (MS_NODIRATIME, mount::ATTR_NODIRATIME),
    (MS_NOSYMFOLLOW, mount::ATTR_NOSYMFOLLOW),
];

fn translate(flags: u64) -> u64 {
    FLAGS.iter().filter(|(ms, _)| flags & ms != 0).fold(0, |all, (_, attr)| all | attr)
}

fn access_time(mode: Option<AccessTime>) -> u64 {
    match mode {
        None | Some(AccessTime::Relative) => mount::ATTR_RELATIME,
        Some(AccessTime::Never) => mount::ATTR_NOATIME,
        Some(AccessTime::Strict) => mount::ATTR_STRICTATIME,
    }
}

/// For a mount that is only being made: fsmount(2).
pub(super) fn for_new(attributes: Attributes) -> u64 {
    translate(attributes.set) | access_time(attributes.access_time)
}

/// For mount(2), in which a property that is not set is cleared.
pub(super) fn for_mount_call(attributes: Attributes) -> u64 {
    let time = match attributes.access_time {
        None => 0,
        Some(AccessTime::Relative) => libc::MS_RELATIME,
        Some(AccessTime::Never) => libc::MS_NOATIME,
        Some(AccessTime::Strict) => libc::MS_STRICTATIME,
    };
    attributes.set | time
}

/// Changes a mount, and all below it when `recursive`. What is not named keeps its value: a source
/// that the host mounted `nosuid` stays so, and a user namespace is not asked for what is locked.
pub(super) fn change(at: BorrowedFd<'_>, recursive: bool, attributes: Attributes) -> Result<()> {
    if attributes.is_empty() {
        return Ok(());
    }
    // The kernel takes a change of the access time mode only with the whole mask cleared.
    let time = attributes.access_time.map_or(0, |_| mount::ATTR_ATIME_MASK);
    let attr = mount::MountAttr {
        set: translate(attributes.set) | access_time(attributes.access_time),
        clear: translate(attributes.clear) | time,
        ..mount::MountAttr::default()
    };
    mount::mount_setattr(at, recursive, &attr).hint(|| {
        "in a user namespace, `ro`, `nosuid`, `nodev`, `noexec` and the access time mode of a mount \
         of the host cannot be taken back; leave those options out"
    })
}

/// Makes a mount read-only and leaves all else.
pub(super) fn make_read_only(at: BorrowedFd<'_>) -> Result<()> {
    let attr = mount::MountAttr { set: mount::ATTR_RDONLY, ..mount::MountAttr::default() };
    mount::mount_setattr(at, false, &attr)
}

/// Changes the propagation type.
pub(super) fn propagate(at: BorrowedFd<'_>, propagation: Propagation) -> Result<()> {
    let attr = mount::MountAttr { propagation: propagation.kind, ..mount::MountAttr::default() };
    mount::mount_setattr(at, propagation.recursive, &attr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_set_of_properties_in_both_languages() {
        let attributes = Attributes {
            set: MS_RDONLY | MS_NOSYMFOLLOW,
            clear: MS_NODEV,
            access_time: Some(AccessTime::Never),
        };
        let new = mount::ATTR_RDONLY | mount::ATTR_NOSYMFOLLOW | mount::ATTR_NOATIME;
        assert_eq!(for_new(attributes), new);
        assert_eq!(for_mount_call(attributes), MS_RDONLY | MS_NOSYMFOLLOW | libc::MS_NOATIME);
        assert_eq!(for_new(Attributes::default()), 0);
    }
}
