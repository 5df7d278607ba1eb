//! `features`, as engines call it: with nothing.

use serde_json::{Value, json};

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![every_option_is_a_mounts_own, nobody_needs_anything_for_it]
}

fn document(bundle: &Bundle, before: &[&str], args: &[&str]) -> Value {
    let outcome = bundle.call_plain(before, args).done().ok();
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn nobody_needs_anything_for_it() {
    let bundle = Bundle::new();
    let document = document(&bundle, &[], &["features"]);
    assert_eq!(document["ociVersionMax"], "1.3.0");
    let unsafe_ones = document["potentiallyUnsafeConfigAnnotations"].as_array().unwrap();
    assert!(unsafe_ones.contains(&json!("run.oci.")) && unsafe_ones.contains(&json!("dev.rrun.")));
    // No privileges, no place for state, no /proc, and the same answer.
    let user = ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"];
    assert_eq!(self::document(&bundle, &user, &["features"]), document);
    let root = bundle.dir.join("none");
    let args = ["--root", root.to_str().unwrap(), "features"];
    assert_eq!(self::document(&bundle, &[], &args), document);
    assert!(!root.exists());
    let without = ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh"];
    assert_eq!(self::document(&bundle, &without, &["features"]), document);
}

/// Each word of the list is taken by a bind mount, which has no file system that could take it instead;
/// a word that is not in the list is not.
fn every_option_is_a_mounts_own() {
    let bundle = Bundle::new();
    let document = document(&bundle, &[], &["features"]);
    let words: Vec<_> = document["mountOptions"].as_array().unwrap().clone();
    assert!(words.len() > 60, "{words:?}");
    let with = |options: Value| {
        Bundle::new()
            .mount(json!({"destination": "/mnt", "source": "/usr", "options": options}))
            .probe("exit 0")
    };
    // These ask for more than the one word can say.
    let special =
        ["bind", "rbind", "idmap", "ridmap", "remount", "tmpcopyup", "unbindable", "runbindable"];
    let plain = words.iter().filter(|word| !special.contains(&word.as_str().unwrap()));
    let mut all: Vec<Value> = vec![json!("rbind")];
    all.extend(plain.cloned());
    let _ = with(Value::from(all)).run().ok();
    for (word, expected) in [
        ("idmap", "`idmap` without mappings means"),
        ("ridmap", "`idmap` without mappings means"),
        ("sizes", "`sizes` is for a file system"),
    ] {
        let _ = with(json!(["rbind", word])).create().refused(expected);
    }
    let _ = with(json!(["bind", "unbindable"])).run().ok();
    let _ = with(json!(["rbind", "runbindable"])).run().ok();
    let copied = json!({"destination": "/etc", "type": "tmpfs", "options": ["tmpcopyup"]});
    let _ = Bundle::new().mount(copied.clone()).args(["/bin/cat", "/etc/group"]).run().ok();
    // What is mounted there already is not copied: a symlink in an image may lead to all of /proc.
    let bundle = Bundle::new();
    let shown = bundle.dir.join("shown");
    std::fs::create_dir(&shown).unwrap();
    std::fs::write(shown.join("of-the-host"), "").unwrap();
    let bound = json!({"destination": "/etc/bound", "source": shown, "options": ["rbind"]});
    let script =
        ["/bin/sh", "-c", "cat /etc/group >/dev/null && [ -d /etc/bound ] && ls /etc/bound"];
    let _ = bundle.mount(bound).mount(copied).args(script).run().ok().stdout("");
    let again = json!({"destination": "/dev/shm", "options": ["remount", "bind", "ro"]});
    let _ = Bundle::new().mount(again).probe("exit 0").run().ok();
}
