//! What a layer becomes on disk: faithful where it is good, inside of its directory whatever it says.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use serde_json::json;

use super::{names, place, unpacked};
use crate::harness::image::{Header, Layer, Layout, Tar};
use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases!([Root]:
        names_that_lead_out_are_refused,
        archives_that_lie_are_refused,
        symlinks_lead_nowhere_else,
        hard_links_stay_in_their_layer,
        the_last_entry_of_a_name_counts,
        attributes_of_overlayfs_are_not_the_images,
        sparse_files_have_holes,
        special_files,
        long_names,
        directories_between_layers,
    )
    .into_iter()
    .chain(cases!([Root, Overlay]: whiteouts_hide, an_overlay_carries_no_layers))
    .chain(cases!([Root, UserXattrs]: attributes_are_kept))
    .chain(cases!([Root, Overlay, UserXattrs]: an_ordinary_user_unpacks_too))
    .collect()
}

/// Unpacks one layer; it is refused with these words, and nothing is left of it.
#[track_caller]
fn refused(tar: Tar, expected: &str) {
    let bundle = Bundle::new();
    let outside = bundle.dir.join("b/layers/outside");
    let _ = unpacked(&bundle, &[Layer::plain(tar)]).refused(expected);
    assert_eq!(names(&bundle.dir.join("b/layers/sha256")), [""; 0], "{expected}");
    assert!(!outside.exists());
}

fn names_that_lead_out_are_refused() {
    for name in ["../outside", "a/../../outside", "../../../../../../tmp/outside", ".."] {
        refused(Tar::new().file(name, "x"), "leads out of its directory");
        refused(Tar::new().directory(name), "leads out of its directory");
        refused(Tar::new().file("f", "").hard_link("l", name), "leads out of its directory");
    }
    refused(Tar::new().file("../.wh.outside", ""), "leads out of its directory");
    refused(Tar::new().file(".wh...", ""), "whiteout of nothing");
    refused(Tar::new().file(".wh.", ""), "whiteout of nothing");
    refused(Tar::new().pax(&[("path", b"a\0b")]).file("x", ""), "NUL");
    refused(Tar::new().symlink("/", "/etc"), "the root of a layer must be a directory");
    let deep = "d/".repeat(400);
    refused(Tar::new().pax(&[("path", deep.as_bytes())]).directory("x"), "directories deep");
    // Nor through symlinks, which lead deeper than names: nobody could remove it.
    let half = "d/".repeat(200);
    let tar = Tar::new().pax(&[("path", half.as_bytes())]).directory("x");
    let tar = tar.pax(&[("linkpath", half.as_bytes())]).symlink("l", "x");
    let below = format!("l/{half}x");
    refused(tar.pax(&[("path", below.as_bytes())]).file("x", ""), "directories deep");
    let long = "n".repeat(300);
    refused(Tar::new().pax(&[("path", long.as_bytes())]).file("x", ""), "ENAMETOOLONG");
    // An absolute name is meant to be in the layer.
    let bundle = Bundle::new();
    let layer = Layer::plain(Tar::new().file("/outside/x", "x"));
    let _ = unpacked(&bundle, std::slice::from_ref(&layer)).ok();
    assert!(place(&bundle, &layer).join("outside/x").is_file());
}

fn archives_that_lie_are_refused() {
    let huge = Header { size: Some(1 << 32), ..Header::new(b'0', "f") };
    refused(Tar::new().entry(&huge, b"little"), "ends in the middle of an entry");
    refused(Tar::new().raw(&[1; 512]), "the checksum of the header at byte 0 is wrong");
    refused(Tar::new().file("f", "x").raw(b"rubbish"), "the checksum of the header at byte 1024");
    refused(Tar::new().entry(&Header::new(b'Q', "f"), b""), "unknown kind `Q`");
    let pax = Header { size: Some(5 << 20), ..Header::new(b'x', "p") };
    refused(Tar::new().entry(&pax, b""), "longer than 4194304");
    refused(Tar::new().pax(&[("size", b"-1")]).file("f", ""), "is no size");
    refused(Tar::new().pax(&[("size", b"99999999999999999999")]).file("f", ""), "is no size");
    refused(Tar::new().entry(&Header::new(b'x', "p"), b"99 path=a\n"), "cannot be read");
    // What a directory by its name alone has as contents is no entry.
    let hidden = Tar::new().file("hidden", "").end();
    let bundle = Bundle::new();
    let layer = Layer::plain(Tar::new().entry(&Header::new(b'0', "d/"), &hidden).file("f", ""));
    let _ = unpacked(&bundle, std::slice::from_ref(&layer)).ok();
    assert_eq!(names(&place(&bundle, &layer)), ["d", "f"]);
    let link = Header { link: b"f", ..Header::new(b'1', "l") };
    refused(Tar::new().file("f", "").entry(&link, b"contents"), "hard link with contents");
    let map = |map: &[u8]| {
        let records: [(&str, &[u8]); 2] = [("GNU.sparse.map", map), ("GNU.sparse.size", b"100")];
        Tar::new().pax(&records).file("f", "0123456789")
    };
    for lie in [&b"0,5"[..], b"0,20", b"95,10", b"0,5,2,5", b"0", b"0,5,18446744073709551615,5"] {
        let bundle = Bundle::new();
        let _ = unpacked(&bundle, &[Layer::plain(map(lie))]).code(1).says("unpack layer");
    }
}

