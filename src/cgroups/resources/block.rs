//! Pure: `linux.resources.blockIO`: weights, and what a device may be read and written per second.

use super::{RESOURCES, Step, Steps, Target};
use crate::cgroups::plan::Place;
use crate::error::{Error, Result};
use crate::spec;

/// Why there are no leaf weights.
const NO_LEAF: &str = "Linux has no leaf weights since 5.0, which dropped the CFQ scheduler";

/// The weight files. BFQ's, where the kernel has them, take the weight as it is; io.weight of v2 has
/// a range of its own.
struct WeightFiles {
    first: &'static str,
    otherwise: &'static str,
}

const V1: WeightFiles = WeightFiles { first: "blkio.bfq.weight", otherwise: "blkio.weight" };
const V1_DEVICE: WeightFiles =
    WeightFiles { first: "blkio.bfq.weight_device", otherwise: "blkio.weight_device" };
const V2: WeightFiles = WeightFiles { first: "io.bfq.weight", otherwise: "io.weight" };

impl Steps {
    /// All of `blockIO`.
    pub(super) fn block_io(&mut self, io: &spec::BlockIo, places: &[Place]) -> Result<()> {
        refuse_leaf(io.leaf_weight, "leafWeight")?;
        if let Some(weight) = checked(io.weight, "weight")? {
            let target = self.target_of_io(places, "weight")?;
            self.limits.push(weight_step(&target, None, weight));
        }
        for (index, device) in io.weight_device.iter().enumerate() {
            let member = format!("weightDevice/{index}");
            refuse_leaf(device.leaf_weight, &format!("{member}/leafWeight"))?;
            if let Some(weight) = checked(device.weight, &format!("{member}/weight"))? {
                let number = number(device.major, device.minor, &member)?;
                let target = self.target_of_io(places, &member)?;
                self.limits.push(weight_step(&target, Some(&number), weight));
            }
        }
        let throttles = [
            (&io.throttle_read_bps_device, "throttleReadBpsDevice", "read_bps", "rbps"),
            (&io.throttle_write_bps_device, "throttleWriteBpsDevice", "write_bps", "wbps"),
            (&io.throttle_read_iops_device, "throttleReadIOPSDevice", "read_iops", "riops"),
            (&io.throttle_write_iops_device, "throttleWriteIOPSDevice", "write_iops", "wiops"),
        ];
        for (devices, member, legacy, key) in throttles {
            for (index, device) in devices.iter().enumerate() {
                let member = format!("{member}/{index}");
                let number = number(device.major, device.minor, &member)?;
                // No rate is no limit: nothing to do, unless there may be one.
                if device.rate == 0 && !self.live {
                    continue;
                }
                let target = self.target_of_io(places, &member)?;
                self.limits.push(match (target.unified, device.rate) {
                    (true, 0) => target.write("io.max", &format!("{number} {key}=max")),
                    (true, rate) => target.write("io.max", &format!("{number} {key}={rate}")),
                    (false, rate) => {
                        let file = format!("blkio.throttle.{legacy}_device");
                        target.write(&file, &format!("{number} {rate}"))
                    }
                });
            }
        }
        Ok(())
    }

    /// The controller is called blkio on v1 and io on v2.
    fn target_of_io(&mut self, places: &[Place], member: &str) -> Result<Target> {
        let is_legacy = places.iter().any(|place| place.has("blkio"));
        let controller = if is_legacy { "blkio" } else { "io" };
        self.target(controller, places, &format!("blockIO/{member}"))
    }
}

fn weight_step(target: &Target, device: Option<&str>, weight: u16) -> Step {
    let files = match (target.unified, device) {
        (true, _) => V2,
        (false, None) => V1,
        (false, Some(_)) => V1_DEVICE,
    };
    let other = if target.unified { io_weight(weight) } else { u64::from(weight) };
    let line = |weight: u64| match device {
        Some(device) => format!("{device} {weight}"),
        None => weight.to_string(),
    };
    target.either((files.first, &line(weight.into())), (files.otherwise, &line(other)))
}

/// A weight of 10 to 1000 as io.weight has it, 1 to 10000.
fn io_weight(weight: u16) -> u64 {
    1 + (u64::from(weight).max(10) - 10) * 9999 / 990
}

fn checked(weight: Option<u16>, member: &str) -> Result<Option<u16>> {
    match weight {
        None | Some(0) => Ok(None),
        Some(weight) if !(10..=1000).contains(&weight) => {
            let text = format!("{weight} is not between 10 and 1000");
            Err(Error::config(format!("{RESOURCES}/blockIO/{member}"), text))
        }
        some => Ok(some),
    }
}

fn refuse_leaf(weight: Option<u16>, member: &str) -> Result<()> {
    match weight {
        None | Some(0) => Ok(()),
        Some(_) => Err(Error::config(format!("{RESOURCES}/blockIO/{member}"), NO_LEAF)),
    }
}

fn number(major: i64, minor: i64, member: &str) -> Result<String> {
    match (u32::try_from(major), u32::try_from(minor)) {
        (Ok(major), Ok(minor)) => Ok(format!("{major}:{minor}")),
        _ => {
            let text = format!("{major}:{minor} is no device number");
            Err(Error::config(format!("{RESOURCES}/blockIO/{member}"), text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_become_io_weights() {
        for (weight, expected) in [(10, 1), (11, 11), (100, 910), (500, 4950), (1000, 10_000)] {
            assert_eq!(io_weight(weight), expected, "{weight}");
        }
    }
}
