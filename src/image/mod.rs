//! Images: a layout or an archive becomes layer directories, which the union root file system
//! (`rootfs`) joins.
//!
//! A place (`source`) and what is wanted of it (`reference`) lead to one image (`select`), which is a
//! configuration and layers. Each layer is a blob that is verified while it is read and decompressed
//! (`blob`, `stream`), a tar archive (`tar`), and at the end a directory (`layer`) under the name of
//! its contents (`store`). `unpack` does several at a time, `stack` looks into the result.

mod attributes;
mod blob;
mod contents;
mod digest;
mod document;
mod layer;
mod name;
mod pending;
mod platform;
mod progress;
mod reference;
mod remove;
mod select;
mod source;
mod stack;
mod store;
mod stream;
mod tar;
mod unpack;

use std::path::{Path, PathBuf};

use crate::error::{Context, Result};

pub use attributes::Rights;
pub use digest::Digest;
pub use platform::Platform;
pub use progress::Display;
pub use stack::Stack;

use progress::Progress;
use select::{Asked, select};
use source::Source;
use store::Store;
use stream::Budget;
use unpack::{Job, Work};

/// What is to be unpacked, and how.
pub struct Request<'a> {
    /// `PATH`, `PATH:TAG`, `PATH@DIGEST`, or `-` for the path.
    pub image: &'a str,
    /// The bundle's own layers: a directory that is made if it is missing.
    pub own: &'a Path,
    /// A store that bundles share, in place of that.
    pub store: Option<&'a Path>,
    /// The platform to choose, if not this machine's.
    pub platform: Option<Platform>,
    /// The most bytes that all layers together may have once unpacked.
    pub max_size: u64,
    /// The most files that they may have.
    pub max_entries: u64,
    /// What we may do.
    pub rights: Rights,
}

/// An image that is unpacked.
#[derive(Debug)]
pub struct Unpacked {
    /// The directories of its layers, absolute, lowest first.
    pub layers: Vec<PathBuf>,
    /// The same as one tree.
    pub tree: Stack,
    /// The image's configuration, as it came.
    pub configuration: Vec<u8>,
    /// Sentences about what was left out.
    pub notes: Vec<String>,
}

/// Unpacks an image.
///
/// # Errors
/// Where the image cannot be read or is not what its digests say, where a layer wants to lead out of
/// its directory, where a limit is reached. What was made of a layer is removed; layers that are
/// finished stay.
pub fn unpack(request: Request<'_>, display: Option<Display>) -> Result<Unpacked> {
    let own = Store::open(request.own, &request.rights)?;
    let unpacked = unpack_into(&own, request, display);
    if unpacked.is_err() {
        own.leave();
    }
    unpacked
}

fn unpack_into(own: &Store, request: Request<'_>, display: Option<Display>) -> Result<Unpacked> {
    let Request { image, rights, .. } = request;
    let shared = request.store.map(|path| Store::open(path, &rights)).transpose()?;
    let store = shared.as_ref().unwrap_or(own);
    let (source, wanted) = Source::open(image, &store.path, request.max_size)?;
    let asked = Asked {
        explicit: request.platform.is_some(),
        platform: request.platform.unwrap_or_else(Platform::here),
    };
    let context = || format!("read the image `{image}`");
    let selected = select(&source, &wanted, &asked).context(context)?;
    let jobs: Vec<_> = selected.layers.iter().map(|(blob, id)| Job { blob, id }).collect();
    let rows: Vec<_> = jobs.iter().map(|job| (job.id, job.blob.expected())).collect();
    let budget = Budget::new(request.max_size, request.max_entries);
    let work = Work::new(store, rights, budget, Progress::new(&rows, display));
    work.all(&jobs)?;
    let mut layers = work.settle(own, &jobs)?;
    let tree = Stack::open(&layers)?;
    layers.drain(..layers.len() - tree.visible());
    without_repetitions(&mut layers);
    if layers.is_empty() {
        layers.push(own.empty()?);
    }
    Ok(Unpacked { layers, tree, configuration: selected.configuration, notes: work.notes() })
}

/// Leaves of a layer that comes several times the topmost only: overlayfs takes no directory twice, and
/// nothing of a lower one would be seen.
fn without_repetitions(layers: &mut Vec<PathBuf>) {
    let all = std::mem::take(layers);
    for (at, layer) in all.iter().enumerate() {
        if !all[at + 1..].contains(layer) {
            layers.push(layer.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topmost_of_equal_layers_stays() {
        let mut layers: Vec<_> = ["a", "b", "a", "c", "b"].into_iter().map(PathBuf::from).collect();
        without_repetitions(&mut layers);
        assert_eq!(layers, ["a", "c", "b"].map(PathBuf::from));
    }
}
