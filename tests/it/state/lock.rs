//! One verb changes a container at a time; those who only look do not wait.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![
        looking_does_not_wait,
        delete_waits_for_its_turn,
        who_waits_in_vain_names_the_holder,
        force_ends_a_create_at_work,
        the_program_does_not_hold_the_lock,
    ]
}

/// A bundle whose `create` stops in a hook until `go` is written.
fn held(moment: &str) -> Bundle {
    Bundle::new().probe("sleep").fifo("go").hook(moment, "echo here >$0/here; read -r _ <$0/go")
}

fn looking_does_not_wait() {
    let bundle = held("createRuntime");
    let create = bundle.making("create").spawn();
    bundle.await_file("here");
    let start = Instant::now();
    assert_eq!(bundle.status(), "creating");
    let list = bundle.call(&["list"]).done().ok();
    assert!(list.stdout.contains(" creating "), "{}", list.stdout);
    let _ = bundle
        .kill("TERM")
        .fails("kill container `{id}`: cannot kill container `{id}`: it is creating");
    let _ =
        bundle.call(&["ps", &bundle.id]).done().fails("cannot ps container `{id}`: it is creating");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    bundle.go("go");
    let _ = create.done().ok();
    assert_eq!(bundle.status(), "created");
}

fn delete_waits_for_its_turn() {
    let bundle = held("poststart");
    let _ = bundle.create().ok();
    let start = bundle.call(&["start", &bundle.id]).spawn();
    bundle.await_file("here");
    assert_eq!(bundle.status(), "running");
    let mut delete = bundle.call(&["delete", &bundle.id]).spawn();
    std::thread::sleep(Duration::from_millis(100));
    assert!(!delete.is_over());
    bundle.go("go");
    let _ = start.done().ok();
    let _ = delete.done().fails(
        "delete container `{id}`: container `{id}` is running: stop it first, or delete --force",
    );
}

fn who_waits_in_vain_names_the_holder() {
    let bundle = held("poststart");
    let _ = bundle.create().ok();
    let start = bundle.call(&["start", &bundle.id]).spawn();
    bundle.await_file("here");
    let expected = format!(
        "delete container `{{id}}`: container `{{id}}` is being changed by `start` (pid {})",
        start.pid()
    );
    let _ = bundle.delete().fails(&expected);
    bundle.go("go");
    let _ = start.done().ok();
}

fn force_ends_a_create_at_work() {
    let bundle = Bundle::new().probe("sleep").hook("createRuntime", "echo here >$0/here; sleep 1");
    let create = bundle.making("create").spawn();
    bundle.await_file("here");
    let _ = bundle.delete_force().ok();
    let _ = create.done().fails_with_hint(
        "create container `{id}`: the container's first process was killed by signal 9 while it was set up",
        "somebody killed it, or its memory limit is too small for the set-up itself",
    );
    bundle.assert_nothing_left();
}

fn the_program_does_not_hold_the_lock() {
    let bundle = Bundle::new().probe("sleep");
    let run = bundle.making("run").spawn();
    crate::harness::until("running", || {
        let state = bundle.call(&["state", &bundle.id]).done();
        state.stdout.contains("running").then_some(())
    });
    let start = Instant::now();
    let _ = bundle.delete_force().ok();
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(run.done().status, 128 + Signal::KILL.as_raw());
    bundle.assert_nothing_left();
}
