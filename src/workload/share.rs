//! Pure: what the program gets of processors, disks and memory nodes, and as what sort of Linux the
//! kernel presents itself: `scheduler`, `ioPriority` and `execCPUAffinity` of `process`,
//! `memoryPolicy` and `personality` of `linux`.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::spec;

/// What a `process` object says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Share {
    /// The scheduling policy.
    pub scheduler: Option<Scheduler>,
    /// Class and level.
    pub io_priority: Option<(u32, u32)>,
    /// For `exec` alone: the processors until the process is in the container's cgroup.
    pub initial_cpus: Option<BitSet>,
    /// For `exec` alone: the processors from then on.
    pub final_cpus: Option<BitSet>,
}

/// What `linux` says, for every program of the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Domain {
    /// `PER_*`.
    pub personality: Option<u32>,
    /// `MPOL_*` with its flags, and nodes.
    pub memory_policy: Option<(u32, BitSet)>,
}

/// As sched_setattr(2) takes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduler {
    /// `SCHED_*`.
    pub policy: u32,
    /// `SCHED_FLAG_*`.
    pub flags: u64,
    /// Niceness.
    pub nice: i32,
    /// Static priority.
    pub priority: u32,
    /// Nanoseconds.
    pub runtime: u64,
    /// Nanoseconds.
    pub deadline: u64,
    /// Nanoseconds.
    pub period: u64,
}

/// Numbers of processors or nodes, one bit each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BitSet(pub Vec<u64>);

const DEADLINE: u32 = 6;
const RESET_ON_FORK: u64 = 1;

/// The policies of sched(7). The kernel has reserved the number of `SCHED_ISO` and never used it.
pub const POLICIES: &[(&str, u32)] = &[
    ("SCHED_OTHER", 0),
    ("SCHED_FIFO", 1),
    ("SCHED_RR", 2),
    ("SCHED_BATCH", 3),
    ("SCHED_ISO", 4),
    ("SCHED_IDLE", 5),
    ("SCHED_DEADLINE", DEADLINE),
];

/// The flags of sched_setattr(2).
pub const SCHEDULER_FLAGS: &[(&str, u64)] = &[
    ("SCHED_FLAG_RESET_ON_FORK", RESET_ON_FORK),
    ("SCHED_FLAG_RECLAIM", 0x02),
    ("SCHED_FLAG_DL_OVERRUN", 0x04),
    ("SCHED_FLAG_KEEP_POLICY", 0x08),
    ("SCHED_FLAG_KEEP_PARAMS", 0x10),
    ("SCHED_FLAG_UTIL_CLAMP_MIN", 0x20),
    ("SCHED_FLAG_UTIL_CLAMP_MAX", 0x40),
];

/// The classes of ioprio_set(2).
pub const IO_CLASSES: &[(&str, u32)] =
    &[("IOPRIO_CLASS_RT", 1), ("IOPRIO_CLASS_BE", 2), ("IOPRIO_CLASS_IDLE", 3)];

/// The modes of set_mempolicy(2).
pub const MEMORY_MODES: &[(&str, u32)] = &[
    ("MPOL_DEFAULT", 0),
    ("MPOL_PREFERRED", 1),
    ("MPOL_BIND", 2),
    ("MPOL_INTERLEAVE", 3),
    ("MPOL_LOCAL", 4),
    ("MPOL_PREFERRED_MANY", 5),
    ("MPOL_WEIGHTED_INTERLEAVE", 6),
];

/// Their flags.
pub const MEMORY_FLAGS: &[(&str, u32)] = &[
    ("MPOL_F_STATIC_NODES", 1 << 15),
    ("MPOL_F_RELATIVE_NODES", 1 << 14),
    ("MPOL_F_NUMA_BALANCING", 1 << 13),
];

/// The execution domains of personality(2).
pub const PERSONALITIES: &[(&str, u32)] = &[("LINUX", 0), ("LINUX32", 8)];

/// More processors than any kernel is built for (NR_CPUS is at most 8192).
const MAX_CPU: u32 = 65_535;
/// set_mempolicy(2) takes a page of bits.
const MAX_NODE: u32 = 32_767;

/// The value of a name, or an error that names the place.
fn value<T: Copy>(table: &[(&str, T)], name: &str, pointer: &str, what: &str) -> Result<T> {
    let row = table.iter().find(|(known, _)| *known == name);
    let unknown = || Error::config(pointer, format!("`{name}` is no {what}"));
    row.map(|(_, value)| *value).ok_or_else(unknown)
}

