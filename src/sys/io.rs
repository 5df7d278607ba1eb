//! What is in held files: reading, writing, files in memory.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use crate::error::{Error, Result};
use crate::sys::named;

/// pwrite(2) of all of `bytes` at offset 0.
///
/// # Errors
/// As pwrite(2); EIO for a short write.
pub fn write_at_start(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<()> {
    match named("pwrite", rustix::io::pwrite(fd, bytes, 0), || "held file".to_owned())? {
        length if length == bytes.len() => Ok(()),
        _ => Err(Error::call("pwrite", "held file", libc::EIO)),
    }
}

/// lseek(2) with `SEEK_DATA` and `SEEK_HOLE`: where contents are, at or after `from`; None where only a
/// hole is left. The position moves.
///
/// # Errors
/// EINVAL where the file system does not know of holes.
pub fn next_data(fd: BorrowedFd<'_>, from: u64) -> Result<Option<std::ops::Range<u64>>> {
    use rustix::fs::{SeekFrom, seek};
    let found = match seek(fd, SeekFrom::Data(from)) {
        Err(rustix::io::Errno::NXIO) => return Ok(None),
        found => found.and_then(|start| Ok(start..seek(fd, SeekFrom::Hole(start))?)),
    };
    named("lseek", found, || "held file".to_owned()).map(Some)
}

/// dup3(2): the descriptor `old` stands for what `new` stands for from now on, close-on-exec, and
/// lets go of what it stood for. That is how a forked child drops something that its parent's stack
/// owns and that both share, such as a lock.
///
/// # Errors
/// EINVAL where both are one.
pub fn replace(old: BorrowedFd<'_>, new: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: dup3 takes numbers only; `old` stays a valid descriptor for whoever owns it.
    let result = unsafe { libc::dup3(new.as_raw_fd(), old.as_raw_fd(), libc::O_CLOEXEC) };
    crate::sys::check("dup3", result, String::new).map(drop)
}

/// The number that the next descriptor of this process will have. Any descriptor does to find out.
///
/// # Errors
/// EMFILE at the limit of descriptors.
pub fn next_number(any: BorrowedFd<'_>) -> Result<i32> {
    let duplicate =
        named("fcntl", rustix::io::fcntl_dupfd_cloexec(any, 0), || "F_DUPFD".to_owned())?;
    Ok(duplicate.as_raw_fd())
}

/// A file in memory (memfd_create(2)), close-on-exec.
///
/// # Errors
/// As memfd_create(2).
pub fn memory(name: &str) -> Result<OwnedFd> {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    named("memfd_create", rustix::fs::memfd_create(name, flags), || format!("`{name}`"))
}

/// Reads a small file from its beginning, wherever its offset is.
///
/// # Errors
/// As lseek(2) and read(2).
pub fn read_from_start(fd: BorrowedFd<'_>) -> Result<Vec<u8>> {
    named("lseek", rustix::fs::seek(fd, rustix::fs::SeekFrom::Start(0)), || {
        "held file".to_owned()
    })?;
    read_all(fd)
}

/// dup2(2) onto a standard descriptor (0 to 2), which stays open across execve(2).
///
/// # Errors
/// As dup2(2).
pub fn dup_onto(fd: BorrowedFd<'_>, target: i32) -> Result<()> {
    // SAFETY: dup2 takes numbers only; nothing in this process owns descriptors 0 to 2.
    let result = unsafe { libc::dup2(fd.as_raw_fd(), target) };
    crate::sys::check("dup2", result, || format!("{target}")).map(drop)
}

/// Lets the descriptor of this number stay open across execve(2). Only for a process that is about to
/// call it.
///
/// # Errors
/// EBADF where there is none.
pub fn keep_across_exec(number: i32) -> Result<()> {
    // SAFETY: fcntl takes numbers only.
    let result = unsafe { libc::fcntl(number, libc::F_SETFD, 0) };
    crate::sys::check("fcntl", result, || format!("{number}, F_SETFD")).map(drop)
}

/// Writes all of `bytes` in one write(2), as the kernel's own files want it.
///
/// # Errors
/// As write(2); EIO for a short write.
pub fn write_once(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<()> {
    let text = || String::from_utf8_lossy(bytes).trim_end().to_owned();
    match named("write", rustix::io::write(fd, bytes), text)? {
        length if length == bytes.len() => Ok(()),
        _ => Err(Error::call("write", text(), libc::EIO)),
    }
}

/// What is asked for by one read(2).
const CHUNK: usize = 4096;

/// What one read(2) gives, at most 4096 bytes.
///
/// # Errors
/// As read(2).
pub fn read_once(fd: BorrowedFd<'_>) -> Result<Vec<u8>> {
    let mut chunk = [0u8; CHUNK];
    loop {
        match rustix::io::read(fd, &mut chunk) {
            Ok(length) => return Ok(chunk[..length].to_vec()),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => {
                return Err(Error::call("read", "held descriptor", errno.raw_os_error()));
            }
        }
    }
}

/// Reads to the end of a small file.
///
/// # Errors
/// As read(2).
pub fn read_all(fd: BorrowedFd<'_>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        match read_once(fd)? {
            end if end.is_empty() => return Ok(bytes),
            first if bytes.is_empty() => bytes = first,
            more => bytes.extend_from_slice(&more),
        }
    }
}

