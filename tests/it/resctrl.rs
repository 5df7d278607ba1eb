//! Intel RDT through the command line. What is done with the groups is proven on a directory that
//! looks like them (`src/resctrl/group.rs`): hardly any machine has the real thing.

use serde_json::json;

use crate::harness::{Bundle, Case, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![a_machine_without_it_is_told, an_update_needs_a_class, mistakes_are_named]
}

fn a_machine_without_it_is_told() {
    // Where a machine has it, the ordinary class of everything is one that can always be joined.
    let bundle = Bundle::new().probe("exit 0").set("/linux/intelRdt", json!({"closID": "/"}));
    let mounted = std::fs::read_to_string("/proc/self/mountinfo").unwrap().contains(" - resctrl ");
    if mounted {
        let _ = bundle.run().ok();
    } else {
        let _ = bundle.create().fails_with_hint(
            "create container `{id}`: /linux/intelRdt: resctrl is not mounted",
            "where the processor has RDT: mount -t resctrl resctrl /sys/fs/resctrl",
        );
    }
}

fn an_update_needs_a_class() {
    let bundle = Bundle::new().probe("sleep");
    let _ = bundle.create().ok();
    for option in ["--l3-cache-schema=L3:0=f", "--mem-bw-schema=MB:0=20"] {
        let outcome = bundle.call(&["update", option, &bundle.id]).done();
        let text = "update container `{id}`: the container was created without /linux/intelRdt";
        let _ = outcome.fails(text);
    }
    let outcome = bundle.call(&["update", "--mem-bw-schema=x", &bundle.id]).done();
    let _ = outcome.fails("/linux/intelRdt/memBwSchema: does not begin with `MB:`");
}

fn mistakes_are_named() {
    let bundle = Bundle::new().set("/linux/intelRdt", json!({"closID": "../x"}));
    let text = "/linux/intelRdt/closID: `../x` is no class of service";
    let _ = bundle.create().fails(&format!("create container `{{id}}`: {text}"));
}
