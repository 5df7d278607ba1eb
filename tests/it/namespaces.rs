//! Every way into the namespaces, judged by what the kernel shows of init.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Bundle, Case, cases, every};

pub(crate) fn cases() -> Vec<Case> {
    let mut all = cases![
        the_mount_namespace_may_be_the_callers_or_anothers,
        a_joined_mount_namespace_is_not_asked_where_we_are,
        new_joined_and_inherited_in_any_combination,
        parameters_of_the_host_are_not_set,
        interfaces_that_cannot_move_are_named,
    ];
    all.extend(cases!([Root, Veth]:
        interfaces_come_back_when_create_fails,
        interfaces_move_with_their_addresses,
        names_that_are_taken_inside,
    ));
    all.extend(cases!([Root, TimeNs]:
        clocks_have_the_offsets_of_the_config,
    ));
    all
}

/// Names in config.json and in /proc/PID/ns.
const KINDS: [(&str, &str); 7] = [
    ("user", "user"),
    ("pid", "pid"),
    ("network", "net"),
    ("ipc", "ipc"),
    ("uts", "uts"),
    ("cgroup", "cgroup"),
    ("time", "time"),
];

/// Those that the kernel has: the last one came with Linux 5.6, and may be left out of it.
fn kinds() -> &'static [(&'static str, &'static str)] {
    let has_time = std::path::Path::new("/proc/self/ns/time").exists();
    if has_time { &KINDS } else { &KINDS[..6] }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Inherited,
    New,
    Joined,
}
use How::{Inherited, Joined, New};

fn link(pid: impl std::fmt::Display, name: &str) -> PathBuf {
    std::fs::read_link(format!("/proc/{pid}/ns/{name}")).unwrap()
}

/// Nothing is mounted, so that every combination of namespaces is legal.
fn bare() -> Bundle {
    Bundle::new().probe("sleep").set("/mounts", json!([])).set("/hostname", "")
}

fn combined(how: &[How; 7], donor: i32) -> Bundle {
    let mut namespaces = vec![json!({"type": "mount"})];
    for ((kind, name), how) in kinds().iter().zip(how) {
        match how {
            Inherited => {}
            New => namespaces.push(json!({"type": kind})),
            Joined => {
                namespaces.push(json!({"type": kind, "path": format!("/proc/{donor}/ns/{name}")}));
            }
        }
    }
    let bundle = bare().set("/linux/namespaces", namespaces);
    if how[0] == Inherited { bundle } else { bundle.mapped() }
}

/// All 3^7 with RRUN_TEST_ALL=1; otherwise every eleventh, which is prime to 3 and so meets every
/// pair of ways.
fn new_joined_and_inherited_in_any_combination() {
    let donor = combined(&[New; 7], 0).started();
    let pid = donor.pid();
    for number in (0..3_usize.pow(u32::try_from(kinds().len()).unwrap())).step_by(every(11)) {
        let digit = |place: usize| [Inherited, New, Joined][number / 3_usize.pow(place as u32) % 3];
        let how: [How; 7] = std::array::from_fn(digit);
        let bundle = combined(&how, pid);
        let outcome = bundle.create();
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{how:?}");
        let init = bundle.pid();
        for ((kind, name), how) in kinds().iter().zip(how) {
            let own = link(init, name);
            let is = (own == link("self", name), own == link(pid, name));
            let expected = (how == Inherited, how == Joined);
            assert_eq!(is, expected, "{kind} of {how:?}");
        }
        let _ = bundle.delete_force().ok();
        bundle.assert_nothing_left();
    }
}

fn the_mount_namespace_may_be_the_callers_or_anothers() {
    let donor = Bundle::new().probe("sleep").started();
    let path = format!("/proc/{}/ns/mnt", donor.pid());
    // Where it is not new, nothing can be mounted or masked: the root is changed, and that is all.
    let plain = |bundle: Bundle| {
        bundle
            .set("/mounts", json!([]))
            .set("/linux/maskedPaths", json!([]))
            .set("/linux/readonlyPaths", json!([]))
    };
    let joined = plain(Bundle::new().probe("sleep").join("mount", &path)).set("/root/path", "/");
    let _ = joined.create().ok();
    assert_eq!(link(joined.pid(), "mnt"), link(donor.pid(), "mnt"));
    let shared = plain(Bundle::new().probe("sleep").inherit("mount"));
    let _ = shared.create().ok();
    assert_eq!(link(shared.pid(), "mnt"), link("self", "mnt"));
    let root = std::fs::read_link(format!("/proc/{}/root", shared.pid())).unwrap();
    assert_eq!(root, shared.rootfs());
}

