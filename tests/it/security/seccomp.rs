//! The filter of system calls in real children: that the kernel agrees with what was compiled, that it
//! is in force from the right moment on, and who gets the listener.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::harness::{Bundle, Case, Running, agent, cases, small32};

pub(super) fn cases() -> Vec<Case> {
    // The numbers below are those of x86_64.
    if !cfg!(target_arch = "x86_64") {
        return Vec::new();
    }
    let mut all = cases![
        every_action_does_what_its_name_says,
        killing_a_thread_spares_the_others,
        arguments_decide,
        what_the_profile_does_not_know_is_unknown_inside,
        no_new_privs_is_never_set_unasked,
        the_engines_profile_lets_programs_live,
        the_program_is_kept_for_exec,
        a_profile_may_forbid_whatever_init_has_done_already,
        a_profile_that_stands_in_inits_way_is_named,
        mistakes_are_named,
        an_agent_answers_what_exec_runs,
        an_agent_answers,
        an_agent_answers_a_container_with_users_of_its_own,
        an_agent_that_is_not_there_is_named,
        an_agent_may_be_asked_for_whatever_init_does,
    ];
    all.extend(cases!([Root, Compat]:
        calls_of_32_bits_are_filtered_too,
        programs_of_32_bits_are_filtered_too,
    ));
    all
}

const GETPPID: &str = "syscall 110";

fn profile(default: &str, rules: &[(&str, &str, Value)]) -> Value {
    let rule = |(name, action, more): &(&str, &str, Value)| {
        let mut rule = json!({"names": [name], "action": format!("SCMP_ACT_{action}")});
        for (key, value) in more.as_object().unwrap() {
            rule[key] = value.clone();
        }
        rule
    };
    let rules: Vec<_> = rules.iter().map(rule).collect();
    json!({"defaultAction": format!("SCMP_ACT_{default}"), "syscalls": rules})
}

fn filtered(default: &str, rules: &[(&str, &str, Value)]) -> Bundle {
    Bundle::new().set("/linux/seccomp", profile(default, rules))
}

/// The profile that Docker writes into a bundle.
fn engines() -> Value {
    static TEXT: &str = include_str!("../../fixtures/engines/docker-default.json");
    let config: Value = serde_json::from_str(TEXT).unwrap();
    config["linux"]["seccomp"].clone()
}

fn every_action_does_what_its_name_says() {
    let none = || json!({});
    for (action, more, line) in [
        ("ERRNO", none(), "syscall 110 EPERM"),
        ("ERRNO", json!({"errnoRet": 95}), "syscall 110 EOPNOTSUPP"),
        ("ERRNO", json!({"errnoRet": 0}), "syscall 110 0"),
        // Without a tracer.
        ("TRACE", none(), "syscall 110 ENOSYS"),
        ("LOG", none(), "syscall 110 0"),
    ] {
        let bundle = filtered("ALLOW", &[("getppid", action, more)]);
        let _ = bundle.probe(GETPPID).run().ok().has(line);
    }
    let default = filtered("LOG", &[]).probe(GETPPID);
    let _ = default.run().ok().has("syscall 110 0");
    let trap = filtered("ALLOW", &[("getppid", "TRAP", none())]);
    let _ = trap.probe("trapped syscall 110").run().ok().has("trapped yes");
    for action in ["KILL", "KILL_THREAD", "KILL_PROCESS"] {
        let kill = filtered("ALLOW", &[("getppid", action, none())]).probe(GETPPID);
        // SIGSYS, as a shell shows it.
        let outcome = kill.run().code(128 + 31);
        assert_eq!(outcome.stdout, "", "{action}");
    }
}

fn killing_a_thread_spares_the_others() {
    for (action, spared) in [("KILL", true), ("KILL_THREAD", true), ("KILL_PROCESS", false)] {
        let bundle = filtered("ALLOW", &[("getppid", action, json!({}))]);
        let outcome = bundle.probe("thread syscall 110").run();
        assert_eq!(outcome.stdout, if spared { "thread over\n" } else { "" }, "{action}");
        let _ = outcome.code(if spared { 0 } else { 128 + 31 });
    }
}

