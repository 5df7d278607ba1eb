//! The work directory of a kept upper: who uses it, and its end.
//!
//! overlayfs leaves what happens undefined when two mounts share an upper directory, and only warns
//! in the kernel's log. So a container marks the work directory as its own, from `create` until
//! `delete`. The mark is a symlink that nobody follows, `BOOT/TIME/ID`: made in one step, and void
//! after a reboot, which ends every mount; the time of its creation tells a container from one of the
//! same id below another `--root`. The directory is locked while a mark is read and set.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use libc::{O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY};

use crate::error::{Context, Error, Kind, Result};
use crate::sys::entry;
use crate::sys::file::{self, FlockOperation};

/// The mark.
const OWNER: &str = "owner";
/// What overlayfs gets.
const OVERLAY: &str = "overlay";

/// Makes the work directory, or takes it over from a container of an earlier boot; returns the
/// directory for overlayfs.
pub(super) fn claim(work: &Path, owner: &Path) -> Result<OwnedFd> {
    make(work)?;
    let dir = lock(work)?;
    let boot = boot();
    match file::readlink_at(dir.as_fd(), Path::new(OWNER)) {
        Ok(other) if other.starts_with(&boot) => return Err(in_use(&other, work)),
        Ok(_) => file::unlink_at(dir.as_fd(), Path::new(OWNER))?,
        Err(error) if error.is(libc::ENOENT) => {}
        Err(error) => return Err(error),
    }
    file::symlink_at(&boot.join(owner), dir.as_fd(), Path::new(OWNER))?;
    ignore(file::mkdir_at(dir.as_fd(), Path::new(OVERLAY), 0o700), libc::EEXIST)?;
    file::open_at(dir.as_fd(), Path::new(OVERLAY), O_PATH | O_DIRECTORY | O_NOFOLLOW, 0)
}

/// Removes a work directory that a plan named, as far as the container `owner` has it. Called by
/// `delete`, and when `create` fails, which may be because another container has the directory.
///
/// # Errors
/// As unlinkat(2). A directory that is not there, or somebody else's, is none.
pub fn release(directory: &Path, owner: &Path) -> Result<()> {
    let dir = match lock(directory) {
        Err(error) if error.is(libc::ENOENT) => return Ok(()),
        dir => dir?,
    };
    match file::readlink_at(dir.as_fd(), Path::new(OWNER)) {
        Ok(other) if !other.ends_with(owner) => return Ok(()),
        // Without a mark it is what a create left that was killed between two steps.
        Err(error) if !error.is(libc::ENOENT) => return Err(error),
        _ => {}
    }
    remove_children(dir.as_fd())
        .and_then(|()| {
            let (parent, name) = split(directory)?;
            ignore(file::rmdir_at(parent.as_fd(), &name), libc::ENOENT)
        })
        .context(|| format!("remove `{}`", directory.display()))
}

fn boot() -> PathBuf {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    PathBuf::from(if id.is_empty() { "boot" } else { id.trim() })
}

fn in_use(owner: &Path, work: &Path) -> Error {
    let owner = owner.file_name().unwrap_or_default().display();
    let text = format!("the upper directory is in use by the container `{owner}`");
    Error::message(Kind::State, text).hinted(format!(
        "delete that container; if it is gone without having been deleted, remove `{}`",
        work.display()
    ))
}

fn split(path: &Path) -> Result<(OwnedFd, PathBuf)> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => {
            Ok((file::open(parent, O_PATH | O_DIRECTORY)?, PathBuf::from(name)))
        }
        _ => Err(Error::internal(format!("`{}` has no name", path.display()))),
    }
}

/// Makes a directory whose parent exists, unless it is there.
pub(super) fn make(path: &Path) -> Result<()> {
    let (parent, name) = split(path)?;
    ignore(file::mkdir_at(parent.as_fd(), &name, 0o755), libc::EEXIST)
        .hint(|| "the container's root must be able to write there")
}

fn lock(path: &Path) -> Result<OwnedFd> {
    let dir = file::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)?;
    file::flock(dir.as_fd(), FlockOperation::LockExclusive)?;
    Ok(dir)
}

fn ignore(result: Result<()>, errno: i32) -> Result<()> {
    match result {
        Err(error) if error.is(errno) => Ok(()),
        result => result,
    }
}

/// Empties a directory. rmdir comes first: overlayfs makes directories that their owner cannot read.
fn remove_children(dir: BorrowedFd<'_>) -> Result<()> {
    for name in entry::names(dir)? {
        let name = Path::new(&name);
        match file::rmdir_at(dir, name) {
            Err(error) if error.is(libc::ENOTDIR) => file::unlink_at(dir, name)?,
            Err(error) if error.is(libc::ENOTEMPTY) => {
                let below = file::open_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)?;
                remove_children(below.as_fd())?;
                file::rmdir_at(dir, name)?;
            }
            result => result?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("rrun-{name}-{}", std::process::id()));
            std::fs::create_dir(&path).unwrap();
            Scratch(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_second_claim_names_the_first_and_releases_nothing() {
        let scratch = Scratch::new("claim");
        let work = scratch.0.join(".up.rrun-work");
        claim(&work, Path::new("one")).unwrap();
        std::fs::create_dir(work.join("overlay/work")).unwrap();
        let error = claim(&work, Path::new("two")).unwrap_err();
        assert_eq!(error.to_string(), "the upper directory is in use by the container `one`");
        assert!(error.hint_text().unwrap().contains(".up.rrun-work"));
        release(&work, Path::new("two")).unwrap();
        assert!(claim(&work, Path::new("two")).is_err());
        release(&work, Path::new("one")).unwrap();
        assert!(!work.exists());
        release(&work, Path::new("one")).unwrap();
        claim(&work, Path::new("two")).unwrap();
    }

    #[test]
    fn a_mark_of_an_earlier_boot_is_void() {
        let scratch = Scratch::new("boot");
        let work = scratch.0.join(".up.rrun-work");
        std::fs::create_dir(&work).unwrap();
        std::os::unix::fs::symlink("an-earlier-boot/one", work.join("owner")).unwrap();
        claim(&work, Path::new("two")).unwrap();
        let owner = std::fs::read_link(work.join("owner")).unwrap();
        assert_eq!(owner, boot().join("two"));
    }

    #[test]
    fn what_a_killed_create_left_is_removed_and_reused() {
        let scratch = Scratch::new("killed");
        let work = scratch.0.join(".up.rrun-work");
        make(&work).unwrap();
        claim(&work, Path::new("two")).unwrap();
        release(&work, Path::new("two")).unwrap();
        make(&work).unwrap();
        release(&work, Path::new("any")).unwrap();
        assert!(!work.exists());
    }
}
