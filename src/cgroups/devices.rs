//! Pure: the rules of the device controller, as lines for cgroup v1 and as a small eBPF program for
//! cgroup v2.
//!
//! One meaning for both: each kind of access (read, write, mknod) to a device is decided by the last
//! rule that matches it; a request is granted if every kind of access in it is.

use crate::error::{Error, Result};
use crate::spec;

/// Access bits as eBPF has them (`BPF_DEVCG_ACC_*`).
const MKNOD: u8 = 1;
const READ: u8 = 2;
const WRITE: u8 = 4;
const ALL: u8 = MKNOD | READ | WRITE;

/// A file of the v1 controller and what it gets.
pub(super) type Line = (&'static str, String);

const ALLOW: &str = "devices.allow";
const DENY: &str = "devices.deny";

/// What sort of node; the numbers are eBPF's (`BPF_DEVCG_DEV_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Block = 1,
    Character = 2,
}

/// One rule; no number means every number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    allow: bool,
    node: Node,
    major: Option<u32>,
    minor: Option<u32>,
    access: u8,
}

impl Rule {
    const fn allow(node: Node, major: Option<u32>, minor: Option<u32>, access: u8) -> Rule {
        Rule { allow: true, node, major, minor, access }
    }

    /// Whether all devices of `other` are among ours.
    fn covers(&self, other: &Rule) -> bool {
        let wider = |own: Option<u32>, other| own.is_none() || own == other;
        self.node == other.node && wider(self.major, other.major) && wider(self.minor, other.minor)
    }

    /// The devices that both match, with the access of both together.
    fn meet(&self, other: &Rule) -> Option<Rule> {
        let meet = |own: Option<u32>, other: Option<u32>| match (own, other) {
            (Some(own), Some(other)) if own != other => None,
            (own, other) => Some(own.or(other)),
        };
        if self.node != other.node {
            return None;
        }
        let (major, minor) = (meet(self.major, other.major)?, meet(self.minor, other.minor)?);
        Some(Rule { major, minor, access: self.access | other.access, ..*self })
    }

    /// As `devices.allow` and `devices.deny` of cgroup v1 read it.
    fn line(&self) -> String {
        let node = match self.node {
            Node::Block => 'b',
            Node::Character => 'c',
        };
        let number = |number: Option<u32>| number.map_or("*".to_owned(), |n| n.to_string());
        let letters = [(READ, 'r'), (WRITE, 'w'), (MKNOD, 'm')];
        let access = letters.iter().filter(|(bit, _)| self.access & bit != 0);
        let access: String = access.map(|(_, letter)| letter).collect();
        format!("{node} {}:{} {access}", number(self.major), number(self.minor))
    }
}

/// What every container may do: make any node (using it is another matter), and use null, zero,
/// full, random, urandom, tty, ptmx and pseudo terminals.
const DEFAULTS: [Rule; 10] = {
    use Node::{Block, Character};
    const fn node(major: u32, minor: u32) -> Rule {
        Rule::allow(Character, Some(major), Some(minor), ALL)
    }
    [
        Rule::allow(Character, None, None, MKNOD),
        Rule::allow(Block, None, None, MKNOD),
        node(1, 3),
        node(1, 5),
        node(1, 7),
        node(1, 8),
        node(1, 9),
        node(5, 0),
        node(5, 2),
        Rule::allow(Character, Some(136), None, ALL),
    ]
};

/// All rules of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Devices {
    /// What happens to a device that no rule matches.
    allow: bool,
    /// In order.
    rules: Vec<Rule>,
}

impl Devices {
    /// Reads the rules of config.json and puts the default ones after them. What no rule speaks of
    /// is denied.
    pub(super) fn parse(rules: &[spec::DeviceRule]) -> Result<Devices> {
        let mut devices = Devices { allow: false, rules: Vec::new() };
        for (index, rule) in rules.iter().enumerate() {
            devices.add(rule, &format!("/linux/resources/devices/{index}"))?;
        }
        devices.rules.extend(DEFAULTS);
        Ok(devices)
    }