/// Whoever made a mount namespace answers for /proc in it: an image could claim that we are in its
/// user namespace already, and get a program that is root on the host.
fn a_joined_mount_namespace_is_not_asked_where_we_are() {
    let lie = "mkdir -p /fake/self/ns; :>/fake/self/ns/user; \
        mount --bind /proc/self/ns/user /fake/self/ns/user && mount --rbind /fake /proc && \
        echo lied; exec sleep 60";
    let all = json!(["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_CHOWN"]);
    let liar = Bundle::new()
        .sh(lie)
        .join("user", "")
        .mapped()
        .set("/process/capabilities", json!({"bounding": all, "effective": all, "permitted": all}))
        .set("/linux/maskedPaths", json!([]))
        .set("/linux/readonlyPaths", json!([]))
        .edit(|config| {
            config["mounts"]
                .as_array_mut()
                .unwrap()
                .retain(|mount| mount["destination"] == "/proc");
        });
    let running = liar.making("run").spawn();
    crate::harness::until("the lie", || running.output().contains("lied").then_some(()));
    let path = |name: &str| format!("/proc/{}/ns/{name}", liar.pid());
    let victim = Bundle::new()
        .args(["/bin/sleep", "60"])
        .set("/mounts", json!([]))
        .set("/linux/maskedPaths", json!([]))
        .set("/linux/readonlyPaths", json!([]))
        .set("/root/path", "/")
        .join("mount", &path("mnt"))
        .join("user", &path("user"));
    let _ = victim.create().ok();
    assert_eq!(link(victim.pid(), "user"), link(liar.pid(), "user"));
    let status = std::fs::read_to_string(format!("/proc/{}/status", victim.pid())).unwrap();
    assert!(status.contains("Uid:\t100000\t100000"), "{status}");
    let _ = victim.delete_force().ok();
    let _ = liar.kill("KILL").ok();
    let _ = running.done().code(137);
}

fn clocks_have_the_offsets_of_the_config() {
    let offsets =
        json!({"monotonic": {"secs": 86400, "nanosecs": 5}, "boottime": {"secs": 172_800}});
    let bundle = Bundle::new()
        .args(["/bin/cat", "/proc/self/timens_offsets", "/proc/uptime"])
        .join("time", "")
        .set("/linux/timeOffsets", offsets.clone());
    let words = |outcome: &str| -> Vec<f64> {
        outcome.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    };
    let outcome = bundle.run().ok();
    let found = words(&outcome.stdout);
    assert_eq!(found[..4], [86400.0, 5.0, 172_800.0, 0.0], "{}", outcome.stdout);
    let host = words(&std::fs::read_to_string("/proc/uptime").unwrap());
    assert!((found[4] - host[0] - 172_800.0).abs() < 10.0, "{found:?} {host:?}");
    // Without a time namespace of its own there is no clock to set.
    let without = Bundle::new().set("/linux/timeOffsets", offsets);
    let _ = without.create().refused("/linux/timeOffsets");
    let nothing: Value = json!({});
    let _ = Bundle::new().probe("exit 0").set("/linux/timeOffsets", nothing).run().ok();
}

/// A namespace by path may be the host's own.
fn parameters_of_the_host_are_not_set() {
    let ours = format!("/proc/{}/ns/net", std::process::id());
    let bundle = Bundle::new()
        .join("network", &ours)
        .set("/linux/sysctl", json!({"net.ipv4.ip_default_ttl": "63"}));
    let text = "/linux/sysctl/net.ipv4.ip_default_ttl: the network namespace in /linux/namespaces is \
                that of rrun itself";
    let _ = bundle.create().fails(&format!("create container `{{id}}`: {text}"));
    let bundle = Bundle::new()
        .args(["/bin/cat", "/proc/sys/net/ipv4/ip_default_ttl"])
        .set("/linux/sysctl", json!({"net.ipv4.ip_default_ttl": "63"}));
    let _ = bundle.run().ok().stdout("63\n");
}

/// User Mode Linux has none.
fn has_ipv6() -> bool {
    std::path::Path::new("/proc/net/if_inet6").exists()
}

