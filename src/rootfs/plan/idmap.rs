//! Pure: mounts whose files belong to other ids than on disk (`idmap`, `ridmap`, `uidMappings`,
//! `gidMappings` of a mount, and crun's `idmap=uids=…;gids=…`).

use super::options::Options;
use super::{IdRange, Request};
use crate::error::{Error, Result};
use crate::spec;

/// How a mount is idmapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rootfs) struct IdMapped {
    /// By these ids; None for those of the container's user namespace.
    pub mapping: Option<Mapping>,
    /// Whether the mounts below are too.
    pub recursive: bool,
}

/// The ids of an idmapped mount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::rootfs) struct Mapping {
    /// Users.
    pub uids: Vec<IdRange>,
    /// Groups.
    pub gids: Vec<IdRange>,
}

/// Decides for one mount; None where it is not idmapped.
pub(super) fn compile(
    request: &Request<'_>,
    mount: &spec::Mount,
    options: &Options,
    pointer: &str,
) -> Result<Option<IdMapped>> {
    let listed = !mount.uid_mappings.is_empty() || !mount.gid_mappings.is_empty();
    let Some(recursive) = options.idmap.or(listed.then_some(false)) else { return Ok(None) };
    let wrong = |text: &str| Err(Error::config(format!("{pointer}/options"), text));
    let mapping = match (&options.idmap_words, listed) {
        (Some(_), true) => return wrong("`idmap=` and the mappings of the mount are one too many"),
        (Some(words), false) => Some(parse(words, request, &format!("{pointer}/options"))?),
        (None, true) => Some(Mapping {
            uids: ranges(&mount.uid_mappings, &format!("{pointer}/uidMappings"))?,
            gids: ranges(&mount.gid_mappings, &format!("{pointer}/gidMappings"))?,
        }),
        (None, false) if !request.user_namespace => {
            return wrong(
                "`idmap` without mappings means those of the container's user namespace, which has \
                 none of its own",
            );
        }
        (None, false) => None,
    };
    if options.remount || matches!(mount.kind.as_str(), "cgroup" | "cgroup2") {
        return wrong("`idmap` is for a mount that is new, and not for cgroups");
    }
    Ok(Some(IdMapped { mapping, recursive }))
}

fn ranges(mappings: &[spec::IdMapping], pointer: &str) -> Result<Vec<IdRange>> {
    if mappings.is_empty() {
        return Err(Error::config(pointer, "users and groups have to be mapped both"));
    }
    let range = |(at, map): (usize, &spec::IdMapping)| {
        let range = IdRange { inside: map.container_id, outside: map.host_id, count: map.size };
        checked(range, &format!("{pointer}/{at}"))
    };
    mappings.iter().enumerate().map(range).collect()
}

fn checked(range: IdRange, pointer: &str) -> Result<IdRange> {
    let ends = [range.inside, range.outside].map(|first| first.checked_add(range.count));
    if range.count == 0 || ends.contains(&None) {
        return Err(Error::config(pointer, "maps nothing, or goes beyond the last id"));
    }
    Ok(range)
}

/// `uids=0-1-10#10-11-10;gids=@0-100-10`.
fn parse(words: &str, request: &Request<'_>, pointer: &str) -> Result<Mapping> {
    let mut mapping = Mapping::default();
    for part in words.split(';').filter(|part| !part.is_empty()) {
        let (ids, own, list) = match part.split_once('=') {
            Some(("uids", list)) => (&mut mapping.uids, request.id_maps.0, list),
            Some(("gids", list)) => (&mut mapping.gids, request.id_maps.1, list),
            _ => {
                let text = format!("`{part}` of `idmap=` is neither `uids=` nor `gids=`");
                return Err(Error::config(pointer, text));
            }
        };
        for text in list.split('#') {
            ids.push(triplet(text, own, pointer)?);
        }
    }
    if mapping.uids.is_empty() || mapping.gids.is_empty() {
        return Err(Error::config(pointer, "`idmap=` has to map users and groups both"));
    }
    Ok(mapping)
}

