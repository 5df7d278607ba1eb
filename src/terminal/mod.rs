//! The terminal of a container: a pair of pseudo terminals, of which the program gets one side as its
//! standard descriptors and `/dev/console`, and somebody outside the other.
//!
//! [`Pty`] makes the pair, inside the container, from its own devpts. The outer side goes to the
//! listener of `--console-socket` ([`handover`]), or [`Relay`] moves bytes between it and rrun's own
//! standard descriptors.

pub mod handover;
mod pty;
mod relay;

pub use pty::{Pty, Size};
pub use relay::Relay;
