//! Reading what a container's cgroups count. A file that a kernel does not have counts nothing.

use std::path::Path;

use super::files;
use super::record::Record;
use super::stats::{self, Hugetlb, MemoryEntry, Stats};

/// Nanoseconds of a tick in cpuacct.stat: the kernel shows 100 a second to programs, whatever it
/// counts in itself.
const TICK: u64 = 10_000_000;

fn text(directory: &Path, file: &str) -> String {
    files::read(&directory.join(file)).unwrap_or_default()
}

fn number(directory: &Path, file: &str) -> u64 {
    stats::number(&text(directory, file))
}

impl Record {
    /// What is counted now.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats { frozen: self.is_frozen(), ..Stats::default() };
        self.cpu(&mut stats.cpu);
        self.memory(&mut stats.memory);
        if let Some(own) = self.holder("pids") {
            stats.pids.current = number(own, "pids.current");
            let limit = text(own, "pids.max");
            stats.pids.limit = if limit.trim() == "max" { 0 } else { stats::number(&limit) };
        }
        self.blkio(&mut stats.blkio);
        if let Some(own) = self.unified() {
            stats.cpu.psi = stats::pressure(&text(own, "cpu.pressure"));
            stats.memory.psi = stats::pressure(&text(own, "memory.pressure"));
            stats.blkio.psi = stats::pressure(&text(own, "io.pressure"));
        }
        self.hugetlb(&mut stats);
        stats
    }

    /// The cgroup with a controller, on v1 or else on v2.
    pub(super) fn holder(&self, controller: &str) -> Option<&Path> {
        self.legacy(controller).or(self.unified())
    }

    fn cpu(&self, cpu: &mut stats::Cpu) {
        if let Some(own) = self.legacy("cpuacct") {
            cpu.usage.total = number(own, "cpuacct.usage");
            let percpu = text(own, "cpuacct.usage_percpu");
            cpu.usage.percpu = percpu.split_whitespace().filter_map(|it| it.parse().ok()).collect();
            let by_processor = stats::by_processor(&text(own, "cpuacct.usage_all"));
            (cpu.usage.percpu_user, cpu.usage.percpu_kernel) = by_processor;
            let ticks = stats::keyed(&text(own, "cpuacct.stat"));
            cpu.usage.user = ticks.get("user").map_or(0, |ticks| ticks * TICK);
            cpu.usage.kernel = ticks.get("system").map_or(0, |ticks| ticks * TICK);
        }
        let Some(own) = self.holder("cpu") else { return };
        let found = stats::keyed(&text(own, "cpu.stat"));
        let value = |key: &str| found.get(key).copied();
        let throttling = &mut cpu.throttling;
        throttling.periods = value("nr_periods").unwrap_or(0);
        throttling.throttled_periods = value("nr_throttled").unwrap_or(0);
        let microseconds = value("throttled_usec").map(|time| time * 1000);
        throttling.throttled_time = value("throttled_time").or(microseconds).unwrap_or(0);
        if let Some(total) = value("usage_usec") {
            cpu.usage.total = total * 1000;
            cpu.usage.user = value("user_usec").unwrap_or(0) * 1000;
            cpu.usage.kernel = value("system_usec").unwrap_or(0) * 1000;
        }
    }

    fn memory(&self, memory: &mut stats::Memory) {
        if let Some(own) = self.legacy("memory") {
            let entry = |kind: &str| MemoryEntry {
                limit: number(own, &format!("memory.{kind}limit_in_bytes")),
                usage: number(own, &format!("memory.{kind}usage_in_bytes")),
                max: number(own, &format!("memory.{kind}max_usage_in_bytes")),
                failcnt: number(own, &format!("memory.{kind}failcnt")),
            };
            memory.usage = entry("");
            memory.swap = entry("memsw.");
            memory.kernel = entry("kmem.");
            memory.kernel_tcp = entry("kmem.tcp.");
            memory.raw = stats::keyed(&text(own, "memory.stat"));
            memory.cache = memory.raw.get("cache").copied().unwrap_or(0);
        } else if let Some(own) = self.unified() {
            let events = stats::keyed(&text(own, "memory.events"));
            memory.usage = MemoryEntry {
                limit: number(own, "memory.max"),
                usage: number(own, "memory.current"),
                max: number(own, "memory.peak"),
                failcnt: events.get("max").copied().unwrap_or(0),
            };
            // v1, and so everybody who reads this, counts swap with memory.
            let swap = number(own, "memory.swap.current");
            memory.swap = MemoryEntry {
                limit: memory.usage.limit.saturating_add(number(own, "memory.swap.max")),
                usage: memory.usage.usage.saturating_add(swap),
                ..MemoryEntry::default()
            };
            memory.raw = stats::keyed(&text(own, "memory.stat"));
            memory.cache = memory.raw.get("file").copied().unwrap_or(0);
        }
    }

    fn blkio(&self, blkio: &mut stats::Blkio) {
        if let Some(own) = self.legacy("blkio") {
            // BFQ's count what it schedules; those of the throttle count everything.
            let read = |name: &str| {
                let throttle = text(own, &format!("blkio.throttle.{name}_recursive"));
                stats::blkio(&throttle)
            };
            blkio.io_service_bytes_recursive = read("io_service_bytes");
            blkio.io_serviced_recursive = read("io_serviced");
        } else if let Some(own) = self.unified() {
            let (bytes, requests) = stats::io_stat(&text(own, "io.stat"));
            blkio.io_service_bytes_recursive = bytes;
            blkio.io_serviced_recursive = requests;
        }
    }

    fn hugetlb(&self, stats: &mut Stats) {
        let (own, is_legacy) = match (self.legacy("hugetlb"), self.unified()) {
            (Some(own), _) => (own, true),
            (None, Some(own)) => (own, false),
            (None, None) => return,
        };
        let suffix = if is_legacy { ".usage_in_bytes" } else { ".current" };
        let entries = std::fs::read_dir(own).into_iter().flatten().flatten();
        for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
            let size = name.strip_prefix("hugetlb.").and_then(|rest| rest.strip_suffix(suffix));
            let Some(size) = size.filter(|size| !size.contains('.')) else { continue };
            let file = |end: &str| format!("hugetlb.{size}.{end}");
            let counted = if is_legacy {
                Hugetlb {
                    usage: number(own, &name),
                    max: number(own, &file("max_usage_in_bytes")),
                    failcnt: number(own, &file("failcnt")),
                }
            } else {
                let events = stats::keyed(&text(own, &file("events")));
                let failcnt = events.get("max").copied().unwrap_or(0);
                Hugetlb { usage: number(own, &name), max: 0, failcnt }
            };
            stats.hugetlb.insert(size.to_owned(), counted);
        }
    }
}
