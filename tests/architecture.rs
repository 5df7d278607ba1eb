//! Who may look at whom, as a test: the table of `src/lib.rs`, and what else holds for every file.

#![allow(clippy::unwrap_used, clippy::panic)] // a test that panics has failed, as it should

use std::path::{Path, PathBuf};

/// The rooms by row. A room imports only from lower rows, and never from a neighbour.
const ROWS: &[(u8, &[&str])] = &[
    (7, &["bin"]),
    (6, &["commands"]),
    (5, &["process"]),
    (4, &["plan", "bundle"]),
    (
        3,
        &[
            "namespaces",
            "cgroups",
            "rootfs",
            "security",
            "workload",
            "hooks",
            "terminal",
            "state",
            "image",
            "resctrl",
            "checkpoint",
        ],
    ),
    (2, &["host"]),
    (1, &["spec", "sys", "trace", "cli"]),
    (0, &["error", "log"]),
];

/// Files that are a table and may be longer than [`MAX_LINES`].
const TABLES: &[&str] = &["security/seccomp/syscalls.rs"];

/// Lines of a file without its tests.
const MAX_LINES: usize = 400;

/// Neighbours that may be looked at all the same: the reader of documents opens files, and the log
/// writes errors.
const EXCEPTIONS: &[(&str, &str)] = &[("spec", "sys"), ("log", "error")];

/// Drawers that end up holding what has no home.
const FORBIDDEN_NAMES: &[&str] = &["utils", "util", "common", "helpers", "misc", "container"];

struct Source {
    path: PathBuf,
    room: String,
    text: String,
}

impl Source {
    /// The code without `#[cfg(test)] mod tests` at its end.
    fn code(&self) -> &str {
        self.text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default()
    }

    /// The code without comments, so that prose may name any room.
    fn statements(&self) -> String {
        let lines = self.code().lines();
        lines.map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
    }

    fn is_pure(&self) -> bool {
        self.text.starts_with("//! Pure:")
    }
}

fn row(room: &str) -> u8 {
    let row = ROWS.iter().find(|(_, rooms)| rooms.contains(&room));
    row.unwrap_or_else(|| panic!("`{room}` is no room of the table in tests/architecture.rs")).0
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    files.sort();
    let read = |path: PathBuf| {
        let relative = path.strip_prefix(&src).unwrap().to_path_buf();
        let first = relative.iter().next().unwrap().to_str().unwrap();
        let room = first.trim_end_matches(".rs").to_owned();
        Source { room, text: std::fs::read_to_string(&path).unwrap(), path: relative }
    };
    files.into_iter().map(read).filter(|source| source.room != "lib").collect()
}

/// The rooms that a file names: `crate::room` in the library, `rrun::room` in the binary, and the
/// first names inside `crate::{…}`.
fn imports(source: &Source) -> Vec<String> {
    let text = source.statements();
    let mut rooms = Vec::new();
    for marker in ["crate::", "rrun::"] {
        for (at, _) in text.match_indices(marker) {
            let rest = &text[at + marker.len()..];
            let name: String =
                rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if !name.is_empty() {
                rooms.push(name);
            } else if rest.starts_with('{') {
                panic!("{}: write one `use crate::room` a line", source.path.display());
            }
        }
    }
    rooms.retain(|name| ROWS.iter().any(|(_, rooms)| rooms.contains(&name.as_str())));
    rooms
}

#[test]
fn every_file_is_in_a_room_and_imports_downwards() {
    for source in sources() {
        let own = row(&source.room);
        for target in imports(&source) {
            if target == source.room {
                continue;
            }
            let excepted = EXCEPTIONS.contains(&(source.room.as_str(), target.as_str()));
            assert!(
                row(&target) < own || excepted,
                "{}: row {own} may not look at `{target}` (row {})",
                source.path.display(),
                row(&target)
            );
            if target == "cli" {
                assert!(own >= 6, "{}: `cli` is for bin and commands", source.path.display());
            }
        }
    }
}

#[test]
fn pure_halves_are_pure_and_effect_halves_never_see_the_document() {
    for source in sources() {
        let statements = source.statements();
        if source.is_pure() {
            for word in ["sys::", "rustix::", "nix::", "std::fs", "std::process", "unsafe"] {
                // `unix::` is of std, and only converts.
                let named = statements.match_indices(word).any(|(at, _)| {
                    !statements[..at].ends_with(|before: char| before.is_ascii_alphanumeric())
                });
                assert!(!named, "{}: is pure and names `{word}`", source.path.display());
            }
        } else if row(&source.room) == 3 || source.room == "process" {
            assert!(
                !statements.contains("crate::spec"),
                "{}: an effect half may not name `spec`",
                source.path.display()
            );
        }
    }
}

#[test]
fn unsafe_is_in_sys_alone() {
    for source in sources() {
        if source.room != "sys" {
            assert!(
                !source.statements().contains("unsafe"),
                "{}: `unsafe` outside src/sys",
                source.path.display()
            );
        }
    }
}

#[test]
fn sys_knows_no_container_words() {
    for source in sources().iter().filter(|source| source.room == "sys") {
        for word in ["container", "rootfs", "bundle"] {
            assert!(
                !source.statements().contains(&format!(" {word}")),
                "{}: sys says `{word}`",
                source.path.display()
            );
        }
    }
}

#[test]
fn files_are_short_and_well_named() {
    for source in sources() {
        let name = source.path.to_str().unwrap().to_owned();
        let lines = source.code().lines().count();
        assert!(
            lines <= MAX_LINES || TABLES.contains(&name.as_str()),
            "{name}: {lines} lines without tests, more than {MAX_LINES}"
        );
        for part in source.path.iter() {
            let stem = part.to_str().unwrap().trim_end_matches(".rs");
            assert!(!FORBIDDEN_NAMES.contains(&stem), "{name}: a room is missing");
        }
        assert!(!source.text.contains("super::super"), "{name}: names its grandparent");
        assert!(source.text.starts_with("//!"), "{name}: does not say what it is for");
    }
}

#[test]
fn every_test_file_mirrors_a_source() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut files = Vec::new();
    collect(&tests, &mut files);
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files {
        let relative = file.strip_prefix(&tests).unwrap();
        let harness = relative.iter().next().unwrap() == "harness";
        if harness || relative == Path::new("main.rs") || relative.ends_with("mod.rs") {
            continue;
        }
        let room = src.join(relative);
        assert!(
            room.exists() || room.with_extension("").is_dir(),
            "tests/it/{}: mirrors nothing in src",
            relative.display()
        );
    }
}
