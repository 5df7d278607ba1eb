//! From what was written to what will be done: [`compile`] turns config.json, the facts of the host
//! and the command line into a [`Plan`].
//!
//! It changes nothing and needs no privilege, so every mistake that the documents alone show is
//! found here, before any side effect. What two rooms have to agree on is decided here, since rooms
//! never look at each other. A plan is data: it can be printed, compared, and handed to the child by
//! the fork itself.

mod annotations;
mod checks;
mod exec;
mod record;

use std::path::PathBuf;

use crate::cgroups;
use crate::error::{Context, Error, Result};
use crate::hooks;
use crate::host::Host;
use crate::namespaces;
use crate::namespaces::Kind;
use crate::resctrl;
use crate::rootfs;
use crate::security;
use crate::spec;
use crate::workload;

use annotations::Annotations;
pub use exec::{ExecOptions, ExecPlan, compile_exec};
pub use record::{OCI_VERSION, ProcessRecord, Record};

/// Who owns the cgroup tree (`--cgroup-manager`).
pub use crate::cgroups::Owner as CgroupOwner;

/// What the command line asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The container's id.
    pub id: String,
    /// The time, RFC 3339 with nanoseconds.
    pub created: String,
    /// The bundle directory, absolute.
    pub bundle: PathBuf,
    /// Whether the root is changed without pivot_root(2) (`--no-pivot`).
    pub no_pivot: bool,
    /// Whether the caller's session keyring is kept (`--no-new-keyring`).
    pub keep_keyring: bool,
    /// Descriptors beyond 2 that the program inherits (`--preserve-fds`, LISTEN_FDS).
    pub preserve_fds: u32,
    /// How many of them came from LISTEN_FDS (sd_listen_fds(3)).
    pub listen_fds: u32,
    /// Who owns the cgroup tree.
    pub cgroup_owner: CgroupOwner,
    /// Whether the container ends with rrun, however that ends (`sandbox`).
    pub dies_with_us: bool,
    /// Whether rrun stays in it as its first process, for signals and orphans (`sandbox`).
    pub reaps: bool,
}

/// Everything that `create` will do.
#[derive(Debug)]
pub struct Plan {
    /// The container's id.
    pub id: String,
    /// When it is created, RFC 3339.
    pub created: String,
    /// The bundle directory, absolute.
    pub bundle: PathBuf,
    /// The root directory as config.json names it, absolute.
    pub root: PathBuf,
    /// Metadata, shown by `state`.
    pub annotations: std::collections::BTreeMap<String, String>,
    /// Namespaces.
    pub namespaces: namespaces::Plan,
    /// The way into them.
    pub strategy: namespaces::Strategy,
    /// The cgroup.
    pub cgroup: cgroups::Plan,
    /// What it limits, as config.json has it, for `update`.
    pub resources: spec::Resources,
    /// Its share of caches and memory bandwidth.
    pub resctrl: Option<resctrl::Plan>,
    /// The root file system.
    pub rootfs: rootfs::Plan,
    /// The program.
    pub workload: workload::Plan,
    /// What it may do.
    pub security: security::Plan,
    /// Commands at moments of the lifecycle.
    pub hooks: hooks::Plan,
    /// The socket that gets a pidfd, where the command line names none.
    pub pidfd_receiver: Option<PathBuf>,
    /// Descriptors beyond 2 that the program inherits.
    pub preserve_fds: u32,
    /// How many of them came from LISTEN_FDS.
    pub listen_fds: u32,
    /// Whether the container ends with rrun, however that ends.
    pub dies_with_us: bool,
    /// Whether rrun stays in it as its first process, and the program is the second.
    pub reaps: bool,
    /// Whether rrun has the power of the machine's root.
    pub privileged: bool,
    /// Whether rrun has power over the mounts that it sees: root does, of whatever user namespace.
    pub can_help: bool,
    /// The highest capability that the kernel knows.
    pub last_capability: u32,
    /// What the user should know, and need not mend.
    pub warnings: Vec<String>,
}

impl Plan {
    /// As whom the container claims a kept upper directory.
    pub fn owner(&self) -> PathBuf {
        upper_owner(&self.created, &self.id)
    }
}

/// The time tells containers of one id apart, which may exist below different `--root`s.
fn upper_owner(created: &str, id: &str) -> PathBuf {
    PathBuf::from(created).join(id)
}

