//! `spec`: a config.json to begin with.

use std::io::Write;
use std::path::PathBuf;

use super::Call;
use crate::cli;
use crate::error::{Context, Error, Result};

/// A shell in a read-only `rootfs`, with the namespaces, mounts and limits that all runtimes start
/// with.
const TEMPLATE: &str = include_str!("spec.json");

/// Writes it. A file that exists is somebody's work and stays.
pub(super) fn spec(_call: &mut Call<'_>, args: &cli::Spec) -> Result<i32> {
    if args.rootless {
        return Err(Error::unsupported("spec --rootless"));
    }
    let directory = args.bundle.clone().unwrap_or_else(|| PathBuf::from("."));
    let path = directory.join(args.file.clone().unwrap_or_else(|| PathBuf::from("config.json")));
    let file = std::fs::File::create_new(&path);
    file.and_then(|mut file| file.write_all(TEMPLATE.as_bytes()))
        .map_err(|error| Error::io("open", format!("`{}`", path.display()), &error))
        .context(|| "write a new config.json")?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    #[test]
    fn what_is_written_can_be_read() {
        let config: spec::Config = spec::parse(TEMPLATE.as_bytes()).unwrap();
        assert_eq!(config.process.unwrap().args, ["sh"]);
        assert_eq!(config.linux.namespaces.len(), 6);
    }
}
