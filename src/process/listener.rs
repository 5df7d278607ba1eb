//! The listener of a seccomp filter: how it comes from init to the agent that answers.
//!
//! Init cannot send it: what it sends comes under the filter, and may have to be answered by the
//! very agent that does not have the listener yet. So it says beforehand which number the
//! descriptor will have, and the parent takes it from there. No call of init's is needed for that,
//! so a profile may notify on any.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::channel::InitEnd;
use super::message::ToParent;
use crate::error::{Context, Result};
use crate::security;
use crate::security::seccomp::Listener;
use crate::sys;
use crate::terminal::handover;

/// How often the parent looks whether init has loaded its filter, which takes it about as long.
const INTERVAL: Duration = Duration::from_micros(200);

/// The agent that gets the listener, if there is one.
pub(super) fn of(security: &security::Plan) -> Option<&Listener> {
    security.seccomp.as_ref()?.listener.as_ref()
}

/// Loads the filter of the program, in the child. A listener is the parent's to take; whatever the
/// child calls from then on may have to be answered by the agent, so it waits for that. `any` is an
/// open descriptor of the child's; whether the filter is in force is told also where it fails later.
///
/// # Errors
/// As seccomp(2).
pub(super) fn load_filter(
    security: &security::Plan,
    privileged: bool,
    (channel, any): (&InitEnd, BorrowedFd<'_>),
    is_filtered: &mut bool,
) -> Result<()> {
    let Some(filter) = &security.seccomp else { return Ok(()) };
    if filter.listener.is_none() {
        security::seccomp::load(filter)?;
        *is_filtered = true;
        return Ok(());
    }
    // An unprivileged parent may take descriptors of a dumpable child only.
    if !privileged {
        sys::process::set_dumpable(true)?;
    }
    let number = sys::io::next_number(any)?;
    channel.send(&ToParent::Listener { number })?;
    let listener = security::seccomp::load(filter)?;
    *is_filtered = true;
    channel.wait_for_answer()?;
    drop(listener);
    if privileged { Ok(()) } else { sys::process::set_dumpable(false) }
}

/// Takes the listener of init, which is about to have it at `number`, and sends it to its agent with
/// `state`. Where init has ended instead, nothing happens: it has said why.
///
/// # Errors
/// As pidfd_getfd(2), connect(2) and sendmsg(2).
pub(super) fn hand_over(
    agent: &Listener,
    (init, number): (BorrowedFd<'_>, i32),
    state: &[u8],
) -> Result<()> {
    let Some(listener) = take(init, number).context(|| "take the seccomp listener")? else {
        return Ok(());
    };
    let intent = || format!("send the seccomp listener to `{}`", agent.path.display());
    let socket = handover::connect(&agent.path)
        .hint(|| "/linux/seccomp/listenerPath has to be the socket of a seccomp agent")
        .context(intent)?;
    sys::socket::send(socket.as_fd(), state, &[listener.as_fd()]).context(intent)
}

/// The number was free when init named it, so it is open as soon as the filter is loaded.
fn take(init: BorrowedFd<'_>, number: i32) -> Result<Option<OwnedFd>> {
    loop {
        match sys::seccomp::pidfd_getfd(init, number) {
            Err(error) if error.is(libc::EBADF) => {
                if sys::process::has_ended(init, INTERVAL)? {
                    return Ok(None);
                }
            }
            Err(error) if error.is(libc::ESRCH) => return Ok(None),
            other => return other.map(Some),
        }
    }
}
