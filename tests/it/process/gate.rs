//! The gate: only `start` opens it, once, and whoever looks meanwhile is never kept waiting.

use std::path::Path;
use std::time::Duration;

use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::Signal;

use crate::harness::{Bundle, Case, cases, parallel, until};

pub(super) fn cases() -> Vec<Case> {
    cases![
        looking_does_not_start,
        another_word_does_not_start,
        one_of_concurrent_starts_wins,
        a_start_that_was_killed_heals,
        a_start_killed_at_any_moment_leaves_a_clear_state,
        a_created_container_whose_init_is_killed_is_stopped,
        a_start_whose_init_is_killed_fails,
        looking_at_a_halted_init_does_not_hang,
        a_long_root_is_no_obstacle,
    ]
}

/// A connection to the gate.
fn connect(gate: &Path) -> rustix::fd::OwnedFd {
    let flags = SocketFlags::CLOEXEC;
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
    rustix::net::connect(&socket, &SocketAddrUnix::new(gate).unwrap()).unwrap();
    socket
}

fn looking_does_not_start() {
    let bundle = Bundle::new().probe("exit 0");
    let _ = bundle.create().ok();
    for _ in 0..50 {
        drop(connect(&bundle.entry().join("gate")));
    }
    assert_eq!(bundle.status(), "created");
    let _ = bundle.start().ok();
    bundle.await_status("stopped");
}

fn another_word_does_not_start() {
    let bundle = Bundle::new().probe("exit 0");
    let _ = bundle.create().ok();
    for word in ["", "g", "go\n", "go go", "stop", &"go".repeat(100)] {
        let socket = connect(&bundle.entry().join("gate"));
        rustix::net::send(&socket, word.as_bytes(), SendFlags::NOSIGNAL).unwrap();
    }
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(bundle.status(), "created");
}

fn one_of_concurrent_starts_wins() {
    for _ in 0..8 {
        let bundle = Bundle::new().probe("sleep");
        let _ = bundle.create().ok();
        let starts = (0..4).map(|_| bundle.call(&["start", &bundle.id])).collect();
        let outcomes = parallel(starts);
        let winners = outcomes.iter().filter(|outcome| outcome.status == 0).count();
        assert_eq!(winners, 1, "{outcomes:#?}");
        for outcome in outcomes.into_iter().filter(|outcome| outcome.status != 0) {
            let _ = outcome.fails("cannot start container `{id}`: it is running");
        }
    }
}

/// What a `start` does that is killed right after its word: the gate stays behind.
fn a_start_that_was_killed_heals() {
    let bundle = Bundle::new().probe("sleep");
    let _ = bundle.create().ok();
    let gate = bundle.entry().join("gate");
    let socket = connect(&gate);
    rustix::net::send(&socket, b"go", SendFlags::NOSIGNAL).unwrap();
    drop(socket);
    bundle.await_status("running");
    assert!(gate.exists());
    let _ = bundle.start().fails("cannot start container `{id}`: it is running");
    assert!(!gate.exists());
    let _ = bundle.kill("KILL").ok();
    bundle.await_status("stopped");
    let _ = bundle.delete().ok();
}

fn a_start_killed_at_any_moment_leaves_a_clear_state() {
    for round in 0..20_u64 {
        let bundle = Bundle::new().probe("sleep");
        let _ = bundle.create().ok();
        let start = bundle.call(&["start", &bundle.id]).spawn();
        std::thread::sleep(Duration::from_micros(round * 200));
        start.signal(Signal::KILL);
        let _ = start.done();
        // Its word may still be on the way.
        let status = bundle.status();
        assert!(["created", "running"].contains(&status.as_str()), "{status}");
        let again = bundle.start();
        if again.status != 0 {
            let _ = again.fails("cannot start container `{id}`: it is running");
        }
        assert_eq!(bundle.status(), "running");
    }
}

fn a_created_container_whose_init_is_killed_is_stopped() {
    let bundle = Bundle::new().probe("sleep");
    let _ = bundle.create().ok();
    let pid = rustix::process::Pid::from_raw(bundle.pid()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
    bundle.await_status("stopped");
    assert_eq!(bundle.state()["pid"], 0);
    let _ = bundle.start().fails("cannot start container `{id}`: it is stopped");
    let _ = bundle.kill("TERM").fails("kill container `{id}`: container not running");
    let _ = bundle.delete().ok();
}

/// End-of-file at the gate may be an execve or a death; the program never ran here.
fn a_start_whose_init_is_killed_fails() {
    let bundle = Bundle::new()
        .sh("echo ran >/ran")
        .hook("startContainer", "echo here >/here; while [ ! -e /go ]; do sleep 0.01; done");
    let _ = bundle.create().ok();
    let start = bundle.call(&["start", &bundle.id]).spawn();
    bundle.await_file("rootfs/here");
    let _ = bundle.kill("KILL").ok();
    let outcome = start.done();
    assert!(!bundle.rootfs().join("ran").exists());
    let _ = outcome.refused("start container `{id}`: ");
}

/// Whoever only looks leaves a connection in the queue of an init that does not run.
fn looking_at_a_halted_init_does_not_hang() {
    let bundle = Bundle::new().probe("exit 0");
    let _ = bundle.create().ok();
    let _ = bundle.kill("STOP").ok();
    let pid = bundle.pid();
    until("init is halted", || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status.contains("State:\tT").then_some(())
    });
    for _ in 0..24 {
        let mut state = bundle.call(&["state", &bundle.id]).spawn();
        let start = std::time::Instant::now();
        while !state.is_over() {
            assert!(start.elapsed() < Duration::from_secs(3), "`state` hangs");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(state.output().contains("\"created\""));
    }
    let _ = bundle.kill("CONT").ok();
    let _ = bundle.start().ok();
}

/// A socket's address holds 107 bytes, a path 4095.
fn a_long_root_is_no_obstacle() {
    let bundle = Bundle::new().probe("exit 3");
    bundle.write_config();
    let root = bundle.dir.join("long".repeat(50)).join("r".repeat(200));
    let dir = bundle.dir.to_str().unwrap();
    let root = root.to_str().unwrap();
    let args = ["--root", root, "run", "--bundle", dir, &bundle.id];
    let outcome = crate::harness::Call::new(
        &bundle.runtime,
        (bundle.dir.join("out"), bundle.dir.join("err")),
        Vec::new(),
    );
    let _ = outcome.args(args).done().code(3);
}
