//! What this machine can do: who we are, where the cgroups are, which security modules are on.
//!
//! Everything is probed when it is first asked for and then kept, so that a verb pays only for what
//! it looks at. Tests forge a [`Host`] instead of asking the machine.

mod cgroups;
mod ids;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::sys;

pub use cgroups::{CgroupLayout, Hierarchy};
pub use ids::Range as IdRange;

/// Facts about the machine, each probed once.
#[derive(Debug, Default)]
pub struct Host {
    euid: OnceCell<u32>,
    egid: OnceCell<u32>,
    initial_user_namespace: OnceCell<bool>,
    cgroups: OnceCell<CgroupLayout>,
    last_capability: OnceCell<u32>,
    own_capabilities: OnceCell<u64>,
    apparmor: OnceCell<bool>,
    selinux: OnceCell<bool>,
    resctrl: OnceCell<Option<PathBuf>>,
}

impl Host {
    /// A host about which nothing has been asked yet.
    pub fn new() -> Host {
        Host::default()
    }

    /// A forged host: root in the initial user namespace, with the given cgroup layout.
    pub fn forged(cgroups: CgroupLayout) -> Host {
        let host = Host::default();
        let _ = host.euid.set(0);
        let _ = host.egid.set(0);
        let _ = host.initial_user_namespace.set(true);
        let _ = host.cgroups.set(cgroups);
        let _ = host.last_capability.set(40);
        let _ = host.own_capabilities.set((1 << 41) - 1);
        let _ = host.apparmor.set(false);
        let _ = host.selinux.set(false);
        let _ = host.resctrl.set(None);
        host
    }

    /// Our effective user id.
    pub fn euid(&self) -> u32 {
        *self.euid.get_or_init(|| sys::cred::geteuid().as_raw())
    }

    /// Our effective group id.
    pub fn egid(&self) -> u32 {
        *self.egid.get_or_init(|| sys::cred::getegid().as_raw())
    }

    /// Whether we are in the user namespace that the machine started with.
    pub fn in_initial_user_namespace(&self) -> bool {
        *self.initial_user_namespace.get_or_init(|| {
            // The initial one has a fixed inode, PROC_USER_INIT_INO. Its uid_map proves nothing:
            // systemd 260 writes identity maps for nested ones.
            use std::os::unix::fs::MetadataExt;
            std::fs::metadata("/proc/self/ns/user").is_ok_and(|meta| meta.ino() == 0xEFFF_FFFD)
        })
    }

    /// Whether we have the power of the machine's root.
    pub fn is_true_root(&self) -> bool {
        self.euid() == 0 && self.in_initial_user_namespace()
    }

    /// The users and groups that a user namespace of ours may have, in the order in which they get
    /// numbers inside: all that there are, for root; ourselves and what is subordinate to us for anybody
    /// else, as long as the helpers are there that map it (newuidmap(1)).
    pub fn ids_to_give(&self) -> (Vec<IdRange>, Vec<IdRange>) {
        if self.is_true_root() {
            return (vec![(0, u32::MAX)], vec![(0, u32::MAX)]);
        }
        if self.euid() == 0 {
            return (ids::existing("uid_map"), ids::existing("gid_map"));
        }
        let with = |own: u32, file: &str, helper: &str| {
            let mut ranges = vec![(own, 1)];
            if ids::is_on_path(helper) {
                ranges.extend(ids::subordinate(Path::new(file), self.euid()));
            }
            ranges
        };
        let uids = with(self.euid(), "/etc/subuid", "newuidmap");
        let gids = with(self.egid(), "/etc/subgid", "newgidmap");
        // Both come from the helpers or neither: without newgidmap, setgroups(2) is switched off.
        match uids.len() > 1 && gids.len() > 1 {
            true => (uids, gids),
            false => (uids[..1].to_vec(), gids[..1].to_vec()),
        }
    }

    /// Where the cgroup hierarchies are mounted and where in them we are.
    ///
    /// # Errors
    /// Where /proc/self/cgroup cannot be read.
    pub fn cgroups(&self) -> Result<&CgroupLayout> {
        if let Some(layout) = self.cgroups.get() {
            return Ok(layout);
        }
        let layout = CgroupLayout::probe()?;
        Ok(self.cgroups.get_or_init(|| layout))
    }

    /// The highest capability number that the kernel knows (`/proc/sys/kernel/cap_last_cap`).
    pub fn last_capability(&self) -> u32 {
        *self.last_capability.get_or_init(|| {
            let text = sys::file::read_text(Path::new("/proc/sys/kernel/cap_last_cap"));
            text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(40)
        })
    }

    /// The capabilities that rrun itself has, as a bit mask: it cannot grant others.
    pub fn own_capabilities(&self) -> u64 {
        *self.own_capabilities.get_or_init(|| sys::cred::effective_capabilities().unwrap_or(0))
    }

    /// Whether AppArmor is on.
    pub fn has_apparmor(&self) -> bool {
        *self.apparmor.get_or_init(|| {
            let text = std::fs::read_to_string("/sys/module/apparmor/parameters/enabled");
            text.is_ok_and(|text| text.starts_with('Y'))
        })
    }

    /// Whether SELinux is on (its file system is mounted).
    pub fn has_selinux(&self) -> bool {
        *self.selinux.get_or_init(|| Path::new("/sys/fs/selinux/enforce").exists())
    }

    /// Where the kernel's resctrl file system is mounted.
    pub fn resctrl(&self) -> Option<&Path> {
        let usual = Path::new("/sys/fs/resctrl");
        let found = self.resctrl.get_or_init(|| {
            if sys::file::statfs(usual).is_ok_and(|it| it.f_type == sys::magic::RESCTRL_MAGIC) {
                return Some(usual.to_path_buf());
            }
            let text = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
            let line = text.lines().find(|line| line.contains(" - resctrl "))?;
            line.split(' ').nth(4).map(PathBuf::from)
        });
        found.as_deref()
    }
}