impl BitSet {
    /// Reads `0-3,7`; None where nothing is named.
    ///
    /// # Errors
    /// What is no list of numbers up to `highest`.
    fn parse(text: &str, highest: u32, pointer: &str) -> Result<Option<BitSet>> {
        let mut words = Vec::new();
        for part in text.split([',', ' ', '\n']).filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                text.parse::<u32>().ok().filter(|it| digits && *it <= highest)
            };
            let range = number(first).zip(number(last)).filter(|(first, last)| first <= last);
            let Some((first, last)) = range else {
                let text = format!("`{part}` is neither a number up to {highest} nor a range");
                return Err(Error::config(pointer, text));
            };
            let needed = last as usize / 64 + 1;
            if words.len() < needed {
                words.resize(needed, 0);
            }
            (first..=last).for_each(|bit| words[bit as usize / 64] |= 1 << (bit % 64));
        }
        Ok((!words.is_empty()).then_some(BitSet(words)))
    }
}

impl Share {
    /// Reads the members of a `process` object.
    ///
    /// # Errors
    /// Unknown names, values that the kernel would refuse whatever the machine.
    pub(super) fn compile(process: &spec::Process) -> Result<Share> {
        let affinity = process.exec_cpu_affinity.clone().unwrap_or_default();
        let cpus = |text: &str, member: &str| {
            BitSet::parse(text, MAX_CPU, &format!("/process/execCPUAffinity/{member}"))
        };
        let scheduler = process.scheduler.as_ref().filter(|it| !it.policy.is_empty());
        let priority = process.io_priority.as_ref().filter(|it| !it.class.is_empty());
        Ok(Share {
            scheduler: scheduler.map(Scheduler::compile).transpose()?,
            io_priority: priority.map(io_priority).transpose()?,
            initial_cpus: cpus(&affinity.initial, "initial")?,
            final_cpus: cpus(&affinity.last, "final")?,
        })
    }
}

fn io_priority(priority: &spec::IoPriority) -> Result<(u32, u32)> {
    let class = value(IO_CLASSES, &priority.class, "/process/ioPriority/class", "class")?;
    let level = u32::try_from(priority.priority).ok().filter(|level| *level <= 7);
    let level = level.ok_or_else(|| {
        let text = format!("{} is not between 0 and 7", priority.priority);
        Error::config("/process/ioPriority/priority", text)
    })?;
    Ok((class, level))
}

impl Scheduler {
    fn compile(wanted: &spec::Scheduler) -> Result<Scheduler> {
        let policy = value(POLICIES, &wanted.policy, "/process/scheduler/policy", "policy")?;
        let mut flags = 0;
        for (at, name) in wanted.flags.iter().enumerate() {
            flags |=
                value(SCHEDULER_FLAGS, name, &format!("/process/scheduler/flags/{at}"), "flag")?;
        }
        let scheduler = Scheduler {
            policy,
            flags,
            nice: wanted.nice.unwrap_or(0),
            priority: wanted.priority.and_then(|it| u32::try_from(it).ok()).unwrap_or(0),
            runtime: wanted.runtime.unwrap_or(0),
            deadline: wanted.deadline.unwrap_or(0),
            period: wanted.period.unwrap_or(0),
        };
        scheduler.check(wanted)?;
        Ok(scheduler)
    }

    /// The rules of sched(7), each named by its member: the kernel's EINVAL names none.
    fn check(&self, wanted: &spec::Scheduler) -> Result<()> {
        let wrong = |member: &str, text: &str| {
            Err(Error::config(format!("/process/scheduler/{member}"), text))
        };
        let realtime = matches!(wanted.policy.as_str(), "SCHED_FIFO" | "SCHED_RR");
        if !(-20..=19).contains(&self.nice) {
            return wrong("nice", "is not between -20 and 19");
        }
        match wanted.priority.unwrap_or(0) {
            1..=99 if realtime => {}
            _ if realtime => return wrong("priority", "is not between 1 and 99"),
            0 => {}
            _ => return wrong("priority", "is for SCHED_FIFO and SCHED_RR only"),
        }
        if self.policy != DEADLINE {
            let times =
                [("runtime", self.runtime), ("deadline", self.deadline), ("period", self.period)];
            let set = times.iter().find(|(_, nanoseconds)| *nanoseconds != 0);
            return set.map_or(Ok(()), |(member, _)| wrong(member, "is for SCHED_DEADLINE only"));
        }
        if self.runtime < 1024 {
            return wrong("runtime", "is less than the 1024 ns that the kernel accounts");
        }
        if self.deadline < self.runtime {
            return wrong("deadline", "comes before the runtime is over");
        }
        if self.period != 0 && self.period < self.deadline {
            return wrong("period", "is over before the deadline");
        }
        if self.deadline >> 63 != 0 || self.period >> 63 != 0 {
            return wrong("period", "has more than 63 bits");
        }
        Ok(())
    }

