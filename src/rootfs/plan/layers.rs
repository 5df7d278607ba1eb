//! Pure: a root file system declared as layers, from annotations (`dev.rrun.rootfs.*`).
//!
//! `layers` is a JSON array of directories, lowest first; `upper` is `ephemeral` or a directory that
//! keeps the changes; `upper-size` limits an ephemeral one; `init` adds the mount points and files
//! that would otherwise be made in the image. Paths are relative to the bundle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Label;
use crate::error::{Error, Result};
use crate::spec::escape_pointer;

/// What all keys begin with.
const PREFIX: &str = "dev.rrun.rootfs.";

/// How many lower layers overlayfs takes (`OVL_MAX_STACK` in the kernel).
const MAX_LAYERS: usize = 500;

/// A root file system made of layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rootfs) struct Layers {
    /// Directories that are only read, lowest first.
    pub lower: Vec<PathBuf>,
    /// Where changes go.
    pub upper: Upper,
    /// Whether a layer of mount points lies below them all.
    pub init: bool,
    /// The container that uses them, as the work directory of a kept upper will say.
    pub owner: PathBuf,
    /// The SELinux context of what the container sees.
    pub label: Option<Label>,
}

/// Where the changes of a container go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rootfs) enum Upper {
    /// To memory; gone with the container.
    Ephemeral {
        /// The limit, as tmpfs(5) writes it.
        size: Option<String>,
    },
    /// To a directory that stays.
    Kept {
        /// The directory.
        directory: PathBuf,
        /// What overlayfs works in: beside it, since it must be on the same file system.
        work: PathBuf,
    },
}

fn pointer(key: &str) -> String {
    format!("/annotations/{}", escape_pointer(&format!("{PREFIX}{key}")))
}

impl Layers {
    /// Reads the annotations; None where there are none of ours.
    pub(in crate::rootfs) fn parse(
        annotations: &BTreeMap<String, String>,
        bundle: &Path,
        owner: &Path,
    ) -> Result<Option<Layers>> {
        let (mut layers, mut upper, mut size, mut init) = (None, None, None, false);
        let ours = annotations.range(PREFIX.to_owned()..);
        let mut last = None;
        for (name, value) in ours {
            let Some(key) = name.strip_prefix(PREFIX) else { break };
            match key {
                "layers" => layers = Some(parse_layers(value, bundle)?),
                "upper" => upper = Some(parse_upper(value, bundle)?),
                "upper-size" => size = Some(parse_size(value)?),
                "init" => init = parse_bool(key, value)?,
                _ => return Err(Error::config(pointer(key), "there is no such annotation")),
            }
            last = Some(key);
        }
        let Some(last) = last else { return Ok(None) };
        let Some(lower) = layers else {
            return Err(Error::config(pointer(last), format!("needs `{PREFIX}layers` beside it")));
        };
        let count = lower.len() + usize::from(init);
        if count > MAX_LAYERS {
            let text =
                format!("{count} layers are more than the {MAX_LAYERS} that overlayfs takes");
            let counted = if init { ", the init layer counted" } else { "" };
            return Err(Error::config(pointer("layers"), text + counted));
        }
        let upper = match (upper.flatten(), size) {
            (None, size) => Upper::Ephemeral { size },
            (Some(_), Some(_)) => {
                return Err(Error::config(pointer("upper-size"), "only limits an ephemeral upper"));
            }
            (Some(directory), None) => kept(directory, &lower)?,
        };
        Ok(Some(Layers { lower, upper, init, owner: owner.to_path_buf(), label: None }))
    }
}

fn parse_layers(value: &str, bundle: &Path) -> Result<Vec<PathBuf>> {
    let wrong = |text: String| Error::config(pointer("layers"), text);
    let names: Vec<String> = serde_json::from_str(value)
        .map_err(|error| wrong(format!("not a JSON array of directories: {error}")))?;
    if names.is_empty() {
        return Err(wrong("there must be at least one layer".to_owned()));
    }
    if let Some(at) = names.iter().position(|name| name.is_empty() || name.contains('\0')) {
        return Err(wrong(format!("layer {at} is no path")));
    }
    Ok(names.iter().map(|name| bundle.join(name)).collect())
}

/// None is `ephemeral`.
fn parse_upper(value: &str, bundle: &Path) -> Result<Option<PathBuf>> {
    match value {
        "ephemeral" => Ok(None),
        "" => Err(Error::config(pointer("upper"), "must be `ephemeral` or a directory")),
        path if path.contains('\0') => Err(Error::config(pointer("upper"), "is no path")),
        path => Ok(Some(bundle.join(path))),
    }
}

/// What tmpfs(5) takes: a number, and `k`, `m`, `g` or `%` behind it.
fn parse_size(value: &str) -> Result<String> {
    let digits = value.trim_end_matches(|unit: char| "kKmMgG%".contains(unit));
    let fine = value.len() - digits.len() <= 1
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && digits.parse::<u64>().is_ok_and(|size| size > 0);
    if fine {
        return Ok(value.to_owned());
    }
    let text = format!("`{value}` is no size: write a number with `k`, `m`, `g` or `%` behind it");
    Err(Error::config(pointer("upper-size"), text))
}

