//! Pure: what is asked of criu and what it answers, as the messages of its RPC (criu(8), rpc.proto).

use std::path::{Path, PathBuf};

use super::wire::{self, Message};
use crate::error::Result;

/// What criu is to do: a number of `criu_req_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Write the processes to images.
    Dump = 1,
    /// Make processes from images.
    Restore = 2,
    /// Write the memory of processes that go on, for a dump that comes later (`SINGLE_PRE_DUMP`: criu
    /// ends after it).
    PreDump = 13,
}

impl Task {
    /// The name of criu's log.
    pub fn log(self) -> &'static str {
        if self == Task::Restore { "restore.log" } else { "dump.log" }
    }
}

/// The answer to a notification.
const NOTIFY: u64 = 6;

/// How criu treats cgroups (`criu_cg_mode`).
pub const CGROUP_MODES: &[(&str, u64)] = &[("ignore", 0), ("soft", 3), ("full", 4), ("strict", 5)];

/// How criu keeps packets away meanwhile (`criu_network_lock_method`).
pub const NETWORK_LOCKS: &[(&str, u64)] = &[("iptables", 1), ("nftables", 2), ("skip", 3)];

/// The kinds of namespaces that can be left out of the images (`--empty-ns`), as flags of clone(2).
pub const EMPTY_NAMESPACES: &[(&str, u64)] = &[("network", 0x4000_0000)];

/// What the command line asks of criu.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// The processes go on after the dump.
    pub leave_running: bool,
    /// Connections of TCP are kept.
    pub tcp_established: bool,
    /// Connections that are being made are left out.
    pub tcp_skip_in_flight: bool,
    /// Connections are closed.
    pub tcp_close: bool,
    /// Unix sockets may have their other side outside.
    pub ext_unix_sk: bool,
    /// The terminal is the caller's.
    pub shell_job: bool,
    /// Locks of files are kept.
    pub file_locks: bool,
    /// Files that were unlinked get a name.
    pub link_remap: bool,
    /// Memory comes when it is needed.
    pub lazy_pages: bool,
    /// Memory that is in a later image too is taken out of the earlier one.
    pub auto_dedup: bool,
    /// How cgroups are treated: `soft` unless it is said.
    pub cgroups: Option<u64>,
    /// How packets are kept away.
    pub network_lock: Option<u64>,
    /// Namespaces that are left out: flags of clone(2).
    pub empty_namespaces: u64,
    /// Who gets the memory: address and port.
    pub page_server: Option<(String, u16)>,
    /// The directory of an earlier pre-dump, seen from that of the images.
    pub parent: Option<PathBuf>,
    /// Who is told that the page server is ready: a descriptor of ours.
    pub status_fd: Option<i32>,
    /// The label of the restored processes: `TYPE:NAME`.
    pub lsm_profile: Option<String>,
    /// The SELinux context of restored mounts.
    pub lsm_mount_context: Option<String>,
    /// The administrator's settings for criu.
    pub config_file: Option<PathBuf>,
}

/// Everything that criu needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// What it is to do.
    pub task: Task,
    /// The directory of the images: a descriptor of ours.
    pub images: i32,
    /// The directory of the log: a descriptor of ours.
    pub work: i32,
    /// The first process of what is dumped.
    pub pid: Option<i32>,
    /// The root file system, on the host.
    pub root: &'a Path,
    /// What is outside: `TYPE[KEY]:NAME`.
    pub external: Vec<String>,
    /// Descriptors of criu's own for what was outside: key and number.
    pub inherited: Vec<(String, i32)>,
    /// Namespaces to be joined: kind and path.
    pub joined: Vec<(&'static str, PathBuf)>,
    /// The cgroup in each hierarchy: controllers and path.
    pub cgroup_roots: Vec<(String, String)>,
    /// The cgroup by which the processes are frozen.
    pub freezer: Option<PathBuf>,
    /// What the command line asks.
    pub options: &'a Options,
}

