//! Pure: the scope of a container: its name, its slice, and where in the tree that is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::annotations;
use super::properties::{device_properties, resource_properties};
use super::wire::{Properties, Value};
use crate::error::{Context, Error, Result};
use crate::spec;

const POINTER: &str = "/linux/cgroupsPath";

/// What later verbs need to know of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cgroups) struct UnitName {
    /// The unit.
    pub(in crate::cgroups) name: String,
    /// Whether it is the calling user's systemd that has it.
    pub(in crate::cgroups) user: bool,
}

impl std::fmt::Display for UnitName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

/// A scope to be made.
#[derive(Debug)]
pub(in crate::cgroups) struct Unit {
    pub(in crate::cgroups) name: UnitName,
    /// Where it will be, below the cgroup of systemd's manager.
    pub(in crate::cgroups) path: PathBuf,
    pub(in crate::cgroups) properties: Properties,
}

/// Decides about the scope of the container `id`.
///
/// # Errors
/// A path that is none of systemd's, wrong annotations.
pub(in crate::cgroups) fn compile(
    (path, id): (&str, &str),
    annotations: &BTreeMap<String, String>,
    resources: &spec::Resources,
    (unified, user): (bool, bool),
) -> Result<Unit> {
    let default_slice = if user { "user.slice" } else { "system.slice" };
    let (slice, prefix, name) = match path.split(':').collect::<Vec<_>>().as_slice() {
        [""] => (default_slice, "rrun", id),
        [slice, prefix, name] => {
            (if slice.is_empty() { default_slice } else { *slice }, *prefix, *name)
        }
        _ => {
            let text = format!("`{path}` has not systemd's form slice:prefix:name");
            return Err(Error::config(POINTER, text))
                .hint(|| "--systemd-cgroup needs that form, cgroupfs a path");
        }
    };
    let directory = expand(slice)?;
    let is_fit = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte))
    };
    if name.is_empty() || !is_fit(name) || !is_fit(prefix) {
        let text = format!("`{}` cannot name a unit of systemd's", path.escape_default());
        return Err(Error::config(POINTER, text));
    }
    if name.ends_with(".slice") {
        let text = format!("`{name}` is a slice, which holds no container");
        return Err(Error::config(POINTER, text));
    }
    let unit =
        if prefix.is_empty() { format!("{name}.scope") } else { format!("{prefix}-{name}.scope") };
    let text = |text: &str| Value::Text(text.to_owned());
    let mut properties: Properties = vec![
        ("Description".to_owned(), text(&format!("container {name}"))),
        ("Slice".to_owned(), text(slice)),
        ("Delegate".to_owned(), Value::Bool(true)),
        ("DefaultDependencies".to_owned(), Value::Bool(false)),
    ];
    let io = if unified { "IOAccounting" } else { "BlockIOAccounting" };
    for accounting in ["CPUAccounting", "MemoryAccounting", "TasksAccounting", io] {
        properties.push((accounting.to_owned(), Value::Bool(true)));
    }
    properties.extend(resource_properties(resources, unified));
    if !user {
        properties.extend(device_properties(&resources.devices)?);
    }
    // Last, so that they are the last word.
    properties.extend(annotations::properties(annotations)?);
    let path = directory.join(&unit);
    Ok(Unit { name: UnitName { name: unit, user }, path, properties })
}

/// Where a slice is: `a-b.slice` is in `a.slice`, `-.slice` is the root (systemd.slice(5)).
fn expand(slice: &str) -> Result<PathBuf> {
    let wrong = || Error::config(POINTER, format!("`{}` is no slice", slice.escape_default()));
    let stem = slice.strip_suffix(".slice").ok_or_else(wrong)?;
    let mut path = PathBuf::new();
    if stem == "-" {
        return Ok(path);
    }
    let mut name = String::new();
    for part in stem.split('-') {
        if part.is_empty() || part.contains('/') || part.contains('\0') {
            return Err(wrong());
        }
        if !name.is_empty() {
            name.push('-');
        }
        name.push_str(part);
        path.push(format!("{name}.slice"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(path: &str, user: bool) -> Result<Unit> {
        compile((path, "web"), &BTreeMap::new(), &spec::Resources::default(), (true, user))
    }

    #[test]
    fn names_and_places() {
        for (path, user, name, place) in [
            ("", false, "rrun-web.scope", "system.slice/rrun-web.scope"),
            ("", true, "rrun-web.scope", "user.slice/rrun-web.scope"),
            ("system.slice:docker:1", false, "docker-1.scope", "system.slice/docker-1.scope"),
            (":docker:1", false, "docker-1.scope", "system.slice/docker-1.scope"),
            ("a-b-c.slice:x:1", false, "x-1.scope", "a.slice/a-b.slice/a-b-c.slice/x-1.scope"),
            ("-.slice::1", false, "1.scope", "1.scope"),
        ] {
            let unit = unit(path, user).unwrap();
            assert_eq!(
                (unit.name.name.as_str(), unit.path),
                (name, PathBuf::from(place)),
                "{path}"
            );
        }
    }

    #[test]
    fn mistakes_in_the_path_are_named() {
        for path in [
            "/a",
            "a:b",
            "a:b:c:d",
            "a:b:c",
            "a--b.slice:x:1",
            "-a.slice:x:1",
            "a.slice:x:",
            "a.slice:x:1/2",
            "a.slice:x:1.slice",
            "../a.slice:x:1",
        ] {
            let error = unit(path, false).unwrap_err().to_string();
            assert!(error.starts_with("/linux/cgroupsPath: "), "{path}: {error}");
        }
    }

    #[test]
    fn annotations_have_the_last_word() {
        let annotations = [("org.systemd.property.Delegate".to_owned(), "false".to_owned())].into();
        let unit = compile(("", "web"), &annotations, &spec::Resources::default(), (true, false));
        let properties = unit.unwrap().properties;
        assert_eq!(properties.last(), Some(&("Delegate".to_owned(), Value::Bool(false))));
    }
}
