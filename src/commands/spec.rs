//! `spec`: a config.json to begin with.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Value, json};

use crate::cli;
use crate::error::{Context, Error, Result};
use crate::host::Host;

/// A shell in a read-only `rootfs`, with the namespaces, mounts and limits that all runtimes start
/// with.
const TEMPLATE: &str = include_str!("spec.json");

/// Writes it. A file that exists is somebody's work and stays.
pub(super) fn spec(host: &Host, args: &cli::Spec) -> Result<i32> {
    let text = match args.rootless {
        true => rootless(host.euid(), host.egid())?,
        false => TEMPLATE.to_owned(),
    };
    let directory = args.bundle.clone().unwrap_or_else(|| PathBuf::from("."));
    let path = directory.join(args.file.clone().unwrap_or_else(|| PathBuf::from("config.json")));
    let file = std::fs::File::create_new(&path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Error::io("open", format!("`{}`", path.display()), &error))
        .context(|| "write a new config.json")?;
    Ok(0)
}

/// The same for an ordinary user: in a user namespace in which that user is root, on the host's
/// network, with the host's /sys, since a new one needs a network of one's own, and without ids that
/// are not mapped.
fn rootless(uid: u32, gid: u32) -> Result<String> {
    let unreadable = |error: serde_json::Error| Error::internal(format!("spec.json: {error}"));
    let mut config: Value = serde_json::from_str(TEMPLATE).map_err(unreadable)?;
    if let Some(mounts) = config["mounts"].as_array_mut() {
        mounts.retain(|mount| {
            !mount["destination"].as_str().is_some_and(|it| it.starts_with("/sys"))
        });
        for options in mounts.iter_mut().filter_map(|mount| mount["options"].as_array_mut()) {
            options.retain(|option| !option.as_str().is_some_and(|it| it.starts_with("gid=")));
        }
        mounts.push(json!({"destination": "/sys", "type": "none", "source": "/sys",
            "options": ["rbind", "nosuid", "noexec", "nodev", "rro"]}));
    }
    let linux = &mut config["linux"];
    if let Some(linux) = linux.as_object_mut() {
        linux.remove("resources");
    }
    if let Some(namespaces) = linux["namespaces"].as_array_mut() {
        namespaces.retain(|namespace| namespace["type"] != "network");
        namespaces.push(json!({"type": "user"}));
    }
    linux["uidMappings"] = json!([{"containerID": 0, "hostID": uid, "size": 1}]);
    linux["gidMappings"] = json!([{"containerID": 0, "hostID": gid, "size": 1}]);
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    config.serialize(&mut serializer).map_err(unreadable)?;
    text.push(b'\n');
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    #[test]
    fn an_ordinary_user_gets_a_user_namespace() {
        let config: spec::Config = spec::parse(rootless(7, 8).unwrap().as_bytes()).unwrap();
        let namespaces: Vec<_> =
            config.linux.namespaces.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!(namespaces, ["pid", "ipc", "uts", "mount", "cgroup", "user"]);
        assert_eq!(
            (config.linux.uid_mappings[0].host_id, config.linux.gid_mappings[0].host_id),
            (7, 8)
        );
        let sys: Vec<_> =
            config.mounts.iter().filter(|it| it.destination.starts_with("/sys")).collect();
        assert_eq!(sys.len(), 1);
        assert!(sys[0].options.iter().any(|option| option == "rbind"));
        assert!(!config.mounts.iter().flat_map(|it| &it.options).any(|it| it.starts_with("gid=")));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let config: spec::Config = spec::parse(TEMPLATE.as_bytes()).unwrap();
        assert_eq!(config.process.unwrap().args, ["sh"]);
        assert_eq!(config.linux.namespaces.len(), 6);
    }
}
