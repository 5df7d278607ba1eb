//! The seccomp compiler against libseccomp: the same profile has to do the same to every system call.
//! Needs libseccomp (feature `oracle`, switched on by `make test`).
//!
//! Where the two differ on purpose, [`is_explained`] or the generator of profiles says why:
//!
//! 1. *What is newer than the profile* answers ENOSYS here, as runc has it. Numbers above the highest one
//!    that the profile names are left out; `security::seccomp::filter` has a table test of its own.
//! 2. *Names that libseccomp does not know for an architecture* (it is older than our table, or lacks a
//!    call) are filtered here, and left out of the comparison; so are the two calls that it has and the
//!    kernel's headers have not.
//! 3. *Calls that exist only through `socketcall` or `ipc`* (accept, send, recv, semop, semtimedop on
//!    x86): libseccomp 2.5.4 makes no rule at all where there is no direct call as well. Here they are
//!    filtered as the others are. The multiplexers are compared in every other respect.
//! 4. *Architectures whose multiplexers libseccomp does not rewrite* (MIPS o32): here all are.
//! 5. *Rules for one call that hold at once and disagree*: libseccomp refuses some (EEXIST, with which
//!    runc and crun refuse the container), and for the rest its order depends on how it splits numbers
//!    into halves. Profiles of the comparison give the conditional rules of one call one action, or
//!    conditions that exclude each other.
//! 6. *Several rules for one call that compare one argument by other operators than equality*: libseccomp
//!    2.5.4 merges the halves of their numbers wrongly. With `arg < 0` and `arg < 2^32` it finds that 1
//!    is neither. Here 1 is less than 2^32; [`without_several_inequalities`] keeps them out.
//! 7. *A second architecture, and a rule for a call that it lacks*: libseccomp 2.5.4 may forget to load the
//!    number for it, and then compares numbers with the architecture. [`forgets_the_number`] finds that.
#![cfg(feature = "oracle")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that panics has failed

#[path = "oracle/peer.rs"]
mod peer;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use libseccomp::{ScmpArch, ScmpSyscall};
use proptest::prelude::*;
use rrun::security::seccomp::{Architecture, Filter, Instruction, Names, interpret};
use rrun::spec;

use peer::{KNOWN, by_libseccomp, native, theirs};

const X32_BIT: u32 = 0x4000_0000;

/// Why the two may differ about a number, if there is a reason. The numbers are those of the list at
/// the top.
fn is_explained(
    profile: &spec::Seccomp,
    filter: &Filter,
    architecture: &Architecture,
    names: &Names,
) -> impl Fn(u32, u64) -> Option<u8> {
    let highest = filter.highest(architecture);
    let arch = theirs(&architecture.name());
    let mut unknown = BTreeSet::new();
    let mut hidden = BTreeSet::new();
    for name in profile.syscalls.iter().flat_map(|rule| &rule.names) {
        let direct = names.number(architecture, name);
        let known = ScmpSyscall::from_name(name).is_ok()
            && ScmpSyscall::from_name_by_arch(name, arch).is_ok_and(|it| !it.is_undef());
        if !known {
            unknown.extend(direct);
        } else if direct.is_none() {
            unknown.extend(only_theirs(architecture, name));
        }
        if direct.is_none() {
            hidden.extend(multiplexed(name));
        }
    }
    let multiplexers = ["socketcall", "ipc"].map(|name| names.number(architecture, name));
    let rewritten = !matches!(arch, ScmpArch::Mips | ScmpArch::Mipsel);
    move |number, first| {
        if highest.is_some_and(|highest| number > highest) {
            return Some(1);
        }
        if unknown.contains(&number) {
            return Some(2);
        }
        let which = multiplexers.iter().position(|it| *it == Some(number))?;
        if hidden.contains(&(which, first & 0xffff_ffff)) {
            return Some(3);
        }
        (!rewritten).then_some(4)
    }
}

/// Whether libseccomp's program goes on for an architecture without having loaded the number.
fn forgets_the_number(program: &[Instruction], audit: u32) -> bool {
    const LOAD: u16 = 0x20;
    const IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let chosen = program.iter().position(|it| it.code == IF_EQUAL && it.k == audit);
    chosen.is_some_and(|at| {
        let next = program[at + 1 + usize::from(program[at].jump_true)];
        next.code != RETURN && !(next.code == LOAD && next.k == 0)
    })
}

/// Calls that libseccomp 2.5.4 has for an architecture and Linux 6.1's headers have not.
fn only_theirs(architecture: &Architecture, name: &str) -> Option<u32> {
    match (&*architecture.short_name(), name) {
        ("parisc" | "parisc64", "cacheflush") => Some(356),
        ("s390", "memfd_secret") => Some(447),
        _ => None,
    }
}

