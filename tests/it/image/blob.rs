//! Blobs that lie: about their digest, their size, what they were before they were compressed; and
//! those that would fill a disk.

use serde_json::json;

use super::{names, place, unpacked};
use crate::harness::image::{Header, Layer, Layout, Tar, gzip, sha256, zstd};
use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases!([Root]:
        every_compression,
        lies_are_found_and_leave_nothing,
        what_follows_the_archive_counts,
        bombs_have_a_limit,
        documents_have_a_limit,
    )
}

fn layer() -> Tar {
    Tar::new().directory("d/").file("d/f", &"contents ".repeat(100_000)).file("g", "")
}

fn every_compression() {
    let frames = |bytes: &[u8]| {
        let (one, two) = bytes.split_at(bytes.len() / 2);
        // A frame to be skipped, as zstd:chunked has it.
        let skipped = [b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec(), zstd(one)].concat();
        [skipped, b"\x5f\x2a\x4d\x18\x00\x00\x00\x00".to_vec(), zstd(two)].concat()
    };
    let members = |bytes: &[u8]| {
        let (one, two) = bytes.split_at(1000);
        [gzip(one), gzip(two)].concat()
    };
    type Pack = fn(&[u8]) -> Vec<u8>;
    let packs: [Pack; 5] = [<[u8]>::to_vec, gzip, zstd, frames, members];
    for pack in packs {
        let bundle = Bundle::new();
        let layer = Layer::packed(layer(), pack);
        let _ = unpacked(&bundle, std::slice::from_ref(&layer)).ok();
        let text = std::fs::read_to_string(place(&bundle, &layer).join("d/f")).unwrap();
        assert_eq!(text, "contents ".repeat(100_000));
    }
    let bundle = Bundle::new();
    let xz = Layer { blob: b"\xfd7zXZ\0".to_vec(), ..Layer::plain(layer()) };
    let _ = unpacked(&bundle, &[xz]).refused("compressed with xz, which images cannot be");
}

fn lies_are_found_and_leave_nothing() {
    let plain = Layer::plain(layer());
    let packed = Layer::packed(layer(), gzip);
    let length = packed.blob.len() as u64;
    let other = sha256(b"other");
    let mut flipped = packed.clone();
    flipped.digest = Some(sha256(&flipped.blob));
    let at = flipped.blob.len() / 2;
    flipped.blob[at] ^= 1;
    for (layer, expected) in [
        (Layer { digest: Some(other.clone()), ..plain.clone() }, "is not what its digest says"),
        (Layer { size: Some(length - 1), ..packed.clone() }, "is longer than the"),
        (Layer { size: Some(length + 1), ..packed.clone() }, "bytes instead of"),
        (Layer { diff_id: other, ..packed.clone() }, "instead of sha256:"),
        (flipped, "unpack layer"),
        (Layer { blob: packed.blob[..at].to_vec(), ..packed.clone() }, "unpack layer"),
        (
            Layer { blob: [packed.blob.clone(), b"more".to_vec()].concat(), ..packed },
            "unpack layer",
        ),
        (Layer { blob: plain.blob[..1000].to_vec(), ..plain }, "instead of sha256:"),
    ] {
        let bundle = Bundle::new();
        let _ = unpacked(&bundle, &[layer]).refused(expected);
        assert_eq!(names(&bundle.dir.join("b/layers/sha256")), [""; 0], "{expected}");
        assert!(!bundle.dir.join("b/config.json").exists());
    }
}

fn what_follows_the_archive_counts() {
    let mut bytes = layer().end();
    bytes.extend([7; 5000]);
    let layer = Layer { diff_id: sha256(&bytes), blob: gzip(&bytes), size: None, digest: None };
    let bundle = Bundle::new();
    let _ = unpacked(&bundle, &[layer]).ok();
}

fn bombs_have_a_limit() {
    let bundle = Bundle::new();
    let size = 64 << 20;
    let big = Tar::new().entry(&Header::new(b'0', "big"), &vec![0; size]);
    let layers = [Layer::packed(big, gzip)];
    let many = (0..2000).fold(Tar::new(), |tar, at| tar.file(&at.to_string(), ""));
    let layout = Layout::new(bundle.dir.join("image")).with(&layers, &json!({}));
    let many = layout.image(&[Layer::packed(many, zstd)], &json!({}));
    let layout = layout.list("many", many);
    // Few entries, and many directories that they take for granted.
    let deep = (0..20).fold(Tar::new(), |tar, at| {
        tar.pax(&[("path", format!("{at}/{}x", "d/".repeat(100)).as_bytes())]).file("x", "")
    });
    let deep = layout.image(&[Layer::plain(deep)], &json!({}));
    let layout = layout.list("deep", deep);
    let unpack = |tag: &str, option: &str, limit: &str| {
        let image = format!("{}:{tag}", layout.dir.display());
        bundle.call(&["unpack", "-q", option, limit, &image]).arg(bundle.dir.join("b")).done()
    };
    let _ = unpack("t", "--max-size", "10M").refused("larger than the 10485760 bytes allowed");
    let _ = unpack("many", "--max-entries", "1000").refused("more than the 1000 files allowed");
    let _ = unpack("deep", "--max-entries", "1000").refused("more than the 1000 files allowed");
    let _ = unpack("many", "--max-size", "much").refused("--max-size");
    assert_eq!(names(&bundle.dir.join("b/layers/sha256")), [""; 0]);
    let _ = unpack("t", "--max-size", "65M").ok();
}

fn documents_have_a_limit() {
    let bundle = Bundle::new();
    let mut layout = Layout::new(bundle.dir.join("image"));
    let large = " ".repeat((4 << 20) + 1);
    let descriptor = layout.blob("manifest.v1+json", large.as_bytes());
    layout = layout.list("large", descriptor);
    // A list that lists a list, and so on.
    let mut inner = layout.image(&[], &json!({}));
    for _ in 0..6 {
        let text = json!({"schemaVersion": 2, "manifests": [inner]}).to_string();
        inner = layout.blob("index.v1+json", text.as_bytes());
    }
    layout = layout.list("deep", inner);
    let ids: Vec<_> = (0..501).map(|at: i32| sha256(&at.to_le_bytes())).collect();
    let config = json!({"os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}}).to_string();
    let config = layout.blob("config.v1+json", config.as_bytes());
    let manifest = json!({"schemaVersion": 2, "config": config, "layers": []}).to_string();
    let manifest = layout.blob("manifest.v1+json", manifest.as_bytes());
    let layout = layout.list("many", manifest);
    for (tag, expected) in [
        ("large", "more than the 4194304 of a document"),
        ("deep", "lists of images more than 4 deep"),
        ("many", "501 layers are more than the 500"),
    ] {
        let image = format!("{}:{tag}", layout.dir.display());
        let call = bundle.call(&["unpack", "-q", &image]).arg(bundle.dir.join("b"));
        let _ = call.done().refused(expected);
    }
}
