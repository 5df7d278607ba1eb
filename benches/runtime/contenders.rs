//! Who takes part: rrun, its peers as far as they are installed, and the floor.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Options;
use crate::bundles::Work;

/// A runtime, or the floor.
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) program: PathBuf,
    /// Bytes of the binary.
    pub(crate) size: u64,
    pub(crate) is_floor: bool,
    state: PathBuf,
}

impl Contender {
    /// `PROGRAM --root DIR VERB...`
    pub(crate) fn verb(&self, words: &[&str]) -> Vec<OsString> {
        let mut all = vec![self.program.clone().into(), "--root".into(), self.state.clone().into()];
        all.extend(words.iter().map(OsString::from));
        all
    }

    /// Neither ours nor the floor: what of these fails is a fault.
    pub(crate) fn is_peer(&self) -> bool {
        !self.is_floor && !self.is_ours()
    }

    /// Only ours has union root file systems.
    pub(crate) fn is_ours(&self) -> bool {
        self.version.starts_with("rrun")
    }
}

/// The runtime under test first, then the peers that are there, then the floor.
pub(crate) fn find(options: &Options, work: &Work) -> Vec<Contender> {
    let mut all = Vec::new();
    let ours = options.runtime.to_string_lossy().into_owned();
    for name in std::iter::once(&ours).chain(&options.peers) {
        match runtime(name, work) {
            Some(contender) => all.push(contender),
            None => println!("{name} is not here, and left out"),
        }
    }
    if all.iter().any(|one| one.version.starts_with("crun")) {
        work.suit_crun();
    }
    let size = std::fs::metadata(&work.floor).map_or(0, |it| it.len());
    all.push(Contender {
        name: "floor".to_owned(),
        version: "the kernel's part alone".to_owned(),
        program: work.floor.clone(),
        size,
        is_floor: true,
        state: PathBuf::new(),
    });
    all
}

fn runtime(name: &str, work: &Work) -> Option<Contender> {
    let found = Command::new("sh").args(["-c", "command -v \"$0\"", name]).output().ok()?;
    let program = PathBuf::from(String::from_utf8(found.stdout).ok()?.trim());
    let version = Command::new(&program).arg("--version").output().ok()?;
    let version = String::from_utf8(version.stdout).ok()?.lines().next()?.trim().to_owned();
    let short = Path::new(name).file_name()?.to_string_lossy().into_owned();
    let state = work.state().join(&short);
    std::fs::create_dir_all(&state).ok()?;
    let size = std::fs::metadata(&program).ok()?.len();
    Some(Contender { name: short, version, program, size, is_floor: false, state })
}
