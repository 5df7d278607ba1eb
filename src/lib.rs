//! rrun.

pub mod error;
pub mod host;
pub mod spec;
pub mod sys;
