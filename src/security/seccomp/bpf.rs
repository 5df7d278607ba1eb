//! Pure: classic BPF, as far as seccomp(2) takes it, written from the end.
//!
//! Jumps only go forward, so whatever a jump goes to is written before it: labels are then plain
//! distances from the end, and no offset has to be filled in later.

use std::collections::HashMap;

/// How many arguments a system call has.
pub const ARGUMENTS: usize = 6;

/// The most instructions that the kernel takes (BPF_MAXINSNS).
pub(super) const MOST: usize = 4096;

/// Where `struct seccomp_data` has the number, the architecture, and the first argument.
pub(super) const NUMBER: u32 = 0;
pub(super) const AUDIT: u32 = 4;
pub(super) const FIRST_ARGUMENT: u32 = 16;

/// Loads the 32-bit word at offset k of `struct seccomp_data` (BPF_LD | BPF_W | BPF_ABS).
pub(super) const LOAD: u16 = 0x20;
/// Keeps the bits of k (BPF_ALU | BPF_AND | BPF_K).
pub(super) const AND: u16 = 0x54;
/// Jumps by k (BPF_JMP | BPF_JA).
pub(super) const JUMP: u16 = 0x05;
/// Jumps if equal to k (BPF_JMP | BPF_JEQ | BPF_K).
pub(super) const IF_EQUAL: u16 = 0x15;
/// Jumps if greater than k (BPF_JMP | BPF_JGT | BPF_K).
pub(super) const IF_GREATER: u16 = 0x25;
/// Jumps if not less than k (BPF_JMP | BPF_JGE | BPF_K).
pub(super) const IF_NOT_LESS: u16 = 0x35;
/// Answers k (BPF_RET | BPF_K).
pub(super) const RETURN: u16 = 0x06;

/// One instruction (`struct sock_filter`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub code: u16,
    /// How many instructions a jump passes over if its condition holds.
    pub jump_true: u8,
    /// How many it passes over if not.
    pub jump_false: u8,
    /// Its operand.
    pub k: u32,
}

impl Instruction {
    /// As the kernel of this machine reads it.
    pub fn to_bytes(self) -> [u8; 8] {
        let ([a, b], [c, d, e, f]) = (self.code.to_ne_bytes(), self.k.to_ne_bytes());
        [a, b, self.jump_true, self.jump_false, c, d, e, f]
    }

    /// What [`Instruction::to_bytes`] wrote.
    pub fn from_bytes([a, b, jump_true, jump_false, c, d, e, f]: [u8; 8]) -> Instruction {
        let (code, k) = (u16::from_ne_bytes([a, b]), u32::from_ne_bytes([c, d, e, f]));
        Instruction { code, jump_true, jump_false, k }
    }
}

/// Where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// At an instruction that is written: its distance from the end.
    At(usize),
    /// Nowhere: this is the answer.
    Answer(u32),
}

/// A program that is being written, last instruction first.
#[derive(Debug, Default)]
pub(super) struct Writer {
    reversed: Vec<Instruction>,
    /// The nearest place of each answer.
    answers: HashMap<u32, usize>,
}

impl Writer {
    fn push(&mut self, code: u16, (jump_true, jump_false): (u8, u8), k: u32) -> usize {
        self.reversed.push(Instruction { code, jump_true, jump_false, k });
        self.reversed.len() - 1
    }

    /// How far a jump that is written next would have to go, if a conditional one can.
    fn distance(&self, at: usize) -> Option<u8> {
        u8::try_from(self.reversed.len() - 1 - at).ok()
    }

    /// A place to which a jump within the next two instructions can go.
    fn near(&mut self, target: Target) -> usize {
        // Two jumps of one condition: what is written for the second must not push the first out.
        const NEAR: usize = 253;
        let known = match target {
            Target::At(at) => Some(at),
            Target::Answer(value) => self.answers.get(&value).copied(),
        };
        match (known, target) {
            (Some(at), _) if self.reversed.len() - at <= NEAR => at,
            (_, Target::Answer(value)) => {
                let at = self.push(RETURN, (0, 0), value);
                self.answers.insert(value, at);
                at
            }
            // A conditional jump reaches 255 instructions, an unconditional one all.
            (_, Target::At(at)) => self.push(JUMP, (0, 0), (self.reversed.len() - 1 - at) as u32),
        }
    }

    /// Goes to `yes` if the loaded word compares to `k`, else to `no`.
    pub(super) fn branch(&mut self, code: u16, k: u32, yes: Target, no: Target) -> Target {
        if yes == no {
            return yes;
        }
        let (yes, no) = (self.near(yes), self.near(no));
        let jumps = (self.distance(yes).unwrap_or(0), self.distance(no).unwrap_or(0));
        Target::At(self.push(code, jumps, k))
    }

    /// An instruction that does not jump, after which `next` comes.
    pub(super) fn straight(&mut self, code: u16, k: u32, next: Target) -> Target {
        let follows = matches!(next, Target::At(at) if at + 1 == self.reversed.len());
        match next {
            Target::Answer(value) => {
                let at = self.push(RETURN, (0, 0), value);
                self.answers.insert(value, at);
            }
            Target::At(at) if !follows => {
                self.push(JUMP, (0, 0), (self.reversed.len() - 1 - at) as u32);
            }
            Target::At(_) => {}
        }
        Target::At(self.push(code, (0, 0), k))
    }

    /// The program, which begins with what was written last.
    pub(super) fn finish(mut self) -> Vec<Instruction> {
        self.reversed.reverse();
        self.reversed
    }
}

/// What a program answers to a system call: a filter looks at `data`, a `struct seccomp_data` as
/// words. None where the program does what seccomp(2) would not take. Also the number of
/// instructions that ran.
pub fn interpret(program: &[Instruction], data: &[u32; 16]) -> Option<(u32, usize)> {
    let (mut at, mut word, mut ran) = (0, 0, 0);
    loop {
        let it = program.get(at)?;
        ran += 1;
        at += 1;
        let condition = match it.code {
            LOAD if it.k.is_multiple_of(4) => {
                word = *data.get(it.k as usize / 4)?;
                continue;
            }
            AND => {
                word &= it.k;
                continue;
            }
            JUMP => {
                at += it.k as usize;
                continue;
            }
            RETURN => return Some((it.k, ran)),
            IF_EQUAL => word == it.k,
            IF_GREATER => word > it.k,
            IF_NOT_LESS => word >= it.k,
            _ => return None,
        };
        at += usize::from(if condition { it.jump_true } else { it.jump_false });
    }
}
