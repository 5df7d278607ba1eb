//! What of a layer waits for its end, by path: attributes of directories, and what hides lower layers.
//! An archive that is mostly zeros can name very much of that, so there is a limit.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Included, Unbounded};
use std::path::{Path, PathBuf};

use super::attributes::Attributes;
use super::document::wrong;
use crate::error::Result;

/// The most bytes of names and attributes that are kept for a layer: a million directories with names of
/// a hundred bytes are less.
const MAX_KEPT: usize = 256 << 20;

/// Paths from the layer's root.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Directories get their attributes at the end: what is made in them changes their times, and their
    /// modes may forbid it. None for one that has no entry of its own.
    directories: BTreeMap<PathBuf, Option<Attributes>>,
    whiteouts: BTreeSet<PathBuf>,
    opaque: BTreeSet<PathBuf>,
    /// Bytes of names and attributes; what was forgotten counts too.
    kept: usize,
    /// Directories without an entry since [`Pending::implied`] was asked.
    implied: u64,
}

impl Pending {
    /// A directory with its entry's attributes, or one that has no entry.
    pub(super) fn directory(&mut self, path: &Path, own: Option<Attributes>) -> Result<()> {
        let extended = own.iter().flat_map(|own| &own.extended);
        let bytes: usize = extended.map(|(name, value)| name.len() + value.len()).sum();
        self.implied += u64::from(own.is_none());
        self.keep(path, bytes)?;
        self.directories.insert(path.to_path_buf(), own);
        Ok(())
    }

    /// A name that was made to hide one of lower layers.
    pub(super) fn whiteout(&mut self, path: &Path) -> Result<()> {
        self.keep(path, 0)?;
        self.whiteouts.insert(path.to_path_buf());
        Ok(())
    }

    /// A directory that hides what lower layers have in it.
    pub(super) fn opaque(&mut self, path: &Path) -> Result<()> {
        self.keep(path, 0)?;
        self.opaque.insert(path.to_path_buf());
        Ok(())
    }

    fn keep(&mut self, path: &Path, more: usize) -> Result<()> {
        self.kept += path.as_os_str().len() + more;
        if self.kept <= MAX_KEPT {
            return Ok(());
        }
        let text = format!(
            "the names and attributes of its directories have more than {MAX_KEPT} bytes, all together"
        );
        Err(wrong(text))
    }

    /// Forgets a path that is removed, with all below it.
    pub(super) fn forget(&mut self, path: &Path) {
        let Pending { directories, whiteouts, opaque, .. } = self;
        // Sorted, so that what is below follows: nothing else is looked at.
        let from = (Included(path), Unbounded);
        for gone in below(directories.range::<Path, _>(from).map(|(it, _)| it), path) {
            directories.remove(&gone);
        }
        for set in [whiteouts, opaque] {
            for gone in below(set.range::<Path, _>(from), path) {
                set.remove(&gone);
            }
        }
    }

    /// How many directories without an entry there have been since it was asked last.
    pub(super) fn implied(&mut self) -> u64 {
        std::mem::take(&mut self.implied)
    }

    /// Whiteouts in opaque directories, where there is nothing to hide, but they would be listed.
    pub(super) fn idle_whiteouts(&self) -> impl Iterator<Item = &Path> {
        let is_idle = |path: &&PathBuf| path.ancestors().skip(1).any(|it| self.opaque.contains(it));
        self.whiteouts.iter().filter(is_idle).map(PathBuf::as_path)
    }

    /// All directories, those below first.
    pub(super) fn into_directories(self) -> impl Iterator<Item = (PathBuf, Option<Attributes>)> {
        self.directories.into_iter().rev()
    }
}

fn below<'a>(sorted: impl Iterator<Item = &'a PathBuf>, path: &Path) -> Vec<PathBuf> {
    sorted.take_while(|it| it.starts_with(path)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_is_forgotten_and_nothing_else() {
        let mut pending = Pending::default();
        for path in ["", "a", "a-b", "a/b", "a/b/c", "ab", "b"] {
            pending.directory(Path::new(path), None).unwrap();
        }
        for path in ["a/w", "a-w", "a/b/w"] {
            pending.whiteout(Path::new(path)).unwrap();
        }
        pending.opaque(Path::new("a/b")).unwrap();
        assert_eq!(pending.idle_whiteouts().collect::<Vec<_>>(), [Path::new("a/b/w")]);
        assert_eq!((pending.implied(), pending.implied()), (7, 0));
        pending.forget(Path::new("a"));
        assert_eq!(pending.whiteouts.len(), 1);
        assert!(pending.opaque.is_empty());
        let left: Vec<_> = pending.into_directories().map(|(path, _)| path).collect();
        assert_eq!(left, ["b", "ab", "a-b", ""].map(PathBuf::from));
    }

    #[test]
    fn not_everything_is_kept() {
        let mut pending = Pending::default();
        let attributes = |length| Attributes {
            uid: 0,
            gid: 0,
            mode: 0o755,
            modified: (0, 0),
            extended: vec![("user.a".to_owned(), vec![0; length])],
        };
        pending.directory(Path::new("a"), Some(attributes(1000))).unwrap();
        let error = pending.directory(Path::new("b"), Some(attributes(MAX_KEPT))).unwrap_err();
        assert!(error.to_string().contains("268435456 bytes, all together"), "{error}");
    }
}
