//! `unpack`: the bundle that is made of an image.

use serde_json::{Value, json};

use crate::harness::image::{Layer, Layout, Tar, sha256, tar_of};
use crate::harness::{Bundle, Case, Outcome, cases, terminal};

pub(super) fn cases() -> Vec<Case> {
    cases!([Root]: users_are_the_images_own, an_image_without_layers, no_threads, wrong_calls)
        .into_iter()
        .chain(cases!([Root, Overlay]: a_bundle_runs_at_once, an_upper_keeps_changes))
        .collect()
}

/// The image of all tests, as a layer.
fn base(bundle: &Bundle) -> Layer {
    let blob = tar_of(&bundle.rootfs());
    Layer { diff_id: sha256(&blob), blob, size: None, digest: None }
}

fn unpack(bundle: &Bundle, layers: &[Layer], config: &Value, options: &[&str]) -> Outcome {
    Layout::new(bundle.dir.join("image")).with(layers, config);
    let call = bundle.call(&["unpack", "-q"]).args(options);
    call.arg(bundle.dir.join("image")).arg(bundle.dir.join("b")).done()
}

fn run(bundle: &Bundle) -> Outcome {
    bundle.call(&["run", "-b"]).arg(bundle.dir.join("b")).arg(&bundle.id).done()
}

