//! Loading a filter: the last moment at which it can be refused.

use std::os::fd::OwnedFd;

use super::plan::Plan;
use crate::error::{Context, Error, Result};
use crate::sys;

/// Puts the filter into force for this process and all that come from it. The listener comes back
/// where the filter has one.
///
/// # Errors
/// As seccomp(2), with what may be done about it.
pub fn load(plan: &Plan) -> Result<Option<OwnedFd>> {
    let loaded = sys::seccomp::load_filter(&plan.program, plan.flags);
    loaded.map_err(explained).context(|| "load the seccomp filter")
}

/// Whether this machine's kernel knows a flag of the load (`SECCOMP_FILTER_FLAG_*`).
pub fn is_flag_supported(flag: u32) -> bool {
    sys::seccomp::knows_flag(flag)
}

fn explained(error: Error) -> Error {
    let hint = match error.errno() {
        Some(libc::EACCES) => {
            "without /process/noNewPrivileges only CAP_SYS_ADMIN may load a filter"
        }
        Some(libc::EINVAL) => {
            "the kernel may be older than an action or a flag of /linux/seccomp, or its \
             configuration may lack CONFIG_SECCOMP_FILTER"
        }
        Some(libc::EBUSY) => {
            "rrun itself runs under a filter with a listener: there can be one only"
        }
        _ => return error,
    };
    error.hinted(hint)
}
