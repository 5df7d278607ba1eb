//! rrun's own processes: what they protect, and what becomes of a container when one of them dies.

mod channel;
mod checkpoint;
mod exec;
mod foreground;
mod gate;
mod init;
mod notify;
mod parent;
mod restore;
mod seal;

use crate::harness::Case;

pub(crate) fn cases() -> Vec<Case> {
    [
        exec::cases(),
        foreground::cases(),
        gate::cases(),
        init::cases(),
        notify::cases(),
        channel::cases(),
        checkpoint::cases(),
        parent::cases(),
        restore::cases(),
        seal::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
