//! rrun.

pub mod error;
pub mod host;
pub mod namespaces;
pub mod spec;
pub mod state;
pub mod sys;
