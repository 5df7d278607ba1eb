//! Rules that concern several rooms.
//!
//! A rule of one room alone is that room's business. Each check is small, has a name, and reports
//! the JSON pointer of the culprit.

use crate::cgroups;
use crate::error::{Context, Error, Result};
use crate::hooks;
use crate::host::Host;
use crate::namespaces;
use crate::namespaces::{IdMap, Kind, Source};
use crate::rootfs;
use crate::spec::Config;
use crate::workload;

/// One rule.
type Check = fn(&Config) -> Result<()>;

/// All rules, in the order in which a reader of config.json meets their members.
const CHECKS: &[Check] = &[oci_version, annotation_names];

/// Applies every rule.
///
/// # Errors
/// The first one that is broken.
pub(super) fn run(config: &Config) -> Result<()> {
    CHECKS.iter().try_for_each(|check| check(config))
}

/// `ociVersion` has to be a semantic version, and 1 is the only major one there is.
fn oci_version(config: &Config) -> Result<()> {
    let version = config.oci_version.as_str();
    if version.is_empty() {
        return Err(Error::config("/ociVersion", "is missing"));
    }
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<_> = core.split('.').map(str::parse::<u32>).collect();
    match numbers.as_slice() {
        [Ok(1), Ok(_), Ok(_)] => Ok(()),
        [Ok(_), Ok(_), Ok(_)] => {
            Err(Error::config("/ociVersion", format!("`{version}` is not a version 1")))
        }
        _ => Err(Error::config("/ociVersion", format!("`{version}` is no semantic version"))),
    }
}

fn annotation_names(config: &Config) -> Result<()> {
    if config.annotations.contains_key("") {
        return Err(Error::config("/annotations/", "a key must not be empty"));
    }
    Ok(())
}

/// As with `process.selinuxLabel`: to run without it would be a promise broken in silence.
pub(super) fn mount_label(config: &Config, host: &Host) -> Result<()> {
    if !config.linux.mount_label.is_empty() && !host.has_selinux() {
        return Err(Error::config("/linux/mountLabel", "SELinux is not on"));
    }
    Ok(())
}

/// A process under SCHED_DEADLINE may not fork (sched(7)), which the hooks that run in init's place
/// would have to.
pub(super) fn hooks_can_fork(workload: &workload::Plan, hooks: &hooks::Plan) -> Result<()> {
    let forbidden = workload.share.scheduler.is_some_and(|it| it.forbids_fork());
    if forbidden && !hooks.start_container.is_empty() {
        let text = "SCHED_DEADLINE forbids the children that startContainer hooks would be";
        return Err(Error::config("/process/scheduler", text))
            .hint(|| "add SCHED_FLAG_RESET_ON_FORK to /process/scheduler/flags");
    }
    Ok(())
}

/// The user who manages cgroups inside (config-linux.md, cgroup ownership): the one of the program,
/// as the host knows it, if the container sees its cgroup as the root of a tree that it can write.
/// In a user namespace that exists we do not know who that is.
pub(super) fn cgroup_manager(config: &Config, namespaces: &namespaces::Plan) -> Option<u32> {
    let is_writable = |mount: &&crate::spec::Mount| {
        let last = mount.options.iter().rev().find(|option| *option == "ro" || *option == "rw");
        matches!(mount.kind.as_str(), "cgroup" | "cgroup2") && last.is_none_or(|last| last == "rw")
    };
    config.mounts.iter().find(is_writable)?;
    if *namespaces.source(Kind::Cgroup) != Source::New {
        return None;
    }
    let user = config.process.as_ref()?.user.uid;
    let outside = match namespaces.source(Kind::User) {
        Source::Inherited => user,
        Source::New => {
            let holds =
                |map: &&IdMap| user.checked_sub(map.inside).is_some_and(|at| at < map.count);
            let map = namespaces.uid_maps.iter().find(holds)?;
            map.outside + (user - map.inside)
        }
        Source::Path(..) => return None,
    };
    Some(outside).filter(|outside| *outside != 0)
}

/// What a mount of type `cgroup` shows.
pub(super) fn cgroup_view(cgroup: &cgroups::Plan) -> rootfs::CgroupView {
    let mut legacy = Vec::new();
    let mut links = Vec::new();
    for place in cgroup.places() {
        if place.unified && cgroup.places().len() == 1 {
            return rootfs::CgroupView::Unified { own: place.directory.clone() };
        }
        let name = place.mount.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let data = match place.controllers.as_slice() {
            [named] if named.starts_with("name=") => format!("none,{named}"),
            controllers => controllers.join(","),
        };
        if place.controllers.len() > 1 {
            let aliases = place.controllers.iter().map(|alias| (alias.clone(), name.clone()));
            links.extend(aliases);
        }
        legacy.push(rootfs::LegacyHierarchy {
            name,
            data,
            unified: place.unified,
            own: place.directory.clone(),
        });
    }
    if legacy.is_empty() {
        return rootfs::CgroupView::Absent;
    }
    rootfs::CgroupView::Legacy { hierarchies: legacy, links }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    fn refusal(text: &str) -> String {
        let config: Config = spec::parse(text.as_bytes()).unwrap();
        run(&config).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn versions() {
        for good in ["1.0.0", "1.0.2-dev", "1.3.0", "1.2.0-rc.1+x"] {
            assert_eq!(refusal(&format!(r#"{{"ociVersion":"{good}"}}"#)), "", "{good}");
        }
        for bad in ["1", "1.0", "2.0.0", "v1.0.0", "1.x.0", "0.9.0"] {
            let text = refusal(&format!(r#"{{"ociVersion":"{bad}"}}"#));
            assert!(text.starts_with("/ociVersion: "), "{bad}: {text}");
        }
        assert_eq!(refusal("{}"), "/ociVersion: is missing");
    }

    #[test]
    fn who_manages_cgroups_inside() {
        let of = |user: u32, kind: &str, options: &str, namespaces: &str| {
            let text = format!(
                r#"{{"process":{{"user":{{"uid":{user}}}}},"mounts":[{{"destination":"/sys/fs/cgroup",
                "type":"{kind}","options":[{options}]}}],"linux":{{"namespaces":[{namespaces}]"#
            );
            let maps = r#"[{"containerID":0,"hostID":100000,"size":10}]"#;
            let text = match namespaces.contains("user") {
                true => format!(r#"{text},"uidMappings":{maps},"gidMappings":{maps}}}}}"#),
                false => format!("{text}}}}}"),
            };
            let config: Config = spec::parse(text.as_bytes()).unwrap();
            cgroup_manager(&config, &namespaces::Plan::compile(&config).unwrap())
        };
        let (own, both) =
            (r#"{"type":"cgroup"}"#, r#"{"type":"cgroup"},{"type":"user"},{"type":"mount"}"#);
        for (user, kind, options, namespaces, expected) in [
            (0, "cgroup", "", both, Some(100_000)),
            (9, "cgroup2", r#""ro","rw""#, both, Some(100_009)),
            (10, "cgroup", "", both, None),
            (0, "cgroup", r#""nosuid","ro""#, both, None),
            (0, "tmpfs", "", both, None),
            (0, "cgroup", "", r#"{"type":"user"}"#, None),
            (0, "cgroup", "", own, None),
            (1000, "cgroup", "", own, Some(1000)),
        ] {
            assert_eq!(of(user, kind, options, namespaces), expected, "{user} {kind} {options}");
        }
    }
}
