//! The parent's side of `create`: clone, place, answer, record.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use super::channel::{self, ParentEnd};
use super::gate::Gate;
use super::help;
use super::launch::{Child, Launch};
use super::listener;
use super::message::{ToInit, ToParent};
use super::pid_file::PidFile;
use super::protocol::{Expected, Protocol};
use super::steps::has_hooks_before_pivot;
use crate::cgroups;
use crate::error::{Context, Error, Kind as Failure, Result};
use crate::hooks;
use crate::namespaces;
use crate::namespaces::{Kind, Source};
use crate::plan::{Plan, ProcessRecord, Record};
use crate::resctrl;
use crate::rootfs;
use crate::state::{Entry, Identity, Lock, Phase, Reservation};
use crate::sys;
use crate::sys::procfs::Procfs;
use crate::terminal::handover;
use crate::trace;

/// A container that was created: it waits at its gate.
#[derive(Debug)]
pub struct Created {
    /// Its directory.
    pub entry: Entry<Record>,
    /// Its lock, still held.
    pub lock: Lock,
    /// Its record.
    pub record: Record,
    /// Its first process.
    pub init: OwnedFd,
    /// The outer side of its terminal, where there is one and nobody else has got it.
    pub terminal: Option<OwnedFd>,
}

/// Who is told of the container, and gets what of it.
#[derive(Debug, Default)]
pub struct Receivers<'a> {
    /// The file for its pid.
    pub pid_file: Option<&'a Path>,
    /// The connection for its terminal (`--console-socket`).
    pub console: Option<OwnedFd>,
    /// The connection for a pidfd of it (`--pidfd-socket`).
    pub pidfd: Option<OwnedFd>,
}

impl Receivers<'_> {
    /// The terminal goes to whoever gets it; where nobody else does, it comes back.
    ///
    /// # Errors
    /// As sendmsg(2).
    pub(super) fn give_terminal(&self, master: Option<OwnedFd>) -> Result<Option<OwnedFd>> {
        let master = master.ok_or_else(|| Error::internal("there came no terminal"))?;
        let Some(socket) = &self.console else { return Ok(Some(master)) };
        handover::send(socket.as_fd(), "console", master.as_fd())
            .context(|| "send the terminal to its receiver")?;
        Ok(None)
    }
}

/// The hooks of the runtime's namespaces, once those of the container are there.
pub(super) fn run_hooks(plan: &Plan, record: &Record, pid: i32) -> Result<()> {
    let state = record.oci_state("creating", pid);
    let environment = sys::exec::inherited_environment();
    hooks::run(&plan.hooks.prestart, "prestart", &state, &environment)?;
    hooks::run(&plan.hooks.create_runtime, "createRuntime", &state, &environment)
}

/// Host directories that go with the container; dropped before it is created, they go at once.
pub(super) struct HostDirectories<'a>(pub(super) &'a Plan);

impl Drop for HostDirectories<'_> {
    fn drop(&mut self) {
        for directory in self.0.rootfs.host_directories() {
            let _ = rootfs::release(&directory, &self.0.owner());
        }
    }
}

