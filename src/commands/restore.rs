//! `restore`: a container as `create` makes it, with processes from images, which run at once.

use std::os::fd::AsFd;

use super::Call;
use super::checkpoint::{open, options};
use super::create::{Inherited, plan, prepare};
use super::delete::run_poststop;
use super::run::clean_up;
use crate::checkpoint::{Options, Task};
use crate::cli;
use crate::error::{Context, Error, Kind, Result};
use crate::plan::Record;
use crate::process::{self, Created, Foreground, Images, notify};
use crate::terminal::Relay;

/// Restores a container; in the foreground its own exit status is ours.
pub(super) fn restore(call: &mut Call<'_>, args: &cli::Restore) -> Result<i32> {
    let intent = || format!("restore container `{}`", args.id.escape_debug());
    let inherited = prepare(call, 0).context(intent)?;
    let foreground = if args.detach {
        None
    } else {
        // Before the clone: a signal or a death in between must wait for us.
        Some(Foreground::prepare(!args.no_subreaper)?)
    };
    let mut created = make(call, args, inherited).context(intent)?;
    let relay = created.terminal.take().map(Relay::begin).transpose();
    let relay = relay.context(|| "use the terminal of the container")?;
    drop(created.lock);
    let Some(foreground) = foreground else { return Ok(0) };
    let process = (created.record.pid(), created.init.as_fd());
    let status = foreground.wait(process, relay, None)?;
    clean_up(&created.entry).context(|| format!("delete container `{}`", args.id))?;
    Ok(status)
}

fn make(call: &mut Call<'_>, args: &cli::Restore, inherited: Inherited) -> Result<Created> {
    crate::state::check_id(&args.id)?;
    check(args)?;
    // Before the working directory becomes the bundle.
    let images = open(&args.images, Task::Restore)?;
    let made = make_from(call, args, inherited, &images);
    made.inspect_err(|error| images.note(Task::Restore, error))
}

fn make_from(
    call: &mut Call<'_>,
    args: &cli::Restore,
    inherited: Inherited,
    images: &Images,
) -> Result<Created> {
    let container = cli::Container {
        bundle: args.bundle.clone(),
        console_socket: args.console_socket.clone(),
        pid_file: args.pid_file.clone(),
        ..cli::Container::default()
    };
    let (plan, files, notifies) = plan(call, &container, &args.id, inherited)?;
    let terminal = plan.workload.terminal.then_some("/process/terminal");
    let receivers = files.receivers(terminal, !args.detach)?;
    let options = Options {
        tcp_close: args.tcp_close,
        lsm_profile: args.lsm_profile.clone(),
        lsm_mount_context: args.lsm_mount_context.clone(),
        ..options(&args.images, &plan.annotations)
    };
    let record = Record::begin(&plan, call.host.euid());
    let reservation = call.store.reserve(&plan.id, "restore", &record)?;
    if notifies {
        notify::make_directory(reservation.entry()?.dir())?;
    }
    let made = process::restore(&plan, reservation, record.clone(), &receivers, (images, &options));
    if let Err(error) = &made
        && error.kind() == Kind::Hook
    {
        run_poststop(&record);
    }
    made
}

fn check(args: &cli::Restore) -> Result<()> {
    let Some(label) = &args.lsm_profile else { return Ok(()) };
    match label.split_once(':') {
        Some(("apparmor" | "selinux", name)) if !name.is_empty() => Ok(()),
        _ => {
            let text = format!("--lsm-profile: `{}` is no TYPE:NAME", label.escape_debug());
            Err(Error::message(Kind::Usage, text)).hint(|| "the type is `apparmor` or `selinux`")
        }
    }
}
