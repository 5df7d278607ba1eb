//! Files by descriptor: openat2 under a root, and the `*at` calls on held directories.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};

use crate::error::{Context, Error, Result};
use crate::sys::{named, quoted};

pub use rustix::fs::{FileType, FlockOperation, RenameFlags, Stat, StatFs};

/// How often [`open_in_root`] tries again. Any rename or mount on the machine can make a scoped
/// look-up answer EAGAIN once; this many in a row is somebody racing with us on purpose.
const RACE_LIMIT: usize = 128;

fn oflags(flags: i32) -> OFlags {
    OFlags::from_bits_retain(flags as u32) | OFlags::CLOEXEC
}

/// open(2) by path, close-on-exec. `flags` are `libc::O_*`.
///
/// # Errors
/// As open(2).
pub fn open(path: &Path, flags: i32) -> Result<OwnedFd> {
    named("open", rustix::fs::open(path, oflags(flags), Mode::empty()), || quoted(path))
}

/// All of a small text file, such as those of procfs and cgroups, in one read(2) and one that finds its
/// end. (`std` asks for the size first, which those files do not know, and then starts with 32 bytes.)
///
/// # Errors
/// As open(2) and read(2); what is no UTF-8 is replaced.
pub fn read_text(path: &Path) -> Result<String> {
    let failed =
        |error: &Error| Error::call("read", quoted(path), error.errno().unwrap_or(libc::EIO));
    let file = open(path, libc::O_RDONLY).map_err(|error| failed(&error))?;
    let bytes = crate::sys::io::read_all(file.as_fd()).map_err(|error| failed(&error))?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(other) => String::from_utf8_lossy(other.as_bytes()).into_owned(),
    })
}

/// openat(2) with a mode for a file that is made, close-on-exec.
///
/// # Errors
/// As openat(2).
pub fn open_at(dir: BorrowedFd<'_>, path: &Path, flags: i32, mode: u32) -> Result<OwnedFd> {
    let mode = Mode::from_raw_mode(mode);
    named("openat", rustix::fs::openat(dir, path, oflags(flags), mode), || quoted(path))
}

fn openat2_scoped(
    root: BorrowedFd<'_>,
    path: &Path,
    flags: i32,
    resolve: ResolveFlags,
) -> Result<OwnedFd> {
    for _ in 0..RACE_LIMIT {
        match rustix::fs::openat2(root, path, oflags(flags), Mode::empty(), resolve) {
            Err(rustix::io::Errno::AGAIN) => {}
            result => return named("openat2", result, || quoted(path)),
        }
    }
    Err(Error::call("openat2", quoted(path), libc::EAGAIN))
        .hint(|| "something keeps renaming directories on the way while they are looked up")
}

/// openat2(2) of `path` with `root` as its `/`: neither `..` nor a symlink, however often swapped,
/// leads out of it, and no magic link is followed (Linux 5.6).
///
/// # Errors
/// As openat2(2); EAGAIN only after 128 attempts, with a hint at the race.
pub fn open_in_root(root: BorrowedFd<'_>, path: &Path, flags: i32) -> Result<OwnedFd> {
    openat2_scoped(root, path, flags, ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS)
}

/// openat2(2) of `path` below `root`, following no symlink at all.
///
/// # Errors
/// As openat2(2); ELOOP at a symlink.
pub fn open_beneath_nofollow(root: BorrowedFd<'_>, path: &Path, flags: i32) -> Result<OwnedFd> {
    openat2_scoped(root, path, flags, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
}

/// The same, and nothing that is mounted below `root` is entered.
///
/// # Errors
/// As openat2(2); ELOOP at a symlink, EXDEV at a mount.
pub fn open_on_mount(root: BorrowedFd<'_>, path: &Path, flags: i32) -> Result<OwnedFd> {
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    openat2_scoped(root, path, flags, beneath | ResolveFlags::NO_XDEV)
}

/// mkdirat(2).
///
/// # Errors
/// As mkdirat(2).
pub fn mkdir_at(dir: BorrowedFd<'_>, name: &Path, mode: u32) -> Result<()> {
    named("mkdirat", rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(mode)), || quoted(name))
}

/// mknodat(2): a node of `kind` with `mode` and, for devices, the numbers `device`.
///
/// # Errors
/// As mknodat(2).
pub fn mknod_at(
    dir: BorrowedFd<'_>,
    name: &Path,
    kind: FileType,
    mode: u32,
    device: (u32, u32),
) -> Result<()> {
    let dev = rustix::fs::makedev(device.0, device.1);
    let mode = Mode::from_raw_mode(mode);
    named("mknodat", rustix::fs::mknodat(dir, name, kind, mode, dev), || {
        format!("{}, {}:{}", quoted(name), device.0, device.1)
    })
}

