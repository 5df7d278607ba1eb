//! `create`: what it leaves when it fails, and what it says.

use crate::harness::{Bundle, Case, cases, masked};

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_missing_call_is_one_clear_error,
        poststop_hooks_follow_a_failed_hook,
        a_hook_may_have_all_the_time_there_is,
        a_failed_create_spares_the_upper_of_another,
    ]
}

/// What an older kernel, or the filter of an outer sandbox, does to us.
fn a_missing_call_is_one_clear_error() {
    let masked = masked();
    let masked = masked.to_str().unwrap();
    for (call, errno, works) in [
        ("clone3", "ENOSYS", true),
        ("clone3", "EPERM", true),
        ("keyctl", "ENOSYS", true),
        ("openat2", "ENOSYS", false),
        ("fsopen", "ENOSYS", false),
        ("fsconfig", "ENOSYS", false),
        ("fsmount", "ENOSYS", false),
        ("open_tree", "ENOSYS", false),
        ("move_mount", "ENOSYS", false),
        ("mount_setattr", "ENOSYS", false),
        ("pidfd_open", "ENOSYS", true),
        ("pidfd_send_signal", "ENOSYS", true),
        ("close_range", "ENOSYS", false),
        ("fsopen", "EPERM", false),
        ("move_mount", "EPERM", false),
    ] {
        let bundle = Bundle::new().probe("pid");
        bundle.write_config();
        let dir = bundle.dir.to_str().unwrap();
        let run = ["run", "--bundle", dir, &bundle.id];
        let outcome = bundle.call_through(&[masked, call, errno], &run).done();
        if works {
            let _ = outcome.ok().stdout("pid 1 0\n");
        } else {
            let stderr = outcome.refused(&format!("{call}(")).stderr;
            assert!(stderr.contains(errno), "{stderr}");
            if errno == "ENOSYS" {
                assert!(stderr.contains(&format!("hint: rrun needs {call}(2)")), "{stderr}");
            }
        }
        bundle.assert_nothing_left();
    }
}

/// runtime.md: after a failed hook the lifecycle goes on where the container is destroyed.
fn poststop_hooks_follow_a_failed_hook() {
    for moment in ["prestart", "createRuntime", "createContainer", "startContainer", "poststart"] {
        let bundle = Bundle::new()
            .probe("sleep")
            .hook(moment, "exit 3")
            .hook("poststop", "cat >>$0/stopped; echo >>$0/stopped");
        let _ = bundle
            .run()
            .refused(&format!("run {moment} hook 0 (`/bin/sh`): it exited with status 3"));
        let state = std::fs::read_to_string(bundle.dir.join("stopped")).unwrap();
        assert_eq!(state.lines().count(), 1, "{moment}: {state}");
        assert!(state.contains("\"status\":\"stopped\""), "{moment}: {state}");
        bundle.assert_nothing_left();
    }
}

fn a_hook_may_have_all_the_time_there_is() {
    for timeout in [i64::MAX, i64::from(i32::MAX)] {
        let hook = serde_json::json!({"path": "/bin/true", "timeout": timeout});
        let _ = Bundle::new().probe("exit 0").hook_object("createRuntime", hook).run().ok();
    }
}

fn a_failed_create_spares_the_upper_of_another() {
    let bundle = Bundle::new().sh("echo more >/more; exec sleep 60");
    let layers = serde_json::json!([bundle.rootfs()]).to_string();
    let upper = bundle.dir.join("upper");
    let bundle = bundle
        .set("/annotations/dev.rrun.rootfs.layers", layers)
        .set("/annotations/dev.rrun.rootfs.upper", upper.to_str().unwrap())
        .set("/linux/cgroupsPath", "");
    let bundle = bundle.started();
    let second = bundle.set("/linux/cgroupsPath", format!("/it-{}-second", std::process::id()));
    second.write_config();
    let dir = second.dir.to_str().unwrap();
    let outcome = second.call_elsewhere(&["create", "--bundle", dir, &second.id]).done();
    let _ = outcome.refused("the upper directory is in use by the container");
    assert!(second.dir.join(".upper.rrun-work/overlay/work").exists());
    assert_eq!(second.status(), "running");
}
