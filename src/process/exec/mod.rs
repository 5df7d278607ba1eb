//! `exec`: one more program in a container that exists.
//!
//! ```text
//!   parent (rrun exec)                joiner (joiner.rs, JOIN)            process (RUN)
//!     clone, into the v2 cgroup -------> joins everything, gives up
//!                                        everything
//!       <--- Console + terminal -------- (only where there is one)
//!       <--- Listener{number} ---------- (only where an agent gets one,
//!       ---- Proceed ------------------>  and no_new_privs is off)
//!                                        clones its sibling -------------->
//!       <--- Cloned{pid} + pidfd ------- exits
//!       ---- Proceed ------------------------------------------------------> session, executable
//!       <--- Listener{number}, Ready --------------------------------------- (with no_new_privs)
//!     pid file, pidfd, fifo
//!       ---- Proceed ------------------------------------------------------>
//!       <--- Executing, end-of-file ---------------------------------------- execve
//! ```
//!
//! Nothing is written that outlives a failure but the pid file, which goes with its guard. Whoever
//! finds the parent dead ends.

mod joiner;
mod steps;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use self::joiner::Joiner;
use super::channel::{self, InitEnd, ParentEnd};
use super::foreground::Foreground;
use super::launch::Child;
use super::listener;
use super::message::ToParent;
use super::parent::Receivers;
use super::pid_file::PidFile;
use super::protocol::{Expected, Protocol};
use crate::cgroups;
use crate::error::{Context, Error, Kind as Failure, Result};
use crate::namespaces;
use crate::plan::{ExecPlan, Record};
use crate::resctrl;
use crate::sys;
use crate::sys::io::{Readiness, any_readable, wait_until_ready};
use crate::sys::process::Cloned;
use crate::sys::procfs::Procfs;
use crate::terminal::{Relay, handover};
use crate::trace;
use crate::workload;

/// How often somebody is looked for at the other end of the fifo.
const INTERVAL: Duration = Duration::from_millis(2);

/// The container: what is known of it, its status, its first process.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its record.
    pub record: &'a Record,
    /// Its status, in the word of the spec.
    pub status: &'a str,
    /// Its first process.
    pub init: BorrowedFd<'a>,
}

/// Who has a say while the program is being started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watch<'a> {
    /// Signals, where rrun stays.
    pub foreground: Option<&'a Foreground>,
    /// Whoever opens this fifo for reading lets the program run.
    pub fifo: Option<&'a Path>,
}

/// A program that runs in a container.
pub struct Executed {
    /// Its pid as rrun sees it.
    pub pid: i32,
    /// Itself.
    pub process: OwnedFd,
    /// What goes through its terminal, where nobody else has got that.
    pub relay: Option<Relay>,
}

/// Runs the program that `plan` describes. On any failure nothing of it is left.
///
/// # Errors
/// The process's own sentence where it failed.
pub fn exec(
    plan: &ExecPlan,
    target: Target<'_>,
    receivers: &Receivers<'_>,
    watch: Watch<'_>,
) -> Result<Executed> {
    let proc = Procfs::mounted()?;
    let pid = target.record.pid();
    let placement = cgroups::prepare_joining(&target.record.cgroup, &plan.cgroup)?;
    let foreign = namespaces::Foreign::of(&proc, pid)?;
    let root = if plan.changed_root {
        let flags = libc::O_PATH | libc::O_DIRECTORY;
        Some(proc.open_link(&format!("{pid}/root"), flags).context(|| "find the root")?)
    } else {
        None
    };
    // Asked last: as long as it lives, what was found under its number was its own.
    if sys::process::has_ended(target.init, Duration::ZERO)? {
        return Err(Error::message(Failure::State, "container not running"));
    }
    let mut protocol = Protocol::new(conversation(plan));
    let (channel, joiner_end) = channel::pair()?;
    let way = Way { plan, target, proc, foreign, root, placement };
    let joiner = way.clone_joiner(joiner_end, &channel)?;
    let mut parent = Parent {
        plan,
        target,
        receivers,
        watch,
        channel,
        joiner: Some(joiner),
        process: None,
        relay: None,
        pid_file: None,
        may_run: false,
    };
    parent.converse(&mut protocol)?;
    parent.await_execve(&mut protocol)?;
    parent.finish()
}

/// The messages that will come.
fn conversation(plan: &ExecPlan) -> impl Iterator<Item = Expected> {
    let listens = listener::of(&plan.security).is_some();
    let messages = [
        (plan.workload.terminal, Expected::Console),
        (listens && !plan.security.no_new_privs, Expected::Listener),
        (true, Expected::Cloned),
        (listens && plan.security.no_new_privs, Expected::Listener),
        (true, Expected::Ready),
        (true, Expected::Executing),
    ];
    messages.into_iter().filter_map(|(due, message)| due.then_some(message))
}

