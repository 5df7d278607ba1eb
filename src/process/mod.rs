//! rrun's own processes: the parent that creates a container, the stage that some strategies need,
//! and init, which becomes the program.
//!
//! Read [`message`](self) first (`message.rs` draws the conversation), then `init.rs`, the list of
//! steps from a fresh clone to execve. `exec/` is the shorter way into a container that exists.

mod channel;
mod checkpoint;
mod exec;
mod foreground;
pub mod gate;
mod help;
mod init;
mod launch;
mod listener;
mod message;
pub mod notify;
mod parent;
mod pid_file;
mod protocol;
mod reaper;
mod restore;
mod seal;
mod stage;
mod steps;

pub use checkpoint::{Images, dump};
pub use exec::{Executed, Target, Watch, exec};
pub use foreground::Foreground;
pub use parent::{Created, Receivers, create};
pub use restore::restore;
pub use seal::seal;
