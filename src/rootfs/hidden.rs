//! What a layer does not show: overlayfs shows the directory, never what is mounted on it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::plan::{Plan, Root};
use crate::error::{Error, Result};

/// File systems that hold no files of anybody's: the kernel shows itself in them, or makes mounts on
/// demand.
const KERNEL: [&str; 25] = [
    "autofs",
    "binder",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "cpuset",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nfsd",
    "nsfs",
    "proc",
    "pstore",
    "resctrl",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];

/// Where every container has mounts of its own.
const OWN: [&str; 3] = ["proc", "sys", "dev"];

/// How many mount points one warning names.
const NAMED: usize = 8;

/// The mount points below a layer that hide files, sorted; what is mounted below one of them goes
/// without saying.
///
/// # Errors
/// Where /proc/self/mountinfo cannot be read.
pub fn hidden_below(layer: &Path) -> Result<Vec<PathBuf>> {
    Ok(hidden(&mountinfo()?, layer))
}

/// Sentences about mount points below layers, unless the container has a mount of its own there. Asked
/// by whoever reports warnings; reads mountinfo, and only where there are layers.
///
/// # Errors
/// Where /proc/self/mountinfo cannot be read.
pub fn layer_warnings(plan: &Plan) -> Result<Vec<String>> {
    let Root::Layers { layers, .. } = &plan.root else { return Ok(Vec::new()) };
    let text = mountinfo()?;
    let own: Vec<&Path> = plan.mounts.iter().map(|mount| mount.destination.as_path()).collect();
    Ok(layers.lower.iter().filter_map(|layer| warning(&text, layer, &own)).collect())
}

fn mountinfo() -> Result<Vec<u8>> {
    std::fs::read("/proc/self/mountinfo")
        .map_err(|error| Error::io("read", "`/proc/self/mountinfo`", &error))
}

fn warning(mountinfo: &[u8], layer: &Path, own: &[&Path]) -> Option<String> {
    let mut points = hidden(mountinfo, layer);
    points.retain(|point| {
        let inside = Path::new("/").join(point.strip_prefix(layer).unwrap_or(point));
        !own.iter().any(|own| inside.starts_with(own))
    });
    let mut names: Vec<_> = points.iter().map(|it| format!("`{}`", it.display())).collect();
    if names.len() > NAMED {
        let more = names.split_off(NAMED).len();
        names.push(format!("{more} more"));
    }
    let layer = layer.display();
    (!names.is_empty()).then(|| {
        format!("the layer `{layer}` does not show what is mounted at {}", names.join(", "))
    })
}

fn hidden(mountinfo: &[u8], layer: &Path) -> Vec<PathBuf> {
    let lines = mountinfo.split(|byte| *byte == b'\n');
    let mut points: Vec<_> = lines.filter_map(|line| hiding(line, layer)).collect();
    points.sort();
    points.dedup_by(|point, earlier| point.starts_with(&*earlier));
    points
}

/// The mount point of a line of proc_pid_mountinfo(5), where it hides something of the layer.
fn hiding(line: &[u8], layer: &Path) -> Option<PathBuf> {
    let mut fields = line.split(|byte| *byte == b' ');
    let point = unescape(fields.nth(4)?);
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    let inside = point.strip_prefix(layer).ok().filter(|inside| *inside != Path::new(""))?;
    let own = OWN.iter().any(|own| inside.starts_with(own));
    let kernel = KERNEL.iter().any(|known| known.as_bytes() == kind);
    (!own && !kernel).then_some(point)
}

/// Spaces, tabs, newlines and backslashes are written as three octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, after @ ..] = rest {
        let digits = after.get(..3).and_then(|digits| str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code.filter(|_| *first == b'\\') {
            Some(code) => {
                bytes.push(code);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &[u8] = b"1 0 8:1 / / rw - ext4 /dev/sda rw\n\
        2 1 0:5 / /proc rw shared:1 - proc proc rw\n\
        4 2 0:5 / /proc/sys rw - proc proc rw\n\
        3 1 0:6 / /data/my\\040disk rw shared:2 master:1 - ext4 /dev/sdb rw\n\
        5 3 0:7 / /data/my\\040disk/below rw - ext4 /dev/sdc rw\n\
        6 1 0:8 / /mnt/auto rw - autofs systemd-1 rw\n\
        7 1 0:9 / /dev/shm rw - tmpfs tmpfs rw\n\
        8 1 0:9 / /srv/chroot/dev rw - tmpfs tmpfs rw\n\
        9 1 0:9 / /srv/chroot/a\\134b\\011 rw - tmpfs tmpfs rw\n\n";

    #[test]
    fn mount_points_below_a_layer_are_named() {
        let text = warning(INFO, Path::new("/"), &[]).unwrap();
        let names = "`/data/my disk`, `/srv/chroot/a\\b\t`, `/srv/chroot/dev`";
        assert!(text.ends_with(&format!("mounted at {names}")), "{text}");
        assert_eq!(warning(INFO, Path::new("/usr"), &[]), None);
        assert_eq!(warning(INFO, Path::new("/proc/sys"), &[]), None);
        assert_eq!(hidden(INFO, Path::new("/srv/chroot")), [Path::new("/srv/chroot/a\\b\t")]);
    }

    #[test]
    fn what_the_container_mounts_itself_is_not_hidden() {
        let own = [Path::new("/data"), Path::new("/srv/chroot/dev")];
        let text = warning(INFO, Path::new("/"), &own).unwrap();
        assert!(text.ends_with("mounted at `/srv/chroot/a\\b\t`"), "{text}");
        assert_eq!(warning(INFO, Path::new("/srv/chroot"), &[Path::new("/")]), None);
    }

    #[test]
    fn many_are_counted() {
        let lines: Vec<_> =
            (0..20).map(|at| format!("1 0 8:1 / /m/{at:02} rw - ext4 x rw\n")).collect();
        let text = warning(lines.concat().as_bytes(), Path::new("/"), &[]).unwrap();
        assert!(text.ends_with("`/m/07`, 12 more"), "{text}");
    }
}
