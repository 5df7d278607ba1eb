//! Pure: the numbers of `linux.resources`, converted to what the files of cgroup v1 and v2 want.

mod block;
mod cpu;
mod hugepages;
mod memory;
mod network;
mod restore;
mod unified;

use std::path::PathBuf;

use super::plan::Place;
use crate::error::{Error, Kind, Result};
use crate::spec;

pub(super) use cpu::weight;
pub(super) use restore::restoring;

/// The hint where a controller is missing altogether.
pub(super) const MOUNT: &str = "cgroup v2 is mounted with: mount -t cgroup2 none /sys/fs/cgroup";

/// One value for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Write {
    /// The file.
    pub(super) file: PathBuf,
    /// What it gets.
    pub(super) value: String,
    /// File and value for a kernel without the first.
    pub(super) otherwise: Option<(PathBuf, String)>,
    /// Whether a kernel without the file does already what is asked for.
    pub(super) optional: bool,
    /// The member of config.json that asks for it.
    pub(super) pointer: String,
}

/// One thing to do in the container's cgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Write a value.
    Write(Write),
    /// Values of which the kernel refuses some while others have not been written: memory, and
    /// memory with swap, for example, where neither may pass the other in between. If they are legal
    /// together, some order is.
    Together(Vec<Write>),
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
    /// Whether the container exists, so that taking a limit away is something to do.
    live: bool,
    /// Before the first process: the kernel refuses one with real-time scheduling otherwise.
    pub(super) early: Vec<Step>,
    /// The limits.
    pub(super) limits: Vec<Step>,
    /// The controllers that the v2 cgroup has to have for that.
    pub(super) controllers: Vec<String>,
    /// What was asked for and has no effect.
    pub(super) warnings: Vec<String>,
}

/// The directory that holds a limit, and of which version it is.
struct Target {
    directory: PathBuf,
    unified: bool,
    pointer: String,
}

impl Target {
    fn value(&self, file: &str, value: &impl ToString) -> Write {
        let (file, value) = (self.directory.join(file), value.to_string());
        Write { file, value, otherwise: None, optional: false, pointer: self.pointer.clone() }
    }

    fn write(&self, file: &str, value: &impl ToString) -> Step {
        Step::Write(self.value(file, value))
    }

    fn optional(&self, file: &str, value: &impl ToString) -> Write {
        Write { optional: true, ..self.value(file, value) }
    }

    fn either(&self, (file, value): (&str, &str), (other, instead): (&str, &str)) -> Step {
        let otherwise = Some((self.directory.join(other), instead.to_owned()));
        Step::Write(Write { otherwise, ..self.value(file, &value) })
    }
}

const RESOURCES: &str = "/linux/resources";

impl Steps {
    /// Converts all limits but those of devices for a new container with these cgroups.
    ///
    /// # Errors
    /// Mistakes, with their pointers; of kind `System` where no cgroup can hold a limit.
    pub(super) fn compile(resources: &spec::Resources, places: &[Place]) -> Result<Steps> {
        Steps::default().with(resources, places)
    }

    /// The same for a container that exists.
    ///
    /// # Errors
    /// As [`Steps::compile`].
    pub(super) fn compile_live(resources: &spec::Resources, places: &[Place]) -> Result<Steps> {
        Steps { live: true, ..Steps::default() }.with(resources, places)
    }

    fn with(mut self, resources: &spec::Resources, places: &[Place]) -> Result<Steps> {
        self.cpu(&resources.cpu, places)?;
        self.cpuset(&resources.cpu, places)?;
        self.memory(&resources.memory, places)?;
        self.block_io(&resources.block_io, places)?;
        self.hugepages(&resources.hugepage_limits, places)?;
        self.pids(&resources.pids, places)?;
        self.network(&resources.network, places)?;
        self.rdma(&resources.rdma, places)?;
        // Last: it is the most exact word, and may repeat what was said before.
        self.unified(&resources.unified, places)?;
        Ok(self)
    }

    /// Where a limit goes; v2 has a controller only if it is turned on, so that is noted.
    fn target(&mut self, controller: &str, places: &[Place], member: &str) -> Result<Target> {
        let pointer = format!("{RESOURCES}/{member}");
        let found = self.find(controller, places, &pointer).ok_or_else(|| {
            let text = format!(
                "{pointer}: no cgroup hierarchy that can be used has the controller `{controller}`"
            );
            Error::message(Kind::System, text)
        })?;
        if found.unified {
            self.need(controller);
        }
        Ok(found)
    }

