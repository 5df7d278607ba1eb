//! `run` in the foreground: signals go in, the status comes out.

use rustix::process::Signal;

use crate::harness::{Bundle, Case, cases, until};

pub(super) fn cases() -> Vec<Case> {
    cases![
        signals_are_forwarded,
        death_by_a_signal_is_128_and_its_number,
        a_forwarded_term_ends_both,
        orphans_do_not_hold_it_up,
        a_container_deleted_meanwhile_is_no_error,
        keep_keeps_it,
    ]
}

fn signals_are_forwarded() {
    for signal in [Signal::HUP, Signal::INT, Signal::USR1, Signal::TERM, Signal::WINCH] {
        let bundle = Bundle::new().probe("wait-signal");
        let run = bundle.making("run").spawn();
        until("ready", || run.output().contains("ready\n").then_some(()));
        run.signal(signal);
        let _ = run.done().ok().stdout(&format!("ready\ngot {}\n", signal.as_raw()));
    }
}

fn death_by_a_signal_is_128_and_its_number() {
    // Without a pid namespace nothing protects the program from its own signals.
    for signal in [9, 15, 6] {
        let bundle =
            Bundle::new().sh(&format!("kill -{signal} $$")).inherit("pid").without_mount("/proc");
        let _ = bundle.run().code(128 + signal);
    }
}

fn a_forwarded_term_ends_both() {
    let bundle = Bundle::new().probe("sleep");
    let run = bundle.making("run").spawn();
    until("sleeping", || run.output().contains("sleeping").then_some(()));
    run.signal(Signal::TERM);
    let _ = run.done().ok();
    bundle.assert_nothing_left();
}

/// As a subreaper rrun inherits what the program leaves behind, and must not take it for the program.
fn orphans_do_not_hold_it_up() {
    for option in ["", "--no-subreaper"] {
        let bundle = Bundle::new()
            // The last of them outlives the patience of the test.
            .sh("(sleep 0.05; exit 9) & (sleep 60; exit 8) & (exit 7) & sleep 0.1; exit 6")
            .inherit("pid")
            .without_mount("/proc");
        let call = bundle.making("run");
        let call = if option.is_empty() { call } else { call.arg(option) };
        let _ = call.done().code(6);
        bundle.await_nothing_left();
    }
}

fn a_container_deleted_meanwhile_is_no_error() {
    let bundle = Bundle::new().probe("sleep");
    let run = bundle.making("run").spawn();
    until("sleeping", || run.output().contains("sleeping").then_some(()));
    let _ = bundle.delete_force().ok();
    let outcome = run.done().code(137);
    assert_eq!(outcome.stderr, "");
}

fn keep_keeps_it() {
    let bundle = Bundle::new().probe("exit 4");
    let _ = bundle.making("run").arg("--keep").done().code(4);
    assert_eq!(bundle.status(), "stopped");
    let _ = bundle.run().fails("create container `{id}`: container `{id}` already exists");
    let _ = bundle.delete().ok();
}
