//! The pid file (`--pid-file`).

use std::io::Write;
use std::path::Path;

use crate::error::{Context, Error, Result};
use crate::sys;

/// A pid file that goes again unless the container is created.
pub(super) struct PidFile<'a>(Option<&'a Path>);

impl<'a> PidFile<'a> {
    /// Written beside its place and renamed, without a newline: callers read it the moment it is
    /// there, and containerd parses it with Atoi.
    pub(super) fn write(path: &'a Path, pid: i32) -> Result<PidFile<'a>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".{name}.{}", sys::process::own_pid()));
        // What a process of our pid left that died here. Whatever is made in its place meanwhile, a
        // symlink for example, is not written through.
        let _ = std::fs::remove_file(&temporary);
        let written = std::fs::File::create_new(&temporary)
            .and_then(|mut file| file.write_all(pid.to_string().as_bytes()))
            .and_then(|()| std::fs::rename(&temporary, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        written
            .map_err(|error| Error::io("write", format!("`{}`", path.display()), &error))
            .context(|| "write the pid file")?;
        Ok(PidFile(Some(path)))
    }

    pub(super) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for PidFile<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}
