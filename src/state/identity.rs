//! Which process is meant: a pid alone may be somebody else's by the time it is used.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Context, Error, Result};
use crate::sys;

/// A process, told from every other one that ever had or will have its pid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its pid in rrun's pid namespace.
    pub pid: i32,
    /// When it was started, in clock ticks since boot (proc_pid_stat(5), field 22).
    start_time: u64,
    /// The inode of its pidfd, unique while the machine runs (Linux 6.9).
    #[serde(skip_serializing_if = "Option::is_none")]
    inode: Option<u64>,
    /// The boot that the numbers belong to: after a reboot they may come again.
    boot: String,
}

impl Identity {
    /// The identity of the process behind `pidfd`, whose pid is `pid`.
    ///
    /// # Errors
    /// Where the process is gone.
    pub fn of(pid: i32, pidfd: BorrowedFd<'_>) -> Result<Identity> {
        Ok(Identity {
            pid,
            start_time: start_time(pid)?,
            inode: inode(pidfd),
            boot: boot_id()?.to_owned(),
        })
    }

    /// Whether the process was one of this boot. What has the names that it had, a cgroup for
    /// example, is otherwise somebody else's.
    pub fn is_of_this_boot(&self) -> bool {
        boot_id().is_ok_and(|boot| boot == self.boot)
    }

    /// A handle on the process, if it is still the same one and has not ended.
    ///
    /// # Errors
    /// Never for a process that is gone: that is None.
    pub fn find(&self) -> Result<Option<OwnedFd>> {
        let pidfd = match sys::process::pidfd_open(self.pid) {
            // EINVAL: the pid is now that of a thread that is no process.
            Err(error) if error.is(libc::ESRCH) || error.is(libc::EINVAL) => return Ok(None),
            other => other?,
        };
        // The handle is taken first and asked afterwards, so it cannot change under the questions.
        if sys::process::has_ended(pidfd.as_fd(), Duration::ZERO)? || boot_id()? != self.boot {
            return Ok(None);
        }
        let same = match self.inode {
            // The same boot, so that pidfds have inodes of their own as they had then.
            Some(then) => sys::file::fstat(pidfd.as_fd())?.st_ino == then,
            // Before Linux 6.9 all pidfds share one inode; the start time has to do.
            None => start_time(self.pid).is_ok_and(|now| now == self.start_time),
        };
        Ok(same.then_some(pidfd))
    }
}

fn inode(pidfd: BorrowedFd<'_>) -> Option<u64> {
    let is_pidfs =
        sys::file::fstatfs(pidfd).is_ok_and(|stat| stat.f_type == sys::magic::PIDFS_MAGIC);
    let stat = if is_pidfs { sys::file::fstat(pidfd).ok() } else { None };
    stat.map(|stat| stat.st_ino)
}

/// Read once: `list` asks for every container.
fn boot_id() -> Result<&'static str> {
    static ID: OnceLock<String> = OnceLock::new();
    if let Some(id) = ID.get() {
        return Ok(id);
    }
    let text = sys::file::read_text(Path::new("/proc/sys/kernel/random/boot_id"))?;
    Ok(ID.get_or_init(|| text.trim().to_owned()))
}

fn start_time(pid: i32) -> Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let text = sys::file::read_text(Path::new(&path))?;
    // The second field is the program's name in parentheses and may contain anything.
    let field = text.rfind(')').and_then(|end| text[end + 1..].split_whitespace().nth(19));
    field
        .and_then(|field| field.parse().ok())
        .ok_or_else(|| Error::internal("no start time in it"))
        .context(|| format!("read `{path}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Identity {
        let pid = sys::process::own_pid();
        Identity::of(pid, sys::process::pidfd_open(pid).unwrap().as_fd()).unwrap()
    }

    #[test]
    fn a_process_is_itself() {
        assert!(own().find().unwrap().is_some());
    }

    #[test]
    fn a_reused_pid_is_somebody_else() {
        let other_start = Identity { start_time: 1, inode: None, ..own() };
        assert!(other_start.find().unwrap().is_none());
        if let Some(inode) = own().inode {
            let other_inode = Identity { inode: Some(inode + 1), ..own() };
            assert!(other_inode.find().unwrap().is_none());
        }
        let other_boot = Identity { boot: "x".into(), ..own() };
        assert!(other_boot.find().unwrap().is_none());
        assert!(own().is_of_this_boot() && !other_boot.is_of_this_boot());
        let gone = Identity { pid: i32::MAX, ..own() };
        assert!(gone.find().unwrap().is_none());
    }

    #[test]
    fn the_name_of_a_program_does_not_disturb() {
        // start_time reads our own stat line, whose name field libtest fills with spaces
        assert!(start_time(sys::process::own_pid()).unwrap() > 0);
    }
}
