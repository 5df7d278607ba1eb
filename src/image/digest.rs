//! Pure: digests of contents, as the image-spec writes them (`descriptor.md`): `sha256:` and 64 hexadecimal
//! digits, `sha512:` and 128.

use std::fmt;

use sha2::{Digest as _, Sha256, Sha512};

use crate::error::{Error, Kind, Result};

/// A digest. Only what is known to be lower-case hexadecimal is one, so that it is safe as a file's
/// name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    hex: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Algorithm {
    Sha256,
    Sha512,
}

impl Digest {
    /// Reads `ALGORITHM:HEX`.
    ///
    /// # Errors
    /// For another algorithm, another length, or anything but lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Digest> {
        let wrong = |why: &str| {
            let text = format!("`{}` is no digest: {why}", text.escape_debug());
            Err(Error::message(Kind::Config, text))
        };
        let (algorithm, length, hex) = match text.split_once(':') {
            Some(("sha256", hex)) => (Algorithm::Sha256, 64, hex),
            Some(("sha512", hex)) => (Algorithm::Sha512, 128, hex),
            Some(_) => return wrong("rrun knows sha256 and sha512"),
            None => return wrong("it has no `ALGORITHM:` in front"),
        };
        if hex.len() != length || !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            return wrong(&format!("{length} lower-case hexadecimal digits must follow"));
        }
        Ok(Digest { algorithm, hex: hex.to_owned() })
    }

    /// The name of the algorithm, as directories of blobs have it.
    pub fn algorithm(&self) -> &'static str {
        match self.algorithm {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// The hexadecimal digits.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The first digits, enough for people to tell one from another.
    pub fn short(&self) -> &str {
        &self.hex[..12]
    }

    /// Begins to compute a digest of the same algorithm.
    pub(super) fn hasher(&self) -> Hasher {
        match self.algorithm {
            Algorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            Algorithm::Sha512 => Hasher::Sha512(Box::new(Sha512::new())),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm(), self.hex)
    }
}

/// A digest being computed.
pub(super) enum Hasher {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of everything so far.
    pub(super) fn finish(self) -> Digest {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Hasher::Sha256(hasher) => {
                Digest { algorithm: Algorithm::Sha256, hex: hex(&hasher.finalize()) }
            }
            Hasher::Sha512(hasher) => {
                Digest { algorithm: Algorithm::Sha512, hex: hex(&hasher.finalize()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_one_is_a_digest() {
        let good = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(Digest::parse(&good).unwrap().to_string(), good);
        assert_eq!(Digest::parse(&format!("sha512:{}", "ff".repeat(64))).unwrap().hex().len(), 128);
        for text in [
            "".to_owned(),
            "sha256".to_owned(),
            "sha256:".to_owned(),
            format!("sha256:{}", "0A".repeat(32)),
            format!("sha256:{}", "0a".repeat(31)),
            format!("sha256:../../{}", "0".repeat(58)),
            format!("sha256:{}/", "0".repeat(63)),
            format!("md5:{}", "0".repeat(32)),
            format!("sha256:{}\n", "0a".repeat(32)),
        ] {
            let error = Digest::parse(&text).unwrap_err().to_string();
            assert!(error.contains("is no digest"), "{error}");
        }
    }

    #[test]
    fn computes() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::parse(empty).unwrap().hasher().finish().to_string(), empty);
        let mut hasher = Digest::parse(&format!("sha512:{}", "0".repeat(128))).unwrap().hasher();
        hasher.update(b"abc");
        assert!(hasher.finish().hex().starts_with("ddaf35a193617abacc417349ae204131"));
    }
}
