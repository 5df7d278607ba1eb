//! One layer is read, verified and decompressed by one thread while another one writes its files: two
//! processors work on it.

use std::io::{BufRead, Error as IoError, Read, Result as IoResult};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender};

use super::blob::{Blob, Plain, read_buffered};
use super::digest::Digest;
use super::document::wrong;
use super::tar::keep;
use crate::error::{Context, Error, Result};

/// How much is handed over at once, and how often the reader may be ahead.
const PIECE: usize = 256 << 10;
pub(super) const AHEAD: usize = 8;

/// What the unpacking of an image may use up.
#[derive(Debug)]
pub(super) struct Budget {
    max_bytes: u64,
    max_entries: u64,
    bytes: AtomicU64,
    entries: AtomicU64,
    /// Some layer has failed: the others need not go on.
    stopped: AtomicBool,
}

impl Budget {
    pub(super) fn new(max_bytes: u64, max_entries: u64) -> Budget {
        Budget {
            max_bytes,
            max_entries,
            bytes: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn take_bytes(&self, count: usize) -> Result<()> {
        if self.is_stopped() {
            return Err(wrong("another layer failed"));
        }
        let used = self.bytes.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        if used <= self.max_bytes {
            return Ok(());
        }
        let text = format!("unpacked it is larger than the {} bytes allowed", self.max_bytes);
        Err(wrong(text)).hint(|| "--max-size allows more, if the image is to be trusted")
    }

    pub(super) fn take_entries(&self, count: u64) -> Result<()> {
        let used = self.entries.fetch_add(count, Ordering::Relaxed) + count;
        if count == 0 || used <= self.max_entries {
            return Ok(());
        }
        let text = format!("it has more than the {} files allowed", self.max_entries);
        Err(wrong(text)).hint(|| "--max-entries allows more, if the image is to be trusted")
    }
}

/// What the reading thread sends: a piece, or how it ended.
pub(super) enum Piece {
    Bytes(Vec<u8>),
    End,
    Failed(Error),
}

/// The reading thread: everything of the blob, decompressed. The end comes only after both digests
/// were right.
pub(super) fn produce(
    (blob, diff_id): (&Blob, &Digest),
    budget: &Budget,
    done: &AtomicU64,
    (pieces, empty): (SyncSender<Piece>, Receiver<Vec<u8>>),
) {
    let result = read(blob, diff_id, &mut |plain, hashed| {
        let mut buffer = empty.try_recv().unwrap_or_else(|_| vec![0; PIECE]);
        buffer.resize(PIECE, 0);
        let mut have = 0;
        while have < PIECE {
            match plain.read(&mut buffer[have..]) {
                Ok(0) => break,
                Ok(length) => have += length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(keep(error)),
            }
        }
        buffer.truncate(have);
        done.store(plain.position(), Ordering::Relaxed);
        budget.take_bytes(have)?;
        hashed(&buffer);
        if have == 0 {
            return Ok(false);
        }
        // Nobody listens any more: the writer has failed, and says why.
        let sent = pieces.send(Piece::Bytes(buffer));
        sent.map(|()| true).map_err(|_| wrong("nobody reads the layer"))
    });
    let _ = pieces.send(result.map_or_else(Piece::Failed, |()| Piece::End));
}

type Step<'a> = dyn FnMut(&mut Plain<'_>, &mut dyn FnMut(&[u8])) -> Result<bool> + 'a;

fn read(blob: &Blob, diff_id: &Digest, step: &mut Step<'_>) -> Result<()> {
    let mut plain = Plain::new(blob.read())?;
    let mut hasher = diff_id.hasher();
    while step(&mut plain, &mut |bytes| hasher.update(bytes))? {}
    plain.finish()?;
    let found = hasher.finish();
    if found == *diff_id {
        return Ok(());
    }
    let text = format!("unpacked, {} is {found} instead of {diff_id}", blob.name);
    Err(wrong(text)).hint(|| "the image is damaged: its configuration and its layers do not match")
}

/// The other end: the pieces as one stream.
pub(super) struct Consumer {
    pub pieces: Receiver<Piece>,
    pub empty: Sender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Consumer {
    pub(super) fn new(pieces: Receiver<Piece>, empty: Sender<Vec<u8>>) -> Consumer {
        Consumer { pieces, empty, piece: Vec::new(), at: 0, ended: false }
    }
}

impl BufRead for Consumer {
    fn fill_buf(&mut self) -> IoResult<&[u8]> {
        if self.at == self.piece.len() && !self.ended {
            let next = match self.pieces.recv() {
                Ok(Piece::Bytes(bytes)) => bytes,
                Ok(Piece::End) => {
                    self.ended = true;
                    Vec::new()
                }
                Ok(Piece::Failed(error)) => return Err(IoError::other(error)),
                Err(_) => return Err(IoError::other("the reading thread ended")),
            };
            let used = std::mem::replace(&mut self.piece, next);
            self.at = 0;
            // The reader may be through and have no use for it.
            let _ = self.empty.send(used);
        }
        Ok(&self.piece[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

impl Read for Consumer {
    fn read(&mut self, out: &mut [u8]) -> IoResult<usize> {
        read_buffered(self, out)
    }
}
