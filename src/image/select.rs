//! From a place and what is wanted of it to one image: its configuration and its layers.

use std::path::{Path, PathBuf};

use super::blob::Blob;
use super::digest::Digest;
use super::document::{self, Configuration, Descriptor, Index, Listed, Manifest, Saved, wrong};
use super::platform::Platform;
use super::reference::{Wanted, is_named};
use super::source::Source;
use crate::error::{Context, Error, Kind, Result};

/// How deep lists of lists may go.
const MAX_LISTS: usize = 4;

/// An image: what is needed of it.
#[derive(Debug)]
pub(super) struct Selected {
    pub configuration: Vec<u8>,
    /// Lowest first.
    pub layers: Vec<(Blob, Digest)>,
}

/// Chooses the image.
pub(super) fn select(source: &Source, wanted: &Wanted, platform: &Asked) -> Result<Selected> {
    let index = source.find(Path::new("index.json"))?;
    let saved = source.find(Path::new("manifest.json"))?;
    match (index, saved) {
        (Some(index), saved) => {
            let index: Index = document::parse(&index.document()?, "index.json")?;
            let found = match (named(&index, wanted), saved) {
                // What containerd's annotations do not name, Docker's own list may.
                (Err(error), Some(saved)) if error.kind() == Kind::NotFound => {
                    return from_saved(source, &saved, wanted, platform).map_err(|_| error);
                }
                (found, _) => found?,
            };
            let manifest = resolve(source, &found, platform, MAX_LISTS)?;
            from_manifest(source, &manifest, platform)
        }
        (None, Some(saved)) => from_saved(source, &saved, wanted, platform),
        (None, None) => {
            let text = "there is neither an index.json nor a manifest.json in it";
            Err(wrong(text)).hint(|| {
                "IMAGE is an OCI image layout (umoci, skopeo copy ... oci:, buildah push ... oci:) \
                 or an archive of `docker save`; `docker export` writes no image"
            })
        }
    }
}

/// The platform that is asked for, and whether somebody asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub platform: Platform,
    pub explicit: bool,
}

impl Asked {
    fn check(&self, offered: Option<&Platform>) -> Result<()> {
        let Some(offered) = offered else { return Ok(()) };
        if self.platform.distance(offered).is_some() {
            return Ok(());
        }
        // A processor that runs more than its baseline may well run this.
        if !self.explicit && offered.architecture == self.platform.architecture {
            return Ok(());
        }
        let text = format!("the image is for {offered}, not for {}", self.platform);
        Err(wrong(text)).hint(|| format!("--platform {offered} unpacks it all the same"))
    }
}

fn not_found(what: &str, labels: &[String]) -> Error {
    let known = match labels.len() {
        0 => "there are no images".to_owned(),
        1..=20 => format!("there are {}", labels.join(", ")),
        more => format!("there are {more} others"),
    };
    Error::message(Kind::NotFound, format!("{what}: {known}"))
}

/// The descriptors that are meant: several where they are one image for several platforms.
fn named(index: &Index, wanted: &Wanted) -> Result<Vec<Descriptor>> {
    let all = &index.manifests;
    let labels = || {
        let mut labels: Vec<_> = all.iter().map(|it| format!("`{}`", it.label())).collect();
        labels.dedup();
        labels
    };
    let by_tag = |tag: &str| -> Vec<Descriptor> {
        let named = |it: &&Descriptor| it.names().any(|name| is_named(name, tag));
        all.iter().filter(named).cloned().collect()
    };
    match wanted {
        Wanted::Digest(digest) => {
            let listed = all.iter().find(|it| it.digest().is_ok_and(|it| it == *digest));
            Ok(vec![listed.map_or_else(|| Descriptor::of(digest), Clone::clone)])
        }
        Wanted::Tag(tag) => match by_tag(tag) {
            found if found.is_empty() => Err(not_found(&format!("no image `:{tag}`"), &labels())),
            found => Ok(found),
        },
        Wanted::Any if all.is_empty() => Err(not_found("no image", &[])),
        Wanted::Any => {
            let first: Vec<_> = all[0].names().collect();
            if all.iter().all(|it| it.names().collect::<Vec<_>>() == first) {
                return Ok(all.clone());
            }
            match by_tag("latest") {
                found if found.is_empty() => {
                    Err(not_found("several images and none `:latest`", &labels()))
                        .hint(|| "name one of them: PATH:TAG or PATH@DIGEST")
                }
                found => Ok(found),
            }
        }
    }
}

/// The blob of a descriptor.
fn blob(source: &Source, descriptor: &Descriptor) -> Result<Blob> {
    let digest = descriptor.digest()?;
    let path = PathBuf::from("blobs").join(digest.algorithm()).join(digest.hex());
    let Some(mut blob) = source.find(&path)? else {
        let text = format!("the blob {digest} is not there");
        return Err(Error::message(Kind::NotFound, text));
    };
    blob.size = descriptor.known_size()?;
    blob.name = format!("the blob {digest}");
    blob.digest = Some(digest);
    Ok(blob)
}

