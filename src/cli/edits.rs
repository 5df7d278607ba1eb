//! The options of `spec` and `sandbox`: what a config.json is to say.

use std::path::PathBuf;

use clap::Args;

use super::values;

/// What `spec` and `sandbox` take alike.
#[derive(Debug, Clone, Default, Args)]
pub struct Edits {
    /// Make the root a union of directories, this one on top of those before it; may be repeated
    #[arg(long, value_name = "DIR")]
    pub layer: Vec<PathBuf>,
    /// Where changes to the layers go: `ephemeral`, to memory, or a directory that keeps them
    #[arg(long, value_name = "ephemeral|DIR")]
    pub upper: Option<PathBuf>,
    /// Add to the environment, or replace what has the name; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Mount SRC:DST, SRC:DST:ro or type=bind|tmpfs,source=SRC,target=DST,readonly; may be repeated
    #[arg(long, value_name = "MOUNT")]
    pub mount: Vec<String>,
    /// Limit of memory, as 64M; -1 for none
    #[arg(long, value_name = "BYTES", value_parser = values::limit, allow_negative_numbers = true)]
    pub memory: Option<i64>,
    /// Limit of processor time in processors, as 0.5
    #[arg(long, value_name = "NUMBER", value_parser = values::processors, allow_negative_numbers = true)]
    pub cpus: Option<f64>,
    /// Number of processes, -1 for no limit
    #[arg(long, value_name = "NUMBER", value_parser = values::count, allow_negative_numbers = true)]
    pub pids: Option<i64>,
    /// The caller's network, or one with nothing but the loopback interface
    #[arg(long, value_name = "host|none", value_parser = ["host", "none"])]
    pub network: Option<String>,
    /// Give it a terminal; --tty=false gives it none
    #[arg(
        short,
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub tty: Option<bool>,
    /// Run as this user, and group, by number or by name in the root's own /etc/passwd
    #[arg(short, long, value_name = "USER[:GROUP]")]
    pub user: Option<String>,
    /// The working directory, inside
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<String>,
    /// One more capability, as NET_ADMIN, or ALL; may be repeated
    #[arg(long, value_name = "NAME")]
    pub cap_add: Vec<String>,
    /// One capability less, or ALL, before any is added; may be repeated
    #[arg(long, value_name = "NAME")]
    pub cap_drop: Vec<String>,
    /// The filter of system calls
    #[arg(long, value_name = "default|none", value_parser = ["default", "none"])]
    pub seccomp: Option<String>,
    /// The host name
    #[arg(long, value_name = "NAME", value_parser = values::host_name)]
    pub hostname: Option<String>,
    /// Make the root read-only; --read-only=false makes it writable
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub read_only: Option<bool>,
}

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
    /// Begin with what the configuration of this image says (OCI's or Docker's JSON)
    #[arg(long, value_name = "FILE")]
    pub image_config: Option<PathBuf>,
    /// The program, then an argument each time it is repeated
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    pub arg: Vec<String>,
    /// What `spec` and `sandbox` take alike
    #[command(flatten)]
    pub edits: Edits,
}

/// `sandbox`
#[derive(Debug, Clone, Args)]
pub struct Sandbox {
    /// Show what is mounted below the host's `/` too, read-only
    #[arg(long, conflicts_with = "layer")]
    pub with_mounts: bool,
    /// What `spec` and `sandbox` take alike
    #[command(flatten)]
    pub edits: Edits,
    /// The program and its arguments [default: $SHELL, or /bin/sh]
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "PROGRAM [ARGUMENT...]"
    )]
    pub args: Vec<String>,
}
