//! What the program may do, judged by what it can.

mod seccomp;

use crate::harness::Case;

pub(crate) fn cases() -> Vec<Case> {
    seccomp::cases()
}