/// Follows lists to the manifest for the platform.
fn resolve(
    source: &Source,
    candidates: &[Descriptor],
    asked: &Asked,
    depth: usize,
) -> Result<Manifest> {
    if depth == 0 {
        return Err(wrong(format!("lists of images more than {MAX_LISTS} deep")));
    }
    let chosen = match candidates {
        [only] => only,
        several => closest(several, asked)?,
    };
    let bytes = blob(source, chosen)?.document()?;
    let what = format!("the manifest {}", chosen.digest()?);
    match Listed::parse(&bytes, &what)? {
        Listed::Manifest(_) if chosen.is_index() => {
            Err(wrong(format!("{what} should be a list of images")))
        }
        Listed::Manifest(manifest) => Ok(manifest),
        Listed::Index(index) if index.manifests.is_empty() => {
            Err(wrong(format!("{what} lists no images")))
        }
        Listed::Index(index) => resolve(source, &index.manifests, asked, depth - 1),
    }
}

fn closest<'a>(several: &'a [Descriptor], asked: &Asked) -> Result<&'a Descriptor> {
    let distance = |it: &'a Descriptor| match &it.platform {
        Some(platform) => asked.platform.distance(platform).map(|distance| (distance, it)),
        None => Some((100, it)),
    };
    let mut fitting: Vec<_> = several.iter().filter_map(distance).collect();
    fitting.sort_by_key(|(distance, _)| *distance);
    match fitting[..] {
        [] => {
            let offered = several.iter().filter_map(|it| it.platform.as_ref());
            let offered: Vec<_> = offered.map(ToString::to_string).collect();
            Err(not_found(&format!("no image for {}", asked.platform), &offered))
                .hint(|| "--platform OS/ARCHITECTURE chooses")
        }
        [(first, one), (second, other), ..]
            if first == second && one.digest()? != other.digest()? =>
        {
            let text = format!("several images for {}", asked.platform);
            Err(not_found(&text, &[one.digest()?.to_string(), other.digest()?.to_string()]))
                .hint(|| "name one of them: PATH@DIGEST")
        }
        [(_, one), ..] => Ok(one),
    }
}

fn from_manifest(source: &Source, manifest: &Manifest, asked: &Asked) -> Result<Selected> {
    manifest.check()?;
    let configuration = blob(source, &manifest.config)?.document()?;
    let parsed: Configuration = document::parse(&configuration, "the image's configuration")?;
    asked.check(parsed.platform().as_ref())?;
    let diff_ids = parsed.diff_ids()?;
    count(manifest.layers.len(), diff_ids.len())?;
    let blobs = manifest.layers.iter().map(|layer| blob(source, layer));
    let layers = blobs.zip(diff_ids).map(|(blob, id)| Ok((blob?, id))).collect::<Result<_>>()?;
    Ok(Selected { configuration, layers })
}

fn count(layers: usize, diff_ids: usize) -> Result<()> {
    if layers == diff_ids {
        return Ok(());
    }
    Err(wrong(format!("{layers} layers, but {diff_ids} diff_ids in the image's configuration")))
}

/// An image as `docker save` lists it: its layers are named by path, and verified by the digests in
/// the configuration, which its own name verifies.
fn from_saved(source: &Source, list: &Blob, wanted: &Wanted, asked: &Asked) -> Result<Selected> {
    let list: Vec<Saved> = document::parse(&list.document()?, "manifest.json")?;
    let tags = |it: &Saved| it.repo_tags.clone().unwrap_or_default();
    let labels = || list.iter().flat_map(tags).map(|it| format!("`:{it}`")).collect::<Vec<_>>();
    let by_tag = |tag: &str| list.iter().find(|it| tags(it).iter().any(|name| is_named(name, tag)));
    let image = match wanted {
        Wanted::Any if list.len() == 1 => list.first(),
        Wanted::Any => by_tag("latest"),
        Wanted::Tag(tag) => by_tag(tag),
        Wanted::Digest(digest) => list.iter().find(|it| it.config.contains(digest.hex())),
    };
    let image = image.ok_or_else(|| not_found("no such image", &labels()))?;
    let find = |path: &str| {
        let missing = || Error::message(Kind::NotFound, format!("`{path}` is not there"));
        source.find(Path::new(path))?.ok_or_else(missing)
    };
    let mut configuration = find(&image.config)?;
    let stem = Path::new(&image.config).file_stem().and_then(|stem| stem.to_str());
    configuration.digest = stem.and_then(|stem| Digest::parse(&format!("sha256:{stem}")).ok());
    let configuration = configuration.document()?;
    let parsed: Configuration = document::parse(&configuration, "the image's configuration")?;
    asked.check(parsed.platform().as_ref())?;
    let diff_ids = parsed.diff_ids()?;
    count(image.layers.len(), diff_ids.len())?;
    let layers = image.layers.iter().zip(diff_ids).map(|(path, id)| Ok((find(path)?, id)));
    let layers = layers.collect::<Result<_>>().context(|| "find the layers")?;
    Ok(Selected { configuration, layers })
}
