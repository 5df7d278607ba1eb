//! `create`: everything but the program itself. The container then waits for `start`.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::Call;
use super::delete::run_poststop;
use crate::cli;
use crate::error::{Context, Error, Kind, Result};
use crate::plan::{Options, Plan, Record};
use crate::process;
use crate::process::{Created, Receivers, notify};
use crate::rootfs;
use crate::spec;
use crate::sys;
use crate::terminal::handover;

/// Creates the container and leaves.
pub(super) fn create(call: &mut Call<'_>, args: &cli::Create) -> Result<i32> {
    let inherited = prepare_making(call, &args.container, &args.id)?;
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
    let created =
        plan(call, args, id, inherited).and_then(|planned| make_planned(call, &planned, way));
    created.context(|| format!("create container `{}`", id.escape_debug()))
}

/// A container that is about to be made: the plan, where things of it go, and whether it has something
/// to tell a service manager.
pub(super) type Planned = (Plan, Files, bool);

/// The part of [`make`] that changes something.
pub(super) fn make_planned(
    call: &Call<'_>,
    (plan, files, notifies): &Planned,
    way: Way,
) -> Result<Created> {
    let terminal = plan.workload.terminal.then_some("/process/terminal");
    let mut receivers = files.receivers(terminal, matches!(way, Way::Run | Way::Sandbox))?;
    if receivers.pidfd.is_none() {
        receivers.pidfd =
            connect(plan.pidfd_receiver.as_deref(), "/annotations/run.oci.pidfd_receiver")?;
    }
    reserve_and_create(call, (plan, *notifies), way.verb(), &receivers)
}

/// The very first steps: before any descriptor is opened and without a look at the config, so that
/// whatever that says, rrun cannot be written to.
pub(super) fn prepare(call: &Call<'_>, preserve_fds: u32) -> Result<Inherited> {
    let listen_fds = listen_fds();
    let count = preserve_fds.saturating_add(listen_fds);
    check_open(count)?;
    process::seal(call.args)?;
    Ok(Inherited { count, listen_fds })
}

/// The same for a container that is to be made.
pub(super) fn prepare_making(
    call: &Call<'_>,
    args: &cli::Container,
    id: &str,
) -> Result<Inherited> {
    prepare(call, args.preserve_fds).context(|| format!("create container `{}`", id.escape_debug()))
}

/// The descriptors from 3 on that the caller hands to the program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inherited {
    pub(super) count: u32,
    /// How many of them are sockets of systemd's.
    pub(super) listen_fds: u32,
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
    /// `sandbox`: it stays too.
    Sandbox,
}

impl Way {
    fn verb(self) -> &'static str {
        match self {
            Way::Create => "create",
            Way::RunDetached | Way::Run => "run",
            Way::Sandbox => "sandbox",
        }
    }
}

/// Where things of the container are to go, as the command line names it, made absolute: relative
/// paths start at the caller's directory and not at the bundle.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) pid_file: Option<PathBuf>,
    pub(super) console_socket: Option<PathBuf>,
    pub(super) pidfd_socket: Option<PathBuf>,
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

    /// Connects to those who listen, before anything is made. `terminal`: who asks for one, if
    /// anybody does; `stays`: whether rrun waits for the program.
    pub(super) fn receivers(&self, terminal: Option<&str>, stays: bool) -> Result<Receivers<'_>> {
        if let Some(asks) = terminal
            && !stays
            && self.console_socket.is_none()
        {
            // What runc calls "cannot allocate tty if runc will detach without setting console socket".
            return Err(Error::config(asks, "nobody stays to hold the terminal"))
                .hint(|| "name the socket of somebody who will by --console-socket");
        }
        if terminal.is_none() && self.console_socket.is_some() {
            let text = "there is no terminal to send: /process/terminal is false";
            return Err(Error::message(Kind::Usage, format!("--console-socket: {text}")));
        }
        Ok(Receivers {
            pid_file: self.pid_file.as_deref(),
            console: connect(self.console_socket.as_deref(), "--console-socket")?,
            pidfd: connect(self.pidfd_socket.as_deref(), "--pidfd-socket")?,
        })
    }
}

/// Connects to the socket of somebody who gets a descriptor; `asks` is who names it.
fn connect(path: Option<&Path>, asks: &str) -> Result<Option<OwnedFd>> {
    path.map(handover::connect).transpose().context(|| asks.to_owned())
}

pub(super) fn plan(
    call: &mut Call<'_>,
    args: &cli::Container,
    id: &str,
    inherited: Inherited,
) -> Result<Planned> {
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
    let mut config = spec::Config::read(&bundle.join(config))?;
    let notifies = manager().is_some() && add_notify_socket(call, &mut config, id);
    let options = Options {
        id: id.to_owned(),
        created: now(),
        bundle,
        no_pivot: args.no_pivot,
        keep_keyring: args.no_new_keyring,
        preserve_fds: inherited.count,
        listen_fds: inherited.listen_fds,
        cgroup_owner: call.cgroup_owner()?,
        dies_with_us: false,
        reaps: false,
    };
    Ok((compile(call, &config, &options)?, files, notifies))
}

/// The plan, with its warnings said.
pub(super) fn compile(call: &Call<'_>, config: &spec::Config, options: &Options) -> Result<Plan> {
    let plan = crate::plan::compile(config, &call.host, options)?;
    for warning in plan.warnings.iter().chain(&rootfs::layer_warnings(&plan.rootfs)?) {
        log::warn!("{warning}");
    }
    Ok(plan)
}

/// This moment, as records have it.
pub(super) fn now() -> String {
    humantime::format_rfc3339_nanos(std::time::SystemTime::now()).to_string()
}

fn reserve_and_create(
    call: &Call<'_>,
    (plan, notifies): (&Plan, bool),
    verb: &str,
    receivers: &Receivers<'_>,
) -> Result<Created> {
    let record = Record::begin(plan, call.host.euid());
    let reservation = call.store.reserve(&plan.id, verb, &record)?;
    if notifies {
        notify::make_directory(reservation.entry()?.dir())?;
    }
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

/// The address of the service manager that wants to hear of the container (sd_notify(3)).
pub(super) fn manager() -> Option<PathBuf> {
    std::env::var_os(notify::VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Gives the container a socket of its own, as runc does. Whether that can be: without a mount
/// namespace of its own it would be the host's mount.
fn add_notify_socket(call: &Call<'_>, config: &mut spec::Config, id: &str) -> bool {
    let is_own = |it: &spec::Namespace| it.kind == "mount" && it.path == Path::new("");
    let has_mounts = config.linux.namespaces.iter().any(is_own);
    let Some(process) = config.process.as_mut().filter(|_| has_mounts) else { return false };
    config.mounts.push(spec::Mount {
        destination: PathBuf::from(notify::INSIDE),
        kind: "bind".to_owned(),
        source: Some(notify::directory(call.store.root(), id).to_string_lossy().into_owned()),
        options: ["bind", "nosuid", "noexec", "nodev", "ro"].map(str::to_owned).to_vec(),
        ..spec::Mount::default()
    });
    process.env.push(format!("{}={}", notify::VARIABLE, notify::path_inside()));
    true
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf> {
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
