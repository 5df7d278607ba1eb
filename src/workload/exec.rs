//! Where the program is, and the environment that it gets.

use std::ffi::CString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::plan::{self, Plan};
use crate::error::{Context, Error, Kind, Result};
use crate::sys;

/// Where programs are looked for when the environment has no PATH, as execvp(3).
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The largest passwd file that is searched for a home.
const PASSWD_LIMIT: i64 = 4 << 20;

/// A program that was found.
#[derive(Debug)]
pub struct Executable {
    /// Its path.
    pub path: CString,
    /// Its argument vector.
    pub args: Vec<CString>,
}

/// Finds the program as the container sees it: by its path, or along the PATH of its own
/// environment. Done by the user that will run it, so that what is found may also be executed.
///
/// # Errors
/// The texts by which engines tell 126 ("permission denied") from 127 ("executable file not found
/// in $PATH", "no such file or directory").
pub fn resolve(plan: &Plan) -> Result<Executable> {
    let name = plan.args.first().map_or("", String::as_str);
    let path = search(plan, name).context(|| format!("exec `{name}`"))?;
    let args = plan.args.iter().map(|arg| sys::c_string(arg.as_bytes())).collect::<Result<_>>()?;
    Ok(Executable { path: sys::c_string(path.as_os_str().as_bytes())?, args })
}

fn search(plan: &Plan, name: &str) -> Result<PathBuf> {
    if name.contains('/') {
        sys::file::check_executable(Path::new(name))?;
        return Ok(PathBuf::from(name));
    }
    let path = plan.env.iter().find_map(|entry| entry.strip_prefix("PATH="));
    let mut refused = None;
    for dir in path.unwrap_or(DEFAULT_PATH).split(':') {
        // An empty element is the working directory (execvp(3)).
        let candidate = if dir.is_empty() { Path::new(".") } else { Path::new(dir) }.join(name);
        match sys::file::check_executable(&candidate) {
            Ok(()) => return Ok(candidate),
            Err(error) if error.is(libc::EACCES) => refused = Some(error),
            Err(_) => {}
        }
    }
    let missing = "executable file not found in $PATH: no such file or directory (ENOENT)";
    Err(refused.unwrap_or_else(|| Error::message(Kind::System, missing)))
}

/// The environment for execve(2): what config.json says, HOME from the container's own passwd file
/// where it says none, and the `extra` variables, whatever it says of those.
///
/// # Errors
/// Never for a plan that was compiled.
pub fn environment(plan: &Plan, extra: &[(&str, String)]) -> Result<Vec<CString>> {
    let mut entries = plan.env.clone();
    if !entries.iter().any(|entry| entry.starts_with("HOME=")) {
        entries.push(format!("HOME={}", home_of(plan.uid)));
    }
    for (name, value) in extra {
        plan::put(&mut entries, name, format!("{name}={value}"));
    }
    entries.iter().map(|entry| sys::c_string(entry.as_bytes())).collect()
}

/// The home directory of `uid` by /etc/passwd (passwd(5)), `/` where it has none.
fn home_of(uid: u32) -> String {
    let text = read_passwd().unwrap_or_default();
    let home = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (number, home) = (fields.nth(2)?, fields.nth(2)?);
        (number.parse() == Ok(uid) && !home.is_empty()).then(|| home.to_owned())
    });
    home.unwrap_or_else(|| "/".to_owned())
}

/// The file is the image's: it may be a fifo, a device or endless.
fn read_passwd() -> Result<String> {
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;
    let root = sys::file::open(Path::new("/"), libc::O_PATH | libc::O_DIRECTORY)?;
    // No magic link: /etc/passwd -> /proc/self/fd/N would be a descriptor of ours.
    let file = sys::file::open_in_root(root.as_fd(), Path::new("/etc/passwd"), flags)?;
    let stat = sys::file::fstat(file.as_fd())?;
    let is_file = sys::file::file_type(&stat) == sys::file::FileType::RegularFile;
    if !is_file || stat.st_size > PASSWD_LIMIT {
        return Ok(String::new());
    }
    Ok(String::from_utf8_lossy(&sys::io::read_all(file.as_fd())?).into_owned())
}
