//! `update`: other limits for a container that exists.

use std::path::Path;

use super::Call;
use super::observe::observe_held;
use crate::cgroups;
use crate::cli;
use crate::error::{Context, Error, Result};
use crate::plan::ProcessRecord;
use crate::resctrl;
use crate::spec;
use crate::state::Verb;

/// What holds the limits in force, among others.
const DOCUMENT: &str = "process.json";

/// Changes the limits: all that were asked for or none.
pub(super) fn update(call: &mut Call<'_>, args: &cli::Update) -> Result<i32> {
    let asked = asked(args)?;
    let schemata =
        resctrl::changed(args.l3_cache_schema.as_deref(), args.mem_bw_schema.as_deref())?;
    let entry = call.store.open(&args.id)?;
    let lock = entry.lock(Verb::Update.name())?;
    let record = entry.read()?;
    observe_held(&entry, &record, &lock)?.status.require(Verb::Update, &args.id)?;
    let intent = || format!("update container `{}`", args.id);
    let mut process: ProcessRecord = entry.read_beside(DOCUMENT)?;
    let privileged = call.host.is_true_root();
    let change =
        cgroups::change(&record.cgroup, &process.resources, &asked, privileged).context(intent)?;
    for warning in &change.warnings {
        log::warn!("{warning}");
    }
    let before = record.resctrl.update(&schemata).context(intent)?;
    if let Err(error) = cgroups::update(&record.cgroup, &change).context(intent) {
        let restored = before.map_or(Ok(()), |before| before.restore());
        return Err(match restored {
            Ok(()) => error,
            Err(worse) => error.hinted(format!("not undone: {worse}")),
        });
    }
    process.resources = change.resources;
    let bytes = serde_json::to_vec(&process)
        .map_err(|error| Error::internal(format!("write {DOCUMENT}: {error}")))?;
    entry.replace(DOCUMENT, &bytes).context(intent)?;
    Ok(0)
}

/// The document, with the options on top of it.
fn asked(args: &cli::Update) -> Result<spec::Resources> {
    let mut asked = match &args.resources {
        Some(path) if path == Path::new("-") => {
            spec::read_standard_input().context(|| "read the resources from standard input")?
        }
        Some(path) => spec::read_file(path)?,
        None => spec::Resources::default(),
    };
    let (cpu, memory) = (&mut asked.cpu, &mut asked.memory);
    put(&mut cpu.period, args.cpu_period);
    put(&mut cpu.quota, args.cpu_quota);
    put(&mut cpu.burst, args.cpu_burst);
    put(&mut cpu.realtime_period, args.cpu_rt_period);
    put(&mut cpu.realtime_runtime, args.cpu_rt_runtime);
    put(&mut cpu.shares, args.cpu_share);
    put(&mut cpu.idle, args.cpu_idle);
    cpu.cpus = args.cpuset_cpus.clone().unwrap_or(std::mem::take(&mut cpu.cpus));
    cpu.mems = args.cpuset_mems.clone().unwrap_or(std::mem::take(&mut cpu.mems));
    put(&mut memory.limit, args.memory);
    put(&mut memory.reservation, args.memory_reservation);
    put(&mut memory.swap, args.memory_swap);
    put(&mut memory.kernel, args.kernel_memory);
    put(&mut memory.kernel_tcp, args.kernel_memory_tcp);
    put(&mut asked.block_io.weight, args.blkio_weight);
    put(&mut asked.pids.limit, args.pids_limit);
    Ok(asked)
}

fn put<T>(own: &mut Option<T>, option: Option<T>) {
    if option.is_some() {
        *own = option;
    }
}
