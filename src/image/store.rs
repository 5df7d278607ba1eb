//! Where layers are kept: `DIR/sha256/HEX`, one directory a diff-id. A directory by that name is whole
//! and verified; what is being made has another name, and a lock.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use libc::{O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY};

use super::attributes::Rights;
use super::digest::Digest;
use super::remove::{empty, remove};
use crate::error::{Context, Error, Kind, Result};
use crate::sys::file::{self, FileType, FlockOperation, RenameFlags};
use crate::sys::io;

/// What the name of an unfinished layer begins with.
const PARTIAL: &str = ".partial-";

/// The file in a store that says who its layers are for.
const FORM: &str = ".rrun-store";

/// A directory of layers.
#[derive(Debug)]
pub(super) struct Store {
    pub path: PathBuf,
    root: OwnedFd,
    owner: u32,
    /// Whether there was none before.
    made: bool,
}

/// A layer that was asked for.
pub(super) enum Claim {
    /// It is there.
    Ready,
    /// It is ours to make.
    Ours(Partial),
}

/// A layer being made, locked. Dropping it removes what was made.
pub(super) struct Partial {
    algorithm: OwnedFd,
    directory: OwnedFd,
    name: PathBuf,
    finished: bool,
}

impl Store {
    /// Opens the store, or makes it, and takes away what dead attempts have left.
    pub(super) fn open(path: &Path, rights: &Rights) -> Result<Store> {
        let context = || format!("use the store `{}`", path.display());
        let made = path.symlink_metadata().is_err();
        make(path).context(context)?;
        let absolute = std::path::absolute(path)
            .map_err(|error| Error::io("getcwd", format!("`{}`", path.display()), &error))?;
        let root = file::open(path, O_RDONLY | O_DIRECTORY).context(context)?;
        ours_alone(root.as_fd(), rights.own.0).context(context)?;
        let store = Store { path: absolute, root, owner: rights.own.0, made };
        store.check_form(rights).context(context)?;
        for algorithm in ["sha256", "sha512"] {
            store.sweep(algorithm).context(context)?;
        }
        Ok(store)
    }

    /// Layers differ by who unpacks them: root keeps owners, an ordinary user cannot.
    fn check_form(&self, rights: &Rights) -> Result<()> {
        let form = match (rights.root, rights.owners) {
            (true, _) => "root",
            (false, true) => "root of a user namespace",
            (false, false) => "an ordinary user",
        };
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW;
        let kept = file::open_at(self.root.as_fd(), Path::new(FORM), flags, 0o600)?;
        // Two at once write the same, and the first to lock it decides.
        file::flock(kept.as_fd(), FlockOperation::LockExclusive)?;
        let found = io::read_all(kept.as_fd())?;
        let found = String::from_utf8_lossy(&found);
        match found.trim_end() {
            "" => io::write_at_start(kept.as_fd(), format!("{form}\n").as_bytes()),
            same if same == form => Ok(()),
            other => {
                let text = format!("its layers were unpacked by {other}, and this is {form}");
                Err(Error::message(Kind::State, text)).hint(|| "name another directory")
            }
        }
    }

    /// Takes a store away again that nothing has come into, if we have made it.
    pub(super) fn leave(&self) {
        let gone = |name: &str| match file::rmdir_at(self.root.as_fd(), Path::new(name)) {
            Err(error) => error.is(libc::ENOENT),
            Ok(()) => true,
        };
        if self.made && ["sha256", "sha512"].into_iter().all(gone) {
            // What stays all the same is used by the next one.
            let _ = file::unlink_at(self.root.as_fd(), Path::new(FORM));
            let _ = std::fs::remove_dir(&self.path);
        }
    }

    fn sweep(&self, algorithm: &str) -> Result<()> {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
        let directory = match file::open_at(self.root.as_fd(), Path::new(algorithm), flags, 0) {
            Err(error) if error.is(libc::ENOENT) => return Ok(()),
            other => other?,
        };
        for name in file::names_in(directory.as_fd())? {
            if !name.to_string_lossy().starts_with(PARTIAL) {
                continue;
            }
            // Gone, or somebody else's kind of file.
            let Ok(partial) = file::open_at(directory.as_fd(), &name, flags, 0) else { continue };
            let lock = file::flock(partial.as_fd(), FlockOperation::NonBlockingLockExclusive);
            if lock.is_ok() && is_here(directory.as_fd(), &name, partial.as_fd()) {
                remove(directory.as_fd(), &name)?;
            }
        }
        Ok(())
    }

    /// Where a layer is, or will be.
    pub(super) fn place(&self, id: &Digest, suffix: &str) -> PathBuf {
        self.path.join(id.algorithm()).join(format!("{}{suffix}", id.hex()))
    }