fn symlinks_lead_nowhere_else() {
    let bundle = Bundle::new();
    let target = bundle.dir.join("target");
    std::fs::create_dir(&target).unwrap();
    let absolute = target.to_str().unwrap();
    let tar = Tar::new()
        .symlink("abs", absolute)
        .file("abs/evil", "x")
        .symlink("rel", "../../../../../../../../../target")
        .file("rel/evil", "x")
        .symlink("a", "b")
        .directory("b")
        .file("a/through", "x")
        // A file in place of a link is no write through it.
        .symlink("file", absolute)
        .file("file", "x")
        .symlink("dir", absolute)
        .directory("dir")
        .file("dir/evil", "x");
    let layer = Layer::plain(tar);
    let _ = unpacked(&bundle, std::slice::from_ref(&layer)).ok();
    assert_eq!(names(&target), [""; 0]);
    let root = place(&bundle, &layer);
    assert!(root.join(absolute.trim_start_matches('/')).join("evil").is_file());
    assert!(root.join("target/evil").is_file() && root.join("b/through").is_file());
    assert!(root.join("file").symlink_metadata().unwrap().is_file());
    assert!(root.join("dir").symlink_metadata().unwrap().is_dir());
    let round = Tar::new().symlink("x", "y").symlink("y", "x").file("x/f", "");
    refused(round, "more than 40 symlinks");
    refused(Tar::new().file("f", "").file("f/g", ""), "`f` is no directory");
}

fn hard_links_stay_in_their_layer() {
    let bundle = Bundle::new();
    let tar = Tar::new().file("f", "x").hard_link("l", "f").hard_link("/abs", "/f");
    let tar = tar.symlink("s", "/etc/passwd").hard_link("t", "s").hard_link("f", "f");
    let layer = Layer::plain(tar);
    let _ = unpacked(&bundle, std::slice::from_ref(&layer)).ok();
    let root = place(&bundle, &layer);
    assert_eq!(root.join("f").metadata().unwrap().nlink(), 3);
    // Another name of the symlink itself, not of where it leads.
    assert!(root.join("t").symlink_metadata().unwrap().is_symlink());
    refused(Tar::new().hard_link("l", "nowhere"), "which is not in this layer before it");
    refused(Tar::new().hard_link("l", "/etc/passwd"), "which is not in this layer before it");
    refused(Tar::new().directory("d").hard_link("l", "d"), "hard link to the directory `d`");
    refused(Tar::new().file(".wh.f", "").hard_link("l", "f"), "not in this layer");
    let through = Tar::new().symlink("d", "/etc").hard_link("l", "d/passwd");
    refused(through, "not in this layer");
}

fn the_last_entry_of_a_name_counts() {
    let bundle = Bundle::new();
    let tar = Tar::new()
        .file("f", "old")
        .hard_link("other", "f")
        .file("f", "new")
        .directory("d/e")
        .file("d/e/x", "")
        .file("d", "a file now")
        .file("g", "")
        .directory("g")
        .directory("h")
        .file("h/kept", "")
        .directory("h");
    let layer = Layer::plain(tar);
    let _ = unpacked(&bundle, std::slice::from_ref(&layer)).ok();
    let root = place(&bundle, &layer);
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    assert_eq!(
        (read("f"), read("other"), read("d")),
        ("new".into(), "old".into(), "a file now".into())
    );
    assert!(root.join("g").is_dir() && root.join("h/kept").exists());
}

