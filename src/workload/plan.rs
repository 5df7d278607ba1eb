//! Pure: the `process` object with every default filled in.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::share::{Domain, Share};
use crate::error::{Error, Result};
use crate::spec;

/// One resource limit (getrlimit(2)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// `RLIMIT_*` as a number.
    pub resource: u32,
    /// The same as a name.
    pub name: String,
    /// The soft limit.
    pub soft: u64,
    /// The hard limit.
    pub hard: u64,
}

/// The program and what it runs with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// argv, never empty.
    pub args: Vec<String>,
    /// The environment, `NAME=value`, each name once.
    pub env: Vec<String>,
    /// The working directory, absolute.
    pub cwd: PathBuf,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// File mode creation mask; unchanged where absent.
    pub umask: Option<u32>,
    /// Resource limits.
    pub rlimits: Vec<Limit>,
    /// The out-of-memory score adjustment; unchanged where absent.
    pub oom_score_adj: Option<i32>,
    /// Whether its standard descriptors are a terminal.
    pub terminal: bool,
    /// Rows and columns of that, where config.json says.
    pub console_size: Option<(u16, u16)>,
    /// Whether the supplementary groups stay those of rrun's caller.
    #[serde(default)]
    pub keep_groups: bool,
    /// Its share of the machine.
    #[serde(default)]
    pub share: Share,
    /// What `linux` says for all programs of the container.
    #[serde(default)]
    pub domain: Domain,
}

macro_rules! limits {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name as u32)),*] };
}

/// The limits of Linux. A name of the spec that is not among them cannot be mapped.
const LIMITS: &[(&str, u32)] = limits! {
    RLIMIT_AS RLIMIT_CORE RLIMIT_CPU RLIMIT_DATA RLIMIT_FSIZE RLIMIT_LOCKS RLIMIT_MEMLOCK
    RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_NOFILE RLIMIT_NPROC RLIMIT_RSS RLIMIT_RTPRIO RLIMIT_RTTIME
    RLIMIT_SIGPENDING RLIMIT_STACK
};

impl Plan {
    /// Reads the `process` object; what all programs of the container share is the caller's to add.
    ///
    /// # Errors
    /// Missing or relative paths, empty args, bad environment entries, unknown or duplicate limits.
    pub fn compile(process: &spec::Process) -> Result<Plan> {
        if process.args.is_empty() {
            return Err(Error::config("/process/args", "names no program"));
        }
        if process.args[0].is_empty() {
            return Err(Error::config("/process/args/0", "is empty: executable file not found"));
        }
        if !process.cwd.is_absolute() {
            let text = format!("`{}` is not absolute", process.cwd.display());
            return Err(Error::config("/process/cwd", text));
        }
        if process.cwd.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(Error::config("/process/cwd", "contains a NUL"));
        }
        for (index, arg) in process.args.iter().enumerate() {
            if arg.contains('\0') {
                return Err(Error::config(format!("/process/args/{index}"), "contains a NUL"));
            }
        }
        if let Some(umask) = process.user.umask.filter(|umask| *umask > 0o777) {
            return Err(Error::config("/process/user/umask", format!("{umask:#o} is no mask")));
        }
        if let Some(score) = process.oom_score_adj.filter(|score| !(-1000..=1000).contains(score)) {
            let text = format!("{score} is not between -1000 and 1000");
            return Err(Error::config("/process/oomScoreAdj", text));
        }
        Ok(Plan {
            args: process.args.clone(),
            env: environment(&process.env)?,
            cwd: process.cwd.clone(),
            uid: process.user.uid,
            gid: process.user.gid,
            groups: process.user.additional_gids.clone(),
            umask: process.user.umask,
            rlimits: limits(&process.rlimits)?,
            oom_score_adj: process.oom_score_adj,
            terminal: process.terminal,
            console_size: console_size(process)?,
            keep_groups: false,
            share: Share::compile(process)?,
            domain: Domain::default(),
        })
    }
}

/// Without a terminal the size means nothing (config.md), and zeros are no size.
fn console_size(process: &spec::Process) -> Result<Option<(u16, u16)>> {
    let Some(size) = process.console_size.filter(|_| process.terminal) else { return Ok(None) };
    if size.height == 0 || size.width == 0 {
        return Ok(None);
    }
    let number = |name: &str, value: u64| {
        u16::try_from(value).map_err(|_| {
            let text = format!("{value} is more than a terminal can have");
            Error::config(format!("/process/consoleSize/{name}"), text)
        })
    };
    Ok(Some((number("height", size.height)?, number("width", size.width)?)))
}

