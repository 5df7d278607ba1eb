//! Processes: clone3, pidfds, namespaces, prctl, execve.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus};

use crate::error::{Error, Result};
use crate::sys::{check, named};

/// `CLONE_NEWTIME`.
pub const CLONE_NEWTIME: u64 = 0x80;
/// `CLONE_NEWNS`.
pub const CLONE_NEWNS: u64 = 0x0002_0000;
/// `CLONE_NEWCGROUP`.
pub const CLONE_NEWCGROUP: u64 = 0x0200_0000;
/// `CLONE_NEWUTS`.
pub const CLONE_NEWUTS: u64 = 0x0400_0000;
/// `CLONE_NEWIPC`.
pub const CLONE_NEWIPC: u64 = 0x0800_0000;
/// `CLONE_NEWUSER`.
pub const CLONE_NEWUSER: u64 = 0x1000_0000;
/// `CLONE_NEWPID`.
pub const CLONE_NEWPID: u64 = 0x2000_0000;
/// `CLONE_NEWNET`.
pub const CLONE_NEWNET: u64 = 0x4000_0000;
/// `CLONE_PARENT`: the caller's parent becomes the child's.
pub const CLONE_PARENT: u64 = 0x8000;

const CLONE_PIDFD: u64 = 0x1000;
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// `struct clone_args` of clone3(2), version 2 (Linux 5.7).
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Which side of a clone we are on.
#[derive(Debug)]
pub enum Cloned {
    /// The new process.
    Child,
    /// The old one: the child's pid as we see it, and a handle that cannot be reused.
    Parent {
        /// The child's pid in our pid namespace.
        pid: i32,
        /// The child's pidfd.
        pidfd: OwnedFd,
    },
}

/// clone3(2) without a new stack, as fork(2): the child goes on with a copy of everything.
/// `flags` are `CLONE_*`; `cgroup` is the cgroup v2 directory to start in (`CLONE_INTO_CGROUP`,
/// Linux 5.7).
///
/// Ordinary Rust after this is sound because rrun has one thread: no lock can be held by a thread
/// that the child does not have.
///
/// # Errors
/// ENOSYS or EPERM inside sandboxes that mask it: [`clone_legacy`] is the way then.
pub fn clone3(flags: u64, cgroup: Option<BorrowedFd<'_>>) -> Result<Cloned> {
    let mut pidfd: RawFd = -1;
    let mut args = CloneArgs {
        flags: flags | CLONE_PIDFD,
        pidfd: &raw mut pidfd as u64,
        // A child that is its parent's sibling takes over the exit signal; the kernel wants 0.
        exit_signal: if flags & CLONE_PARENT == 0 { libc::SIGCHLD as u64 } else { 0 },
        ..CloneArgs::default()
    };
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: without CLONE_VM the child gets a copy of our memory, stack included, so both sides
    // return from here like from fork(2); args and pidfd outlive the call.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<CloneArgs>()) };
    finish_clone("clone3", flags, pid, pidfd)
}

/// A plain child, as fork(2), with a pidfd.
///
/// # Errors
/// EAGAIN at a limit of processes.
pub fn fork() -> Result<Cloned> {
    match clone3(0, None) {
        Err(error) if error.is(libc::ENOSYS) || error.is(libc::EPERM) => clone_legacy(0),
        other => other,
    }
}

/// A child of our own parent, as fork(2) otherwise (`CLONE_PARENT`).
///
/// # Errors
/// EAGAIN at a limit of processes; ENOMEM in a pid namespace whose first process has ended.
pub fn sibling() -> Result<Cloned> {
    match clone3(CLONE_PARENT, None) {
        Err(error) if error.is(libc::ENOSYS) || error.is(libc::EPERM) => clone_legacy(CLONE_PARENT),
        other => other,
    }
}

/// clone(2), for sandboxes whose filter cannot look into clone3's struct and refuses it.
///
/// # Errors
/// As clone(2).
pub fn clone_legacy(flags: u64) -> Result<Cloned> {
    let mut pidfd: RawFd = -1;
    let signal = if flags & CLONE_PARENT == 0 { libc::SIGCHLD as u64 } else { 0 };
    let all = flags | CLONE_PIDFD | signal;
    // The raw argument order differs between architectures in the last two, both 0 here, and on
    // s390 in the first two (clone(2), "C library/kernel differences").
    let (first, second) = if cfg!(target_arch = "s390x") { (0, all) } else { (all, 0) };
    // SAFETY: as in clone3; a NULL stack means a copy of ours.
    let pid = unsafe { libc::syscall(libc::SYS_clone, first, second, &raw mut pidfd, 0, 0) };
    finish_clone("clone", flags, pid, pidfd)
}

