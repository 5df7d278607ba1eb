//! Pure: `mounts`, each turned into one thing to do (config.md "Mounts").

use std::path::{Component, Path, PathBuf};

use libc::MS_RDONLY;

use super::cgroups::CgroupTree;
use super::idmap::{self, IdMapped};
use super::options::{Attributes, Options, Propagation};
use super::{CgroupView, Label, Request};
use crate::error::{Error, Result};
use crate::spec;

/// One mount to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rootfs) struct Mount {
    /// Where, absolute inside the container.
    pub destination: PathBuf,
    /// Whether it may lie inside a procfs.
    pub inside_proc: bool,
    /// What is mounted there.
    pub action: Action,
    /// Whether its files belong to other ids than on disk.
    pub idmapped: Option<IdMapped>,
    /// Properties for it and everything below it.
    pub tree: Attributes,
    /// Changes of propagation, in order.
    pub propagation: Vec<Propagation>,
}

impl Mount {
    /// A file system that is made for the container gets the label of `linux.mountLabel`.
    pub(super) fn add_label(&mut self, label: Option<&Label>) {
        if let (Action::FileSystem(wanted), Some(label)) = (&mut self.action, label) {
            label.add_to(&wanted.fstype, &mut wanted.data);
        }
    }
}

/// What happens at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rootfs) enum Action {
    /// A file or directory of the host appears.
    Bind(Bind),
    /// A file system is mounted.
    FileSystem(FileSystem),
    /// The control groups appear.
    Cgroups {
        /// Which, and how.
        tree: CgroupTree,
        /// Properties of each of their mounts.
        top: Attributes,
    },
    /// The mount that is there changes.
    Remount {
        /// Whether only the mount does, not its file system.
        bind: bool,
        /// The words, as a file system mount has them.
        with: FileSystem,
    },
}

/// A bind mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rootfs) struct Bind {
    /// What, absolute on the host.
    pub source: PathBuf,
    /// Whether the mounts below it come along.
    pub recursive: bool,
    /// Properties to change on the topmost mount; all others stay as the source has them.
    pub top: Attributes,
    /// Whether the source must be a procfs, since it goes onto `/proc`.
    pub must_be_proc: bool,
}

/// A mount of a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rootfs) struct FileSystem {
    /// Its type.
    pub fstype: String,
    /// Its source, as the type wants it.
    pub source: Option<String>,
    /// Properties of the mount.
    pub top: Attributes,
    /// Properties of the file system: `MS_*`.
    pub superblock: u64,
    /// Its parameters.
    pub data: Vec<String>,
    /// Whether it is made read-only only when everything inside it is in place.
    pub read_only_late: bool,
    /// Whether it begins with what it covers (tmpfs).
    pub copy_up: bool,
}

impl FileSystem {
    /// Whether no symlink may stand on the way to it: writes to /proc and /sys decide over the
    /// host, so they must be where everybody looks for them (CVE-2019-19921 and its kin).
    pub(in crate::rootfs) fn wants_real_directory(&self) -> bool {
        matches!(self.fstype.as_str(), "proc" | "sysfs")
    }
}

/// What may be mounted inside procfs: the files that LXCFS emulates, and two knobs that tools read.
const INSIDE_PROC: &[&str] = &[
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/slabinfo",
    "/proc/net/dev",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/crypto/fips_enabled",
];

/// Reads all mounts.
pub(super) fn compile(request: &Request<'_>, warnings: &mut Vec<String>) -> Result<Vec<Mount>> {
    let read = |(at, mount): (usize, &spec::Mount)| {
        let mount = read(request, mount, &format!("/mounts/{at}"))?;
        if let Action::Cgroups { tree: CgroupTree::Empty, .. } = mount.action {
            let absent = request.cgroups == CgroupView::Absent;
            let reason =
                if absent { "the host has no cgroups to show" } else { "no such hierarchy" };
            warnings.push(format!("`{}` stays empty: {reason}", mount.destination.display()));
        }
        Ok(mount)
    };
    let mut mounts: Vec<_> =
        request.config.mounts.iter().enumerate().map(read).collect::<Result<_>>()?;
    for mount in &mut mounts {
        warnings.extend(without_foreign_group(mount, request));
    }
    Ok(mounts)
}

