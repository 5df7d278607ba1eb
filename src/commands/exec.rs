//! `exec`: one more program in a container that exists.

use std::os::fd::AsFd;

use super::Call;
use super::create::{Files, Inherited, absolute, prepare};
use super::observe::observe;
use crate::cli;
use crate::error::{Context, Error, Kind, Result};
use crate::plan::{ExecOptions, ExecPlan, ProcessRecord, compile_exec};
use crate::process::{self, Executed, Foreground, Target, Watch};
use crate::spec;
use crate::state::Verb;
use crate::trace;
use crate::workload::Change;

/// Runs the program; in the foreground its own exit status is ours.
pub(super) fn exec(call: &mut Call<'_>, args: &cli::Exec) -> Result<i32> {
    let intent = || format!("exec in container `{}`", args.id.escape_debug());
    let inherited = prepare(call, args.preserve_fds).context(intent)?;
    let foreground = if args.detach {
        None
    } else {
        // Before the clone: a signal or a death in between must wait for us.
        Some(Foreground::prepare(false)?)
    };
    let Executed { pid, process, relay } =
        begin(call, args, inherited, foreground.as_ref()).context(intent)?;
    let _phase = trace::phase("the program runs");
    match foreground {
        Some(foreground) => foreground.wait((pid, process.as_fd()), relay, None),
        None => Ok(0),
    }
}

fn begin(
    call: &mut Call<'_>,
    args: &cli::Exec,
    inherited: Inherited,
    foreground: Option<&Foreground>,
) -> Result<Executed> {
    let entry = call.store.open(&args.id)?;
    let record = entry.read()?;
    let seen = observe(&entry, &record)?;
    let verb = if args.ignore_paused { Verb::ExecWhenResumed } else { Verb::Exec };
    seen.status.require(verb, entry.id())?;
    let Some(init) = seen.init else {
        return Err(Error::message(Kind::State, "container not running"));
    };
    let own: ProcessRecord = entry.read_beside("process.json")?;
    let options = options(args, inherited)?;
    let plan = trace::during("plan", || compile_exec(&record, &own, &call.host, &options))?;
    for warning in &plan.warnings {
        log::warn!("{warning}");
    }
    let files = Files {
        pid_file: args.pid_file.as_deref().map(absolute).transpose()?,
        console_socket: args.console_socket.as_deref().map(absolute).transpose()?,
        pidfd_socket: args.pidfd_socket.as_deref().map(absolute).transpose()?,
    };
    let receivers = files.receivers(terminal(&plan, args), foreground.is_some())?;
    let target = Target { record: &record, status: seen.status.name(), init: init.as_fd() };
    let watch = Watch { foreground, fifo: args.exec_wait_fifo.as_deref() };
    process::exec(&plan, target, &receivers, watch)
}

/// Who asks for the terminal, if anybody does.
fn terminal(plan: &ExecPlan, args: &cli::Exec) -> Option<&'static str> {
    let asks = if args.tty { "--tty" } else { "/process/terminal" };
    plan.workload.terminal.then_some(asks)
}

fn options(args: &cli::Exec, inherited: Inherited) -> Result<ExecOptions> {
    let process = match &args.process {
        Some(path) => Some(spec::read_file(path).context(|| "--process")?),
        None => None,
    };
    Ok(ExecOptions {
        process,
        change: Change {
            args: args.args.clone(),
            env: args.env.clone(),
            cwd: args.cwd.clone(),
            uid: args.user.map(|user| user.uid),
            gid: args.user.and_then(|user| user.gid),
            groups: args.additional_gids.clone(),
        },
        terminal: args.tty,
        capabilities: args.cap.clone(),
        apparmor: args.apparmor.clone(),
        selinux: args.process_label.clone(),
        no_new_privs: args.no_new_privs,
        preserve_fds: inherited.count,
        listen_fds: inherited.listen_fds,
        cgroup: args.cgroup.clone(),
    })
}
