//! Who runs rrun, and where: an ordinary user, root inside a container.

use std::os::unix::fs::chown;
use std::path::Path;

use serde_json::json;

use crate::harness::{Bundle, Call, Case, agent, cases, copy_program};

pub(crate) fn cases() -> Vec<Case> {
    let mut all = cases![
        a_config_for_an_ordinary_user,
        a_copy_of_a_binary_that_the_user_may_write,
        a_users_binary_of_root_needs_no_copy,
        an_ordinary_user_needs_a_user_namespace,
        file_systems_of_the_host_where_no_new_ones_may_be,
        hooks_and_limits_of_an_ordinary_user,
        ids_come_from_the_helpers,
        ids_without_mappings,
        namespaces_of_another_container_of_the_user,
        root_of_a_user_namespace,
        root_of_a_user_namespace_helps_its_containers,
        the_agent_of_an_ordinary_user,
        exec_of_an_ordinary_user,
        the_way_of_a_users_container,
    ];
    all.extend(cases!([Root, Static]: nested_as_root, nested_as_an_ordinary_user));
    all
}

/// Nobody's number on any machine that tests run on.
const USER: u32 = 54_321;

/// Gives a bundle to the user. The programs in it are links that other tests have too.
fn given(bundle: Bundle) -> Bundle {
    let rootfs = bundle.rootfs();
    for dir in ["", "bin", "dev", "proc", "sys", "etc", "tmp", "root", "run"] {
        chown(rootfs.join(dir), Some(USER), Some(USER)).unwrap();
    }
    chown(&bundle.dir, Some(USER), Some(USER)).unwrap();
    let map = json!([{"containerID": 0, "hostID": USER, "size": 1}]);
    bundle.set("/linux/uidMappings", map.clone()).set("/linux/gidMappings", map).join("user", "")
}

/// A call as the user, with a directory for what is running.
fn call(bundle: &Bundle, through: &[&str], args: &[&str]) -> Call {
    let user = USER.to_string();
    let mut words: Vec<&str> = through.to_vec();
    words.extend(["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups"]);
    let runtime_dir = bundle.dir.to_str().unwrap();
    bundle.write_config();
    bundle.call_plain(&words, args).env("XDG_RUNTIME_DIR", runtime_dir).cwd(&bundle.dir)
}

fn run(bundle: &Bundle) -> Call {
    call(bundle, &[], &["run", &bundle.id])
}

