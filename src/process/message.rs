//! What parent, stage and init say to each other while a container is created.
//!
//! ```text
//!   parent (rrun create)              stage (only some strategies)        init (becomes the program)
//!     clone ----------------------------> joins, clones init as its
//!                                         sibling ----------------------->
//!       <--- Cloned{pid, placed} + pidfd - exits                            writes 0 to its v1 tasks
//!     clone ------------------------------------------------------------->   files
//!     records pid, moves it into its
//!     cgroup (where the clone did not),
//!     writes id maps and oom score
//!       ---- Proceed ----------------------------------------------------->  namespaces, root, mounts
//!     writes the cgroup's limits
//!       <--- Network + namespace (only where interfaces move) --------------
//!     moves them
//!       ---- Proceed ----------------------------------------------------->
//!       <--- Source or Idmap, as often as init cannot do it itself ----------
//!     opens, maps
//!       ---- Proceed (+ mount) ------------------------------------------->
//!       <--- Mounted (only where hooks wait for it) -----------------------
//!     prestart, createRuntime hooks
//!       ---- Proceed ----------------------------------------------------->  createContainer hooks,
//!                                                                            pivot, …, all steps
//!       <--- Console + terminal (only where there is one) ----------------
//!     gives it to its receiver
//!       <--- Listener{number} (only where a seccomp agent gets one) --------
//!     takes it, hands it to the agent
//!       ---- Proceed ----------------------------------------------------->
//!       <--- Ready --------------------------------------------------------
//!     pid file, state `created`
//!       ---- Proceed ----------------------------------------------------->  waits at the gate
//! ```
//!
//! `Failed` may come instead of any message to the parent and ends everything. An init that sees
//! end-of-file instead of an answer exits: its parent is dead.

use serde::{Deserialize, Serialize};

use crate::trace::{self, Span};

/// What the parent hears.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToParent {
    /// From the stage, with init's pidfd: init exists and has this pid.
    Cloned {
        /// As the parent's pid namespace sees it.
        pid: i32,
        /// Whether it is in its v2 cgroup, as the stage's way of cloning left it.
        placed: bool,
    },
    /// From init, with its network namespace, which is there now. It waits for `Proceed`: the hooks
    /// are to find the interfaces.
    Network,
    /// From init: it cannot open what it has to bind, or its root; a detached copy comes with `Proceed`.
    Source {
        /// Which of the mounts; None is the root.
        index: Option<usize>,
    },
    /// From init, with a detached mount that is to be idmapped.
    Idmap {
        /// Which of the mounts.
        index: usize,
    },
    /// From init: all mounts are made, the root is not changed yet. Init waits for `Proceed`, for
    /// hooks must run now, and under the cgroup's limits.
    Mounted,
    /// From init, with the outer side of the terminal that it has made.
    Console,
    /// From init: it is about to load a filter with a listener, whose descriptor will have this
    /// number. Nothing is sent after the load, for the filter might notify on it. Init waits for
    /// `Proceed`, so that nobody has to answer its calls before there is somebody.
    Listener {
        /// In init.
        number: i32,
    },
    /// From init: only the gate is left. It waits for `Proceed`, so that nobody can start what is
    /// not recorded.
    Ready,
    /// From the process of `exec`: only execve is left, and what cannot be told any more.
    Executing,
    /// From any of them, before a word of its own: what it did so far. Only where there is a trace.
    Phases(Vec<Span>),
    /// From either: it failed and exits. The text is [`crate::error::Error::to_wire`]'s.
    Failed(String),
}

impl ToParent {
    /// Puts what the other side has done into the trace.
    pub(super) fn note_phases(self) {
        if let ToParent::Phases(spans) = self {
            trace::add(spans);
        }
    }
}

/// What init hears.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToInit {
    /// Go on.
    Proceed,
}
