//! Pure: `linux.seccomp` as written, checked and with its words turned into numbers.

use std::path::Path;

use super::action::{Action, Condition, load_flags};
use super::architecture::{Architecture, Names};
use crate::error::{Error, Result};
use crate::spec;

const POINTER: &str = "/linux/seccomp";

/// One member of `syscalls`.
#[derive(Debug)]
pub(super) struct Rule<'a> {
    /// Which member it is.
    pub(super) member: usize,
    pub(super) names: &'a [String],
    pub(super) action: Action,
    /// All of them have to hold.
    pub(super) conditions: Vec<Condition>,
}

/// A profile that can be compiled.
#[derive(Debug)]
pub(super) struct Profile<'a> {
    pub(super) default: Action,
    /// The native one first; it is always filtered, whether it is listed or not.
    pub(super) architectures: Vec<&'static Architecture>,
    pub(super) rules: Vec<Rule<'a>>,
    /// `SECCOMP_FILTER_FLAG_*`.
    pub(super) flags: u32,
    /// Whether any action tells a listener.
    pub(super) notifies: bool,
}

impl Profile<'_> {
    /// Reads a profile.
    ///
    /// # Errors
    /// The first mistake, with its JSON pointer.
    pub(super) fn read<'a>(
        written: &'a spec::Seccomp,
        native: &'static Architecture,
    ) -> Result<Profile<'a>> {
        let pointers =
            (&*format!("{POINTER}/defaultAction"), &*format!("{POINTER}/defaultErrnoRet"));
        let default = Action::parse(&written.default_action, written.default_errno_ret, pointers)?;
        let mut rules = Vec::new();
        for (member, rule) in written.syscalls.iter().enumerate() {
            read_rule(member, rule, &mut rules)?;
        }
        let notifies = default.is_notify() || rules.iter().any(|rule| rule.action.is_notify());
        check_listener(written, notifies)?;
        Ok(Profile {
            default,
            architectures: read_architectures(&written.architectures, native)?,
            rules,
            flags: load_flags(&written.flags, notifies)?,
            notifies,
        })
    }

    /// Names that no architecture has: a profile may be newer than rrun.
    pub(super) fn unknown_names(&self, names: &Names) -> Vec<&str> {
        let all = self.rules.iter().flat_map(|rule| rule.names);
        all.map(String::as_str).filter(|name| !names.is_known(name)).collect()
    }
}

fn read_architectures(
    written: &[String],
    native: &'static Architecture,
) -> Result<Vec<&'static Architecture>> {
    let mut architectures = vec![native];
    for (at, name) in written.iter().enumerate() {
        let known = name.starts_with("SCMP_ARCH_").then(|| Architecture::by_name(name)).flatten();
        let Some(architecture) = known else {
            let pointer = format!("{POINTER}/architectures/{at}");
            return Err(Error::config(pointer, format!("`{name}` is no architecture")));
        };
        if !architectures.iter().any(|known| known.is(architecture)) {
            architectures.push(architecture);
        }
    }
    Ok(architectures)
}

fn read_rule<'a>(
    member: usize,
    written: &'a spec::SeccompRule,
    rules: &mut Vec<Rule<'a>>,
) -> Result<()> {
    let pointer = format!("{POINTER}/syscalls/{member}");
    if written.names.is_empty() {
        return Err(Error::config(format!("{pointer}/names"), "names no system call"));
    }
    let pointers = (&*format!("{pointer}/action"), &*format!("{pointer}/errnoRet"));
    let action = Action::parse(&written.action, written.errno_ret, pointers)?;
    let conditions = written.args.iter().enumerate();
    let conditions: Vec<_> = conditions
        .map(|(at, it)| Condition::parse(it, &format!("{pointer}/args/{at}")))
        .collect::<Result<_>>()?;
    let repeated = conditions.iter().enumerate().any(|(at, condition)| {
        conditions[..at].iter().any(|before| before.argument == condition.argument)
    });
    let names = written.names.as_slice();
    if repeated {
        // libseccomp takes one condition an argument. runc and crun make a rule of each condition
        // then, so that one of them suffices, and profiles count on it.
        let each = conditions.into_iter();
        rules.extend(each.map(|it| Rule { member, names, action, conditions: vec![it] }));
    } else {
        rules.push(Rule { member, names, action, conditions });
    }
    Ok(())
}

/// The listener of a profile has to be told somewhere, and a place for one needs a profile that
/// notifies (config-linux.md).
fn check_listener(written: &spec::Seccomp, notifies: bool) -> Result<()> {
    let path = written.listener_path.as_path();
    let asked = !path.as_os_str().is_empty();
    let pointer = format!("{POINTER}/listenerPath");
    match (notifies, asked) {
        (true, false) => Err(Error::config(pointer, "is missing: an action is SCMP_ACT_NOTIFY")),
        (false, true) => Err(Error::config(pointer, "is set, and no action is SCMP_ACT_NOTIFY")),
        (true, true) if !is_absolute(path) => Err(Error::config(pointer, "is not absolute")),
        (false, false) if !written.listener_metadata.is_empty() => {
            let pointer = format!("{POINTER}/listenerMetadata");
            Err(Error::config(pointer, "is set without a listenerPath"))
        }
        _ => Ok(()),
    }
}

fn is_absolute(path: &Path) -> bool {
    path.is_absolute() && !path.as_os_str().as_encoded_bytes().contains(&0)
}
