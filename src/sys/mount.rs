//! Mounts by descriptor: the fsopen family, open_tree, move_mount, mount_setattr (Linux 5.12).
//!
//! mount(2), kept for what fsconfig(2) cannot say, takes its target as `/proc/self/fd/N` of a held
//! descriptor from its callers.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

use crate::error::{Error, Result};
use crate::sys::{c_path, c_string, check, last_errno, quoted};

/// `open_tree(2)`: a new mount instead of a handle on the old one.
pub const OPEN_TREE_CLONE: u32 = 1;
/// `AT_RECURSIVE`: the mounts below too.
pub const AT_RECURSIVE: u32 = 0x8000;
/// `AT_EMPTY_PATH`: the descriptor itself.
pub const AT_EMPTY_PATH: u32 = 0x1000;

/// `MOUNT_ATTR_RDONLY` of mount_setattr(2).
pub const ATTR_RDONLY: u64 = 0x1;
/// `MOUNT_ATTR_NOSUID`.
pub const ATTR_NOSUID: u64 = 0x2;
/// `MOUNT_ATTR_NODEV`.
pub const ATTR_NODEV: u64 = 0x4;
/// `MOUNT_ATTR_NOEXEC`.
pub const ATTR_NOEXEC: u64 = 0x8;
/// `MOUNT_ATTR__ATIME`: the mask of the three access time modes.
pub const ATTR_ATIME_MASK: u64 = 0x70;
/// `MOUNT_ATTR_RELATIME` (the zero value inside [`ATTR_ATIME_MASK`]).
pub const ATTR_RELATIME: u64 = 0x0;
/// `MOUNT_ATTR_NOATIME`.
pub const ATTR_NOATIME: u64 = 0x10;
/// `MOUNT_ATTR_STRICTATIME`.
pub const ATTR_STRICTATIME: u64 = 0x20;
/// `MOUNT_ATTR_NODIRATIME`.
pub const ATTR_NODIRATIME: u64 = 0x80;
/// `MOUNT_ATTR_IDMAP` (Linux 5.12).
pub const ATTR_IDMAP: u64 = 0x10_0000;
/// `MOUNT_ATTR_NOSYMFOLLOW` (Linux 5.14).
pub const ATTR_NOSYMFOLLOW: u64 = 0x20_0000;

const OPEN_TREE_CLOEXEC: u32 = libc::O_CLOEXEC as u32;
const MOVE_MOUNT_F_EMPTY_PATH: u32 = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH: u32 = 0x40;
const FSCONFIG_SET_FLAG: u32 = 0;
const FSCONFIG_SET_STRING: u32 = 1;
const FSCONFIG_SET_FD: u32 = 5;
const FSCONFIG_CMD_CREATE: u32 = 6;

/// What to change on a mount: `struct mount_attr` of mount_setattr(2).
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MountAttr {
    /// Attributes to set.
    pub set: u64,
    /// Attributes to clear.
    pub clear: u64,
    /// Propagation type to change to (`MS_SHARED`, …), or 0.
    pub propagation: u64,
    /// The user namespace of an idmapped mount, with [`ATTR_IDMAP`].
    pub userns_fd: u64,
}

fn raw_dir(dir: Option<BorrowedFd<'_>>) -> RawFd {
    dir.map_or(libc::AT_FDCWD, |fd| fd.as_raw_fd())
}

/// Owns the descriptor that a successful raw call returned.
fn own(fd: libc::c_long) -> OwnedFd {
    // SAFETY: callers pass the non-negative result of a call that returns a new descriptor, which
    // nobody else has seen.
    unsafe { OwnedFd::from_raw_fd(fd as RawFd) }
}

/// A file system context of fsopen(2): a mount being configured.
#[derive(Debug)]
pub struct FsContext {
    fd: OwnedFd,
    name: String,
}

impl FsContext {
    /// fsopen(2): begins a new instance of the file system `fstype`. The namespaces that the file
    /// system will show are those of the caller at this very moment.
    ///
    /// # Errors
    /// ENODEV for an unknown type, EPERM without privilege over the mount namespace.
    pub fn open(fstype: &str) -> Result<FsContext> {
        let c_type = c_string(fstype.as_bytes())?;
        // SAFETY: fsopen reads one NUL-terminated string that outlives the call.
        let fd = unsafe { libc::syscall(libc::SYS_fsopen, c_type.as_ptr(), 1) };
        let fd = check("fsopen", fd, || format!("`{fstype}`"))?;
        Ok(FsContext { fd: own(fd), name: fstype.to_owned() })
    }

