//! `checkpoint`: the processes of a container go into images, and the container goes away, unless it
//! is to go on.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use super::Call;
use super::create::absolute;
use super::delete::destroy;
use super::observe::observe_held;
use crate::checkpoint::{CGROUP_MODES, EMPTY_NAMESPACES, NETWORK_LOCKS, Options, Task};
use crate::cli;
use crate::error::{Context, Error, Kind, Result};
use crate::plan::ProcessRecord;
use crate::process::{self, Images};
use crate::state::Verb;
use crate::sys;

/// The annotation that names the administrator's settings for criu.
const CONFIG: &str = "org.criu.config";

/// Where they are without it: our own, or those that are there for runc.
const CONFIGS: [&str; 2] = ["/etc/criu/rrun.conf", "/etc/criu/runc.conf"];

/// Dumps; where that fails, the container goes on as it was.
pub(super) fn checkpoint(call: &mut Call<'_>, args: &cli::Checkpoint) -> Result<i32> {
    let dumped = dump(call, args);
    dumped.context(|| format!("checkpoint container `{}`", args.id.escape_debug()))?;
    Ok(0)
}

fn dump(call: &Call<'_>, args: &cli::Checkpoint) -> Result<()> {
    let entry = call.store.open(&args.id)?;
    let lock = entry.lock(Verb::Checkpoint.name())?;
    let record = entry.read()?;
    let seen = observe_held(&entry, &record, &lock)?;
    seen.status.require(Verb::Checkpoint, entry.id())?;
    let own: ProcessRecord = entry.read_beside("process.json")?;
    check(args)?;
    let task = if args.pre_dump { Task::PreDump } else { Task::Dump };
    let images = open(&args.images, task)?;
    let options = Options {
        leave_running: args.leave_running,
        tcp_skip_in_flight: args.tcp_skip_in_flight,
        link_remap: args.link_remap,
        page_server: args.page_server.clone(),
        parent: args.parent_path.clone(),
        status_fd: args.status_fd,
        ..options(&args.images, &record.annotations)
    };
    if let Some(parent) = args.parent_path.as_ref().filter(|path| !images.has_directory(path)) {
        let text = format!("--parent-path: there is no directory `{}`", parent.display());
        return Err(Error::message(Kind::Usage, text))
            .hint(|| "it starts at the directory of the images (--image-path)");
    }
    let Some(init) = seen.init.as_ref().map(AsFd::as_fd) else {
        return Err(Error::message(Kind::State, "container not running"));
    };
    if let Err(error) = process::dump((&record, init), &own, (task, &images), &options) {
        images.note(task, &error);
        return Err(error);
    }
    if !args.leave_running && !args.pre_dump {
        // What is left has no processes; as with runc and crun it goes at once.
        destroy(&entry, &record, Some(init), &lock)?;
    }
    Ok(())
}

fn check(args: &cli::Checkpoint) -> Result<()> {
    let wrong = |text: &str| Err(Error::message(Kind::Usage, text.to_owned()));
    if args.parent_path.as_ref().is_some_and(|path| path.is_absolute()) {
        return wrong("--parent-path is relative to the directory of the images (--image-path)");
    }
    if let Some(number) = args.status_fd {
        let is_open = u32::try_from(number).is_ok_and(sys::file::is_open);
        if !is_open {
            return wrong(&format!("--status-fd: descriptor {number} is not open"));
        }
    }
    Ok(())
}

/// The directories of the images and of criu's log.
pub(super) fn open(args: &cli::Images, task: Task) -> Result<Images> {
    let images = absolute(args.image_path.as_deref().unwrap_or(Path::new("checkpoint")))?;
    let work = args.work_path.as_deref().map(absolute).transpose()?;
    Images::open(&images, work.as_deref(), task)
}

/// What `checkpoint` and `restore` ask of criu alike.
pub(super) fn options(args: &cli::Images, annotations: &BTreeMap<String, String>) -> Options {
    let number = |table: &[(&str, u64)], word: &String| {
        table.iter().find(|(name, _)| name == word).map(|(_, number)| *number)
    };
    let flags = args.empty_ns.iter().filter_map(|kind| number(EMPTY_NAMESPACES, kind));
    Options {
        tcp_established: args.tcp_established,
        ext_unix_sk: args.ext_unix_sk,
        shell_job: args.shell_job,
        file_locks: args.file_locks,
        lazy_pages: args.lazy_pages,
        auto_dedup: args.auto_dedup,
        cgroups: args.manage_cgroups_mode.as_ref().and_then(|word| number(CGROUP_MODES, word)),
        network_lock: args.network_lock.as_ref().and_then(|word| number(NETWORK_LOCKS, word)),
        empty_namespaces: flags.fold(0, |all, flag| all | flag),
        config_file: config_file(annotations),
        ..Options::default()
    }
}

/// As with runc: an annotation that is empty says that there are none.
fn config_file(annotations: &BTreeMap<String, String>) -> Option<PathBuf> {
    match annotations.get(CONFIG) {
        Some(path) => (!path.is_empty()).then(|| PathBuf::from(path)),
        None => CONFIGS.iter().map(PathBuf::from).find(|path| path.exists()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_command_line_become_numbers() {
        let word = |word: &str| Some(word.to_owned());
        let annotations = BTreeMap::from([(CONFIG.to_owned(), "/c".to_owned())]);
        let args = cli::Images {
            manage_cgroups_mode: word("strict"),
            network_lock: word("skip"),
            empty_ns: vec!["network".to_owned()],
            ..cli::Images::default()
        };
        let options = options(&args, &annotations);
        assert_eq!((options.cgroups, options.network_lock), (Some(5), Some(3)));
        assert_eq!(options.empty_namespaces, 0x4000_0000);
        assert_eq!(options.config_file, Some("/c".into()));
        let none = BTreeMap::from([(CONFIG.to_owned(), String::new())]);
        assert_eq!(config_file(&none), None);
    }
}
