//! Pure: capability names as bit masks, and the other security members of `process`.

use serde::{Deserialize, Serialize};

use super::seccomp;
use crate::error::{Error, Kind, Result};
use crate::spec;

/// The five sets of a process as bit masks (capabilities(7)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapabilitySets {
    /// Bounding.
    pub bounding: u64,
    /// Effective.
    pub effective: u64,
    /// Inheritable.
    pub inheritable: u64,
    /// Permitted.
    pub permitted: u64,
    /// Ambient.
    pub ambient: u64,
}

/// What the program may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its capabilities. Where config.json has none, it has none.
    pub capabilities: CapabilitySets,
    /// Whether no_new_privs is set.
    pub no_new_privs: bool,
    /// The AppArmor profile.
    pub apparmor: Option<String>,
    /// The SELinux label.
    pub selinux: Option<String>,
    /// Whether it gets a session keyring of its own.
    pub new_keyring: bool,
    /// The filter of its system calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seccomp: Option<seccomp::Plan>,
}

/// The names by number (linux/capability.h).
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// The capabilities that are known, with the prefix that config.json has.
pub fn capability_names() -> impl Iterator<Item = String> {
    NAMES.iter().map(|name| format!("CAP_{name}"))
}

/// What the machine has to say about it.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// The capabilities that rrun itself has.
    pub own_capabilities: u64,
    /// Whether AppArmor is on.
    pub apparmor: bool,
    /// Whether SELinux is on.
    pub selinux: bool,
}

impl Plan {
    /// Reads the security members of `process`, which has no say in the filter; warnings go to `warnings`.
    ///
    /// # Errors
    /// A label for a security module that is not on: running without it would be a promise broken
    /// in silence.
    pub fn compile(
        process: &spec::Process,
        facts: Facts,
        new_keyring: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Plan> {
        let label = |pointer: &str, label: &str, module: &str, is_on: bool| {
            if label.contains('\0') {
                return Err(Error::config(pointer, "contains a NUL"));
            }
            match (label.is_empty(), is_on) {
                (true, _) => Ok(None),
                (false, true) => Ok(Some(label.to_owned())),
                (false, false) => Err(Error::config(pointer, format!("{module} is not on"))),
            }
        };
        let (profile, selinux) = (&process.apparmor_profile, &process.selinux_label);
        Ok(Plan {
            capabilities: match &process.capabilities {
                Some(names) => sets(names, facts.own_capabilities, warnings),
                None => CapabilitySets::default(),
            },
            no_new_privs: process.no_new_privileges,
            apparmor: label("/process/apparmorProfile", profile, "AppArmor", facts.apparmor)?,
            selinux: label("/process/selinuxLabel", selinux, "SELinux", facts.selinux)?,
            new_keyring,
            seccomp: None,
        })
    }
}

impl CapabilitySets {
    /// Adds the capability `name` (`exec --cap`) to the bounding, effective and permitted sets, and to
    /// the ambient one where config.json has put it into the inheritable set. That one is never filled
    /// (CVE-2022-29162).
    ///
    /// # Errors
    /// A name that there is none of, or that is not rrun's to give.
    pub fn add(&mut self, name: &str, own: u64) -> Result<()> {
        let upper = name.to_ascii_uppercase();
        let full = if upper.starts_with("CAP_") { upper } else { format!("CAP_{upper}") };
        let text = match number(&full) {
            Some(number) if own >> number & 1 == 1 => {
                let bit = 1 << number;
                self.bounding |= bit;
                self.effective |= bit;
                self.permitted |= bit;
                self.ambient |= bit & self.inheritable;
                return Ok(());
            }
            Some(_) => "rrun does not have it itself and cannot grant it",
            None => "there is no such capability",
        };
        Err(Error::message(Kind::Usage, format!("--cap `{}`: {text}", name.escape_debug())))
    }

