//! The list of steps, judged by what the program finds.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![
        descriptors_of_the_caller_do_not_leak,
        descriptors_to_preserve_must_be_open,
        a_working_directory_through_descriptors_is_no_way_out,
        ignored_signals_are_default_inside,
        sockets_of_systemd_are_announced,
        small_limits_starve_the_program_only,
        the_lock_is_not_inherited,
    ]
}

/// Opens many descriptors on the host's `/`, not close-on-exec, and then starts rrun.
const LEAKY: &str = "for n in 3 4 5 6 7 8 9; do eval \"exec $n</\"; done; exec \"$@\"";

fn descriptors_of_the_caller_do_not_leak() {
    let bundle = Bundle::new()
        .probe("fds")
        .hook("createRuntime", "ls -l /proc/self/fd/ >$0/runtime-hook")
        .hook("startContainer", "ls -l /proc/self/fd/ >/start-hook");
    bundle.write_config();
    let dir = bundle.dir.to_str().unwrap();
    let run = ["run", "--bundle", dir, &bundle.id];
    let outcome = bundle.call_through(&["/bin/bash", "-c", LEAKY, "sh"], &run).done().ok();
    assert_eq!(outcome.stdout.lines().count(), 3, "{}", outcome.stdout);
    for hook in ["runtime-hook", "rootfs/start-hook"] {
        let text = std::fs::read_to_string(bundle.dir.join(hook)).unwrap();
        // 0 to 2, and the one by which `ls` reads.
        let links = text.lines().filter(|line| line.contains(" -> ")).count();
        assert!(links <= 4 && !text.contains("-> /\n"), "{hook}: {text}");
    }
}

fn descriptors_to_preserve_must_be_open() {
    let bundle = Bundle::new().probe("fds");
    bundle.write_config();
    let dir = bundle.dir.to_str().unwrap();
    // Whoever runs the tests may have left us some.
    let call = |args: &[&str]| {
        let close = "for n in 3 4 5 6 7 8 9; do eval \"exec $n>&-\"; done; exec \"$@\"";
        bundle.call_through(&["/bin/bash", "-c", close, "sh"], args)
    };
    let run = ["run", "--bundle", dir, &bundle.id];
    let error = "create container `{id}`: --preserve-fds, LISTEN_FDS: descriptor 3 is not open";
    for count in ["1", "40", "4294967295"] {
        let _ = call(&run).args(["--preserve-fds", count]).done().fails(error);
    }
    let _ = call(&run).env("LISTEN_FDS", "1").done().fails(error);
    // The log file has the number then, and is not the caller's.
    let log = bundle.dir.join("log");
    let logged = ["--log", log.to_str().unwrap(), "run", "--bundle", dir, &bundle.id];
    let _ = call(&logged).args(["--preserve-fds", "1"]).done().fails(error);
    // They are for another process, or no number: nothing is meant.
    let _ = call(&run).env("LISTEN_FDS", "1").env("LISTEN_PID", "1").done().ok();
    let _ = call(&run).env("LISTEN_FDS", "x").done().ok();
}

/// CVE-2024-21626, with descriptors of the caller and of rrun itself.
fn a_working_directory_through_descriptors_is_no_way_out() {
    for number in 3..14 {
        for cwd in [format!("/proc/self/fd/{number}"), format!("/proc/self/fd/{number}/../..")] {
            let bundle = Bundle::new().probe("cwd").set("/process/cwd", cwd.as_str());
            bundle.write_config();
            let dir = bundle.dir.to_str().unwrap();
            let run = ["run", "--bundle", dir, &bundle.id];
            let outcome = bundle.call_through(&["/bin/bash", "-c", LEAKY, "sh"], &run).done();
            if outcome.status == 0 {
                let inside = outcome.stdout.strip_prefix("cwd ").unwrap().trim();
                assert!(bundle.rootfs().join(&inside[1..]).exists(), "{cwd}: {inside}");
                assert!(!inside.contains("unreachable"));
            } else {
                let _ = outcome.refused("create container `{id}`: ");
            }
        }
    }
}

