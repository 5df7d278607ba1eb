//! Pure: the architectures of config-linux.md, and the numbers that system calls have on each.

use std::cell::Cell;

use super::syscalls::{self, Column, NAMES, NONE, PRIVATE};

/// The bit that x32 numbers have, on top of x86_64's audit value.
pub(super) const X32_BIT: u32 = 0x4000_0000;

/// What there is to know of one architecture.
#[derive(Debug)]
pub struct Architecture {
    /// Its name in config.json, without `SCMP_ARCH_`.
    name: &'static str,
    /// `AUDIT_ARCH_*` (linux/audit.h), which a filter sees in `seccomp_data.arch`.
    pub(super) audit: u32,
    column: &'static Column,
    /// Whether arguments have 64 bits. x32 passes pointers of 32, as libseccomp has it.
    pub(super) wide: bool,
    /// Whether the high half of an argument comes first.
    pub(super) big_endian: bool,
}

const fn row(
    name: &'static str,
    audit: u32,
    column: &'static Column,
    wide: bool,
    big_endian: bool,
) -> Architecture {
    Architecture { name, audit, column, wide, big_endian }
}

/// Every architecture that the specification lists.
pub static ARCHITECTURES: [Architecture; 23] = [
    row("X86", 0x4000_0003, &syscalls::X86, false, false),
    row("X86_64", 0xc000_003e, &syscalls::X86_64, true, false),
    row("X32", 0xc000_003e, &syscalls::X32, false, false),
    row("ARM", 0x4000_0028, &syscalls::ARM, false, false),
    row("AARCH64", 0xc000_00b7, &syscalls::AARCH64, true, false),
    row("LOONGARCH64", 0xc000_0102, &syscalls::LOONGARCH64, true, false),
    row("M68K", 0x0000_0004, &syscalls::M68K, false, true),
    row("MIPS", 0x0000_0008, &syscalls::MIPS, false, true),
    row("MIPS64", 0x8000_0008, &syscalls::MIPS64, true, true),
    row("MIPS64N32", 0xa000_0008, &syscalls::MIPS64N32, false, true),
    row("MIPSEL", 0x4000_0008, &syscalls::MIPS, false, false),
    row("MIPSEL64", 0xc000_0008, &syscalls::MIPS64, true, false),
    row("MIPSEL64N32", 0xe000_0008, &syscalls::MIPS64N32, false, false),
    row("PPC", 0x0000_0014, &syscalls::PPC, false, true),
    row("PPC64", 0x8000_0015, &syscalls::PPC64, true, true),
    row("PPC64LE", 0xc000_0015, &syscalls::PPC64, true, false),
    row("S390", 0x0000_0016, &syscalls::S390, false, true),
    row("S390X", 0x8000_0016, &syscalls::S390X, true, true),
    row("SH", 0x4000_002a, &syscalls::SH, false, false),
    row("SHEB", 0x0000_002a, &syscalls::SH, false, true),
    row("PARISC", 0x0000_000f, &syscalls::PARISC, false, true),
    row("PARISC64", 0x8000_000f, &syscalls::PARISC64, true, true),
    row("RISCV64", 0xc000_00f3, &syscalls::RISCV64, true, false),
];

impl Architecture {
    /// The architecture that this rrun was built for.
    pub fn native() -> &'static Architecture {
        let little = cfg!(target_endian = "little");
        let name = match std::env::consts::ARCH {
            "x86" => "X86",
            "arm" => "ARM",
            "aarch64" => "AARCH64",
            "loongarch64" => "LOONGARCH64",
            "m68k" => "M68K",
            "mips" => ["MIPS", "MIPSEL"][usize::from(little)],
            "mips64" => ["MIPS64", "MIPSEL64"][usize::from(little)],
            "powerpc" => "PPC",
            "powerpc64" => ["PPC64", "PPC64LE"][usize::from(little)],
            "s390x" => "S390X",
            "riscv64" => "RISCV64",
            _ => "X86_64",
        };
        Architecture::by_name(name).unwrap_or(&ARCHITECTURES[1])
    }

    /// Finds an architecture by its name, with or without `SCMP_ARCH_`, in any case.
    pub fn by_name(name: &str) -> Option<&'static Architecture> {
        let short = name.get(..10).filter(|prefix| prefix.eq_ignore_ascii_case("SCMP_ARCH_"));
        let short = short.map_or(name, |prefix| &name[prefix.len()..]);
        ARCHITECTURES.iter().find(|it| it.name.eq_ignore_ascii_case(short))
    }

    /// Its name as config.json has it.
    pub fn name(&self) -> String {
        format!("SCMP_ARCH_{}", self.name)
    }

    /// Its name for people: `x86_64`.
    pub fn short_name(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// The audit value that x86_64 and x32 share.
    pub(super) fn audit_of_x32() -> u32 {
        0xc000_003e
    }

    /// `AUDIT_ARCH_*`, as a filter sees it.
    pub fn audit(&self) -> u32 {
        self.audit
    }

    /// Whether the high half of an argument comes first in memory.
    pub fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    pub(super) fn is_x32(&self) -> bool {
        self.name == "X32"
    }

    pub(super) fn is_x86_64(&self) -> bool {
        self.name == "X86_64"
    }

    /// Whether this and the other are one.
    pub(super) fn is(&self, other: &Architecture) -> bool {
        self.name == other.name
    }

    /// The number of the call that has a place in the table of names.
    pub(super) fn number_at(&self, at: usize) -> Option<u32> {
        let number = u32::from(*self.column.get(at)?);
        if number == u32::from(NONE) {
            return None;
        }
        if number >= u32::from(PRIVATE) {
            return Some(number - u32::from(PRIVATE) + 0x000f_0000);
        }
        Some(if self.is_x32() { number | X32_BIT } else { number })
    }
}

