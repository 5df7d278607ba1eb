//! `/dev` of an image that wants its nodes somewhere else (CVE-2026-41579 and its kin).

use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};

use serde_json::json;

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![
        a_symlinked_dev_makes_nothing_on_the_host,
        a_symlinked_node_is_refused,
        a_symlinked_ptmx_is_replaced_not_followed,
        a_device_path_through_a_symlink_stays_inside,
    ]
}

fn a_symlinked_dev_makes_nothing_on_the_host() {
    for relative in [false, true] {
        let bundle = Bundle::new().probe("stat /dev/null -- exit 0").without_mount("/dev");
        let host = bundle.dir.join("host");
        std::fs::create_dir(&host).unwrap();
        std::fs::remove_dir(bundle.rootfs().join("dev")).unwrap();
        let to = if relative { "../host".into() } else { host.clone() };
        symlink(to, bundle.rootfs().join("dev")).unwrap();
        let outcome = bundle.run();
        if outcome.status != 0 {
            let _ = outcome.refused("/dev");
        }
        assert_eq!(std::fs::read_dir(&host).unwrap().count(), 0, "nodes on the host");
    }
}

fn a_symlinked_node_is_refused() {
    let bundle = Bundle::new().without_mount("/dev");
    let host = bundle.dir.join("host-file");
    std::fs::write(&host, "host").unwrap();
    symlink(&host, bundle.rootfs().join("dev/null")).unwrap();
    let _ = bundle.run().fails_with_hint(
        "create container `{id}`: make the device `/dev/null`: something else is there, \
         not character 1:3",
        "remove it from the image, or mount a tmpfs on /dev",
    );
    assert_eq!(std::fs::read_to_string(&host).unwrap(), "host");
    bundle.assert_nothing_left();
}

fn a_symlinked_ptmx_is_replaced_not_followed() {
    let bundle = Bundle::new().without_mount("/dev");
    let host = bundle.dir.join("host-file");
    std::fs::write(&host, "host").unwrap();
    symlink(&host, bundle.rootfs().join("dev/ptmx")).unwrap();
    let _ = bundle.run().ok();
    assert_eq!(std::fs::read_to_string(&host).unwrap(), "host");
    let ptmx = std::fs::read_link(bundle.rootfs().join("dev/ptmx")).unwrap();
    assert_eq!(ptmx.to_str(), Some("pts/ptmx"));
    // Nodes that were made in the image itself are the right ones.
    let null = std::fs::symlink_metadata(bundle.rootfs().join("dev/null")).unwrap();
    assert!(null.file_type().is_char_device());
    assert_eq!(null.rdev(), rustix::fs::makedev(1, 3));
}

fn a_device_path_through_a_symlink_stays_inside() {
    let device = json!({"type": "c", "path": "/link/new/zero", "major": 1, "minor": 5,
        "fileMode": 438});
    let bundle =
        Bundle::new().set("/linux/devices", json!([device])).probe("stat /link/new/zero -- exit 0");
    let host = bundle.dir.join("host");
    std::fs::create_dir(&host).unwrap();
    symlink(&host, bundle.rootfs().join("link")).unwrap();
    let outcome = bundle.run().ok();
    assert!(outcome.stdout.contains("1:5"), "{}", outcome.stdout);
    assert_eq!(std::fs::read_dir(&host).unwrap().count(), 0);
}
