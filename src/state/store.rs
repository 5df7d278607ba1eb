//! The directories of all containers, and reserving, opening and removing one.

use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::lock::Lock;
use super::remove::{open_dir_at, remove_tree};
use super::status::check_id;
use crate::error::{Context, Error, Kind, Result};
use crate::sys;
use crate::sys::file::RenameFlags;

/// The record's name in a container's directory.
pub(super) const RECORD: &str = "state.json";

/// Nobody else may look into the directories, or get through them. What a container finds there the
/// parent opens for it.
const MODE: u32 = 0o700;

/// How often a reservation begins anew when what the dead left behind is in its way.
const ATTEMPTS: usize = 16;

/// All containers below one root directory, with records of type `R`.
#[derive(Debug)]
pub struct Store<R> {
    root: PathBuf,
    record: PhantomData<R>,
}

/// The directory of one container that exists.
#[derive(Debug)]
pub struct Entry<R> {
    root: PathBuf,
    id: String,
    dir: OwnedFd,
    record: PhantomData<R>,
}

/// A directory that this process has just made. Dropping it removes everything again, unless it
/// was committed.
#[derive(Debug)]
pub struct Reservation<R: Serialize + DeserializeOwned> {
    entry: Option<Entry<R>>,
    lock: Option<Lock>,
}

impl<R: Serialize + DeserializeOwned> Store<R> {
    /// The store at `root`, which need not exist yet.
    pub fn new(root: PathBuf) -> Store<R> {
        Store { root, record: PhantomData }
    }

    /// Makes the directory of a new container, locked by `verb`, with its first record in it.
    ///
    /// # Errors
    /// Where a container of that id exists, or the root cannot be written.
    pub fn reserve(&self, id: &str, verb: &str, record: &R) -> Result<Reservation<R>> {
        check_id(id)?;
        make_root(&self.root).context(|| "make the state directory")?;
        let root = open_dir(&self.root).context(|| "open the state directory")?;
        for _ in 0..ATTEMPTS {
            if let Some(made) = self.try_reserve(root.as_fd(), (id, verb), record)? {
                return Ok(made);
            }
        }
        Err(Error::message(Kind::State, format!("others are busy with container `{id}`")))
    }

    /// The directory of all.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    /// None where something dead was in the way, and is gone now.
    fn try_reserve(
        &self,
        root: BorrowedFd<'_>,
        (id, verb): (&str, &str),
        record: &R,
    ) -> Result<Option<Reservation<R>>> {
        // A comma is in no id, so this name is nobody's container. Under it the directory gets its
        // lock and its record; then it appears under its own name, whole and locked.
        let temporary = PathBuf::from(format!("{}{}", prefix(id), sys::process::own_pid()));
        match sys::file::mkdir_at(root, &temporary, MODE) {
            // Whoever had our pid before us died here; in a pid namespace pids come again soon.
            Err(error) if error.is(libc::EEXIST) => {
                remove_abandoned(root, &temporary, |_| true)?;
                return Ok(None);
            }
            other => other.context(|| format!("reserve `{}`", self.path(id).display()))?,
        }
        let made = self.fill(root, &temporary, (id, verb), record);
        if !matches!(made, Ok(Some(_))) {
            let _ = remove_tree(root, &temporary);
        }
        match made {
            // Swept before we had locked it.
            Err(error) if error.is(libc::ENOENT) => Ok(None),
            other => other,
        }
    }

    fn fill(
        &self,
        root: BorrowedFd<'_>,
        temporary: &Path,
        (id, verb): (&str, &str),
        record: &R,
    ) -> Result<Option<Reservation<R>>> {
        let dir = open_dir_at(root, temporary)?;
        check_owner(dir.as_fd())?;
        let lock = Lock::take(dir.as_fd(), verb, id)?;
        let (path, id) = (self.root.clone(), id.to_owned());
        let entry = Entry { root: path, id, dir, record: PhantomData };
        entry.write(record)?;
        let (name, flags) = (Path::new(&entry.id), RenameFlags::NOREPLACE);
        match sys::file::rename_at(root, temporary, name, flags) {
            Ok(()) => Ok(Some(Reservation { entry: Some(entry), lock: Some(lock) })),
            Err(error) if error.is(libc::EEXIST) => {
                if remove_abandoned(root, name, has_no_record)? {
                    return Ok(None);
                }
                let text = format!("container `{}` already exists", entry.id);
                Err(Error::message(Kind::State, text))
            }
            Err(error) => Err(error),
        }
    }