impl Request<'_> {
    /// The message.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut opts = Message::default();
        opts.signed(1, self.images);
        opts.signed(17, self.work);
        if let Some(pid) = self.pid {
            opts.signed(2, pid);
        }
        opts.number(9, 4); // everything into the log
        opts.bytes(10, self.task.log().as_bytes());
        opts.bytes(13, self.root.as_os_str().as_encoded_bytes());
        // Even those scripts that do nothing are asked: by them we learn where criu is.
        opts.flag(12, true);
        opts.flag(24, true);
        opts.number(34, self.options.cgroups.unwrap_or(3));
        // The outer side of a terminal is never in the container.
        opts.flag(50, true);
        self.add_outside(&mut opts);
        add_options(&mut opts, self.options);
        if self.task == Task::Restore {
            opts.flag(6, true); // devices that have gone: as runc
            opts.flag(26, true); // a child of ours, not of criu's
        } else if self.task == Task::PreDump || self.options.parent.is_some() {
            opts.flag(15, true);
        }
        let mut request = Message::default();
        request.number(1, self.task as u64);
        request.message(2, &opts);
        request.into_bytes()
    }

    fn add_outside(&self, opts: &mut Message) {
        for external in &self.external {
            opts.bytes(37, external.as_bytes());
        }
        for (key, number) in &self.inherited {
            let mut inherited = Message::default();
            inherited.bytes(1, key.as_bytes());
            inherited.signed(2, *number);
            opts.message(27, &inherited);
        }
        for (kind, path) in &self.joined {
            let mut joined = Message::default();
            joined.bytes(1, kind.as_bytes());
            joined.bytes(2, path.as_os_str().as_encoded_bytes());
            opts.message(39, &joined);
        }
        for (controllers, path) in &self.cgroup_roots {
            let mut root = Message::default();
            root.bytes(1, controllers.as_bytes());
            root.bytes(2, path.as_bytes());
            opts.message(25, &root);
        }
        if let Some(freezer) = &self.freezer {
            opts.bytes(44, freezer.as_os_str().as_encoded_bytes());
        }
    }
}

fn add_options(opts: &mut Message, options: &Options) {
    for (field, flag) in [
        (3, options.leave_running),
        (4, options.ext_unix_sk),
        (5, options.tcp_established),
        (7, options.shell_job),
        (8, options.file_locks),
        (16, options.auto_dedup),
        (18, options.link_remap),
        (46, options.tcp_skip_in_flight),
        (48, options.lazy_pages),
        (52, options.tcp_close),
    ] {
        opts.flag(field, flag);
    }
    if let Some((address, port)) = &options.page_server {
        let mut server = Message::default();
        server.bytes(1, address.as_bytes());
        server.number(2, u64::from(*port));
        opts.message(11, &server);
    }
    if options.empty_namespaces != 0 {
        opts.number(38, options.empty_namespaces);
    }
    if let Some(method) = options.network_lock {
        opts.number(64, method);
    }
    if let Some(number) = options.status_fd {
        opts.signed(49, number);
    }
    let parent = options.parent.as_ref().map(|path| path.as_os_str().as_encoded_bytes());
    let config = options.config_file.as_ref().map(|path| path.as_os_str().as_encoded_bytes());
    for (field, text) in [
        (14, parent),
        (51, config),
        (53, options.lsm_profile.as_ref().map(String::as_bytes)),
        (63, options.lsm_mount_context.as_ref().map(String::as_bytes)),
    ] {
        if let Some(text) = text {
            opts.bytes(field, text);
        }
    }
}

/// What criu says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Something is about to happen or has happened; it waits for an answer.
    Notification(Notification),
    /// It is done.
    Done {
        /// The first process, after a restore.
        pid: Option<i32>,
    },
    /// It has failed: errno and text, where it says so.
    Failed {
        /// An errno, or 0.
        errno: i32,
        /// Its own words, or none.
        text: String,
    },
}

/// A moment in criu's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its name, as criu(8) has it.
    pub script: String,
    /// The first process, where there is one by now.
    pub pid: Option<i32>,
}

