//! Pure: what a mount of type `cgroup` or `cgroup2` shows (config-linux.md "Control groups").

use std::path::PathBuf;

/// Which cgroup hierarchies the host has, and where the container is in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CgroupView {
    /// None, or none that the container may see.
    #[default]
    Absent,
    /// cgroup v2 alone.
    Unified {
        /// The container's cgroup as a directory of the host.
        own: PathBuf,
    },
    /// cgroup v1, alone or with v2 beside it.
    Legacy {
        /// What is mounted on the host.
        hierarchies: Vec<LegacyHierarchy>,
        /// Links for controllers that share a hierarchy: name and target (`cpu` → `cpu,cpuacct`).
        links: Vec<(String, String)>,
    },
}

/// One mounted hierarchy of a host with cgroup v1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyHierarchy {
    /// Its directory below `/sys/fs/cgroup`: `cpu,cpuacct`, `systemd`, `unified`.
    pub name: String,
    /// What mounts it: `cpu,cpuacct`, `none,name=systemd`; empty for v2.
    pub data: String,
    /// Whether it is the v2 hierarchy.
    pub unified: bool,
    /// The container's cgroup in it as a directory of the host.
    pub own: PathBuf,
}

/// A cgroup mount, decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rootfs) enum CgroupTree {
    /// An empty directory that nobody writes to: nothing of the host shows through.
    Empty,
    /// The v2 hierarchy.
    Unified(Shown),
    /// A directory for each hierarchy, and links.
    Legacy {
        /// Directory, mount data, whether it is v2, and what to show.
        hierarchies: Vec<LegacyMount>,
        /// Name and target.
        links: Vec<(String, String)>,
    },
}

/// One hierarchy as the container will see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rootfs) struct LegacyMount {
    /// Its directory.
    pub name: String,
    /// Parameters of the file system.
    pub data: Vec<String>,
    /// Whether it is v2.
    pub unified: bool,
    /// What to show.
    pub shown: Shown,
}

/// How one hierarchy gets into the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rootfs) struct Shown {
    /// Whether a new mount shows the container's own cgroup as its root: it does in a cgroup
    /// namespace of one's own; without one it would show the whole of the host's.
    pub fresh: bool,
    /// The container's cgroup on the host, to be bound where no new mount is possible.
    pub own: PathBuf,
}

impl CgroupTree {
    /// Decides for a mount of type `fstype`; `fresh` says whether the container has a cgroup
    /// namespace rooted at its own cgroup.
    pub(in crate::rootfs) fn compile(view: &CgroupView, fstype: &str, fresh: bool) -> CgroupTree {
        let shown = |own: &PathBuf| Shown { fresh, own: own.clone() };
        match view {
            CgroupView::Absent => CgroupTree::Empty,
            CgroupView::Unified { own } => CgroupTree::Unified(shown(own)),
            CgroupView::Legacy { hierarchies, .. } if fstype == "cgroup2" => {
                let unified = hierarchies.iter().find(|hierarchy| hierarchy.unified);
                let unified = unified.map(|hierarchy| shown(&hierarchy.own));
                unified.map_or(CgroupTree::Empty, CgroupTree::Unified)
            }
            CgroupView::Legacy { hierarchies, links } => CgroupTree::Legacy {
                hierarchies: hierarchies
                    .iter()
                    .map(|hierarchy| LegacyMount {
                        name: hierarchy.name.clone(),
                        data: hierarchy.data.split(',').map(str::to_owned).collect(),
                        unified: hierarchy.unified,
                        shown: shown(&hierarchy.own),
                    })
                    .collect(),
                links: links.clone(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hybrid_host_shows_either_tree() {
        let hierarchy = |name: &str, unified: bool| LegacyHierarchy {
            name: name.to_owned(),
            data: if unified { String::new() } else { name.to_owned() },
            unified,
            own: PathBuf::from("/sys/fs/cgroup").join(name).join("c"),
        };
        let view = CgroupView::Legacy {
            hierarchies: vec![hierarchy("cpu,cpuacct", false), hierarchy("unified", true)],
            links: vec![("cpu".to_owned(), "cpu,cpuacct".to_owned())],
        };
        match CgroupTree::compile(&view, "cgroup", true) {
            CgroupTree::Legacy { hierarchies, links } => {
                assert_eq!(hierarchies[0].data, ["cpu", "cpuacct"]);
                assert_eq!(links.len(), 1);
            }
            other => panic!("{other:?}"),
        }
        let own = PathBuf::from("/sys/fs/cgroup/unified/c");
        let expected = CgroupTree::Unified(Shown { fresh: false, own });
        assert_eq!(CgroupTree::compile(&view, "cgroup2", false), expected);
        assert_eq!(CgroupTree::compile(&CgroupView::Absent, "cgroup", true), CgroupTree::Empty);
    }
}
