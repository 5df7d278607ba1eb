//! Opening namespaces by path, entering them and making new ones (setns(2), unshare(2)).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

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
pub struct Handles {
    held: Vec<(Kind, OwnedFd)>,
    /// Whether the user namespace among them is the one that we are in. Asked before any other is
    /// entered: in a joined mount namespace, whoever made that answers for /proc.
    in_user_namespace: bool,
}

impl Handles {
    /// Opens every namespace that `plan` joins and checks that it is one, and of the right kind.
    ///
    /// # Errors
    /// A path that is missing, or is not a namespace of the kind that config.json says.
    pub fn open(plan: &Plan) -> Result<Handles> {
        let mut held = Vec::new();
        for kind in plan.joined_kinds() {
            let Source::Path(path, index) = plan.source(kind) else { continue };
            let pointer = format!("/linux/namespaces/{index}/path");
            let intent = || format!("{pointer}: join the {kind} namespace at `{}`", path.display());
            let fd = sys::file::open(path, libc::O_RDONLY | libc::O_NONBLOCK).context(intent)?;
            // Asked before the ioctl, whose number may mean something else to another file.
            let is_namespace =
                sys::file::fstatfs(fd.as_fd()).context(intent)?.f_type == sys::magic::NSFS_MAGIC;
            let found = if is_namespace { calls::namespace_kind(fd.as_fd()) } else { None };
            if found != Some(flag(kind)) {
                let is = Kind::ALL.into_iter().find(|kind| Some(flag(*kind)) == found);
                let is = is.map_or("no namespace".into(), |kind| format!("a {kind} namespace"));
                return Err(Error::config(pointer, format!("`{}` is {is}", path.display())));
            }
            held.push((kind, fd));
        }
        let mut handles = Handles { held, in_user_namespace: false };
        handles.in_user_namespace = handles.is_own(Kind::User)?;
        handles.refuse_parameters_of_our_own(plan)?;
        Ok(handles)
    }

    /// Whether the held namespace of `kind` is the one that we are in.
    fn is_own(&self, kind: Kind) -> Result<bool> {
        let Some(held) = self.get(kind) else { return Ok(false) };
        let own =
            sys::file::open(&Path::new("/proc/self/ns").join(file_name(kind)), libc::O_RDONLY)?;
        sys::file::same_file(own.as_fd(), held)
    }

    /// A namespace by path may turn out to be the host's; what is set there is set for all.
    fn refuse_parameters_of_our_own(&self, plan: &Plan) -> Result<()> {
        for sysctl in &plan.sysctls {
            let kind = sysctl.kind;
            if self.is_own(kind)? {
                let text =
                    format!("the {kind} namespace in /linux/namespaces is that of rrun itself");
                return Err(Error::config(&sysctl.pointer, text));
            }
        }
        Ok(())
    }

    /// The held namespace of `kind`.
    pub fn get(&self, kind: Kind) -> Option<BorrowedFd<'_>> {
        self.held.iter().find(|(held, _)| *held == kind).map(|(_, fd)| fd.as_fd())
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
            if *kind == Kind::User && self.in_user_namespace {
                continue; // the kernel answers EINVAL to entering where one already is
            }
            calls::setns(fd, flag(*kind)).context(intent)?;
        }
        Ok(())
    }
}

/// Its name in /proc/PID/ns (namespaces(7)).
fn file_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Mount => "mnt",
        Kind::Network => "net",
        other => other.name(),
    }
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
