//! Pure: the scope of a container: its name, its slice, and where in the tree that is.

use std::collections::BTreeMap;
use std::path::{Component, PathBuf};

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
    /// Where the container will be, below the cgroup of systemd's manager: the scope itself, or a
    /// cgroup in it.
    pub(in crate::cgroups) path: PathBuf,
    /// How many steps below the scope that is.
    pub(in crate::cgroups) depth: usize,
    /// A cgroup below that, without limits, into which the process goes at last.
    pub(in crate::cgroups) delegated: Option<PathBuf>,
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
    let subgroup = below(annotations, SUBGROUP)?;
    let delegated = below(annotations, DELEGATE)?;
    if delegated.is_some() && (subgroup.is_none() || !unified) {
        let text = format!("needs `{SUBGROUP}` beside it, and a host with cgroup v2 alone");
        return Err(Error::config(pointer(DELEGATE), text));
    }
    let mut path = directory.join(&unit);
    path.extend(&subgroup);
    let depth = subgroup.map_or(0, |path| path.iter().count());
    let name = UnitName { name: unit, user };
    Ok(Unit { name, path, depth, delegated, properties })
}

/// crun's annotation for a cgroup in the scope, which gets process and limits.
const SUBGROUP: &str = "run.oci.systemd.subgroup";
/// crun's annotation for one below that, which gets the process alone.
const DELEGATE: &str = "run.oci.delegate-cgroup";

fn pointer(annotation: &str) -> String {
    format!("/annotations/{}", spec::escape_pointer(annotation))
}

/// The cgroup that an annotation names, if it names one: below the scope, and nowhere else.
fn below(annotations: &BTreeMap<String, String>, name: &str) -> Result<Option<PathBuf>> {
    let Some(text) = annotations.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let path = PathBuf::from(text);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    // The kernel's own files have such names.
    let is_cgroup = path.iter().all(|part| !part.as_encoded_bytes().starts_with(b"cgroup."));
    if is_plain && is_cgroup && !text.contains(['\0', '\n']) {
        return Ok(Some(path));
    }
    let text = format!("`{}` is no path below the scope", text.escape_debug());
    Err(Error::config(pointer(name), text))
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

    fn annotated(list: &[(&str, &str)], unified: bool) -> Result<Unit> {
        let list = list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        compile(("", "web"), &list.collect(), &spec::Resources::default(), (unified, false))
    }

    #[test]
    fn cgroups_in_the_scope() {
        let unit = annotated(&[(SUBGROUP, "a/b"), (DELEGATE, "c")], true).unwrap();
        assert_eq!(unit.path, PathBuf::from("system.slice/rrun-web.scope/a/b"));
        assert_eq!((unit.depth, unit.delegated), (2, Some(PathBuf::from("c"))));
        let unit = annotated(&[(SUBGROUP, "")], false).unwrap();
        assert_eq!(unit.path, PathBuf::from("system.slice/rrun-web.scope"));
        assert_eq!(unit.depth, 0);
        for (list, unified) in [
            (&[(DELEGATE, "c")][..], true),
            (&[(SUBGROUP, "a"), (DELEGATE, "c")], false),
            (&[(SUBGROUP, "../a")], true),
            (&[(SUBGROUP, "/a")], true),
            (&[(SUBGROUP, "a/cgroup.procs")], true),
        ] {
            let error = annotated(list, unified).unwrap_err().to_string();
            assert!(error.starts_with("/annotations/run.oci."), "{error}");
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
