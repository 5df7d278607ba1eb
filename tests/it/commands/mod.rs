//! The verbs, told by what a caller sees of them.

mod create;
mod features;
mod run;
mod seccomp;

use crate::harness::Case;

pub(crate) fn cases() -> Vec<Case> {
    [create::cases(), features::cases(), run::cases(), seccomp::cases()]
        .into_iter()
        .flatten()
        .collect()
}