/// The group of terminals, which everybody's config.json names, need not exist in a user namespace,
/// above all not in an ordinary user's: then they keep the group of whoever opens them.
fn without_foreign_group(mount: &mut Mount, request: &Request<'_>) -> Option<String> {
    let Action::FileSystem(wanted) = &mut mount.action else { return None };
    let groups = request.id_maps.1;
    if wanted.fstype != "devpts" || groups.is_empty() {
        return None;
    }
    let is_mapped = |gid: u32| {
        groups.iter().any(|map| gid.checked_sub(map.inside).is_some_and(|at| at < map.count))
    };
    let gid = |word: &str| word.strip_prefix("gid=").and_then(|gid| gid.parse::<u32>().ok());
    let foreign = wanted.data.iter().find_map(|word| gid(word).filter(|gid| !is_mapped(*gid)))?;
    wanted.data.retain(|word| gid(word) != Some(foreign));
    let place = mount.destination.display();
    Some(format!("`{place}`: group {foreign} is not mapped, so terminals keep the user's"))
}

/// Whether one of them brings a whole `/dev` from the host, which is then left as it is.
pub(super) fn binds_dev(mounts: &[Mount]) -> bool {
    mounts.iter().any(|mount| {
        matches!(mount.action, Action::Bind(_)) && cleaned(&mount.destination) == Path::new("/dev")
    })
}

fn read(request: &Request<'_>, mount: &spec::Mount, pointer: &str) -> Result<Mount> {
    let options = Options::parse(&mount.options);
    let idmapped = idmap::compile(request, mount, &options, pointer)?;
    let destination = destination(&mount.destination, pointer)?;
    if cleaned(&destination) == Path::new("/") && !options.remount {
        let text = "is the root itself, which only `root` describes";
        return Err(Error::config(format!("{pointer}/destination"), text));
    }
    let (tree, propagation) = (options.tree, options.propagation.clone());
    let inside_proc = check_proc(&destination, mount, &options, pointer)?;
    let action = if options.remount {
        Action::Remount {
            bind: options.bind.is_some(),
            with: file_system(mount, options, &destination),
        }
    } else if let Some(recursive) = options.bind {
        let source = bind_source(request, mount, &options, pointer)?;
        let must_be_proc = cleaned(&destination) == Path::new("/proc");
        Action::Bind(Bind { source, recursive, top: options.top, must_be_proc })
    } else if matches!(mount.kind.as_str(), "cgroup" | "cgroup2") {
        let tree = CgroupTree::compile(&request.cgroups, &mount.kind, request.cgroup_namespace);
        Action::Cgroups { tree, top: options.top }
    } else {
        check_type(mount, &options, pointer)?;
        Action::FileSystem(file_system(mount, options, &destination))
    };
    Ok(Mount { destination, inside_proc, action, idmapped, tree, propagation })
}

/// Relative destinations are deprecated and start at the root.
fn destination(path: &Path, pointer: &str) -> Result<PathBuf> {
    let wrong = |text: &str| Err(Error::config(format!("{pointer}/destination"), text));
    if path.as_os_str().is_empty() {
        return wrong("is missing");
    }
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return wrong("contains a NUL");
    }
    Ok(Path::new("/").join(path))
}

/// The path without `.` and with `..` taken back, as if there were no symlinks.
fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            _ => {}
        }
    }
    clean
}

