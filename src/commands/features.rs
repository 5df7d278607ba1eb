//! `features`: what this runtime can do, as features.md of the runtime-spec has it.

use std::io::Write;

use serde_json::{Value, json};

use crate::checkpoint;
use crate::error::{Error, Result};
use crate::hooks;
use crate::namespaces;
use crate::plan::OCI_VERSION;
use crate::rootfs;
use crate::security;
use crate::security::seccomp;
use crate::workload;

/// Annotations of a config.json with power over the host. A name that ends in a dot stands for all that
/// begin so.
const UNSAFE_ANNOTATIONS: [&str; 4] =
    ["dev.rrun.", "org.criu.config", "org.systemd.property.", "run.oci."];

/// Prints it: one object, and nothing else, whoever asks.
pub(super) fn features(out: &mut dyn Write) -> Result<i32> {
    let has_criu = checkpoint::find().is_some();
    let text = serde_json::to_string_pretty(&document(seccomp::is_flag_supported, has_criu))
        .map_err(|error| Error::internal(format!("write the features: {error}")))?;
    out.write_all(format!("{text}\n").as_bytes())
        .map_err(|error| Error::io("write", "standard output", &error))?;
    Ok(0)
}

/// All of it is read from the tables by which config.json is.
fn document(is_supported: impl Fn(u32) -> bool, has_criu: bool) -> Value {
    let mut annotations = json!({
        "dev.rrun.version": env!("CARGO_PKG_VERSION"),
        "dev.rrun.commit": option_env!("RRUN_COMMIT").unwrap_or("unknown"),
    });
    if has_criu {
        // runc's name for it, by which callers ask.
        annotations["org.opencontainers.runc.checkpoint.enabled"] = json!("true");
    }
    json!({
        "ociVersionMin": "1.0.0",
        "ociVersionMax": OCI_VERSION,
        "hooks": hooks::MOMENTS,
        "mountOptions": rootfs::mount_options().collect::<Vec<_>>(),
        "linux": of_linux(is_supported),
        "annotations": annotations,
        "potentiallyUnsafeConfigAnnotations": UNSAFE_ANNOTATIONS,
    })
}

