//! What a container may have left on the machine: state, processes, mounts, control groups.

use std::path::{Path, PathBuf};

use super::Bundle;

/// Everything that is left of the bundle's containers, in words.
pub(super) fn find(bundle: &Bundle) -> Vec<String> {
    let mut left: Vec<String> = std::fs::read_dir(bundle.root())
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| format!("state: {}", entry.path().display()))
        .collect();
    left.extend(processes(bundle).into_iter().map(|(pid, line)| format!("process {pid}: {line}")));
    left.extend(mounts(bundle).into_iter().map(|path| format!("mount: {}", path.display())));
    left.extend(cgroups(&bundle.id).into_iter().map(|path| format!("cgroup: {}", path.display())));
    left
}

/// Removes what [`find`] finds, after a failure.
pub(super) fn remove(bundle: &Bundle) {
    for (pid, _) in processes(bundle) {
        if let Some(pid) = rustix::process::Pid::from_raw(pid) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
    for path in mounts(bundle).iter().rev() {
        let _ = rustix::mount::unmount(path, rustix::mount::UnmountFlags::DETACH);
    }
    for path in cgroups(&bundle.id) {
        let _ = std::fs::remove_dir(path);
    }
}

/// Processes whose command line or mounts name the bundle. A zombie has neither.
fn processes(bundle: &Bundle) -> Vec<(i32, String)> {
    let own = std::process::id();
    let ours = std::fs::read_link("/proc/self/ns/mnt").ok();
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let read = |pid: i32, name: &str| {
        let bytes = std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    // What the ids of all bundles of this run begin with.
    let word = bundle.id.rsplit_once('-').map_or("", |(word, _)| word);
    pids.filter(|pid| u32::try_from(*pid) != Ok(own))
        .filter_map(|pid| {
            let line = read(pid, "cmdline");
            // Our own mount namespace is shared by other tests' calls.
            let namespace = std::fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
            let inside = namespace != ours && read(pid, "mountinfo").contains(&bundle.id);
            // Another test's call, in a copy of ours that was made while our bundle had a mount.
            let inside = inside && !line.contains(word);
            (inside || line.contains(&bundle.id)).then_some((pid, line))
        })
        .collect()
}

/// Mounts below the bundle in our own mount namespace.
fn mounts(bundle: &Bundle) -> Vec<PathBuf> {
    let text = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let points = text.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    points.filter(|point| point.starts_with(&bundle.dir)).collect()
}

/// Control groups called like the container, where a runtime makes them by default.
fn cgroups(id: &str) -> Vec<PathBuf> {
    let text = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut found = Vec::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(own)) = (fields.next(), fields.next()) else { continue };
        let name = controllers.trim_start_matches("name=");
        let own = Path::new(own.trim_start_matches('/'));
        for mount in [name, "unified", "."] {
            let mount = Path::new("/sys/fs/cgroup").join(mount);
            for base in [Some(own), own.parent()].into_iter().flatten() {
                found.push(mount.join(base).join(id));
            }
        }
    }
    found.retain(|path| path.exists());
    found
}
