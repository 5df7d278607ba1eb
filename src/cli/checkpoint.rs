//! The options of `checkpoint` and `restore`.

use std::path::PathBuf;

use clap::Args;

/// What `checkpoint` and `restore` take alike.
#[derive(Debug, Clone, Default, Args)]
pub struct Images {
    /// The directory of the images [default: ./checkpoint]
    #[arg(long, value_name = "DIR")]
    pub image_path: Option<PathBuf>,
    /// The directory for criu's log [default: that of the images]
    #[arg(long, value_name = "DIR")]
    pub work_path: Option<PathBuf>,
    /// Keep open TCP connections
    #[arg(long)]
    pub tcp_established: bool,
    /// Allow unix sockets whose other side is outside
    #[arg(long)]
    pub ext_unix_sk: bool,
    /// The program's terminal is the caller's
    #[arg(long)]
    pub shell_job: bool,
    /// Keep locks of files
    #[arg(long)]
    pub file_locks: bool,
    /// What happens to cgroups: soft, full, strict or ignore [default: soft]
    #[arg(long, value_name = "MODE", value_parser = ["soft", "full", "strict", "ignore"])]
    pub manage_cgroups_mode: Option<String>,
    /// How packets are kept away meanwhile [default: iptables]
    #[arg(long, value_name = "METHOD", value_parser = ["iptables", "nftables", "skip"])]
    pub network_lock: Option<String>,
    /// Leave out what is in a namespace of this kind: network
    #[arg(long, value_name = "KIND", value_parser = ["network"])]
    pub empty_ns: Vec<String>,
    /// Take memory out of earlier images that is in a later one too
    #[arg(long)]
    pub auto_dedup: bool,
    /// Move memory only when it is needed (userfaultfd)
    #[arg(long)]
    pub lazy_pages: bool,
}

/// `checkpoint`
#[derive(Debug, Clone, Default, Args)]
pub struct Checkpoint {
    /// What `checkpoint` and `restore` take alike
    #[command(flatten)]
    pub images: Images,
    /// Let the container go on afterwards
    #[arg(long, overrides_with = "leave_running")]
    pub leave_running: bool,
    /// Only write the memory, for a checkpoint that comes later, and let the container go on
    #[arg(long)]
    pub pre_dump: bool,
    /// The directory of an earlier --pre-dump, relative to that of the images
    #[arg(long, value_name = "DIR")]
    pub parent_path: Option<PathBuf>,
    /// Leave out TCP connections that are being made
    #[arg(long)]
    pub tcp_skip_in_flight: bool,
    /// Give files a name that were deleted while they are open
    #[arg(long)]
    pub link_remap: bool,
    /// Send the memory to the page server of criu there
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = super::values::server)]
    pub page_server: Option<(String, u16)>,
    /// Write a NUL byte to this descriptor when --lazy-pages is ready to serve
    #[arg(long, value_name = "FD")]
    pub status_fd: Option<i32>,
    /// The container
    pub id: String,
}

/// `restore`
#[derive(Debug, Clone, Default, Args)]
pub struct Restore {
    /// What `checkpoint` and `restore` take alike
    #[command(flatten)]
    pub images: Images,
    /// The bundle directory [default: the working directory]
    #[arg(short, long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
    /// Do not wait for the container to end
    #[arg(short, long)]
    pub detach: bool,
    /// Write the container's pid to this file
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,
    /// Send the terminal to the process that listens here
    #[arg(long, value_name = "SOCKET")]
    pub console_socket: Option<PathBuf>,
    /// Close TCP connections instead of restoring them
    #[arg(long)]
    pub tcp_close: bool,
    /// Another label for the processes: apparmor or selinux, and its name
    #[arg(long, value_name = "TYPE:NAME")]
    pub lsm_profile: Option<String>,
    /// Another SELinux context for the mounts
    #[arg(long, value_name = "CONTEXT")]
    pub lsm_mount_context: Option<String>,
    /// Do not adopt what the container leaves behind
    #[arg(long)]
    pub no_subreaper: bool,
    /// Accepted for runc's sake: it is criu that changes the root
    #[arg(long)]
    pub no_pivot: bool,
    /// The name of the new container
    pub id: String,
}
