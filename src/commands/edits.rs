//! What the options of `spec` and `sandbox` make of a document.

use std::path::{Path, PathBuf};

use super::create::absolute;
use super::users::users_of;
use crate::bundle::{Document, Mount, Network, Upper, Users};
use crate::cli;
use crate::error::{Context, Error, Kind, Result};

/// What `--upper` says for memory.
const EPHEMERAL: &str = "ephemeral";

/// The directories that a container's root will be made of, lowest first: where its users are.
#[derive(Debug, Default)]
pub(super) struct Tree(pub(super) Vec<PathBuf>);

impl Tree {
    /// A user of this tree. Without a tree at hand a number has to do.
    pub(super) fn user(&self, text: &str) -> Result<crate::bundle::User> {
        if !self.0.is_empty() {
            return users_of(&self.0)?.resolve(text);
        }
        Users::default().resolve(text).map_err(|_| {
            let text = format!("`{}` is no number, and no tree has its name", text.escape_debug());
            Error::message(Kind::Usage, text).hinted(
                "names are looked up in the layers (--layer) or in the bundle's rootfs, where there \
                 is one",
            )
        })
    }
}

/// Changes the document as the command line asks; `tree` is where users are looked up unless there are
/// layers.
pub(super) fn apply(document: &mut Document, edits: &cli::Edits, tree: Tree) -> Result<()> {
    let tree = set_layers(document, edits)?.unwrap_or(tree);
    if let Some(user) = &edits.user {
        document.user = tree.user(user).context(|| "--user")?;
    }
    for entry in &edits.env {
        document.set_env(entry).context(|| "--env")?;
    }
    for text in &edits.mount {
        document.mounts.push(mount(text).context(|| "--mount")?);
    }
    if let Some(cwd) = &edits.cwd {
        if !cwd.starts_with('/') || cwd.contains('\0') {
            let text = format!("--cwd: `{}` is not absolute", cwd.escape_debug());
            return Err(Error::message(Kind::Usage, text));
        }
        document.cwd.clone_from(cwd);
    }
    document.change_capabilities(&edits.cap_drop, &edits.cap_add)?;
    if let Some(processors) = edits.cpus {
        document.limit_cpus(processors).context(|| "--cpus")?;
    }
    document.memory = edits.memory.or(document.memory);
    document.pids = edits.pids.or(document.pids);
    document.terminal = edits.tty.unwrap_or(document.terminal);
    document.read_only = edits.read_only.unwrap_or(document.read_only);
    document.network = match edits.network.as_deref() {
        Some("host") => Some(Network::Host),
        Some(_) => Some(Network::Own),
        None => document.network,
    };
    document.seccomp = edits.seccomp.as_ref().map_or(document.seccomp, |it| it == "default");
    if let Some(name) = &edits.hostname {
        document.hostname.clone_from(name);
    }
    Ok(())
}

/// A root of layers can be written, unless the command line says otherwise: their changes go elsewhere.
fn set_layers(document: &mut Document, edits: &cli::Edits) -> Result<Option<Tree>> {
    if edits.layer.is_empty() {
        if edits.upper.is_some() && !document.has_layers() {
            let text = "--upper: there are no layers that it could be above; name one by --layer";
            return Err(Error::message(Kind::Usage, text));
        }
        return Ok(None);
    }
    let layers: Vec<_> = edits.layer.iter().map(|it| layer(it)).collect::<Result<_>>()?;
    let tree = union(document, layers, edits.upper.as_deref())?;
    Ok(Some(tree))
}

/// Makes the root a union of these directories, lowest first, and of where changes go.
pub(super) fn union(
    document: &mut Document,
    layers: Vec<PathBuf>,
    upper: Option<&Path>,
) -> Result<Tree> {
    let names: Vec<_> = layers.iter().map(|it| text_of(it, "--layer")).collect::<Result<_>>()?;
    let mut tree = layers;
    let upper = match upper {
        None => Upper::Ephemeral,
        Some(upper) if upper == Path::new(EPHEMERAL) => Upper::Ephemeral,
        Some(upper) => {
            let upper = absolute(upper).context(|| "--upper")?;
            let name = text_of(&upper, "--upper")?;
            if upper.is_dir() {
                tree.push(upper);
            }
            Upper::Kept(name)
        }
    };
    document.set_layers(&names, &upper)?;
    document.read_only = false;
    Ok(Tree(tree))
}

/// Named from the caller's directory, as every path of a command line.
fn layer(path: &Path) -> Result<PathBuf> {
    let directory = absolute(path)?;
    let found = std::fs::metadata(&directory)
        .map_err(|error| Error::io("stat", format!("`{}`", path.display()), &error));
    match found.context(|| "--layer")?.is_dir() {
        true => Ok(directory),
        false => {
            let text = format!("--layer: `{}` is no directory", path.display());
            Err(Error::message(Kind::Usage, text))
        }
    }
}

/// config.json is JSON, and that is UTF-8.
fn text_of(path: &Path, option: &str) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let text = format!("{option}: `{}` is not UTF-8", path.display());
        Error::message(Kind::Usage, text)
    })
}

/// A relative source starts at the caller's directory.
fn mount(text: &str) -> Result<Mount> {
    let mut mount = Mount::parse(text)?;
    if mount.kind == "bind" {
        mount.source = text_of(&absolute(Path::new(&mount.source))?, "source")?;
    }
    Ok(mount)
}