    fn need(&mut self, controller: &str) {
        if !self.controllers.iter().any(|known| known == controller) {
            self.controllers.push(controller.to_owned());
        }
    }

    /// The same for what cgroup v2 has no counterpart of; `instead` says so.
    fn legacy_target(
        &mut self,
        controller: &str,
        places: &[Place],
        (member, instead): (&str, &str),
    ) -> Result<Target> {
        match self.target(controller, places, member)? {
            target if target.unified => Err(Error::config(target.pointer, instead)),
            target => Ok(target),
        }
    }

    fn find(&self, controller: &str, places: &[Place], pointer: &str) -> Option<Target> {
        let legacy = places.iter().find(|place| place.has(controller));
        let place = legacy.or_else(|| places.iter().find(|place| place.unified))?;
        let (directory, unified) = (place.directory.clone(), place.unified);
        Some(Target { directory, unified, pointer: pointer.to_owned() })
    }

    /// Takes a limit away, which asks for nothing where no controller could have set one.
    fn lifted(
        &self,
        (controller, member): (&str, &str),
        places: &[Place],
        (v1, v2): ((&str, &str), (&str, &str)),
    ) -> Option<Write> {
        let target = self.find(controller, places, &format!("{RESOURCES}/{member}"))?;
        let (file, value) = if target.unified { v2 } else { v1 };
        Some(target.optional(file, &value))
    }

    fn lift(&mut self, what: (&str, &str), places: &[Place], files: ((&str, &str), (&str, &str))) {
        self.limits.extend(self.lifted(what, places, files).map(Step::Write));
    }

    fn together(&mut self, mut writes: Vec<Write>) {
        match writes.len() {
            0 => {}
            1 => self.limits.extend(writes.pop().map(Step::Write)),
            _ => self.limits.push(Step::Together(writes)),
        }
    }

