//! What the program gets of the machine, as the kernel tells the program itself.

use serde_json::json;

use crate::harness::{Bundle, Case, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_deadline_and_hooks_do_not_go_together,
        policies_of_the_config,
        sets_for_exec_are_checked_and_change_nothing,
        the_domain_and_nodes_of_the_config,
        the_kernels_refusal_names_the_member,
    ]
}

fn policies_of_the_config() {
    let outcome = Bundle::new().probe("sched").run().ok();
    // Without a word in config.json it is the caller's: these tests may well run under nice(1).
    let nice = rustix::process::getpriority_process(None).unwrap();
    let _ = outcome.has(&format!("scheduler 0 0 {nice} 0 0 0 0")).has("personality 0");
    let outcome = Bundle::new()
        .probe("sched")
        .set(
            "/process/scheduler",
            json!({"policy": "SCHED_BATCH", "nice": 7,
            "flags": ["SCHED_FLAG_RESET_ON_FORK"]}),
        )
        .set("/process/ioPriority", json!({"class": "IOPRIO_CLASS_IDLE", "priority": 3}))
        .run()
        .ok();
    let _ = outcome.has("scheduler 3 1 7 0 0 0 0").has("ioprio 3 3");
    let best = json!({"class": "IOPRIO_CLASS_BE", "priority": 6});
    let outcome = Bundle::new()
        .probe("sched")
        .set("/process/scheduler", json!({"policy": "SCHED_IDLE"}))
        .set("/process/ioPriority", best)
        .run()
        .ok();
    // The kernel sets no nice value with this policy.
    let _ = outcome.has(&format!("scheduler 5 0 {nice} 0 0 0 0")).has("ioprio 2 6");
}

fn a_deadline_and_hooks_do_not_go_together() {
    let deadline = json!({"policy": "SCHED_DEADLINE", "runtime": 1_000_000,
        "deadline": 10_000_000, "period": 20_000_000});
    let bundle = || Bundle::new().probe("sched").set("/process/scheduler", deadline.clone());
    let _ = bundle().hook("startContainer", "exit 0").create().fails_with_hint(
        "create container `{id}`: /process/scheduler: SCHED_DEADLINE forbids the children that \
         startContainer hooks would be",
        "add SCHED_FLAG_RESET_ON_FORK to /process/scheduler/flags",
    );
    // Whether the kernel admits it depends on the cpu cgroup; if it does not, it says so.
    let outcome = bundle().run();
    if outcome.status == 0 {
        let _ = outcome.ok().has("scheduler 6 0 0 0 1000000 10000000 20000000");
    } else {
        let _ = outcome.refused("/process/scheduler: sched_setattr(policy 6, flags 0x0, nice 0): ");
    }
}

fn the_kernels_refusal_names_the_member() {
    // The kernel has reserved a number for it, and no such policy.
    let bundle = Bundle::new().set("/process/scheduler", json!({"policy": "SCHED_ISO"}));
    let _ = bundle.create().refused(
        "/process/scheduler: sched_setattr(policy 4, flags 0x0, nice 0): invalid argument (EINVAL)",
    );
    let nodes = json!({"mode": "MPOL_BIND", "nodes": "1000"});
    let _ =
        Bundle::new().set("/linux/memoryPolicy", nodes).create().refused("/linux/memoryPolicy: ");
}

fn sets_for_exec_are_checked_and_change_nothing() {
    let bundle = Bundle::new()
        .args(["/bin/cat", "/proc/self/status"])
        .set("/process/execCPUAffinity", json!({"initial": "0", "final": "0,1000"}));
    let outcome = bundle.run().ok();
    let of = |text: &str| {
        text.lines().find(|line| line.starts_with("Cpus_allowed_list")).unwrap().to_owned()
    };
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    assert_eq!(of(&outcome.stdout), of(&own));
    let bundle = Bundle::new().set("/process/execCPUAffinity", json!({"final": "2-1"}));
    let _ = bundle.create().fails(
        "create container `{id}`: /process/execCPUAffinity/final: `2-1` is neither a number up to \
         65535 nor a range",
    );
    // `exec` finds them where it looks for all that is the container's.
    let bundle = Bundle::new()
        .probe("sleep")
        .set("/process/execCPUAffinity", json!({"initial": "0-1", "final": "64"}));
    let _ = bundle.create().ok();
    let kept = std::fs::read_to_string(bundle.entry().join("process.json")).unwrap();
    assert!(kept.contains(r#""initial_cpus":[3],"final_cpus":[0,1]"#), "{kept}");
}

fn the_domain_and_nodes_of_the_config() {
    let outcome = Bundle::new()
        .probe("sched -- machine")
        .set("/linux/personality", json!({"domain": "LINUX32"}))
        .run()
        .ok()
        .has("personality 0x8");
    // A kernel that runs programs of 32 bits tells its name as theirs.
    if cfg!(target_arch = "x86_64") && std::path::Path::new("/proc/sys/abi/vsyscall32").exists() {
        let _ = outcome.has("machine i686");
    }
    let policy = json!({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]});
    let bundle = Bundle::new().probe("sched").set("/linux/memoryPolicy", policy);
    // A kernel without nodes has no such call.
    if std::path::Path::new("/proc/self/numa_maps").exists() {
        let _ = bundle.run().ok().has("mempolicy 0x8002 0x1");
    } else {
        let _ = bundle.run().refused("set_mempolicy(0x8002, nodes [1])");
    }
}
