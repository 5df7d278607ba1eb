//! What init cannot do by itself: sources that the container's root may not reach, idmapped mounts.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use serde_json::json;

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    let mut all = cases![
        a_root_that_only_the_caller_reaches,
        a_source_that_only_the_caller_reaches,
        what_cannot_be_idmapped_says_why,
    ];
    all.extend(cases!([Root, IdMap]:
        ids_by_mappings_of_the_mount,
        ids_of_the_user_namespace,
        ids_of_mounts_below,
        ids_of_a_file_system,
    ));
    all
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn a_root_that_only_the_caller_reaches() {
    let bundle = Bundle::new().probe("ids").join("user", "").mapped();
    mode(&bundle.dir, 0o700);
    let _ = bundle.run().ok().has("uid 0 0 0");
    // Without a user namespace there is nothing to ask for.
    let bundle = Bundle::new().probe("ids");
    mode(&bundle.dir, 0o700);
    let _ = bundle.run().ok().has("uid 0 0 0");
}

fn a_source_that_only_the_caller_reaches() {
    let bundle = Bundle::new()
        .file("closed/in/file", "text\n")
        .args(["/bin/cat", "/mnt/dir/file", "/mnt/file", "/proc/self/mountinfo"])
        .join("user", "")
        .mapped()
        .mount(
            json!({"destination": "/mnt/dir", "source": "closed/in", "options": ["rbind", "ro"]}),
        )
        .mount(json!({"destination": "/mnt/file", "source": "closed/in/file", "options": ["bind"]}))
        .hook("createContainer", "test $(pwd) != / || test -e probe");
    mode(&bundle.dir.join("closed"), 0o700);
    let outcome = bundle.run().ok();
    assert!(outcome.stdout.starts_with("text\ntext\n"), "{}", outcome.stdout);
    let line = outcome.stdout.lines().find(|line| line.split(' ').nth(4) == Some("/mnt/dir"));
    let line = line.unwrap();
    assert!(line.split(' ').nth(5).unwrap().starts_with("ro"), "{line}");
    // Nobody hears of what is mounted inside.
    assert!(!line.contains("shared:"), "{line}");
    let missing = Bundle::new()
        .join("user", "")
        .mapped()
        .file("closed/x", "")
        .mount(json!({"destination": "/mnt", "source": "closed/none", "options": ["bind"]}));
    mode(&missing.dir.join("closed"), 0o700);
    let _ = missing.create().refused("bind what /mounts/7/source names: open(");
}

/// A file of user 0 and group 0, and one of 7 and 8.
fn with_files() -> Bundle {
    let bundle = Bundle::new().file("files/a", "").file("files/b", "");
    chown(bundle.dir.join("files/b"), Some(7), Some(8)).unwrap();
    bundle
}

const STAT: &str = "stat /mnt/a -- stat /mnt/b";

/// User and group of the two files, as the container sees them.
fn owners(bundle: &Bundle) -> String {
    let outcome = bundle.run().ok();
    let owner = |line: &str| {
        let fields: Vec<_> = line.split(' ').collect();
        fields.get(4..6).map_or_else(|| line.to_owned(), |ids| ids.join(":"))
    };
    outcome.stdout.lines().map(owner).collect::<Vec<_>>().join(" ")
}

fn ids_by_mappings_of_the_mount() {
    let map = |inside: u32, outside: u32| {
        json!([{"containerID": inside, "hostID": outside, "size": 1},
               {"containerID": 7, "hostID": 70, "size": 2}])
    };
    let bundle = with_files().probe(STAT).mount(json!({"destination": "/mnt", "source": "files",
        "options": ["bind"], "uidMappings": map(0, 5), "gidMappings": map(0, 6)}));
    assert_eq!(owners(&bundle), "5:6 70:71");
    let words = "idmap=uids=0-5-1#7-70-2;gids=0-6-1#7-70-2";
    let bundle = with_files()
        .probe(STAT)
        .mount(json!({"destination": "/mnt", "source": "files", "options": ["bind", words]}));
    assert_eq!(owners(&bundle), "5:6 70:71");
    // What is not mapped is nobody's.
    let bundle = with_files().probe(STAT).mount(json!({"destination": "/mnt", "source": "files",
        "options": ["bind", "idmap=uids=0-5-1;gids=0-6-1"]}));
    assert_eq!(owners(&bundle), "5:6 65534:65534");
}