/// symlinkat(2): `name` in `dir` pointing at `target`.
///
/// # Errors
/// As symlinkat(2).
pub fn symlink_at(target: &Path, dir: BorrowedFd<'_>, name: &Path) -> Result<()> {
    named("symlinkat", rustix::fs::symlinkat(target, dir, name), || {
        format!("{}, {}", quoted(target), quoted(name))
    })
}

/// readlinkat(2); an empty name reads the held link itself.
///
/// # Errors
/// As readlinkat(2).
pub fn readlink_at(dir: BorrowedFd<'_>, name: &Path) -> Result<PathBuf> {
    let target =
        named("readlinkat", rustix::fs::readlinkat(dir, name, Vec::new()), || quoted(name))?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(CString::into_bytes(target))))
}

/// unlinkat(2) of a file.
///
/// # Errors
/// As unlinkat(2).
pub fn unlink_at(dir: BorrowedFd<'_>, name: &Path) -> Result<()> {
    named("unlinkat", rustix::fs::unlinkat(dir, name, AtFlags::empty()), || quoted(name))
}

/// unlinkat(2) of an empty directory.
///
/// # Errors
/// As unlinkat(2).
pub fn rmdir_at(dir: BorrowedFd<'_>, name: &Path) -> Result<()> {
    named("rmdir", rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR), || quoted(name))
}

/// renameat2(2) of `from` to `to`, both in `dir`.
///
/// # Errors
/// As renameat2(2); EEXIST with `RenameFlags::NOREPLACE`.
pub fn rename_at(dir: BorrowedFd<'_>, from: &Path, to: &Path, flags: RenameFlags) -> Result<()> {
    named("renameat2", rustix::fs::renameat_with(dir, from, dir, to, flags), || {
        format!("{}, {}", quoted(from), quoted(to))
    })
}

/// fstat(2).
///
/// # Errors
/// As fstat(2).
pub fn fstat(fd: BorrowedFd<'_>) -> Result<Stat> {
    named("fstat", rustix::fs::fstat(fd), || "held descriptor".to_owned())
}

/// fstatat(2) that does not follow a link in the last component.
///
/// # Errors
/// As fstatat(2).
pub fn stat_at(dir: BorrowedFd<'_>, name: &Path) -> Result<Stat> {
    named("fstatat", rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW), || quoted(name))
}

/// What sort of file `stat` describes.
pub fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Device numbers of a device node: (major, minor).
pub fn device_numbers(stat: &Stat) -> (u32, u32) {
    (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev))
}

/// fstatfs(2).
///
/// # Errors
/// As fstatfs(2).
pub fn fstatfs(fd: BorrowedFd<'_>) -> Result<StatFs> {
    named("fstatfs", rustix::fs::fstatfs(fd), || "held descriptor".to_owned())
}

/// statfs(2).
///
/// # Errors
/// As statfs(2).
pub fn statfs(path: &Path) -> Result<StatFs> {
    named("statfs", rustix::fs::statfs(path), || quoted(path))
}

/// Whether statfs(2) reports the mount or its file system as read-only (`ST_RDONLY`).
///
/// # Errors
/// As fstatvfs(3).
pub fn is_read_only(fd: BorrowedFd<'_>) -> Result<bool> {
    let stat = named("fstatvfs", rustix::fs::fstatvfs(fd), || "held descriptor".to_owned())?;
    Ok(stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// fchownat(2) of a name in `dir` (not followed), or of `dir` itself when the name is empty.
///
/// # Errors
/// As fchownat(2).
pub fn chown_at(dir: BorrowedFd<'_>, name: &Path, uid: u32, gid: u32) -> Result<()> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH;
    let uid = Some(rustix::fs::Uid::from_raw(uid));
    let gid = Some(rustix::fs::Gid::from_raw(gid));
    named("fchownat", rustix::fs::chownat(dir, name, uid, gid, flags), || quoted(name))
}

/// fchmod(2) of a descriptor that is open for reading or writing (not O_PATH).
///
/// # Errors
/// As fchmod(2).
pub fn fchmod(fd: BorrowedFd<'_>, mode: u32) -> Result<()> {
    named("fchmod", rustix::fs::fchmod(fd, Mode::from_raw_mode(mode)), || format!("{mode:#o}"))
}

/// fchmodat(2) of a name in `dir` (chmod follows links: pass names that were just made only).
///
/// # Errors
/// As fchmodat(2).
pub fn chmod_at(dir: BorrowedFd<'_>, name: &Path, mode: u32) -> Result<()> {
    let mode = Mode::from_raw_mode(mode);
    named("fchmodat", rustix::fs::chmodat(dir, name, mode, AtFlags::empty()), || quoted(name))
}

/// flock(2).
///
/// # Errors
/// EWOULDBLOCK for a non-blocking request that somebody else's lock refuses.
pub fn flock(fd: BorrowedFd<'_>, operation: FlockOperation) -> Result<()> {
    named("flock", rustix::fs::flock(fd, operation), || "held descriptor".to_owned())
}

/// The names in a held directory (open for reading), without `.` and `..`.
///
/// # Errors
/// As getdents64(2).
pub fn names_in(dir: BorrowedFd<'_>) -> Result<Vec<PathBuf>> {
    let entries = named("getdents64", rustix::fs::Dir::read_from(dir), || "held directory".into())?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = named("getdents64", entry, || "held directory".to_owned())?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(PathBuf::from(std::ffi::OsString::from_vec(name.to_vec())));
        }
    }
    Ok(names)
}

