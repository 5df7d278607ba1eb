//! Pure: from merged rules to a program: first the architecture, then a balanced tree over ranges of
//! numbers, and at its leaves answers or conditions on arguments.
//!
//! The kernel runs a filter once for every number when it is loaded, and for most calls afterwards
//! never again: the length of the path counts for both, the size for the load.

use super::action::{Action, Condition, FOREIGN, Operator};
use super::architecture::{Architecture, Names, X32_BIT};
use super::bpf;
use super::bpf::{Instruction, Target, Writer};
use super::profile::Profile;
use super::rules::{Clause, Multiplexed, Range, Reason, Table, Verdict, push};
use crate::error::{Error, Result};
use crate::spec;

/// A profile whose rules are merged, to be made a program of or to be asked.
#[derive(Debug)]
pub struct Filter {
    default: Action,
    tables: Vec<Table>,
    pub(super) flags: u32,
    pub(super) notifies: bool,
    /// Names in the profile that no architecture has.
    pub unknown_names: Vec<String>,
}

impl Filter {
    /// Reads a profile for a machine of the architecture `native`.
    ///
    /// # Errors
    /// The first mistake, with its JSON pointer.
    pub fn read(written: &spec::Seccomp, native: &'static Architecture) -> Result<Filter> {
        let names = Names::new();
        let profile = Profile::read(written, native, &names)?;
        let multiplexed = Multiplexed::new(&names);
        let tables = profile.architectures.iter();
        Ok(Filter {
            default: profile.default,
            tables: tables.map(|it| Table::merge(&profile, it, &multiplexed)).collect(),
            flags: profile.flags,
            notifies: profile.notifies,
            unknown_names: profile.unknown_names.iter().map(|name| (*name).to_owned()).collect(),
        })
    }

    /// The architectures that are filtered.
    pub fn architectures(&self) -> impl Iterator<Item = &'static Architecture> {
        self.tables.iter().map(|table| table.architecture)
    }

    /// The highest number that the profile names for an architecture, above which everything is
    /// newer than the profile; None where that is not asked.
    pub fn highest(&self, architecture: &Architecture) -> Option<u32> {
        let table = self.tables.iter().find(|table| table.architecture.is(architecture))?;
        table.bound(self.default)
    }

    /// What happens to a call, and why: the rules themselves say it, not the program.
    pub fn decide(
        &self,
        audit: u32,
        number: u32,
        arguments: &[u64; bpf::ARGUMENTS],
    ) -> (Action, Reason) {
        let foreign = (FOREIGN, Reason::Foreign);
        let listed = |it: &&Table| it.architecture.audit == audit;
        let mut tables = self.tables.iter().filter(listed);
        let table =
            tables.clone().find(|table| table.architecture.is_x32() == is_x32(audit, number));
        match table.or_else(|| tables.next()) {
            None => foreign,
            Some(table) if table.architecture.is_x32() && !is_x32(audit, number) => foreign,
            // x32 without being listed: newer than all of x86_64, or foreign. A tracer sets -1.
            Some(table)
                if table.architecture.is_x86_64()
                    && is_x32(audit, number)
                    && number != u32::MAX
                    && table.bound(self.default).is_none() =>
            {
                foreign
            }
            Some(table) => {
                let low = |it: &u64| if table.architecture.wide { *it } else { *it & 0xffff_ffff };
                table.decide(number, &arguments.each_ref().map(low), self.default)
            }
        }
    }

    /// The program.
    ///
    /// # Errors
    /// More instructions than the kernel takes.
    pub fn assemble(&self) -> Result<Vec<Instruction>> {
        let mut writer = Writer::default();
        let mut next = Target::Answer(FOREIGN.0);
        // The native architecture is asked for first, so it is written last.
        for table in self.tables.iter().rev() {
            let first =
                self.tables.iter().find(|it| it.architecture.audit == table.architecture.audit);
            if !first.is_some_and(|first| first.architecture.is(table.architecture)) {
                continue;
            }
            let tree = Tree { writer: &mut writer, default: self.default.0, asked: Vec::new() };
            let tree = tree.write(&self.ranges(table.architecture.audit), table.architecture);
            let calls = writer.straight(bpf::LOAD, bpf::NUMBER, tree);
            next = writer.branch(bpf::IF_EQUAL, table.architecture.audit, calls, next);
        }
        writer.straight(bpf::LOAD, bpf::AUDIT, next);
        let program = writer.finish();
        if program.len() > bpf::MOST {
            let text = format!("makes {} instructions, more than {}", program.len(), bpf::MOST);
            return Err(Error::config("/linux/seccomp/syscalls", text));
        }
        Ok(program)
    }

    /// All answers for one audit value, which two architectures may share.
    fn ranges(&self, audit: u32) -> Vec<Range<'_>> {
        let of = |x32: bool| {
            let shared =
                |it: &&Table| it.architecture.audit == audit && it.architecture.is_x32() == x32;
            self.tables.iter().find(shared)
        };
        let shares = audit == Architecture::audit_of_x32();
        let (plain, x32) = (of(false), of(true));
        let last = if shares { X32_BIT - 1 } else { u32::MAX };
        let mut ranges = match plain {
            Some(table) => table.ranges(&(0..=last), self.default),
            None => vec![(0, Verdict::Answer(FOREIGN))],
        };
        match (x32, plain) {
            (Some(table), _) => {
                for (from, verdict) in table.ranges(&(X32_BIT..=u32::MAX), self.default) {
                    push(&mut ranges, from, verdict);
                }
            }
            (None, Some(table)) if shares && table.bound(self.default).is_none() => {
                push(&mut ranges, X32_BIT, Verdict::Answer(FOREIGN));
                push(&mut ranges, u32::MAX, Verdict::Answer(self.default));
            }
            _ => {}
        }
        ranges
    }
}