fn ignored_signals_are_default_inside() {
    let bundle = Bundle::new()
        .probe("signals")
        .hook("createRuntime", "grep SigIgn /proc/self/status >$0/hook");
    bundle.write_config();
    let dir = bundle.dir.to_str().unwrap();
    let run = ["run", "--bundle", dir, &bundle.id];
    let ignoring = "trap '' 1 2 3 10 12 13 14 15 17; exec \"$@\"";
    let ignoring = bundle.call_through(&["/bin/sh", "-c", ignoring, "sh"], &run).done().ok();
    let plain = bundle.run().ok();
    assert_eq!(ignoring.stdout, plain.stdout);
    let hook = std::fs::read_to_string(bundle.dir.join("hook")).unwrap();
    assert_eq!(hook, "SigIgn:\t0000000000000000\n");
}

fn sockets_of_systemd_are_announced() {
    let bundle =
        Bundle::new().probe("fds -- env").set("/process/env", json!(["A=1", "LISTEN_FDS=9"]));
    bundle.write_config();
    let dir = bundle.dir.to_str().unwrap();
    let script = "exec 3</etc/passwd 4</etc/group; export LISTEN_FDS=2 LISTEN_PID=$$; exec \"$@\"";
    let run = ["run", "--bundle", dir, &bundle.id];
    let outcome = bundle.call_through(&["/bin/bash", "-c", script, "sh"], &run).done().ok();
    let outcome = outcome.has("env LISTEN_PID=1").has("env LISTEN_FDS=2").has("env A=1");
    let fds = outcome.stdout.lines().filter(|line| line.starts_with("fd ")).count();
    assert!(fds >= 5 || outcome.stdout.contains("/etc/group"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("LISTEN_FDS=9"), "{}", outcome.stdout);
}

fn small_limits_starve_the_program_only() {
    let limit = |name: &str, value: u64| json!([{"type": name, "hard": value, "soft": value}]);
    for (name, value) in [
        ("RLIMIT_AS", 4 << 20),
        ("RLIMIT_DATA", 1 << 20),
        ("RLIMIT_NOFILE", 3),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NPROC", 1),
        ("RLIMIT_STACK", 128 << 10),
        ("RLIMIT_MEMLOCK", 0),
    ] {
        let bundle = Bundle::new().probe("pid").set("/process/rlimits", limit(name, value));
        // Standard output is a file here, and FSIZE forbids to write to it.
        let (reader, writer) = std::io::pipe().unwrap();
        let outcome = bundle.making("run").to(writer).done();
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{name}");
        let text = std::io::read_to_string(reader).unwrap();
        assert_eq!(text, "pid 1 0\n", "{name}");
    }
    // The hooks in the container run before.
    let bundle = Bundle::new()
        .probe("pid")
        .hook("startContainer", "exec 5</ 6</; echo fine >/fine")
        .set("/process/rlimits", limit("RLIMIT_NOFILE", 3));
    let _ = bundle.run().ok();
    assert!(bundle.rootfs().join("fine").exists());
}

/// flock(2) locks belong to the open file: a child that kept it would keep the lock.
fn the_lock_is_not_inherited() {
    let bundle = Bundle::new().probe("sleep");
    let _ = bundle.create().ok();
    let lock = bundle.entry();
    let status = Command::new("flock")
        .args(["--nonblock", "--exclusive"])
        .arg(&lock)
        .arg("true")
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "init holds the lock");
    let fds = std::fs::read_dir(format!("/proc/{}/fd", bundle.pid())).unwrap().flatten();
    let links: Vec<_> = fds.filter_map(|fd| std::fs::read_link(fd.path()).ok()).collect();
    assert!(!links.contains(&lock), "{links:?}");
}
