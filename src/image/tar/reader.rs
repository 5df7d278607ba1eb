//! Pure: entries of an archive, one after the other.

use std::io::BufRead;

use super::header::{BLOCK, Header, wrong};
use super::pax::Records;
use super::sparse::{MapReader, Sparse};
use super::{Entry, Kind};
use crate::error::{Error, Result};

/// The most bytes of a header's long name, and of a pax header, which may bring attributes.
const MAX_NAME: u64 = 64 << 10;
const MAX_PAX: u64 = 4 << 20;

/// Reads an archive.
pub(in crate::image) struct Reader<R> {
    input: R,
    /// Contents of the entry that was given last, not read yet.
    left: u64,
    /// What fills its last block up.
    padding: u64,
    /// Bytes read so far.
    position: u64,
}

/// What the headers in front of an entry's own said.
#[derive(Default)]
struct Ahead {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Option<Records>,
}

impl<R: BufRead> Reader<R> {
    pub(in crate::image) fn new(input: R) -> Reader<R> {
        Reader { input, left: 0, padding: 0, position: 0 }
    }

    /// The next entry; None at the end of the archive. What was not read of the contents of the last
    /// one is skipped.
    pub(in crate::image) fn next(&mut self) -> Result<Option<Entry>> {
        self.contents(&mut |_| Ok(()))?;
        self.skip(self.padding)?;
        self.padding = 0;
        let mut ahead = Ahead::default();
        loop {
            let Some(block) = self.block()? else { return Ok(None) };
            let header = Header(&block);
            if block.iter().all(|byte| *byte == 0) {
                return self.end().map(|()| None);
            }
            if !header.is_sound() {
                let at = self.position - BLOCK as u64;
                return Err(wrong(format!("the checksum of the header at byte {at} is wrong")));
            }
            match header.kind() {
                b'L' => ahead.name = Some(self.long_name(&header)?),
                b'K' => ahead.link = Some(self.long_name(&header)?),
                b'x' => ahead.pax = Some(Records::parse(&self.small(&header, MAX_PAX)?)?),
                // Of a whole archive: comments, as git makes them.
                b'g' => drop(self.small(&header, MAX_PAX)?),
                _ => return self.entry(&header, ahead).map(Some),
            }
        }
    }

    /// Reads what is left of the contents.
    pub(in crate::image) fn contents(
        &mut self,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let all = self.left;
        self.some_contents(all, take)
    }

    /// Reads the next `wanted` bytes of the contents.
    pub(in crate::image) fn some_contents(
        &mut self,
        mut wanted: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        while wanted > 0 {
            let buffer = self.input.fill_buf().map_err(keep)?;
            if buffer.is_empty() {
                return Err(truncated());
            }
            let length = buffer.len().min(usize::try_from(wanted).unwrap_or(usize::MAX));
            take(&buffer[..length])?;
            self.input.consume(length);
            self.position += length as u64;
            wanted -= length as u64;
            self.left -= length as u64;
        }
        Ok(())
    }

    /// Passes over what is left of the contents with `seek`, which moves the input forward.
    pub(in crate::image) fn pass(
        &mut self,
        seek: impl FnOnce(&mut R, u64) -> std::io::Result<()>,
    ) -> Result<()> {
        let length = self.left + self.padding;
        seek(&mut self.input, length).map_err(keep)?;
        self.position += length;
        (self.left, self.padding) = (0, 0);
        Ok(())
    }

    /// Where in the stream the contents of the entry that was given last begin.
    pub(in crate::image) fn position(&self) -> u64 {
        self.position
    }

    /// What is behind the archive's end belongs to the stream all the same.
    pub(in crate::image) fn drain(mut self) -> Result<()> {
        loop {
            let buffer = self.input.fill_buf().map_err(keep)?;
            let length = buffer.len();
            if length == 0 {
                return Ok(());
            }
            self.input.consume(length);
        }
    }

    fn skip(&mut self, length: u64) -> Result<()> {
        self.left = length;
        self.contents(&mut |_| Ok(()))
    }

