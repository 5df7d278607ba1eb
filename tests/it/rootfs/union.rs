//! A root file system joined from layers, declared by annotations.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Bundle, Case, Running, cases, parallel, until};

pub(super) fn cases() -> Vec<Case> {
    cases!([Root, Overlay]:
        any_number_of_layers_up_to_five_hundred,
        five_hundred_and_one_are_refused,
        the_upper_layer_wins,
        paths_of_any_length,
        an_ephemeral_upper_forgets,
        the_size_of_an_ephemeral_upper_is_a_limit,
        a_kept_upper_keeps,
        a_kept_upper_has_one_user,
        a_killed_create_gives_its_upper_back,
        several_share_their_layers,
        the_init_layer_has_the_mount_points,
        wrong_annotations_are_named,
        layers_that_are_missing_are_named,
        a_mounted_root_is_no_place_for_layers,
        the_hosts_root_is_a_layer_and_a_warning,
    )
}

fn annotate(bundle: Bundle, key: &str, value: &str) -> Bundle {
    bundle.set(&format!("/annotations/dev.rrun.rootfs.{key}"), value)
}

fn layered(layers: &[PathBuf]) -> Bundle {
    let list = serde_json::to_string(layers).unwrap();
    annotate(Bundle::new(), "layers", &list).set("/root/path", "no-such-directory")
}

/// A bundle with `count` layers above its own image; layer N has the file `/all/N`.
fn with_layers(count: usize) -> Bundle {
    let bundle = Bundle::new();
    let mut layers = vec![bundle.rootfs()];
    for n in 1..count {
        let layer = bundle.dir.join(format!("layers/{n}"));
        std::fs::create_dir_all(layer.join("all")).unwrap();
        std::fs::write(layer.join("all").join(n.to_string()), "").unwrap();
        std::fs::write(layer.join("top"), format!("{n}\n")).unwrap();
        layers.push(layer);
    }
    let list = serde_json::to_string(&layers).unwrap();
    annotate(bundle, "layers", &list).set("/root/path", "no-such-directory")
}

/// Every file of a tree with what is in it.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.insert(path.clone(), b"directory".to_vec());
            found.extend(contents(&path));
        } else if kind.is_file() {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        } else {
            found.insert(path, b"other".to_vec());
        }
    }
    found
}

fn any_number_of_layers_up_to_five_hundred() {
    for (count, init) in
        [(1, false), (2, true), (10, false), (127, false), (499, true), (500, false)]
    {
        let bundle =
            with_layers(count).sh("[ ! -e /top ] || cat /top; ls /all 2>/dev/null | grep -c .");
        let bundle = annotate(bundle, "init", if init { "true" } else { "false" });
        // grep is none of the links, so busybox is asked by name.
        let script = "[ ! -e /top ] || cat /top; ls /all 2>/dev/null | busybox grep -c .";
        let outcome = bundle.sh(script).run();
        let top = if count > 1 { format!("{}\n", count - 1) } else { String::new() };
        assert_eq!(outcome.stdout, format!("{top}{}\n", count - 1), "{count}: {}", outcome.stderr);
    }
}

fn five_hundred_and_one_are_refused() {
    let error = "create container `{id}`: /annotations/dev.rrun.rootfs.layers: \
        501 layers are more than the 500 that overlayfs takes";
    let layers: Vec<_> = (0..501).map(|n| PathBuf::from(format!("/{n}"))).collect();
    let _ = layered(&layers).run().fails(error);
    let bundle = annotate(layered(&layers[1..]), "init", "true");
    let _ = bundle.run().fails(&format!("{error}, the init layer counted"));
}

fn the_upper_layer_wins() {
    let bundle = with_layers(3).sh("cat /top; echo changed >/top; cat /top");
    let before = contents(&bundle.dir.join("layers"));
    let _ = bundle.run().ok().stdout("2\nchanged\n");
    assert_eq!(contents(&bundle.dir.join("layers")), before);
    assert!(!bundle.rootfs().join("top").exists());
}

fn paths_of_any_length() {
    let bundle = Bundle::new().sh("cat /long");
    let mut layer = bundle.dir.join("deep");
    while layer.as_os_str().len() < 3000 {
        layer = layer.join("d".repeat(200));
    }
    let odd = bundle.dir.join("a:b,c\\d \"e\"=f\n");
    for (layer, name) in [(&layer, "long"), (&odd, "odd")] {
        std::fs::create_dir_all(layer).unwrap();
        std::fs::write(layer.join(name), format!("{name}\n")).unwrap();
    }
    let list = serde_json::to_string(&[&bundle.rootfs(), &layer, &odd]).unwrap();
    let bundle = annotate(bundle, "layers", &list);
    let _ = bundle.sh("cat /long /odd").run().ok().stdout("long\nodd\n");
}

