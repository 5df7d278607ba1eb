//! Layers that bundles share: whole or not there, whoever is killed, and however many make them.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::names;
use crate::harness::image::{Header, Layer, Layout, Tar, gzip};
use crate::harness::{Bundle, Call, Case, cases, every, parallel};

pub(super) fn cases() -> Vec<Case> {
    cases!([Root]:
        bundles_share_layers,
        a_store_of_somebody_else,
        whoever_is_killed_the_store_stays_whole,
        several_at_once_share_the_work,
        a_bundle_is_made_once,
        layers_that_others_must_not_reach,
    )
}

/// A layer of many files, in which nothing can be missing unseen.
fn big(name: &str) -> Layer {
    let file = Header::new(b'0', "");
    let tar = (0..300).fold(Tar::new(), |tar, at| {
        let path = format!("{name}{}/{at}", at % 17);
        tar.entry(
            &Header { name: path.as_bytes(), ..file.clone() },
            format!("{at}\n").repeat(500).as_bytes(),
        )
    });
    Layer::packed(tar, gzip)
}

fn layout(bundle: &Bundle) -> (Layout, Vec<Layer>) {
    let layers = vec![big("a"), big("b"), big("c")];
    (Layout::new(bundle.dir.join("image")).with(&layers, &json!({})), layers)
}

fn store(bundle: &Bundle) -> PathBuf {
    bundle.dir.join("store")
}

fn unpack(bundle: &Bundle, layout: &Layout, to: &str) -> Call {
    let call = bundle.call(&["unpack", "-q", "--store"]).arg(store(bundle));
    call.arg(&layout.dir).arg(bundle.dir.join(to))
}

/// Every layer is there with every file, and nothing else is.
#[track_caller]
fn assert_whole(bundle: &Bundle, layers: &[Layer]) {
    let mut expected: Vec<_> =
        layers.iter().map(|layer| layer.diff_id.replace("sha256:", "")).collect();
    let files = |layer: &Layer| -> usize {
        let root = store(bundle).join(layer.place());
        let directories = names(&root);
        directories.iter().map(|name| names(&root.join(name)).len()).sum()
    };
    assert!(layers.iter().all(|layer| files(layer) == 300));
    let implied: Vec<_> = expected.iter().map(|hex| format!(".implied-{hex}")).collect();
    expected.extend(implied);
    expected.sort();
    assert_eq!(names(&store(bundle).join("sha256")), expected);
}

fn bundles_share_layers() {
    let bundle = Bundle::new();
    let (layout, layers) = layout(&bundle);
    let _ = unpack(&bundle, &layout, "one").done().ok();
    assert_whole(&bundle, &layers);
    let inode = || {
        use std::os::unix::fs::MetadataExt;
        store(&bundle).join(layers[0].place()).metadata().unwrap().ino()
    };
    let before = inode();
    // A layer that is there is not even read.
    let blob = crate::harness::image::sha256(&layers[0].blob).replace(':', "/");
    std::fs::write(layout.dir.join("blobs").join(blob), "").unwrap();
    let _ = unpack(&bundle, &layout, "two").done().ok();
    assert_eq!(before, inode());
    let config = std::fs::read_to_string(bundle.dir.join("two/config.json")).unwrap();
    let place = store(&bundle).join(layers[0].place());
    assert!(config.contains(place.to_str().unwrap()), "{config}");
    assert_eq!(names(&bundle.dir.join("two/layers")), [".rrun-store"]);
    // Removing a layer is removing its directory.
    std::fs::remove_dir_all(store(&bundle).join(layers[1].place())).unwrap();
    let _ = unpack(&bundle, &layout, "three").done().ok();
    assert_whole(&bundle, &layers);
    let lines = bundle.call(&["unpack", "--store"]).arg(store(&bundle)).arg(&layout.dir);
    let outcome = lines.arg(bundle.dir.join("four")).done().code(0);
    let id = &layers[2].diff_id[7..19];
    assert!(
        outcome.stderr.contains(&format!("layer 3/3 {id}: there already (")),
        "{}",
        outcome.stderr
    );
}