/// Each name once; of several entries with one name the last counts, as in a shell, at the place
/// of the first.
fn environment(entries: &[String]) -> Result<Vec<String>> {
    let mut result: Vec<String> = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let pointer = || format!("/process/env/{index}");
        if entry.contains('\0') {
            return Err(Error::config(pointer(), "contains a NUL"));
        }
        let Some((name, _)) = entry.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            let text = format!("`{}` is not NAME=value", entry.escape_debug());
            return Err(Error::config(pointer(), text));
        };
        put(&mut result, name, entry.clone());
    }
    Ok(result)
}

/// Puts the entry `NAME=value` into an environment, in the place of one that has the name already.
pub(super) fn put(entries: &mut Vec<String>, name: &str, entry: String) {
    let same = |other: &String| other.split_once('=').is_some_and(|(other, _)| other == name);
    match entries.iter().position(same) {
        Some(place) => entries[place] = entry,
        None => entries.push(entry),
    }
}

fn limits(rlimits: &[spec::Rlimit]) -> Result<Vec<Limit>> {
    let mut limits: Vec<Limit> = Vec::with_capacity(rlimits.len());
    for (index, limit) in rlimits.iter().enumerate() {
        let pointer = format!("/process/rlimits/{index}");
        let Some((_, resource)) = LIMITS.iter().find(|(name, _)| *name == limit.kind) else {
            let text = format!("unknown limit `{}`", limit.kind);
            return Err(Error::config(format!("{pointer}/type"), text));
        };
        if limits.iter().any(|earlier| earlier.resource == *resource) {
            return Err(Error::config(pointer, format!("a second {}", limit.kind)));
        }
        if limit.soft > limit.hard {
            let text =
                format!("the soft limit {} is above the hard one, {}", limit.soft, limit.hard);
            return Err(Error::config(pointer, text));
        }
        limits.push(Limit {
            resource: *resource,
            name: limit.kind.clone(),
            soft: limit.soft,
            hard: limit.hard,
        });
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(process: &str) -> Result<Plan> {
        Plan::compile(&spec::parse(process.as_bytes()).unwrap())
    }

    #[test]
    fn of_equal_names_the_last_value_counts() {
        let plan = compile(
            r#"{"args":["a"],"cwd":"/","env":["A=1","B=2\nx","A=3=4","C="],
                "user":{"uid":1,"gid":2,"umask":18,"additionalGids":[5]}}"#,
        )
        .unwrap();
        assert_eq!(plan.env, ["A=3=4", "B=2\nx", "C="]);
        assert_eq!((plan.uid, plan.gid, plan.umask), (1, 2, Some(0o22)));
        assert_eq!(plan.groups, [5]);
    }

    #[test]
    fn mistakes_are_named() {
        for (process, expected) in [
            (r#"{"cwd":"/"}"#, "/process/args: names no program"),
            (r#"{"args":["a"]}"#, "/process/cwd: `` is not absolute"),
            (r#"{"args":["a"],"cwd":"x"}"#, "/process/cwd: `x` is not absolute"),
            (r#"{"args":["a","\u0000"],"cwd":"/"}"#, "/process/args/1: contains a NUL"),
            (r#"{"args":["a"],"cwd":"/","env":["A"]}"#, "/process/env/0: `A` is not NAME=value"),
            (r#"{"args":["a"],"cwd":"/","env":["=1"]}"#, "/process/env/0: `=1` is not NAME=value"),
            (
                r#"{"args":["a"],"cwd":"/","user":{"umask":512}}"#,
                "/process/user/umask: 0o1000 is no mask",
            ),
            (
                r#"{"args":["a"],"cwd":"/","rlimits":[{"type":"RLIMIT_X","soft":1,"hard":1}]}"#,
                "/process/rlimits/0/type: unknown limit `RLIMIT_X`",
            ),
            (
                r#"{"args":["a"],"cwd":"/","rlimits":[{"type":"RLIMIT_CPU","soft":1,"hard":1},
                    {"type":"RLIMIT_CPU","soft":1,"hard":1}]}"#,
                "/process/rlimits/1: a second RLIMIT_CPU",
            ),
            (
                r#"{"args":["a"],"cwd":"/","rlimits":[{"type":"RLIMIT_CPU","soft":2,"hard":1}]}"#,
                "/process/rlimits/0: the soft limit 2 is above the hard one, 1",
            ),
            (
                r#"{"args":["a"],"cwd":"/","oomScoreAdj":1001}"#,
                "/process/oomScoreAdj: 1001 is not between -1000 and 1000",
            ),
        ] {
            assert_eq!(compile(process).unwrap_err().to_string(), expected);
        }
    }
}
