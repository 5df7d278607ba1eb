//! Init: what happens between the clone and execve, as a list of named steps.
//!
//! The order is the product of many rules of the kernel and many vulnerabilities of others, so each
//! line says why it stands where it stands. The bodies are in `steps.rs` and in the rooms.

use std::ffi::CString;
use std::os::fd::OwnedFd;

use super::channel::{InitEnd, ParentEnd};
use super::gate::{Gate, Opened};
use super::message::ToParent;
use crate::error::{Error, Result};
use crate::namespaces;
use crate::plan::{Plan, Record};
use crate::rootfs;
use crate::state::Lock;
use crate::sys;
use crate::sys::procfs::Procfs;
use crate::trace;
use crate::workload;

/// What init holds on its way.
pub(super) struct Init<'a> {
    pub(super) plan: &'a Plan,
    /// For the state that hooks see.
    pub(super) record: &'a Record,
    pub(super) channel: InitEnd,
    pub(super) gate: Gate,
    /// Who opened it.
    pub(super) opened: Option<Opened>,
    /// The parent's end of the channel.
    pub(super) parent_end: &'a ParentEnd,
    /// The container's lock, which is the parent's too.
    pub(super) lock: &'a Lock,
    pub(super) namespaces: namespaces::Handles,
    /// The way that was really taken: the plan's, or a fallback of it.
    pub(super) strategy: namespaces::Strategy,
    /// Held `tasks` files of the v1 cgroups.
    pub(super) tasks: Vec<OwnedFd>,
    /// Our own `timens_offsets`, opened while that was possible.
    pub(super) clock_offsets: Option<OwnedFd>,
    /// A procfs of our own, where a step needs one.
    pub(super) procfs: Option<Procfs>,
    pub(super) root: Option<rootfs::Assembled<'a>>,
    /// The program's side of its terminal.
    pub(super) terminal: Option<OwnedFd>,
    /// Whether the working directory could be entered already.
    pub(super) in_cwd: bool,
    /// Whether the filter is in force.
    pub(super) is_filtered: bool,
    pub(super) executable: Option<workload::Executable>,
    pub(super) environment: Vec<CString>,
}

/// What may be the matter with a step under the container's own filter.
const FILTERED: &str = "/linux/seccomp is in force already, and may forbid what init still has to do \
    to start the program";

/// Errors that speak for themselves: something is missing, is no program, or has no x bit. They are
/// there without a filter too, and filters answer EPERM or ENOSYS.
const PLAIN: [i32; 4] = [libc::EACCES, libc::ENOENT, libc::ENOEXEC, libc::ENOTDIR];

/// Says so, unless the error speaks for itself.
pub(super) fn under_filter<T>(is_filtered: bool, done: Result<T>) -> Result<T> {
    let plain = |error: &Error| error.errno().is_none_or(|it| PLAIN.contains(&it));
    match done {
        Err(error) if is_filtered && !plain(&error) => Err(error.hinted(FILTERED)),
        other => other,
    }
}

