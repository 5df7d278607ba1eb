//! `spec`: what it writes is taken by `run`, and what is wrong is refused before anything is written.

use serde_json::Value;

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![
        options_become_members,
        what_exists_stays,
        users_are_looked_up_in_the_uppermost_layer,
        an_image_and_an_ordinary_user,
        unreadable_images_are_named,
    ]
}

/// A document that `spec` writes in the bundle's place.
fn written(bundle: &Bundle, args: &[&str]) -> Value {
    let _ = std::fs::remove_file(bundle.dir.join("config.json"));
    let call = bundle.call(&["spec"]).args(args).cwd(&bundle.dir);
    let _ = call.done().ok();
    let text = std::fs::read(bundle.dir.join("config.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn options_become_members() {
    let bundle = Bundle::new().file("src/file", "");
    let config = written(
        &bundle,
        &[
            "--mount",
            "./src:/src:ro",
            "--network",
            "host",
            "--seccomp",
            "default",
            "--cap-add",
            "ALL",
        ],
    );
    let mounts = config["mounts"].as_array().unwrap();
    let mount = mounts.iter().find(|it| it["destination"] == "/src").unwrap();
    // Relative to the caller, wherever the bundle goes.
    assert_eq!(mount["source"], bundle.dir.join("src").to_str().unwrap());
    let namespaces = config["linux"]["namespaces"].to_string();
    assert!(!namespaces.contains("network"), "{namespaces}");
    // The filter is that of the capabilities.
    assert!(config["linux"]["seccomp"].to_string().contains("\"mount\""));
    let config = written(&bundle, &["--seccomp", "default"]);
    assert!(!config["linux"]["seccomp"].to_string().contains("\"mount\""));
}

fn what_exists_stays() {
    let bundle = Bundle::new().file("config.json", "mine");
    let call = bundle.call(&["spec"]).cwd(&bundle.dir);
    let _ =
        call.done().fails("write a new config.json: open(`./config.json`): file exists (EEXIST)");
    assert_eq!(std::fs::read_to_string(bundle.dir.join("config.json")).unwrap(), "mine");
}

fn users_are_looked_up_in_the_uppermost_layer() {
    let bundle = Bundle::new().file("upper/etc/passwd", "alice:x:7:8::/:/bin/sh\n");
    let (low, high) = (bundle.rootfs(), bundle.dir.join("upper"));
    let layers = ["--layer", low.to_str().unwrap(), "--layer", high.to_str().unwrap()];
    let config = written(&bundle, &[&layers[..], &["--user", "alice"]].concat());
    assert_eq!(config["process"]["user"].to_string(), r#"{"gid":8,"uid":7}"#);
    assert_eq!(config["root"]["readonly"], Value::Null);
    // Removed above is not there.
    std::fs::remove_file(high.join("etc/passwd")).unwrap();
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, high.join("etc/passwd"), FileType::CharacterDevice, Mode::empty(), 0).unwrap();
    let call = bundle.call(&["spec", "--file", "x", "--user", "alice"]).args(layers);
    let _ = call.cwd(&bundle.dir).done().refused("there is no user `alice` in its /etc/passwd");
    assert!(!bundle.dir.join("x").exists());
}

fn an_image_and_an_ordinary_user() {
    let image = r#"{"os":"linux","config":{"User":"alice","Cmd":["/probe","ids"]}}"#;
    let bundle = Bundle::new().file("image.json", image);
    let args = ["--image-config", "image.json", "--rootless"];
    let config = written(&bundle, &args);
    assert_eq!(config["process"]["user"]["uid"], 1000);
    // Root has all users to give.
    assert_eq!(config["linux"]["uidMappings"][0]["hostID"], 0);
    let call = bundle.call(&["spec", "--file", "x", "--rootless", "--user", "5"]).cwd(&bundle.dir);
    let _ = call.done().refused("user 5 is not among the 1 of the user namespace");
}

fn unreadable_images_are_named() {
    let bundle = Bundle::new().file("image.json", r#"{"os":"windows"}"#).fifo("fifo");
    for (name, part) in [
        ("image.json", "read `image.json`: /os: the image is for `windows`"),
        ("fifo", "read `fifo`: not a regular file"),
        ("missing", "ENOENT"),
    ] {
        let call = bundle.call(&["spec", "--file", "x", "--image-config", name]).cwd(&bundle.dir);
        let _ = call.done().refused(part);
    }
}
