//! The program that the user asked for, the `process` object of config.json: who it runs as, with
//! which arguments, environment, limits and descriptors, and where it is found.

mod change;
mod exec;
mod plan;
mod stdio;

use std::os::fd::AsFd;

use crate::error::{Context, Result};
use crate::sys;
use crate::sys::procfs::Procfs;

pub use change::Change;
pub use exec::{Executable, environment, resolve};
pub use plan::{Limit, Plan};
pub use stdio::{give_stdio_to, make_standard, replace_standard};

/// Supplementary groups, group and user, in that order: without root the first two are impossible.
///
/// # Errors
/// EINVAL for an id that the user namespace does not map, EPERM where it forbids setgroups.
pub fn become_user(plan: &Plan) -> Result<()> {
    sys::cred::setgroups(&plan.groups)
        .context(|| "set the supplementary groups")
        .hint(|| "a user namespace mapped by an ordinary user has setgroups(2) switched off")?;
    sys::cred::setresgid(plan.gid).context(|| format!("become group {}", plan.gid))?;
    sys::cred::setresuid(plan.uid).context(|| format!("become user {}", plan.uid))
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
