//! Intel RDT (`linux.intelRdt`, config-linux.md "IntelRdt"): the container's share of caches and
//! memory bandwidth, by way of the kernel's resctrl file system.
//!
//! [`Plan`] decides which directories there are to be; [`apply`] makes them and puts a process in;
//! [`Record`] names those that are ours, for `delete`.

mod group;
mod plan;

pub use group::{Before, Made, apply, intended, join};
pub use plan::{Plan, Record, changed};
