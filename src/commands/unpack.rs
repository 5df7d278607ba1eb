//! `unpack`: an image becomes a bundle.

use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::path::Path;

use crate::bundle::{Document, Image, Upper, Users};
use crate::cli;
use crate::error::{Context, Error, Kind, Result};
use crate::host::Host;
use crate::image::{self, Display, Platform, Request, Rights, Stack, Unpacked};
use crate::sys;
use crate::sys::file::{FlockOperation, RenameFlags};

/// What makes a directory a bundle.
const CONFIG: &str = "config.json";

/// Layers first, each whole or not there; the config.json that makes it a bundle last, and at once.
pub(super) fn unpack(host: &Host, args: &cli::Unpack) -> Result<i32> {
    let bundle = std::path::absolute(&args.bundle)
        .map_err(|error| Error::io("getcwd", format!("`{}`", args.bundle.display()), &error))?;
    refuse_bundle(&bundle)?;
    let own = bundle.join("layers");
    let is_new = bundle.symlink_metadata().is_err();
    let unpacked = unpack_to(host, args, &bundle, &own);
    if unpacked.is_err() && is_new {
        // Where layers are finished they stay, and it does.
        let _ = std::fs::remove_dir(&bundle);
    }
    unpacked
}

fn unpack_to(host: &Host, args: &cli::Unpack, bundle: &Path, own: &Path) -> Result<i32> {
    // The modes in an image are meant as they are.
    sys::file::umask(0);
    let unpacked = image::unpack(request(host, args, own)?, display(args.quiet))?;
    let (text, warnings) = document(host, args, bundle, &unpacked)
        .context(|| "make a config.json of the image's configuration")?;
    write(bundle, &text).context(|| format!("write `{}`", bundle.join(CONFIG).display()))?;
    for warning in unpacked.notes.iter().chain(&warnings) {
        log::warn!("{warning}");
    }
    Ok(0)
}

fn refuse_bundle(bundle: &Path) -> Result<()> {
    if bundle.join(CONFIG).symlink_metadata().is_err() {
        return Ok(());
    }
    let text = format!("`{}` is a bundle already", bundle.display());
    Err(Error::message(Kind::State, text)).hint(|| "remove it, or name another directory")
}

fn request<'a>(host: &Host, args: &'a cli::Unpack, own: &'a Path) -> Result<Request<'a>> {
    let max_size = u64::try_from(args.max_size).map_err(|_| {
        Error::message(Kind::Usage, format!("--max-size {}: no size", args.max_size))
    })?;
    let platform = args.platform.as_deref().map(Platform::parse).transpose();
    Ok(Request {
        image: &args.image,
        own,
        store: args.store.as_deref(),
        platform: platform.context(|| "--platform")?,
        max_size,
        max_entries: args.max_entries,
        rights: Rights {
            own: (host.euid(), host.egid()),
            owners: host.euid() == 0,
            root: host.is_true_root(),
        },
    })
}

fn display(quiet: bool) -> Option<Display> {
    let stderr = std::io::stderr();
    let terminal = stderr.is_terminal();
    (!quiet).then(|| Display { out: Box::new(stderr), terminal })
}

/// The text of config.json, and sentences about what it could not take.
fn document(
    host: &Host,
    args: &cli::Unpack,
    bundle: &Path,
    unpacked: &Unpacked,
) -> Result<(String, Vec<String>)> {
    let image = Image::parse(&unpacked.configuration)?;
    let user = users(&unpacked.tree)?.resolve(image.user())?;
    let mut document = Document::for_images();
    if host.euid() != 0 {
        document.rootless = Some(host.ids_to_give());
    }
    let warnings = document.apply_image(&image, &user)?;
    let layers: Vec<_> =
        unpacked.layers.iter().map(|layer| name(bundle, layer)).collect::<Result<_>>()?;
    let upper = match args.upper.as_str() {
        "ephemeral" => Upper::Ephemeral,
        "" => {
            return Err(Error::message(Kind::Usage, "--upper: must be `ephemeral` or a directory"));
        }
        directory => Upper::Kept(directory.to_owned()),
    };
    document.set_layers(&layers, &upper)?;
    Ok((document.to_json()?, warnings))
}

/// The image's own users.
fn users(tree: &Stack) -> Result<Users> {
    let read = |path: &str| tree.read(path).map(Option::unwrap_or_default);
    Ok(Users { passwd: read("etc/passwd")?, group: read("etc/group")? })
}

/// A layer of the bundle's own goes wherever the bundle goes.
fn name(bundle: &Path, layer: &Path) -> Result<String> {
    let name = layer.strip_prefix(bundle).unwrap_or(layer);
    name.to_str().map(str::to_owned).ok_or_else(|| {
        let text = format!("`{}` is no UTF-8, so config.json cannot name it", name.display());
        Error::message(Kind::Usage, text)
    })
}

/// Writes the file under another name and gives it its own when it is complete; what somebody else has
/// written meanwhile stays.
fn write(bundle: &Path, text: &str) -> Result<()> {
    let directory = sys::file::open(bundle, libc::O_RDONLY | libc::O_DIRECTORY)?;
    // The next one writes over what we leave when we are killed; so it must wait while we live.
    sys::file::flock(directory.as_fd(), FlockOperation::LockExclusive)?;
    let temporary = Path::new(".config.json.new");
    // Whatever it is: somebody else's file by another name, or a fifo, must not be written to.
    match sys::file::unlink_at(directory.as_fd(), temporary) {
        Err(error) if !error.is(libc::ENOENT) => return Err(error),
        _ => {}
    }
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW;
    let file = sys::file::open_at(directory.as_fd(), temporary, flags, 0o644)?;
    sys::io::write_all(file.as_fd(), text.as_bytes())?;
    let flags = RenameFlags::NOREPLACE;
    let renamed = sys::file::rename_at(directory.as_fd(), temporary, Path::new(CONFIG), flags);
    if renamed.is_err() {
        // The next one would write over it anyway.
        let _ = sys::file::unlink_at(directory.as_fd(), temporary);
    }
    renamed
}
