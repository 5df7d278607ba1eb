//! `--trace`: the file that a verb leaves beside what it does.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::create::absolute;
use crate::error::{Context, Error, Result};
use crate::trace;

/// The file, which can be written, but holds nothing yet.
pub(super) struct TraceFile(PathBuf);

impl TraceFile {
    /// Begins to record. The file is made now, so that a path that leads nowhere is told before
    /// anything is done, and closed again: the verb may be about to hand on descriptors, and to clone.
    pub(super) fn begin(path: &Path) -> Result<TraceFile> {
        let file = TraceFile(absolute(path)?);
        file.put("").context(|| "--trace")?;
        trace::begin("rrun");
        Ok(file)
    }

    /// Writes it, whether the verb did what it should or not. A trace that cannot be written undoes
    /// nothing: the container is there.
    pub(super) fn write(self) {
        if let Err(error) = self.put(&trace::document()) {
            log::warn!("--trace: {error}");
        }
    }

    fn put(&self, text: &str) -> Result<()> {
        let open =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&self.0);
        open.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
            .map_err(|error| Error::io("open", format!("`{}`", self.0.display()), &error))
    }
}
