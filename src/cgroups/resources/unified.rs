//! Pure: `linux.resources.unified`: files of cgroup v2 by name.

use std::collections::BTreeMap;

use super::{RESOURCES, Steps};
use crate::cgroups::plan::Place;
use crate::error::{Error, Kind, Result};

impl Steps {
    /// Writes every file as it is asked for, also one that nobody has heard of: the kernel may have.
    /// Its controller is what stands before the first dot.
    pub(super) fn unified(
        &mut self,
        files: &BTreeMap<String, String>,
        places: &[Place],
    ) -> Result<()> {
        for (file, value) in files {
            let member = format!("unified/{}", file.replace('~', "~0").replace('/', "~1"));
            let pointer = format!("{RESOURCES}/{member}");
            let controller = match file.split_once('.') {
                Some((controller, rest))
                    if !controller.is_empty()
                        && !rest.is_empty()
                        && !file.contains(['/', '\0']) =>
                {
                    controller
                }
                _ => return Err(Error::config(pointer, "is no name of a cgroup file")),
            };
            let Some(place) = places.iter().find(|place| place.unified) else {
                let text = format!("{pointer}: no cgroup v2 hierarchy can be used");
                return Err(Error::message(Kind::System, text));
            };
            let target =
                super::Target { directory: place.directory.clone(), unified: true, pointer };
            // Those of every cgroup are no controller's.
            if controller != "cgroup" {
                self.need(controller);
            }
            // The kernel reads one line at a time (io.max of two devices).
            let lines = value.trim_end_matches('\n').split('\n');
            self.limits.extend(lines.map(|line| target.write(file, &line)));
        }
        Ok(())
    }
}
