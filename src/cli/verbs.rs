//! The options of each verb.

use std::path::PathBuf;

use clap::Args;

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

/// `spec`
#[derive(Debug, Clone, Args)]
pub struct Spec {
    /// Where to write it [default: the working directory]
    #[arg(short, long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
    /// Write to this file instead of config.json
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// For a container that an ordinary user runs
    #[arg(long)]
    pub rootless: bool,
}
