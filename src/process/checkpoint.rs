//! Writing the processes of a container to images: what criu has to know of a container that rrun has
//! made.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::checkpoint::{self, Criu, Options, Request, Start, Task};
use crate::error::{Context, Error, Kind, Result};
use crate::namespaces;
use crate::plan::{ProcessRecord, Record};
use crate::rootfs::External;
use crate::sys;
use crate::sys::file::FileType;

/// Where images say what descriptors 0 to 2 were: runc's file, which is read by every runtime.
pub(super) const DESCRIPTORS: &str = "descriptors.json";

/// The namespaces that can be left outside, and what images call them: runc's names.
pub(super) const OUTSIDE: [(namespaces::Kind, &str); 2] =
    [(namespaces::Kind::Network, "extRootNetNS"), (namespaces::Kind::Pid, "extRootPidNS")];

/// The directories that criu works in.
#[derive(Debug)]
pub struct Images {
    /// Of the images, with its absolute path.
    pub(super) images: OwnedFd,
    path: PathBuf,
    /// Whether it was not there before.
    is_new: bool,
    /// Of the log.
    pub(super) work: OwnedFd,
    /// The same as the user named it.
    pub(super) place: PathBuf,
}

impl Images {
    /// Opens the directories. That of the log is made where it is missing; that of the images, too,
    /// where they are to be made.
    ///
    /// # Errors
    /// As mkdir(2), open(2).
    pub fn open(images: &Path, work: Option<&Path>, task: Task) -> Result<Images> {
        let intent = || format!("open the directory of the images `{}`", images.display());
        let is_new = !images.exists();
        if task != Task::Restore {
            make(images).context(intent)?;
        }
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        let held = sys::file::open(images, flags).context(intent)?;
        let place = work.unwrap_or(images);
        let intent = || format!("open the directory of the log `{}`", place.display());
        make(place).context(intent)?;
        let work = sys::file::open(place, flags).context(intent)?;
        checkpoint::begin(work.as_fd(), task).context(intent)?;
        let path = images.to_path_buf();
        Ok(Images { images: held, path, is_new, work, place: place.to_path_buf() })
    }

    /// Opens both anew under their numbers, in the mount namespace that the caller has come into:
    /// through the old ones nothing could be mounted.
    pub(super) fn reopen(&self) -> Result<()> {
        for (old, path) in [(&self.images, &self.path), (&self.work, &self.place)] {
            let new = sys::file::open(path, libc::O_RDONLY | libc::O_DIRECTORY)?;
            sys::io::replace(old.as_fd(), new.as_fd())?;
        }
        Ok(())
    }

    /// Whether there is a directory of this name beside or below the images.
    pub fn has_directory(&self, path: &Path) -> bool {
        sys::file::open_at(self.images.as_fd(), path, libc::O_PATH | libc::O_DIRECTORY, 0).is_ok()
    }

    /// Tells the log of a failure that criu knows nothing of, unless it has written there itself.
    pub fn note(&self, task: Task, error: &Error) {
        checkpoint::note(self.work.as_fd(), task, error);
    }
}

/// A directory that only its owner can enter: images hold the memory of programs.
fn make(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| Error::io("mkdir", format!("`{}`", path.display()), &error))
}

