//! Pure: which cgroups a container gets, and everything that is written into them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::devices::{Devices, Line};
use super::record::Record;
use super::resources::{self, Steps};
use super::systemd::{self, Unit};
use crate::error::{Context, Error, Kind, Result};
use crate::host;
use crate::spec;

/// Who owns the tree of cgroups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    /// rrun makes and removes directories itself.
    #[default]
    Cgroupfs,
    /// systemd makes a scope with a cgroup; its instance of the machine for root, of the user else.
    Systemd,
    /// Nobody: the container stays in the cgroup of its caller.
    Disabled,
}

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The container's id.
    pub id: &'a str,
    /// `linux.cgroupsPath`, empty where there is none.
    pub path: &'a str,
    /// `linux.resources`.
    pub resources: &'a spec::Resources,
    /// `annotations`, of which some are systemd's.
    pub annotations: &'a BTreeMap<String, String>,
    /// The hierarchies of this machine.
    pub layout: &'a host::CgroupLayout,
    /// Who owns the tree.
    pub owner: Owner,
    /// Whether we are root of the initial user namespace.
    pub privileged: bool,
    /// The user, as the host knows it, who may manage cgroups below the container's.
    pub manager: Option<u32>,
}

/// A plan, and what the user should hear about it.
#[derive(Debug)]
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// What was asked for and has no effect.
    pub warnings: Vec<String>,
}

/// The container's cgroup in one hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Where the hierarchy is mounted.
    pub mount: PathBuf,
    /// Its controllers; `name=…` for a named one, empty for v2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controllers: Vec<String>,
    /// Whether it is cgroup v2.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unified: bool,
    /// The container's cgroup on the host.
    pub directory: PathBuf,
}

impl Place {
    /// Whether it is in the v1 hierarchy of `controller`.
    pub(super) fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|own| own == controller)
    }
}

/// How access to devices is restricted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DeviceControl {
    /// It is not.
    None,
    /// Files in this directory and the line that each gets, in order.
    Lines(PathBuf, Vec<Line>),
    /// A program for this cgroup v2 directory.
    Program(PathBuf, Vec<[u8; 8]>),
}

/// Where the container's cgroups are and what they limit.
#[derive(Debug)]
pub struct Plan {
    places: Vec<Place>,
    /// What is limited.
    pub(super) steps: Steps,
    /// Which devices may be used.
    pub(super) devices: DeviceControl,
    /// To whom the v2 cgroup is given.
    pub(super) manager: Option<u32>,
    /// The scope, where systemd owns the tree.
    pub(super) unit: Option<Unit>,
}

impl Plan {
    /// The container's cgroup in every hierarchy, v2 last; none at all where it gets none.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Whether one clone3(2) with `CLONE_INTO_CGROUP` puts the container where it belongs.
    pub fn is_placed_at_clone(&self) -> bool {
        self.unit.is_none() && matches!(self.places.as_slice(), [only] if only.unified)
    }

    /// The container's cgroup below the root of each hierarchy that we see, by controller; none for v2.
    pub fn roots(&self) -> Vec<(String, String)> {
        let mut roots = Vec::new();
        for place in &self.places {
            let below = place.directory.strip_prefix(&place.mount).unwrap_or(&place.directory);
            let path = Path::new("/").join(below).to_string_lossy().into_owned();
            let names = place.controllers.iter().cloned();
            let none = place.controllers.is_empty().then(String::new);
            roots.extend(names.chain(none).map(|name| (name, path.clone())));
        }
        roots
    }

    /// The v2 place.
    pub(super) fn unified(&self) -> Option<&Place> {
        self.places.iter().find(|place| place.unified)
    }

    /// What the container's state keeps.
    pub fn record(&self) -> Record {
        let mut record = Record::default();
        record.unit = self.unit.as_ref().map(|unit| unit.name.clone());
        for place in &self.places {
            record.add(place);
        }
        record
    }
}

