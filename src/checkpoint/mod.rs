//! Checkpoint and restore with CRIU (criu(8)): the processes of a container, written to images and
//! made anew from them.
//!
//! criu does the work. [`Criu`] is `criu swrk`, a child that serves one [`Request`] over a pair of
//! sockets and tells of moments on the way ([`Notification`]), at which rrun places the restored
//! processes, runs hooks or takes over a terminal. What criu says of a failure it writes to a log
//! only, whose last errors become the message.

mod log;
mod request;
mod swrk;
mod wire;

pub use log::{begin, note};
pub use request::{
    CGROUP_MODES, EMPTY_NAMESPACES, NETWORK_LOCKS, Notification, Options, Request, Task,
};
pub use swrk::{Criu, Start, find};
