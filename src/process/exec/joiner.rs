//! The joiner and the process that it makes: what happens between the clone and execve of `exec`, as
//! two lists of named steps.
//!
//! In a container there may be somebody with the right to trace every process that he sees. So the
//! joiner goes everywhere but into the pid namespace, which takes its children only: nobody inside
//! sees it. There it gives up everything: user, capabilities, descriptors. Then it clones its own
//! sibling, and what appears in the container has nothing left to steal (CVE-2016-9962).
//!
//! That is a clone with memory of its own, though vfork(2) would be quicker: whoever traces a child
//! that shares the joiner's memory would have the joiner, which the host's pid namespace still holds.

use std::ffi::CString;
use std::os::fd::{BorrowedFd, OwnedFd};

use crate::error::{Context, Error, Result};
use crate::namespaces;
use crate::plan::ExecPlan;
use crate::process::channel::{InitEnd, ParentEnd};
use crate::process::init::{guarded, under_filter};
use crate::process::message::ToParent;
use crate::sys;
use crate::sys::procfs::Procfs;
use crate::workload;

/// What the joiner holds on its way.
pub(super) struct Joiner<'a> {
    pub(super) plan: &'a ExecPlan,
    pub(super) channel: InitEnd,
    /// The parent's end of the channel.
    pub(super) parent_end: &'a ParentEnd,
    /// The container's first process.
    pub(super) target: BorrowedFd<'a>,
    pub(super) foreign: namespaces::Foreign,
    /// The container's root, where that is not the one of its mount namespace.
    pub(super) root: Option<OwnedFd>,
    /// Held files that take us into the cgroups.
    pub(super) tasks: Vec<OwnedFd>,
    /// The host's procfs.
    pub(super) proc: Procfs,
    /// Whether the working directory could be entered already.
    pub(super) in_cwd: bool,
    /// Whether the filter is in force.
    pub(super) is_filtered: bool,
    pub(super) executable: Option<workload::Executable>,
    pub(super) environment: Vec<CString>,
}

