//! `unpack`: an image becomes a bundle.

use std::io::IsTerminal;

use crate::cli;
use crate::error::{Error, Kind, Result};
use crate::host::Host;
use crate::image::{self, Display, Platform, Request, Rights};
use crate::sys;

/// Layers first, each whole or not there; the config.json that makes it a bundle last.
pub(super) fn unpack(host: &Host, args: &cli::Unpack) -> Result<i32> {
    let (own, max_size) = (args.bundle.join("layers"), args.max_size);
    let max_size = u64::try_from(max_size)
        .map_err(|_| Error::message(Kind::Usage, format!("--max-size {max_size} is no size")))?;
    // The modes in an image are meant as they are.
    sys::file::umask(0);
    let request = Request {
        image: &args.image,
        own: &own,
        store: args.store.as_deref(),
        platform: args.platform.as_deref().map(Platform::parse).transpose()?,
        max_size,
        max_entries: args.max_entries,
        rights: Rights {
            own: (host.euid(), host.egid()),
            owners: host.euid() == 0,
            root: host.is_true_root(),
        },
    };
    let stderr = std::io::stderr();
    let terminal = stderr.is_terminal();
    let display = (!args.quiet).then(|| Display { out: Box::new(stderr), terminal });
    let unpacked = image::unpack(request, display)?;
    for note in &unpacked.notes {
        log::warn!("{note}");
    }
    Ok(0)
}