fn arguments_decide() {
    let args = |op: &str, value: u64, two: u64| json!({"args": [{"index": 1, "op": format!("SCMP_CMP_{op}"), "value": value, "valueTwo": two}]});
    let big = 0x1_0000_0005_u64;
    for (op, value, two, met) in [
        ("EQ", big, 0, [false, true, false]),
        ("NE", big, 0, [true, false, true]),
        ("LT", big, 0, [true, false, false]),
        ("LE", big, 0, [true, true, false]),
        ("GE", big, 0, [false, true, true]),
        ("GT", big, 0, [false, false, true]),
        ("MASKED_EQ", 0xff_0000_000f, 0x1_0000_0005, [false, true, false]),
    ] {
        let bundle = filtered("ALLOW", &[("getppid", "ERRNO", args(op, value, two))]);
        let calls = [5, big, big + 1].map(|it| format!("{GETPPID} 0 {it}"));
        let outcome = bundle.probe(&calls.join(" -- ")).run().ok();
        let expected: Vec<_> = met
            .iter()
            .map(|met| if *met { "syscall 110 EPERM" } else { "syscall 110 0" })
            .collect();
        assert_eq!(outcome.stdout.lines().collect::<Vec<_>>(), expected, "{op}");
    }
}

fn what_the_profile_does_not_know_is_unknown_inside() {
    let bundle = Bundle::new().set("/linux/seccomp", engines());
    // keyctl is known and denied, 1000 is newer, the last is how x32 says the first.
    let outcome = bundle.probe("syscall 250 -- syscall 1000 -- syscall 0x400000fa").run().ok();
    let expected = ["syscall 250 EPERM", "syscall 1000 ENOSYS", "syscall 0x400000fa EPERM"];
    assert_eq!(outcome.stdout.lines().collect::<Vec<_>>(), expected);
    let allowing = filtered("ALLOW", &[("getppid", "ERRNO", json!({}))]);
    let _ = allowing.probe("syscall 1000").run().ok().has("syscall 1000 ENOSYS");
}

fn calls_of_32_bits_are_filtered_too() {
    let bundle = Bundle::new().set("/linux/seccomp", engines());
    let outcome = bundle.probe("int80 288 -- int80 1000").run().ok();
    assert_eq!(outcome.stdout, "int80 288 EPERM\nint80 1000 ENOSYS\n");
    // An architecture that is not listed.
    let foreign = filtered("ALLOW", &[]).probe("int80 20");
    let _ = foreign.run().code(128 + 31);
}

fn no_new_privs_is_never_set_unasked() {
    for (asked, shown) in [(false, "nnp 0"), (true, "nnp 1")] {
        let bundle = Bundle::new()
            .set("/linux/seccomp", engines())
            .set("/process/noNewPrivileges", asked)
            .set("/process/user", json!({"uid": 1000, "gid": 1000}));
        let _ = bundle.probe("nnp -- seccomp").run().ok().has(shown).has("seccomp 2");
    }
    let bundle = Bundle::new().probe("seccomp");
    let _ = bundle.run().ok().has("seccomp 0");
}

fn the_engines_profile_lets_programs_live() {
    for no_new_privs in [false, true] {
        let bundle = Bundle::new()
            .set("/linux/seccomp", engines())
            .set("/process/noNewPrivileges", no_new_privs)
            .hook("startContainer", "echo hook >/hook")
            .sh("cat /hook; ls -l /proc/self >/dev/null && sleep 0 && echo alive | cat");
        let _ = bundle.run().ok().stdout("hook\nalive\n");
        let bundle = Bundle::new()
            .set("/linux/seccomp", engines())
            .set("/process/noNewPrivileges", no_new_privs)
            .args(["/bin/none"]);
        let _ = bundle.run().refused("no such file or directory");
    }
}

