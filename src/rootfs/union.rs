//! A root file system joined from layers by overlayfs, in the container's mount namespace alone.
//!
//! How layers are handed to the kernel depends on its age, and no question beforehand tells: the
//! newest form is tried, and the next where the kernel does not know it.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use libc::{O_DIRECTORY, O_PATH};

use super::filesystem::tmpfs;
use super::plan::{Label, Layers, Upper};
use super::work;
use crate::error::{Context, Error, Result};
use crate::sys::mount::{self, FsContext};
use crate::sys::{entry, file};

/// How the kernel is told the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// By descriptor, and the upper on a tmpfs that is attached nowhere (Linux 6.13 and 6.15).
    Descriptors,
    /// By name, one at a time, each `/proc/self/fd/N` (Linux 6.8).
    Names,
    /// All in one mount(2), relative to /proc/self/fd, so that 500 fit in a page.
    MountCall,
}

/// The forms, newest first.
const FORMS: &[Form] = &[Form::Descriptors, Form::Names, Form::MountCall];

/// What a kernel that does not know a form answers: an older fsconfig(2), an older overlayfs, and
/// one that wants descriptors that are open for reading.
const NOT_KNOWN: &[i32] = &[libc::EOPNOTSUPP, libc::EINVAL, libc::EBADF];

/// The mount points and files of the init layer: what a runtime would otherwise make in the image.
const INIT_DIRECTORIES: &[&str] = &["dev", "dev/pts", "dev/shm", "proc", "sys", "etc"];
const INIT_FILES: &[&str] = &["etc/hosts", "etc/hostname", "etc/resolv.conf"];
const INIT_LINK: (&str, &str) = ("etc/mtab", "/proc/mounts");

/// Joins the layers; returns the mount, detached.
pub(super) fn make(layers: &Layers, root: &Path, user_namespace: bool) -> Result<OwnedFd> {
    refuse_mounted(root)?;
    let mut parts = Parts::open(layers, user_namespace)?;
    let mut failure: Option<Error> = None;
    for form in FORMS {
        let error = match parts.join(*form) {
            Ok(mounted) => return Ok(mounted),
            Err(error) => error,
        };
        if !error.errno().is_some_and(|errno| NOT_KNOWN.contains(&errno)) {
            return Err(error).hint(|| hint(user_namespace));
        }
        // The last failure counts, unless the kernel said in words what it dislikes before.
        if !failure.as_ref().is_some_and(|earlier| earlier.to_string().contains("kernel: ")) {
            failure = Some(error);
        }
    }
    Err(failure.unwrap_or_else(|| Error::internal("no form of overlay")))
        .hint(|| hint(user_namespace))
}

fn hint(user_namespace: bool) -> &'static str {
    if user_namespace {
        "in a user namespace an ephemeral upper needs Linux 6.6, an upper must not lie on an \
         overlay, and a layer must have no mount points of the host below it, as `/` has: name a \
         directory on disk"
    } else {
        "an upper must lie on a file system that is no overlay, layers must not be overlays of \
         overlays, and none may contain another; the kernel's log may say more"
    }
}

/// What an engine has mounted is a root of its own, and layers would silently hide it.
fn refuse_mounted(root: &Path) -> Result<()> {
    let Ok(root_fd) = file::open(root, O_PATH | O_DIRECTORY) else { return Ok(()) };
    if !entry::is_mount_root(root_fd.as_fd())? {
        return Ok(());
    }
    let text = format!("`{}` is mounted already, so layers have no place", root.display());
    Err(Error::config("/annotations/dev.rrun.rootfs.layers", text))
}

/// Everything that the overlay is made of, held.
struct Parts {
    /// Topmost first, as overlayfs counts.
    lower: Vec<OwnedFd>,
    upper: OwnedFd,
    work: OwnedFd,
    scratch: Scratch,
    user_namespace: bool,
    label: Option<Label>,
}

impl Parts {
    fn open(layers: &Layers, user_namespace: bool) -> Result<Parts> {
        let scratch = Scratch::new(match &layers.upper {
            Upper::Ephemeral { size } => size.as_deref(),
            Upper::Kept { .. } => None,
        })?;
        let mut lower = Vec::with_capacity(layers.lower.len() + 1);
        if layers.init {
            lower.push(init_layer(&scratch).context(|| "make the init layer")?);
        }
        for (at, path) in layers.lower.iter().enumerate() {
            let layer = file::open(path, O_PATH | O_DIRECTORY)
                .context(|| format!("open layer {at}, `{}`", path.display()))?;
            lower.push(layer);
        }
        lower.reverse();
        let (upper, work) = match &layers.upper {
            Upper::Ephemeral { .. } => (scratch.make("upper")?, scratch.make("work")?),
            Upper::Kept { directory, work } => kept(directory, work, &layers.owner)
                .context(|| format!("use the upper directory `{}`", directory.display()))?,
        };
        if user_namespace {
            // Without them the kernel makes the overlay all the same, in which replacing a directory
            // of a layer fails with EIO (tmpfs before Linux 6.6).
            entry::set_xattr(work.as_fd(), "user.rrun", b"")
                .context(|| "keep extended attributes in the upper directory")
                .hint(|| hint(true))?;
        }
        let label = layers.label.clone();
        Ok(Parts { lower, upper, work, scratch, user_namespace, label })
    }

