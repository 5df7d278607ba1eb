//! Pure: names in a layer: cleaned, so that none leads out, and told apart from the names that mean
//! something (`layer.md`, "Whiteouts"); and where a path leads through symlinks.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::document::wrong;
use crate::error::{Context, Error, Result};

/// The longest name (PATH_MAX), and the most directories in it: each may cost a descriptor when the
/// tree is removed.
const MAX_LENGTH: usize = 4096;
const MAX_DEPTH: usize = 256;

/// How many symlinks a path may go through, as the kernel has it.
const MAX_LINKS: usize = 40;

const WHITEOUT: &[u8] = b".wh.";
const RESERVED: &[u8] = b".wh..wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// What the name of an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A file, a directory, ... by this path; empty for the root.
    Entry(PathBuf),
    /// What lower layers have by this path is gone.
    Whiteout(PathBuf),
    /// What lower layers have in this directory is gone.
    Opaque(PathBuf),
    /// A name that union file systems keep for themselves (`.wh..wh.plnk`).
    Reserved,
}

/// A path relative to the layer's root, without `.` and `..`. An absolute name is meant to be in the
/// layer too.
pub(super) fn clean(name: &[u8]) -> Result<PathBuf> {
    let refuse = |why: &str| Err(wrong(format!("`{}` {why}", show(name))));
    if name.contains(&0) {
        return refuse("has a NUL in its name");
    }
    if name.len() > MAX_LENGTH {
        let start = show(&name[..40]);
        return Err(wrong(format!("`{start}...` is longer than {MAX_LENGTH} bytes")));
    }
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(name)).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::ParentDir => return refuse("leads out of its directory"),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    if path.components().count() > MAX_DEPTH {
        return Err(too_deep(name));
    }
    Ok(path)
}

fn too_deep(name: &[u8]) -> Error {
    wrong(format!("`{}` is more than {MAX_DEPTH} directories deep", show(name)))
}

/// Cleans a name and says what it means.
pub(super) fn classify(name: &[u8]) -> Result<Meaning> {
    let path = clean(name)?;
    let has = |part: &OsStr, prefix: &[u8]| part.as_bytes().starts_with(prefix);
    let Some(last) = path.file_name() else { return Ok(Meaning::Entry(path)) };
    if last.as_bytes() == OPAQUE {
        return Ok(Meaning::Opaque(path.parent().unwrap_or(Path::new("")).to_path_buf()));
    }
    if path.iter().any(|part| has(part, RESERVED)) {
        return Ok(Meaning::Reserved);
    }
    match path.parent().and_then(|parent| parent.iter().find(|part| has(part, WHITEOUT))) {
        None if !has(last, WHITEOUT) => return Ok(Meaning::Entry(path)),
        None => {}
        Some(part) => {
            let part = show(part.as_bytes());
            return Err(wrong(format!("`{}` is below the whiteout `{part}`", show(name))));
        }
    }
    match &last.as_bytes()[WHITEOUT.len()..] {
        b"" | b"." | b".." => Err(wrong(format!("`{}` is a whiteout of nothing", show(name)))),
        hidden => Ok(Meaning::Whiteout(path.with_file_name(OsStr::from_bytes(hidden)))),
    }
}

/// A name for people.
pub(super) fn show(name: &[u8]) -> String {
    String::from_utf8_lossy(name).escape_debug().to_string()
}

