//! Pure: what the root file system will be, decided from the document alone.

mod cgroups;
mod devices;
mod external;
mod idmap;
mod label;
mod layers;
mod mounts;
mod options;

use std::path::{Path, PathBuf};

use libc::{MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE};

pub use cgroups::{CgroupView, LegacyHierarchy};
pub use external::External;
pub use options::mount_options;

pub(super) use cgroups::{CgroupTree, LegacyMount, Shown};
pub(super) use devices::{Device, LINKS, NodeKind};
pub(super) use label::Label;
pub(super) use layers::{Layers, Upper};
pub(super) use mounts::{Action, Bind, FileSystem, Mount};
pub(super) use options::{AccessTime, Attributes, Propagation};

use crate::error::{Error, Result};
use crate::spec::Config;

/// Whose mount namespace the container lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountNamespace {
    /// Its own.
    New,
    /// One that exists and that it joins.
    Joined,
    /// That of rrun's caller.
    Shared,
}

/// One range of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdRange {
    /// The first id inside: for an idmapped mount, on disk.
    pub inside: u32,
    /// The first id outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// What the plan is made from.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// config.json.
    pub config: &'a Config,
    /// The bundle, absolute.
    pub bundle: &'a Path,
    /// As whom the container claims a kept upper directory: a path that ends with its id.
    pub owner: &'a Path,
    /// Whose mount namespace it will be.
    pub mount_namespace: MountNamespace,
    /// Whether the container is in a user namespace that is not ours, where no node can be made.
    pub user_namespace: bool,
    /// Whether it gets a cgroup namespace rooted at its own cgroup.
    pub cgroup_namespace: bool,
    /// User and group ids that exist in its user namespace; none where all do.
    pub id_maps: (&'a [IdRange], &'a [IdRange]),
    /// Whether pivot_root(2) is not to be used (`--no-pivot`).
    pub no_pivot: bool,
    /// What a mount of type `cgroup` shows.
    pub cgroups: CgroupView,
}

/// The plan, and what its maker ought to be told.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// What will be done.
    pub plan: Plan,
    /// Sentences for the log.
    pub warnings: Vec<String>,
}

/// Everything that will be done to make the container's root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) root: Root,
    pub(super) mount_namespace: MountNamespace,
    pub(super) user_namespace: bool,
    pub(super) no_pivot: bool,
    /// For "/" of the new namespace, before anything is mounted.
    pub(super) propagation: Propagation,
    /// Whether the new root stays a slave of the mount it was cloned from, as config.json asked in so
    /// many words: what is mounted in the image on the host later appears in the container.
    pub(super) root_is_slave: bool,
    /// For the new root, when all is done.
    pub(super) root_propagation: Option<Propagation>,
    pub(super) mounts: Vec<Mount>,
    /// The SELinux context of what is made, in those places where the mounts do not have it.
    pub(super) label: Option<Label>,
    /// Nodes to make; None where the config binds a whole `/dev`.
    pub(super) devices: Option<Vec<Device>>,
    /// The program's working directory, to be made where it is missing.
    pub(super) cwd: Option<PathBuf>,
    pub(super) masked_paths: Vec<PathBuf>,
    pub(super) read_only_paths: Vec<PathBuf>,
    pub(super) read_only: bool,
}

/// Where the root file system comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    /// A directory of the host.
    Directory(PathBuf),
    /// Layers, joined in the container's mount namespace.
    Layers {
        /// The layers.
        layers: Layers,
        /// `root.path`, which must not be somebody's mount already.
        path: PathBuf,
    },
}

impl Plan {
    /// Directories that will be made on the host, for `delete` to remove with
    /// [`release`](super::release).
    pub fn host_directories(&self) -> Vec<PathBuf> {
        match &self.root {
            Root::Layers { layers: Layers { upper: Upper::Kept { work, .. }, .. }, .. } => {
                vec![work.clone()]
            }
            _ => Vec::new(),
        }
    }

    /// Whether init may have to ask its parent for help ([`Outside`](super::Outside)).
    pub fn may_ask(&self) -> bool {
        self.user_namespace || self.mounts.iter().any(|mount| mount.idmapped.is_some())
    }

    /// The root file system as the host names it: `root.path`, absolute.
    pub fn root_path(&self) -> &Path {
        match &self.root {
            Root::Directory(path) | Root::Layers { path, .. } => path,
        }
    }
}

