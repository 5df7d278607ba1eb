//! The root file system: attacks through what an image contains, and roots made of layers.

mod devices;
mod outside;
mod pivot;
mod plan;
mod protect;
mod target;
mod union;

use crate::harness::Case;

pub(crate) fn cases() -> Vec<Case> {
    [
        devices::cases(),
        outside::cases(),
        pivot::cases(),
        plan::cases(),
        protect::cases(),
        target::cases(),
        union::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