/// Decides where the container's cgroups are and what they limit.
///
/// # Errors
/// Mistakes in `linux.cgroupsPath` and `linux.resources`; limits that no hierarchy, or none that we
/// may write to, can hold.
pub fn compile(request: &Request<'_>) -> Result<Compiled> {
    if request.owner == Owner::Disabled {
        return compile_disabled(request.resources);
    }
    let unit = match request.owner {
        Owner::Systemd => Some(compile_unit(request)?),
        _ => None,
    };
    let mut granted = Vec::new();
    let mut denied = Vec::new();
    for hierarchy in &request.layout.hierarchies {
        let place = match &unit {
            Some(unit) => place_of_unit(hierarchy, unit)?,
            None => {
                let relative = parse_path(request.path, request.id)?;
                place(hierarchy, request.path.starts_with('/'), &relative)?
            }
        };
        // An ordinary user has what was delegated to it, and is content with that.
        if request.privileged || host::CgroupLayout::grants(&place.directory) {
            granted.push(place);
        } else {
            denied.push(place);
        }
    }
    let hint = if denied.is_empty() { resources::MOUNT } else { DELEGATION };
    let mut steps = Steps::compile(request.resources, &granted)
        .map_err(|error| if error.kind() == Kind::System { error.hinted(hint) } else { error })?;
    let devices = match request.privileged {
        true => device_control(&request.resources.devices, &granted)?,
        false => DeviceControl::None,
    };
    let mut warnings = std::mem::take(&mut steps.warnings);
    if unit.is_none() && is_systemds_form(request.path) {
        let path = request.path;
        warnings.push(format!(
            "linux.cgroupsPath `{path}` has systemd's form slice:prefix:name; without \
             --systemd-cgroup it is a path like any other"
        ));
    }
    // Beside v1 no container manages cgroups of v2.
    let manager = request.manager.filter(|_| request.layout.is_unified_only());
    Ok(Compiled { plan: Plan { places: granted, steps, devices, manager, unit }, warnings })
}

fn compile_unit(request: &Request<'_>) -> Result<Unit> {
    systemd::compile(
        (request.path, request.id),
        request.annotations,
        request.resources,
        (request.layout.is_unified_only(), !request.privileged),
    )
}

/// Where a scope is in one hierarchy. Below the root for the systemd of the machine, below its own
/// service for that of a user, which is found from where we are: in it, or in a session beside it.
fn place_of_unit(hierarchy: &host::Hierarchy, unit: &Unit) -> Result<Place> {
    let mut directory = hierarchy.mount.clone();
    if unit.name.user {
        let mut service = None;
        let mut path = PathBuf::new();
        for part in hierarchy.own.iter().filter_map(|part| part.to_str()) {
            let user = part.strip_prefix("user-").and_then(|rest| rest.strip_suffix(".slice"));
            path.push(part.trim_start_matches('/'));
            if let Some(user) = user {
                service = Some(path.join(format!("user@{user}.service")));
            }
            if part.starts_with("user@") && part.ends_with(".service") {
                service = Some(path.clone());
            }
        }
        let Some(service) = service else {
            let text = format!(
                "rrun's own cgroup `{}` is in no session of a user of systemd's",
                hierarchy.own.display()
            );
            return Err(Error::message(Kind::System, text)).hint(|| "log in, or run rrun as root");
        };
        directory.push(service);
    }
    directory.push(&unit.path);
    let (mount, controllers) = (hierarchy.mount.clone(), hierarchy.controllers.clone());
    Ok(Place { mount, controllers, unified: hierarchy.unified, directory })
}

/// The hint for whoever lacks permission.
pub(super) const DELEGATION: &str = "without root, limits need a cgroup that was delegated to this \
     user: run rrun under `systemd-run --user --scope -p Delegate=yes`, or use a cgroupsPath below \
     a cgroup that this user owns";