    fn pids(&mut self, pids: &spec::Pids, places: &[Place]) -> Result<()> {
        const MEMBER: &str = "pids/limit";
        match pids.limit {
            None => {}
            Some(-1) => {
                self.lift(("pids", MEMBER), places, (("pids.max", "max"), ("pids.max", "max")));
            }
            Some(limit) if limit < 0 => {
                let text = format!("{limit} is neither a number nor -1");
                return Err(Error::config(format!("{RESOURCES}/{MEMBER}"), text));
            }
            Some(limit) => {
                let target = self.target("pids", places, MEMBER)?;
                self.limits.push(target.write("pids.max", &limit));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Steps {
        fn texts(&self) -> Vec<String> {
            self.early.iter().chain(&self.limits).flat_map(texts).collect()
        }
    }

    fn texts(step: &Step) -> Vec<String> {
        match step {
            Step::Write(write) => vec![text(write)],
            Step::Together(writes) => writes.iter().map(|write| text(write) + " &").collect(),
            Step::Check { file, limit } => vec![format!("{} <= {limit}", file.display())],
        }
    }

    fn text(write: &Write) -> String {
        let other = write.otherwise.as_ref();
        let other = other.map_or(String::new(), |(file, value)| {
            format!(" | {} = {value}", file.file_name().unwrap().to_string_lossy())
        });
        let optional = if write.optional { " ?" } else { "" };
        format!("{} = {}{other}{optional}", write.file.display(), write.value)
    }

    fn place(controllers: &str, unified: bool) -> Place {
        let directory = PathBuf::from(format!("/{}", if unified { "v2" } else { controllers }));
        let mount = PathBuf::from("/");
        let controllers = controllers.split(',').filter(|name| !name.is_empty());
        let controllers = controllers.map(str::to_owned).collect();
        Place { mount, controllers, unified, directory }
    }

    fn v1() -> Vec<Place> {
        ["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "net_cls", "net_prio", "rdma"]
            .iter()
            .map(|name| place(name, false))
            .collect()
    }

    fn steps(json: &str, places: &[Place]) -> Result<Steps> {
        Steps::compile(&serde_json::from_str(json).unwrap(), places)
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
                    "/cpu/cpu.cfs_period_us = 20000 &",
                    "/cpu/cpu.cfs_quota_us = 50000 &",
                    "/cpu/cpu.cfs_burst_us = 7 &",
                    "/cpu/cpu.shares = 2 &",
                    "/cpu/cpu.idle = 1 &",
                ],
                &[
                    "/v2/cpu.max = 50000 20000 &",
                    "/v2/cpu.max.burst = 7 &",
                    "/v2/cpu.weight = 1 &",
                    "/v2/cpu.idle = 1 &",
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
                &["/cpu/cpu.cfs_period_us = 1000 &", "/cpu/cpu.cfs_quota_us = -1 &"],
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
                &[
                    "/memory/memory.limit_in_bytes = 4096 &",
                    "/memory/memory.memsw.limit_in_bytes = 10000 &",
                    "/memory/memory.soft_limit_in_bytes = 10",
                ],
                &["/v2/memory.swap.max = 5904", "/v2/memory.max = 4096", "/v2/memory.low = 10"],
            ),
            (
                r#"{"limit":4096,"swap":4096}"#,
                &[
                    "/memory/memory.limit_in_bytes = 4096 &",
                    "/memory/memory.memsw.limit_in_bytes = 4096 &",
                ],
                &["/v2/memory.swap.max = 0 ?", "/v2/memory.max = 4096"],
            ),
            (
                r#"{"limit":4096,"swap":-1}"#,
                &[
                    "/memory/memory.limit_in_bytes = 4096 &",
                    "/memory/memory.memsw.limit_in_bytes = -1 ? &",
                ],
                &["/v2/memory.swap.max = max ?", "/v2/memory.max = 4096"],
            ),
            (
                r#"{"limit":-1}"#,
                &[
                    "/memory/memory.memsw.limit_in_bytes = -1 ? &",
                    "/memory/memory.limit_in_bytes = -1 ? &",
                ],
                &["/v2/memory.swap.max = max ? &", "/v2/memory.max = max ? &"],
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
                "/cpu/cpu.rt_period_us = 1000 &",
                "/cpu/cpu.rt_runtime_us = 900 &",
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
            (r#"{"blockIO":{"weight":5}}"#, "blockIO/weight: 5 is not between 10 and 1000"),
            (
                r#"{"blockIO":{"leafWeight":10}}"#,
                "blockIO/leafWeight: Linux has no leaf weights since 5.0, which dropped the CFQ scheduler",
            ),
            (
                r#"{"blockIO":{"throttleReadIOPSDevice":[{"major":-8,"minor":0,"rate":1}]}}"#,
                "blockIO/throttleReadIOPSDevice/0: -8:0 is no device number",
            ),
            (
                r#"{"hugepageLimits":[{"pageSize":"2M","limit":0}]}"#,
                "hugepageLimits/0/pageSize: `2M` is no size like 2MB or 1GB",
            ),
            (r#"{"rdma":{"a b":{"hcaHandles":3}}}"#, "rdma/a b: `a b` is no name of a device"),
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
    fn devices_pages_packets() {
        for (json, on_v1, on_v2) in [
            (
                r#"{"blockIO":{"weight":500,"weightDevice":[{"major":8,"minor":0,"weight":10}]}}"#,
                &[
                    "/blkio/blkio.bfq.weight = 500 | blkio.weight = 500",
                    "/blkio/blkio.bfq.weight_device = 8:0 10 | blkio.weight_device = 8:0 10",
                ][..],
                &[
                    "/v2/io.bfq.weight = 500 | io.weight = 4950",
                    "/v2/io.bfq.weight = 8:0 10 | io.weight = 8:0 1",
                ][..],
            ),
            (
                r#"{"blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":1048576}],
                    "throttleWriteBpsDevice":[{"major":8,"minor":1,"rate":0}],
                    "throttleReadIOPSDevice":[{"major":8,"minor":0,"rate":7}],
                    "throttleWriteIOPSDevice":[{"major":8,"minor":0,"rate":9}]}}"#,
                &[
                    "/blkio/blkio.throttle.read_bps_device = 8:0 1048576",
                    "/blkio/blkio.throttle.read_iops_device = 8:0 7",
                    "/blkio/blkio.throttle.write_iops_device = 8:0 9",
                ],
                &[
                    "/v2/io.max = 8:0 rbps=1048576",
                    "/v2/io.max = 8:0 riops=7",
                    "/v2/io.max = 8:0 wiops=9",
                ],
            ),
            (
                r#"{"hugepageLimits":[{"pageSize":"2MB","limit":0}]}"#,
                &[
                    "/hugetlb/hugetlb.2MB.rsvd.limit_in_bytes = 0 ?",
                    "/hugetlb/hugetlb.2MB.limit_in_bytes = 0",
                ],
                &["/v2/hugetlb.2MB.rsvd.max = 0 ?", "/v2/hugetlb.2MB.max = 0"],
            ),
            (
                r#"{"rdma":{"m":{"hcaHandles":3},"n":{"hcaHandles":1,"hcaObjects":2},"x":{}}}"#,
                &[
                    "/rdma/rdma.max = m hca_handle=3",
                    "/rdma/rdma.max = n hca_handle=1 hca_object=2",
                ],
                &["/v2/rdma.max = m hca_handle=3", "/v2/rdma.max = n hca_handle=1 hca_object=2"],
            ),
        ] {
            assert_eq!(steps(json, &v1()).unwrap().texts(), on_v1, "{json}");
            assert_eq!(steps(json, &[place("", true)]).unwrap().texts(), on_v2, "{json}");
        }
        let json = r#"{"network":{"classID":1048577,"priorities":[{"name":"lo","priority":3}]}}"#;
        let on_v1 = ["/net_cls/net_cls.classid = 1048577", "/net_prio/net_prio.ifpriomap = lo 3"];
        assert_eq!(steps(json, &v1()).unwrap().texts(), on_v1);
        let error = steps(json, &[place("", true)]).unwrap_err().to_string();
        assert!(error.starts_with("/linux/resources/network/classID: cgroup v2 has"), "{error}");
    }

    #[test]
    fn unified_files_are_written_as_they_are() {
        let json = r#"{"unified":{"memory.high":"1073741824","cgroup.max.depth":"3",
            "io.max":"8:0 rbps=1\n8:16 rbps=2\n","frob.min":"max"}}"#;
        let found = steps(json, &[place("pids", false), place("", true)]).unwrap();
        assert_eq!(
            found.texts(),
            [
                "/v2/cgroup.max.depth = 3",
                "/v2/frob.min = max",
                "/v2/io.max = 8:0 rbps=1",
                "/v2/io.max = 8:16 rbps=2",
                "/v2/memory.high = 1073741824",
            ]
        );
        assert_eq!(found.controllers, ["frob", "io", "memory"]);
        let error = steps(json, &v1()).unwrap_err();
        assert_eq!(error.kind(), Kind::System);
        for name in ["memory", ".high", "memory.", "../a.b", "a.b/c"] {
            let json = format!(r#"{{"unified":{{"{name}":"1"}}}}"#);
            let error = steps(&json, &[place("", true)]).unwrap_err().to_string();
            assert!(error.ends_with(": is no name of a cgroup file"), "{error}");
        }
    }

    #[test]
    fn a_live_container_may_lose_limits() {
        let json = r#"{"cpu":{"burst":0,"idle":0,"shares":512,"quota":50000},
            "memory":{"disableOOMKiller":false},
            "blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":0}]}}"#;
        let resources = serde_json::from_str(json).unwrap();
        let live = |places: &[Place]| Steps::compile_live(&resources, places).unwrap().texts();
        assert_eq!(
            live(&v1()),
            [
                "/cpu/cpu.cfs_quota_us = 50000 &",
                "/cpu/cpu.cfs_burst_us = 0 ? &",
                "/cpu/cpu.shares = 512 &",
                "/cpu/cpu.idle = 0 ? &",
                "/memory/memory.oom_control = 0 ?",
                "/blkio/blkio.throttle.read_bps_device = 8:0 0",
            ]
        );
        assert_eq!(
            live(&[place("", true)]),
            [
                "/v2/cpu.max = 50000 &",
                "/v2/cpu.max.burst = 0 ? &",
                "/v2/cpu.weight = 59 &",
                "/v2/cpu.idle = 0 ? &",
                "/v2/io.max = 8:0 rbps=max",
            ]
        );
    }

    #[test]
    fn what_asks_for_nothing_needs_no_hierarchy() {
        let nothing = r#"{"blockIO":{"weight":0,"weightDevice":[],"throttleReadBpsDevice":null},
            "hugepageLimits":[],"network":{"classID":0,"priorities":[]},"rdma":{"x":{}},"unified":{}}"#;
        assert_eq!(steps(nothing, &[]).unwrap().texts(), [""; 0]);
    }
}