/// Creates the container that `plan` describes, in the directory that is reserved for it. On any
/// failure nothing of it is left: no process, cgroup, mount or file.
///
/// # Errors
/// Init's own sentence where init failed.
pub fn create(
    plan: &Plan,
    reservation: Reservation<Record>,
    mut record: Record,
    receivers: &Receivers<'_>,
) -> Result<Created> {
    let entry = reservation.entry()?;
    let namespaces = namespaces::Handles::open(&plan.namespaces)?;
    let gate = Gate::bind(entry.dir())?;
    let directories = HostDirectories(plan);
    let (mut cgroup, placement) = trace::during("cgroup", || cgroups::prepare(&plan.cgroup))
        .context(|| "prepare the cgroup")?;
    let mut protocol = Protocol::new(conversation(plan)).with_questions(plan.rootfs.may_ask());
    let (channel, init_end) = channel::pair()?;
    let strategy = plan.strategy.clone();
    let lock = reservation.lock()?;
    let mut launch = Launch { plan, record: &record, lock, strategy, placement };
    let child = trace::during("clone", || {
        launch.clone_init((gate, namespaces, init_end), &channel, &mut protocol)
    })?;
    let placed = launch.placement.is_done();

    if let Some(plan) = &plan.resctrl {
        record.resctrl = resctrl::intended(plan);
    }
    record.init = Some(Identity::of(child.pid, child.pidfd()?)?);
    let phase = trace::phase("record, place and map init");
    entry.write(&record)?;
    if !placed {
        cgroups::place(&plan.cgroup, &mut cgroup, child.pid)
            .context(|| "move init into its cgroup")?;
    }
    prepare_child(plan, child.pid)?;
    let groups = plan.resctrl.as_ref().map(|plan| resctrl::apply(plan, child.pid)).transpose()?;
    let mut parent = Parent::new((plan, &record), (&channel, &child), receivers);
    drop(phase);
    parent.channel.proceed(&[])?;
    // While the child mounts; before any hook or code of the image runs.
    trace::during("limits of the cgroup", || cgroups::limit(&plan.cgroup))
        .context(|| "limit the cgroup")?;
    parent.converse(&mut protocol)?;
    let (terminal, moved) = (parent.terminal.take(), parent.moved.take());
    if let Some(socket) = &receivers.pidfd {
        handover::send(socket.as_fd(), "pidfd", child.pidfd()?)
            .context(|| "send the pidfd to its receiver")?;
    }

    let _phase = trace::phase("record and pid file");
    record.phase = Phase::Created;
    let pid_file = receivers.pid_file.map(|path| PidFile::write(path, child.pid)).transpose()?;
    let process = serde_json::to_vec(&ProcessRecord::of(plan))
        .map_err(|error| Error::internal(format!("write process.json: {error}")))?;
    entry.replace("process.json", &process)?;
    entry.write(&record)?;
    // Everything is recorded; only now may init go on to the gate.
    Parent::new((plan, &record), (&channel, &child), receivers).let_go()?;
    if let Some(pid_file) = pid_file {
        pid_file.keep();
    }
    let (entry, lock) = reservation.commit()?;
    std::mem::forget(directories);
    if let Some(moved) = moved {
        moved.keep();
    }
    // The record has named them from the beginning.
    groups.map(resctrl::Made::keep);
    cgroup.keep();
    Ok(Created { entry, lock, record, init: child.release()?, terminal })
}

/// The messages that init will send.
fn conversation(plan: &Plan) -> impl Iterator<Item = Expected> {
    let messages = [
        (plan.strategy.stage.is_some(), Expected::Cloned),
        (!plan.namespaces.net_devices.is_empty(), Expected::Network),
        (has_hooks_before_pivot(&plan.hooks), Expected::Mounted),
        (plan.workload.terminal, Expected::Console),
        (listener::of(&plan.security).is_some(), Expected::Listener),
        (true, Expected::Ready),
    ];
    messages.into_iter().filter_map(|(due, message)| due.then_some(message))
}

/// What only the parent can write, or can write before the child has lost sight of itself: id maps,
/// and the oom score, which an undumpable process in a user namespace cannot open.
fn prepare_child(plan: &Plan, pid: i32) -> Result<()> {
    let needs_maps = *plan.namespaces.source(Kind::User) == Source::New;
    if !needs_maps && plan.workload.oom_score_adj.is_none() {
        return Ok(());
    }
    let proc = Procfs::mounted()?;
    if needs_maps {
        namespaces::write_maps(&plan.namespaces, &proc, pid)?;
    }
    crate::workload::set_oom_score(&plan.workload, &proc, pid)
}

