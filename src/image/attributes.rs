//! What a file has beside its contents: owner, mode, times, extended attributes; and what we may set.

use std::os::fd::BorrowedFd;
use std::path::Path;

use super::name::show;
use super::tar::Entry;
use crate::error::{Context, Error, Result};
use crate::sys::{file, tree};

/// What this process may do with files.
#[derive(Debug, Clone, Copy)]
pub struct Rights {
    /// The user and group that new files have.
    pub own: (u32, u32),
    /// Whether owners are kept: for root, in a user namespace too.
    pub owners: bool,
    /// Whether it is root of the machine, who may set `trusted.*`.
    pub root: bool,
}

/// Owner, mode, times and extended attributes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attributes {
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
    pub modified: (i64, u32),
    pub extended: Vec<(String, Vec<u8>)>,
}

/// What was left out: how often, and the first of it.
#[derive(Debug, Default)]
pub(super) struct Notes {
    attributes: Left,
    capabilities: Left,
    devices: Left,
}

#[derive(Debug, Default)]
struct Left {
    count: u64,
    first: String,
}

impl Left {
    fn add(&mut self, what: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = what();
        }
        self.count += 1;
    }

    fn tell(&self, what: &str, why: &str) -> Option<String> {
        let more =
            if self.count > 1 { format!(" and {} more", self.count - 1) } else { String::new() };
        (self.count > 0).then(|| format!("left out {what} {}{more}: {why}", self.first))
    }
}

impl Notes {
    pub(super) fn device(&mut self, path: &Path) {
        self.devices.add(|| format!("`{}`", path.display()));
    }

    /// Sentences for people.
    pub(super) fn tell(&self) -> Vec<String> {
        let lines = [
            self.attributes.tell(
                "the extended attribute",
                "only `user.*`, `security.capability` and access control lists are kept",
            ),
            self.capabilities.tell("the extended attribute", "the system refuses it to this user"),
            self.devices.tell("the device", "only root may make one"),
        ];
        lines.into_iter().flatten().collect()
    }
}

/// Whether an attribute of an image is kept. What overlayfs reads is ours alone: an image that could
/// set it would say where its files come from.
fn is_kept(name: &str) -> bool {
    match name {
        "security.capability" | "system.posix_acl_access" | "system.posix_acl_default" => true,
        _ => name.starts_with("user.") && !name.starts_with("user.overlay."),
    }
}

impl Attributes {
    /// Those of an entry, but for what is never kept.
    pub(super) fn new(entry: &Entry, notes: &mut Notes) -> Attributes {
        let mut extended = Vec::new();
        for (name, value) in &entry.attributes {
            match std::str::from_utf8(name) {
                Ok(name) if is_kept(name) => extended.push((name.to_owned(), value.clone())),
                _ => {
                    let what = || format!("`{}` of `{}`", show(name), show(&entry.name));
                    notes.attributes.add(what);
                }
            }
        }
        let Entry { uid, gid, mode, modified, .. } = *entry;
        Attributes { uid, gid, mode, modified, extended }
    }

    /// Those of a file that is there, but for the extended ones.
    pub(super) fn of(stat: &file::Stat) -> Attributes {
        Attributes {
            uid: stat.st_uid,
            gid: stat.st_gid,
            mode: stat.st_mode & 0o7777,
            modified: (stat.st_mtime, stat.st_mtime_nsec as u32),
            extended: Vec::new(),
        }
    }

    fn changes_owner(&self, rights: &Rights) -> bool {
        rights.owners && (self.uid, self.gid) != rights.own
    }

    /// The mode to make a file with: the final one where nothing is left to be changed.
    pub(super) fn first_mode(&self) -> u32 {
        if self.extended.is_empty() { self.mode & 0o777 } else { 0o600 }
    }

    /// Sets all of them on a held file or directory. The owner first: changing it takes setuid bits
    /// and capabilities away. The times last: everything else changes them.
    pub(super) fn apply(
        &self,
        fd: BorrowedFd<'_>,
        made_with: Option<u32>,
        rights: &Rights,
        notes: &mut Notes,
    ) -> Result<()> {
        let changes = self.changes_owner(rights);
        if changes {
            tree::chown(fd, self.uid, self.gid).map_err(hint_owner)?;
        }
        for (name, value) in &self.extended {
            refused(tree::set_attribute(fd, name, value), name, rights, notes)?;
        }
        if changes || made_with != Some(self.mode) {
            file::fchmod(fd, self.mode)?;
        }
        tree::set_times(fd, self.modified)
    }

    /// The same for what is not opened: symlinks (which have no mode), devices, fifos.
    pub(super) fn apply_at(
        &self,
        (dir, name): (BorrowedFd<'_>, &Path),
        symlink: bool,
        rights: &Rights,
        notes: &mut Notes,
    ) -> Result<()> {
        if self.changes_owner(rights) {
            file::chown_at(dir, name, self.uid, self.gid).map_err(hint_owner)?;
        }
        for (attribute, value) in &self.extended {
            let set = tree::set_attribute_at(dir, name, attribute, value);
            refused(set, attribute, rights, notes)?;
        }
        if !symlink {
            file::chmod_at(dir, name, self.mode)?;
        }
        tree::set_times_at(dir, name, self.modified)
    }
}

fn hint_owner(error: Error) -> Error {
    if !error.is(libc::EINVAL) {
        return error;
    }
    error.hinted("the user namespace that rrun runs in does not map this owner")
}

/// What the system does not let us set is left out and told; but root of the machine gets what it
/// asks for, or hears why not.
fn refused(result: Result<()>, name: &str, rights: &Rights, notes: &mut Notes) -> Result<()> {
    match result {
        Err(error)
            if error.is(libc::EPERM)
                || (!rights.root && (error.is(libc::EINVAL) || error.is(libc::EOPNOTSUPP))) =>
        {
            notes.capabilities.add(|| format!("`{name}`"));
            Ok(())
        }
        Err(error) if error.is(libc::EOPNOTSUPP) => Err(error)
            .hint(|| "the file system of the layers must have extended attributes (not NFS, say)"),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlayfs_reads_is_never_kept() {
        for name in ["user.x", "user.overlay", "security.capability", "system.posix_acl_access"] {
            assert!(is_kept(name), "{name}");
        }
        for name in [
            "user.overlay.redirect",
            "user.overlay.opaque",
            "trusted.overlay.metacopy",
            "trusted.x",
            "security.selinux",
            "security.ima",
            "system.nfs4_acl",
            "user",
        ] {
            assert!(!is_kept(name), "{name}");
        }
    }
}
