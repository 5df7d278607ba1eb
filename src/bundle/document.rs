//! Pure: the decisions of a config.json, and the text that they make.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::capabilities::{FEW, USUAL, named, no_capability};
use super::config::{
    Capabilities, Config, Cpu, DeviceRule, IdMapping, Limit, Linux, Namespace, Process, Resources,
    Rlimit, Root, UserIds,
};
use super::mount;
use super::mount::Mount;
use super::seccomp;
use super::user::User;
use crate::error::{Context, Error, Kind, Result};
use crate::host::IdRange;

/// The version of the runtime-spec that is written: an old one, which has nearly all of the members,
/// for crun refuses those that it does not know yet (1.8: all but 1.0).
const OCI_VERSION: &str = "1.0.2";

/// Where programs are looked for, as all engines have it.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Microseconds of a period of processor time, the kernel's own default.
const CPU_PERIOD: u64 = 100_000;

/// The least quota that the kernel takes, in microseconds.
const CPU_QUOTA_LEAST: i64 = 1_000;

/// What no program in a container may read: it tells of the machine, or lets one measure it.
const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// What none may write: it would change the machine.
const READ_ONLY: &[&str] =
    &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// What the network of a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// A namespace of its own, with the loopback interface.
    Own,
    /// The caller's.
    Host,
}

/// Where changes to layers go (docs/union.md).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upper {
    /// To memory, forgotten with the container.
    Ephemeral,
    /// To this directory, which keeps them; relative to the bundle.
    Kept(String),
}

/// A config.json in the making. Its members are decisions, which may be changed in any order.
#[derive(Debug, Clone)]
pub struct Document {
    /// The program and its arguments.
    pub args: Vec<String>,
    /// `NAME=value`; [`Document::set_env`] replaces one.
    pub env: Vec<String>,
    /// The working directory, absolute.
    pub cwd: String,
    /// Whether there is a terminal.
    pub terminal: bool,
    /// Who the program runs as.
    pub user: User,
    /// Whether execve(2) gives no privileges.
    pub no_new_privileges: bool,
    /// The root directory; with layers it need not exist.
    pub root: String,
    /// Whether the root is read-only.
    pub read_only: bool,
    /// The host name.
    pub hostname: String,
    /// Mounts on top of the usual ones, in order.
    pub mounts: Vec<Mount>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Bytes of memory; -1 is no limit.
    pub memory: Option<i64>,
    /// Processes; -1 is no limit.
    pub pids: Option<i64>,
    /// The network; None is what such a document usually has: the host's for an ordinary user.
    pub network: Option<Network>,
    /// The users and groups of a user namespace, in the order of their numbers inside, where an
    /// ordinary user becomes root in one ([`crate::host::Host::ids_to_give`]).
    pub rootless: Option<(Vec<IdRange>, Vec<IdRange>)>,
    /// Whether the default seccomp profile is in it, as fits the capabilities (docs/seccomp.md).
    pub seccomp: bool,
    cpu_quota: Option<i64>,
    capabilities: BTreeSet<String>,
    /// Those that were added: another user than root has no others.
    added: BTreeSet<String>,
    rlimits: &'static [Rlimit],
}

