//! What the program may do: capabilities, no_new_privs, labels of the security modules, its session
//! keyring, the filter of its system calls.

mod capabilities;
mod labels;
mod plan;
pub mod seccomp;

use crate::error::{Context, Result};
use crate::sys;

pub use capabilities::{drop_bounding_set, set_capabilities};
pub use labels::{arm_labels, label_keys};
pub use plan::{CapabilitySets, Facts, Plan, capability_names};

/// Permission of a key's owner to find it by search (keyrings(7)).
const KEY_USR_SEARCH: u32 = 0x0008_0000;

/// A session keyring of the container's own: it must not see the keys of whoever called rrun
/// (session-keyring(7)). Its user may search it, as with runc.
///
/// # Errors
/// EDQUOT where the user has too many keys. A kernel without keyrings is fine.
pub fn join_session_keyring(plan: &Plan, id: &str) -> Result<()> {
    if !plan.new_keyring {
        return Ok(());
    }
    match sys::cred::join_session_keyring(&format!("_ses.{id}")) {
        Err(error) if error.is(libc::ENOSYS) => Ok(()),
        Err(error) => Err(error)
            .context(|| "join a new session keyring")
            .hint(|| "/proc/sys/kernel/keys/maxkeys is the limit; --no-new-keyring goes without"),
        Ok(serial) => sys::cred::add_key_permissions(serial, KEY_USR_SEARCH)
            .context(|| "open the session keyring for search"),
    }
}

/// The session keyring of a container that exists, for one more process of it. Keyrings have names in
/// their user namespace, so this one has to be joined already.
///
/// # Errors
/// As keyctl(2). A kernel without keyrings is fine.
pub fn share_session_keyring(plan: &Plan, id: &str) -> Result<()> {
    if !plan.new_keyring {
        return Ok(());
    }
    match sys::cred::join_session_keyring(&format!("_ses.{id}")) {
        Err(error) if error.is(libc::ENOSYS) => Ok(()),
        other => other.map(drop).context(|| "join the container's session keyring"),
    }
}

/// no_new_privs (prctl(2)): execve gives no privileges from then on.
///
/// # Errors
/// Never in practice.
pub fn set_no_new_privs(plan: &Plan) -> Result<()> {
    if plan.no_new_privs { sys::cred::set_no_new_privs() } else { Ok(()) }
}
