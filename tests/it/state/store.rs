//! Directories of containers: one winner, nothing half, nothing left, whenever rrun is killed.

use std::os::unix::fs::DirBuilderExt;
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{Bundle, Case, cases, parallel, until};

pub(super) fn cases() -> Vec<Case> {
    cases![
        one_of_two_creates_wins,
        concurrent_forced_deletes_all_succeed,
        one_of_concurrent_deletes_says_so,
        a_killed_create_leaves_what_delete_force_removes,
        a_create_killed_at_a_hook_is_stopped,
        a_create_killed_before_it_had_a_name_is_swept,
        what_a_dead_process_of_our_pid_left_is_no_obstacle,
        a_directory_without_a_record_is_no_obstacle,
        a_damaged_record_says_the_way_out,
        strangers_in_the_root_are_not_containers,
        the_directory_of_another_user_is_not_believed,
        ids_that_are_paths_are_refused,
        a_missing_root_holds_nothing,
        a_failed_create_leaves_nothing,
    ]
}

fn one_of_two_creates_wins() {
    let bundle = Bundle::new().probe("sleep");
    bundle.write_config();
    for _ in 0..20 {
        let outcomes = parallel(vec![bundle.making("create"), bundle.making("create")]);
        let winners = outcomes.iter().filter(|outcome| outcome.status == 0).count();
        assert_eq!(winners, 1, "{outcomes:#?}");
        for outcome in outcomes {
            if outcome.status != 0 {
                let expected = "create container `{id}`: container `{id}` already exists";
                let _ = outcome.fails(expected);
            }
        }
        assert_eq!(bundle.status(), "created");
        let _ = bundle.delete_force().ok();
        bundle.assert_nothing_left();
    }
}

/// Where others may write to the root: a record of theirs has hooks, and names cgroups to be removed.
fn the_directory_of_another_user_is_not_believed() {
    let witness = |bundle: &Bundle| bundle.dir.join("witness");
    let bundle = Bundle::new().probe("sleep");
    let hook = serde_json::json!([{"path": "/bin/touch", "args": ["touch", witness(&bundle)]}]);
    let bundle = bundle.set("/hooks", serde_json::json!({"poststop": hook}));
    let _ = bundle.create().ok();
    let expected = "open container `{id}`: its directory belongs to user 1000";
    std::os::unix::fs::chown(bundle.entry(), Some(1000), None).unwrap();
    let _ = bundle.call(&["state", &bundle.id]).done().says(expected).code(1);
    let _ = bundle.call(&["delete", "--force", &bundle.id]).done().says(expected).code(1);
    assert!(!witness(&bundle).exists());
    std::os::unix::fs::chown(bundle.entry(), Some(0), None).unwrap();
    // Nor is a link in the root, whomever it leads to.
    let link = bundle.root().join("other");
    std::os::unix::fs::symlink(bundle.entry(), &link).unwrap();
    let _ = bundle.call(&["state", "other"]).done().says("open container `other`: ").code(1);
    std::fs::remove_file(link).unwrap();
    let _ = bundle.delete_force().ok();
    assert!(witness(&bundle).exists());
}

fn concurrent_forced_deletes_all_succeed() {
    let bundle = Bundle::new().probe("sleep");
    for _ in 0..15 {
        let _ = bundle.create().ok();
        let delete = || bundle.call(&["delete", "--force", &bundle.id]);
        for outcome in parallel(vec![delete(), delete(), delete(), delete()]) {
            let _ = outcome.ok();
        }
        bundle.assert_nothing_left();
    }
}

fn one_of_concurrent_deletes_says_so() {
    let bundle = Bundle::new().probe("sleep");
    for _ in 0..10 {
        let _ = bundle.create().ok();
        let delete = || bundle.call(&["delete", &bundle.id]);
        let outcomes = parallel(vec![delete(), delete(), delete()]);
        assert!(outcomes.iter().any(|outcome| outcome.status == 0), "{outcomes:#?}");
        for outcome in outcomes.into_iter().filter(|outcome| outcome.status != 0) {
            let _ = outcome.fails("delete container `{id}`: container `{id}` does not exist");
        }
        bundle.assert_nothing_left();
    }
}