/// Whether we may execute `path`, as the user that we are now (faccessat2(2), Linux 5.8), and
/// whether it is a file at all.
///
/// # Errors
/// ENOENT, ENOTDIR, ELOOP as open(2); EACCES for what is there and no program.
pub fn check_executable(path: &Path) -> Result<()> {
    use rustix::fs::{Access, CWD};
    let stat = named("stat", rustix::fs::stat(path), || quoted(path))?;
    if file_type(&stat) != FileType::RegularFile {
        return Err(Error::call("execve", quoted(path), libc::EACCES));
    }
    let access = rustix::fs::accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS);
    named("execve", access, || quoted(path))
}

/// Whether `path` is a directory in which we, as the user that we are now, may make something.
pub fn is_writable_directory(path: &Path) -> bool {
    use rustix::fs::{Access, CWD};
    let access = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::accessat(CWD, path, access, AtFlags::EACCESS).is_ok() && path.is_dir()
}

/// fchdir(2).
///
/// # Errors
/// As fchdir(2).
pub fn fchdir(fd: BorrowedFd<'_>) -> Result<()> {
    named("fchdir", rustix::process::fchdir(fd), || "held directory".to_owned())
}

/// chdir(2).
///
/// # Errors
/// As chdir(2).
pub fn chdir(path: &Path) -> Result<()> {
    named("chdir", rustix::process::chdir(path), || quoted(path))
}

/// chroot(2).
///
/// # Errors
/// As chroot(2).
pub fn chroot(path: &Path) -> Result<()> {
    named("chroot", rustix::process::chroot(path), || quoted(path))
}

/// getcwd(2), by the system call: libc's hides the "(unreachable)" that the kernel puts before a
/// directory outside the root.
///
/// # Errors
/// ENOENT where the directory was removed.
pub fn getcwd() -> Result<PathBuf> {
    let cwd = named("getcwd", rustix::process::getcwd(Vec::new()), String::new)?;
    Ok(PathBuf::from(std::ffi::OsString::from_vec(cwd.into_bytes())))
}

/// umask(2): sets the mask and returns the one before.
pub fn umask(mask: u32) -> u32 {
    rustix::process::umask(Mode::from_raw_mode(mask)).as_raw_mode()
}

/// close_range(2) with `CLOSE_RANGE_CLOEXEC` from `first` on (Linux 5.11): nothing that we opened,
/// nor what our caller leaked into us, survives the next execve.
///
/// # Errors
/// ENOSYS before Linux 5.9.
pub fn close_on_exec_from(first: u32) -> Result<()> {
    // SAFETY: close_range takes numbers only; with CLOEXEC it closes nothing now.
    let result =
        unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    super::check("close_range", result, || format!("{first}.., CLOEXEC")).map(drop)
}

/// Closes every descriptor from `first` on but `kept`. Only for a process that never returns to the
/// owners of those descriptors: one that ends by execve(2) or _exit(2).
///
/// # Errors
/// ENOSYS before Linux 5.9.
pub fn close_from(first: u32, kept: BorrowedFd<'_>) -> Result<()> {
    let kept = kept.as_raw_fd() as u32;
    let below = (first < kept).then(|| (first, kept - 1));
    let above = (first.max(kept + 1), u32::MAX);
    for (from, to) in below.into_iter().chain([above]) {
        // SAFETY: the caller promises that nobody uses the closed descriptors again.
        let result = unsafe { libc::syscall(libc::SYS_close_range, from, to, 0) };
        super::check("close_range", result, || format!("{from}..={to}"))?;
    }
    Ok(())
}

/// A path that names a held descriptor, for calls that take nothing else.
pub fn proc_path(fd: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// Whether two descriptors show the same inode.
///
/// # Errors
/// As fstat(2).
pub fn same_file(a: BorrowedFd<'_>, b: BorrowedFd<'_>) -> Result<bool> {
    let (a, b) = (fstat(a)?, fstat(b)?);
    Ok((a.st_dev, a.st_ino) == (b.st_dev, b.st_ino))
}

/// Whether a descriptor of this number is open.
pub fn is_open(number: u32) -> bool {
    // SAFETY: F_GETFD takes numbers only and changes nothing.
    unsafe { libc::fcntl(number as i32, libc::F_GETFD) >= 0 }
}
