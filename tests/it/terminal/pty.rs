//! The pair, made from what an image may have tampered with.

use std::os::unix::fs::symlink;

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![
        it_is_the_controlling_terminal_and_the_console,
        its_owner_is_the_user,
        without_a_devpts_there_is_none,
        what_is_mounted_over_its_maker_is_not_opened,
        a_console_that_leads_elsewhere_is_refused,
    ]
}

fn with_terminal(script: &str) -> Bundle {
    Bundle::new().sh(script).set("/process/terminal", true)
}

fn it_is_the_controlling_terminal_and_the_console() {
    let script = "for n in 0 1 2; do test -t $n || echo $n; done; echo one >/dev/tty; \
        echo two >/dev/console; test -c /dev/console; echo $?; readlink /proc/self/fd/0";
    let outcome = with_terminal(script).run();
    assert_eq!(outcome.stdout, "one\ntwo\n0\n/dev/pts/0\n", "{outcome:?}");
}

/// Or the program could not open its own /dev/tty again.
fn its_owner_is_the_user() {
    let bundle = with_terminal("stat -c '%u %a' /dev/pts/0; echo again >/dev/pts/0")
        .set("/process/user", serde_json::json!({"uid": 1000, "gid": 1000}));
    let busybox = bundle.rootfs().join("bin/stat");
    symlink("busybox", busybox).unwrap();
    let outcome = bundle.run();
    assert_eq!(outcome.stdout, "1000 620\nagain\n", "{outcome:?}");
}

fn without_a_devpts_there_is_none() {
    let hint = "a terminal needs a mount of type devpts there, in /mounts of config.json";
    let error = "create container `{id}`: make a terminal: there is no devpts at `/dev/pts`";
    let _ = with_terminal("exit 0").without_mount("/dev/pts").run().fails_with_hint(error, hint);
    let lies: [&dyn Fn(&Bundle); 3] = [
        &|bundle| symlink("/proc", bundle.rootfs().join("dev/pts")).unwrap(),
        &|bundle| std::fs::create_dir(bundle.rootfs().join("dev/pts")).unwrap(),
        &|bundle| {
            let pts = bundle.rootfs().join("dev/pts");
            std::fs::create_dir(&pts).unwrap();
            symlink("/dev/null", pts.join("ptmx")).unwrap();
        },
    ];
    for lie in lies {
        let bundle = with_terminal("exit 0").without_mount("/dev");
        lie(&bundle);
        let _ = bundle.run().fails_with_hint(error, hint);
        bundle.assert_nothing_left();
    }
}

/// A file of FUSE there would answer our calls, and name a descriptor of the host as the program's side.
fn what_is_mounted_over_its_maker_is_not_opened() {
    let over = |source: &str| {
        serde_json::json!({"destination": "/dev/pts/ptmx", "type": "bind", "source": source,
            "options": ["bind"]})
    };
    let bundle = with_terminal("exit 0").mount(over("/dev/pts/ptmx"));
    let error = bundle.run().refused("make a terminal: open `/dev/pts/ptmx`: openat2(`ptmx`)");
    assert!(error.stderr.contains("EXDEV"), "{}", error.stderr);
    bundle.assert_nothing_left();
    // In a container that runs.
    let bundle = Bundle::new().mount(over("/dev/pts/ptmx")).probe("sleep").started();
    let exec = bundle.call(&["exec", "-t", &bundle.id, "/bin/sh", "-c", "exit 0"]).done();
    assert_eq!(exec.status, 255, "{exec:?}");
    assert!(exec.stderr.contains("EXDEV"), "{}", exec.stderr);
}

/// CVE-2025-52565, CVE-2026-88264: a link of the image in the place of /dev/console.
fn a_console_that_leads_elsewhere_is_refused() {
    let devpts = serde_json::json!({"destination": "/dev/pts", "type": "devpts", "source": "devpts",
        "options": ["newinstance", "ptmxmode=0666"]});
    let bundle = with_terminal("exit 0").without_mount("/dev").mount(devpts);
    let place = bundle.rootfs().join("dev/console");
    symlink("/proc/sysrq-trigger", &place).unwrap();
    let _ =
        bundle.run().refused("make the device `/dev/console`: something else is there: symlink");
    bundle.assert_nothing_left();
    std::fs::remove_file(&place).unwrap();
    let outcome = bundle.sh("echo fine >/dev/console").run();
    assert_eq!((outcome.status, outcome.stdout.as_str()), (0, "fine\n"), "{}", outcome.stderr);
}
