//! The container's root file system: what is mounted where, and how it becomes `/`.
//!
//! [`compile`] decides everything from config.json. The child that becomes the container then calls,
//! in this order: [`propagate`], so that nothing it mounts reaches the host; [`assemble()`], which
//! clones the root (or joins layers to one) and puts mounts and nodes into it;
//! [`Assembled::pivot`], which leaves the old root; [`Assembled::protect`], which hides and
//! write-protects what the document says. `delete` calls [`release`] for each of
//! [`Plan::host_directories`].
//!
//! Nothing here resolves a path of the image by its string: there is one descriptor of the root,
//! every look-up is scoped to it, every mount is attached to a descriptor (`openat2(2)`,
//! `move_mount(2)`). Whoever else can write to the image meanwhile can harm only the image.

mod assemble;
mod attributes;
mod bind;
mod cgroup;
mod copy;
mod devices;
mod filesystem;
mod hidden;
mod outside;
mod pivot;
mod plan;
mod protect;
mod restore;
mod target;
mod union;
mod work;

pub use assemble::{Assembled, assemble, propagate};
pub use hidden::{hidden_below, layer_warnings};
pub use outside::{Outside, idmap, mapping, open_outside};
pub use plan::{
    CgroupView, Compiled, External, IdRange, LegacyHierarchy, MountNamespace, Plan, Request,
    compile, mount_options,
};
pub use restore::prepare_for_restore;
pub use work::release;
