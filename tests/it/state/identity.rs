//! A pid alone proves nothing: whoever else has it now is never touched.

use std::process::{Child, Command};

use serde_json::{Value, json};

use crate::harness::{Bundle, Case, cases, until};

pub(super) fn cases() -> Vec<Case> {
    cases![a_reused_pid_is_never_signalled, a_record_of_an_earlier_boot_is_stopped]
}

/// Somebody's innocent process.
struct Bystander(Child);

impl Bystander {
    fn new() -> Bystander {
        Bystander(Command::new("sleep").arg("60").spawn().unwrap())
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn forge(bundle: &Bundle, change: impl FnOnce(&mut Value)) {
    let path = bundle.entry().join("state.json");
    let mut record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut record);
    std::fs::write(path, record.to_string()).unwrap();
}

/// A container that has ended, with its record.
fn stopped() -> Bundle {
    let bundle = Bundle::new().probe("exit 0").started();
    bundle.await_status("stopped");
    bundle
}

fn a_reused_pid_is_never_signalled() {
    let mut bystander = Bystander::new();
    let pid = bystander.0.id();
    for forged in [
        // The rest of the identity is that of the process which once had the pid.
        json!({"pid": pid}),
        // Before Linux 6.9 there is no inode to compare.
        json!({"pid": pid, "inode": null}),
        json!({"pid": pid, "inode": 1, "start_time": 1}),
    ] {
        let bundle = stopped();
        forge(&bundle, |record| {
            for (key, value) in forged.as_object().unwrap() {
                record["init"][key] = value.clone();
            }
        });
        let state = bundle.state();
        assert_eq!((&state["status"], &state["pid"]), (&json!("stopped"), &json!(0)));
        let _ = bundle.kill("KILL").fails("kill container `{id}`: container not running");
        let _ = bundle.call(&["kill", "--all", &bundle.id, "KILL"]).done();
        let _ = bundle.delete_force().ok();
        assert!(bystander.0.try_wait().unwrap().is_none(), "killed by {forged}");
    }
}

fn a_record_of_an_earlier_boot_is_stopped() {
    let bundle = Bundle::new().probe("sleep").started();
    let path = bundle.entry().join("state.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert!(text.contains(boot.trim()));
    let pid = bundle.pid();
    std::fs::write(&path, text.replace(boot.trim(), "11111111-2222-3333-4444-555555555555"))
        .unwrap();
    assert_eq!(bundle.status(), "stopped");
    let list = bundle.call(&["list"]).done().ok();
    assert!(list.stdout.contains(" stopped "), "{}", list.stdout);
    let _ = bundle.kill("KILL").fails("kill container `{id}`: container not running");
    let _ = bundle.delete().ok();
    // The numbers were those of a process that lives, but not of that container's.
    let bundle_process = std::path::PathBuf::from(format!("/proc/{pid}"));
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::test_kill_process(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    // Whoever gets the same cgroup next removes it.
    until("its end", || (!bundle_process.exists()).then_some(()));
    let _ = bundle.probe("exit 0").run().ok();
}
