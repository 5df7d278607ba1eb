//! Masked and read-only paths, and `/proc` itself, against images that lie.

use std::os::unix::fs::symlink;

use serde_json::json;

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_false_null_masks_nothing,
        proc_and_sys_are_mounted_on_real_directories_only,
        nothing_is_mounted_over_proc,
        masks_do_not_follow_links_out,
        a_masked_directory_holds_nothing_even_when_remounted,
        what_is_protected_cannot_be_undone,
    ]
}

/// CVE-2025-31133: what masks a file comes from the image, so that something else appears there.
fn false_null() -> Bundle {
    let bundle = Bundle::new()
        .without_mount("/dev")
        .args(["/bin/cat", "/proc/keys"])
        .set("/linux/maskedPaths", json!(["/proc/keys"]));
    symlink("/proc/version", bundle.rootfs().join("dev/null")).unwrap();
    bundle
}

fn a_false_null_masks_nothing() {
    let outcome = false_null().run();
    assert!(!outcome.stdout.contains("Linux version"), "{}", outcome.stdout);
    let _ = outcome.refused("make the device `/dev/null`: something else is there");
}

/// CVE-2019-19921, CVE-2023-27561.
fn proc_and_sys_are_mounted_on_real_directories_only() {
    let hint = "proc and sysfs are mounted on real directories only, not through symlinks";
    for (name, to) in
        [("proc", "/evil"), ("sys", "/evil"), ("proc", "evil"), ("proc", "../../evil")]
    {
        let bundle = Bundle::new();
        std::fs::create_dir(bundle.rootfs().join("evil")).unwrap();
        std::fs::remove_dir(bundle.rootfs().join(name)).unwrap();
        symlink(to, bundle.rootfs().join(name)).unwrap();
        let outcome = bundle.run().refused(&format!("mount `/{name}`: find its place: "));
        assert!(outcome.stderr.contains(hint), "{}", outcome.stderr);
        bundle.assert_nothing_left();
    }
    // Nor through a link on the way, nor one that dangles.
    let deeper = json!({"destination": "/a/b/proc", "type": "proc", "source": "proc"});
    let bundle = Bundle::new().mount(deeper);
    std::fs::create_dir_all(bundle.rootfs().join("real/b")).unwrap();
    symlink("/real", bundle.rootfs().join("a")).unwrap();
    let _ = bundle.run().refused("mount `/a/b/proc`: find its place: ");
    let bundle = Bundle::new();
    std::fs::remove_dir(bundle.rootfs().join("proc")).unwrap();
    symlink("/dangling", bundle.rootfs().join("proc")).unwrap();
    let _ = bundle.run().refused("mount `/proc`: find its place: ");
    assert!(!bundle.rootfs().join("dangling").exists());
}

/// CVE-2019-16884, directly and through links of the image.
fn nothing_is_mounted_over_proc() {
    let fake = |destination: &str| json!({"destination": destination, "type": "bind", "source": "/tmp", "options": ["bind"]});
    for destination in ["/proc", "/proc/", "//proc", "/x/../proc", "/proc/self", "/proc/sys/kernel"]
    {
        let bundle = Bundle::new().mount(fake(destination));
        let _ = bundle.run().refused("create container `{id}`: ");
    }
    let tmpfs = json!({"destination": "/proc", "type": "tmpfs", "source": "tmpfs"});
    let _ = Bundle::new().mount(tmpfs).run().refused("create container `{id}`: ");
    let bundle = Bundle::new().mount(fake("/link/attr"));
    symlink("/proc/self", bundle.rootfs().join("link")).unwrap();
    let _ = bundle.run().refused("mount `/link/attr`: the place is inside a procfs");
    let bundle = Bundle::new().mount(fake("/link"));
    symlink("/proc/sys", bundle.rootfs().join("link")).unwrap();
    let _ = bundle.run().fails_with_hint(
        "create container `{id}`: mount `/link`: the place is inside a procfs, \
         where nothing may be covered",
        "a symlink in the image leads there",
    );
}

fn masks_do_not_follow_links_out() {
    let bundle = Bundle::new()
        .args(["/bin/cat", "/link/file", "/inside/file"])
        .set("/linux/maskedPaths", json!(["/link", "/outside"]))
        .set("/linux/readonlyPaths", json!(["/outside"]));
    let host = bundle.dir.join("host");
    std::fs::create_dir(&host).unwrap();
    std::fs::write(host.join("file"), "host").unwrap();
    std::fs::create_dir(bundle.rootfs().join("inside")).unwrap();
    std::fs::write(bundle.rootfs().join("inside/file"), "").unwrap();
    symlink("/inside", bundle.rootfs().join("link")).unwrap();
    symlink(&host, bundle.rootfs().join("outside")).unwrap();
    // The link inside was followed: its target is masked.
    let outcome = bundle.run().code(1);
    assert_eq!(outcome.stdout, "");
    assert_eq!(std::fs::read_to_string(host.join("file")).unwrap(), "host");
}

/// With CAP_SYS_ADMIN, which containers that mount have.
fn privileged(script: &str) -> Bundle {
    let all = json!(["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"]);
    Bundle::new()
        .sh(script)
        .set("/process/capabilities", json!({"bounding": all, "effective": all, "permitted": all}))
}

fn a_masked_directory_holds_nothing_even_when_remounted() {
    let script = "mount -o remount,rw,bind /one; echo x 2>/dev/null >/one/secret; \
        ls /one /two; echo over";
    let bundle = privileged(script).set("/linux/maskedPaths", json!(["/one", "/two"]));
    for name in ["one", "two"] {
        std::fs::create_dir(bundle.rootfs().join(name)).unwrap();
        std::fs::write(bundle.rootfs().join(name).join("hidden"), "").unwrap();
    }
    let outcome = bundle.run();
    assert_eq!(outcome.stdout, "/one:\n\n/two:\nover\n", "{outcome:?}");
}

fn what_is_protected_cannot_be_undone() {
    // Without CAP_SYS_ADMIN, as containers usually are.
    let script = "mount -o remount,rw,bind /proc/sys 2>/dev/null && echo remounted; \
        echo x 2>/dev/null >/proc/sys/kernel/hostname && echo written; \
        echo x 2>/dev/null >/proc/sysrq-trigger && echo triggered; \
        cat /proc/kcore 2>/dev/null; mkdir /sys/x 2>/dev/null && echo made; echo over";
    let _ = Bundle::new().sh(script).run().stdout("over\n");
}
