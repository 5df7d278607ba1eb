//! The verbs, told by what a caller sees of them.

mod create;
mod features;
mod run;
mod sandbox;
mod seccomp;
mod spec;
#[cfg(feature = "image")]
mod unpack;

use crate::harness::Case;

pub(crate) fn cases() -> Vec<Case> {
    [
        create::cases(),
        features::cases(),
        run::cases(),
        sandbox::cases(),
        seccomp::cases(),
        spec::cases(),
        #[cfg(feature = "image")]
        unpack::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
