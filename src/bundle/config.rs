//! Pure: config.json as it is written, in the order in which people read it (config.md).

use std::collections::BTreeMap;

use serde::Serialize;

use super::mount::Mount;
use super::seccomp::Seccomp;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config<'a> {
    pub(super) oci_version: &'static str,
    pub(super) process: Process<'a>,
    pub(super) root: Root<'a>,
    pub(super) hostname: &'a str,
    pub(super) mounts: Vec<Mount>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<&'a str, String>,
    pub(super) linux: Linux,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Process<'a> {
    pub(super) terminal: bool,
    pub(super) user: UserIds<'a>,
    pub(super) args: &'a [String],
    pub(super) env: Vec<String>,
    pub(super) cwd: &'a str,
    pub(super) capabilities: Capabilities<'a>,
    pub(super) rlimits: &'a [Rlimit],
    pub(super) no_new_privileges: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserIds<'a> {
    pub(super) uid: u32,
    pub(super) gid: u32,
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    pub(super) additional_gids: &'a [u32],
}

#[derive(Debug, Serialize)]
pub(super) struct Capabilities<'a> {
    pub(super) bounding: Vec<&'a str>,
    pub(super) effective: Vec<&'a str>,
    pub(super) permitted: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) inheritable: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ambient: Vec<&'a str>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Rlimit {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) hard: u64,
    pub(super) soft: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Root<'a> {
    pub(super) path: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) readonly: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Linux {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) uid_mappings: Vec<IdMapping>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) gid_mappings: Vec<IdMapping>,
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub(super) resources: Resources,
    pub(super) namespaces: Vec<Namespace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seccomp: Option<Seccomp>,
    pub(super) masked_paths: &'static [&'static str],
    pub(super) readonly_paths: &'static [&'static str],
}

#[derive(Debug, Serialize)]
pub(super) struct IdMapping {
    #[serde(rename = "containerID")]
    pub(super) container_id: u32,
    #[serde(rename = "hostID")]
    pub(super) host_id: u32,
    pub(super) size: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct Namespace {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Resources {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) devices: Option<[DeviceRule; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) memory: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu: Option<Cpu>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pids: Option<Limit>,
}

impl Resources {
    fn is_empty(&self) -> bool {
        self.devices.is_none() && self.memory.is_none() && self.cpu.is_none() && self.pids.is_none()
    }
}

#[derive(Debug, Serialize)]
pub(super) struct DeviceRule {
    pub(super) allow: bool,
    pub(super) access: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Limit {
    pub(super) limit: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct Cpu {
    pub(super) quota: i64,
    pub(super) period: u64,
}
