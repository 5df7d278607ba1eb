//! Pure: the rules of a profile, merged for one architecture: what happens to each number, and why.
//!
//! The order among rules for one call is libseccomp's, as far as it has one:
//!
//! - a rule without conditions covers all others, and the first such rule wins;
//! - a rule covers those that have all its conditions and more; of equal ones the first wins;
//! - what is left is asked one after the other: conditions on the last argument first, then by
//!   operator, then as written. It matters only where two rules hold at once and disagree.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::action::{Action, Condition, NEWER, Operator};
use super::architecture::{Architecture, Names};
use super::bpf::ARGUMENTS;
use super::profile::{Profile, Rule};

/// What one rule says about one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) conditions: Vec<Condition>,
    pub(super) action: Action,
    /// The member of `syscalls` that it is from.
    pub(super) member: usize,
}

/// The merged rules of one architecture.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) architecture: &'static Architecture,
    /// By number; a call that is missing gets the default action. Where the clauses have
    /// conditions, so does a call that meets none.
    pub(super) calls: BTreeMap<u32, Vec<Clause>>,
    /// The highest number that the profile names.
    pub(super) highest: Option<u32>,
}

/// Why a call gets its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A member of `syscalls`, with the conditions that were met.
    Rule {
        /// Which.
        member: usize,
        /// Its conditions, for people.
        conditions: Vec<String>,
    },
    /// No rule holds.
    Default,
    /// The number is above the highest one that the profile names.
    Newer {
        /// That one.
        highest: u32,
    },
    /// The profile does not list the architecture.
    Foreign,
}

/// One answer for a range of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict<'a> {
    Answer(Action),
    /// It depends on the arguments.
    Ask(&'a [Clause]),
}

/// A range of numbers by its first one; it ends where the next begins.
pub(super) type Range<'a> = (u32, Verdict<'a>);

/// Calls that x86 and others make through one: the first argument says which.
struct Multiplexer {
    name: &'static str,
    calls: &'static [(&'static str, u64)],
}

/// Their numbers are those of linux/net.h and linux/ipc.h.
const MULTIPLEXERS: [Multiplexer; 2] = [
    Multiplexer {
        name: "socketcall",
        calls: &[
            ("socket", 1),
            ("bind", 2),
            ("connect", 3),
            ("listen", 4),
            ("accept", 5),
            ("getsockname", 6),
            ("getpeername", 7),
            ("socketpair", 8),
            ("send", 9),
            ("recv", 10),
            ("sendto", 11),
            ("recvfrom", 12),
            ("shutdown", 13),
            ("setsockopt", 14),
            ("getsockopt", 15),
            ("sendmsg", 16),
            ("recvmsg", 17),
            ("accept4", 18),
            ("recvmmsg", 19),
            ("sendmmsg", 20),
        ],
    },
    Multiplexer {
        name: "ipc",
        calls: &[
            ("semop", 1),
            ("semget", 2),
            ("semctl", 3),
            ("semtimedop", 4),
            ("msgsnd", 11),
            ("msgrcv", 12),
            ("msgget", 13),
            ("msgctl", 14),
            ("shmat", 21),
            ("shmdt", 22),
            ("shmget", 23),
            ("shmctl", 24),
        ],
    },
];

impl Table {
    /// Merges the rules of `profile` for one architecture.
    pub(super) fn merge(
        profile: &Profile<'_>,
        architecture: &'static Architecture,
        names: &Names,
    ) -> Table {
        let mut table = Table { architecture, calls: BTreeMap::new(), highest: None };
        for rule in &profile.rules {
            for name in rule.names {
                let number = names.number(architecture, name);
                table.highest = table.highest.max(number);
                // What does what happens anyway is no rule, and covers none.
                if rule.action == profile.default {
                    continue;
                }
                if let Some(number) = number {
                    table.add(number, rule, rule.conditions.clone());
                }
                table.add_multiplexed(name, rule, names);
            }
        }
        for clauses in table.calls.values_mut() {
            clauses.sort_by_cached_key(|clause| order(&clause.conditions));
        }
        table
    }

