//! Pure: the little of D-Bus's wire format (D-Bus specification, "Message Protocol") that talking to
//! systemd takes: calls go out, replies and signals come in, in the byte order of x86 and ARM.

use serde::{Deserialize, Serialize};

/// A value of a unit's property.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::cgroups) enum Value {
    /// `b`
    Bool(bool),
    /// `i`
    I32(i32),
    /// `u`
    U32(u32),
    /// `x`
    I64(i64),
    /// `t`
    U64(u64),
    /// `d`
    F64(f64),
    /// `s`
    Text(String),
    /// `as`
    Texts(Vec<String>),
    /// `au`
    Numbers(Vec<u32>),
    /// `ay`
    Bytes(Vec<u8>),
    /// `a(ss)`
    Pairs(Vec<(String, String)>),
}

impl Value {
    fn signature(&self) -> &'static str {
        match self {
            Value::Bool(_) => "b",
            Value::I32(_) => "i",
            Value::U32(_) => "u",
            Value::I64(_) => "x",
            Value::U64(_) => "t",
            Value::F64(_) => "d",
            Value::Text(_) => "s",
            Value::Texts(_) => "as",
            Value::Numbers(_) => "au",
            Value::Bytes(_) => "ay",
            Value::Pairs(_) => "a(ss)",
        }
    }
}

/// Names and values, `a(sv)`.
pub(in crate::cgroups) type Properties = Vec<(String, Value)>;

/// Bytes that are being written; everything is aligned to its own size.
#[derive(Debug, Default)]
pub(super) struct Body(Vec<u8>);

impl Body {
    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Body {
        self.align(4);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn u64(&mut self, value: u64) -> &mut Body {
        self.align(8);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Body {
        self.u32(text.len() as u32);
        self.0.extend(text.as_bytes());
        self.0.push(0);
        self
    }

    fn signature(&mut self, text: &str) -> &mut Body {
        self.0.push(text.len() as u8);
        self.0.extend(text.as_bytes());
        self.0.push(0);
        self
    }

    /// Members aligned to `to`, with their length in bytes before them.
    fn array(&mut self, to: usize, fill: impl FnOnce(&mut Body)) -> &mut Body {
        self.u32(0);
        let length = self.0.len() - 4;
        self.align(to);
        let start = self.0.len();
        fill(self);
        let bytes = ((self.0.len() - start) as u32).to_le_bytes();
        for (to, from) in self.0.iter_mut().skip(length).zip(bytes) {
            *to = from;
        }
        self
    }

    fn variant(&mut self, value: &Value) {
        self.signature(value.signature());
        let _ = match value {
            Value::Bool(value) => self.u32((*value).into()),
            Value::I32(value) => self.u32(*value as u32),
            Value::U32(value) => self.u32(*value),
            Value::I64(value) => self.u64(*value as u64),
            Value::U64(value) => self.u64(*value),
            Value::F64(value) => self.u64(value.to_bits()),
            Value::Text(text) => self.text(text),
            Value::Texts(texts) => self.array(4, |body| {
                for text in texts {
                    body.text(text);
                }
            }),
            Value::Numbers(numbers) => self.array(4, |body| {
                for number in numbers {
                    body.u32(*number);
                }
            }),
            Value::Bytes(bytes) => self.array(1, |body| body.0.extend(bytes)),
            Value::Pairs(pairs) => self.array(8, |body| {
                for (left, right) in pairs {
                    body.align(8);
                    body.text(left).text(right);
                }
            }),
        };
    }

    pub(super) fn properties(&mut self, properties: &Properties) -> &mut Body {
        self.array(8, |body| {
            for (name, value) in properties {
                body.align(8);
                body.text(name).variant(value);
            }
        })
    }

    /// No members of a type that is aligned to 8.
    pub(super) fn nothing(&mut self) -> &mut Body {
        self.array(8, |_| {})
    }
}

/// A call of a method.
pub(super) struct Call<'a> {
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'a str,
    pub(super) destination: &'a str,
    pub(super) signature: &'a str,
}

impl Call<'_> {
    /// The message, of number `serial`.
    pub(super) fn encode(&self, serial: u32, body: &Body) -> Vec<u8> {
        let mut message = Body(vec![b'l', 1, 0, 1]);
        message.u32(body.0.len() as u32).u32(serial);
        let fields = [
            (1, "o", self.path),
            (2, "s", self.interface),
            (3, "s", self.member),
            (6, "s", self.destination),
        ];
        message.array(8, |message| {
            for (code, kind, text) in fields {
                message.align(8);
                message.0.push(code);
                message.signature(kind).text(text);
            }
            if !self.signature.is_empty() {
                message.align(8);
                message.0.push(8);
                message.signature("g").signature(self.signature);
            }
        });
        message.align(8);
        message.0.extend(&body.0);
        message.0
    }
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Reply,
    Failure,
    Signal,
    Other,
}