/// `kill -9` after a moment that differs from round to round: wherever it hits, the state is one of
/// those that a caller can go on from.
fn a_killed_create_leaves_what_delete_force_removes() {
    let bundle = Bundle::new().probe("sleep");
    for round in 0..40_u64 {
        let create = bundle.making("create").spawn();
        std::thread::sleep(Duration::from_micros(round * 8000 / 40));
        create.signal(Signal::KILL);
        let killed = create.done().status != 0;
        let look = || bundle.call(&["state", &bundle.id]).done();
        // An init without a parent holds the lock for a moment yet.
        let state = until("the end of creating", || {
            Some(look()).filter(|state| !state.stdout.contains("\"creating\""))
        });
        if state.status == 0 {
            // A create that was quick enough has made its container.
            let stopped = state.stdout.contains("\"status\": \"stopped\"");
            let created = state.stdout.contains("\"status\": \"created\"");
            assert!(stopped || created, "killed {killed}: {}", state.stdout);
        } else {
            let _ = state.fails("container `{id}` does not exist");
        }
        let _ = bundle.delete_force().ok();
        // Init learns of it from its end of the channel, and that may take a moment.
        bundle.await_nothing_left();
    }
    let _ = bundle.create().ok();
}

fn a_create_killed_at_a_hook_is_stopped() {
    for moment in ["createRuntime", "createContainer"] {
        // The hook itself is the host's process: it ends when it is told to.
        let script = "echo here >$0/here; read -r _ <$0/go";
        let bundle = Bundle::new().probe("sleep").fifo("go").hook(moment, script);
        let create = bundle.making("create").spawn();
        bundle.await_file("here");
        assert_eq!(bundle.status(), "creating");
        create.signal(Signal::KILL);
        assert_eq!(create.done().status, 137);
        // Of createContainer hooks it is init that waits, and learns only afterwards.
        bundle.go("go");
        bundle.await_status("stopped");
        assert_eq!(bundle.state()["pid"], 0);
        let _ = bundle.kill("KILL").fails("kill container `{id}`: container not running");
        let _ = bundle.start().fails("cannot start container `{id}`: it is stopped");
        let _ = bundle.delete_force().ok();
    }
}

fn a_create_killed_before_it_had_a_name_is_swept() {
    let bundle = Bundle::new();
    for name in [format!(",{}.17", bundle.id), format!(",{}.18", bundle.id)] {
        let dir = bundle.root().join(name);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).unwrap();
        std::fs::write(dir.join("lock"), "create 17\n").unwrap();
        std::fs::write(dir.join(",state.json"), "{").unwrap();
    }
    let _ = bundle.call(&["list", "-q"]).done().ok().stdout("");
    let _ = bundle.delete_force().ok();
    bundle.assert_nothing_left();
}

/// In a pid namespace of a container, the one where rrun runs nested, pids come again soon.
fn what_a_dead_process_of_our_pid_left_is_no_obstacle() {
    let bundle = Bundle::new().probe("exit 0");
    bundle.write_config();
    std::fs::create_dir(bundle.root()).unwrap();
    let make = format!("mkdir {}/,{}.$$ && exec \"$@\"", bundle.root().display(), bundle.id);
    let dir = bundle.dir.to_str().unwrap();
    let create = ["create", "--bundle", dir, &bundle.id];
    let _ = bundle.call_through(&["/bin/sh", "-c", &make, "sh"], &create).done().ok();
    assert_eq!(bundle.status(), "created");
}

/// What a `delete` leaves that is killed between its last two steps.
fn a_directory_without_a_record_is_no_obstacle() {
    let bundle = Bundle::new().probe("exit 0");
    std::fs::create_dir_all(bundle.entry()).unwrap();
    let _ = bundle.delete_force().ok();
    bundle.assert_nothing_left();
    std::fs::create_dir_all(bundle.entry()).unwrap();
    let _ = bundle.run().ok();
}

fn a_damaged_record_says_the_way_out() {
    let bundle = Bundle::new().probe("sleep");
    let hint = "`delete --force` removes what can still be found of it";
    for (text, reason) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{}", "missing field `version` at line 1 column 2"),
    ] {
        std::fs::create_dir_all(bundle.entry()).unwrap();
        std::fs::write(bundle.entry().join("state.json"), text).unwrap();
        let damaged = format!("read the state of container `{{id}}`: damaged state.json: {reason}");
        for verb in ["state", "start", "ps"] {
            let _ = bundle.call(&[verb, &bundle.id]).done().fails_with_hint(&damaged, hint);
        }
        let deleted = format!("delete container `{{id}}`: {damaged}");
        let _ = bundle.delete().fails_with_hint(&deleted, hint);
        let _ = bundle.call(&["list", "-f", "json"]).done().ok().stdout("[]\n");
        let _ = bundle.create().refused("already exists");
        let _ = bundle.delete_force().ok();
        bundle.assert_nothing_left();
    }
    // A layout of the record that only a later rrun knows.
    let _ = bundle.create().ok();
    let path = bundle.entry().join("state.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"version\":2", "\"version\":99", 1)).unwrap();
    let _ = bundle.start().refused("read the state of container");
    std::fs::write(&path, text).unwrap();
}

