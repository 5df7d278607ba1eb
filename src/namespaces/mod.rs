//! Namespaces (namespaces(7)): which to make, which to join, in what order, and what is set inside
//! them: id maps, clock offsets, names, kernel parameters, the loopback interface.
//!
//! [`Plan`] says what config.json asks for; [`strategy()`] decides, without touching anything, who
//! joins or makes which namespace when; the other files are the calls.

mod foreign;
mod holder;
mod idmap;
mod join;
mod netdev;
mod plan;
mod strategy;
mod sysctl;
mod time;

use crate::error::{Context, Result};
use crate::sys;

pub use foreign::Foreign;
pub use holder::user_namespace;
pub use idmap::write_maps;
pub use join::{Handles, flag, flags, unshare};
pub use netdev::{Moved, move_devices};
pub use plan::{IdMap, Kind, NetDevice, Plan, Source};
pub use strategy::{CgroupNamespace, Strategy, strategy};
pub use sysctl::write_sysctls;
pub use time::enter_new_time_namespace;

/// Sets the names of the UTS namespace that we are in (sethostname(2), setdomainname(2)).
///
/// # Errors
/// EPERM where the namespace belongs to another user namespace.
pub fn set_names(plan: &Plan) -> Result<()> {
    if let Some(name) = &plan.hostname {
        sys::process::sethostname(name).context(|| format!("set the host name `{name}`"))?;
    }
    if let Some(name) = &plan.domainname {
        sys::process::setdomainname(name).context(|| format!("set the domain name `{name}`"))?;
    }
    Ok(())
}

/// Brings up `lo` where the network namespace is new: programs expect 127.0.0.1 to work.
///
/// # Errors
/// As netdevice(7) answers.
pub fn bring_up_loopback(plan: &Plan) -> Result<()> {
    match plan.source(Kind::Network) {
        Source::New => sys::net::interface_up("lo").context(|| "bring up the loopback interface"),
        _ => Ok(()),
    }
}
