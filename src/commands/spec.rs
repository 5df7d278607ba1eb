//! `spec`: a config.json to begin with.

use std::io::Write;
use std::path::PathBuf;

use crate::bundle::Document;
use crate::cli;
use crate::error::{Context, Error, Result};
use crate::host::Host;

/// Writes it. A file that exists is somebody's work and stays.
pub(super) fn spec(host: &Host, args: &cli::Spec) -> Result<i32> {
    let mut document = Document::example();
    document.rootless = args.rootless.then(|| (vec![(host.euid(), 1)], vec![(host.egid(), 1)]));
    let text = document.to_json()?;
    let directory = args.bundle.clone().unwrap_or_else(|| PathBuf::from("."));
    let path = directory.join(args.file.clone().unwrap_or_else(|| PathBuf::from("config.json")));
    let file = std::fs::File::create_new(&path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Error::io("open", format!("`{}`", path.display()), &error))
        .context(|| "write a new config.json")?;
    Ok(0)
}