impl Document {
    /// A shell with a terminal in a read-only `rootfs`, with the namespaces, mounts and limits that all
    /// runtimes start with.
    pub fn example() -> Document {
        Document {
            args: vec!["sh".to_owned()],
            env: vec![PATH.to_owned(), "TERM=xterm".to_owned()],
            terminal: true,
            no_new_privileges: true,
            read_only: true,
            seccomp: false,
            capabilities: FEW.map(str::to_owned).into(),
            rlimits: &[Rlimit { kind: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
            ..Document::for_images()
        }
    }

    /// What the programs of images are written for: a root that can be written, root with Docker's
    /// capabilities, set-user-ID programs that work, no terminal, and the default seccomp profile.
    pub fn for_images() -> Document {
        Document {
            args: vec!["sh".to_owned()],
            env: vec![PATH.to_owned()],
            cwd: "/".to_owned(),
            terminal: false,
            user: User::default(),
            no_new_privileges: false,
            root: "rootfs".to_owned(),
            read_only: false,
            hostname: "rrun".to_owned(),
            mounts: Vec::new(),
            annotations: BTreeMap::new(),
            memory: None,
            pids: None,
            network: None,
            rootless: None,
            seccomp: true,
            cpu_quota: None,
            capabilities: USUAL.map(str::to_owned).into(),
            added: BTreeSet::new(),
            rlimits: &[],
        }
    }

    /// Adds `NAME=value` to the environment, or replaces what has the name.
    ///
    /// # Errors
    /// An entry without a name or a value.
    pub fn set_env(&mut self, entry: &str) -> Result<()> {
        let name = entry.split_once('=').map(|(name, _)| name).filter(|name| !name.is_empty());
        let Some(name) = name.filter(|_| !entry.contains('\0')) else {
            let text = format!("`{}` is not NAME=VALUE", entry.escape_debug());
            return Err(Error::message(Kind::Usage, text));
        };
        match self.env.iter_mut().find(|known| name_of(known) == Some(name)) {
            Some(known) => entry.clone_into(known),
            None => self.env.push(entry.to_owned()),
        }
        Ok(())
    }

    /// Takes capabilities away, then gives some: names with or without `CAP_`, in any case, or `ALL`.
    ///
    /// # Errors
    /// A name that no capability has, and which option it is of.
    pub fn change_capabilities(&mut self, drop: &[String], add: &[String]) -> Result<()> {
        for name in drop {
            let gone = named(name).ok_or_else(|| no_capability("--cap-drop", name))?;
            self.capabilities.retain(|known| !gone.contains(known));
            self.added.retain(|known| !gone.contains(known));
        }
        for name in add {
            let new = named(name).ok_or_else(|| no_capability("--cap-add", name))?;
            self.capabilities.extend(new.iter().cloned());
            self.added.extend(new);
        }
        Ok(())
    }

    /// Limits the processor time to this many processors.
    ///
    /// # Errors
    /// None at all, and less than the kernel can give.
    pub fn limit_cpus(&mut self, processors: f64) -> Result<()> {
        let quota = (processors * CPU_PERIOD as f64).round();
        if !(CPU_QUOTA_LEAST as f64..=1e12).contains(&quota) {
            return Err(Error::message(Kind::Usage, "the least is 0.01 processors"));
        }
        self.cpu_quota = Some(quota as i64);
        Ok(())
    }

    /// Makes the root file system a union of directories, lowest first, relative to the bundle
    /// (docs/union.md).
    ///
    /// # Errors
    /// Never for names that are text.
    pub fn set_layers(&mut self, layers: &[String], upper: &Upper) -> Result<()> {
        let names = serde_json::to_string(layers)
            .map_err(|error| Error::internal(format!("names of layers: {error}")))?;
        let upper = match upper {
            Upper::Ephemeral => "ephemeral",
            Upper::Kept(directory) => directory,
        };
        for (key, value) in [("layers", names.as_str()), ("upper", upper), ("init", "true")] {
            self.annotations.insert(format!("dev.rrun.rootfs.{key}"), value.to_owned());
        }
        Ok(())
    }

    /// Whether the root file system is a union of directories.
    pub fn has_layers(&self) -> bool {
        self.annotations.contains_key("dev.rrun.rootfs.layers")
    }

    /// The text of config.json.
    ///
    /// # Errors
    /// A user that the user namespace does not have.
    pub fn to_json(&self) -> Result<String> {
        self.check_user()?;
        let mut text = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
        let written = self.config()?.serialize(&mut serializer);
        written.map_err(|error| Error::internal(format!("config.json: {error}")))?;
        text.push(b'\n');
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// What the kernel would refuse much later, and with few words.
    fn check_user(&self) -> Result<()> {
        let Some((uids, gids)) = &self.rootless else { return Ok(()) };
        let users = [("user", self.user.uid, uids), ("group", self.user.gid, gids)];
        match users.into_iter().find(|(_, id, ranges)| count(ranges) <= u64::from(*id)) {
            None => Ok(()),
            Some((what, id, ranges)) => {
                let count = count(ranges);
                let text = format!("{what} {id} is not among the {count} of the user namespace");
                Err(Error::message(Kind::Usage, text)).hint(|| {
                    "an ordinary user has more with newuidmap(1) and lines in /etc/subuid and \
                     /etc/subgid"
                })
            }
        }
    }

    fn config(&self) -> Result<Config<'_>> {
        let capabilities: Vec<&str> = self.capabilities.iter().map(String::as_str).collect();
        // execve(2) leaves another user nothing but what is ambient.
        let ambient = self.added.iter().filter(|_| self.user.uid != 0);
        let ambient: Vec<&str> = ambient.map(String::as_str).collect();
        let annotations = self.annotations.iter();
        Ok(Config {
            oci_version: OCI_VERSION,
            process: Process {
                terminal: self.terminal,
                user: UserIds {
                    uid: self.user.uid,
                    gid: self.user.gid,
                    additional_gids: &self.user.additional_gids,
                },
                args: &self.args,
                env: self.environment(),
                cwd: &self.cwd,
                capabilities: Capabilities {
                    bounding: capabilities.clone(),
                    effective: capabilities.clone(),
                    permitted: capabilities,
                    inheritable: ambient.clone(),
                    ambient,
                },
                rlimits: self.rlimits,
                no_new_privileges: self.no_new_privileges,
            },
            root: Root { path: &self.root, readonly: self.read_only },
            hostname: &self.hostname,
            mounts: self.all_mounts(),
            annotations: annotations.map(|(name, value)| (name.as_str(), value.clone())).collect(),
            linux: self.linux()?,
        })
    }

    fn environment(&self) -> Vec<String> {
        let mut env = self.env.clone();
        if !env.iter().any(|entry| name_of(entry) == Some("PATH")) {
            env.insert(0, PATH.to_owned());
        }
        if self.terminal && !env.iter().any(|entry| name_of(entry) == Some("TERM")) {
            env.push("TERM=xterm".to_owned());
        }
        env
    }

    /// The usual ones, and on top those that were asked for; who asks for the place of a usual one gets
    /// it.
    fn all_mounts(&self) -> Vec<Mount> {
        let own_network = self.network() == Network::Own;
        let rootless = self.rootless.is_some();
        let mut mounts = mount::usual(rootless, self.has_tty_group(), own_network);
        mounts.retain(|usual| self.mounts.iter().all(|it| it.destination != usual.destination));
        mounts.extend(self.mounts.iter().cloned());
        mounts
    }

    /// Whether the container has the group of terminals.
    fn has_tty_group(&self) -> bool {
        self.rootless.as_ref().is_none_or(|(_, gids)| count(gids) > u64::from(mount::TTY_GROUP))
    }

    fn network(&self) -> Network {
        let usual = if self.rootless.is_some() { Network::Host } else { Network::Own };
        self.network.unwrap_or(usual)
    }

    fn linux(&self) -> Result<Linux> {
        let root = self.rootless.is_none();
        let namespaces = [
            ("pid", true),
            ("network", self.network() == Network::Own),
            ("ipc", true),
            ("uts", true),
            ("mount", true),
            ("cgroup", true),
            ("user", !root),
        ];
        let wanted = namespaces.into_iter().filter(|(_, wanted)| *wanted);
        let profile = self.seccomp.then(|| seccomp::default_profile(&self.capabilities));
        Ok(Linux {
            uid_mappings: self.rootless.as_ref().map_or_else(Vec::new, |(uids, _)| mappings(uids)),
            gid_mappings: self.rootless.as_ref().map_or_else(Vec::new, |(_, gids)| mappings(gids)),
            resources: Resources {
                // An ordinary user has no devices to give, nor often a cgroup to say so.
                devices: root.then_some([DeviceRule { allow: false, access: "rwm" }]),
                memory: self.memory.map(|limit| Limit { limit }),
                cpu: self.cpu_quota.map(|quota| Cpu { quota, period: CPU_PERIOD }),
                pids: self.pids.map(|limit| Limit { limit }),
            },
            namespaces: wanted.map(|(kind, _)| Namespace { kind }).collect(),
            seccomp: profile.transpose()?,
            masked_paths: MASKED,
            readonly_paths: READ_ONLY,
        })
    }
}

fn count(ranges: &[IdRange]) -> u64 {
    ranges.iter().map(|(_, count)| u64::from(*count)).sum()
}

/// Numbers inside, one after the other.
fn mappings(ranges: &[IdRange]) -> Vec<IdMapping> {
    let mut container_id = 0_u32;
    let mapping = |&(host_id, size): &IdRange| {
        let size = size.min(u32::MAX - container_id);
        let mapping = IdMapping { container_id, host_id, size };
        container_id += size;
        mapping
    };
    ranges.iter().map(mapping).filter(|mapping| mapping.size > 0).collect()
}

fn name_of(entry: &str) -> Option<&str> {
    entry.split_once('=').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security;
    use crate::spec;

    fn read(document: &Document) -> spec::Config {
        spec::parse(document.to_json().unwrap().as_bytes()).unwrap()
    }

    fn namespaces(config: &spec::Config) -> Vec<&str> {
        config.linux.namespaces.iter().map(|it| it.kind.as_str()).collect()
    }

    #[test]
    fn what_is_written_can_be_read() {
        let config = read(&Document::example());
        assert_eq!(namespaces(&config), ["pid", "network", "ipc", "uts", "mount", "cgroup"]);
        assert!(config.root.unwrap().readonly && config.linux.seccomp.is_none());
        let process = config.process.unwrap();
        assert_eq!((process.args, process.terminal), (vec!["sh".to_owned()], true));
        assert_eq!(process.capabilities.unwrap().bounding.len(), 3);
        assert_eq!(process.env.len(), 2);
        let config = read(&Document::for_images());
        assert!(!config.root.unwrap().readonly && config.linux.seccomp.is_some());
        let process = config.process.unwrap();
        assert!(!process.terminal && !process.no_new_privileges);
        let capabilities = process.capabilities.unwrap();
        assert_eq!((capabilities.bounding.len(), capabilities.ambient.len()), (14, 0));
    }

    #[test]
    fn an_ordinary_user_gets_a_user_namespace() {
        let mut document = Document::example();
        document.rootless = Some((vec![(7, 1)], vec![(8, 1)]));
        let config = read(&document);
        assert_eq!(namespaces(&config), ["pid", "ipc", "uts", "mount", "cgroup", "user"]);
        let (uids, gids) = (&config.linux.uid_mappings, &config.linux.gid_mappings);
        assert_eq!((uids[0].host_id, gids[0].host_id, uids[0].size), (7, 8, 1));
        let below_sys = |config: &spec::Config| -> Vec<_> {
            let all = config.mounts.iter().filter(|it| it.destination.starts_with("/sys"));
            all.map(|it| it.kind.clone()).collect()
        };
        assert_eq!(below_sys(&config), ["none"]);
        assert!(!config.mounts.iter().flat_map(|it| &it.options).any(|it| it.starts_with("gid=")));
        assert!(config.linux.resources.devices.is_empty());
        document.network = Some(Network::Own);
        document.rootless = Some((vec![(7, 1), (100, 5)], vec![(8, 1), (100, 5)]));
        let config = read(&document);
        let second = config.linux.uid_mappings[1];
        assert_eq!((second.container_id, second.host_id, second.size), (1, 100, 5));
        assert!(config.mounts.iter().flat_map(|it| &it.options).any(|it| it == "gid=5"));
        assert!(namespaces(&config).contains(&"network"));
        assert_eq!(below_sys(&config), ["sysfs", "cgroup"]);
    }

    #[test]
    fn the_order_of_decisions_does_not_matter() {
        let mut document = Document::example();
        document.change_capabilities(&["all".into()], &["net_admin".into()]).unwrap();
        document.user.uid = 5;
        document.rootless = Some((vec![(1, 1)], vec![(1, 1)]));
        let error = document.to_json().unwrap_err().to_string();
        assert_eq!(error, "user 5 is not among the 1 of the user namespace");
        document.network = Some(Network::Host);
        document.rootless = None;
        let config = read(&document);
        let capabilities = config.process.clone().unwrap().capabilities.unwrap();
        for set in [&capabilities.bounding, &capabilities.effective, &capabilities.ambient] {
            assert_eq!(*set, ["CAP_NET_ADMIN"]);
        }
        assert!(!namespaces(&config).contains(&"network"));
    }

    #[test]
    fn capabilities_have_names() {
        let mut document = Document::for_images();
        document.change_capabilities(&["CAP_MKNOD".into()], &["ALL".into()]).unwrap();
        let all = security::capability_names().count();
        assert_eq!(document.capabilities.len(), all);
        for (drop, add, option) in [("X", "KILL", "--cap-drop"), ("KILL", "CAP_", "--cap-add")] {
            let error = document.change_capabilities(&[drop.into()], &[add.into()]).unwrap_err();
            assert!(error.to_string().starts_with(option), "{error}");
        }
    }

    #[test]
    fn the_environment() {
        let mut document = Document::for_images();
        document.env = vec!["A=1".to_owned()];
        document.set_env("B=2=3").unwrap();
        document.set_env("A=").unwrap();
        document.terminal = true;
        assert_eq!(document.environment(), [PATH, "A=", "B=2=3", "TERM=xterm"]);
        for wrong in ["", "A", "=1", "A=\0"] {
            assert!(document.set_env(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn limits() {
        let mut document = Document::example();
        document.limit_cpus(0.5).unwrap();
        document.memory = Some(64 << 20);
        document.pids = Some(-1);
        let resources = read(&document).linux.resources;
        let cpu = resources.cpu;
        assert_eq!((cpu.quota, cpu.period), (Some(50_000), Some(100_000)));
        assert_eq!(resources.memory.limit, Some(64 << 20));
        for wrong in [0.0, -1.0, 0.009, f64::NAN, f64::INFINITY, 1e9] {
            assert!(document.limit_cpus(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn layers_and_mounts() {
        let mut document = Document::for_images();
        let layers = ["/a\"b".to_owned(), "c".to_owned()];
        document.set_layers(&layers, &Upper::Kept("/up".to_owned())).unwrap();
        document.mounts.push(Mount::bind("/s", "/proc", true));
        let config = read(&document);
        let annotation = |key: &str| config.annotations[&format!("dev.rrun.rootfs.{key}")].clone();
        assert_eq!(annotation("layers"), r#"["/a\"b","c"]"#);
        assert_eq!((annotation("upper"), annotation("init")), ("/up".into(), "true".into()));
        let on_proc: Vec<_> =
            config.mounts.iter().filter(|it| it.destination.ends_with("proc")).collect();
        assert_eq!(on_proc.len(), 1);
        assert_eq!(on_proc[0].kind, "bind");
    }
}
