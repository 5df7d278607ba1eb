//! `sandbox`: runs a program in a throw-away copy of a tree.
//!
//! It is `run` with a config.json that nobody had to write: the tree as read-only layers below an
//! upper in memory, all namespaces, the usual capabilities and the default seccomp profile. The
//! document is in the container's own directory, which goes with the container; so there is nothing
//! else to clean up, and a sandbox whose rrun was killed ends with it and is `list`ed until the next
//! sandbox, or `delete`, takes it away.

use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use super::Call;
use super::create::{Files, Way, compile, make_planned, now};
use super::delete::destroy;
use super::edits::{Tree, apply, union};
use super::observe::observe_held;
use super::run::run_to_end;
use crate::bundle::{Document, Mount, Network};
use crate::cli;
use crate::error::{Context, Error, Kind, Result};
use crate::plan::Options;
use crate::process;
use crate::process::Foreground;
use crate::rootfs;
use crate::spec;
use crate::state::Status;
use crate::sys;

/// What the ids of sandboxes begin with.
const PREFIX: &str = "sandbox-";

/// The annotation that tells a sandbox from a container that somebody has named like one.
const ANNOTATION: &str = "dev.rrun.sandbox";

/// The host's tree.
const ROOT: &str = "/";

/// Where programs write for a while: a read-only mount would only be in their way.
const SCRATCH: [&str; 2] = ["/tmp", "/var/tmp"];

/// Variables that name descriptors and sockets of the caller's own.
const CALLERS_OWN: [&str; 5] =
    ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_PID"];

/// Variables that say who the caller is; HOME is then that of the user's entry in /etc/passwd.
const NAMES_CALLER: [&str; 3] = ["HOME", "LOGNAME", "USER"];

/// Runs it; its exit status is ours.
pub(super) fn sandbox(call: &mut Call<'_>, args: &cli::Sandbox) -> Result<i32> {
    if let Some(word) = args.args.first().filter(|word| word.starts_with('-')) {
        let text = format!("there is no option `{word}`");
        return Err(Error::message(Kind::Usage, text)).hint(|| {
            "`rrun sandbox --help` lists the options; a program whose name begins with `-` is \
                 written with its path"
        });
    }
    // The rest is `create`'s order: sealed before anything else, signals held before the clone.
    process::seal(call.args).context(|| "make a sandbox")?;
    remove_dead(call);
    let text = document(call, args).and_then(|document| document.to_json())?;
    let foreground = Foreground::prepare(true)?;
    let id = fresh_id();
    let bundle = call.store.root().join(&id);
    let options = Options {
        id,
        created: now(),
        bundle,
        cgroup_owner: call.cgroup_owner()?,
        dies_with_us: true,
        reaps: true,
        ..Options::default()
    };
    let created = spec::parse(text.as_bytes())
        .and_then(|config| compile(call, &config, &options))
        .and_then(|plan| make_planned(call, &(plan, Files::default(), false), Way::Sandbox));
    let created = created.context(|| "make a sandbox")?;
    let written = created.entry.replace("config.json", text.as_bytes());
    if let Err(error) = written {
        destroy(&created.entry, &created.record, Some(created.init.as_fd()), &created.lock)?;
        return Err(error);
    }
    // Before the program says anything: what the tree does not show.
    crate::log::finish();
    run_to_end(created, &foreground, false)
}

/// Unlike any of a sandbox that lives.
fn fresh_id() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let moment = now.map_or(0, |now| now.subsec_nanos());
    format!("{PREFIX}{}-{moment:x}", sys::process::own_pid())
}

/// Deletes the sandboxes that are over and have nobody left who would. That one cannot be deleted is no
/// reason not to make another.
fn remove_dead(call: &Call<'_>) {
    let ids = call.store.ids().unwrap_or_default();
    for id in ids.iter().filter(|id| id.starts_with(PREFIX)) {
        if let Err(error) = remove_if_dead(call, id)
            && error.kind() != Kind::NotFound
        {
            log::warn!("delete sandbox `{id}`: {error}");
        }
    }
}

fn remove_if_dead(call: &Call<'_>, id: &str) -> Result<()> {
    let entry = call.store.open(id)?;
    // Whoever is at work on it will see to it.
    if entry.is_locked() || !entry.read()?.annotations.contains_key(ANNOTATION) {
        return Ok(());
    }
    let lock = entry.lock("sandbox")?;
    let record = entry.read()?;
    match observe_held(&entry, &record, &lock)?.status {
        Status::Stopped => destroy(&entry, &record, None, &lock),
        _ => Ok(()),
    }
}

