//! The seccomp compiler beside libseccomp, in one run: `cargo bench --features oracle --bench seccomp`.
//!
//! Per profile: time from the parsed profile to the program, number of instructions, mean number of them
//! that run for a call that the profile names, and time of the load. All contenders take turns, so that
//! only the ratios of one run have to be believed. Times are the least and the median of all turns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../tests/oracle/peer.rs"]
mod peer;

use std::path::Path;
use std::time::{Duration, Instant};

use rrun::security::seccomp::{Filter, Instruction, Names, interpret};
use rrun::{spec, sys};

const TURNS: usize = 300;

struct Contender {
    name: &'static str,
    build: fn(&spec::Seccomp) -> Vec<Instruction>,
    built: Vec<Duration>,
    loaded: Vec<Duration>,
}

fn ours(profile: &spec::Seccomp) -> Vec<Instruction> {
    Filter::read(profile, peer::native(profile)).unwrap().assemble().unwrap()
}

fn contenders() -> Vec<Contender> {
    let new = |name, build| Contender { name, build, built: Vec::new(), loaded: Vec::new() };
    vec![
        new("rrun", ours),
        new("libseccomp", |profile| peer::by_libseccomp(profile, 1).unwrap()),
        new("libseccomp, tree", |profile| peer::by_libseccomp(profile, 2).unwrap()),
    ]
}

fn main() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/engines");
    for name in ["docker-default", "podman-default", "containerd-limits"] {
        let config = spec::Config::read(&fixtures.join(format!("{name}.json"))).unwrap();
        compare(name, &config.linux.seccomp.unwrap());
    }
    compare("200 rules with two arguments", &many_conditions());
}

fn compare(name: &str, profile: &spec::Seccomp) {
    let mut contenders = contenders();
    for _ in 0..TURNS {
        for contender in &mut contenders {
            let start = Instant::now();
            let program = (contender.build)(profile);
            contender.built.push(start.elapsed());
            contender.loaded.push(load(&program));
        }
    }
    println!("\n{name}");
    println!("{:18} {:>18} {:>6} {:>10} {:>18}", "", "build µs", "insns", "mean path", "load µs");
    for contender in &mut contenders {
        let program = (contender.build)(profile);
        let path = mean_path(profile, &program);
        println!(
            "{:18} {} {:6} {path:10.1} {}",
            contender.name,
            times(&mut contender.built),
            program.len(),
            times(&mut contender.loaded)
        );
    }
}

/// Least and median.
fn times(all: &mut [Duration]) -> String {
    all.sort();
    let micro = |at: usize| all[at].as_secs_f64() * 1e6;
    format!("{:8.0} {:9.0}", micro(0), micro(all.len() / 2))
}

/// A filter is a thread's own: one that ends takes it along.
fn load(program: &[Instruction]) -> Duration {
    let bytes: Vec<_> = program.iter().map(|it| it.to_bytes()).collect();
    let thread = std::thread::spawn(move || {
        sys::cred::set_no_new_privs().unwrap();
        let start = Instant::now();
        let loaded = sys::seccomp::load_filter(&bytes, 0);
        let took = start.elapsed();
        loaded.unwrap();
        took
    });
    thread.join().unwrap()
}

/// Over every call that the profile names, on every architecture that it lists, without arguments.
fn mean_path(profile: &spec::Seccomp, program: &[Instruction]) -> f64 {
    let (names, mut calls, mut steps) = (Names::new(), 0_u32, 0);
    let filter = Filter::read(profile, peer::native(profile)).unwrap();
    for architecture in filter.architectures() {
        for name in profile.syscalls.iter().flat_map(|rule| &rule.names) {
            if let Some(number) = names.number(architecture, name) {
                let mut data = [0; 16];
                (data[0], data[1]) = (number, architecture.audit());
                steps += interpret(program, &data).unwrap().1;
                calls += 1;
            }
        }
    }
    steps as f64 / f64::from(calls)
}

/// Everything is allowed but 200 combinations of the arguments of one call, on one architecture.
fn many_conditions() -> spec::Seccomp {
    let rule = |at: u64| {
        let argument = |index, value| spec::SeccompArg {
            index,
            value,
            value_two: 0,
            op: "SCMP_CMP_EQ".to_owned(),
        };
        spec::SeccompRule {
            names: vec!["ioctl".to_owned()],
            action: "SCMP_ACT_ERRNO".to_owned(),
            errno_ret: None,
            args: vec![argument(0, at), argument(1, at * 3)],
        }
    };
    spec::Seccomp {
        default_action: "SCMP_ACT_ALLOW".to_owned(),
        syscalls: (0..200).map(rule).collect(),
        ..spec::Seccomp::default()
    }
}
