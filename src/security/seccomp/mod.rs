//! The system call filter: a profile becomes a program (pure, before the fork), the program is
//! loaded by the process that it is for.
//!
//! `architecture` knows the numbers, `action` the words, `profile` reads, `rules` merges, `filter`
//! makes a tree of it, `bpf` writes instructions.

mod action;
mod architecture;
mod bpf;
mod filter;
mod listing;
mod load;
mod plan;
mod profile;
mod rules;
mod syscalls;

pub use action::{ACTIONS, Action, FLAGS, OPERATORS};
pub use architecture::{ARCHITECTURES, Architecture, Names};
pub use bpf::{ARGUMENTS, Instruction, interpret};
pub use filter::Filter;
pub use listing::listing;
pub use load::{is_flag_supported, load};
pub use plan::{Listener, Plan};
pub use rules::Reason;
