//! The program that the user asked for, the `process` object of config.json: who it runs as, with
//! which arguments, environment, limits and descriptors, and where it is found.

mod change;
mod exec;
mod plan;
mod share;
mod stdio;

use std::os::fd::AsFd;

use crate::error::{Context, Result};
use crate::sys;
use crate::sys::procfs::Procfs;

pub use change::Change;
pub use exec::{Executable, environment, resolve};
pub use plan::{Limit, Plan};
pub use share::{
    BitSet, Domain, IO_CLASSES, MEMORY_FLAGS, MEMORY_MODES, PERSONALITIES, POLICIES,
    SCHEDULER_FLAGS, Scheduler, Share,
};
pub use stdio::{give_stdio_to, make_standard, replace_standard};

/// Supplementary groups, group and user, in that order: without root the first two are impossible.
///
/// # Errors
/// EINVAL for an id that the user namespace does not map, EPERM where it forbids setgroups.
pub fn become_user(plan: &Plan) -> Result<()> {
    set_groups(plan)?;
    sys::cred::setresgid(plan.gid).context(|| format!("become group {}", plan.gid))?;
    sys::cred::setresuid(plan.uid).context(|| format!("become user {}", plan.uid))
}

fn set_groups(plan: &Plan) -> Result<()> {
    /// `CAP_SETGID`.
    const SETGID: u64 = 1 << 6;
    if plan.keep_groups {
        return Ok(());
    }
    match sys::cred::setgroups(&plan.groups) {
        // Refused in spite of the capability: the user namespace has setgroups(2) switched off, and
        // nobody in it can change the groups that came along, which the kernel counts as unmapped.
        Err(error)
            if error.is(libc::EPERM)
                && plan.groups.is_empty()
                && sys::cred::effective_capabilities()? & SETGID != 0 =>
        {
            Ok(())
        }
        other => other
            .context(|| "set the supplementary groups")
            .hint(|| "a user namespace mapped by an ordinary user has setgroups(2) switched off"),
    }
}

/// The limits whose hard limit goes up. That takes CAP_SYS_RESOURCE, so it is done while we may;
/// the soft limit stays as it is until the end.
///
/// # Errors
/// EPERM without that capability.
pub fn raise_limits(plan: &Plan) -> Result<()> {
    for limit in &plan.rlimits {
        let (soft, hard) = sys::process::getrlimit(limit.resource)?;
        if limit.hard > hard {
            sys::process::setrlimit(limit.resource, soft, limit.hard)
                .context(|| format!("raise {} to {}", limit.name, limit.hard))
                .hint(|| "raising a hard limit takes CAP_SYS_RESOURCE")?;
        }
    }
    Ok(())
}

/// All limits, last of all: one on memory or files must not starve what comes before it.
///
/// # Errors
/// As setrlimit(2).
pub fn set_limits(plan: &Plan) -> Result<()> {
    for limit in &plan.rlimits {
        sys::process::setrlimit(limit.resource, limit.soft, limit.hard)
            .context(|| format!("set {}", limit.name))?;
    }
    Ok(())
}

/// The score by which the out-of-memory killer chooses (proc_pid_oom_score_adj(5)), written by the
/// parent for the child `pid`: an undumpable process in a user namespace cannot open its own.
///
/// # Errors
/// EACCES for lowering it without CAP_SYS_RESOURCE.
pub fn set_oom_score(plan: &Plan, proc: &Procfs, pid: i32) -> Result<()> {
    let Some(score) = plan.oom_score_adj else { return Ok(()) };
    proc.open(&format!("{pid}/oom_score_adj"), libc::O_WRONLY)
        .and_then(|file| sys::io::write_once(file.as_fd(), score.to_string().as_bytes()))
        .context(|| format!("set the oom score adjustment to {score}"))
        .hint(|| "lowering it takes CAP_SYS_RESOURCE")
}

