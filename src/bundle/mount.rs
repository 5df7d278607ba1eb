//! Pure: mounts: those that every container has, and one as the command line asks for it.

use std::path::{Component, Path};

use serde::Serialize;

use crate::error::{Error, Kind, Result};

/// One member of `mounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// Where it goes, absolute.
    pub destination: String,
    /// The file system type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is mounted.
    pub source: String,
    /// Options of mount(8).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

fn mount(destination: &str, kind: &str, source: &str, options: &[&str]) -> Mount {
    Mount {
        destination: destination.to_owned(),
        kind: kind.to_owned(),
        source: source.to_owned(),
        options: options.iter().map(|&option| option.to_owned()).collect(),
    }
}

/// The group of terminals, as every distribution has it.
pub(super) const TTY_GROUP: u32 = 5;

/// What every container has. In a user namespace there may be no group of terminals, and a new /sys
/// needs a network of one's own: without one it is the host's.
pub(super) fn usual(rootless: bool, has_tty_group: bool, own_network: bool) -> Vec<Mount> {
    let tty_group = format!("gid={TTY_GROUP}");
    let hardened = ["nosuid", "noexec", "nodev"];
    let with = |options: &[&'static str]| [&hardened[..], options].concat();
    let mut pts = vec!["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
    if has_tty_group {
        pts.push(&tty_group);
    }
    let dev = ["nosuid", "strictatime", "mode=755", "size=65536k"];
    let mut mounts = vec![
        mount("/proc", "proc", "proc", &hardened),
        mount("/dev", "tmpfs", "tmpfs", &dev),
        mount("/dev/pts", "devpts", "devpts", &pts),
        mount("/dev/shm", "tmpfs", "shm", &with(&["mode=1777", "size=65536k"])),
        mount("/dev/mqueue", "mqueue", "mqueue", &hardened),
    ];
    if rootless && !own_network {
        mounts.push(mount("/sys", "none", "/sys", &["rbind", "nosuid", "noexec", "nodev", "rro"]));
    } else {
        mounts.push(mount("/sys", "sysfs", "sysfs", &with(&["ro"])));
        mounts.push(mount("/sys/fs/cgroup", "cgroup", "cgroup", &with(&["relatime", "ro"])));
    }
    mounts
}

impl Mount {
    /// A directory or file of the host, with what is mounted below it.
    pub fn bind(source: &str, destination: &str, read_only: bool) -> Mount {
        let options: &[&str] = if read_only { &["rbind", "rro"] } else { &["rbind"] };
        mount(destination, "bind", source, options)
    }

    /// What a volume of an image is: memory of the container's own, with what the image has there.
    pub(super) fn volume(destination: &str) -> Mount {
        mount(destination, "tmpfs", "tmpfs", &["nosuid", "nodev", "tmpcopyup"])
    }

    /// Reads `type=bind,source=SRC,target=DST,readonly` as Docker takes it (bind and tmpfs, with
    /// `tmpfs-size`, `tmpfs-mode`, `bind-propagation` and `bind-recursive`), or `SRC:DST[:ro]`, where SRC begins with `/` or `.`.
    ///
    /// # Errors
    /// Whatever is wrong with it, in one sentence.
    pub fn parse(text: &str) -> Result<Mount> {
        let wrong = |what: String| Error::message(Kind::Usage, format!("`{text}`: {what}"));
        if text.contains('\0') {
            return Err(wrong("has a NUL byte".to_owned()));
        }
        let words = match text.starts_with(['/', '.']) {
            true => Words::short(text),
            false if text.contains('=') => Words::long(text),
            false => Err("is neither /SRC:DST or ./SRC:DST, with or without :ro behind it, nor \
                          type=bind,source=SRC,target=DST,readonly"
                .to_owned()),
        };
        words.and_then(Words::mount).map_err(wrong)
    }
}

/// What was said of one mount.
#[derive(Debug, Default)]
struct Words<'a> {
    kind: Option<&'a str>,
    source: Option<&'a str>,
    target: Option<&'a str>,
    read_only: bool,
    /// `bind-propagation`.
    propagation: Option<&'a str>,
    /// `bind-recursive`.
    recursive: Option<&'a str>,
    size: Option<&'a str>,
    mode: Option<&'a str>,
}

impl<'a> Words<'a> {
    fn short(text: &'a str) -> Result<Words<'a>, String> {
        let fields: Vec<_> = text.split(':').collect();
        let (source, target, read_only) = match fields[..] {
            [source, target] | [source, target, "rw"] => (source, target, false),
            [source, target, "ro"] => (source, target, true),
            _ => return Err("is not SRC:DST or SRC:DST:ro".to_owned()),
        };
        let (source, target) = (Some(source), Some(target));
        Ok(Words { source, target, read_only, ..Words::default() })
    }

    fn long(text: &'a str) -> Result<Words<'a>, String> {
        let mut words = Words::default();
        for field in text.split(',') {
            let (key, value) = field.split_once('=').map_or((field, None), |(k, v)| (k, Some(v)));
            let place = match key {
                "type" => &mut words.kind,
                "source" | "src" => &mut words.source,
                "target" | "destination" | "dst" => &mut words.target,
                "bind-propagation" => &mut words.propagation,
                "bind-recursive" => &mut words.recursive,
                "tmpfs-size" => &mut words.size,
                "tmpfs-mode" => &mut words.mode,
                "readonly" | "ro" => {
                    words.read_only = match value {
                        None | Some("true" | "1") => true,
                        Some("false" | "0") => false,
                        Some(other) => return Err(format!("`{other}` is neither true nor false")),
                    };
                    continue;
                }
                _ => {
                    return Err(format!(
                        "there is no `{key}`; there are type, source, target, readonly, bind-propagation, \
                         bind-recursive, tmpfs-size and tmpfs-mode"
                    ));
                }
            };
            let value = value.filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| format!("`{key}` needs a value"))?;
            if place.replace(value).is_some() {
                return Err(format!("`{key}` is there twice"));
            }
        }
        Ok(words)
    }

    fn mount(self) -> Result<Mount, String> {
        let target = self.target.ok_or("has no target")?;
        let target = destination(target)
            .ok_or(format!("the target `{target}` is no absolute path below the root"))?;
        let (bind_only, tmpfs_only) =
            (self.propagation.or(self.recursive), self.size.or(self.mode));
        match self.kind.unwrap_or("bind") {
            "bind" if tmpfs_only.is_some() => {
                Err("tmpfs-size and tmpfs-mode are for type=tmpfs".to_owned())
            }
            "bind" => self.bind(&target),
            "tmpfs" if self.source.is_some() => Err("a tmpfs has no source".to_owned()),
            "tmpfs" if bind_only.is_some() => {
                Err("bind-propagation and bind-recursive are for type=bind".to_owned())
            }
            "tmpfs" => self.tmpfs(&target),
            "volume" => Err("there are no volumes: name a directory with type=bind".to_owned()),
            other => Err(format!("the type `{other}` is neither bind nor tmpfs")),
        }
    }

    fn bind(&self, target: &str) -> Result<Mount, String> {
        let source = self.source.filter(|source| !source.is_empty()).ok_or("has no source")?;
        let mut mount = Mount::bind(source, target, self.read_only);
        let words: &[&str] = match (self.recursive, self.read_only) {
            (None | Some("enabled"), _) => return self.propagate(mount),
            (Some("disabled"), true) => &["bind", "ro"],
            (Some("disabled"), false) => &["bind"],
            (Some("writable"), true) => &["rbind", "ro"],
            (Some("readonly"), true) => &["rbind", "rro"],
            (Some(other), _) => {
                return Err(format!(
                    "bind-recursive=`{other}` is not enabled, disabled, or with readonly writable or readonly"
                ));
            }
        };
        mount.options = words.iter().map(|&word| word.to_owned()).collect();
        self.propagate(mount)
    }

    fn propagate(&self, mut mount: Mount) -> Result<Mount, String> {
        match self.propagation {
            None => {}
            Some(word @ ("private" | "rprivate" | "slave" | "rslave" | "shared" | "rshared")) => {
                mount.options.push(word.to_owned());
            }
            Some(other) => {
                return Err(format!("bind-propagation=`{other}` is none that mount(8) has"));
            }
        }
        Ok(mount)
    }

    fn tmpfs(&self, target: &str) -> Result<Mount, String> {
        let mut tmpfs = mount(target, "tmpfs", "tmpfs", &["nosuid", "nodev"]);
        if self.read_only {
            tmpfs.options.push("ro".to_owned());
        }
        if let Some(size) = self.size {
            let digits = size.trim_end_matches(|unit: char| "kKmMgG%".contains(unit));
            if size.len() - digits.len() > 1 || !digits.parse::<u64>().is_ok_and(|it| it > 0) {
                return Err(format!("tmpfs-size=`{size}` is no size like 64m"));
            }
            tmpfs.options.push(format!("size={size}"));
        }
        if let Some(mode) = self.mode {
            if !u32::from_str_radix(mode, 8).is_ok_and(|mode| mode <= 0o7777) {
                return Err(format!("tmpfs-mode=`{mode}` is no mode like 1777"));
            }
            tmpfs.options.push(format!("mode={mode}"));
        }
        Ok(tmpfs)
    }
}

/// An absolute path without `.` and `..`, which is not the root itself.
pub(super) fn destination(text: &str) -> Option<String> {
    let mut clean = String::new();
    for component in Path::new(text.strip_prefix('/')?).components() {
        match component {
            Component::Normal(name) => {
                clean.push('/');
                clean.push_str(name.to_str()?);
            }
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    (!clean.is_empty()).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_takes() {
        for (text, kind, source, target, options) in [
            ("type=bind,source=/a,target=/b", "bind", "/a", "/b", "rbind"),
            ("src=/a,dst=/b//c/./d,readonly", "bind", "/a", "/b/c/d", "rbind rro"),
            ("src=/a,destination=/b,ro=false", "bind", "/a", "/b", "rbind"),
            ("/a:/b", "bind", "/a", "/b", "rbind"),
            ("./a:/b:ro", "bind", "./a", "/b", "rbind rro"),
            ("/a:/b:rw", "bind", "/a", "/b", "rbind"),
            ("/a=x,y:/b", "bind", "/a=x,y", "/b", "rbind"),
            ("type=bind,src=/a,dst=/b,bind-propagation=rslave", "bind", "/a", "/b", "rbind rslave"),
            ("src=/a,dst=/b,ro,bind-recursive=disabled", "bind", "/a", "/b", "bind ro"),
            ("src=/a,dst=/b,ro,bind-recursive=writable", "bind", "/a", "/b", "rbind ro"),
            ("type=tmpfs,target=/t", "tmpfs", "tmpfs", "/t", "nosuid nodev"),
            (
                "type=tmpfs,dst=/t,tmpfs-size=64m,tmpfs-mode=1777,ro",
                "tmpfs",
                "tmpfs",
                "/t",
                "nosuid nodev ro size=64m mode=1777",
            ),
        ] {
            let options: Vec<&str> = options.split(' ').collect();
            assert_eq!(
                Mount::parse(text).unwrap(),
                mount(target, kind, source, &options),
                "{text}"
            );
        }
    }

    #[test]
    fn mistakes_say_what_is_wrong() {
        for (text, expected) in [
            ("", "is neither /SRC:DST"),
            ("/a", "is not SRC:DST"),
            ("/a:/b:rx", "is not SRC:DST"),
            ("/a:b", "the target `b` is no absolute path"),
            ("/a:/", "the target `/` is no absolute path"),
            ("src:/b", "is neither /SRC:DST"),
            ("/a:/b/../c", "is no absolute path"),
            ("src=/a", "has no target"),
            ("dst=/a", "has no source"),
            ("src=,dst=/a", "`src` needs a value"),
            ("src=/a,source=/b,dst=/c", "`source` is there twice"),
            ("src=/a,dst=/b,readonly=yes", "`yes` is neither true nor false"),
            ("type=volume,src=a,dst=/b", "there are no volumes"),
            ("type=npipe,src=a,dst=/b", "`npipe` is neither"),
            ("type=tmpfs,src=a,dst=/b", "a tmpfs has no source"),
            ("type=tmpfs,dst=/b,tmpfs-size=x", "`x` is no size"),
            ("type=tmpfs,dst=/b,tmpfs-mode=9", "`9` is no mode"),
            ("src=/a,dst=/b,tmpfs-size=1", "are for type=tmpfs"),
            ("type=tmpfs,dst=/b,bind-propagation=slave", "are for type=bind"),
            ("src=/a,dst=/b,bind-propagation=x", "is none that mount(8) has"),
            ("src=/a,dst=/b,bind-recursive=readonly", "is not enabled"),
            ("src=/a,dst=/b,uid=0", "there is no `uid`"),
            ("/a\0:/b", "NUL"),
        ] {
            let error = Mount::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
