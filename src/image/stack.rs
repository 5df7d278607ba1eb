//! Layers seen as one tree, without a mount: what is at a path, by the rules of overlayfs.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use libc::{O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY};

use super::name::follow;
use crate::error::{Context, Error, Result};
use crate::sys::file::{self, FileType, Stat};
use crate::sys::tree;

/// The largest file that is read from an image.
const MAX_FILE: u64 = 4 << 20;

/// The attributes that make a directory hide what lower layers have in it: for root, and within user
/// namespaces.
pub(super) const OPAQUE: [&str; 2] = ["trusted.overlay.opaque", "user.overlay.opaque"];

/// Layers, held.
#[derive(Debug)]
pub struct Stack {
    /// Topmost first.
    layers: Vec<OwnedFd>,
}

/// Something in the stack.
#[derive(Debug)]
pub(super) struct Found {
    layer: usize,
    /// O_PATH.
    pub fd: OwnedFd,
    pub stat: Stat,
}

impl Stack {
    /// Opens directories, lowest first.
    ///
    /// # Errors
    /// As open(2).
    pub(super) fn open(paths: &[PathBuf]) -> Result<Stack> {
        let open = |path: &PathBuf| file::open(path, O_PATH | O_DIRECTORY);
        let layers = paths.iter().rev().map(open).collect::<Result<_>>()?;
        Ok(Stack { layers })
    }

    /// How many of the layers, from the top, are seen at all: an opaque root hides the rest, which
    /// overlayfs itself does not see to.
    pub(super) fn visible(&self) -> usize {
        let opaque = self.layers.iter().position(|layer| is_opaque(layer.as_fd()));
        opaque.map_or(self.layers.len(), |at| at + 1)
    }

    /// What is at a path; symlinks are not followed, on the way neither.
    pub(super) fn entry(&self, path: &Path) -> Result<Option<Found>> {
        let mut holders: Vec<usize> = (0..self.visible()).collect();
        let mut found = None;
        let mut ancestors: Vec<_> = path.ancestors().filter(|it| *it != Path::new("")).collect();
        ancestors.reverse();
        for part in ancestors {
            found = None;
            let mut next = Vec::new();
            for layer in holders {
                let Some(here) = self.in_layer(layer, part)? else { continue };
                if is_whiteout(&here.stat) {
                    break;
                }
                let directory = file::file_type(&here.stat) == FileType::Directory;
                let hides = !directory || is_opaque(here.fd.as_fd());
                if directory {
                    next.push(layer);
                }
                if found.is_none() {
                    found = Some(here);
                } else if !directory {
                    break;
                }
                if hides {
                    break;
                }
            }
            if found.is_none() {
                return Ok(None);
            }
            holders = next;
        }
        Ok(found)
    }

    fn in_layer(&self, layer: usize, path: &Path) -> Result<Option<Found>> {
        let root = self.layers[layer].as_fd();
        let fd = match file::open_beneath_nofollow(root, path, O_PATH | O_NOFOLLOW) {
            Ok(fd) => fd,
            Err(error) if error.is(libc::ENOENT) || error.is(libc::ENOTDIR) => return Ok(None),
            Err(error) => return Err(error),
        };
        let stat = file::fstat(fd.as_fd())?;
        Ok(Some(Found { layer, fd, stat }))
    }

    /// Where a symlink leads; None for what is none.
    pub(super) fn link(&self, path: &Path) -> Result<Option<PathBuf>> {
        match self.entry(path)? {
            Some(found) if file::file_type(&found.stat) == FileType::Symlink => {
                file::readlink_at(found.fd.as_fd(), Path::new("")).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A small text file of the image; None where it has none. Symlinks lead nowhere but into the
    /// image.
    ///
    /// # Errors
    /// As read(2); a message for a file that is too large.
    pub fn read(&self, path: &str) -> Result<Option<String>> {
        let path = follow(Path::new(path.trim_start_matches('/')), |path| self.link(path))?;
        let Some(found) = self.entry(&path)? else { return Ok(None) };
        if file::file_type(&found.stat) != FileType::RegularFile {
            return Ok(None);
        }
        let flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW;
        let context = || format!("read `/{}` of the image", path.display());
        let root = self.layers[found.layer].as_fd();
        let file = file::open_beneath_nofollow(root, &path, flags).context(context)?;
        let mut bytes = Vec::new();
        File::from(file)
            .take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::io("read", "held file", &error))
            .context(context)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(super::document::wrong(format!("it is larger than {MAX_FILE} bytes")))
                .context(context);
        }
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// What hides a name of lower layers: a character device 0:0, which an ordinary user may make too
/// (Linux 5.8).
pub(super) fn is_whiteout(stat: &Stat) -> bool {
    file::file_type(stat) == FileType::CharacterDevice && stat.st_rdev == 0
}

pub(super) fn is_opaque(directory: BorrowedFd<'_>) -> bool {
    OPAQUE.iter().any(|name| tree::has_attribute(directory, name, b"y"))
}
