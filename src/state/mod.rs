//! Where containers are remembered between verbs: one directory a container, below the root
//! directory (`--root`, /run/rrun).
//!
//! | file           | what                                                                    |
//! |----------------|-------------------------------------------------------------------------|
//! | `state.json`   | the record that start, state, kill and delete read: small               |
//! | `process.json` | what only exec, update and checkpoint read                              |
//! | `lock`         | verb and pid of whoever changed the container last, or is changing it   |
//! | `gate`         | the socket at which a created container waits for `start`               |
//!
//! Whoever changes a container holds the flock(2) of its directory. The directory appears under its name only when it is locked and has its first record, and each
//! file appears by rename, so nobody ever sees a half. The store does not know what a record is:
//! it is generic.

mod identity;
mod lock;
mod remove;
mod status;
mod store;

pub use identity::Identity;
pub use lock::Lock;
pub use status::{Phase, Seen, Status, Verb, check_id};
pub use store::{Entry, Reservation, Store};
