//! Where images come from: the directory of an image layout, an archive (an image layout as a tar, or
//! what `docker save` writes), standard input.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libc::{O_DIRECTORY, O_NONBLOCK, O_PATH, O_RDONLY};

use super::blob::{Blob, Plain};
use super::document::wrong;
use super::name;
use super::reference::{self, Wanted};
use super::tar::{self, keep};
use crate::error::{Context, Error, Kind, Result};
use crate::sys::file;

/// The most members of an archive of images: blobs and documents, not the files of a layer.
const MAX_MEMBERS: usize = 100_000;

/// Where images are.
#[derive(Debug)]
pub(super) enum Source {
    Directory(OwnedFd),
    Archive { file: Arc<File>, members: HashMap<PathBuf, Member> },
}

/// What an archive has by a name.
#[derive(Debug)]
pub(super) enum Member {
    Contents {
        offset: u64,
        length: u64,
    },
    /// `docker save` used to link to a layer that is there already.
    Link(PathBuf),
}

impl Source {
    /// Opens what `text` names; `-` is standard input. What cannot be read twice is first copied to
    /// a file without a name in `scratch`, of up to `limit` bytes.
    pub(super) fn open(text: &str, scratch: &Path, limit: u64) -> Result<(Source, Wanted)> {
        for reading in reference::readings(text) {
            if reading.place == "-" {
                let input = std::io::stdin().as_fd().try_clone_to_owned();
                let input = input.map_err(|error| Error::io("dup", "standard input", &error))?;
                let source = archive(File::from(input), scratch, limit);
                return Ok((source.context(|| "read the image")?, reading.wanted()?));
            }
            let path = Path::new(reading.place);
            let opened = match file::open(path, O_RDONLY | O_NONBLOCK) {
                Ok(opened) => opened,
                Err(error) if error.is(libc::ENOENT) || error.is(libc::ENOTDIR) => continue,
                Err(error) => return Err(error).context(|| "open the image"),
            };
            let wanted = reading.wanted()?;
            let stat = file::fstat(opened.as_fd())?;
            let source = match file::file_type(&stat) {
                file::FileType::Directory => {
                    Source::Directory(file::open(path, O_PATH | O_DIRECTORY)?)
                }
                _ => archive(File::from(opened), scratch, limit)
                    .context(|| format!("read the archive `{}`", path.display()))?,
            };
            return Ok((source, wanted));
        }
        Err(Error::call("open", format!("`{text}`"), libc::ENOENT))
            .context(|| "find the image")
            .hint(|| "IMAGE is a directory or an archive, with :TAG or @DIGEST behind it; rrun has no registry client: `skopeo copy docker://... oci:DIR:TAG` fetches one")
    }

    /// What is there by a name; None if nothing is.
    pub(super) fn find(&self, path: &Path) -> Result<Option<Blob>> {
        let name = format!("`{}`", path.display());
        match self {
            Source::Directory(root) => {
                let flags = O_RDONLY | O_NONBLOCK;
                let opened = match file::open_in_root(root.as_fd(), path, flags) {
                    Err(error) if error.is(libc::ENOENT) || error.is(libc::ENOTDIR) => {
                        return Ok(None);
                    }
                    other => other?,
                };
                let stat = file::fstat(opened.as_fd())?;
                if file::file_type(&stat) != file::FileType::RegularFile {
                    return Err(wrong(format!("{name} is no regular file")));
                }
                let length = u64::try_from(stat.st_size).unwrap_or(0);
                let file = Arc::new(File::from(opened));
                Ok(Some(Blob { file, offset: 0, length, size: None, digest: None, name }))
            }
            Source::Archive { file, members } => {
                let link = |path: &Path| match members.get(path) {
                    Some(Member::Link(target)) => Ok(Some(target.clone())),
                    _ => Ok(None),
                };
                let path = name::follow(path, link)?;
                let Some(Member::Contents { offset, length }) = members.get(&path) else {
                    return Ok(None);
                };
                let (file, offset, length) = (Arc::clone(file), *offset, *length);
                Ok(Some(Blob { file, offset, length, size: None, digest: None, name }))
            }
        }
    }
}

