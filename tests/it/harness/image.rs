//! Images made by hand: tar archives entry by entry, layouts, archives of `docker save`. What is wrong
//! in them is meant.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// An entry's header; what is not said is ordinary.
#[derive(Clone)]
pub(crate) struct Header<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) kind: u8,
    pub(crate) link: &'a [u8],
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    pub(crate) time: u64,
    pub(crate) device: (u32, u32),
    /// The size that it claims.
    pub(crate) size: Option<u64>,
}

impl<'a> Header<'a> {
    pub(crate) fn new(kind: u8, name: &'a str) -> Header<'a> {
        Header {
            name: name.as_bytes(),
            kind,
            link: b"",
            mode: if kind == b'5' { 0o755 } else { 0o644 },
            owner: (0, 0),
            time: 1_000_000_000,
            device: (0, 0),
            size: None,
        }
    }
}

/// A tar archive in the making.
#[derive(Default, Clone)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    pub(crate) fn new() -> Tar {
        Tar::default()
    }

    pub(crate) fn entry(mut self, header: &Header<'_>, contents: &[u8]) -> Tar {
        let size = header.size.unwrap_or(contents.len() as u64);
        self.0.extend(block(header, size));
        self.raw(contents)
    }

    /// Bytes as they are, and what fills the last block up.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Tar {
        self.0.extend_from_slice(bytes);
        let length = self.0.len().next_multiple_of(512);
        self.0.resize(length, 0);
        self
    }

    pub(crate) fn file(self, name: &str, contents: &str) -> Tar {
        self.entry(&Header::new(b'0', name), contents.as_bytes())
    }

    pub(crate) fn directory(self, name: &str) -> Tar {
        self.entry(&Header::new(b'5', name), b"")
    }

    pub(crate) fn symlink(self, name: &str, target: &str) -> Tar {
        let header = Header { link: target.as_bytes(), ..Header::new(b'2', name) };
        self.entry(&header, b"")
    }

    pub(crate) fn hard_link(self, name: &str, target: &str) -> Tar {
        let header = Header { link: target.as_bytes(), ..Header::new(b'1', name) };
        self.entry(&header, b"")
    }

    /// A pax header in front of the next entry.
    pub(crate) fn pax(self, records: &[(&str, &[u8])]) -> Tar {
        let mut text = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let mut length = rest + 1;
            while length.to_string().len() + rest != length {
                length += 1;
            }
            text.extend_from_slice(format!("{length} {key}=").as_bytes());
            text.extend_from_slice(value);
            text.push(b'\n');
        }
        self.entry(&Header::new(b'x', "PaxHeaders/x"), &text)
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

fn block(header: &Header<'_>, size: u64) -> [u8; 512] {
    let mut block = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, header.name);
    put(100, format!("{:07o}", header.mode).as_bytes());
    put(108, format!("{:07o}", header.owner.0).as_bytes());
    put(116, format!("{:07o}", header.owner.1).as_bytes());
    put(124, format!("{size:011o}").as_bytes());
    put(136, format!("{:011o}", header.time).as_bytes());
    put(156, &[header.kind]);
    put(157, header.link);
    put(257, if header.kind == b'S' { b"ustar  \0" } else { b"ustar\x0000" });
    put(329, format!("{:07o}", header.device.0).as_bytes());
    put(337, format!("{:07o}", header.device.1).as_bytes());
    put(148, b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// The digest of bytes.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A layer of an image.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) blob: Vec<u8>,
    pub(crate) diff_id: String,
    pub(crate) size: Option<u64>,
    pub(crate) digest: Option<String>,
}

impl Layer {
    pub(crate) fn plain(tar: Tar) -> Layer {
        Layer::packed(tar, <[u8]>::to_vec)
    }

    pub(crate) fn packed(tar: Tar, pack: impl Fn(&[u8]) -> Vec<u8>) -> Layer {
        let bytes = tar.end();
        Layer { blob: pack(&bytes), diff_id: sha256(&bytes), size: None, digest: None }
    }

    /// The name of its directory in a store.
    pub(crate) fn place(&self) -> String {
        self.diff_id.replace(':', "/")
    }
}

