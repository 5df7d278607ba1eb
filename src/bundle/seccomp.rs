//! Pure: the default seccomp profile (`profiles/seccomp.json`), made into `linux.seccomp` for the
//! capabilities of a container and the architectures of a machine (docs/seccomp.md).

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::security::seccomp::{Architecture, Names};

/// What may be called, and why.
const PROFILE: &str = include_str!("../../profiles/seccomp.json");

/// EPERM, as for everything else that one may not.
const REFUSED: u32 = 1;

/// What else runs on a machine: the 32-bit programs of its kernel. x32 is not among them: hardly any
/// kernel has it on, and none of the distributions has programs for it.
const COMPANIONS: [(&str, &[&str]); 7] = [
    ("x86_64", &["x86"]),
    ("aarch64", &["arm"]),
    ("s390x", &["s390"]),
    ("mips64", &["mips", "mips64n32"]),
    ("mipsel64", &["mipsel", "mipsel64n32"]),
    ("ppc64", &["ppc"]),
    ("parisc64", &["parisc"]),
];

/// One group of the profile. It is read by hand, since it is ours and derived readers are large.
#[derive(Debug, Clone, Copy)]
struct Group<'a>(&'a Value);

impl<'a> Group<'a> {
    fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str()
    }

    fn texts(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.list(name).filter_map(Value::as_str)
    }

    fn list(self, name: &str) -> impl Iterator<Item = &'a Value> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten()
    }

    /// Whether it is for a container of these capabilities on this machine.
    fn counts(self, capabilities: &BTreeSet<String>, machine: &str) -> bool {
        let mut on = self.texts("on").peekable();
        self.text("with").is_none_or(|name| capabilities.contains(name))
            && self.text("without").is_none_or(|name| !capabilities.contains(name))
            && (on.peek().is_none() || on.any(|it| it == machine))
            && !self.texts("not_on").any(|it| it == machine)
    }
}

/// `linux.seccomp` as it is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Seccomp {
    default_action: &'static str,
    default_errno_ret: u32,
    architectures: Vec<String>,
    syscalls: Vec<Rule>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    names: Vec<String>,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno_ret: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<[Condition; 1]>,
}

/// A condition on an argument, in the profile and in config.json alike.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    index: u64,
    value: u64,
    value_two: u64,
    op: String,
}

impl Condition {
    fn read(written: &Value) -> Condition {
        let number = |name: &str| written.get(name).and_then(Value::as_u64).unwrap_or_default();
        Condition {
            index: number("index"),
            value: number("value"),
            value_two: number("valueTwo"),
            op: written.get("op").and_then(Value::as_str).unwrap_or_default().to_owned(),
        }
    }
}

/// The profile for a container that is left `capabilities`, on this machine.
///
/// # Errors
/// A profile that cannot be read, which the tests of this file rule out.
pub(super) fn default_profile(capabilities: &BTreeSet<String>) -> Result<Seccomp> {
    profile_for(capabilities, Architecture::native())
}

fn profile_for(capabilities: &BTreeSet<String>, machine: &Architecture) -> Result<Seccomp> {
    let profile: Value = serde_json::from_str(PROFILE)
        .map_err(|error| Error::internal(format!("profiles/seccomp.json: {error}")))?;
    let architectures = architectures(machine);
    let (names, machine) = (Names::new(), machine.short_name());
    // What holds without a condition makes one rule, the first.
    let mut allowed = BTreeSet::new();
    let mut rules = Vec::new();
    for group in groups(&profile).filter(|group| group.counts(capabilities, &machine)) {
        let exists = |name: &&str| architectures.iter().any(|it| names.number(it, name).is_some());
        let calls = group.texts("calls").filter(exists).map(str::to_owned);
        let errno = group.0.get("errno").and_then(Value::as_u64);
        let mut conditions = group.list("where").map(Condition::read).peekable();
        match (errno, conditions.peek()) {
            (None, None) => allowed.extend(calls),
            (_, None) => rules.extend(rule(calls.collect(), errno, None)),
            (..) => {
                let calls: Vec<_> = calls.collect();
                rules.extend(conditions.flat_map(|it| rule(calls.clone(), errno, Some(it))));
            }
        }
    }
    rules.splice(0..0, rule(allowed.into_iter().collect(), None, None));
    Ok(Seccomp {
        default_action: "SCMP_ACT_ERRNO",
        default_errno_ret: REFUSED,
        architectures: architectures.iter().map(|it| it.name()).collect(),
        syscalls: rules,
    })
}

