//! Pure: sets of capabilities by name (capabilities(7)).

use crate::error::{Error, Kind};
use crate::security;

/// The capabilities that an example is content with, as in every runtime's `spec`.
pub(super) const FEW: [&str; 3] = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

/// The capabilities that root has in a container of Docker's, and that images are written for.
pub(super) const USUAL: [&str; 14] = [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// The capabilities of a name: with or without `CAP_`, in any case, or `ALL`.
pub(super) fn named(name: &str) -> Option<Vec<String>> {
    let upper = name.to_ascii_uppercase();
    let name = if upper.starts_with("CAP_") { upper } else { format!("CAP_{upper}") };
    let all = security::capability_names();
    let found: Vec<_> = all.filter(|known| name == "CAP_ALL" || name == *known).collect();
    (!found.is_empty()).then_some(found)
}

pub(super) fn no_capability(option: &str, name: &str) -> Error {
    Error::message(Kind::Usage, format!("{option}: `{}` is no capability", name.escape_debug()))
        .hinted("capabilities(7) lists them, as CAP_NET_ADMIN; ALL means every one")
}