    fn add(&mut self, rule: &spec::DeviceRule, pointer: &str) -> Result<()> {
        let allow = rule.allow;
        let access = parse_access(&rule.access, pointer)?;
        let major = parse_number(rule.major, pointer, "major")?;
        let minor = parse_number(rule.minor, pointer, "minor")?;
        let nodes: &[Node] = match rule.kind.as_str() {
            "" | "a" if major.is_none() && minor.is_none() && access == ALL => {
                // It speaks of everything, so nothing before it counts.
                *self = Devices { allow, rules: Vec::new() };
                return Ok(());
            }
            "" | "a" => &[Node::Block, Node::Character],
            "b" => &[Node::Block],
            "c" | "u" => &[Node::Character],
            other => {
                let text = format!("`{other}` is none of a, b and c");
                return Err(Error::config(format!("{pointer}/type"), text));
            }
        };
        self.rules.extend(nodes.iter().map(|&node| Rule { allow, node, major, minor, access }));
        Ok(())
    }

    /// Whether nothing at all is forbidden.
    pub(super) fn allow_everything(&self) -> bool {
        self.allow && self.rules.iter().all(|rule| rule.allow)
    }

    /// What to write on cgroup v1: the file (`devices.allow` or `devices.deny`) and the line.
    ///
    /// That controller has a default and a list of exceptions to it. A rule that goes back to the
    /// default takes only an exception for exactly the same devices out of the list; the kernel
    /// ignores it silently for others. So the list is worked out here.
    pub(super) fn lines(&self) -> Result<Vec<Line>> {
        let exceptions = self.exceptions()?;
        let (first, file) = match self.allow {
            true => (ALLOW, DENY),
            false => (DENY, ALLOW),
        };
        let lines = exceptions.iter().map(|rule| (file, rule.line()));
        Ok(std::iter::once((first, "a".to_owned())).chain(lines).collect())
    }

    /// The lines that lead from the rules `before` to these, what is granted first: at no moment is
    /// anything forbidden that both allow. None where the default changes, which makes the
    /// controller forget all exceptions.
    pub(super) fn lines_from(&self, before: &Devices) -> Result<Option<Vec<Line>>> {
        if self.allow != before.allow {
            return Ok(None);
        }
        let (new, old) = (self.exceptions()?, before.exceptions()?);
        let left = |from: &[Rule], without: &[Rule]| {
            let rest = |rule: &Rule| {
                let same = without.iter().find(|it| it.covers(rule) && rule.covers(it));
                let access = rule.access & !same.map_or(0, |same| same.access);
                (access != 0).then(|| Rule { access, ..*rule }.line())
            };
            from.iter().filter_map(rest).collect::<Vec<String>>()
        };
        let (added, removed) = (left(&new, &old), left(&old, &new));
        let (granted, withdrawn) = if self.allow { (removed, added) } else { (added, removed) };
        let granted = granted.into_iter().map(|line| (ALLOW, line));
        Ok(Some(granted.chain(withdrawn.into_iter().map(|line| (DENY, line))).collect()))
    }

    /// What is allowed, as systemd's DeviceAllow has it. None where that is not a list of devices.
    ///
    /// # Errors
    /// As [`Devices::lines`].
    pub(super) fn allowed(&self) -> Result<Option<Vec<(String, String)>>> {
        if self.allow {
            return Ok(None);
        }
        let pair = |rule: &Rule| {
            let kind = if rule.node == Node::Block { "block" } else { "char" };
            let what = match (rule.major, rule.minor) {
                (Some(major), Some(minor)) => format!("/dev/{kind}/{major}:{minor}"),
                (Some(major), None) => format!("{kind}-{major}"),
                (None, None) => format!("{kind}-*"),
                (None, Some(_)) => return None,
            };
            Some((what, rule.line().rsplit(' ').next().unwrap_or_default().to_owned()))
        };
        Ok(self.exceptions()?.iter().map(pair).collect())
    }