fn attributes_are_kept() {
    let bundle = Bundle::new();
    let owned = |kind, name, mode| Header { mode, owner: (12, 34), ..Header::new(kind, name) };
    // VFS_CAP_REVISION_2 with cap_net_raw.
    let capability =
        b"\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";
    let tar = Tar::new()
        .entry(&owned(b'5', "./", 0o711), b"")
        .entry(&owned(b'5', "closed", 0o000), b"")
        .entry(&owned(b'5', "sticky", 0o3777), b"")
        .entry(&Header { owner: (0, 0), ..owned(b'0', "closed/setuid", 0o6755) }, b"x")
        .entry(&owned(b'0', "sticky/setuid", 0o4711), b"x")
        .pax(&[("mtime", b"1234567890.123456789"), ("uid", b"3000000"), ("gid", b"4000000")])
        .file("precise", "x")
        .pax(&[("mtime", b"-1.5")])
        .file("old", "x")
        .pax(&[
            ("SCHILY.xattr.user.note", b"a\nb\0c"),
            ("SCHILY.xattr.security.capability", capability),
        ])
        .entry(&owned(b'0', "able", 0o444), b"x")
        .pax(&[("SCHILY.xattr.user.note", b"dir")])
        .entry(&owned(b'5', "noted", 0o555), b"")
        .entry(&Header { link: b"x", ..owned(b'2', "link", 0o777) }, b"");
    let layer = Layer::plain(tar);
    let _ = unpacked(&bundle, std::slice::from_ref(&layer)).ok();
    let root = place(&bundle, &layer);
    let at = |name: &str| {
        let it = root.join(name).symlink_metadata().unwrap();
        (it.mode() & 0o7777, it.uid(), it.gid(), it.mtime(), it.mtime_nsec())
    };
    let time = 1_000_000_000;
    assert_eq!(at(""), (0o711, 12, 34, time, 0));
    assert_eq!(at("closed"), (0, 12, 34, time, 0));
    assert_eq!(at("sticky"), (0o3777, 12, 34, time, 0));
    assert_eq!(at("closed/setuid"), (0o6755, 0, 0, time, 0));
    assert_eq!(at("sticky/setuid"), (0o4711, 12, 34, time, 0));
    assert_eq!(at("precise"), (0o644, 3_000_000, 4_000_000, 1_234_567_890, 123_456_789));
    assert_eq!((at("old").3, at("old").4), (-2, 500_000_000));
    assert_eq!(at("able").0, 0o444);
    assert_eq!(at("link").1, 12);
    let xattr = |name: &str, key: &str| {
        let mut value = [0; 64];
        let length = rustix::fs::getxattr(root.join(name), key, &mut value[..]).unwrap();
        value[..length].to_vec()
    };
    assert_eq!(xattr("able", "user.note"), b"a\nb\0c");
    assert_eq!(xattr("able", "security.capability"), capability);
    assert_eq!(xattr("noted", "user.note"), b"dir");
}

fn attributes_of_overlayfs_are_not_the_images() {
    let bundle = Bundle::new();
    let tar = Tar::new()
        .pax(&[
            ("SCHILY.xattr.trusted.overlay.redirect", b"/etc"),
            ("SCHILY.xattr.user.overlay.opaque", b"y"),
            ("SCHILY.xattr.security.selinux", b"x"),
        ])
        .directory("d")
        .pax(&[("SCHILY.xattr.trusted.overlay.metacopy", b"")])
        .file("f", "x");
    let layer = Layer::plain(tar);
    let log = bundle.dir.join("log");
    Layout::new(bundle.dir.join("image")).with(std::slice::from_ref(&layer), &json!({}));
    let call = bundle.call(&["--log", log.to_str().unwrap(), "unpack", "-q"]);
    let _ = call.arg(bundle.dir.join("image")).arg(bundle.dir.join("b")).done().ok();
    let root = place(&bundle, &layer);
    for name in ["d", "f"] {
        let mut list = [0u8; 256];
        assert_eq!(rustix::fs::listxattr(root.join(name), &mut list[..]).unwrap(), 0, "{name}");
    }
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("`trusted.overlay.redirect` of `d` and 3 more"), "{log}");
}

