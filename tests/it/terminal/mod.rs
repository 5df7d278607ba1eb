//! Terminals: made inside the container, held outside of it.

mod handover;
mod pty;
mod relay;

use crate::harness::Case;

pub(crate) fn cases() -> Vec<Case> {
    [handover::cases(), pty::cases(), relay::cases()].into_iter().flatten().collect()
}
