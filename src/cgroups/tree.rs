//! Directories of cgroups: made with all that is above them, and on v2 with their controllers.

use std::path::Path;

use super::plan::{DELEGATION, Place, Plan};
use super::{files, record, refusal};
use crate::error::{Context, Error, Result};
use crate::sys::quoted;

/// The rule that a v2 cgroup has either processes or children with controllers (EBUSY).
pub(super) const INTERNAL_PROCESS: &str = "on cgroup v2 a cgroup that gives its children controllers \
     can have no processes itself: move them to a cgroup below, or use another cgroupsPath";

/// What a threaded v2 cgroup answers (EOPNOTSUPP).
pub(super) const THREADED: &str = "a cgroup above is threaded (cgroup.type), and no container fits \
     into a threaded cgroup: use another cgroupsPath";

/// Makes a cgroup with those above it that are missing. Whether it was not there before.
///
/// # Errors
/// Where it cannot be made.
pub(super) fn make(place: &Place) -> Result<bool> {
    let Place { directory, mount, .. } = place;
    let mut missing = Vec::new();
    for ancestor in directory.ancestors().take_while(|ancestor| *ancestor != mount) {
        match std::fs::create_dir(ancestor) {
            Ok(()) => {
                missing.reverse();
                for below in missing {
                    std::fs::create_dir(below).or_else(|error| unless_made(below, &error))?;
                }
                return Ok(true);
            }
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => missing.push(ancestor),
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) && missing.is_empty() => {
                return Ok(false);
            }
            Err(error) => return Err(not_made(ancestor, &error)),
        }
    }
    missing.reverse();
    for below in missing {
        std::fs::create_dir(below).or_else(|error| unless_made(below, &error))?;
    }
    Ok(true)
}

/// Somebody else may make the same cgroup at the same time.
fn unless_made(directory: &Path, error: &std::io::Error) -> Result<()> {
    match error.raw_os_error() {
        Some(libc::EEXIST) => Ok(()),
        _ => Err(not_made(directory, error)),
    }
}

fn not_made(directory: &Path, error: &std::io::Error) -> Error {
    let error = Error::io("mkdir", quoted(directory), error);
    match error.errno() {
        Some(libc::EACCES | libc::EPERM) => error.hinted(DELEGATION),
        Some(libc::EROFS) => error.hinted("the cgroups are mounted read-only here"),
        Some(libc::EAGAIN) => {
            error.hinted("a cgroup above has reached cgroup.max.descendants or cgroup.max.depth")
        }
        Some(libc::EOPNOTSUPP) => error.hinted(THREADED),
        _ => error,
    }
}

/// A v1 cpuset starts empty and takes no process until it has processors and memory nodes: it gets
/// those of the cgroup above.
///
/// # Errors
/// As read(2) and write(2).
pub(super) fn inherit_cpuset(place: &Place) -> Result<()> {
    let below = |path: &&Path| path.starts_with(&place.mount) && *path != place.mount;
    let mut path: Vec<&Path> = place.directory.ancestors().take_while(below).collect();
    path.reverse();
    for directory in path {
        for name in ["cpuset.cpus", "cpuset.mems"] {
            let file = directory.join(name);
            if files::read(&file)?.trim().is_empty() {
                let above = directory.parent().unwrap_or(&place.mount).join(name);
                files::write(&file, files::read(&above)?.trim())?;
            }
        }
    }
    Ok(())
}

/// A cgroup that was there may be taken if nobody uses it.
///
/// # Errors
/// Where it, or one below it, has processes, or it is frozen.
pub(super) fn refuse_used(place: &Place) -> Result<()> {
    let directory = &place.directory;
    if !directory.exists() {
        return Ok(());
    }
    if record::is_populated(directory)? {
        return Err(refusal("it exists and has processes in it".to_owned()))
            .hint(|| "another container may have the same linux.cgroupsPath");
    }
    let is_thawed = match place.unified {
        true => !files::has_line(&directory.join("cgroup.freeze"), "1"),
        false => {
            !place.has("freezer") || files::has_line(&directory.join("freezer.state"), "THAWED")
        }
    };
    match is_thawed {
        true => Ok(()),
        false => Err(refusal("it exists and is frozen".to_owned()))
            .hint(|| format!("remove it: rmdir {}", directory.display())),
    }
}

/// Turns on the controllers of a v2 cgroup in those above it. Where v2 is all there is, that means
/// every one there is: what is not limited now may be counted, or limited later. Only those that the
/// plan needs have to be there in the end.
///
/// # Errors
/// A needed controller that is missing, or that some cgroup above will not pass on.
pub(super) fn turn_on_controllers(place: &Place, plan: &Plan) -> Result<()> {
    turn_on(place, &plan.steps.controllers, plan.is_placed_at_clone())
}