/// Refuses what would put a false /proc before those who trust it: rrun's own writes, and the
/// security modules (CVE-2019-16884). Returns whether the destination may be inside a procfs; the
/// effect half looks at the directory itself, since a symlink of the image may lead there too.
fn check_proc(
    destination: &Path,
    mount: &spec::Mount,
    options: &Options,
    pointer: &str,
) -> Result<bool> {
    let clean = cleaned(destination);
    if !clean.starts_with("/proc") {
        return Ok(false);
    }
    let is_root = clean == Path::new("/proc");
    let allowed = if is_root {
        // A bind of a procfs of the host; that it is one is checked on the source itself.
        mount.kind == "proc" || options.bind.is_some() || options.remount
    } else {
        options.remount || INSIDE_PROC.iter().any(|known| clean == Path::new(known))
    };
    if allowed {
        return Ok(true);
    }
    let text = if is_root {
        "only a procfs may be mounted there"
    } else {
        "is inside /proc, where only the files that LXCFS emulates may be mounted"
    };
    Err(Error::config(format!("{pointer}/destination"), text))
}

fn bind_source(
    request: &Request<'_>,
    mount: &spec::Mount,
    options: &Options,
    pointer: &str,
) -> Result<PathBuf> {
    if let Some(parameter) = options.data.first() {
        let text = format!("`{parameter}` is for a file system, which a bind mount does not make");
        return Err(Error::config(format!("{pointer}/options"), text));
    }
    let source = mount.source.as_deref().unwrap_or_default();
    if source.is_empty() || source.contains('\0') {
        return Err(Error::config(format!("{pointer}/source"), "a bind mount needs a path here"));
    }
    Ok(request.bundle.join(source))
}

fn check_type(mount: &spec::Mount, options: &Options, pointer: &str) -> Result<()> {
    let wrong = |member: &str, text: &str| Err(Error::config(format!("{pointer}/{member}"), text));
    match mount.kind.as_str() {
        "" => wrong("type", "is missing"),
        "bind" | "rbind" | "none" => {
            wrong("options", "need `bind` or `rbind`: the type alone does not make a bind mount")
        }
        kind if kind.contains('\0') => wrong("type", "contains a NUL"),
        kind if options.copy_up && kind != "tmpfs" => {
            wrong("options", "`tmpcopyup` is for a tmpfs")
        }
        _ => Ok(()),
    }
}

