//! Pure: the options of a mount, from words to flags (config.md "Linux mount options", mount(8)).
//!
//! A word stands for one of four things: a property of the mount (`ro`, `nosuid`), a property of the
//! file system behind it (`sync`, `lazytime`), how the mount is made or shared (`rbind`, `rslave`,
//! `tmpcopyup`), or, where nobody here knows it, a parameter of the file system. A later word
//! overrides an earlier one. Flags are those of mount(2), since they have names there that everybody
//! knows; the effect half turns them into what mount_setattr(2) takes.

use libc::{
    MS_DIRSYNC, MS_I_VERSION, MS_LAZYTIME, MS_MANDLOCK, MS_NODEV, MS_NODIRATIME, MS_NOEXEC,
    MS_NOSUID, MS_NOSYMFOLLOW, MS_PRIVATE, MS_RDONLY, MS_SHARED, MS_SILENT, MS_SLAVE,
    MS_SYNCHRONOUS, MS_UNBINDABLE,
};

/// When reading a file writes its access time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rootfs) enum AccessTime {
    /// Where it is older than the last change: the kernel's default.
    Relative,
    /// Never.
    Never,
    /// Always.
    Strict,
}

/// Properties of one mount, or of a tree of them, to be changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::rootfs) struct Attributes {
    /// `MS_*` to set.
    pub set: u64,
    /// `MS_*` to clear.
    pub clear: u64,
    /// The access time mode, where the options say one.
    pub access_time: Option<AccessTime>,
}

impl Attributes {
    /// Whether nothing is to be changed.
    pub(in crate::rootfs) fn is_empty(self) -> bool {
        self == Attributes::default()
    }

    fn change(&mut self, flag: u64, on: bool) {
        if on {
            self.set |= flag;
            self.clear &= !flag;
        } else {
            self.set &= !flag;
            self.clear |= flag;
        }
    }

    /// `no…` words take back their own mode only: `strictatime,atime` stays strict. Without any
    /// mode the kernel's is relative, whatever a caller takes back.
    fn time(&mut self, mode: AccessTime, on: bool) {
        let taken_back = self.access_time.is_none_or(|current| current == mode);
        if on {
            self.access_time = Some(mode);
        } else if mode == AccessTime::Relative {
            self.access_time = self.access_time.filter(|current| *current != mode);
        } else if taken_back {
            self.access_time = Some(AccessTime::Relative);
        }
    }
}

/// A change of propagation (mount_namespaces(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rootfs) struct Propagation {
    /// `MS_SHARED`, `MS_SLAVE`, `MS_PRIVATE` or `MS_UNBINDABLE`.
    pub kind: u64,
    /// Whether the mounts below change too.
    pub recursive: bool,
}

/// All that the options of one mount say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::rootfs) struct Options {
    /// Whether it is a bind mount, and if so whether of the whole tree.
    pub bind: Option<bool>,
    /// Whether it changes a mount that is there.
    pub remount: bool,
    /// Properties of the mount.
    pub top: Attributes,
    /// Properties of the mount and of all below it.
    pub tree: Attributes,
    /// Properties of the file system: `MS_*`.
    pub superblock: u64,
    /// Changes of propagation, in order.
    pub propagation: Vec<Propagation>,
    /// Whether a tmpfs begins with what it covers.
    pub copy_up: bool,
    /// Parameters of the file system, one each.
    pub data: Vec<String>,
    /// Whether the mount is to be idmapped, and if so whether with all below it (`idmap`, `ridmap`).
    pub idmap: Option<bool>,
    /// By which ids, as crun's `idmap=…` says it.
    pub idmap_words: Option<String>,
}

/// What a word means.
#[derive(Clone, Copy)]
enum Meaning {
    Nothing,
    /// On the mount and its file system alike: only `ro` and `rw`.
    ReadOnly(bool),
    Top(u64, bool),
    Tree(u64, bool),
    TopTime(AccessTime, bool),
    TreeTime(AccessTime, bool),
    Superblock(u64, bool),
    Propagate(u64, bool),
    Bind(bool),
    Remount,
    CopyUp,
    Idmap(bool),
}

use AccessTime::{Never, Relative, Strict};
use Meaning::{
    Bind, CopyUp, Idmap, Nothing, Propagate, ReadOnly, Remount, Superblock, Top, TopTime, Tree,
    TreeTime,
};