    /// fsconfig(2) `FSCONFIG_SET_FLAG`.
    ///
    /// # Errors
    /// With the kernel's own sentence where it wrote one.
    pub fn set_flag(&self, key: &str) -> Result<()> {
        self.config(FSCONFIG_SET_FLAG, Some(key), None, 0)
    }

    /// fsconfig(2) `FSCONFIG_SET_STRING`; the kernel takes at most 255 bytes of value.
    ///
    /// # Errors
    /// With the kernel's own sentence where it wrote one.
    pub fn set_string(&self, key: &str, value: &str) -> Result<()> {
        self.config(FSCONFIG_SET_STRING, Some(key), Some(value), 0)
    }

    /// fsconfig(2) `FSCONFIG_SET_FD` (overlayfs: Linux 6.13; before, EOPNOTSUPP or EINVAL).
    ///
    /// # Errors
    /// With the kernel's own sentence where it wrote one.
    pub fn set_fd(&self, key: &str, fd: BorrowedFd<'_>) -> Result<()> {
        self.config(FSCONFIG_SET_FD, Some(key), None, fd.as_raw_fd())
    }

    /// fsconfig(2) `FSCONFIG_CMD_CREATE`: makes the superblock.
    ///
    /// # Errors
    /// With the kernel's own sentence where it wrote one.
    pub fn create(&self) -> Result<()> {
        self.config(FSCONFIG_CMD_CREATE, None, None, 0)
    }

    /// fsmount(2): a detached mount of what was made, with the attributes `attrs`.
    ///
    /// # Errors
    /// EPERM where another mount of the same file system is partly hidden (user namespaces).
    pub fn mount(&self, attrs: u64) -> Result<OwnedFd> {
        // SAFETY: fsmount takes numbers only.
        let fd = unsafe { libc::syscall(libc::SYS_fsmount, self.fd.as_raw_fd(), 1, attrs) };
        match fd {
            fd if fd >= 0 => Ok(own(fd)),
            _ => Err(self.failed("fsmount", format!("`{}`", self.name), last_errno())),
        }
    }

    fn config(&self, cmd: u32, key: Option<&str>, value: Option<&str>, aux: RawFd) -> Result<()> {
        let c_key = key.map(|key| c_string(key.as_bytes())).transpose()?;
        let c_value = value.map(|value| c_string(value.as_bytes())).transpose()?;
        let pointer = |text: &Option<std::ffi::CString>| {
            text.as_deref().map_or(std::ptr::null(), CStr::as_ptr)
        };
        // SAFETY: key and value are NULL or NUL-terminated strings that outlive the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_fsconfig,
                self.fd.as_raw_fd(),
                cmd,
                pointer(&c_key),
                pointer(&c_value),
                aux,
            )
        };
        if result == 0 {
            return Ok(());
        }
        let errno = last_errno();
        let operands = match (key, value) {
            (Some(key), Some(value)) => format!("`{}`, `{key}={value}`", self.name),
            (Some(key), None) => format!("`{}`, `{key}`", self.name),
            _ => format!("`{}`, create", self.name),
        };
        Err(self.failed("fsconfig", operands, errno))
    }

    /// Reading the context gives the kernel's sentence ("e overlay: …"), and overwrites errno, so
    /// the errno is taken before.
    fn failed(&self, call: &str, operands: String, errno: i32) -> Error {
        let mut text = [0u8; 512];
        let length = rustix::io::read(&self.fd, &mut text).unwrap_or(0);
        let said = String::from_utf8_lossy(&text[..length]);
        let said = said.trim().trim_start_matches("e ");
        let operands =
            if said.is_empty() { operands } else { format!("{operands}; kernel: {said}") };
        Error::call(call, operands, errno)
    }
}