/// A message that came in: what of its header matters, and the texts of its body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: Kind,
    pub(super) reply_to: u32,
    pub(super) member: String,
    pub(super) error: String,
    /// The strings and object paths of the body, in order, also one in a variant.
    pub(super) texts: Vec<String>,
}

/// Bytes of the fixed part of the header.
pub(super) const FIXED: usize = 16;

/// How long the whole message is, by its first [`FIXED`] bytes. None where it is nothing that we
/// understand, or longer than D-Bus allows.
pub(super) fn length(fixed: &[u8]) -> Option<usize> {
    const LIMIT: usize = 128 << 20;
    if fixed.first() != Some(&b'l') {
        return None;
    }
    let number = |at: usize| Some(u32::from_le_bytes(fixed.get(at..at + 4)?.try_into().ok()?));
    let (body, fields) = (number(4)? as usize, number(12)? as usize);
    let whole = FIXED + fields.checked_next_multiple_of(8)? + body;
    (whole <= LIMIT).then_some(whole)
}

/// Reads a whole message; None where it contradicts itself.
pub(super) fn decode(bytes: &[u8]) -> Option<Message> {
    let mut reader = Reader { bytes, at: 0 };
    let kind = match bytes.get(1)? {
        2 => Kind::Reply,
        3 => Kind::Failure,
        4 => Kind::Signal,
        _ => Kind::Other,
    };
    let mut message = Message {
        kind,
        reply_to: 0,
        member: String::new(),
        error: String::new(),
        texts: Vec::new(),
    };
    reader.at = 12;
    let end = reader.u32()? as usize + FIXED;
    let mut signature = String::new();
    while reader.at < end {
        reader.align(8);
        let code = reader.byte()?;
        match (code, reader.signature()?.as_str()) {
            (3, "s") => message.member = reader.text()?,
            (4, "s") => message.error = reader.text()?,
            (8, "g") => signature = reader.signature()?,
            (5, "u") => message.reply_to = reader.u32()?,
            (_, "s" | "o") => drop(reader.text()?),
            (_, "g") => drop(reader.signature()?),
            (_, "u") => drop(reader.u32()?),
            _ => return None,
        }
    }
    reader.align(8);
    // From the start of the body on, for alignment; it is at a multiple of 8 anyway.
    reader.texts(&signature, &mut message.texts);
    Some(message)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.align(4);
        let bytes = self.bytes.get(self.at..self.at.checked_add(4)?)?;
        self.at += 4;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    fn words(&mut self, length: usize) -> Option<String> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length + 1;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    fn text(&mut self) -> Option<String> {
        let length = self.u32()?;
        self.words(length as usize)
    }

    fn signature(&mut self) -> Option<String> {
        let length = self.byte()?;
        self.words(length.into())
    }

    /// The texts up to the first value of a type that systemd's answers to us do not have.
    fn texts(&mut self, signature: &str, texts: &mut Vec<String>) -> Option<()> {
        for kind in signature.chars() {
            match kind {
                's' | 'o' => texts.push(self.text()?),
                'u' | 'i' | 'b' => drop(self.u32()?),
                'v' => {
                    let inner = self.signature()?;
                    self.texts(&inner, texts)?;
                }
                _ => return None,
            }
        }
        Some(())
    }
}

