//! The id maps of a new user namespace (user_namespaces(7)), written by the parent.

use std::fmt::Write;
use std::os::fd::AsFd;

use super::plan::{IdMap, Plan};
use crate::error::{Context, Result};
use crate::sys::procfs::Procfs;

/// Writes the maps of the process `pid`, our child, which waits for it. `proc` is the host's /proc.
///
/// # Errors
/// EPERM where a range is not ours to give, EINVAL for more than 340 ranges.
pub fn write_maps(plan: &Plan, proc: &Procfs, pid: i32) -> Result<()> {
    // Groups first: the order does not matter to the kernel, but the child's first look is at uids.
    write_map(proc, pid, "gid_map", &plan.gid_maps)?;
    write_map(proc, pid, "uid_map", &plan.uid_maps)
}

pub(super) fn write_map(proc: &Procfs, pid: i32, name: &str, maps: &[IdMap]) -> Result<()> {
    let mut text = String::new();
    for map in maps {
        let _ = writeln!(text, "{} {} {}", map.inside, map.outside, map.count);
    }
    let file = proc.open(&format!("{pid}/{name}"), libc::O_WRONLY)?;
    crate::sys::io::write_once(file.as_fd(), text.as_bytes())
        .context(|| format!("write the {name} of the user namespace"))
        .hint(|| "the ranges have to be mapped in rrun's own user namespace, at most 340 of them")
}
