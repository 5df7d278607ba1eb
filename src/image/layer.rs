//! One layer becomes one directory. Nothing here trusts a name: every file is made in a directory that
//! is held, which openat2(2) found below the layer's own without following a symlink.

use std::ffi::OsStr;
use std::io::BufRead;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use libc::{O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_PATH, O_RDONLY, O_WRONLY};

use super::attributes::{Attributes, Notes, Rights};
use super::contents::fill;
use super::document::wrong;
use super::name::{self, Meaning};
use super::pending::Pending;
use super::remove::remove;
use super::stack::{self, Stack, is_whiteout};
use super::tar::{Entry, Kind, Reader};
use crate::error::{Context, Result};
use crate::sys::file::{self, FileType};
use crate::sys::magic;
use crate::sys::tree;

/// A layer being unpacked.
pub(super) struct Tree<'a> {
    root: OwnedFd,
    rights: Rights,
    /// The layers below, where this one has to be unpacked knowing them.
    below: Option<&'a Stack>,
    /// The last directory that something was made in: the next one is most likely made there too.
    last: Option<(PathBuf, Rc<Directory>)>,
    pending: Pending,
    /// The newest time of an entry.
    newest: (i64, u32),
    notes: Notes,
}

struct Directory {
    path: PathBuf,
    fd: OwnedFd,
}

/// What a finished layer has to tell.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Directories that its entries take for granted.
    pub implied: Vec<PathBuf>,
    /// What was left out.
    pub notes: Vec<String>,
}

/// A name in a held directory.
struct Place {
    directory: Rc<Directory>,
    name: PathBuf,
}

impl Place {
    fn dir(&self) -> BorrowedFd<'_> {
        self.directory.fd.as_fd()
    }

    fn path(&self) -> PathBuf {
        self.directory.path.join(&self.name)
    }
}

