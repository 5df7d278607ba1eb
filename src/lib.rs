//! rrun.

pub mod error;
pub mod host;
pub mod rootfs;
pub mod spec;
pub mod sys;
