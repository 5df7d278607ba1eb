//! `create` and `run` as a caller lives with them: many, quick, and each with its own answer.

use serde_json::json;

use crate::harness::{Bundle, Case, cases, every, parallel};

pub(super) fn cases() -> Vec<Case> {
    cases![
        short_runs_all_return_their_status,
        many_at_once_do_not_disturb_each_other,
        an_init_that_is_killed_during_the_set_up_is_told,
        a_pid_file_that_cannot_be_written_leaves_nothing,
        output_of_the_program_is_not_lost,
    ]
}

/// Ten thousand with RRUN_TEST_ALL=1. Some leave orphans, whose deaths come at the same time as their
/// own: several make one SIGCHLD.
fn short_runs_all_return_their_status() {
    let mut bundle = Bundle::new();
    let rounds = if every(2) == 1 { 10_000 } else { 200 };
    for round in 0..rounds {
        let status = round % 120;
        bundle = match round % 8 {
            7 => bundle.sh(&format!("true & true & (true &); exit {status}")),
            _ => bundle.probe(&format!("exit {status}")),
        };
        let _ = bundle.run().code(status);
    }
    bundle.assert_nothing_left();
}

fn many_at_once_do_not_disturb_each_other() {
    let bundles: Vec<_> = (0..12)
        .map(|n| {
            Bundle::new().probe(&format!("hostname -- exit {n}")).set("/hostname", format!("h{n}"))
        })
        .collect();
    let outcomes = parallel(bundles.iter().map(|bundle| bundle.making("run")).collect());
    for (n, outcome) in outcomes.into_iter().enumerate() {
        let _ = outcome.stdout(&format!("hostname h{n}\n")).code(i32::try_from(n).unwrap());
    }
}

fn an_init_that_is_killed_during_the_set_up_is_told() {
    // The hook gets the pid of init in its state.
    let script = "pid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/'); kill -9 $pid; sleep 0.1";
    for moment in ["prestart", "createRuntime"] {
        let bundle = Bundle::new().hook(moment, script);
        let _ = bundle.create().fails_with_hint(
            "create container `{id}`: the container's first process was killed by signal 9 while it was set up",
            "somebody killed it, or its memory limit is too small for the set-up itself",
        );
        bundle.assert_nothing_left();
    }
}

fn a_pid_file_that_cannot_be_written_leaves_nothing() {
    let bundle = Bundle::new().probe("sleep");
    let outcome = bundle.making("create").arg("--pid-file").arg("/nonexistent/pid").done();
    let _ = outcome.fails(
        "create container `{id}`: write the pid file: write(`/nonexistent/pid`): \
         no such file or directory (ENOENT)",
    );
    bundle.assert_nothing_left();
}

fn output_of_the_program_is_not_lost() {
    let bundle = Bundle::new()
        .sh("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i + 1)); done")
        .set("/process/rlimits", json!([]));
    let outcome = bundle.run().ok();
    assert_eq!(outcome.stdout.lines().count(), 5000);
}
