//! `spec`: writes a config.json, as an example, for an image or as the command line asks.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::edits::{Tree, apply};
use crate::bundle::{Document, Image};
use crate::cli;
use crate::error::{Context, Error, Result};
use crate::host::Host;
use crate::spec;

/// Writes it. A file that exists is somebody's work and stays.
pub(super) fn spec(host: &Host, args: &cli::Spec) -> Result<i32> {
    let directory = args.bundle.clone().unwrap_or_else(|| PathBuf::from("."));
    let mut document = match &args.image_config {
        None => Document::example(),
        Some(file) => for_image(file, args, &directory)?,
    };
    if args.rootless {
        // An image may have more users than one.
        document.rootless = Some(match &args.image_config {
            None => (vec![(host.euid(), 1)], vec![(host.egid(), 1)]),
            Some(_) => host.ids_to_give(),
        });
    }
    if !args.arg.is_empty() {
        document.args.clone_from(&args.arg);
    }
    apply(&mut document, &args.edits, tree(&directory))?;
    let text = document.to_json()?;
    let path = directory.join(args.file.clone().unwrap_or_else(|| PathBuf::from("config.json")));
    let file = std::fs::File::create_new(&path);
    let written = file.and_then(|mut file| {
        let written = file.write_all(text.as_bytes());
        // Half a file would be taken for somebody's work.
        written.inspect_err(|_| drop(std::fs::remove_file(&path)))
    });
    written
        .map_err(|error| Error::io("open", format!("`{}`", path.display()), &error))
        .context(|| "write a new config.json")?;
    Ok(0)
}

/// The bundle's own root directory, where there is one.
fn tree(bundle: &Path) -> Tree {
    let rootfs = bundle.join("rootfs");
    Tree(if rootfs.is_dir() { vec![rootfs] } else { Vec::new() })
}

fn for_image(file: &Path, args: &cli::Spec, bundle: &Path) -> Result<Document> {
    let image = spec::read_document(file).and_then(|bytes| Image::parse(&bytes));
    let image = image.context(|| format!("read `{}`", file.display()))?;
    let mut document = Document::for_images();
    // Another user than the image's needs no look-up of that one.
    let user = match (&args.edits.user, args.edits.layer.as_slice()) {
        (Some(_), _) => Ok(crate::bundle::User::default()),
        (None, []) => tree(bundle).user(image.user()),
        (None, layers) => Tree(layers.to_vec()).user(image.user()),
    };
    let user = user.context(|| format!("the user `{}` of the image", image.user()))?;
    for warning in document.apply_image(&image, &user)? {
        log::warn!("{}: {warning}", file.display());
    }
    Ok(document)
}