fn programs_of_32_bits_are_filtered_too() {
    static SMALL: OnceLock<PathBuf> = OnceLock::new();
    let small = SMALL.get_or_init(small32);
    for (which, errno) in [("0", 0), ("1", 1), ("2", 0), ("3", 38), ("4", 0), ("5", 1)] {
        let bundle = Bundle::new().set("/linux/seccomp", engines()).args(["/small", which]);
        std::fs::copy(small, bundle.rootfs().join("small")).unwrap();
        let outcome = bundle.run();
        assert_eq!(outcome.stdout, "32 bits\n", "{which}: {}", outcome.stderr);
        let _ = outcome.code(errno);
    }
}

fn the_program_is_kept_for_exec() {
    let bundle = filtered("ALLOW", &[("getppid", "ERRNO", json!({}))]).probe("sleep");
    let _ = bundle.create().ok();
    let text = std::fs::read(bundle.entry().join("process.json")).unwrap();
    let record: Value = serde_json::from_slice(&text).unwrap();
    let program = record["security"]["seccomp"]["program"].as_str().unwrap();
    // ld [4]: every filter begins with the architecture.
    assert!(program.starts_with("2000000004000000"), "{program}");
    assert_eq!(program.len() % 16, 0);
}

/// With no_new_privs the filter comes after everything that is ours, and execve is all that it sees.
fn a_profile_may_forbid_whatever_init_has_done_already() {
    let allowed = "execve brk arch_prctl set_tid_address set_robust_list rseq prlimit64 readlink \
        readlinkat getrandom mprotect write fstat newfstatat exit_group getppid ioctl";
    let mut seccomp = profile("KILL_PROCESS", &[("getppid", "ALLOW", json!({}))]);
    seccomp["syscalls"][0]["names"] = allowed.split_whitespace().collect();
    let bundle = Bundle::new().set("/linux/seccomp", seccomp).probe(GETPPID);
    let _ = bundle.run().ok().has("syscall 110 0");
}

/// Without it init has to live with the profile.
fn a_profile_that_stands_in_inits_way_is_named() {
    let bundle = filtered("ALLOW", &[("capset", "ERRNO", json!({}))])
        .set("/process/noNewPrivileges", false)
        .probe(GETPPID);
    let outcome = bundle.run();
    assert!(outcome.stderr.contains("hint: /linux/seccomp is in force already"), "{outcome:?}");
    let _ = outcome.refused("operation not permitted (EPERM)");
    bundle.assert_nothing_left();
}

fn mistakes_are_named() {
    let bundle = filtered("ALLOW", &[("read", "ERRNO", json!({"errnoRet": 4096}))]);
    let _ = bundle
        .probe(GETPPID)
        .run()
        .refused("/linux/seccomp/syscalls/0/errnoRet: 4096 is more than 4095");
}

/// A profile that asks the agent at `socket` about one call.
fn asking(name: &str, no_new_privs: bool) -> Bundle {
    let bundle = filtered("ALLOW", &[(name, "NOTIFY", json!({}))]);
    let socket = bundle.dir.join("agent");
    bundle
        .set("/linux/seccomp/listenerPath", socket.to_str().unwrap())
        .set("/linux/seccomp/listenerMetadata", "for the agent")
        .set("/process/noNewPrivileges", no_new_privs)
}

fn start_agent(bundle: &Bundle, answer: &str, calls: u32) -> Running {
    let agent = agent(bundle, &bundle.dir.join("agent"), answer, calls);
    crate::harness::until("the agent", || agent.output().contains("listening").then_some(()));
    agent
}