fn finish_clone(call: &str, flags: u64, pid: libc::c_long, pidfd: RawFd) -> Result<Cloned> {
    match check(call, pid, || format!("{flags:#x}"))? {
        0 => Ok(Cloned::Child),
        pid => {
            // SAFETY: the kernel stored a new descriptor in pidfd before it returned to the parent.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Cloned::Parent { pid: pid as i32, pidfd })
        }
    }
}

/// Ends this process at once, without running what other code registered for exit. A forked child
/// that is not going to exec has to leave this way.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(status) }
}

/// getpid(2), as our own pid namespace sees it.
pub fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

/// pidfd_open(2) (Linux 5.3).
///
/// # Errors
/// ESRCH where no such process exists.
pub fn pidfd_open(pid: i32) -> Result<OwnedFd> {
    let operands = || pid.to_string();
    let Some(pid) = Pid::from_raw(pid) else {
        return Err(Error::call("pidfd_open", operands(), libc::EINVAL));
    };
    named(
        "pidfd_open",
        rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()),
        operands,
    )
}

/// pidfd_send_signal(2). Takes a number, since real-time signals have no names in most libraries.
///
/// # Errors
/// ESRCH where the process is gone.
pub fn pidfd_send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> Result<()> {
    // SAFETY: a NULL siginfo is allowed and means "as kill(2)".
    let result =
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, 0usize, 0) };
    check("pidfd_send_signal", result, || signal.to_string()).map(drop)
}

/// Whether the process behind a pidfd has ended (it may be a zombie still), waiting up to
/// `patience` for it.
///
/// # Errors
/// As poll(2).
pub fn has_ended(pidfd: BorrowedFd<'_>, patience: Duration) -> Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec};
    let deadline = std::time::Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        let timeout =
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let mut fds = [PollFd::from_borrowed_fd(pidfd, PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&timeout)) {
            Ok(count) => return Ok(count > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::call("poll", "pidfd", errno.raw_os_error())),
        }
    }
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this status.
    Exited(i32),
    /// This signal killed it.
    Killed(i32),
}

impl Ended {
    /// The status a shell would show: 128+n for a signal.
    pub fn code(self) -> i32 {
        match self {
            Ended::Exited(status) => status,
            Ended::Killed(signal) => 128 + signal,
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ended::Exited(status) => write!(f, "exited with status {status}"),
            Ended::Killed(signal) => write!(f, "was killed by signal {signal}"),
        }
    }
}

fn ended(status: &WaitIdStatus) -> Ended {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => Ended::Exited(status),
        (None, signal) => Ended::Killed(signal.unwrap_or(libc::SIGKILL)),
    }
}

/// waitid(2) on a pidfd: reaps our child and tells how it ended.
///
/// # Errors
/// ECHILD where it is not our child.
pub fn wait_for(pidfd: BorrowedFd<'_>) -> Result<Ended> {
    loop {
        // __WALL as well: what our stage clones (CLONE_PARENT) may have another exit signal than
        // SIGCHLD, which makes it a "clone child" that a plain wait passes over.
        let options = WaitIdOptions::EXITED | WaitIdOptions::from_bits_retain(libc::__WALL as u32);
        match rustix::process::waitid(WaitId::PidFd(pidfd), options) {
            Ok(Some(status)) => return Ok(ended(&status)),
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::call("waitid", "pidfd", errno.raw_os_error())),
        }
    }
}

/// Reaps any child that has ended, without waiting; its pid and how it ended.
pub fn reap_any() -> Option<(i32, Ended)> {
    let mut status = 0;
    // SAFETY: waitpid writes one int that outlives the call.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::__WALL) };
    if pid <= 0 {
        return None;
    }
    if libc::WIFSIGNALED(status) {
        return Some((pid, Ended::Killed(libc::WTERMSIG(status))));
    }
    Some((pid, Ended::Exited(libc::WEXITSTATUS(status))))
}

/// setns(2): enters the namespace behind `fd`, which has to be of the kind `flag` (`CLONE_NEW*`),
/// or with several flags the namespaces of the process behind a pidfd (Linux 5.8).
///
/// # Errors
/// EINVAL for a namespace of another kind.
pub fn setns(fd: BorrowedFd<'_>, flag: u64) -> Result<()> {
    // SAFETY: setns takes numbers only; we have one thread.
    let result = unsafe { libc::setns(fd.as_raw_fd(), flag as i32) };
    check("setns", result, || format!("{flag:#x}")).map(drop)
}

