//! Pure: one block of 512 bytes that begins an entry (tar(5)).

use super::sparse::Segment;
use crate::error::{Error, Kind, Result};

/// The unit of an archive.
pub(super) const BLOCK: usize = 512;

/// A header block.
pub(super) struct Header<'a>(pub &'a [u8; BLOCK]);

/// A mistake in an archive.
pub(super) fn wrong(text: impl Into<String>) -> Error {
    Error::message(Kind::Config, text)
}

impl<'a> Header<'a> {
    fn field(&self, at: usize, length: usize) -> &'a [u8] {
        &self.0[at..at + length]
    }

    /// Whether the checksum is right; old tars summed signed bytes.
    pub(super) fn is_sound(&self) -> bool {
        let Ok(written) = number(self.field(148, 8), "checksum") else { return false };
        let (mut unsigned, mut signed) = (0i64, 0i64);
        for (at, byte) in self.0.iter().enumerate() {
            let byte = if (148..156).contains(&at) { b' ' } else { *byte };
            unsigned += i64::from(byte);
            signed += i64::from(byte.cast_signed());
        }
        written == unsigned || written == signed
    }

    fn is_ustar(&self) -> bool {
        self.field(257, 6) == b"ustar\0"
    }

    pub(super) fn is_gnu(&self) -> bool {
        self.field(257, 8) == b"ustar  \0"
    }

    /// The name, with the prefix that ustar keeps apart.
    pub(super) fn name(&self) -> Vec<u8> {
        let name = text(self.field(0, 100));
        let prefix = if self.is_ustar() { text(self.field(345, 155)) } else { b"" };
        if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
    }

    pub(super) fn link(&self) -> Vec<u8> {
        text(self.field(157, 100)).to_vec()
    }

    pub(super) fn kind(&self) -> u8 {
        self.0[156]
    }

    pub(super) fn mode(&self) -> Result<u32> {
        Ok((number(self.field(100, 8), "mode")? & 0o7777) as u32)
    }

    pub(super) fn uid(&self) -> Result<u32> {
        id(number(self.field(108, 8), "uid")?)
    }

    pub(super) fn gid(&self) -> Result<u32> {
        id(number(self.field(116, 8), "gid")?)
    }

    pub(super) fn size(&self) -> Result<u64> {
        size(number(self.field(124, 12), "size")?)
    }

    pub(super) fn modified(&self) -> Result<i64> {
        number(self.field(136, 12), "time")
    }

    pub(super) fn device(&self) -> Result<(u32, u32)> {
        let part = |at, what| {
            let number = number(self.field(at, 8), what)?;
            u32::try_from(number).map_err(|_| wrong(format!("the device number {number} is none")))
        };
        Ok((part(329, "major number")?, part(337, "minor number")?))
    }

    /// The first places of contents of GNU's old sparse format, and whether blocks with more follow.
    pub(super) fn sparse(&self) -> Result<(Vec<Segment>, bool)> {
        Ok((segments(self.field(386, 4 * 24))?, self.0[482] != 0))
    }

    /// The size of a sparse file in that format.
    pub(super) fn sparse_size(&self) -> Result<u64> {
        size(number(self.field(483, 12), "real size")?)
    }

    /// A block that only has more places.
    pub(super) fn more_sparse(&self) -> Result<(Vec<Segment>, bool)> {
        Ok((segments(self.field(0, 21 * 24))?, self.0[504] != 0))
    }
}

fn segments(fields: &[u8]) -> Result<Vec<Segment>> {
    let used = fields.chunks_exact(24).take_while(|field| field[12] != 0);
    let segment = |field: &[u8]| {
        let offset = size(number(&field[..12], "offset")?)?;
        Ok(Segment { offset, length: size(number(&field[12..], "length")?)? })
    };
    used.map(segment).collect()
}

/// A user or group that the kernel can have: -1 would mean "unchanged".
pub(super) fn id(number: i64) -> Result<u32> {
    let id = u32::try_from(number).ok().filter(|id| *id != u32::MAX);
    id.ok_or_else(|| wrong(format!("the owner {number} is none")))
}

pub(super) fn size(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(|_| wrong(format!("the size {number} is none")))
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Octal digits with blanks around them, or, where the first bit is set, a big-endian number in two's
/// complement.
fn number(field: &[u8], what: &str) -> Result<i64> {
    let failed = || wrong(format!("the {what} of an entry is no number"));
    if field[0] & 0x80 != 0 {
        let negative = field[0] & 0x40 != 0;
        let mut value: i128 = if negative { -1 } else { 0 };
        for (at, byte) in field.iter().enumerate() {
            let byte = if at == 0 && !negative { byte & 0x7f } else { *byte };
            value = (value << 8) | i128::from(byte);
        }
        return i64::try_from(value).map_err(|_| failed());
    }
    let is_blank = |byte: &u8| *byte == b' ' || *byte == 0;
    let start = field.iter().position(|byte| !is_blank(byte)).unwrap_or(field.len());
    let digits: Vec<u8> = field[start..].iter().copied().take_while(|it| !is_blank(it)).collect();
    digits.iter().try_fold(0i64, |value, digit| match digit {
        b'0'..=b'7' => Ok(value * 8 + i64::from(digit - b'0')),
        _ => Err(failed()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (field, expected) in [
            (&b"0000644\0"[..], 0o644),
            (b"   644 \0", 0o644),
            (b"\0\0\0\0\0\0\0\0", 0),
            (b"77777777", 0o77777777),
            (b"\x80\0\0\0\0\0\x01\0", 256),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", -1),
            (b"\xff\xff\xff\xff\xff\xff\xff\xfe", -2),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", i64::MAX),
        ] {
            if expected == i64::MAX {
                assert!(number(field, "it").is_ok() || field.len() == 12);
            } else {
                assert_eq!(number(field, "it").unwrap(), expected, "{field:?}");
            }
        }
        for field in [&b"0000648\0"[..], b"-0000001", b"0x1\0\0\0\0\0"] {
            assert!(number(field, "it").is_err(), "{field:?}");
        }
        let huge = [0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(number(&huge, "it").is_err());
        assert!(id(-1).is_err() && id(1 << 32).is_err() && id(u32::MAX.into()).is_err());
    }
}