fn an_ephemeral_upper_forgets() {
    for upper in [None, Some("ephemeral")] {
        let bundle =
            with_layers(2).sh("ls /new 2>/dev/null; echo x >/new; echo y >/bin/new; ls /new");
        let bundle = match upper {
            Some(upper) => annotate(bundle, "upper", upper),
            None => bundle,
        };
        let before = contents(&bundle.rootfs());
        for _ in 0..2 {
            let _ = bundle.run().ok().stdout("/new\n");
        }
        assert_eq!(contents(&bundle.rootfs()), before);
    }
}

fn the_size_of_an_ephemeral_upper_is_a_limit() {
    let fill = "busybox dd if=/dev/zero of=/fill bs=1M count=4 2>/dev/null && echo fits";
    let small = annotate(with_layers(2), "upper-size", "1m").sh(fill);
    let _ = small.run().code(1).stdout("");
    let large = annotate(with_layers(2), "upper-size", "8m").sh(fill);
    let _ = large.run().ok().stdout("fits\n");
}

fn a_kept_upper_keeps() {
    let script = "cat /new 2>/dev/null; echo x >>/new; rm -f /top 2>/dev/null; busybox rm -f /top";
    let bundle = annotate(with_layers(2), "upper", "changes").sh(script);
    let before = contents(&bundle.dir.join("layers"));
    let _ = bundle.run().ok().stdout("");
    let _ = bundle.run().ok().stdout("x\n");
    let _ = bundle.run().ok().stdout("x\nx\n");
    assert_eq!(std::fs::read_to_string(bundle.dir.join("changes/new")).unwrap(), "x\nx\nx\n");
    assert_eq!(contents(&bundle.dir.join("layers")), before);
    assert!(!bundle.dir.join(".changes.rrun-work").exists());
}

fn a_kept_upper_has_one_user() {
    let upper = Bundle::new();
    let shared = upper.dir.join("changes");
    let first = annotate(with_layers(2), "upper", shared.to_str().unwrap()).probe("sleep");
    let second = annotate(with_layers(2), "upper", shared.to_str().unwrap()).probe("exit 0");
    let work = upper.dir.join(".changes.rrun-work");
    let _ = first.create().ok();
    assert!(work.is_dir());
    let outcome = second.run();
    let refusal = format!("the upper directory is in use by the container `{}`", first.id);
    let hint = format!(
        "\nrrun: hint: delete that container; if it is gone without having been deleted, \
         remove `{}`\n",
        work.display()
    );
    assert!(outcome.stderr.ends_with(&(refusal.clone() + &hint)), "{}", outcome.stderr);
    let _ = outcome.refused(&refusal);
    second.assert_nothing_left();
    assert!(work.is_dir(), "the first one's work directory was taken away");
    let _ = first.start().ok();
    let _ = first.delete_force().ok();
    assert!(!work.exists());
    let _ = second.run().ok();
    assert!(!work.exists());
}

fn a_killed_create_gives_its_upper_back() {
    let bundle = annotate(with_layers(2), "upper", "changes")
        .probe("exit 0")
        .hook("createRuntime", "echo here >$0/here; while [ ! -e $0/go ]; do sleep 0.01; done");
    let create: Running = bundle.making("create").spawn();
    bundle.await_file("here");
    create.signal(rustix::process::Signal::KILL);
    let _ = create.done();
    std::fs::write(bundle.dir.join("go"), "").unwrap();
    let _ = bundle.delete_force().ok();
    bundle.await_nothing_left();
    assert!(!bundle.dir.join(".changes.rrun-work").exists());
    let _ = bundle.run().ok();
}

fn several_share_their_layers() {
    let base = with_layers(20);
    let layers = base.config["annotations"]["dev.rrun.rootfs.layers"].as_str().unwrap();
    let bundles: Vec<_> = (0..6)
        .map(|n| {
            let bundle = annotate(Bundle::new(), "layers", layers);
            bundle.sh(&format!("echo {n} >/top; sleep 0.1; cat /top"))
        })
        .collect();
    let before = contents(&base.dir.join("layers"));
    let outcomes = parallel(bundles.iter().map(|bundle| bundle.making("run")).collect());
    for (n, outcome) in outcomes.into_iter().enumerate() {
        let _ = outcome.ok().stdout(&format!("{n}\n"));
    }
    assert_eq!(contents(&base.dir.join("layers")), before);
}