    /// The directory of an existing container.
    ///
    /// # Errors
    /// Of kind [`Kind::NotFound`] where there is none.
    pub fn open(&self, id: &str) -> Result<Entry<R>> {
        check_id(id)?;
        match open_entry(&self.path(id)) {
            Ok(dir) => {
                let (root, id) = (self.root.clone(), id.to_owned());
                Ok(Entry { root, id, dir, record: PhantomData })
            }
            Err(error) if error.is(libc::ENOENT) => Err(not_found(id)),
            Err(error) => Err(error).context(|| format!("open container `{id}`")),
        }
    }

    /// The ids of all containers, sorted. A root that does not exist holds none.
    ///
    /// # Errors
    /// Where the root cannot be read.
    pub fn ids(&self) -> Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(Error::io("open", format!("`{}`", self.root.display()), &error));
            }
        };
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            check_id(&name).is_ok().then_some(name)
        };
        let mut ids: Vec<String> = entries.filter_map(name).collect();
        ids.sort();
        Ok(ids)
    }

    /// Removes what is left of a container without a record: directories of attempts to create `id`
    /// that were killed before they had its name, and one that a killed removal had emptied. The
    /// lock tells the dead from the living.
    pub fn sweep(&self, id: &str) {
        let prefix = prefix(id);
        let (Ok(entries), Ok(root)) = (std::fs::read_dir(&self.root), open_dir(&self.root)) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with(&prefix) {
                let _ = remove_abandoned(root.as_fd(), Path::new(&name), |_| true);
            }
        }
        if check_id(id).is_ok() {
            let _ = remove_abandoned(root.as_fd(), Path::new(id), has_no_record);
        }
    }
}

impl<R: Serialize + DeserializeOwned> Entry<R> {
    /// The container's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The container's directory.
    pub fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Takes the container's lock for `verb`.
    ///
    /// # Errors
    /// After ten seconds, naming the holder; of kind [`Kind::NotFound`] where the holder removed
    /// the container meanwhile.
    pub fn lock(&self, verb: &str) -> Result<Lock> {
        let lock = match Lock::take(self.dir(), verb, &self.id) {
            Err(error) if error.is(libc::ENOENT) => return Err(not_found(&self.id)),
            other => other?,
        };
        // The one we waited for may have deleted it, and somebody else may have made a new one.
        let now = open_entry(&self.root.join(&self.id)).map_err(|_| not_found(&self.id))?;
        if !sys::file::same_file(now.as_fd(), self.dir())? {
            return Err(not_found(&self.id));
        }
        Ok(lock)
    }

    /// Whether some verb is changing the container.
    pub fn is_locked(&self) -> bool {
        Lock::is_held(self.dir())
    }

    /// Reads the record.
    ///
    /// # Errors
    /// A record that is missing or damaged, with the way out as a hint.
    pub fn read(&self) -> Result<R> {
        let bytes = sys::file::open_at(self.dir(), Path::new(RECORD), libc::O_RDONLY, 0)
            .and_then(|file| sys::io::read_regular(file.as_fd()));
        let bytes = match bytes {
            Err(error) if error.is(libc::ENOENT) => return Err(not_found(&self.id)),
            other => other?,
        };
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::internal(format!("damaged {RECORD}: {error}")))
            .context(|| format!("read the state of container `{}`", self.id))
            .hint(|| "`delete --force` removes what can still be found of it")
    }

    /// Reads another document of the container's directory.
    ///
    /// # Errors
    /// One that is missing or damaged.
    pub fn read_beside<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let file = sys::file::open_at(self.dir(), Path::new(name), libc::O_RDONLY, 0)?;
        let bytes = sys::io::read_all(file.as_fd())?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::internal(format!("damaged {name}: {error}")))
            .context(|| format!("read the state of container `{}`", self.id))
    }

    /// Replaces the record, by rename.
    ///
    /// # Errors
    /// As the file system answers.
    pub fn write(&self, record: &R) -> Result<()> {
        let bytes = serde_json::to_vec(record)
            .map_err(|error| Error::internal(format!("write {RECORD}: {error}")))?;
        self.replace(RECORD, &bytes)
    }

    /// Replaces a file of the container's directory, by rename.
    ///
    /// # Errors
    /// As the file system answers.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let temporary = PathBuf::from(format!(",{name}"));
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_NOFOLLOW;
        sys::file::open_at(self.dir(), &temporary, flags, 0o600)
            .and_then(|file| sys::io::write_once(file.as_fd(), bytes))
            .and_then(|()| {
                let plain = RenameFlags::empty();
                sys::file::rename_at(self.dir(), &temporary, Path::new(name), plain)
            })
            .context(|| format!("write `{}`", self.root.join(&self.id).join(name).display()))
    }

    /// Removes the container's directory and everything in it.
    ///
    /// # Errors
    /// As the file system answers; a directory that is gone already is fine.
    pub fn remove(&self) -> Result<()> {
        let root = open_dir(&self.root)?;
        remove_tree(root.as_fd(), Path::new(&self.id))
            .context(|| format!("remove `{}`", self.root.join(&self.id).display()))
    }
}

