//! Pure: `linux.seccomp` as written, checked and with its words turned into numbers.

use std::path::Path;
use std::rc::Rc;

use super::action::{Action, Condition, load_flags};
use super::architecture::{Architecture, Names};
use crate::error::{Error, Result};
use crate::spec;

const POINTER: &str = "/linux/seccomp";

/// One member of `syscalls`.
#[derive(Debug)]
pub(super) struct Rule {
    /// Which member it is.
    pub(super) member: usize,
    /// The places of its names in the table; what no architecture has is not there.
    pub(super) calls: Rc<[usize]>,
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
    pub(super) rules: Vec<Rule>,
    /// Names that no architecture has: a profile may be newer than rrun.
    pub(super) unknown_names: Vec<&'a str>,
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
        names: &Names,
    ) -> Result<Profile<'a>> {
        let pointers =
            (&*format!("{POINTER}/defaultAction"), &*format!("{POINTER}/defaultErrnoRet"));
        let default = Action::parse(&written.default_action, written.default_errno_ret, pointers)?;
        let (mut rules, mut unknown_names) = (Vec::new(), Vec::new());
        for (member, rule) in written.syscalls.iter().enumerate() {
            let known = rule.names.iter().filter_map(|name| {
                names.place(name).or_else(|| {
                    unknown_names.push(name.as_str());
                    None
                })
            });
            let calls = known.collect();
            rules.extend(read_rule(member, rule, &calls)?);
        }
        let notifies = default.is_notify() || rules.iter().any(|rule| rule.action.is_notify());
        check_listener(written, notifies)?;
        Ok(Profile {
            default,
            architectures: read_architectures(&written.architectures, native)?,
            rules,
            unknown_names,
            flags: load_flags(&written.flags, notifies)?,
            notifies,
        })
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

fn read_rule(member: usize, written: &spec::SeccompRule, calls: &Rc<[usize]>) -> Result<Vec<Rule>> {
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
    let rule = |conditions| Rule { member, calls: Rc::clone(calls), action, conditions };
    if repeated {
        // libseccomp takes one condition an argument. runc and crun make a rule of each condition
        // then, so that one of them suffices, and profiles count on it.
        return Ok(conditions.into_iter().map(|it| rule(vec![it])).collect());
    }
    Ok(vec![rule(conditions)])
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
