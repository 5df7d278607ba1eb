//! Labels of the security modules: what the next execve(2) and the next key get
//! (apparmor(7), selinux(8)).

use std::os::fd::AsFd;

use super::plan::Plan;
use crate::error::{Context, Result};
use crate::sys;
use crate::sys::procfs::Procfs;

fn write(proc: &Procfs, attribute: &str, text: &str) -> Result<()> {
    let file = proc.open_own(&format!("attr/{attribute}"), libc::O_WRONLY)?;
    sys::io::write_once(file.as_fd(), text.as_bytes())
}

/// The label of keys that are made from now on: the session keyring is the container's.
///
/// # Errors
/// EINVAL for a label that the policy does not know.
pub fn label_keys(plan: &Plan, proc: &Procfs) -> Result<()> {
    match &plan.selinux {
        Some(label) => write(proc, "keycreate", label)
            .context(|| format!("label the session keyring `{label}`")),
        None => Ok(()),
    }
}

/// The labels that the next execve(2) takes on. Through a procfs of our own: an image that mounts
/// something else on /proc once made this write go nowhere (CVE-2019-16884).
///
/// # Errors
/// ENOENT for a profile that is not loaded, EINVAL for a label that the policy does not know.
pub fn arm_labels(plan: &Plan, proc: &Procfs) -> Result<()> {
    if let Some(profile) = &plan.apparmor {
        let command = format!("exec {profile}");
        let armed = match write(proc, "apparmor/exec", &command) {
            // Before Linux 5.8 AppArmor has only the attribute that all modules share.
            Err(error) if error.is(libc::ENOENT) => write(proc, "exec", &command),
            other => other,
        };
        armed.context(|| format!("arm the AppArmor profile `{profile}`"))?;
    }
    match &plan.selinux {
        Some(label) => {
            write(proc, "exec", label).context(|| format!("arm the SELinux label `{label}`"))
        }
        None => Ok(()),
    }
}
