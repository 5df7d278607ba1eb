//! Pure: what the files of a cgroup count, read into the document that `events` prints.
//!
//! Names and units are runc's, since containerd decodes them; what cgroup v2 counts otherwise is
//! converted to what v1 says. `frozen` and the pressures (PSI) are more than that.

use std::collections::BTreeMap;

use serde::Serialize;

/// Everything that is counted.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Processor time.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Memory,
    /// Processes.
    pub pids: Pids,
    /// Block devices.
    pub blkio: Blkio,
    /// Huge pages, by size.
    pub hugetlb: BTreeMap<String, Hugetlb>,
    /// Interfaces that the runtime made: rrun makes none.
    pub network_interfaces: [(); 0],
    /// Whether the processes are frozen.
    pub frozen: bool,
}

/// Processor time, in nanoseconds.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Cpu {
    /// What was used.
    pub usage: CpuUsage,
    /// What was withheld.
    pub throttling: Throttling,
    /// Time that was lost by waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psi: Option<Pressure>,
}

/// Processor time that was used.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct CpuUsage {
    /// Together.
    pub total: u64,
    /// By processor (v1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub percpu: Vec<u64>,
    /// In the kernel, by processor (v1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub percpu_kernel: Vec<u64>,
    /// In programs, by processor (v1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub percpu_user: Vec<u64>,
    /// In the kernel.
    pub kernel: u64,
    /// In programs.
    pub user: u64,
}

/// Processor time that was withheld.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Throttling {
    /// Periods so far.
    pub periods: u64,
    /// Those whose quota was used up.
    pub throttled_periods: u64,
    /// Nanoseconds.
    pub throttled_time: u64,
}

/// Time lost by waiting for something (PSI).
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Pressure {
    /// By some process.
    pub some: PressureLine,
    /// By all of them.
    pub full: PressureLine,
}

/// One line of a pressure file.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct PressureLine {
    /// Percent of the last 10 seconds.
    pub avg10: f64,
    /// Percent of the last minute.
    pub avg60: f64,
    /// Percent of the last 5 minutes.
    pub avg300: f64,
    /// Microseconds.
    pub total: u64,
}

/// Memory, in bytes.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// Pages of files.
    pub cache: u64,
    /// Memory; `max` is the peak.
    pub usage: MemoryEntry,
    /// Memory and swap together.
    pub swap: MemoryEntry,
    /// The kernel's (v1).
    pub kernel: MemoryEntry,
    /// Buffers of TCP (v1).
    #[serde(rename = "kernelTCP")]
    pub kernel_tcp: MemoryEntry,
    /// memory.stat.
    pub raw: BTreeMap<String, u64>,
    /// Time that was lost by waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psi: Option<Pressure>,
}

/// One kind of memory.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemoryEntry {
    /// What may be used.
    pub limit: u64,
    /// What is used.
    pub usage: u64,
    /// What was used at most.
    pub max: u64,
    /// How often the limit was met.
    pub failcnt: u64,
}

/// Processes.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pids {
    /// How many there are.
    pub current: u64,
    /// How many there may be; 0 is any number.
    pub limit: u64,
}

/// Block devices.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blkio {
    /// Bytes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_service_bytes_recursive: Vec<BlkioEntry>,
    /// Requests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_serviced_recursive: Vec<BlkioEntry>,
    /// Time that was lost by waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psi: Option<Pressure>,
}

/// A number of one device.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct BlkioEntry {
    /// Its major number.
    pub major: u64,
    /// Its minor number.
    pub minor: u64,
    /// Read, Write, …
    pub op: String,
    /// The number.
    pub value: u64,
}

/// One size of huge pages, in bytes.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hugetlb {
    /// What is used.
    pub usage: u64,
    /// What was used at most (v1).
    pub max: u64,
    /// How often the limit was met.
    pub failcnt: u64,
}

/// A file with one number; `max` is the highest.
pub(super) fn number(text: &str) -> u64 {
    match text.trim() {
        "max" => u64::MAX,
        text => text.parse().unwrap_or(0),
    }
}

