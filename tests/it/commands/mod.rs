//! The verbs, told by what a caller sees of them.

use crate::harness::Case;

pub(crate) fn cases() -> Vec<Case> {
    [].into_iter().flat_map(|cases: Vec<Case>| cases).collect()
}