fn sparse_files_have_holes() {
    let bundle = Bundle::new();
    let data = "d".repeat(4096);
    let size = (64u64 << 20).to_string();
    let end = ((64u64 << 20) - 4096).to_string();
    let map = format!("0,4096,{end},4096");
    let both = data.clone() + &data;
    let records: [(&str, &[u8]); 3] = [
        ("GNU.sparse.map", map.as_bytes()),
        ("GNU.sparse.size", size.as_bytes()),
        ("GNU.sparse.name", b"0.1"),
    ];
    let tar = Tar::new().pax(&records).file("x", &both);
    let records: [(&str, &[u8]); 6] = [
        ("GNU.sparse.size", size.as_bytes()),
        ("GNU.sparse.numblocks", b"2"),
        ("GNU.sparse.offset", b"0"),
        ("GNU.sparse.numbytes", b"4096"),
        ("GNU.sparse.offset", end.as_bytes()),
        ("GNU.sparse.numbytes", b"4096"),
    ];
    let tar = tar.pax(&records).file("0.0", &both);
    let mut front = format!("2\n0\n4096\n{end}\n4096\n");
    front.push_str(&"\0".repeat(512 - front.len()));
    let records: [(&str, &[u8]); 4] = [
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.name", b"1.0"),
        ("GNU.sparse.realsize", size.as_bytes()),
    ];
    let tar = tar.pax(&records).file("x", &(front + &both));
    // What tar(1) itself makes of such a file, in GNU's own format.
    let made = bundle.dir.join("made");
    std::fs::create_dir(&made).unwrap();
    let file = std::fs::File::create(made.join("gnu")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, data.as_bytes(), 0).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, data.as_bytes(), (64 << 20) - 4096).unwrap();
    let mut command = std::process::Command::new("tar");
    let command = command.args(["-S", "--format=gnu", "-c", "-C"]).arg(&made).arg("gnu");
    let mut gnu = command.output().unwrap().stdout;
    let header = gnu.iter().rposition(|byte| *byte != 0).unwrap();
    gnu.truncate((header + 1).next_multiple_of(512));
    let layer = Layer::plain(tar.raw(&gnu));
    let _ = unpacked(&bundle, std::slice::from_ref(&layer)).ok();
    for name in ["0.0", "0.1", "1.0", "gnu"] {
        let path = place(&bundle, &layer).join(name);
        let there = path.metadata().unwrap();
        assert_eq!(there.len(), 64 << 20, "{name}");
        assert!(there.blocks() * 512 < 1 << 20, "{name}: {} blocks", there.blocks());
        let bytes = std::fs::read(path).unwrap();
        assert!(bytes.starts_with(data.as_bytes()) && bytes.ends_with(data.as_bytes()), "{name}");
        assert!(bytes[4096..(64 << 20) - 4096].iter().all(|byte| *byte == 0), "{name}");
    }
}

fn special_files() {
    let bundle = Bundle::new();
    let device = |kind, name| Header { device: (1, 3), mode: 0o666, ..Header::new(kind, name) };
    let tar = Tar::new()
        .entry(&device(b'3', "null"), b"")
        .entry(&device(b'4', "block"), b"")
        .entry(&Header { mode: 0o600, ..Header::new(b'6', "fifo") }, b"")
        .entry(&Header::new(b'7', "contiguous"), b"x")
        .entry(&Header::new(0, "ancient/"), b"")
        .entry(&Header::new(b'g', "comment"), b"12 comment=\n")
        .file(".wh..wh.plnk/1.2", "")
        .file(".wh..wh.aufs", "");
    let layer = Layer::plain(tar);
    let _ = unpacked(&bundle, std::slice::from_ref(&layer)).ok();
    let root = place(&bundle, &layer);
    let kind = |name: &str| root.join(name).metadata().unwrap();
    assert!(kind("null").file_type().is_char_device() && kind("null").mode() & 0o777 == 0o666);
    assert_eq!(kind("null").rdev(), rustix::fs::makedev(1, 3));
    assert!(kind("block").file_type().is_block_device() && kind("fifo").file_type().is_fifo());
    assert_eq!(names(&root), ["ancient", "block", "contiguous", "fifo", "null"]);
}

fn long_names() {
    let bundle = Bundle::new();
    let long = format!("{}/{}", "d".repeat(200), "f".repeat(200));
    let text = format!("{long}\0");
    let tar = Tar::new()
        .entry(&Header::new(b'L', "././@LongLink"), text.as_bytes())
        .file("short", "gnu")
        .pax(&[("linkpath", long.as_bytes())])
        .hard_link("pax", "short")
        .entry(&Header::new(b'K', "././@LongLink"), text.as_bytes())
        .symlink("gnu", "short");
    let layer = Layer::plain(tar);
    let _ = unpacked(&bundle, std::slice::from_ref(&layer)).ok();
    let root = place(&bundle, &layer);
    assert_eq!(std::fs::read_to_string(root.join("pax")).unwrap(), "gnu");
    assert_eq!(std::fs::read_link(root.join("gnu")).unwrap(), Path::new(&long));
}