    fn join(&mut self, form: Form) -> Result<OwnedFd> {
        if form != Form::Descriptors {
            self.scratch.attach()?;
        }
        if form == Form::MountCall {
            return self.by_mount_call();
        }
        let context = FsContext::open("overlay")?;
        let add = |key: &str, fd: BorrowedFd<'_>| match form {
            Form::Descriptors => context.set_fd(key, fd),
            _ => context.set_string(key, &file::proc_path(fd).to_string_lossy()),
        };
        context.set_string("source", "overlay")?;
        for layer in &self.lower {
            add("lowerdir+", layer.as_fd())?;
        }
        add("upperdir", self.upper.as_fd())?;
        add("workdir", self.work.as_fd())?;
        if self.user_namespace {
            context.set_flag("userxattr")?;
        }
        if let Some(label) = &self.label {
            context.set_string(label.key, &label.value)?;
        }
        context.create()?;
        context.mount(0)
    }

    /// mount(2) attaches what it makes, so a copy is taken from there; the scratch file system takes
    /// the original along when it goes.
    fn by_mount_call(&self) -> Result<OwnedFd> {
        let merged = self.scratch.make("merged")?;
        let number = |fd: &OwnedFd| fd.as_raw_fd().to_string();
        let lower: Vec<_> = self.lower.iter().map(number).collect();
        let (upper, work) = (number(&self.upper), number(&self.work));
        let mut data = format!("lowerdir={},upperdir={upper},workdir={work}", lower.join(":"));
        if self.user_namespace {
            data.push_str(",userxattr");
        }
        if let Some(label) = &self.label {
            data.push_str(&format!(",{}", label.parameter()));
        }
        let here = file::open(Path::new("."), O_PATH | O_DIRECTORY)?;
        file::chdir(Path::new("/proc/self/fd"))?;
        let target = file::proc_path(merged.as_fd());
        let mounted = mount::mount(Some("overlay"), &target, Some("overlay"), 0, Some(&data));
        file::fchdir(here.as_fd())?;
        mounted?;
        let mounted = self.scratch.open("merged")?;
        mount::clone_tree(mounted.as_fd(), false)
    }
}

fn kept(directory: &Path, work: &Path, owner: &Path) -> Result<(OwnedFd, OwnedFd)> {
    let work = work::claim(work, owner)?;
    work::make(directory)?;
    Ok((file::open(directory, O_PATH | O_DIRECTORY)?, work))
}

/// A tmpfs of our own for what has no place on disk.
struct Scratch {
    root: OwnedFd,
    attached: bool,
}

impl Scratch {
    fn new(size: Option<&str>) -> Result<Scratch> {
        let mut parameters = vec![("mode", "755")];
        parameters.extend(size.map(|size| ("size", size)));
        Ok(Scratch { root: tmpfs(&parameters, 0)?, attached: false })
    }

    fn make(&self, name: &str) -> Result<OwnedFd> {
        file::mkdir_at(self.root.as_fd(), Path::new(name), 0o755)?;
        self.open(name)
    }

    fn open(&self, name: &str) -> Result<OwnedFd> {
        file::open_at(self.root.as_fd(), Path::new(name), O_PATH | O_DIRECTORY, 0)
    }

    /// Attaches it on top of `/`, unseen by path look-ups: older kernels make overlays only of what
    /// is attached.
    fn attach(&mut self) -> Result<()> {
        if !self.attached {
            let place = file::open(Path::new("/"), O_PATH | O_DIRECTORY)?;
            mount::move_mount(self.root.as_fd(), place.as_fd())?;
            self.attached = true;
        }
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.attached {
            // The overlay keeps what it needs. A failure leaves a mount below the root, which the
            // pivot leaves behind with the rest.
            let _ = mount::umount_detach(&file::proc_path(self.root.as_fd()));
        }
    }
}

/// The lowest layer: whatever the image has itself is seen instead.
fn init_layer(scratch: &Scratch) -> Result<OwnedFd> {
    let layer = scratch.make("init")?;
    for name in INIT_DIRECTORIES {
        file::mkdir_at(layer.as_fd(), Path::new(name), 0o755)?;
    }
    for name in INIT_FILES {
        let kind = file::FileType::RegularFile;
        file::mknod_at(layer.as_fd(), Path::new(name), kind, 0o644, (0, 0))?;
    }
    let (name, target) = INIT_LINK;
    file::symlink_at(Path::new(target), layer.as_fd(), Path::new(name))?;
    Ok(layer)
}