impl<R: Serialize + DeserializeOwned> Reservation<R> {
    /// The reserved directory.
    ///
    /// # Errors
    /// Never: a reservation without its directory does not exist.
    pub fn entry(&self) -> Result<&Entry<R>> {
        self.entry.as_ref().ok_or_else(|| Error::internal("the reservation was committed"))
    }

    /// The held lock.
    ///
    /// # Errors
    /// Never: a reservation without its lock does not exist.
    pub fn lock(&self) -> Result<&Lock> {
        self.lock.as_ref().ok_or_else(|| Error::internal("the reservation was committed"))
    }

    /// Keeps the directory; the lock is held until it is dropped.
    ///
    /// # Errors
    /// Never: a reservation without its directory does not exist.
    pub fn commit(mut self) -> Result<(Entry<R>, Lock)> {
        match (self.entry.take(), self.lock.take()) {
            (Some(entry), Some(lock)) => Ok((entry, lock)),
            _ => Err(Error::internal("the reservation was committed twice")),
        }
    }
}

impl<R: Serialize + DeserializeOwned> Drop for Reservation<R> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            // Still locked, so that nobody sees it without a holder while it is being removed.
            let _ = entry.remove();
        }
    }
}

fn not_found(id: &str) -> Error {
    // Engines look for "does not exist".
    Error::message(Kind::NotFound, format!("container `{id}` does not exist"))
}

fn make_root(root: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if root.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    let made = builder.recursive(true).mode(MODE).create(root);
    made.map_err(|error| Error::io("mkdir", format!("`{}`", root.display()), &error))
}

fn open_dir(path: &Path) -> Result<OwnedFd> {
    sys::file::open(path, libc::O_RDONLY | libc::O_DIRECTORY)
}

fn open_entry(path: &Path) -> Result<OwnedFd> {
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW;
    let dir = sys::file::open(path, flags)?;
    check_owner(dir.as_fd()).map(|()| dir)
}

/// Whoever owns the directory has whatever record he likes in it, with hooks that we would run. He may
/// be anybody where others can write to the root (`--root /tmp/x`).
fn check_owner(dir: BorrowedFd<'_>) -> Result<()> {
    let owner = sys::file::fstat(dir)?.st_uid;
    if owner == sys::cred::geteuid().as_raw() {
        return Ok(());
    }
    Err(Error::message(Kind::State, format!("its directory belongs to user {owner}")))
        .hint(|| "its record would have rrun do what that user likes: run rrun as that user")
}

/// What the names of directories begin with that are to become `id`'s. A name has 255 bytes, and the
/// pid has to fit in; which long id it was does not matter to those who sweep.
fn prefix(id: &str) -> String {
    format!(",{}.", &id[..id.len().min(240)])
}