/// The program's image: what the bundles of all tests have.
fn base(bundle: &Bundle) -> Layer {
    let bytes = crate::harness::image::tar_of(&bundle.rootfs());
    Layer { diff_id: crate::harness::image::sha256(&bytes), blob: bytes, size: None, digest: None }
}

/// Runs a script in the container of `b`.
fn run(bundle: &Bundle, script: &str) -> crate::harness::Outcome {
    let path = bundle.dir.join("b/config.json");
    let mut config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    config["process"]["args"] = json!(["/bin/sh", "-c", script]);
    std::fs::write(path, config.to_string()).unwrap();
    bundle.call(&["run", "-b"]).arg(bundle.dir.join("b")).arg(&bundle.id).done()
}

fn whiteouts_hide() {
    let bundle = Bundle::new();
    let lower = Tar::new().file("d/a", "").file("d/b", "").file("e/old", "").file("f/old", "");
    let lower = lower.file("g/old", "").file("h", "").file("kept/old", "").file("i/old", "");
    let upper = Tar::new()
        .file("d/.wh.a", "")
        // The order does not matter: what a layer has itself is never hidden by its own whiteout.
        .file("e/.wh..wh..opq", "")
        .file("e/new", "")
        .file("f/new", "")
        .file("f/.wh..wh..opq", "")
        .file("f/.wh.never", "")
        .file(".wh.g", "")
        .file("g/new", "")
        .file("i/new", "")
        .file(".wh.i", "")
        .file("h", "new")
        .file(".wh.h", "")
        .file("kept/.wh.none", "");
    let layers = [base(&bundle), Layer::plain(lower), Layer::plain(upper)];
    let _ = unpacked(&bundle, &layers).ok();
    let list = "cd / && for d in d e f g i kept; do echo $d: $(ls $d); done; cat h";
    let _ = run(&bundle, list).ok().stdout("d: b\ne: new\nf: new\ng: new\ni: new\nkept: old\nnew");
    // An opaque root: nothing below it is seen.
    let bundle = Bundle::new();
    let top = Layer { blob: Tar::new().file(".wh..wh..opq", "").end(), ..base(&bundle) };
    let mut bytes = Tar::new().file(".wh..wh..opq", "").raw(&base(&bundle).blob).end();
    bytes.truncate(bytes.len() - 1024);
    let top = Layer { diff_id: crate::harness::image::sha256(&bytes), blob: bytes, ..top };
    let layers = [Layer::plain(Tar::new().file("gone", "")), top];
    let _ = unpacked(&bundle, &layers).ok();
    let _ = run(&bundle, "[ ! -e /gone ] && ls -d /bin").ok().stdout("/bin\n");
}

/// In a container, whose root is one, for example.
fn an_overlay_carries_no_layers() {
    let bundle = Bundle::new();
    let layers = [Layer::plain(Tar::new().file(".wh.gone", ""))];
    Layout::new(bundle.dir.join("image")).with(&layers, &json!({"Cmd": ["/probe"]}));
    let script = "cd $0 && mkdir l u w m && \
        mount -t overlay -o lowerdir=l,upperdir=u,workdir=w overlay m && exec \"$@\"";
    let before = ["unshare", "-m", "sh", "-c", script, bundle.dir.to_str().unwrap()];
    let (image, to) = (bundle.dir.join("image:t"), bundle.dir.join("m/b"));
    let call = bundle.call_through(&before, &["unpack", "-q"]).arg(image).arg(to);
    let said = call.done().says("hide what lower layers have by this name").code(1);
    assert!(said.stderr.contains("hint: an overlay takes no whiteouts"), "{said:#?}");
}

