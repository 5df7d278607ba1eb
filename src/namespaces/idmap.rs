//! The id maps of a new user namespace (user_namespaces(7)), written by the parent.
//!
//! Root writes them. An ordinary user may map itself alone, and has to give up setgroups(2) for it;
//! for more there are the helpers newuidmap(1) and newgidmap(1), which ask /etc/subuid and /etc/subgid.

use std::fmt::Write;
use std::os::fd::AsFd;
use std::process::Command;

use super::plan::{IdMap, Plan};
use crate::error::{Context, Error, Kind, Result};
use crate::sys;
use crate::sys::procfs::Procfs;

/// Writes the maps of the process `pid`, our child, which waits for it. `proc` is the host's /proc.
///
/// # Errors
/// EPERM where a range is not ours to give, EINVAL for more than 340 ranges; what the helpers say.
pub fn write_maps(plan: &Plan, proc: &Procfs, pid: i32) -> Result<()> {
    let (users, groups) = (&plan.uid_maps, &plan.gid_maps);
    let (uid, gid) = (sys::cred::geteuid().as_raw(), sys::cred::getegid().as_raw());
    let alone =
        |maps: &[IdMap], own: u32| matches!(maps, [one] if one.count == 1 && one.outside == own);
    if uid == 0 {
        // Groups first: the order does not matter to the kernel, but the child's first look is at
        // uids.
        write_map(proc, pid, "gid_map", groups)?;
        return write_map(proc, pid, "uid_map", users);
    }
    if alone(groups, gid) {
        deny_setgroups(proc, pid)?;
        write_map(proc, pid, "gid_map", groups)?;
    } else {
        ask_helper("newgidmap", "/etc/subgid", pid, groups)?;
    }
    if alone(users, uid) {
        write_map(proc, pid, "uid_map", users)
    } else {
        ask_helper("newuidmap", "/etc/subuid", pid, users)
    }
}

/// Without it, a group that is refused access by its membership could be left.
fn deny_setgroups(proc: &Procfs, pid: i32) -> Result<()> {
    let file = proc.open(&format!("{pid}/setgroups"), libc::O_WRONLY)?;
    sys::io::write_once(file.as_fd(), b"deny")
        .context(|| "switch setgroups(2) off in the user namespace")
}

pub(super) fn write_map(proc: &Procfs, pid: i32, name: &str, maps: &[IdMap]) -> Result<()> {
    let mut text = String::new();
    for map in maps {
        let _ = writeln!(text, "{} {} {}", map.inside, map.outside, map.count);
    }
    let file = proc.open(&format!("{pid}/{name}"), libc::O_WRONLY)?;
    sys::io::write_once(file.as_fd(), text.as_bytes())
        .context(|| format!("write the {name} of the user namespace"))
        .hint(|| "the ranges have to be mapped in rrun's own user namespace, at most 340 of them")
}

/// Has a helper that is set-user-ID write a map.
fn ask_helper(program: &str, file: &str, pid: i32, maps: &[IdMap]) -> Result<()> {
    let mut command = Command::new(program);
    command.arg(pid.to_string());
    for map in maps {
        command.args([map.inside, map.outside, map.count].map(|number| number.to_string()));
    }
    let intent = || format!("map ids with {program}(1)");
    let output =
        command.output().map_err(|error| Error::io("execve", format!("`{program}`"), &error));
    let output = output.context(intent).hint(|| {
        format!(
            "install the package `uidmap` and give yourself ids: echo \"$USER:100000:65536\" >>{file}; \
             or map one id only, your own"
        )
    })?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    let text = format!("it ended with {}: {words}", output.status);
    Err(Error::message(Kind::System, text)).context(intent).hint(|| {
        let ranges: Vec<_> =
            maps.iter().map(|map| format!("{}:{}", map.outside, map.count)).collect();
        format!("{file} has to give you the ids (first:count) {}", ranges.join(" "))
    })
}