/// The working directory, verified to be inside the root afterwards: a `cwd` of
/// `/proc/self/fd/N` once led out of it (CVE-2024-21626).
///
/// # Errors
/// ENOENT, EACCES, ENOTDIR as chdir(2).
pub fn enter_cwd(plan: &Plan) -> Result<()> {
    let intent = || format!("enter the working directory `{}`", plan.cwd.display());
    sys::file::chdir(&plan.cwd).context(intent)?;
    let cwd = sys::file::getcwd().context(intent)?;
    if !cwd.is_absolute() {
        // The kernel writes "(unreachable)" before the path of a directory outside the root.
        return Err(crate::error::Error::config("/process/cwd", "is outside the root"))
            .context(intent);
    }
    Ok(())
}

/// As what sort of Linux the kernel presents itself (personality(2)), and from which nodes memory
/// comes (set_mempolicy(2)). Both are inherited by everything that the program starts.
///
/// # Errors
/// EINVAL for nodes that are not there, ENOSYS where the kernel knows no nodes.
pub fn enter_domain(domain: &Domain) -> Result<()> {
    if let Some(persona) = domain.personality {
        sys::sched::personality(persona).context(|| "/linux/personality")?;
    }
    if let Some((mode, nodes)) = &domain.memory_policy {
        sys::sched::set_mempolicy(*mode, &nodes.0)
            .context(|| "/linux/memoryPolicy")
            .hint(|| "the nodes of this machine are in /sys/devices/system/node/online")?;
    }
    Ok(())
}

/// The I/O priority (ioprio_set(2)).
///
/// # Errors
/// EPERM for the real-time class without CAP_SYS_ADMIN or CAP_SYS_NICE.
pub fn set_io_priority(share: &Share) -> Result<()> {
    let Some((class, level)) = share.io_priority else { return Ok(()) };
    sys::sched::ioprio_set(class, level)
        .context(|| "/process/ioPriority")
        .hint(|| "IOPRIO_CLASS_RT takes CAP_SYS_NICE or CAP_SYS_ADMIN")
}

/// The scheduling policy (sched(7)), while CAP_SYS_NICE is there: of the process `pid`, or our own (0).
///
/// # Errors
/// EPERM, EBUSY, EINVAL as sched_setattr(2), each with the rule that may be behind it.
pub fn set_scheduler(share: &Share, pid: i32) -> Result<()> {
    /// `SCHED_CAPACITY_SCALE`: the utilisation that clamps nothing.
    const WHOLE: u32 = 1024;
    let Some(wanted) = &share.scheduler else { return Ok(()) };
    let mut attr = sys::sched::SchedAttr::default();
    (attr.policy, attr.flags, attr.nice) = (wanted.policy, wanted.flags, wanted.nice);
    (attr.priority, attr.runtime) = (wanted.priority, wanted.runtime);
    (attr.deadline, attr.period) = (wanted.deadline, wanted.period);
    attr.util_max = WHOLE;
    sys::sched::sched_setattr(pid, &attr).context(|| "/process/scheduler").map_err(|error| {
        match error.errno() {
            Some(libc::EPERM) => error.hinted(
                "it takes CAP_SYS_NICE; SCHED_DEADLINE takes all processors of the machine in the \
                 affinity and cpuset; and under CONFIG_RT_GROUP_SCHED the cpu cgroup needs a \
                 real-time budget (linux.resources.cpu.realtimeRuntime)",
            ),
            Some(libc::EBUSY) => {
                error.hinted("the processors have no such runtime left to promise")
            }
            Some(libc::EINVAL) => error.hinted(
                "the kernel has no such policy (SCHED_ISO never came to be), or deadline or period \
                 are outside /proc/sys/kernel/sched_deadline_period_{min,max}_us",
            ),
            _ => error,
        }
    })
}

/// The processors of this process (sched_setaffinity(2)); no set leaves them.
///
/// # Errors
/// EINVAL where none of them is there, or none is in the cpuset.
pub fn set_affinity(cpus: Option<&BitSet>, member: &str) -> Result<()> {
    let Some(cpus) = cpus else { return Ok(()) };
    sys::sched::sched_setaffinity(&cpus.0)
        .context(|| format!("/process/execCPUAffinity/{member}"))
        .hint(|| "none of them is online and in the cpuset")
}
