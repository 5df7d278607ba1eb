//! Where images come from, and which of them is meant.

use std::fs::File;

use serde_json::json;

use super::{names, place};
use crate::harness::image::{Layer, Layout, Tar, docker_archive, gzip, sha256, tar_of, zstd};
use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases!([Root]:
        every_source_gives_the_same,
        docker_archives,
        tags_names_and_digests,
        the_platform_chooses,
        places_that_have_no_image,
    )
}

fn layers() -> [Layer; 2] {
    let top = Tar::new().file("f", "top").file(".wh.g", "");
    [Layer::packed(Tar::new().file("f", "low").file("g", ""), gzip), Layer::packed(top, zstd)]
}

fn every_source_gives_the_same() {
    let bundle = Bundle::new();
    let layers = layers();
    let layout = Layout::new(bundle.dir.join("image")).with(&layers, &json!({}));
    let bytes = tar_of(&layout.dir);
    let tar = bundle.dir.join("image.tar");
    std::fs::write(&tar, &bytes).unwrap();
    let packed = bundle.dir.join("image.tar.gz");
    std::fs::write(&packed, gzip(&bytes)).unwrap();
    let strange = bundle.dir.join("a:b@c");
    std::fs::write(&strange, &bytes).unwrap();
    let to = bundle.dir.join("b");
    let check = || {
        let root = place(&bundle, &layers[1]);
        assert_eq!(std::fs::read_to_string(root.join("f")).unwrap(), "top");
        assert_eq!(names(&bundle.dir.join("b")), ["config.json", "layers"]);
        std::fs::remove_dir_all(&to).unwrap();
    };
    for image in [&layout.dir, &tar, &packed, &strange] {
        let _ = bundle.call(&["unpack", "-q"]).arg(image).arg(&to).done().ok();
        check();
        let tagged = format!("{}:t", image.display());
        let _ = bundle.call(&["unpack", "-q", &tagged]).arg(&to).done().ok();
        check();
    }
    // A file as standard input, and a pipe.
    for name in ["-", "-:t"] {
        let call =
            bundle.call(&["unpack", "-q", "--", name]).arg(&to).stdin(File::open(&tar).unwrap());
        let _ = call.done().ok();
        check();
        let mut cat = std::process::Command::new("cat");
        let mut cat = cat.arg(&packed).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let pipe = cat.stdout.take().unwrap();
        let _ = bundle.call(&["unpack", "-q", "--", name]).arg(&to).stdin(pipe).done().ok();
        assert!(cat.wait().unwrap().success());
        check();
    }
    let mut cat = std::process::Command::new("cat");
    let mut cat = cat.arg(&tar).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let pipe = cat.stdout.take().unwrap();
    let call = bundle.call(&["unpack", "-q", "--max-size", "1k", "-"]).arg(&to).stdin(pipe);
    let _ = call.done().refused("the archive is larger than the 1024 bytes allowed");
    let _ = cat.wait().unwrap();
}