/// The directory of an image layout.
pub(crate) struct Layout {
    pub(crate) dir: PathBuf,
    pub(crate) manifests: Vec<Json>,
}

impl Layout {
    pub(crate) fn new(dir: PathBuf) -> Layout {
        std::fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
        std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Layout { dir, manifests: Vec::new() }
    }

    /// Puts a blob there; its descriptor.
    pub(crate) fn blob(&self, kind: &str, bytes: &[u8]) -> Json {
        let digest = sha256(bytes);
        std::fs::write(self.dir.join("blobs").join(digest.replace(':', "/")), bytes).unwrap();
        let kind = format!("application/vnd.oci.image.{kind}");
        json!({"mediaType": kind, "digest": digest, "size": bytes.len()})
    }

    /// Puts an image there; the descriptor of its manifest.
    pub(crate) fn image(&self, layers: &[Layer], config: &Json) -> Json {
        let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id.clone()).collect();
        let mut document = json!({"os": "linux", "architecture": architecture(), "config": config});
        document["rootfs"] = json!({"type": "layers", "diff_ids": diff_ids});
        if let Some(other) = config.get("architecture") {
            document["architecture"] = other.clone();
        }
        let config = self.blob("config.v1+json", document.to_string().as_bytes());
        let descriptor = |layer: &Layer| {
            let mut it = self.blob("layer.v1.tar+gzip", &layer.blob);
            if let Some(size) = layer.size {
                it["size"] = json!(size);
            }
            if let Some(digest) = &layer.digest {
                let from = it["digest"].as_str().unwrap().replace(':', "/");
                let blobs = self.dir.join("blobs");
                std::fs::rename(blobs.join(from), blobs.join(digest.replace(':', "/"))).unwrap();
                it["digest"] = json!(digest);
            }
            it
        };
        let layers: Vec<_> = layers.iter().map(descriptor).collect();
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        self.blob("manifest.v1+json", manifest.to_string().as_bytes())
    }

    /// Lists a manifest or an index.
    pub(crate) fn list(mut self, tag: &str, mut descriptor: Json) -> Layout {
        if !tag.is_empty() {
            descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
        }
        self.manifests.push(descriptor);
        let index = json!({"schemaVersion": 2, "manifests": self.manifests});
        std::fs::write(self.dir.join("index.json"), index.to_string()).unwrap();
        self
    }

    /// One image by the tag `t`.
    pub(crate) fn with(self, layers: &[Layer], config: &Json) -> Layout {
        let descriptor = self.image(layers, config);
        self.list("t", descriptor)
    }
}

/// This machine's, by Go's names.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// An archive as `docker save` wrote it up to version 24: a directory a layer, a link where a layer
/// comes twice.
pub(crate) fn docker_archive(tag: &str, layers: &[Layer], config: &Json) -> Vec<u8> {
    let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id.clone()).collect();
    let mut document = json!({"os": "linux", "architecture": architecture(), "config": config});
    document["rootfs"] = json!({"type": "layers", "diff_ids": diff_ids});
    let document = document.to_string();
    let name = format!("{}.json", sha256(document.as_bytes()).replace("sha256:", ""));
    let mut tar = Tar::new();
    let mut paths: Vec<String> = Vec::new();
    for (at, layer) in layers.iter().enumerate() {
        let path = format!("layer{at}/layer.tar");
        tar = tar.directory(&format!("layer{at}/"));
        tar = match layers[..at].iter().position(|it| it.diff_id == layer.diff_id) {
            Some(same) => tar.symlink(&path, &format!("../layer{same}/layer.tar")),
            None => tar.entry(&Header::new(b'0', &path), &layer.blob),
        };
        paths.push(path);
    }
    let manifest = json!([{"Config": name, "RepoTags": [tag], "Layers": paths}]).to_string();
    tar.file(&name, &document).file("manifest.json", &manifest).end()
}

/// A directory as a tar archive, as tar(1) makes it.
pub(crate) fn tar_of(dir: &Path) -> Vec<u8> {
    let output = std::process::Command::new("tar").arg("-c").arg("-C").arg(dir).arg(".").output();
    let output = output.unwrap();
    // 1: a file changed. Other tests have hard links to the same busybox, and their number is a part of it.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    output.stdout
}