/// Every word that is not left to the file system, sorted.
const WORDS: &[(&str, Meaning)] = &[
    ("async", Superblock(MS_SYNCHRONOUS, false)),
    ("atime", TopTime(Never, false)),
    ("bind", Bind(false)),
    ("defaults", Nothing),
    ("dev", Top(MS_NODEV, false)),
    ("diratime", Top(MS_NODIRATIME, false)),
    ("dirsync", Superblock(MS_DIRSYNC, true)),
    ("exec", Top(MS_NOEXEC, false)),
    ("idmap", Idmap(false)),
    ("iversion", Superblock(MS_I_VERSION, true)),
    ("lazytime", Superblock(MS_LAZYTIME, true)),
    ("loud", Superblock(MS_SILENT, false)),
    ("mand", Superblock(MS_MANDLOCK, true)),
    ("noatime", TopTime(Never, true)),
    ("nodev", Top(MS_NODEV, true)),
    ("nodiratime", Top(MS_NODIRATIME, true)),
    ("noexec", Top(MS_NOEXEC, true)),
    ("noiversion", Superblock(MS_I_VERSION, false)),
    ("nolazytime", Superblock(MS_LAZYTIME, false)),
    ("nomand", Superblock(MS_MANDLOCK, false)),
    ("norelatime", TopTime(Relative, false)),
    ("nostrictatime", TopTime(Strict, false)),
    ("nosuid", Top(MS_NOSUID, true)),
    ("nosymfollow", Top(MS_NOSYMFOLLOW, true)),
    ("private", Propagate(MS_PRIVATE, false)),
    ("ratime", TreeTime(Never, false)),
    ("rbind", Bind(true)),
    ("rdev", Tree(MS_NODEV, false)),
    ("rdiratime", Tree(MS_NODIRATIME, false)),
    ("relatime", TopTime(Relative, true)),
    ("remount", Remount),
    ("rexec", Tree(MS_NOEXEC, false)),
    ("ridmap", Idmap(true)),
    ("rnoatime", TreeTime(Never, true)),
    ("rnodev", Tree(MS_NODEV, true)),
    ("rnodiratime", Tree(MS_NODIRATIME, true)),
    ("rnoexec", Tree(MS_NOEXEC, true)),
    ("rnorelatime", TreeTime(Relative, false)),
    ("rnostrictatime", TreeTime(Strict, false)),
    ("rnosuid", Tree(MS_NOSUID, true)),
    ("rnosymfollow", Tree(MS_NOSYMFOLLOW, true)),
    ("ro", ReadOnly(true)),
    ("rprivate", Propagate(MS_PRIVATE, true)),
    ("rrelatime", TreeTime(Relative, true)),
    ("rro", Tree(MS_RDONLY, true)),
    ("rrw", Tree(MS_RDONLY, false)),
    ("rshared", Propagate(MS_SHARED, true)),
    ("rslave", Propagate(MS_SLAVE, true)),
    ("rstrictatime", TreeTime(Strict, true)),
    ("rsuid", Tree(MS_NOSUID, false)),
    ("rsymfollow", Tree(MS_NOSYMFOLLOW, false)),
    ("runbindable", Propagate(MS_UNBINDABLE, true)),
    ("rw", ReadOnly(false)),
    ("shared", Propagate(MS_SHARED, false)),
    ("silent", Superblock(MS_SILENT, true)),
    ("slave", Propagate(MS_SLAVE, false)),
    ("strictatime", TopTime(Strict, true)),
    ("suid", Top(MS_NOSUID, false)),
    ("symfollow", Top(MS_NOSYMFOLLOW, false)),
    ("sync", Superblock(MS_SYNCHRONOUS, true)),
    ("tmpcopyup", CopyUp),
    ("unbindable", Propagate(MS_UNBINDABLE, false)),
];

/// The mount options that have a meaning of their own, sorted, for `features`.
pub fn mount_options() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|(word, _)| *word)
}

impl Options {
    /// Reads the options of one mount. No word is wrong here: what is unknown is the file system's.
    pub(in crate::rootfs) fn parse(words: &[String]) -> Options {
        let mut options = Options::default();
        for word in words.iter().filter(|word| !word.is_empty()) {
            match WORDS.binary_search_by_key(&word.as_str(), |(known, _)| known) {
                Ok(at) => options.apply(WORDS[at].1),
                Err(_) => match word.split_once("idmap=") {
                    Some((before @ ("" | "r"), words)) => {
                        options.idmap = Some(before == "r");
                        options.idmap_words = Some(words.to_owned());
                    }
                    _ => options.data.extend(split_parameters(word)),
                },
            }
        }
        options
    }

