//! Pure: the numbers of `linux.resources`, converted to what the files of cgroup v1 and v2 want.

use std::path::PathBuf;

use super::plan::Place;
use crate::error::{Context, Error, Kind, Result};
use crate::spec;

/// The hint where a controller is missing altogether.
pub(super) const MOUNT: &str = "cgroup v2 is mounted with: mount -t cgroup2 none /sys/fs/cgroup";

/// One thing to do in the container's cgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Write a value to a file.
    Write {
        /// The file.
        file: PathBuf,
        /// What it gets.
        value: String,
        /// Whether a kernel without the file does already what is asked for.
        optional: bool,
    },
    /// Set memory, and memory with swap, of cgroup v1: neither may pass the other in between.
    MemoryAndSwap {
        /// The cgroup.
        directory: PathBuf,
        /// For memory.limit_in_bytes.
        limit: i64,
        /// For memory.memsw.limit_in_bytes.
        swap: i64,
    },
    /// Fail if the number in the file is above the limit already.
    Check {
        /// The file.
        file: PathBuf,
        /// The limit.
        limit: i64,
    },
}

/// Everything to do, and what it takes.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// Before the first process: the kernel refuses one with real-time scheduling otherwise.
    pub(super) early: Vec<Step>,
    /// The limits.
    pub(super) limits: Vec<Step>,
    /// The controllers that the v2 cgroup has to have for that.
    pub(super) controllers: Vec<&'static str>,
    /// What was asked for and has no effect.
    pub(super) warnings: Vec<String>,
}

/// The directory that holds a limit, and of which version it is.
struct Target {
    directory: PathBuf,
    unified: bool,
}

impl Target {
    fn write(&self, file: &str, value: &impl ToString) -> Step {
        let (file, value) = (self.directory.join(file), value.to_string());
        Step::Write { file, value, optional: false }
    }

    fn write_optional(&self, file: &str, value: &impl ToString) -> Step {
        let (file, value) = (self.directory.join(file), value.to_string());
        Step::Write { file, value, optional: true }
    }
}

const MEMORY: &str = "/linux/resources/memory";
const CPU: &str = "/linux/resources/cpu";
const PIDS: &str = "/linux/resources/pids/limit";

impl Steps {
    /// Converts the limits of cpu, memory and pids for a container with these cgroups.
    ///
    /// # Errors
    /// Mistakes, with their pointers; of kind `System` where no cgroup can hold a limit.
    pub(super) fn compile(resources: &spec::Resources, places: &[Place]) -> Result<Steps> {
        let mut steps = Steps::default();
        steps.cpu(&resources.cpu, places)?;
        steps.cpuset(&resources.cpu, places)?;
        steps.memory(&resources.memory, places)?;
        steps.pids(&resources.pids, places)?;
        Ok(steps)
    }

    /// Where a limit goes; v2 has a controller only if it is turned on, so that is noted.
    fn target(
        &mut self,
        controller: &'static str,
        places: &[Place],
        pointer: &str,
    ) -> Result<Target> {
        let found = self.find(controller, places).ok_or_else(|| {
            let text = format!(
                "{pointer}: no cgroup hierarchy that can be used has the controller `{controller}`"
            );
            Error::message(Kind::System, text)
        })?;
        if found.unified && !self.controllers.contains(&controller) {
            self.controllers.push(controller);
        }
        Ok(found)
    }

    fn find(&self, controller: &str, places: &[Place]) -> Option<Target> {
        let legacy = places.iter().find(|place| place.has(controller));
        let place = legacy.or_else(|| places.iter().find(|place| place.unified))?;
        Some(Target { directory: place.directory.clone(), unified: place.unified })
    }

    /// Takes a limit away, which asks for nothing where no controller could have set one.
    fn lift(&mut self, controller: &str, places: &[Place], (v1, v2): ((&str, &str), (&str, &str))) {
        if let Some(target) = self.find(controller, places) {
            let (file, value) = if target.unified { v2 } else { v1 };
            self.limits.push(target.write_optional(file, &value));
        }
    }

