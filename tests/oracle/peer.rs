//! The same profile by libseccomp, as runc and crun tell it.

use std::collections::BTreeSet;

use libseccomp::{
    ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall,
};
use rrun::security::seccomp::{Architecture, Instruction};
use rrun::spec;

/// The architectures that libseccomp 2.5 knows, in its words.
pub(crate) const KNOWN: &[(&str, ScmpArch)] = &[
    ("X86_64", ScmpArch::X8664),
    ("X86", ScmpArch::X86),
    ("X32", ScmpArch::X32),
    ("AARCH64", ScmpArch::Aarch64),
    ("ARM", ScmpArch::Arm),
    ("MIPS", ScmpArch::Mips),
    ("MIPS64", ScmpArch::Mips64),
    ("MIPS64N32", ScmpArch::Mips64N32),
    ("MIPSEL", ScmpArch::Mipsel),
    ("MIPSEL64", ScmpArch::Mipsel64),
    ("MIPSEL64N32", ScmpArch::Mipsel64N32),
    ("PPC", ScmpArch::Ppc),
    ("PPC64", ScmpArch::Ppc64),
    ("PPC64LE", ScmpArch::Ppc64Le),
    ("S390", ScmpArch::S390),
    ("S390X", ScmpArch::S390X),
    ("PARISC", ScmpArch::Parisc),
    ("PARISC64", ScmpArch::Parisc64),
    ("RISCV64", ScmpArch::Riscv64),
];

/// The machine that a profile is for: libseccomp does not mix byte orders in one filter, so it is one
/// with the order of the architectures that are listed.
pub(crate) fn native(profile: &spec::Seccomp) -> &'static Architecture {
    let listed = profile.architectures.first().and_then(|name| Architecture::by_name(name));
    let native = listed.filter(|it| it.is_big_endian());
    native.unwrap_or_else(|| Architecture::by_name("x86_64").unwrap())
}

/// An architecture in libseccomp's words.
pub(crate) fn theirs(name: &str) -> ScmpArch {
    let short = name.strip_prefix("SCMP_ARCH_").unwrap_or(name);
    KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(short)).unwrap().1
}

/// What runc and crun tell libseccomp, and the program that it makes; `optimize` is its level: 1 puts
/// rules in a row, 2 in a tree. None where it refuses a rule.
pub(crate) fn by_libseccomp(profile: &spec::Seccomp, optimize: u32) -> Option<Vec<Instruction>> {
    let action = |name: &str, errno: Option<u32>| {
        ScmpAction::from_str(name, Some(errno.unwrap_or(1) as i32)).unwrap()
    };
    let default = action(&profile.default_action, profile.default_errno_ret);
    let mut context = ScmpFilterContext::new(default).unwrap();
    context.set_ctl_optimize(optimize).unwrap();
    let native = native(profile);
    if native.is_big_endian() {
        context.remove_arch(ScmpArch::Native).unwrap();
    }
    for name in &profile.architectures {
        context.add_arch(theirs(name)).unwrap();
    }
    for rule in &profile.syscalls {
        let action = action(&rule.action, rule.errno_ret);
        if action == default {
            continue;
        }
        let conditions: Vec<_> = rule.args.iter().map(compare).collect();
        let indices: BTreeSet<_> = rule.args.iter().map(|it| it.index).collect();
        for name in &rule.names {
            let Ok(call) = ScmpSyscall::from_name(name) else { continue };
            if indices.len() == conditions.len() {
                context.add_rule_conditional(action, call, &conditions).ok()?;
            } else {
                for condition in &conditions {
                    context.add_rule_conditional(action, call, &[*condition]).ok()?;
                }
            }
        }
    }
    let mut file = memory();
    context.export_bpf(&file).unwrap();
    let bytes = read(&mut file);
    let (chunks, rest) = bytes.as_chunks::<8>();
    assert!(rest.is_empty());
    // It writes for the machine that is filtered; our programs are for the one that runs.
    let swapped = |it: Instruction| match native.is_big_endian() {
        true => Instruction { code: it.code.swap_bytes(), k: it.k.swap_bytes(), ..it },
        false => it,
    };
    Some(chunks.iter().map(|chunk| swapped(Instruction::from_bytes(*chunk))).collect())
}

fn compare(argument: &spec::SeccompArg) -> ScmpArgCompare {
    let (operator, value) = match argument.op.as_str() {
        "SCMP_CMP_NE" => (ScmpCompareOp::NotEqual, argument.value),
        "SCMP_CMP_LT" => (ScmpCompareOp::Less, argument.value),
        "SCMP_CMP_LE" => (ScmpCompareOp::LessOrEqual, argument.value),
        "SCMP_CMP_EQ" => (ScmpCompareOp::Equal, argument.value),
        "SCMP_CMP_GE" => (ScmpCompareOp::GreaterEqual, argument.value),
        "SCMP_CMP_GT" => (ScmpCompareOp::Greater, argument.value),
        _ => (ScmpCompareOp::MaskedEqual(argument.value), argument.value_two),
    };
    ScmpArgCompare::new(argument.index, operator, value)
}

fn memory() -> std::fs::File {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    std::fs::File::from(rustix::fs::memfd_create("filter", flags).unwrap())
}

fn read(file: &mut std::fs::File) -> Vec<u8> {
    use std::io::{Read, Seek};
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}
