//! Copying a directory tree into a new tmpfs (`tmpcopyup`).
//!
//! Both sides are held directories; no symlink is followed, and no other mount entered. Contents, owners, permissions, links and
//! nodes are copied; extended attributes and hard links are not, as runc does it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use libc::{O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_PATH, O_RDONLY, O_WRONLY};

use crate::error::{Context, Error, Result};
use crate::sys::entry;
use crate::sys::file::{self, FileType, Stat};
use crate::sys::io;

/// Copies what is in `from` into `to`, and the owner and permissions of `from` itself.
pub(super) fn tree(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    let stat = file::fstat(from)?;
    own(to, Path::new(""), &stat)?;
    let to = file::open_at(to, Path::new("."), O_RDONLY | O_DIRECTORY, 0)?;
    file::fchmod(to.as_fd(), stat.st_mode & 0o7777)?;
    children(from, to.as_fd()).context(|| "copy what the tmpfs covers")
}

fn children(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    let from = file::open_at(from, Path::new("."), O_RDONLY | O_DIRECTORY, 0)?;
    for name in entry::names(from.as_fd())? {
        let name = Path::new(&name);
        child(from.as_fd(), to, name).context(|| format!("copy `{}`", name.display()))?;
    }
    Ok(())
}

fn child(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &Path) -> Result<()> {
    let flags = O_PATH | O_NOFOLLOW;
    let (held, is_mount) = match file::open_on_mount(from, name, flags) {
        Err(error) if error.is(libc::EXDEV) => (file::open_at(from, name, flags, 0)?, true),
        other => (other?, false),
    };
    let stat = file::fstat(held.as_fd())?;
    match file::file_type(&stat) {
        // Not what is mounted there: of a volume that a symlink leads to `/`, say, that would be all of
        // /proc and /sys, some of which do something when they are read.
        FileType::Directory if is_mount => return file::mkdir_at(to, name, 0o755),
        FileType::Directory => {
            file::mkdir_at(to, name, 0o700)?;
            let made = file::open_at(to, name, O_PATH | O_NOFOLLOW, 0)?;
            children(held.as_fd(), made.as_fd())?;
        }
        FileType::RegularFile => contents(held.as_fd(), to, name)?,
        FileType::Symlink => {
            let target = file::readlink_at(held.as_fd(), Path::new(""))?;
            file::symlink_at(&target, to, name)?;
            return own(to, name, &stat);
        }
        kind => file::mknod_at(to, name, kind, 0o600, file::device_numbers(&stat))?,
    }
    own(to, name, &stat)?;
    // After the owner, since changing that clears the set-user-id bits.
    file::chmod_at(to, name, stat.st_mode & 0o7777)
}

/// Through the held file: by its name one could get a device that took its place meanwhile.
fn contents(held: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &Path) -> Result<()> {
    let reader = file::open(&file::proc_path(held), O_RDONLY)?;
    let writer = file::open_at(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)?;
    copy_bytes(reader, writer)
        .map_err(|error| Error::io("copy", format!("`{}`", name.display()), &error))
}

/// Holes stay holes: an image of a few bytes may have files of terabytes, and this is memory.
fn copy_bytes(reader: OwnedFd, writer: OwnedFd) -> std::io::Result<()> {
    let (mut reader, mut writer) = (File::from(reader), File::from(writer));
    let mut at = 0;
    loop {
        match io::next_data(reader.as_fd(), at) {
            Ok(Some(data)) => {
                reader.seek(SeekFrom::Start(data.start))?;
                writer.seek(SeekFrom::Start(data.start))?;
                std::io::copy(&mut (&reader).take(data.end - data.start), &mut writer)?;
                at = data.end;
            }
            Ok(None) => return writer.set_len(reader.metadata()?.len()),
            // No file on a disk: it is what can be read.
            Err(_) if at == 0 => return std::io::copy(&mut reader, &mut writer).map(drop),
            Err(_) => return Err(std::io::Error::other("its holes cannot be found")),
        }
    }
}

/// An owner that the user namespace does not map stays ours.
fn own(dir: BorrowedFd<'_>, name: &Path, stat: &Stat) -> Result<()> {
    match file::chown_at(dir, name, stat.st_uid, stat.st_gid) {
        Err(error) if error.is(libc::EINVAL) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt, MetadataExt};

    use super::*;

    #[test]
    fn holes_stay_holes() {
        let path = |name| std::env::temp_dir().join(format!("rrun-{name}-{}", std::process::id()));
        let (from, to) = (path("holes"), path("copied"));
        let file = File::create(&from).unwrap();
        for at in [0, 1 << 29] {
            file.write_all_at(b"data", at).unwrap();
        }
        file.set_len(1 << 40).unwrap();
        let copied = File::create(&to).unwrap();
        copy_bytes(File::open(&from).unwrap().into(), copied.into()).unwrap();
        let copied = File::open(&to).unwrap();
        let metadata = copied.metadata().unwrap();
        assert_eq!(metadata.len(), 1 << 40);
        assert!(metadata.blocks() < 2048, "{}", metadata.blocks());
        for (at, expected) in [(0, b"data"), (1 << 29, b"data"), (1 << 30, &[0; 4])] {
            let mut found = [0; 4];
            copied.read_exact_at(&mut found, at).unwrap();
            assert_eq!(&found, expected);
        }
        // What has no size has contents all the same.
        let proc = File::open("/proc/self/mountinfo").unwrap();
        copy_bytes(proc.into(), File::create(&to).unwrap().into()).unwrap();
        assert!(std::fs::metadata(&to).unwrap().len() > 0);
        for path in [from, to] {
            std::fs::remove_file(path).unwrap();
        }
    }
}
