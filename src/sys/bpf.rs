//! bpf(2): the programs that decide about devices in cgroup v2.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use crate::error::Result;
use crate::sys::check;

const BPF_PROG_LOAD: i32 = 5;
const BPF_PROG_ATTACH: i32 = 8;
const BPF_PROG_DETACH: i32 = 9;
const BPF_PROG_GET_FD_BY_ID: i32 = 13;
const BPF_OBJ_GET_INFO_BY_FD: i32 = 15;
const BPF_PROG_QUERY: i32 = 16;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
/// Programs of the same cgroup, and of those above it, all have to agree.
const BPF_F_ALLOW_MULTI: u32 = 2;
const BPF_F_REPLACE: u32 = 4;

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
    name: [u8; NAME_LENGTH],
}

/// Bytes of a program's name, the zero at its end included.
const NAME_LENGTH: usize = 16;

/// The part of `union bpf_attr` for `BPF_PROG_ATTACH`.
#[repr(C)]
struct AttachAttributes {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
    replaced: u32,
}

/// The part of `union bpf_attr` for `BPF_PROG_QUERY`, up to the count, which the kernel writes.
#[repr(C)]
struct QueryAttributes {
    target: u32,
    kind: u32,
    query_flags: u32,
    attach_flags: u32,
    ids: u64,
    count: u32,
    padding: u32,
}

/// The part of `union bpf_attr` for `BPF_PROG_GET_FD_BY_ID`.
#[repr(C)]
struct IdAttributes {
    id: u32,
    next_id: u32,
    flags: u32,
}

/// The part of `union bpf_attr` for `BPF_OBJ_GET_INFO_BY_FD`.
#[repr(C)]
struct InfoAttributes {
    fd: u32,
    length: u32,
    info: u64,
}

/// `struct bpf_prog_info` as far as the name.
#[repr(C)]
#[derive(Default)]
struct ProgramInfo {
    kind: u32,
    id: u32,
    tag: [u8; 8],
    compiled_length: u32,
    instructions_length: u32,
    compiled: u64,
    instructions: u64,
    load_time: u64,
    uid: u32,
    map_count: u32,
    maps: u64,
    name: [u8; NAME_LENGTH],
}

/// A name as the kernel wants it, cut to what fits.
fn program_name(name: &str) -> [u8; NAME_LENGTH] {
    let mut bytes = [0; NAME_LENGTH];
    for (to, from) in bytes.iter_mut().zip(name.bytes().take(NAME_LENGTH - 1)) {
        *to = from;
    }
    bytes
}