/// The names of all system calls, to be looked up.
#[derive(Debug)]
pub struct Names {
    sorted: Vec<&'static str>,
    /// Where the last one was found. Profiles are sorted, too: the next is often right behind it.
    last: Cell<usize>,
}

impl Names {
    /// The names as the table has them.
    pub fn new() -> Names {
        Names { sorted: NAMES.split('\n').collect(), last: Cell::new(0) }
    }

    /// The number of a call on an architecture.
    pub fn number(&self, architecture: &Architecture, name: &str) -> Option<u32> {
        architecture.number_at(self.place(name)?)
    }

    /// The place of a name in the table, which is the same for all architectures.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        let behind = self.last.get() + 1..self.last.get() + 4;
        let near = behind.into_iter().find(|&at| self.sorted.get(at) == Some(&name));
        let place = near.or_else(|| self.sorted.binary_search(&name).ok())?;
        self.last.set(place);
        Some(place)
    }

    /// All of them, sorted.
    pub fn all(&self) -> &[&'static str] {
        &self.sorted
    }

    /// The name of the call with this number on an architecture.
    pub fn name(&self, architecture: &Architecture, number: u32) -> Option<&'static str> {
        let at = (0..self.sorted.len()).find(|&at| architecture.number_at(at) == Some(number))?;
        self.sorted.get(at).copied()
    }
}

impl Default for Names {
    fn default() -> Names {
        Names::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(architecture: &str, name: &str) -> Option<u32> {
        Names::new().number(Architecture::by_name(architecture).unwrap(), name)
    }

    #[test]
    fn the_table_is_sorted_and_whole() {
        let names = Names::new().sorted;
        assert_eq!(names.len(), syscalls::COUNT);
        assert!(names.is_sorted());
    }

    #[test]
    fn well_known_numbers() {
        for (architecture, name, expected) in [
            ("SCMP_ARCH_X86_64", "read", Some(0)),
            ("SCMP_ARCH_X86_64", "openat", Some(257)),
            ("SCMP_ARCH_X86_64", "socketcall", None),
            ("SCMP_ARCH_X86", "openat", Some(295)),
            ("SCMP_ARCH_X86", "socketcall", Some(102)),
            ("SCMP_ARCH_X32", "read", Some(0x4000_0000)),
            ("SCMP_ARCH_X32", "execve", Some(0x4000_0000 + 520)),
            ("SCMP_ARCH_AARCH64", "openat", Some(56)),
            ("SCMP_ARCH_ARM", "set_tls", Some(0x000f_0005)),
            ("SCMP_ARCH_MIPS", "read", Some(4003)),
            ("SCMP_ARCH_MIPSEL64", "read", Some(5000)),
            ("SCMP_ARCH_MIPS64N32", "file_setattr", Some(6469)),
            ("SCMP_ARCH_RISCV64", "riscv_flush_icache", Some(259)),
            ("SCMP_ARCH_S390", "open_tree_attr", Some(467)),
        ] {
            assert_eq!(number(architecture, name), expected, "{architecture} {name}");
        }
    }

    /// The kernel of this machine agrees with the table, as far as the C library knows the numbers.
    #[test]
    fn the_native_column_is_that_of_the_c_library() {
        let native = Architecture::native();
        for (name, expected) in [
            ("read", libc::SYS_read),
            ("execve", libc::SYS_execve),
            ("seccomp", libc::SYS_seccomp),
            ("clone3", libc::SYS_clone3),
            ("mount_setattr", libc::SYS_mount_setattr),
        ] {
            let number = Names::new().number(native, name);
            assert_eq!(number.map(i64::from), Some(expected), "{name}");
        }
    }

    #[test]
    fn names_by_number() {
        let names = Names::new();
        let of = |architecture: &str, number| {
            names.name(Architecture::by_name(architecture).unwrap(), number)
        };
        assert_eq!(of("x86_64", 257), Some("openat"));
        assert_eq!(of("x32", 0x4000_0000), Some("read"));
        assert_eq!(of("x86_64", 0x4000_0000), None);
        assert_eq!(of("scmp_arch_arm", 0x000f_0002), Some("cacheflush"));
    }
}
