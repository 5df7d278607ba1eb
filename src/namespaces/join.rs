//! Opening namespaces by path, entering them and making new ones (setns(2), unshare(2)).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::plan::{Kind, Plan, Source};
use crate::error::{Context, Error, Result};
use crate::sys;
use crate::sys::process as calls;

/// The `CLONE_NEW*` flag of a kind.
pub fn flag(kind: Kind) -> u64 {
    match kind {
        Kind::User => calls::CLONE_NEWUSER,
        Kind::Mount => calls::CLONE_NEWNS,
        Kind::Pid => calls::CLONE_NEWPID,
        Kind::Network => calls::CLONE_NEWNET,
        Kind::Ipc => calls::CLONE_NEWIPC,
        Kind::Uts => calls::CLONE_NEWUTS,
        Kind::Cgroup => calls::CLONE_NEWCGROUP,
        Kind::Time => calls::CLONE_NEWTIME,
    }
}

/// The `CLONE_NEW*` flags of several kinds.
pub fn flags(kinds: &[Kind]) -> u64 {
    kinds.iter().fold(0, |flags, kind| flags | flag(*kind))
}

/// The namespaces that are joined, held open from before anything is changed: the paths may not
/// be there any more once we are inside some of them.
#[derive(Debug, Default)]
pub struct Handles(Vec<(Kind, OwnedFd)>);

impl Handles {
    /// Opens every namespace that `plan` joins and checks that it is one, and of the right kind.
    ///
    /// # Errors
    /// A path that is missing, or is not a namespace of the kind that config.json says.
    pub fn open(plan: &Plan) -> Result<Handles> {
        let mut handles = Vec::new();
        for kind in plan.joined_kinds() {
            let Source::Path(path, index) = plan.source(kind) else { continue };
            let pointer = format!("/linux/namespaces/{index}/path");
            let intent = || format!("{pointer}: join the {kind} namespace at `{}`", path.display());
            let fd = sys::file::open(path, libc::O_RDONLY | libc::O_NONBLOCK).context(intent)?;
            // Asked before the ioctl, whose number may mean something else to another file.
            let is_namespace =
                sys::file::fstatfs(fd.as_fd()).context(intent)?.f_type == sys::file::NSFS_MAGIC;
            let found = if is_namespace { calls::namespace_kind(fd.as_fd()) } else { None };
            if found != Some(flag(kind)) {
                let is = Kind::ALL.into_iter().find(|kind| Some(flag(*kind)) == found);
                let is = is.map_or("no namespace".into(), |kind| format!("a {kind} namespace"));
                return Err(Error::config(pointer, format!("`{}` is {is}", path.display())));
            }
            handles.push((kind, fd));
        }
        Ok(Handles(handles))
    }

    /// The held namespace of `kind`.
    pub fn get(&self, kind: Kind) -> Option<BorrowedFd<'_>> {
        self.0.iter().find(|(held, _)| *held == kind).map(|(_, fd)| fd.as_fd())
    }

    /// Enters the held namespaces of `kinds` in their order.
    ///
    /// # Errors
    /// EPERM without power over the namespace's owner.
    pub fn enter(&self, kinds: &[Kind]) -> Result<()> {
        for kind in kinds {
            let intent = || format!("join the {kind} namespace");
            let Some(fd) = self.get(*kind) else {
                return Err(Error::internal("it was not opened")).context(intent);
            };
            if *kind == Kind::User && is_own_user_namespace(fd) {
                continue; // the kernel answers EINVAL to entering where one already is
            }
            calls::setns(fd, flag(*kind)).context(intent)?;
        }
        Ok(())
    }
}

fn is_own_user_namespace(fd: BorrowedFd<'_>) -> bool {
    let own = sys::file::open("/proc/self/ns/user".as_ref(), libc::O_RDONLY);
    own.and_then(|own| sys::file::same_file(own.as_fd(), fd)).unwrap_or(false)
}

/// Makes new namespaces of `kinds` for this process.
///
/// # Errors
/// As unshare(2).
pub fn unshare(kinds: &[Kind]) -> Result<()> {
    if kinds.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
    calls::unshare(flags(kinds)).context(|| format!("make new namespaces ({})", names.join(", ")))
}
