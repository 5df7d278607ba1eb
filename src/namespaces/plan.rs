//! Pure: `linux.namespaces`, mappings, offsets, names and sysctls as rrun will apply them.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::spec;

/// A kind of namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// user_namespaces(7)
    User,
    /// mount_namespaces(7)
    Mount,
    /// pid_namespaces(7)
    Pid,
    /// network_namespaces(7)
    Network,
    /// ipc_namespaces(7)
    Ipc,
    /// uts_namespaces(7)
    Uts,
    /// cgroup_namespaces(7)
    Cgroup,
    /// time_namespaces(7)
    Time,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 8] = [
        Kind::User,
        Kind::Mount,
        Kind::Pid,
        Kind::Network,
        Kind::Ipc,
        Kind::Uts,
        Kind::Cgroup,
        Kind::Time,
    ];

    /// The name that config.json uses.
    pub fn name(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Mount => "mount",
            Kind::Pid => "pid",
            Kind::Network => "network",
            Kind::Ipc => "ipc",
            Kind::Uts => "uts",
            Kind::Cgroup => "cgroup",
            Kind::Time => "time",
        }
    }

    /// The name of its link in /proc/PID/ns.
    pub fn link(self) -> &'static str {
        match self {
            Kind::Network => "net",
            Kind::Mount => "mnt",
            other => other.name(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a namespace of one kind comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    /// rrun's own: config.json does not name the kind.
    #[default]
    Inherited,
    /// A new one.
    New,
    /// The one at this path, named by `/linux/namespaces/INDEX`.
    Path(PathBuf, usize),
}

/// One range of ids of a user namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdMap {
    /// The first id inside.
    pub inside: u32,
    /// The first id outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// What is done about namespaces.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    sources: [Source; 8],
    /// User ids of a new user namespace.
    pub uid_maps: Vec<IdMap>,
    /// Group ids of a new user namespace.
    pub gid_maps: Vec<IdMap>,
    /// Offsets of a new time namespace: clock, seconds, nanoseconds.
    pub time_offsets: Vec<(String, i64, u32)>,
    /// The host name to set.
    pub hostname: Option<String>,
    /// The NIS domain name to set.
    pub domainname: Option<String>,
    /// Kernel parameters to set.
    pub sysctls: Vec<Sysctl>,
    /// Interfaces of the host to move in.
    pub net_devices: Vec<NetDevice>,
}

/// A network interface that changes its namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetDevice {
    /// Its name on the host.
    pub host: String,
    /// Its name inside; `%d` stands for a number of the kernel's choice.
    pub name: String,
}

/// A kernel parameter (proc_sys(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctl {
    /// Below /proc/sys.
    pub path: PathBuf,
    /// What is written.
    pub value: String,
    /// The namespace whose parameter it is.
    pub kind: Kind,
    /// Where config.json says so.
    pub pointer: String,
}

impl Plan {
    /// Where the namespace of `kind` comes from.
    pub fn source(&self, kind: Kind) -> &Source {
        &self.sources[kind as usize]
    }

