//! Applying the capability sets (capabilities(7)).

use super::plan::Plan;
use crate::error::{Context, Result};
use crate::sys;

/// Drops from the bounding set what the container does not keep. It takes CAP_SETPCAP, so it comes
/// before the other sets, and before the user changes. `last` is the kernel's highest number:
/// capabilities younger than rrun go too.
///
/// # Errors
/// EPERM without CAP_SETPCAP.
pub fn drop_bounding_set(plan: &Plan, last: u32) -> Result<()> {
    for number in (0..=last).filter(|number| plan.capabilities.bounding >> number & 1 == 0) {
        sys::cred::drop_bounding(number).context(|| "drop capabilities from the bounding set")?;
    }
    // What is permitted outlives the change to another user, until capset decides.
    sys::cred::keep_capabilities(true)
}

/// Sets effective, permitted and inheritable, then ambient, which must be within the last two.
///
/// # Errors
/// EPERM for what rrun itself does not have.
pub fn set_capabilities(plan: &Plan) -> Result<()> {
    let sets = &plan.capabilities;
    sys::cred::capset(sets.effective, sets.permitted, sets.inheritable)
        .context(|| "set the capabilities")?;
    sys::cred::keep_capabilities(false)?;
    sys::cred::clear_ambient()?;
    for number in (0..64).filter(|number| sets.ambient >> number & 1 == 1) {
        sys::cred::raise_ambient(number).context(|| "set the ambient capabilities")?;
    }
    Ok(())
}
