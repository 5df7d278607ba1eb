//! `exec`: the joiner is where the container is, leaves nothing behind whatever happens to it, and
//! shows nothing of the host to a container that wishes it ill.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::process::Signal;
use serde_json::json;

use crate::harness::{Bundle, Call, Case, cases, copy_program, every, killed, until};

pub(super) fn cases() -> Vec<Case> {
    let mut all = cases![
        it_is_in_every_namespace_and_cgroup,
        it_is_like_the_containers_own_program,
        nothing_of_the_caller_is_inherited,
        what_is_preserved_is_inherited,
        a_process_file_replaces_the_program,
        its_share_of_the_machine,
        status_and_signals,
        a_signal_during_the_set_up_ends_it,
        failures_are_255_and_leave_no_pid_file,
        which_containers_take_it,
        a_paused_one_runs_it_later,
        the_caller_has_the_pid_before_it_runs,
        a_detached_one_outlives_rrun,
        a_terminal_in_the_foreground_and_elsewhere,
        a_user_namespace,
        a_mount_namespace_that_is_not_its_own,
        exec_killed_anywhere,
        a_joiner_killed_anywhere_is_told,
        nothing_is_leaked,
        a_working_directory_never_leads_out,
        a_faked_proc_is_not_believed,
        a_replaced_root_is_only_the_containers,
        a_tracer_inside_gets_nothing,
        a_name_in_passwd_that_is_a_fifo_does_not_hang,
        a_cgroup_below_the_containers,
    ];
    all.extend(cases!([Root, Static]: a_program_that_is_the_runtime_cannot_be_written));
    all
}

/// `exec` of the words in the bundle's container; options may come first.
fn exec(bundle: &Bundle, options: &[&str], program: &[&str]) -> Call {
    bundle.call(&["exec"]).args(options).arg(&bundle.id).args(program)
}