    /// The kinds that are made new.
    pub fn new_kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        Kind::ALL.into_iter().filter(|kind| *self.source(*kind) == Source::New)
    }

    /// The kinds that are joined by path.
    pub fn joined_kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        Kind::ALL.into_iter().filter(|kind| matches!(self.source(*kind), Source::Path(..)))
    }

    /// Maps what there is to give, in a new user namespace for which config.json has no mappings: from
    /// id 0 on, one range after the other.
    pub fn map_all(&mut self, users: &[(u32, u32)], groups: &[(u32, u32)]) {
        let maps = |ranges: &[(u32, u32)]| {
            let mut inside = 0_u32;
            let mut map = |(outside, count): &(u32, u32)| {
                let map = IdMap { inside, outside: *outside, count: *count };
                inside = inside.saturating_add(*count);
                map
            };
            ranges.iter().map(&mut map).collect()
        };
        (self.uid_maps, self.gid_maps) = (maps(users), maps(groups));
    }

    /// Whether the container has a namespace of `kind` that is not simply ours.
    pub fn is_private(&self, kind: Kind) -> bool {
        *self.source(kind) != Source::Inherited
    }

    /// Reads what config.json asks for. A user namespace without mappings gets everything, as crun
    /// does (runc refuses it).
    ///
    /// # Errors
    /// Unknown or duplicate kinds, relative paths, settings whose namespace is missing.
    pub fn compile(config: &spec::Config) -> Result<Plan> {
        let mut plan = Plan::default();
        for (index, namespace) in config.linux.namespaces.iter().enumerate() {
            plan.add(index, namespace)?;
        }
        plan.compile_maps(&config.linux)?;
        plan.compile_offsets(&config.linux)?;
        plan.hostname = plan.name_for_uts("/hostname", &config.hostname)?;
        plan.domainname = plan.name_for_uts("/domainname", &config.domainname)?;
        for (key, value) in &config.linux.sysctl {
            plan.sysctls.push(plan.compile_sysctl(key, value)?);
        }
        plan.compile_net_devices(&config.linux)?;
        Ok(plan)
    }

    fn compile_net_devices(&mut self, linux: &spec::Linux) -> Result<()> {
        for (host, device) in &linux.net_devices {
            let pointer = format!("/linux/netDevices/{}", spec::escape_pointer(host));
            if !self.is_private(Kind::Network) {
                let text = "needs a network namespace in /linux/namespaces";
                return Err(Error::config(pointer, text));
            }
            if !is_interface_name(host) {
                return Err(Error::config(pointer, "is not the name of an interface"));
            }
            let name = if device.name.is_empty() { host } else { &device.name };
            let (before, template) = name.split_once("%d").unwrap_or((name, ""));
            if !is_interface_name(name) || before.contains('%') || template.contains('%') {
                let text = format!("`{name}` is not the name of an interface");
                return Err(Error::config(format!("{pointer}/name"), text));
            }
            let same = |other: &NetDevice| other.name == *name && !name.contains("%d");
            if let Some(other) = self.net_devices.iter().find(|other| same(other)) {
                let text = format!("`{name}` is the name of `{}` already", other.host);
                return Err(Error::config(format!("{pointer}/name"), text));
            }
            self.net_devices.push(NetDevice { host: host.clone(), name: name.clone() });
        }
        Ok(())
    }

    fn add(&mut self, index: usize, namespace: &spec::Namespace) -> Result<()> {
        let pointer = format!("/linux/namespaces/{index}");
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == namespace.kind) else {
            let text = format!("unknown namespace type `{}`", namespace.kind);
            return Err(Error::config(format!("{pointer}/type"), text));
        };
        if self.is_private(kind) {
            return Err(Error::config(pointer, format!("a second namespace of type `{kind}`")));
        }
        let path = &namespace.path;
        self.sources[kind as usize] = if path == Path::new("") {
            Source::New
        } else if path.is_absolute() {
            Source::Path(path.clone(), index)
        } else {
            let text = format!("`{}` is not absolute", path.display());
            return Err(Error::config(format!("{pointer}/path"), text));
        };
        Ok(())
    }

    fn compile_maps(&mut self, linux: &spec::Linux) -> Result<()> {
        let mapped = !linux.uid_mappings.is_empty() || !linux.gid_mappings.is_empty();
        if mapped && !self.is_private(Kind::User) {
            let text = "id mappings need a user namespace in /linux/namespaces";
            return Err(Error::config("/linux/uidMappings", text));
        }
        if *self.source(Kind::User) != Source::New {
            // A joined user namespace has its mappings already; engines repeat them here.
            return Ok(());
        }
        if mapped && (linux.uid_mappings.is_empty() || linux.gid_mappings.is_empty()) {
            let missing = if linux.uid_mappings.is_empty() { "uid" } else { "gid" };
            let pointer = format!("/linux/{missing}Mappings");
            return Err(Error::config(pointer, "users and groups have to be mapped both"));
        }
        self.uid_maps = maps("/linux/uidMappings", &linux.uid_mappings)?;
        self.gid_maps = maps("/linux/gidMappings", &linux.gid_mappings)?;
        Ok(())
    }

    fn compile_offsets(&mut self, linux: &spec::Linux) -> Result<()> {
        if linux.time_offsets.is_empty() {
            return Ok(());
        }
        if *self.source(Kind::Time) != Source::New {
            let text = "clock offsets need a new time namespace in /linux/namespaces";
            return Err(Error::config("/linux/timeOffsets", text));
        }
        for (clock, offset) in &linux.time_offsets {
            let pointer = format!("/linux/timeOffsets/{}", spec::escape_pointer(clock));
            if clock != "monotonic" && clock != "boottime" {
                let text = "only `monotonic` and `boottime` have offsets";
                return Err(Error::config(pointer, text));
            }
            if offset.nanosecs > 999_999_999 {
                return Err(Error::config(format!("{pointer}/nanosecs"), "a second or more"));
            }
            self.time_offsets.push((clock.clone(), offset.secs, offset.nanosecs));
        }
        Ok(())
    }

    fn name_for_uts(&self, pointer: &str, name: &str) -> Result<Option<String>> {
        if name.is_empty() {
            return Ok(None);
        }
        if !self.is_private(Kind::Uts) {
            return Err(Error::config(pointer, "needs a uts namespace in /linux/namespaces"));
        }
        if name.len() > 64 {
            return Err(Error::config(pointer, "longer than the 64 bytes that the kernel takes"));
        }
        Ok(Some(name.to_owned()))
    }

    /// Only parameters of a namespace that is the container's own may be set: all others would
    /// change the host.
    fn compile_sysctl(&self, key: &str, value: &str) -> Result<Sysctl> {
        const IPC: &[&str] = &[
            "kernel.msgmax",
            "kernel.msgmnb",
            "kernel.msgmni",
            "kernel.sem",
            "kernel.shmall",
            "kernel.shmmax",
            "kernel.shmmni",
            "kernel.shm_rmid_forced",
        ];
        let pointer = format!("/linux/sysctl/{}", spec::escape_pointer(key));
        // sysctl(8) has both spellings; in the one with slashes a dot belongs to the name.
        let slashes = key.split_once('/').is_some_and(|(first, _)| !first.contains('.'));
        let dotted =
            if slashes { key.replace('.', "\0").replace('/', ".") } else { key.to_owned() };
        let kind = if IPC.contains(&dotted.as_str()) || dotted.starts_with("fs.mqueue.") {
            Kind::Ipc
        } else if dotted.starts_with("net.") {
            Kind::Network
        } else if dotted.starts_with("user.") {
            Kind::User
        } else if dotted == "kernel.domainname" {
            Kind::Uts
        } else if dotted == "kernel.hostname" {
            return Err(Error::config(pointer, "is set by /hostname"));
        } else {
            return Err(Error::config(pointer, "is not a parameter of any namespace"));
        };
        if !self.is_private(kind) {
            let text = format!("needs a {kind} namespace in /linux/namespaces");
            return Err(Error::config(pointer, text));
        }
        let path = dotted.replace('/', "\u{1}").replace('.', "/");
        let path = path.replace(['\0', '\u{1}'], ".");
        if path.split('/').any(|step| step.is_empty() || step == "..") {
            return Err(Error::config(pointer, "is not the name of a parameter"));
        }
        Ok(Sysctl { path: PathBuf::from(path), value: value.to_owned(), kind, pointer })
    }
}

