//! The old root: left by pivot_root(2) or without it, and never changed under the host.

use serde_json::Value;

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![the_mounts_of_the_host_stay_whatever_propagates]
}

/// A host as systemd makes it: everything is shared, and the bundle is on a mount of its own.
const SHARED_HOST: &str = "mount --bind \"$0\" \"$0\" && mount --make-rshared / && \
    sort /proc/self/mountinfo >\"$0/before\" && \"$@\"; status=$?; \
    sort /proc/self/mountinfo >\"$0/after\"; exit $status";

fn the_mounts_of_the_host_stay_whatever_propagates() {
    let types = ["shared", "rshared", "slave", "rslave", "private", "rprivate", "unbindable"];
    for propagation in types.map(Value::from).into_iter().chain([Value::Null]) {
        for option in ["", "--no-pivot"] {
            let bundle =
                Bundle::new().probe("pid").set("/linux/rootfsPropagation", propagation.clone());
            bundle.write_config();
            let dir = bundle.dir.to_str().unwrap();
            let host = ["unshare", "-m", "--propagation", "private", "sh", "-c", SHARED_HOST, dir];
            let run = ["run", "--bundle", dir, &bundle.id];
            let call = bundle.call_through(&host, &run);
            let call = if option.is_empty() { call } else { call.arg(option) };
            let _ = call.done().ok().stdout("pid 1 0\n");
            let read = |name| std::fs::read_to_string(bundle.dir.join(name)).unwrap();
            assert_eq!(read("before"), read("after"), "{propagation} {option}");
        }
    }
}
