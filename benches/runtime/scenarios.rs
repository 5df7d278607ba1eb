//! What is measured.

use std::ffi::OsString;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Options;
use crate::bundles::Work;
use crate::contenders::Contender;
use crate::measure::{self, Usage};

/// What a contender reached in a scenario.
pub(crate) struct Outcome {
    pub(crate) contender: String,
    pub(crate) figures: Figures,
}

pub(crate) enum Figures {
    /// One entry a round.
    Rounds(Vec<Usage>),
    /// Something that is counted, or measured once.
    Once(f64),
}

/// One row of the report.
pub(crate) struct Row {
    pub(crate) name: String,
    /// Of a single figure; times are in milliseconds.
    pub(crate) unit: &'static str,
    pub(crate) outcomes: Vec<Outcome>,
}

/// One step of a round.
enum Step<'a> {
    /// Measured, under this name.
    Timed(&'a str, Vec<&'a str>),
    /// Needed, but not measured.
    Quiet(Vec<&'a str>),
    Sleep(u64),
}

/// Everything, one after the other.
pub(crate) fn all(options: &Options, work: &Work, contenders: &[Contender]) -> Vec<Row> {
    let bench = Bench { options, work, contenders };
    let mut rows = Vec::new();
    for name in ["a", "b", "c", "d"] {
        if options.bundle.is_empty() || options.bundle == name {
            rows.extend(bench.run_bundle(name, 0));
        }
    }
    let main = if options.bundle.is_empty() { "b" } else { &options.bundle };
    rows.extend(bench.run_bundle(main, 60));
    rows.extend(bench.verbs(main));
    rows.extend(bench.exec(main));
    rows.extend(bench.alone());
    rows.extend(bench.many_at_once(main));
    rows.extend(bench.layers());
    rows.extend(bench.list(main));
    rows.extend(bench.system_calls(main));
    rows.extend(bench.smallest_limit(main));
    rows.extend(bench.sizes());
    rows
}

struct Bench<'a> {
    options: &'a Options,
    work: &'a Work,
    contenders: &'a [Contender],
}