/// Writes the processes of the container to images; with the task `PreDump` only their memory, and
/// they go on. Where it fails, they go on as they were.
///
/// # Errors
/// What criu says.
pub fn dump(
    (record, init): (&Record, BorrowedFd<'_>),
    own: &ProcessRecord,
    (task, images): (Task, &Images),
    options: &Options,
) -> Result<()> {
    let pid = record.pid();
    let table = MountTable::of(pid)?;
    let mut external = table.external(pid, &own.external)?;
    external.extend(namespaces(pid, &own.joined)?);
    let (descriptors, outside) = standard_descriptors(pid, &table)?;
    external.extend(outside);
    if task == Task::Dump {
        let text = serde_json::to_vec(&descriptors)
            .map_err(|error| Error::internal(format!("write {DESCRIPTORS}: {error}")))?;
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_NOFOLLOW;
        sys::file::open_at(images.images.as_fd(), Path::new(DESCRIPTORS), flags, 0o600)
            .and_then(|file| sys::io::write_once(file.as_fd(), &text))
            .context(|| format!("write `{DESCRIPTORS}` beside the images"))?;
    }
    give_to_root_of(pid, images)?;
    let request = Request {
        task,
        images: images.images.as_raw_fd(),
        work: images.work.as_raw_fd(),
        pid: Some(pid),
        root: &record.rootfs,
        external,
        inherited: Vec::new(),
        joined: Vec::new(),
        cgroup_roots: Vec::new(),
        freezer: record.cgroup.freezer().map(Path::to_path_buf),
        options,
    };
    let was_frozen = record.cgroup.is_frozen();
    let kept = [request.images, request.work].into_iter().chain(options.status_fd).collect();
    let criu = Criu::start(&Start { cgroup: None, kept, keeps_stdio: false }, || Ok(()))?;
    // criu knows it by its number, looks into whatever has that, and ends it: asked last, when all that
    // takes time has been done.
    if sys::process::has_ended(init, Duration::ZERO)? {
        return Err(Error::message(Kind::State, "container not running"));
    }
    let work = (images.work.as_fd(), images.place.as_path());
    let served = criu.serve(&request, work, &mut |_, _| Ok(()));
    match served {
        Ok(_) => criu.finish(),
        Err(error) => {
            drop(criu);
            // A criu that was killed leaves the container as it was at that moment. Thawed without asking
            // whether it is frozen: on v2 the answer is no until the last process has come to rest.
            if !was_frozen && record.cgroup.freezer().is_some() {
                record.cgroup.thaw().context(|| "let the container go on")?;
            }
            Err(error)
        }
    }
}

/// In a user namespace it is that one's root who will read the images at a restore, and nobody else
/// may: the directory becomes its own, where nobody had it before.
fn give_to_root_of(pid: i32, images: &Images) -> Result<()> {
    let root = |map: &str| {
        let text = sys::file::read_text(Path::new(&format!("/proc/{pid}/{map}")))?;
        Ok::<_, Error>(outside_of_root(&text))
    };
    let (uid, gid) = (root("uid_map")?, root("gid_map")?);
    if !images.is_new || (uid, gid) == (0, 0) {
        return Ok(());
    }
    sys::file::chown_at(images.images.as_fd(), Path::new("."), uid, gid)
        .context(|| "give the images to the root of the user namespace")
}

/// The id that 0 is outside, by a table of user_namespaces(7); 0 where it is none.
fn outside_of_root(map: &str) -> u32 {
    let line = |line: &str| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (inside, outside) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        (inside == 0).then_some(outside)
    };
    map.lines().find_map(line).unwrap_or(0)
}

/// Namespaces that were joined: they are somebody else's to keep.
fn namespaces(pid: i32, joined: &[String]) -> Result<Vec<String>> {
    let mut external = Vec::new();
    for (kind, name) in OUTSIDE {
        if joined.iter().any(|joined| joined == kind.name()) {
            let path = PathBuf::from(format!("/proc/{pid}/ns/{}", kind.link()));
            let held = sys::file::open(&path, libc::O_RDONLY)?;
            let inode = sys::file::fstat(held.as_fd())?.st_ino;
            external.push(format!("{}[{inode}]:{name}", kind.link()));
        }
    }
    Ok(external)
}

