//! Images, good ones and such as mean harm, as `unpack` meets them.

mod blob;
mod layer;
mod source;
mod store;

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::harness::image::{Layer, Layout};
use crate::harness::{Bundle, Case, Outcome};

pub(crate) fn cases() -> Vec<Case> {
    [blob::cases(), layer::cases(), source::cases(), store::cases()].into_iter().flatten().collect()
}

/// A layout of these layers, unpacked into the bundle `b`.
fn unpacked(bundle: &Bundle, layers: &[Layer]) -> Outcome {
    Layout::new(bundle.dir.join("image")).with(layers, &json!({"Cmd": ["/probe"]}));
    let (image, to) = (bundle.dir.join("image:t"), bundle.dir.join("b"));
    bundle.call(&["unpack", "-q"]).arg(image).arg(to).done()
}

/// Where a layer is.
fn place(bundle: &Bundle, layer: &Layer) -> PathBuf {
    bundle.dir.join("b/layers").join(layer.place())
}

/// What is in a directory, sorted; nothing where there is none.
fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
