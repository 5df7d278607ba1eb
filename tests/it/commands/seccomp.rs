//! `seccomp` and `features`, which need no container.

use serde_json::{Value, json};

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![
        what_the_verb_says_is_what_the_kernel_does,
        the_bytes_are_those_that_are_loaded,
        features_are_json,
        a_config_without_a_filter_says_so,
    ]
}

fn filtered() -> Bundle {
    Bundle::new().set(
        "/linux/seccomp",
        json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["getppid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95,
             "args": [{"index": 0, "op": "SCMP_CMP_GT", "value": 7}]},
        ]}),
    )
}

fn what_the_verb_says_is_what_the_kernel_does() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let bundle = filtered().probe("syscall 110 7 -- syscall 110 8");
    let _ = bundle.run().ok().stdout("syscall 110 0\nsyscall 110 EOPNOTSUPP\n");
    let ask = |argument: &str| {
        let dir = bundle.dir.to_str().unwrap();
        bundle.call(&["seccomp", "--bundle", dir, "getppid", argument]).done().ok().stdout
    };
    assert!(ask("7").starts_with("x86_64 getppid (110): allow\n"), "{}", ask("7"));
    let refused = ask("8");
    assert!(
        refused.contains("(EOPNOTSUPP)\nreason: /linux/seccomp/syscalls/0, where arg0 > 0x7\n")
    );
    // Another architecture has its own numbers, and one that the profile does not name is killed.
    let dir = bundle.dir.to_str().unwrap();
    let other = bundle.call(&["seccomp", "--arch", "aarch64", "--bundle", dir, "getppid", "8"]);
    let other = other.done().ok().stdout;
    assert!(other.starts_with("aarch64 getppid (173): kill"), "{other}");
}

fn the_bytes_are_those_that_are_loaded() {
    let bundle = filtered().probe("sleep");
    let _ = bundle.create().ok();
    let text = std::fs::read(bundle.entry().join("process.json")).unwrap();
    let record: Value = serde_json::from_slice(&text).unwrap();
    let kept = record["security"]["seccomp"]["program"].as_str().unwrap().to_owned();
    let dir = bundle.dir.to_str().unwrap();
    let raw = bundle.dir.join("raw");
    let call = bundle.call(&["seccomp", "--raw", "--bundle", dir]);
    let _ = call.to(std::fs::File::create(&raw).unwrap()).done().code(0);
    let bytes = std::fs::read(&raw).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, kept);
    let listing = bundle.call(&["seccomp", "--bundle", dir]).done().ok();
    assert_eq!(listing.stdout.lines().count() * 8, bytes.len());
    let _ = listing.has("   0  load architecture");
}

fn features_are_json() {
    let bundle = Bundle::new();
    let outcome = bundle.call(&["features"]).done().ok();
    let features: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let seccomp = &features["linux"]["seccomp"];
    assert_eq!(seccomp["enabled"], true);
    // Linux 5.19 has the last of them.
    assert!(!seccomp["supportedFlags"].as_array().unwrap().is_empty());
    assert_eq!(seccomp["knownFlags"].as_array().unwrap().len(), 4);
}

fn a_config_without_a_filter_says_so() {
    let bundle = Bundle::new();
    bundle.write_config();
    let dir = bundle.dir.to_str().unwrap();
    let _ = bundle
        .call(&["seccomp", "--bundle", dir])
        .done()
        .fails("/linux/seccomp: is missing: every system call is allowed");
}