    fn cpu(&mut self, cpu: &spec::Cpu, places: &[Place]) -> Result<()> {
        let shares = cpu.shares.filter(|shares| *shares != 0);
        if let Some(shares) = shares {
            let target = self.target("cpu", places, "/linux/resources/cpu/shares")?;
            self.limits.push(match target.unified {
                true => target.write("cpu.weight", &weight(shares)),
                false => target.write("cpu.shares", &shares),
            });
        }
        self.bandwidth(cpu, places)?;
        match cpu.idle {
            None | Some(0) => {}
            // After the weight: a cgroup that is idle has none and refuses one.
            Some(1) => {
                let target = self.target("cpu", places, "/linux/resources/cpu/idle")?;
                self.limits.push(target.write("cpu.idle", &1));
            }
            Some(other) => {
                return Err(Error::config(
                    format!("{CPU}/idle"),
                    format!("{other} is neither 0 nor 1"),
                ));
            }
        }
        self.realtime(cpu, places)
    }

    fn bandwidth(&mut self, cpu: &spec::Cpu, places: &[Place]) -> Result<()> {
        let quota = cpu.quota.filter(|quota| *quota != 0);
        let period = cpu.period.filter(|period| *period != 0);
        if quota.is_some_and(|quota| quota < 0) && period.is_none() {
            self.lift("cpu", places, (("cpu.cfs_quota_us", "-1"), ("cpu.max", "max")));
        } else if quota.is_some() || period.is_some() {
            let target = self.target("cpu", places, "/linux/resources/cpu/quota")?;
            if target.unified {
                let quota = quota.filter(|quota| *quota > 0);
                let quota = quota.map_or("max".to_owned(), |quota| quota.to_string());
                let value = format!("{quota} {}", period.unwrap_or(DEFAULT_PERIOD));
                self.limits.push(target.write("cpu.max", &value));
            } else {
                let period = period.map(|period| target.write("cpu.cfs_period_us", &period));
                let quota = quota.map(|quota| target.write("cpu.cfs_quota_us", &quota.max(-1)));
                self.limits.extend(period.into_iter().chain(quota));
            }
        }
        if let Some(burst) = cpu.burst.filter(|burst| *burst != 0) {
            // Last, since it may not be more than the quota.
            let target = self.target("cpu", places, "/linux/resources/cpu/burst")?;
            let file = if target.unified { "cpu.max.burst" } else { "cpu.cfs_burst_us" };
            self.limits.push(target.write(file, &burst));
        }
        Ok(())
    }

    fn realtime(&mut self, cpu: &spec::Cpu, places: &[Place]) -> Result<()> {
        let period = cpu.realtime_period.filter(|period| *period != 0);
        let runtime = cpu.realtime_runtime.filter(|runtime| *runtime != 0);
        let members = [
            ("realtimePeriod", "cpu.rt_period_us", period.map(|period| period.to_string())),
            ("realtimeRuntime", "cpu.rt_runtime_us", runtime.map(|runtime| runtime.to_string())),
        ];
        for (member, file, value) in members {
            let Some(value) = value else { continue };
            let pointer = format!("{CPU}/{member}");
            let target = self.target("cpu", places, &pointer)?;
            if target.unified {
                return Err(Error::config(pointer, "cgroup v2 cannot limit real-time scheduling"));
            }
            self.early.push(target.write(file, &value));
        }
        Ok(())
    }

    fn cpuset(&mut self, cpu: &spec::Cpu, places: &[Place]) -> Result<()> {
        for (member, file, list) in
            [("cpus", "cpuset.cpus", &cpu.cpus), ("mems", "cpuset.mems", &cpu.mems)]
        {
            if !list.is_empty() {
                let target = self.target("cpuset", places, &format!("{CPU}/{member}"))?;
                self.limits.push(target.write(file, list));
            }
        }
        Ok(())
    }

    fn memory(&mut self, memory: &spec::Memory, places: &[Place]) -> Result<()> {
        let limit = bytes(memory.limit, "limit")?;
        let swap = bytes(memory.swap, "swap")?;
        self.memory_and_swap(limit, swap, memory.check_before_update == Some(true), places)?;
        match bytes(memory.reservation, "reservation")? {
            None => {}
            Some(-1) => self.lift(
                "memory",
                places,
                (("memory.soft_limit_in_bytes", "-1"), ("memory.low", "max")),
            ),
            Some(bytes) => {
                let target = self.target("memory", places, &format!("{MEMORY}/reservation"))?;
                let file = if target.unified { "memory.low" } else { "memory.soft_limit_in_bytes" };
                self.limits.push(target.write(file, &bytes));
            }
        }
        self.memory_of_v1(memory, places)
    }

