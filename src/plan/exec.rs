//! What `exec` will do: the container's own program as it was recorded, a process file, the command
//! line, in this order.

use std::path::PathBuf;

use crate::cgroups;
use crate::error::{Context, Result};
use crate::host::Host;
use crate::security;
use crate::spec;
use crate::workload;

use super::record::{ProcessRecord, Record};

/// What the command line asked for.
#[derive(Debug, Clone, Default)]
pub struct ExecOptions {
    /// The document behind `--process`.
    pub process: Option<spec::Process>,
    /// What is different from it, or from the container's own program.
    pub change: workload::Change,
    /// Whether it gets a terminal (`--tty`).
    pub terminal: bool,
    /// More capabilities.
    pub capabilities: Vec<String>,
    /// The AppArmor profile.
    pub apparmor: Option<String>,
    /// The SELinux label.
    pub selinux: Option<String>,
    /// no_new_privs.
    pub no_new_privs: bool,
    /// Descriptors beyond 2 that the program inherits (`--preserve-fds`, LISTEN_FDS).
    pub preserve_fds: u32,
    /// How many of them came from LISTEN_FDS (sd_listen_fds(3)).
    pub listen_fds: u32,
    /// The values of `--cgroup`.
    pub cgroup: Vec<String>,
}

/// Everything that `exec` will do.
#[derive(Debug)]
pub struct ExecPlan {
    /// The container's id.
    pub id: String,
    /// The program.
    pub workload: workload::Plan,
    /// What it may do.
    pub security: security::Plan,
    /// Where below the container's cgroups it belongs.
    pub cgroup: cgroups::SubGroups,
    /// Whether the container's root is not that of its mount namespace.
    pub changed_root: bool,
    /// The groups of resctrl that it belongs into.
    pub resctrl: Vec<PathBuf>,
    /// Descriptors beyond 2 that the program inherits.
    pub preserve_fds: u32,
    /// How many of them came from LISTEN_FDS.
    pub listen_fds: u32,
    /// Whether rrun has the power of the machine's root.
    pub privileged: bool,
    /// The highest capability that the kernel knows.
    pub last_capability: u32,
    /// What the user should know, and need not mend.
    pub warnings: Vec<String>,
}

/// Decides everything.
///
/// # Errors
/// The first mistake, with the option or the JSON pointer.
pub fn compile_exec(
    record: &Record,
    own: &ProcessRecord,
    host: &Host,
    options: &ExecOptions,
) -> Result<ExecPlan> {
    let mut warnings = Vec::new();
    let mut workload = match &options.process {
        Some(process) => {
            let mut workload = own.workload.beside(process)?;
            workload.terminal |= options.terminal;
            workload
        }
        None => own.workload.again(options.terminal),
    };
    workload.change(&options.change)?;
    Ok(ExecPlan {
        id: record.id.clone(),
        workload,
        security: compile_security(own, host, options, &mut warnings)?,
        cgroup: cgroups::SubGroups::parse(&options.cgroup)?,
        changed_root: own.changed_root,
        resctrl: own.resctrl.clone(),
        preserve_fds: options.preserve_fds,
        listen_fds: options.listen_fds,
        privileged: host.is_true_root(),
        last_capability: host.last_capability(),
        warnings,
    })
}