/// Ids of the file system, of the host, and how many; after `@` the second are those of the container.
fn triplet(text: &str, own: &[IdRange], pointer: &str) -> Result<IdRange> {
    let wrong = |what: &str| Error::config(pointer, format!("`{text}` of `idmap=` {what}"));
    let bare = text.strip_prefix('@');
    let numbers: Vec<_> = bare.unwrap_or(text).split('-').map(str::parse::<u32>).collect();
    let [Ok(inside), Ok(outside), Ok(count)] = numbers[..] else {
        return Err(wrong("is not FROM-TO-COUNT"));
    };
    let mut range = checked(IdRange { inside, outside, count }, pointer)?;
    if bare.is_some() {
        let holds = |map: &&IdRange| {
            let at = outside.checked_sub(map.inside);
            at.is_some_and(|at| at <= map.count && count <= map.count - at)
        };
        let map = own.iter().find(holds);
        let map = map.ok_or_else(|| wrong("is in no range of the container's user namespace"))?;
        range.outside = map.outside + (outside - map.inside);
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &[IdRange] = &[
        IdRange { inside: 0, outside: 0, count: 1 },
        IdRange { inside: 1, outside: 2, count: 1000 },
    ];

    fn compile_json(mount: &str, user_namespace: bool) -> Result<Option<IdMapped>> {
        let mount: spec::Mount = spec::parse(mount.as_bytes())?;
        let request = Request { user_namespace, id_maps: (OWN, OWN), ..Request::forged() };
        compile(&request, &mount, &Options::parse(&mount.options), "/mounts/0")
    }

    fn words(text: &str) -> Result<Mapping> {
        let mount = format!(r#"{{"options":["rbind","ridmap={text}"]}}"#);
        Ok(compile_json(&mount, false)?.unwrap().mapping.unwrap())
    }

    #[test]
    fn forms() {
        let range = |inside, outside, count| IdRange { inside, outside, count };
        assert_eq!(compile_json(r#"{"options":["bind"]}"#, true).unwrap(), None);
        let own = compile_json(r#"{"options":["rbind","idmap"]}"#, true).unwrap().unwrap();
        assert_eq!(own, IdMapped { mapping: None, recursive: false });
        let listed = r#"{"options":["bind","ridmap"],
            "uidMappings":[{"containerID":0,"hostID":5,"size":2}],
            "gidMappings":[{"containerID":1,"hostID":6,"size":3}]}"#;
        let listed = compile_json(listed, false).unwrap().unwrap();
        assert!(listed.recursive);
        let mapping = Mapping { uids: vec![range(0, 5, 2)], gids: vec![range(1, 6, 3)] };
        assert_eq!(listed.mapping.unwrap(), mapping);
        let mapping = words("uids=0-1-10#10-11-10;gids=0-100-10").unwrap();
        assert_eq!(mapping.uids, [range(0, 1, 10), range(10, 11, 10)]);
        assert_eq!(mapping.gids, [range(0, 100, 10)]);
        // The example of crun's manual.
        let mapping = words("uids=@1-3-10;gids=@0-0-1").unwrap();
        assert_eq!((mapping.uids, mapping.gids), (vec![range(1, 4, 10)], vec![range(0, 0, 1)]));
    }

    #[test]
    fn mistakes_name_their_place() {
        for (mount, expected) in [
            (r#"{"options":["bind","idmap"]}"#, "options: `idmap` without mappings means"),
            (
                r#"{"uidMappings":[{"containerID":0,"hostID":5,"size":2}]}"#,
                "gidMappings: users and groups have to be mapped both",
            ),
            (
                r#"{"uidMappings":[{"containerID":0,"hostID":5,"size":0}]}"#,
                "uidMappings/0: maps nothing",
            ),
            (
                r#"{"options":["idmap=uids=0-0-1;gids=0-0-1"],
                   "uidMappings":[{"containerID":0,"hostID":5,"size":1}]}"#,
                "options: `idmap=` and the mappings of the mount are one too many",
            ),
            (r#"{"options":["idmap=uids=0-0-1"]}"#, "options: `idmap=` has to map users and"),
            (r#"{"options":["idmap=x=1"]}"#, "options: `x=1` of `idmap=` is neither"),
            (r#"{"options":["idmap=uids=0-1"]}"#, "options: `0-1` of `idmap=` is not FROM-TO-"),
            (r#"{"options":["idmap=uids=@0-0-2"]}"#, "options: `@0-0-2` of `idmap=` is in no"),
            (
                r#"{"type":"cgroup","options":["idmap=uids=0-0-1;gids=0-0-1"]}"#,
                "options: `idmap` is for a mount that is new",
            ),
        ] {
            let error = compile_json(mount, false).unwrap_err().to_string();
            assert!(error.starts_with(&format!("/mounts/0/{expected}")), "{error}");
        }
    }
}
