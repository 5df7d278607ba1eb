//! Restoring: what criu is asked, and that a container goes on where it was.

use std::path::Path;

use crate::harness::{Bundle, Call, Case, Needs, StandIn, Value, cases, until};

pub(super) fn cases() -> Vec<Case> {
    let mut all = cases![a_failure_leaves_nothing, mistakes_are_named];
    all.extend(cases![[Root, Criu]: it_goes_on_under_another_id]);
    all
}

fn restore(bundle: &Bundle, id: &str, path: &str) -> Call {
    bundle.write_config();
    let images = bundle.dir.join("images");
    let call = bundle.call(&["restore", "--detach", "--image-path"]).arg(images);
    call.arg("--bundle").arg(&bundle.dir).arg(id).env("PATH", path)
}

fn a_failure_leaves_nothing() {
    let bundle = Bundle::new().set("/linux/cgroupsPath", "");
    std::fs::create_dir(bundle.dir.join("images")).unwrap();
    let bundle = bundle.file("images/descriptors.json", r#"["/dev/null","pipe:[7]","file[1:2]"]"#);
    let log = bundle.dir.join("images/restore.log");
    let script = format!("log {} (00.01) Error (a.c:1): no luck\nfail\n", log.display());
    let standin = StandIn::new(&bundle, &script);
    let call = restore(&bundle, &bundle.id, &standin.path());
    let call =
        call.args(["--tcp-close", "--lsm-profile", "apparmor:p", "--lsm-mount-context", "c"]);
    let _ = call.done().fails_with_hint(
        "restore container `{id}`: criu has failed: Error (a.c:1): no luck",
        "all that it says is in `{dir}/images/restore.log`",
    );
    let (kind, asked) = standin.asked();
    assert_eq!(kind, 2);
    for expected in [
        (6, Value::Number(1)),
        (10, Value::text("restore.log")),
        (13, Value::text(bundle.rootfs().to_str().unwrap())),
        (26, Value::Number(1)),
        (27, Value::Bytes(b"\x0a\x08pipe:[7]\x10\x01".to_vec())),
        (27, Value::Bytes(b"\x0a\x09file[1:2]\x10\x02".to_vec())),
        (37, Value::text("mnt[/dev/null]:/dev/null")),
        (52, Value::Number(1)),
        (53, Value::text("apparmor:p")),
        (63, Value::text("c")),
    ] {
        assert!(asked.contains(&expected), "{expected:?} in {asked:?}");
    }
    assert!(asked.iter().any(|(field, _)| *field == 25), "no cgroup: {asked:?}");
    bundle.assert_nothing_left();
    // Nor does a criu that dies, or one that was never there.
    let standin = StandIn::new(&bundle, "die\n");
    let _ = restore(&bundle, &bundle.id, &standin.path()).done().refused("it gives no reason");
    let _ =
        restore(&bundle, &bundle.id, "/nonexistent").done().refused("there is no program `criu`");
    bundle.assert_nothing_left();
}

fn mistakes_are_named() {
    let bundle = Bundle::new().set("/linux/netDevices/eth7", serde_json::json!({}));
    std::fs::create_dir(bundle.dir.join("images")).unwrap();
    let error = "/linux/netDevices: criu cannot restore network devices of the host";
    let _ = restore(&bundle, &bundle.id, "/nonexistent").done().refused(error);
    let call = restore(&bundle, &bundle.id, "/nonexistent").args(["--lsm-profile", "smack:x"]);
    let _ = call.done().refused("--lsm-profile: `smack:x` is no TYPE:NAME");
    let _ = bundle.call(&["restore", "--lsm-mount-context"]).done().refused("requires an argument");
    let _ = bundle.call(&["checkpoint", "--help"]).done().ok();
    bundle.assert_nothing_left();
}

/// A program that counts goes on counting, with its mounts, its descriptors and its new cgroup.
fn it_goes_on_under_another_id() {
    let script = "i=1; echo $i >/data/count; while [ ! -e /data/go ]; do sleep 0.05; done; \
        i=$((i+1)); echo $i >/data/count; while :; do sleep 1; done";
    let bundle = Bundle::new().sh(script);
    std::fs::create_dir(bundle.dir.join("data")).unwrap();
    let data = bundle.dir.join("data");
    let bundle = bundle
        .mount(serde_json::json!({"destination": "/data", "source": data, "options": ["rbind"]}))
        .hook("createRuntime", "cat >$0/hook.state; echo >>$0/hook.state");
    let (reader, writer) = std::io::pipe().unwrap();
    let _ = bundle.making("create").to(writer.try_clone().unwrap()).done().ok();
    let _ = bundle.start().ok();
    let count = |expected: &str| {
        let path = bundle.dir.join("data/count");
        until(expected, || {
            std::fs::read_to_string(&path).ok().filter(|text| text.trim() == expected)
        });
    };
    count("1");
    let path = Needs::criu_path();
    let images = bundle.dir.join("images");
    let call = bundle.call(&["checkpoint", "--image-path"]).arg(&images).arg(&bundle.id);
    let _ = call.env("PATH", &path).done().ok();
    let _ = std::fs::remove_file(bundle.dir.join("hook.state"));
    let other = format!("{}b", bundle.id);
    let pid_file = bundle.dir.join("pid");
    let call = restore(&bundle, &other, &path).arg("--pid-file").arg(&pid_file);
    let _ = call.to(writer).done().code(0);
    drop(reader);
    let state = bundle.call(&["state", &other]).done().ok();
    assert!(state.stdout.contains("\"running\""), "{}", state.stdout);
    let pid = std::fs::read_to_string(pid_file).unwrap();
    assert!(state.stdout.contains(&format!("\"pid\": {pid},")), "{}", state.stdout);
    assert!(bundle.await_file("hook.state").contains(&format!("\"pid\":{pid},")));
    std::fs::write(bundle.dir.join("data/go"), "").unwrap();
    count("2");
    let cgroup = std::fs::read_to_string(Path::new("/proc").join(&pid).join("cgroup")).unwrap();
    assert!(cgroup.lines().any(|line| line.ends_with(&other)), "{cgroup}");
    let call = bundle.call(&["exec", &other, "/bin/cat", "/proc/1/comm"]);
    let _ = call.done().ok().stdout("sh\n");
    let _ = bundle.call(&["delete", "--force", &other]).done().ok();
    bundle.await_nothing_left();
}