/// Removes a directory that nobody holds and that is `dead`. Whether it is gone now.
fn remove_abandoned(
    root: BorrowedFd<'_>,
    name: &Path,
    dead: impl FnOnce(BorrowedFd<'_>) -> bool,
) -> Result<bool> {
    let dir = match open_dir_at(root, name) {
        Err(error) if error.is(libc::ENOENT) => return Ok(true),
        other => other?,
    };
    let Some(_lock) = Lock::try_take(dir.as_fd())? else { return Ok(false) };
    // Until we had the lock, somebody could remove it and make another one.
    let now = open_dir_at(root, name);
    let same = now.is_ok_and(|now| sys::file::same_file(now.as_fd(), dir.as_fd()).unwrap_or(false));
    if !same || !dead(dir.as_fd()) {
        return Ok(!same);
    }
    remove_tree(root, name).map(|()| true)
}

fn has_no_record(dir: BorrowedFd<'_>) -> bool {
    let record = sys::file::open_at(dir, Path::new(RECORD), libc::O_PATH | libc::O_NOFOLLOW, 0);
    record.is_err_and(|error| error.is(libc::ENOENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("rrun-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            Scratch(path)
        }

        fn store(&self) -> Store<u32> {
            Store::new(self.0.join("deep/root"))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_reservation_that_is_dropped_leaves_nothing() {
        let scratch = Scratch::new("drop");
        let store = scratch.store();
        drop(store.reserve("a", "create", &1).unwrap());
        assert_eq!(store.ids().unwrap(), Vec::<String>::new());
        assert_eq!(std::fs::read_dir(scratch.0.join("deep/root")).unwrap().count(), 0);
    }

    #[test]
    fn one_of_two_reservations_wins() {
        let scratch = Scratch::new("two");
        let store = scratch.store();
        let first = store.reserve("a", "create", &1).unwrap();
        let error = store.reserve("a", "create", &2).unwrap_err();
        assert_eq!(error.to_string(), "container `a` already exists");
        assert!(store.open("a").unwrap().is_locked());
        let (entry, lock) = first.commit().unwrap();
        assert_eq!(entry.read().unwrap(), 1);
        drop(lock);
        assert!(!entry.is_locked());
        assert_eq!(std::fs::read_dir(scratch.0.join("deep/root")).unwrap().count(), 1);
    }

    #[test]
    fn records_are_replaced_and_removed() {
        let scratch = Scratch::new("replace");
        let store = scratch.store();
        let (entry, lock) = store.reserve("a", "create", &1).unwrap().commit().unwrap();
        entry.write(&2).unwrap();
        entry.replace("process.json", b"{}").unwrap();
        assert_eq!(store.open("a").unwrap().read().unwrap(), 2);
        entry.remove().unwrap();
        drop(lock);
        assert_eq!(store.open("a").unwrap_err().kind(), Kind::NotFound);
        assert_eq!(entry.read().unwrap_err().kind(), Kind::NotFound);
        assert_eq!(entry.lock("kill").unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn a_damaged_record_says_what_to_do() {
        let scratch = Scratch::new("damaged");
        let store = scratch.store();
        let (entry, _lock) = store.reserve("a", "create", &1).unwrap().commit().unwrap();
        entry.replace(RECORD, b"{").unwrap();
        let error = entry.read().unwrap_err();
        assert!(error.hint_text().unwrap().contains("delete --force"));
    }

    #[test]
    fn the_longest_id_can_be_reserved_and_swept() {
        let scratch = Scratch::new("long");
        let store = scratch.store();
        let id = "x".repeat(255);
        drop(store.reserve(&id, "create", &1).unwrap());
        std::fs::create_dir(scratch.0.join("deep/root").join(format!("{}1", prefix(&id)))).unwrap();
        store.sweep(&id);
        assert_eq!(std::fs::read_dir(scratch.0.join("deep/root")).unwrap().count(), 0);
    }

    #[test]
    fn what_the_dead_left_is_in_nobodys_way() {
        let scratch = Scratch::new("dead");
        let store = scratch.store();
        let root = scratch.0.join("deep/root");
        std::fs::create_dir_all(root.join(format!(",a.{}", std::process::id()))).unwrap();
        std::fs::create_dir_all(root.join("a")).unwrap();
        drop(store.reserve("a", "create", &1).unwrap());
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 0);
        // Somebody is at it: a removal, or a create in a moment in which it has no record.
        std::fs::create_dir_all(root.join("a")).unwrap();
        let held = open_dir(&root.join("a")).unwrap();
        let _lock = Lock::take(held.as_fd(), "delete", "a").unwrap();
        let error = store.reserve("a", "create", &1).unwrap_err();
        assert_eq!(error.to_string(), "container `a` already exists");
    }

    #[test]
    fn sweeping_spares_the_living() {
        let scratch = Scratch::new("sweep");
        let store = scratch.store();
        let root = scratch.0.join("deep/root");
        std::fs::create_dir_all(root.join(",a.1")).unwrap();
        std::fs::create_dir_all(root.join(",ab.1")).unwrap();
        std::fs::create_dir_all(root.join(",a.2")).unwrap();
        let living = open_dir(&root.join(",a.2")).unwrap();
        let _lock = Lock::take(living.as_fd(), "create", "a").unwrap();
        store.sweep("a");
        assert!(!root.join(",a.1").exists());
        assert!(root.join(",ab.1").exists());
        assert!(root.join(",a.2").exists());
        assert!(store.ids().unwrap().is_empty());
    }
}
