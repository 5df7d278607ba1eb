//! Pure: `exec --cgroup`, the cgroups below the container's that a process is to join.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// Where below the container's cgroups a process belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubGroups {
    /// In every hierarchy that no controller names; None where nothing was asked for.
    everywhere: Option<PathBuf>,
    /// In the v1 hierarchy of a controller.
    of: BTreeMap<String, PathBuf>,
}

impl SubGroups {
    /// Reads the values of `--cgroup`: one PATH, or several of CONTROLLER[,CONTROLLER...]:PATH.
    ///
    /// # Errors
    /// Of kind [`Kind::Usage`]: a path that leads out of the container's cgroup, a controller that is
    /// named twice, a path without controllers among several.
    pub fn parse(values: &[String]) -> Result<SubGroups> {
        let mut groups = SubGroups::default();
        for value in values {
            let wrong = |text: &str| {
                let text = format!("--cgroup `{}`: {text}", value.escape_debug());
                Error::message(Kind::Usage, text)
            };
            let (controllers, path) = match value.split_once(':') {
                Some((controllers, path)) => (Some(controllers), path),
                None => (None, value.as_str()),
            };
            let path =
                below(path).ok_or_else(|| wrong("it leads out of the container's cgroup"))?;
            let Some(controllers) = controllers else {
                if values.len() > 1 {
                    return Err(wrong("one of several needs `CONTROLLER:` before the path"));
                }
                groups.everywhere = Some(path);
                continue;
            };
            for controller in controllers.split(',') {
                if controller.is_empty() {
                    return Err(wrong("the name of a controller is empty"));
                }
                if groups.of.insert(controller.to_owned(), path.clone()).is_some() {
                    return Err(wrong(&format!("`{controller}` is named twice")));
                }
            }
        }
        Ok(groups)
    }

    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.everywhere.is_none() && self.of.is_empty()
    }

    /// The path below the container's cgroup in a hierarchy with these controllers.
    pub(super) fn within(&self, controllers: &[String]) -> &Path {
        // runc names a v1 hierarchy without controllers by what follows `name=` as well.
        let own = |name: &String| self.of.get(name.strip_prefix("name=").unwrap_or(name));
        let own = controllers.iter().find_map(|name| self.of.get(name).or_else(|| own(name)));
        own.or(self.everywhere.as_ref()).map_or(Path::new(""), PathBuf::as_path)
    }

    /// A controller that was named and is in none of `hierarchies`.
    pub(super) fn unknown(&self, hierarchies: &[&[String]]) -> Option<&str> {
        let is = |name: &str, own: &String| own.strip_prefix("name=").unwrap_or(own) == name;
        let has = |controllers: &[String], name: &str| {
            controllers.iter().any(|own| own == name || is(name, own))
        };
        let known = |name: &&String| !hierarchies.iter().any(|it| has(it, name));
        self.of.keys().find(known).map(String::as_str)
    }
}

/// The path without its leading `/`, and without anything that would lead upwards.
fn below(path: &str) -> Option<PathBuf> {
    let mut below = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) if !path.contains('\0') => below.push(name),
            _ => return None,
        }
    }
    Some(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(values: &[&str]) -> Result<SubGroups> {
        SubGroups::parse(&values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn one_path_is_for_every_hierarchy() {
        let groups = parse(&["/a/./b"]).unwrap();
        assert_eq!(groups.within(&names(&["cpu"])), Path::new("a/b"));
        assert_eq!(groups.within(&[]), Path::new("a/b"));
        assert!(parse(&[]).unwrap().is_empty() && !parse(&["/"]).unwrap().is_empty());
    }

    #[test]
    fn controllers_have_paths_of_their_own() {
        let groups = parse(&["cpu,memory:a", "systemd:b"]).unwrap();
        assert_eq!(groups.within(&names(&["cpu", "cpuacct"])), Path::new("a"));
        assert_eq!(groups.within(&names(&["name=systemd"])), Path::new("b"));
        assert_eq!(groups.within(&names(&["pids"])), Path::new(""));
        let (cpu, named) = (names(&["cpu", "memory"]), names(&["name=systemd"]));
        assert_eq!(groups.unknown(&[&cpu, &named]), None);
        assert_eq!(groups.unknown(&[&named]), Some("cpu"));
    }

    #[test]
    fn mistakes_and_ways_out_are_refused() {
        for (values, expected) in [
            (&["../x"][..], "`../x`: it leads out"),
            (&["a/../.."], "it leads out"),
            (&["cpu:a", "b"], "`b`: one of several needs"),
            (&["cpu:a", "cpu:b"], "`cpu` is named twice"),
            (&[",cpu:a"], "is empty"),
            (&["cpu:../a"], "it leads out"),
        ] {
            let text = parse(values).unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
        }
    }
}