impl Bench<'_> {
    fn wanted(&self, name: &str) -> bool {
        name.contains(&self.options.only)
    }

    fn run(&self, arguments: &[OsString]) -> Usage {
        measure::run(&self.work.measure, arguments)
    }

    fn runtimes(&self) -> impl Iterator<Item = &Contender> {
        self.contenders.iter().filter(|one| !one.is_floor)
    }

    /// Those that run the bundle at all.
    fn able(&self, bundle: &str, scenario: &str) -> Vec<&Contender> {
        let directory = self.work.bundle(bundle);
        let works = |runtime: &&Contender| {
            let run = ["run", "--bundle", &directory, "able"];
            if !runtime.is_peer() || !self.run(&runtime.verb(&run)).failed {
                return true;
            }
            left_out(runtime, scenario);
            self.run(&runtime.verb(&["delete", "--force", "able"]));
            false
        };
        self.runtimes().filter(works).collect()
    }

    /// The floor knows what bundles a and b make the kernel do.
    fn floor(&self, contender: &Contender, bundle: &str) -> Vec<OsString> {
        let program = [contender.program.as_os_str(), bundle.as_ref(), self.work.layout.as_ref()];
        let rootfs = self.work.rootfs();
        let files = [rootfs.as_os_str(), self.work.filter.as_os_str()];
        program.into_iter().chain(files).map(OsString::from).collect()
    }

    fn run_bundle(&self, bundle: &str, idle: u64) -> Vec<Row> {
        let name = if idle == 0 {
            format!("run {bundle}")
        } else {
            format!("run {bundle}, {idle} ms idle before")
        };
        if !self.wanted(&name) {
            return Vec::new();
        }
        let directory = self.work.bundle(bundle);
        let taking_part: Vec<&Contender> = self
            .contenders
            .iter()
            .filter(|one| !one.is_floor || matches!(bundle, "a" | "b"))
            .collect();
        let mut usages = vec![Some(Vec::new()); taking_part.len()];
        for round in 0..=self.options.rounds {
            for (contender, slot) in taking_part.iter().zip(&mut usages) {
                let Some(usages) = slot else { continue };
                std::thread::sleep(Duration::from_millis(idle));
                let id = format!("bench-{round}");
                let usage = match contender.is_floor {
                    true => self.run(&self.floor(contender, bundle)),
                    false => self.run(&contender.verb(&["run", "--bundle", &directory, &id])),
                };
                // The first round warms everything up.
                if round > 0 {
                    usages.push(usage);
                } else if usage.failed && contender.is_peer() {
                    left_out(contender, &name);
                    self.run(&contender.verb(&["delete", "--force", &id]));
                    *slot = None;
                }
            }
        }
        let outcomes = taking_part.iter().zip(usages);
        let outcomes = outcomes.filter_map(|(one, usages)| Some(rounds(one, usages?)));
        vec![Row { name, unit: "ms", outcomes: outcomes.collect() }]
    }

    /// Rounds of steps, one row for each timed one.
    fn steps(&self, steps: &[Step<'_>]) -> Vec<Row> {
        let runtimes: Vec<&Contender> = self.runtimes().collect();
        let timed: Vec<&str> = steps
            .iter()
            .filter_map(|step| if let Step::Timed(name, _) = step { Some(*name) } else { None })
            .collect();
        // A peer that fails at a step is not in its row.
        let mut usages = vec![vec![Some(Vec::new()); runtimes.len()]; timed.len()];
        for round in 0..=self.options.rounds {
            for (index, runtime) in runtimes.iter().enumerate() {
                let mut nth = 0;
                for step in steps {
                    match step {
                        Step::Sleep(time) => std::thread::sleep(Duration::from_millis(*time)),
                        Step::Quiet(words) => drop(self.run(&runtime.verb(words))),
                        Step::Timed(name, words) => {
                            let usage = self.run(&runtime.verb(words));
                            let slot = &mut usages[nth][index];
                            if round == 0 && usage.failed && runtime.is_peer() {
                                left_out(runtime, name);
                                *slot = None;
                            } else if let (true, Some(usages)) = (round > 0, slot) {
                                usages.push(usage);
                            }
                            nth += 1;
                        }
                    }
                }
            }
        }
        let row = |(name, usages): (&str, Vec<Option<Vec<Usage>>>)| {
            let outcomes = runtimes.iter().zip(usages);
            let outcomes = outcomes.filter_map(|(one, usages)| Some(rounds(one, usages?)));
            Row { name: name.to_owned(), unit: "ms", outcomes: outcomes.collect() }
        };
        timed.into_iter().zip(usages).map(row).collect()
    }

    fn verbs(&self, bundle: &str) -> Vec<Row> {
        if !self.wanted("verbs") {
            return Vec::new();
        }
        let directory = self.work.bundle(&format!("{bundle}-pause"));
        self.steps(&[
            Step::Timed("create", vec!["create", "--bundle", &directory, "verbs"]),
            Step::Timed("start", vec!["start", "verbs"]),
            Step::Timed("state", vec!["state", "verbs"]),
            Step::Timed("ps", vec!["ps", "verbs"]),
            Step::Timed("events --stats", vec!["events", "--stats", "verbs"]),
            Step::Timed("pause", vec!["pause", "verbs"]),
            Step::Timed("resume", vec!["resume", "verbs"]),
            Step::Timed("update", vec!["update", "--memory", "67108864", "verbs"]),
            Step::Timed("kill", vec!["kill", "verbs", "KILL"]),
            Step::Sleep(20),
            Step::Timed("delete", vec!["delete", "verbs"]),
        ])
    }

    fn exec(&self, bundle: &str) -> Vec<Row> {
        if !self.wanted("exec") {
            return Vec::new();
        }
        let directory = self.work.bundle(&format!("{bundle}-pause"));
        self.steps(&[
            Step::Quiet(vec!["create", "--bundle", &directory, "exec"]),
            Step::Quiet(vec!["start", "exec"]),
            Step::Timed("exec true", vec!["exec", "exec", "/bin/true"]),
            Step::Quiet(vec!["delete", "--force", "exec"]),
        ])
    }

    /// What knows of no container.
    fn alone(&self) -> Vec<Row> {
        match self.wanted("--version") {
            true => self.steps(&[
                Step::Timed("--version", vec!["--version"]),
                Step::Timed("features", vec!["features"]),
            ]),
            false => Vec::new(),
        }
    }

    /// Four processes that each run containers one after the other.
    fn many_at_once(&self, bundle: &str) -> Vec<Row> {
        const WORKERS: usize = 4;
        let name = format!("run {bundle}, {WORKERS} at once");
        if !self.wanted(&name) {
            return Vec::new();
        }
        let runtimes = self.able(bundle, &name);
        let directory = self.work.bundle(bundle);
        let each = self.options.rounds.div_ceil(2);
        let measure = |runtime: &Contender| {
            let began = Instant::now();
            std::thread::scope(|scope| {
                for worker in 0..WORKERS {
                    let directory = &directory;
                    scope.spawn(move || {
                        for round in 0..each {
                            let id = format!("at-once-{worker}-{round}");
                            self.run(&runtime.verb(&["run", "--bundle", directory, &id]));
                        }
                    });
                }
            });
            #[allow(clippy::cast_precision_loss)]
            let count = (WORKERS * each) as f64;
            count / began.elapsed().as_secs_f64()
        };
        // Best of three turns each.
        let mut best = vec![0.0_f64; runtimes.len()];
        for _ in 0..3 {
            for (best, runtime) in best.iter_mut().zip(&runtimes) {
                *best = best.max(measure(runtime));
            }
        }
        let outcomes = runtimes.iter().zip(best).map(|(one, best)| once(one, best)).collect();
        vec![Row { name, unit: "containers/s", outcomes }]
    }

    /// A root file system of 50 layers beside a plain directory; ours alone has that.
    fn layers(&self) -> Vec<Row> {
        const LAYERS: usize = 50;
        if !self.wanted("layers") {
            return Vec::new();
        }
        let Some(ours) = self.runtimes().find(|one| one.is_ours()) else { return Vec::new() };
        let mut paths = Vec::new();
        for number in 1..LAYERS {
            let layer = self.work.directory.join(format!("layers/l{number}"));
            std::fs::create_dir_all(layer.join("etc")).unwrap();
            std::fs::write(layer.join(format!("etc/f{number}")), "").unwrap();
            paths.push(layer.to_string_lossy().into_owned());
        }
        paths.push(self.work.rootfs().to_string_lossy().into_owned());
        let mut config = self.work.read("a");
        std::fs::create_dir_all(self.work.directory.join("bundles/layers/rootfs")).unwrap();
        config["root"] = json!({"path": "rootfs", "readonly": true});
        config["annotations"] = json!({"dev.rrun.rootfs.layers": json!(paths).to_string()});
        self.work.write("layers", &config);
        let (plain, layered) = (self.work.bundle("a"), self.work.bundle("layers"));
        let mut usages = [Vec::new(), Vec::new()];
        for round in 0..=self.options.rounds {
            for (directory, usages) in [&plain, &layered].into_iter().zip(&mut usages) {
                let usage = self.run(&ours.verb(&["run", "--bundle", directory, "layers"]));
                if round > 0 {
                    usages.push(usage);
                }
            }
        }
        let [plain, layered] = usages;
        let row =
            |name: String, usages| Row { name, unit: "ms", outcomes: vec![rounds(ours, usages)] };
        vec![
            row("run a, again".to_owned(), plain),
            row(format!("run a on {LAYERS} layers"), layered),
        ]
    }

    fn list(&self, bundle: &str) -> Vec<Row> {
        const MANY: usize = 1000;
        let name = format!("list of {MANY}");
        if !self.wanted(&name) || self.options.rounds < 20 {
            return Vec::new();
        }
        let directory = self.work.bundle(&format!("{bundle}-pause"));
        let mut outcomes = Vec::new();
        // One after the other, since this many of each would not fit into the machine.
        for runtime in self.able(bundle, &name) {
            for number in 0..MANY {
                self.run(&runtime.verb(&[
                    "create",
                    "--bundle",
                    &directory,
                    &format!("list-{number}"),
                ]));
            }
            let usages = (0..20).map(|_| self.run(&runtime.verb(&["list"]))).collect();
            for number in 0..MANY {
                self.run(&runtime.verb(&["delete", "--force", &format!("list-{number}")]));
            }
            outcomes.push(rounds(runtime, usages));
        }
        vec![Row { name, unit: "ms", outcomes }]
    }

    /// As strace(1) counts them, of all processes, that of the container included.
    fn system_calls(&self, bundle: &str) -> Vec<Row> {
        let name = format!("system calls of run {bundle}");
        if !self.wanted(&name) || Command::new("strace").arg("-V").output().is_err() {
            return Vec::new();
        }
        let directory = self.work.bundle(bundle);
        let count = |contender: &Contender| {
            let counted = self.work.directory.join("strace");
            let command = match contender.is_floor {
                true => self.floor(contender, bundle),
                false => contender.verb(&["run", "--bundle", &directory, "traced"]),
            };
            let mut strace: Vec<OsString> =
                ["strace", "-f", "-qq", "-o"].map(OsString::from).into();
            strace.push(counted.clone().into());
            strace.extend(command);
            self.run(&strace);
            let text = std::fs::read(&counted).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            // Each call once: where another process came between, its end has a line of its own.
            let calls =
                text.lines().filter(|line| line.contains('(') && !line.contains("resumed>"));
            calls.count()
        };
        let floor = self.contenders.iter().filter(|one| one.is_floor);
        let floor = floor.filter(|_| matches!(bundle, "a" | "b"));
        let taking_part = self.able(bundle, &name).into_iter().chain(floor);
        #[allow(clippy::cast_precision_loss)]
        let outcomes = taking_part.map(|one| once(one, count(one) as f64)).collect();
        vec![Row { name, unit: "calls", outcomes }]
    }

    /// The smallest memory limit with which the container runs three times in a row.
    fn smallest_limit(&self, bundle: &str) -> Vec<Row> {
        let name = format!("smallest memory limit of run {bundle}");
        if !self.wanted(&name) {
            return Vec::new();
        }
        // Pages of 4 KiB: with 16 MiB everybody runs, or there is no such limit here.
        const ENOUGH: u32 = 4096;
        let smallest = |runtime: &Contender| {
            let (mut low, mut high) = (0, ENOUGH);
            while high - low > 1 {
                let middle = u32::midpoint(low, high);
                let mut config = self.work.read(bundle);
                config["linux"]["resources"]["memory"] = json!({"limit": u64::from(middle) * 4096});
                self.work.write("limited", &config);
                let directory = self.work.bundle("limited");
                let works = (0..3).all(|_| {
                    let id = format!("limited-{middle}");
                    let usage = self.run(&runtime.verb(&["run", "--bundle", &directory, &id]));
                    if usage.failed {
                        self.run(&runtime.verb(&["delete", "--force", &id]));
                    }
                    !usage.failed
                });
                if works { high = middle } else { low = middle }
            }
            (high < ENOUGH).then(|| f64::from(high) * 4.0)
        };
        let taking_part = self.able(bundle, &name).into_iter();
        let outcomes = taking_part.filter_map(|one| Some(once(one, smallest(one)?))).collect();
        vec![Row { name, unit: "KiB", outcomes }]
    }

    fn sizes(&self) -> Vec<Row> {
        #[allow(clippy::cast_precision_loss)]
        let size = |one: &Contender| once(one, one.size as f64 / 1024.0);
        match self.wanted("binary") {
            true => vec![Row {
                name: "binary".to_owned(),
                unit: "KiB",
                outcomes: self.runtimes().map(size).collect(),
            }],
            false => Vec::new(),
        }
    }
}

/// Said at once, not in the report: a figure of what failed would be of nothing.
fn left_out(contender: &Contender, scenario: &str) {
    println!("{} fails at {scenario}, and is left out there", contender.name);
}

fn rounds(contender: &Contender, usages: Vec<Usage>) -> Outcome {
    Outcome { contender: contender.name.clone(), figures: Figures::Rounds(usages) }
}

fn once(contender: &Contender, figure: f64) -> Outcome {
    Outcome { contender: contender.name.clone(), figures: Figures::Once(figure) }
}