fn a_store_of_somebody_else() {
    let bundle = Bundle::new();
    let (layout, layers) = layout(&bundle);
    std::fs::create_dir(store(&bundle)).unwrap();
    std::os::unix::fs::chown(store(&bundle), Some(1000), Some(1000)).unwrap();
    let _ = unpack(&bundle, &layout, "b").done().refused("belongs to user 1000, who could change");
    std::os::unix::fs::chown(store(&bundle), Some(0), Some(0)).unwrap();
    // Nor one that others may write to, or have put something into.
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    for open in [0o777, 0o1777, 0o770] {
        std::fs::set_permissions(store(&bundle), mode(open)).unwrap();
        let _ = unpack(&bundle, &layout, "b").done().refused("others may write to it");
    }
    std::fs::set_permissions(store(&bundle), mode(0o755)).unwrap();
    let below = store(&bundle).join("sha256");
    std::fs::create_dir(&below).unwrap();
    std::os::unix::fs::chown(&below, Some(1000), Some(0)).unwrap();
    let _ = unpack(&bundle, &layout, "b").done().refused("belongs to user 1000, who could change");
    std::os::unix::fs::chown(&below, Some(0), Some(0)).unwrap();
    let planted = store(&bundle).join(layers[0].place());
    std::os::unix::fs::symlink("/etc", &planted).unwrap();
    let _ = unpack(&bundle, &layout, "b").done().refused("is no directory");
    std::fs::remove_file(&planted).unwrap();
    // None of these has left a bundle.
    assert!(!bundle.dir.join("b").exists());
    std::fs::write(store(&bundle).join(".rrun-store"), "an ordinary user\n").unwrap();
    let _ = unpack(&bundle, &layout, "b").done().refused("were unpacked by an ordinary user");
}

fn whoever_is_killed_the_store_stays_whole() {
    let bundle = Bundle::new();
    let (layout, layers) = layout(&bundle);
    let start = std::time::Instant::now();
    let _ = unpack(&bundle, &layout, "warm").done().ok();
    let whole = start.elapsed();
    let steps = if every(2) == 1 { 60 } else { 12 };
    for step in 0..steps {
        std::fs::remove_dir_all(store(&bundle)).unwrap();
        let running = unpack(&bundle, &layout, "b").spawn();
        std::thread::sleep(whole * step / (steps - 2));
        let signal = match step % 2 {
            0 => rustix::process::Signal::KILL,
            _ => rustix::process::Signal::INT,
        };
        running.signal(signal);
        let outcome = running.done();
        assert!([0, 130, 137].contains(&outcome.status), "{}", outcome.stderr);
        // What has its name is whole, even before anybody comes to tidy up.
        for layer in &layers {
            let root = store(&bundle).join(layer.place());
            if root.exists() {
                let files: usize = names(&root).iter().map(|it| names(&root.join(it)).len()).sum();
                assert_eq!(files, 300);
            }
        }
        let _ = std::fs::remove_file(bundle.dir.join("b/config.json"));
        let _ = unpack(&bundle, &layout, "b").done().ok();
        assert_whole(&bundle, &layers);
        assert_eq!(names(&bundle.dir.join("b")), ["config.json", "layers"]);
        std::fs::remove_dir_all(bundle.dir.join("b")).unwrap();
    }
}

fn several_at_once_share_the_work() {
    let bundle = Bundle::new();
    let (layout, layers) = layout(&bundle);
    for round in 0..3 {
        let calls = (0..4).map(|at| unpack(&bundle, &layout, &format!("b{round}.{at}")));
        for outcome in parallel(calls.collect()) {
            let _ = outcome.ok();
        }
        assert_whole(&bundle, &layers);
        std::fs::remove_dir_all(store(&bundle)).unwrap();
    }
    // One is killed while another one waits for it.
    for delay in [5, 10, 20, 40] {
        let first = unpack(&bundle, &layout, &format!("k{delay}")).spawn();
        let second = unpack(&bundle, &layout, &format!("w{delay}")).spawn();
        std::thread::sleep(Duration::from_millis(delay));
        first.signal(rustix::process::Signal::KILL);
        let _ = first.done();
        let _ = second.done().ok();
        assert_whole(&bundle, &layers);
        std::fs::remove_dir_all(store(&bundle)).unwrap();
    }
}

fn a_bundle_is_made_once() {
    let bundle = Bundle::new();
    let (layout, _) = layout(&bundle);
    let _ = unpack(&bundle, &layout, "b").done().ok();
    let _ = unpack(&bundle, &layout, "b").done().refused("is a bundle already");
    let calls = (0..3).map(|_| unpack(&bundle, &layout, "c")).collect();
    let made = parallel(calls).into_iter().filter(|outcome| outcome.status == 0).count();
    assert_eq!(made, 1);
    assert_eq!(names(&bundle.dir.join("c")), ["config.json", "layers"]);
    // What somebody has put in place of the file that becomes config.json is not written to.
    let precious = bundle.dir.join("precious");
    std::fs::write(&precious, "precious").unwrap();
    std::fs::create_dir(bundle.dir.join("d")).unwrap();
    std::fs::hard_link(&precious, bundle.dir.join("d/.config.json.new")).unwrap();
    let _ = unpack(&bundle, &layout, "d").done().ok();
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
}

fn layers_that_others_must_not_reach() {
    use std::os::unix::fs::PermissionsExt;
    let bundle = Bundle::new();
    let (layout, _) = layout(&bundle);
    let _ = unpack(&bundle, &layout, "b").done().ok();
    for directory in [store(&bundle), bundle.dir.join("b/layers")] {
        assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
    }
}