/// unshare(2).
///
/// # Errors
/// As unshare(2).
pub fn unshare(flags: u64) -> Result<()> {
    // SAFETY: unshare of namespaces changes no memory; we have one thread.
    let result = unsafe { libc::unshare(flags as i32) };
    check("unshare", result, || format!("{flags:#x}")).map(drop)
}

/// `NS_GET_NSTYPE` of ioctl_ns(2): the `CLONE_NEW*` flag of a held namespace, or None where the
/// descriptor is no namespace at all.
pub fn namespace_kind(fd: BorrowedFd<'_>) -> Option<u64> {
    const NS_GET_NSTYPE: libc::c_ulong = 0xb703;
    // SAFETY: this request takes no argument.
    let kind = unsafe { libc::ioctl(fd.as_raw_fd(), NS_GET_NSTYPE as _) };
    (kind >= 0).then_some(kind as u64)
}

/// setsid(2).
///
/// # Errors
/// EPERM for a process group leader.
pub fn setsid() -> Result<()> {
    named("setsid", rustix::process::setsid(), String::new).map(drop)
}

/// prctl(2) with `PR_SET_DUMPABLE`: whether others may look into us through /proc and ptrace.
///
/// # Errors
/// Never in practice.
pub fn set_dumpable(dumpable: bool) -> Result<()> {
    use rustix::process::DumpableBehavior::{Dumpable, NotDumpable};
    let behavior = if dumpable { Dumpable } else { NotDumpable };
    named("prctl", rustix::process::set_dumpable_behavior(behavior), || {
        "PR_SET_DUMPABLE".to_owned()
    })
}

/// prctl(2) with `PR_SET_CHILD_SUBREAPER`: orphaned descendants become our children.
///
/// # Errors
/// Never in practice.
pub fn set_child_subreaper() -> Result<()> {
    // SAFETY: this prctl takes numbers only.
    let result = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
    check("prctl", result, || "PR_SET_CHILD_SUBREAPER".to_owned()).map(drop)
}

/// setpgid(2): we lead a process group of our own.
///
/// # Errors
/// EPERM for the leader of a session.
pub fn lead_group() -> Result<()> {
    rustix::process::setpgid(None, None)
        .map_err(|error| Error::call("setpgid", String::new(), error.raw_os_error()))
}

/// prctl(2) with `PR_SET_PDEATHSIG`: we are killed when the thread that made us ends. Kept over
/// execve(2), unless that gives privileges.
///
/// # Errors
/// Never in practice.
pub fn die_with_parent() -> Result<()> {
    let signal = Some(rustix::process::Signal::KILL);
    rustix::process::set_parent_process_death_signal(signal)
        .map_err(|error| Error::call("prctl", "PR_SET_PDEATHSIG", error.raw_os_error()))
}

/// setrlimit(2) by number (`RLIMIT_*`).
///
/// # Errors
/// EPERM for raising a hard limit without CAP_SYS_RESOURCE.
pub fn setrlimit(resource: u32, soft: u64, hard: u64) -> Result<()> {
    let limit = libc::rlimit64 { rlim_cur: soft, rlim_max: hard };
    // SAFETY: limit outlives the call; a NULL old limit is allowed.
    let result =
        unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, &raw const limit, 0usize) };
    check("setrlimit", result, || format!("{resource}, soft {soft}, hard {hard}")).map(drop)
}

/// getrlimit(2) by number: (soft, hard).
///
/// # Errors
/// EINVAL for an unknown number.
pub fn getrlimit(resource: u32) -> Result<(u64, u64)> {
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: limit outlives the call; a NULL new limit is allowed.
    let result = unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, 0usize, &raw mut limit) };
    check("getrlimit", result, || resource.to_string())?;
    Ok((limit.rlim_cur, limit.rlim_max))
}

/// sethostname(2).
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN over the UTS namespace.
pub fn sethostname(name: &str) -> Result<()> {
    named("sethostname", rustix::system::sethostname(name.as_bytes()), || format!("`{name}`"))
}

/// setdomainname(2).
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN over the UTS namespace.
pub fn setdomainname(name: &str) -> Result<()> {
    named("setdomainname", rustix::system::setdomainname(name.as_bytes()), || format!("`{name}`"))
}
