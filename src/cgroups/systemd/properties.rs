//! Pure: `linux.resources` as properties of a unit: what systemd has properties for. It writes them
//! again whenever it reloads, so they have to say what the files say.

use super::wire::{Properties, Value};
use crate::cgroups::devices::Devices;
use crate::error::Result;
use crate::spec;

/// No limit.
const INFINITY: u64 = u64::MAX;

/// Limits; on cgroup v2 or with the names of v1.
pub(in crate::cgroups) fn resource_properties(
    resources: &spec::Resources,
    unified: bool,
) -> Properties {
    let mut properties = Properties::new();
    let mut put = |name: &str, value: Option<u64>| {
        properties.extend(value.map(|value| (name.to_owned(), Value::U64(value))));
    };
    let memory = &resources.memory;
    put(if unified { "MemoryMax" } else { "MemoryLimit" }, bytes(memory.limit));
    if unified {
        put("MemoryLow", bytes(memory.reservation));
        put("MemorySwapMax", swap(memory));
    }
    let cpu = &resources.cpu;
    let shares = cpu.shares.filter(|shares| *shares != 0);
    match shares {
        Some(shares) if unified => {
            put("CPUWeight", Some(crate::cgroups::resources::weight(shares)));
        }
        shares => put("CPUShares", shares),
    }
    put("CPUQuotaPeriodUSec", cpu.period.filter(|period| *period != 0));
    put("CPUQuotaPerSecUSec", quota_per_second(cpu));
    put("TasksMax", resources.pids.limit.map(|limit| u64::try_from(limit).unwrap_or(INFINITY)));
    if unified {
        for (name, list) in [("AllowedCPUs", &cpu.cpus), ("AllowedMemoryNodes", &cpu.mems)] {
            let mask = mask(list).map(Value::Bytes);
            properties.extend(mask.map(|mask| (name.to_owned(), mask)));
        }
    }
    properties
}

/// Rules for devices. systemd has a list of what is allowed; rules that do not fit into one are left
/// to rrun's own program.
///
/// # Errors
/// Mistakes in the rules.
pub(in crate::cgroups) fn device_properties(rules: &[spec::DeviceRule]) -> Result<Properties> {
    let policy = |policy: &str| ("DevicePolicy".to_owned(), Value::Text(policy.to_owned()));
    let list = |pairs| ("DeviceAllow".to_owned(), Value::Pairs(pairs));
    // An empty list takes back what was there.
    Ok(match Devices::parse(rules)?.allowed()? {
        Some(allowed) => vec![policy("strict"), list(Vec::new()), list(allowed)],
        None => vec![policy("auto"), list(Vec::new())],
    })
}

/// Bytes; 0 says nothing, -1 no limit.
fn bytes(value: Option<i64>) -> Option<u64> {
    let value = value.filter(|value| *value != 0)?;
    Some(u64::try_from(value).unwrap_or(INFINITY))
}

/// Swap by itself, as v2 counts it.
fn swap(memory: &spec::Memory) -> Option<u64> {
    match (bytes(memory.limit), bytes(memory.swap)) {
        (_, Some(INFINITY)) => Some(INFINITY),
        (Some(INFINITY), None) => Some(INFINITY),
        (Some(limit), Some(both)) => Some(both.saturating_sub(limit)),
        _ => None,
    }
}

/// Microseconds a second, in whole percents, as systemd keeps them, rounded up.
fn quota_per_second(cpu: &spec::Cpu) -> Option<u64> {
    const PERCENT: u64 = 10_000;
    let quota = cpu.quota.filter(|quota| *quota != 0)?;
    let Ok(quota) = u64::try_from(quota) else { return Some(INFINITY) };
    let period = cpu.period.filter(|period| *period != 0).unwrap_or(100_000);
    let exact = u128::from(quota) * 1_000_000 / u128::from(period);
    u64::try_from(exact).ok().map(|exact| exact.div_ceil(PERCENT) * PERCENT)
}

/// A list of numbers (`0-3,7`) as bits, the lowest in the first byte. None for an empty list, or one
/// that the kernel will refuse in its own words.
fn mask(list: &str) -> Option<Vec<u8>> {
    const HIGHEST: usize = 1 << 13;
    let mut bytes = Vec::new();
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        for number in first..=last.min(HIGHEST) {
            if bytes.len() <= number / 8 {
                bytes.resize(number / 8 + 1, 0);
            }
            if let Some(byte) = bytes.get_mut(number / 8) {
                *byte |= 1 << (number % 8);
            }
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str, unified: bool) -> Vec<String> {
        let properties = resource_properties(&serde_json::from_str(json).unwrap(), unified);
        properties.iter().map(|(name, value)| format!("{name}={value:?}")).collect()
    }

    #[test]
    fn limits() {
        let json = r#"{"memory":{"limit":10,"swap":30,"reservation":-1},"pids":{"limit":-1},
            "cpu":{"shares":512,"quota":25000,"period":50000,"cpus":"0-1,9"}}"#;
        assert_eq!(
            shown(json, true),
            [
                "MemoryMax=U64(10)",
                "MemoryLow=U64(18446744073709551615)",
                "MemorySwapMax=U64(20)",
                "CPUWeight=U64(59)",
                "CPUQuotaPeriodUSec=U64(50000)",
                "CPUQuotaPerSecUSec=U64(500000)",
                "TasksMax=U64(18446744073709551615)",
                "AllowedCPUs=Bytes([3, 2])",
            ]
        );
        assert_eq!(
            shown(json, false),
            [
                "MemoryLimit=U64(10)",
                "CPUShares=U64(512)",
                "CPUQuotaPeriodUSec=U64(50000)",
                "CPUQuotaPerSecUSec=U64(500000)",
                "TasksMax=U64(18446744073709551615)",
            ]
        );
        assert_eq!(shown("{}", true), [""; 0]);
        assert_eq!(
            shown(r#"{"cpu":{"quota":-1}}"#, true),
            [format!("CPUQuotaPerSecUSec=U64({INFINITY})")]
        );
        assert_eq!(shown(r#"{"cpu":{"quota":12345}}"#, true), ["CPUQuotaPerSecUSec=U64(130000)"]);
    }

    #[test]
    fn devices() {
        let of = |json: &str| {
            let rules: Vec<spec::DeviceRule> = serde_json::from_str(json).unwrap();
            device_properties(&rules).unwrap()
        };
        let properties = of(r#"[{"allow":true,"type":"c","major":195,"access":"rw"}]"#);
        let (_, Value::Pairs(list)) = &properties[2] else { panic!("{properties:?}") };
        assert_eq!(properties[0].1, Value::Text("strict".to_owned()));
        for (what, access) in
            [("char-195", "rwm"), ("char-*", "m"), ("/dev/char/1:3", "rwm"), ("char-136", "rwm")]
        {
            assert!(list.contains(&(what.to_owned(), access.to_owned())), "{what}: {list:?}");
        }
        for json in [r#"[{"allow":true}]"#, r#"[{"allow":true,"type":"c","minor":3}]"#] {
            assert_eq!(of(json)[0].1, Value::Text("auto".to_owned()), "{json}");
        }
    }
}