/// Calls that some architecture has through a multiplexer only.
fn multiplexed(name: &str) -> Option<(usize, u64)> {
    Some(match name {
        "accept" => (0, 5),
        "send" => (0, 9),
        "recv" => (0, 10),
        "semop" => (1, 1),
        "semtimedop" => (1, 4),
        _ => return None,
    })
}

/// Numbers of an architecture, whatever its base is, and what lies around them.
fn numbers(architecture: &Architecture) -> Vec<u32> {
    let names = Names::new();
    let base = names.number(architecture, "read").unwrap();
    let base = if architecture.name() == "SCMP_ARCH_X32" { X32_BIT } else { base & !0x1f };
    let mut numbers: Vec<u32> = (0..520).chain(base..base + 600).collect();
    numbers.extend(0x000f_0000..0x000f_0008);
    numbers.extend([X32_BIT - 1, X32_BIT, X32_BIT + 1, 0x7fff_ffff, 0x8000_0000, u32::MAX - 1]);
    numbers.push(u32::MAX);
    numbers
}

/// Both programs on every number of every architecture of the profile, and of one that it lacks.
fn agree(profile: &spec::Seccomp, arguments: &[[u64; 6]]) -> Option<usize> {
    let filter = Filter::read(profile, native(profile)).unwrap();
    let (ours, theirs) = (filter.assemble().unwrap(), by_libseccomp(profile, 1)?);
    let names = Names::new();
    let mut compared = 0;
    for architecture in filter.architectures() {
        if forgets_the_number(&theirs, architecture.audit()) {
            continue;
        }
        let explained = is_explained(profile, &filter, architecture, &names);
        for number in numbers(architecture) {
            // A number of x32 is that of another architecture.
            let x32 = number >= X32_BIT && number != u32::MAX;
            if architecture.audit() == 0xc000_003e
                && x32 != (architecture.name() == "SCMP_ARCH_X32")
                && filter.architectures().any(|it| it.name() == "SCMP_ARCH_X32")
            {
                continue;
            }
            for arguments in arguments {
                if explained(number, arguments[0]).is_some() {
                    continue;
                }
                let data = data(architecture, number, arguments);
                let (our, _) = interpret(&ours, &data).expect("our program");
                let (their, _) = interpret(&theirs, &data).expect("libseccomp's program");
                assert_eq!(
                    (our, their),
                    (their, their),
                    "{} {number:#x} ({:?}) {arguments:x?}: {:?}\n{profile:#?}",
                    architecture.name(),
                    names.name(architecture, number),
                    filter.decide(architecture.audit(), number, arguments).1
                );
                compared += 1;
            }
        }
    }
    // Not listed: of the same byte order, or libseccomp would not read it right either.
    let foreign = Architecture::by_name("SCMP_ARCH_RISCV64").unwrap();
    if !filter.architectures().any(|it| it.is_big_endian() || it.name() == foreign.name()) {
        let data = data(foreign, 63, &[0; 6]);
        assert_eq!(interpret(&ours, &data).unwrap().0, interpret(&theirs, &data).unwrap().0);
    }
    Some(compared)
}

/// `struct seccomp_data`, as words.
fn data(architecture: &Architecture, number: u32, arguments: &[u64; 6]) -> [u32; 16] {
    let mut data = [0; 16];
    (data[0], data[1]) = (number, architecture.audit());
    for (at, argument) in arguments.iter().enumerate() {
        let (low, high) = if architecture.is_big_endian() { (1, 0) } else { (0, 1) };
        data[4 + 2 * at + low] = *argument as u32;
        data[4 + 2 * at + high] = (*argument >> 32) as u32;
    }
    data
}

/// Wherever both have a number, it is the same one.
#[test]
fn the_numbers_of_all_architectures() {
    let names = Names::new();
    let mut compared = 0;
    for (short, arch) in KNOWN {
        let architecture = Architecture::by_name(short).unwrap();
        for name in names.all() {
            let their =
                ScmpSyscall::from_name_by_arch(name, *arch).map(ScmpSyscall::as_raw_syscall);
            // Below zero are its own words for calls that an architecture lacks or multiplexes.
            let Some(their) = their.ok().and_then(|it| u32::try_from(it).ok()) else { continue };
            let our = names.number(architecture, name);
            if our.is_none() && only_theirs(architecture, name) == Some(their) {
                continue;
            }
            assert_eq!(our, Some(their), "{short} {name}");
            compared += 1;
        }
    }
    assert!(compared > 6000, "{compared}");
}