    /// The same rule for the call that stands for several. It sees the others' arguments only as a
    /// pointer, so of the conditions those stay that are not in the way, as with libseccomp.
    fn add_multiplexed(&mut self, name: &str, rule: &Rule<'_>, names: &Names) {
        for multiplexer in &MULTIPLEXERS {
            let call = multiplexer.calls.iter().find(|(known, _)| *known == name);
            let number = names.number(self.architecture, multiplexer.name);
            if let (Some((_, value)), Some(number)) = (call, number) {
                let operator = Operator::Eq;
                let which = Condition { argument: 0, operator, mask: u64::MAX, value: *value };
                let rest = rule.conditions.iter().filter(|it| it.argument != 0).copied();
                self.add(number, rule, std::iter::once(which).chain(rest).collect());
            }
        }
    }

    fn add(&mut self, number: u32, rule: &Rule<'_>, mut conditions: Vec<Condition>) {
        if !self.architecture.wide {
            conditions = conditions.into_iter().map(Condition::narrow).collect();
        }
        // A mask of nothing asks nothing.
        conditions.retain(|it| it.mask != 0);
        // The last argument first, as the rules among themselves.
        conditions.sort_by_key(|it| std::cmp::Reverse(it.argument));
        let clauses = self.calls.entry(number).or_default();
        if clauses.iter().any(|clause| covers(&clause.conditions, &conditions)) {
            return;
        }
        clauses.retain(|clause| !covers(&conditions, &clause.conditions));
        clauses.push(Clause { conditions, action: rule.action, member: rule.member });
    }

    /// What happens to a call of this architecture, and why.
    pub(super) fn decide(
        &self,
        number: u32,
        arguments: &[u64; ARGUMENTS],
        default: Action,
    ) -> (Action, Reason) {
        if let Some(highest) = self.bound(default)
            && number > highest
        {
            return (NEWER, Reason::Newer { highest });
        }
        for clause in self.calls.get(&number).into_iter().flatten() {
            if clause.conditions.iter().all(|condition| condition.holds(arguments)) {
                let conditions = clause.conditions.iter().map(ToString::to_string).collect();
                return (clause.action, Reason::Rule { member: clause.member, conditions });
            }
        }
        (default, Reason::Default)
    }

    /// The number above which all is newer than the profile; None where that makes no difference.
    pub(super) fn bound(&self, default: Action) -> Option<u32> {
        self.highest.filter(|_| !default.lets_pass())
    }

    /// The answers to the numbers `range`.
    pub(super) fn ranges(&self, range: &RangeInclusive<u32>, default: Action) -> Vec<Range<'_>> {
        let mut ranges = vec![(*range.start(), Verdict::Answer(default))];
        let mut then = |from, verdict| push(&mut ranges, from, verdict);
        for (&number, clauses) in &self.calls {
            match clauses.as_slice() {
                [Clause { conditions, action, .. }] if conditions.is_empty() => {
                    then(number, Verdict::Answer(*action));
                }
                clauses => then(number, Verdict::Ask(clauses)),
            }
            if number < *range.end() {
                then(number + 1, Verdict::Answer(default));
            }
        }
        if let Some(highest) = self.bound(default)
            && highest < *range.end()
        {
            then(highest + 1, Verdict::Answer(NEWER));
        }
        ranges
    }
}

/// Goes on with another answer; neighbours with one answer are one range.
pub(super) fn push<'a>(ranges: &mut Vec<Range<'a>>, from: u32, verdict: Verdict<'a>) {
    if ranges.last().is_some_and(|(start, _)| *start == from) {
        ranges.pop();
    }
    if ranges.last().is_none_or(|(_, last)| *last != verdict) {
        ranges.push((from, verdict));
    }
}

/// Whether whatever meets `specific` meets `general` too, because it asks no more.
fn covers(general: &[Condition], specific: &[Condition]) -> bool {
    general.iter().all(|condition| specific.contains(condition))
}

/// The place of a clause among those of one call.
fn order(conditions: &[Condition]) -> Vec<(std::cmp::Reverse<u32>, u8)> {
    let rank = |operator| match operator {
        Operator::Ne => 0,
        Operator::Eq | Operator::MaskedEq => 1,
        Operator::Le => 2,
        Operator::Lt => 3,
        Operator::Ge => 4,
        Operator::Gt => 5,
    };
    conditions.iter().map(|it| (std::cmp::Reverse(it.argument), rank(it.operator))).collect()
}