fn a_bundle_runs_at_once() {
    let bundle = Bundle::new();
    let config = json!({
        "Entrypoint": ["/bin/sh", "-c"],
        "Cmd": ["/bin/busybox id -u; /bin/busybox pwd; echo $A; /bin/busybox ls -ld /data; echo x >/data/x && cat /data/x"],
        "Env": ["A=b"], "User": "alice", "WorkingDir": "/tmp", "Volumes": {"/data": {}},
        "Labels": {"some": "label", "run.oci.hooks.stdout": "/tmp/x"}, "StopSignal": "SIGQUIT",
    });
    let data = Tar::new().directory("data").file("data/f", "");
    let _ = unpack(&bundle, &[base(&bundle), Layer::plain(data)], &config, &[]).ok();
    let text = std::fs::read_to_string(bundle.dir.join("b/config.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let annotation = |name: &str| document["annotations"][name].as_str().unwrap_or("").to_owned();
    assert_eq!(annotation("org.opencontainers.image.stopSignal"), "SIGQUIT");
    assert_eq!(annotation("some"), "label");
    // A label must not name a file of the host.
    assert_eq!(annotation("run.oci.hooks.stdout"), "");
    assert!(document["linux"]["seccomp"]["syscalls"].is_array());
    let outcome = run(&bundle);
    assert!(outcome.stdout.starts_with("1000\n/tmp\nb\nd"), "{}{}", outcome.stdout, outcome.stderr);
    // Moved, it runs all the same: its layers are named relative to it.
    std::fs::rename(bundle.dir.join("b"), bundle.dir.join("moved")).unwrap();
    let call = bundle.call(&["run", "-b"]).arg(bundle.dir.join("moved")).arg(&bundle.id);
    assert!(call.done().stdout.starts_with("1000\n"));
}

fn users_are_the_images_own() {
    let file = |text: &str| Tar::new().file("etc/passwd", text);
    let web = "web:x:7:8::/:\n";
    let group = Tar::new().file("etc/group", "log:x:9:web\nown:x:8:\n");
    let linked = || Tar::new().symlink("etc/passwd", "../lib/passwd");
    let below = Tar::new().file("lib/passwd", web);
    let host = "../../../../../../../../usr/share/base-passwd/passwd.master";
    let outside = Tar::new().symlink("etc/passwd", host);
    for (layers, user, expected) in [
        (vec![file(web)], "web", Some((7, 8))),
        (vec![file("web:x:1:1::/:\n"), file(web)], "web", Some((7, 8))),
        (vec![file(web), group.clone()], "web:log", Some((7, 9))),
        (vec![below, linked()], "web", Some((7, 8))),
        (vec![file(web), Tar::new().file("etc/.wh.passwd", "")], "web", None),
        (vec![file(web), Tar::new().file("etc/.wh..wh..opq", "")], "web", None),
        (vec![file(web), Tar::new().file(".wh.etc", "")], "web", None),
        (vec![outside], "root", None),
        (vec![], "12:34", Some((12, 34))),
    ] {
        let bundle = Bundle::new();
        let layers: Vec<_> = layers.into_iter().map(Layer::plain).collect();
        let outcome = unpack(&bundle, &layers, &json!({"User": user}), &[]);
        let Some((uid, gid)) = expected else {
            let _ = outcome.refused(&format!("`{user}`"));
            assert!(!bundle.dir.join("b/config.json").exists());
            continue;
        };
        let _ = outcome.ok();
        let text = std::fs::read_to_string(bundle.dir.join("b/config.json")).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let found = &document["process"]["user"];
        assert_eq!((&found["uid"], &found["gid"]), (&json!(uid), &json!(gid)), "{user}");
    }
}

fn an_upper_keeps_changes() {
    for (options, expected) in [(&[][..], "1\n"), (&["--upper", "changes"][..], "2\n")] {
        let bundle = Bundle::new();
        let script = "echo x >>/f; cat /f | /bin/busybox wc -l";
        let config = json!({"Cmd": ["/bin/sh", "-c", script]});
        let _ = unpack(&bundle, &[base(&bundle)], &config, options).ok();
        let _ = run(&bundle).ok().stdout("1\n");
        let _ = run(&bundle).ok().stdout(expected);
    }
}

fn an_image_without_layers() {
    let bundle = Bundle::new();
    let _ = unpack(&bundle, &[], &json!({"Cmd": ["/none"]}), &[]).ok();
    assert!(bundle.dir.join("b/layers/empty").is_dir());
}

/// Threads that can be missing are missed by nobody; without the one that reads there is an error, also where another one
/// draws on a terminal meanwhile and has to be told that it is over.
fn no_threads() {
    // Not the other tests' user, whose processes would count.
    let user = 54_322;
    let bundle = Bundle::new();
    let _ = unpack(&bundle, &[base(&bundle)], &json!({}), &[]).ok();
    let place = bundle.dir.join("mine");
    std::fs::create_dir(&place).unwrap();
    std::os::unix::fs::chown(&place, Some(user), Some(user)).unwrap();
    let id = user.to_string();
    let (_outer, inner) = terminal();
    let unpacked = |to: &str, processes: &str| {
        let limit = format!("--nproc={processes}");
        let words = ["sh", "-c", to, "sh", "setpriv", "--reuid", &id, "--regid"];
        let more = [&id, "--clear-groups", "timeout", "-s", "KILL", "20", "prlimit", &limit];
        let call = bundle.call_plain(&[&words[..], &more].concat(), &["unpack"]);
        let call = call.stdin(inner.try_clone().unwrap());
        call.arg(bundle.dir.join("image")).arg(place.join("a")).done()
    };
    let (terminal, pipe) = ("exec \"$@\" 2>&0", "exec \"$@\"");
    // timeout(1) is a process of that user, too.
    for processes in ["2", "3"] {
        let _ = unpacked(terminal, processes).code(1);
        let error = unpacked(pipe, processes).refused("clone(a thread that reads the layer)");
        let _ = error.says("temporarily unavailable");
    }
    let _ = unpacked(terminal, "100").ok();
}

fn wrong_calls() {
    let bundle = Bundle::new();
    let layers = [Layer::plain(Tar::new())];
    let _ = unpack(&bundle, &layers, &json!({}), &["--upper", ""]).refused("--upper");
    let _ = unpack(&bundle, &layers, &json!({"User": "none"}), &[]).refused("`none`");
    // The layers were fine, and are there for the next one.
    assert!(bundle.dir.join("b/layers").join(layers[0].place()).is_dir());
    std::fs::write(bundle.dir.join("file"), "").unwrap();
    let call = bundle.call(&["unpack", "-q"]).arg(bundle.dir.join("image"));
    let _ = call.arg(bundle.dir.join("file")).done().refused("use the store");
}