type Step = fn(&mut Init<'_>) -> Result<()>;

/// From the clone to `Ready`.
const CREATE: &[(&str, Step)] = &[
    // Shared descriptors: the lock would live as long as we wait at the gate, and with the parent's
    // end of the channel in our own hands we would wait for a dead parent for ever.
    ("leave to the parent what is its own", |init| init.leave_to_parent()),
    // First of all: what we make from here on counts for the container. Needs only what was opened
    // before the clone; a single thread that writes "0" to `tasks` waits for no RCU grace period.
    ("join the v1 cgroups", |init| init.join_tasks()),
    // Opened while we are privileged and can see ourselves: inside a joined user namespace a process
    // that is not dumpable cannot open its own timens_offsets.
    ("hold the clock offsets", |init| init.hold_clock_offsets()),
    // The parent has recorded us, placed us and written the id maps; without maps we are nobody.
    ("wait for the parent", |init| init.wait_for_parent()),
    // Before anything looks at the namespaces; the order inside is the strategy's.
    ("join namespaces", |init| init.join_namespaces()),
    // After the joins: what is new has to belong to the joined user namespace.
    ("make namespaces", |init| init.make_namespaces()),
    // Before the first file is made, so that everything belongs to the container's root.
    ("become root of the user namespace", |init| init.become_root()),
    // Before any program can exist that might share our caller's terminal.
    ("session", |init| init.new_session()),
    // In the final pid namespace, and before the pivot: where the kernel refuses us a procfs of our
    // own, the host's stands in, never one of the image.
    ("a procfs of our own", |init| init.open_procfs()),
    // After the placement: its root is the cgroup that we are in at this moment.
    ("cgroup namespace", |init| init.cgroup_namespace()),
    // Before the clock is read by anything that ends up inside.
    ("time namespace", |init| init.time_namespace()),
    // Needs only the network namespace; before hooks, which configure networks.
    ("loopback", |init| init.loopback()),
    // Before hooks too. The parent moves them, once the namespace is there.
    ("network devices", |init| init.network_devices()),
    // Before the first mount: none may travel back to the host.
    ("propagation", |init| init.propagation()),
    // One go, by descriptors, with the host's files still in reach as sources.
    ("root file system", |init| init.assemble_root()),
    // In the container's namespaces, with the runtime's paths: so before the pivot. The parent runs
    // prestart and createRuntime first, and by then has written all limits.
    ("hooks before the pivot", |init| init.hooks_before_pivot()),
    // After the last use of a host path.
    ("pivot", |init| init.pivot()),
    // From the container's own devpts, which has its place now; while /dev can still be written.
    ("terminal", |init| init.terminal()),
    // Needs the UTS namespace only; after hooks, which might look at the host's name.
    ("names", |init| init.names()),
    // Needs a /proc of the final namespaces; before read-only paths close /proc/sys.
    ("sysctl", |init| init.sysctl()),
    // After everything that still writes below them.
    ("read-only and masked paths", |init| init.protect_paths()),
    // The label of keys has to be there when the keyring is made.
    ("key label and keyring", |init| init.keyring()),
    // After the hooks that run as the runtime, and before the privileges to write it go. It takes
    // effect at the next execve: startContainer hooks, which run as the program does, have it too.
    ("labels", |init| init.labels()),
    // After the last file that is made on the container's behalf.
    ("umask", |init| init.umask()),
    // Inherited by all that the container starts; before seccomp, which may forbid both.
    ("execution domain and memory policy", |init| init.domain()),
    // While CAP_SYS_NICE is there, and in the cgroup, which may have a budget for it. After the
    // hooks that run in our place: a deadline forbids children.
    ("scheduler and I/O priority", |init| init.schedule()),
    // While CAP_SYS_RESOURCE is there.
    ("limits that raise a hard limit", |init| init.raise_limits()),
    // What we say ourselves still goes to our caller until here. While CAP_CHOWN is there.
    ("standard descriptors and their owner", |init| init.stdio()),
    // Without no_new_privs the load needs CAP_SYS_ADMIN, which goes with the capabilities. What init
    // still does, the profile has to allow.
    ("seccomp, without no_new_privs", |init| init.seccomp_while_privileged()),
    // With full privileges first: the user may run in a directory that it cannot reach by itself.
    ("working directory", |init| init.working_directory()),
    // Needs CAP_SETPCAP, which it may take away itself; while the user still is root.
    ("bounding set", |init| init.bounding_set()),
    // From here on nobody may look into us any more: rights go step by step.
    ("groups and user", |init| init.become_user()),
    // After the user: changing it would have cleared what is effective.
    ("capability sets", |init| init.capabilities()),
    // After the user, whose change it would not forbid, but before anything of the image runs.
    ("no_new_privs", |init| init.no_new_privs()),
    // Where the privileged attempt was refused (a network file system that squashes root).
    ("working directory, as the user", |init| init.working_directory_as_user()),
    // Programs expect the defaults; rrun's caller may have ignored what it liked.
    ("signals", |init| init.signals()),
    // After user and capabilities, whose changes the kernel takes for a reason to forget it; before
    // `Ready`: who dies without that ends us by the channel's end.
    ("end with rrun", |init| init.end_with_rrun()),
    // Nothing of ours or of our caller's survives execve but what was asked for.
    ("descriptors", |init| init.descriptors()),
    // As the user, in the working directory, with the rights it will have: what is found can run.
    ("executable", |init| init.executable()),
    // As late as it can be with a parent that takes the listener.
    ("seccomp with a listener", |init| init.seccomp_with_listener()),
    // Everything that can fail has been done: an error text reaches the caller of `create`.
    ("ready", |init| init.ready()),
];

/// From `go` to execve.
const START: &[(&str, Step)] = &[
    // Inside the container, as the program would run; they may look at everything, so last.
    ("startContainer hooks", |init| init.start_hooks()),
    // Nothing is left that anybody but the kernel could make fail.
    ("last word", |init| init.last_word()),
    // Low limits must starve neither our own steps nor the hooks.
    ("limits", |init| init.limits()),
    // The last moment at which there is nothing but us: what comes is the program's alone.
    ("a first process that reaps", |init| init.stay_as_parent()),
    // Last of all, so that the profile need not allow what is ours. A load that fails is still told;
    // an execve that fails only if the profile allows sendmsg(2).
    ("seccomp", |init| init.seccomp_at_last()),
    ("execve", |init| init.exec()),
];

impl Init<'_> {
    /// Walks the list. Never returns: either execve replaces us, or the failure has been told to
    /// whoever waits for us.
    pub(super) fn run(mut self) -> ! {
        trace::begin_as("init");
        if let Err(error) = guarded(|| self.walk(CREATE)) {
            self.channel.tell_phases();
            let wire = String::from_utf8_lossy(&error.to_wire()).into_owned();
            let _ = self.channel.send(&ToParent::Failed(wire));
            sys::process::exit_now(1);
        }
        // While we wait, which may be for days, we hold nothing but the gate: whoever can look into
        // us finds no descriptor of the host.
        // The log file's descriptor goes too, and its number may become another's.
        log::set_max_level(log::LevelFilter::Off);
        trace::end();
        let kept = sys::file::close_from(3 + self.plan.preserve_fds, self.gate.as_fd());
        match kept.and_then(|()| self.gate.wait()) {
            Ok(opened) => self.opened = Some(opened),
            Err(_) => sys::process::exit_now(1),
        }
        self.start()
    }

    fn start(&mut self) -> ! {
        if let Err(error) = guarded(|| self.walk(START))
            && let Some(opened) = &self.opened
        {
            opened.fail(&error);
        }
        // execve returns only with an error, and a failed start ends the container.
        sys::process::exit_now(1)
    }

    fn walk(&mut self, steps: &[(&'static str, Step)]) -> Result<()> {
        steps.iter().try_for_each(|(name, step)| {
            log::debug!("init: {name}");
            let _phase = trace::phase(name);
            let done = step(self);
            under_filter(self.is_filtered, done)
        })
    }

    /// The procfs that was opened before the pivot.
    pub(super) fn procfs(&self) -> Result<&Procfs> {
        self.procfs.as_ref().ok_or_else(|| Error::internal("no procfs was opened"))
    }
}

/// A panic in the child is a failure like any other.
pub(super) fn guarded(work: impl FnOnce() -> Result<()>) -> Result<()> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Error::internal(format!("panic: {}", text.unwrap_or_default())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Who sees to a member of config.json.
    enum Seen {
        /// A step of init.
        Step(&'static str),
        /// The parent, before or while init works.
        Parent,
        /// It is for `exec` alone: checked, and kept in process.json.
        Exec,
        /// It means nothing on Linux.
        Foreign,
    }
    use Seen::{Exec, Foreign, Parent, Step};

    const PROCESS: &[(&str, Seen)] = &[
        ("args", Step("executable")),
        ("commandLine", Foreign),
        ("consoleSize", Step("terminal")),
        ("cwd", Step("working directory")),
        ("env", Step("executable")),
        ("terminal", Step("terminal")),
        ("user", Step("groups and user")),
        ("capabilities", Step("capability sets")),
        ("apparmorProfile", Step("labels")),
        ("oomScoreAdj", Parent),
        ("selinuxLabel", Step("labels")),
        ("ioPriority", Step("scheduler and I/O priority")),
        ("noNewPrivileges", Step("no_new_privs")),
        ("scheduler", Step("scheduler and I/O priority")),
        ("rlimits", Step("limits")),
        ("execCPUAffinity", Exec),
    ];

    const LINUX: &[(&str, Seen)] = &[
        ("devices", Step("root file system")),
        ("netDevices", Step("network devices")),
        ("uidMappings", Parent),
        ("gidMappings", Parent),
        ("namespaces", Step("join namespaces")),
        ("resources", Parent),
        ("cgroupsPath", Parent),
        ("rootfsPropagation", Step("propagation")),
        ("seccomp", Step("seccomp")),
        ("sysctl", Step("sysctl")),
        ("maskedPaths", Step("read-only and masked paths")),
        ("readonlyPaths", Step("read-only and masked paths")),
        ("mountLabel", Step("root file system")),
        ("intelRdt", Parent),
        ("memoryPolicy", Step("execution domain and memory policy")),
        ("personality", Step("execution domain and memory policy")),
        ("timeOffsets", Step("time namespace")),
    ];

    fn schema(name: &str) -> Value {
        let path = format!("{}/tests/fixtures/spec/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn check(properties: &Value, table: &[(&str, Seen)]) {
        for name in properties.as_object().unwrap().keys() {
            let row = table.iter().find(|(known, _)| known == name);
            let (_, seen) = row.unwrap_or_else(|| panic!("nobody sees to `{name}`"));
            if let Step(step) = seen {
                let steps = CREATE.iter().chain(START).map(|(name, _)| *name);
                assert!(steps.into_iter().any(|known| known == *step), "no step `{step}`");
            }
        }
    }

    #[test]
    fn every_member_of_process_and_linux_is_seen_to() {
        check(&schema("config-schema.json")["properties"]["process"]["properties"], PROCESS);
        check(&schema("config-linux.json")["linux"]["properties"], LINUX);
    }
}
