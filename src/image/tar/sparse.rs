//! Pure: files with holes: which bytes of an archive belong where.

use super::header::wrong;
use super::pax::decimal;
use crate::error::Result;

/// The most places of one file.
const MAX_SEGMENTS: usize = 1 << 20;

/// Contents at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub offset: u64,
    pub length: u64,
}

/// A file with holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sparse {
    /// How long the file is, holes and all.
    pub size: u64,
    /// Where contents are, in order, none over another.
    pub segments: Vec<Segment>,
}

impl Sparse {
    /// Refuses places that overlap, go back, or hold more or less than the archive does.
    pub(super) fn check(&self, contents: u64) -> Result<()> {
        let lies = |what: &str| Err(wrong(format!("a sparse file {what}")));
        if self.segments.len() > MAX_SEGMENTS {
            return lies("with too many pieces");
        }
        let (mut at, mut total) = (0u64, 0u64);
        for segment in &self.segments {
            let end = segment.offset.checked_add(segment.length);
            match end {
                Some(end) if segment.offset >= at && end <= self.size => at = end,
                _ => return lies("whose pieces overlap or lie beyond its end"),
            }
            total += segment.length;
        }
        if total != contents {
            return lies("with more or less contents than its map says");
        }
        Ok(())
    }
}

/// Reads the map of format 1.0 from a line of numbers at a time; says when it has all.
#[derive(Debug, Default)]
pub(super) struct MapReader {
    count: Option<u64>,
    numbers: Vec<u64>,
    digits: Vec<u8>,
}

impl MapReader {
    /// Takes one block; true when the map is complete.
    pub(super) fn take(&mut self, block: &[u8]) -> Result<bool> {
        for byte in block {
            if self.is_complete() {
                break;
            }
            if *byte != b'\n' {
                self.digits.push(*byte);
                if self.digits.len() > 20 {
                    return Err(wrong("a sparse map that is none"));
                }
                continue;
            }
            let number = decimal(&self.digits)?;
            self.digits.clear();
            match self.count {
                None if number > MAX_SEGMENTS as u64 => {
                    return Err(wrong("a sparse file with too many pieces"));
                }
                None => self.count = Some(number),
                Some(_) => self.numbers.push(number),
            }
        }
        Ok(self.is_complete())
    }

    fn is_complete(&self) -> bool {
        self.count.is_some_and(|count| self.numbers.len() as u64 == count * 2)
    }

    pub(super) fn segments(self) -> Vec<Segment> {
        let pair = |pair: &[u64]| Segment { offset: pair[0], length: pair[1] };
        self.numbers.chunks_exact(2).map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_that_lie() {
        let sparse = |size, segments: &[(u64, u64)]| Sparse {
            size,
            segments: segments
                .iter()
                .map(|(offset, length)| Segment { offset: *offset, length: *length })
                .collect(),
        };
        sparse(100, &[(0, 10), (50, 10), (100, 0)]).check(20).unwrap();
        sparse(100, &[]).check(0).unwrap();
        for (sparse, contents) in [
            (sparse(100, &[(0, 10), (5, 10)]), 20),
            (sparse(100, &[(95, 10)]), 10),
            (sparse(100, &[(u64::MAX, 10)]), 10),
            (sparse(100, &[(50, 10), (0, 10)]), 20),
            (sparse(100, &[(0, 10)]), 11),
        ] {
            assert!(sparse.check(contents).is_err(), "{sparse:?}");
        }
    }

    #[test]
    fn a_map_in_front_of_the_contents() {
        let mut map = MapReader::default();
        assert!(!map.take(b"2\n0\n1").unwrap());
        assert!(map.take(b"0\n50\n7\n\0\0\0").unwrap());
        let expected = [Segment { offset: 0, length: 10 }, Segment { offset: 50, length: 7 }];
        assert_eq!(map.segments(), expected);
        assert!(MapReader::default().take(b"99999999\n").is_err());
        assert!(MapReader::default().take(b"x\n").is_err());
    }
}
