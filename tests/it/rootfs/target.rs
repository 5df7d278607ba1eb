//! Destinations of mounts in an image that is hostile, and one that changes meanwhile.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::{Value, json};

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![
        links_to_the_host_stay_inside,
        dots_stay_inside,
        a_loop_of_links_is_an_error,
        directories_for_files_are_refused,
        a_renamer_does_not_reach_the_host,
        a_renamer_of_the_parent_does_not_reach_the_host,
    ]
}

fn tmpfs(destination: &str) -> Value {
    json!({"destination": destination, "type": "tmpfs", "source": "tmpfs"})
}

fn with_host(bundle: &Bundle) -> std::path::PathBuf {
    let host = bundle.dir.join("host");
    std::fs::create_dir(&host).unwrap();
    host
}

fn assert_empty(host: &Path) {
    let names: Vec<_> = std::fs::read_dir(host).unwrap().flatten().collect();
    assert!(names.is_empty(), "made on the host: {names:?}");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(host.to_str().unwrap()), "mounted on the host");
}

/// CVE-2021-30465, CVE-2024-45310 at rest.
fn links_to_the_host_stay_inside() {
    let file = json!({"destination": "/vol/file", "type": "bind", "source": "/etc/hostname",
        "options": ["bind"]});
    let file_source = |bundle: Bundle| {
        let source = bundle.dir.join("source");
        std::fs::write(&source, "x").unwrap();
        bundle.set("/mounts/7/source", source.to_str().unwrap())
    };
    for mount in [tmpfs("/vol"), tmpfs("/vol/a/b"), file] {
        let bundle = Bundle::new().mount(mount);
        let bundle =
            if bundle.config["mounts"][7]["type"] == "bind" { file_source(bundle) } else { bundle };
        let host = with_host(&bundle);
        symlink(&host, bundle.rootfs().join("vol")).unwrap();
        let _ = bundle.run().ok();
        assert_empty(&host);
        let deep = format!("{}/{}", "../".repeat(40), host.strip_prefix("/").unwrap().display());
        std::fs::remove_file(bundle.rootfs().join("vol")).unwrap();
        symlink(deep, bundle.rootfs().join("vol")).unwrap();
        let _ = bundle.run().ok();
        assert_empty(&host);
    }
}

fn dots_stay_inside() {
    let bundle = Bundle::new().mount(tmpfs("/../../../../vol/../../etc/../vol2"));
    let _ = bundle.run().ok();
    assert!(bundle.rootfs().join("vol2").is_dir());
}

fn a_loop_of_links_is_an_error() {
    let bundle = Bundle::new().mount(tmpfs("/a/x"));
    symlink("/b", bundle.rootfs().join("a")).unwrap();
    symlink("/a", bundle.rootfs().join("b")).unwrap();
    let _ = bundle.run().refused("mount `/a/x`: find its place: ");
    bundle.assert_nothing_left();
}

fn directories_for_files_are_refused() {
    let bundle = Bundle::new().mount(tmpfs("/etc/passwd"));
    let _ = bundle.run().fails(
        "create container `{id}`: mount `/etc/passwd`: there is no directory in its place, \
         and a directory is mounted",
    );
    let file = json!({"destination": "/etc", "type": "bind", "source": "/etc/passwd",
        "options": ["bind"]});
    let _ = Bundle::new().mount(file).run().fails(
        "create container `{id}`: mount `/etc`: there is a directory in its place, \
         and a file is mounted",
    );
}

/// Runs `bundle` many times while somebody who shares the image exchanges two names in it.
fn race(bundle: &Bundle, (one, other): (&str, &str), host: &Path) {
    let stop = AtomicBool::new(false);
    let swaps = AtomicU32::new(0);
    let (one, other) = (bundle.rootfs().join(one), bundle.rootfs().join(other));
    let succeeded = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let _ = renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE);
                swaps.fetch_add(1, Ordering::Relaxed);
            }
        });
        let runs = (0..30).filter(|_| {
            let outcome = bundle.run();
            if outcome.status != 0 {
                let _ = outcome.refused("create container `{id}`: ");
                bundle.assert_nothing_left();
                return false;
            }
            true
        });
        let succeeded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runs.count()));
        stop.store(true, Ordering::Relaxed);
        succeeded.unwrap()
    });
    assert_empty(host);
    assert!(swaps.load(Ordering::Relaxed) > 1000, "hardly a race");
    // The renamer may make every look-up fail, but that would show nothing.
    assert!(succeeded > 0, "no run got through");
}

/// CVE-2021-30465, CVE-2024-45310, CVE-2025-52881: the last step of a destination.
fn a_renamer_does_not_reach_the_host() {
    let bundle = Bundle::new()
        .mount(tmpfs("/vol"))
        .mount(tmpfs("/vol/x"))
        .mount(json!({"destination": "/vol/x/proc", "type": "proc", "source": "proc"}));
    let host = with_host(&bundle);
    std::fs::create_dir(bundle.rootfs().join("vol")).unwrap();
    symlink(&host, bundle.rootfs().join("swap")).unwrap();
    race(&bundle, ("vol", "swap"), &host);
}

/// The same with what lies on the way.
fn a_renamer_of_the_parent_does_not_reach_the_host() {
    let bundle = Bundle::new()
        .mount(tmpfs("/vol/a/b/c"))
        .mount(json!({"destination": "/vol/f/g", "type": "bind", "source": "/etc/passwd",
            "options": ["bind"]}))
        .set("/linux/maskedPaths", json!(["/vol/a", "/vol/f"]))
        .set(
            "/linux/devices",
            json!([{"type": "c", "path": "/vol/d/zero", "major": 1, "minor": 5}]),
        );
    let host = with_host(&bundle);
    std::fs::create_dir(bundle.rootfs().join("vol")).unwrap();
    symlink(&host, bundle.rootfs().join("swap")).unwrap();
    race(&bundle, ("vol", "swap"), &host);
}