/// The same: those that are needed, or all that there are.
///
/// # Errors
/// As [`turn_on_controllers`].
pub(super) fn turn_on(place: &Place, needed: &[String], all: bool) -> Result<()> {
    if needed.is_empty() && !all {
        return Ok(());
    }
    let below = |path: &&Path| path.starts_with(&place.mount);
    let mut above: Vec<&Path> = place.directory.ancestors().skip(1).take_while(below).collect();
    above.reverse();
    for directory in above {
        let available = files::read(&directory.join("cgroup.controllers"))?;
        let on = files::read(&directory.join("cgroup.subtree_control"))?;
        let missing = available
            .split_ascii_whitespace()
            .filter(|name| !on.split_ascii_whitespace().any(|on| on == *name))
            .filter(|name| all || is_in(needed, name));
        let missing: Vec<&str> = missing.collect();
        if !missing.is_empty() {
            pass_on(directory, &missing, needed)?;
        }
    }
    if files::has_line(&place.directory.join("cgroup.type"), "domain invalid") {
        return Err(refusal("it cannot hold a process".to_owned())).hint(|| THREADED);
    }
    let present = files::read(&place.directory.join("cgroup.controllers"))?;
    let is_absent = |name: &&String| !present.split_ascii_whitespace().any(|own| own == *name);
    let Some(name) = needed.iter().find(is_absent) else { return Ok(()) };
    let mount = quoted(&place.mount);
    Err(refusal(format!("no controller `{name}` in the cgroup v2 hierarchy at {mount}"))).hint(|| {
        format!(
            "it has `{}`; the kernel may lack the controller, cgroup v1 may hold it, or the cgroup \
             above may not have been delegated it",
            present.trim()
        )
    })
}

fn is_in(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

/// Gives the container's cgroup to a user, who can then make cgroups in it and move processes
/// between them: the directory and the files that the kernel names for that, and nothing that
/// limits.
///
/// # Errors
/// As chown(2).
pub(super) fn delegate(place: &Place, user: u32) -> Result<()> {
    const USUAL: &str = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
    let names = files::read(Path::new("/sys/kernel/cgroup/delegate"));
    let names = names.unwrap_or_else(|_| USUAL.to_owned());
    let files = names.lines().map(|name| place.directory.join(name));
    for path in files.chain([place.directory.clone()]) {
        match std::os::unix::fs::chown(&path, Some(user), None) {
            // Named for all cgroups, but of a controller that this one does not have.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
            Err(error) => {
                return Err(Error::io("chown", format!("{}, {user}", quoted(&path)), &error));
            }
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Turns controllers on for the children of a cgroup.
fn pass_on(directory: &Path, controllers: &[&str], needed: &[String]) -> Result<()> {
    let is_needed = |name: &&&str| is_in(needed, name);
    // The root of the hierarchy, which has no events, is the one that may have processes as well.
    // Elsewhere the kernel would accept a few controllers, and make the cgroup threaded for them.
    let is_root = !directory.join("cgroup.events").exists();
    // A threaded one does not even tell (EOPNOTSUPP).
    let processes = files::read(&directory.join("cgroup.procs"));
    if !is_root && !processes.as_ref().is_ok_and(String::is_empty) {
        let Some(name) = controllers.iter().find(is_needed) else { return Ok(()) };
        let text = format!("{} cannot pass on the controller `{name}`", quoted(directory));
        let hint = if processes.is_ok() { INTERNAL_PROCESS } else { THREADED };
        return Err(refusal(text)).hint(|| hint);
    }
    let control = directory.join("cgroup.subtree_control");
    let all: Vec<String> = controllers.iter().map(|name| format!("+{name}")).collect();
    if files::write(&control, &all.join(" ")).is_ok() {
        return Ok(());
    }
    // One that is refused takes the others with it, so each on its own.
    for name in controllers {
        let result = files::write(&control, &format!("+{name}"));
        if is_needed(&name) {
            result
                .map_err(refused_controller)
                .context(|| format!("turn on the controller `{name}`"))?;
        }
    }
    Ok(())
}

fn refused_controller(error: Error) -> Error {
    match error.errno() {
        Some(libc::EBUSY) => error.hinted(INTERNAL_PROCESS),
        Some(libc::EOPNOTSUPP) => error.hinted(THREADED),
        Some(libc::EACCES | libc::EPERM) => error.hinted(DELEGATION),
        Some(libc::EINVAL) => error.hinted(
            "the cpu controller refuses while a process with real-time scheduling is below",
        ),
        _ => error,
    }
}