/// Reads a response.
pub(super) fn read(bytes: &[u8]) -> Result<Said> {
    let (mut kind, mut success, mut pid, mut errno, mut text) = (0, false, None, 0, String::new());
    let mut notification = Notification { script: String::new(), pid: None };
    for (field, value) in wire::fields(bytes)? {
        match field {
            1 => kind = value.number()?,
            2 => success = value.number()? != 0,
            4 => pid = member(value.bytes()?, 1)?.map(wire::Value::signed).transpose()?,
            5 => {
                let bytes = value.bytes()?;
                notification = Notification {
                    script: member(bytes, 1)?
                        .map(wire::Value::text)
                        .transpose()?
                        .unwrap_or_default(),
                    pid: member(bytes, 2)?.map(wire::Value::signed).transpose()?,
                };
            }
            7 => errno = value.signed()?,
            9 => text = value.text()?,
            _ => {}
        }
    }
    Ok(match (kind, success) {
        (_, false) => Said::Failed { errno, text },
        (NOTIFY, true) => Said::Notification(notification),
        (_, true) => Said::Done { pid },
    })
}

fn member(bytes: &[u8], wanted: u64) -> Result<Option<wire::Value<'_>>> {
    let found = wire::fields(bytes)?.into_iter().find(|(field, _)| *field == wanted);
    Ok(found.map(|(_, value)| value))
}

