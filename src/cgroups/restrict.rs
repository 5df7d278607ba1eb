//! Restricting devices: lines for cgroup v1, a program for cgroup v2.

use std::os::fd::AsFd;
use std::path::Path;

use super::change::DeviceChange;
use super::devices::Line;
use super::files;
use super::plan::{DeviceControl, Plan};
use super::record::Record;
use crate::error::{Context, Error, Result};
use crate::sys;

/// The name of our programs, by which `update` finds them: systemd attaches some of its own.
const NAME: &str = "rrun_devices";

/// Restricts the devices, when the container's mounts are made and before any hook or program runs
/// inside: a block device of config.json may be mounted without a rule that opens it to the program,
/// as with runc. The process in there has to be at rest, since the v1 controller forgets all
/// exceptions when its default changes, and everything is forbidden for a moment.
///
/// # Errors
/// EPERM for a device that a cgroup above forbids.
pub fn restrict_devices(plan: &Plan) -> Result<()> {
    let restricted = match &plan.devices {
        DeviceControl::None => Ok(()),
        DeviceControl::Lines(directory, lines) => write_lines(directory, lines),
        DeviceControl::Program(directory, program) => attach(directory, program),
    };
    restricted.context(|| "restrict the devices")
}

/// Changes the rules of a container that may be running. Whoever opens a device meanwhile meets the
/// old rules or the new ones, and nothing else.
///
/// # Errors
/// As [`restrict_devices`]; the old rules are in force again then.
pub(super) fn change(record: &Record, change: &DeviceChange) -> Result<()> {
    match change {
        DeviceChange::None => Ok(()),
        DeviceChange::Lines(directory, there, back) => {
            write_lines(directory, there).map_err(|error| undo(directory, back, error))
        }
        DeviceChange::AtRest(directory, there, back) => {
            let was_frozen = record.is_frozen();
            if !was_frozen {
                record.freeze()?;
            }
            let changed =
                write_lines(directory, there).map_err(|error| undo(directory, back, error));
            if !was_frozen { changed.and(record.thaw()) } else { changed }
        }
        DeviceChange::Program(directory, program) => attach(directory, program),
    }
}

fn undo(directory: &Path, back: &[Line], error: Error) -> Error {
    match write_lines(directory, back) {
        Ok(()) => error,
        Err(worse) => error.hinted(format!("not undone: {worse}")),
    }
}

fn write_lines(directory: &Path, lines: &[Line]) -> Result<()> {
    // Each file is opened once for the lines that follow one another.
    let mut opened: Option<(&str, files::Writable)> = None;
    for (file, line) in lines {
        let writable = match opened.take() {
            Some((name, writable)) if name == *file => writable,
            _ => files::Writable::open(&directory.join(file))?,
        };
        let written = writable.write(line);
        opened = Some((file, writable));
        match written {
            // All that can be allowed is what the cgroup above allows, and that a new one has from
            // the beginning.
            Err(error) if line == "a" && *file == "devices.allow" && error.is(libc::EPERM) => {}
            Err(error) if error.is(libc::EPERM) => {
                return Err(error.hinted("a cgroup above forbids that device"));
            }
            other => other?,
        }
    }
    Ok(())
}

/// Attaches a program in the place of the one that we attached before.
fn attach(directory: &Path, program: &[[u8; 8]]) -> Result<()> {
    let directory = sys::file::open(directory, libc::O_RDONLY | libc::O_DIRECTORY)?;
    let program = sys::bpf::load_device_program(NAME, program).hint(
        || "on cgroup v2 that takes CAP_BPF and CAP_NET_ADMIN, and a kernel with CONFIG_CGROUP_BPF",
    )?;
    let ours = sys::bpf::device_programs(directory.as_fd(), NAME)?;
    let mut ours = ours.iter().map(AsFd::as_fd);
    sys::bpf::attach_device_program(directory.as_fd(), program.as_fd(), ours.next())?;
    // One at most, unless somebody copied it.
    ours.try_for_each(|left| sys::bpf::detach_device_program(directory.as_fd(), left))
}