fn directories_between_layers() {
    let bundle = Bundle::new();
    let closed = Header { mode: 0o1777, owner: (7, 8), ..Header::new(b'5', "tmp") };
    let lower = Tar::new().directory("usr").directory("usr/lib").file("usr/lib/old", "");
    let lower = Layer::plain(lower.symlink("lib", "usr/lib").entry(&closed, b""));
    // No entry for `lib` or `tmp`: by itself this layer would hide the symlink and open `tmp`.
    let upper = Layer::plain(Tar::new().file("lib/new", "").file("tmp/x", "").file("own/x", ""));
    let _ = unpacked(&bundle, &[lower, upper.clone()]).ok();
    // Beside the layer by itself.
    let beside = || -> Vec<String> {
        let all = names(&bundle.dir.join("b/layers/sha256")).into_iter();
        all.map(|name| format!("sha256/{name}"))
            .filter(|name| name.starts_with(&format!("{}-", upper.place())))
            .collect()
    };
    let first = beside().remove(0);
    let root = bundle.dir.join("b/layers").join(&first);
    assert_eq!(names(&root), ["own", "tmp", "usr"]);
    assert_eq!(names(&root.join("usr/lib")), ["new"]);
    let tmp = root.join("tmp").metadata().unwrap();
    assert_eq!((tmp.mode() & 0o7777, tmp.uid(), tmp.gid()), (0o1777, 7, 8));
    let config = std::fs::read_to_string(bundle.dir.join("b/config.json")).unwrap();
    assert!(config.contains(&first), "{config}");
    // Another image has it over other layers.
    std::fs::remove_file(bundle.dir.join("b/config.json")).unwrap();
    let other = Layer::plain(Tar::new().directory("opt").symlink("lib", "opt"));
    let _ = unpacked(&bundle, &[other, upper.clone()]).ok();
    let second = beside().into_iter().find(|name| *name != first).unwrap();
    assert_eq!(names(&bundle.dir.join("b/layers").join(&second).join("opt")), ["new"]);
    let config = std::fs::read_to_string(bundle.dir.join("b/config.json")).unwrap();
    assert!(config.contains(&second) && !config.contains(&first), "{config}");
}

fn an_ordinary_user_unpacks_too() {
    let bundle = Bundle::new();
    let device = Header { device: (1, 3), ..Header::new(b'3', "secret") };
    let closed = Header { mode: 0o555, owner: (33, 33), ..Header::new(b'5', "closed") };
    let capability = [("SCHILY.xattr.security.capability", &[1u8, 0, 0, 2][..])];
    let tar = Tar::new()
        .entry(&closed, b"")
        .file("closed/f", "x")
        .file("closed/.wh.g", "")
        .file("opaque/.wh..wh..opq", "")
        .pax(&[("SCHILY.xattr.user.note", b"x")])
        .entry(&Header { mode: 0o444, ..Header::new(b'0', "noted") }, b"x")
        .pax(&capability)
        .file("able", "x")
        .entry(&device, b"");
    let layer = Layer::plain(tar);
    let lower = Tar::new().file("secret", "lower").file("opaque/old", "").file("closed/g", "");
    let layers = [base(&bundle), Layer::plain(lower), layer.clone()];
    let layout = Layout::new(bundle.dir.join("image")).with(&layers, &json!({}));
    let home = bundle.dir.join("home");
    std::fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(1000), Some(1000)).unwrap();
    let user = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups"];
    let call = |args: &[&str]| {
        bundle.call_plain(&user, args).env("XDG_RUNTIME_DIR", home.to_str().unwrap())
    };
    for _ in 0..2 {
        let to = home.join("b");
        let _ = call(&["unpack", "-q"]).arg(&layout.dir).arg(&to).done().ok();
        let root = to.join("layers").join(layer.place());
        assert_eq!(root.join("closed").metadata().unwrap().mode() & 0o7777, 0o555);
        assert_eq!(root.join("closed/f").metadata().unwrap().uid(), 1000);
        // A device that only root can make is not there, and neither is what it replaces.
        assert_eq!(root.join("secret").metadata().unwrap().rdev(), 0);
        std::fs::remove_file(to.join("config.json")).unwrap();
    }
    let _ = call(&["unpack", "-q"]).arg(&layout.dir).arg(home.join("b")).done().ok();
    let outcome = call(&["run", "-b"]).arg(home.join("b")).arg(&bundle.id);
    let config = home.join("b/config.json");
    let text = std::fs::read_to_string(&config).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let script = "cd /; ls closed opaque; [ ! -e secret ] && echo gone; id -u 2>/dev/null || /bin/busybox id -u";
    document["process"]["args"] = json!(["/bin/sh", "-c", script]);
    std::fs::write(&config, document.to_string()).unwrap();
    let _ = outcome.done().ok().stdout("closed:\nf\n\nopaque:\ngone\n0\n");
}