impl AsFd for FsContext {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// open_tree(2): a handle on the mount at `path`, or, with [`OPEN_TREE_CLONE`], a detached copy.
/// `dir` is where a relative path starts (None: the working directory); an empty path with
/// [`AT_EMPTY_PATH`] is `dir` itself.
///
/// # Errors
/// EINVAL for a tree of another mount namespace or one with locked mounts below.
pub fn open_tree(dir: Option<BorrowedFd<'_>>, path: &Path, flags: u32) -> Result<OwnedFd> {
    let c_path = c_path(path)?;
    // SAFETY: open_tree reads one NUL-terminated string that outlives the call.
    let fd = unsafe {
        libc::syscall(libc::SYS_open_tree, raw_dir(dir), c_path.as_ptr(), flags | OPEN_TREE_CLOEXEC)
    };
    check("open_tree", fd, || quoted(path)).map(own)
}

/// A detached copy of the mount `of`, with the mounts below when `recursive`.
///
/// # Errors
/// As [`open_tree`].
pub fn clone_tree(of: BorrowedFd<'_>, recursive: bool) -> Result<OwnedFd> {
    let recursive = if recursive { AT_RECURSIVE } else { 0 };
    open_tree(Some(of), Path::new(""), OPEN_TREE_CLONE | AT_EMPTY_PATH | recursive)
}

/// move_mount(2): attaches the detached mount `from` on top of the held directory or file `to`.
///
/// # Errors
/// EINVAL for a mount that is not detached or not ours, ENOTDIR for a file on a directory.
pub fn move_mount(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: both paths are static NUL-terminated strings.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            from.as_raw_fd(),
            c"".as_ptr(),
            to.as_raw_fd(),
            c"".as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
        )
    };
    check("move_mount", result, || "held mount, held target".to_owned()).map(drop)
}

/// mount_setattr(2) on the held mount `at`, and on all below when `recursive`.
///
/// # Errors
/// EPERM for an attribute that is locked, EINVAL for one that the kernel does not know.
pub fn mount_setattr(at: BorrowedFd<'_>, recursive: bool, attr: &MountAttr) -> Result<()> {
    let flags = AT_EMPTY_PATH | if recursive { AT_RECURSIVE } else { 0 };
    // SAFETY: attr is a live struct of exactly the layout and size that the kernel reads.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            at.as_raw_fd(),
            c"".as_ptr(),
            flags,
            std::ptr::from_ref(attr),
            size_of::<MountAttr>(),
        )
    };
    check("mount_setattr", result, || {
        format!("set {:#x}, clear {:#x}, propagation {:#x}", attr.set, attr.clear, attr.propagation)
    })
    .map(drop)
}

/// mount(2). `target` should be `/proc/self/fd/N` of a held descriptor.
///
/// # Errors
/// As mount(2).
pub fn mount(
    source: Option<&str>,
    target: &Path,
    fstype: Option<&str>,
    flags: u64,
    data: Option<&str>,
) -> Result<()> {
    let text = |text: Option<&str>| text.map(|text| c_string(text.as_bytes())).transpose();
    let (c_source, c_type, c_data) = (text(source)?, text(fstype)?, text(data)?);
    let pointer =
        |text: &Option<std::ffi::CString>| text.as_deref().map_or(std::ptr::null(), CStr::as_ptr);
    let c_target = c_path(target)?;
    // SAFETY: all four are NULL or NUL-terminated strings that outlive the call; the kernel copies
    // at most a page of data and stops at its NUL.
    let result = unsafe {
        libc::mount(
            pointer(&c_source),
            c_target.as_ptr(),
            pointer(&c_type),
            flags,
            pointer(&c_data).cast(),
        )
    };
    check("mount", result, || {
        format!("{source:?}, {}, {fstype:?}, {flags:#x}, {data:?}", quoted(target))
    })
    .map(drop)
}

/// umount2(2) with `MNT_DETACH`.
///
/// # Errors
/// As umount2(2).
pub fn umount_detach(target: &Path) -> Result<()> {
    let c_target = c_path(target)?;
    // SAFETY: umount2 reads one NUL-terminated string that outlives the call.
    let result = unsafe { libc::umount2(c_target.as_ptr(), libc::MNT_DETACH) };
    check("umount2", result, || quoted(target)).map(drop)
}

/// pivot_root(2) of `new_root`, with the old root put at `put_old`.
///
/// # Errors
/// EINVAL where the current root is not a mount point (an initramfs).
pub fn pivot_root(new_root: &Path, put_old: &Path) -> Result<()> {
    super::named("pivot_root", rustix::process::pivot_root(new_root, put_old), || {
        format!("{}, {}", quoted(new_root), quoted(put_old))
    })
}