/// The path that `path` is after every symlink on the way, its last component included, is followed
/// inside of the root. `read_link` tells where a path leads, None if it is no symlink.
pub(super) fn follow(
    path: &Path,
    mut read_link: impl FnMut(&Path) -> Result<Option<PathBuf>>,
) -> Result<PathBuf> {
    let mut done = PathBuf::new();
    let mut left: Vec<_> = path.iter().rev().map(OsStr::to_os_string).collect();
    let mut links = 0;
    while let Some(part) = left.pop() {
        match part.as_bytes() {
            b"." => continue,
            // The parent of the root is the root.
            b".." => {
                done.pop();
                continue;
            }
            b"/" => {
                done.clear();
                continue;
            }
            _ => done.push(&part),
        }
        let Some(target) = read_link(&done)? else { continue };
        links += 1;
        if links > MAX_LINKS || left.len() > MAX_LENGTH {
            return Err(wrong(format!("more than {MAX_LINKS} symlinks")))
                .context(|| format!("follow `{}`", path.display()));
        }
        done.pop();
        left.extend(target.iter().rev().map(OsStr::to_os_string));
    }
    // Symlinks lead deeper than any name may say.
    if done.components().count() > MAX_DEPTH {
        return Err(too_deep(path.as_os_str().as_bytes()));
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> Meaning {
        Meaning::Entry(PathBuf::from(path))
    }

    #[test]
    fn names_are_relative_and_clean() {
        for (name, expected) in [
            ("etc/passwd", "etc/passwd"),
            ("./etc//passwd", "etc/passwd"),
            ("/etc/passwd", "etc/passwd"),
            ("usr/./lib/", "usr/lib"),
            ("./", ""),
            ("/", ""),
            ("..a/b..", "..a/b.."),
        ] {
            assert_eq!(classify(name.as_bytes()).unwrap(), entry(expected), "{name}");
        }
        for name in ["..", "../x", "a/../b", "/..", "a\0b", "./.."] {
            assert!(classify(name.as_bytes()).is_err(), "{name}");
        }
        assert!(clean("a/".repeat(257).as_bytes()).is_err());
        assert!(clean(&[b'a'; 4097]).is_err());
    }

    #[test]
    fn whiteouts_and_what_looks_like_one() {
        let whiteout = |path: &str| Meaning::Whiteout(PathBuf::from(path));
        let opaque = |path: &str| Meaning::Opaque(PathBuf::from(path));
        assert_eq!(classify(b"a/.wh.b").unwrap(), whiteout("a/b"));
        assert_eq!(classify(b".wh.b").unwrap(), whiteout("b"));
        assert_eq!(classify(b"a/.wh..wh..opq").unwrap(), opaque("a"));
        assert_eq!(classify(b".wh..wh..opq").unwrap(), opaque(""));
        assert_eq!(classify(b".wh..wh.plnk/1.2").unwrap(), Meaning::Reserved);
        assert_eq!(classify(b"a/.wh..wh.aufs").unwrap(), Meaning::Reserved);
        assert_eq!(classify(b"a/.wh").unwrap(), entry("a/.wh"));
        for name in [".wh.", "a/.wh..", ".wh...", ".wh.a/b"] {
            assert!(classify(name.as_bytes()).is_err(), "{name}");
        }
    }

    #[test]
    fn symlinks_never_lead_out() {
        let links = |path: &Path| {
            Ok(match path.to_str().unwrap() {
                "lib" => Some(PathBuf::from("usr/lib")),
                "out" => Some(PathBuf::from("../../../etc")),
                "abs" => Some(PathBuf::from("/usr/lib")),
                "usr/up" => Some(PathBuf::from("../lib/x")),
                "loop" => Some(PathBuf::from("loop")),
                _ => None,
            })
        };
        for (path, expected) in [
            ("lib/foo", "usr/lib/foo"),
            ("out/passwd", "etc/passwd"),
            ("a/b", "a/b"),
            ("abs", "usr/lib"),
            ("usr/up/y", "usr/lib/x/y"),
        ] {
            assert_eq!(follow(Path::new(path), links).unwrap(), Path::new(expected), "{path}");
        }
        assert!(follow(Path::new("loop"), links).is_err());
        let deep = |path: &Path| Ok(path.ends_with("l").then(|| PathBuf::from("d/".repeat(200))));
        assert!(follow(Path::new("l/x"), deep).is_ok());
        let error = follow(Path::new("l/l/x"), deep).unwrap_err().to_string();
        assert!(error.contains("more than 256 directories deep"), "{error}");
    }
}