fn strangers_in_the_root_are_not_containers() {
    let bundle = Bundle::new().probe("sleep");
    let _ = bundle.create().ok();
    for name in [",x", ",x.1", ".hidden", "a b"] {
        std::fs::create_dir(bundle.root().join(name)).unwrap();
    }
    std::fs::write(bundle.root().join("file"), "").unwrap();
    let _ = bundle.call(&["list"]).done().ok();
    let list = bundle.call(&["list", "-f", "json"]).done().ok();
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
    for name in [",x", ",x.1", ".hidden", "a b"] {
        std::fs::remove_dir(bundle.root().join(name)).unwrap();
    }
    std::fs::remove_file(bundle.root().join("file")).unwrap();
}

fn ids_that_are_paths_are_refused() {
    let bundle = Bundle::new();
    std::fs::create_dir(bundle.root()).unwrap();
    // A record that an id with a path in it would reach.
    let outside = bundle.dir.join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("state.json"), "{}").unwrap();
    bundle.write_config();
    let long = "x".repeat(256);
    for (id, shown, reason) in [
        ("../outside", "../outside", "only letters, digits, `_`, `+`, `-` and `.` are allowed"),
        ("a/b", "a/b", "only letters, digits, `_`, `+`, `-` and `.` are allowed"),
        ("..", "..", "it begins with a dot"),
        (".", ".", "it begins with a dot"),
        ("", "", "it is empty"),
        (
            "a\n\x1b[31m",
            "a\\n\\u{1b}[31m",
            "only letters, digits, `_`, `+`, `-` and `.` are allowed",
        ),
        (&long, &long, "it is longer than 255 bytes"),
    ] {
        let error = format!("invalid container id `{shown}`: {reason}");
        for verb in ["state", "start", "ps"] {
            let _ = bundle.call(&[verb, id]).done().fails(&error);
        }
        let _ = bundle.call(&["kill", id, "9"]).done().fails(&error);
        let deleting = format!("delete container `{shown}`: {error}");
        let _ = bundle.call(&["delete", "--force", id]).done().fails(&deleting);
        let creating = format!("create container `{shown}`: {error}");
        for verb in ["create", "run"] {
            let call = bundle.call(&[verb, "--bundle", bundle.dir.to_str().unwrap(), id]);
            let _ = call.done().fails(&creating);
        }
    }
    assert!(outside.join("state.json").exists());
    // The longest one that is allowed works.
    let id = "y".repeat(255);
    let _ = bundle.call(&["run", "--bundle", bundle.dir.to_str().unwrap(), &id]).done().ok();
}

fn a_missing_root_holds_nothing() {
    let bundle = Bundle::new();
    let _ = bundle.call(&["list", "-f", "json"]).done().ok().stdout("[]\n");
    let _ =
        bundle.call(&["list"]).done().ok().stdout("ID   PID   STATUS   BUNDLE   CREATED   OWNER\n");
    let _ = bundle.call(&["state", "a"]).done().fails("container `a` does not exist");
    let _ = bundle.delete_force().ok();
    assert!(!bundle.root().exists());
}

fn a_failed_create_leaves_nothing() {
    let no_mount = serde_json::json!({"destination": "/x", "type": "bind", "source": "/nonexistent",
        "options": ["bind"]});
    let failing = [
        Bundle::new().mount(no_mount),
        Bundle::new().args(["/no/such"]),
        Bundle::new().hook("createRuntime", "exit 3"),
        Bundle::new().hook("createContainer", "exit 3"),
        Bundle::new()
            .set("/process/user/uid", 0_u32)
            .set("/linux/namespaces/0/path", "/nonexistent"),
    ];
    for bundle in failing {
        for verb in ["create", "run"] {
            let pid_file = bundle.dir.join("pid");
            let outcome = bundle.making(verb).arg("--pid-file").arg(&pid_file).done();
            let _ = outcome.refused("create container `{id}`: ");
            assert!(!pid_file.exists());
            bundle.assert_nothing_left();
        }
    }
}
