//! The death of either side, by SIGKILL at every entry into the kernel: what is left is named, and
//! `delete --force` removes it.

use crate::harness::{Bundle, Case, cases, every, killed, until};

pub(super) fn cases() -> Vec<Case> {
    cases![
        create_killed_anywhere,
        start_killed_anywhere,
        run_killed_anywhere,
        delete_killed_anywhere,
        an_init_killed_anywhere_is_told,
    ]
}

/// More system calls than any verb makes: a sweep ends where the victim came to its end before.
const ENOUGH: usize = 5000;

/// Calls `verb` again and again, killing `whom` at one system call after the other. `before` makes
/// what the verb needs.
fn sweep(whom: &str, verb: &[&str], before: impl Fn(&Bundle), judge: impl Fn(&Bundle, i32, &str)) {
    let killed = killed();
    let killed = killed.to_str().unwrap();
    let bundle = Bundle::new().probe("sleep");
    bundle.write_config();
    let dir = bundle.dir.to_str().unwrap();
    let mut args = verb.to_vec();
    if ["create", "run"].contains(&verb[0]) {
        args.extend(["--bundle", dir]);
    }
    args.push(&bundle.id);
    for number in (1..ENOUGH).step_by(every(11)) {
        before(&bundle);
        let outcome = bundle.call_through(&[killed, whom, &number.to_string()], &args).done();
        judge(&bundle, outcome.status, &outcome.stderr);
        let _ = bundle.delete_force().ok();
        bundle.await_nothing_left();
        if outcome.status == 0 {
            return;
        }
    }
    panic!("{verb:?} has no end");
}

/// The container is in one of these states, and where it is not, there is none. An init that has lost
/// its parent in this very moment may hold the lock, and so be `creating`, until it learns of it.
fn is_one_of(bundle: &Bundle, states: &[&str]) {
    until(&format!("one of {states:?}"), || {
        let outcome = bundle.call(&["state", &bundle.id]).done();
        if outcome.status != 0 {
            let _ = outcome.fails("container `{id}` does not exist");
            return Some(());
        }
        let state: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        states.contains(&state["status"].as_str().unwrap()).then_some(())
    });
}

fn create_killed_anywhere() {
    sweep("self", &["create"], |_| {}, |bundle, _, _| is_one_of(bundle, &["created", "stopped"]));
}

fn start_killed_anywhere() {
    let before = |bundle: &Bundle| drop(bundle.create().ok());
    sweep("self", &["start"], before, |bundle, _, _| is_one_of(bundle, &["created", "running"]));
}

fn run_killed_anywhere() {
    let states = ["created", "running", "stopped"];
    sweep("self", &["run", "-d"], |_| {}, |bundle, _, _| is_one_of(bundle, &states));
}

fn delete_killed_anywhere() {
    let before = |bundle: &Bundle| drop(bundle.making("run").arg("-d").done().ok());
    let states = ["running", "stopped"];
    sweep("self", &["delete", "--force"], before, |bundle, _, _| is_one_of(bundle, &states));
}

/// Somebody kills init (an OOM killer does): one clear error, and nothing is left even before
/// `delete --force`.
fn an_init_killed_anywhere_is_told() {
    sweep(
        "child",
        &["create"],
        |_| {},
        |bundle, status, stderr| {
            if status != 0 {
                assert!(stderr.starts_with("rrun: error: create container `"), "{stderr}");
                assert!(stderr.contains("killed by signal 9"), "{stderr}");
                bundle.await_nothing_left();
            }
        },
    );
}
