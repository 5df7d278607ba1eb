//! Pure: the wire format of protocol buffers (varints and length-delimited fields), as much of it as
//! criu's RPC needs.

use crate::error::{Error, Result};

/// The type of a field whose value is a varint.
const VARINT: u64 = 0;

/// The type of a field whose value is bytes with their length before them: text, or a message.
const BYTES: u64 = 2;

/// A message that is being written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message(Vec<u8>);

impl Message {
    /// Adds an unsigned number, or one of an enumeration.
    pub(super) fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3 | VARINT);
        self.varint(value);
    }

    /// Adds a signed number: a negative one has ten bytes.
    pub(super) fn signed(&mut self, field: u64, value: i32) {
        self.number(field, i64::from(value) as u64);
    }

    /// Adds a flag where it is set; what is absent is false.
    pub(super) fn flag(&mut self, field: u64, value: bool) {
        if value {
            self.number(field, 1);
        }
    }

    /// Adds bytes.
    pub(super) fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | BYTES);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    /// Adds a message inside this one.
    pub(super) fn message(&mut self, field: u64, value: &Message) {
        self.bytes(field, &value.0);
    }

    /// What goes over the wire.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// The value of a field that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A varint; what it means is the field's to say.
    Number(u64),
    /// Text, or a message.
    Bytes(&'a [u8]),
    /// Four or eight bytes: nothing that we read.
    Fixed,
}

impl<'a> Value<'a> {
    /// As a number.
    pub(super) fn number(self) -> Result<u64> {
        match self {
            Value::Number(number) => Ok(number),
            _ => Err(damaged("a number was expected")),
        }
    }

    /// As a signed number.
    pub(super) fn signed(self) -> Result<i32> {
        // A negative one comes as 64 bits.
        i32::try_from(self.number()? as i64).map_err(|_| damaged("a number is too large"))
    }

    /// As bytes.
    pub(super) fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(damaged("bytes were expected")),
        }
    }

    /// As text.
    pub(super) fn text(self) -> Result<String> {
        self.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

/// All fields of a message, in their order: number and value.
pub(super) fn fields(mut rest: &[u8]) -> Result<Vec<(u64, Value<'_>)>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let value = match tag & 7 {
            VARINT => Value::Number(varint(&mut rest)?),
            BYTES => {
                let length = usize::try_from(varint(&mut rest)?).unwrap_or(usize::MAX);
                Value::Bytes(take(&mut rest, length)?)
            }
            1 => take(&mut rest, 8).map(|_| Value::Fixed)?,
            5 => take(&mut rest, 4).map(|_| Value::Fixed)?,
            other => return Err(damaged(&format!("there is no type {other}"))),
        };
        fields.push((tag >> 3, value));
    }
    Ok(fields)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length).ok_or_else(|| damaged("it is cut off"))?;
    *rest = after;
    Ok(taken)
}

fn varint(rest: &mut &[u8]) -> Result<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?.first().copied().unwrap_or_default();
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(damaged("a number is too long"))
}

fn damaged(text: &str) -> Error {
    Error::message(crate::error::Kind::System, format!("cannot understand a message: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_the_format_has_them() {
        for (value, bytes) in [
            (0, &[0x08, 0x00][..]),
            (1, &[0x08, 0x01]),
            (127, &[0x08, 0x7f]),
            (128, &[0x08, 0x80, 0x01]),
            (300, &[0x08, 0xac, 0x02]),
            (u64::MAX, &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
        ] {
            let mut message = Message::default();
            message.number(1, value);
            assert_eq!(message.0, bytes, "{value}");
            assert_eq!(fields(bytes).unwrap(), [(1, Value::Number(value))]);
        }
        let mut message = Message::default();
        message.signed(2, -1);
        assert_eq!(fields(&message.0).unwrap()[0].1.signed().unwrap(), -1);
    }

    #[test]
    fn fields_beyond_fifteen_have_longer_tags() {
        let mut message = Message::default();
        message.bytes(68, b"ab");
        message.flag(3, false);
        message.flag(3, true);
        assert_eq!(message.0, [0xa2, 0x04, 2, b'a', b'b', 0x18, 1]);
        let read = fields(&message.0).unwrap();
        assert_eq!(read, [(68, Value::Bytes(b"ab")), (3, Value::Number(1))]);
    }

    #[test]
    fn messages_nest() {
        let (mut outer, mut inner) = (Message::default(), Message::default());
        inner.number(1, 5);
        outer.message(4, &inner);
        let bytes = outer.into_bytes();
        let (field, value) = fields(&bytes).unwrap()[0];
        assert_eq!(
            (field, fields(value.bytes().unwrap()).unwrap()),
            (4, vec![(1, Value::Number(5))])
        );
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        for bytes in [
            &[0x08][..],
            &[0x08, 0x80],
            &[0x0a, 5, b'a'],
            &[0x0a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0],
            &[0x0b],
            &[0x09, 1, 2],
            &[0x08, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1],
        ] {
            assert!(fields(bytes).is_err(), "{bytes:?}");
        }
        assert_eq!(fields(&[0x0d, 1, 2, 3, 4]).unwrap(), [(1, Value::Fixed)]);
        assert!(Value::Number(1).bytes().is_err() && Value::Bytes(b"").number().is_err());
    }
}