    fn memory_and_swap(
        &mut self,
        limit: Option<i64>,
        swap: Option<i64>,
        check: bool,
        places: &[Place],
    ) -> Result<()> {
        let pointer = format!("{MEMORY}/{}", if limit.is_some() { "limit" } else { "swap" });
        let (Some(limit), swap) = (limit, swap) else {
            return match swap {
                None => Ok(()),
                Some(-1) => {
                    let files = (("memory.memsw.limit_in_bytes", "-1"), ("memory.swap.max", "max"));
                    self.lift("memory", places, files);
                    Ok(())
                }
                Some(_) => Err(Error::config(pointer, "needs a memory limit, which it includes")),
            };
        };
        if limit == -1 && swap.is_none_or(|swap| swap == -1) {
            // No limit of memory means none of swap either, unless one is given.
            let swap = (("memory.memsw.limit_in_bytes", "-1"), ("memory.swap.max", "max"));
            self.lift("memory", places, swap);
            self.lift("memory", places, (("memory.limit_in_bytes", "-1"), ("memory.max", "max")));
            return Ok(());
        }
        if swap.is_some_and(|swap| swap != -1 && (swap < limit || limit == -1)) {
            let text = "is less than the memory limit, which it includes";
            return Err(Error::config(format!("{MEMORY}/swap"), text));
        }
        let target = self.target("memory", places, &pointer)?;
        if !target.unified {
            let directory = target.directory.clone();
            self.limits.push(match swap {
                Some(swap) => Step::MemoryAndSwap { directory, limit, swap },
                None => target.write("memory.limit_in_bytes", &limit),
            });
            return Ok(());
        }
        if check {
            self.limits.push(Step::Check { file: target.directory.join("memory.current"), limit });
        }
        self.limits.extend(swap.map(|swap| match swap {
            // A kernel without swap accounting lets nobody swap, or does not count it.
            -1 => target.write_optional("memory.swap.max", &"max"),
            swap if swap == limit => target.write_optional("memory.swap.max", &0),
            swap => target.write("memory.swap.max", &(swap - limit)),
        }));
        self.limits.push(target.write("memory.max", &limit));
        Ok(())
    }

    /// What cgroup v2 has no counterpart of.
    fn memory_of_v1(&mut self, memory: &spec::Memory, places: &[Place]) -> Result<()> {
        for (member, value) in [("kernel", memory.kernel), ("kernelTCP", memory.kernel_tcp)] {
            if value.is_some_and(|value| value != 0) {
                let warning = format!(
                    "linux.resources.memory.{member} has no effect: Linux counts \
                    kernel memory as memory"
                );
                self.warnings.push(warning);
            }
        }
        if memory.use_hierarchy == Some(false) {
            let warning = "linux.resources.memory.useHierarchy has no effect: Linux always counts \
                the memory of children";
            self.warnings.push(warning.to_owned());
        }
        // Engines write -1 for "as it is", which an unsigned number shows as its highest.
        let swappiness = memory.swappiness.filter(|swappiness| *swappiness != u64::MAX);
        if swappiness.is_some_and(|swappiness| swappiness > 100) {
            return Err(Error::config(format!("{MEMORY}/swappiness"), "is more than 100"));
        }
        let oom = memory.disable_oom_killer.filter(|disable| *disable).map(|_| 1);
        let members = [
            ("swappiness", "memory.swappiness", swappiness),
            ("disableOOMKiller", "memory.oom_control", oom),
        ];
        for (member, file, value) in members {
            let Some(value) = value else { continue };
            let pointer = format!("{MEMORY}/{member}");
            let target = self.target("memory", places, &pointer)?;
            if target.unified {
                return Err(Error::config(pointer, "cgroup v2 has nothing like it"));
            }
            self.limits.push(target.write(file, &value));
        }
        Ok(())
    }

    fn pids(&mut self, pids: &spec::Pids, places: &[Place]) -> Result<()> {
        match pids.limit {
            None => {}
            Some(-1) => self.lift("pids", places, (("pids.max", "max"), ("pids.max", "max"))),
            Some(limit) if limit < 0 => {
                return Err(Error::config(PIDS, format!("{limit} is neither a number nor -1")));
            }
            Some(limit) => {
                let target = self.target("pids", places, PIDS)?;
                self.limits.push(target.write("pids.max", &limit));
            }
        }
        Ok(())
    }
}

/// Microseconds, where a quota comes without a period.
const DEFAULT_PERIOD: u64 = 100_000;

