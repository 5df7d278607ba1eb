//! Checkpoints: what criu is asked, and what becomes of the container.

use crate::harness::{Bundle, Call, Case, Needs, StandIn, Value, cases};

pub(super) fn cases() -> Vec<Case> {
    let mut all = cases![
        what_criu_is_asked,
        options_reach_criu,
        a_failure_leaves_the_container_alone,
        without_criu_the_log_says_so,
        only_what_runs_can_be_written,
        mistakes_are_named_before_criu_is_asked,
        images_belong_to_the_root_of_a_user_namespace,
        a_criu_that_dies_leaves_nothing_frozen,
    ];
    all.extend(cases![[Root, Criu]: the_container_goes_on_or_goes_away]);
    all
}

fn checkpoint(bundle: &Bundle, path: &str, args: &[&str]) -> Call {
    let images = bundle.dir.join("images");
    bundle
        .call(&["checkpoint", "--image-path"])
        .arg(images)
        .args(args)
        .arg(&bundle.id)
        .env("PATH", path)
}

fn what_criu_is_asked() {
    let bundle = Bundle::new().probe("sleep").started();
    let pid = bundle.pid();
    let standin = StandIn::new(&bundle, "say pre-dump\nsay network-lock\nsay post-dump\ndone\n");
    let _ = checkpoint(&bundle, &standin.path(), &[]).done().ok();
    let (kind, asked) = standin.asked();
    assert_eq!(kind, 1);
    for expected in [
        (2, Value::Number(u64::try_from(pid).unwrap())),
        (10, Value::text("dump.log")),
        (12, Value::Number(1)),
        (13, Value::text(bundle.rootfs().to_str().unwrap())),
        (34, Value::Number(3)),
        (50, Value::Number(1)),
    ] {
        assert!(asked.contains(&expected), "{expected:?} in {asked:?}");
    }
    // Which files are masked is the machine's to say.
    let mask =
        |value: &Value| matches!(value, Value::Bytes(text) if text.ends_with(b"]:/dev/null"));
    assert!(asked.iter().any(|(field, value)| *field == 37 && mask(value)), "{asked:?}");
    // Each moment gets its answer, a yes.
    assert_eq!(standin.answers(), b"\x08\x06\x18\x01".repeat(3));
    let text = std::fs::read_to_string(bundle.dir.join("images/descriptors.json")).unwrap();
    let names: Vec<String> = serde_json::from_str(&text).unwrap();
    assert!(names.len() == 3 && names[1].starts_with("file["), "{names:?}");
    // It has been written, so it goes, as with runc and crun.
    let _ = bundle.call(&["state", &bundle.id]).done().refused("does not exist");
    bundle.await_nothing_left();
}

fn options_reach_criu() {
    let bundle =
        Bundle::new().probe("sleep").set("/annotations/org.criu.config", "/tmp/settings").started();
    std::fs::create_dir_all(bundle.dir.join("before")).unwrap();
    let standin = StandIn::new(&bundle, "done\n");
    let args = "--leave-running --leave-running --tcp-established --tcp-skip-in-flight --ext-unix-sk \
        --shell-job --file-locks --link-remap --lazy-pages --auto-dedup --manage-cgroups-mode full \
        --network-lock nftables --empty-ns network --page-server [::1]:27 --parent-path ../before \
        --status-fd 1";
    let args: Vec<&str> = args.split_whitespace().collect();
    let _ = checkpoint(&bundle, &standin.path(), &args).done().ok();
    let (_, asked) = standin.asked();
    for field in [3, 4, 5, 7, 8, 15, 16, 18, 46, 48] {
        assert!(asked.contains(&(field, Value::Number(1))), "{field}: {asked:?}");
    }
    for expected in [
        (11, Value::Bytes(b"\x0a\x03::1\x10\x1b".to_vec())),
        (14, Value::text("../before")),
        (34, Value::Number(4)),
        (38, Value::Number(0x4000_0000)),
        (49, Value::Number(1)),
        (51, Value::text("/tmp/settings")),
        (64, Value::Number(2)),
    ] {
        assert!(asked.contains(&expected), "{expected:?} in {asked:?}");
    }
    assert_eq!(bundle.status(), "running");
    // --pre-dump is another request, and leaves the container alone by itself.
    let _ = checkpoint(&bundle, &standin.path(), &["--pre-dump"]).done().ok();
    assert_eq!(standin.asked().0, 13);
    assert_eq!(bundle.status(), "running");
}

fn a_failure_leaves_the_container_alone() {
    let bundle = Bundle::new().probe("sleep").started();
    let log = bundle.dir.join("logs/dump.log");
    let script =
        format!("say pre-dump\nlog {} (00.01) Error (a.c:1): no luck\nfail\n", log.display());
    let standin = StandIn::new(&bundle, &script);
    let work = bundle.dir.join("logs");
    let work = ["--work-path", work.to_str().unwrap()];
    let _ = checkpoint(&bundle, &standin.path(), &work).done().fails_with_hint(
        "checkpoint container `{id}`: criu has failed: Error (a.c:1): no luck",
        "all that it says is in `{dir}/logs/dump.log`",
    );
    assert_eq!(bundle.status(), "running");
    // One that dies without a word, or before it has heard anything.
    let standin = StandIn::new(&bundle, "say pre-dump\ndie\n");
    let _ = checkpoint(&bundle, &standin.path(), &work).done().fails_with_hint(
        "checkpoint container `{id}`: criu has failed: it gives no reason",
        "all that it says is in `{dir}/logs/dump.log`",
    );
    assert_eq!(bundle.status(), "running");
    assert!(log.exists());
}