#[test]
fn the_profiles_of_docker_podman_and_containerd() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/engines");
    let mut arguments = vec![[0; 6], [1; 6], [u64::MAX; 6]];
    for first in [2, 8, 9, 16, 40, 0x20000, 0x20008, 0xffff_ffff, 0x7e02_0000, 0x1_0000_0000] {
        for third in [0, 9] {
            arguments.push([first, 1, third, 0, 0, 0]);
        }
    }
    let mut profiles = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let Ok(config) = spec::Config::read(&path) else { continue };
        let Some(profile) = config.linux.seccomp else { continue };
        let compared = agree(&profile, &arguments).expect("libseccomp takes the profile");
        println!("{}: {compared} calls", path.display());
        assert!(compared > 10_000);
        profiles += 1;
    }
    assert!(profiles >= 5);
}

fn any_value() -> impl Strategy<Value = u64> {
    let few = vec![0, 1, 2, 0xff, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001, u64::MAX];
    prop_oneof![3 => prop::sample::select(few), 1 => any::<u64>()]
}

fn any_argument() -> impl Strategy<Value = spec::SeccompArg> {
    let operator = prop::sample::select(vec!["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"]);
    (0..6u32, operator, any_value(), any_value()).prop_map(|(index, op, value, value_two)| {
        spec::SeccompArg { index, value, value_two, op: format!("SCMP_CMP_{op}") }
    })
}

fn is_equality(argument: &spec::SeccompArg) -> bool {
    argument.op == "SCMP_CMP_EQ" || argument.op == "SCMP_CMP_MASKED_EQ"
}

/// Leaves each argument either one condition or several that ask for equality (see 6 above).
fn without_several_inequalities(rules: &mut Vec<Vec<spec::SeccompArg>>) {
    let mut seen: BTreeMap<u32, bool> = BTreeMap::new();
    for rule in rules.iter_mut() {
        rule.retain(|it| {
            let equality = is_equality(it);
            let before = seen.insert(it.index, equality);
            if before == Some(false) || before.is_some() && !equality {
                seen.insert(it.index, before == Some(true));
                return false;
            }
            true
        });
    }
    rules.retain(|rule| !rule.is_empty());
}

/// One rule without conditions and any number with some, which all have one action (see 5 above).
fn any_rules() -> impl Strategy<Value = Vec<spec::SeccompRule>> {
    let names: Vec<String> = "read write openat open close socket socketcall ipc accept accept4 send \
        sendmsg recvmmsg semop semctl semtimedop shmat clone personality ioctl fcntl fcntl64 waitpid mmap \
        mmap2 seccomp futex _llseek chown32 exit execve set_tls cacheflush rseq clone3 landlock_add_rule"
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let actions = vec!["ALLOW", "ERRNO", "TRAP", "KILL", "LOG", "TRACE", "KILL_PROCESS"];
    let action = prop::sample::select(actions);
    let plain = (prop::sample::subsequence(names.clone(), 0..12), action.clone());
    let plain = prop::collection::vec(plain, 0..4);
    let asked = prop::collection::vec(prop::collection::vec(any_argument(), 1..4), 0..3);
    // What is rewritten to the multiplexers would hold at once with conditions on them.
    let mut direct = names;
    direct.retain(|name| name != "socketcall" && name != "ipc");
    let conditional = (prop::sample::subsequence(direct, 0..10), action, asked);
    (plain, conditional, any::<bool>()).prop_map(|(plain, (names, action, mut asked), first)| {
        without_several_inequalities(&mut asked);
        let rule = |names: Vec<String>, action: &str, args| spec::SeccompRule {
            names,
            action: format!("SCMP_ACT_{action}"),
            errno_ret: None,
            args,
        };
        let plain = plain.into_iter().filter(|(names, _)| !names.is_empty());
        let mut rules: Vec<_> =
            plain.map(|(names, action)| rule(names, action, Vec::new())).collect();
        let at = if first { 0 } else { rules.len() };
        if !names.is_empty() {
            let conditional = asked.into_iter().map(|args| rule(names.clone(), action, args));
            rules.splice(at..at, conditional);
        }
        rules
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, max_global_rejects: 20_000, ..ProptestConfig::default() })]
    #[test]
    fn thousands_of_random_profiles(
        syscalls in any_rules(),
        default in prop::sample::select(vec!["ALLOW", "ERRNO", "KILL_PROCESS", "LOG", "TRAP"]),
        (big, listed) in (any::<bool>(), prop::sample::subsequence(KNOWN.to_vec(), 0..7)),
        arguments in prop::collection::vec(
            [any_value(), any_value(), any_value(), any_value(), any_value(), any_value()], 2..5),
    ) {
        let profile = spec::Seccomp {
            default_action: format!("SCMP_ACT_{default}"),
            architectures: listed
                .iter()
                .filter(|(name, _)| Architecture::by_name(name).unwrap().is_big_endian() == big)
                .map(|(name, _)| format!("SCMP_ARCH_{name}")).collect(),
            syscalls,
            ..spec::Seccomp::default()
        };
        prop_assume!(agree(&profile, &arguments).is_some());
    }
}