    /// One block; None where the archive ends instead.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut have = 0;
        while have < BLOCK {
            let buffer = self.input.fill_buf().map_err(keep)?;
            if buffer.is_empty() {
                // Some writers leave the two empty blocks of the end out.
                return if have == 0 { Ok(None) } else { Err(truncated()) };
            }
            let length = buffer.len().min(BLOCK - have);
            block[have..have + length].copy_from_slice(&buffer[..length]);
            self.input.consume(length);
            have += length;
        }
        self.position += BLOCK as u64;
        Ok(Some(block))
    }

    /// An empty block ends the archive; the second one may be missing, but nothing else may follow.
    fn end(&mut self) -> Result<()> {
        match self.block()? {
            Some(block) if block.iter().any(|byte| *byte != 0) => {
                Err(wrong(format!("an empty header at byte {}", self.position - 1024)))
            }
            _ => Ok(()),
        }
    }

    /// The contents of an entry that only says something about the next one.
    fn small(&mut self, header: &Header<'_>, limit: u64) -> Result<Vec<u8>> {
        let size = header.size()?;
        if size > limit {
            return Err(wrong(format!("a header of {size} bytes is longer than {limit}")));
        }
        let mut bytes = Vec::new();
        self.left = size;
        self.contents(&mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })?;
        self.skip(padding(size))?;
        Ok(bytes)
    }

    fn long_name(&mut self, header: &Header<'_>) -> Result<Vec<u8>> {
        let mut bytes = self.small(header, MAX_NAME)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        bytes.truncate(end);
        Ok(bytes)
    }

    fn entry(&mut self, header: &Header<'_>, ahead: Ahead) -> Result<Entry> {
        let pax = ahead.pax.unwrap_or_default();
        let name = pax.path.or(ahead.name).unwrap_or_else(|| header.name());
        let kind = kind(header, &name)?;
        let stored = match pax.size {
            Some(size) => size,
            None => header.size()?,
        };
        // What else has no contents, whatever its size says, is told by its header alone.
        let size = match kind {
            Kind::File => stored,
            // A directory by its name alone: Go skips its contents, so they must not be read as headers,
            // or the image has other files than a scanner sees.
            Kind::Directory if matches!(header.kind(), 0 | b'0') => stored,
            Kind::HardLink if stored > 0 => return Err(wrong("a hard link with contents")),
            _ => 0,
        };
        let mut entry = Entry {
            name,
            link: pax.link.or(ahead.link).unwrap_or_else(|| header.link()),
            kind,
            mode: header.mode()?,
            uid: pax.uid.map_or_else(|| header.uid(), Ok)?,
            gid: pax.gid.map_or_else(|| header.gid(), Ok)?,
            modified: pax.modified.map_or_else(|| header.modified().map(|it| (it, 0)), Ok)?,
            device: match kind {
                Kind::Character | Kind::Block => header.device()?,
                _ => (0, 0),
            },
            size,
            sparse: None,
            attributes: pax.attributes,
        };
        (self.left, self.padding) = (size, padding(size));
        if header.kind() == b'S' && header.is_gnu() {
            entry.sparse = Some(self.old_sparse(header)?);
        } else if let Some(sparse) = pax.sparse.filter(|_| kind == Kind::File) {
            entry.name = sparse.name.clone().unwrap_or(entry.name);
            entry.sparse = Some(match sparse.in_contents {
                true => self.new_sparse(sparse.size)?,
                false => sparse.sparse()?,
            });
        }
        entry.size = self.left;
        entry.sparse.as_ref().map_or(Ok(()), |sparse| sparse.check(entry.size))?;
        Ok(entry)
    }

    /// The places of contents in the header and in blocks behind it.
    fn old_sparse(&mut self, header: &Header<'_>) -> Result<Sparse> {
        let (mut segments, mut more) = header.sparse()?;
        while more {
            let block = self.block()?.ok_or_else(truncated)?;
            let (further, again) = Header(&block).more_sparse()?;
            segments.extend(further);
            more = again;
            if segments.len() > 1 << 20 {
                return Err(wrong("a sparse file with too many pieces"));
            }
        }
        Ok(Sparse { size: header.sparse_size()?, segments })
    }

    /// The places of contents in whole blocks at the beginning of the contents.
    fn new_sparse(&mut self, size: Option<u64>) -> Result<Sparse> {
        let size = size.ok_or_else(|| wrong("a sparse file without a size"))?;
        let mut map = MapReader::default();
        let mut complete = false;
        while !complete {
            if self.left < BLOCK as u64 {
                return Err(wrong("a sparse file whose map has no end"));
            }
            let mut block = Vec::with_capacity(BLOCK);
            self.some_contents(BLOCK as u64, &mut |part| {
                block.extend_from_slice(part);
                Ok(())
            })?;
            complete = map.take(&block)?;
        }
        Ok(Sparse { size, segments: map.segments() })
    }
}