fn the_way_of_a_users_container() {
    let bundle = given(Bundle::new().probe("sleep"));
    let verb = |args: &[&str]| call(&bundle, &[], args).done().ok();
    let id = bundle.id.as_str();
    let _ = verb(&["create", id]);
    // The directory of the user's running things, and nobody else's to look into.
    use std::os::unix::fs::MetadataExt;
    let root = std::fs::metadata(bundle.dir.join("rrun")).unwrap();
    assert_eq!((root.uid(), root.mode() & 0o777), (USER, 0o700));
    let state: serde_json::Value = serde_json::from_str(&verb(&["state", id]).stdout).unwrap();
    assert_eq!((&state["status"], &state["owner"]), (&json!("created"), &json!("54321")));
    let pid = state["pid"].to_string();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert!(status.contains(&format!("Uid:\t{USER}\t{USER}\t{USER}\t{USER}")), "{status}");
    let _ = verb(&["start", id]);
    assert!(verb(&["list"]).stdout.contains(id));
    let told =
        verb(&["exec", "--env", "A=1", id, "/probe", "ids", "--", "caps", "--", "ns", "--", "env"]);
    assert!(
        told.stdout.contains("uid 0 0 0") && told.stdout.contains("env A=1"),
        "{}",
        told.stdout
    );
    let net = std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
    let inode = net.to_str().unwrap().trim_matches(|c: char| !c.is_ascii_digit()).to_owned();
    assert!(told.stdout.contains(&format!("ns_net {inode}")), "{}", told.stdout);
    let failed = call(&bundle, &[], &["exec", id, "/no/such"]).done();
    assert_eq!(failed.status, 255, "{}", failed.stderr);
    assert!(verb(&["ps", "--format", "json", id]).stdout.contains(&pid));
    let _ = verb(&["kill", id, "KILL"]);
    crate::harness::until("its end", || {
        verb(&["state", id]).stdout.contains(r#""stopped""#).then_some(())
    });
    let _ = verb(&["delete", id]);
    let _ = verb(&["list", "--quiet"]).stdout("");
    let bundle = given(Bundle::new().probe("ids -- ls /dev -- exit 3"));
    let outcome = run(&bundle).done().code(3);
    assert_eq!(outcome.stderr, "");
    let _ = outcome.has("uid 0 0 0").has("gid 0 0 0").has("entry null").has("entry ptmx");
    // Without that directory there is no place.
    let user = USER.to_string();
    let words = ["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups"];
    let _ = bundle.call_plain(&words, &["list"]).done().fails_with_hint(
        "there is no place to keep state",
        "set XDG_RUNTIME_DIR, or name a directory with --root",
    );
}

fn a_config_for_an_ordinary_user() {
    let bundle = given(Bundle::new());
    let _ = call(&bundle, &[], &["spec", "--rootless", "--file", "mine.json"]).done().ok();
    let text = std::fs::read_to_string(bundle.dir.join("mine.json")).unwrap();
    let bundle = bundle.edit(|config| *config = serde_json::from_str(&text).unwrap());
    let bundle = bundle
        .set("/process/terminal", false)
        .sh("cat /proc/self/uid_map; touch /sys/x 2>/dev/null || echo read-only");
    let outcome = run(&bundle).done().ok();
    let words: Vec<_> = outcome.stdout.split_whitespace().collect();
    assert_eq!(words, ["0", "54321", "1", "read-only"]);
    // With the ids of root it is as good for root.
    let _ = bundle.run().ok();
}

fn an_ordinary_user_needs_a_user_namespace() {
    let bundle = given(Bundle::new())
        .inherit("user")
        .set("/linux/uidMappings", json!([]))
        .set("/linux/gidMappings", json!([]));
    let outcome = run(&bundle).done();
    let _ = outcome.refused("clone the container's first process: clone");
    let bundle = given(Bundle::new()).set("/process/user/additionalGids", json!([7]));
    let _ = run(&bundle).done().refused("set the supplementary groups: setgroups([7])");
}

/// A container with the host's network may not mount a sysfs, one with its queues no mqueue.
fn file_systems_of_the_host_where_no_new_ones_may_be() {
    let bundle = given(Bundle::new().inherit("network").without_mount("/sys/fs/cgroup"))
        .args(["/bin/cat", "/proc/self/mountinfo"]);
    let outcome = run(&bundle).done().ok();
    let lines: Vec<_> = outcome.stdout.lines().collect();
    let below = |line: &&&str| line.split(' ').nth(4).unwrap().starts_with("/sys");
    assert!(lines.iter().filter(below).count() > 1, "{}", outcome.stdout);
    for line in lines.iter().filter(below) {
        let options = line.split(' ').nth(5).unwrap();
        assert!(options.starts_with("ro,"), "{line}");
    }
    let bundle = given(Bundle::new().inherit("ipc").probe("exit 0"));
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    if mounts.contains(" /dev/mqueue ") {
        let _ = run(&bundle).done().ok();
    } else {
        let outcome = run(&bundle).done().refused("mount `/dev/mqueue`: ");
        assert!(outcome.stderr.contains("the host has none in its /dev to bind"), "{outcome:?}");
    }
}

fn hooks_and_limits_of_an_ordinary_user() {
    let limited = || given(Bundle::new().probe("exit 0")).set("/linux/resources/pids/limit", 50);
    let outcome = run(&limited()).done();
    let _ = outcome.refused("plan the cgroup: /linux/resources/pids/limit: ");
    delegated(limited());
    // Hooks run as the user.
    let bundle = given(Bundle::new().probe("exit 0"))
        .set("/process/oomScoreAdj", 500)
        .hook("createRuntime", "id -u >$0/id");
    let _ = run(&bundle).done().ok();
    assert_eq!(bundle.await_file("id"), "54321\n");
    let filter = json!({"defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]});
    let bundle = given(Bundle::new().probe("mkdir /tmp/x")).set("/linux/seccomp", filter);
    let _ = run(&bundle).done().ok().stdout("mkdir /tmp/x EPERM\n");
}

/// A cgroup that the user owns can be limited. With v2 a process must also have been below it before.
fn delegated(bundle: Bundle) {
    let pids = Path::new("/sys/fs/cgroup/pids");
    if !pids.exists() {
        return;
    }
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    let own = own.lines().find_map(|line| line.split_once(":pids:")).unwrap().1;
    let name = format!("{}-delegated", bundle.id);
    let directory = pids.join(own.trim_start_matches('/')).join(&name);
    std::fs::create_dir(&directory).unwrap();
    for file in ["", "tasks", "cgroup.procs"] {
        chown(directory.join(file), Some(USER), Some(USER)).unwrap();
    }
    let path = format!("{}/{name}/inner", own.trim_end_matches('/'));
    let bundle = bundle.set("/linux/cgroupsPath", path).probe("sleep");
    let created = call(&bundle, &[], &["create", &bundle.id]).done();
    let limit = std::fs::read_to_string(directory.join("inner/pids.max"));
    let deleted = call(&bundle, &[], &["delete", "--force", &bundle.id]).done();
    std::fs::remove_dir(&directory).unwrap();
    let (_, _) = (created.ok(), deleted.ok());
    assert_eq!(limit.unwrap(), "50\n");
}

fn a_users_binary_of_root_needs_no_copy() {
    let bundle = given(Bundle::new().probe("sleep"));
    let _ = call(&bundle, &[], &["create", &bundle.id]).done().ok();
    assert!(!executable(&bundle).starts_with("/memfd:"), "{}", executable(&bundle));
    let _ = call(&bundle, &[], &["delete", "--force", &bundle.id]).done().ok();
}

fn a_copy_of_a_binary_that_the_user_may_write() {
    let mut bundle = given(Bundle::new().probe("sleep"));
    let own = bundle.dir.join("rrun-of-the-user");
    copy_program(&bundle.runtime, &own);
    chown(&own, Some(USER), Some(USER)).unwrap();
    bundle.runtime = own;
    let _ = call(&bundle, &[], &["create", &bundle.id]).done().ok();
    assert!(executable(&bundle).starts_with("/memfd:rrun"), "{}", executable(&bundle));
    let _ = call(&bundle, &[], &["delete", "--force", &bundle.id]).done().ok();
}

/// What init executes while it waits.
fn executable(bundle: &Bundle) -> String {
    let outcome = call(bundle, &[], &["state", &bundle.id]).done().ok();
    let state: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let link = std::fs::read_link(format!("/proc/{}/exe", state["pid"])).unwrap();
    link.to_string_lossy().into_owned()
}

/// A mount namespace in which the user has a name and subordinate ids.
fn with_ids(bundle: &Bundle) -> String {
    let dir = bundle.dir.display();
    let passwd = format!("root:x:0:0:root:/root:/bin/sh\nit:x:{USER}:{USER}::/:/bin/sh\n");
    std::fs::write(bundle.dir.join("passwd"), passwd).unwrap();
    std::fs::write(bundle.dir.join("subid"), "it:300000:1000\n").unwrap();
    let bind = |file: &str| format!("mount --bind {dir}/subid {file}");
    format!(
        "touch /etc/subuid /etc/subgid && mount --bind {dir}/passwd /etc/passwd && {} && {} && exec \"$@\"",
        bind("/etc/subuid"),
        bind("/etc/subgid")
    )
}

fn ids_come_from_the_helpers() {
    let maps = |first: u32, count: u32| {
        json!([{"containerID": 0, "hostID": USER, "size": 1},
               {"containerID": 1, "hostID": first, "size": count}])
    };
    let bundle = given(Bundle::new().probe("lines /proc/self/uid_map -- lines /proc/self/gid_map"))
        .set("/linux/uidMappings", maps(300_000, 1000))
        .set("/linux/gidMappings", maps(300_100, 10))
        .set("/process/user/additionalGids", json!([7]));
    let script = with_ids(&bundle);
    let through = ["unshare", "-m", "/bin/sh", "-c", &script, "sh"];
    if !Path::new("/usr/bin/newuidmap").exists() {
        let outcome = call(&bundle, &through, &["run", &bundle.id]).done();
        let outcome = outcome.refused("map ids with newgidmap(1): execve(`newgidmap`)");
        assert!(outcome.stderr.contains("install the package `uidmap`"), "{outcome:?}");
        return;
    }
    let outcome = call(&bundle, &through, &["run", &bundle.id]).done().ok();
    let words: Vec<_> = outcome.stdout.split_whitespace().filter(|word| *word != "line").collect();
    let expected =
        ["0", "54321", "1", "1", "300000", "1000", "0", "54321", "1", "1", "300100", "10"];
    assert_eq!(words, expected);
    // What is not given to the user is not mapped, and the line that would give it is named.
    let bundle = given(Bundle::new().probe("exit 0"))
        .set("/linux/uidMappings", maps(0, 5))
        .set("/linux/gidMappings", maps(300_100, 10));
    let script = with_ids(&bundle);
    let through = ["unshare", "-m", "/bin/sh", "-c", &script, "sh"];
    let outcome = call(&bundle, &through, &["run", &bundle.id]).done();
    let outcome = outcome.refused("map ids with newuidmap(1): it ended with ");
    let hint = "hint: /etc/subuid has to give you the ids (first:count) 54321:1 0:5";
    assert!(outcome.stderr.contains(hint), "{outcome:?}");
}

/// All that there is to give: oneself, and what the helpers would map.
fn ids_without_mappings() {
    let bundle = given(Bundle::new().probe("lines /proc/self/uid_map"))
        .set("/linux/uidMappings", json!([]))
        .set("/linux/gidMappings", json!([]));
    let outcome = run(&bundle).done().ok();
    let words: Vec<_> = outcome.stdout.split_whitespace().collect();
    assert_eq!(words, ["line", "0", "54321", "1"]);
    if Path::new("/usr/bin/newuidmap").exists() {
        let script = with_ids(&bundle);
        let through = ["unshare", "-m", "/bin/sh", "-c", &script, "sh"];
        let outcome = call(&bundle, &through, &["run", &bundle.id]).done().ok();
        let words: Vec<_> = outcome.stdout.split_whitespace().collect();
        assert_eq!(words, ["line", "0", "54321", "1", "line", "1", "300000", "1000"]);
    }
}

/// What another container of the same user has made may be joined, the user namespace first.
fn namespaces_of_another_container_of_the_user() {
    let donor = given(Bundle::new().probe("sleep"));
    let _ = call(&donor, &[], &["create", &donor.id]).done().ok();
    // Nobody looks into a container that waits at its gate, not even the user.
    let _ = call(&donor, &[], &["start", &donor.id]).done().ok();
    let state = call(&donor, &[], &["state", &donor.id]).done().ok().stdout;
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let link = |name: &str| format!("/proc/{}/ns/{name}", state["pid"]);
    let inode = |name: &str| {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(link(name)).unwrap().ino()
    };
    for pid in [true, false] {
        let mut bundle = given(Bundle::new().probe("ids -- ns"))
            .join("user", &link("user"))
            .join("network", &link("net"))
            .join("ipc", &link("ipc"));
        if pid {
            bundle = bundle.join("pid", &link("pid"));
        }
        let outcome = run(&bundle).done().ok().has("uid 0 0 0");
        for name in ["user", "net", "ipc"] {
            assert!(
                outcome.stdout.contains(&format!("ns_{name} {}\n", inode(name))),
                "{outcome:?}"
            );
        }
        assert_eq!(outcome.stdout.contains(&format!("ns_pid {}\n", inode("pid"))), pid);
    }
    let _ = call(&donor, &[], &["delete", "--force", &donor.id]).done().ok();
}

/// Whoever is root already, but not the machine's, needs no other user namespace.
fn root_of_a_user_namespace() {
    let map = json!([{"containerID": 0, "hostID": 0, "size": 1}]);
    for own in [false, true] {
        let mut bundle =
            given(Bundle::new().probe("ids -- ls /dev")).without_mount("/sys/fs/cgroup");
        bundle = if own {
            bundle.set("/linux/uidMappings", map.clone()).set("/linux/gidMappings", map.clone())
        } else {
            let none = json!([]);
            bundle
                .inherit("user")
                .set("/linux/uidMappings", none.clone())
                .set("/linux/gidMappings", none)
        };
        bundle.write_config();
        let user = USER.to_string();
        let through =
            ["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups", "unshare", "-Ur"];
        let call = bundle.call_plain(&through, &["run", &bundle.id]).cwd(&bundle.dir);
        let outcome = call.env("XDG_RUNTIME_DIR", bundle.dir.to_str().unwrap()).done().ok();
        let _ = outcome.has("uid 0 0 0").has("entry null").has("entry ptmx");
    }
}

/// Podman's way with `--uidmap`: an ordinary user's ids are divided among containers, whose roots may
/// not reach what is the user's own.
fn root_of_a_user_namespace_helps_its_containers() {
    if !Path::new("/usr/bin/newuidmap").exists() {
        return;
    }
    let map = json!([{"containerID": 0, "hostID": 1, "size": 100}]);
    let bundle = given(Bundle::new().args(["/bin/cat", "/mnt/file", "/proc/self/uid_map"]))
        .file("closed/in/file", "text\n")
        .mount(json!({"destination": "/mnt", "source": "closed/in", "options": ["bind"]}))
        .without_mount("/sys/fs/cgroup")
        .set("/linux/uidMappings", map.clone())
        .set("/linux/gidMappings", map);
    use std::os::unix::fs::PermissionsExt;
    let rootfs = bundle.rootfs();
    for dir in ["", "bin", "dev", "etc"] {
        std::fs::set_permissions(rootfs.join(dir), std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    std::fs::create_dir(rootfs.join("mnt")).unwrap();
    chown(bundle.dir.join("closed"), Some(USER), Some(USER)).unwrap();
    // Others may pass through here, but see nothing of what is in there.
    let closed = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(bundle.dir.join("closed"), closed.clone()).unwrap();
    bundle.write_config();
    let user = USER.to_string();
    let script = with_ids(&bundle);
    let mut through = vec!["unshare", "-m", "/bin/sh", "-c", script.as_str(), "sh", "setpriv"];
    through.extend(["--reuid", &user, "--regid", &user, "--clear-groups", "unshare", "-Ur"]);
    through.extend(["--map-users=300000,1,1000", "--map-groups=300000,1,1000", "-m"]);
    let call = bundle.call_plain(&through, &["run", &bundle.id]).cwd(&bundle.dir);
    let outcome = call.env("XDG_RUNTIME_DIR", bundle.dir.to_str().unwrap()).done().ok();
    assert!(outcome.stdout.split_whitespace().eq(["text", "0", "1", "100"]), "{outcome:?}");
}

/// The joiner, which nobody may look into, has to be looked into for its listener.
fn exec_of_an_ordinary_user() {
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]});
    for no_new_privs in [true, false] {
        let bundle = given(Bundle::new().probe("mkdir /tmp/x -- sleep"))
            .set("/linux/seccomp", profile.clone())
            .set("/process/noNewPrivileges", no_new_privs);
        let socket = bundle.dir.join("agent");
        let bundle = bundle.set("/linux/seccomp/listenerPath", socket.to_str().unwrap());
        let listening = || {
            let _ = std::fs::remove_file(&socket);
            let agent = agent(&bundle, &socket, "95", 1);
            let listens = || agent.output().contains("listening").then_some(());
            crate::harness::until("the agent", listens);
            chown(&socket, Some(USER), Some(USER)).unwrap();
            agent
        };
        let first = listening();
        let _ = call(&bundle, &[], &["run", "-d", &bundle.id]).done().ok();
        let _ = first.done().ok();
        let second = listening();
        let words = ["exec", &bundle.id, "/probe", "mkdir", "/tmp/y", "--", "fds", "--", "ids"];
        let exec = call(&bundle, &[], &words).done().ok();
        let _ = exec.has("mkdir /tmp/y EOPNOTSUPP").has("uid 0 0 0");
        let _ = second.done().ok();
        let _ = call(&bundle, &[], &["delete", "--force", &bundle.id]).done().ok();
    }
}

fn the_agent_of_an_ordinary_user() {
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", 
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]});
    for no_new_privs in [true, false] {
        let bundle = given(Bundle::new().probe("mkdir /tmp/x"))
            .set("/linux/seccomp", profile.clone())
            .set("/process/noNewPrivileges", no_new_privs);
        let socket = bundle.dir.join("agent");
        let bundle = bundle.set("/linux/seccomp/listenerPath", socket.to_str().unwrap());
        let agent = agent(&bundle, &socket, "95", 1);
        crate::harness::until("the agent", || agent.output().contains("listening").then_some(()));
        chown(&socket, Some(USER), Some(USER)).unwrap();
        let _ = run(&bundle).done().ok().stdout("mkdir /tmp/x EOPNOTSUPP\n");
        let _ = agent.done().ok();
    }
}