fn docker_archives() {
    let bundle = Bundle::new();
    let [low, top] = [0, 1].map(|at| {
        let tar = if at == 0 { Tar::new().file("f", "low") } else { Tar::new().file("f", "top") };
        Layer::plain(tar)
    });
    let config = json!({"Cmd": ["/f"], "User": "7:8"});
    let archive = docker_archive("web:v1", &[low.clone(), top.clone(), low.clone()], &config);
    let path = bundle.dir.join("old.tar");
    std::fs::write(&path, &archive).unwrap();
    for tag in ["", ":web:v1", ":v1", ":docker.io/library/web:v1"] {
        let image = format!("{}{tag}", path.display());
        let to = bundle.dir.join("b");
        let _ = bundle.call(&["unpack", "-q", &image]).arg(&to).done().ok();
        let config = std::fs::read_to_string(to.join("config.json")).unwrap();
        let config: serde_json::Value = serde_json::from_str(&config).unwrap();
        // The first and the last layer are one; it is named once, where it counts.
        let expected = format!("[\"layers/{}\",\"layers/{}\"]", top.place(), low.place());
        assert_eq!(config["annotations"]["dev.rrun.rootfs.layers"], expected);
        assert_eq!(config["process"]["user"]["uid"], 7);
        std::fs::remove_dir_all(to).unwrap();
    }
    let image = format!("{}:web:v2", path.display());
    let call = bundle.call(&["unpack", "-q", &image]).arg(bundle.dir.join("b"));
    let _ = call.done().refused("no such image: there are `:web:v1`");
    // A layer that was changed, and paths that lead out.
    let at = archive.windows(3).position(|it| it == b"low").unwrap();
    let mut changed = archive.clone();
    changed[at] = b'L';
    std::fs::write(&path, changed).unwrap();
    let call = bundle.call(&["unpack", "-q"]).arg(&path).arg(bundle.dir.join("b"));
    let _ = call.done().refused("instead of sha256:");
    let manifest = r#"[{"Config":"../../../etc/passwd","RepoTags":null,"Layers":[]}]"#;
    std::fs::write(&path, Tar::new().file("manifest.json", manifest).end()).unwrap();
    let call = bundle.call(&["unpack", "-q"]).arg(&path).arg(bundle.dir.join("b"));
    let _ = call.done().refused("`../../../etc/passwd` is not there");
    std::fs::create_dir(bundle.dir.join("dir")).unwrap();
    std::fs::write(bundle.dir.join("dir/manifest.json"), manifest).unwrap();
    let call = bundle.call(&["unpack", "-q"]).arg(bundle.dir.join("dir"));
    let _ = call.arg(bundle.dir.join("b")).done().refused("`../../../etc/passwd` is not there");
}

fn tags_names_and_digests() {
    let bundle = Bundle::new();
    let layout = Layout::new(bundle.dir.join("image"));
    let [one, two] = ["one", "two"].map(|text| {
        layout.image(&[Layer::plain(Tar::new().file("f", text))], &json!({"Cmd": [text]}))
    });
    let digest = two["digest"].as_str().unwrap().to_owned();
    let mut named = two.clone();
    named["annotations"] = json!({"io.containerd.image.name": "docker.io/library/web:v2"});
    let layout = layout.list("one", one).list("", named);
    let program = |reference: &str| {
        let image = format!("{}{reference}", layout.dir.display());
        let to = bundle.dir.join("b");
        let outcome = bundle.call(&["unpack", "-q", &image]).arg(&to).done();
        if outcome.status != 0 {
            return outcome.stderr.lines().next().unwrap().to_owned();
        }
        let config = std::fs::read_to_string(to.join("config.json")).unwrap();
        std::fs::remove_dir_all(to).unwrap();
        let config: serde_json::Value = serde_json::from_str(&config).unwrap();
        config["process"]["args"][0].as_str().unwrap().to_owned()
    };
    assert_eq!(program(":one"), "one");
    assert_eq!(program(":web:v2"), "two");
    assert_eq!(program(":v2"), "two");
    assert_eq!(program(&format!("@{digest}")), "two");
    let text = program("");
    assert!(text.contains("several images and none `:latest`"), "{text}");
    assert!(text.contains("`:one`, `:docker.io/library/web:v2`"), "{text}");
    let text = program(":three");
    assert!(text.contains("no image `:three`: there are"), "{text}");
    let text = program("@sha256:../../../etc/passwd");
    assert!(text.contains("is no digest"), "{text}");
    let missing = program(&format!("@{}", sha256(b"missing")));
    assert!(missing.contains("is not there"), "{missing}");
}

