//! config.json as written (runtime-spec 1.3, Linux): types that mirror the document, and a tolerant
//! reader.
//!
//! Nothing is decided here. Members that are missing, null or empty read alike (Go, in which the
//! callers are written, does not tell them apart); names from a fixed set (namespace types,
//! capabilities, …) stay strings until `plan` gives them their meaning, so that an error can name
//! the place. Unknown members are ignored, as the spec demands.

mod linux;
mod process;
mod resources;

use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::error::{Context, Error, Kind, Result};
use crate::sys;

pub use linux::*;
pub use process::*;
pub use resources::*;

/// The largest document that is read, in bytes. Real ones have a few thousand.
const SIZE_LIMIT: u64 = 32 << 20;

/// config.json (config.md).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Config {
    /// The version of the spec that the bundle was written for.
    #[serde(deserialize_with = "or_default")]
    pub oci_version: String,
    /// The root file system.
    pub root: Option<Root>,
    /// Mounts beyond the root, in order.
    #[serde(deserialize_with = "or_default")]
    pub mounts: Vec<Mount>,
    /// The program; optional until `start`.
    pub process: Option<Process>,
    /// The container's host name.
    #[serde(deserialize_with = "or_default")]
    pub hostname: String,
    /// The container's NIS domain name.
    #[serde(deserialize_with = "or_default")]
    pub domainname: String,
    /// Commands to run at moments of the lifecycle.
    #[serde(deserialize_with = "or_default")]
    pub hooks: Hooks,
    /// Arbitrary metadata.
    #[serde(deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
    /// What only Linux has.
    #[serde(deserialize_with = "or_default")]
    pub linux: Linux,
}

/// `root`: the container's root file system.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Root {
    /// Its directory, absolute or relative to the bundle.
    #[serde(deserialize_with = "or_default")]
    pub path: PathBuf,
    /// Whether it is mounted read-only.
    #[serde(deserialize_with = "or_default")]
    pub readonly: bool,
}

/// One member of `mounts`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Mount {
    /// Where it goes, inside the container.
    #[serde(deserialize_with = "or_default")]
    pub destination: PathBuf,
    /// The file system type.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// A device, directory or name, as the type wants it.
    pub source: Option<String>,
    /// Options as mount(8) has them.
    #[serde(deserialize_with = "or_default")]
    pub options: Vec<String>,
    /// Mapping of user ids, for an idmapped mount.
    #[serde(deserialize_with = "or_default")]
    pub uid_mappings: Vec<IdMapping>,
    /// Mapping of group ids, for an idmapped mount.
    #[serde(deserialize_with = "or_default")]
    pub gid_mappings: Vec<IdMapping>,
}

/// `hooks` (config.md, POSIX-platform hooks).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Hooks {
    /// After the namespaces, before the pivot; deprecated.
    #[serde(deserialize_with = "or_default")]
    pub prestart: Vec<Hook>,
    /// After the namespaces, before the pivot, in the runtime's namespaces.
    #[serde(deserialize_with = "or_default")]
    pub create_runtime: Vec<Hook>,
    /// Before the pivot, in the container's namespaces.
    #[serde(deserialize_with = "or_default")]
    pub create_container: Vec<Hook>,
    /// Before the program, inside the container.
    #[serde(deserialize_with = "or_default")]
    pub start_container: Vec<Hook>,
    /// After the program has started.
    #[serde(deserialize_with = "or_default")]
    pub poststart: Vec<Hook>,
    /// After the container is deleted.
    #[serde(deserialize_with = "or_default")]
    pub poststop: Vec<Hook>,
}

/// One hook.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Hook {
    /// The absolute path of the command.
    #[serde(deserialize_with = "or_default")]
    pub path: PathBuf,
    /// Its argument vector, argv\[0\] included.
    #[serde(deserialize_with = "or_default")]
    pub args: Vec<String>,
    /// Its environment; None inherits nothing but rrun's rule for the hook's place.
    pub env: Option<Vec<String>>,
    /// Seconds after which it is killed.
    pub timeout: Option<i64>,
}

/// Reads null as the default, as Go does.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

impl Config {
    /// Reads the config.json of a bundle, or the file that `--config` names instead.
    ///
    /// # Errors
    /// A missing or unreadable file, and any mistake in it, with the JSON pointer of the member.
    pub fn read(path: &Path) -> Result<Config> {
        let bytes = read_document(path)
            .context(|| format!("read `{}`", path.display()))
            .hint(|| "a bundle is a directory with a config.json; `rrun spec` writes one")?;
        parse(&bytes).context(|| format!("read `{}`", path.display()))
    }
}

/// Reads one document alone: `linux.resources`, as `update --resources` takes it, or `process`, as
/// `exec --process` does.
///
/// # Errors
/// As [`parse`].
pub fn read_file<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = read_document(path).context(|| format!("read `{}`", path.display()))?;
    parse(&bytes).context(|| format!("read `{}`", path.display()))
}

/// The same from standard input.
///
/// # Errors
/// As [`parse`].
pub fn read_standard_input() -> Result<Resources> {
    let mut bytes = Vec::new();
    let mut input = std::io::stdin().lock().take(SIZE_LIMIT);
    input.read_to_end(&mut bytes).map_err(|error| Error::io("read", "standard input", &error))?;
    parse(&bytes)
}