    fn exceptions(&self) -> Result<Vec<Rule>> {
        let mut exceptions: Vec<Rule> = Vec::new();
        for rule in &self.rules {
            if rule.allow != self.allow {
                merge(&mut exceptions, *rule);
                continue;
            }
            for exception in &mut exceptions {
                if exception.access & rule.access == 0 || exception.meet(rule).is_none() {
                    continue;
                }
                if !rule.covers(exception) {
                    let text = format!(
                        "cgroup v1 cannot take `{}` out of `{}`",
                        rule.line(),
                        exception.line()
                    );
                    return Err(Error::config("/linux/resources/devices", text));
                }
                exception.access &= !rule.access;
            }
            exceptions.retain(|exception| exception.access != 0);
        }
        if !self.allow {
            // Opening for reading and writing is granted only by one exception that has both.
            for (index, left) in exceptions.clone().iter().enumerate() {
                for right in exceptions.clone().iter().skip(index + 1) {
                    if let Some(both) = left.meet(right) {
                        merge(&mut exceptions, both);
                    }
                }
            }
        }
        Ok(exceptions)
    }

    /// The program for cgroup v2. From the last rule to the first, register 3 holds the kinds of
    /// access that are not decided yet.
    pub(super) fn program(&self) -> Vec<[u8; 8]> {
        let mut program = vec![
            instruction(LOAD, TYPE, CONTEXT, 0, 0),
            instruction(COPY, ACCESS, TYPE, 0, 0),
            instruction(AND, TYPE, 0, 0, 0xffff),
            instruction(SHIFT_RIGHT, ACCESS, 0, 0, 16),
            instruction(LOAD, MAJOR, CONTEXT, 4, 0),
            instruction(LOAD, MINOR, CONTEXT, 8, 0),
        ];
        for rule in self.rules.iter().rev() {
            let body = body(rule);
            let mut conditions = vec![(TYPE, rule.node as u32)];
            conditions.extend(rule.major.map(|major| (MAJOR, major)));
            conditions.extend(rule.minor.map(|minor| (MINOR, minor)));
            let length = conditions.len() + body.len();
            for (index, (register, value)) in conditions.into_iter().enumerate() {
                let skip = (length - index - 1) as i16;
                program.push(instruction(JUMP_UNLESS_EQUAL, register, 0, skip, value as i32));
            }
            program.extend(body);
        }
        program.extend(verdict(self.allow));
        program
    }
}

/// Adds a rule to exceptions of its own sort; one for the same devices takes up its access.
fn merge(exceptions: &mut Vec<Rule>, rule: Rule) {
    let same = |other: &&mut Rule| other.covers(&rule) && rule.covers(other);
    match exceptions.iter_mut().find(same) {
        Some(same) => same.access |= rule.access,
        None => exceptions.push(rule),
    }
}

fn parse_access(text: &str, pointer: &str) -> Result<u8> {
    if text.is_empty() {
        return Ok(ALL);
    }
    text.chars().try_fold(0, |access, letter| match letter {
        'r' => Ok(access | READ),
        'w' => Ok(access | WRITE),
        'm' => Ok(access | MKNOD),
        other => {
            let text = format!("`{other}` is none of r, w and m");
            Err(Error::config(format!("{pointer}/access"), text))
        }
    })
}

fn parse_number(number: Option<i64>, pointer: &str, member: &str) -> Result<Option<u32>> {
    match number {
        None | Some(-1) => Ok(None),
        Some(number) => u32::try_from(number).map(Some).map_err(|_| {
            let text = format!("{number} is neither a device number nor -1");
            Error::config(format!("{pointer}/{member}"), text)
        }),
    }
}

// Registers.
const VERDICT: u8 = 0;
const CONTEXT: u8 = 1;
const TYPE: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

// Operations, all on 32 bits: the numbers are unsigned, and 64 bit comparisons extend the sign.
const LOAD: u8 = 0x61;
const COPY: u8 = 0xbc;
const SET: u8 = 0xb7;
const AND: u8 = 0x54;
const SHIFT_RIGHT: u8 = 0x74;
const JUMP: u8 = 0x05;
const JUMP_UNLESS_EQUAL: u8 = 0x56;
const JUMP_IF_ANY_BIT: u8 = 0x46;
const EXIT: u8 = 0x95;

