//! Pure: what `update` asks for, on top of what is in force.

use crate::spec;

/// All that is in force once `change` has been made to a container with `before`. What `change` does
/// not speak of stays; 0 and nothing are how engines do not speak of a limit.
pub(super) fn merged(before: &spec::Resources, change: &spec::Resources) -> spec::Resources {
    let mut after = before.clone();
    cpu(&mut after.cpu, &change.cpu);
    memory(&mut after.memory, &change.memory);
    block_io(&mut after.block_io, &change.block_io);
    if change.pids.limit.is_some() {
        after.pids = change.pids.clone();
    }
    put_all(&mut after.hugepage_limits, &change.hugepage_limits, |page| page.page_size.clone());
    if change.network.class_id.is_some() {
        after.network.class_id = change.network.class_id;
    }
    let priorities = &mut after.network.priorities;
    put_all(priorities, &change.network.priorities, |interface| interface.name.clone());
    after.rdma.extend(change.rdma.clone());
    after.unified.extend(change.unified.clone());
    if !change.devices.is_empty() {
        after.devices.clone_from(&change.devices);
    }
    after
}

/// What to write: the change, and those of its neighbours that share a file or a rule with it.
pub(super) fn with_neighbours(
    before: &spec::Resources,
    change: &spec::Resources,
) -> spec::Resources {
    let mut writes = change.clone();
    let is_set = |value: Option<i64>| value.is_some_and(|value| value != 0);
    // On v2 one file has quota and period. The kernel knows the period, but not what `max` was.
    if change.cpu.period.is_some_and(|period| period != 0) && !is_set(change.cpu.quota) {
        writes.cpu.quota = before.cpu.quota;
    }
    // Swap is counted with memory in config.json, and by itself on v2.
    let memory = &mut writes.memory;
    if is_set(memory.swap) && !is_set(memory.limit) {
        memory.limit = before.memory.limit;
    } else if is_set(memory.limit) && memory.limit != Some(-1) && !is_set(memory.swap) {
        memory.swap = before.memory.swap;
    }
    if memory.check_before_update.is_none() {
        memory.check_before_update = before.memory.check_before_update;
    }
    writes
}

fn set<T: PartialEq + Copy + Default>(own: &mut Option<T>, new: Option<T>) {
    if new.is_some_and(|new| new != T::default()) {
        *own = new;
    }
}

fn cpu(own: &mut spec::Cpu, new: &spec::Cpu) {
    set(&mut own.shares, new.shares);
    set(&mut own.quota, new.quota);
    set(&mut own.period, new.period);
    set(&mut own.realtime_runtime, new.realtime_runtime);
    set(&mut own.realtime_period, new.realtime_period);
    // For these two 0 is a value.
    own.burst = new.burst.or(own.burst);
    own.idle = new.idle.or(own.idle);
    for (own, new) in [(&mut own.cpus, &new.cpus), (&mut own.mems, &new.mems)] {
        if !new.is_empty() {
            own.clone_from(new);
        }
    }
}

fn memory(own: &mut spec::Memory, new: &spec::Memory) {
    if new.limit == Some(-1) && new.swap.is_none_or(|swap| swap == 0) {
        own.swap = Some(-1);
    }
    set(&mut own.limit, new.limit);
    set(&mut own.reservation, new.reservation);
    set(&mut own.swap, new.swap);
    set(&mut own.kernel, new.kernel);
    set(&mut own.kernel_tcp, new.kernel_tcp);
    own.swappiness = new.swappiness.filter(|value| *value != u64::MAX).or(own.swappiness);
    own.disable_oom_killer = new.disable_oom_killer.or(own.disable_oom_killer);
    own.use_hierarchy = new.use_hierarchy.or(own.use_hierarchy);
    own.check_before_update = new.check_before_update.or(own.check_before_update);
}

fn block_io(own: &mut spec::BlockIo, new: &spec::BlockIo) {
    set(&mut own.weight, new.weight);
    set(&mut own.leaf_weight, new.leaf_weight);
    put_all(&mut own.weight_device, &new.weight_device, |it| (it.major, it.minor));
    for (own, new) in [
        (&mut own.throttle_read_bps_device, &new.throttle_read_bps_device),
        (&mut own.throttle_write_bps_device, &new.throttle_write_bps_device),
        (&mut own.throttle_read_iops_device, &new.throttle_read_iops_device),
        (&mut own.throttle_write_iops_device, &new.throttle_write_iops_device),
    ] {
        put_all(own, new, |it| (it.major, it.minor));
    }
}

/// Replaces the members of `own` that have the key of a new one, and adds the others.
fn put_all<T: Clone, K: PartialEq>(own: &mut Vec<T>, new: &[T], key: impl Fn(&T) -> K) {
    for one in new {
        match own.iter_mut().find(|it| key(it) == key(one)) {
            Some(same) => *same = one.clone(),
            None => own.push(one.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(json: &str) -> spec::Resources {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_is_not_spoken_of_stays() {
        let before = resources(
            r#"{"cpu":{"shares":512,"quota":5000,"burst":7,"cpus":"0"},"memory":{"limit":10,"swap":20},
            "pids":{"limit":0},"unified":{"memory.high":"5"},"devices":[{"allow":true}],
            "blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":1}]}}"#,
        );
        // What Docker 20.10 sends for `docker update --restart no`.
        let nothing = resources(
            r#"{"cpu":{"shares":0,"quota":0,"period":0,"cpus":"","mems":""},"blockIO":{"weight":0},
            "memory":{"limit":0,"reservation":0,"kernel":0}}"#,
        );
        assert_eq!(merged(&before, &nothing), before);
        let change = resources(
            r#"{"cpu":{"shares":2,"burst":0},"memory":{"limit":15},"pids":{"limit":-1},
            "unified":{"memory.low":"1"},"devices":[{"allow":false}],
            "blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":3},
            {"major":8,"minor":1,"rate":4}]}}"#,
        );
        let expected = resources(
            r#"{"cpu":{"shares":2,"quota":5000,"burst":0,"cpus":"0"},"memory":{"limit":15,"swap":20},
            "pids":{"limit":-1},"unified":{"memory.high":"5","memory.low":"1"},
            "devices":[{"allow":false}],
            "blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":3},
            {"major":8,"minor":1,"rate":4}]}}"#,
        );
        assert_eq!(merged(&before, &change), expected);
        assert_eq!(
            merged(&before, &resources(r#"{"memory":{"limit":-1}}"#)).memory,
            resources(r#"{"memory":{"limit":-1,"swap":-1}}"#).memory
        );
    }

    #[test]
    fn neighbours_are_written_too() {
        let before =
            resources(r#"{"cpu":{"quota":5000},"memory":{"limit":10,"swap":20,"reservation":3}}"#);
        for (change, expected) in [
            (r#"{"memory":{"limit":15}}"#, r#"{"memory":{"limit":15,"swap":20}}"#),
            (r#"{"memory":{"swap":15}}"#, r#"{"memory":{"limit":10,"swap":15}}"#),
            (r#"{"memory":{"limit":-1}}"#, r#"{"memory":{"limit":-1}}"#),
            (r#"{"memory":{"reservation":1}}"#, r#"{"memory":{"reservation":1}}"#),
            (r#"{"cpu":{"period":10000}}"#, r#"{"cpu":{"period":10000,"quota":5000}}"#),
            (r#"{"cpu":{"quota":-1}}"#, r#"{"cpu":{"quota":-1}}"#),
        ] {
            assert_eq!(
                with_neighbours(&before, &resources(change)),
                resources(expected),
                "{change}"
            );
        }
    }
}
