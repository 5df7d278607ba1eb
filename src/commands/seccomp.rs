//! `seccomp`: looks at the filter that a config.json makes, without any container.

use std::path::PathBuf;

use super::Call;
use crate::cli;
use crate::error::{Context, Error, Kind, Result};
use crate::security::seccomp;
use crate::security::seccomp::{ARGUMENTS, Architecture, Filter, Instruction, Names, Reason};
use crate::spec;

/// Lists the program, writes its bytes, or tells what it does to one system call.
pub(super) fn seccomp(call: &mut Call<'_>, args: &cli::Seccomp) -> Result<i32> {
    let directory = args.bundle.clone().unwrap_or_else(|| PathBuf::from("."));
    let path = directory.join(args.config.clone().unwrap_or_else(|| PathBuf::from("config.json")));
    let config = spec::Config::read(&path)?;
    let Some(written) = &config.linux.seccomp else {
        return Err(Error::config("/linux/seccomp", "is missing: every system call is allowed"));
    };
    let filter = Filter::read(written, Architecture::native())?;
    let program = filter.assemble()?;
    if args.raw {
        let bytes: Vec<u8> = program.iter().flat_map(|it| it.to_bytes()).collect();
        let written = call.out.write_all(&bytes);
        written.map_err(|error| Error::io("write", "standard output", &error))?;
        return Ok(0);
    }
    let text = match &args.call {
        Some(name) => {
            let asked = Asked::read(args.arch.as_deref(), name, &args.arguments)?;
            answer(&filter, &program, &asked)?
        }
        None => seccomp::listing(&program).join("\n"),
    };
    call.say(&format!("{text}\n"))?;
    Ok(0)
}

/// A system call that somebody asks about.
#[derive(Debug)]
struct Asked {
    architecture: &'static Architecture,
    number: u32,
    arguments: [u64; ARGUMENTS],
}

impl Asked {
    fn read(architecture: Option<&str>, name: &str, written: &[String]) -> Result<Asked> {
        let usage = |text: String| Error::message(Kind::Usage, text);
        let architecture = match architecture {
            None => Architecture::native(),
            Some(name) => Architecture::by_name(name)
                .ok_or_else(|| usage(format!("--arch: there is no architecture `{name}`")))
                .hint(|| "`rrun features` lists them")?,
        };
        let number = Names::new().number(architecture, name);
        let number = number.or_else(|| number_of(name).and_then(|it| u32::try_from(it).ok()));
        let short = architecture.short_name();
        let number = number.ok_or_else(|| usage(format!("{short} has no system call `{name}`")))?;
        let mut arguments = [0; ARGUMENTS];
        for (argument, text) in arguments.iter_mut().zip(written) {
            *argument = number_of(text).ok_or_else(|| usage(format!("`{text}` is no number")))?;
        }
        Ok(Asked { architecture, number, arguments })
    }

    /// `struct seccomp_data` as words.
    fn data(&self) -> [u32; 16] {
        let mut data = [0; 16];
        (data[0], data[1]) = (self.number, self.architecture.audit());
        for (halves, argument) in data[4..].chunks_exact_mut(2).zip(self.arguments) {
            let (low, high) = (argument as u32, (argument >> 32) as u32);
            let big = self.architecture.is_big_endian();
            halves.copy_from_slice(&if big { [high, low] } else { [low, high] });
        }
        data
    }

    fn named(&self, number: u32) -> String {
        let name = Names::new().name(self.architecture, number);
        name.map_or_else(|| number.to_string(), |name| format!("{name} ({number})"))
    }
}

/// Decimal, hexadecimal with `0x`, or negative as C has it.
fn number_of(text: &str) -> Option<u64> {
    match (text.strip_prefix("0x"), text.strip_prefix('-')) {
        (Some(digits), _) => u64::from_str_radix(digits, 16).ok(),
        (_, Some(digits)) => digits.parse().ok().map(u64::wrapping_neg),
        _ => text.parse().ok(),
    }
}