fn file_system(mount: &spec::Mount, options: Options, destination: &Path) -> FileSystem {
    // Mount points and nodes are still to be made in there; afterwards the mount alone is made
    // read-only, since its superblock may be one that others share.
    let late = (mount.kind == "tmpfs" || cleaned(destination) == Path::new("/dev"))
        && options.top.set & MS_RDONLY != 0
        && !options.remount;
    let keep = if late { !MS_RDONLY } else { !0 };
    FileSystem {
        fstype: mount.kind.clone(),
        source: mount.source.clone().filter(|source| !source.is_empty()),
        top: Attributes { set: options.top.set & keep, ..options.top },
        superblock: options.superblock & keep,
        data: options.data,
        read_only_late: late,
        copy_up: options.copy_up,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::IdRange;
    use crate::spec::Config;

    fn compile_json(mounts: &str) -> Result<Vec<Mount>> {
        let config: Config = crate::spec::parse(format!("{{\"mounts\":[{mounts}]}}").as_bytes())?;
        let request = Request { config: &config, ..Request::forged() };
        compile(&request, &mut Vec::new())
    }

    fn one(mount: &str) -> Mount {
        compile_json(mount).unwrap().remove(0)
    }

    #[test]
    fn binds_take_their_source_from_the_bundle() {
        let mount = one(r#"{"destination":"a","source":"b","type":"x","options":["rbind","ro"]}"#);
        assert_eq!(mount.destination, Path::new("/a"));
        let Action::Bind(bind) = mount.action else { panic!("{:?}", mount.action) };
        assert_eq!(bind.source, Path::new("/bundle/b"));
        assert!(bind.recursive);
        assert_eq!(bind.top.set, MS_RDONLY);
    }

    #[test]
    fn a_tmpfs_is_made_read_only_late() {
        let Action::FileSystem(tmpfs) =
            one(r#"{"destination":"/t","type":"tmpfs","options":["ro","nosuid","size=1m"]}"#)
                .action
        else {
            panic!()
        };
        assert!(tmpfs.read_only_late);
        assert_eq!((tmpfs.top.set, tmpfs.superblock), (libc::MS_NOSUID, 0));
        assert_eq!(tmpfs.data, ["size=1m"]);
        let Action::FileSystem(sysfs) =
            one(r#"{"destination":"/sys","type":"sysfs","options":["ro"]}"#).action
        else {
            panic!()
        };
        assert!(!sysfs.read_only_late);
        assert_eq!((sysfs.top.set, sysfs.superblock), (MS_RDONLY, MS_RDONLY));
    }

    #[test]
    fn what_may_be_mounted_on_proc() {
        for mount in [
            r#"{"destination":"/proc","type":"proc"}"#,
            r#"{"destination":"/proc","source":"/proc","options":["rbind"]}"#,
            r#"{"destination":"/proc/uptime","source":"/x","options":["bind"]}"#,
            r#"{"destination":"//proc/./net/../uptime","source":"/x","options":["bind"]}"#,
        ] {
            assert!(one(mount).inside_proc, "{mount}");
        }
        assert!(!one(r#"{"destination":"/procs","type":"tmpfs"}"#).inside_proc);
        for (mount, expected) in [
            (r#"{"destination":"/proc","type":"tmpfs"}"#, "only a procfs may be mounted there"),
            (r#"{"destination":"/x/../proc/self/attr","type":"tmpfs"}"#, "is inside /proc"),
        ] {
            let error = compile_json(mount).unwrap_err().to_string();
            assert!(error.starts_with("/mounts/0/destination: "), "{error}");
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_group_of_terminals_that_is_not_mapped_is_left_out() {
        let text = r#"{"mounts":[{"destination":"/dev/pts","type":"devpts","options":["gid=5","mode=620"]}]}"#;
        let config: Config = crate::spec::parse(text.as_bytes()).unwrap();
        let data = |groups: &[IdRange]| {
            let id_maps = (groups, groups);
            let request = Request { config: &config, id_maps, ..Request::forged() };
            let mut warnings = Vec::new();
            let mounts = compile(&request, &mut warnings).unwrap();
            let Action::FileSystem(wanted) = &mounts[0].action else { panic!("no file system") };
            (wanted.data.clone(), warnings)
        };
        let range = |count| [IdRange { inside: 0, outside: 1000, count }];
        let (words, warnings) = data(&range(1));
        assert_eq!(words, ["mode=620"]);
        assert_eq!(warnings, ["`/dev/pts`: group 5 is not mapped, so terminals keep the user's"]);
        for groups in [&range(6)[..], &[]] {
            assert_eq!(data(groups).0, ["gid=5", "mode=620"]);
        }
    }

    #[test]
    fn mistakes_name_their_place() {
        for (mount, expected) in [
            (r#"{"type":"tmpfs"}"#, "/mounts/0/destination: is missing"),
            (r#"{"destination":"/a/..","type":"tmpfs"}"#, "/mounts/0/destination: is the root"),
            (r#"{"destination":"/a"}"#, "/mounts/0/type: is missing"),
            (
                r#"{"destination":"/a","type":"bind","source":"/"}"#,
                "/mounts/0/options: need `bind`",
            ),
            (r#"{"destination":"/a","options":["bind"]}"#, "/mounts/0/source: a bind mount needs"),
            (
                r#"{"destination":"/a","source":"/","options":["bind","size=1"]}"#,
                "/mounts/0/options: `size=1` is for a file system",
            ),
            (
                r#"{"destination":"/a","type":"proc","options":["tmpcopyup"]}"#,
                "/mounts/0/options: `tmpcopyup` is for a tmpfs",
            ),
        ] {
            let error = compile_json(mount).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
