//! `start`: opens the gate, so that init becomes the program.

use std::os::fd::{AsFd, BorrowedFd};

use super::Call;
use super::create::manager;
use super::delete;
use super::observe::observe_held;
use crate::cli;
use crate::error::{Context, Kind, Result};
use crate::hooks;
use crate::plan::Record;
use crate::process::gate;
use crate::process::notify::Notify;
use crate::state::{Entry, Lock, Status, Verb};
use crate::sys;
use crate::trace;

/// Starts a created container.
pub(super) fn start(call: &mut Call<'_>, args: &cli::Start) -> Result<i32> {
    let entry = call.store.open(&args.id)?;
    let lock = entry.lock("start")?;
    let record = entry.read()?;
    let seen = observe_held(&entry, &record, &lock)?;
    if seen.status != Status::Created {
        // A refused gate: a start before us was killed after it had opened it.
        gate::remove(entry.dir());
    }
    seen.status.require(Verb::Start, entry.id())?;
    let init = seen.init.as_ref().map(AsFd::as_fd);
    let notify = prepare_notify(&entry)?;
    let started = start_created(&entry, &record, init, &lock);
    if started.as_ref().is_err_and(|error| error.kind() == Kind::State) {
        // A start before us was killed after its word: init was on its way already when we came to the
        // gate, and has closed it by becoming the program.
        let seen = observe_held(&entry, &record, &lock)?;
        if seen.status == Status::Running {
            gate::remove(entry.dir());
            seen.status.require(Verb::Start, entry.id())?;
        }
    }
    started?;
    // It may take its time, and be deleted meanwhile.
    drop(lock);
    await_ready(notify, &record, init)?;
    Ok(0)
}

/// Listens for what the container has to tell the service manager, before it can say anything.
pub(super) fn prepare_notify(entry: &Entry<Record>) -> Result<Option<Notify>> {
    manager().map_or(Ok(None), |manager| Notify::listen(entry.dir(), manager))
}

/// A service is started when it says so.
pub(super) fn await_ready(
    notify: Option<Notify>,
    record: &Record,
    init: Option<BorrowedFd<'_>>,
) -> Result<()> {
    match (notify, init) {
        (Some(notify), Some(init)) => notify.wait(record.pid(), init),
        _ => Ok(()),
    }
}

/// What `start` and `run` do alike with a container that waits at its gate, as the process `init`.
pub(super) fn start_created(
    entry: &Entry<Record>,
    record: &Record,
    init: Option<BorrowedFd<'_>>,
    lock: &Lock,
) -> Result<()> {
    let started = open_and_announce(entry, record);
    if let Err(error) = &started
        && error.kind() == Kind::Hook
    {
        // runtime.md: a failed startContainer or poststart hook stops the container and goes on at
        // the step that destroys it.
        delete::destroy(entry, record, init, lock).context(|| "clean up after the failed hook")?;
    }
    started.context(|| format!("start container `{}`", entry.id()))
}

fn open_and_announce(entry: &Entry<Record>, record: &Record) -> Result<()> {
    trace::during("let init go on, until it is the program", || gate::open(entry.dir()))?;
    gate::remove(entry.dir());
    if record.hooks.poststart.is_empty() {
        return Ok(());
    }
    let state = record.oci_state(Status::Running.name(), record.pid());
    let environment = sys::exec::inherited_environment();
    hooks::run(&record.hooks.poststart, "poststart", &state, &environment)
}