/// What the sandbox is.
fn document(call: &Call<'_>, args: &cli::Sandbox) -> Result<Document> {
    let mut document = Document::for_images();
    document.hostname = "sandbox".to_owned();
    document.network = Some(Network::Own);
    document.terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    document.annotations.insert(ANNOTATION.to_owned(), "true".to_owned());
    if call.host.euid() != 0 {
        document.rootless = Some(call.host.ids_to_give());
    }
    let of_host = args.edits.layer.is_empty();
    let tree = if of_host {
        document.env = callers_environment(args.edits.user.is_some());
        if args.with_mounts {
            document.mounts = mounts_of_host()?;
        }
        union(&mut document, vec![PathBuf::from(ROOT)], args.edits.upper.as_deref())?
    } else {
        Tree::default()
    };
    if args.edits.tty.unwrap_or(document.terminal)
        && let Ok(terminal) = std::env::var("TERM")
    {
        document.set_env(&format!("TERM={terminal}"))?;
    }
    document.args = match args.args.as_slice() {
        [] => vec![shell(of_host)],
        args => args.to_vec(),
    };
    document.cwd = working_directory(args)?;
    let edits = &args.edits;
    apply(&mut document, edits, tree)?;
    if edits.network.as_deref() == Some("host") {
        add_name_servers(&mut document);
    }
    Ok(document)
}

/// The caller's shell is in the caller's tree; of others one knows only that they have /bin/sh.
fn shell(of_host: bool) -> String {
    let shell = std::env::var("SHELL").ok().filter(|shell| of_host && shell.starts_with('/'));
    shell.unwrap_or_else(|| "/bin/sh".to_owned())
}

/// All of it that is text, as a program in this tree expects; for another user without what names the
/// caller.
fn callers_environment(other_user: bool) -> Vec<String> {
    let entries = std::env::vars_os().filter_map(|(name, value)| {
        let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
        let names_caller = other_user && NAMES_CALLER.contains(&name.as_str());
        let kept = !names_caller && !CALLERS_OWN.contains(&name.as_str());
        kept.then(|| format!("{name}={value}"))
    });
    entries.collect()
}

/// What is mounted below the host's root, to be shown.
fn mounts_of_host() -> Result<Vec<Mount>> {
    let points = rootfs::hidden_below(Path::new(ROOT))?;
    let shown = points.iter().filter(|point| !SCRATCH.iter().any(|it| Path::new(it) == *point));
    let named = shown.filter_map(|point| {
        let name = point.to_str();
        if name.is_none() {
            log::warn!("`{}` is not UTF-8 and is not shown", point.display());
        }
        name
    });
    Ok(named.map(|name| Mount::bind(name, name, true)).collect())
}

/// The caller's, where the tree has it.
fn working_directory(args: &cli::Sandbox) -> Result<String> {
    if args.edits.cwd.is_some() {
        return Ok(ROOT.to_owned());
    }
    let own = std::env::current_dir()
        .map_err(|error| Error::io("getcwd", String::new(), &error))
        .context(|| "find the working directory")
        .hint(|| "--cwd names one")?;
    let mounted = args.with_mounts.then(|| rootfs::hidden_below(Path::new(ROOT))).transpose()?;
    let mut roots = args.edits.layer.clone();
    if roots.is_empty() {
        roots.push(PathBuf::from(ROOT));
    }
    let is_there = roots.iter().any(|root| has_directory(root, &own))
        || mounted.iter().flatten().any(|point| own.starts_with(point));
    match own.to_str().filter(|_| is_there) {
        Some(own) => Ok(own.to_owned()),
        None => {
            let own = own.display();
            log::warn!("the working directory is `/`: `{own}` is not in the sandbox");
            Ok(ROOT.to_owned())
        }
    }
}

/// Whether a layer has it, and not only a mount below the layer.
fn has_directory(layer: &Path, directory: &Path) -> bool {
    let inside = directory.strip_prefix(ROOT).unwrap_or(directory);
    let flags = libc::O_PATH | libc::O_DIRECTORY;
    let found = sys::file::open(layer, flags).and_then(|layer| {
        let inside = if inside == Path::new("") { Path::new(".") } else { inside };
        sys::file::open_on_mount(layer.as_fd(), inside, flags)
    });
    found.is_ok()
}

/// Who uses the host's network needs the host's name servers, which on many hosts are in /run.
fn add_name_servers(document: &mut Document) {
    const FILE: &str = "/etc/resolv.conf";
    if Path::new(FILE).is_file() && !document.mounts.iter().any(|it| it.destination == FILE) {
        document.mounts.push(Mount::bind(FILE, FILE, true));
    }
}
