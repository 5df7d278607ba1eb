//! `--trace`: what a viewer is given to read.

use std::path::Path;

use serde_json::Value;

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_run_is_traced_through_both_processes,
        create_start_and_exec_each_have_their_part,
        what_fails_is_traced_up_to_there,
        a_trace_that_cannot_be_written_stops_everything,
    ]
}

/// The phases in a trace: process and name, in the order in which they began; and nothing else is in it.
fn phases(path: &Path) -> Vec<(String, String)> {
    let trace: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    std::fs::remove_file(path).unwrap();
    let mut names = std::collections::HashMap::new();
    let mut all = Vec::new();
    for event in trace["traceEvents"].as_array().unwrap() {
        let name = event["name"].as_str().unwrap().to_owned();
        let pid = event["pid"].as_u64().unwrap();
        if event["ph"] == "M" {
            names.insert(pid, event["args"]["name"].as_str().unwrap().to_owned());
            continue;
        }
        assert_eq!(event["ph"], "X");
        assert!(event["ts"].as_f64().unwrap() >= 0.0 && event["dur"].as_f64().unwrap() >= 0.0);
        all.push((names[&pid].clone(), name));
    }
    all
}

fn has(phases: &[(String, String)], who: &str, what: &str) {
    assert!(phases.iter().any(|(by, name)| by == who && name == what), "{who}: {what}: {phases:?}");
}

fn a_run_is_traced_through_both_processes() {
    let bundle = Bundle::new().args(["/bin/true"]).hook("createRuntime", "true");
    let path = bundle.dir.join("trace.json");
    let _ = bundle.making("run").arg("--trace").arg(&path).done().ok();
    let phases = phases(&path);
    for what in ["seal rrun", "plan", "cgroup", "clone", "restrict devices", "delete"] {
        has(&phases, "rrun", what);
    }
    has(&phases, "rrun", "createRuntime hook `/bin/sh`");
    for what in ["mount `/proc`", "pivot", "executable", "startContainer hooks"] {
        has(&phases, "init", what);
    }
    has(&phases, "init", "limits, seccomp, execve");
}

fn create_start_and_exec_each_have_their_part() {
    let bundle = Bundle::new().probe("sleep");
    let path = bundle.dir.join("trace.json");
    let _ = bundle.making("create").arg("--trace").arg(&path).done().ok();
    let of_create = phases(&path);
    has(&of_create, "init", "pivot");
    let traced = |verb: &[&str]| {
        let _ = bundle.call(&[verb[0], "--trace"]).arg(&path).args(&verb[1..]).done().ok();
        phases(&path)
    };
    let of_start = traced(&["start", &bundle.id]);
    has(&of_start, "init", "limits, seccomp, execve");
    assert!(!of_start.iter().any(|(_, name)| name == "pivot"), "{of_start:?}");
    let of_exec = traced(&["exec", &bundle.id, "/bin/true"]);
    has(&of_exec, "joiner", "join namespaces");
    has(&of_exec, "process", "executable");
    has(&of_exec, "process", "limits, seccomp, execve");
    has(&of_exec, "rrun", "plan");
}

fn what_fails_is_traced_up_to_there() {
    let bundle = Bundle::new().args(["/no/such/program"]);
    let path = bundle.dir.join("trace.json");
    let _ = bundle.making("run").arg("--trace").arg(&path).done().refused("/no/such/program");
    has(&phases(&path), "init", "executable");
}

fn a_trace_that_cannot_be_written_stops_everything() {
    let bundle = Bundle::new().args(["/bin/true"]);
    let path = bundle.dir.join("none/trace.json");
    let _ = bundle.making("run").arg("--trace").arg(&path).done().refused("--trace: open");
    bundle.assert_nothing_left();
}
