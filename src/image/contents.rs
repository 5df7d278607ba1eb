//! What is in a file: from the archive to the disk, with its holes.

use std::io::BufRead;
use std::os::fd::BorrowedFd;

use super::tar::{Entry, Reader};
use crate::error::Result;
use crate::sys::{io, tree};

/// Writes the contents of a file; holes stay holes.
pub(super) fn fill<R: BufRead>(
    fd: BorrowedFd<'_>,
    entry: &Entry,
    reader: &mut Reader<R>,
) -> Result<()> {
    let mut write = |bytes: &[u8]| io::write_all(fd, bytes);
    let Some(sparse) = &entry.sparse else { return reader.contents(&mut write) };
    for segment in sparse.segments.iter().filter(|segment| segment.length > 0) {
        tree::seek(fd, segment.offset)?;
        reader.some_contents(segment.length, &mut write)?;
    }
    tree::truncate(fd, sparse.size)
}
