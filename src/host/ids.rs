//! Which ids we may give to a user namespace: /etc/subuid, /etc/subgid (subuid(5)) for an ordinary
//! user, and our own map for root in a user namespace.

use std::path::Path;

/// A range of ids that are ours to give: the first, and how many.
pub type Range = (u32, u32);

/// The subordinate ranges of the user `uid` in a file like /etc/subuid: lines of name or number, first
/// id, count.
pub(super) fn subordinate(file: &Path, uid: u32) -> Vec<Range> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    ranges(&text, uid, name_of(&passwd, uid))
}

fn name_of(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(uid)).then_some(name)
    })
}

fn ranges(text: &str, uid: u32, name: Option<&str>) -> Vec<Range> {
    let number = uid.to_string();
    let read = |line: &str| {
        let mut fields = line.trim().split(':');
        let (owner, first, count) = (fields.next()?, fields.next()?, fields.next()?);
        let ours = owner == number || Some(owner) == name;
        let (first, count) = (first.parse().ok()?, count.parse().ok()?);
        (ours && count > 0).then_some((first, count))
    };
    text.lines().filter_map(read).collect()
}

/// The ids that exist in the user namespace that we are in, by its map (`uid_map`, `gid_map`).
pub(super) fn existing(map: &str) -> Vec<Range> {
    let text = std::fs::read_to_string(Path::new("/proc/self").join(map)).unwrap_or_default();
    let read = |line: &str| {
        let mut fields = line.split_whitespace();
        let (first, _, count) = (fields.next()?, fields.next()?, fields.next()?);
        Some((first.parse().ok()?, count.parse().ok()?))
    };
    text.lines().filter_map(read).collect()
}

/// Whether a program is on PATH.
pub(super) fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_others_and_broken_ones_are_passed_over() {
        let text =
            "root:1:2\nalice:100000:65536\n1000:5:1\n10:7:7\nalice:x:1\nalice:9:0\nalice:3\n";
        assert_eq!(ranges(text, 1000, Some("alice")), [(100_000, 65536), (5, 1)]);
        assert_eq!(ranges(text, 1001, None), []);
        assert_eq!(name_of("root:x:0:0\nalice:x:1000:1000::/:/bin/sh\n", 1000), Some("alice"));
        assert_eq!(name_of("root:x:0:0\n", 1000), None);
    }
}
