//! rrun.

pub mod error;
pub mod hooks;
pub mod host;
pub mod namespaces;
pub mod security;
pub mod rootfs;
pub mod spec;
pub mod state;
pub mod sys;
pub mod workload;