fn of_linux(is_supported: impl Fn(u32) -> bool) -> Value {
    let names = |table: &[(&'static str, u32)]| -> Vec<&str> {
        table.iter().map(|(name, _)| *name).collect()
    };
    json!({
        "namespaces": namespaces::Kind::ALL.map(namespaces::Kind::name),
        "capabilities": security::capability_names().collect::<Vec<_>>(),
        // Each is what rrun can do, not what this machine has.
        "cgroup": { "v1": true, "v2": true, "systemd": true, "systemdUser": true, "rdma": true },
        "seccomp": of_seccomp(is_supported),
        "apparmor": { "enabled": true },
        "selinux": { "enabled": true },
        "intelRdt": { "enabled": true, "schemata": true, "monitoring": true },
        "memoryPolicy": {
            "modes": names(workload::MEMORY_MODES),
            "flags": names(workload::MEMORY_FLAGS),
        },
        "mountExtensions": { "idmap": { "enabled": true } },
        "netDevices": { "enabled": true },
    })
}

/// From the tables by which profiles are read; `is_supported` asks the kernel.
fn of_seccomp(is_supported: impl Fn(u32) -> bool) -> Value {
    let names =
        |known: &[(&'static str, u32)]| known.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let supported: Vec<_> =
        seccomp::FLAGS.iter().filter(|(_, flag)| is_supported(*flag)).copied().collect();
    let operators: Vec<_> = seccomp::OPERATORS.iter().map(|(name, _)| *name).collect();
    let architectures: Vec<_> =
        seccomp::ARCHITECTURES.iter().map(seccomp::Architecture::name).collect();
    json!({
        "enabled": true,
        "actions": names(seccomp::ACTIONS),
        "operators": operators,
        "archs": architectures,
        "knownFlags": names(seccomp::FLAGS),
        "supportedFlags": names(&supported),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the specification, whose order is of no account.
    fn words(of: &str) -> Vec<String> {
        let path = format!("{}/tests/fixtures/spec/defs-linux.json", env!("CARGO_MANIFEST_DIR"));
        let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        sorted(&schema["definitions"][of]["enum"])
    }

    fn sorted(list: &Value) -> Vec<String> {
        let words = list.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned());
        let mut words: Vec<_> = words.collect();
        words.sort();
        words
    }

    #[test]
    fn seccomp_is_all_that_the_specification_has() {
        let features = of_seccomp(|flag| flag == 2);
        for (member, definition) in [
            ("actions", "SeccompAction"),
            ("operators", "SeccompOperators"),
            ("archs", "SeccompArch"),
            ("knownFlags", "SeccompFlag"),
        ] {
            assert_eq!(sorted(&features[member]), words(definition), "{member}");
        }
        assert_eq!(features["supportedFlags"], json!(["SECCOMP_FILTER_FLAG_LOG"]));
    }

    fn schema(name: &str) -> Value {
        let path = format!("{}/tests/fixtures/spec/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    /// Every member that the schema has is there, and of the type that it says.
    #[test]
    fn the_document_is_complete() {
        let features = document(|_| true, true);
        let top = schema("features-schema.json");
        for name in top["properties"].as_object().unwrap().keys() {
            assert!(!features[name].is_null(), "{name}");
        }
        complete(&features["linux"], &schema("features-linux.json")["linux"], "linux");
    }

    #[test]
    fn checkpoints_are_told_where_criu_is() {
        let name = "org.opencontainers.runc.checkpoint.enabled";
        assert_eq!(document(|_| true, true)["annotations"][name], "true");
        assert!(document(|_| true, false)["annotations"][name].is_null());
    }

    fn complete(value: &Value, schema: &Value, path: &str) {
        match schema["type"].as_str() {
            Some("object") => {
                for (name, below) in schema["properties"].as_object().unwrap() {
                    complete(&value[name], below, &format!("{path}/{name}"));
                }
            }
            Some("array") => assert!(!value.as_array().unwrap().is_empty(), "{path}"),
            Some("boolean") => assert!(value.is_boolean(), "{path}"),
            _ => panic!("{path}: {schema}"),
        }
    }

    /// What is listed is what config.json may say: the schema, the tables and the readers agree.
    #[test]
    fn what_is_listed_is_what_is_read() {
        let features = document(|_| true, true);
        assert_eq!(sorted(&features["linux"]["namespaces"]), words("NamespaceType"));
        let policy = &features["linux"]["memoryPolicy"];
        assert_eq!(sorted(&policy["modes"]), words("MemoryPolicyMode"));
        assert_eq!(sorted(&policy["flags"]), words("MemoryPolicyFlag"));
        let hooks = schema("config-schema.json")["properties"]["hooks"]["properties"].clone();
        let mut known: Vec<_> = hooks.as_object().unwrap().keys().cloned().collect();
        known.sort();
        assert_eq!(sorted(&features["hooks"]), known);
        for kind in features["linux"]["namespaces"].as_array().unwrap() {
            let text = format!(r#"{{"linux":{{"namespaces":[{{"type":{kind}}}]}}}}"#);
            let config: crate::spec::Config = crate::spec::parse(text.as_bytes()).unwrap();
            assert!(namespaces::Plan::compile(&config).is_ok(), "{kind}");
        }
        for name in features["linux"]["capabilities"].as_array().unwrap() {
            let text = format!(r#"{{"capabilities":{{"bounding":[{name}]}}}}"#);
            let process: crate::spec::Process = crate::spec::parse(text.as_bytes()).unwrap();
            let facts = security::Facts { own_capabilities: !0, apparmor: false, selinux: false };
            let mut warnings = Vec::new();
            let plan = security::Plan::compile(&process, facts, false, &mut warnings).unwrap();
            assert!(plan.capabilities.bounding.count_ones() == 1 && warnings.is_empty(), "{name}");
        }
    }
}