/// Decides how the root file system is made.
///
/// # Errors
/// Mistakes in the document, each with the JSON pointer of the member that is wrong.
pub fn compile(request: &Request<'_>) -> Result<Compiled> {
    let config = request.config;
    let mut warnings = Vec::new();
    let path = match config.root.as_ref().map(|root| root.path.as_path()) {
        Some(path) if !path.as_os_str().is_empty() => request.bundle.join(path),
        _ => return Err(Error::config("/root/path", "is missing")),
    };
    let label = Label::compile(config)?;
    let layers = Layers::parse(&config.annotations, request.bundle, request.owner)?;
    if request.mount_namespace != MountNamespace::New {
        check_foreign_namespace(config, layers.is_some())?;
    }
    let mut mounts = mounts::compile(request, &mut warnings)?;
    for mount in &mut mounts {
        mount.add_label(label.as_ref());
    }
    let own_dev = request.mount_namespace == MountNamespace::New && !mounts::binds_dev(&mounts);
    let devices = devices::compile(&config.linux.devices)?;
    let (propagation, root_propagation) = propagation(&config.linux.rootfs_propagation)?;
    let cwd = config.process.as_ref().map(|process| process.cwd.clone());
    let plan = Plan {
        root: match layers {
            Some(layers) => {
                Root::Layers { layers: Layers { label: label.clone(), ..layers }, path }
            }
            None => Root::Directory(path),
        },
        mount_namespace: request.mount_namespace,
        user_namespace: request.user_namespace,
        no_pivot: request.no_pivot,
        propagation,
        root_propagation,
        root_is_slave: matches!(config.linux.rootfs_propagation.as_str(), "slave" | "rslave"),
        mounts,
        label,
        devices: own_dev.then_some(devices),
        cwd: cwd.filter(|cwd| !cwd.as_os_str().is_empty()),
        masked_paths: paths(&config.linux.masked_paths, "/linux/maskedPaths")?,
        read_only_paths: paths(&config.linux.readonly_paths, "/linux/readonlyPaths")?,
        read_only: config.root.as_ref().is_some_and(|root| root.readonly),
    };
    Ok(Compiled { plan, warnings })
}

/// In a mount namespace that others live in, every mount would be theirs too.
fn check_foreign_namespace(config: &Config, layers: bool) -> Result<()> {
    let asked = [
        ("/mounts", !config.mounts.is_empty()),
        ("/root/readonly", config.root.as_ref().is_some_and(|root| root.readonly)),
        ("/linux/maskedPaths", !config.linux.masked_paths.is_empty()),
        ("/linux/readonlyPaths", !config.linux.readonly_paths.is_empty()),
        ("/linux/devices", !config.linux.devices.is_empty()),
        ("/linux/rootfsPropagation", !config.linux.rootfs_propagation.is_empty()),
        ("/annotations/dev.rrun.rootfs.layers", layers),
    ];
    match asked.into_iter().find(|(_, asked)| *asked) {
        None => Ok(()),
        Some((pointer, _)) => {
            let text =
                "needs a new mount namespace, since it would change what others see in theirs";
            let error = Error::config(pointer, text);
            Err(error.hinted("add `{\"type\": \"mount\"}` without a path to `linux.namespaces`"))
        }
    }
}

/// What `rootfsPropagation` means for the namespace before, and for the new root after.
///
/// The namespace takes the type at once, since what is bound from the host inherits it. The new root
/// is private while it is made, or a slave where config.json says so; it becomes shared or unbindable
/// at the end. The mounts in it keep what their own options say. An unbindable host tree could not be cloned: it is private instead.
fn propagation(word: &str) -> Result<(Propagation, Option<Propagation>)> {
    let change = |kind, recursive| Propagation { kind, recursive };
    let recursive = word.starts_with('r');
    match word {
        "" => Ok((change(MS_SLAVE, true), None)),
        "private" | "rprivate" => Ok((change(MS_PRIVATE, recursive), None)),
        "slave" | "rslave" => Ok((change(MS_SLAVE, recursive), None)),
        "shared" | "rshared" => {
            Ok((change(MS_SHARED, recursive), Some(change(MS_SHARED, recursive))))
        }
        "unbindable" | "runbindable" => {
            Ok((change(MS_PRIVATE, recursive), Some(change(MS_UNBINDABLE, recursive))))
        }
        other => {
            let text = format!(
                "`{other}` is none of `private`, `slave`, `shared`, `unbindable`, nor one of them \
                 with `r` before it"
            );
            Err(Error::config("/linux/rootfsPropagation", text))
        }
    }
}

fn paths(paths: &[PathBuf], pointer: &str) -> Result<Vec<PathBuf>> {
    let read = |(at, path): (usize, &PathBuf)| {
        if path.is_absolute() && !path.as_os_str().as_encoded_bytes().contains(&0) {
            return Ok(path.clone());
        }
        let text = format!("`{}` is not absolute", path.display());
        Err(Error::config(format!("{pointer}/{at}"), text))
    };
    paths.iter().enumerate().map(read).collect()
}