fn the_platform_chooses() {
    let bundle = Bundle::new();
    let layout = Layout::new(bundle.dir.join("image"));
    let mut list = Vec::new();
    for (architecture, variant) in [("s390x", ""), ("arm", "v6"), ("arm", "v7"), ("unknown", "")] {
        let config =
            json!({"Cmd": [format!("{architecture}{variant}")], "architecture": architecture});
        let mut it = layout.image(&[Layer::plain(Tar::new())], &config);
        it["platform"] = json!({"os": "linux", "architecture": architecture, "variant": variant});
        list.push(it);
    }
    let here = layout.image(&[Layer::plain(Tar::new())], &json!({"Cmd": ["here"]}));
    let mut it = here.clone();
    it["platform"] = json!({"os": "linux", "architecture": crate::harness::image::architecture()});
    list.insert(2, it);
    let index = json!({"schemaVersion": 2, "manifests": list}).to_string();
    let index = layout.blob("index.v1+json", index.as_bytes());
    let foreign = list[0].clone();
    let layout = layout.list("many", index).list("foreign", foreign);
    let program = |options: &[&str], tag: &str| {
        let to = bundle.dir.join("b");
        let call = bundle.call(&["unpack", "-q"]).args(options);
        let outcome = call.arg(format!("{}:{tag}", layout.dir.display())).arg(&to).done();
        let Ok(config) = std::fs::read_to_string(to.join("config.json")) else {
            return outcome.stderr;
        };
        std::fs::remove_dir_all(to).unwrap();
        let config: serde_json::Value = serde_json::from_str(&config).unwrap();
        config["process"]["args"][0].as_str().unwrap().to_owned()
    };
    assert_eq!(program(&[], "many"), "here");
    assert_eq!(program(&["--platform", "linux/s390x"], "many"), "s390x");
    assert_eq!(program(&["--platform", "linux/arm"], "many"), "armv7");
    assert_eq!(program(&["--platform=linux/arm/v6"], "many"), "armv6");
    let text = program(&["--platform", "linux/arm/v5"], "many");
    assert!(text.contains("no image for linux/arm/v5: there are linux/s390x"), "{text}");
    let text = program(&["--platform", "windows/amd64"], "many");
    assert!(text.contains("is no platform"), "{text}");
    // One image alone is looked into, so that it is not found out by a program that does not start.
    let text = program(&[], "foreign");
    assert!(text.contains("the image is for linux/s390x, not for"), "{text}");
    assert!(text.contains("--platform linux/s390x unpacks it all the same"), "{text}");
    assert_eq!(program(&["--platform", "s390x"], "foreign"), "s390x");
}

fn places_that_have_no_image() {
    let bundle = Bundle::new();
    let empty = bundle.dir.join("empty");
    std::fs::create_dir(&empty).unwrap();
    std::fs::write(bundle.dir.join("nothing"), "").unwrap();
    std::fs::write(bundle.dir.join("text"), "no archive ".repeat(100)).unwrap();
    std::fs::write(bundle.dir.join("export.tar"), Tar::new().file("etc/passwd", "").end()).unwrap();
    for (image, expected) in [
        ("missing:t", "find the image: open("),
        ("empty", "there is neither an index.json nor a manifest.json in it"),
        ("nothing", "it is empty"),
        ("text", "the checksum of the header at byte 0 is wrong"),
        ("export.tar", "there is neither an index.json nor a manifest.json in it"),
    ] {
        let to = bundle.dir.join("b");
        let _ = bundle
            .call(&["unpack", "-q"])
            .arg(bundle.dir.join(image))
            .arg(to)
            .done()
            .refused(expected);
    }
    let layout = Layout::new(bundle.dir.join("image")).with(&layers(), &json!({}));
    std::fs::remove_dir_all(layout.dir.join("blobs")).unwrap();
    let call = bundle.call(&["unpack", "-q"]).arg(&layout.dir).arg(bundle.dir.join("b"));
    let _ = call.done().refused("is not there");
    // What is no file cannot be waited for.
    let index = layout.dir.join("index.json");
    std::fs::remove_file(&index).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &index, rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    let call = bundle.call(&["unpack", "-q"]).arg(&layout.dir).arg(bundle.dir.join("b"));
    let _ = call.done().refused("`index.json` is no regular file");
}
