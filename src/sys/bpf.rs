//! bpf(2): the programs that decide about devices in cgroup v2.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use crate::error::Result;
use crate::sys::check;

const BPF_PROG_LOAD: i32 = 5;
const BPF_PROG_ATTACH: i32 = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
/// Programs of the same cgroup, and of those above it, all have to agree.
const BPF_F_ALLOW_MULTI: u32 = 2;

/// The part of `union bpf_attr` that `BPF_PROG_LOAD` needs here; the kernel takes what is beyond it
/// for zero.
#[repr(C)]
struct LoadAttributes {
    kind: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buffer: u64,
    kernel_version: u32,
    flags: u32,
}

/// The part of `union bpf_attr` for `BPF_PROG_ATTACH`.
#[repr(C)]
struct AttachAttributes {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
}

/// Loads a program of type `BPF_PROG_TYPE_CGROUP_DEVICE` (Linux 4.15).
///
/// # Errors
/// EPERM without CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN) in the first user namespace, EINVAL
/// where the kernel was built without it.
pub fn load_device_program(instructions: &[[u8; 8]]) -> Result<OwnedFd> {
    let attributes = LoadAttributes {
        kind: BPF_PROG_TYPE_CGROUP_DEVICE,
        instruction_count: instructions.len() as u32,
        instructions: instructions.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log_buffer: 0,
        kernel_version: 0,
        flags: 0,
    };
    let size = size_of::<LoadAttributes>();
    // SAFETY: the kernel copies `size` bytes of attributes, the instructions and the license, all of
    // which outlive the call; it writes nothing, since no log buffer is given.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const attributes, size) };
    let operands = || format!("BPF_PROG_LOAD, {} instructions", instructions.len());
    let fd = check("bpf", result, operands)?;
    // SAFETY: the kernel just made this descriptor, close-on-exec, and nobody else has its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Attaches a device program to a cgroup v2 directory (open for reading), beside those that are
/// there. It stays with the cgroup.
///
/// # Errors
/// EPERM where a cgroup above forbids programs below it.
pub fn attach_device_program(cgroup: BorrowedFd<'_>, program: BorrowedFd<'_>) -> Result<()> {
    let attributes = AttachAttributes {
        target: cgroup.as_raw_fd() as u32,
        program: program.as_raw_fd() as u32,
        kind: BPF_CGROUP_DEVICE,
        flags: BPF_F_ALLOW_MULTI,
    };
    let size = size_of::<AttachAttributes>();
    // SAFETY: the kernel copies `size` bytes of attributes, which outlive the call.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_ATTACH, &raw const attributes, size) };
    check("bpf", result, || "BPF_PROG_ATTACH, BPF_CGROUP_DEVICE".to_owned()).map(drop)
}