/// Loads a program of type `BPF_PROG_TYPE_CGROUP_DEVICE` (Linux 4.15) under a name of letters,
/// digits, `_` and `.`.
///
/// # Errors
/// EPERM without CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN) in the first user namespace, EINVAL
/// where the kernel was built without it.
pub fn load_device_program(name: &str, instructions: &[[u8; 8]]) -> Result<OwnedFd> {
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
        name: program_name(name),
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
/// there, or in the place of one of them, in one step (Linux 5.6). It stays with the cgroup.
///
/// # Errors
/// EPERM where a cgroup above forbids programs below it; ENOENT where the replaced one is not there.
pub fn attach_device_program(
    cgroup: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
    replaced: Option<BorrowedFd<'_>>,
) -> Result<()> {
    let attributes = AttachAttributes {
        target: cgroup.as_raw_fd() as u32,
        program: program.as_raw_fd() as u32,
        kind: BPF_CGROUP_DEVICE,
        flags: BPF_F_ALLOW_MULTI | replaced.map_or(0, |_| BPF_F_REPLACE),
        replaced: replaced.map_or(0, |replaced| replaced.as_raw_fd() as u32),
    };
    let size = size_of::<AttachAttributes>();
    // SAFETY: the kernel copies `size` bytes of attributes, which outlive the call.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_ATTACH, &raw const attributes, size) };
    check("bpf", result, || "BPF_PROG_ATTACH, BPF_CGROUP_DEVICE".to_owned()).map(drop)
}

/// Takes a device program away from a cgroup.
///
/// # Errors
/// ENOENT where it is not there.
pub fn detach_device_program(cgroup: BorrowedFd<'_>, program: BorrowedFd<'_>) -> Result<()> {
    let attributes = AttachAttributes {
        target: cgroup.as_raw_fd() as u32,
        program: program.as_raw_fd() as u32,
        kind: BPF_CGROUP_DEVICE,
        flags: 0,
        replaced: 0,
    };
    let size = size_of::<AttachAttributes>();
    // SAFETY: the kernel copies `size` bytes of attributes, which outlive the call.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_DETACH, &raw const attributes, size) };
    check("bpf", result, || "BPF_PROG_DETACH, BPF_CGROUP_DEVICE".to_owned()).map(drop)
}

/// The device programs of a cgroup that were loaded under `name`.
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN in the first user namespace.
pub fn device_programs(cgroup: BorrowedFd<'_>, name: &str) -> Result<Vec<OwnedFd>> {
    let mut programs = Vec::new();
    for id in device_program_ids(cgroup)? {
        let attributes = IdAttributes { id, next_id: 0, flags: 0 };
        let size = size_of::<IdAttributes>();
        // SAFETY: the kernel copies `size` bytes of attributes, which outlive the call.
        let result = unsafe {
            libc::syscall(libc::SYS_bpf, BPF_PROG_GET_FD_BY_ID, &raw const attributes, size)
        };
        let fd = match check("bpf", result, || format!("BPF_PROG_GET_FD_BY_ID, {id}")) {
            // Gone since we asked.
            Err(error) if error.is(libc::ENOENT) => continue,
            other => other?,
        };
        // SAFETY: the kernel just made this descriptor, close-on-exec, and nobody else has its number.
        let program = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
        if name_of(&program)? == program_name(name) {
            programs.push(program);
        }
    }
    Ok(programs)
}

/// At most so many programs can be attached to one cgroup (`BPF_CGROUP_MAX_PROGS`).
const MAX_PROGRAMS: usize = 64;

fn device_program_ids(cgroup: BorrowedFd<'_>) -> Result<Vec<u32>> {
    let mut ids = vec![0_u32; MAX_PROGRAMS];
    let mut attributes = QueryAttributes {
        target: cgroup.as_raw_fd() as u32,
        kind: BPF_CGROUP_DEVICE,
        query_flags: 0,
        attach_flags: 0,
        ids: ids.as_mut_ptr() as u64,
        count: MAX_PROGRAMS as u32,
        padding: 0,
    };
    let size = size_of::<QueryAttributes>();
    // SAFETY: the kernel reads and writes `size` bytes of attributes and at most `count` numbers at
    // `ids`, which has room for them; both outlive the call.
    let result = unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_QUERY, &raw mut attributes, size) };
    check("bpf", result, || "BPF_PROG_QUERY, BPF_CGROUP_DEVICE".to_owned())?;
    ids.truncate(attributes.count as usize);
    Ok(ids)
}

fn name_of(program: &OwnedFd) -> Result<[u8; NAME_LENGTH]> {
    let mut info = ProgramInfo::default();
    let attributes = InfoAttributes {
        fd: program.as_raw_fd() as u32,
        length: size_of::<ProgramInfo>() as u32,
        info: &raw mut info as u64,
    };
    let size = size_of::<InfoAttributes>();
    // SAFETY: the kernel copies `size` bytes of attributes and writes at most `length` bytes to
    // `info`, which is as large; all its counts of further buffers are zero, so it writes no other.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &raw const attributes, size)
    };
    check("bpf", result, || "BPF_OBJ_GET_INFO_BY_FD".to_owned())?;
    Ok(info.name)
}