fn an_agent_answers() {
    for no_new_privs in [false, true] {
        for (answer, line) in [("95", "syscall 110 EOPNOTSUPP"), ("continue", "syscall 110 0")] {
            let bundle = asking("getppid", no_new_privs).probe(GETPPID);
            let agent = start_agent(&bundle, answer, 1);
            let _ = bundle.create().ok();
            let pid = bundle.pid();
            let _ = bundle.start().ok();
            bundle.await_status("stopped");
            let told = agent.done().ok().has("fds 1").has("call 110");
            let state = told.stdout.lines().find_map(|line| line.strip_prefix("state ")).unwrap();
            let state: Value = serde_json::from_str(state).unwrap();
            assert_eq!(
                state,
                json!({
                    "ociVersion": "1.3.0",
                    "fds": ["seccompFd"],
                    "pid": pid,
                    "metadata": "for the agent",
                    "state": {
                        "ociVersion": "1.3.0",
                        "id": bundle.id,
                        "status": "creating",
                        "pid": pid,
                        "bundle": bundle.dir,
                    },
                })
            );
            let _ = bundle.delete().ok();
            let again = asking("getppid", no_new_privs).probe(GETPPID);
            let agent = start_agent(&again, answer, 1);
            let _ = again.run().ok().has(line);
            let _ = agent.done().ok();
        }
    }
}

/// Every process that exec brings in has a listener of its own, with the container's filter.
fn an_agent_answers_what_exec_runs() {
    for no_new_privs in [false, true] {
        let bundle = asking("getppid", no_new_privs).probe("syscall 110 -- sleep");
        let agent = start_agent(&bundle, "95", 1);
        let _ = bundle.making("run").arg("-d").done().ok();
        let _ = agent.done().ok();
        let exec = || {
            let words = ["exec", &bundle.id, "/probe", "syscall", "110", "--", "seccomp"];
            bundle.call(&words).done()
        };
        std::fs::remove_file(bundle.dir.join("agent")).unwrap();
        let _ = exec().says("send the seccomp listener to `{dir}/agent`").code(255);
        let agent = start_agent(&bundle, "95", 1);
        let _ = exec().ok().has("syscall 110 EOPNOTSUPP").has("seccomp 2");
        let told = agent.done().ok().has("fds 1").has("call 110");
        let state = told.stdout.lines().find_map(|line| line.strip_prefix("state ")).unwrap();
        let state: Value = serde_json::from_str(state).unwrap();
        assert_eq!(state["state"]["status"], "running");
        assert_eq!(state["state"]["pid"], bundle.pid());
        assert_ne!(state["pid"], bundle.pid());
    }
}

/// The parent takes the listener out of another user namespace, from a child that nobody may look into.
fn an_agent_answers_a_container_with_users_of_its_own() {
    for no_new_privs in [false, true] {
        let bundle = asking("getppid", no_new_privs)
            .mapped()
            .join("user", "")
            .set("/process/user", json!({"uid": 1000, "gid": 1000}))
            .probe("syscall 110 -- seccomp");
        let agent = start_agent(&bundle, "95", 1);
        let _ = bundle.run().ok().has("syscall 110 EOPNOTSUPP").has("seccomp 2");
        let _ = agent.done().ok();
    }
}

fn an_agent_that_is_not_there_is_named() {
    for no_new_privs in [false, true] {
        let bundle = asking("getppid", no_new_privs).probe(GETPPID);
        let _ = bundle.run().fails_with_hint(
            "create container `{id}`: send the seccomp listener to `{dir}/agent`: \
             connect(`{dir}/agent`): no such file or directory (ENOENT)",
            "/linux/seccomp/listenerPath has to be the socket of a seccomp agent",
        );
        bundle.assert_nothing_left();
    }
}

/// Where versions of crun hung (crun#1002): the agent is asked about the calls by which a runtime hands
/// the listener over.
fn an_agent_may_be_asked_for_whatever_init_does() {
    for no_new_privs in [false, true] {
        for name in ["sendmsg", "recvmsg", "close", "close_range", "accept4"] {
            let bundle = asking(name, no_new_privs).probe("exit 7");
            let agent = start_agent(&bundle, "continue", 1000);
            let _ = bundle.run().code(7);
            agent.signal(rustix::process::Signal::TERM);
            let told = agent.done();
            assert!(told.stdout.contains("call "), "{name}: {}", told.stdout);
        }
    }
}
