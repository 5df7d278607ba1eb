//! rrun.

pub mod cgroups;
pub mod error;
pub mod hooks;
pub mod host;
pub mod namespaces;
pub mod security;
pub mod spec;
pub mod state;
pub mod sys;
pub mod workload;