    /// Asks for a layer. Where another process is making it, `waiting` is called and its end waited
    /// for.
    pub(super) fn claim(&self, id: &Digest, suffix: &str, waiting: &dyn Fn()) -> Result<Claim> {
        let algorithm = Path::new(id.algorithm());
        match file::mkdir_at(self.root.as_fd(), algorithm, 0o700) {
            Err(error) if !error.is(libc::EEXIST) => return Err(error),
            _ => {}
        }
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
        let algorithm = file::open_at(self.root.as_fd(), algorithm, flags, 0)?;
        ours_alone(algorithm.as_fd(), self.owner).context(|| {
            format!("use the store's directory `{}`", self.path.join(id.algorithm()).display())
        })?;
        let name = PathBuf::from(format!("{PARTIAL}{}{suffix}", id.hex()));
        let place = PathBuf::from(format!("{}{suffix}", id.hex()));
        loop {
            match file::stat_at(algorithm.as_fd(), &place) {
                Ok(stat) if file::file_type(&stat) == FileType::Directory => {
                    return Ok(Claim::Ready);
                }
                Ok(_) => {
                    let place = self.place(id, suffix);
                    let text = format!("`{}` is no directory", place.display());
                    return Err(Error::message(Kind::State, text)).hint(|| "remove it");
                }
                Err(error) if error.is(libc::ENOENT) => {}
                Err(error) => return Err(error),
            }
            match file::mkdir_at(algorithm.as_fd(), &name, 0o700) {
                Err(error) if !error.is(libc::EEXIST) => return Err(error),
                _ => {}
            }
            let directory = match file::open_at(algorithm.as_fd(), &name, flags, 0) {
                Err(error) if error.is(libc::ENOENT) => continue,
                other => other?,
            };
            lock(directory.as_fd(), waiting)?;
            // Whoever had the lock may have finished the layer, or given it up.
            if is_here(algorithm.as_fd(), &name, directory.as_fd()) {
                empty(directory.as_fd())?;
                let partial = Partial { algorithm, directory, name, finished: false };
                return Ok(Claim::Ours(partial));
            }
        }
    }

    /// An empty directory: an image may have no layers, and a union must have one.
    pub(super) fn empty(&self) -> Result<PathBuf> {
        let name = Path::new("empty");
        match file::mkdir_at(self.root.as_fd(), name, 0o755) {
            Err(error) if !error.is(libc::EEXIST) => Err(error),
            _ => Ok(self.path.join(name)),
        }
    }

    /// The directories that a layer takes for granted, as noted when it was unpacked.
    pub(super) fn implied(&self, id: &Digest) -> Result<Vec<PathBuf>> {
        let name = Path::new(id.algorithm()).join(implied_name(id));
        let noted = match file::open_at(self.root.as_fd(), &name, O_RDONLY | O_NOFOLLOW, 0) {
            Err(error) if error.is(libc::ENOENT) => return Ok(Vec::new()),
            other => io::read_all(other?.as_fd())?,
        };
        serde_json::from_slice::<Vec<String>>(&noted)
            .map(|names| names.into_iter().map(PathBuf::from).collect())
            .map_err(|error| Error::message(Kind::State, format!("`{}`: {error}", name.display())))
            .hint(|| "remove the layer's directory beside it, and it is unpacked anew")
    }
}

fn implied_name(id: &Digest) -> String {
    format!(".implied-{}", id.hex())
}

/// Makes the directory where it is missing: for its owner alone, since others must not reach the setuid
/// programs of an image.
fn make(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| Error::io("mkdir", format!("`{}`", path.display()), &error))
}

/// Refuses a directory in which somebody else could put a layer, or change one: it is believed for its
/// name.
fn ours_alone(directory: BorrowedFd<'_>, owner: u32) -> Result<()> {
    let stat = file::fstat(directory)?;
    if stat.st_uid != owner {
        let text = format!("it belongs to user {}, who could change what is in it", stat.st_uid);
        return Err(Error::message(Kind::State, text));
    }
    let mode = stat.st_mode & 0o7777;
    if mode & 0o022 == 0 {
        return Ok(());
    }
    let text = format!("others may write to it, and change what is in it (mode {mode:04o})");
    Err(Error::message(Kind::State, text)).hint(|| "`chmod go-w` it, if nobody has")
}

fn lock(directory: BorrowedFd<'_>, waiting: &dyn Fn()) -> Result<()> {
    match file::flock(directory, FlockOperation::NonBlockingLockExclusive) {
        Err(error) if error.is(libc::EWOULDBLOCK) => {}
        other => return other,
    }
    waiting();
    loop {
        match file::flock(directory, FlockOperation::LockExclusive) {
            Err(error) if error.is(libc::EINTR) => {}
            other => return other,
        }
    }
}

/// Whether `held` is still what is called `name`.
fn is_here(dir: BorrowedFd<'_>, name: &Path, held: BorrowedFd<'_>) -> bool {
    match (file::stat_at(dir, name), file::fstat(held)) {
        (Ok(named), Ok(held)) => (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino),
        _ => false,
    }
}

impl Partial {
    /// The directory to unpack into.
    pub(super) fn directory(&self) -> Result<OwnedFd> {
        io::duplicate(self.directory.as_fd())
    }

    /// Gives the finished layer its name.
    pub(super) fn commit(mut self, id: &Digest, suffix: &str, implied: &[PathBuf]) -> Result<()> {
        if suffix.is_empty() && !implied.is_empty() {
            self.note(id, implied)?;
        }
        let place = PathBuf::from(format!("{}{suffix}", id.hex()));
        let dir = self.algorithm.as_fd();
        file::rename_at(dir, &self.name, &place, RenameFlags::NOREPLACE)
            .context(|| "give the finished layer its name")?;
        self.finished = true;
        Ok(())
    }

    fn note(&self, id: &Digest, implied: &[PathBuf]) -> Result<()> {
        // A name that is no text is not worth a format of its own: its directory keeps the attributes
        // that it has.
        let names: Vec<_> = implied.iter().filter_map(|path| path.to_str()).collect();
        let text =
            serde_json::to_vec(&names).map_err(|error| Error::internal(error.to_string()))?;
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
        let name = implied_name(id);
        let file = file::open_at(self.algorithm.as_fd(), Path::new(&name), flags, 0o600)?;
        io::write_all(file.as_fd(), &text)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.finished {
            // What is left is taken away by the next one who opens the store.
            let _ = remove(self.algorithm.as_fd(), &self.name);
        }
    }
}
