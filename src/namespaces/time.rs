//! A new time namespace (time_namespaces(7), Linux 5.6).

use std::fmt::Write;
use std::os::fd::{AsFd, OwnedFd};

use super::plan::Plan;
use crate::error::{Context, Result};
use crate::sys;
use crate::sys::procfs::Procfs;

/// Makes a time namespace, sets its offsets and enters it. clone3(2) with CLONE_NEWTIME would
/// freeze the offsets at once, so it is unshared: then only children are in it, and we follow them
/// through `time_for_children`, which saves a second fork.
///
/// `offsets` is our own `timens_offsets`, opened beforehand. The kernel judges a write to it by who
/// opened it.
///
/// # Errors
/// EINVAL where the kernel has no time namespaces, ERANGE for an offset that would make a clock
/// negative.
pub fn enter_new_time_namespace(
    plan: &Plan,
    offsets: Option<OwnedFd>,
    proc: &Procfs,
) -> Result<()> {
    sys::process::unshare(sys::process::CLONE_NEWTIME)
        .context(|| "make a new time namespace")
        .hint(|| "time namespaces need Linux 5.6 with CONFIG_TIME_NS")?;
    if let Some(file) = offsets {
        let mut text = String::new();
        for (clock, seconds, nanoseconds) in &plan.time_offsets {
            let _ = writeln!(text, "{clock} {seconds} {nanoseconds}");
        }
        sys::io::write_once(file.as_fd(), text.as_bytes())
            .context(|| "set the clock offsets of the time namespace")?;
    }
    let namespace = proc.open_own_link("ns/time_for_children", libc::O_RDONLY)?;
    sys::process::setns(namespace.as_fd(), sys::process::CLONE_NEWTIME)
        .context(|| "enter the new time namespace")
}
