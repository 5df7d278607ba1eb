//! Blobs: contents at a place of a file, verified while they are read, decompressed by what they
//! begin with.

use std::fs::File;
use std::io::{BufRead, Error as IoError, Read, Result as IoResult};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::digest::{Digest, Hasher};
use super::document::{MAX_DOCUMENT, wrong};
use super::tar::keep;
use crate::error::{Context, Result};

/// How much is read at once.
const PIECE: usize = 256 << 10;

/// Contents at a place of a file.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    pub file: Arc<File>,
    pub offset: u64,
    /// How many bytes are there.
    pub length: u64,
    /// How many there must be.
    pub size: Option<u64>,
    /// What they must be.
    pub digest: Option<Digest>,
    /// What it is, for people.
    pub name: String,
}

impl Blob {
    /// Begins to read it, and to verify it.
    pub(super) fn read(&self) -> Verified<'_> {
        let hasher = self.digest.as_ref().map(Digest::hasher);
        Verified { blob: self, hasher, at: 0, buffer: vec![0; PIECE], start: 0, end: 0 }
    }

    /// How many bytes reading it takes.
    pub(super) fn expected(&self) -> u64 {
        self.size.unwrap_or(self.length)
    }

    /// All of a document.
    pub(super) fn document(&self) -> Result<Vec<u8>> {
        if self.expected() > MAX_DOCUMENT {
            let text = format!("{} has {} bytes", self.name, self.expected());
            return Err(wrong(format!("{text}, more than the {MAX_DOCUMENT} of a document")));
        }
        let mut bytes = Vec::new();
        let read = self.read().read_to_end(&mut bytes);
        read.map_err(keep).context(|| format!("read {}", self.name))?;
        Ok(bytes)
    }
}

/// A blob being read. Its end is reached only if size and digest are right.
pub(super) struct Verified<'a> {
    blob: &'a Blob,
    hasher: Option<Hasher>,
    at: u64,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Verified<'_> {
    /// How many bytes have been read of it.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    fn refill(&mut self) -> Result<()> {
        let blob = self.blob;
        let wanted = usize::try_from(blob.length - self.at).unwrap_or(PIECE).min(PIECE);
        let offset = blob.offset + self.at;
        (self.start, self.end) = (0, 0);
        if wanted > 0 {
            let length = loop {
                match blob.file.read_at(&mut self.buffer[..wanted], offset) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    other => break other,
                }
            };
            let length =
                length.map_err(|error| crate::error::Error::io("pread", &*blob.name, &error))?;
            if length == 0 {
                return Err(wrong(format!("{} ends after {} bytes", blob.name, self.at)));
            }
            self.end = length;
            self.at += length as u64;
        }
        let expected = blob.expected();
        if self.at > expected {
            return Err(wrong(format!(
                "{} is longer than the {expected} bytes it should have",
                blob.name
            )));
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&self.buffer[..self.end]);
        }
        if self.end == 0 { self.finish() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<()> {
        let (blob, expected) = (self.blob, self.blob.expected());
        if self.at < expected {
            let text = format!("{} has {} bytes instead of {expected}", blob.name, self.at);
            return Err(wrong(text));
        }
        let Some(hasher) = self.hasher.take() else { return Ok(()) };
        let found = hasher.finish();
        if blob.digest.as_ref().is_some_and(|digest| *digest != found) {
            return Err(wrong(format!(
                "{} is not what its digest says: it has {found}",
                blob.name
            )));
        }
        Ok(())
    }
}

impl BufRead for Verified<'_> {
    fn fill_buf(&mut self) -> IoResult<&[u8]> {
        if self.start == self.end {
            self.refill().map_err(IoError::other)?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, amount: usize) {
        self.start += amount;
    }
}

/// What read(2) is for whoever has a buffer anyway.
pub(super) fn read_buffered(from: &mut impl BufRead, out: &mut [u8]) -> IoResult<usize> {
    let available = from.fill_buf()?;
    let length = available.len().min(out.len());
    out[..length].copy_from_slice(&available[..length]);
    from.consume(length);
    Ok(length)
}

impl Read for Verified<'_> {
    fn read(&mut self, out: &mut [u8]) -> IoResult<usize> {
        read_buffered(self, out)
    }
}