/// The answer of the program itself, and the reason that the rules give for it.
fn answer(filter: &Filter, program: &[Instruction], asked: &Asked) -> Result<String> {
    let Some((value, ran)) = seccomp::interpret(program, &asked.data()) else {
        return Err(Error::internal("the filter is no program that the kernel would take"));
    };
    let audit = asked.architecture.audit();
    let (action, reason) = filter.decide(audit, asked.number, &asked.arguments);
    if action != seccomp::Action::from_value(value) {
        return Err(Error::internal(format!("the filter answers {value:#x}, its rules {action}")));
    }
    let reason = match reason {
        Reason::Rule { member, conditions } if conditions.is_empty() => {
            format!("/linux/seccomp/syscalls/{member}")
        }
        Reason::Rule { member, conditions } => {
            format!("/linux/seccomp/syscalls/{member}, where {}", conditions.join(" and "))
        }
        Reason::Default => "/linux/seccomp/defaultAction: no rule holds".to_owned(),
        Reason::Newer { highest } => {
            format!("the profile names nothing above {}", asked.named(highest))
        }
        Reason::Foreign => "/linux/seccomp/architectures does not list it".to_owned(),
    };
    Ok(format!(
        "{} {}: {action}\nreason: {reason}\npath: {ran} of {} instructions",
        asked.architecture.short_name(),
        asked.named(asked.number),
        program.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = r#"{"defaultAction":"SCMP_ACT_ERRNO",
        "architectures":["SCMP_ARCH_X86"],"syscalls":[
        {"names":["read","write","openat"],"action":"SCMP_ACT_ALLOW"},
        {"names":["personality"],"action":"SCMP_ACT_ALLOW",
         "args":[{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]}]}"#;

    fn ask(line: &str) -> Result<String> {
        let native = Architecture::by_name("x86_64").unwrap();
        let written: spec::Seccomp = spec::parse(PROFILE.as_bytes()).unwrap();
        let filter = Filter::read(&written, native).unwrap();
        let program = filter.assemble().unwrap();
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        let asked = Asked::read(Some(&words[0]), &words[1], &words[2..])?;
        let text = answer(&filter, &program, &asked)?;
        Ok(text.lines().take(2).collect::<Vec<_>>().join(" | "))
    }

    #[test]
    fn the_rule_that_decides_is_named() {
        let denied = "errno 1: operation not permitted (EPERM)";
        for (line, expected) in [
            ("x86_64 read", "x86_64 read (0): allow | reason: /linux/seccomp/syscalls/0".to_owned()),
            (
                "x86 openat 1 2 3",
                "x86 openat (295): allow | reason: /linux/seccomp/syscalls/0".to_owned(),
            ),
            (
                "SCMP_ARCH_X86 personality 0x8",
                "x86 personality (136): allow | reason: /linux/seccomp/syscalls/1, where arg0 == 0x8"
                    .to_owned(),
            ),
            (
                "x86_64 personality -1",
                format!(
                    "x86_64 personality (135): {denied} | \
                     reason: /linux/seccomp/defaultAction: no rule holds"
                ),
            ),
            (
                "x86_64 1000",
                "x86_64 1000: errno 38: function not implemented (ENOSYS) | \
                 reason: the profile names nothing above openat (257)"
                    .to_owned(),
            ),
            (
                "s390x read",
                "s390x read (3): kill the thread | \
                 reason: /linux/seccomp/architectures does not list it"
                    .to_owned(),
            ),
        ] {
            assert_eq!(ask(line).unwrap(), expected);
        }
    }

    #[test]
    fn mistakes() {
        for (line, expected) in [
            ("vax read", "--arch: there is no architecture `vax`"),
            ("x86_64 socketcall", "x86_64 has no system call `socketcall`"),
            ("x86_64 read x", "`x` is no number"),
        ] {
            assert_eq!(ask(line).unwrap_err().to_string(), expected);
        }
    }
}