/// Bytes as asked for; 0 is how engines say nothing, -1 is no limit.
fn bytes(value: Option<i64>, member: &str) -> Result<Option<i64>> {
    match value {
        None | Some(0) => Ok(None),
        Some(value) if value < -1 => {
            let text = format!("{value} is neither a number of bytes nor -1");
            Err(Error::config(format!("{MEMORY}/{member}"), text))
        }
        some => Ok(some),
    }
}

/// `cpu.shares` (2 to 262144, 1024 by default) as `cpu.weight` (1 to 10000, 100 by default). The
/// curve goes through both ends and the defaults; all runtimes use this one.
fn weight(shares: u64) -> u64 {
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

/// Refuses, by name, what is not there yet. What asks for nothing is no reason to refuse.
///
/// # Errors
/// For the first member that asks for something.
pub(super) fn refuse_later(resources: &spec::Resources) -> Result<()> {
    let io = &resources.block_io;
    let some = |weight: Option<u16>| weight.is_some_and(|weight| weight != 0);
    let throttles = [
        &io.throttle_read_bps_device,
        &io.throttle_write_bps_device,
        &io.throttle_read_iops_device,
        &io.throttle_write_iops_device,
    ];
    let asks_io = some(io.weight)
        || some(io.leaf_weight)
        || io.weight_device.iter().any(|device| some(device.weight) || some(device.leaf_weight))
        || throttles.iter().any(|devices| devices.iter().any(|device| device.rate != 0));
    let network = &resources.network;
    let asks_network = network.class_id.is_some_and(|id| id != 0) || !network.priorities.is_empty();
    let asks_rdma =
        resources.rdma.values().any(|rdma| rdma.hca_handles.or(rdma.hca_objects).is_some());
    for (asks, member) in [
        (asks_io, "blockIO"),
        (!resources.hugepage_limits.is_empty(), "hugepageLimits"),
        (asks_network, "network"),
        (asks_rdma, "rdma"),
        (!resources.unified.is_empty(), "unified"),
    ] {
        if asks {
            return Err(Error::unsupported(format!("/linux/resources/{member}")))
                .hint(|| "this version limits cpu, memory, pids and devices");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Steps {
        fn texts(&self) -> Vec<String> {
            self.early.iter().chain(&self.limits).map(text).collect()
        }
    }

    fn text(step: &Step) -> String {
        match step {
            Step::Write { file, value, optional } => {
                format!("{} = {value}{}", file.display(), if *optional { " ?" } else { "" })
            }
            Step::MemoryAndSwap { directory, limit, swap } => {
                format!("{}/memory = {limit}, {swap}", directory.display())
            }
            Step::Check { file, limit } => format!("{} <= {limit}", file.display()),
        }
    }

    fn place(controllers: &str, unified: bool) -> Place {
        let directory = PathBuf::from(format!("/{}", if unified { "v2" } else { controllers }));
        let mount = PathBuf::from("/");
        let controllers = controllers.split(',').filter(|name| !name.is_empty());
        let controllers = controllers.map(str::to_owned).collect();
        Place { mount, controllers, unified, directory }
    }

    fn v1() -> Vec<Place> {
        ["cpu", "cpuset", "memory", "pids"].iter().map(|name| place(name, false)).collect()
    }

    fn steps(json: &str, places: &[Place]) -> Result<Steps> {
        Steps::compile(&serde_json::from_str(json).unwrap(), places)
    }

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

    #[test]
    fn every_limit_on_both_versions() {
        for (json, on_v1, on_v2) in [
            (r#"{}"#, &[][..], &[][..]),
            (
                r#"{"cpu":{"shares":0,"quota":0,"period":0,"burst":0,"idle":0,"cpus":"","mems":"",
                    "realtimePeriod":0,"realtimeRuntime":0},
                    "memory":{"limit":0,"swap":0,"reservation":0,"kernel":0,"useHierarchy":true,
                    "swappiness":18446744073709551615,"disableOOMKiller":false},"pids":{}}"#,
                &[],
                &[],
            ),
            (r#"{"cpu":{"shares":512}}"#, &["/cpu/cpu.shares = 512"], &["/v2/cpu.weight = 59"]),
            (
                r#"{"cpu":{"quota":50000}}"#,
                &["/cpu/cpu.cfs_quota_us = 50000"],
                &["/v2/cpu.max = 50000 100000"],
            ),
            (
                r#"{"cpu":{"quota":50000,"period":20000,"burst":7,"shares":2,"idle":1}}"#,
                &[
                    "/cpu/cpu.shares = 2",
                    "/cpu/cpu.cfs_period_us = 20000",
                    "/cpu/cpu.cfs_quota_us = 50000",
                    "/cpu/cpu.cfs_burst_us = 7",
                    "/cpu/cpu.idle = 1",
                ],
                &[
                    "/v2/cpu.weight = 1",
                    "/v2/cpu.max = 50000 20000",
                    "/v2/cpu.max.burst = 7",
                    "/v2/cpu.idle = 1",
                ],
            ),
            (
                r#"{"cpu":{"period":20000}}"#,
                &["/cpu/cpu.cfs_period_us = 20000"],
                &["/v2/cpu.max = max 20000"],
            ),
            (
                r#"{"cpu":{"quota":-1}}"#,
                &["/cpu/cpu.cfs_quota_us = -1 ?"],
                &["/v2/cpu.max = max ?"],
            ),
            (
                r#"{"cpu":{"quota":-7,"period":1000}}"#,
                &["/cpu/cpu.cfs_period_us = 1000", "/cpu/cpu.cfs_quota_us = -1"],
                &["/v2/cpu.max = max 1000"],
            ),
            (
                r#"{"cpu":{"cpus":"0-1","mems":"0"}}"#,
                &["/cpuset/cpuset.cpus = 0-1", "/cpuset/cpuset.mems = 0"],
                &["/v2/cpuset.cpus = 0-1", "/v2/cpuset.mems = 0"],
            ),
            (r#"{"pids":{"limit":0}}"#, &["/pids/pids.max = 0"], &["/v2/pids.max = 0"]),
            (r#"{"pids":{"limit":-1}}"#, &["/pids/pids.max = max ?"], &["/v2/pids.max = max ?"]),
        ] {
            assert_eq!(steps(json, &v1()).unwrap().texts(), on_v1, "{json}");
            assert_eq!(steps(json, &[place("", true)]).unwrap().texts(), on_v2, "{json}");
        }
    }

    #[test]
    fn memory_and_swap() {
        for (json, on_v1, on_v2) in [
            (
                r#"{"limit":4096}"#,
                &["/memory/memory.limit_in_bytes = 4096"][..],
                &["/v2/memory.max = 4096"][..],
            ),
            (
                r#"{"limit":4096,"swap":10000,"reservation":10}"#,
                &["/memory/memory = 4096, 10000", "/memory/memory.soft_limit_in_bytes = 10"],
                &["/v2/memory.swap.max = 5904", "/v2/memory.max = 4096", "/v2/memory.low = 10"],
            ),
            (
                r#"{"limit":4096,"swap":4096}"#,
                &["/memory/memory = 4096, 4096"],
                &["/v2/memory.swap.max = 0 ?", "/v2/memory.max = 4096"],
            ),
            (
                r#"{"limit":4096,"swap":-1}"#,
                &["/memory/memory = 4096, -1"],
                &["/v2/memory.swap.max = max ?", "/v2/memory.max = 4096"],
            ),
            (
                r#"{"limit":-1}"#,
                &[
                    "/memory/memory.memsw.limit_in_bytes = -1 ?",
                    "/memory/memory.limit_in_bytes = -1 ?",
                ],
                &["/v2/memory.swap.max = max ?", "/v2/memory.max = max ?"],
            ),
            (
                r#"{"swap":-1,"reservation":-1}"#,
                &[
                    "/memory/memory.memsw.limit_in_bytes = -1 ?",
                    "/memory/memory.soft_limit_in_bytes = -1 ?",
                ],
                &["/v2/memory.swap.max = max ?", "/v2/memory.low = max ?"],
            ),
            (
                r#"{"limit":4096,"checkBeforeUpdate":true}"#,
                &["/memory/memory.limit_in_bytes = 4096"],
                &["/v2/memory.current <= 4096", "/v2/memory.max = 4096"],
            ),
        ] {
            let json = format!(r#"{{"memory":{json}}}"#);
            assert_eq!(steps(&json, &v1()).unwrap().texts(), on_v1, "{json}");
            assert_eq!(steps(&json, &[place("", true)]).unwrap().texts(), on_v2, "{json}");
        }
    }

    #[test]
    fn what_only_v1_has() {
        let json = r#"{"memory":{"swappiness":0,"disableOOMKiller":true},
            "cpu":{"realtimePeriod":1000,"realtimeRuntime":900}}"#;
        assert_eq!(
            steps(json, &v1()).unwrap().texts(),
            [
                "/cpu/cpu.rt_period_us = 1000",
                "/cpu/cpu.rt_runtime_us = 900",
                "/memory/memory.swappiness = 0",
                "/memory/memory.oom_control = 1",
            ]
        );
        for (json, text) in [
            (r#"{"memory":{"swappiness":1}}"#, "memory/swappiness: cgroup v2 has nothing like it"),
            (
                r#"{"memory":{"disableOOMKiller":true}}"#,
                "memory/disableOOMKiller: cgroup v2 has nothing like it",
            ),
            (
                r#"{"cpu":{"realtimeRuntime":1}}"#,
                "cpu/realtimeRuntime: cgroup v2 cannot limit real-time scheduling",
            ),
        ] {
            let error = steps(json, &[place("", true)]).unwrap_err().to_string();
            assert_eq!(error, format!("/linux/resources/{text}"));
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (json, text) in [
            (r#"{"memory":{"limit":-2}}"#, "memory/limit: -2 is neither a number of bytes nor -1"),
            (r#"{"memory":{"swap":9}}"#, "memory/swap: needs a memory limit, which it includes"),
            (
                r#"{"memory":{"limit":9,"swap":8}}"#,
                "memory/swap: is less than the memory limit, which it includes",
            ),
            (
                r#"{"memory":{"limit":-1,"swap":8}}"#,
                "memory/swap: is less than the memory limit, which it includes",
            ),
            (r#"{"memory":{"swappiness":101}}"#, "memory/swappiness: is more than 100"),
            (r#"{"cpu":{"idle":2}}"#, "cpu/idle: 2 is neither 0 nor 1"),
            (r#"{"pids":{"limit":-2}}"#, "pids/limit: -2 is neither a number nor -1"),
        ] {
            let error = steps(json, &v1()).unwrap_err().to_string();
            assert_eq!(error, format!("/linux/resources/{text}"));
        }
        let error = steps(r#"{"pids":{"limit":2}}"#, &[]).unwrap_err().to_string();
        assert_eq!(
            error,
            "/linux/resources/pids/limit: no cgroup hierarchy that can be used has the controller `pids`"
        );
    }

    #[test]
    fn a_controller_may_be_on_the_v2_side_of_a_hybrid_host() {
        let places = [place("memory", false), place("", true)];
        let json = r#"{"memory":{"limit":4096},"pids":{"limit":2}}"#;
        let steps = steps(json, &places).unwrap();
        assert_eq!(steps.texts(), ["/memory/memory.limit_in_bytes = 4096", "/v2/pids.max = 2"]);
        assert_eq!(steps.controllers, ["pids"]);
    }

    #[test]
    fn what_has_no_effect_is_said() {
        let json = r#"{"memory":{"kernel":5,"kernelTCP":5,"useHierarchy":false}}"#;
        assert_eq!(steps(json, &[]).unwrap().warnings.len(), 3);
    }

    #[test]
    fn later_issues_are_refused_by_name() {
        for (json, member) in [
            (r#"{"blockIO":{"weight":10}}"#, "blockIO"),
            (r#"{"blockIO":{"leafWeight":10}}"#, "blockIO"),
            (
                r#"{"blockIO":{"throttleReadIOPSDevice":[{"major":8,"minor":0,"rate":1}]}}"#,
                "blockIO",
            ),
            (r#"{"hugepageLimits":[{"pageSize":"2MB","limit":0}]}"#, "hugepageLimits"),
            (r#"{"network":{"classID":1}}"#, "network"),
            (r#"{"rdma":{"mlx5_1":{"hcaHandles":3}}}"#, "rdma"),
            (r#"{"unified":{"memory.high":"1"}}"#, "unified"),
        ] {
            let error = refuse_later(&serde_json::from_str(json).unwrap()).unwrap_err();
            assert_eq!(error.to_string(), format!("not supported yet: /linux/resources/{member}"));
        }
        let nothing = r#"{"blockIO":{"weight":0,"weightDevice":[],"throttleReadBpsDevice":null},
            "hugepageLimits":[],"network":{"classID":0,"priorities":[]},"rdma":{"x":{}},"unified":{}}"#;
        refuse_later(&serde_json::from_str(nothing).unwrap()).unwrap();
    }
}