impl<'a> Tree<'a> {
    /// Begins in the empty directory `root`, which must be ours alone.
    pub(super) fn new(root: OwnedFd, rights: Rights, below: Option<&'a Stack>) -> Result<Tree<'a>> {
        // What a directory hands down would change what is made in it.
        tree::remove_attribute(root.as_fd(), "system.posix_acl_default");
        tree::chown(root.as_fd(), rights.own.0, rights.own.1)?;
        file::fchmod(root.as_fd(), 0o700)?;
        let mut pending = Pending::default();
        pending.directory(Path::new(""), None)?;
        // The root is no file of the archive's.
        pending.implied();
        Ok(Tree {
            root,
            rights,
            below,
            last: None,
            pending,
            newest: (0, 0),
            notes: Notes::default(),
        })
    }

    /// Does what one entry says, and reads its contents.
    pub(super) fn add<R: BufRead>(&mut self, entry: &Entry, reader: &mut Reader<R>) -> Result<()> {
        self.newest = self.newest.max(entry.modified);
        match name::classify(&entry.name)? {
            Meaning::Reserved => Ok(()),
            Meaning::Whiteout(path) => self.whiteout(&path),
            Meaning::Opaque(path) => self.opaque(&path),
            Meaning::Entry(path) if path.as_os_str().is_empty() => match entry.kind {
                Kind::Directory => {
                    let attributes = Attributes::new(entry, &mut self.notes);
                    self.pending.directory(&path, Some(attributes))
                }
                _ => Err(wrong("the root of a layer must be a directory")),
            },
            Meaning::Entry(path) => {
                let place = self.locate(&path)?;
                self.make(&place, entry, reader)
            }
        }
    }

    fn make<R: BufRead>(
        &mut self,
        place: &Place,
        entry: &Entry,
        reader: &mut Reader<R>,
    ) -> Result<()> {
        let attributes = Attributes::new(entry, &mut self.notes);
        let (dir, name) = (place.dir(), place.name.as_path());
        match entry.kind {
            Kind::Directory => {
                self.directory(place)?;
                self.pending.directory(&place.path(), Some(attributes))
            }
            Kind::File => {
                let mode = attributes.first_mode();
                let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
                let fd = self.fresh(place, || file::open_at(dir, name, flags, mode))?;
                fill(fd.as_fd(), entry, reader)?;
                attributes.apply(fd.as_fd(), Some(mode), &self.rights, &mut self.notes)
            }
            Kind::Symlink => {
                let target = Path::new(OsStr::from_bytes(&entry.link));
                self.fresh(place, || file::symlink_at(target, dir, name))?;
                attributes.apply_at((dir, name), true, &self.rights, &mut self.notes)
            }
            Kind::HardLink => self.hard_link(place, &entry.link),
            Kind::Fifo | Kind::Character | Kind::Block => {
                let kind = match entry.kind {
                    Kind::Fifo => FileType::Fifo,
                    Kind::Character => FileType::CharacterDevice,
                    _ => FileType::BlockDevice,
                };
                let make = || file::mknod_at(dir, name, kind, 0o600, entry.device);
                match self.fresh(place, make) {
                    Err(error) if error.is(libc::EPERM) && kind != FileType::Fifo => {
                        self.notes.device(&place.path());
                        return self.make_whiteout(place);
                    }
                    other => other?,
                }
                attributes.apply_at((dir, name), false, &self.rights, &mut self.notes)
            }
        }
    }

    /// Makes something new; what an earlier entry made by the name goes.
    fn fresh<T>(&mut self, place: &Place, make: impl Fn() -> Result<T>) -> Result<T> {
        match make() {
            Err(error) if error.is(libc::EEXIST) => {
                self.clear(place)?;
                make()
            }
            other => other,
        }
    }

    fn clear(&mut self, place: &Place) -> Result<()> {
        self.last = None;
        self.pending.forget(&place.path());
        remove(place.dir(), &place.name)
    }

    /// A directory, as it is if it is there. One in place of something else hides what lower layers
    /// have, as that did.
    fn directory(&mut self, place: &Place) -> Result<bool> {
        let (dir, name) = (place.dir(), place.name.as_path());
        match file::mkdir_at(dir, name, 0o700) {
            Err(error) if error.is(libc::EEXIST) => {}
            other => return other.map(|()| true),
        }
        if file::file_type(&file::stat_at(dir, name)?) == FileType::Directory {
            return Ok(false);
        }
        self.clear(place)?;
        file::mkdir_at(dir, name, 0o700)?;
        self.make_opaque(&place.path()).map(|()| true)
    }

    fn hard_link(&mut self, place: &Place, target: &[u8]) -> Result<()> {
        let path = name::clean(target)?;
        if path.as_os_str().is_empty() {
            return Err(wrong("a hard link to the root"));
        }
        let other = self.locate(&path)?;
        let missing = || {
            let target = name::show(target);
            wrong(format!("a hard link to `{target}`, which is not in this layer before it"))
        };
        match file::stat_at(other.dir(), &other.name) {
            Ok(stat) if is_whiteout(&stat) => return Err(missing()),
            Ok(stat) if file::file_type(&stat) == FileType::Directory => {
                return Err(wrong(format!("a hard link to the directory `{}`", path.display())));
            }
            Ok(_) if other.path() == place.path() => return Ok(()),
            Ok(_) => {}
            Err(error) if error.is(libc::ENOENT) => return Err(missing()),
            Err(error) => return Err(error),
        }
        self.fresh(place, || tree::link_at(other.dir(), &other.name, place.dir(), &place.name))
    }

    /// The directory that `path` is in, made where it is missing.
    fn locate(&mut self, path: &Path) -> Result<Place> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let name = PathBuf::from(path.file_name().unwrap_or_default());
        if let Some((wanted, directory)) = &self.last
            && wanted == parent
        {
            return Ok(Place { directory: Rc::clone(directory), name });
        }
        let directory = match self.open(parent, O_PATH | O_DIRECTORY) {
            Ok(fd) => Directory { path: parent.to_path_buf(), fd },
            Err(error)
                if [libc::ENOENT, libc::ENOTDIR, libc::ELOOP].iter().any(|it| error.is(*it)) =>
            {
                self.make_way(parent)?
            }
            Err(error) => return Err(error),
        };
        let directory = Rc::new(directory);
        self.last = Some((parent.to_path_buf(), Rc::clone(&directory)));
        Ok(Place { directory, name })
    }

