//! The stage: a short-lived process between parent and init, for the strategies in which somebody
//! has to be inside joined namespaces before init is cloned. Init is its sibling (CLONE_PARENT), so
//! that the parent can wait for it.

use std::os::fd::AsFd;

use super::channel::InitEnd;
use super::message::ToParent;
use crate::error::{Context, Result};
use crate::sys::process::Cloned;

/// Tells the parent what became of the clone. True in init itself, which goes on; false in the
/// stage, which has nothing more to do.
pub(super) fn report(cloned: Result<Cloned>, placed: bool, channel: &InitEnd) -> bool {
    let sent = match cloned {
        Ok(Cloned::Child) => return true,
        Ok(Cloned::Parent { pid, pidfd }) => {
            channel.send_with(&ToParent::Cloned { pid, placed }, &[pidfd.as_fd()])
        }
        Err(error) => Err(error).context(|| "go through the joined namespaces"),
    };
    if let Err(error) = sent {
        let wire = String::from_utf8_lossy(&error.to_wire()).into_owned();
        let _ = channel.send(&ToParent::Failed(wire));
    }
    false
}
