//! Credentials: ids, groups, capability sets, no_new_privs, keyrings.

use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::error::Result;
use crate::sys::{c_string, check, named};

pub use rustix::process::{getegid, geteuid};

/// setgroups(2).
///
/// # Errors
/// EPERM without CAP_SETGID, or where the user namespace denies it.
pub fn setgroups(groups: &[u32]) -> Result<()> {
    let ids: Vec<_> = groups.iter().map(|&gid| rustix::process::Gid::from_raw(gid)).collect();
    named("setgroups", rustix::thread::set_thread_groups(&ids), || format!("{groups:?}"))
}

/// setresgid(2) with one id for all three.
///
/// # Errors
/// EINVAL for an id that the user namespace does not map.
pub fn setresgid(gid: u32) -> Result<()> {
    let id = rustix::process::Gid::from_raw(gid);
    named("setresgid", rustix::thread::set_thread_res_gid(id, id, id), || gid.to_string())
}

/// setresuid(2) with one id for all three.
///
/// # Errors
/// EINVAL for an id that the user namespace does not map.
pub fn setresuid(uid: u32) -> Result<()> {
    let id = rustix::process::Uid::from_raw(uid);
    named("setresuid", rustix::thread::set_thread_res_uid(id, id, id), || uid.to_string())
}

/// prctl(2) with `PR_SET_KEEPCAPS`: permitted capabilities outlive the change of user.
///
/// # Errors
/// Never in practice.
pub fn keep_capabilities(keep: bool) -> Result<()> {
    named("prctl", rustix::thread::set_keep_capabilities(keep), || "PR_SET_KEEPCAPS".to_owned())
}

/// The effective capabilities of this process as a bit mask.
///
/// # Errors
/// Never in practice.
pub fn effective_capabilities() -> Result<u64> {
    let sets = named("capget", rustix::thread::capabilities(None), String::new)?;
    Ok(sets.effective.bits())
}

/// capset(2) of all three sets, as bit masks.
///
/// # Errors
/// EPERM for a capability that is not permitted to us.
pub fn capset(effective: u64, permitted: u64, inheritable: u64) -> Result<()> {
    let set = CapabilitySet::from_bits_retain;
    let sets = CapabilitySets {
        effective: set(effective),
        permitted: set(permitted),
        inheritable: set(inheritable),
    };
    named("capset", rustix::thread::set_capabilities(None, sets), || {
        format!("effective {effective:#x}, permitted {permitted:#x}, inheritable {inheritable:#x}")
    })
}

/// prctl(2) with `PR_CAPBSET_DROP`.
///
/// # Errors
/// EINVAL for a number that the kernel does not know, EPERM without CAP_SETPCAP.
pub fn drop_bounding(capability: u32) -> Result<()> {
    // SAFETY: this prctl takes numbers only.
    let result = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
    check("prctl", result, || format!("PR_CAPBSET_DROP, {capability}")).map(drop)
}

/// prctl(2) with `PR_CAP_AMBIENT_CLEAR_ALL`.
///
/// # Errors
/// Never in practice.
pub fn clear_ambient() -> Result<()> {
    // SAFETY: this prctl takes numbers only.
    let result =
        unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) };
    check("prctl", result, || "PR_CAP_AMBIENT, CLEAR_ALL".to_owned()).map(drop)
}

/// prctl(2) with `PR_CAP_AMBIENT_RAISE`.
///
/// # Errors
/// EPERM for a capability that is not both permitted and inheritable.
pub fn raise_ambient(capability: u32) -> Result<()> {
    // SAFETY: this prctl takes numbers only.
    let result =
        unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_RAISE, capability, 0, 0) };
    check("prctl", result, || format!("PR_CAP_AMBIENT, RAISE, {capability}")).map(drop)
}

/// prctl(2) with `PR_SET_NO_NEW_PRIVS`.
///
/// # Errors
/// Never in practice.
pub fn set_no_new_privs() -> Result<()> {
    named("prctl", rustix::thread::set_no_new_privs(true), || "PR_SET_NO_NEW_PRIVS".to_owned())
}

/// keyctl(2) `KEYCTL_JOIN_SESSION_KEYRING`: a new session keyring called `name`.
///
/// # Errors
/// ENOSYS without CONFIG_KEYS, EDQUOT where the user has too many.
pub fn join_session_keyring(name: &str) -> Result<i32> {
    const KEYCTL_JOIN_SESSION_KEYRING: i32 = 1;
    let name = c_string(name.as_bytes())?;
    // SAFETY: keyctl reads one NUL-terminated string that outlives the call.
    let serial =
        unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.as_ptr()) };
    let serial = check("keyctl", serial, || format!("JOIN_SESSION_KEYRING, {name:?}"))?;
    Ok(serial as i32)
}

/// keyctl(2) `KEYCTL_SETPERM` with the permissions that `KEYCTL_DESCRIBE` told plus `extra`.
///
/// # Errors
/// As keyctl(2).
pub fn add_key_permissions(serial: i32, extra: u32) -> Result<()> {
    const KEYCTL_SETPERM: i32 = 5;
    const KEYCTL_DESCRIBE: i32 = 6;
    let mut text = [0u8; 256];
    // SAFETY: the kernel writes at most the length it is told into a buffer that outlives the call.
    let length = unsafe {
        libc::syscall(libc::SYS_keyctl, KEYCTL_DESCRIBE, serial, text.as_mut_ptr(), text.len())
    };
    let length = check("keyctl", length, || format!("DESCRIBE, {serial}"))? as usize;
    // "keyring;uid;gid;perm;name", perm in hex
    let described = String::from_utf8_lossy(&text[..length.min(text.len())]).into_owned();
    let permissions = described
        .split(';')
        .nth(3)
        .and_then(|text| u32::from_str_radix(text, 16).ok())
        .unwrap_or(0x3f3f_0000);
    // SAFETY: this keyctl takes numbers only.
    let result =
        unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_SETPERM, serial, permissions | extra) };
    check("keyctl", result, || format!("SETPERM, {serial}")).map(drop)
}