fn archive(input: File, scratch: &Path, limit: u64) -> Result<Source> {
    let metadata = input.metadata().map_err(|error| Error::io("fstat", "archive", &error))?;
    let mut file = input;
    if !metadata.is_file() {
        file = copy(&mut file, scratch, limit)?;
    }
    let mut start = [0; 4];
    let length =
        file.read_at(&mut start, 0).map_err(|error| Error::io("pread", "archive", &error))?;
    let compressed = length == 4
        && (start[..2] == [0x1f, 0x8b]
            || start == [0x28, 0xb5, 0x2f, 0xfd]
            || start == [0xfd, b'7', b'z', b'X']
            || start[..3] == *b"BZh");
    if compressed {
        let length = file.metadata().map_err(|error| Error::io("fstat", "archive", &error))?.len();
        let name = "the archive".to_owned();
        let blob = Blob { file: Arc::new(file), offset: 0, length, size: None, digest: None, name };
        let mut plain = Plain::new(blob.read())?;
        file = copy(&mut plain, scratch, limit)?;
    }
    index(file)
}

/// Copies a stream to a file without a name, which goes with its last descriptor, whatever happens.
fn copy(from: &mut dyn Read, scratch: &Path, limit: u64) -> Result<File> {
    let operands = || format!("`{}`", scratch.display());
    let mut to = nameless(scratch)
        .map_err(|error| Error::io("open", operands(), &error))
        .context(|| "keep the archive while it is unpacked")?;
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0u64;
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => return Ok(to),
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(keep(error)),
        };
        total += length as u64;
        if total > limit {
            return Err(wrong(format!("the archive is larger than the {limit} bytes allowed")))
                .hint(|| "--max-size allows more");
        }
        to.write_all(&buffer[..length])
            .map_err(|error| Error::io("write", operands(), &error))
            .context(|| "keep the archive while it is unpacked")?;
    }
}

/// A file that nobody can open by a name.
fn nameless(directory: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).mode(0o600);
    match options.clone().custom_flags(libc::O_TMPFILE).open(directory) {
        // Overlayfs has had such files since Linux 6.1, and NFS has none.
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {
            let path = directory.join(format!(".archive.{}", crate::sys::process::own_pid()));
            let file = options.create_new(true).open(&path)?;
            std::fs::remove_file(&path)?;
            Ok(file)
        }
        other => other,
    }
}

/// Notes where everything is.
fn index(mut file: File) -> Result<Source> {
    file.rewind().map_err(|error| Error::io("lseek", "archive", &error))?;
    let length = file.metadata().map_err(|error| Error::io("fstat", "archive", &error))?.len();
    let mut members = HashMap::new();
    let mut reader = tar::Reader::new(BufReader::with_capacity(16 << 10, &file));
    if length == 0 {
        return Err(Error::message(Kind::Config, "it is empty"));
    }
    while let Some(entry) = reader.next().hint(|| "it is neither a directory nor a tar archive")? {
        let path = name::clean(&entry.name)?;
        let offset = reader.position();
        match entry.kind {
            tar::Kind::File if entry.sparse.is_none() => {
                if offset.checked_add(entry.size).is_none_or(|end| end > length) {
                    return Err(wrong(format!("the archive ends within `{}`", path.display())));
                }
                members.insert(path, Member::Contents { offset, length: entry.size });
            }
            tar::Kind::Symlink => {
                let link = PathBuf::from(std::ffi::OsStr::new(&*name::show(&entry.link)));
                members.insert(path, Member::Link(link));
            }
            tar::Kind::HardLink => {
                let link = Path::new("/").join(name::clean(&entry.link)?);
                members.insert(path, Member::Link(link));
            }
            _ => {}
        }
        if members.len() > MAX_MEMBERS {
            return Err(wrong(format!("an archive of more than {MAX_MEMBERS} files")));
        }
        let seek = |input: &mut BufReader<&File>, length: u64| {
            input.seek_relative(length.min(i64::MAX.cast_unsigned()).cast_signed())
        };
        reader.pass(seek)?;
    }
    drop(reader);
    Ok(Source::Archive { file: Arc::new(file), members })
}
