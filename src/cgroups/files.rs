//! The short files of cgroupfs: read whole, written in one write(2).

use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};
use crate::sys::quoted;

/// What is in a file.
pub(super) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Error::io("read", quoted(path), &error))
}

/// Writes a value; the failure names both.
pub(super) fn write(path: &Path, value: &str) -> Result<()> {
    let file = std::fs::OpenOptions::new().write(true).open(path);
    let written = file.and_then(|mut file| match file.write(value.as_bytes())? {
        length if length == value.len() => Ok(()),
        _ => Err(std::io::Error::from_raw_os_error(libc::EIO)),
    });
    written.map_err(|error| {
        Error::io("write", format!("{}, `{}`", quoted(path), value.trim_end()), &error)
    })
}

/// Whether a flat keyed file (`frozen 1`) has this line; not if there is no such file.
pub(super) fn has_line(path: &Path, line: &str) -> bool {
    read(path).is_ok_and(|text| text.lines().any(|own| own == line))
}