/// The conversation with init.
struct Parent<'a> {
    plan: &'a Plan,
    record: &'a Record,
    channel: &'a ParentEnd,
    child: &'a Child,
    receivers: &'a Receivers<'a>,
    /// The outer side of the terminal, where it is ours.
    terminal: Option<OwnedFd>,
    /// Whether the devices are restricted already.
    restricted: bool,
    /// The interfaces that go back unless the container comes to be.
    moved: Option<namespaces::Moved>,
}

impl<'a> Parent<'a> {
    fn new(
        (plan, record): (&'a Plan, &'a Record),
        (channel, child): (&'a ParentEnd, &'a Child),
        receivers: &'a Receivers<'a>,
    ) -> Parent<'a> {
        let (terminal, restricted, moved) = (None, false, None);
        Parent { plan, record, channel, child, receivers, terminal, restricted, moved }
    }

    /// The last answer. Nothing is to be heard after it, so that a dead init shows here.
    fn let_go(&self) -> Result<()> {
        match self.channel.send(&ToInit::Proceed) {
            Err(error) if error.is(libc::EPIPE) || error.is(libc::ECONNRESET) => {
                Err(self.obituary())
            }
            other => other,
        }
    }

    fn converse(&mut self, protocol: &mut Protocol) -> Result<()> {
        while !protocol.is_over() {
            let waiting = trace::phase("wait for init");
            let Some((message, mut fds)) = self.channel.receive()? else {
                return Err(self.obituary());
            };
            drop(waiting);
            match protocol.accept(&message)? {
                Expected::Mounted => {
                    self.restrict_devices()?;
                    run_hooks(self.plan, self.record, self.child.pid)?;
                    self.channel.proceed(&[])?;
                }
                Expected::Network => {
                    let namespace =
                        fds.pop().ok_or_else(|| Error::internal("init sent no namespace"))?;
                    let moved = namespaces::move_devices(&self.plan.namespaces, namespace)?;
                    self.moved = Some(moved);
                    self.channel.proceed(&[])?;
                }
                Expected::Source | Expected::Idmap => {
                    help::answer(self.plan, &message, &fds, (self.channel, self.child.pid))?;
                }
                Expected::Console => self.terminal = self.receivers.give_terminal(fds.pop())?,
                Expected::Listener => {
                    self.restrict_devices()?;
                    self.give_listener(&message)?;
                    self.channel.proceed(&[])?;
                }
                Expected::Ready => {
                    self.restrict_devices()?;
                    cgroups::enter_delegated(&self.plan.cgroup, self.child.pid)
                        .context(|| "move init into its cgroup")?;
                }
                Expected::Phases => message.note_phases(),
                Expected::Cloned | Expected::Executing => {}
            }
        }
        Ok(())
    }

    /// The seccomp agent gets the listener that init makes just now. Where init dies over it, what
    /// it said last is what the caller of this hears next.
    fn give_listener(&self, message: &ToParent) -> Result<()> {
        let (Some(agent), ToParent::Listener { number }) =
            (listener::of(&self.plan.security), message)
        else {
            return Ok(());
        };
        let pid = self.child.pid;
        let state = self.record.container_process_state("creating", (pid, pid), &agent.metadata);
        listener::hand_over(agent, (self.child.pidfd()?, *number), &state)
    }

    /// At the first moment at which init has made all its mounts and waits for an answer.
    fn restrict_devices(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.restricted, true) {
            return Ok(());
        }
        let _phase = trace::phase("restrict devices");
        cgroups::restrict_devices(&self.plan.cgroup)
    }

    /// Init is gone without a word.
    fn obituary(&self) -> Error {
        let ended = self.child.pidfd().and_then(sys::process::wait_for);
        let text = match ended {
            Ok(ended) => format!("the container's first process {ended} while it was set up"),
            Err(_) => "the container's first process vanished while it was set up".to_owned(),
        };
        let error = Error::message(Failure::System, text);
        match ended {
            Ok(sys::process::Ended::Killed(libc::SIGKILL)) => error.hinted(
                "somebody killed it, or its memory limit is too small for the set-up itself",
            ),
            _ => error,
        }
    }
}
