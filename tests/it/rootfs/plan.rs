//! What the plan of the root file system decides, as the command line shows it.

use serde_json::json;

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![labels_need_selinux, propagation_of_the_root]
}

fn labels_need_selinux() {
    let label = "system_u:object_r:container_file_t:s0";
    let bundle = Bundle::new().probe("exit 0").set("/linux/mountLabel", label);
    if std::path::Path::new("/sys/fs/selinux/enforce").exists() {
        let _ = bundle.run();
    } else {
        let text = "create container `{id}`: /linux/mountLabel: SELinux is not on";
        let _ = bundle.create().fails(text);
    }
    let _ = Bundle::new().probe("exit 0").set("/linux/mountLabel", "").run().ok();
    let bundle = Bundle::new().set("/annotations", json!({"run.oci.mount_context_type": "x"}));
    let _ = bundle.create().refused("/annotations/run.oci.mount_context_type: `x` is none of");
}

/// All eight words. Whether the root is shared shows in its mountinfo; so does whether it is a slave.
fn propagation_of_the_root() {
    for (word, expected) in [
        ("", ""),
        ("private", ""),
        ("rprivate", ""),
        ("slave", ""),
        ("rslave", ""),
        ("shared", "shared:"),
        ("rshared", "shared:"),
        ("unbindable", "unbindable"),
        ("runbindable", "unbindable"),
    ] {
        let outcome = Bundle::new()
            .args(["/bin/cat", "/proc/self/mountinfo"])
            .set("/linux/rootfsPropagation", word)
            .run()
            .ok();
        let root = outcome.stdout.lines().find(|line| line.split(' ').nth(4) == Some("/")).unwrap();
        let (fields, _) = root.split_once(" - ").unwrap();
        for sort in ["shared:", "unbindable"] {
            assert_eq!(fields.contains(sort), sort == expected, "{word}: {root}");
        }
    }
    let bundle = Bundle::new().set("/linux/rootfsPropagation", "sharp");
    let _ = bundle.create().refused("/linux/rootfsPropagation: `sharp` is none of");
}
