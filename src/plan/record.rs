//! What is remembered of a container between verbs: `state.json` and `process.json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::Plan;
use crate::cgroups;
use crate::hooks;
use crate::namespaces::{Kind, Source};
use crate::resctrl;
use crate::rootfs;
use crate::security;
use crate::spec;
use crate::state::{Identity, Phase};
use crate::workload;

/// The version of the runtime-spec that what we print follows.
pub const OCI_VERSION: &str = "1.3.0";

/// The layout of the record. A reader refuses what it does not know.
const VERSION: u32 = 2;

/// `state.json`: the little that start, state, kill, delete and list need.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    #[serde(deserialize_with = "known_version")]
    version: u32,
    /// The container's id.
    pub id: String,
    /// How far `create` got.
    pub phase: Phase,
    /// The bundle directory, absolute.
    pub bundle: PathBuf,
    /// The root directory, absolute.
    pub rootfs: PathBuf,
    /// When it was created, RFC 3339.
    pub created: String,
    /// Who created it: a user id.
    pub owner: u32,
    /// Metadata of config.json.
    pub annotations: BTreeMap<String, String>,
    /// The container's first process, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<Identity>,
    /// Whether it has a pid namespace of its own, so that the end of init is the end of all.
    pub private_pid: bool,
    /// Where its cgroup is.
    pub cgroup: cgroups::Record,
    /// Groups of resctrl that go with it.
    #[serde(default)]
    pub resctrl: resctrl::Record,
    /// Hooks of later verbs.
    pub hooks: hooks::Record,
    /// Directories that were made on the host for it and go with it.
    pub host_directories: Vec<PathBuf>,
}

/// `process.json`: what only exec, update and checkpoint read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// The program as planned.
    pub workload: workload::Plan,
    /// What it may do.
    pub security: security::Plan,
    /// The limits in force.
    pub resources: spec::Resources,
    /// Whether its root is one that chroot(2) made, in a mount namespace that is not its own: exec has
    /// to go there by itself.
    #[serde(default)]
    pub changed_root: bool,
    /// The groups of resctrl that all its processes are in.
    #[serde(default)]
    pub resctrl: Vec<PathBuf>,
    /// Whether it has a user namespace that is not that of whoever created it.
    #[serde(default)]
    pub user_namespace: bool,
    /// Mounts that show something of the host, for checkpoint.
    #[serde(default)]
    pub external: Vec<rootfs::External>,
    /// The kinds of namespaces that were joined by path, for checkpoint.
    #[serde(default)]
    pub joined: Vec<String>,
}

/// The state of a container as runtime.md has it, for hooks.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OciState<'a> {
    oci_version: &'a str,
    id: &'a str,
    status: &'a str,
    pid: i32,
    bundle: &'a PathBuf,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

/// What a seccomp agent is told with a listener (config-linux.md, "The Container Process State").
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContainerProcessState<'a> {
    oci_version: &'a str,
    /// What each descriptor of the message is.
    fds: [&'a str; 1],
    pid: i32,
    metadata: &'a str,
    state: OciState<'a>,
}

/// The same with what all runtimes add, for `state` and `list`.
#[derive(Serialize)]
struct ExtendedState<'a> {
    #[serde(flatten)]
    state: OciState<'a>,
    rootfs: &'a PathBuf,
    created: &'a str,
    owner: String,
}

fn known_version<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        VERSION => Ok(VERSION),
        other => Err(D::Error::custom(format!("layout {other} is that of another rrun"))),
    }
}

impl Record {
    /// The first record: it names everything that may come to exist, before any of it does.
    pub fn begin(plan: &Plan, owner: u32) -> Record {
        Record {
            version: VERSION,
            id: plan.id.clone(),
            phase: Phase::Creating,
            bundle: plan.bundle.clone(),
            rootfs: plan.root.clone(),
            created: plan.created.clone(),
            owner,
            annotations: plan.annotations.clone(),
            init: None,
            private_pid: *plan.namespaces.source(Kind::Pid) == Source::New,
            cgroup: plan.cgroup.record(),
            resctrl: plan.resctrl.as_ref().map(resctrl::Plan::record).unwrap_or_default(),
            hooks: plan.hooks.record(),
            host_directories: plan.rootfs.host_directories(),
        }
    }

    /// The container's pid, or 0 where there is none to show.
    pub fn pid(&self) -> i32 {
        self.init.as_ref().map_or(0, |init| init.pid)
    }

    /// As whom the container claimed a kept upper directory.
    pub fn upper_owner(&self) -> PathBuf {
        super::upper_owner(&self.created, &self.id)
    }

    /// The state that hooks get on stdin: `status` is a word of the spec, `pid` the container's as
    /// the hook's pid namespace sees it.
    pub fn oci_state(&self, status: &str, pid: i32) -> Vec<u8> {
        serde_json::to_vec(&self.state_of(status, pid)).unwrap_or_default()
    }

    /// What an agent gets with the listener of the process `pid` of a container that is `status`;
    /// `init` is the container's own pid.
    pub fn container_process_state(
        &self,
        status: &str,
        (pid, init): (i32, i32),
        metadata: &str,
    ) -> Vec<u8> {
        let state = self.state_of(status, init);
        let fds = ["seccompFd"];
        let told = ContainerProcessState { oci_version: OCI_VERSION, fds, pid, metadata, state };
        serde_json::to_vec(&told).unwrap_or_default()
    }

    /// The state that `state` prints, as an indented JSON object.
    pub fn extended_state(&self, status: &str, pid: i32, owner: String) -> serde_json::Value {
        let state = self.state_of(status, pid);
        let extended = ExtendedState { state, rootfs: &self.rootfs, created: &self.created, owner };
        serde_json::to_value(extended).unwrap_or_default()
    }

    fn state_of<'a>(&'a self, status: &'a str, pid: i32) -> OciState<'a> {
        OciState {
            oci_version: OCI_VERSION,
            id: &self.id,
            status,
            pid,
            bundle: &self.bundle,
            annotations: &self.annotations,
        }
    }
}

impl ProcessRecord {
    /// What exec needs to know of `plan`.
    pub fn of(plan: &Plan) -> ProcessRecord {
        ProcessRecord {
            workload: plan.workload.clone(),
            security: plan.security.clone(),
            resources: plan.resources.clone(),
            changed_root: *plan.namespaces.source(Kind::Mount) != Source::New,
            user_namespace: *plan.namespaces.source(Kind::User) != Source::Inherited,
            resctrl: plan.resctrl.as_ref().map(resctrl::Plan::groups).unwrap_or_default(),
            external: plan.rootfs.external(),
            joined: plan.namespaces.joined_kinds().map(|kind| kind.name().to_owned()).collect(),
        }
    }
}
