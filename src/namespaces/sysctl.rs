//! Kernel parameters of the container's namespaces (`linux.sysctl`, proc_sys(5)).

use std::os::fd::AsFd;

use super::plan::{Plan, Sysctl};
use crate::error::{Context, Result};
use crate::sys;
use crate::sys::procfs::Procfs;

/// Writes every parameter through `proc`, a procfs of our own: the image's may be a fake
/// (CVE-2025-52881).
///
/// # Errors
/// ENOENT for a parameter that this kernel does not have, EINVAL for a value that it refuses.
pub fn write_sysctls(plan: &Plan, proc: &Procfs) -> Result<()> {
    for Sysctl { path, value, .. } in &plan.sysctls {
        let name = path.to_string_lossy();
        proc.open(&format!("sys/{name}"), libc::O_WRONLY)
            .and_then(|file| sys::io::write_once(file.as_fd(), value.as_bytes()))
            .context(|| format!("set the sysctl `{name}` to `{value}`"))?;
    }
    Ok(())
}
