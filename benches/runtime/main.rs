//! rrun beside its peers and beside the floor, in one interleaved run: `make bench`,
//! `make bench BUNDLE=b PEERS=crun,runc ROUNDS=100`.
//!
//! Every scenario gives all contenders a turn, round by round, so that what the machine does meanwhile
//! hits all alike; believe the ratios of one run, not times of two. The CPU time of a command is its own
//! and that of the descendants that it reaped. The floor ([`floor.c`](floor.c)) does the kernel's part
//! of `run` and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bundles;
mod contenders;
mod measure;
mod private;
mod report;
mod scenarios;

use std::path::PathBuf;
use std::process::ExitCode;

/// What was asked for.
pub(crate) struct Options {
    /// The runtime under test.
    pub(crate) runtime: PathBuf,
    /// Names or paths of the peers.
    pub(crate) peers: Vec<String>,
    /// Bundles to run; all where it is empty.
    pub(crate) bundle: String,
    /// Scenarios whose name contains this.
    pub(crate) only: String,
    pub(crate) rounds: usize,
    /// Where the JSON and the picture go.
    pub(crate) json: Option<PathBuf>,
    pub(crate) picture: Option<PathBuf>,
}

fn options() -> Options {
    let mut options = Options {
        runtime: PathBuf::from("target/release/rrun"),
        peers: ["crun", "runc"].map(str::to_owned).to_vec(),
        bundle: String::new(),
        only: String::new(),
        rounds: 40,
        json: None,
        picture: None,
    };
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
        match name.as_str() {
            "--runtime" => options.runtime = std::fs::canonicalize(value).expect("the runtime"),
            "--peers" => {
                options.peers =
                    value.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect();
            }
            "--bundle" => options.bundle = value,
            "--only" => options.only = value,
            "--rounds" => options.rounds = value.parse().expect("a number of rounds"),
            "--json" => options.json = Some(std::path::absolute(value).unwrap()),
            "--picture" => options.picture = Some(std::path::absolute(value).unwrap()),
            _ => panic!("what is {name}?"),
        }
    }
    options
}

fn main() -> ExitCode {
    let directory = match private::enter() {
        Ok(directory) => directory,
        Err(status) => return status,
    };
    let options = options();
    let work = bundles::prepare(&options.runtime, directory);
    let contenders = contenders::find(&options, &work);
    let results = scenarios::all(&options, &work, &contenders);
    let report = report::Report::new(&contenders, &results);
    print!("{}", report.text());
    if let Some(path) = &options.json {
        std::fs::write(path, report.json()).expect("write the JSON");
    }
    if let Some(path) = &options.picture {
        std::fs::write(path, report.svg()).expect("write the picture");
    }
    ExitCode::from(u8::from(report.failures() > 0))
}
