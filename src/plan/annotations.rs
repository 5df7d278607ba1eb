//! crun's annotations `run.oci.*`, as far as bundles use them that were written for it.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::spec;
use crate::spec::{Config, escape_pointer};

/// What they ask for.
#[derive(Debug, Default)]
pub(super) struct Annotations {
    /// The supplementary groups of rrun's caller stay.
    pub(super) keep_groups: bool,
    /// Where the output of hooks goes.
    pub(super) hooks_stdout: Option<PathBuf>,
    /// Where the errors of hooks go.
    pub(super) hooks_stderr: Option<PathBuf>,
    /// The socket that gets a pidfd.
    pub(super) pidfd_receiver: Option<PathBuf>,
    /// The socket that gets the seccomp listener where the profile names none.
    pub(super) seccomp_receiver: Option<PathBuf>,
}

impl Annotations {
    /// Reads them. Relative paths start at the bundle, as everywhere in config.json.
    pub(super) fn read(config: &Config, bundle: &Path) -> Result<Annotations> {
        let path = |name: &str| -> Result<Option<PathBuf>> {
            let Some(value) = config.annotations.get(name) else { return Ok(None) };
            if value.is_empty() || value.contains('\0') {
                let pointer = format!("/annotations/{}", escape_pointer(name));
                return Err(Error::config(pointer, "is no path"));
            }
            Ok(Some(bundle.join(value)))
        };
        Ok(Annotations {
            // Its presence counts, not its value.
            keep_groups: config.annotations.contains_key("run.oci.keep_original_groups"),
            hooks_stdout: path("run.oci.hooks.stdout")?,
            hooks_stderr: path("run.oci.hooks.stderr")?,
            pidfd_receiver: path("run.oci.pidfd_receiver")?,
            seccomp_receiver: path("run.oci.seccomp.receiver")?,
        })
    }

    /// The profile with its agent.
    pub(super) fn complete(&self, seccomp: &spec::Seccomp) -> spec::Seccomp {
        let mut seccomp = seccomp.clone();
        if let (true, Some(path)) =
            (seccomp.listener_path.as_os_str().is_empty(), &self.seccomp_receiver)
        {
            seccomp.listener_path.clone_from(path);
        }
        seccomp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Annotations> {
        let config = spec::parse(format!(r#"{{"annotations":{text}}}"#).as_bytes())?;
        Annotations::read(&config, Path::new("/bundle"))
    }

    #[test]
    fn paths_start_at_the_bundle() {
        let found = read(
            r#"{"run.oci.hooks.stdout":"out","run.oci.pidfd_receiver":"/run/p",
                "run.oci.keep_original_groups":"1","run.oci.seccomp.receiver":"s"}"#,
        );
        let found = found.unwrap();
        assert!(found.keep_groups);
        assert_eq!(found.hooks_stdout.as_deref(), Some(Path::new("/bundle/out")));
        assert_eq!(found.pidfd_receiver.as_deref(), Some(Path::new("/run/p")));
        let path = |text: &str| {
            let seccomp: spec::Seccomp = spec::parse(text.as_bytes()).unwrap();
            found.complete(&seccomp).listener_path
        };
        assert_eq!(path("{}"), Path::new("/bundle/s"));
        assert_eq!(path(r#"{"listenerPath":"/a"}"#), Path::new("/a"));
        assert!(!read("{}").unwrap().keep_groups);
    }

    #[test]
    fn mistakes_are_named() {
        let error = read(r#"{"run.oci.hooks.stderr":""}"#).unwrap_err().to_string();
        assert_eq!(error, "/annotations/run.oci.hooks.stderr: is no path");
    }
}