fn compile_disabled(resources: &spec::Resources) -> Result<Compiled> {
    // Compiling against no hierarchy at all fails exactly where something is asked for.
    let mut warnings = match Steps::compile(resources, &[]) {
        Ok(steps) => steps.warnings,
        Err(error) if error.kind() == Kind::System => {
            vec!["linux.resources has no effect: cgroups are disabled".to_owned()]
        }
        Err(error) => return Err(error),
    };
    if !resources.devices.is_empty() && warnings.is_empty() {
        warnings.push("linux.resources.devices has no effect: cgroups are disabled".to_owned());
    }
    let (places, devices) = (Vec::new(), DeviceControl::None);
    let (steps, manager, unit) = (Steps::default(), None, None);
    Ok(Compiled { plan: Plan { places, steps, devices, manager, unit }, warnings })
}

const POINTER: &str = "/linux/cgroupsPath";

/// Whether that looks like what engines write for the systemd driver. No reason to refuse it: the BuildKit
/// in Docker's daemon writes it and never asks its runtime for systemd.
fn is_systemds_form(path: &str) -> bool {
    path.matches(':').count() == 2 && !path.contains('/')
}

/// The container's cgroup, without the slash at its beginning.
fn parse_path(path: &str, id: &str) -> Result<PathBuf> {
    let path = if path.is_empty() { id } else { path };
    let relative = path.strip_prefix('/').unwrap_or(path);
    for component in relative.split('/') {
        let wrong = match component {
            "" => "has an empty component",
            "." | ".." => "has `.` or `..` in it",
            _ if component.contains(['\0', '\n']) => "has a character that no cgroup name can have",
            _ => continue,
        };
        return Err(Error::config(POINTER, format!("`{}` {wrong}", path.escape_default())));
    }
    Ok(PathBuf::from(relative))
}

fn place(hierarchy: &host::Hierarchy, absolute: bool, relative: &Path) -> Result<Place> {
    let mut directory = hierarchy.mount.clone();
    if !absolute {
        let own = hierarchy.own.strip_prefix("/").unwrap_or(&hierarchy.own);
        if own.starts_with("..") {
            let text = format!(
                "rrun's own cgroup `{}` is outside what is mounted on `{}`",
                hierarchy.own.display(),
                hierarchy.mount.display()
            );
            return Err(Error::message(Kind::System, text))
                .hint(|| "give an absolute linux.cgroupsPath");
        }
        // On v2 a cgroup with processes in it, as our own, can have no children with limits.
        let base = if hierarchy.unified { own.parent() } else { Some(own) };
        directory.push(base.unwrap_or(Path::new("")));
    }
    directory.push(relative);
    Ok(Place {
        mount: hierarchy.mount.clone(),
        controllers: hierarchy.controllers.clone(),
        unified: hierarchy.unified,
        directory,
    })
}