/// Decides everything.
///
/// # Errors
/// The first mistake, with its JSON pointer.
pub fn compile(config: &spec::Config, host: &Host, options: &Options) -> Result<Plan> {
    checks::run(config)?;
    checks::mount_label(config, host)?;
    let Some(process) = &config.process else {
        return Err(Error::config("/process", "is missing: there is no program to start"));
    };
    let Some(root) = &config.root else {
        return Err(Error::config("/root", "is missing"));
    };
    let annotations = Annotations::read(config, &options.bundle)?;
    let mut warnings = Vec::new();
    let namespaces = compile_namespaces(config, host)?;
    let cgroup = compile_cgroup((config, &namespaces), host, options, &mut warnings)?;
    let strategy =
        namespaces::strategy(&namespaces, cgroup.is_placed_at_clone(), host.is_true_root());
    let ids = id_maps(config, &namespaces, host);
    let rootfs = compile_rootfs((config, &ids), options, &namespaces, &cgroup, &mut warnings)?;
    let keyring = !options.keep_keyring;
    let mut security = security::Plan::compile(
        process,
        facts(process, host, &namespaces),
        keyring,
        &mut warnings,
    )?;
    let seccomp = config.linux.seccomp.as_ref().map(|it| annotations.complete(it));
    security.seccomp = seccomp.as_ref().map(security::seccomp::Plan::compile).transpose()?;
    let mut workload = workload::Plan::compile(process)?;
    workload.keep_groups = annotations.keep_groups;
    workload.domain = workload::Domain::compile(&config.linux)?;
    let mut hooks = hooks::Plan::compile(&config.hooks)?;
    hooks.redirect(annotations.hooks_stdout.as_deref(), annotations.hooks_stderr.as_deref());
    checks::hooks_can_fork(&workload, &hooks)?;
    let rdt = config.linux.intel_rdt.as_ref();
    let resctrl = resctrl::Plan::compile(rdt, &options.id, rdt.and_then(|_| host.resctrl()))?;
    Ok(Plan {
        id: options.id.clone(),
        created: options.created.clone(),
        bundle: options.bundle.clone(),
        root: options.bundle.join(&root.path),
        annotations: config.annotations.clone(),
        strategy,
        cgroup,
        resources: config.linux.resources.clone(),
        resctrl,
        rootfs,
        workload,
        security,
        hooks,
        pidfd_receiver: annotations.pidfd_receiver,
        preserve_fds: options.preserve_fds,
        listen_fds: options.listen_fds,
        dies_with_us: options.dies_with_us,
        reaps: options.reaps,
        privileged: host.is_true_root(),
        can_help: host.euid() == 0,
        last_capability: host.last_capability(),
        namespaces,
        warnings,
    })
}

fn compile_namespaces(config: &spec::Config, host: &Host) -> Result<namespaces::Plan> {
    let mut namespaces = namespaces::Plan::compile(config)?;
    let unmapped = config.linux.uid_mappings.is_empty() && config.linux.gid_mappings.is_empty();
    if unmapped && *namespaces.source(Kind::User) == namespaces::Source::New {
        let (users, groups) = host.ids_to_give();
        namespaces.map_all(&users, &groups);
    }
    Ok(namespaces)
}

fn facts(process: &spec::Process, host: &Host, namespaces: &namespaces::Plan) -> security::Facts {
    let has_user_namespace = *namespaces.source(Kind::User) != namespaces::Source::Inherited;
    security::Facts {
        own_capabilities: grantable(host, has_user_namespace),
        apparmor: !process.apparmor_profile.is_empty() && host.has_apparmor(),
        selinux: !process.selinux_label.is_empty() && host.has_selinux(),
    }
}

/// The capabilities that are ours to give: all that there are to whoever makes or enters a user
/// namespace (user_namespaces(7)), and else those that we have.
fn grantable(host: &Host, has_user_namespace: bool) -> u64 {
    if has_user_namespace {
        return u64::MAX >> (63 - host.last_capability().min(63));
    }
    host.own_capabilities()
}

fn compile_cgroup(
    (config, namespaces): (&spec::Config, &namespaces::Plan),
    host: &Host,
    options: &Options,
    warnings: &mut Vec<String>,
) -> Result<cgroups::Plan> {
    let request = cgroups::Request {
        id: &options.id,
        path: &config.linux.cgroups_path,
        resources: &config.linux.resources,
        annotations: &config.annotations,
        layout: host.cgroups()?,
        owner: options.cgroup_owner,
        privileged: host.is_true_root(),
        manager: checks::cgroup_manager(config, namespaces),
    };
    let compiled = cgroups::compile(&request).context(|| "plan the cgroup")?;
    warnings.extend(compiled.warnings);
    Ok(compiled.plan)
}

/// The ids of the user namespace that the container will be in; none for the machine's own, in which
/// all are. One that is joined has its own, which engines repeat in config.json.
fn id_maps(
    config: &spec::Config,
    namespaces: &namespaces::Plan,
    host: &Host,
) -> (Vec<rootfs::IdRange>, Vec<rootfs::IdRange>) {
    let made = |map: &namespaces::IdMap| {
        let (inside, outside, count) = (map.inside, map.outside, map.count);
        rootfs::IdRange { inside, outside, count }
    };
    let written = |map: &spec::IdMapping| {
        let (inside, outside, count) = (map.container_id, map.host_id, map.size);
        rootfs::IdRange { inside, outside, count }
    };
    let ours =
        |range: &(u32, u32)| rootfs::IdRange { inside: range.0, outside: range.0, count: range.1 };
    match namespaces.source(Kind::User) {
        namespaces::Source::New => (
            namespaces.uid_maps.iter().map(made).collect(),
            namespaces.gid_maps.iter().map(made).collect(),
        ),
        namespaces::Source::Path(..) => (
            config.linux.uid_mappings.iter().map(written).collect(),
            config.linux.gid_mappings.iter().map(written).collect(),
        ),
        namespaces::Source::Inherited if host.in_initial_user_namespace() => {
            (Vec::new(), Vec::new())
        }
        namespaces::Source::Inherited => {
            let (users, groups) = host.ids_to_give();
            (users.iter().map(ours).collect(), groups.iter().map(ours).collect())
        }
    }
}