/// Reads a regular file to its end, which a read that was not filled has reached (read(2)).
///
/// # Errors
/// As read(2).
pub fn read_regular(fd: BorrowedFd<'_>) -> Result<Vec<u8>> {
    let mut bytes = read_once(fd)?;
    let mut last = bytes.len();
    while last == CHUNK {
        let more = read_once(fd)?;
        last = more.len();
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}

/// A file in memory that can be sealed (`MFD_ALLOW_SEALING`), close-on-exec, executable.
///
/// # Errors
/// As memfd_create(2).
pub fn memory_sealable(name: &str) -> Result<OwnedFd> {
    let flags = rustix::fs::MemfdFlags::CLOEXEC | rustix::fs::MemfdFlags::ALLOW_SEALING;
    // MFD_EXEC (Linux 6.3) keeps the file executable where vm.memfd_noexec is 1; older kernels
    // answer EINVAL and make every memfd executable.
    let executable = rustix::fs::memfd_create(name, flags | rustix::fs::MemfdFlags::EXEC);
    let made = executable.or_else(|_| rustix::fs::memfd_create(name, flags));
    named("memfd_create", made, || format!("`{name}`"))
}

fn all_seals() -> rustix::fs::SealFlags {
    use rustix::fs::SealFlags;
    SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE
}

/// fcntl(2) `F_ADD_SEALS`: from now on the content of a file in memory never changes.
///
/// # Errors
/// EBUSY while it is mapped for writing.
pub fn seal(fd: BorrowedFd<'_>) -> Result<()> {
    let sealed = rustix::fs::fcntl_add_seals(fd, all_seals());
    named("fcntl", sealed, || "F_ADD_SEALS".to_owned())
}

/// Whether the held file is one in memory that was sealed with [`seal`].
pub fn is_sealed(fd: BorrowedFd<'_>) -> bool {
    rustix::fs::fcntl_get_seals(fd).is_ok_and(|seals| seals.contains(all_seals()))
}

/// Writes all of `bytes`, in as many writes as it takes.
///
/// # Errors
/// As write(2).
pub fn write_all(fd: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => {
                return Err(Error::call("write", "held descriptor", errno.raw_os_error()));
            }
        }
    }
    Ok(())
}

/// poll(2) for POLLPRI: whether a file of the kernel that announces changes has changed since it
/// was read, waiting up to `patience` for it.
///
/// # Errors
/// As poll(2).
pub fn wait_for_priority(fd: BorrowedFd<'_>, patience: std::time::Duration) -> Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec};
    let timeout =
        Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: patience.subsec_nanos().into() };
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::PRI)];
    match rustix::event::poll(&mut fds, Some(&timeout)) {
        Ok(count) => Ok(count > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(errno) => Err(Error::call("poll", "POLLPRI", errno.raw_os_error())),
    }
}

/// fcntl(2) `F_DUPFD_CLOEXEC`: another descriptor for the same open file.
///
/// # Errors
/// EMFILE.
pub fn duplicate(fd: BorrowedFd<'_>) -> Result<OwnedFd> {
    named("fcntl", rustix::io::fcntl_dupfd_cloexec(fd, 3), || "F_DUPFD_CLOEXEC".to_owned())
}

/// fcntl(2) `O_NONBLOCK`, for everybody who shares the open file.
///
/// # Errors
/// Never in practice.
pub fn set_nonblocking(fd: BorrowedFd<'_>) -> Result<()> {
    let flags = rustix::fs::fcntl_getfl(fd)
        .and_then(|flags| rustix::fs::fcntl_setfl(fd, flags | rustix::fs::OFlags::NONBLOCK));
    named("fcntl", flags, || "O_NONBLOCK".to_owned())
}

/// One read(2) of up to `limit` bytes; empty at the end of the file.
///
/// # Errors
/// As read(2).
pub fn read_some(fd: BorrowedFd<'_>, limit: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; limit];
    let length = named("read", rustix::io::read(fd, &mut bytes), || "held descriptor".to_owned())?;
    bytes.truncate(length);
    Ok(bytes)
}

/// One write(2); how many bytes of it were taken.
///
/// # Errors
/// As write(2).
pub fn write_some(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize> {
    named("write", rustix::io::write(fd, bytes), || format!("{} bytes", bytes.len()))
}

/// What is to be done, or can be done, with a descriptor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Reading.
    pub read: bool,
    /// Writing.
    pub write: bool,
}

impl Readiness {
    /// In reading alone, where `wanted`.
    pub fn read(wanted: bool) -> Readiness {
        Readiness { read: wanted, write: false }
    }

    /// In writing alone, where `wanted`.
    pub fn write(wanted: bool) -> Readiness {
        Readiness { read: false, write: wanted }
    }
}

