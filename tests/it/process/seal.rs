//! CVE-2019-5736: nobody in a container gets a writable rrun. All of this works on a copy of the
//! binary, so that a success would be seen.

use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, StatVfsMountFlags};
use serde_json::json;

use crate::harness::{Bundle, Case, cases, copy_program, runtime, until};

pub(super) fn cases() -> Vec<Case> {
    let mut all = cases!([Root, Static]:
        an_entrypoint_that_is_the_runtime_cannot_be_written,
        no_variable_can_fake_the_seal,
    );
    all.extend(cases![
        a_privileged_watcher_cannot_write_the_runtime,
        the_attack_of_the_watcher_is_one,
        what_waits_at_the_gate_is_sealed,
    ]);
    all
}

/// A bundle whose runtime is a copy of its own.
fn with_copy() -> Bundle {
    let mut bundle = Bundle::new();
    let copy = bundle.dir.join("runtime");
    std::fs::create_dir(&copy).unwrap();
    copy_program(&bundle.runtime, &copy.join("rrun"));
    bundle.runtime = copy.join("rrun");
    bundle
}

fn assert_untouched(copy: &Path) {
    let original = std::fs::read(runtime()).unwrap();
    assert!(std::fs::read(copy).unwrap() == original, "the binary was changed");
}

fn open(path: &str, flags: OFlags) -> rustix::io::Result<rustix::fd::OwnedFd> {
    rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty())
}

/// Runs the program with a stdout that is full, so that it stays what it is until it is let go, and
/// tries to write to it meanwhile and afterwards.
fn attack_entrypoint(bundle: &Bundle, variables: &[(&str, &str)]) {
    let (mut reader, writer) = std::io::pipe().unwrap();
    // The capacity of a pipe (pipe(7)).
    rustix::io::write(&writer, &[b' '; 65536]).unwrap();
    let call = bundle.making("run");
    let call = variables.iter().fold(call, |call, (name, value)| call.env(name, value));
    let mut run = call.to(writer);
    let pid = until("the program", || {
        assert!(
            !run.is_over(),
            "{}",
            std::fs::read_to_string(bundle.dir.join("stderr.0")).unwrap()
        );
        let state = bundle.call(&["state", &bundle.id]).done();
        let running = state.stdout.contains("\"running\"");
        running.then(|| bundle.pid())
    });
    let exe = format!("/proc/{pid}/exe");
    let name = std::fs::read_link(&exe).unwrap();
    // Sealed through a clone of its own mount, it is the root of that.
    assert!(name.ends_with("rrun") || name == Path::new("/"), "{}", name.display());
    // A clone of a mount is read-only itself, which the kernel asks only after what is busy.
    let error = open(&exe, OFlags::WRONLY).unwrap_err();
    assert!([rustix::io::Errno::ROFS, rustix::io::Errno::TXTBSY].contains(&error), "{error}");
    let held = open(&exe, OFlags::RDONLY).unwrap();
    let held_path = open(&exe, OFlags::PATH).unwrap();
    let mut output = vec![0; 65536];
    reader.read_exact(&mut output).unwrap();
    let _ = run.done();
    for fd in [held.as_fd(), held_path.as_fd()] {
        let number = std::os::fd::AsRawFd::as_raw_fd(&fd);
        for flags in [OFlags::WRONLY, OFlags::RDWR, OFlags::WRONLY | OFlags::TRUNC] {
            let error = open(&format!("/proc/self/fd/{number}"), flags).unwrap_err();
            assert_eq!(error, rustix::io::Errno::ROFS);
        }
    }
    assert_untouched(&bundle.runtime);
}

fn an_entrypoint_that_is_the_runtime_cannot_be_written() {
    let link = with_copy().args(["/link", "--root", "/x", "list"]);
    std::os::unix::fs::symlink("/proc/self/exe", link.rootfs().join("link")).unwrap();
    // The kernel runs `/proc/self/exe --root /script list`.
    let script =
        with_copy().file("rootfs/script", "#!/proc/self/exe --root\n").args(["/script", "list"]);
    let mode = Mode::from_raw_mode(0o755);
    rustix::fs::chmod(script.rootfs().join("script"), mode).unwrap();
    let plain = with_copy().args(["/proc/self/exe", "--root", "/x", "list"]);
    for bundle in [plain, link] {
        attack_entrypoint(&bundle, &[]);
    }
    // The script is no directory, so `list` fails at once; what counts is that nothing was written.
    let _ = script.run().code(1);
    assert_untouched(&script.runtime);
}

fn no_variable_can_fake_the_seal() {
    let bundle = with_copy().args(["/proc/self/exe", "--root", "/x", "list"]);
    let variables = [
        ("_LIBCONTAINER_CLONED_BINARY", "1"),
        ("_LIBCRUN_CLONED_BINARY", "1"),
        ("RRUN_SEALED", "1"),
        ("RRUN_SEAL", "1"),
        ("RRUN_REEXEC", "1"),
    ];
    attack_entrypoint(&bundle, &variables);
}

