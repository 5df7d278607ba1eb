//! # rrun: how a container is made
//!
//! rrun is one static binary, driven once per verb and gone again. It reads an OCI bundle, decides
//! everything, then does it. This page tells the story of `rrun create` and `rrun start`, and where
//! each part of it lives.
//!
//! ## Config → Plan → apply
//!
//! `config.json` is read once, as written ([`spec`]). [`plan::compile`] turns it, with what the host
//! can do ([`host`]) and what the command line asked, into a [`plan::Plan`]: every default filled in,
//! every flag parsed, every number converted, every rule checked. That changes nothing and needs no
//! privilege, so every mistake that the documents alone show is found before any side effect, and
//! named by its JSON pointer. Applying a plan is then a short list of system calls.
//!
//! ## `create`
//!
//! 1. [`commands`] first seals rrun ([`process::seal`]): it goes on from a read-only
//!    overlay, so that no container ever holds a writable rrun. Then the plan is compiled.
//! 2. [`state`] reserves the container's directory, locked, with a record in it that *names what will
//!    exist*. Whatever happens from here on, `delete --force` finds it.
//! 3. [`process::create`] binds the gate, asks [`cgroups`] for a place and clones init into all new
//!    namespaces at once. [`namespaces::strategy()`] has said who makes or joins which, and whether a
//!    stage is needed in between.
//! 4. Parent and init talk over a pair of sockets (`process/message.rs` draws it): the parent writes
//!    id maps, limits and the pid, moves network devices, opens and maps what only it can, runs the
//!    runtime's hooks; init walks the list in `process/init.rs`, one named step a line, each with the reason for its place: mounts
//!    ([`rootfs`]), hooks ([`hooks`]), pivot, names, masked paths, labels and capabilities
//!    ([`security`]), user, limits, descriptors, the executable ([`workload`]).
//! 5. On `Ready` the parent writes the pid file and the record, and only then answers. Init waits at
//!    the gate. On any failure the parent prints init's own sentence, and guards undo everything.
//!
//! ## `start`
//!
//! Connects to the gate (`process/gate.rs`), says `go` and waits: end-of-file means that init has
//! become the program, a packet is init's own error. The gate closes by itself, since every
//! descriptor is close-on-exec; a connection that is refused means started or dead.
//!
//! ## `exec`
//!
//! Another plan ([`plan::compile_exec`]: the program as `create` recorded it, a process file, the
//! command line) and another, shorter list (`process/exec/`). A joiner, cloned into the container's
//! cgroup, enters its namespaces and gives up every privilege and descriptor, still unseen from inside;
//! then it clones its sibling into the pid namespace, which becomes the program.
//!
//! ## `checkpoint` and `restore`
//!
//! criu does the work, as a child that serves one request ([`checkpoint`]). [`process::dump`] tells it
//! what of the container is outside of it: mounts of the host, joined namespaces, standard descriptors.
//! [`process::restore()`] is `create` with criu in init's place: the same plan, record and cgroup, and
//! at the moments that criu tells of, what the parent does there: hooks, devices, terminal.
//!
//! ## `unpack`
//!
//! Makes a bundle of an image ([`image`]): layers, each unpacked once and by itself, under the name of
//! its contents; then a config.json that joins them ([`rootfs`]), last of all and at once.
//!
//! ## `spec` and `sandbox`
//!
//! Both write a config.json, as `unpack` does. What it is made of is in [`bundle`]: a document of decisions, which an
//! image's configuration and the command line change; the default seccomp profile is in `profiles/`.
//! `sandbox` then does what `run` does, with a document in the container's own directory. One step of
//! init is for it alone: rrun stays as the first process, and the program is its child.
//!
//! ## Who may look at whom
//!
//! ```text
//!  7  bin
//!  6  commands                one verb, one file
//!  5  process                 rrun's own processes: parent, stage, init
//!  4  plan                    decides; what two rooms share is decided here
//!     bundle                  what a config.json is made of, for those who write one
//!  3  namespaces cgroups rootfs security workload hooks terminal state image
//!     resctrl checkpoint     (never each other)
//!  2  host                    what this machine can do
//!  1  spec sys cli            the document, the system calls, the command line
//!  0  error log
//! ```
//!
//! A room imports only from lower rows. Rooms of row 3 have a *pure half* (files that begin
//! `//! Pure:`, which may read [`spec`] and touch nothing) and an *effect half* (which never sees the
//! document). [`process`] is rrun's own processes; [`workload`] is the program that the user asked
//! for. `unsafe` is in [`sys`] alone. `tests/architecture.rs` holds this table.

pub mod bundle;
pub mod cgroups;
pub mod checkpoint;
pub mod cli;
pub mod commands;
pub mod error;
pub mod hooks;
pub mod host;
#[cfg(feature = "image")]
pub mod image;
pub mod log;
pub mod namespaces;
pub mod plan;
pub mod process;
pub mod resctrl;
pub mod rootfs;
pub mod security;
pub mod spec;
pub mod state;
pub mod sys;
pub mod terminal;
pub mod workload;