fn the_init_layer_has_the_mount_points() {
    let bundle = Bundle::new();
    let bare = bundle.dir.join("bare");
    std::fs::create_dir_all(bare.join("bin")).unwrap();
    std::fs::hard_link(bundle.rootfs().join("bin/busybox"), bare.join("bin/busybox")).unwrap();
    symlink("busybox", bare.join("bin/sh")).unwrap();
    let list = serde_json::to_string(&[&bare]).unwrap();
    let script = "busybox ls -d /dev/pts /dev/shm /proc /sys /etc/hosts /etc/hostname /etc/resolv.conf; \
        busybox readlink /etc/mtab";
    let bundle = annotate(annotate(bundle, "layers", &list), "init", "true").sh(script);
    let expected = "/dev/pts\n/dev/shm\n/etc/hostname\n/etc/hosts\n/etc/resolv.conf\n/proc\n/sys\n\
        /proc/mounts\n";
    let _ = bundle.run().ok().stdout(expected);
    assert_eq!(std::fs::read_dir(&bare).unwrap().count(), 1);
}

fn wrong_annotations_are_named() {
    for (key, value, expected) in [
        (
            "layers",
            "x",
            "layers: not a JSON array of directories: expected value at line 1 column 1",
        ),
        ("layers", "[]", "layers: there must be at least one layer"),
        ("layers", "[\"a\",\"\"]", "layers: layer 1 is no path"),
        ("init", "1", "init: `1` is neither `true` nor `false`"),
        (
            "upper-size",
            "12q",
            "upper-size: `12q` is no size: write a number with `k`, `m`, `g` or `%` behind it",
        ),
        ("upper", "", "upper: must be `ephemeral` or a directory"),
        ("lower", "/a", "lower: there is no such annotation"),
        ("upper", "../", "upper: "),
    ] {
        let outcome = annotate(with_layers(2), key, value).run();
        let error = format!("create container `{{id}}`: /annotations/dev.rrun.rootfs.{expected}");
        let _ =
            if expected.ends_with(": ") { outcome.refused(&error) } else { outcome.fails(&error) };
    }
    let alone = annotate(Bundle::new(), "init", "true");
    let _ = alone.run().fails(
        "create container `{id}`: /annotations/dev.rrun.rootfs.init: \
         needs `dev.rrun.rootfs.layers` beside it",
    );
    let shared = with_layers(2).edit(|config| {
        let list = config["linux"]["namespaces"].as_array_mut().unwrap();
        list.retain(|namespace| namespace["type"] != "mount");
    });
    let _ = shared.run().refused("create container `{id}`: ");
}

fn layers_that_are_missing_are_named() {
    let bundle = layered(&[PathBuf::from("/nonexistent-layer")]);
    let _ = bundle.run().refused("open layer 0, `/nonexistent-layer`: ");
    bundle.assert_nothing_left();
    let bundle = with_layers(2);
    let file = bundle.dir.join("config.json");
    let list = serde_json::to_string(&[bundle.rootfs(), file]).unwrap();
    let _ = annotate(bundle, "layers", &list).run().refused("open layer 1, `{dir}/config.json`: ");
}

fn a_mounted_root_is_no_place_for_layers() {
    let bundle = with_layers(2).set("/root/path", "mounted");
    let place = bundle.dir.join("mounted");
    std::fs::create_dir(&place).unwrap();
    let flags = rustix::mount::MountFlags::empty();
    rustix::mount::mount("tmpfs", &place, "tmpfs", flags, None).unwrap();
    let outcome = bundle.run();
    rustix::mount::unmount(&place, rustix::mount::UnmountFlags::DETACH).unwrap();
    let _ = outcome.refused("`{dir}/mounted` is mounted already, so layers have no place");
}

fn the_hosts_root_is_a_layer_and_a_warning() {
    let bundle = annotate(layered(&[PathBuf::from("/")]), "upper-size", "16m").args([
        "/bin/sh",
        "-c",
        "echo x >/etc/rrun-it-test; cat /etc/rrun-it-test",
    ]);
    let log = bundle.dir.join("log");
    let place = bundle.dir.join("hidden");
    std::fs::create_dir(&place).unwrap();
    let flags = rustix::mount::MountFlags::empty();
    rustix::mount::mount("tmpfs", &place, "tmpfs", flags, None).unwrap();
    let call = bundle.making("run").arg("--log").arg(&log).args(["--log-format", "json"]);
    let outcome = call.done();
    rustix::mount::unmount(&place, rustix::mount::UnmountFlags::DETACH).unwrap();
    let _ = outcome.ok().stdout("x\n");
    assert!(!Path::new("/etc/rrun-it-test").exists());
    let text = std::fs::read_to_string(&log).unwrap();
    let warnings: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let hidden = |line: &Value| {
        let text = line["msg"].as_str().unwrap();
        text.starts_with("the layer `/` does not show what is mounted at ")
            // Or a mount of the machine above it, which hides it too.
            && place
                .ancestors()
                .filter(|above| above.parent().is_some())
                .any(|above| text.contains(&format!("`{}`", above.display())))
            // The container mounts its own.
            && !text.contains("`/proc`")
    };
    assert!(warnings.iter().any(hidden), "{text}");
    assert!(warnings.iter().all(|line| line["level"] == json!("warning")), "{text}");
    until("gone", || (!bundle.entry().exists()).then_some(()));
}
