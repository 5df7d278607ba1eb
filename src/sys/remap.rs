//! The same program from another file, without an execve(2): every mapping of the running binary is
//! replaced by one of the same bytes, and then `/proc/self/exe` by the file.
//!
//! For a process that has just begun: one thread, and nothing between a segment's copy and its move
//! that writes to it.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;

use rustix::mm::{MapFlags, MprotectFlags, MremapFlags, ProtFlags};

use crate::error::Result;
use crate::sys::{check, file, named};

/// `struct prctl_mm_map` of prctl(2).
#[repr(C)]
struct MemoryMap {
    start_code: u64,
    end_code: u64,
    start_data: u64,
    end_data: u64,
    start_brk: u64,
    brk: u64,
    start_stack: u64,
    arg_start: u64,
    arg_end: u64,
    env_start: u64,
    env_end: u64,
    auxv: u64,
    auxv_size: u32,
    exe_fd: u32,
}

const PT_LOAD: u32 = 1;
const PT_GNU_RELRO: u32 = 0x6474_e552;
const WRITABLE: u32 = 2;

/// What the program's headers say of one segment, at its address.
struct Segment {
    kind: u32,
    flags: u32,
    address: usize,
    in_file: usize,
    in_memory: usize,
    offset: u64,
}

/// Puts `file`, which has to be the same program byte by byte, in the place of our binary
/// (`PR_SET_MM_MAP` of prctl(2), Linux 3.18). On failure everything goes on from where it was.
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE in our user namespace, EINVAL where the
/// kernel cannot checkpoint (CONFIG_CHECKPOINT_RESTORE) or wants the heap behind the data (before
/// Linux 5.15 for a position-independent program), EACCES where `file` may not be executed.
pub fn executable(file: BorrowedFd<'_>) -> Result<()> {
    let map = memory_map(file)?;
    let segments = segments();
    for segment in segments.iter().filter(|segment| segment.kind == PT_LOAD) {
        if segment.flags & WRITABLE == 0 {
            map_again(segment, file)?;
        } else {
            let relro = segments.iter().find(|it| it.kind == PT_GNU_RELRO);
            copy(segment, relro.filter(|relro| relro.address == segment.address))?;
        }
    }
    let size = size_of::<MemoryMap>();
    // SAFETY: PR_SET_MM_MAP reads `size` bytes of a live, initialised struct of the kernel's layout;
    // but for the file it holds what the kernel itself has told of this process.
    let result = unsafe {
        libc::prctl(libc::PR_SET_MM, libc::PR_SET_MM_MAP, &raw const map, size as libc::c_ulong, 0)
    };
    check("prctl", result, || "PR_SET_MM, PR_SET_MM_MAP".to_owned()).map(drop)
}

/// Where everything of this process is, as `/proc/self/stat` tells (proc_pid_stat(5)).
fn memory_map(file: BorrowedFd<'_>) -> Result<MemoryMap> {
    let stat = file::read_text(Path::new("/proc/self/stat"))?;
    // The name, which may have anything in it, ends at the last parenthesis; then comes field 3.
    let fields: Vec<u64> = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_ascii_whitespace()
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or(0);
    // SAFETY: sbrk(0) changes nothing.
    let brk = unsafe { libc::sbrk(0) } as u64;
    Ok(MemoryMap {
        start_code: field(26),
        end_code: field(27),
        start_data: field(45),
        end_data: field(46),
        start_brk: field(47),
        brk,
        start_stack: field(28),
        arg_start: field(48),
        arg_end: field(49),
        env_start: field(50),
        env_end: field(51),
        auxv: 0,
        auxv_size: 0,
        exe_fd: u32::try_from(file.as_raw_fd()).unwrap_or(u32::MAX),
    })
}

/// The segments of the program itself, which dl_iterate_phdr(3) visits first.
fn segments() -> Vec<Segment> {
    unsafe extern "C" fn visit(
        object: *mut libc::dl_phdr_info,
        _size: usize,
        found: *mut libc::c_void,
    ) -> i32 {
        // SAFETY: libc hands out a valid object for the time of the call.
        let object = unsafe { &*object };
        // SAFETY: the pointer is to the vector below, which nobody else uses meanwhile.
        let found = unsafe { &mut *found.cast::<Vec<Segment>>() };
        let count = usize::from(object.dlpi_phnum);
        // SAFETY: an object has that many headers at that address, for as long as it is loaded.
        let headers = unsafe { std::slice::from_raw_parts(object.dlpi_phdr, count) };
        // Narrower in a program of 32 bits.
        #[allow(clippy::unnecessary_cast)]
        found.extend(headers.iter().map(|header| Segment {
            kind: header.p_type,
            flags: header.p_flags,
            address: (object.dlpi_addr + header.p_vaddr) as usize,
            in_file: header.p_filesz as usize,
            in_memory: header.p_memsz as usize,
            offset: header.p_offset as u64,
        }));
        1
    }
    let mut found: Vec<Segment> = Vec::new();
    // SAFETY: `visit` has the signature that is asked for, and `found` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut found).cast()) };
    found
}

impl Segment {
    /// The pages that come from the file.
    fn pages(&self) -> (usize, usize) {
        let page = rustix::param::page_size();
        let start = self.address / page * page;
        (start, (self.address + self.in_file).next_multiple_of(page) - start)
    }
}

/// Maps what cannot be written over itself: the same bytes, from the other file.
fn map_again(segment: &Segment, file: BorrowedFd<'_>) -> Result<()> {
    const EXECUTABLE: u32 = 1;
    let (start, length) = segment.pages();
    let mut access = ProtFlags::READ;
    access.set(ProtFlags::EXEC, segment.flags & EXECUTABLE != 0);
    let flags = MapFlags::PRIVATE | MapFlags::FIXED;
    let inside = (segment.address - start) as u64;
    // SAFETY: the pages are the program's own, and get the content that they have: the caller's file
    // is the same program. The kernel replaces them in one step.
    let mapped = unsafe {
        rustix::mm::mmap(
            start as *mut _,
            length,
            access,
            flags,
            file.as_fd(),
            segment.offset - inside,
        )
    };
    named("mmap", mapped, || format!("{start:#x}, {length}")).map(drop)
}

/// Replaces what can be written by a copy that belongs to no file.
fn copy(segment: &Segment, relro: Option<&Segment>) -> Result<()> {
    let (start, length) = segment.pages();
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: memory of our own, wherever the kernel likes.
    let new = unsafe {
        rustix::mm::mmap_anonymous(std::ptr::null_mut(), length, access, MapFlags::PRIVATE)
    };
    let new = named("mmap", new, || length.to_string())?;
    // SAFETY: both are `length` bytes that can be read and written, and do not overlap. There is one
    // thread, and nothing from here to the move writes to the segment.
    unsafe { std::ptr::copy_nonoverlapping(start as *const u8, new.cast::<u8>(), length) };
    // SAFETY: the pages at `start` are replaced, in one step, by their copy.
    let moved = unsafe {
        rustix::mm::mremap_fixed(new, length, length, MremapFlags::MAYMOVE, start as *mut _)
    };
    named("mremap", moved, || format!("{start:#x}, {length}"))?;
    let Some(relro) = relro else { return Ok(()) };
    let page = rustix::param::page_size();
    let length = (relro.address + relro.in_memory) / page * page - start;
    // SAFETY: what the dynamic linker had made read-only is read-only again.
    let protected = unsafe { rustix::mm::mprotect(start as *mut _, length, MprotectFlags::READ) };
    named("mprotect", protected, || format!("{start:#x}, {length}"))
}
