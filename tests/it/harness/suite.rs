//! The suite as a whole: its directory, its programs, what its cases need.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use libtest_mimic::{Failed, Trial};

/// What a case cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Attributes of users where tests have their files (tmpfs: Linux 6.6).
    #[cfg(feature = "image")]
    UserXattrs,
    /// The powers of the machine's root.
    Root,
    /// Time namespaces.
    TimeNs,
    /// Overlay mounts.
    Overlay,
    /// Pairs of network interfaces.
    Veth,
    /// Idmapped mounts of the file systems that tests lie on: in User Mode Linux tmpfs, since Linux 6.3.
    IdMap,
    /// Programs of 32 bits, which User Mode Linux does not run.
    Compat,
    /// A runtime that needs no library of the image's: it is executed inside.
    Static,
    /// A criu that can work here: that of Debian 12 cannot on Linux 6.18.
    Criu,
}

impl Needs {
    /// A PATH with criu: RRUN_TEST_CRIU is a directory that has it.
    pub(crate) fn criu_path() -> String {
        let path = "/usr/sbin:/usr/bin:/sbin:/bin".to_owned();
        std::env::var("RRUN_TEST_CRIU")
            .map_or(path.clone(), |directory| format!("{directory}:{path}"))
    }

    /// Why it is missing, if it is.
    fn missing(self) -> Option<&'static str> {
        let (there, reason) = match self {
            Needs::Root => (rustix::process::geteuid().is_root(), "needs root"),
            Needs::TimeNs => (Path::new("/proc/self/ns/time").exists(), "needs time namespaces"),
            Needs::Overlay => {
                let known = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
                (known.contains("\toverlay\n"), "needs overlayfs")
            }
            #[cfg(feature = "image")]
            Needs::UserXattrs => {
                let file = directory().join("has-attributes");
                let there = std::fs::write(&file, "").is_ok()
                    && rustix::fs::setxattr(
                        &file,
                        "user.rrun",
                        b"",
                        rustix::fs::XattrFlags::empty(),
                    )
                    .is_ok();
                let _ = std::fs::remove_file(&file);
                (there, "needs attributes of users on the file system of the tests")
            }
            Needs::Veth => {
                let words = ["-n", "ip", "link", "add", "it0", "type", "veth"];
                let made = Command::new("unshare").args(words).output();
                (made.is_ok_and(|it| it.status.success()), "needs veth")
            }
            Needs::IdMap => {
                let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
                let kernel = rustix::system::uname();
                let mut release = kernel.release().to_str().unwrap_or_default().split('.');
                let mut number = || release.next().and_then(|part| part.parse::<u32>().ok());
                let new = (number(), number()) >= (Some(6), Some(3));
                (new || !cpu.contains("User Mode Linux"), "needs idmapped mounts")
            }
            Needs::Compat => {
                let there = Path::new("/proc/sys/abi/vsyscall32").exists();
                (there, "needs a kernel that runs programs of 32 bits")
            }
            Needs::Criu => {
                let mut check = Command::new("criu");
                let checked = check.arg("check").env("PATH", Needs::criu_path()).output();
                (
                    checked.is_ok_and(|it| it.status.success()),
                    "needs criu 4, on PATH or RRUN_TEST_CRIU",
                )
            }
            Needs::Static => (is_static(&runtime()), "needs a static binary in RRUN_TEST_RUNTIME"),
        };
        (!there).then_some(reason)
    }
}

/// One test.
pub(crate) struct Case {
    name: String,
    needs: &'static [Needs],
    run: fn(),
}

impl Case {
    pub(crate) fn new(module: &str, name: &str, needs: &'static [Needs], run: fn()) -> Case {
        let module = module.split_once("::").map_or("", |(_, rest)| rest);
        Case { name: format!("{module}::{name}"), needs, run }
    }

    /// A need that is missing skips the case, loudly; with RRUN_TEST_STRICT=1 it fails.
    fn trial(self) -> Trial {
        let strict = std::env::var_os("RRUN_TEST_STRICT").is_some_and(|value| value == "1");
        let missing = self.needs.iter().find_map(|need| need.missing());
        let run = self.run;
        match missing {
            Some(reason) if strict => {
                Trial::test(self.name, move || Err(Failed::from(format!("strict: {reason}"))))
            }
            Some(reason) => {
                eprintln!("skipped: {}: {reason}", self.name);
                Trial::test(self.name, || Ok(())).with_ignored_flag(true)
            }
            None => Trial::test(self.name, move || {
                run();
                Ok(())
            }),
        }
    }
}

