//! The options of each verb.

use std::path::PathBuf;

use clap::Args;

use super::values;

/// What `create` and `run` take alike.
#[derive(Debug, Clone, Default, Args)]
pub struct Container {
    /// The bundle directory [default: the working directory]
    #[arg(short, long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
    /// Read this file instead of the bundle's config.json
    #[arg(short = 'f', long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Send the terminal to the process that listens here
    #[arg(long, value_name = "SOCKET")]
    pub console_socket: Option<PathBuf>,
    /// Send a pidfd of the container to the process that listens here
    #[arg(long, value_name = "SOCKET")]
    pub pidfd_socket: Option<PathBuf>,
    /// Write the container's pid to this file
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,
    /// Change the root without pivot_root(2), where it cannot be (an initramfs); less safe
    #[arg(long)]
    pub no_pivot: bool,
    /// Keep the session keyring of the caller
    #[arg(long)]
    pub no_new_keyring: bool,
    /// Let the program inherit N more descriptors, from 3 on
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub preserve_fds: u32,
    /// Do not adopt what the container leaves behind (run only; create never does)
    #[arg(long)]
    pub no_subreaper: bool,
}

/// `create`
#[derive(Debug, Clone, Args)]
pub struct Create {
    /// What `create` and `run` take alike
    #[command(flatten)]
    pub container: Container,
    /// The name of the new container
    pub id: String,
}

/// `run`
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// What `create` and `run` take alike
    #[command(flatten)]
    pub container: Container,
    /// Do not wait for the container to end
    #[arg(short, long)]
    pub detach: bool,
    /// Do not delete the container when it has ended
    #[arg(long)]
    pub keep: bool,
    /// The name of the new container
    pub id: String,
}

/// `exec`
#[derive(Debug, Clone, Default, Args)]
pub struct Exec {
    /// Read the process object of config.json from this file; other options go on top of it
    #[arg(short, long, value_name = "FILE")]
    pub process: Option<PathBuf>,
    /// The working directory, inside the container
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,
    /// Add to the environment, or replace what has the name
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Give it a terminal
    #[arg(short, long)]
    pub tty: bool,
    /// Run as this user, and group, by number
    #[arg(short, long, value_name = "UID[:GID]", value_parser = values::user)]
    pub user: Option<values::UserAndGroup>,
    /// More supplementary groups, by number
    #[arg(short = 'g', long, value_name = "GID", value_delimiter = ',', value_parser = values::id)]
    pub additional_gids: Vec<u32>,
    /// Do not wait for it to end
    #[arg(short, long)]
    pub detach: bool,
    /// Write its pid to this file
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,
    /// The SELinux label
    #[arg(long, value_name = "LABEL")]
    pub process_label: Option<String>,
    /// The AppArmor profile
    #[arg(long, value_name = "PROFILE")]
    pub apparmor: Option<String>,
    /// execve(2) gives it no privileges
    #[arg(long)]
    pub no_new_privs: bool,
    /// One more capability, as CAP_NET_ADMIN
    #[arg(short, long, value_name = "NAME")]
    pub cap: Vec<String>,
    /// Let it inherit N more descriptors, from 3 on
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub preserve_fds: u32,
    /// Run it in an existing cgroup below the container's; PATH, or on cgroup v1 several of these
    #[arg(long, value_name = "[CONTROLLERS:]PATH")]
    pub cgroup: Vec<String>,
    /// Do not refuse a paused container: begin when it is resumed
    #[arg(long)]
    pub ignore_paused: bool,
    /// Send the terminal to the process that listens here
    #[arg(long, value_name = "SOCKET")]
    pub console_socket: Option<PathBuf>,
    /// Send a pidfd of it to the process that listens here
    #[arg(long, value_name = "SOCKET")]
    pub pidfd_socket: Option<PathBuf>,
    /// Accepted for runc's sake: exec adopts nothing
    #[arg(long)]
    pub no_subreaper: bool,
    /// Let it run only when somebody has opened this fifo for reading, after the pid file is there
    #[arg(long, value_name = "FIFO")]
    pub exec_wait_fifo: Option<PathBuf>,
    /// The container
    pub id: String,
    /// The program and its arguments, unless --process names them
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "PROGRAM [ARGUMENT...]"
    )]
    pub args: Vec<String>,
}

/// `start`
#[derive(Debug, Clone, Args)]
pub struct Start {
    /// The container
    pub id: String,
}

/// `state`
#[derive(Debug, Clone, Args)]
pub struct State {
    /// The container
    pub id: String,
}

/// `kill`
#[derive(Debug, Clone, Args)]
pub struct Kill {
    /// Signal every process of the container
    #[arg(short, long)]
    pub all: bool,
    /// The id is a regular expression: signal every container that it matches
    #[arg(short, long)]
    pub regex: bool,
    /// The container
    pub id: String,
    /// A name, with or without SIG, or a number
    #[arg(default_value = "SIGTERM")]
    pub signal: String,
}

/// `delete`
#[derive(Debug, Clone, Args)]
pub struct Delete {
    /// Kill it first if it runs; an absent container is no error
    #[arg(short, long)]
    pub force: bool,
    /// The id is a regular expression: delete every container that it matches
    #[arg(short, long)]
    pub regex: bool,
    /// The container
    pub id: String,
}

