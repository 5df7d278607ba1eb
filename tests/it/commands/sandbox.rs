//! `sandbox`: who may, and what is left of it.

use rustix::process::Signal;

use crate::harness::{Bundle, Call, Case, Running, cases, until};

pub(super) fn cases() -> Vec<Case> {
    cases![
        [Root, Overlay]:
        an_ordinary_user,
        nothing_outlives_it,
        one_that_was_killed_is_taken_away_by_the_next,
        the_hosts_tree_and_its_directory,
        a_failed_one_leaves_nothing,
    ]
}

/// Somebody without a line in /etc/subuid.
const USER: &str = "54322";

/// A sandbox of the bundle's own tree.
fn sandbox(bundle: &Bundle, args: &[&str]) -> Call {
    bundle.call(&["sandbox", "--layer"]).arg(bundle.rootfs()).args(args)
}

fn running(bundle: &Bundle, args: &[&str]) -> Running {
    let running = sandbox(bundle, args).spawn();
    until("a sandbox", || {
        bundle.call(&["list"]).done().ok().stdout.contains("running").then_some(())
    });
    running
}

fn an_ordinary_user() {
    let bundle = Bundle::new();
    let of_user = |args: &[&str]| {
        let words = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"];
        let call = bundle.call_plain(&words, args).cwd("/".as_ref());
        call.env("XDG_RUNTIME_DIR", bundle.dir.to_str().unwrap())
    };
    std::os::unix::fs::chown(&bundle.dir, Some(54322), Some(54322)).unwrap();
    let layer = bundle.rootfs();
    let layer = layer.to_str().unwrap();
    let script = "echo new >/file && cat /file; cat /proc/net/dev; exit 3";
    let outcome = of_user(&["sandbox", "--layer", layer, "/bin/sh", "-c", script]).done();
    if outcome.stderr.contains("needs Linux 6.6") {
        return;
    }
    let outcome = outcome.code(3).has("new");
    assert_eq!(outcome.stdout.matches(':').count(), 1, "{}", outcome.stdout);
    let _ = of_user(&["list", "--quiet"]).done().ok().stdout("");
    // Whoever makes a user namespace has all capabilities in it.
    let words = ["sandbox", "--layer", layer, "/bin/cat", "/proc/self/status"];
    let status = of_user(&words).done().code(0).stdout;
    assert!(status.contains("CapEff:\t00000000a80425fb\n"), "{status}");
    // The kernel refuses trees with mounts that it has locked.
    let refused = of_user(&["sandbox", "/bin/true"]).done();
    assert!(refused.stderr.contains("name a directory on disk"), "{}", refused.stderr);
    let _ = of_user(&["sandbox", "--layer", layer, "--user", "alice", "/bin/true"])
        .done()
        .refused("user 1000 is not among the 1 of the user namespace");
    let _ = of_user(&["list", "--quiet"]).done().ok().stdout("");
    let _ = std::fs::remove_dir_all(bundle.dir.join("rrun"));
}

fn nothing_outlives_it() {
    let bundle = Bundle::new();
    // An orphan that the program leaves, and one that ignores what it is asked for.
    let script = "(/bin/sleep 1000 &); trap '' TERM; /bin/sleep 1000 & exit 5";
    let _ = sandbox(&bundle, &["/bin/sh", "-c", script]).done().code(5);
    bundle.assert_nothing_left();
    let program = running(&bundle, &["/bin/sleep", "1000"]);
    program.signal(Signal::INT);
    let _ = program.done().code(130);
    bundle.assert_nothing_left();
}

fn one_that_was_killed_is_taken_away_by_the_next() {
    let bundle = Bundle::new();
    let program = running(&bundle, &["/bin/sleep", "1000"]);
    program.signal(Signal::KILL);
    let _ = program.done().code(137);
    until("its end", || {
        bundle.call(&["list"]).done().ok().stdout.contains("stopped").then_some(())
    });
    let survivor = running(&bundle, &["/bin/sleep", "1000"]);
    let ids = bundle.call(&["list", "--quiet"]).done().ok().stdout;
    assert_eq!(ids.lines().count(), 1, "{ids}");
    // One that lives is nobody's to take.
    let _ = sandbox(&bundle, &["/bin/true"]).done().ok();
    let _ = bundle.call(&["list", "--quiet"]).done().ok().stdout(&ids);
    // Its document can be looked at.
    let config = bundle.root().join(ids.trim()).join("config.json");
    let _ = bundle.call(&["seccomp", "--config"]).arg(&config).arg("mount").done().ok();
    survivor.signal(Signal::TERM);
    let _ = survivor.done().code(143);
    bundle.assert_nothing_left();
}

fn the_hosts_tree_and_its_directory() {
    let bundle = Bundle::new();
    // The tests' own directory may be on another file system than `/`, and so not in the copy.
    let usr = std::path::Path::new("/usr");
    let call = |args: &[&str]| bundle.call(&["sandbox"]).args(args).cwd(usr);
    let script = "echo x >here && rm -r /etc /usr/share/doc; pwd; read line <here; echo $line";
    let _ = call(&["/bin/sh", "-c", script]).done().ok().stdout("/usr\nx\n");
    assert!(!usr.join("here").exists() && std::path::Path::new("/etc/passwd").exists());
    let _ = call(&["--cwd", "/etc", "/bin/pwd"]).done().ok().stdout("/etc\n");
    let _ = call(&["/bin/sh", "-c", "echo $A"]).env("A", "1").done().ok().stdout("1\n");
    let outcome = call(&["env"]).env("NOTIFY_SOCKET", "/x").done().ok();
    assert!(!outcome.stdout.contains("NOTIFY_SOCKET"), "{}", outcome.stdout);
}

fn a_failed_one_leaves_nothing() {
    let bundle = Bundle::new();
    for (args, part) in [
        (&["/no/such"][..], "ENOENT"),
        (&["--mount", "/no/such:/x", "/bin/true"], "open_tree(`/no/such`)"),
        (&["--frob"], "there is no option `--frob`"),
        (&["--upper", "/", "/bin/true"], "has no name of its own"),
    ] {
        let _ = sandbox(&bundle, args).done().refused(part);
        bundle.assert_nothing_left();
    }
}