/// What somebody with every capability does who sees the pid of a victim: write at once, and keep a
/// descriptor to write later.
const WATCHER: &str = "\
    while [ ! -s /victim ]; do sleep 0.01; done; read -r pid </victim; exec 2>/errors
    echo x >>/proc/$pid/exe && echo wrote at once
    exec 9</proc/$pid/exe; echo opened >/opened
    while [ ! -e /ended ]; do sleep 0.01; done
    echo x >>/proc/self/fd/9 && echo wrote later
    echo over";

fn watcher() -> Bundle {
    let all: Vec<String> = CAPABILITIES.iter().map(|name| format!("CAP_{name}")).collect();
    Bundle::new()
        .sh(WATCHER)
        .set("/process/capabilities", json!({"bounding": all, "effective": all, "permitted": all}))
        .set("/linux/maskedPaths", json!([]))
        .set("/linux/readonlyPaths", json!([]))
}

const CAPABILITIES: &[&str] = &[
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_ADMIN",
    "NET_RAW",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_ADMIN",
    "SYS_RESOURCE",
    "MKNOD",
    "SETFCAP",
    "MAC_ADMIN",
];

/// Lets a watcher attack the first process of `victim`, which `end` ends; what it says of it.
fn watch(victim: Bundle, go: impl FnOnce(&Bundle), end: impl FnOnce(&Bundle)) -> String {
    let watcher = watcher();
    let running = watcher.making("run").spawn();
    watcher_is_running(&watcher);
    let victim = victim.join("pid", &format!("/proc/{}/ns/pid", watcher.pid()));
    let _ = victim.create().ok();
    go(&victim);
    let status = std::fs::read_to_string(format!("/proc/{}/status", victim.pid())).unwrap();
    let inside = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
    let inside = inside.split_whitespace().last().unwrap();
    std::fs::write(watcher.rootfs().join("victim"), format!("{inside}\n")).unwrap();
    watcher.await_file("rootfs/opened");
    end(&victim);
    victim.await_status("stopped");
    std::fs::write(watcher.rootfs().join("ended"), "").unwrap();
    running.done().stdout
}

fn watcher_is_running(watcher: &Bundle) {
    until("the watcher", || {
        let state = watcher.call(&["state", &watcher.id]).done();
        state.stdout.contains("\"running\"").then_some(())
    });
}

fn a_privileged_watcher_cannot_write_the_runtime() {
    let victim = with_copy().probe("exit 0");
    let copy: PathBuf = victim.runtime.clone();
    let aside = victim.dir.with_extension("kept");
    std::fs::create_dir(&aside).unwrap();
    let said = watch(
        victim,
        |_| {},
        |victim| {
            assert_untouched(&victim.runtime);
            let _ = victim.start().ok();
            victim.await_status("stopped");
            std::fs::hard_link(&copy, aside.join("rrun")).unwrap();
        },
    );
    assert_untouched(&aside.join("rrun"));
    std::fs::remove_dir_all(&aside).unwrap();
    assert_eq!(said, "over\n");
}

/// The same done to a program of the host that is not protected.
fn the_attack_of_the_watcher_is_one() {
    let victim = Bundle::new().args(["/host/busybox", "sleep", "60"]);
    let program = victim.dir.join("busybox");
    copy_program(&victim.rootfs().join("bin/busybox"), &program);
    let mount = json!({"destination": "/host/busybox", "type": "bind", "source": program,
        "options": ["bind"]});
    let said = watch(
        victim.mount(mount),
        |victim| {
            let _ = victim.start().ok();
        },
        |victim| {
            let _ = victim.kill("KILL").ok();
        },
    );
    assert_eq!(said, "wrote later\nover\n");
}

fn what_waits_at_the_gate_is_sealed() {
    let bundle = with_copy().probe("exit 0");
    let _ = bundle.create().ok();
    let pid = bundle.pid();
    let exe = open(&format!("/proc/{pid}/exe"), OFlags::PATH).unwrap();
    let flags = rustix::fs::fstatvfs(&exe).unwrap().f_flag;
    assert!(flags.contains(StatVfsMountFlags::RDONLY), "{flags:?}");
    // With a descriptor of the sealing mount somebody could clear the flag.
    let mount = |pid: &str, fd: &str| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
        text.lines().find_map(|line| line.strip_prefix("mnt_id:").map(|it| it.trim().to_owned()))
    };
    let sealing = mount("self", &std::os::fd::AsRawFd::as_raw_fd(&exe).to_string());
    assert!(sealing.is_some());
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten() {
        let fd = entry.file_name().into_string().unwrap();
        assert_ne!(mount(&pid.to_string(), &fd), sealing, "{:?}", std::fs::read_link(entry.path()));
    }
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert!(status.contains("\nCapInh:\t0000000000000000\n"), "{status}");
}