#[cfg(test)]
impl Request<'_> {
    /// An empty document in a new mount namespace.
    fn forged() -> Request<'static> {
        static CONFIG: std::sync::LazyLock<Config> = std::sync::LazyLock::new(Config::default);
        Request {
            config: &CONFIG,
            bundle: Path::new("/bundle"),
            owner: Path::new("now/web"),
            mount_namespace: MountNamespace::New,
            user_namespace: false,
            cgroup_namespace: true,
            id_maps: (&[], &[]),
            no_pivot: false,
            cgroups: CgroupView::Absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile_json(text: &str, mount_namespace: MountNamespace) -> Result<Compiled> {
        let config: Config = crate::spec::parse(text.as_bytes())?;
        compile(&Request { config: &config, mount_namespace, ..Request::forged() })
    }

    #[test]
    fn the_least_that_is_needed() {
        let compiled = compile_json(r#"{"root":{"path":"rootfs"}}"#, MountNamespace::New).unwrap();
        let plan = compiled.plan;
        assert_eq!(plan.root_path(), Path::new("/bundle/rootfs"));
        assert_eq!(plan.propagation, Propagation { kind: MS_SLAVE, recursive: true });
        assert_eq!(plan.root_propagation, None);
        assert_eq!(plan.devices.unwrap().len(), 6);
        assert!(compiled.warnings.is_empty());
        let error = compile_json("{}", MountNamespace::New).unwrap_err();
        assert_eq!(error.to_string(), "/root/path: is missing");
    }

    #[test]
    fn a_whole_dev_from_the_host_is_left_alone() {
        let text = r#"{"root":{"path":"/r"},"mounts":[
            {"destination":"/dev/","source":"/dev","options":["rbind"]}]}"#;
        assert_eq!(compile_json(text, MountNamespace::New).unwrap().plan.devices, None);
    }

    #[test]
    fn a_foreign_namespace_is_not_changed() {
        for (member, pointer) in [
            (r#""mounts":[{"destination":"/a","type":"tmpfs"}]"#, "/mounts"),
            (r#""linux":{"maskedPaths":["/a"]}"#, "/linux/maskedPaths"),
            (r#""linux":{"readonlyPaths":["/a"]}"#, "/linux/readonlyPaths"),
            (r#""linux":{"devices":[{"type":"p","path":"/dev/a"}]}"#, "/linux/devices"),
            (r#""linux":{"rootfsPropagation":"shared"}"#, "/linux/rootfsPropagation"),
            (
                r#""annotations":{"dev.rrun.rootfs.layers":"[\"/l\"]"}"#,
                "/annotations/dev.rrun.rootfs.layers",
            ),
        ] {
            let text = format!(r#"{{"root":{{"path":"/r"}},{member}}}"#);
            for namespace in [MountNamespace::Joined, MountNamespace::Shared] {
                let error = compile_json(&text, namespace).unwrap_err();
                assert!(error.to_string().starts_with(&format!("{pointer}: needs a new mount")));
                assert!(error.hint_text().is_some());
            }
            assert!(compile_json(&text, MountNamespace::New).is_ok());
        }
        let plain = compile_json(r#"{"root":{"path":"/"}}"#, MountNamespace::Shared).unwrap();
        assert_eq!(plain.plan.devices, None);
    }

    #[test]
    fn propagation_of_namespace_and_root() {
        let change = |kind, recursive| Propagation { kind, recursive };
        for (word, before, after) in [
            ("", change(MS_SLAVE, true), None),
            ("private", change(MS_PRIVATE, false), None),
            ("rslave", change(MS_SLAVE, true), None),
            ("shared", change(MS_SHARED, false), Some(change(MS_SHARED, false))),
            ("rshared", change(MS_SHARED, true), Some(change(MS_SHARED, true))),
            ("runbindable", change(MS_PRIVATE, true), Some(change(MS_UNBINDABLE, true))),
        ] {
            assert_eq!(propagation(word).unwrap(), (before, after), "{word}");
        }
        let error = propagation("rw").unwrap_err().to_string();
        assert!(error.starts_with("/linux/rootfsPropagation: `rw` is none of"), "{error}");
    }

    #[test]
    fn a_kept_upper_is_named_for_delete() {
        let text = r#"{"root":{"path":"r"},"annotations":{
            "dev.rrun.rootfs.layers":"[\"/l\"]","dev.rrun.rootfs.upper":"/data/up"}}"#;
        let plan = compile_json(text, MountNamespace::New).unwrap().plan;
        assert_eq!(plan.host_directories(), [PathBuf::from("/data/.up.rrun-work")]);
    }

    #[test]
    fn masked_paths_are_absolute() {
        let text = r#"{"root":{"path":"r"},"linux":{"maskedPaths":["/a","b"]}}"#;
        let error = compile_json(text, MountNamespace::New).unwrap_err().to_string();
        assert_eq!(error, "/linux/maskedPaths/1: `b` is not absolute");
    }

    #[test]
    fn an_absent_cgroup_hierarchy_is_a_warning() {
        let text = r#"{"root":{"path":"r"},"mounts":[{"destination":"/c","type":"cgroup"}]}"#;
        let warnings = compile_json(text, MountNamespace::New).unwrap().warnings;
        assert_eq!(warnings, ["`/c` stays empty: the host has no cgroups to show"]);
    }
}
