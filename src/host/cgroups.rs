//! Where the cgroup hierarchies are mounted, and where in them we are (cgroups(7)).

use std::path::{Path, PathBuf};

use crate::error::{Context, Result};
use crate::sys;

/// One mounted hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// Where it is mounted.
    pub mount: PathBuf,
    /// Its controllers; `name=…` for a named one, empty for v2.
    pub controllers: Vec<String>,
    /// Our own cgroup in it, as /proc/self/cgroup shows it (absolute, from the hierarchy's root).
    pub own: PathBuf,
    /// Whether it is the cgroup v2 hierarchy.
    pub unified: bool,
}

impl Hierarchy {
    /// Whether it holds the v1 controller `name`.
    pub fn has(&self, name: &str) -> bool {
        self.controllers.iter().any(|controller| controller == name)
    }
}

/// All mounted hierarchies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CgroupLayout {
    /// v1 hierarchies first, in the kernel's order, then the v2 one where there is one.
    pub hierarchies: Vec<Hierarchy>,
}

impl CgroupLayout {
    /// Asks /proc/self/cgroup and statfs(2); mountinfo only where a hierarchy is not in its usual
    /// place, since reading that costs more the more mounts there are.
    ///
    /// # Errors
    /// Where /proc/self/cgroup cannot be read.
    pub fn probe() -> Result<CgroupLayout> {
        let membership = sys::file::read_text(Path::new("/proc/self/cgroup"))
            .context(|| "find our own cgroup")?;
        let base = Path::new("/sys/fs/cgroup");
        if is_mount_of(base, sys::magic::CGROUP2_MAGIC) {
            return Ok(CgroupLayout::unified(base, &membership));
        }
        let mut mountinfo = None;
        let mut hierarchies = Vec::new();
        for (controllers, own) in members(&membership) {
            let unified = controllers.is_empty();
            let magic = if unified { sys::magic::CGROUP2_MAGIC } else { sys::magic::CGROUP_MAGIC };
            let usual = base.join(usual_name(&controllers));
            let mount = if is_mount_of(&usual, magic) {
                Some(usual)
            } else {
                let text = mountinfo.get_or_insert_with(|| {
                    sys::file::read_text(Path::new("/proc/self/mountinfo")).unwrap_or_default()
                });
                find_mount(text, &controllers)
            };
            if let Some(mount) = mount {
                hierarchies.push(Hierarchy { mount, controllers, own, unified });
            }
        }
        hierarchies.sort_by_key(|hierarchy| hierarchy.unified);
        Ok(CgroupLayout { hierarchies })
    }

    /// The layout of a host with cgroup v2 alone.
    pub fn unified(mount: &Path, membership: &str) -> CgroupLayout {
        let own = members(membership).into_iter().find(|(controllers, _)| controllers.is_empty());
        let own = own.map_or_else(|| PathBuf::from("/"), |(_, own)| own);
        let hierarchy =
            Hierarchy { mount: mount.to_path_buf(), controllers: Vec::new(), own, unified: true };
        CgroupLayout { hierarchies: vec![hierarchy] }
    }

    /// Whether we may make the cgroup `directory` and the missing ones above it, or use it if there.
    pub fn grants(directory: &Path) -> bool {
        let mut ancestors = directory.ancestors();
        let existing = ancestors.find(|ancestor| ancestor.exists());
        existing.is_some_and(sys::file::is_writable_directory)
    }

    /// Whether v2 is all there is.
    pub fn is_unified_only(&self) -> bool {
        matches!(self.hierarchies.as_slice(), [only] if only.unified)
    }

    /// The v2 hierarchy, alone or beside v1.
    pub fn v2(&self) -> Option<&Hierarchy> {
        self.hierarchies.iter().find(|hierarchy| hierarchy.unified)
    }

    /// The v1 hierarchy that holds the controller `name`.
    pub fn v1(&self, name: &str) -> Option<&Hierarchy> {
        self.hierarchies.iter().find(|hierarchy| !hierarchy.unified && hierarchy.has(name))
    }
}

/// The lines of /proc/self/cgroup: controllers and path.
fn members(text: &str) -> Vec<(Vec<String>, PathBuf)> {
    let line = |line: &str| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let names = controllers.split(',').filter(|name| !name.is_empty());
        Some((names.map(str::to_owned).collect(), PathBuf::from(path)))
    };
    text.lines().filter_map(line).collect()
}

/// The directory below /sys/fs/cgroup that everybody mounts a hierarchy on.
fn usual_name(controllers: &[String]) -> String {
    match controllers {
        [] => "unified".to_owned(),
        [named] if named.starts_with("name=") => named["name=".len()..].to_owned(),
        several => several.join(","),
    }
}

fn is_mount_of(path: &Path, magic: i64) -> bool {
    sys::file::statfs(path).is_ok_and(|stat| stat.f_type == magic)
}

/// The mount point of the hierarchy with exactly these controllers (proc_pid_mountinfo(5)).
fn find_mount(mountinfo: &str, controllers: &[String]) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (mount, filesystem) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?;
        let mut filesystem = filesystem.split(' ');
        let (kind, options) = (filesystem.next()?, filesystem.nth(1)?);
        let matches = if controllers.is_empty() {
            kind == "cgroup2"
        } else {
            kind == "cgroup"
                && controllers.iter().all(|name| options.split(',').any(|option| option == name))
        };
        matches.then(|| PathBuf::from(point.replace("\\040", " ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_memberships() {
        let text = "12:cpu,cpuacct:/a\n1:name=systemd:/b:c\n0::/\n";
        let members = members(text);
        assert_eq!(members[0].0, ["cpu", "cpuacct"]);
        assert_eq!(members[1], (vec!["name=systemd".to_owned()], PathBuf::from("/b:c")));
        assert!(members[2].0.is_empty());
        assert_eq!(usual_name(&members[1].0), "systemd");
        assert_eq!(usual_name(&members[0].0), "cpu,cpuacct");
    }

    #[test]
    fn finds_unusual_mounts() {
        let info = "30 1 0:26 / /x/y\\040z rw - cgroup cgroup rw,cpuacct,cpu\n\
                    31 1 0:27 / /v2 rw shared:1 - cgroup2 none rw,nsdelegate\n";
        let both = ["cpu".to_owned(), "cpuacct".to_owned()];
        assert_eq!(find_mount(info, &both), Some(PathBuf::from("/x/y z")));
        assert_eq!(find_mount(info, &[]), Some(PathBuf::from("/v2")));
        assert_eq!(find_mount(info, &["pids".to_owned()]), None);
    }
}
