//! What a process is given of processors, disks and memory nodes: sched_setattr(2),
//! sched_setaffinity(2), ioprio_set(2), set_mempolicy(2), personality(2).

use crate::error::Result;
use crate::sys::check;

/// `struct sched_attr` of sched_setattr(2), version 1 (Linux 5.3).
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SchedAttr {
    size: u32,
    /// `SCHED_*`.
    pub policy: u32,
    /// `SCHED_FLAG_*`.
    pub flags: u64,
    /// For the ordinary policies.
    pub nice: i32,
    /// For the real-time policies.
    pub priority: u32,
    /// Nanoseconds, for `SCHED_DEADLINE`.
    pub runtime: u64,
    /// Nanoseconds, for `SCHED_DEADLINE`.
    pub deadline: u64,
    /// Nanoseconds, for `SCHED_DEADLINE`.
    pub period: u64,
    /// The least utilisation that is assumed.
    pub util_min: u32,
    /// The highest utilisation that is assumed.
    pub util_max: u32,
}

/// sched_setattr(2) for a process, 0 for this thread.
///
/// # Errors
/// EPERM without CAP_SYS_NICE, or where the cgroup has no real-time budget; EBUSY where the processors
/// are promised to others already.
pub fn sched_setattr(pid: i32, attr: &SchedAttr) -> Result<()> {
    let attr = SchedAttr { size: size_of::<SchedAttr>() as u32, ..*attr };
    // SAFETY: attr is a live struct of the layout and of the size that it states.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, pid, &raw const attr, 0) };
    check("sched_setattr", result, || {
        format!("policy {}, flags {:#x}, nice {}", attr.policy, attr.flags, attr.nice)
    })
    .map(drop)
}

/// sched_setaffinity(2) for this thread: `mask` has a bit for each processor.
///
/// # Errors
/// EINVAL where none of them is there, or none is in our cpuset.
pub fn sched_setaffinity(mask: &[u64]) -> Result<()> {
    // SAFETY: the kernel reads as many bytes as it is told, from a slice that outlives the call.
    let result =
        unsafe { libc::syscall(libc::SYS_sched_setaffinity, 0, size_of_val(mask), mask.as_ptr()) };
    check("sched_setaffinity", result, || format!("{mask:x?}")).map(drop)
}

/// ioprio_set(2) for this thread.
///
/// # Errors
/// EPERM for the real-time class without CAP_SYS_ADMIN or CAP_SYS_NICE.
pub fn ioprio_set(class: u32, level: u32) -> Result<()> {
    const IOPRIO_WHO_PROCESS: i32 = 1;
    const IOPRIO_CLASS_SHIFT: u32 = 13;
    let value = class << IOPRIO_CLASS_SHIFT | level;
    // SAFETY: ioprio_set takes numbers only.
    let result = unsafe { libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value) };
    check("ioprio_set", result, || format!("class {class}, level {level}")).map(drop)
}

/// set_mempolicy(2): `mode` is `MPOL_*` with its flags, `nodes` has a bit for each node.
///
/// # Errors
/// EINVAL for nodes that are not there, or that the mode does not take; ENOSYS without CONFIG_NUMA.
pub fn set_mempolicy(mode: u32, nodes: &[u64]) -> Result<()> {
    let pointer = if nodes.is_empty() { std::ptr::null() } else { nodes.as_ptr() };
    // The kernel counts one bit less than it is told.
    let bits = if nodes.is_empty() { 0 } else { nodes.len() * 64 + 1 };
    // SAFETY: the kernel reads at most `bits` rounded down to words, which the slice has; it outlives
    // the call.
    let result = unsafe { libc::syscall(libc::SYS_set_mempolicy, mode, pointer, bits) };
    check("set_mempolicy", result, || format!("{mode:#x}, nodes {nodes:x?}")).map(drop)
}

/// personality(2).
///
/// # Errors
/// EINVAL where the kernel does not change it.
pub fn personality(persona: u32) -> Result<()> {
    // SAFETY: personality takes a number only.
    let result = unsafe { libc::personality(persona.into()) };
    check("personality", result, || format!("{persona:#x}")).map(drop)
}
