//! The verbs, one file each: every file is the story of its verb.

mod checkpoint;
mod create;
mod delete;
mod edits;
mod events;
mod exec;
mod features;
mod kill;
mod list;
mod observe;
mod pause;
mod ps;
mod restore;
mod run;
mod sandbox;
mod seccomp;
mod select;
mod spec;
mod start;
mod state;
#[cfg(feature = "image")]
mod unpack;
mod update;
mod users;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use crate::cli::{Global, Verb};
use crate::error::{Context, Error, Kind, Result};
use crate::host::Host;
use crate::plan::{CgroupOwner, Record};
use crate::state::Store;
use crate::sys;

/// What every verb is called with.
pub struct Call<'a> {
    /// The command line as it came, to seal ourselves with.
    pub args: &'a [OsString],
    /// Options before the verb.
    pub global: &'a Global,
    /// Where results go.
    pub out: &'a mut dyn Write,
    host: Host,
    store: Store<Record>,
}

/// Does what the command line asks; the exit status.
///
/// # Errors
/// Whatever the verb answers.
pub fn dispatch(
    args: &[OsString],
    global: &Global,
    verb: &Verb,
    out: &mut dyn Write,
) -> Result<i32> {
    // Inherited from a caller who ignores it, it would have the kernel reap our children, and we would
    // wait for them for ever.
    sys::signal::reset(libc::SIGCHLD)?;
    let host = Host::new();
    // What needs no container needs no place for one either.
    match verb {
        Verb::Features(_) => return features::features(out),
        Verb::Spec(args) => return spec::spec(&host, args),
        #[cfg(feature = "image")]
        Verb::Unpack(args) => return unpack::unpack(&host, args),
        _ => {}
    }
    let store = Store::new(state_root(global, &host)?);
    let mut call = Call { args, global, out, host, store };
    let call = &mut call;
    match verb {
        Verb::Create(args) => create::create(call, args),
        Verb::Start(args) => start::start(call, args),
        Verb::State(args) => state::state(call, args),
        Verb::Kill(args) => kill::kill(call, args),
        Verb::Delete(args) => delete::delete(call, args),
        Verb::Run(args) => run::run(call, args),
        Verb::Exec(args) => exec::exec(call, args),
        Verb::List(args) => list::list(call, args),
        Verb::Ps(args) => ps::ps(call, args),
        Verb::Pause(args) => pause::pause(call, args),
        Verb::Resume(args) => pause::resume(call, args),
        Verb::Update(args) => update::update(call, args),
        Verb::Events(args) => events::events(call, args),
        Verb::Checkpoint(args) => checkpoint::checkpoint(call, args),
        Verb::Restore(args) => restore::restore(call, args),
        Verb::Sandbox(args) => sandbox::sandbox(call, args),
        Verb::Seccomp(args) => seccomp::seccomp(call, args),
        // Told above.
        Verb::Spec(_) | Verb::Features(_) => Ok(0),
        #[cfg(feature = "image")]
        Verb::Unpack(_) => Ok(0),
    }
}

/// `--root`, or the directory of whoever we are.
fn state_root(global: &Global, host: &Host) -> Result<PathBuf> {
    let root = match &global.root {
        Some(root) => root.clone(),
        None if host.is_true_root() => PathBuf::from("/run/rrun"),
        None => match std::env::var_os("XDG_RUNTIME_DIR").filter(|value| !value.is_empty()) {
            Some(directory) => PathBuf::from(directory).join("rrun"),
            // Root inside a user namespace may well own a /run of its own.
            None if host.euid() == 0 => PathBuf::from("/run/rrun"),
            None => {
                return Err(Error::message(Kind::Usage, "there is no place to keep state"))
                    .hint(|| "set XDG_RUNTIME_DIR, or name a directory with --root");
            }
        },
    };
    let root = std::path::absolute(&root)
        .map_err(|error| Error::io("getcwd", format!("`{}`", root.display()), &error))?;
    if root.parent().is_none() {
        return Err(Error::message(Kind::Usage, "--root must not be `/`"));
    }
    Ok(root)
}

impl Call<'_> {
    /// Who owns the cgroups, by `--systemd-cgroup` and `--cgroup-manager`.
    fn cgroup_owner(&self) -> Result<CgroupOwner> {
        match self.global.cgroup_manager.as_deref() {
            Some("systemd") => Ok(CgroupOwner::Systemd),
            Some("disabled") => Ok(CgroupOwner::Disabled),
            _ if self.global.systemd_cgroup => Ok(CgroupOwner::Systemd),
            _ => Ok(CgroupOwner::Cgroupfs),
        }
    }

    /// Writes a result, a line of it or several.
    fn say(&mut self, text: &str) -> Result<()> {
        self.out
            .write_all(text.as_bytes())
            .map_err(|error| Error::io("write", "standard output", &error))
    }
}
