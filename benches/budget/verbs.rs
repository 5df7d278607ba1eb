//! What each verb asks of the kernel: system calls, of all its processes up to the program's own, and page
//! faults. Of several rounds the usual: a wait that is interrupted is a call more.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Figures;
use crate::bundles::Work;
use crate::measure;

const ROUNDS: usize = 7;

/// Everything that is counted, as words after `--root DIR`; `quiet` ones are only needed.
struct Step {
    name: &'static str,
    words: Vec<String>,
    quiet: bool,
}

fn steps(work: &Work, id: &str) -> Vec<Step> {
    let (b, pausing) = (work.bundle("b"), work.bundle("b-pause"));
    let step = |name, words: &[&str]| Step {
        name,
        words: words.iter().map(|it| (*it).to_owned()).collect(),
        quiet: false,
    };
    let quiet = |words: &[&str]| Step { quiet: true, ..step("", words) };
    vec![
        step("--version", &["--version"]),
        step("features", &["features"]),
        step("run", &["run", "--bundle", &b, id]),
        step("create", &["create", "--bundle", &pausing, id]),
        quiet(&["delete", "--force", id]),
        quiet(&["create", "--bundle", &pausing, id]),
        step("start", &["start", id]),
        step("state", &["state", id]),
        step("list", &["list"]),
        step("exec", &["exec", id, "/bin/true"]),
        step("pause", &["pause", id]),
        step("resume", &["resume", id]),
        step("update", &["update", "--memory", "64M", id]),
        step("kill", &["kill", id, "KILL"]),
        // Once it is dead; one that has to be waited for would be asked more than once.
        quiet(&["--version"]),
        step("delete", &["delete", id]),
    ]
}

/// Whatever happens, the container goes.
struct Removed<'a>(&'a Path, &'a Work, &'a str);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        let Removed(runtime, work, id) = self;
        let mut command = Command::new(runtime);
        command.arg("--root").arg(work.state()).args(["delete", "--force", id]);
        let _ = command.status();
    }
}

pub(crate) fn figures(runtime: &Path, work: &Work) -> Figures {
    let id = format!("budget-{}", std::process::id());
    let _removed = Removed(runtime, work, &id);
    let mut seen: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut note = |name: String, figure: u64| seen.entry(name).or_default().push(figure);
    let steps = steps(work, &id);
    let command = |step: &Step| {
        let mut command: Vec<OsString> = vec![runtime.into(), "--root".into(), work.state().into()];
        command.extend(step.words.iter().map(OsString::from));
        command
    };
    for _ in 0..ROUNDS {
        for step in &steps {
            if step.quiet {
                std::thread::sleep(Duration::from_millis(20));
                assert!(!measure::run(&work.measure, &command(step)).failed, "{:?}", step.words);
            } else {
                note(format!("{}, system calls", step.name), calls(&command(step), work, &id));
            }
        }
        for step in &steps {
            if step.quiet {
                std::thread::sleep(Duration::from_millis(20));
            }
            let usage = measure::run(&work.measure, &command(step));
            assert!(!usage.failed, "{:?} failed", step.words);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            if !step.quiet {
                note(format!("{}, page faults", step.name), usage.faults as u64);
            }
        }
    }
    seen.into_iter().map(|(name, figures)| (name, usual(figures))).collect()
}

/// The figure that came most often; of several such the least.
fn usual(mut figures: Vec<u64>) -> u64 {
    figures.sort_unstable();
    let count = |it: &&u64| figures.iter().filter(|other| other == it).count();
    let most = figures.iter().map(|it| count(&it)).max();
    figures.iter().copied().find(|it| Some(count(&it)) == most).unwrap()
}

/// The calls of a command and of all that it starts, each process until it becomes another program.
fn calls(command: &[OsString], work: &Work, id: &str) -> u64 {
    let file = work.directory.join("strace");
    std::fs::write(&file, "").unwrap();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-q", "-o"]).arg(&file).args(command).env_clear();
    strace.stdin(Stdio::null()).stdout(Stdio::null());
    let mut strace = strace.spawn().expect("strace");
    // It follows a created container too, until that ends.
    if let Some(made) = command.iter().any(|word| word == "create").then(|| work.state().join(id)) {
        wait_for(&made.join("process.json"));
        std::thread::sleep(Duration::from_millis(100));
        drop(Removed(Path::new(&command[0]), work, id));
    }
    strace.wait().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let (first, _) = text.split_once(' ').unwrap_or_default();
    let mut its_own = text.lines().filter_map(|line| line.strip_prefix(first));
    assert!(its_own.any(|line| line.trim_start() == "+++ exited with 0 +++"), "{command:?} failed");
    count(&text)
}

fn wait_for(file: &Path) {
    let is_there = (0..2000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        file.exists()
    });
    assert!(is_there, "{} never came to be", file.display());
}

fn count(text: &str) -> u64 {
    let mut gone: HashSet<&str> = HashSet::new();
    let mut is_first = true;
    let mut calls = 0;
    for line in text.lines() {
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        // The second half of a call that another process came between, a signal, an end.
        if gone.contains(pid) || call.starts_with(['<', '-', '+']) {
            continue;
        }
        calls += 1;
        if call.starts_with("execve(") && !std::mem::take(&mut is_first) {
            gone.insert(pid);
        }
    }
    calls
}