/// `list`
#[derive(Debug, Clone, Args)]
pub struct List {
    /// table or json
    #[arg(short, long, default_value = "table", value_parser = ["table", "json"])]
    pub format: String,
    /// Ids only
    #[arg(short, long)]
    pub quiet: bool,
}

/// `ps`
#[derive(Debug, Clone, Args)]
pub struct Ps {
    /// table or json
    #[arg(short, long, default_value = "table", value_parser = ["table", "json"])]
    pub format: String,
    /// The container
    pub id: String,
    /// Options for ps(1), for the table [default: -ef]
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "PS OPTIONS")]
    pub options: Vec<String>,
}

/// `pause`
#[derive(Debug, Clone, Args)]
pub struct Pause {
    /// The container
    pub id: String,
}

/// `resume`
#[derive(Debug, Clone, Args)]
pub struct Resume {
    /// The container
    pub id: String,
}

/// `update`
#[derive(Debug, Clone, Default, Args)]
pub struct Update {
    /// Read linux.resources as JSON from this file, - is standard input; other options go on top
    #[arg(short, long, value_name = "FILE")]
    pub resources: Option<PathBuf>,
    /// Weight of block I/O, 10 to 1000
    #[arg(long, value_name = "WEIGHT")]
    pub blkio_weight: Option<u16>,
    /// Microseconds of a period of processor time
    #[arg(long, value_name = "MICROSECONDS")]
    pub cpu_period: Option<u64>,
    /// Microseconds of processor time per period, -1 for no limit
    #[arg(long, value_name = "MICROSECONDS", allow_negative_numbers = true)]
    pub cpu_quota: Option<i64>,
    /// Microseconds of processor time that may be saved up
    #[arg(long, value_name = "MICROSECONDS")]
    pub cpu_burst: Option<u64>,
    /// Microseconds of a real-time period (cgroup v1)
    #[arg(long, value_name = "MICROSECONDS")]
    pub cpu_rt_period: Option<u64>,
    /// Microseconds of real-time scheduling per real-time period (cgroup v1)
    #[arg(long, value_name = "MICROSECONDS", allow_negative_numbers = true)]
    pub cpu_rt_runtime: Option<i64>,
    /// Relative share of processor time, 1024 by default
    #[arg(long, value_name = "SHARES")]
    pub cpu_share: Option<u64>,
    /// 1: run only when nothing else wants to; 0: like everybody
    #[arg(long, value_name = "0|1")]
    pub cpu_idle: Option<i64>,
    /// Processors that may be used, as 0-3,7
    #[arg(long, value_name = "LIST")]
    pub cpuset_cpus: Option<String>,
    /// Memory nodes that may be used
    #[arg(long, value_name = "LIST")]
    pub cpuset_mems: Option<String>,
    /// Limit of memory, as 64M; -1 for none
    #[arg(long, value_name = "BYTES", value_parser = values::bytes, allow_negative_numbers = true)]
    pub memory: Option<i64>,
    /// Soft limit of memory
    #[arg(long, value_name = "BYTES", value_parser = values::bytes, allow_negative_numbers = true)]
    pub memory_reservation: Option<i64>,
    /// Limit of memory and swap together; -1 for none
    #[arg(long, value_name = "BYTES", value_parser = values::bytes, allow_negative_numbers = true)]
    pub memory_swap: Option<i64>,
    /// Has no effect: Linux counts kernel memory as memory
    #[arg(long, value_name = "BYTES", value_parser = values::bytes, allow_negative_numbers = true)]
    pub kernel_memory: Option<i64>,
    /// Limit of the buffers of TCP (cgroup v1)
    #[arg(long, value_name = "BYTES", value_parser = values::bytes, allow_negative_numbers = true)]
    pub kernel_memory_tcp: Option<i64>,
    /// Number of processes, -1 for no limit
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub pids_limit: Option<i64>,
    /// Not supported yet: the cache that may be used (Intel RDT)
    #[arg(long, value_name = "SCHEMA")]
    pub l3_cache_schema: Option<String>,
    /// Not supported yet: the memory bandwidth that may be used (Intel RDT)
    #[arg(long, value_name = "SCHEMA")]
    pub mem_bw_schema: Option<String>,
    /// The container
    pub id: String,
}

/// `events`
#[derive(Debug, Clone, Args)]
pub struct Events {
    /// Time between two lines, as 5s or 1m30s
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = values::duration)]
    pub interval: std::time::Duration,
    /// Print one line and end
    #[arg(long)]
    pub stats: bool,
    /// The container
    pub id: String,
}
/// `seccomp`
#[derive(Debug, Clone, Args)]
pub struct Seccomp {
    /// The bundle directory [default: the working directory]
    #[arg(short, long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
    /// Read this file instead of the bundle's config.json
    #[arg(short = 'f', long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Write the program as bytes, as the kernel of this machine takes it
    #[arg(long, conflicts_with_all = ["call", "arch"])]
    pub raw: bool,
    /// The architecture of the system call: x86_64, x86, x32, aarch64, ... [default: this machine's]
    #[arg(long, value_name = "ARCH", requires = "call")]
    pub arch: Option<String>,
    /// Tell what would happen to this system call, by name or number
    pub call: Option<String>,
    /// Its arguments, decimal or hexadecimal
    #[arg(value_name = "ARGUMENT", allow_negative_numbers = true, num_args = 0..=6)]
    pub arguments: Vec<String>,
}

/// `features`
#[derive(Debug, Clone, Args)]
pub struct Features {}