/// An outer container with rrun and the inner bundle in it.
fn outer(inner: &Bundle, all: bool) -> Bundle {
    let capabilities: Vec<String> = if all {
        let text = "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP \
            NET_BIND_SERVICE NET_ADMIN NET_RAW SYS_CHROOT SYS_PTRACE SYS_ADMIN SYS_NICE MKNOD \
            AUDIT_WRITE SETFCAP";
        text.split_whitespace().map(|name| format!("CAP_{name}")).collect()
    } else {
        Vec::new()
    };
    let sets =
        json!({"bounding": capabilities, "effective": capabilities, "permitted": capabilities});
    inner.write_config();
    let bind = |source: &Path, destination: &str| json!({"destination": destination, "source": source, "options": ["rbind"]});
    Bundle::new()
        .args(["/rrun", "--root", "/run/rrun", "--cgroup-manager", "disabled", "run", "--bundle", "/inner", "in"])
        .mount(json!({"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]}))
        .mount(bind(&inner.dir, "/inner"))
        .mount(bind(&inner.runtime, "/rrun"))
        .set("/process/capabilities", sets)
        .set("/process/noNewPrivileges", false)
        .set("/linux/resources/devices", json!([{"allow": true, "access": "rwm"}]))
}

fn nested_as_root() {
    let inner = Bundle::new().probe("pid -- hostname");
    let outer = outer(&inner, true)
        .set("/linux/maskedPaths", json!([]))
        .set("/linux/readonlyPaths", json!([]));
    let _ = outer.run().ok().has("pid 1 0").has("hostname conformance");
}

fn nested_as_an_ordinary_user() {
    let inner = || given(Bundle::new().probe("ids")).without_mount("/sys/fs/cgroup");
    let as_user = |bundle: Bundle| bundle.set("/process/user", json!({"uid": USER, "gid": USER}));
    // Nothing of the outer /proc is masked: a new one may be mounted.
    let bundle = inner();
    let open = as_user(outer(&bundle, false))
        .set("/linux/maskedPaths", json!([]))
        .set("/linux/readonlyPaths", json!([]));
    let _ = open.run().ok().has("uid 0 0 0");
    // Something is: the kernel lets nobody uncover it, and the error says so.
    let bundle = inner();
    let outcome = as_user(outer(&bundle, false)).run();
    let outcome = outcome.refused("create container `in`: mount `/proc`: fsmount(`proc`");
    assert!(outcome.stderr.contains("leave out the pid namespace and bind /proc"), "{outcome:?}");
    // With the outer pid namespace, its /proc will do.
    let bundle = inner()
        .inherit("pid")
        .without_mount("/proc")
        .mount(json!({"destination": "/proc", "source": "/proc", "options": ["rbind"]}));
    let bundle = bundle.set("/linux/maskedPaths", json!([])).set("/linux/readonlyPaths", json!([]));
    let _ = as_user(outer(&bundle, false)).run().ok().has("uid 0 0 0");
}