/// What the joiner needs, opened before there is one.
struct Way<'a> {
    plan: &'a ExecPlan,
    target: Target<'a>,
    proc: Procfs,
    foreign: namespaces::Foreign,
    root: Option<OwnedFd>,
    placement: cgroups::Placement,
}

impl Way<'_> {
    /// Clones the joiner. In the child this never returns.
    fn clone_joiner(mut self, end: InitEnd, channel: &ParentEnd) -> Result<Child> {
        let cloned = self.clone_into_cgroup();
        match cloned.context(|| "make a process that joins the container")? {
            Cloned::Parent { pid, pidfd } => Ok(Child::new(pid, pidfd)),
            Cloned::Child => {
                let joiner = Joiner {
                    plan: self.plan,
                    channel: end,
                    parent_end: channel,
                    target: self.target.init,
                    foreign: self.foreign,
                    root: self.root,
                    tasks: std::mem::take(&mut self.placement.tasks),
                    proc: self.proc,
                    in_cwd: false,
                    is_filtered: false,
                    executable: None,
                    environment: Vec::new(),
                };
                joiner.run()
            }
        }
    }

    fn clone_into_cgroup(&mut self) -> Result<Cloned> {
        let follows = self.plan.cgroup.is_empty();
        match self.try_clone() {
            Err(error) if follows && (error.is(libc::EBUSY) || error.is(libc::EOPNOTSUPP)) => {
                self.follow_first_process()?;
                self.try_clone().map_err(cgroups::refused_process)
            }
            Err(error) if error.is(libc::ENOSYS) || error.is(libc::EPERM) => {
                log::debug!("{error}; trying clone(2)");
                if follows && self.placement.has_children_with_controllers() {
                    self.follow_first_process()?;
                }
                self.placement.without_clone3()?;
                sys::process::clone_legacy(0)
            }
            other => other.map_err(cgroups::refused_process),
        }
    }

    fn try_clone(&self) -> Result<Cloned> {
        sys::process::clone3(0, self.placement.at_clone.as_ref().map(AsFd::as_fd))
    }

    fn follow_first_process(&mut self) -> Result<()> {
        let Target { record, .. } = self.target;
        let proc = &self.proc;
        cgroups::follow_first_process(&record.cgroup, proc, record.pid(), &mut self.placement)
    }
}

/// The parent's side of the conversation. Dropping it ends what is not finished.
struct Parent<'a> {
    plan: &'a ExecPlan,
    target: Target<'a>,
    receivers: &'a Receivers<'a>,
    watch: Watch<'a>,
    channel: ParentEnd,
    joiner: Option<Child>,
    process: Option<Child>,
    relay: Option<Relay>,
    pid_file: Option<PidFile<'a>>,
    /// Whether it has been let go.
    may_run: bool,
}