/// All cases as libtest-mimic wants them.
pub(crate) fn trials(cases: Vec<Case>) -> Vec<Trial> {
    cases.into_iter().map(Case::trial).collect()
}

/// Set in the process that runs the cases.
const INSIDE: &str = "RRUN_IT_INSIDE";

/// The directory of everything that this run makes.
pub(crate) fn directory() -> PathBuf {
    PathBuf::from(std::env::var_os(INSIDE).expect("the suite was entered"))
}

/// Goes on in a mount namespace of its own, below a process that reaps what containers leave to it:
/// whatever goes wrong, no mount and no process outlives the suite. Returns the exit status where
/// that is done, None in the inner process.
pub(crate) fn enter() -> Option<i32> {
    if std::env::var_os(INSIDE).is_some() || !rustix::process::geteuid().is_root() {
        return None;
    }
    let dir = std::env::temp_dir().join(format!("rrun-it.{}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    rustix::fs::chmod(&dir, rustix::fs::Mode::from_raw_mode(0o755)).unwrap();
    let status = Command::new("unshare")
        .args(["-m", "--propagation", "private"])
        .arg(probe())
        .arg("reaper")
        .arg(std::env::current_exe().unwrap())
        .args(std::env::args_os().skip(1))
        .env(INSIDE, &dir)
        // Or an interrupted run would leave the directory: the terminal signals its whole group.
        .process_group(0)
        .status();
    let _ = std::fs::remove_dir_all(&dir);
    Some(status.unwrap().code().unwrap_or(1))
}

/// Copies a program that is to be executed. Not in this process: a child that another test forks off
/// just then would hold the copy open for writing for a moment, and execve(2) fails with ETXTBSY.
pub(crate) fn copy_program(from: &Path, to: &Path) {
    let status = Command::new("cp").args([from, to]).status().unwrap();
    assert!(status.success(), "cp: {status}");
}

/// The runtime under test: the one in the environment, or else the one that was built for tests.
pub(crate) fn runtime() -> PathBuf {
    let named = std::env::var_os("RRUN_TEST_RUNTIME").map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_rrun")))
}

/// The interpreter's path of a dynamic program stands right behind its headers (elf(5)).
fn is_static(program: &Path) -> bool {
    let bytes = std::fs::read(program).unwrap_or_default();
    let start = &bytes[..bytes.len().min(4096)];
    !start.is_empty() && !start.windows(5).any(|word| word == b"/ld-l")
}

/// A program that is compiled once, into the target directory.
fn compiled(name: &str, source: &str) -> PathBuf {
    compiled_with(name, source, &[])
}

fn compiled_with(name: &str, source: &str, more: &[&str]) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance").join(source);
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let time = |path: &Path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    if time(&out) > time(&source) {
        return out;
    }
    let new = out.with_extension(std::process::id().to_string());
    let built = Command::new("cc")
        .args(["-std=gnu11", "-static", "-O2", "-s"])
        .args(more)
        .arg("-o")
        .args([&new, &source])
        .status()
        .expect("cc is needed to build the probe");
    assert!(built.success(), "cc failed on {}", source.display());
    std::fs::rename(&new, &out).unwrap();
    out
}

/// A program of 32 bits for x86, which is compiled without any library.
pub(crate) fn small32() -> PathBuf {
    let more =
        ["-m32", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-no-pie"];
    compiled_with("small32", "lab/small32.c", &more)
}

/// The program that tells what only a process inside can see.
pub(crate) fn probe() -> PathBuf {
    static PROBE: OnceLock<PathBuf> = OnceLock::new();
    PROBE.get_or_init(|| compiled("probe", "probe.c")).clone()
}

/// The stride through what there is too much of: `usually`, and 1 with RRUN_TEST_ALL=1.
pub(crate) fn every(usually: usize) -> usize {
    let all = std::env::var_os("RRUN_TEST_ALL").is_some_and(|value| value == "1");
    if all { 1 } else { usually }
}

/// The program that kills another at one of its system calls.
pub(crate) fn killed() -> PathBuf {
    static KILLED: OnceLock<PathBuf> = OnceLock::new();
    KILLED.get_or_init(|| compiled("killed", "lab/killed.c")).clone()
}

/// The program that runs another with one system call masked.
pub(crate) fn masked() -> PathBuf {
    static MASKED: OnceLock<PathBuf> = OnceLock::new();
    MASKED.get_or_init(|| compiled("masked", "lab/masked.c")).clone()
}