fn without_criu_the_log_says_so() {
    let bundle = Bundle::new().probe("sleep").started();
    let _ = checkpoint(&bundle, "/nonexistent", &[]).done().fails_with_hint(
        "checkpoint container `{id}`: there is no program `criu` on PATH, which does the work",
        "install it: the package `criu` of Debian, Fedora or Alpine; https://criu.org",
    );
    // containerd's shim copies it, whatever has happened.
    let text = std::fs::read_to_string(bundle.dir.join("images/dump.log")).unwrap();
    assert_eq!(text, "rrun: there is no program `criu` on PATH, which does the work\n");
    assert_eq!(bundle.status(), "running");
}

fn only_what_runs_can_be_written() {
    let bundle = Bundle::new().probe("sleep");
    let _ = bundle.create().ok();
    let standin = StandIn::new(&bundle, "done\n");
    let error = "checkpoint container `{id}`: cannot checkpoint container `{id}`: it is created";
    let _ = checkpoint(&bundle, &standin.path(), &[]).done().fails(error);
    let _ = bundle.start().ok();
    let _ = bundle.call(&["pause", &bundle.id]).done().ok();
    let _ = checkpoint(&bundle, &standin.path(), &["--leave-running"]).done().ok();
    assert_eq!(bundle.status(), "paused");
    let _ = bundle.call(&["resume", &bundle.id]).done().ok();
    let _ = bundle.kill("KILL").ok();
    bundle.await_status("stopped");
    let _ = checkpoint(&bundle, &standin.path(), &[]).done().refused("it is stopped");
}

fn mistakes_are_named_before_criu_is_asked() {
    let bundle = Bundle::new().probe("sleep").started();
    for (args, error) in [
        (["--parent-path", "/abs"], "--parent-path is relative to the directory of the images"),
        (["--parent-path", "../absent"], "--parent-path: there is no directory `../absent`"),
        (["--status-fd", "77"], "--status-fd: descriptor 77 is not open"),
        (["--page-server", "h"], "`h` is no ADDRESS:PORT"),
        (["--manage-cgroups-mode", "x"], "[possible values: soft, full, strict, ignore]"),
        (["--empty-ns", "pid"], "[possible values: network]"),
    ] {
        let _ = checkpoint(&bundle, "/nonexistent", &args).done().refused(error);
    }
    assert_eq!(bundle.status(), "running");
}

fn images_belong_to_the_root_of_a_user_namespace() {
    use std::os::unix::fs::MetadataExt;
    let bundle = Bundle::new().mapped().join("user", "").probe("sleep").started();
    let standin = StandIn::new(&bundle, "done\n");
    let owner = || {
        let found = std::fs::metadata(bundle.dir.join("images")).unwrap();
        (found.uid(), found.gid(), found.mode() & 0o777)
    };
    let _ = checkpoint(&bundle, &standin.path(), &["--leave-running"]).done().ok();
    assert_eq!(owner(), (100_000, 100_000, 0o700));
    // A directory that somebody has made stays as it is.
    std::os::unix::fs::chown(bundle.dir.join("images"), Some(0), Some(0)).unwrap();
    let _ = checkpoint(&bundle, &standin.path(), &["--leave-running"]).done().ok();
    assert_eq!(owner(), (0, 0, 0o700));
}

fn a_criu_that_dies_leaves_nothing_frozen() {
    let bundle = Bundle::new().probe("sleep").started();
    let standin = StandIn::new(&bundle, "done\n");
    let _ = checkpoint(&bundle, &standin.path(), &["--leave-running"]).done().ok();
    let (_, asked) = standin.asked();
    let freezer = asked.iter().find(|(field, _)| *field == 44);
    let Some((_, Value::Bytes(freezer))) = freezer else { panic!("no freezer: {asked:?}") };
    let freezer = std::path::Path::new(std::str::from_utf8(freezer).unwrap());
    let (file, word) = match freezer.join("freezer.state") {
        legacy if legacy.exists() => (legacy, "FROZEN"),
        _ => (freezer.join("cgroup.freeze"), "1"),
    };
    let script = format!("log {} {word}\ndie\n", file.display());
    let standin = StandIn::new(&bundle, &script);
    let _ = checkpoint(&bundle, &standin.path(), &[]).done().refused("criu has failed");
    assert_eq!(bundle.status(), "running");
}

fn the_container_goes_on_or_goes_away() {
    let bundle = Bundle::new().probe("sleep").started();
    let path = Needs::criu_path();
    let _ = checkpoint(&bundle, &path, &["--leave-running"]).done().ok();
    assert_eq!(bundle.status(), "running");
    let _ = checkpoint(&bundle, &path, &[]).done().ok();
    let _ = bundle.call(&["state", &bundle.id]).done().refused("does not exist");
    bundle.await_nothing_left();
}
