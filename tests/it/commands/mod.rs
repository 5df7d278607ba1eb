//! The verbs, told by what a caller sees of them.

mod create;
mod run;

use crate::harness::Case;

pub(crate) fn cases() -> Vec<Case> {
    [create::cases(), run::cases()].into_iter().flatten().collect()
}
