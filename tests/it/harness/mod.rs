//! What every test stands on: bundles that clean up after themselves, calls with a time limit, and
//! cases that say what they need.

mod bundle;
mod call;
mod criu;
#[cfg(feature = "image")]
pub(crate) mod image;
mod leftovers;
mod suite;

pub(crate) use bundle::{Bundle, agent, parallel};
#[cfg(feature = "image")]
pub(crate) use call::Outcome;
pub(crate) use call::{Call, Running};
pub(crate) use criu::{StandIn, Value, stand_in};
pub(crate) use suite::{
    Case, Needs, copy_program, enter, every, killed, masked, runtime, small32, trials,
};

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::pty::OpenptFlags;

/// How long anything that is waited for may take before the test has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `done` gives something.
pub(crate) fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A person's terminal: its outer side, and the one that rrun gets.
pub(crate) fn terminal() -> (OwnedFd, OwnedFd) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let outer = rustix::pty::openpt(flags).unwrap();
    rustix::pty::unlockpt(&outer).unwrap();
    let inner = rustix::pty::ioctl_tiocgptpeer(&outer, flags).unwrap();
    (outer, inner)
}

/// The cases of a module: its functions under its name.
macro_rules! cases {
    ($needs:tt: $($name:ident),* $(,)?) => {
        vec![$($crate::harness::Case::new(
            module_path!(),
            stringify!($name),
            $crate::harness::cases!(@needs $needs),
            $name,
        )),*]
    };
    (@needs [$($need:ident),*]) => { &[$($crate::harness::Needs::$need),*] };
    ($($name:ident),* $(,)?) => { $crate::harness::cases!([Root]: $($name),*) };
}
pub(crate) use cases;