/// What a process file does not say about security is the container's, as with runc: to leave
/// something out must not be a way to get more.
fn compile_security(
    own: &ProcessRecord,
    host: &Host,
    options: &ExecOptions,
    warnings: &mut Vec<String>,
) -> Result<security::Plan> {
    let mut process = options.process.clone().unwrap_or_default();
    process.no_new_privileges |= match &options.process {
        Some(_) => options.no_new_privs,
        None => options.no_new_privs || own.security.no_new_privs,
    };
    let label = |asked: &Option<String>, file: &mut String, own: &Option<String>| {
        if let Some(asked) = asked {
            file.clone_from(asked);
        } else if file.is_empty() {
            *file = own.clone().unwrap_or_default();
        }
    };
    label(&options.apparmor, &mut process.apparmor_profile, &own.security.apparmor);
    label(&options.selinux, &mut process.selinux_label, &own.security.selinux);
    let facts = security::Facts {
        own_capabilities: super::grantable(host, own.user_namespace),
        apparmor: !process.apparmor_profile.is_empty() && host.has_apparmor(),
        selinux: !process.selinux_label.is_empty() && host.has_selinux(),
    };
    let mut plan = security::Plan::compile(&process, facts, own.security.new_keyring, warnings)?;
    if process.capabilities.is_none() {
        plan.capabilities = own.security.capabilities;
        plan.capabilities.restrict(facts.own_capabilities);
    }
    for name in &options.capabilities {
        plan.capabilities.add(name, facts.own_capabilities).context(|| "give a capability")?;
    }
    plan.seccomp.clone_from(&own.security.seccomp);
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::CgroupLayout;
    use crate::plan::{Options, compile};
    use std::path::Path;

    fn container() -> (Record, ProcessRecord) {
        let text = r#"{"ociVersion":"1.3.0","root":{"path":"r"},"process":{"args":["init"],
            "cwd":"/w","env":["PATH=/bin"],"user":{"uid":3,"gid":4},"noNewPrivileges":true,
            "capabilities":{"bounding":["CAP_KILL"],"permitted":["CAP_KILL"]}},
            "linux":{"namespaces":[{"type":"mount"}]}}"#;
        let layout = CgroupLayout::unified(Path::new("/sys/fs/cgroup"), "0::/\n");
        let options =
            Options { id: "id".to_owned(), bundle: PathBuf::from("/b"), ..Options::default() };
        let config = spec::parse(text.as_bytes()).unwrap();
        let plan = compile(&config, &Host::forged(layout), &options).unwrap();
        (Record::begin(&plan, 0), ProcessRecord::of(&plan))
    }

    fn plan(options: &ExecOptions) -> Result<ExecPlan> {
        let (record, own) = container();
        compile_exec(&record, &own, &Host::forged(CgroupLayout::default()), options)
    }

    fn change(args: &[&str]) -> workload::Change {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        workload::Change { args, ..workload::Change::default() }
    }

    #[test]
    fn without_a_file_it_is_the_containers_own_program_again() {
        let options = ExecOptions { change: change(&["ls"]), ..ExecOptions::default() };
        let plan = plan(&options).unwrap();
        assert_eq!((plan.workload.uid, plan.workload.gid), (3, 4));
        assert_eq!(
            (plan.workload.args, plan.workload.env),
            (vec!["ls".into()], vec!["PATH=/bin".into()])
        );
        assert!(plan.security.no_new_privs && !plan.workload.terminal && !plan.changed_root);
        assert_eq!(plan.security.capabilities.permitted, 1 << 5);
    }

    #[test]
    fn a_process_file_says_what_it_says_and_the_rest_is_the_containers() {
        let process = spec::parse(br#"{"args":["a"],"cwd":"/","terminal":true}"#).unwrap();
        let options = ExecOptions {
            process: Some(process),
            capabilities: vec!["CAP_CHOWN".into()],
            ..ExecOptions::default()
        };
        let plan = plan(&options).unwrap();
        assert_eq!((plan.workload.uid, plan.workload.cwd.as_path()), (0, Path::new("/")));
        assert!(plan.workload.terminal && !plan.security.no_new_privs);
        let sets = plan.security.capabilities;
        assert_eq!((sets.permitted, sets.inheritable), (1 << 5 | 1, 0));
    }

    #[test]
    fn mistakes_are_found_before_anything_happens() {
        let refusal = |options: ExecOptions| plan(&options).unwrap_err().to_string();
        assert!(refusal(ExecOptions::default()).contains("no program"));
        let cgroup = vec!["../x".to_owned()];
        let options = ExecOptions { cgroup, change: change(&["a"]), ..ExecOptions::default() };
        assert!(refusal(options).contains("leads out"));
        let apparmor = Some("p".to_owned());
        let options = ExecOptions { apparmor, change: change(&["a"]), ..ExecOptions::default() };
        assert!(refusal(options).contains("AppArmor is not on"));
    }
}
