//! The options of `unpack`.

use std::path::PathBuf;

use clap::Args;

use super::values;

/// `unpack`
#[derive(Debug, Clone, Args)]
pub struct Unpack {
    /// Keep the layers here, each under its diff-id, for all bundles that name the same directory
    /// [default: the bundle's own `layers`]
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Of an image for several platforms, the one for this: OS/ARCHITECTURE[/VARIANT] [default: this
    /// machine's]
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<String>,
    /// Where the container's changes go: `ephemeral`, to memory, forgotten with the container; or a
    /// directory, relative to the bundle, that keeps them
    #[arg(long, value_name = "ephemeral|DIR", default_value = "ephemeral")]
    pub upper: String,
    /// The most bytes that the layers may have, unpacked, as 10G
    #[arg(long, value_name = "BYTES", default_value = "64G", value_parser = values::bytes)]
    pub max_size: i64,
    /// The most files that the layers may have
    #[arg(long, value_name = "NUMBER", default_value_t = 4_000_000)]
    pub max_entries: u64,
    /// Show no progress
    #[arg(short, long)]
    pub quiet: bool,
    /// PATH, PATH:TAG or PATH@DIGEST: the directory of an OCI image layout, or an archive of one or of
    /// `docker save`; - is standard input, and `-- -:TAG` one of its images
    pub image: String,
    /// The directory to make
    pub bundle: PathBuf,
}