fn device_control(rules: &[spec::DeviceRule], places: &[Place]) -> Result<DeviceControl> {
    let devices = Devices::parse(rules)?;
    if let Some(legacy) = places.iter().find(|place| place.has("devices")) {
        return Ok(DeviceControl::Lines(legacy.directory.clone(), devices.lines()?));
    }
    match places.iter().find(|place| place.unified) {
        _ if devices.allow_everything() => Ok(DeviceControl::None),
        Some(place) => Ok(DeviceControl::Program(place.directory.clone(), devices.program())),
        None => {
            let text =
                "no cgroup hierarchy with the controller `devices` is mounted, nor cgroup v2";
            Err(Error::message(Kind::System, text)).hint(|| resources::MOUNT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{CgroupLayout, Hierarchy};

    fn hierarchy(name: &str, own: &str) -> Hierarchy {
        Hierarchy {
            mount: Path::new("/sys/fs/cgroup").join(name.trim_start_matches("name=")),
            controllers: name.split(',').map(str::to_owned).collect(),
            own: PathBuf::from(own),
            unified: false,
        }
    }

    fn v2(mount: &str, own: &str) -> Hierarchy {
        let (mount, own) = (PathBuf::from(mount), PathBuf::from(own));
        Hierarchy { mount, controllers: Vec::new(), own, unified: true }
    }

    fn hybrid() -> CgroupLayout {
        let names =
            ["cpu,cpuacct", "cpuset", "memory", "devices", "freezer", "pids", "name=systemd"];
        let mut hierarchies: Vec<_> = names.iter().map(|name| hierarchy(name, "/me")).collect();
        hierarchies.push(v2("/sys/fs/cgroup/unified", "/user/me"));
        CgroupLayout { hierarchies }
    }

    fn unified(own: &str) -> CgroupLayout {
        CgroupLayout { hierarchies: vec![v2("/sys/fs/cgroup", own)] }
    }

    fn compiled(path: &str, json: &str, layout: &CgroupLayout) -> Result<Compiled> {
        let resources = serde_json::from_str(json).unwrap();
        let request = Request {
            id: "web",
            path,
            resources: &resources,
            annotations: &BTreeMap::new(),
            layout,
            owner: Owner::Cgroupfs,
            privileged: true,
            manager: None,
        };
        compile(&request)
    }

    fn directories(path: &str, layout: &CgroupLayout) -> Vec<String> {
        let plan = compiled(path, "{}", layout).unwrap().plan;
        plan.places.iter().map(|place| place.directory.display().to_string()).collect()
    }

    #[test]
    fn paths() {
        for (path, own, expected) in [
            ("/a/b", "/user/me", "/sys/fs/cgroup/a/b"),
            ("a/b", "/user/me", "/sys/fs/cgroup/user/a/b"),
            ("", "/user/me", "/sys/fs/cgroup/user/web"),
            ("", "/me", "/sys/fs/cgroup/web"),
            ("", "/", "/sys/fs/cgroup/web"),
            ("a", "/", "/sys/fs/cgroup/a"),
            ("/a:b:c", "/", "/sys/fs/cgroup/a:b:c"),
        ] {
            assert_eq!(directories(path, &unified(own)), [expected], "{path} {own}");
        }
    }

    #[test]
    fn a_hybrid_host_has_a_cgroup_in_every_hierarchy() {
        let base = "/sys/fs/cgroup/";
        let names = ["cpu,cpuacct", "cpuset", "memory", "devices", "freezer", "pids", "systemd"];
        let mut expected: Vec<_> = names.iter().map(|name| format!("{base}{name}/me/a")).collect();
        expected.push(format!("{base}unified/user/a"));
        assert_eq!(directories("a", &hybrid()), expected);
        let plan = compiled("a", "{}", &hybrid()).unwrap().plan;
        assert!(!plan.is_placed_at_clone());
        assert!(matches!(&plan.devices, DeviceControl::Lines(directory, lines)
            if directory.ends_with("devices/me/a") && lines.len() == 11));
        assert!(compiled("a", "{}", &unified("/")).unwrap().plan.is_placed_at_clone());
    }

    #[test]
    fn mistakes_in_the_path_are_named() {
        for (path, text) in [
            ("/", "/linux/cgroupsPath: `/` has an empty component"),
            ("/a//b", "/linux/cgroupsPath: `/a//b` has an empty component"),
            ("a/", "/linux/cgroupsPath: `a/` has an empty component"),
            ("/a/../b", "/linux/cgroupsPath: `/a/../b` has `.` or `..` in it"),
            ("..", "/linux/cgroupsPath: `..` has `.` or `..` in it"),
            ("a\nb", r"/linux/cgroupsPath: `a\nb` has a character that no cgroup name can have"),
        ] {
            assert_eq!(compiled(path, "{}", &hybrid()).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn what_is_meant_for_systemd_is_a_path_and_a_warning() {
        let path = "system.slice:docker:web";
        let compiled = compiled(path, "{}", &unified("/daemon/self")).unwrap();
        let [place] = compiled.plan.places() else { panic!("one place") };
        assert_eq!(place.directory, Path::new("/sys/fs/cgroup/daemon").join(path));
        let [warning] = compiled.warnings.as_slice() else { panic!("one warning") };
        assert!(warning.contains(path) && warning.contains("--systemd-cgroup"), "{warning}");
    }

    #[test]
    fn outside_of_what_is_mounted_a_relative_path_has_no_place() {
        let layout = unified("/../other");
        assert!(compiled("a", "{}", &layout).unwrap_err().to_string().contains("is outside"));
        assert_eq!(directories("/a", &layout), ["/sys/fs/cgroup/a"]);
    }

    #[test]
    fn disabled_has_no_place_and_says_what_it_ignores() {
        let resources = serde_json::from_str(r#"{"pids":{"limit":5}}"#).unwrap();
        let layout = hybrid();
        let request = Request {
            id: "web",
            path: "",
            resources: &resources,
            annotations: &BTreeMap::new(),
            layout: &layout,
            owner: Owner::Disabled,
            privileged: true,
            manager: None,
        };
        let compiled = compile(&request).unwrap();
        assert!(compiled.plan.places().is_empty());
        assert_eq!(compiled.plan.record(), Record::default());
        assert_eq!(compiled.warnings, ["linux.resources has no effect: cgroups are disabled"]);
    }

    #[test]
    fn without_permission_there_is_no_cgroup_unless_something_is_limited() {
        // /dev/null is no directory, so nobody can make one below it.
        let layout = CgroupLayout { hierarchies: vec![v2("/dev/null", "/")] };
        for (json, fine) in [("{}", true), (r#"{"pids":{"limit":5}}"#, false)] {
            let resources = serde_json::from_str(json).unwrap();
            let request = Request {
                id: "web",
                path: "",
                resources: &resources,
                annotations: &BTreeMap::new(),
                layout: &layout,
                owner: Owner::Cgroupfs,
                privileged: false,
                manager: None,
            };
            match compile(&request) {
                Ok(compiled) => assert!(fine && compiled.plan.places().is_empty()),
                Err(error) => assert!(!fine && error.hint_text() == Some(DELEGATION), "{error}"),
            }
        }
    }

    #[test]
    fn systemd_has_scopes_in_slices() {
        let of = |own: &str, privileged: bool| {
            let request = Request {
                id: "web",
                path: "a-b.slice:x:1",
                resources: &spec::Resources::default(),
                annotations: &BTreeMap::new(),
                layout: &unified(own),
                owner: Owner::Systemd,
                privileged,
                manager: None,
            };
            compile(&request).map(|compiled| compiled.plan)
        };
        let plan = of("/system.slice/docker.service", true).unwrap();
        let directory = &plan.places[0].directory;
        assert_eq!(directory, Path::new("/sys/fs/cgroup/a.slice/a-b.slice/x-1.scope"));
        assert!(!plan.is_placed_at_clone());
        assert!(!plan.record().is_absent());
        for own in [
            "/user.slice/user-7.slice/user@7.service/app.slice/x",
            "/user.slice/user-7.slice/session-1.scope",
        ] {
            let unit = systemd::compile(
                ("", "web"),
                &BTreeMap::new(),
                &spec::Resources::default(),
                (true, true),
            );
            let place = place_of_unit(&v2("/c", own), &unit.unwrap()).unwrap();
            let expected = "/c/user.slice/user-7.slice/user@7.service/user.slice/rrun-web.scope";
            assert_eq!(place.directory, Path::new(expected), "{own}");
        }
        assert!(of("/elsewhere", false).unwrap_err().to_string().contains("in no session"));
    }

    #[test]
    fn what_engines_write_compiles() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/engines");
        let mut count = 0;
        for entry in std::fs::read_dir(fixtures).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let config: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let linux = &config["linux"];
            for layout in [hybrid(), unified("/")] {
                let cgroups_path = linux["cgroupsPath"].as_str().unwrap();
                let compiled = compiled(cgroups_path, &linux["resources"].to_string(), &layout);
                assert_eq!(compiled.unwrap().warnings, [""; 0], "{}", path.display());
            }
            count += 1;
        }
        assert!(count >= 15);
    }
}