fn ids_of_the_user_namespace() {
    let bind =
        |options: &[&str]| json!({"destination": "/mnt", "source": "files", "options": options});
    let plain = with_files().probe(STAT).join("user", "").mapped().mount(bind(&["bind"]));
    assert_eq!(owners(&plain), "65534:65534 65534:65534");
    let mapped = || with_files().join("user", "").mapped();
    let bundle = mapped().probe(STAT).mount(bind(&["bind", "idmap"]));
    assert_eq!(owners(&bundle), "0:0 7:8");
    // Relative to the container's ids, and to the host's.
    let bundle = mapped().probe(STAT).mount(bind(&["bind", "idmap=uids=@0-3-1;gids=0-100004-1"]));
    assert_eq!(owners(&bundle), "3:4 65534:65534");
    // What is written belongs on disk to whom it is mapped from.
    let bundle = mapped().sh(":>/mnt/new").mount(bind(&["bind", "idmap"]));
    let _ = bundle.run().ok();
    use std::os::unix::fs::MetadataExt;
    assert_eq!(std::fs::metadata(bundle.dir.join("files/new")).unwrap().uid(), 0);
    // A source that only the caller reaches, in a user namespace that somebody else has made.
    let donor = Bundle::new().probe("sleep").join("user", "").mapped().started();
    let path = format!("/proc/{}/ns/user", donor.pid());
    let bundle = mapped().probe(STAT).join("user", &path).mount(bind(&["bind", "idmap"]));
    mode(&bundle.dir.join("files"), 0o755);
    mode(&bundle.dir, 0o700);
    assert_eq!(owners(&bundle), "0:0 7:8");
}

fn ids_of_mounts_below() {
    // A mount of the same file system, so that it can be mapped as the one above.
    let below = |bundle: &Bundle| {
        let path = bundle.dir.join("files");
        std::fs::create_dir(path.join("below")).unwrap();
        rustix::mount::mount_bind(&path, path.join("below")).unwrap();
    };
    let stat = "stat /mnt/b -- stat /mnt/below/b";
    for (options, expected) in
        [(["rbind", "idmap"], "7:8 65534:65534"), (["rbind", "ridmap"], "7:8 7:8")]
    {
        let bundle = with_files()
            .probe(stat)
            .join("user", "")
            .mapped()
            .mount(json!({"destination": "/mnt", "source": "files", "options": options}));
        below(&bundle);
        let found = owners(&bundle);
        let path = bundle.dir.join("files/below");
        rustix::mount::unmount(&path, rustix::mount::UnmountFlags::empty()).unwrap();
        assert_eq!(found, expected, "{options:?}");
    }
}

fn ids_of_a_file_system() {
    let bundle = Bundle::new()
        .probe("stat /mnt")
        .mount(json!({"destination": "/mnt", "type": "tmpfs", "source": "tmpfs",
            "options": ["uid=7", "gid=8", "idmap=uids=7-70-1;gids=8-80-1"]}));
    assert_eq!(owners(&bundle), "70:80");
}

fn what_cannot_be_idmapped_says_why() {
    let bundle = Bundle::new()
        .mount(json!({"destination": "/mnt", "source": "/proc/sys", "options": ["bind",
            "idmap=uids=0-0-1;gids=0-0-1"]}));
    let outcome =
        bundle.create().refused("mount what /mounts/7 describes: map its ids: mount_setattr(");
    assert!(outcome.stderr.contains("(statfs type 0x9fa0) has no idmapped mounts"), "{outcome:?}");
    let bundle = Bundle::new()
        .mount(json!({"destination": "/mnt", "source": "/etc", "options": ["bind", "idmap"]}));
    let _ = bundle.create().refused("/mounts/7/options: `idmap` without mappings means those of");
}
