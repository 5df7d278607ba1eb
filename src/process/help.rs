//! Help with mounts: init asks, the parent does what only it can.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::channel::{InitEnd, ParentEnd};
use super::message::ToParent;
use crate::error::{Context, Error, Result};
use crate::namespaces;
use crate::plan::Plan;
use crate::rootfs;
use crate::sys::procfs::Procfs;

impl InitEnd {
    /// Asks, and waits for the answer.
    fn ask(&self, question: &ToParent, fds: &[BorrowedFd<'_>]) -> Result<Vec<OwnedFd>> {
        self.send_with(question, fds)?;
        self.answer()
    }
}

impl rootfs::Outside for InitEnd {
    fn source(&self, index: Option<usize>) -> Result<OwnedFd> {
        let mut fds = self.ask(&ToParent::Source { index }, &[])?;
        fds.pop().ok_or_else(|| Error::internal("the parent sent no mount"))
    }

    fn idmap(&self, index: usize, mount: BorrowedFd<'_>) -> Result<()> {
        self.ask(&ToParent::Idmap { index }, &[mount]).map(drop)
    }
}

/// In the parent: answers a question of the init with this pid.
pub(super) fn answer(
    plan: &Plan,
    question: &ToParent,
    fds: &[OwnedFd],
    (channel, pid): (&ParentEnd, i32),
) -> Result<()> {
    match question {
        ToParent::Source { index } => {
            let copy = rootfs::open_outside(&plan.rootfs, *index).context(|| match index {
                Some(index) => format!("bind what /mounts/{index}/source names"),
                None => "open the root file system".to_owned(),
            })?;
            channel.proceed(&[copy.as_fd()])
        }
        ToParent::Idmap { index } => {
            let mount = fds.first().ok_or_else(|| Error::internal("init sent no mount"))?;
            let namespace = user_namespace(plan, *index, pid)?;
            rootfs::idmap(&plan.rootfs, *index, mount.as_fd(), namespace.as_fd())
                .context(|| format!("mount what /mounts/{index} describes"))?;
            channel.proceed(&[])
        }
        _ => Err(Error::internal("that was no question")),
    }
}

/// The one whose ids a mount gets: the container's, or one that is made for it.
fn user_namespace(plan: &Plan, index: usize, pid: i32) -> Result<OwnedFd> {
    let Some((uids, gids)) = rootfs::mapping(&plan.rootfs, index)? else {
        return Procfs::mounted()?.open_link(&format!("{pid}/ns/user"), libc::O_RDONLY);
    };
    let maps = |ranges: &[rootfs::IdRange]| -> Vec<namespaces::IdMap> {
        let map = |range: &rootfs::IdRange| {
            let (inside, outside, count) = (range.inside, range.outside, range.count);
            namespaces::IdMap { inside, outside, count }
        };
        ranges.iter().map(map).collect()
    };
    namespaces::user_namespace(&maps(uids), &maps(gids))
}
