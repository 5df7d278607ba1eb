//! `linux.resources`: what the cgroup limits (config-linux.md, Control groups). Also the document
//! that `update --resources` takes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::or_default;

/// `linux.resources`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    /// Rules of the device controller, in order.
    #[serde(deserialize_with = "or_default")]
    pub devices: Vec<DeviceRule>,
    /// Memory.
    #[serde(deserialize_with = "or_default")]
    pub memory: Memory,
    /// Processor time.
    #[serde(deserialize_with = "or_default")]
    pub cpu: Cpu,
    /// Number of processes.
    #[serde(deserialize_with = "or_default")]
    pub pids: Pids,
    /// Block devices.
    #[serde(rename = "blockIO", deserialize_with = "or_default")]
    pub block_io: BlockIo,
    /// Huge pages.
    #[serde(deserialize_with = "or_default")]
    pub hugepage_limits: Vec<HugepageLimit>,
    /// Network classes and priorities (cgroup v1).
    #[serde(deserialize_with = "or_default")]
    pub network: Network,
    /// RDMA, by device.
    #[serde(deserialize_with = "or_default")]
    pub rdma: BTreeMap<String, Rdma>,
    /// cgroup v2 files, by name.
    #[serde(deserialize_with = "or_default")]
    pub unified: BTreeMap<String, String>,
}

/// One device rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceRule {
    /// Whether it allows or denies.
    #[serde(deserialize_with = "or_default")]
    pub allow: bool,
    /// `a`, `b` or `c`; all where absent.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// Major number; any where absent or -1.
    pub major: Option<i64>,
    /// Minor number; any where absent or -1.
    pub minor: Option<i64>,
    /// Some of `r`, `w` and `m`; all where absent.
    #[serde(deserialize_with = "or_default")]
    pub access: String,
}

/// `memory`, in bytes; -1 is unlimited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Memory {
    /// The hard limit.
    pub limit: Option<i64>,
    /// The soft limit.
    pub reservation: Option<i64>,
    /// Memory and swap together.
    pub swap: Option<i64>,
    /// Kernel memory; deprecated.
    pub kernel: Option<i64>,
    /// Kernel memory of TCP; deprecated.
    #[serde(rename = "kernelTCP")]
    pub kernel_tcp: Option<i64>,
    /// Tendency to swap, 0 to 100.
    pub swappiness: Option<u64>,
    /// Whether processes wait instead of being killed (cgroup v1).
    #[serde(rename = "disableOOMKiller")]
    pub disable_oom_killer: Option<bool>,
    /// Whether children count too (cgroup v1, always so nowadays).
    pub use_hierarchy: Option<bool>,
    /// Whether a limit below the usage is refused.
    pub check_before_update: Option<bool>,
}

/// `cpu`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cpu {
    /// Relative share.
    pub shares: Option<u64>,
    /// Microseconds per period; not positive means no limit.
    pub quota: Option<i64>,
    /// Microseconds that may be saved up.
    pub burst: Option<u64>,
    /// Microseconds of a period.
    pub period: Option<u64>,
    /// Microseconds of real-time scheduling per real-time period (cgroup v1).
    pub realtime_runtime: Option<i64>,
    /// Microseconds of a real-time period (cgroup v1).
    pub realtime_period: Option<u64>,
    /// Processors that may be used, a list.
    #[serde(deserialize_with = "or_default")]
    pub cpus: String,
    /// Memory nodes that may be used, a list.
    #[serde(deserialize_with = "or_default")]
    pub mems: String,
    /// 1 makes the cgroup run only when nothing else wants to.
    pub idle: Option<i64>,
}

/// `pids`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pids {
    /// How many; -1 is unlimited, 0 is a limit.
    pub limit: Option<i64>,
}

/// `blockIO`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BlockIo {
    /// Weight, 10 to 1000.
    pub weight: Option<u16>,
    /// Weight of the tasks of the cgroup itself (cgroup v1, CFQ).
    pub leaf_weight: Option<u16>,
    /// Weights by device.
    #[serde(deserialize_with = "or_default")]
    pub weight_device: Vec<WeightDevice>,
    /// Bytes read per second, by device.
    #[serde(deserialize_with = "or_default")]
    pub throttle_read_bps_device: Vec<ThrottleDevice>,
    /// Bytes written per second, by device.
    #[serde(deserialize_with = "or_default")]
    pub throttle_write_bps_device: Vec<ThrottleDevice>,
    /// Reads per second, by device.
    #[serde(rename = "throttleReadIOPSDevice", deserialize_with = "or_default")]
    pub throttle_read_iops_device: Vec<ThrottleDevice>,
    /// Writes per second, by device.
    #[serde(rename = "throttleWriteIOPSDevice", deserialize_with = "or_default")]
    pub throttle_write_iops_device: Vec<ThrottleDevice>,
}

/// The weight of one block device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WeightDevice {
    /// Major number.
    pub major: i64,
    /// Minor number.
    pub minor: i64,
    /// Weight.
    pub weight: Option<u16>,
    /// Weight of the tasks of the cgroup itself.
    pub leaf_weight: Option<u16>,
}

/// The limit of one block device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThrottleDevice {
    /// Major number.
    pub major: i64,
    /// Minor number.
    pub minor: i64,
    /// Per second.
    pub rate: u64,
}

/// The limit of one size of huge pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HugepageLimit {
    /// As in `/sys/fs/cgroup/hugetlb.2MB.max`.
    pub page_size: String,
    /// Bytes.
    pub limit: u64,
}

/// `network` (cgroup v1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// The class of the packets.
    #[serde(rename = "classID")]
    pub class_id: Option<u32>,
    /// Priorities by interface.
    #[serde(deserialize_with = "or_default")]
    pub priorities: Vec<InterfacePriority>,
}

/// The priority of one interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfacePriority {
    /// The interface.
    pub name: String,
    /// Its priority.
    pub priority: u32,
}

/// The limits of one RDMA device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rdma {
    /// Handles.
    pub hca_handles: Option<u32>,
    /// Objects.
    pub hca_objects: Option<u32>,
}