    /// Whether the kernel refuses children to whoever runs like this (sched(7): EAGAIN).
    pub fn forbids_fork(&self) -> bool {
        self.policy == DEADLINE && self.flags & RESET_ON_FORK == 0
    }
}

impl Domain {
    /// Reads the members of `linux`.
    ///
    /// # Errors
    /// Unknown names, nodes with a mode that takes none.
    pub fn compile(linux: &spec::Linux) -> Result<Domain> {
        let policy = linux.memory_policy.as_ref().filter(|it| !it.mode.is_empty());
        let personality = linux.personality.as_ref().filter(|it| !it.domain.is_empty());
        Ok(Domain {
            personality: personality.map(read_personality).transpose()?,
            memory_policy: policy.map(memory_policy).transpose()?,
        })
    }
}

fn read_personality(personality: &spec::Personality) -> Result<u32> {
    if let Some(flag) = personality.flags.first() {
        let text = format!("`{flag}` is no flag: the spec defines none");
        return Err(Error::config("/linux/personality/flags/0", text));
    }
    value(PERSONALITIES, &personality.domain, "/linux/personality/domain", "domain")
}

fn memory_policy(policy: &spec::MemoryPolicy) -> Result<(u32, BitSet)> {
    let mut mode = value(MEMORY_MODES, &policy.mode, "/linux/memoryPolicy/mode", "mode")?;
    let nodes = BitSet::parse(&policy.nodes, MAX_NODE, "/linux/memoryPolicy/nodes")?;
    let wrong = |text: &str| {
        Err(Error::config("/linux/memoryPolicy/nodes", format!("{} {text}", policy.mode)))
    };
    match policy.mode.as_str() {
        "MPOL_DEFAULT" | "MPOL_LOCAL" if nodes.is_some() => return wrong("takes no nodes"),
        // Without nodes it means the local one (set_mempolicy(2)).
        "MPOL_DEFAULT" | "MPOL_LOCAL" | "MPOL_PREFERRED" => {}
        _ if nodes.is_none() => return wrong("needs nodes"),
        _ => {}
    }
    for (at, name) in policy.flags.iter().enumerate() {
        mode |= value(MEMORY_FLAGS, name, &format!("/linux/memoryPolicy/flags/{at}"), "flag")?;
    }
    Ok((mode, nodes.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(process: &str) -> Result<Share> {
        Share::compile(&spec::parse(process.as_bytes()).unwrap())
    }

    fn domain(linux: &str) -> Result<Domain> {
        Domain::compile(&spec::parse(linux.as_bytes()).unwrap())
    }

    #[test]
    fn what_asks_for_nothing_gets_nothing() {
        let empty = r#"{"scheduler":null,"ioPriority":{},"execCPUAffinity":{"initial":""}}"#;
        assert_eq!(share(empty).unwrap(), Share::default());
        let empty = r#"{"memoryPolicy":{"mode":""},"personality":{"domain":""}}"#;
        assert_eq!(domain(empty).unwrap(), Domain::default());
    }

    #[test]
    fn sets_of_any_size() {
        let parse = |text: &str| BitSet::parse(text, MAX_CPU, "/p").unwrap();
        assert_eq!(parse(""), None);
        assert_eq!(parse("0-1, 3"), Some(BitSet(vec![0b1011])));
        assert_eq!(parse("1000").unwrap().0.len(), 16);
        assert_eq!(parse("63-64").unwrap().0, [1 << 63, 1]);
        for wrong in ["x", "3-1", "65536", "-1", "1-", "1-2-3", "+1"] {
            let error = BitSet::parse(wrong, MAX_CPU, "/p").unwrap_err().to_string();
            assert!(error.starts_with(&format!("/p: `{wrong}` is neither")), "{error}");
        }
    }

    #[test]
    fn schedulers() {
        let read = |text: &str| share(&format!(r#"{{"scheduler":{text}}}"#));
        let deadline = read(
            r#"{"policy":"SCHED_DEADLINE","runtime":1024,"deadline":2048,"period":4096,
                "flags":["SCHED_FLAG_RECLAIM"]}"#,
        );
        let deadline = deadline.unwrap().scheduler.unwrap();
        assert_eq!((deadline.policy, deadline.flags, deadline.period), (6, 2, 4096));
        assert!(deadline.forbids_fork());
        for (text, expected) in [
            (r#"{"policy":"SCHED_X"}"#, "policy: `SCHED_X` is no policy"),
            (r#"{"policy":"SCHED_OTHER","flags":["X"]}"#, "flags/0: `X` is no flag"),
            (r#"{"policy":"SCHED_OTHER","nice":20}"#, "nice: is not between -20 and 19"),
            (r#"{"policy":"SCHED_RR"}"#, "priority: is not between 1 and 99"),
            (r#"{"policy":"SCHED_RR","priority":-3}"#, "priority: is not between 1 and 99"),
            (r#"{"policy":"SCHED_OTHER","priority":1}"#, "priority: is for SCHED_FIFO"),
            (r#"{"policy":"SCHED_OTHER","period":1}"#, "period: is for SCHED_DEADLINE only"),
            (r#"{"policy":"SCHED_DEADLINE","runtime":1023}"#, "runtime: is less than"),
            (r#"{"policy":"SCHED_DEADLINE","runtime":1024}"#, "deadline: comes before"),
            (
                r#"{"policy":"SCHED_DEADLINE","runtime":1024,"deadline":3000,"period":2000}"#,
                "period: is over before",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("/process/scheduler/{expected}")), "{error}");
        }
    }

    #[test]
    fn io_priorities() {
        let read = |text: &str| share(&format!(r#"{{"ioPriority":{text}}}"#));
        let best = read(r#"{"class":"IOPRIO_CLASS_BE","priority":7}"#).unwrap();
        assert_eq!(best.io_priority, Some((2, 7)));
        let error = read(r#"{"class":"IOPRIO_CLASS_BE","priority":8}"#).unwrap_err().to_string();
        assert_eq!(error, "/process/ioPriority/priority: 8 is not between 0 and 7");
        let error = read(r#"{"class":"X"}"#).unwrap_err().to_string();
        assert_eq!(error, "/process/ioPriority/class: `X` is no class");
    }

    #[test]
    fn domains() {
        let read = |text: &str| domain(text).unwrap_err().to_string();
        let good = r#"{"personality":{"domain":"LINUX32"},
            "memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES"]}}"#;
        let good = domain(good).unwrap();
        assert_eq!(good.personality, Some(8));
        assert_eq!(good.memory_policy, Some((0x8002, BitSet(vec![1]))));
        for (text, expected) in [
            (r#"{"personality":{"domain":"BSD"}}"#, "/linux/personality/domain: `BSD` is no"),
            (
                r#"{"personality":{"domain":"LINUX","flags":["X"]}}"#,
                "/linux/personality/flags/0: `X`",
            ),
            (r#"{"memoryPolicy":{"mode":"MPOL_X"}}"#, "/linux/memoryPolicy/mode: `MPOL_X` is no"),
            (
                r#"{"memoryPolicy":{"mode":"MPOL_BIND"}}"#,
                "/linux/memoryPolicy/nodes: MPOL_BIND needs",
            ),
            (
                r#"{"memoryPolicy":{"mode":"MPOL_LOCAL","nodes":"0"}}"#,
                "/linux/memoryPolicy/nodes: MPOL_LOCAL takes no",
            ),
            (
                r#"{"memoryPolicy":{"mode":"MPOL_DEFAULT","flags":["X"]}}"#,
                "/linux/memoryPolicy/flags/0: `X` is no flag",
            ),
        ] {
            assert!(read(text).starts_with(expected), "{}", read(text));
        }
    }

    /// Every word that the schema has is known, and no other.
    #[test]
    fn the_words_are_those_of_the_schema() {
        let path = format!("{}/tests/fixtures/spec/defs-linux.json", env!("CARGO_MANIFEST_DIR"));
        let schema: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let sorted = |mut words: Vec<String>| {
            words.sort();
            words
        };
        let listed = |of: &str| {
            let list = schema["definitions"][of]["enum"].as_array().unwrap();
            sorted(list.iter().map(|word| word.as_str().unwrap().to_owned()).collect())
        };
        let names = |table: &[(&str, u32)]| {
            sorted(table.iter().map(|(name, _)| (*name).to_owned()).collect())
        };
        assert_eq!(names(POLICIES), listed("SchedulerPolicy"));
        assert_eq!(names(MEMORY_MODES), listed("MemoryPolicyMode"));
        assert_eq!(names(MEMORY_FLAGS), listed("MemoryPolicyFlag"));
        assert_eq!(names(PERSONALITIES), listed("PersonalityDomain"));
        let flags = SCHEDULER_FLAGS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(sorted(flags), listed("SchedulerFlag"));
    }
}