    /// openat2(2) below the root, through no symlink.
    fn open(&self, path: &Path, flags: i32) -> Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        file::open_beneath_nofollow(self.root.as_fd(), path, flags)
    }

    /// Follows symlinks inside of the layer (and of those below, where they are known), and makes the
    /// directories that are missing.
    fn make_way(&mut self, wanted: &Path) -> Result<Directory> {
        let path = name::follow(wanted, |path| self.link(path))?;
        let mut directory =
            Directory { path: PathBuf::new(), fd: self.open(Path::new(""), O_PATH | O_DIRECTORY)? };
        for part in &path {
            let place = Place { directory: Rc::new(directory), name: PathBuf::from(part) };
            let here = place.path();
            match file::stat_at(place.dir(), &place.name) {
                Ok(stat) if file::file_type(&stat) == FileType::Directory => {}
                Ok(stat) if !is_whiteout(&stat) => {
                    return Err(wrong(format!("`{}` is no directory", here.display())));
                }
                Err(error) if !error.is(libc::ENOENT) => return Err(error),
                _ => {
                    self.directory(&place)?;
                    self.pending.directory(&here, None)?;
                }
            }
            let flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
            let fd = file::open_at(place.dir(), &place.name, flags, 0)?;
            directory = Directory { path: here, fd };
        }
        Ok(directory)
    }

    /// Where a symlink leads; None for what is none.
    fn link(&self, path: &Path) -> Result<Option<PathBuf>> {
        match self.open(path, O_PATH | O_NOFOLLOW) {
            Ok(fd) => match file::file_type(&file::fstat(fd.as_fd())?) {
                FileType::Symlink => file::readlink_at(fd.as_fd(), Path::new("")).map(Some),
                _ => Ok(None),
            },
            Err(error) if error.is(libc::ENOENT) => {
                self.below.map_or(Ok(None), |below| below.link(path))
            }
            Err(error) if error.is(libc::ENOTDIR) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Hides a name of lower layers. What this layer itself has by the name, before or after, stays.
    fn whiteout(&mut self, path: &Path) -> Result<()> {
        let place = self.locate(path)?;
        match file::stat_at(place.dir(), &place.name) {
            Err(error) if error.is(libc::ENOENT) => self.make_whiteout(&place),
            Err(error) => Err(error),
            Ok(stat) if file::file_type(&stat) == FileType::Directory => {
                self.make_opaque(&place.path())
            }
            Ok(_) => Ok(()),
        }
    }

    fn make_whiteout(&mut self, place: &Place) -> Result<()> {
        let kind = FileType::CharacterDevice;
        file::mknod_at(place.dir(), &place.name, kind, 0, (0, 0))
            .context(|| "hide what lower layers have by this name")
            .hint(|| {
                let on = file::fstatfs(place.dir()).map_or(0, |found| found.f_type);
                match on == magic::OVERLAY_MAGIC {
                    // One made there would be that overlay's own: it would hide a name and never be seen.
                    true => "an overlay takes no whiteouts: unpack to another file system, a volume for example",
                    false => "an ordinary user may make whiteouts since Linux 5.8; a sandbox may forbid it",
                }
            })?;
        self.pending.whiteout(&place.path())
    }

    fn opaque(&mut self, path: &Path) -> Result<()> {
        if path.as_os_str().is_empty() {
            return self.make_opaque(path);
        }
        let place = self.locate(path)?;
        if self.directory(&place)? {
            self.pending.directory(&place.path(), None)?;
        }
        self.make_opaque(&place.path())
    }

    fn make_opaque(&mut self, path: &Path) -> Result<()> {
        let directory = self.open(path, O_RDONLY | O_DIRECTORY)?;
        for name in stack::OPAQUE {
            let is_trusted = name.starts_with("trusted.");
            if is_trusted && !self.rights.root {
                continue;
            }
            match tree::set_attribute(directory.as_fd(), name, b"y") {
                // Root's is enough for containers without a user namespace.
                Err(error) if self.rights.root && !is_trusted && error.is(libc::EOPNOTSUPP) => {}
                other => other.context(|| "hide what lower layers have in a directory").hint(|| {
                    "the file system of the layers must have extended attributes; tmpfs has those \
                     of users since Linux 6.6"
                })?,
            }
        }
        self.pending.opaque(path)
    }

    /// How many directories were made that have no entry, since it was asked last.
    pub(super) fn implied(&mut self) -> u64 {
        self.pending.implied()
    }

    /// Gives directories their attributes, and the account of the layer.
    pub(super) fn finish(mut self) -> Result<Report> {
        let pending = std::mem::take(&mut self.pending);
        for whiteout in pending.idle_whiteouts() {
            if let (Some(parent), Some(name)) = (whiteout.parent(), whiteout.file_name()) {
                let parent = self.open(parent, O_PATH | O_DIRECTORY)?;
                file::unlink_at(parent.as_fd(), Path::new(name))?;
            }
        }
        let mut implied = Vec::new();
        // From below: the mode of a directory may forbid us to enter it.
        for (path, attributes) in pending.into_directories() {
            let directory = self.open(&path, O_RDONLY | O_DIRECTORY)?;
            let context = || format!("`{}`", path.display());
            let attributes = match attributes {
                Some(attributes) => Some(attributes),
                None => self.inherited(&path)?,
            };
            match attributes {
                Some(attributes) => attributes
                    .apply(directory.as_fd(), None, &self.rights, &mut self.notes)
                    .context(context)?,
                // Of one without an entry nothing is known. The same layer is the same wherever and
                // whenever it is unpacked.
                None => {
                    file::fchmod(directory.as_fd(), 0o755).context(context)?;
                    tree::set_times(directory.as_fd(), self.newest).context(context)?;
                    if !path.as_os_str().is_empty() {
                        implied.push(path);
                    }
                }
            }
        }
        Ok(Report { implied, notes: self.notes.tell() })
    }

    /// The attributes that a directory has in the layers below.
    fn inherited(&self, path: &Path) -> Result<Option<Attributes>> {
        let Some(below) = self.below else { return Ok(None) };
        let Some(found) = below.entry(path)? else { return Ok(None) };
        let is_directory = file::file_type(&found.stat) == FileType::Directory;
        Ok(is_directory.then(|| Attributes::of(&found.stat)))
    }
}