/// What a mount of type `cgroup` shows is `rootfs`' to mount and `cgroups`' to know: the numbers
/// cross here.
fn compile_rootfs(
    (config, ids): (&spec::Config, &(Vec<rootfs::IdRange>, Vec<rootfs::IdRange>)),
    options: &Options,
    namespaces: &namespaces::Plan,
    cgroup: &cgroups::Plan,
    warnings: &mut Vec<String>,
) -> Result<rootfs::Plan> {
    let mount_namespace = match namespaces.source(Kind::Mount) {
        namespaces::Source::New => rootfs::MountNamespace::New,
        namespaces::Source::Path(..) => rootfs::MountNamespace::Joined,
        namespaces::Source::Inherited => rootfs::MountNamespace::Shared,
    };
    let owner = upper_owner(&options.created, &options.id);
    let request = rootfs::Request {
        config,
        bundle: &options.bundle,
        owner: &owner,
        mount_namespace,
        user_namespace: namespaces.is_private(Kind::User),
        cgroup_namespace: *namespaces.source(Kind::Cgroup) == namespaces::Source::New,
        id_maps: (&ids.0, &ids.1),
        no_pivot: options.no_pivot,
        cgroups: checks::cgroup_view(cgroup),
    };
    let compiled = rootfs::compile(&request)?;
    warnings.extend(compiled.warnings);
    Ok(compiled.plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{CgroupLayout, Hierarchy};
    use std::path::Path;

    fn hybrid() -> CgroupLayout {
        let v1 = |name: &str, controllers: &[&str]| Hierarchy {
            mount: Path::new("/sys/fs/cgroup").join(name),
            controllers: controllers.iter().map(|it| (*it).to_owned()).collect(),
            own: PathBuf::from("/"),
            unified: false,
        };
        let mut hierarchies: Vec<_> = ["cpuset", "memory", "devices", "freezer", "pids", "blkio"]
            .iter()
            .map(|name| v1(name, &[name]))
            .collect();
        hierarchies.push(v1("cpu,cpuacct", &["cpu", "cpuacct"]));
        hierarchies.push(v1("systemd", &["name=systemd"]));
        let unified = Hierarchy { unified: true, ..v1("unified", &[]) };
        hierarchies.push(unified);
        CgroupLayout { hierarchies }
    }

    fn compile_for(layout: CgroupLayout, config: &spec::Config) -> Result<Plan> {
        let options =
            Options { id: "id".to_owned(), bundle: PathBuf::from("/bundle"), ..Options::default() };
        compile(config, &Host::forged(layout), &options)
    }

    /// What engines write, without what is refused by name so far.
    #[test]
    fn what_engines_write_is_planned_on_every_layout() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/engines");
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let mut config = spec::Config::read(&path).unwrap();
            let process = config.process.as_mut().unwrap();
            process.apparmor_profile.clear();
            process.selinux_label.clear();
            for layout in [hybrid(), CgroupLayout::unified(Path::new("/sys/fs/cgroup"), "0::/\n")] {
                let plan = compile_for(layout, &config);
                assert!(plan.is_ok(), "{}: {}", path.display(), plan.unwrap_err());
            }
        }
    }

    #[test]
    fn aliases_of_co_mounted_controllers_are_links() {
        let text = r#"{"ociVersion":"1.0.2","root":{"path":"r"},
            "process":{"args":["a"],"cwd":"/"},"linux":{"namespaces":[{"type":"mount"}]}}"#;
        let config: spec::Config = spec::parse(text.as_bytes()).unwrap();
        let plan = compile_for(hybrid(), &config).unwrap();
        let rootfs::CgroupView::Legacy { hierarchies, links } = checks::cgroup_view(&plan.cgroup)
        else {
            panic!("not legacy")
        };
        let named = hierarchies.iter().find(|it| it.name == "systemd").unwrap();
        assert_eq!(named.data, "none,name=systemd");
        assert!(links.contains(&("cpuacct".to_owned(), "cpu,cpuacct".to_owned())));
        assert!(hierarchies.iter().any(|it| it.unified && it.data.is_empty()));
        assert!(!plan.cgroup.is_placed_at_clone());
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, expected) in [
            (r#"{"ociVersion":"1.0.2"}"#, "/process: is missing: there is no program to start"),
            (r#"{"ociVersion":"1.0.2","process":{"args":["a"],"cwd":"/"}}"#, "/root: is missing"),
        ] {
            let config: spec::Config = spec::parse(text.as_bytes()).unwrap();
            assert_eq!(compile_for(hybrid(), &config).unwrap_err().to_string(), expected);
        }
    }
}
