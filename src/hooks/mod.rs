//! Hooks: commands that run at moments of a container's life (config.md, POSIX-platform hooks).
//!
//! The moments are `process`'s and `commands`' business; here is what a hook is and how one runs:
//! the container's state on stdin, a time-out, and its last words in the error when it fails.

mod plan;
mod run;

pub use plan::{Hook, MOMENTS, Plan, Record};
pub use run::run;