/// An answer, as systemd would write it.
#[cfg(test)]
pub(super) fn answer(
    kind: u8,
    reply_to: u32,
    (error, member): (&str, &str),
    texts: &[&str],
) -> Vec<u8> {
    let mut body = Body::default();
    for text in texts {
        body.text(text);
    }
    let mut message = Body(vec![b'l', kind, 0, 1]);
    message.u32(body.0.len() as u32).u32(7);
    message.array(8, |message| {
        message.0.push(5);
        message.signature("u").u32(reply_to);
        for (code, text) in [(3, member), (4, error)] {
            if !text.is_empty() {
                message.align(8);
                message.0.push(code);
                message.signature("s").text(text);
            }
        }
        message.align(8);
        message.0.push(8);
        message.signature("g").signature(&"s".repeat(texts.len()));
    });
    message.align(8);
    message.0.extend(&body.0);
    message.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_reads_back() {
        let mut body = Body::default();
        let properties = vec![
            ("PIDs".to_owned(), Value::Numbers(vec![1, 2])),
            ("DeviceAllow".to_owned(), Value::Pairs(vec![("a".to_owned(), "rwm".to_owned())])),
            ("MemoryMax".to_owned(), Value::U64(5)),
        ];
        body.text("a.scope").text("replace").properties(&properties).nothing();
        let call = Call {
            path: "/org",
            interface: "a.b",
            member: "StartTransientUnit",
            destination: "a.c",
            signature: "ssa(sv)a(sa(sv))",
        };
        let bytes = call.encode(3, &body);
        assert_eq!(length(&bytes), Some(bytes.len()));
        assert_eq!(bytes.len() % 4, 0);
        let message = decode(&bytes).unwrap();
        assert_eq!((message.kind, message.member.as_str()), (Kind::Other, "StartTransientUnit"));
        assert_eq!(message.texts, ["a.scope", "replace"]);
    }

    #[test]
    fn a_body_is_aligned_as_the_specification_says() {
        let mut body = Body::default();
        body.properties(&vec![
            ("A".to_owned(), Value::U64(1)),
            ("B".to_owned(), Value::Bool(true)),
        ]);
        let expected: &[u8] = &[
            40, 0, 0, 0, 0, 0, 0, 0, // length, and to the first structure
            1, 0, 0, 0, b'A', 0, 1, b't', 0, 0, 0, 0, 0, 0, 0, 0, // name, signature
            1, 0, 0, 0, 0, 0, 0, 0, // the number
            1, 0, 0, 0, b'B', 0, 1, b'b', 0, 0, 0, 0, 1, 0, 0, 0,
        ];
        assert_eq!(body.0, expected);
    }

    #[test]
    fn answers_are_read() {
        let message = decode(&answer(3, 9, ("a.b.UnitExists", ""), &["it exists"])).unwrap();
        assert_eq!((message.kind, message.reply_to), (Kind::Failure, 9));
        assert_eq!(
            (message.error.as_str(), message.texts[0].as_str()),
            ("a.b.UnitExists", "it exists")
        );
        let bytes = answer(4, 0, ("", "JobRemoved"), &["/job/1", "a.scope", "done"]);
        assert_eq!(decode(&bytes).unwrap().texts, ["/job/1", "a.scope", "done"]);
        for cut in 0..bytes.len() {
            // Nothing that is cut off makes us panic.
            let _ = decode(&bytes[..cut]);
            let _ = length(&bytes[..cut]);
        }
    }
}