/// Contents as they were before they were compressed.
pub(super) enum Plain<'a> {
    Stored(Verified<'a>),
    Gzip(Box<MultiGzDecoder<Verified<'a>>>),
    Zstd(Box<Zstd<'a>>),
}

impl<'a> Plain<'a> {
    /// Decompresses what `verified` reads. The first bytes tell how; media types are often wrong.
    pub(super) fn new(mut verified: Verified<'a>) -> Result<Plain<'a>> {
        let start = verified.fill_buf().map_err(keep)?;
        let is_skippable =
            start.len() > 3 && start[1..4] == [0x2a, 0x4d, 0x18] && start[0] >> 4 == 5;
        Ok(match start {
            [0x1f, 0x8b, ..] => Plain::Gzip(Box::new(MultiGzDecoder::new(verified))),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Plain::Zstd(Box::new(Zstd::new(verified))),
            _ if is_skippable => Plain::Zstd(Box::new(Zstd::new(verified))),
            [0xfd, b'7', b'z', b'X', b'Z', ..] => return Err(unknown(&verified, "xz")),
            [b'B', b'Z', b'h', ..] => return Err(unknown(&verified, "bzip2")),
            _ => Plain::Stored(verified),
        })
    }

    /// How many bytes of the blob have been read.
    pub(super) fn position(&self) -> u64 {
        match self {
            Plain::Stored(verified) => verified.position(),
            Plain::Gzip(decoder) => decoder.get_ref().position(),
            Plain::Zstd(decoder) => decoder.source.position(),
        }
    }

    /// Reads what a decompressor leaves at the end, so that everything is verified.
    pub(super) fn finish(self) -> Result<()> {
        let mut verified = match self {
            Plain::Stored(verified) => verified,
            Plain::Gzip(decoder) => decoder.into_inner(),
            Plain::Zstd(decoder) => decoder.source,
        };
        loop {
            match verified.fill_buf().map_err(keep)?.len() {
                0 => return Ok(()),
                length => verified.consume(length),
            }
        }
    }
}

impl Read for Plain<'_> {
    fn read(&mut self, out: &mut [u8]) -> IoResult<usize> {
        match self {
            Plain::Stored(verified) => verified.read(out),
            Plain::Gzip(decoder) => decoder.read(out),
            Plain::Zstd(decoder) => decoder.read(out),
        }
    }
}

fn unknown(verified: &Verified<'_>, format: &str) -> crate::error::Error {
    let name = &verified.blob.name;
    wrong(format!("{name} is compressed with {format}, which images cannot be"))
        .hinted("images are compressed with gzip or zstd, or not at all")
}

/// Zstandard (RFC 8878): frames one after the other, and some to be skipped between them.
pub(super) struct Zstd<'a> {
    source: Verified<'a>,
    decoder: FrameDecoder,
    within: bool,
}

impl<'a> Zstd<'a> {
    fn new(source: Verified<'a>) -> Zstd<'a> {
        Zstd { source, decoder: FrameDecoder::new(), within: false }
    }

    /// Begins the next frame; false at the end.
    fn begin(&mut self) -> IoResult<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut frame = (&mut self.source).take(length.into());
                    let skipped = std::io::copy(&mut frame, &mut std::io::sink())?;
                    if skipped < u64::from(length) {
                        return Err(IoError::other("a zstd frame ends too early"));
                    }
                }
                Err(error) => return Err(damaged(&error)),
            }
        }
    }
}

/// The decoder's own words do not say what they are about.
fn damaged(error: &FrameDecoderError) -> IoError {
    IoError::other(format!("the zstd stream cannot be decompressed: {error}"))
}

impl Read for Zstd<'_> {
    fn read(&mut self, out: &mut [u8]) -> IoResult<usize> {
        loop {
            if !self.within && !self.begin()? {
                return Ok(0);
            }
            self.within = true;
            let decoder = &mut self.decoder;
            while decoder.can_collect() < out.len() && !decoder.is_finished() {
                let missing = out.len() - decoder.can_collect();
                let strategy = BlockDecodingStrategy::UptoBytes(missing);
                decoder
                    .decode_blocks(&mut self.source, strategy)
                    .map_err(|error| damaged(&error))?;
            }
            match decoder.read(out)? {
                0 => self.within = false,
                length => return Ok(length),
            }
        }
    }
}
