//! Cgroups: nobody's but the container's are entered, killed or removed.

use std::path::PathBuf;

use serde_json::json;

use crate::harness::{Bundle, Case, cases, masked};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_cgroup_with_processes_further_below_is_in_use,
        one_that_is_deeper_than_a_path_is_long_goes_too,
        a_stopped_container_takes_nobody_with_it,
        a_stage_that_cannot_place_tells_the_parent,
    ]
}

/// Where the process is in one hierarchy: the mount, and the cgroup below it.
fn cgroup_of(pid: i32) -> (PathBuf, String) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let hybrid = PathBuf::from("/sys/fs/cgroup/unified");
    let mount = if hybrid.exists() { hybrid } else { PathBuf::from("/sys/fs/cgroup") };
    let path = text.lines().find_map(|line| line.strip_prefix("0::")).unwrap();
    (mount, path.to_owned())
}

/// Who may make cgroups in the container makes them as deep as he likes.
fn one_that_is_deeper_than_a_path_is_long_goes_too() {
    use rustix::fs::{Mode, OFlags};
    let bundle = Bundle::new().probe("sleep").started();
    let (mount, path) = cgroup_of(bundle.pid());
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    let top = mount.join(&path[1..]);
    let mut here = rustix::fs::open(top, flags, Mode::empty()).unwrap();
    let name = "x".repeat(200);
    for _ in 0..30 {
        rustix::fs::mkdirat(&here, &name, Mode::from_raw_mode(0o755)).unwrap();
        here = rustix::fs::openat(&here, &name, flags, Mode::empty()).unwrap();
    }
    let _ = bundle.delete_force().ok();
    bundle.assert_nothing_left();
}

/// systemd in a container has its processes in cgroups that it makes itself.
fn a_cgroup_with_processes_further_below_is_in_use() {
    let bundle = Bundle::new().probe("sleep").started();
    let (mount, path) = cgroup_of(bundle.pid());
    let below = mount.join(&path[1..]).join("init.scope");
    std::fs::create_dir(&below).unwrap();
    std::fs::write(below.join("cgroup.procs"), bundle.pid().to_string()).unwrap();
    let dir = bundle.dir.to_str().unwrap();
    let second = bundle.call_elsewhere(&["create", "--bundle", dir, &bundle.id]).done();
    let _ = second.refused("it exists and has processes in it");
    assert_eq!(bundle.status(), "running");
    // And all of it goes with the container.
    let _ = bundle.delete_force().ok();
    bundle.assert_nothing_left();
}

/// Two state directories, one id, and so one cgroup: legal once the first has ended.
fn a_stopped_container_takes_nobody_with_it() {
    for verb in [&["delete"][..], &["delete", "--force"], &["kill", "--all"]] {
        let bundle = Bundle::new().probe("exit 0").started();
        bundle.await_status("stopped");
        let bundle = bundle.probe("sleep");
        bundle.write_config();
        let dir = bundle.dir.to_str().unwrap();
        let _ = bundle.call_elsewhere(&["run", "-d", "--bundle", dir, &bundle.id]).done().ok();
        let mut args = verb.to_vec();
        args.push(&bundle.id);
        if verb[0] == "kill" {
            let killed = bundle.call(&args).arg("KILL").done();
            let _ = killed.fails("kill container `{id}`: container not running");
        } else {
            let _ = bundle.call(&args).done().ok();
        }
        let state = bundle.call_elsewhere(&["state", &bundle.id]).done().ok();
        assert!(state.stdout.contains("\"running\""), "{verb:?}: {}", state.stdout);
        let _ = bundle.call_elsewhere(&["delete", "--force", &bundle.id]).done().ok();
    }
}

/// clone(2) cannot place a process; where the stage falls back to it, the parent has to.
fn a_stage_that_cannot_place_tells_the_parent() {
    let other = Bundle::new().probe("sleep").started();
    let bundle = Bundle::new()
        .probe("sleep")
        .set("/mounts", json!([]))
        .join("user", "")
        .join("cgroup", "")
        .join("network", &format!("/proc/{}/ns/net", other.pid()))
        .mapped();
    let masked = masked();
    for before in [&[][..], &[masked.to_str().unwrap(), "clone3", "ENOSYS"]] {
        bundle.write_config();
        let dir = bundle.dir.to_str().unwrap();
        let run = ["run", "-d", "--bundle", dir, &bundle.id];
        let _ = bundle.call_through(before, &run).done().ok();
        let (_, path) = cgroup_of(bundle.pid());
        assert!(path.ends_with(&format!("/{}", bundle.id)), "{before:?}: {path}");
        let _ = bundle.delete_force().ok();
    }
}