impl Parent<'_> {
    fn converse(&mut self, protocol: &mut Protocol) -> Result<()> {
        while !protocol.is_over() {
            let Some((message, mut fds)) = self.hear()? else { return Err(self.obituary()) };
            match protocol.accept(&message)? {
                Expected::Console => self.take_terminal(fds.pop())?,
                Expected::Listener => {
                    self.give_listener(&message)?;
                    self.channel.proceed(&[])?;
                }
                Expected::Cloned => {
                    self.meet(&message, fds.pop())?;
                    self.channel.proceed(&[])?;
                }
                Expected::Ready => {
                    self.announce()?;
                    self.may_run = true;
                    self.channel.proceed(&[])?;
                }
                Expected::Phases => message.note_phases(),
                // The others are init's.
                _ => {}
            }
        }
        Ok(())
    }

    /// The next message; a signal that would end rrun ends the attempt.
    fn hear(&self) -> Result<Option<(ToParent, Vec<OwnedFd>)>> {
        let Some(joiner) = &self.joiner else {
            self.await_readable(self.channel.as_fd())?;
            return self.channel.receive();
        };
        // A joiner that is killed after it has made the process takes the word about it along, and
        // the process keeps the channel open: both would wait for ever.
        let either = any_readable(&[self.channel.as_fd(), joiner.pidfd()?])?;
        self.await_readable(either.as_fd())?;
        let told = [self.channel.as_fd()];
        let told = wait_until_ready(&told, &[Readiness::read(true)], Some(Duration::ZERO))?;
        if told[0].read { self.channel.receive() } else { Err(self.obituary()) }
    }

    fn await_readable(&self, fd: BorrowedFd<'_>) -> Result<()> {
        match self.watch.foreground {
            Some(foreground) => foreground.until_readable(fd, self.may_run),
            None => wait_until_ready(&[fd], &[Readiness::read(true)], None).map(drop),
        }
    }

    fn take_terminal(&mut self, master: Option<OwnedFd>) -> Result<()> {
        let Some(master) = self.receivers.give_terminal(master)? else { return Ok(()) };
        // Before the program runs, which may ask for the size or print at once.
        self.relay = Some(Relay::begin(master).context(|| "use the program's terminal")?);
        Ok(())
    }

    fn give_listener(&self, message: &ToParent) -> Result<()> {
        let (Some(agent), ToParent::Listener { number }) =
            (listener::of(&self.plan.security), message)
        else {
            return Ok(());
        };
        let Some(from) = self.process.as_ref().or(self.joiner.as_ref()) else { return Ok(()) };
        let Target { record, status, .. } = self.target;
        let state =
            record.container_process_state(status, (from.pid, record.pid()), &agent.metadata);
        listener::hand_over(agent, (from.pidfd()?, *number), &state)
    }

    /// The joiner has done its part: the process is there.
    fn meet(&mut self, message: &ToParent, pidfd: Option<OwnedFd>) -> Result<()> {
        let (ToParent::Cloned { pid, .. }, Some(pidfd)) = (message, pidfd) else {
            return Err(Error::internal("the joiner sent no pidfd"));
        };
        self.process = Some(Child::new(*pid, pidfd));
        if let Some(joiner) = self.joiner.take() {
            let _ = sys::process::wait_for(joiner.release()?.as_fd());
        }
        Ok(())
    }

    /// All who are to know of the process before it runs.
    fn announce(&mut self) -> Result<()> {
        let process = self.process()?;
        resctrl::join(&self.plan.resctrl, process.pid).context(|| "/linux/intelRdt")?;
        // It makes no more children of ours, which a deadline would forbid.
        workload::set_scheduler(&self.plan.workload.share, process.pid)?;
        if let Some(path) = self.receivers.pid_file {
            self.pid_file = Some(PidFile::write(path, process.pid)?);
        }
        let process = self.process()?;
        if let Some(socket) = &self.receivers.pidfd {
            handover::send(socket.as_fd(), "pidfd", process.pidfd()?)
                .context(|| "send the pidfd to its receiver")?;
        }
        match self.watch.fifo {
            Some(fifo) => self.await_reader(fifo).context(|| "--exec-wait-fifo"),
            None => Ok(()),
        }
    }

    fn await_reader(&self, path: &Path) -> Result<()> {
        let fifo = sys::file::open(path, libc::O_PATH)?;
        let stat = sys::file::fstat(fifo.as_fd())?;
        if sys::file::file_type(&stat) != sys::file::FileType::Fifo {
            let text = format!("`{}` is no fifo", path.display());
            return Err(Error::message(Failure::Usage, text));
        }
        let held = sys::file::proc_path(fifo.as_fd());
        loop {
            match sys::file::open(&held, libc::O_WRONLY | libc::O_NONBLOCK) {
                // Nobody reads.
                Err(error) if error.is(libc::ENXIO) => {}
                other => return other.map(drop),
            }
            if sys::process::has_ended(self.process()?.pidfd()?, INTERVAL)? {
                return Err(self.obituary());
            }
            if let Some(foreground) = self.watch.foreground {
                foreground.check()?;
            }
        }
    }

    /// The end of the channel is execve, which has closed it.
    fn await_execve(&mut self, protocol: &mut Protocol) -> Result<()> {
        let _phase = trace::phase_in("process", trace::LAST_PHASE);
        match self.hear()? {
            None => Ok(()),
            Some((message, _)) => protocol.accept(&message).map(drop),
        }
    }

    fn finish(mut self) -> Result<Executed> {
        let Some(process) = self.process.take() else {
            return Err(Error::internal("no process was made"));
        };
        if let Some(pid_file) = self.pid_file.take() {
            pid_file.keep();
        }
        Ok(Executed { pid: process.pid, process: process.release()?, relay: self.relay.take() })
    }

    fn process(&self) -> Result<&Child> {
        self.process.as_ref().ok_or_else(|| Error::internal("no process was made"))
    }

    /// Whoever was at work is gone without a word.
    fn obituary(&self) -> Error {
        let child = self.process.as_ref().or(self.joiner.as_ref());
        let ended = child.and_then(|child| child.pidfd().and_then(sys::process::wait_for).ok());
        let text = match ended {
            Some(ended) => format!("the process {ended} before it became the program"),
            None => "the process vanished before it became the program".to_owned(),
        };
        Error::message(Failure::System, text).hinted(
            "somebody killed it, the container ended, its memory limit is too small, or its seccomp \
             profile kills for a call of the set-up",
        )
    }
}
