//! Pure: what `update` does to a container that exists.

use std::path::PathBuf;

use super::devices::{Devices, Line};
use super::merge::{merged, with_neighbours};
use super::plan::Place;
use super::record::Record;
use super::resources::Steps;
use super::systemd::{Properties, device_properties, resource_properties};
use crate::error::Result;
use crate::spec;

/// How the access to devices changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DeviceChange {
    /// Not at all.
    None,
    /// Lines for files in this directory, and those that lead back.
    Lines(PathBuf, Vec<Line>, Vec<Line>),
    /// The same, but everything is forbidden or allowed in between: the processes have to rest.
    AtRest(PathBuf, Vec<Line>, Vec<Line>),
    /// Another program for this cgroup v2 directory.
    Program(PathBuf, Vec<[u8; 8]>),
}

/// A change of limits and of devices.
#[derive(Debug)]
pub struct Change {
    /// The v2 cgroup, whose controllers have to be turned on.
    pub(super) unified: Option<Place>,
    pub(super) steps: Steps,
    pub(super) devices: DeviceChange,
    /// The same in systemd's words, and what leads back.
    pub(super) properties: Properties,
    pub(super) properties_before: Properties,
    /// What is in force afterwards.
    pub resources: spec::Resources,
    /// What was asked for and has no effect.
    pub warnings: Vec<String>,
}

/// Decides what to write so that `change` is in force where `before` was.
///
/// # Errors
/// Mistakes in the change; limits that no cgroup of the container can hold.
pub fn change(
    record: &Record,
    before: &spec::Resources,
    change: &spec::Resources,
    privileged: bool,
) -> Result<Change> {
    let writes = with_neighbours(before, change);
    let mut steps = Steps::compile_live(&writes, record.places())?;
    let devices = match privileged && !change.devices.is_empty() {
        true => device_change(record, &before.devices, &change.devices)?,
        false => DeviceChange::None,
    };
    let warnings = std::mem::take(&mut steps.warnings);
    let unified = record.places().iter().find(|place| place.unified).cloned();
    let (mut properties, mut properties_before) = (Properties::new(), Properties::new());
    if record.unit.is_some() {
        let is_unified_only = record.places().iter().all(|place| place.unified);
        properties = resource_properties(&writes, is_unified_only);
        properties_before = resource_properties(before, is_unified_only);
        if devices != DeviceChange::None {
            properties.extend(device_properties(&change.devices)?);
            properties_before.extend(device_properties(&before.devices)?);
        }
    }
    let resources = merged(before, change);
    Ok(Change { unified, steps, devices, properties, properties_before, resources, warnings })
}

fn device_change(
    record: &Record,
    before: &[spec::DeviceRule],
    after: &[spec::DeviceRule],
) -> Result<DeviceChange> {
    let (before, after) = (Devices::parse(before)?, Devices::parse(after)?);
    if before == after {
        return Ok(DeviceChange::None);
    }
    if let Some(legacy) = record.legacy("devices") {
        let directory = legacy.to_path_buf();
        return Ok(match (after.lines_from(&before)?, before.lines_from(&after)?) {
            (Some(there), Some(back)) => DeviceChange::Lines(directory, there, back),
            _ => DeviceChange::AtRest(directory, after.lines()?, before.lines()?),
        });
    }
    Ok(match record.unified() {
        Some(directory) => DeviceChange::Program(directory.to_path_buf(), after.program()),
        None => DeviceChange::None,
    })
}