type Step = fn(&mut Joiner<'_>) -> Result<()>;

/// The joiner: unseen from inside, since it stays in our pid namespace.
const JOIN: &[(&str, Step)] = &[
    // With the parent's end in our own hands we would wait for a dead parent for ever.
    ("leave to the parent what is its own", |joiner| joiner.leave_to_parent()),
    // Where we are not in them yet (v1): what the caller's own processors do before.
    ("processors before the cgroups", |joiner| joiner.initial_processors()),
    // First of all: what is done from here on counts for the container. Not the parent itself, which
    // may stay, and would be paused and killed with the container.
    ("join the cgroups", |joiner| joiner.join_tasks()),
    // The cgroups may have processors of their own, which changes what we can have.
    ("processors", |joiner| joiner.processors()),
    // Through the host's /proc, while we may open our own file; the program inherits it.
    ("oom score", |joiner| joiner.oom_score()),
    // While we have CAP_SYS_RESOURCE over the machine.
    ("limits that raise a hard limit", |joiner| joiner.raise_limits()),
    // Through the host's /proc, never the container's (CVE-2019-16884). They take effect at the next
    // execve, which is the program's.
    ("labels", |joiner| joiner.labels()),
    // Before we are in any namespace with foreign processes.
    ("not to be looked into", |joiner| joiner.be_undumpable()),
    // One call for all of them. Nothing of the host is named by a path from here on.
    ("join namespaces", |joiner| joiner.join_namespaces()),
    // In a mount namespace that is not the container's own, its root is one that chroot(2) made.
    ("root", |joiner| joiner.change_root()),
    // Before anything is done there, so that it is done by somebody whom the namespace knows.
    ("become root of the user namespace", |joiner| joiner.become_root()),
    // Its name means something in the user namespace only.
    ("session keyring", |joiner| joiner.keyring()),
    // From the container's own devpts.
    ("terminal", |joiner| joiner.terminal()),
    // After the last file that is opened on the container's behalf. While CAP_CHOWN is there.
    ("umask and the owner of the standard descriptors", |joiner| joiner.stdio()),
    // Inherited by the process; before seccomp, which may forbid all of them. While CAP_SYS_NICE is
    // there. The scheduler is the parent's to set: it may forbid the children that we have to make.
    ("execution domain, memory policy, I/O priority", |joiner| joiner.domain()),
    // Without no_new_privs the load needs CAP_SYS_ADMIN. What we still do, the profile has to allow.
    ("seccomp, without no_new_privs", |joiner| joiner.seccomp_while_privileged()),
    // With full privileges first: the user may run in a directory that it cannot reach by itself.
    ("working directory", |joiner| joiner.working_directory()),
    // Needs CAP_SETPCAP, which it may take away itself; while the user still is root.
    ("bounding set", |joiner| joiner.bounding_set()),
    ("groups and user", |joiner| joiner.become_user()),
    // After the user: changing it would have cleared what is effective.
    ("capability sets", |joiner| joiner.capabilities()),
    ("no_new_privs", |joiner| joiner.no_new_privs()),
    // Programs expect the defaults; rrun's caller may have ignored what it liked.
    ("signals", |joiner| joiner.signals()),
    // Nothing of the host is in our hands when we are seen.
    ("descriptors", |joiner| joiner.descriptors()),
];

/// The process in the container.
const RUN: &[(&str, Step)] = &[
    // The joiner has told the parent who we are; whatever we say comes after that.
    ("wait for the parent", |joiner| joiner.channel.wait_for_answer()),
    // No program inside shares our caller's session; its terminal is that of a session of its own.
    ("session and controlling terminal", |joiner| joiner.new_session()),
    // Where the privileged attempt was refused, or led through /proc, which shows us only now.
    ("working directory, as the user", |joiner| joiner.working_directory_as_user()),
    // As the user, in the working directory, with the rights it will have: what is found can run.
    ("executable", |joiner| joiner.executable()),
    // As late as it can be with a parent that takes the listener.
    ("seccomp with a listener", |joiner| joiner.seccomp_with_listener()),
    // Everything that can fail has been done; the parent writes the pid file and has it read.
    ("ready", |joiner| joiner.ready()),
    // A connection that just ends would look the same for a program and for somebody killed.
    ("last word", |joiner| joiner.last_word()),
    // Low limits must not starve our own steps.
    ("limits", |joiner| joiner.limits()),
    // Last of all, so that the profile need not allow what is ours.
    ("seccomp", |joiner| joiner.seccomp_at_last()),
    ("execve", |joiner| joiner.exec()),
];

impl Joiner<'_> {
    /// Walks the lists. Never returns: a failure has been told to the parent.
    pub(super) fn run(mut self) -> ! {
        let joined = guarded(|| self.walk(JOIN)).and_then(|()| self.clone_process());
        match joined {
            Ok(sys::process::Cloned::Child) => {}
            Ok(sys::process::Cloned::Parent { pid, pidfd }) => {
                let message = ToParent::Cloned { pid, placed: true };
                let fds = [std::os::fd::AsFd::as_fd(&pidfd)];
                // Without the message the process finds itself without a parent, and ends.
                let told = self.channel.send_with(&message, &fds);
                sys::process::exit_now(if told.is_ok() { 0 } else { FAILURE })
            }
            Err(error) => self.fail(&error),
        }
        match guarded(|| self.walk(RUN)) {
            Err(error) => self.fail(&error),
            // execve returns only with an error.
            Ok(()) => sys::process::exit_now(FAILURE),
        }
    }

    fn fail(&self, error: &Error) -> ! {
        let wire = String::from_utf8_lossy(&error.to_wire()).into_owned();
        let _ = self.channel.send(&ToParent::Failed(wire));
        sys::process::exit_now(FAILURE)
    }

    fn walk(&mut self, steps: &[(&str, Step)]) -> Result<()> {
        steps.iter().try_for_each(|(name, step)| {
            log::debug!("exec: {name}");
            let done = step(self);
            under_filter(self.is_filtered, done)
        })
    }

    /// A sibling of ours, in the pid namespace: rrun is the parent of both.
    fn clone_process(&self) -> Result<sys::process::Cloned> {
        let cloned = sys::process::sibling().context(|| "make a process in the container");
        let cloned = match cloned {
            Err(error) if error.is(libc::ENOMEM) => {
                Err(error.hinted("the container's first process has ended, or there is no memory"))
            }
            Err(error) if error.is(libc::EAGAIN) => {
                Err(error.hinted("the container has as many processes as its limits allow"))
            }
            other => other,
        };
        under_filter(self.is_filtered, cloned)
    }
}

/// What rrun itself would exit with.
const FAILURE: i32 = 255;
