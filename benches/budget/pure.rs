//! The pure halves, in valgrind: what one more turn costs.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use rrun::host::{CgroupLayout, Host};
use rrun::plan::{self, Options};
use rrun::security::seccomp::{Architecture, Filter};
use rrun::spec;

use crate::Figures;
use crate::bundles::Work;

/// Turns of the longer of two runs; the shorter one has one.
const TURNS: u64 = 11;

/// `times` turns of one of them.
pub(crate) fn run(what: &str, times: u64, config: &Path) {
    let text = std::fs::read(config).unwrap();
    match what {
        "plan" => {
            let host = Host::forged(CgroupLayout::unified(Path::new("/sys/fs/cgroup"), "0::/"));
            let options =
                Options { id: "one".into(), bundle: "/bundle".into(), ..Options::default() };
            for _ in 0..times {
                let config: spec::Config = spec::parse(&text).unwrap();
                black_box(plan::compile(&config, &host, &options).unwrap());
            }
        }
        "filter" => {
            let config: spec::Config = spec::parse(&text).unwrap();
            let profile = config.linux.seccomp.unwrap();
            let native = Architecture::by_name(std::env::consts::ARCH).unwrap();
            for _ in 0..times {
                black_box(Filter::read(&profile, native).unwrap().assemble().unwrap());
            }
        }
        _ => panic!("what is {what}?"),
    }
}

pub(crate) fn figures(work: &Work) -> Figures {
    let mut figures = Figures::new();
    for (what, bundle) in [("plan", "a"), ("plan", "b"), ("filter", "b"), ("filter", "d")] {
        let config = Path::new(&work.bundle(bundle)).join("config.json");
        let turn = |tool: &str, after: &str| {
            let count = |times: u64| measure(tool, after, &[what, &times.to_string()], &config);
            (count(TURNS) - count(1)) / (TURNS - 1)
        };
        let name = match what {
            "plan" => format!("config.json of {bundle} to plan"),
            _ => format!("profile of {bundle} to filter"),
        };
        figures.insert(format!("{name}, instructions"), turn("callgrind", "Collected : "));
        figures.insert(format!("{name}, allocations"), turn("memcheck", "total heap usage: "));
    }
    figures
}

/// The number that valgrind tells after these words.
fn measure(tool: &str, after: &str, what: &[&str], config: &Path) -> u64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.arg(format!("--tool={tool}"));
    if tool == "callgrind" {
        valgrind.arg("--callgrind-out-file=/dev/null");
    }
    valgrind.arg(std::env::current_exe().unwrap()).arg("--pure").args(what).arg(config);
    let output = valgrind.output().expect("valgrind");
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find_map(|line| line.split_once(after));
    let (_, rest) = line.unwrap_or_else(|| panic!("{tool} {what:?}: {said}"));
    let digits: String = rest
        .chars()
        .take_while(|it| it.is_ascii_digit() || *it == ',')
        .filter(|it| *it != ',')
        .collect();
    digits.parse().unwrap()
}
