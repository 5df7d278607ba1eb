//! Pure: `linux.resources.cpu`: shares, bandwidth, real-time budget, processors.

use super::{RESOURCES, Step, Steps};
use crate::cgroups::plan::Place;
use crate::error::{Error, Result};
use crate::spec;

/// Microseconds, where a quota comes without a period.
const DEFAULT_PERIOD: u64 = 100_000;

impl Steps {
    /// Shares, bandwidth, idleness, and the real-time budget of v1.
    pub(super) fn cpu(&mut self, cpu: &spec::Cpu, places: &[Place]) -> Result<()> {
        let mut weights = Vec::new();
        if let Some(shares) = cpu.shares.filter(|shares| *shares != 0) {
            let target = self.target("cpu", places, "cpu/shares")?;
            weights.push(match target.unified {
                true => target.value("cpu.weight", &weight(shares)),
                false => target.value("cpu.shares", &shares),
            });
        }
        self.bandwidth(cpu, places)?;
        // A cgroup that is idle has no weight and refuses one, so the two go together.
        match cpu.idle {
            Some(0) if self.live => weights.extend(self.lifted(
                ("cpu", "cpu/idle"),
                places,
                (("cpu.idle", "0"), ("cpu.idle", "0")),
            )),
            None | Some(0) => {}
            Some(1) => {
                let target = self.target("cpu", places, "cpu/idle")?;
                weights.push(target.value("cpu.idle", &1));
            }
            Some(other) => {
                let text = format!("{other} is neither 0 nor 1");
                return Err(Error::config(format!("{RESOURCES}/cpu/idle"), text));
            }
        }
        self.together(weights);
        self.realtime(cpu, places)
    }

    /// Quota and period may not leave what the cgroup above has, and the burst not the quota.
    fn bandwidth(&mut self, cpu: &spec::Cpu, places: &[Place]) -> Result<()> {
        let quota = cpu.quota.filter(|quota| *quota != 0);
        let period = cpu.period.filter(|period| *period != 0);
        let mut writes = Vec::new();
        if quota.is_some_and(|quota| quota < 0) && period.is_none() {
            let files = (("cpu.cfs_quota_us", "-1"), ("cpu.max", "max"));
            writes.extend(self.lifted(("cpu", "cpu/quota"), places, files));
        } else if quota.is_some() || period.is_some() {
            let member = if quota.is_some() { "cpu/quota" } else { "cpu/period" };
            let target = self.target("cpu", places, member)?;
            if target.unified {
                let quota = quota.filter(|quota| *quota > 0);
                let quota = quota.map_or("max".to_owned(), |quota| quota.to_string());
                let value = match period {
                    // What the period is now, the kernel knows.
                    None if self.live => quota,
                    period => format!("{quota} {}", period.unwrap_or(DEFAULT_PERIOD)),
                };
                writes.push(target.value("cpu.max", &value));
            } else {
                let period = period.map(|period| target.value("cpu.cfs_period_us", &period));
                let quota = quota.map(|quota| target.value("cpu.cfs_quota_us", &quota.max(-1)));
                writes.extend(period.into_iter().chain(quota));
            }
        }
        match cpu.burst {
            Some(0) if self.live => {
                let files = (("cpu.cfs_burst_us", "0"), ("cpu.max.burst", "0"));
                writes.extend(self.lifted(("cpu", "cpu/burst"), places, files));
            }
            None | Some(0) => {}
            Some(burst) => {
                let target = self.target("cpu", places, "cpu/burst")?;
                let file = if target.unified { "cpu.max.burst" } else { "cpu.cfs_burst_us" };
                writes.push(target.value(file, &burst));
            }
        }
        self.together(writes);
        Ok(())
    }

    fn realtime(&mut self, cpu: &spec::Cpu, places: &[Place]) -> Result<()> {
        let period = cpu.realtime_period.filter(|period| *period != 0);
        let runtime = cpu.realtime_runtime.filter(|runtime| *runtime != 0);
        let members = [
            ("cpu/realtimePeriod", "cpu.rt_period_us", period.map(|period| period.to_string())),
            (
                "cpu/realtimeRuntime",
                "cpu.rt_runtime_us",
                runtime.map(|runtime| runtime.to_string()),
            ),
        ];
        let mut writes = Vec::new();
        for (member, file, value) in members {
            let Some(value) = value else { continue };
            let instead = "cgroup v2 cannot limit real-time scheduling";
            let target = self.legacy_target("cpu", places, (member, instead))?;
            writes.push(target.value(file, &value));
        }
        match writes.len() {
            0 => {}
            1 => self.early.extend(writes.pop().map(Step::Write)),
            _ => self.early.push(Step::Together(writes)),
        }
        Ok(())
    }

    /// Processors and memory nodes.
    pub(super) fn cpuset(&mut self, cpu: &spec::Cpu, places: &[Place]) -> Result<()> {
        for (member, file, list) in
            [("cpu/cpus", "cpuset.cpus", &cpu.cpus), ("cpu/mems", "cpuset.mems", &cpu.mems)]
        {
            if !list.is_empty() {
                let target = self.target("cpuset", places, member)?;
                self.limits.push(target.write(file, list));
            }
        }
        Ok(())
    }
}

/// `cpu.shares` (2 to 262144, 1024 by default) as `cpu.weight` (1 to 10000, 100 by default). The
/// curve goes through both ends and the defaults; all runtimes use this one.
pub(in crate::cgroups) fn weight(shares: u64) -> u64 {
    match shares {
        ..=2 => 1,
        262_144.. => 10_000,
        _ => {
            let log = (shares as f64).log2();
            let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
            10f64.powf(exponent).ceil() as u64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_become_weights() {
        for (shares, expected) in [
            (1, 1),
            (2, 1),
            (3, 2),
            (100, 17),
            (512, 59),
            (1023, 100),
            (1024, 100),
            (1025, 101),
            (2048, 174),
            (262_143, 10_000),
            (262_144, 10_000),
            (u64::MAX, 10_000),
        ] {
            assert_eq!(weight(shares), expected, "{shares}");
        }
    }
}