fn kind(header: &Header<'_>, name: &[u8]) -> Result<Kind> {
    Ok(match header.kind() {
        // Before ustar a directory was a file whose name ends so.
        0 | b'0' if name.ends_with(b"/") => Kind::Directory,
        0 | b'0' | b'7' | b'S' => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::Character,
        b'4' => Kind::Block,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        other => {
            let kind = char::from(other).escape_debug().to_string();
            let name = String::from_utf8_lossy(name).escape_debug().to_string();
            return Err(wrong(format!("`{name}` is of the unknown kind `{kind}`")));
        }
    })
}

fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

fn truncated() -> Error {
    wrong("the archive ends in the middle of an entry")
}

/// The failure of a reader below: ours as it was, others as failed calls.
pub(in crate::image) fn keep(error: std::io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(error) if error.raw_os_error().is_some() => Error::io("read", "archive", &error),
        Err(error) => wrong(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One entry of every kind, as tar(1) made it: long names, pax attributes and times, both sparse
    /// formats.
    fn archive() -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, name, contents) in [
            (b'0', "file", &b"contents"[..]),
            (b'5', "directory/", b""),
            (b'L', "././@LongLink", b"a long name\0"),
            (b'0', "short", b"x"),
            (b'x', "pax", b"18 mtime=1.500000\n29 SCHILY.xattr.user.x=value\n"),
            (b'2', "link", b""),
            (
                b'x',
                "pax",
                b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n28 GNU.sparse.realsize=1000\n",
            ),
            (b'0', "sparse", &[b"1\n10\n3\n".as_slice(), &[0; 505], b"abc"].concat()),
        ] {
            let mut block = [0u8; BLOCK];
            block[..name.len()].copy_from_slice(name.as_bytes());
            block[124..135].copy_from_slice(format!("{:011o}", contents.len()).as_bytes());
            block[156] = kind;
            block[257..265].copy_from_slice(b"ustar\x0000");
            seal(&mut block);
            bytes.extend_from_slice(&block);
            bytes.extend_from_slice(contents);
            bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        }
        bytes.extend([0; 1024]);
        bytes
    }

    fn seal(block: &mut [u8]) {
        block[148..156].copy_from_slice(b"        ");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }

    fn read(bytes: &[u8]) -> Result<Vec<Entry>> {
        let mut reader = Reader::new(bytes);
        let mut entries = Vec::new();
        while let Some(entry) = reader.next()? {
            reader.contents(&mut |_| Ok(()))?;
            entries.push(entry);
        }
        Ok(entries)
    }

    #[test]
    fn what_stands_in_front_of_an_entry_is_its_own() {
        let entries = read(&archive()).unwrap();
        let names: Vec<_> = entries.iter().map(|it| String::from_utf8_lossy(&it.name)).collect();
        assert_eq!(names, ["file", "directory/", "a long name", "link", "sparse"]);
        assert_eq!(entries[3].modified, (1, 500_000_000));
        assert_eq!(entries[3].attributes, [(b"user.x".to_vec(), b"value".to_vec())]);
        let sparse = entries[4].sparse.as_ref().unwrap();
        assert_eq!((sparse.size, sparse.segments[0].offset, entries[4].size), (1000, 10, 3));
    }

    #[test]
    fn no_byte_of_an_archive_confuses_it() {
        let whole = archive();
        for length in 0..whole.len() {
            let _ = read(&whole[..length]);
        }
        for at in (0..whole.len()).step_by(2) {
            for value in [0, b'7', b'\n', 0xff] {
                let mut changed = whole.clone();
                changed[at] = value;
                let _ = read(&changed);
                // The same with a checksum that is right.
                let block = at / BLOCK * BLOCK;
                seal(&mut changed[block..block + BLOCK]);
                let _ = read(&changed);
            }
        }
    }
}
