//! The short files of cgroupfs: read whole, written in one write(2).

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::sys::{self, quoted};

/// What is in a file.
pub(super) fn read(path: &Path) -> Result<String> {
    sys::file::read_text(path)
}

/// Writes a value; the failure names both.
pub(super) fn write(path: &Path, value: &str) -> Result<()> {
    Writable::open(path).map_err(|error| refused(path, value, &error))?.write(value)
}

/// A file that takes one value after the other.
#[derive(Debug)]
pub(super) struct Writable {
    file: OwnedFd,
    path: PathBuf,
}

impl Writable {
    /// # Errors
    /// As open(2).
    pub(super) fn open(path: &Path) -> Result<Writable> {
        let file = sys::file::open(path, libc::O_WRONLY)?;
        Ok(Writable { file, path: path.to_path_buf() })
    }

    /// # Errors
    /// As write(2), with the file and the value.
    pub(super) fn write(&self, value: &str) -> Result<()> {
        sys::io::write_once(self.file.as_fd(), value.as_bytes())
            .map_err(|error| refused(&self.path, value, &error))
    }
}

fn refused(path: &Path, value: &str, error: &Error) -> Error {
    let errno = error.errno().unwrap_or(libc::EIO);
    Error::call("write", format!("{}, `{}`", quoted(path), value.trim_end()), errno)
}

/// What is in a file that the kernel writes in one piece, such as `cgroup.events`: one read(2).
pub(super) fn read_once(path: &Path) -> Result<String> {
    let text = sys::io::read_once(sys::file::open(path, libc::O_RDONLY)?.as_fd())?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Whether a flat keyed file (`frozen 1`) has this line; not if there is no such file.
pub(super) fn has_line(path: &Path, line: &str) -> bool {
    read_once(path).is_ok_and(|text| text.lines().any(|own| own == line))
}
