//! Pure: `linux.resources.network` and `linux.resources.rdma`.

use std::collections::BTreeMap;

use super::{RESOURCES, Steps};
use crate::cgroups::plan::Place;
use crate::error::{Error, Result};
use crate::spec;

const INSTEAD: &str = "cgroup v2 has nothing like it, and no cgroup v1 hierarchy with the controller \
     is mounted; there, packets are told apart by iptables -m cgroup --path";

impl Steps {
    /// The class and the priorities of packets, which v1 alone has.
    pub(super) fn network(&mut self, network: &spec::Network, places: &[Place]) -> Result<()> {
        if let Some(class) = network.class_id.filter(|class| self.live || *class != 0) {
            let target = self.legacy_target("net_cls", places, ("network/classID", INSTEAD))?;
            self.limits.push(target.write("net_cls.classid", &class));
        }
        for (index, one) in network.priorities.iter().enumerate() {
            let member = format!("network/priorities/{index}");
            refuse_spaces(&one.name, &member)?;
            let target = self.legacy_target("net_prio", places, (&member, INSTEAD))?;
            let line = format!("{} {}", one.name, one.priority);
            self.limits.push(target.write("net_prio.ifpriomap", &line));
        }
        Ok(())
    }

    /// Handles and objects by device; the same file on both versions.
    pub(super) fn rdma(
        &mut self,
        rdma: &BTreeMap<String, spec::Rdma>,
        places: &[Place],
    ) -> Result<()> {
        for (device, limits) in rdma {
            let member = format!("rdma/{device}");
            refuse_spaces(device, &member)?;
            let values = [("hca_handle", limits.hca_handles), ("hca_object", limits.hca_objects)];
            let values = values.iter().filter_map(|(key, value)| Some((key, (*value)?)));
            let words: Vec<String> = values.map(|(key, value)| format!("{key}={value}")).collect();
            if !words.is_empty() {
                let target = self.target("rdma", places, &member)?;
                self.limits
                    .push(target.write("rdma.max", &format!("{device} {}", words.join(" "))));
            }
        }
        Ok(())
    }
}

/// What becomes the first word of a line.
fn refuse_spaces(name: &str, member: &str) -> Result<()> {
    if name.is_empty() || name.contains(char::is_whitespace) {
        let text = format!("`{}` is no name of a device", name.escape_default());
        return Err(Error::config(format!("{RESOURCES}/{member}"), text));
    }
    Ok(())
}
