//! `kill`: a signal to the container's first process, or to all.

use std::os::fd::AsFd;

use super::Call;
use super::delete::may_leave_processes;
use super::observe::observe;
use super::select::select;
use crate::cli;
use crate::error::{Context, Error, Kind, Result};
use crate::plan::Record;
use crate::state::{Entry, Verb};
use crate::sys;

/// Sends the signal.
pub(super) fn kill(call: &mut Call<'_>, args: &cli::Kill) -> Result<i32> {
    let signal = parse_signal(&args.signal)?;
    for id in select(call, &args.id, args.regex)? {
        let entry = call.store.open(&id)?;
        let record = entry.read()?;
        let sent = if args.all {
            signal_all(&entry, &record, signal)
        } else {
            signal_init(&entry, &record, signal)
        };
        sent.context(|| format!("kill container `{id}`"))?;
    }
    Ok(0)
}

fn signal_init(entry: &Entry<Record>, record: &Record, signal: i32) -> Result<()> {
    let seen = observe(entry, record)?;
    seen.status.require(Verb::Kill, entry.id())?;
    let Some(init) = seen.init else { return Err(not_running()) };
    match sys::process::pidfd_send_signal(init.as_fd(), signal) {
        Err(error) if error.is(libc::ESRCH) => return Err(not_running()),
        other => other?,
    }
    if signal == libc::SIGKILL {
        if !record.private_pid {
            // Nothing else ends with init then.
            record.cgroup.kill_all(signal)?;
        }
        // On cgroup v1 a frozen process dies only when it is thawed.
        record.cgroup.thaw_for_kill()?;
    }
    Ok(())
}

/// `--all`: also what is left of a container whose init has ended, without a pid namespace.
fn signal_all(entry: &Entry<Record>, record: &Record, signal: i32) -> Result<()> {
    if !may_leave_processes(record) {
        // Whoever is in the cgroup when init is gone is not the container's.
        observe(entry, record)?.status.require(Verb::Kill, entry.id())?;
    }
    let reached = record.cgroup.kill_all(signal)?;
    if signal == libc::SIGKILL {
        record.cgroup.thaw_for_kill()?;
    }
    // Without a cgroup of its own, init is all that is known.
    if reached { Ok(()) } else { signal_init(entry, record, signal) }
}

fn not_running() -> Error {
    // The words that containerd and CRI-O look for.
    Error::message(Kind::State, "container not running")
}

macro_rules! signals {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name)),*] };
}

/// The names of signal(7).
const SIGNALS: &[(&str, i32)] = signals! {
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2
    SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG
    SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS SIGIOT SIGPOLL
};

/// The first real-time signal, as libc counts (the kernel's first two are libc's own).
const RTMIN: i32 = 34;

/// A number, or a name in either case with or without SIG; RTMIN+n and RTMAX-n too.
fn parse_signal(text: &str) -> Result<i32> {
    let wrong = || Error::message(Kind::Usage, format!("unknown signal `{}`", text.escape_debug()));
    if let Ok(number) = text.parse::<i32>() {
        let is_signal = (1..=sys::signal::LAST).contains(&number);
        return if is_signal { Ok(number) } else { Err(wrong()) };
    }
    let upper = text.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some((_, number)) = SIGNALS.iter().find(|(name, _)| &name[3..] == short) {
        return Ok(*number);
    }
    let offset = |rest: &str, sign: char| match rest {
        "" => Some(0),
        rest => rest.strip_prefix(sign).and_then(|digits| digits.parse::<u8>().ok()).map(i32::from),
    };
    let number = if let Some(rest) = short.strip_prefix("RTMIN") {
        offset(rest, '+').map(|offset| RTMIN + offset)
    } else if let Some(rest) = short.strip_prefix("RTMAX") {
        offset(rest, '-').map(|offset| sys::signal::LAST - offset)
    } else {
        None
    };
    number.filter(|number| (RTMIN..=sys::signal::LAST).contains(number)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        for (text, expected) in [
            ("9", 9),
            ("KILL", 9),
            ("SIGKILL", 9),
            ("sigterm", 15),
            ("64", 64),
            ("SIGRTMIN", 34),
            ("RTMIN+3", 37),
            ("rtmax", 64),
            ("SIGRTMAX-30", 34),
        ] {
            assert_eq!(parse_signal(text).unwrap(), expected, "{text}");
        }
        for text in ["", "0", "-1", "65", "9 ", "SIG", "SIGSIGKILL", "RTMIN+31", "RTMAX+1", "é"] {
            assert!(parse_signal(text).is_err(), "{text}");
        }
    }
}