fn parse_bool(key: &str, value: &str) -> Result<bool> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => {
            let text = format!("`{value}` is neither `true` nor `false`");
            Err(Error::config(pointer(key), text))
        }
    }
}

fn kept(directory: PathBuf, lower: &[PathBuf]) -> Result<Upper> {
    let wrong = |text: String| Error::config(pointer("upper"), text);
    let Some(name) = directory.file_name() else {
        return Err(wrong(format!("`{}` has no name of its own", directory.display())));
    };
    // Layers are never written to. Below the host's `/` everything lies, so that one does not count.
    let overlaps = |layer: &&PathBuf| {
        let inside = directory.starts_with(layer) && layer.as_path() != Path::new("/");
        inside || layer.starts_with(&directory)
    };
    if let Some(layer) = lower.iter().find(overlaps) {
        let text = format!("would write to the layer `{}`", layer.display());
        return Err(wrong(text));
    }
    let mut work = std::ffi::OsString::from(".");
    work.push(name);
    work.push(".rrun-work");
    let work = directory.with_file_name(work);
    Ok(Upper::Kept { directory, work })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Option<Layers>> {
        let annotations = pairs
            .iter()
            .map(|(key, value)| (format!("dev.rrun.{key}"), (*value).to_owned()))
            .collect();
        Layers::parse(&annotations, Path::new("/bundle"), Path::new("now/web"))
    }

    #[test]
    fn none_of_ours_is_no_union() {
        assert_eq!(parse(&[]).unwrap(), None);
        assert_eq!(parse(&[("rootfs", "x"), ("rootfsx", "y"), ("other", "z")]).unwrap(), None);
    }

    #[test]
    fn reads_all_four() {
        let layers = parse(&[
            ("rootfs.layers", r#"["/abs","rel"]"#),
            ("rootfs.upper-size", "64m"),
            ("rootfs.init", "true"),
        ]);
        let expected = Layers {
            lower: vec![PathBuf::from("/abs"), PathBuf::from("/bundle/rel")],
            upper: Upper::Ephemeral { size: Some("64m".to_owned()) },
            init: true,
            owner: PathBuf::from("now/web"),
            label: None,
        };
        assert_eq!(layers.unwrap(), Some(expected));
    }

    #[test]
    fn a_kept_upper_has_its_work_directory_beside_it() {
        let layers = parse(&[("rootfs.layers", r#"["/l"]"#), ("rootfs.upper", "changes")]);
        let expected = Upper::Kept {
            directory: PathBuf::from("/bundle/changes"),
            work: PathBuf::from("/bundle/.changes.rrun-work"),
        };
        assert_eq!(layers.unwrap().unwrap().upper, expected);
    }

    #[test]
    fn the_hosts_root_may_have_its_upper_anywhere() {
        let pairs = [("rootfs.layers", r#"["/"]"#), ("rootfs.upper", "/var/lib/up")];
        assert!(parse(&pairs).unwrap().is_some());
    }

    #[test]
    fn five_hundred_layers_and_no_more() {
        let json = |count: usize| {
            let names: Vec<_> = (0..count).map(|at| format!("/l{at}")).collect();
            serde_json::to_string(&names).unwrap()
        };
        assert!(parse(&[("rootfs.layers", &json(500))]).is_ok());
        let error = parse(&[("rootfs.layers", &json(501))]).unwrap_err().to_string();
        assert!(error.contains("501 layers are more than the 500"), "{error}");
        let error = parse(&[("rootfs.layers", &json(500)), ("rootfs.init", "true")]);
        assert!(error.unwrap_err().to_string().contains("the init layer counted"));
    }

    #[test]
    fn mistakes_name_their_annotation() {
        let layers = ("rootfs.layers", r#"["/l"]"#);
        for (pairs, expected) in [
            (vec![("rootfs.layers", "[]")], "rootfs.layers: there must be at least one"),
            (vec![("rootfs.layers", "/a:/b")], "rootfs.layers: not a JSON array"),
            (vec![("rootfs.layers", r#"["a",""]"#)], "rootfs.layers: layer 1 is no path"),
            (vec![layers, ("rootfs.lower", "x")], "rootfs.lower: there is no such annotation"),
            (vec![layers, ("rootfs.init", "yes")], "rootfs.init: `yes` is neither"),
            (vec![("rootfs.init", "true")], "rootfs.init: needs `dev.rrun.rootfs.layers`"),
            (vec![layers, ("rootfs.upper-size", "12q")], "rootfs.upper-size: `12q` is no size"),
            (vec![layers, ("rootfs.upper-size", "0")], "rootfs.upper-size: `0` is no size"),
            (vec![layers, ("rootfs.upper", "")], "rootfs.upper: must be"),
            (vec![layers, ("rootfs.upper", "/")], "rootfs.upper: `/` has no name"),
            (vec![layers, ("rootfs.upper", "/l")], "rootfs.upper: would write to the layer"),
            (vec![layers, ("rootfs.upper", "/l/up")], "rootfs.upper: would write to the layer"),
            (
                vec![layers, ("rootfs.upper", "/u"), ("rootfs.upper-size", "1m")],
                "rootfs.upper-size: only limits",
            ),
        ] {
            let error = parse(&pairs).unwrap_err().to_string();
            let expected = format!("/annotations/dev.rrun.{expected}");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
