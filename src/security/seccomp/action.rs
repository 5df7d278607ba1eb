//! Pure: what a filter can answer, the operators of its conditions, and the flags of the load: the
//! words of config-linux.md, from which `features` is made too.

use std::fmt;

use super::bpf;
use crate::error::{Errno, Error, Result};

/// What happens to a system call, as the kernel wants it (`SECCOMP_RET_*`, linux/seccomp.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action(pub(super) u32);

/// The upper half says what, the lower one is an errno or the word for a tracer.
const DATA: u32 = 0xffff;
const KILL_PROCESS: u32 = 0x8000_0000;
const KILL_THREAD: u32 = 0x0000_0000;
const TRAP: u32 = 0x0003_0000;
const ERRNO: u32 = 0x0005_0000;
const NOTIFY: u32 = 0x7fc0_0000;
const TRACE: u32 = 0x7ff0_0000;
const LOG: u32 = 0x7ffc_0000;
const ALLOW: u32 = 0x7fff_0000;

/// The highest errno that a filter can answer (MAX_ERRNO); the kernel would cut a higher one.
const MAX_ERRNO: u32 = 4095;

/// What is answered to the calls of an architecture that the profile does not list.
pub(super) const FOREIGN: Action = Action(KILL_THREAD);

/// What is answered to calls that are newer than the profile.
pub(super) const NEWER: Action = Action(ERRNO | libc::ENOSYS as u32);

/// The actions by name.
pub const ACTIONS: &[(&str, u32)] = &[
    ("SCMP_ACT_ALLOW", ALLOW),
    ("SCMP_ACT_ERRNO", ERRNO),
    ("SCMP_ACT_KILL", KILL_THREAD),
    ("SCMP_ACT_KILL_PROCESS", KILL_PROCESS),
    ("SCMP_ACT_KILL_THREAD", KILL_THREAD),
    ("SCMP_ACT_LOG", LOG),
    ("SCMP_ACT_NOTIFY", NOTIFY),
    ("SCMP_ACT_TRACE", TRACE),
    ("SCMP_ACT_TRAP", TRAP),
];

impl Action {
    /// Reads an action. `data` is its errno (EPERM where none is given) or word for the tracer;
    /// `pointers` are those of the action and of the errno.
    ///
    /// # Errors
    /// An unknown action; an errno beside an action that takes none, or above 4095.
    pub(super) fn parse(name: &str, data: Option<u32>, pointers: (&str, &str)) -> Result<Action> {
        let Some((_, value)) = ACTIONS.iter().find(|(known, _)| *known == name) else {
            let text = if name.is_empty() {
                "is missing".to_owned()
            } else {
                format!("`{name}` is no action")
            };
            return Err(Error::config(pointers.0, text));
        };
        let most = match *value {
            ERRNO => MAX_ERRNO,
            TRACE => DATA,
            _ if data.is_none() => return Ok(Action(*value)),
            _ => return Err(Error::config(pointers.1, format!("{name} takes no errno"))),
        };
        let data = data.unwrap_or(libc::EPERM as u32);
        if data > most {
            return Err(Error::config(pointers.1, format!("{data} is more than {most}")));
        }
        Ok(Action(value | data))
    }

    /// An action from a filter's return value.
    pub fn from_value(value: u32) -> Action {
        Action(value)
    }

    pub(super) fn is_notify(self) -> bool {
        self.0 == NOTIFY
    }

    /// Whether a call that the profile does not know goes on under this default action. Where it
    /// does not, it has to look like one that the kernel does not know either.
    pub(super) fn lets_pass(self) -> bool {
        matches!(self.0 & !DATA, ALLOW | LOG | TRACE)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 & !DATA, self.0 & DATA) {
            (KILL_PROCESS, _) => f.write_str("kill the process"),
            (KILL_THREAD, _) => f.write_str("kill the thread"),
            (TRAP, _) => f.write_str("trap (SIGSYS)"),
            (ERRNO, errno) => write!(f, "errno {errno}: {}", Errno(errno as i32)),
            (NOTIFY, _) => f.write_str("notify the listener"),
            (TRACE, word) => write!(f, "trace ({word})"),
            (LOG, _) => f.write_str("log and allow"),
            (ALLOW, _) => f.write_str("allow"),
            _ => write!(f, "{:#010x}", self.0),
        }
    }
}

/// How an argument is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Equal.
    Eq,
    /// Greater or equal.
    Ge,
    /// Greater.
    Gt,
    /// Equal after a mask.
    MaskedEq,
}

