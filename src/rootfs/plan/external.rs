//! Pure: which mounts of a container show something of the host, so that a checkpoint leaves them out
//! and `restore` puts them back.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Action, CgroupTree, Mount, NodeKind, Plan};

/// A mount that shows a file or directory of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// Where it is inside, before symlinks of the image are followed.
    pub inside: PathBuf,
    /// What images call it; with runc's names, so that its images can be restored too.
    pub name: PathBuf,
    /// What is shown, on the host.
    pub source: PathBuf,
}

/// What masked files show, under one name for all.
const NULL: &str = "/dev/null";

impl Plan {
    /// All of them. One that is not there, since the image has no such file, does no harm.
    pub fn external(&self) -> Vec<External> {
        let same = |inside: &Path, source: &Path| External {
            inside: inside.to_path_buf(),
            name: inside.to_path_buf(),
            source: source.to_path_buf(),
        };
        let mut all: Vec<External> = Vec::new();
        for mount in &self.mounts {
            match &mount.action {
                Action::Bind(bind) => all.push(same(&mount.destination, &bind.source)),
                Action::Cgroups { tree: CgroupTree::Unified(shown), .. } => {
                    all.push(same(&mount.destination, &shown.own));
                }
                Action::Cgroups { tree: CgroupTree::Legacy { hierarchies, .. }, .. } => {
                    let one = |it: &super::LegacyMount| {
                        same(&mount.destination.join(&it.name), &it.shown.own)
                    };
                    all.extend(hierarchies.iter().map(one));
                }
                Action::Cgroups { tree: CgroupTree::Empty, .. }
                | Action::FileSystem(_)
                | Action::Remount { .. } => {}
            }
        }
        // In a user namespace they are the host's nodes, bound.
        let devices = self.devices.iter().flatten().filter(|it| it.kind != NodeKind::Fifo);
        all.extend(devices.map(|device| same(&device.path, &device.path)));
        let mask = |inside: &PathBuf| External {
            inside: inside.clone(),
            name: PathBuf::from(NULL),
            source: PathBuf::from(NULL),
        };
        all.extend(self.masked_paths.iter().map(mask));
        all
    }

    /// What has to be in the root file system itself before mounts can be restored on it: those
    /// destinations that are not inside another mount, and whether each is a directory for certain.
    pub(in crate::rootfs) fn restored_on_root(&self) -> impl Iterator<Item = (&Mount, bool)> {
        let inside_another = |mount: &Mount| {
            let above = |other: &Mount| {
                other.destination != mount.destination
                    && other.destination != Path::new("/")
                    && mount.destination.starts_with(&other.destination)
            };
            self.mounts.iter().any(above)
        };
        let own = self.mounts.iter().filter(move |mount| !inside_another(mount));
        own.filter(|mount| !matches!(mount.action, Action::Remount { .. }))
            .map(|mount| (mount, !matches!(mount.action, Action::Bind(_))))
    }
}

#[cfg(test)]
mod tests {
    use crate::rootfs::plan::{CgroupView, LegacyHierarchy, Request, compile};
    use std::path::{Path, PathBuf};

    #[test]
    fn what_is_the_hosts() {
        let text = r#"{"root":{"path":"/r"},"mounts":[
            {"destination":"/proc","type":"proc"},
            {"destination":"/data","source":"/srv","options":["rbind"]},
            {"destination":"/proc/uptime","source":"/up","options":["bind"]},
            {"destination":"/cg","type":"cgroup"}],
            "linux":{"maskedPaths":["/proc/kcore"]}}"#;
        let config: crate::spec::Config = crate::spec::parse(text.as_bytes()).unwrap();
        let hierarchy = LegacyHierarchy {
            name: "cpu".to_owned(),
            data: "cpu".to_owned(),
            unified: false,
            own: PathBuf::from("/sys/fs/cgroup/cpu/c"),
        };
        let cgroups = CgroupView::Legacy { hierarchies: vec![hierarchy], links: Vec::new() };
        let request = Request { config: &config, cgroups, ..Request::forged() };
        let plan = compile(&request).unwrap().plan;
        let external = plan.external();
        let found = |inside: &str| {
            let found = external.iter().find(|it| it.inside == Path::new(inside)).unwrap();
            (found.name.to_str().unwrap(), found.source.to_str().unwrap())
        };
        assert_eq!(found("/data"), ("/data", "/srv"));
        assert_eq!(found("/cg/cpu"), ("/cg/cpu", "/sys/fs/cgroup/cpu/c"));
        assert_eq!(found("/proc/kcore"), ("/dev/null", "/dev/null"));
        assert_eq!(found("/dev/tty"), ("/dev/tty", "/dev/tty"));
        assert!(external.iter().all(|it| it.inside != Path::new("/proc")));
        let on_root: Vec<_> = plan
            .restored_on_root()
            .map(|(mount, directory)| (mount.destination.to_str().unwrap(), directory))
            .collect();
        assert_eq!(on_root, [("/proc", true), ("/data", false), ("/cg", true)]);
    }
}
