//! What rrun costs, counted: `make bench-check` compares with `budget.json`, `make bench-check UPDATE=1`
//! writes what it counts there.
//!
//! Times tell little on a machine that others use; these figures are the same every time: instructions
//! and allocations of the pure halves (valgrind), system calls and page faults of the verbs. They
//! depend on compiler, kernel and cgroups, so each combination has its own; for one that is not there the
//! figures are printed and nothing is compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

// Both know more than is asked for here.
#[allow(dead_code)]
#[path = "../runtime/bundles.rs"]
mod bundles;
#[allow(dead_code)]
#[path = "../runtime/measure.rs"]
mod measure;
#[path = "../runtime/private.rs"]
mod private;
mod pure;
mod verbs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::{Value, json};

/// A figure's name, and the figure.
type Figures = BTreeMap<String, u64>;

/// By the last word of a name: how much more than the budget is a failure, and less a reason to lower it.
const TOLERANCES: [(&str, f64); 4] =
    [("instructions", 0.03), ("allocations", 0.15), ("system calls", 0.0), ("page faults", 0.15)];

fn tolerance(name: &str) -> f64 {
    let known = TOLERANCES.iter().find(|(kind, _)| name.ends_with(kind));
    known.unwrap_or_else(|| panic!("no tolerance for {name}")).1
}

/// What the figures depend on.
fn key(runtime: &Path) -> String {
    let version = Command::new(runtime).arg("--version").output().expect("the runtime");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let compiler = version.lines().find(|line| line.starts_with("rustc: ")).unwrap_or("rustc: ?");
    // target/TARGET/release/rrun
    let target = runtime.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cgroups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut hierarchies: Vec<&str> =
        cgroups.lines().filter_map(|line| line.split(':').nth(1)).collect();
    hierarchies.sort_unstable();
    let hierarchies = hierarchies.join(" ");
    format!("{}, {compiler}, Linux {}, cgroups: {hierarchies}", target.display(), kernel.trim())
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/budget.json")
}

fn read() -> Value {
    let text = std::fs::read(file()).unwrap_or_else(|_| b"{}".to_vec());
    serde_json::from_slice(&text).expect("budget.json")
}

/// One line for each figure; how many failed, and how many there are.
fn compare(figures: &Figures, budget: &Value) -> (usize, usize) {
    let mut failed = 0;
    for (name, &figure) in figures {
        let Some(allowed) = budget[name].as_u64() else {
            println!("not ok {name}: {figure}, and no budget for it");
            failed += 1;
            continue;
        };
        #[allow(clippy::cast_precision_loss)]
        let (figure, allowed) = (figure as f64, allowed as f64);
        let change = figure / allowed - 1.0;
        let verdict = if change > tolerance(name) {
            failed += 1;
            "not ok"
        } else if change < -tolerance(name) {
            // A gain that nobody writes down is lost again unnoticed.
            failed += 1;
            "not ok (lower the budget: make bench-check UPDATE=1)"
        } else {
            "ok"
        };
        println!("{verdict} {name}: {figure} of {allowed}, {:+.1} %", change * 100.0);
    }
    (failed, figures.len())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    if let [flag, what, times, config] = &arguments[..]
        && flag == "--pure"
    {
        pure::run(what, times.parse().expect("a number"), Path::new(config));
        return ExitCode::SUCCESS;
    }
    let (runtime, update) = match &arguments[..] {
        [runtime] => (runtime, false),
        [runtime, update] if update == "--update" => (runtime, true),
        _ => panic!("RUNTIME [--update]"),
    };
    let runtime = std::fs::canonicalize(runtime).expect("the runtime");
    let directory = match private::enter() {
        Ok(directory) => directory,
        Err(status) => return status,
    };
    let work = bundles::prepare(&runtime, directory);
    let mut figures = pure::figures(&work);
    // How many faults a program has depends on how its file came into the page cache (a tenth more or less):
    // a fresh copy's are the same every time.
    let copy = work.directory.join("rrun");
    std::fs::copy(&runtime, &copy).expect("a copy of the runtime");
    figures.extend(verbs::figures(&copy, &work));
    let (key, mut budgets) = (key(&runtime), read());
    println!("{key}");
    if update {
        budgets[&key] = json!(figures);
        std::fs::write(file(), format!("{budgets:#}\n")).expect("write the budget");
    }
    if budgets[&key].is_null() {
        figures
            .iter()
            .for_each(|(name, figure)| println!("ok {name}: {figure}, nothing to compare with"));
        println!("{} passed, 0 failed, 0 skipped", figures.len());
        return ExitCode::SUCCESS;
    }
    let (failed, all) = compare(&figures, &budgets[&key]);
    println!("{} passed, {failed} failed, 0 skipped", all - failed);
    ExitCode::from(u8::from(failed > 0))
}