/// What descriptors 0 to 2 of the first process are, by which `restore` finds its own for them, and
/// those files among them that the container itself cannot reach.
fn standard_descriptors(pid: i32, table: &MountTable) -> Result<(Vec<String>, Vec<String>)> {
    let (mut names, mut outside) = (Vec::new(), Vec::new());
    for number in 0..=2 {
        let path = PathBuf::from(format!("/proc/{pid}/fd/{number}"));
        let Ok(link) = std::fs::read_link(&path) else {
            names.push(String::new());
            continue;
        };
        let info = sys::file::read_text(Path::new(&format!("/proc/{pid}/fdinfo/{number}")))?;
        let mount = info.lines().find_map(|line| line.strip_prefix("mnt_id:"));
        let mount = mount.and_then(|id| id.trim().parse::<u64>().ok());
        let is_file = link.is_absolute();
        match mount.filter(|id| is_file && table.point(*id).is_none()) {
            Some(id) => {
                let held = sys::file::open(&path, libc::O_PATH)?;
                let inode = sys::file::fstat(held.as_fd())?.st_ino;
                let key = format!("file[{id:x}:{inode:x}]");
                outside.push(key.clone());
                names.push(key);
            }
            None => names.push(link.to_string_lossy().into_owned()),
        }
    }
    outside.sort();
    outside.dedup();
    Ok((names, outside))
}

/// The mounts that a process sees (proc_pid_mountinfo(5)): number and mount point.
struct MountTable(Vec<(u64, PathBuf)>);

impl MountTable {
    fn of(pid: i32) -> Result<MountTable> {
        let text = sys::file::read_text(Path::new(&format!("/proc/{pid}/mountinfo")))?;
        Ok(MountTable::parse(&text))
    }

    fn parse(text: &str) -> MountTable {
        let line = |line: &str| {
            let mut fields = line.split(' ');
            Some((fields.next()?.parse().ok()?, unescape(fields.nth(3)?)))
        };
        MountTable(text.lines().filter_map(line).collect())
    }

    fn point(&self, id: u64) -> Option<&Path> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, point)| point.as_path())
    }

    /// Those of `wanted` that are there, as criu wants them named: by the mount point, where symlinks
    /// of the image have been followed.
    fn external(&self, pid: i32, wanted: &[External]) -> Result<Vec<String>> {
        let root = PathBuf::from(format!("/proc/{pid}/root"));
        let root = sys::file::open(&root, libc::O_PATH | libc::O_DIRECTORY)
            .context(|| "look into the root of the container")?;
        let mut found: Vec<String> = Vec::new();
        for external in wanted {
            if let Some(point) = self.point_of(root.as_fd(), external) {
                found.push(format!("mnt[{}]:{}", point.display(), external.name.display()));
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn point_of(&self, root: BorrowedFd<'_>, external: &External) -> Option<&Path> {
        let held = sys::file::open_in_root(root, &external.inside, libc::O_PATH).ok()?;
        let stat = sys::file::fstat(held.as_fd()).ok()?;
        // A masked directory shows an empty file system, which is the container's own.
        let is_mask = external.source == Path::new("/dev/null");
        if is_mask && sys::file::file_type(&stat) == FileType::Directory {
            return None;
        }
        let is_root = sys::entry::is_mount_root(held.as_fd()).unwrap_or(false);
        let id = sys::entry::mount_id(held.as_fd()).ok().filter(|_| is_root)?;
        self.point(id).filter(|point| *point != Path::new("/"))
    }
}

/// Blanks and the like are octal in the kernel's tables.
fn unescape(field: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let bytes = field.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = field.get(at + 1..at + 4).filter(|_| *byte == b'\\');
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(meant) => {
                plain.push(meant);
                at += 4;
            }
            None => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_root_is_outside() {
        for (map, outside) in [
            ("         0          0 4294967295\n", 0),
            ("         5 200000 5\n         0     100000      65536\n", 100_000),
            ("", 0),
        ] {
            assert_eq!(outside_of_root(map), outside, "{map}");
        }
    }

    #[test]
    fn mount_points_are_read_as_they_are() {
        let table = MountTable::parse(
            "31 1 0:5 / / rw - tmpfs tmpfs rw\n40 31 0:9 /a\\040b /mnt/a\\040b\\134 ro - ext4 x rw\n",
        );
        assert_eq!(table.point(40), Some(Path::new("/mnt/a b\\")));
        assert_eq!(table.point(31), Some(Path::new("/")));
        assert_eq!(table.point(7), None);
    }
}
