//! Pure: the platforms that images are made for, by the names that Go gives them (`image-index.md`).

use std::fmt;

use serde::Deserialize;

use crate::error::{Error, Kind, Result};

/// Operating system, architecture and, for some, its variant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `amd64`, `arm64`, ...
    pub architecture: String,
    /// `v7` of arm; empty where there is none.
    #[serde(default)]
    pub variant: String,
}

impl Platform {
    /// This machine's.
    pub fn here() -> Platform {
        let (architecture, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", ""),
            "x86" => ("386", ""),
            "aarch64" => ("arm64", "v8"),
            "arm" => ("arm", "v7"),
            "powerpc64" if cfg!(target_endian = "little") => ("ppc64le", ""),
            "powerpc64" => ("ppc64", ""),
            "loongarch64" => ("loong64", ""),
            other => (other, ""),
        };
        Platform {
            os: "linux".to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        }
    }

    /// Reads `OS/ARCHITECTURE[/VARIANT]`, or an architecture alone, which means linux.
    ///
    /// # Errors
    /// For anything else, and for another system than Linux.
    pub fn parse(text: &str) -> Result<Platform> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match parts[..] {
            [architecture] => ("linux", architecture, ""),
            [os, architecture] => (os, architecture, ""),
            [os, architecture, variant] => (os, architecture, variant),
            _ => ("", "", ""),
        };
        let architecture = match architecture {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        if os != "linux" || architecture.is_empty() {
            let text = format!("`{}` is no platform", text.escape_debug());
            return Err(Error::message(Kind::Usage, text))
                .map_err(|error| error.hinted("write linux/ARCHITECTURE, as linux/arm64"));
        }
        let owned = str::to_owned;
        Ok(Platform { os: owned(os), architecture: owned(architecture), variant: owned(variant) })
    }

    /// How well an image made for `offered` does here: less is better, None is not at all.
    pub(super) fn distance(&self, offered: &Platform) -> Option<u32> {
        if self.os != offered.os || self.architecture != offered.architecture {
            return None;
        }
        let level = |variant: &str| variant.strip_prefix('v').and_then(|it| it.parse::<u32>().ok());
        match (self.architecture.as_str(), self.variant.as_str(), offered.variant.as_str()) {
            (_, wanted, offered) if wanted == offered => Some(0),
            // What has no variant is made for all of them, or for the first.
            (_, _, "") | ("amd64", "", "v1") | ("arm64", "", "v8") => Some(1),
            // An older arm's programs run on a newer one.
            ("arm", wanted, offered) => {
                let wanted = if wanted.is_empty() { 7 } else { level(wanted)? };
                wanted.checked_sub(level(offered)?).map(|steps| steps + 2)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(wanted: &str, offered: &str) -> Option<u32> {
        Platform::parse(wanted).unwrap().distance(&Platform::parse(offered).unwrap())
    }

    #[test]
    fn the_closest_variant() {
        assert_eq!(distance("amd64", "linux/amd64"), Some(0));
        assert_eq!(distance("x86_64", "linux/amd64/v1"), Some(1));
        assert_eq!(distance("amd64", "linux/amd64/v3"), None);
        assert_eq!(distance("arm64/v8".trim_end_matches("/v8"), "linux/arm64/v8"), Some(1));
        assert_eq!(distance("linux/arm64/v8", "linux/arm64"), Some(1));
        assert!(
            distance("linux/arm/v7", "linux/arm/v6") < distance("linux/arm/v7", "linux/arm/v5")
        );
        assert_eq!(distance("linux/arm/v6", "linux/arm/v7"), None);
        assert_eq!(distance("amd64", "arm64"), None);
    }

    #[test]
    fn what_is_no_platform() {
        for text in ["", "windows/amd64", "linux/", "a/b/c/d", "linux"] {
            assert!(Platform::parse(text).is_err() || text == "linux", "{text}");
        }
    }
}
