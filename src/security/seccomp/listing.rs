//! Pure: a filter for people: its instructions with the names of what they compare.

use super::action::Action;
use super::architecture::{ARCHITECTURES, Architecture, Names};
use super::bpf;
use super::bpf::Instruction;

/// What is known before an instruction, whatever way led to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Known {
    /// The architecture, by its audit value.
    audit: Option<u32>,
    /// The offset of the loaded word.
    word: Option<u32>,
}

/// One line an instruction, without newlines.
pub fn listing(program: &[Instruction]) -> Vec<String> {
    let names = Names::new();
    let mut known: Vec<Option<Known>> = vec![None; program.len()];
    if let Some(first) = known.first_mut() {
        *first = Some(Known::default());
    }
    let mut lines = Vec::new();
    for (at, instruction) in program.iter().enumerate() {
        let before = known[at].unwrap_or_default();
        lines.push(format!("{at:4}  {}", text(at, instruction, before, &names)));
        for (to, after) in ways(at, instruction, before) {
            if let Some(there) = known.get_mut(to) {
                // Ways that meet agree on what both know.
                *there = Some(there.map_or(after, |other| Known {
                    audit: other.audit.filter(|it| Some(*it) == after.audit),
                    word: other.word.filter(|it| Some(*it) == after.word),
                }));
            }
        }
    }
    lines
}

/// Where it may go on after an instruction, and what is known there. Jumps go forward only.
fn ways(at: usize, it: &Instruction, before: Known) -> Vec<(usize, Known)> {
    let jump = |by: u8| at + 1 + usize::from(by);
    match it.code {
        bpf::RETURN => Vec::new(),
        bpf::LOAD => vec![(at + 1, Known { word: Some(it.k), ..before })],
        bpf::JUMP => vec![(at + 1 + it.k as usize, before)],
        bpf::IF_EQUAL if before.word == Some(bpf::AUDIT) => {
            let chosen = Known { audit: Some(it.k), ..before };
            vec![(jump(it.jump_true), chosen), (jump(it.jump_false), before)]
        }
        bpf::IF_EQUAL | bpf::IF_GREATER | bpf::IF_NOT_LESS => {
            vec![(jump(it.jump_true), before), (jump(it.jump_false), before)]
        }
        _ => vec![(at + 1, before)],
    }
}

fn text(at: usize, it: &Instruction, before: Known, names: &Names) -> String {
    let sign = match it.code {
        bpf::RETURN => return format!("answer: {}", Action::from_value(it.k)),
        bpf::LOAD => return format!("load {}", word(it.k, before.audit)),
        bpf::AND => return format!("and {:#x}", it.k),
        bpf::JUMP => return format!("go to {}", at + 1 + it.k as usize),
        bpf::IF_EQUAL => "==",
        bpf::IF_GREATER => ">",
        bpf::IF_NOT_LESS => ">=",
        code => return format!("unknown instruction {code:#x} {:#x}", it.k),
    };
    let left = before.word.map_or_else(|| "loaded word".to_owned(), |it| word(it, before.audit));
    let right = match before.word {
        Some(bpf::AUDIT) => audit_name(it.k),
        Some(bpf::NUMBER) => number_name(it.k, before.audit, names),
        _ => format!("{:#x}", it.k),
    };
    let target = |by: u8| at + 1 + usize::from(by);
    format!(
        "if {left} {sign} {right} go to {}, else {}",
        target(it.jump_true),
        target(it.jump_false)
    )
}

/// A word of `struct seccomp_data` by its offset.
fn word(offset: u32, audit: Option<u32>) -> String {
    match offset {
        bpf::NUMBER => "number".to_owned(),
        bpf::AUDIT => "architecture".to_owned(),
        offset if offset >= bpf::FIRST_ARGUMENT => {
            let big = ARCHITECTURES.iter().any(|it| Some(it.audit) == audit && it.big_endian);
            let first = (offset - bpf::FIRST_ARGUMENT).is_multiple_of(8);
            let half = if first == big { "high" } else { "low" };
            format!("arg{}.{half}", (offset - bpf::FIRST_ARGUMENT) / 8)
        }
        offset => format!("word at {offset}"),
    }
}

fn audit_name(audit: u32) -> String {
    // x86_64 stands before x32, with which it shares the value.
    let known = ARCHITECTURES.iter().find(|it| it.audit == audit);
    known.map_or_else(|| format!("{audit:#010x}"), Architecture::short_name)
}

fn number_name(number: u32, audit: Option<u32>, names: &Names) -> String {
    let listed = ARCHITECTURES.iter().filter(|it| Some(it.audit) == audit);
    let name = listed.into_iter().find_map(|it| names.name(it, number));
    name.map_or_else(|| number.to_string(), |name| format!("{number} ({name})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::seccomp::Filter;
    use crate::spec;

    #[test]
    fn a_program_reads_like_one() {
        let text = r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],
            "syscalls":[{"names":["getppid"],"action":"SCMP_ACT_ERRNO"},
            {"names":["personality"],"action":"SCMP_ACT_TRAP",
             "args":[{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]}]}"#;
        let written: spec::Seccomp = spec::parse(text.as_bytes()).unwrap();
        let native = Architecture::by_name("x86_64").unwrap();
        let program = Filter::read(&written, native).unwrap().assemble().unwrap();
        let expected = "   0  load architecture
   1  if architecture == x86_64 go to 2, else 12
   2  load number
   3  if number >= 136 (ustat) go to 10, else 4
   4  if number >= 135 (personality) go to 6, else 5
   5  if number == 110 (getppid) go to 17, else 21
   6  load arg0.high
   7  if arg0.high == 0x0 go to 8, else 21
   8  load arg0.low
   9  if arg0.low == 0x8 go to 22, else 21
  10  if number >= 1073741824 (read) go to 11, else 21
  11  if number >= 4294967295 go to 21, else 13
  12  if architecture == x86 go to 14, else 13
  13  answer: kill the thread
  14  load number
  15  if number >= 136 (personality) go to 18, else 16
  16  if number == 64 (getppid) go to 17, else 21
  17  answer: errno 1: operation not permitted (EPERM)
  18  if number >= 137 (afs_syscall) go to 21, else 19
  19  load arg0.low
  20  if arg0.low == 0x8 go to 22, else 21
  21  answer: allow
  22  answer: trap (SIGSYS)";
        assert_eq!(listing(&program).join("\n"), expected);
    }
}
