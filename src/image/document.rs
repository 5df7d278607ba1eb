//! Pure: the documents of an image: index, manifest and configuration of the image-spec, and the
//! `manifest.json` of `docker save`. Unknown members are somebody's extensions and are let be.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::digest::Digest;
use super::platform::Platform;
use crate::error::{Error, Kind, Result};

/// The most bytes that a document may have (`spec.md` asks registries for 4 MiB).
pub(super) const MAX_DOCUMENT: u64 = 4 << 20;

/// The most layers of an image: what overlayfs takes.
pub(super) const MAX_LAYERS: usize = 500;

/// A blob: what it is, its digest and size.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    digest: String,
    size: Option<i64>,
    #[serde(default)]
    pub platform: Option<Platform>,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// The digest, known to be one.
    pub(super) fn digest(&self) -> Result<Digest> {
        Digest::parse(&self.digest)
    }

    /// One of which only the digest is known.
    pub(super) fn of(digest: &Digest) -> Descriptor {
        Descriptor {
            media_type: String::new(),
            digest: digest.to_string(),
            size: None,
            platform: None,
            annotations: BTreeMap::new(),
        }
    }

    /// The size in bytes, if it is known.
    pub(super) fn known_size(&self) -> Result<Option<u64>> {
        let none = |size| wrong(format!("blob {}: the size {size} is none", self.digest));
        self.size.map(|size| u64::try_from(size).map_err(|_| none(size))).transpose()
    }

    /// Whether it is a list of images, as far as its media type tells.
    pub(super) fn is_index(&self) -> bool {
        INDEXES.contains(&self.media_type.as_str())
    }

    /// The names that it goes by.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        NAMES.iter().filter_map(|key| self.annotations.get(*key)).map(String::as_str)
    }

    /// What it is called where people have to choose.
    pub(super) fn label(&self) -> String {
        self.names().next().map_or_else(|| format!("@{}", self.digest), |name| format!(":{name}"))
    }
}

/// The annotations that name an image: the image-spec's, containerd's (as `docker save` writes it).
const NAMES: &[&str] = &["org.opencontainers.image.ref.name", "io.containerd.image.name"];

const INDEXES: &[&str] = &[
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

const CONFIGS: &[&str] =
    &["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// What a layer's media type may begin with; how it is compressed is seen from its first bytes.
const LAYERS: &[&str] = &[
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
];

/// `index.json`, and a list of one image for several platforms.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    pub manifests: Vec<Descriptor>,
}

/// What one image for one platform is made of.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
}

/// The blob that a descriptor of an index points at, which is either.
#[derive(Debug)]
pub(super) enum Listed {
    Index(Index),
    Manifest(Manifest),
}

impl Listed {
    /// Reads either, by the members that it has.
    pub(super) fn parse(bytes: &[u8], what: &str) -> Result<Listed> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape {
            #[serde(default)]
            schema_version: u32,
            layers: Option<serde::de::IgnoredAny>,
        }
        let shape: Shape = parse(bytes, what)?;
        if shape.schema_version == 1 {
            return Err(wrong(format!(
                "{what} is of Docker's schema 1, which nobody makes any more"
            ))
            .hinted("`skopeo copy` makes an OCI image of it"));
        }
        match shape.layers {
            Some(_) => parse(bytes, what).map(Listed::Manifest),
            None => parse(bytes, what).map(Listed::Index),
        }
    }
}

impl Manifest {
    /// Refuses what is no image of a file system.
    pub(super) fn check(&self) -> Result<()> {
        let kind = self.config.media_type.as_str();
        if !kind.is_empty() && !CONFIGS.contains(&kind) {
            return Err(wrong(format!(
                "this is no container image: its configuration is `{kind}`"
            )));
        }
        for layer in &self.layers {
            let kind = layer.media_type.as_str();
            if kind.ends_with("+encrypted") {
                return Err(wrong(format!("layer {} is encrypted", layer.digest)));
            }
            if !LAYERS.iter().any(|known| kind.starts_with(known)) {
                return Err(wrong(format!("layer {} is no tar archive: `{kind}`", layer.digest)));
            }
        }
        Ok(())
    }
}

/// What of an image's configuration concerns its layers.
#[derive(Debug, Deserialize)]
pub(super) struct Configuration {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
    rootfs: RootFs,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

impl Configuration {
    /// The digests of the layers once they are no longer compressed, lowest first.
    pub(super) fn diff_ids(&self) -> Result<Vec<Digest>> {
        let count = self.rootfs.diff_ids.len();
        if count > MAX_LAYERS {
            let text =
                format!("{count} layers are more than the {MAX_LAYERS} that overlayfs takes");
            return Err(wrong(text));
        }
        self.rootfs.diff_ids.iter().map(|text| Digest::parse(text)).collect()
    }

    /// What it is made for; None where it does not say.
    pub(super) fn platform(&self) -> Option<Platform> {
        (!self.os.is_empty() && !self.architecture.is_empty()).then(|| Platform {
            os: self.os.clone(),
            architecture: self.architecture.clone(),
            variant: self.variant.clone(),
        })
    }
}

/// One image of `manifest.json` in a `docker save` archive.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Saved {
    /// Where its configuration is.
    pub config: String,
    /// Its names.
    #[serde(default)]
    pub repo_tags: Option<Vec<String>>,
    /// Where its layers are, lowest first.
    pub layers: Vec<String>,
}

/// Reads a document.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| wrong(format!("{what} cannot be read: {error}")))
}

/// A mistake in an image.
pub(super) fn wrong(text: impl Into<String>) -> Error {
    Error::message(Kind::Config, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn manifest(config: &str, layer: &str) -> Manifest {
        let text = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"{config}","digest":"{DIGEST}","size":2}},
            "layers":[{{"mediaType":"{layer}","digest":"{DIGEST}","size":3,"x":1}}],"y":{{}}}}"#
        );
        match Listed::parse(text.as_bytes(), "it").unwrap() {
            Listed::Manifest(manifest) => manifest,
            Listed::Index(_) => panic!("a manifest was taken for an index"),
        }
    }

    #[test]
    fn manifests_of_images_and_of_others() {
        manifest(CONFIGS[0], "application/vnd.oci.image.layer.v1.tar+zstd").check().unwrap();
        manifest(CONFIGS[1], "application/vnd.docker.image.rootfs.diff.tar.gzip").check().unwrap();
        for (config, layer, expected) in [
            ("application/vnd.cncf.helm.config.v1+json", LAYERS[0], "no container image"),
            (CONFIGS[0], "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "encrypted"),
            (CONFIGS[0], "text/plain", "no tar archive"),
        ] {
            let error = manifest(config, layer).check().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn sizes_and_digests_that_are_none() {
        let descriptor: Descriptor = parse(br#"{"digest":"sha256:x","size":-1}"#, "it").unwrap();
        assert!(descriptor.digest().is_err());
        assert!(descriptor.known_size().unwrap_err().to_string().contains("size -1 is none"));
    }

    #[test]
    fn what_is_too_old() {
        let error = Listed::parse(br#"{"schemaVersion":1,"fsLayers":[]}"#, "it").unwrap_err();
        assert!(error.to_string().contains("schema 1"), "{error}");
    }
}