/// The answer to a notification.
pub(super) fn answer(success: bool) -> Vec<u8> {
    let mut answer = Message::default();
    answer.number(1, NOTIFY);
    answer.number(3, u64::from(success));
    answer.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Value;

    fn request(task: Task, options: &Options) -> Request<'_> {
        Request {
            task,
            images: 7,
            work: 8,
            pid: None,
            root: Path::new("/r"),
            external: Vec::new(),
            inherited: Vec::new(),
            joined: Vec::new(),
            cgroup_roots: Vec::new(),
            freezer: None,
            options,
        }
    }

    /// The fields of `opts`; the request's own come first.
    fn opts(bytes: &[u8]) -> Vec<(u64, Value<'_>)> {
        let fields = wire::fields(bytes).unwrap();
        assert_eq!(fields.len(), 2);
        wire::fields(fields[1].1.bytes().unwrap()).unwrap()
    }

    #[test]
    fn a_plain_dump() {
        let options = Options::default();
        let request = Request {
            pid: Some(300),
            freezer: Some("/f".into()),
            external: vec!["mnt[/a]:/a".to_owned()],
            ..request(Task::Dump, &options)
        };
        let bytes = request.to_bytes();
        assert_eq!(wire::fields(&bytes).unwrap()[0], (1, Value::Number(1)));
        assert_eq!(
            opts(&bytes),
            [
                (1, Value::Number(7)),
                (17, Value::Number(8)),
                (2, Value::Number(300)),
                (9, Value::Number(4)),
                (10, Value::Bytes(b"dump.log")),
                (13, Value::Bytes(b"/r")),
                (12, Value::Number(1)),
                (24, Value::Number(1)),
                (34, Value::Number(3)),
                (50, Value::Number(1)),
                (37, Value::Bytes(b"mnt[/a]:/a")),
                (44, Value::Bytes(b"/f")),
            ]
        );
    }

    #[test]
    fn every_option_has_its_field() {
        let none = Options::default();
        let text = |text: &str| Some(text.to_owned());
        let before = request(Task::Dump, &none).to_bytes();
        let before = opts(&before);
        for (options, field, value) in [
            (Options { leave_running: true, ..none.clone() }, 3, Value::Number(1)),
            (Options { ext_unix_sk: true, ..none.clone() }, 4, Value::Number(1)),
            (Options { tcp_established: true, ..none.clone() }, 5, Value::Number(1)),
            (Options { shell_job: true, ..none.clone() }, 7, Value::Number(1)),
            (Options { file_locks: true, ..none.clone() }, 8, Value::Number(1)),
            (Options { auto_dedup: true, ..none.clone() }, 16, Value::Number(1)),
            (Options { link_remap: true, ..none.clone() }, 18, Value::Number(1)),
            (Options { tcp_skip_in_flight: true, ..none.clone() }, 46, Value::Number(1)),
            (Options { lazy_pages: true, ..none.clone() }, 48, Value::Number(1)),
            (Options { tcp_close: true, ..none.clone() }, 52, Value::Number(1)),
            (Options { status_fd: Some(3), ..none.clone() }, 49, Value::Number(3)),
            (Options { network_lock: Some(2), ..none.clone() }, 64, Value::Number(2)),
            (Options { empty_namespaces: 1 << 30, ..none.clone() }, 38, Value::Number(1 << 30)),
            (Options { parent: Some("../p".into()), ..none.clone() }, 14, Value::Bytes(b"../p")),
            (Options { config_file: Some("/c".into()), ..none.clone() }, 51, Value::Bytes(b"/c")),
            (Options { lsm_profile: text("a:b"), ..none.clone() }, 53, Value::Bytes(b"a:b")),
            (Options { lsm_mount_context: text("c"), ..none.clone() }, 63, Value::Bytes(b"c")),
            (
                Options { page_server: Some(("::1".to_owned(), 80)), ..none.clone() },
                11,
                Value::Bytes(b"\x0a\x03::1\x10\x50"),
            ),
        ] {
            let bytes = request(Task::Dump, &options).to_bytes();
            let more: Vec<_> =
                opts(&bytes).into_iter().filter(|field| !before.contains(field)).collect();
            assert!(more.contains(&(field, value)), "{field}: {more:?}");
        }
        for (name, number) in CGROUP_MODES {
            let options = Options { cgroups: Some(*number), ..none.clone() };
            let bytes = request(Task::Dump, &options).to_bytes();
            assert!(opts(&bytes).contains(&(34, Value::Number(*number))), "{name}");
        }
    }

    #[test]
    fn what_is_outside() {
        let options = Options::default();
        let request = Request {
            inherited: vec![("pipe:[1]".to_owned(), 0)],
            joined: vec![("uts", "/n".into())],
            cgroup_roots: vec![("cpu".to_owned(), "/c".to_owned())],
            ..request(Task::Restore, &options)
        };
        let bytes = request.to_bytes();
        let fields = opts(&bytes);
        for expected in [
            (27, Value::Bytes(b"\x0a\x08pipe:[1]\x10\x00")),
            (39, Value::Bytes(b"\x0a\x03uts\x12\x02/n")),
            (25, Value::Bytes(b"\x0a\x03cpu\x12\x02/c")),
            (10, Value::Bytes(b"restore.log")),
            (26, Value::Number(1)),
        ] {
            assert!(fields.contains(&expected), "{expected:?}");
        }
    }

    #[test]
    fn a_dump_after_a_pre_dump_tracks_memory() {
        let none = Options::default();
        let with_parent = Options { parent: Some("p".into()), ..none.clone() };
        for (task, options, tracked) in [
            (Task::PreDump, &none, true),
            (Task::Dump, &with_parent, true),
            (Task::Dump, &none, false),
            (Task::Restore, &none, false),
        ] {
            let bytes = request(task, options).to_bytes();
            assert_eq!(opts(&bytes).contains(&(15, Value::Number(1))), tracked, "{task:?}");
        }
    }

    #[test]
    fn what_criu_says() {
        assert_eq!(read(b"\x08\x01\x10\x01").unwrap(), Said::Done { pid: None });
        assert_eq!(
            read(b"\x08\x02\x10\x01\x22\x02\x08\x2a").unwrap(),
            Said::Done { pid: Some(42) }
        );
        let script = "post-dump".to_owned();
        let said = read(b"\x08\x06\x10\x01\x2a\x0d\x0a\x09post-dump\x10\x05").unwrap();
        assert_eq!(said, Said::Notification(Notification { script, pid: Some(5) }));
        let said = read(b"\x08\x01\x10\x00\x38\x02\x4a\x02no").unwrap();
        assert_eq!(said, Said::Failed { errno: 2, text: "no".to_owned() });
        assert!(read(b"\x08").is_err());
        assert_eq!(answer(true), b"\x08\x06\x18\x01");
    }
}