    /// Takes away what rrun cannot give.
    pub fn restrict(&mut self, own: u64) {
        for set in [
            &mut self.bounding,
            &mut self.effective,
            &mut self.inheritable,
            &mut self.permitted,
            &mut self.ambient,
        ] {
            *set &= own;
        }
    }
}

fn sets(names: &spec::Capabilities, own: u64, warnings: &mut Vec<String>) -> CapabilitySets {
    let mut unknown = Vec::new();
    let mut mask = |names: &[String]| {
        names.iter().fold(0, |mask, name| match number(name) {
            Some(number) => mask | 1 << number,
            None => {
                if !unknown.contains(name) {
                    unknown.push(name.clone());
                }
                mask
            }
        })
    };
    let mut sets = CapabilitySets {
        bounding: mask(&names.bounding),
        effective: mask(&names.effective),
        inheritable: mask(&names.inheritable),
        permitted: mask(&names.permitted),
        ambient: mask(&names.ambient),
    };
    // The spec: what cannot be granted is warned of and left out ("SHOULD NOT fail").
    for name in unknown {
        warnings.push(format!("/process/capabilities: unknown capability `{name}` is ignored"));
    }
    let asked = sets.bounding | sets.effective | sets.inheritable | sets.permitted | sets.ambient;
    let missing: Vec<_> = (0..NAMES.len())
        .filter(|number| (asked & !own) >> number & 1 == 1)
        .map(|number| NAMES[number])
        .collect();
    if !missing.is_empty() {
        warnings.push(format!(
            "/process/capabilities: rrun does not have {} itself and cannot grant it",
            missing.join(", ")
        ));
    }
    sets.restrict(own);
    // The kernel's own rules: effective within permitted, ambient within permitted and inheritable.
    sets.effective &= sets.permitted;
    sets.ambient &= sets.permitted & sets.inheritable;
    sets
}

fn number(name: &str) -> Option<usize> {
    let short = name.strip_prefix("CAP_")?;
    NAMES.iter().position(|known| *known == short)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u64 = (1 << 41) - 1;

    fn compile(process: &str, own: u64) -> (Result<Plan>, Vec<String>) {
        let mut warnings = Vec::new();
        let facts = Facts { own_capabilities: own, apparmor: false, selinux: true };
        let process = spec::parse(process.as_bytes()).unwrap();
        (Plan::compile(&process, facts, true, &mut warnings), warnings)
    }

    #[test]
    fn no_capabilities_means_none() {
        let (plan, warnings) = compile("{}", ALL);
        assert_eq!(plan.unwrap().capabilities, CapabilitySets::default());
        assert!(warnings.is_empty());
    }

    #[test]
    fn names_become_bits() {
        let (plan, warnings) = compile(
            r#"{"capabilities":{"bounding":["CAP_CHOWN","CAP_CHECKPOINT_RESTORE"],
                "permitted":["CAP_KILL"],"effective":["CAP_KILL"]}}"#,
            ALL,
        );
        let sets = plan.unwrap().capabilities;
        assert_eq!(sets.bounding, 1 | 1 << 40);
        assert_eq!((sets.permitted, sets.effective, sets.inheritable), (1 << 5, 1 << 5, 0));
        assert!(warnings.is_empty());
    }

    #[test]
    fn unknown_and_missing_ones_are_warned_of() {
        let (plan, warnings) = compile(
            r#"{"capabilities":{"bounding":["CAP_X","CAP_SYS_RESOURCE","chown"],
                "permitted":["CAP_X"]}}"#,
            ALL & !(1 << 24),
        );
        assert_eq!(plan.unwrap().capabilities.bounding, 0);
        assert_eq!(
            warnings,
            [
                "/process/capabilities: unknown capability `CAP_X` is ignored",
                "/process/capabilities: unknown capability `chown` is ignored",
                "/process/capabilities: rrun does not have SYS_RESOURCE itself and cannot grant it",
            ]
        );
    }

    #[test]
    fn ambient_stays_within_inheritable() {
        // CVE-2022-29162: nothing may fill the inheritable set but the config itself
        let (plan, _) =
            compile(r#"{"capabilities":{"permitted":["CAP_KILL"],"ambient":["CAP_KILL"]}}"#, ALL);
        let sets = plan.unwrap().capabilities;
        assert_eq!((sets.inheritable, sets.ambient), (0, 0));
    }

    #[test]
    fn one_more_capability_never_fills_the_inheritable_set() {
        let mut sets = CapabilitySets { inheritable: 1 << 5, ..CapabilitySets::default() };
        for name in ["CAP_CHOWN", "kill", "cap_sys_admin"] {
            sets.add(name, ALL).unwrap();
        }
        let all = 1 | 1 << 5 | 1 << 21;
        assert_eq!((sets.bounding, sets.effective, sets.permitted), (all, all, all));
        assert_eq!((sets.inheritable, sets.ambient), (1 << 5, 1 << 5));
        assert!(sets.add("CAP_NONE", ALL).unwrap_err().to_string().contains("no such capability"));
        assert!(sets.add("CAP_KILL", 0).unwrap_err().to_string().contains("cannot grant it"));
    }

    #[test]
    fn a_label_without_its_module_is_refused() {
        let (plan, _) = compile(r#"{"apparmorProfile":"p"}"#, ALL);
        assert_eq!(plan.unwrap_err().to_string(), "/process/apparmorProfile: AppArmor is not on");
        let (plan, _) = compile(r#"{"selinuxLabel":"a:b:c:d"}"#, ALL);
        assert_eq!(plan.unwrap().selinux.as_deref(), Some("a:b:c:d"));
    }
}