/// One `struct bpf_insn`.
fn instruction(code: u8, target: u8, source: u8, offset: i16, value: i32) -> [u8; 8] {
    // Two bit fields of four bits, which C lays out by the byte order.
    let registers = match cfg!(target_endian = "little") {
        true => target | source << 4,
        false => target << 4 | source,
    };
    let ([o0, o1], [v0, v1, v2, v3]) = (offset.to_ne_bytes(), value.to_ne_bytes());
    [code, registers, o0, o1, v0, v1, v2, v3]
}

fn verdict(allow: bool) -> [[u8; 8]; 2] {
    [instruction(SET, VERDICT, 0, 0, i32::from(allow)), instruction(EXIT, 0, 0, 0, 0)]
}

/// What a rule does once it matches.
fn body(rule: &Rule) -> Vec<[u8; 8]> {
    let mut body = match (rule.access, rule.allow) {
        (ALL, _) => Vec::new(),
        // What it grants is decided; go on only with what is left.
        (access, true) => vec![
            instruction(AND, ACCESS, 0, 0, i32::from(ALL & !access)),
            instruction(JUMP_UNLESS_EQUAL, ACCESS, 0, 2, 0),
        ],
        (access, false) => vec![
            instruction(JUMP_IF_ANY_BIT, ACCESS, 0, 1, i32::from(access)),
            instruction(JUMP, 0, 0, 2, 0),
        ],
    };
    body.extend(verdict(rule.allow));
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(json: &str) -> Result<Devices> {
        let rules: Vec<spec::DeviceRule> = serde_json::from_str(json).unwrap();
        Devices::parse(&rules)
    }

    #[derive(Debug, Clone, Copy)]
    struct Access {
        node: Node,
        major: u32,
        minor: u32,
        access: u8,
    }

    /// The meaning: the last matching rule decides, for each kind of access.
    fn model(devices: &Devices, asked: Access) -> bool {
        let matches = |rule: &&Rule, bit: u8| {
            rule.node == asked.node
                && rule.major.is_none_or(|major| major == asked.major)
                && rule.minor.is_none_or(|minor| minor == asked.minor)
                && rule.access & bit != 0
        };
        let decide = |bit| {
            let last = devices.rules.iter().rev().find(|rule| matches(rule, bit));
            last.map_or(devices.allow, |rule| rule.allow)
        };
        [MKNOD, READ, WRITE].into_iter().filter(|bit| asked.access & bit != 0).all(decide)
    }

    /// A machine for the instructions used here; anything else panics.
    fn run(program: &[[u8; 8]], asked: Access) -> bool {
        let context = [u32::from(asked.access) << 16 | asked.node as u32, asked.major, asked.minor];
        let mut registers = [None::<u64>; 11];
        registers[usize::from(CONTEXT)] = Some(0);
        let mut at = 0i64;
        loop {
            let [code, both, o0, o1, v0, v1, v2, v3] = program[usize::try_from(at).unwrap()];
            let (target, source) = (usize::from(both & 15), usize::from(both >> 4));
            let offset = i16::from_ne_bytes([o0, o1]);
            let value = i32::from_ne_bytes([v0, v1, v2, v3]) as u32;
            let low = |register: usize| registers[register].unwrap() as u32;
            at += 1;
            match code {
                LOAD => registers[target] = Some(context[offset as usize / 4].into()),
                COPY => registers[target] = Some(low(source).into()),
                SET => registers[target] = Some(value.into()),
                AND => registers[target] = Some((low(target) & value).into()),
                SHIFT_RIGHT => registers[target] = Some((low(target) >> value).into()),
                JUMP => at += i64::from(offset),
                JUMP_UNLESS_EQUAL if low(target) != value => at += i64::from(offset),
                JUMP_IF_ANY_BIT if low(target) & value != 0 => at += i64::from(offset),
                JUMP_UNLESS_EQUAL | JUMP_IF_ANY_BIT => {}
                EXIT => return registers[0].unwrap() == 1,
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    /// The v1 controller of Linux (security/device_cgroup.c), told the lines.
    fn legacy(lines: &[(&str, String)], asked: Access) -> bool {
        let (first, line) = &lines[0];
        assert_eq!(line, "a");
        let allow = *first == "devices.allow";
        let node = if asked.node == Node::Block { "b" } else { "c" };
        let mut covered = false;
        let mut touched = false;
        for (file, line) in &lines[1..] {
            assert_eq!(*file == "devices.allow", !allow);
            let parts: Vec<&str> = line.split([' ', ':']).collect();
            let number = |text: &str, number: u32| text == "*" || text == number.to_string();
            if parts[0] != node || !number(parts[1], asked.major) || !number(parts[2], asked.minor)
            {
                continue;
            }
            let access = parse_access(parts[3], "").unwrap();
            covered |= asked.access & !access == 0;
            touched |= asked.access & access != 0;
        }
        if allow { !touched } else { covered }
    }

    #[test]
    fn without_rules_the_default_ones_are_all() {
        let lines = parse("[]").unwrap().lines().unwrap();
        let lines: Vec<_> = lines.iter().map(|(file, line)| format!("{file} {line}")).collect();
        assert_eq!(
            lines,
            [
                "devices.deny a",
                "devices.allow c *:* m",
                "devices.allow b *:* m",
                "devices.allow c 1:3 rwm",
                "devices.allow c 1:5 rwm",
                "devices.allow c 1:7 rwm",
                "devices.allow c 1:8 rwm",
                "devices.allow c 1:9 rwm",
                "devices.allow c 5:0 rwm",
                "devices.allow c 5:2 rwm",
                "devices.allow c 136:* rwm",
            ]
        );
    }

    #[test]
    fn everything_allowed_is_one_line_and_no_program() {
        let devices = parse(r#"[{"allow":false},{"allow":true,"access":"rwm"}]"#).unwrap();
        assert!(devices.allow_everything());
        assert_eq!(devices.lines().unwrap(), [("devices.allow", "a".to_owned())]);
        assert!(!parse(r#"[{"allow":true},{"type":"c","major":9}]"#).unwrap().allow_everything());
    }

    #[test]
    fn a_partial_rule_for_all_devices_is_no_reset() {
        let devices = parse(r#"[{"allow":true,"access":"r"}]"#).unwrap();
        assert!(!devices.allow);
        assert_eq!(devices.rules[0].line(), "b *:* r");
        assert_eq!(devices.rules[1].line(), "c *:* r");
    }

    #[test]
    fn mistakes_are_named() {
        for (json, text) in [
            (r#"[{"type":"x"}]"#, "/linux/resources/devices/0/type: `x` is none of a, b and c"),
            (
                r#"[{},{"access":"rx"}]"#,
                "/linux/resources/devices/1/access: `x` is none of r, w and m",
            ),
            (
                r#"[{"major":-2}]"#,
                "/linux/resources/devices/0/major: -2 is neither a device number nor -1",
            ),
        ] {
            assert_eq!(parse(json).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn a_hole_in_a_wildcard_is_refused_on_v1_only() {
        let json = r#"[{"allow":true,"type":"c","major":10},{"type":"c","major":10,"minor":229}]"#;
        let devices = parse(json).unwrap();
        let error = devices.lines().unwrap_err().to_string();
        assert!(error.contains("cannot take `c 10:229 rwm` out of `c 10:* rwm`"), "{error}");
        let asked = |minor| Access { node: Node::Character, major: 10, minor, access: READ };
        assert!(run(&devices.program(), asked(228)));
        assert!(!run(&devices.program(), asked(229)));
    }

    #[test]
    fn what_changes_on_v1() {
        for (before, after, expected) in [
            ("[]", "[]", Some(&[][..])),
            (
                r#"[{"allow":true,"type":"c","major":10,"minor":229}]"#,
                r#"[{"allow":true,"type":"b","major":8,"access":"r"}]"#,
                Some(&["allow b 8:* rm", "deny c 10:229 rwm"]),
            ),
            (
                r#"[{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}]"#,
                r#"[{"allow":true,"type":"c","major":10,"minor":229,"access":"rm"}]"#,
                Some(&["deny c 10:229 w"]),
            ),
            (
                r#"[{"allow":true},{"type":"c","major":10,"minor":229}]"#,
                r#"[{"allow":true},{"type":"c","major":10,"minor":228}]"#,
                Some(&["allow c 10:229 rw", "deny c 10:228 rw"]),
            ),
            ("[]", r#"[{"allow":true}]"#, None),
        ] {
            let lines = parse(after).unwrap().lines_from(&parse(before).unwrap()).unwrap();
            let word = |(file, line): &Line| format!("{} {line}", &file["devices.".len()..]);
            let words: Option<Vec<String>> = lines.map(|lines| lines.iter().map(word).collect());
            let expected: Option<Vec<String>> =
                expected.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect());
            assert_eq!(words, expected, "{after}");
        }
    }

    fn numbers() -> impl Strategy<Value = Option<i64>> {
        prop_oneof![Just(None), Just(Some(-1)), (0..3i64).prop_map(Some), Just(Some(0xffff_ffff))]
    }

    prop_compose! {
        fn rules()(
            allow: bool, kind in prop_oneof![Just("a"), Just("b"), Just("c"), Just("")],
            major in numbers(), minor in numbers(), access in "[rwm]{0,3}",
        ) -> spec::DeviceRule {
            spec::DeviceRule { allow, kind: kind.to_owned(), major, minor, access }
        }
    }

    proptest! {
        #[test]
        fn a_change_on_v1_leads_to_the_new_rules(
            before in proptest::collection::vec(rules(), 0..6),
            after in proptest::collection::vec(rules(), 0..6),
        ) {
            let (before, after) = (Devices::parse(&before).unwrap(), Devices::parse(&after).unwrap());
            let (Ok(mut lines), Ok(Some(change))) = (before.lines(), after.lines_from(&before)) else {
                return Ok(());
            };
            // The kernel's list of exceptions, after each of the lines.
            for (file, line) in change {
                let (devices, access) = line.rsplit_once(' ').unwrap();
                let adds = (file == ALLOW) != after.allow;
                let letters = |text: &str| parse_access(text, "").unwrap();
                let at = lines.iter().position(|(_, it)| it.starts_with(&format!("{devices} ")));
                let old = at.map_or(0, |at| letters(lines[at].1.rsplit_once(' ').unwrap().1));
                let new = if adds { old | letters(access) } else { old & !letters(access) };
                let side = if after.allow { DENY } else { ALLOW };
                let rule: String = [(READ, 'r'), (WRITE, 'w'), (MKNOD, 'm')]
                    .iter().filter(|(bit, _)| new & bit != 0).map(|(_, letter)| letter).collect();
                if let Some(at) = at {
                    lines.remove(at);
                }
                if new != 0 {
                    lines.push((side, format!("{devices} {rule}")));
                }
            }
            for node in [Node::Block, Node::Character] {
                for (major, minor) in [(0, 0), (1, 2), (2, 1), (1, 3), (5, 2), (u32::MAX, 1)] {
                    for access in [MKNOD, READ, WRITE, READ | WRITE] {
                        let asked = Access { node, major, minor, access };
                        prop_assert_eq!(legacy(&lines, asked), model(&after, asked), "{:?}", asked);
                    }
                }
            }
        }

        #[test]
        fn program_and_lines_mean_the_same(
            rules in proptest::collection::vec(rules(), 0..8),
            defaults: bool,
        ) {
            let mut devices = Devices::parse(&rules).unwrap();
            if !defaults {
                devices.rules.truncate(devices.rules.len() - DEFAULTS.len());
            }
            let (program, lines) = (devices.program(), devices.lines());
            for node in [Node::Block, Node::Character] {
                for (major, minor) in [(0, 0), (1, 2), (2, 1), (1, 3), (5, 2), (u32::MAX, 1)] {
                    // mknod is never asked for together with the others
                    for access in [MKNOD, READ, WRITE, READ | WRITE] {
                        let asked = Access { node, major, minor, access };
                        let expected = model(&devices, asked);
                        prop_assert_eq!(run(&program, asked), expected, "{:?}", asked);
                        if let Ok(lines) = &lines {
                            prop_assert_eq!(legacy(lines, asked), expected, "v1 {:?}", asked);
                        }
                    }
                }
            }
        }
    }
}
