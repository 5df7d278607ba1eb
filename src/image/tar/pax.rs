//! Pure: the records of a pax header, `LENGTH KEY=VALUE\n` (pax(1)), which say better what the block
//! after them says.

use super::header::{self, wrong};
use super::sparse::{Segment, Sparse};
use crate::error::Result;

/// What a pax header says.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub path: Option<Vec<u8>>,
    pub link: Option<Vec<u8>>,
    pub size: Option<u64>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub modified: Option<(i64, u32)>,
    pub attributes: Vec<(Vec<u8>, Vec<u8>)>,
    pub sparse: Option<PaxSparse>,
}

/// The sparse formats of GNU tar within pax.
#[derive(Debug, Default)]
pub(super) struct PaxSparse {
    /// 1.0: the places of contents stand in front of the contents.
    pub in_contents: bool,
    pub name: Option<Vec<u8>>,
    pub size: Option<u64>,
    segments: Vec<Segment>,
    offset: Option<u64>,
}

impl PaxSparse {
    /// What 0.0 and 0.1 say in records alone.
    pub(super) fn sparse(self) -> Result<Sparse> {
        let size = self.size.ok_or_else(|| wrong("a sparse file without a size"))?;
        Ok(Sparse { size, segments: self.segments })
    }
}

impl Records {
    /// Reads all records.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Records> {
        let broken = || wrong("a pax header cannot be read");
        let mut records = Records::default();
        // Some writers fill the last block up with NULs that they count.
        while !bytes.is_empty() && bytes.iter().any(|byte| *byte != 0) {
            let blank = bytes.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
            let length = usize::try_from(decimal(&bytes[..blank])?).map_err(|_| broken())?;
            let (record, rest) = bytes.split_at_checked(length).ok_or_else(broken)?;
            let record = record.get(blank + 1..).ok_or_else(broken)?;
            let record = record.strip_suffix(b"\n").ok_or_else(broken)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(broken)?;
            records.take(&record[..equals], &record[equals + 1..])?;
            bytes = rest;
        }
        Ok(records)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        // An empty value means: as if the record were not there.
        let known = (!value.is_empty()).then_some(value);
        match key {
            b"path" => self.path = known.map(<[u8]>::to_vec),
            b"linkpath" => self.link = known.map(<[u8]>::to_vec),
            b"size" => self.size = known.map(decimal).transpose()?,
            b"uid" => self.uid = known.map(owner).transpose()?,
            b"gid" => self.gid = known.map(owner).transpose()?,
            b"mtime" => self.modified = known.map(time).transpose()?,
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    self.attributes.push((name.to_vec(), value.to_vec()));
                } else if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                    let sparse = self.sparse.get_or_insert_default();
                    sparse.take(key, value)?;
                }
            }
        }
        Ok(())
    }
}

impl PaxSparse {
    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        match key {
            b"major" => self.in_contents = value != b"0",
            b"name" => self.name = Some(value.to_vec()),
            b"size" | b"realsize" => self.size = Some(decimal(value)?),
            b"offset" => self.offset = Some(decimal(value)?),
            b"numbytes" => {
                let offset = self.offset.take();
                let offset = offset.ok_or_else(|| wrong("a sparse length without an offset"))?;
                self.segments.push(Segment { offset, length: decimal(value)? });
            }
            b"map" => {
                let numbers: Vec<u64> =
                    value.split(|byte| *byte == b',').map(decimal).collect::<Result<_>>()?;
                if !numbers.len().is_multiple_of(2) {
                    return Err(wrong("a sparse map with an offset too many"));
                }
                let pair = |pair: &[u64]| Segment { offset: pair[0], length: pair[1] };
                self.segments = numbers.chunks_exact(2).map(pair).collect();
            }
            _ => {}
        }
        Ok(())
    }
}

/// A number that is not negative.
pub(super) fn decimal(text: &[u8]) -> Result<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text).ok().filter(|_| digits).and_then(|it| it.parse().ok());
    let number = number.filter(|number| i64::try_from(*number).is_ok());
    number.ok_or_else(|| wrong(format!("`{}` is no size", String::from_utf8_lossy(text))))
}

fn owner(text: &[u8]) -> Result<u32> {
    header::id(decimal(text)?.cast_signed())
}

/// Seconds, with a fraction where there is one; before 1970 the fraction counts backwards.
fn time(text: &[u8]) -> Result<(i64, u32)> {
    let failed = || wrong(format!("`{}` is no time", String::from_utf8_lossy(text)));
    let (negative, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let mut parts = digits.splitn(2, |byte| *byte == b'.');
    let seconds = decimal(parts.next().unwrap_or_default()).map_err(|_| failed())?.cast_signed();
    let fraction = parts.next().unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return Err(failed());
    }
    let digit = |at: usize| u32::from(fraction.get(at).map_or(0, |digit| digit - b'0'));
    let nanoseconds = (0..9).fold(0, |value, at| value * 10 + digit(at));
    Ok(match (negative, nanoseconds) {
        (false, _) => (seconds, nanoseconds),
        (true, 0) => (-seconds, 0),
        (true, _) => (-seconds - 1, 1_000_000_000 - nanoseconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records() {
        let text = b"12 path=a/b\n18 mtime=1.500000\n30 SCHILY.xattr.user.x=a\nb\0c=\n\0\0";
        let records = Records::parse(text).unwrap();
        assert_eq!(records.path.unwrap(), b"a/b");
        assert_eq!(records.modified.unwrap(), (1, 500_000_000));
        assert_eq!(records.attributes, [(b"user.x".to_vec(), b"a\nb\0c=".to_vec())]);
        for text in [
            &b"12 path=a/b"[..],
            b"99 path=a/b\n",
            b"2 path=a/b\n",
            b"path=a/b\n",
            b"0 path=a/b\n",
            b"12 path:a/b\n",
            b"13 size=-1234\n",
            b"-12 path=a/b\n",
            b"20 uid=4294967295\n\0\0",
        ] {
            assert!(Records::parse(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn times_before_1970() {
        assert_eq!(time(b"-1").unwrap(), (-1, 0));
        assert_eq!(time(b"-1.25").unwrap(), (-2, 750_000_000));
        assert_eq!(time(b"1600000000.123456789123").unwrap(), (1_600_000_000, 123_456_789));
        assert!(time(b"1.x").is_err() && time(b"").is_err() && time(b"--1").is_err());
    }
}
