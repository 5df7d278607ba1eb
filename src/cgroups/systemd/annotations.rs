//! Pure: annotations `org.systemd.property.NAME`, whose values are written as GVariant texts: what of
//! that syntax units need.

use std::collections::BTreeMap;

use super::wire::{Properties, Value};
use crate::error::{Error, Result};

const PREFIX: &str = "org.systemd.property.";

/// The properties that annotations ask for.
///
/// # Errors
/// A name that is none, a value that cannot be read.
pub(super) fn properties(annotations: &BTreeMap<String, String>) -> Result<Properties> {
    let mut properties = Properties::new();
    for (key, text) in annotations {
        let Some(name) = key.strip_prefix(PREFIX) else { continue };
        let wrong = |text: &str| Error::config(format!("/annotations/{key}"), text);
        if name.len() < 3 || !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(wrong("is no name of a unit's property"));
        }
        let unreadable = || wrong("is no value like true, 'text', uint64 5 or ['a', 'b']");
        let value = value(text.trim()).ok_or_else(unreadable)?;
        properties.push(in_microseconds(name, value).ok_or_else(unreadable)?);
    }
    Ok(properties)
}

/// Unit files have seconds (`TimeoutStopSec`), and the bus microseconds (`TimeoutStopUSec`).
fn in_microseconds(name: &str, value: Value) -> Option<(String, Value)> {
    let Some(stem) = name.strip_suffix("Sec").filter(|stem| !stem.ends_with('U')) else {
        return Some((name.to_owned(), value));
    };
    let seconds = match value {
        Value::I32(seconds) => f64::from(seconds),
        Value::U32(seconds) => f64::from(seconds),
        Value::I64(seconds) => seconds as f64,
        Value::U64(seconds) => seconds as f64,
        Value::F64(seconds) => seconds,
        _ => return None,
    };
    (seconds >= 0.0).then(|| (format!("{stem}USec"), Value::U64((seconds * 1e6) as u64)))
}

fn value(text: &str) -> Option<Value> {
    if let Some((kind, number)) = text.split_once(' ') {
        let number = number.trim();
        match kind {
            "int32" => return number.parse().ok().map(Value::I32),
            "uint32" => return number.parse().ok().map(Value::U32),
            "int64" => return number.parse().ok().map(Value::I64),
            "uint64" => return number.parse().ok().map(Value::U64),
            "double" => return number.parse().ok().map(Value::F64),
            _ => {}
        }
    }
    match text {
        "true" => return Some(Value::Bool(true)),
        "false" => return Some(Value::Bool(false)),
        _ => {}
    }
    if let Ok(number) = text.parse() {
        return Some(Value::I32(number));
    }
    if let Some(number) = text.parse().ok().filter(|_| text.contains('.')) {
        return Some(Value::F64(number));
    }
    match text.strip_prefix("@as ").unwrap_or(text).trim().strip_prefix('[') {
        Some(inside) => texts(inside.strip_suffix(']')?.trim()).map(Value::Texts),
        None => match quoted(text)? {
            (whole, "") => Some(Value::Text(whole)),
            _ => None,
        },
    }
}

fn texts(mut rest: &str) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    while !rest.is_empty() {
        let (text, after) = quoted(rest)?;
        texts.push(text);
        rest = after.trim_start();
        if !rest.is_empty() {
            rest = rest.strip_prefix(',')?.trim_start();
        }
    }
    Some(texts)
}

/// A text in either kind of quotes, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let mut inside = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => inside.push(characters.next()?.1),
            character if character == quote => return Some((inside, &text[at + 1..])),
            character => inside.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str, value: &str) -> Result<Properties> {
        properties(&[(format!("{PREFIX}{key}"), value.to_owned())].into())
    }

    #[test]
    fn every_kind_of_value() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (key, value, name, expected) in [
            ("CollectMode", "'inactive-or-failed'", "CollectMode", text("inactive-or-failed")),
            ("Description", r#""it\'s""#, "Description", text("it's")),
            ("Delegate", "false", "Delegate", Value::Bool(false)),
            ("TimeoutStopUSec", "uint64 5", "TimeoutStopUSec", Value::U64(5)),
            ("TimeoutStopSec", "2.5", "TimeoutStopUSec", Value::U64(2_500_000)),
            ("TimeoutStopSec", "7", "TimeoutStopUSec", Value::U64(7_000_000)),
            ("OOMScoreAdjust", "-5", "OOMScoreAdjust", Value::I32(-5)),
            (
                "After",
                "['a.service', 'b.service']",
                "After",
                Value::Texts(vec!["a.service".to_owned(), "b.service".to_owned()]),
            ),
            ("After", "@as []", "After", Value::Texts(vec![])),
        ] {
            assert_eq!(read(key, value).unwrap(), [(name.to_owned(), expected)], "{key} {value}");
        }
        let other = [("org.example".to_owned(), "x".to_owned())].into();
        assert_eq!(properties(&other).unwrap(), []);
    }

    #[test]
    fn mistakes_are_named() {
        for (key, value) in [
            ("After", "['a'"),
            ("After", "['a' 'b']"),
            ("Description", "word"),
            ("Description", "'open"),
            ("TimeoutStopSec", "'5'"),
            ("TimeoutStopSec", "-1"),
            ("", "true"),
            ("A.B", "true"),
        ] {
            let error = read(key, value).unwrap_err().to_string();
            assert!(error.starts_with(&format!("/annotations/{PREFIX}{key}: ")), "{error}");
        }
    }
}