/// Parses a document. A mistake is reported with the JSON pointer of the member.
///
/// # Errors
/// Malformed JSON and values of the wrong type.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    // Derived readers take an array for an object, member by member; no document of ours is one.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Error::message(Kind::Config, "not valid JSON: expected an object"));
    }
    // The quick way first; only a document that is wrong is read again to learn where.
    if let Ok(document) = serde_json::from_slice(bytes) {
        return Ok(document);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize(&mut deserializer) {
        Ok(document) => match deserializer.end() {
            Ok(()) => Ok(document),
            Err(error) => Err(Error::message(Kind::Config, format!("not valid JSON: {error}"))),
        },
        Err(error) => {
            let pointer = pointer(error.path());
            let inner = error.inner();
            if inner.is_data() && !pointer.is_empty() {
                Err(Error::config(pointer, inner))
            } else {
                Err(Error::message(Kind::Config, format!("not valid JSON: {inner}")))
            }
        }
    }
}

/// A serde path as an RFC 6901 pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let text = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => escape_pointer(key),
            Segment::Enum { variant } => escape_pointer(variant),
            Segment::Unknown => "?".to_owned(),
        };
        pointer.push('/');
        pointer.push_str(&text);
    }
    pointer
}

/// A member name as one step of an RFC 6901 pointer.
pub fn escape_pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Reads a regular file of bounded size. Opened without blocking, so that a fifo in its place is an
/// error and not a hang.
///
/// # Errors
/// As open(2) and read(2), and whatever is no file, or too large.
pub fn read_document(path: &Path) -> Result<Vec<u8>> {
    let fd = sys::file::open(path, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY)?;
    let stat = sys::file::fstat(fd.as_fd())?;
    match sys::file::file_type(&stat) {
        sys::file::FileType::RegularFile => {}
        sys::file::FileType::Directory => {
            return Err(Error::call("read", format!("`{}`", path.display()), libc::EISDIR));
        }
        _ => return Err(Error::message(Kind::Config, "not a regular file")),
    }
    if stat.st_size as u64 > SIZE_LIMIT {
        let text = format!("{} bytes are more than the {SIZE_LIMIT} that are read", stat.st_size);
        return Err(Error::message(Kind::Config, text));
    }
    sys::io::read_all(fd.as_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_str(text: &str) -> Result<Config> {
        parse(text.as_bytes())
    }

    #[test]
    fn missing_null_and_empty_read_alike() {
        for text in [
            r#"{"ociVersion":"1.3.0"}"#,
            r#"{"ociVersion":"1.3.0","mounts":null,"linux":null,"hooks":null,"process":null}"#,
            r#"{"ociVersion":"1.3.0","mounts":[],"linux":{"maskedPaths":null},"hooks":{}}"#,
        ] {
            let config = parse_str(text).unwrap();
            assert!(config.mounts.is_empty());
            assert!(config.linux.masked_paths.is_empty());
            assert!(config.process.is_none());
        }
    }

    #[test]
    fn unknown_members_are_ignored() {
        assert!(parse_str(r#"{"ociVersion":"1.0.2","x":{"y":[1]},"linux":{"z":0}}"#).is_ok());
    }

    #[test]
    fn a_wrong_type_names_its_place() {
        let error = parse_str(r#"{"ociVersion":"1","process":{"user":{"uid":"root"}}}"#);
        let text = error.unwrap_err().to_string();
        assert!(text.starts_with("/process/user/uid: invalid type: string"), "{text}");
        let error = parse_str(r#"{"mounts":[{"destination":"/a"},{"options":[1]}]}"#);
        assert!(error.unwrap_err().to_string().starts_with("/mounts/1/options/0: "));
    }

    #[test]
    fn broken_json_says_so() {
        for text in ["", "{", "[]", "nul", "{}{}", "\u{0}", r#"{"a":1,}"#] {
            let error = parse_str(text).unwrap_err();
            assert_eq!(error.kind(), Kind::Config, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(parse_str(&deep).unwrap_err().to_string().contains("not valid JSON"));
        let deep = r#"{"a":"#.repeat(100_000);
        assert!(parse_str(&deep).unwrap_err().to_string().contains("not valid JSON"));
    }

    #[test]
    fn pointers_are_escaped() {
        assert_eq!(escape_pointer("a/b~c"), "a~1b~0c");
    }

    fn fixtures(directory: &str) -> Vec<PathBuf> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(directory);
        let entries = std::fs::read_dir(path).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|it| it == "json")).collect()
    }

    #[test]
    fn the_examples_of_the_spec_are_read() {
        for path in fixtures("spec/test/config/good") {
            assert!(Config::read(&path).is_ok(), "{}", path.display());
        }
        for name in ["invalid-json.json", "linux-netdevice.json", "linux-rdma.json"] {
            let path =
                format!("{}/tests/fixtures/spec/test/config/bad", env!("CARGO_MANIFEST_DIR"));
            assert!(Config::read(&Path::new(&path).join(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn what_engines_write_is_read() {
        let paths = fixtures("engines");
        assert!(paths.len() >= 12);
        for path in paths {
            let config = Config::read(&path).unwrap();
            assert!(!config.process.unwrap().args.is_empty(), "{}", path.display());
        }
    }
}
