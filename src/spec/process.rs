//! `process`: the program and what it runs with (config.md).

use std::path::PathBuf;

use serde::Deserialize;

use super::or_default;

/// `process`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Process {
    /// Whether a terminal is attached.
    #[serde(deserialize_with = "or_default")]
    pub terminal: bool,
    /// The terminal's size; without a terminal it is ignored.
    pub console_size: Option<ConsoleSize>,
    /// Who it runs as.
    #[serde(deserialize_with = "or_default")]
    pub user: User,
    /// argv.
    #[serde(deserialize_with = "or_default")]
    pub args: Vec<String>,
    /// The environment, `NAME=value`.
    #[serde(deserialize_with = "or_default")]
    pub env: Vec<String>,
    /// The working directory, absolute.
    #[serde(deserialize_with = "or_default")]
    pub cwd: PathBuf,
    /// The five capability sets.
    pub capabilities: Option<Capabilities>,
    /// Resource limits.
    #[serde(deserialize_with = "or_default")]
    pub rlimits: Vec<Rlimit>,
    /// Whether no_new_privs is set.
    #[serde(deserialize_with = "or_default")]
    pub no_new_privileges: bool,
    /// The AppArmor profile.
    #[serde(deserialize_with = "or_default")]
    pub apparmor_profile: String,
    /// The out-of-memory score adjustment; set only where present.
    pub oom_score_adj: Option<i32>,
    /// The SELinux label.
    #[serde(deserialize_with = "or_default")]
    pub selinux_label: String,
    /// The scheduling policy.
    pub scheduler: Option<Scheduler>,
    /// The I/O priority.
    pub io_priority: Option<IoPriority>,
    /// CPU affinity of `exec`.
    #[serde(rename = "execCPUAffinity")]
    pub exec_cpu_affinity: Option<CpuAffinity>,
}

/// `process.consoleSize`, in characters.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct ConsoleSize {
    /// Rows.
    pub height: u64,
    /// Columns.
    pub width: u64,
}

/// `process.user`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct User {
    /// User id inside the container.
    #[serde(deserialize_with = "or_default")]
    pub uid: u32,
    /// Group id inside the container.
    #[serde(deserialize_with = "or_default")]
    pub gid: u32,
    /// File mode creation mask; unchanged where absent.
    pub umask: Option<u32>,
    /// Supplementary groups.
    #[serde(deserialize_with = "or_default")]
    pub additional_gids: Vec<u32>,
}

/// `process.capabilities`: names, as they were written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// The bounding set.
    #[serde(deserialize_with = "or_default")]
    pub bounding: Vec<String>,
    /// The effective set.
    #[serde(deserialize_with = "or_default")]
    pub effective: Vec<String>,
    /// The inheritable set.
    #[serde(deserialize_with = "or_default")]
    pub inheritable: Vec<String>,
    /// The permitted set.
    #[serde(deserialize_with = "or_default")]
    pub permitted: Vec<String>,
    /// The ambient set.
    #[serde(deserialize_with = "or_default")]
    pub ambient: Vec<String>,
}

/// One member of `process.rlimits`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Rlimit {
    /// `RLIMIT_*`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The soft limit.
    pub soft: u64,
    /// The hard limit.
    pub hard: u64,
}

/// `process.scheduler` (sched_setattr(2)).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Scheduler {
    /// `SCHED_*`.
    #[serde(deserialize_with = "or_default")]
    pub policy: String,
    /// Niceness, -20 to 19.
    pub nice: Option<i32>,
    /// Static priority, for the real-time policies.
    pub priority: Option<i32>,
    /// `SCHED_FLAG_*`.
    #[serde(deserialize_with = "or_default")]
    pub flags: Vec<String>,
    /// Nanoseconds of the deadline policy.
    pub runtime: Option<u64>,
    /// Nanoseconds of the deadline policy.
    pub deadline: Option<u64>,
    /// Nanoseconds of the deadline policy.
    pub period: Option<u64>,
}

/// `process.ioPriority` (ioprio_set(2)).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct IoPriority {
    /// `IOPRIO_CLASS_*`.
    #[serde(deserialize_with = "or_default")]
    pub class: String,
    /// Priority within the class, 0 to 7.
    pub priority: i64,
}

/// `process.execCPUAffinity`: lists of processors.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CpuAffinity {
    /// Before the process enters the container's cgroup.
    #[serde(deserialize_with = "or_default")]
    pub initial: String,
    /// After it has.
    #[serde(rename = "final", deserialize_with = "or_default")]
    pub last: String,
}