/// As the kernel's dev_valid_name() has it.
fn is_interface_name(name: &str) -> bool {
    let wrong = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, 0 | b'/' | b':' | 11);
    !matches!(name, "" | "." | "..") && name.len() < 16 && !name.bytes().any(wrong)
}

/// The whole range of ids, each mapped to itself.
const IDENTITY: IdMap = IdMap { inside: 0, outside: 0, count: u32::MAX };

fn maps(pointer: &str, mappings: &[spec::IdMapping]) -> Result<Vec<IdMap>> {
    if mappings.is_empty() {
        return Ok(vec![IDENTITY]);
    }
    let mut maps: Vec<IdMap> = Vec::with_capacity(mappings.len());
    for (index, mapping) in mappings.iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        let map =
            IdMap { inside: mapping.container_id, outside: mapping.host_id, count: mapping.size };
        if map.count == 0 {
            return Err(Error::config(format!("{pointer}/size"), "maps nothing"));
        }
        if map.inside.checked_add(map.count).is_none()
            || map.outside.checked_add(map.count).is_none()
        {
            return Err(Error::config(pointer, "goes beyond the last id"));
        }
        let overlap = |first: u32, other: u32, size: u32| {
            first < other.saturating_add(size) && other < first.saturating_add(map.count)
        };
        if maps.iter().any(|other| {
            overlap(map.inside, other.inside, other.count)
                || overlap(map.outside, other.outside, other.count)
        }) {
            return Err(Error::config(pointer, "overlaps an earlier range"));
        }
        maps.push(map);
    }
    Ok(maps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(linux: &str) -> Result<Plan> {
        let text = format!(r#"{{"ociVersion":"1.3.0","linux":{linux}}}"#);
        Plan::compile(&spec::parse(text.as_bytes()).unwrap())
    }

    fn refusal(linux: &str) -> String {
        compile(linux).unwrap_err().to_string()
    }

    #[test]
    fn kinds_are_new_or_joined() {
        let plan =
            compile(r#"{"namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/a"}]}"#);
        let plan = plan.unwrap();
        assert_eq!(*plan.source(Kind::Pid), Source::New);
        assert_eq!(*plan.source(Kind::Network), Source::Path("/run/netns/a".into(), 1));
        assert_eq!(*plan.source(Kind::Uts), Source::Inherited);
        assert_eq!(plan.new_kinds().collect::<Vec<_>>(), [Kind::Pid]);
    }

    #[test]
    fn mistakes_are_named() {
        for (linux, expected) in [
            (
                r#"{"namespaces":[{"type":"net"}]}"#,
                "/linux/namespaces/0/type: unknown namespace type `net`",
            ),
            (
                r#"{"namespaces":[{"type":"pid"},{"type":"pid","path":"/x"}]}"#,
                "/linux/namespaces/1: a second namespace of type `pid`",
            ),
            (
                r#"{"namespaces":[{"type":"ipc","path":"x"}]}"#,
                "/linux/namespaces/0/path: `x` is not absolute",
            ),
            (
                r#"{"uidMappings":[{"containerID":0,"hostID":1,"size":1}]}"#,
                "/linux/uidMappings: id mappings need a user namespace in /linux/namespaces",
            ),
            (
                r#"{"namespaces":[{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":1,"size":1}]}"#,
                "/linux/gidMappings: users and groups have to be mapped both",
            ),
            (
                r#"{"sysctl":{"kernel.panic":"1"}}"#,
                "/linux/sysctl/kernel.panic: is not a parameter of any namespace",
            ),
            (
                r#"{"sysctl":{"net.ipv4.ip_forward":"1"}}"#,
                "/linux/sysctl/net.ipv4.ip_forward: needs a network namespace in /linux/namespaces",
            ),
            (
                r#"{"namespaces":[{"type":"network"}],"sysctl":{"net.../x":"1"}}"#,
                "/linux/sysctl/net...~1x: is not the name of a parameter",
            ),
            (
                r#"{"timeOffsets":{"monotonic":{"secs":1}}}"#,
                "/linux/timeOffsets: clock offsets need a new time namespace in /linux/namespaces",
            ),
        ] {
            assert_eq!(refusal(linux), expected);
        }
    }

    #[test]
    fn a_user_namespace_without_mappings_maps_everything() {
        let plan = compile(r#"{"namespaces":[{"type":"user"}]}"#).unwrap();
        assert_eq!(plan.uid_maps, [IDENTITY]);
        let mut plan = plan;
        plan.map_all(&[(1000, 1), (100_000, 65536)], &[(7, 1)]);
        let range = |inside, outside, count| IdMap { inside, outside, count };
        assert_eq!(plan.uid_maps, [range(0, 1000, 1), range(1, 100_000, 65536)]);
        assert_eq!(plan.gid_maps, [range(0, 7, 1)]);
    }

    #[test]
    fn overlapping_and_endless_ranges_are_refused() {
        let both = |uid: &str| {
            format!(
                r#"{{"namespaces":[{{"type":"user"}}],"uidMappings":{uid},
                "gidMappings":[{{"containerID":0,"hostID":0,"size":1}}]}}"#
            )
        };
        let range = |inside: u32, outside: u32, size: u32| {
            format!(r#"{{"containerID":{inside},"hostID":{outside},"size":{size}}}"#)
        };
        let text = both(&format!("[{},{}]", range(0, 100, 10), range(9, 200, 1)));
        assert!(refusal(&text).contains("/linux/uidMappings/1: overlaps"));
        assert!(refusal(&both(&format!("[{}]", range(1, 0, u32::MAX)))).contains("beyond"));
        assert!(refusal(&both(&format!("[{}]", range(1, 0, 0)))).contains("maps nothing"));
    }

    #[test]
    fn sysctl_names_have_two_spellings() {
        let plan = compile(
            r#"{"namespaces":[{"type":"network"}],
                "sysctl":{"net.ipv4.ip_forward":"1","net/ipv4/conf/eth0.1/rp_filter":"2",
                          "net.ipv4.conf.eth0/2.rp_filter":"3"}}"#,
        );
        let paths: Vec<_> = plan.unwrap().sysctls.into_iter().map(|sysctl| sysctl.path).collect();
        assert!(paths.contains(&PathBuf::from("net/ipv4/ip_forward")));
        assert!(paths.contains(&PathBuf::from("net/ipv4/conf/eth0.1/rp_filter")));
        assert!(paths.contains(&PathBuf::from("net/ipv4/conf/eth0.2/rp_filter")));
    }

    #[test]
    fn network_devices() {
        let read = |devices: &str| {
            compile(&format!(r#"{{"namespaces":[{{"type":"network"}}],"netDevices":{devices}}}"#))
        };
        let plan = read(r#"{"eth0":{},"eth1":{"name":"ctr%d"},"eth2":{"name":"ctr%d"}}"#).unwrap();
        let names: Vec<_> = plan.net_devices.iter().map(|device| device.name.as_str()).collect();
        assert_eq!(names, ["eth0", "ctr%d", "ctr%d"]);
        for (devices, expected) in [
            (r#"{"a/b":{}}"#, "/linux/netDevices/a~1b: is not the name of an interface"),
            (r#"{"a":{"name":"a:b"}}"#, "/linux/netDevices/a/name: `a:b` is not the name of"),
            (r#"{"a":{"name":"%s"}}"#, "/linux/netDevices/a/name: `%s` is not the name of"),
            (r#"{"a":{"name":"x%d%d"}}"#, "/linux/netDevices/a/name: `x%d%d` is not the name of"),
            (r#"{"a":{"name":"c"},"b":{"name":"c"}}"#, "/linux/netDevices/b/name: `c` is the name"),
            (r#"{"a":{"name":"sixteen-letters-"}}"#, "/linux/netDevices/a/name: `sixteen-"),
        ] {
            let error = read(devices).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let text = refusal(r#"{"netDevices":{"eth0":{}}}"#);
        assert_eq!(text, "/linux/netDevices/eth0: needs a network namespace in /linux/namespaces");
    }

    #[test]
    fn names_need_a_namespace_of_their_own() {
        let config = |text: &str| Plan::compile(&spec::parse(text.as_bytes()).unwrap());
        let error = config(r#"{"hostname":"h"}"#).unwrap_err().to_string();
        assert_eq!(error, "/hostname: needs a uts namespace in /linux/namespaces");
        let named = config(r#"{"hostname":"h","linux":{"namespaces":[{"type":"uts"}]}}"#).unwrap();
        assert_eq!(named.hostname.as_deref(), Some("h"));
        let long = format!(
            r#"{{"domainname":"{}","linux":{{"namespaces":[{{"type":"uts"}}]}}}}"#,
            "x".repeat(65)
        );
        assert!(config(&long).unwrap_err().to_string().starts_with("/domainname: longer"));
    }
}
