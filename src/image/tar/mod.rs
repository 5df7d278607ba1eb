//! Pure: a reader of tar archives: ustar, GNU and pax (tar(5)), with long names, sparse files and
//! extended attributes. It reads a stream, once, and trusts none of its sizes.

mod header;
mod pax;
mod reader;
mod sparse;

pub(super) use reader::{Reader, keep};
pub(super) use sparse::Sparse;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Symlink,
    /// Another name of an earlier entry.
    HardLink,
    Character,
    Block,
    Fifo,
}

/// One entry, before its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// As it is written: nothing is known about it.
    pub name: Vec<u8>,
    /// Where a link leads, as it is written.
    pub link: Vec<u8>,
    pub kind: Kind,
    /// The permission bits, setuid, setgid and sticky among them.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds since 1970, and nanoseconds.
    pub modified: (i64, u32),
    /// Major and minor number of a device.
    pub device: (u32, u32),
    /// Bytes of contents that follow in the archive.
    pub size: u64,
    /// Where they belong, if not one after the other from the beginning.
    pub sparse: Option<Sparse>,
    /// Extended attributes, by name.
    pub attributes: Vec<(Vec<u8>, Vec<u8>)>,
}
