//! Users by name, in the files of the tree that a container will have.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use libc::{O_DIRECTORY, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY};

use crate::bundle::Users;
use crate::error::{Context, Error, Kind, Result};
use crate::sys::file::{self, FileType};
use crate::sys::io;

/// The most that is read of either, in bytes: they are the image's.
const SIZE_LIMIT: i64 = 4 << 20;

/// Reads /etc/passwd and /etc/group of a union of directories, lowest first, or of one directory. Of
/// each the uppermost counts; a file that is nowhere, or that an upper layer has removed, is empty.
///
/// # Errors
/// A layer that cannot be opened, and a file that cannot be read.
pub(super) fn users_of(layers: &[PathBuf]) -> Result<Users> {
    let open = |layer: &PathBuf| file::open(layer, O_PATH | O_DIRECTORY);
    let roots: Vec<_> = layers.iter().rev().map(open).collect::<Result<_>>()?;
    Ok(Users { passwd: read(&roots, "etc/passwd")?, group: read(&roots, "etc/group")? })
}

/// The uppermost of a file; the uppermost layer comes first.
fn read(roots: &[OwnedFd], name: &str) -> Result<String> {
    for root in roots {
        let text = read_in(root, Path::new(name)).context(|| format!("read `/{name}`"))?;
        if let Some(text) = text {
            return Ok(text);
        }
    }
    Ok(String::new())
}

/// None where the layer says nothing of it. It may be a link, a fifo or a device: nothing is opened
/// before that is known, and nothing outside the layer is.
fn read_in(root: &OwnedFd, name: &Path) -> Result<Option<String>> {
    let lookup = |name: &Path, flags| match file::open_in_root(root.as_fd(), name, flags) {
        Err(error) if [libc::ENOENT, libc::ENOTDIR, libc::ELOOP].iter().any(|it| error.is(*it)) => {
            Ok(None)
        }
        other => other.map(Some),
    };
    let is_whiteout = |name: &Path| -> Result<bool> {
        let Some(held) = lookup(name, O_PATH | O_NOFOLLOW)? else { return Ok(false) };
        let stat = file::fstat(held.as_fd())?;
        let kind = file::file_type(&stat);
        Ok(kind == FileType::CharacterDevice && file::device_numbers(&stat) == (0, 0))
    };
    for name in [name.parent().unwrap_or(name), name] {
        if is_whiteout(name)? {
            return Ok(Some(String::new()));
        }
    }
    let Some(held) = lookup(name, O_PATH)? else { return Ok(None) };
    let stat = file::fstat(held.as_fd())?;
    if file::file_type(&stat) != FileType::RegularFile {
        return Ok(Some(String::new()));
    }
    if stat.st_size > SIZE_LIMIT {
        let text = format!("{} bytes are more than the {SIZE_LIMIT} that are read", stat.st_size);
        return Err(Error::message(Kind::Config, text));
    }
    let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
    let file = file::open(&file::proc_path(held.as_fd()), flags)?;
    Ok(Some(String::from_utf8_lossy(&io::read_all(file.as_fd())?).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uppermost_file_counts() {
        let top = std::env::temp_dir().join(format!("rrun-users-{}", std::process::id()));
        let (lower, upper) = (top.join("lower"), top.join("upper"));
        for layer in [&lower, &upper] {
            std::fs::create_dir_all(layer.join("etc")).unwrap();
        }
        std::fs::write(lower.join("etc/passwd"), "low").unwrap();
        std::fs::write(lower.join("etc/group"), "low").unwrap();
        std::fs::create_dir(upper.join("usr")).unwrap();
        std::fs::write(upper.join("usr/passwd"), "up").unwrap();
        // As if it was the root: below the layer.
        std::os::unix::fs::symlink("/usr/passwd", upper.join("etc/passwd")).unwrap();
        let users = users_of(&[lower.clone(), upper.clone()]).unwrap();
        assert_eq!((users.passwd.as_str(), users.group.as_str()), ("up", "low"));
        std::fs::remove_file(lower.join("etc/group")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", lower.join("etc/group")).unwrap();
        let users = users_of(std::slice::from_ref(&lower)).unwrap();
        assert_eq!((users.passwd.as_str(), users.group.as_str()), ("low", ""));
        assert!(users_of(&[top.join("missing")]).is_err());
        std::fs::remove_dir_all(top).unwrap();
    }
}