    fn apply(&mut self, meaning: Meaning) {
        match meaning {
            Nothing => {}
            ReadOnly(on) => {
                self.top.change(MS_RDONLY, on);
                self.set_superblock(MS_RDONLY, on);
            }
            Top(flag, on) => self.top.change(flag, on),
            Tree(flag, on) => self.tree.change(flag, on),
            TopTime(mode, on) => self.top.time(mode, on),
            TreeTime(mode, on) => self.tree.time(mode, on),
            Superblock(flag, on) => self.set_superblock(flag, on),
            Propagate(kind, recursive) => self.propagation.push(Propagation { kind, recursive }),
            Bind(recursive) => self.bind = Some(recursive || self.bind == Some(true)),
            Remount => self.remount = true,
            CopyUp => self.copy_up = true,
            Idmap(recursive) => self.idmap = Some(recursive),
        }
    }

    fn set_superblock(&mut self, flag: u64, on: bool) {
        if on {
            self.superblock |= flag;
        } else {
            self.superblock &= !flag;
        }
    }
}

/// One member of `options` may hold several parameters, as mount(2) would take them; commas inside
/// quotes (SELinux contexts) and behind a backslash (overlayfs) belong to a value.
fn split_parameters(text: &str) -> Vec<String> {
    let mut parameters = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for letter in text.chars() {
        if letter == ',' && !quoted && !escaped {
            parameters.push(String::new());
            continue;
        }
        quoted ^= letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        if let Some(last) = parameters.last_mut() {
            last.push(letter);
        }
    }
    parameters.retain(|parameter| !parameter.is_empty());
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Options {
        Options::parse(&text.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(WORDS.is_sorted_by_key(|(word, _)| *word));
    }

    #[test]
    fn every_word_of_the_spec_is_known() {
        let spec = "async atime bind defaults dev diratime dirsync exec iversion lazytime loud \
                    mand noatime nodev nodiratime noexec noiversion nolazytime nomand norelatime \
                    nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime \
                    remount rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime \
                    rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave \
                    rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime \
                    suid symfollow sync tmpcopyup unbindable idmap ridmap";
        for word in spec.split_whitespace() {
            assert!(parse(word).data.is_empty(), "{word}");
        }
        assert_eq!(spec.split_whitespace().count(), mount_options().count());
    }

    #[test]
    fn a_later_word_overrides_an_earlier_one() {
        let options = parse("ro nosuid rw suid dev");
        assert_eq!(options.top.set, 0);
        assert_eq!(options.top.clear, MS_RDONLY | MS_NOSUID | MS_NODEV);
        assert_eq!(options.superblock, 0);
        let options = parse("rw ro");
        assert_eq!((options.top.set, options.top.clear), (MS_RDONLY, 0));
        assert_eq!(options.superblock, MS_RDONLY);
        assert_eq!(parse("rbind bind").bind, Some(true));
        assert_eq!(parse("sync lazytime async").superblock, MS_LAZYTIME);
    }

    #[test]
    fn access_times() {
        for (text, mode) in [
            ("defaults", None),
            ("noatime", Some(Never)),
            ("noatime atime", Some(Relative)),
            ("atime", Some(Relative)),
            ("strictatime atime", Some(Strict)),
            ("strictatime nostrictatime", Some(Relative)),
            ("noatime nostrictatime", Some(Never)),
            ("relatime", Some(Relative)),
            ("relatime norelatime", None),
            ("noatime norelatime", Some(Never)),
            ("relatime strictatime", Some(Strict)),
        ] {
            assert_eq!(parse(text).top.access_time, mode, "{text}");
            let recursive: Vec<_> = text.split(' ').map(|word| format!("r{word}")).collect();
            if text != "defaults" {
                assert_eq!(parse(&recursive.join(" ")).tree.access_time, mode, "r: {text}");
            }
        }
    }

    #[test]
    fn recursive_words_leave_the_top_alone() {
        let options = parse("rbind rro rnosuid rexec");
        assert!(options.top.is_empty());
        assert_eq!(options.tree.set, MS_RDONLY | MS_NOSUID);
        assert_eq!(options.tree.clear, MS_NOEXEC);
        assert_eq!(options.superblock, 0);
    }

    #[test]
    fn propagation_is_kept_in_order() {
        let options = parse("rslave shared");
        let expected = [
            Propagation { kind: MS_SLAVE, recursive: true },
            Propagation { kind: MS_SHARED, recursive: false },
        ];
        assert_eq!(options.propagation, expected);
    }

    #[test]
    fn the_rest_is_the_file_systems() {
        let options = parse("nosuid size=64m,mode=755 newinstance");
        assert_eq!(options.data, ["size=64m", "mode=755", "newinstance"]);
        let options = parse(r#"context="a:b:c1,c2",size=1"#);
        assert_eq!(options.data, [r#"context="a:b:c1,c2""#, "size=1"]);
        assert_eq!(parse(r"lowerdir=a\,b:c").data, [r"lowerdir=a\,b:c"]);
        assert!(parse("").data.is_empty());
    }
}
