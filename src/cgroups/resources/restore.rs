//! Pure: what to write to have a file of a cgroup as it was.

/// What puts `old`, the content of the file `name`, in force again after `written` was written to
/// it.
pub(in crate::cgroups) fn restoring(name: &str, written: &str, old: &str) -> String {
    if name == "memory.oom_control" {
        let line = old.lines().find_map(|line| line.strip_prefix("oom_kill_disable "));
        return line.unwrap_or("0").to_owned();
    }
    let is_weight = name.ends_with("weight");
    let Some((key, rest)) = written.split_once(' ').filter(|_| name != "cpu.max") else {
        // `default 100`, with devices in further lines.
        let first = if is_weight { old.lines().next().unwrap_or_default() } else { old.trim() };
        let value = first.strip_prefix("default ").unwrap_or(first);
        // A cpuset without processors of its own is emptied by an empty line.
        return if value.is_empty() { "\n".to_owned() } else { value.to_owned() };
    };
    // One line a device, or none for one without a limit.
    let prefix = format!("{key} ");
    if let Some(line) = old.lines().find(|line| line.starts_with(&prefix)) {
        return line.trim_end().to_owned();
    }
    let none: Vec<String> = match name {
        _ if name.contains("weight") => vec!["default".to_owned()],
        _ if name.starts_with("blkio.throttle.") => vec!["0".to_owned()],
        _ => rest
            .split(' ')
            .map(|word| {
                word.split_once('=').map_or("max".to_owned(), |(key, _)| format!("{key}=max"))
            })
            .collect(),
    };
    format!("{key} {}", none.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_file() {
        for (name, written, old, expected) in [
            ("pids.max", "5", "max\n", "max"),
            ("memory.limit_in_bytes", "5", "9223372036854771712\n", "9223372036854771712"),
            ("memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "0"),
            ("cpu.max", "5000 10000", "max 100000\n", "max 100000"),
            ("cpu.max", "5000", "7000 100000\n", "7000 100000"),
            ("cpuset.cpus", "0", "\n", "\n"),
            ("cpuset.cpus", "0", "0-1\n", "0-1"),
            ("io.weight", "5", "default 100\n8:0 20\n", "100"),
            ("io.weight", "8:0 5", "default 100\n8:0 20\n", "8:0 20"),
            ("io.weight", "8:0 5", "default 100\n", "8:0 default"),
            ("blkio.bfq.weight", "5", "100\n", "100"),
            ("blkio.bfq.weight_device", "8:0 5", "", "8:0 default"),
            ("io.max", "8:0 rbps=5", "8:0 rbps=max wbps=7\n", "8:0 rbps=max wbps=7"),
            ("io.max", "8:0 rbps=5 wiops=3", "8:16 rbps=1\n", "8:0 rbps=max wiops=max"),
            ("blkio.throttle.read_bps_device", "8:0 5", "8:1 7\n", "8:0 0"),
            ("blkio.throttle.read_bps_device", "8:0 5", "8:0 7\n", "8:0 7"),
            ("net_prio.ifpriomap", "lo 5", "lo 0\neth0 0\n", "lo 0"),
            (
                "rdma.max",
                "m hca_handle=1",
                "m hca_handle=max hca_object=2\n",
                "m hca_handle=max hca_object=2",
            ),
            ("misc.max", "res_a 1", "", "res_a max"),
        ] {
            assert_eq!(restoring(name, written, old), expected, "{name} {written}");
        }
    }
}
