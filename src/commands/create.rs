//! `create`: everything but the program itself. The container then waits for `start`.

use std::path::{Path, PathBuf};

use super::Call;
use super::delete::run_poststop;
use crate::cli;
use crate::error::{Context, Error, Kind, Result};
use crate::plan::{Options, Plan, Record};
use crate::process;
use crate::process::{Created, Receivers};
use crate::rootfs;
use crate::spec;
use crate::sys;
use crate::terminal::handover;

/// Creates the container and leaves.
pub(super) fn create(call: &mut Call<'_>, args: &cli::Create) -> Result<i32> {
    let inherited = prepare(call, &args.container, &args.id)?;
    make(call, &args.container, &args.id, inherited, Way::Create)?;
    Ok(0)
}

/// What `create` and `run` do alike, after [`prepare`]. The lock of what is returned is still held.
pub(super) fn make(
    call: &mut Call<'_>,
    args: &cli::Container,
    id: &str,
    inherited: Inherited,
    way: Way,
) -> Result<Created> {
    let created = plan(call, args, id, inherited).and_then(|(plan, files)| {
        let receivers = files.receivers(&plan, way)?;
        reserve_and_create(call, &plan, way.verb(), &receivers)
    });
    created.context(|| format!("create container `{}`", id.escape_debug()))
}

/// The very first steps: before any descriptor is opened and without a look at the config, so that
/// whatever that says, rrun cannot be written to.
pub(super) fn prepare(call: &Call<'_>, args: &cli::Container, id: &str) -> Result<Inherited> {
    let listen_fds = listen_fds();
    let count = args.preserve_fds.saturating_add(listen_fds);
    check_open(count).context(|| format!("create container `{}`", id.escape_debug()))?;
    process::seal(call.args)?;
    Ok(Inherited { count, listen_fds })
}

/// The descriptors from 3 on that the caller hands to the program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inherited {
    count: u32,
    /// How many of them are sockets of systemd's.
    listen_fds: u32,
}

/// For whom a container is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// `create`: rrun leaves.
    Create,
    /// `run --detach`: it leaves too.
    RunDetached,
    /// `run`: it stays.
    Run,
}

impl Way {
    fn verb(self) -> &'static str {
        if self == Way::Create { "create" } else { "run" }
    }
}

/// Where things of the container are to go, as the command line names it, made absolute: relative
/// paths start at the caller's directory and not at the bundle.
#[derive(Debug)]
struct Files {
    pid_file: Option<PathBuf>,
    console_socket: Option<PathBuf>,
    pidfd_socket: Option<PathBuf>,
}

impl Files {
    fn of(args: &cli::Container) -> Result<Files> {
        let path = |path: &Option<PathBuf>| path.as_deref().map(absolute).transpose();
        Ok(Files {
            pid_file: path(&args.pid_file)?,
            console_socket: path(&args.console_socket)?,
            pidfd_socket: path(&args.pidfd_socket)?,
        })
    }

    /// Connects to those who listen, before anything is made.
    fn receivers(&self, plan: &Plan, way: Way) -> Result<Receivers<'_>> {
        let terminal = plan.workload.terminal;
        if terminal && way != Way::Run && self.console_socket.is_none() {
            // What runc calls "cannot allocate tty if runc will detach without setting console socket".
            return Err(Error::config("/process/terminal", "nobody stays to hold the terminal"))
                .hint(|| "name the socket of somebody who will by --console-socket");
        }
        if !terminal && self.console_socket.is_some() {
            let text = "there is no terminal to send: /process/terminal is false";
            return Err(Error::message(Kind::Usage, format!("--console-socket: {text}")));
        }
        let connect = |path: &Option<PathBuf>, flag: &str| {
            let connected = path.as_deref().map(handover::connect).transpose();
            connected.context(|| flag.to_owned())
        };
        Ok(Receivers {
            pid_file: self.pid_file.as_deref(),
            console: connect(&self.console_socket, "--console-socket")?,
            pidfd: match &self.pidfd_socket {
                None => connect(&plan.pidfd_receiver, "/annotations/run.oci.pidfd_receiver")?,
                named => connect(named, "--pidfd-socket")?,
            },
        })
    }
}

fn plan(
    call: &mut Call<'_>,
    args: &cli::Container,
    id: &str,
    inherited: Inherited,
) -> Result<(Plan, Files)> {
    crate::state::check_id(id)?;
    let bundle = args.bundle.clone().unwrap_or_else(|| PathBuf::from("."));
    // Before the working directory becomes the bundle.
    let files = Files::of(args)?;
    let bundle = std::fs::canonicalize(&bundle)
        .map_err(|error| Error::io("open", format!("`{}`", bundle.display()), &error))
        .context(|| "find the bundle")?;
    // Relative paths in the bundle, and hooks, start there.
    sys::file::chdir(&bundle).context(|| "enter the bundle")?;
    let config = args.config.clone().unwrap_or_else(|| PathBuf::from("config.json"));
    let config = spec::Config::read(&bundle.join(config))?;
    let options = Options {
        id: id.to_owned(),
        created: humantime::format_rfc3339_nanos(std::time::SystemTime::now()).to_string(),
        bundle,
        no_pivot: args.no_pivot,
        keep_keyring: args.no_new_keyring,
        preserve_fds: inherited.count,
        listen_fds: inherited.listen_fds,
        cgroup_owner: call.cgroup_owner()?,
    };
    let plan = crate::plan::compile(&config, &call.host, &options)?;
    for warning in plan.warnings.iter().chain(&rootfs::layer_warnings(&plan.rootfs)?) {
        log::warn!("{warning}");
    }
    Ok((plan, files))
}

fn reserve_and_create(
    call: &Call<'_>,
    plan: &Plan,
    verb: &str,
    receivers: &Receivers<'_>,
) -> Result<Created> {
    let record = Record::begin(plan, call.host.euid());
    let reservation = call.store.reserve(&plan.id, verb, &record)?;
    let created = process::create(plan, reservation, record.clone(), receivers);
    if let Err(error) = &created
        && error.kind() == Kind::Hook
    {
        // runtime.md: after a failed prestart, createRuntime or createContainer hook the lifecycle
        // goes on where the container is destroyed, of which nothing but these is left to do.
        run_poststop(&record);
    }
    created
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|error| Error::io("getcwd", format!("`{}`", path.display()), &error))
}

/// How many descriptors systemd's socket activation hands to us (sd_listen_fds(3)).
fn listen_fds() -> u32 {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let for_us = number("LISTEN_PID").is_none_or(|pid| pid == std::process::id());
    number("LISTEN_FDS").filter(|_| for_us).unwrap_or(0)
}

/// What is to be preserved has to be there: otherwise a descriptor of our own would take its number
/// and leak into the container.
fn check_open(count: u32) -> Result<()> {
    let ours = crate::log::descriptor().and_then(|number| u32::try_from(number).ok());
    for number in 3..3_u32.saturating_add(count) {
        if !sys::file::is_open(number) || ours == Some(number) {
            let text = format!("--preserve-fds, LISTEN_FDS: descriptor {number} is not open");
            return Err(Error::message(Kind::Usage, text));
        }
    }
    Ok(())
}