/// None where no architecture of the machine has any of the calls.
fn rule(names: Vec<String>, errno: Option<u64>, it: Option<Condition>) -> Option<Rule> {
    let action = if errno.is_some() { "SCMP_ACT_ERRNO" } else { "SCMP_ACT_ALLOW" };
    let args = it.map(|condition| [condition]);
    (!names.is_empty()).then_some(Rule { names, action, errno_ret: errno, args })
}

fn groups(profile: &Value) -> impl Iterator<Item = Group<'_>> {
    profile.get("groups").and_then(Value::as_array).into_iter().flatten().map(Group)
}

/// The machine's own first.
fn architectures(machine: &Architecture) -> Vec<&'static Architecture> {
    let own = machine.short_name();
    let companions = COMPANIONS.iter().find(|(name, _)| *name == own);
    let companions = companions.map_or(&[][..], |(_, companions)| *companions);
    let all = [own.as_str()].into_iter().chain(companions.iter().copied());
    all.filter_map(Architecture::by_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(capabilities: &[&str], machine: &str) -> serde_json::Value {
        let capabilities = capabilities.iter().map(|&name| name.to_owned()).collect();
        let machine = Architecture::by_name(machine).unwrap();
        serde_json::to_value(profile_for(&capabilities, machine).unwrap()).unwrap()
    }

    #[test]
    fn the_profile_is_well_formed() {
        let profile: Value = serde_json::from_str(PROFILE).unwrap();
        let names = Names::new();
        let capabilities: Vec<_> = crate::security::capability_names().collect();
        let known = ["why", "calls", "with", "without", "on", "not_on", "where", "errno"];
        for group in groups(&profile) {
            for (name, value) in group.0.as_object().unwrap() {
                assert!(known.contains(&name.as_str()), "{name}");
                let fine = match name.as_str() {
                    "errno" => value.is_u64(),
                    "why" | "with" | "without" => value.is_string(),
                    _ => value.as_array().is_some_and(|it| !it.is_empty()),
                };
                assert!(fine, "{name}: {value}");
            }
            assert!(group.text("why").unwrap().ends_with('.'), "{group:?}");
            let calls: Vec<_> = group.texts("calls").collect();
            assert!(calls.is_sorted() && !calls.is_empty(), "{calls:?}");
            for name in calls {
                assert!(names.all().contains(&name), "{name}");
            }
            for name in group.text("with").iter().chain(&group.text("without")) {
                assert!(capabilities.iter().any(|known| known == name), "{name}");
            }
            for machine in group.texts("on").chain(group.texts("not_on")) {
                let known = Architecture::by_name(machine).unwrap();
                assert_eq!(known.short_name(), machine);
            }
            for condition in group.list("where") {
                for (name, value) in condition.as_object().unwrap() {
                    let number = ["index", "value", "valueTwo"].contains(&name.as_str());
                    assert!(number && value.is_u64() || name == "op" && value.is_string());
                }
            }
        }
        assert!(groups(&profile).count() > 40);
    }

    /// What Docker allows and we do not, and why.
    const LEFT_OUT: [(&str, &str); 4] = [
        ("epoll_ctl_old", "no kernel has it: its number answers ENOSYS"),
        ("epoll_wait_old", "no kernel has it"),
        ("lookup_dcookie", "of a profiler that Linux 6.7 has lost"),
        ("fanotify_mark", "is of use only after fanotify_init, which takes CAP_SYS_ADMIN"),
    ];

    /// AF_MCTP: the kernel has no other families, but takes the lower half of a greater number for one
    /// (Docker's profile lets such numbers pass).
    const LAST_FAMILY: u64 = 45;

    /// Docker's profile for one container, by the rules of its README.
    fn of_docker(capabilities: &BTreeSet<String>, machine: &str) -> serde_json::Value {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/seccomp/docker.json");
        let text = std::fs::read_to_string(path).unwrap();
        let profile: serde_json::Value = serde_json::from_str(&text).unwrap();
        let go = match machine {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let holds = |conditions: &serde_json::Value| {
            let list = |name: &str| -> Vec<String> {
                let all = conditions[name].as_array().into_iter().flatten();
                all.map(|it| it.as_str().unwrap().to_owned()).collect()
            };
            (list("caps"), list("arches"))
        };
        let counts = |rule: &&serde_json::Value| {
            let (caps, arches) = holds(&rule["includes"]);
            let (no_caps, no_arches) = holds(&rule["excludes"]);
            caps.iter().all(|it| capabilities.contains(it))
                && (arches.is_empty() || arches.iter().any(|it| it == go))
                && !no_caps.iter().any(|it| capabilities.contains(it))
                && !no_arches.iter().any(|it| it == go)
        };
        let rules: Vec<_> = profile["syscalls"].as_array().unwrap().iter().filter(counts).collect();
        let machine = Architecture::by_name(machine).unwrap();
        let names: Vec<_> = architectures(machine).iter().map(|it| it.name()).collect();
        serde_json::json!({"defaultAction": "SCMP_ACT_ERRNO", "architectures": names,
            "syscalls": rules})
    }

    /// Values that conditions of either profile tell apart.
    const VALUES: [u64; 18] = [
        0,
        1,
        8,
        16,
        37,
        38,
        39,
        40,
        41,
        45,
        0x2_0000,
        0x2_0008,
        0x1000_0000,
        0x7e02_0000,
        0x11,
        0xffff_ffff,
        0x1_0000_0026,
        0x1_0000_0028,
    ];

    /// Every call of every architecture, with arguments that matter.
    fn compare(capabilities: &BTreeSet<String>, machine: &str) {
        use crate::security::seccomp::{Action, Filter};
        let native = Architecture::by_name(machine).unwrap();
        let read = |profile: &serde_json::Value| {
            let written: crate::spec::Seccomp =
                crate::spec::parse(profile.to_string().as_bytes()).unwrap();
            Filter::read(&written, native).unwrap()
        };
        let allow = Action::from_value(libc::SECCOMP_RET_ALLOW);
        let ours = read(&serde_json::to_value(profile_for(capabilities, native).unwrap()).unwrap());
        let theirs = read(&of_docker(capabilities, machine));
        let names = Names::new();
        for architecture in architectures(native) {
            for name in names.all() {
                let Some(number) = names.number(architecture, name) else { continue };
                for value in VALUES {
                    for arguments in [[value, 0, 0, 0, 0, 0], [0, value, 0, 0, 0, 0]] {
                        let decide = |filter: &Filter| {
                            filter.decide(architecture.audit(), number, &arguments).0 == allow
                        };
                        let (our, their) = (decide(&ours), decide(&theirs));
                        let what = || {
                            let place = architecture.short_name();
                            format!("{machine}: {place} {name} {arguments:x?} {capabilities:?}")
                        };
                        assert!(!our || their, "Docker refuses {}", what());
                        let left_out = LEFT_OUT.iter().any(|(known, _)| known == name);
                        let no_family = *name == "socket" && arguments[0] > LAST_FAMILY;
                        assert!(our || !their || left_out || no_family, "we refuse {}", what());
                        assert!(!our || !no_family, "we allow {}", what());
                    }
                }
            }
        }
    }

    #[test]
    fn as_strict_as_dockers_and_no_stricter_than_is_said() {
        let usual: BTreeSet<String> =
            crate::bundle::capabilities::USUAL.iter().map(|&name| name.to_owned()).collect();
        let all: BTreeSet<String> = crate::security::capability_names().collect();
        for machine in ["x86_64", "aarch64", "arm", "s390x", "ppc64le", "riscv64", "mips64"] {
            for set in [&usual, &all, &BTreeSet::new()] {
                compare(set, machine);
            }
        }
        for name in all {
            let mut more = usual.clone();
            more.insert(name);
            compare(&more, "x86_64");
            compare(&more, "aarch64");
        }
    }

    #[test]
    fn it_fits_capabilities_and_machine() {
        let plain = resolved(&[], "x86_64");
        assert_eq!(
            plain["architectures"],
            serde_json::json!(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])
        );
        let text = plain.to_string();
        assert!(text.contains("\"socketcall\"") && !text.contains("cacheflush"), "{text}");
        assert!(!text.contains("\"mount\"") && !text.contains("chroot"));
        let admin = resolved(&["CAP_SYS_ADMIN", "CAP_SYS_CHROOT"], "x86_64").to_string();
        assert!(admin.contains("\"mount\"") && admin.contains("chroot"));
        assert!(!admin.contains("\"errnoRet\":38"), "{admin}");
        let arm = resolved(&[], "aarch64");
        assert_eq!(arm["architectures"], serde_json::json!(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]));
        assert!(arm.to_string().contains("cacheflush") && !arm.to_string().contains("modify_ldt"));
        let clone = |profile: &serde_json::Value| {
            let rules = profile["syscalls"].as_array().unwrap();
            let rule = rules.iter().find(|it| it["names"] == serde_json::json!(["clone"]));
            rule.unwrap()["args"][0]["index"].clone()
        };
        assert_eq!((clone(&plain), clone(&resolved(&[], "s390x"))), (0.into(), 1.into()));
    }
}