/// Whether a number is one of x32.
fn is_x32(audit: u32, number: u32) -> bool {
    audit == Architecture::audit_of_x32() && number >= X32_BIT
}

/// Conditions that are written already, so that calls with the same ones share them.
struct Tree<'w, 'r> {
    writer: &'w mut Writer,
    default: u32,
    asked: Vec<(&'r [Clause], bool, Target)>,
}

/// A part of the number line that one comparison can decide.
struct Part<'r> {
    from: u32,
    verdict: Verdict<'r>,
    /// One number in the middle of it with another answer.
    except: Option<(u32, Verdict<'r>)>,
}

/// A single number between two ranges with one answer costs one comparison instead of two.
fn parts<'r>(ranges: &[Range<'r>]) -> Vec<Part<'r>> {
    let mut parts = Vec::new();
    let mut rest = ranges;
    while let [(from, verdict), after @ ..] = rest {
        let (mut except, mut next) = (None, after);
        if let [(number, other), (then, same), beyond @ ..] = after
            && *then == number + 1
            && same == verdict
        {
            (except, next) = (Some((*number, *other)), beyond);
        }
        parts.push(Part { from: *from, verdict: *verdict, except });
        rest = next;
    }
    parts
}

impl<'r> Tree<'_, 'r> {
    fn write(mut self, ranges: &[Range<'r>], architecture: &Architecture) -> Target {
        self.branch(&parts(ranges), architecture)
    }

    fn branch(&mut self, parts: &[Part<'r>], architecture: &Architecture) -> Target {
        match parts {
            [] => Target::Answer(self.default),
            [part] => {
                let usual = self.leaf(part.verdict, architecture);
                let Some((number, verdict)) = part.except else { return usual };
                let other = self.leaf(verdict, architecture);
                self.writer.branch(bpf::IF_EQUAL, number, other, usual)
            }
            parts => {
                let (low, high) = parts.split_at(parts.len() / 2);
                let bound = high[0].from;
                let above = self.branch(high, architecture);
                let below = self.branch(low, architecture);
                self.writer.branch(bpf::IF_NOT_LESS, bound, above, below)
            }
        }
    }

    fn leaf(&mut self, verdict: Verdict<'r>, architecture: &Architecture) -> Target {
        let clauses = match verdict {
            Verdict::Answer(action) => return Target::Answer(action.0),
            Verdict::Ask(clauses) => clauses,
        };
        // Two architectures that share a tree may see arguments of different width.
        let known = |(asked, wide, _): &&(&[Clause], bool, Target)| {
            *wide == architecture.wide && same_answers(asked, clauses)
        };
        if let Some((.., target)) = self.asked.iter().find(known) {
            return *target;
        }
        let mut next = Target::Answer(self.default);
        for clause in clauses.iter().rev() {
            let mut holds = Target::Answer(clause.action.0);
            for condition in clause.conditions.iter().rev() {
                holds = self.condition(condition, holds, next, architecture);
            }
            next = holds;
        }
        self.asked.push((clauses, architecture.wide, next));
        next
    }

    /// Goes to `yes` where the condition holds, else to `no`.
    fn condition(
        &mut self,
        condition: &Condition,
        yes: Target,
        no: Target,
        architecture: &Architecture,
    ) -> Target {
        let (code, yes, no) = match condition.operator {
            Operator::Eq | Operator::MaskedEq => (bpf::IF_EQUAL, yes, no),
            Operator::Ne => (bpf::IF_EQUAL, no, yes),
            Operator::Ge => (bpf::IF_NOT_LESS, yes, no),
            Operator::Lt => (bpf::IF_NOT_LESS, no, yes),
            Operator::Gt => (bpf::IF_GREATER, yes, no),
            Operator::Le => (bpf::IF_GREATER, no, yes),
        };
        let offset = bpf::FIRST_ARGUMENT + 8 * condition.argument;
        let (high, low) = if architecture.big_endian { (0, 4) } else { (4, 0) };
        let half = |it: u64, high: bool| if high { (it >> 32) as u32 } else { it as u32 };
        let (mask, value) = (half(condition.mask, false), half(condition.value, false));
        let decided = self.writer.branch(code, value, yes, no);
        let low = self.masked(offset + low, mask, decided);
        let (mask, value) = (half(condition.mask, true), half(condition.value, true));
        if !architecture.wide || mask == 0 {
            return low;
        }
        // The high halves decide unless they are equal.
        let otherwise = match code {
            bpf::IF_EQUAL => no,
            _ => self.writer.branch(bpf::IF_GREATER, value, yes, no),
        };
        let high_is_equal = self.writer.branch(bpf::IF_EQUAL, value, low, otherwise);
        self.masked(offset + high, mask, high_is_equal)
    }

    /// Loads the word at `offset` under a mask.
    fn masked(&mut self, offset: u32, mask: u32, next: Target) -> Target {
        // Nothing has to be loaded for an answer that does not depend on it.
        if matches!(next, Target::Answer(_)) {
            return next;
        }
        let next = if mask == u32::MAX { next } else { self.writer.straight(bpf::AND, mask, next) };
        self.writer.straight(bpf::LOAD, offset, next)
    }
}

fn same_answers(one: &[Clause], other: &[Clause]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(a, b)| a.action == b.action && a.conditions == b.conditions)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::security::seccomp::{ARCHITECTURES, OPERATORS, interpret};

    fn x86_64() -> &'static Architecture {
        Architecture::by_name("x86_64").unwrap()
    }

    fn profile(text: &str) -> spec::Seccomp {
        spec::parse(text.as_bytes()).unwrap()
    }

    /// What the program itself answers, and how many instructions that took.
    fn run(
        program: &[Instruction],
        architecture: &Architecture,
        number: u32,
        arguments: &[u64; bpf::ARGUMENTS],
    ) -> (u32, usize) {
        let mut data = [0; 16];
        (data[0], data[1]) = (number, architecture.audit);
        for (at, argument) in arguments.iter().enumerate() {
            let (low, high) = if architecture.big_endian { (1, 0) } else { (0, 1) };
            data[4 + 2 * at + low] = *argument as u32;
            data[4 + 2 * at + high] = (*argument >> 32) as u32;
        }
        interpret(program, &data).expect("a program that the kernel would take")
    }

    /// Every number that could matter.
    fn numbers() -> impl Iterator<Item = u32> {
        let near = |at: u32| (0..4).map(move |by| at.wrapping_add(by).wrapping_sub(2));
        let bases = [4000u32, 5000, 6000, 0x000f_0000, X32_BIT];
        let ends = [0x7fff_ffff, 0x8000_0000, u32::MAX - 1];
        (0..520)
            .chain(bases.into_iter().flat_map(|base| base - 2..base + 600))
            .chain(ends.into_iter().flat_map(near))
    }

    /// The program and the rules that it was made of have to agree.
    fn agree(filter: &Filter, arguments: &[[u64; 6]], numbers: &[u32]) {
        let program = filter.assemble().unwrap();
        for architecture in &ARCHITECTURES {
            for &number in numbers {
                for arguments in arguments {
                    let (expected, reason) = filter.decide(architecture.audit, number, arguments);
                    let (value, _) = run(&program, architecture, number, arguments);
                    assert_eq!(
                        Action(value),
                        expected,
                        "{} {number:#x} {arguments:x?} {reason:?}",
                        architecture.name()
                    );
                }
            }
        }
    }

    fn engines() -> Vec<(String, spec::Seccomp)> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/engines");
        let mut profiles = Vec::new();
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let config = spec::Config::read(&path).unwrap();
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                profiles.extend(config.linux.seccomp.map(|seccomp| (name, seccomp)));
            }
        }
        assert!(profiles.len() >= 5, "the fixtures have profiles");
        profiles
    }

    #[test]
    fn engines_profiles_do_what_their_rules_say() {
        let arguments = [
            [0; 6],
            [8, 0, 9, 0, 0, 0],
            [16, 0, 9, 0, 0, 0],
            [0x7e02_0000, 0, 0, 0, 0, 0],
            [0xffff_ffff, 1, 1, 1, 1, 1],
            [u64::MAX; 6],
        ];
        let numbers: Vec<_> = numbers().collect();
        for (_, profile) in engines() {
            agree(&Filter::read(&profile, x86_64()).unwrap(), &arguments, &numbers);
        }
    }

    /// The goals of the size and of the path, which decide how long the load takes.
    #[test]
    fn the_program_of_dockers_profile_is_small_and_its_paths_are_short() {
        for (name, profile) in engines() {
            let filter = Filter::read(&profile, x86_64()).unwrap();
            let program = filter.assemble().unwrap();
            let (mut runs, mut steps) = (0, 0);
            for architecture in filter.architectures() {
                let table = filter.tables.iter().find(|it| it.architecture.is(architecture));
                for &(number, _) in &table.unwrap().calls {
                    runs += 1;
                    steps += run(&program, architecture, number, &[0; 6]).1;
                }
            }
            let mean = steps as f64 / f64::from(runs);
            println!("{name}: {} instructions, mean path {mean:.1}", program.len());
            assert!(program.len() <= 800, "{name}: {} instructions", program.len());
            assert!(mean <= 14.0, "{name}: mean path {mean}");
        }
    }

    /// A name may stand for a number above all that have names in the profile.
    #[test]
    fn a_call_that_is_made_through_another_is_not_newer() {
        let written = profile(
            r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_S390X"],
                "syscalls":[{"names":["read","accept"],"action":"SCMP_ACT_ALLOW"}]}"#,
        );
        let filter = Filter::read(&written, x86_64()).unwrap();
        agree(&filter, &[[0; 6], [5, 0, 0, 0, 0, 0]], &[2, 3, 4, 6, 101, 102, 103]);
        let s390x = Architecture::by_name("s390x").unwrap();
        assert_eq!(filter.highest(s390x), Some(102));
    }

    /// The answers of a profile for x86_64, as values, by number.
    fn answers(text: &str, numbers: &[u32]) -> Vec<u32> {
        let filter = Filter::read(&profile(text), x86_64()).unwrap();
        let program = filter.assemble().unwrap();
        numbers.iter().map(|number| run(&program, x86_64(), *number, &[0; 6]).0).collect()
    }

    #[test]
    fn what_is_newer_than_the_profile_is_unknown_to_the_program() {
        const ENOSYS: u32 = 0x0005_0026;
        // read is 0, close 3, openat 257 here; 258 is mkdirat. The last two are those of x32 and of
        // a tracer that skips a call.
        let numbers = [0, 1, 3, 257, 258, 463, X32_BIT, u32::MAX];
        let rules = r#""syscalls":[{"names":["read","close"],"action":"SCMP_ACT_ALLOW"},
            {"names":["openat"],"action":"SCMP_ACT_TRAP"}]"#;
        let allow = 0x7fff_0000;
        let trap = 0x0003_0000;
        for (action, default) in [
            ("SCMP_ACT_ERRNO", 0x0005_0001),
            ("SCMP_ACT_KILL", 0),
            ("SCMP_ACT_KILL_THREAD", 0),
            ("SCMP_ACT_KILL_PROCESS", 0x8000_0000),
            ("SCMP_ACT_TRAP", trap),
        ] {
            let text = format!(r#"{{"defaultAction":"{action}",{rules}}}"#);
            let expected = [allow, default, allow, trap, ENOSYS, ENOSYS, ENOSYS, ENOSYS];
            assert_eq!(answers(&text, &numbers), expected, "{action}");
        }
        for (action, default) in [("SCMP_ACT_LOG", 0x7ffc_0000), ("SCMP_ACT_TRACE", 0x7ff0_0001)] {
            let text = format!(r#"{{"defaultAction":"{action}",{rules}}}"#);
            let expected = [allow, default, allow, trap, default, default, 0, default];
            assert_eq!(answers(&text, &numbers), expected, "{action}");
        }
        // A profile that names nothing is older than nothing.
        assert_eq!(answers(r#"{"defaultAction":"SCMP_ACT_ERRNO"}"#, &[0, 463]), [0x0005_0001; 2]);
        // A rule that only repeats the default names its calls all the same.
        let text = r#"{"defaultAction":"SCMP_ACT_ERRNO",
            "syscalls":[{"names":["openat"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}"#;
        assert_eq!(answers(text, &[0, 257, 258]), [0x0005_0001, 0x0005_0001, ENOSYS]);
    }

    #[test]
    fn x32_has_numbers_of_its_own() {
        let text = r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X32"],
            "syscalls":[{"names":["read","execve"],"action":"SCMP_ACT_TRAP"}]}"#;
        let (allow, trap) = (0x7fff_0000, 0x0003_0000);
        assert_eq!(
            answers(text, &[0, 59, X32_BIT, X32_BIT + 59, X32_BIT + 520]),
            [trap, trap, trap, allow, trap]
        );
    }

    /// Who wins among rules for one call: `read` with its first two arguments.
    #[test]
    fn precedence_among_the_rules_of_one_call() {
        const A: &str = r#""action":"SCMP_ACT_ERRNO","errnoRet":10"#;
        const B: &str = r#""action":"SCMP_ACT_ERRNO","errnoRet":11"#;
        let arg = |index, op, value| {
            format!(r#"{{"index":{index},"op":"SCMP_CMP_{op}","value":{value}}}"#)
        };
        let (first, second) = (arg(0, "EQ", 1), arg(1, "EQ", 2));
        let both = format!("{first},{second}");
        for (one, other, expected) in [
            // without conditions covers with; the first without wins
            ("", &*first, [10, 10, 10]),
            (&*first, "", [11, 11, 11]),
            ("", "", [10, 10, 10]),
            // a mask of nothing asks nothing
            (r#"{"index":0,"op":"SCMP_CMP_MASKED_EQ","value":0,"valueTwo":7}"#, "", [10, 10, 10]),
            // fewer conditions cover more
            (&*both, &*first, [11, 11, 1]),
            (&*first, &*both, [10, 10, 1]),
            // of equal ones the first
            (&*first, &*first, [10, 10, 1]),
            // the later argument is asked first
            (&*first, &*second, [11, 10, 11]),
            (&*second, &*first, [10, 11, 10]),
            // two conditions on one argument are two rules
            (&*format!("{first},{}", arg(0, "EQ", 9)), &*second, [11, 10, 11]),
        ] {
            let text = format!(
                r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
                {{"names":["read"],{A},"args":[{one}]}},{{"names":["read"],{B},"args":[{other}]}}]}}"#
            );
            let filter = Filter::read(&profile(&text), x86_64()).unwrap();
            let program = filter.assemble().unwrap();
            let answer = |a, b| run(&program, x86_64(), 0, &[a, b, 0, 0, 0, 0]).0 & 0xffff;
            assert_eq!([answer(1, 2), answer(1, 9), answer(8, 2)], expected, "{one} then {other}");
        }
    }

    #[test]
    fn x86_makes_sockets_and_queues_through_one_call() {
        let text = r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],
            "syscalls":[{"names":["socket","send"],"action":"SCMP_ACT_ALLOW",
                "args":[{"index":0,"op":"SCMP_CMP_EQ","value":2},{"index":1,"op":"SCMP_CMP_EQ","value":1}]},
                {"names":["semctl"],"action":"SCMP_ACT_ALLOW"}]}"#;
        let filter = Filter::read(&profile(text), x86_64()).unwrap();
        let program = filter.assemble().unwrap();
        let x86 = Architecture::by_name("x86").unwrap();
        let allowed =
            |number, a, b| run(&program, x86, number, &[a, b, 0, 0, 0, 0]).0 == 0x7fff_0000;
        // socketcall is 102, socket 359; the condition on the first argument gives way to the number
        // of the call, that on the second stays.
        assert!(allowed(102, 1, 1) && allowed(102, 9, 1) && allowed(359, 2, 1));
        assert!(!allowed(102, 1, 0) && !allowed(102, 2, 1) && !allowed(359, 9, 1));
        // ipc is 117, semctl 394.
        assert!(allowed(117, 3, 7) && allowed(394, 0, 0) && !allowed(117, 2, 7));
    }

    #[test]
    fn conditions_of_all_operators_at_their_boundaries() {
        let values = [0, 1, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001, u64::MAX - 1, u64::MAX];
        let mut near: Vec<u64> =
            values.iter().flat_map(|it| [it.wrapping_sub(1), *it, it.wrapping_add(1)]).collect();
        near.dedup();
        let arguments: Vec<_> = near.iter().map(|it| [7, 7, *it, 7, 7, 7]).collect();
        for (operator, _) in OPERATORS {
            for value in values {
                for other in [0, 1, 0x1_0000_0000_u64] {
                    let text = format!(
                        r#"{{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],
                        "syscalls":[{{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{{"index":2,
                        "op":"{operator}","value":{value},"valueTwo":{other}}}]}}]}}"#
                    );
                    let filter = Filter::read(&profile(&text), x86_64()).unwrap();
                    agree(&filter, &arguments, &[0, 3]);
                }
            }
        }
    }

    #[test]
    fn mistakes_are_named_by_their_pointers() {
        let with = |rest: &str| format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO"{rest}}}"#);
        for (text, expected) in [
            ("{}".to_owned(), "/linux/seccomp/defaultAction: is missing"),
            (
                r#"{"defaultAction":"ALLOW"}"#.to_owned(),
                "/linux/seccomp/defaultAction: `ALLOW` is no action",
            ),
            (
                r#"{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1}"#.to_owned(),
                "/linux/seccomp/defaultErrnoRet: SCMP_ACT_ALLOW takes no errno",
            ),
            (
                with(r#","defaultErrnoRet":4096"#),
                "/linux/seccomp/defaultErrnoRet: 4096 is more than 4095",
            ),
            (
                with(r#","architectures":["SCMP_ARCH_X86","SCMP_ARCH_VAX"]"#),
                "/linux/seccomp/architectures/1: `SCMP_ARCH_VAX` is no architecture",
            ),
            (
                with(r#","architectures":["x86"]"#),
                "/linux/seccomp/architectures/0: `x86` is no architecture",
            ),
            (with(r#","flags":["X"]"#), "/linux/seccomp/flags/0: `X` is no flag"),
            (
                with(r#","syscalls":[{"action":"SCMP_ACT_ALLOW"}]"#),
                "/linux/seccomp/syscalls/0/names: names no system call",
            ),
        ] {
            let error = Filter::read(&profile(&text), x86_64()).unwrap_err().to_string();
            assert_eq!(error, expected, "{text}");
        }
    }

    #[test]
    fn mistakes_in_rules_are_named_by_their_pointers() {
        let with = |rest: &str| format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO"{rest}}}"#);
        let rule = |rest: &str| with(&format!(r#","syscalls":[{{"names":["read"]{rest}}}]"#));
        let arg = |it: &str| rule(&format!(r#","action":"SCMP_ACT_ALLOW","args":[{it}]"#));
        for (text, expected) in [
            (rule(""), "/linux/seccomp/syscalls/0/action: is missing"),
            (
                rule(r#","action":"SCMP_ACT_TRAP","errnoRet":1"#),
                "/linux/seccomp/syscalls/0/errnoRet: SCMP_ACT_TRAP takes no errno",
            ),
            (
                rule(r#","action":"SCMP_ACT_TRACE","errnoRet":65536"#),
                "/linux/seccomp/syscalls/0/errnoRet: 65536 is more than 65535",
            ),
            (arg(r#"{"index":0,"value":1}"#), "/linux/seccomp/syscalls/0/args/0/op: is missing"),
            (
                arg(r#"{"index":0,"value":1,"op":"EQ"}"#),
                "/linux/seccomp/syscalls/0/args/0/op: `EQ` is no operator",
            ),
            (
                arg(r#"{"index":6,"value":1,"op":"SCMP_CMP_EQ"}"#),
                "/linux/seccomp/syscalls/0/args/0/index: 6 is above 5, the last argument",
            ),
            (
                rule(r#","action":"SCMP_ACT_NOTIFY""#),
                "/linux/seccomp/listenerPath: is missing: an action is SCMP_ACT_NOTIFY",
            ),
            (
                with(r#","listenerPath":"/run/x""#),
                "/linux/seccomp/listenerPath: is set, and no action is SCMP_ACT_NOTIFY",
            ),
            (
                with(r#","listenerMetadata":"x""#),
                "/linux/seccomp/listenerMetadata: is set without a listenerPath",
            ),
            (
                r#"{"defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"x"}"#.to_owned(),
                "/linux/seccomp/listenerPath: is not absolute",
            ),
        ] {
            let error = Filter::read(&profile(&text), x86_64()).unwrap_err().to_string();
            assert_eq!(error, expected, "{text}");
        }
    }

    #[test]
    fn flags_are_the_kernels() {
        let flags = |text: &str| Filter::read(&profile(text), x86_64()).unwrap().flags;
        let all = r#""flags":["SECCOMP_FILTER_FLAG_TSYNC","SECCOMP_FILTER_FLAG_LOG",
            "SECCOMP_FILTER_FLAG_SPEC_ALLOW","SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]"#;
        assert_eq!(flags(r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#), 0);
        // WAIT_KILLABLE_RECV without a listener would be refused by the kernel.
        assert_eq!(flags(&format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW",{all}}}"#)), 0b00_0111);
        let notify = r#""defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/x""#;
        assert_eq!(flags(&format!("{{{notify},{all}}}")), 0b11_1111);
        assert_eq!(flags(&format!("{{{notify}}}")), 0b00_1000);
    }

    #[test]
    fn unknown_names_are_no_mistake() {
        let text = r#"{"defaultAction":"SCMP_ACT_ERRNO",
            "syscalls":[{"names":["read","frobnicate"],"action":"SCMP_ACT_ALLOW"}]}"#;
        let filter = Filter::read(&profile(text), x86_64()).unwrap();
        assert_eq!(filter.unknown_names, ["frobnicate"]);
    }

    #[test]
    fn too_long_a_program_is_refused() {
        let args = |value| {
            format!(
                r#"{{"names":["read"],"action":"SCMP_ACT_ALLOW",
                "args":[{{"index":0,"op":"SCMP_CMP_EQ","value":{value}}}]}}"#
            )
        };
        let rules: Vec<_> = (0..2000).map(args).collect();
        let text =
            format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{}]}}"#, rules.join(","));
        let error = Filter::read(&profile(&text), x86_64()).unwrap().assemble().unwrap_err();
        assert_eq!(
            error.to_string(),
            "/linux/seccomp/syscalls: makes 8039 instructions, more than 4096"
        );
    }

    fn any_value() -> impl Strategy<Value = u64> {
        let few = prop::sample::select(vec![0, 1, 2, 0xffff_ffff, 0x1_0000_0000, u64::MAX]);
        prop_oneof![3 => few, 1 => any::<u64>()]
    }

    fn any_rule() -> impl Strategy<Value = spec::SeccompRule> {
        let names: Vec<String> = "read write openat socket semop accept clone personality ioctl \
            fcntl64 waitpid set_tls mmap2 seccomp file_setattr"
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let action = prop::sample::select(vec!["ALLOW", "ERRNO", "TRAP", "KILL", "LOG", "TRACE"]);
        let argument = (0..6u32, 0..7usize, any_value(), any_value());
        let argument = argument.prop_map(|(index, operator, value, value_two)| spec::SeccompArg {
            index,
            value,
            value_two,
            op: OPERATORS[operator].0.to_owned(),
        });
        let arguments = prop::collection::vec(argument, 0..4);
        (prop::sample::subsequence(names, 1..6), action, arguments).prop_map(
            |(names, action, args)| spec::SeccompRule {
                names,
                action: format!("SCMP_ACT_{action}"),
                errno_ret: None,
                args,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_profile_does_what_its_rules_say(
            rules in prop::collection::vec(any_rule(), 0..30),
            default in prop::sample::select(vec!["ALLOW", "ERRNO", "KILL_PROCESS"]),
            listed in prop::sample::subsequence(ARCHITECTURES.iter().collect::<Vec<_>>(), 0..6),
            arguments in prop::collection::vec([any_value(), any_value(), any_value(),
                any_value(), any_value(), any_value()], 1..4),
        ) {
            let written = spec::Seccomp {
                default_action: format!("SCMP_ACT_{default}"),
                architectures: listed.iter().map(|it| it.name()).collect(),
                syscalls: rules,
                ..spec::Seccomp::default()
            };
            let filter = Filter::read(&written, x86_64()).unwrap();
            let numbers: Vec<_> = numbers().step_by(3).collect();
            agree(&filter, &arguments, &numbers);
        }
    }
}