/// Runs rrun in a network namespace with two interfaces that are joined.
fn with_interfaces(bundle: &Bundle, before: &str, after: &str, verb: &str) -> crate::harness::Call {
    let script = format!(
        "ip link set lo up && ip link add a0 type veth peer name b0 && \
         ip addr add 10.9.0.1/24 dev a0 && \
         {{ test ! -e /proc/net/if_inet6 || ip addr add fd00:9::1/64 dev a0 nodad; }} && \
         ip link set a0 up && ip link set b0 mtu 1400 && {before} && {{ \"$@\"; e=$?; {after}; exit $e; }}"
    );
    bundle.write_config();
    let dir = bundle.dir.to_str().unwrap();
    let through = ["unshare", "-n", "/bin/sh", "-c", &script, "sh"];
    bundle.call_through(&through, &[verb, "--bundle", dir, &bundle.id])
}

const SHOW: &str = "for i in /sys/class/net/*; do echo $i $(cat $i/flags $i/mtu); done; \
    cat /proc/net/fib_trie; test ! -e /proc/net/if_inet6 || cat /proc/net/if_inet6";

fn interfaces_move_with_their_addresses() {
    let bundle = Bundle::new()
        .sh(SHOW)
        .set("/linux/netDevices", json!({"a0": {"name": "net%d"}, "b0": {}}))
        .hook("createRuntime", "ip -o link | cut -d: -f2 >$0/left");
    let outcome = with_interfaces(&bundle, "true", "true", "run").done().ok();
    let _ = outcome.has("/sys/class/net/b0 0x1003 1400").has("/sys/class/net/net0 0x1003 1500");
    let bundle_left = bundle.await_file("left");
    assert_eq!(bundle_left.trim(), "lo", "moved before the hooks");
    // Without a template the name is the one that the config says, and what has an end stays.
    let bundle = Bundle::new().sh(SHOW).set("/linux/netDevices", json!({"a0": {"name": "wan"}}));
    let temporary = "ip addr add 10.8.0.1/24 dev a0 valid_lft 1000 preferred_lft 1000";
    let outcome = with_interfaces(&bundle, temporary, "true", "run").done().ok();
    let text = &outcome.stdout;
    assert!(text.contains("/sys/class/net/wan 0x1003 1500"), "{text}");
    assert!(text.contains("10.9.0.1") && !text.contains("10.8.0.1"), "{text}");
    assert!(!has_ipv6() || text.contains("fd000009000000000000000000000001"), "{text}");
    let none: Value = json!({});
    let _ = Bundle::new().probe("exit 0").set("/linux/netDevices", none).run().ok();
}

fn interfaces_come_back_when_create_fails() {
    let bundle = Bundle::new()
        .probe("sleep")
        .set("/linux/netDevices", json!({"a0": {"name": "wan"}, "b0": {"name": "lan"}}))
        .hook("createRuntime", "exit 3");
    let after = format!(
        "ip -o addr show a0 >{0}/after; ip -o link show b0 | grep -o 'mtu [0-9]*' >>{0}/after",
        bundle.dir.display()
    );
    let outcome = with_interfaces(&bundle, "true", &after, "create").done();
    let _ = outcome.refused("exited with status 3");
    let text = bundle.await_file("after");
    assert!(
        text.contains("10.9.0.1/24") && (!has_ipv6() || text.contains("fd00:9::1/64")),
        "{text}"
    );
    assert!(text.ends_with("mtu 1400\n"), "{text}");
}

fn interfaces_that_cannot_move_are_named() {
    let bundle = Bundle::new().set("/linux/netDevices", json!({"none0": {}}));
    let _ = bundle.create().refused(
        "move the network device `none0`: rtnetlink(get `none0`): no such device (ENODEV)",
    );
    let bundle = Bundle::new().inherit("network").set("/linux/netDevices", json!({"a0": {}}));
    let _ = bundle.create().refused("/linux/netDevices/a0: needs a network namespace");
    let ours = format!("/proc/{}/ns/net", std::process::id());
    let bundle = Bundle::new().join("network", &ours).set("/linux/netDevices", json!({"lo": {}}));
    let _ = bundle.create().refused("/linux/netDevices: the network namespace in");
}

fn names_that_are_taken_inside() {
    let taken = Bundle::new().set("/linux/netDevices", json!({"a0": {"name": "lo"}}));
    let _ = with_interfaces(&taken, "true", "true", "create").done().fails_with_hint(
        "create container `{id}`: move the network device `a0`: `lo` exists in the container's \
         network namespace",
        "a name that ends in `%d` lets the kernel choose a free number",
    );
}
