//! Values in the words of Go programs: sizes, durations and users.

use std::time::Duration;

/// Bytes: a number with or without a unit of 1024 (`64M`, `1.5g`, `100kb`, `32MiB`), or -1.
pub(super) fn bytes(text: &str) -> Result<i64, String> {
    if text == "-1" {
        return Ok(-1);
    }
    let wrong = || format!("`{}` is no size like 64M, nor -1", text.escape_debug());
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start().to_ascii_lowercase();
    let shift = match unit.strip_suffix("ib").or(unit.strip_suffix('b')).unwrap_or(&unit) {
        "" if unit.ends_with("ib") => return Err(wrong()),
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        "p" => 50,
        _ => return Err(wrong()),
    };
    if let Ok(whole) = number.parse::<i64>() {
        return whole.checked_mul(1 << shift).ok_or_else(wrong);
    }
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let bytes = number * (1_i64 << shift) as f64;
    if bytes < i64::MAX as f64 { Ok(bytes as i64) } else { Err(wrong()) }
}

/// Bytes that a limit may have: not 0, which would mean none to some and nothing at all to others.
pub(super) fn limit(text: &str) -> Result<i64, String> {
    match bytes(text)? {
        0 => Err("0 is no limit; write -1 for none".to_owned()),
        bytes => Ok(bytes),
    }
}

/// A number of processes, or -1.
pub(super) fn count(text: &str) -> Result<i64, String> {
    let count = text.parse().ok().filter(|count| *count == -1 || *count > 0);
    count.ok_or_else(|| format!("`{}` is no number above 0, nor -1", text.escape_debug()))
}

/// A number of processors, at least a hundredth: the least that the kernel gives.
pub(super) fn processors(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| (0.01..=1e6).contains(number));
    number.ok_or_else(|| {
        format!("`{}` is no number of processors, 0.01 or more", text.escape_debug())
    })
}

/// A host name as sethostname(2) takes it.
pub(super) fn host_name(text: &str) -> Result<String, String> {
    if (1..=64).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err("a host name has 1 to 64 bytes".to_owned())
}

/// A length of time: numbers with units, `5s`, `1m30s`, `1.5h`, `100ms`; or 0.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{}` is no time like 5s", text.escape_debug());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut nanoseconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, after) = rest.split_at(end);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return Err(wrong()),
        };
        nanoseconds += number.parse::<f64>().map_err(|_| wrong())? * unit;
        rest = after;
    }
    // As long as Go's, 292 years; longer ones would be no moment of the clock.
    if text.is_empty() || nanoseconds > i64::MAX as f64 {
        return Err(wrong());
    }
    Ok(Duration::from_nanos(nanoseconds as u64))
}

/// `ADDRESS:PORT`; an address of IPv6 may be in brackets.
pub(super) fn server(text: &str) -> Result<(String, u16), String> {
    let wrong = || format!("`{}` is no ADDRESS:PORT", text.escape_debug());
    let (address, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let inner = address.strip_prefix('[').and_then(|address| address.strip_suffix(']'));
    let address = inner.unwrap_or(address);
    let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
    if address.is_empty() { Err(wrong()) } else { Ok((address.to_owned(), port)) }
}

/// A user by number, and a group where one is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserAndGroup {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: Option<u32>,
}

/// `UID` or `UID:GID`, and nothing that a lenient reader would take for 0 (CVE-2026-30892).
pub(super) fn user(text: &str) -> Result<UserAndGroup, String> {
    let (uid, gid) = match text.split_once(':') {
        Some((uid, gid)) => (uid, Some(id(gid)?)),
        None => (text, None),
    };
    Ok(UserAndGroup { uid: id(uid)?, gid })
}

/// A user or group by number. 4294967295 is none: for the kernel it means "unchanged".
pub(super) fn id(text: &str) -> Result<u32, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let id = text.parse().ok().filter(|id| digits && *id != u32::MAX);
    id.ok_or_else(|| format!("`{}` is no number of a user or group", text.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers() {
        for (text, address) in [("10.0.0.1:27", "10.0.0.1"), ("[::1]:27", "::1"), ("h:27", "h")] {
            assert_eq!(server(text), Ok((address.to_owned(), 27)), "{text}");
        }
        for text in ["", "h", "h:", ":27", "h:0", "h:65536", "h:x"] {
            assert!(server(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, milliseconds) in [
            ("5s", 5000),
            ("1m30s", 90_000),
            ("1.5h", 5_400_000),
            ("100ms", 100),
            ("2000µs", 2),
            ("0", 0),
            (".5s", 500),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "5", "s", "5 s", "-5s", "5d", "5s5", "1.2.3s", "1e3s", "999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("0", 0),
            ("-1", -1),
            ("1048576", 1 << 20),
            ("100b", 100),
            ("64M", 64 << 20),
            ("64m", 64 << 20),
            ("100kb", 100 << 10),
            ("32MiB", 32 << 20),
            ("1.5g", 3 << 29),
            ("1 G", 1 << 30),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "-2",
            "M",
            "ib",
            "5x",
            "5ib",
            "1.2.3",
            "9223372036854775808",
            "9000000P",
            "1e3",
            "é",
        ] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn limits() {
        assert_eq!(
            (limit("64M"), limit("-1"), count("7"), count("-1")),
            (Ok(64 << 20), Ok(-1), Ok(7), Ok(-1))
        );
        assert_eq!((processors("0.5"), processors("2")), (Ok(0.5), Ok(2.0)));
        for text in ["0", "", "-2", "x"] {
            assert!(limit(text).is_err() && count(text).is_err(), "{text}");
            assert!(processors(text).is_err(), "{text}");
        }
        for text in ["nan", "inf", "0.009", "1e7"] {
            assert!(processors(text).is_err(), "{text}");
        }
        assert!(host_name("").is_err() && host_name(&"x".repeat(65)).is_err());
        assert_eq!(host_name("box"), Ok("box".to_owned()));
    }

    #[test]
    fn users_and_groups() {
        assert_eq!(user("1"), Ok(UserAndGroup { uid: 1, gid: None }));
        assert_eq!(user("0:7"), Ok(UserAndGroup { uid: 0, gid: Some(7) }));
        assert_eq!(user("4294967294:00"), Ok(UserAndGroup { uid: 4_294_967_294, gid: Some(0) }));
        for text in
            ["", ":", "1:", ":1", "+1", "-1", "1 ", "root", "0x1", "1:2:3", "4294967295", "1e3"]
        {
            assert!(user(text).is_err(), "{text}");
        }
    }
}