/// poll(2): waits until one of `fds` is ready for what is wanted of it. A descriptor of which nothing
/// is wanted is left out, so that its end does not wake us for ever; the end or an error of another
/// one counts as ready, and shows in the call that follows. After `patience` none is.
///
/// # Errors
/// As poll(2), but for EINTR.
pub fn wait_until_ready<const N: usize>(
    fds: &[BorrowedFd<'_>; N],
    wanted: &[Readiness; N],
    patience: Option<std::time::Duration>,
) -> Result<[Readiness; N]> {
    use rustix::event::{PollFd, PollFlags, Timespec};
    let timeout = patience.map(|patience| Timespec {
        tv_sec: patience.as_secs() as i64,
        tv_nsec: patience.subsec_nanos().into(),
    });
    let asked: Vec<usize> = (0..N).filter(|at| wanted[*at] != Readiness::default()).collect();
    let poll_fd = |at: &usize| {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, wanted[*at].read);
        flags.set(PollFlags::OUT, wanted[*at].write);
        PollFd::from_borrowed_fd(fds[*at], flags)
    };
    let mut polled: Vec<PollFd<'_>> = asked.iter().map(poll_fd).collect();
    loop {
        match rustix::event::poll(&mut polled, timeout.as_ref()) {
            Ok(_) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::call("poll", "", errno.raw_os_error())),
        }
    }
    let mut ready = [Readiness::default(); N];
    for (at, polled) in asked.into_iter().zip(&polled) {
        let events = polled.revents();
        let broken = events.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
        let is = |flag: PollFlags, wanted: bool| wanted && (broken || events.contains(flag));
        ready[at].read = is(PollFlags::IN, wanted[at].read);
        ready[at].write = is(PollFlags::OUT, wanted[at].write);
    }
    Ok(ready)
}

/// A pipe (pipe2(2)), close-on-exec: the end to read from and the one to write to.
///
/// # Errors
/// EMFILE.
pub fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let flags = rustix::pipe::PipeFlags::CLOEXEC;
    named("pipe2", rustix::pipe::pipe_with(flags), String::new)
}

/// One descriptor that is readable as long as one of these is (epoll(7)).
///
/// # Errors
/// EPERM for a file that is always ready.
pub fn any_readable(fds: &[BorrowedFd<'_>]) -> Result<OwnedFd> {
    use rustix::event::epoll;
    let all = named("epoll_create1", epoll::create(epoll::CreateFlags::CLOEXEC), String::new)?;
    for fd in fds {
        let added = epoll::add(&all, fd, epoll::EventData::new_u64(0), epoll::EventFlags::IN);
        named("epoll_ctl", added, || "EPOLL_CTL_ADD".to_owned())?;
    }
    Ok(all)
}

/// What to wait for with [`wait_for_any`].
#[derive(Debug, Clone, Copy)]
pub enum Interest<'a> {
    /// Something to read (POLLIN).
    Readable(BorrowedFd<'a>),
    /// A change that a file of the kernel announces (POLLPRI).
    Changed(BorrowedFd<'a>),
}

/// poll(2): which of these have happened, waiting up to `patience` for the first.
///
/// # Errors
/// As poll(2).
pub fn wait_for_any(
    interests: &[Interest<'_>],
    patience: std::time::Duration,
) -> Result<Vec<bool>> {
    use rustix::event::{PollFd, PollFlags, Timespec};
    let timeout =
        Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: patience.subsec_nanos().into() };
    fn entry<'a>(interest: &Interest<'a>) -> PollFd<'a> {
        match *interest {
            Interest::Readable(fd) => PollFd::from_borrowed_fd(fd, PollFlags::IN),
            Interest::Changed(fd) => PollFd::from_borrowed_fd(fd, PollFlags::PRI),
        }
    }
    let mut fds: Vec<PollFd<'_>> = interests.iter().map(entry).collect();
    match rustix::event::poll(&mut fds, Some(&timeout)) {
        Ok(_) => Ok(fds.iter().map(|fd| !fd.revents().is_empty()).collect()),
        Err(rustix::io::Errno::INTR) => Ok(vec![false; interests.len()]),
        Err(errno) => Err(Error::call("poll", String::new(), errno.raw_os_error())),
    }
}

/// A counter that becomes readable when the kernel adds to it (eventfd(2)), close-on-exec; reading
/// never waits.
///
/// # Errors
/// As eventfd(2).
pub fn counter() -> Result<OwnedFd> {
    use rustix::event::EventfdFlags;
    let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
    named("eventfd", rustix::event::eventfd(0, flags), String::new)
}

/// Takes everything out of a counter.
///
/// # Errors
/// EAGAIN where it is empty.
pub fn take_count(counter: BorrowedFd<'_>) -> Result<u64> {
    let mut bytes = [0; 8];
    named("read", rustix::io::read(counter, &mut bytes), || "eventfd".to_owned())?;
    Ok(u64::from_ne_bytes(bytes))
}
