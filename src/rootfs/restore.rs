//! The root file system for criu, which makes the mounts in it itself.

use std::os::fd::AsFd;
use std::path::Path;

use libc::{MS_SLAVE, O_DIRECTORY, O_PATH};

use super::assemble::make_root;
use super::attributes;
use super::plan::{Action, Mount, MountNamespace, Plan, Propagation};
use super::target::{self, Want};
use crate::error::{Context, Error, Result};
use crate::sys::file::{self, FileType};
use crate::sys::mount;

/// Puts the root file system where config.json says it is, with a place for every mount that criu will
/// make on it. The caller is in a mount namespace of its own, which is criu's: criu wants a mount
/// there, and nothing of it is left when criu has gone.
///
/// # Errors
/// What cannot be restored; whatever the kernel refuses.
pub fn prepare_for_restore(plan: &Plan) -> Result<()> {
    if plan.mount_namespace != MountNamespace::New {
        let text = "needs a mount namespace of its own to be restored";
        return Err(Error::config("/linux/namespaces", text));
    }
    if let Some(at) = plan.mounts.iter().position(|mount| mount.idmapped.is_some()) {
        let text = "is idmapped, which criu cannot restore";
        return Err(Error::config(format!("/mounts/{at}"), text));
    }
    let flags = O_PATH | O_DIRECTORY;
    let top = file::open(Path::new("/"), flags)?;
    attributes::propagate(top.as_fd(), Propagation { kind: MS_SLAVE, recursive: true })
        .context(|| "leave the peer groups of the host")?;
    let root = make_root(plan, None).context(|| "make the root file system")?;
    let place = file::open(plan.root_path(), flags)
        .context(|| "attach the root file system")
        .hint(|| "criu needs the directory that `root.path` names, also where layers are used")?;
    mount::move_mount(root.as_fd(), place.as_fd()).context(|| "attach the root file system")?;
    for (mount, directory) in plan.restored_on_root() {
        let intent = || format!("make the place of `{}`", mount.destination.display());
        let want =
            if directory { Want::Directory } else { kind_of_source(mount).context(intent)? };
        target::find(root.as_fd(), &mount.destination, want).context(intent)?;
    }
    Ok(())
}

fn kind_of_source(mount: &Mount) -> Result<Want> {
    let Action::Bind(bind) = &mount.action else { return Ok(Want::Directory) };
    let source = file::open(&bind.source, O_PATH)?;
    Ok(match file::file_type(&file::fstat(source.as_fd())?) {
        FileType::Directory => Want::Directory,
        _ => Want::File,
    })
}