fn running() -> Bundle {
    Bundle::new().probe("sleep").started()
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

fn it_is_in_every_namespace_and_cgroup() {
    let bundle = Bundle::new().probe("ns -- lines /proc/self/cgroup -- sleep");
    let mut create = bundle.making("run").arg("-d").spawn();
    until("the facts", || create.output().contains("sleeping").then_some(()));
    until("rrun's end", || create.is_over().then_some(()));
    let own = create.output().replace("sleeping\n", "");
    let told = exec(&bundle, &[], &["/probe", "ns", "--", "lines", "/proc/self/cgroup"]);
    let told = told.done().ok().stdout;
    assert_eq!(lines(&told), lines(&own));
    let ids = exec(&bundle, &[], &["/probe", "pid", "--", "sid"]).done().ok().stdout;
    let numbers: Vec<i32> = ids.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    // Its parent is outside, and it leads a session of its own.
    assert!(numbers[0] > 1 && numbers[1] == 0, "{ids}");
    assert_eq!((numbers[2], numbers[3]), (numbers[0], numbers[0]), "{ids}");
}

fn it_is_like_the_containers_own_program() {
    let facts = "ids -- caps -- nnp -- rlimits -- umask -- signals -- env -- cwd -- oom -- keyring \
                 -- seccomp";
    let sets = json!({"bounding": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_KILL"],
        "effective": ["CAP_KILL"], "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]});
    for no_new_privs in [true, false] {
        let bundle = Bundle::new()
            .probe(&format!("{facts} -- sleep"))
            .set("/process/capabilities", sets.clone())
            .set("/process/noNewPrivileges", no_new_privs)
            .set("/process/user", json!({"uid": 5, "gid": 6, "umask": 7, "additionalGids": [8]}))
            .set("/process/cwd", "/etc")
            .set("/process/oomScoreAdj", 321)
            .set(
                "/process/rlimits",
                json!([{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 88},
                       {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]),
            )
            .set(
                "/linux/seccomp",
                json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
                    [{"names": ["swapon"], "action": "SCMP_ACT_ERRNO"}]}),
            );
        let run = bundle.making("run").arg("-d").spawn();
        until("the facts", || run.output().contains("sleeping").then_some(()));
        let own = run.output().replace("sleeping\n", "");
        let program: Vec<_> = std::iter::once("/probe").chain(facts.split_whitespace()).collect();
        let told = exec(&bundle, &[], &program).done().ok().stdout;
        assert_eq!(lines(&told), lines(&own));
    }
}

fn nothing_of_the_caller_is_inherited() {
    let bundle = running();
    // A descriptor of the host's root, and a signal that is ignored, as a careless caller has them.
    let script = "exec 7</ 9</etc/passwd; trap '' USR1 INT PIPE; exec \"$@\"";
    let call = bundle.call_through(&["/bin/sh", "-c", script, "sh"], &["exec", &bundle.id]);
    let program = ["/probe", "fds", "--", "signals", "--", "env"];
    let told = call.env("SECRET", "caller").args(program).done().ok().stdout;
    let fds: Vec<_> = told.lines().filter(|line| line.starts_with("fd ")).collect();
    assert_eq!(fds.len(), 3, "{told}");
    assert!(!told.contains("ignored") && told.contains("blocked 0000000000000000"), "{told}");
    assert!(!told.contains("SECRET"), "{told}");
}

fn what_is_preserved_is_inherited() {
    let bundle = running();
    let script = "exec 3</etc/hostname 4</dev/null 5</; exec \"$@\"";
    let through = ["/bin/sh", "-c", script, "sh"];
    let told = bundle.call_through(&through, &["exec", "--preserve-fds", "2", &bundle.id]);
    let told = told.args(["/probe", "fds"]).done().ok().stdout;
    assert!(told.contains("fd 4 /dev/null") && !told.contains("fd 5 "), "{told}");
    let told = bundle.call_through(&through, &["exec", "--preserve-fds", "1", &bundle.id]);
    let told = told.env("LISTEN_FDS", "1").args(["/probe", "fds", "--", "env", "--", "pid"]);
    let told = told.done().ok().stdout;
    let pid = told.lines().find_map(|line| line.strip_prefix("pid ")).unwrap();
    let pid = pid.split(' ').next().unwrap();
    for line in ["fd 4 /dev/null", "env LISTEN_FDS=1", &format!("env LISTEN_PID={pid}")] {
        assert!(told.lines().any(|own| own == line), "{line}: {told}");
    }
    let refused = exec(&bundle, &["--preserve-fds", "1"], &["/probe", "fds"]).done();
    let _ = refused.says("descriptor 3 is not open").code(255);
}

fn a_process_file_replaces_the_program() {
    let bundle = running();
    let file = bundle.dir.join("process.json");
    let process = json!({"args": ["/probe", "ids", "--", "env", "--", "cwd", "--", "caps"],
        "cwd": "/tmp", "env": ["A=1", "B=2"], "user": {"uid": 1000, "gid": 7},
        "capabilities": {"bounding": ["CAP_KILL"]}});
    std::fs::write(&file, process.to_string()).unwrap();
    let path = file.to_str().unwrap();
    let told = exec(&bundle, &["-p", path], &[]).done().ok();
    let told = told.has("uid 1000 1000 1000").has("gid 7 7 7").has("env A=1").has("cwd /tmp");
    // The home is from the container's passwd.
    let told = told.has("env HOME=/home/alice").has("cap_bounding 0000000000000020");
    let own = told.stdout.lines().filter(|line| line.starts_with("env ")).count();
    assert_eq!(own, 3, "{}", told.stdout);
    let options = ["--process", path, "-u", "1", "-e", "A=9", "--cwd", "/", "-c", "CAP_CHOWN"];
    let told = exec(&bundle, &options, &["/probe", "ids", "--", "env", "--", "cwd", "--", "caps"]);
    let told = told.done().ok().has("uid 1 1 1").has("gid 7 7 7").has("env A=9").has("env B=2");
    let _ = told
        .has("cwd /")
        .has("cap_bounding 0000000000000021")
        .has("cap_inheritable 0000000000000000");
    for (text, part) in [
        ("{", "--process: read `{dir}/process.json`"),
        (r#"{"args":["a"],"cwd":"x"}"#, "/process/cwd: `x` is not absolute"),
        (r#"{"args":["a"],"cwd":7}"#, "cwd"),
    ] {
        std::fs::write(&file, text).unwrap();
        let _ = exec(&bundle, &["-p", path], &[]).done().says(part).code(255);
    }
}

fn its_share_of_the_machine() {
    let bundle = Bundle::new()
        .probe("sleep")
        .set("/process/scheduler", json!({"policy": "SCHED_BATCH", "nice": 7}))
        .set("/process/ioPriority", json!({"class": "IOPRIO_CLASS_IDLE", "priority": 3}))
        .set("/process/execCPUAffinity", json!({"initial": "0-1", "final": "0"}))
        .set("/linux/personality", json!({"domain": "LINUX32"}))
        .started();
    // The container's own, for whatever it does not say itself.
    let facts = ["/probe", "sched", "--", "lines", "/proc/self/status"];
    let told = exec(&bundle, &[], &facts).done().ok();
    let told = told.has("scheduler 3 0 7 0 0 0 0").has("ioprio 3 3").has("personality 0x8");
    let _ = told.has("line Cpus_allowed_list:\\x090");
    let file = bundle.dir.join("process.json");
    let process = json!({"args": facts, "cwd": "/", "user": {"uid": 0, "gid": 0},
        "scheduler": {"policy": "SCHED_OTHER", "nice": 3}, "execCPUAffinity": {"initial": "0"}});
    std::fs::write(&file, process.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let told = bundle.call(&["exec", "--process", file, &bundle.id]).done().ok();
    let told = told.has("scheduler 0 0 3 0 0 0 0").has("ioprio 3 3").has("personality 0x8");
    let _ = told.has("line Cpus_allowed_list:\\x090");
    // Set from outside, so that a policy that forbids children does not forbid the way inside.
    let process = json!({"args": facts, "cwd": "/", "user": {"uid": 0, "gid": 0},
        "scheduler": {"policy": "SCHED_DEADLINE", "runtime": 1_000_000, "deadline": 10_000_000,
            "period": 20_000_000}});
    std::fs::write(file, process.to_string()).unwrap();
    let told = bundle.call(&["exec", "--process", file, &bundle.id]).done();
    if told.status == 0 {
        let _ = told.ok().has("scheduler 6 0 0 0 1000000 10000000 20000000");
    } else {
        // The kernel may not admit it; exec's own failure is 255.
        assert_eq!(told.status, 255);
        assert!(
            told.stderr.contains("/process/scheduler: sched_setattr(policy 6"),
            "{}",
            told.stderr
        );
    }
}

fn status_and_signals() {
    let bundle = running();
    for status in [0, 1, 7, 255] {
        let program = ["/probe", "exit", &status.to_string()];
        let _ = exec(&bundle, &[], &program).done().code(status);
    }
    for signal in [6, 9, 15, 34] {
        let program = ["/probe", "killself", &signal.to_string()];
        let _ = exec(&bundle, &[], &program).done().code(128 + signal);
    }
    for signal in [Signal::HUP, Signal::INT, Signal::USR1, Signal::TERM, Signal::WINCH] {
        let run = exec(&bundle, &[], &["/probe", "wait-signal"]).spawn();
        until("ready", || run.output().contains("ready\n").then_some(()));
        run.signal(signal);
        let _ = run.done().ok().stdout(&format!("ready\ngot {}\n", signal.as_raw()));
    }
    // Whoever kills the container kills what runs in it.
    let run = exec(&bundle, &[], &["/probe", "sleep"]).spawn();
    until("sleeping", || run.output().contains("sleeping").then_some(()));
    let _ = bundle.kill("KILL").ok();
    let _ = run.done().code(137);
}

fn a_signal_during_the_set_up_ends_it() {
    let bundle = running().fifo("wait");
    let (pid, fifo) = (bundle.dir.join("pid"), bundle.dir.join("wait"));
    let options = ["--pid-file", pid.to_str().unwrap(), "--exec-wait-fifo", fifo.to_str().unwrap()];
    for signal in [Signal::TERM, Signal::INT] {
        let run = exec(&bundle, &options, &["/probe", "sleep"]).spawn();
        until("the pid file", || pid.exists().then_some(()));
        run.signal(Signal::WINCH);
        run.signal(signal);
        let part = format!("interrupted by signal {}", signal.as_raw());
        let _ = run.done().says(&part).code(255);
        assert!(!pid.exists());
    }
}

fn failures_are_255_and_leave_no_pid_file() {
    let bundle = running();
    let file = bundle.rootfs().join("plain");
    std::fs::write(&file, "text\n").unwrap();
    let pid = bundle.dir.join("pid");
    let path = pid.to_str().unwrap();
    let failing: &[(&[&str], &[&str], &str)] = &[
        (&[], &["nosuch"], "exec `nosuch`: executable file not found in $PATH: no such file"),
        (&[], &["/nosuch"], "no such file or directory (ENOENT)"),
        (&[], &["/plain"], "permission denied (EACCES)"),
        (&[], &["/etc"], "permission denied (EACCES)"),
        (&[], &[""], "executable file not found"),
        (&["--cwd", "/nosuch"], &["/probe"], "enter the working directory `/nosuch`"),
        (&["--cwd", "x"], &["/probe"], "--cwd: `x` is not absolute"),
        (&["--cap", "CAP_X"], &["/probe"], "no such capability"),
        (&["--cgroup", "../x"], &["/probe"], "leads out of the container's cgroup"),
        (&["--cgroup", "nosuch"], &["/probe"], "join the cgroup"),
        (&["--apparmor", "x"], &["/probe"], "AppArmor is not on"),
        (&["--pidfd-socket", "/nosuch"], &["/probe"], "--pidfd-socket: connect(`/nosuch`)"),
        (&["--exec-wait-fifo", "/nosuch"], &["/probe"], "--exec-wait-fifo"),
        (&["--exec-wait-fifo", "/etc/passwd"], &["/probe"], "is no fifo"),
        (&[], &[], "no program was named"),
    ];
    for (options, program, part) in failing {
        for more in [&[][..], &["-d"]] {
            let options = [*options, more, &["--pid-file", path]].concat();
            let _ = exec(&bundle, &options, program).done().says(part).code(255);
            assert!(!pid.exists(), "{program:?}");
        }
    }
    let options = ["--pid-file", "/nonexistent/pid"];
    let _ = exec(&bundle, &options, &["/probe"]).done().says("write the pid file").code(255);
    assert_eq!(processes(&bundle), 1);
}

/// How many processes the container has.
fn processes(bundle: &Bundle) -> usize {
    let outcome = bundle.call(&["ps", "-f", "json", &bundle.id]).done().ok();
    let pids: Vec<i32> = serde_json::from_str(&outcome.stdout).unwrap();
    pids.len()
}

fn which_containers_take_it() {
    let bundle = Bundle::new().probe("sleep");
    let absent = exec(&bundle, &[], &["/probe"]).done();
    let _ = absent.says("container `{id}` does not exist").code(255);
    let _ = bundle.create().ok();
    let _ = exec(&bundle, &[], &["/probe", "exit", "3"]).done().code(3);
    let _ = bundle.start().ok();
    let _ = exec(&bundle, &[], &["/probe", "exit", "4"]).done().code(4);
    let _ = bundle.kill("KILL").ok();
    bundle.await_status("stopped");
    let stopped = exec(&bundle, &[], &["/probe"]).done();
    let _ = stopped.says("cannot exec in container `{id}`: container not running").code(255);
}

fn a_paused_one_runs_it_later() {
    let bundle = running();
    let _ = bundle.call(&["pause", &bundle.id]).done().ok();
    let refused = exec(&bundle, &[], &["/probe", "exit", "5"]).done();
    let _ = refused.says("it is paused (use --ignore-paused)").code(255);
    let mut run = exec(&bundle, &["--ignore-paused"], &["/probe", "exit", "5"]).spawn();
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert!(!run.is_over());
    let _ = bundle.call(&["resume", &bundle.id]).done().ok();
    let _ = run.done().code(5);
}

fn the_caller_has_the_pid_before_it_runs() {
    let bundle = running().fifo("wait");
    let (pid, fifo) = (bundle.dir.join("pid"), bundle.dir.join("wait"));
    let options =
        ["-d", "--pid-file", pid.to_str().unwrap(), "--exec-wait-fifo", fifo.to_str().unwrap()];
    let program = ["/bin/sh", "-c", "echo ran >/ran; exec /probe sleep"];
    let mut run = exec(&bundle, &options, &program).spawn();
    let number = until("the pid file", || std::fs::read_to_string(&pid).ok());
    let comm = || std::fs::read_to_string(format!("/proc/{number}/comm")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(!run.is_over() && !bundle.rootfs().join("ran").exists());
    let name = bundle.runtime.file_name().unwrap().to_str().unwrap();
    assert_eq!(comm().trim_end(), name);
    drop(std::fs::File::open(&fifo).unwrap());
    let _ = run.done().ok();
    until("the program", || bundle.rootfs().join("ran").exists().then_some(()));
    // Where it is killed meanwhile, exec fails, and takes the pid file away.
    std::fs::remove_file(&pid).unwrap();
    let run = exec(&bundle, &options, &program).spawn();
    let number = until("the pid file", || std::fs::read_to_string(&pid).ok());
    let number = rustix::process::Pid::from_raw(number.parse().unwrap()).unwrap();
    rustix::process::kill_process(number, Signal::KILL).unwrap();
    let _ = run.done().says("was killed by signal 9 before it became the program").code(255);
    assert!(!pid.exists());
}

fn a_detached_one_outlives_rrun() {
    let bundle = running();
    let pid = bundle.dir.join("pid");
    let (listener, path) = listen(&bundle.dir.join("socket"));
    let options = ["-d", "--pid-file", pid.to_str().unwrap(), "--pidfd-socket", &path];
    let _ = exec(&bundle, &options, &["/probe", "sleep"]).done().ok();
    let number = std::fs::read_to_string(&pid).unwrap();
    assert!(number.bytes().all(|byte| byte.is_ascii_digit()), "{number:?}");
    // execve has happened when exec returns.
    assert_eq!(std::fs::read_to_string(format!("/proc/{number}/comm")).unwrap(), "probe\n");
    let (mut connection, _) = listener.accept().unwrap();
    let mut name = String::new();
    connection.read_to_string(&mut name).unwrap();
    assert_eq!(name, "pidfd");
    assert_eq!(processes(&bundle), 2);
}

fn listen(path: &Path) -> (UnixListener, String) {
    (UnixListener::bind(path).unwrap(), path.to_str().unwrap().to_owned())
}

fn a_terminal_in_the_foreground_and_elsewhere() {
    let bundle = running();
    let told = exec(&bundle, &["-t"], &["/probe", "tty"]).done().ok().stdout;
    for line in ["tty 0 yes", "tty 1 yes", "tty 2 yes", "tty controlling yes"] {
        assert!(told.lines().any(|own| own == line), "{line}: {told:?}");
    }
    let _ = exec(&bundle, &["-t"], &["/probe", "exit", "9"]).done().code(9);
    // What is typed comes from a pipe here, and has an end.
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"typed\n").unwrap();
    drop(writer);
    let told = exec(&bundle, &["-t"], &["/bin/cat"]).stdin(reader).done().ok().stdout;
    assert!(told.contains("typed"), "{told:?}");
    let user = exec(&bundle, &["-t", "-u", "1000"], &["/bin/sh", "-c", "echo x >/proc/self/fd/1"]);
    assert!(user.done().ok().stdout.contains('x'));
    let nobody = exec(&bundle, &["-t", "-d"], &["/probe"]).done();
    let _ = nobody.says("--tty: nobody stays to hold the terminal").code(255);
    let (_listener, path) = listen(&bundle.dir.join("socket"));
    let nothing = exec(&bundle, &["-d", "--console-socket", &path], &["/probe"]).done();
    let _ = nothing.says("there is no terminal to send").code(255);
    let call = exec(&bundle, &["-td", "--console-socket", &path], &["/probe", "tty"]);
    let _ = call.done().ok().stdout("");
}

fn a_user_namespace() {
    let bundle = Bundle::new().mapped().join("user", "").probe("sleep").started();
    let told = exec(&bundle, &[], &["/probe", "ids", "--", "ns", "--", "keyring"]).done().ok();
    let told = told.has("uid 0 0 0").stdout;
    let user = std::fs::read_link(format!("/proc/{}/ns/user", bundle.pid())).unwrap();
    let number = user.to_str().unwrap().trim_start_matches("user:[").trim_end_matches(']');
    assert!(told.contains(&format!("ns_user {number}\n")), "{told}");
    let _ = exec(&bundle, &["-u", "7:8"], &["/probe", "ids"]).done().ok().has("gid 8 8 8");
    let unmapped = exec(&bundle, &["-u", "70000"], &["/probe"]).done();
    let _ = unmapped.says("become user 70000").code(255);
    let _ = exec(&bundle, &["-t"], &["/probe", "tty"]).done().ok();
}

fn a_mount_namespace_that_is_not_its_own() {
    // Its root is then a chroot, in which exec has to land too.
    let bundle = Bundle::new()
        .inherit("mount")
        .edit(|config| {
            config["mounts"] = json!([]);
            let linux = config["linux"].as_object_mut().unwrap();
            linux.retain(|name, _| !["maskedPaths", "readonlyPaths"].contains(&name.as_str()));
        })
        .set("/root/readonly", false)
        .probe("sleep");
    let _ = bundle.create().ok();
    let _ = bundle.start().ok();
    let told = exec(&bundle, &[], &["/probe", "cwd", "--", "ls", "/"]).done().ok().has("cwd /");
    assert!(told.stdout.contains("probe") && !told.stdout.contains("boot"), "{}", told.stdout);
}

/// More system calls than exec makes: a sweep ends where the victim came to its end before.
const ENOUGH: usize = 5000;

/// Kills `whom` at one system call of exec after the other.
fn sweep(whom: &str, judge: impl Fn(&Bundle, i32, &str)) {
    let killed = killed();
    let killed = killed.to_str().unwrap();
    let bundle = running();
    let pid = bundle.dir.join("pid");
    let args = ["exec", "-d", "--pid-file", pid.to_str().unwrap(), &bundle.id, "/probe", "sleep"];
    for number in (1..ENOUGH).step_by(every(7)) {
        let outcome = bundle.call_through(&[killed, whom, &number.to_string()], &args).done();
        judge(&bundle, outcome.status, &outcome.stderr);
        // The container itself has noticed nothing.
        assert_eq!(bundle.status(), "running");
        if outcome.status == 0 {
            return;
        }
    }
    panic!("exec has no end");
}

fn exec_killed_anywhere() {
    sweep("self", |bundle, status, _| {
        // Either the program runs, or nothing does: whoever was on the way has lost its parent.
        until("a program or nothing", || {
            let outcome = bundle.call(&["ps", "-f", "json", &bundle.id]).done().ok();
            let pids: Vec<i32> = serde_json::from_str(&outcome.stdout).unwrap();
            let name = |pid: &i32| std::fs::read_to_string(format!("/proc/{pid}/comm"));
            pids.iter().all(|pid| name(pid).is_ok_and(|name| name == "probe\n")).then_some(())
        });
        let names: Vec<_> = std::fs::read_dir(bundle.entry()).unwrap().flatten().collect();
        assert_eq!(names.len(), 3, "{names:?}");
        if status != 0 && processes(bundle) > 1 {
            // It got as far as that: the next one is a program more.
            let pid = std::fs::read_to_string(bundle.dir.join("pid")).unwrap();
            let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
    });
}

fn a_joiner_killed_anywhere_is_told() {
    sweep("child", |bundle, status, stderr| {
        if status != 0 {
            assert_eq!(status, 255, "{stderr}");
            assert!(stderr.starts_with("rrun: error: exec in container `"), "{stderr}");
            assert!(stderr.contains("killed by signal 9"), "{stderr}");
            assert!(!bundle.dir.join("pid").exists());
            until("nothing left", || (processes(bundle) == 1).then_some(()));
        }
    });
}

/// Processes, cgroups, files of the state and descriptors of the container's first process, counted
/// before and after.
fn nothing_is_leaked() {
    let bundle = running();
    let count = || {
        let init = format!("/proc/{}/fd", bundle.pid());
        let fds = std::fs::read_dir(init).unwrap().count();
        let cgroups = std::fs::read_to_string("/proc/cgroups").unwrap();
        let own: Vec<_> = cgroups.lines().map(|line| line.split('\t').next().unwrap()).collect();
        let files = std::fs::read_dir(bundle.entry()).unwrap().count();
        let temporary = std::fs::read_dir(&bundle.dir).unwrap();
        let hidden =
            temporary.flatten().filter(|it| it.file_name().to_string_lossy().starts_with('.'));
        (processes(&bundle), fds, own.len(), files, hidden.count())
    };
    let before = count();
    let rounds = if every(2) == 1 { 10_000 } else { 200 };
    let pid = bundle.dir.join("pid");
    for round in 0..rounds {
        let status = round % 120;
        let options = ["--pid-file", pid.to_str().unwrap()];
        let program = ["/probe", "exit", &status.to_string()];
        let _ = exec(&bundle, &options, &program).done().code(status);
    }
    assert_eq!(count(), before);
}

/// CVE-2024-21626: the working directory once was a descriptor of the host that had leaked.
fn a_working_directory_never_leads_out() {
    let bundle = running();
    let root = std::fs::canonicalize(bundle.dir.join("rootfs")).unwrap();
    std::fs::write(bundle.dir.join("outside"), "x").unwrap();
    for number in 0..20 {
        for path in [
            format!("/proc/self/fd/{number}"),
            format!("/proc/self/fd/{number}/.."),
            format!("/proc/thread-self/fd/{number}/../.."),
        ] {
            // The caller has the bundle's directory open, below and above what is ours.
            let script = "exec 3<\"$0\" 7<\"$0\" 15<\"$0\"; exec \"$@\"";
            let dir = bundle.dir.to_str().unwrap();
            let through = ["/bin/bash", "-c", script, dir];
            let call = bundle.call_through(&through, &["exec", "--cwd", &path, &bundle.id]);
            let outcome = call.args(["/probe", "cwd", "--", "ls", "."]).done();
            assert!(outcome.status == 255, "{path}: {outcome:?}");
        }
    }
    // The same through links of the image.
    std::os::unix::fs::symlink("/proc/self/fd/7/../..", root.join("link")).unwrap();
    let _ = exec(&bundle, &["--cwd", "/link"], &["/probe", "cwd"]).done().code(255);
    let _ = exec(&bundle, &["--cwd", "/tmp"], &["/probe", "cwd"]).done().ok().has("cwd /tmp");
}

/// CVE-2019-16884: what the container mounts on /proc is never asked or written.
fn a_faked_proc_is_not_believed() {
    let bundle = Bundle::new()
        .without_mount("/proc")
        .set("/linux/maskedPaths", json!([]))
        .set("/linux/readonlyPaths", json!([]))
        .set("/process/oomScoreAdj", 77)
        .probe("sleep");
    for dir in ["self/attr", "self/ns", "1/ns", "self/fd"] {
        std::fs::create_dir_all(bundle.rootfs().join("proc").join(dir)).unwrap();
    }
    for file in ["self/oom_score_adj", "self/attr/exec", "self/attr/keycreate"] {
        std::fs::write(bundle.rootfs().join("proc").join(file), "untouched").unwrap();
    }
    let bundle = bundle.started();
    let told = exec(&bundle, &["-u", "5"], &["/probe", "ids", "--", "fds"]).done().ok();
    let _ = told.has("uid 5 5 5");
    for file in ["self/oom_score_adj", "self/attr/exec", "self/attr/keycreate"] {
        let text = std::fs::read_to_string(bundle.rootfs().join("proc").join(file)).unwrap();
        assert_eq!(text, "untouched", "{file}");
    }
}

/// A container with the power to do so mounts something else on its root: exec lands there or where
/// the container was, and nowhere else.
fn a_replaced_root_is_only_the_containers() {
    let script = "mkdir -p /tmp/new/bin && cp /bin/busybox /tmp/new/bin/sh; mount -o bind /tmp/new /; \
                  echo done; exec /probe sleep";
    let all = json!(["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_SYS_PTRACE", "CAP_SYS_CHROOT"]);
    let bundle = Bundle::new()
        .sh(&script.replace("cp ", "/bin/busybox cp "))
        .set("/process/capabilities", json!({"bounding": all, "effective": all, "permitted": all}));
    let run = bundle.making("run").arg("-d").spawn();
    until("done", || run.output().contains("done").then_some(()));
    let program = ["/bin/sh", "-c", "test -e /boot || test -e /work && echo host; echo over"];
    let _ = exec(&bundle, &[], &program).done().ok().stdout("over\n");
}

/// CVE-2016-9962: whoever may trace everything inside still finds nothing of the host in what comes.
/// It looks at every process that appears, as fast as it can.
fn a_tracer_inside_gets_nothing() {
    // A decoy shows that it sees what there is to see.
    let script = "\
        sleep 60 9</etc/group &
        while [ ! -e /ended ]; do
          for dir in /proc/[0-9]*; do
            case $dir in /proc/1|/proc/$$) continue;; esac
            for fd in $dir/fd/*; do
              name=$(readlink $fd 2>/dev/null) || continue
              case $name in
                /dev/null|/dev/pts/*|pipe:*|socket:*|'anon_inode:[pidfd]'|/proc/*) ;;
                */stdout.*|*/stderr.*) ;;
                *) echo \"$fd $name\";;
              esac
            done
            echo x 2>/dev/null >>$dir/exe && echo \"wrote $dir\"
          done
        done; echo over";
    let all = json!([
        "CAP_SYS_PTRACE",
        "CAP_SYS_ADMIN",
        "CAP_DAC_OVERRIDE",
        "CAP_KILL",
        "CAP_DAC_READ_SEARCH"
    ]);
    let bundle = Bundle::new()
        .sh(script)
        .set("/process/capabilities", json!({"bounding": all, "effective": all, "permitted": all}));
    let mut run = bundle.making("run").arg("-d").spawn();
    until("the tracer", || run.is_over().then_some(()));
    for _ in 0..every(2) * 20 {
        let _ = exec(&bundle, &[], &["/probe", "exit", "0"]).done().ok();
    }
    std::fs::write(bundle.rootfs().join("ended"), "").unwrap();
    until("the end", || run.output().contains("over").then_some(()));
    let seen = run.output();
    let decoy = |line: &&str| line.ends_with("/fd/9 /etc/group");
    assert!(seen.lines().any(|line| decoy(&line)), "{seen}");
    let seen: Vec<_> = seen.lines().filter(|line| *line != "over" && !decoy(line)).collect();
    assert!(seen.is_empty(), "{seen:#?}");
}

fn a_name_in_passwd_that_is_a_fifo_does_not_hang() {
    let bundle = running();
    std::fs::remove_file(bundle.rootfs().join("etc/passwd")).unwrap();
    let bundle = bundle.fifo("rootfs/etc/passwd");
    let _ = exec(&bundle, &[], &["/probe", "env"]).done().ok();
}

/// Below the v2 cgroup and every v1 one of the container, made from outside as a manager inside would.
fn a_cgroup_below_the_containers() {
    let bundle = running();
    let text = std::fs::read_to_string(format!("/proc/{}/cgroup", bundle.pid())).unwrap();
    let pure = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let mut made = Vec::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (name, path) = (fields.next().unwrap(), fields.next().unwrap());
        let name = name.strip_prefix("name=").unwrap_or(name);
        let mount = match (name, pure) {
            ("", true) => "/sys/fs/cgroup".to_owned(),
            ("", false) => "/sys/fs/cgroup/unified".to_owned(),
            (name, _) => format!("/sys/fs/cgroup/{name}"),
        };
        let own = format!("{mount}{path}");
        // Seen from a cgroup namespace a path may begin elsewhere; the container's name ends it.
        let base = if Path::new(&own).exists() { own } else { format!("{mount}/{}", bundle.id) };
        let below = Path::new(&base).join("below");
        if std::fs::create_dir(&below).is_ok() {
            for file in ["cpuset.cpus", "cpuset.mems"] {
                if let Ok(value) = std::fs::read_to_string(Path::new(&base).join(file)) {
                    let _ = std::fs::write(below.join(file), value.trim());
                }
            }
            made.push(below);
        }
    }
    assert!(!made.is_empty());
    let told = exec(&bundle, &["--cgroup", "below"], &["/probe", "lines", "/proc/self/cgroup"]);
    let told = told.done().ok().stdout;
    assert!(told.lines().all(|line| line.ends_with("/below")), "{told}");
    let plain = exec(&bundle, &["--cgroup", "/"], &["/probe", "lines", "/proc/self/cgroup"]);
    assert!(!plain.done().ok().stdout.contains("below"));
}

/// CVE-2019-5736 by way of exec: the program is the runtime itself.
fn a_program_that_is_the_runtime_cannot_be_written() {
    let mut bundle = running();
    let copy = bundle.dir.join("runtime");
    std::fs::create_dir(&copy).unwrap();
    copy_program(&bundle.runtime, &copy.join("rrun"));
    bundle.runtime = copy.join("rrun");
    let original = std::fs::read(&bundle.runtime).unwrap();
    // A stdout that is full keeps it what it is until it is let go.
    let (mut reader, writer) = std::io::pipe().unwrap();
    rustix::io::write(&writer, &[b' '; 65536]).unwrap();
    let pid = bundle.dir.join("pid");
    let options = ["--pid-file", pid.to_str().unwrap()];
    let program = ["/proc/self/exe", "--root", "/x", "list"];
    let run = exec(&bundle, &options, &program).to(writer);
    let pid = until("the pid", || std::fs::read_to_string(&pid).ok());
    let exe = format!("/proc/{pid}/exe");
    let held = until("the runtime", || std::fs::File::open(&exe).ok());
    let number = std::os::fd::AsRawFd::as_raw_fd(&held);
    let mut output = vec![0; 65536];
    reader.read_exact(&mut output).unwrap();
    let _ = run.done();
    let write = std::fs::OpenOptions::new().write(true).open(format!("/proc/self/fd/{number}"));
    let error = rustix::io::Errno::from_io_error(&write.unwrap_err());
    assert_eq!(error, Some(rustix::io::Errno::ROFS));
    assert!(std::fs::read(&bundle.runtime).unwrap() == original, "the binary was changed");
}