/// The operators by name.
pub const OPERATORS: &[(&str, Operator)] = &[
    ("SCMP_CMP_NE", Operator::Ne),
    ("SCMP_CMP_LT", Operator::Lt),
    ("SCMP_CMP_LE", Operator::Le),
    ("SCMP_CMP_EQ", Operator::Eq),
    ("SCMP_CMP_GE", Operator::Ge),
    ("SCMP_CMP_GT", Operator::Gt),
    ("SCMP_CMP_MASKED_EQ", Operator::MaskedEq),
];

/// One comparison of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) argument: u32,
    pub(super) operator: Operator,
    /// All ones but for `MaskedEq`.
    pub(super) mask: u64,
    pub(super) value: u64,
}

impl Condition {
    /// Reads a condition; `pointer` is that of the member of `args`.
    pub(super) fn parse(written: &crate::spec::SeccompArg, pointer: &str) -> Result<Condition> {
        let operator = OPERATORS.iter().find(|(name, _)| *name == written.op);
        let Some((_, operator)) = operator else {
            let text = if written.op.is_empty() {
                "is missing".to_owned()
            } else {
                format!("`{}` is no operator", written.op)
            };
            return Err(Error::config(format!("{pointer}/op"), text));
        };
        if written.index as usize >= bpf::ARGUMENTS {
            let text = format!("{} is above 5, the last argument", written.index);
            return Err(Error::config(format!("{pointer}/index"), text));
        }
        let (mask, value) = match operator {
            Operator::MaskedEq => (written.value, written.value_two & written.value),
            _ => (u64::MAX, written.value),
        };
        Ok(Condition { argument: written.index, operator: *operator, mask, value })
    }

    /// The same for arguments of 32 bits: only the low half is looked at, as libseccomp does.
    pub(super) fn narrow(self) -> Condition {
        let low = u64::from(u32::MAX);
        Condition { mask: self.mask & low, value: self.value & low, ..self }
    }

    /// Whether the arguments meet it.
    pub(super) fn holds(&self, arguments: &[u64; bpf::ARGUMENTS]) -> bool {
        let argument = arguments[self.argument as usize] & self.mask;
        match self.operator {
            Operator::Ne => argument != self.value,
            Operator::Lt => argument < self.value,
            Operator::Le => argument <= self.value,
            Operator::Eq | Operator::MaskedEq => argument == self.value,
            Operator::Ge => argument >= self.value,
            Operator::Gt => argument > self.value,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.operator {
            Operator::Ne => "!=",
            Operator::Lt => "<",
            Operator::Le => "<=",
            Operator::Eq => "==",
            Operator::Ge => ">=",
            Operator::Gt => ">",
            Operator::MaskedEq => {
                return write!(f, "arg{} & {:#x} == {:#x}", self.argument, self.mask, self.value);
            }
        };
        write!(f, "arg{} {sign} {:#x}", self.argument, self.value)
    }
}

/// Flags of the load by name (`SECCOMP_FILTER_FLAG_*`).
pub const FLAGS: &[(&str, u32)] = &[
    ("SECCOMP_FILTER_FLAG_TSYNC", 1),
    ("SECCOMP_FILTER_FLAG_LOG", 1 << 1),
    ("SECCOMP_FILTER_FLAG_SPEC_ALLOW", 1 << 2),
    ("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 1 << 5),
];

/// Threads that cannot be synchronised are then told by ESRCH: with a listener, a return value is
/// already its descriptor.
const TSYNC_ESRCH: u32 = 1 << 4;
const NEW_LISTENER: u32 = 1 << 3;

/// The flags that the load gets. `WAIT_KILLABLE_RECV` is about a listener: without one the kernel
/// would refuse it, so it has no effect, as with libseccomp.
pub(super) fn load_flags(names: &[String], listener: bool) -> Result<u32> {
    let mut flags = 0;
    for (at, name) in names.iter().enumerate() {
        let Some((_, bit)) = FLAGS.iter().find(|(known, _)| known == name) else {
            let pointer = format!("/linux/seccomp/flags/{at}");
            return Err(Error::config(pointer, format!("`{name}` is no flag")));
        };
        flags |= bit;
    }
    let [(_, tsync), _, _, (_, wait_killable)] = FLAGS else {
        return Err(Error::internal("the table of flags changed"));
    };
    if listener {
        flags |= NEW_LISTENER;
        if flags & tsync != 0 {
            flags |= TSYNC_ESRCH;
        }
    } else {
        flags &= !wait_killable;
    }
    Ok(flags)
}