/// A file with a name and a number in each line.
pub(super) fn keyed(text: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let (key, value) = line.split_once(' ')?;
        Some((key.to_owned(), value.trim().parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// A pressure file. None where the kernel does not measure.
pub(super) fn pressure(text: &str) -> Option<Pressure> {
    let line = |name: &str| {
        let words = text.lines().find_map(|line| line.strip_prefix(name))?;
        let value =
            |key: &str| words.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        let percent = |key| value(key).and_then(|text| text.parse().ok()).unwrap_or(0.0);
        Some(PressureLine {
            avg10: percent("avg10"),
            avg60: percent("avg60"),
            avg300: percent("avg300"),
            total: value("total").and_then(|text| text.parse().ok()).unwrap_or(0),
        })
    };
    Some(Pressure { some: line("some ")?, full: line("full ").unwrap_or_default() })
}

/// io.stat of v2: bytes and requests.
pub(super) fn io_stat(text: &str) -> (Vec<BlkioEntry>, Vec<BlkioEntry>) {
    let (mut bytes, mut requests) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let mut words = line.split(' ');
        let Some((major, minor)) = words.next().and_then(device) else { continue };
        for word in words {
            let Some((key, value)) = word.split_once('=') else { continue };
            let (list, op) = match key {
                "rbytes" => (&mut bytes, "Read"),
                "wbytes" => (&mut bytes, "Write"),
                "dbytes" => (&mut bytes, "Discard"),
                "rios" => (&mut requests, "Read"),
                "wios" => (&mut requests, "Write"),
                "dios" => (&mut requests, "Discard"),
                _ => continue,
            };
            list.push(BlkioEntry { major, minor, op: op.to_owned(), value: number(value) });
        }
    }
    (bytes, requests)
}

/// A blkio file of v1: `8:0 Read 4096`; the sum of all devices at its end is left out.
pub(super) fn blkio(text: &str) -> Vec<BlkioEntry> {
    let entry = |line: &str| {
        let mut words = line.split(' ');
        let (major, minor) = device(words.next()?)?;
        let (op, value) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
        Some(BlkioEntry { major, minor, op, value })
    };
    text.lines().filter_map(entry).collect()
}

fn device(text: &str) -> Option<(u64, u64)> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// cpuacct.usage_all of v1: programs and kernel, by processor.
pub(super) fn by_processor(text: &str) -> (Vec<u64>, Vec<u64>) {
    let numbers = |line: &str| {
        let mut words = line.split(' ').map(str::parse::<u64>);
        let (_, user, kernel) = (words.next()?.ok()?, words.next()?.ok()?, words.next()?.ok()?);
        Some((user, kernel))
    };
    text.lines().filter_map(numbers).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_both_versions() {
        assert_eq!((number("max\n"), number("7\n"), number("")), (u64::MAX, 7, 0));
        assert_eq!(keyed("a 1\nb 2\nc x\n"), [("a".to_owned(), 1), ("b".to_owned(), 2)].into());
        let text = "some avg10=1.50 avg60=0.25 avg300=0.00 total=99\n\
                    full avg10=0.00 avg60=0.00 avg300=0.10 total=5\n";
        let found = pressure(text).unwrap();
        assert_eq!((found.some.avg10, found.some.avg60, found.some.total), (1.5, 0.25, 99));
        assert_eq!((found.full.avg300, found.full.total), (0.1, 5));
        assert_eq!(pressure(""), None);
        let (bytes, requests) = io_stat("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n");
        let values = |list: &[BlkioEntry]| {
            list.iter()
                .map(|it| format!("{}:{} {} {}", it.major, it.minor, it.op, it.value))
                .collect::<Vec<_>>()
        };
        assert_eq!(values(&bytes), ["8:0 Read 1", "8:0 Write 2", "8:0 Discard 5"]);
        assert_eq!(values(&requests), ["8:0 Read 3", "8:0 Write 4", "8:0 Discard 6"]);
        let found = blkio("8:0 Read 4096\n8:0 Total 4096\nTotal 4096\n");
        assert_eq!(values(&found), ["8:0 Read 4096", "8:0 Total 4096"]);
        assert_eq!(by_processor("cpu user system\n0 5 6\n1 7 8\n"), (vec![5, 7], vec![6, 8]));
    }

    #[test]
    fn the_names_are_those_that_containerd_decodes() {
        let mut stats = Stats::default();
        stats.hugetlb.insert("2MB".to_owned(), Hugetlb::default());
        stats.blkio.io_serviced_recursive.push(BlkioEntry::default());
        let json = serde_json::to_value(stats).unwrap();
        for pointer in [
            "/cpu/usage/total",
            "/cpu/usage/kernel",
            "/cpu/usage/user",
            "/cpu/throttling/periods",
            "/cpu/throttling/throttledPeriods",
            "/cpu/throttling/throttledTime",
            "/memory/cache",
            "/memory/usage/limit",
            "/memory/swap/usage",
            "/memory/kernel/max",
            "/memory/kernelTCP/failcnt",
            "/memory/raw",
            "/pids/current",
            "/pids/limit",
            "/blkio/ioServicedRecursive/0/major",
            "/hugetlb/2MB/failcnt",
            "/network_interfaces",
            "/frozen",
        ] {
            assert!(json.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
