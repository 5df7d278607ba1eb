//! What is remembered between verbs, and what becomes of it when somebody dies.

mod identity;
mod lock;
mod store;

use crate::harness::Case;

pub(crate) fn cases() -> Vec<Case> {
    [identity::cases(), lock::cases(), store::cases()].into_iter().flatten().collect()
}
