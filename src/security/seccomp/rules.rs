//! Pure: the rules of a profile, merged for one architecture: what happens to each number, and why.
//!
//! The order among rules for one call is libseccomp's, as far as it has one:
//!
//! - a rule without conditions covers all others, and the first such rule wins;
//! - a rule covers those that have all its conditions and more; of equal ones the first wins;
//! - what is left is asked one after the other: conditions on the last argument first, then by
//!   operator, then as written. It matters only where two rules hold at once and disagree.

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
    /// Those of one call stand together, in their order.
    clauses: Vec<Clause>,
    /// By number, the clauses of a call; one that is missing gets the default action, and so does one
    /// that meets no conditions.
    pub(super) calls: Vec<(u32, std::ops::Range<usize>)>,
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

/// By the place of a call in the table of names: the place of the one that stands for it on some
/// architectures, and the first argument by which it does.
#[derive(Debug)]
pub(super) struct Multiplexed(Vec<Option<(usize, u64)>>);

impl Multiplexed {
    pub(super) fn new(names: &Names) -> Multiplexed {
        let mut through = vec![None; names.all().len()];
        for multiplexer in &MULTIPLEXERS {
            let place = names.place(multiplexer.name);
            for (name, value) in multiplexer.calls {
                if let (Some(place), Some(call)) = (place, names.place(name)) {
                    through[call] = Some((place, *value));
                }
            }
        }
        Multiplexed(through)
    }
}

impl Table {
    /// Merges the rules of `profile` for one architecture.
    pub(super) fn merge(
        profile: &Profile<'_>,
        architecture: &'static Architecture,
        multiplexed: &Multiplexed,
    ) -> Table {
        // A profile names some four hundred calls: no list is to grow step by step to that.
        let many = profile.rules.iter().map(|rule| rule.calls.len()).sum();
        let (clauses, calls) = (Vec::with_capacity(many), Vec::with_capacity(many));
        let mut table = Table { architecture, clauses, calls, highest: None };
        // What there is to say, and by number and as written where it is: that is quickly sorted.
        let (mut said, mut places) = (Vec::with_capacity(many), Vec::with_capacity(many));
        for rule in &profile.rules {
            for &call in &*rule.calls {
                let number = architecture.number_at(call);
                // A call that is made through another has no number, or one more: the other's.
                let through =
                    multiplexed.0[call].and_then(|(place, _)| architecture.number_at(place));
                table.highest = table.highest.max(number).max(through);
                // What does what happens anyway is no rule, and covers none.
                if rule.action == profile.default {
                    continue;
                }
                for (number, value) in [(number, None), (through, multiplexed.0[call])] {
                    if let Some(number) = number {
                        places.push((number, said.len()));
                        said.push((rule, value.map(|(_, value)| value)));
                    }
                }
            }
        }
        places.sort_unstable();
        for (number, at) in places {
            let (rule, through) = said[at];
            table.add(number, table.clause(rule, through));
        }
        for (_, clauses) in &table.calls {
            if let clauses @ [_, _, ..] = &mut table.clauses[clauses.clone()] {
                clauses.sort_by_cached_key(|clause| order(&clause.conditions));
            }
        }
        table
    }

    /// What a rule says of a call, or, with the first argument by which that is one of several, of the
    /// call that stands for those: it sees the others' arguments only as a pointer, so of the conditions
    /// those stay that are not in the way, as with libseccomp.
    fn clause(&self, rule: &Rule, through: Option<u64>) -> Clause {
        // Nearly all rules are of this kind.
        if rule.conditions.is_empty() && through.is_none() {
            return Clause { conditions: Vec::new(), action: rule.action, member: rule.member };
        }
        let mut conditions = rule.conditions.clone();
        if let Some(value) = through {
            conditions.retain(|it| it.argument != 0);
            let which = Condition { argument: 0, operator: Operator::Eq, mask: u64::MAX, value };
            conditions.insert(0, which);
        }
        if !self.architecture.wide {
            conditions = conditions.into_iter().map(Condition::narrow).collect();
        }
        // A mask of nothing asks nothing.
        conditions.retain(|it| it.mask != 0);
        // The last argument first, as the rules among themselves.
        conditions.sort_by_key(|it| std::cmp::Reverse(it.argument));
        Clause { conditions, action: rule.action, member: rule.member }
    }

    /// Numbers come in ascending order.
    fn add(&mut self, number: u32, clause: Clause) {
        let end = self.clauses.len();
        let start = match self.calls.last() {
            Some((last, clauses)) if *last == number => clauses.start,
            _ => end,
        };
        let conditions = &clause.conditions;
        let others = &self.clauses[start..];
        if others.iter().any(|other| covers(&other.conditions, conditions)) {
            return;
        }
        if others.iter().any(|other| covers(conditions, &other.conditions)) {
            let mut others = self.clauses.split_off(start);
            others.retain(|other| !covers(conditions, &other.conditions));
            self.clauses.append(&mut others);
        }
        self.clauses.push(clause);
        if start < end {
            self.calls.pop();
        }
        self.calls.push((number, start..self.clauses.len()));
    }

    /// What the rules say about a number, in the order in which they are asked.
    fn clauses_of(&self, number: u32) -> &[Clause] {
        let found = self.calls.binary_search_by_key(&number, |(number, _)| *number);
        found.map_or(&[], |at| &self.clauses[self.calls[at].1.clone()])
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
        for clause in self.clauses_of(number) {
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
        let mut ranges = Vec::with_capacity(self.calls.len());
        let mut then = |from, verdict| push(&mut ranges, from, verdict);
        then(*range.start(), Verdict::Answer(default));
        let mut calls = self.calls.iter().peekable();
        while let Some((number, clauses)) = calls.next() {
            let number = *number;
            match &self.clauses[clauses.clone()] {
                [Clause { conditions, action, .. }] if conditions.is_empty() => {
                    then(number, Verdict::Answer(*action));
                }
                clauses => then(number, Verdict::Ask(clauses)),
            }
            let is_followed = calls.peek().is_some_and(|(next, _)| *next == number + 1);
            if number < *range.end() && !is_followed {
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
