//! `linux`: namespaces, mappings, devices, paths, and what else only Linux has (config-linux.md).

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::{Resources, or_default};

/// `linux`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Linux {
    /// Namespaces to make or to join.
    #[serde(deserialize_with = "or_default")]
    pub namespaces: Vec<Namespace>,
    /// User ids of a new user namespace.
    #[serde(deserialize_with = "or_default")]
    pub uid_mappings: Vec<IdMapping>,
    /// Group ids of a new user namespace.
    #[serde(deserialize_with = "or_default")]
    pub gid_mappings: Vec<IdMapping>,
    /// Offsets of a new time namespace, by clock name.
    #[serde(deserialize_with = "or_default")]
    pub time_offsets: BTreeMap<String, TimeOffset>,
    /// Device nodes to make.
    #[serde(deserialize_with = "or_default")]
    pub devices: Vec<Device>,
    /// Network interfaces to move into the container, by host name.
    #[serde(deserialize_with = "or_default")]
    pub net_devices: BTreeMap<String, NetDevice>,
    /// Where the container's cgroup is.
    #[serde(deserialize_with = "or_default")]
    pub cgroups_path: String,
    /// What the cgroup limits.
    #[serde(deserialize_with = "or_default")]
    pub resources: Resources,
    /// Kernel parameters of the container's namespaces.
    #[serde(deserialize_with = "or_default")]
    pub sysctl: BTreeMap<String, String>,
    /// The system call filter.
    pub seccomp: Option<Seccomp>,
    /// Propagation of the root mount.
    #[serde(deserialize_with = "or_default")]
    pub rootfs_propagation: String,
    /// Paths that the container cannot read.
    #[serde(deserialize_with = "or_default")]
    pub masked_paths: Vec<PathBuf>,
    /// Paths that the container cannot write.
    #[serde(deserialize_with = "or_default")]
    pub readonly_paths: Vec<PathBuf>,
    /// The SELinux label of the mounts.
    #[serde(deserialize_with = "or_default")]
    pub mount_label: String,
    /// Intel Resource Director Technology.
    pub intel_rdt: Option<IntelRdt>,
    /// NUMA memory policy.
    pub memory_policy: Option<MemoryPolicy>,
    /// Execution domain.
    pub personality: Option<Personality>,
}

/// One member of `linux.namespaces`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Namespace {
    /// `pid`, `network`, `mount`, `ipc`, `uts`, `user`, `cgroup` or `time`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The namespace to join; a new one where absent.
    #[serde(default, deserialize_with = "or_default")]
    pub path: PathBuf,
}

/// One range of user or group ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdMapping {
    /// The first id inside.
    #[serde(rename = "containerID")]
    pub container_id: u32,
    /// The first id outside.
    #[serde(rename = "hostID")]
    pub host_id: u32,
    /// How many.
    pub size: u32,
}

/// The offset of one clock.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct TimeOffset {
    /// Seconds.
    #[serde(deserialize_with = "or_default")]
    pub secs: i64,
    /// Nanoseconds on top.
    #[serde(deserialize_with = "or_default")]
    pub nanosecs: u32,
}

/// One member of `linux.devices`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// `c`, `b`, `u` or `p`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its path inside the container.
    pub path: PathBuf,
    /// Major number.
    #[serde(default, deserialize_with = "or_default")]
    pub major: i64,
    /// Minor number.
    #[serde(default, deserialize_with = "or_default")]
    pub minor: i64,
    /// Permission bits.
    #[serde(default)]
    pub file_mode: Option<u32>,
    /// Owner.
    #[serde(default)]
    pub uid: Option<u32>,
    /// Group.
    #[serde(default)]
    pub gid: Option<u32>,
}

/// One member of `linux.netDevices`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NetDevice {
    /// The name inside the container.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
}

/// `linux.seccomp`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Seccomp {
    /// What happens to a system call that no rule names.
    #[serde(deserialize_with = "or_default")]
    pub default_action: String,
    /// The errno of the default action.
    pub default_errno_ret: Option<u32>,
    /// `SCMP_ARCH_*`.
    #[serde(deserialize_with = "or_default")]
    pub architectures: Vec<String>,
    /// `SECCOMP_FILTER_FLAG_*`.
    #[serde(deserialize_with = "or_default")]
    pub flags: Vec<String>,
    /// The socket that takes the listener.
    #[serde(deserialize_with = "or_default")]
    pub listener_path: PathBuf,
    /// What is told to the listener.
    #[serde(deserialize_with = "or_default")]
    pub listener_metadata: String,
    /// The rules.
    #[serde(deserialize_with = "or_default")]
    pub syscalls: Vec<SeccompRule>,
}

/// One member of `linux.seccomp.syscalls`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SeccompRule {
    /// System calls.
    #[serde(deserialize_with = "or_default")]
    pub names: Vec<String>,
    /// `SCMP_ACT_*`.
    #[serde(deserialize_with = "or_default")]
    pub action: String,
    /// The errno of the action.
    pub errno_ret: Option<u32>,
    /// Conditions on arguments.
    #[serde(deserialize_with = "or_default")]
    pub args: Vec<SeccompArg>,
}

/// A condition on one argument.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SeccompArg {
    /// Which argument, 0 to 5.
    pub index: u32,
    /// What it is compared with.
    pub value: u64,
    /// The second operand of `SCMP_CMP_MASKED_EQ`.
    #[serde(deserialize_with = "or_default")]
    pub value_two: u64,
    /// `SCMP_CMP_*`.
    #[serde(deserialize_with = "or_default")]
    pub op: String,
}

/// `linux.intelRdt`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IntelRdt {
    /// The class of service.
    #[serde(rename = "closID", deserialize_with = "or_default")]
    pub clos_id: String,
    /// Lines of the schemata file.
    #[serde(deserialize_with = "or_default")]
    pub schemata: Vec<String>,
    /// The L3 cache part of the schemata.
    #[serde(deserialize_with = "or_default")]
    pub l3_cache_schema: String,
    /// The memory bandwidth part of the schemata.
    #[serde(deserialize_with = "or_default")]
    pub mem_bw_schema: String,
    /// Whether a monitoring group is made.
    #[serde(deserialize_with = "or_default")]
    pub enable_monitoring: bool,
}

/// `linux.memoryPolicy` (set_mempolicy(2)).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct MemoryPolicy {
    /// `MPOL_*`.
    #[serde(deserialize_with = "or_default")]
    pub mode: String,
    /// A list of nodes.
    #[serde(deserialize_with = "or_default")]
    pub nodes: String,
    /// `MPOL_F_*`.
    #[serde(deserialize_with = "or_default")]
    pub flags: Vec<String>,
}

/// `linux.personality` (personality(2)).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Personality {
    /// `LINUX` or `LINUX32`.
    #[serde(deserialize_with = "or_default")]
    pub domain: String,
    /// None are defined.
    #[serde(deserialize_with = "or_default")]
    pub flags: Vec<String>,
}
