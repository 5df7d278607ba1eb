//! A bundle of its own for every test, and everything that is done with it.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::call::{Call, Outcome, Running};
use super::{leftovers, suite, until};

/// The ordinary config that every bundle starts from.
const CONFIG: &str = include_str!("../../../conformance/config.json");

/// A bundle with a container's name and a state directory of its own. Dropping it deletes the
/// container and fails the test if anything is left.
pub(crate) struct Bundle {
    pub(crate) dir: PathBuf,
    pub(crate) id: String,
    pub(crate) config: Value,
    /// The runtime under test, where it is not the one that was built.
    pub(crate) runtime: PathBuf,
    calls: Cell<u32>,
}

impl Bundle {
    pub(crate) fn new() -> Bundle {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // The digits at both ends keep one name from being part of another.
        let id = format!("it{}-{number}z", std::process::id());
        let dir = suite::directory().join(&id);
        std::fs::create_dir(&dir).unwrap();
        let bundle = Bundle {
            dir,
            id,
            config: serde_json::from_str(CONFIG).unwrap(),
            runtime: suite::runtime(),
            calls: Cell::new(0),
        };
        populate(&bundle.rootfs());
        bundle
    }

    pub(crate) fn rootfs(&self) -> PathBuf {
        self.dir.join("rootfs")
    }

    /// The directory that `--root` names.
    pub(crate) fn root(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// The container's directory below it.
    pub(crate) fn entry(&self) -> PathBuf {
        self.root().join(&self.id)
    }

    pub(crate) fn edit(mut self, edit: impl FnOnce(&mut Value)) -> Bundle {
        edit(&mut self.config);
        self
    }

    /// Sets the member that a JSON pointer names; objects on the way are made.
    pub(crate) fn set(self, pointer: &str, value: impl Into<Value>) -> Bundle {
        let value = value.into();
        self.edit(|config| {
            let mut at = config;
            for name in pointer.split('/').skip(1) {
                let name = name.replace("~1", "/").replace("~0", "~");
                at = match name.parse::<usize>() {
                    Ok(index) if at.is_array() => &mut at[index],
                    _ => &mut at[name.as_str()],
                };
            }
            *at = value;
        })
    }

    pub(crate) fn args<I: Into<Value>>(self, args: impl IntoIterator<Item = I>) -> Bundle {
        let args: Vec<Value> = args.into_iter().map(Into::into).collect();
        self.set("/process/args", args)
    }

    /// The program is the probe; its sub-commands as one line.
    pub(crate) fn probe(self, line: &str) -> Bundle {
        self.args(std::iter::once("/probe").chain(line.split_whitespace()))
    }

    /// The program is a shell.
    pub(crate) fn sh(self, script: &str) -> Bundle {
        self.args(["/bin/sh", "-c", script])
    }

    pub(crate) fn mount(self, mount: Value) -> Bundle {
        self.edit(|config| config["mounts"].as_array_mut().unwrap().push(mount))
    }

    /// Takes the mount at `destination` away.
    pub(crate) fn without_mount(self, destination: &str) -> Bundle {
        let below = format!("{destination}/");
        self.edit(|config| {
            config["mounts"].as_array_mut().unwrap().retain(|mount| {
                let at = mount["destination"].as_str().unwrap();
                at != destination && !at.starts_with(&below)
            });
        })
    }

    /// Replaces the namespace of one kind by the one at a path; the path `` stands for a new one.
    pub(crate) fn join(self, kind: &str, path: &str) -> Bundle {
        self.edit(|config| {
            let list = config["linux"]["namespaces"].as_array_mut().unwrap();
            list.retain(|namespace| namespace["type"] != kind);
            list.push(if path.is_empty() {
                json!({"type": kind})
            } else {
                json!({"type": kind, "path": path})
            });
        })
    }

    /// Takes the namespace of one kind away, so that it is the caller's.
    pub(crate) fn inherit(self, kind: &str) -> Bundle {
        self.edit(|config| {
            let list = config["linux"]["namespaces"].as_array_mut().unwrap();
            list.retain(|namespace| namespace["type"] != kind);
        })
    }

    /// A user namespace whose root owns the image.
    pub(crate) fn mapped(self) -> Bundle {
        for name in ["", "dev", "bin", "etc"] {
            std::os::unix::fs::chown(self.rootfs().join(name), Some(100_000), Some(100_000))
                .unwrap();
        }
        let map = json!([{"containerID": 0, "hostID": 100_000, "size": 65536}]);
        self.set("/linux/uidMappings", map.clone()).set("/linux/gidMappings", map)
    }

    /// A hook that is a shell script; `$0` is the bundle's directory.
    pub(crate) fn hook(self, moment: &str, script: &str) -> Bundle {
        let hook = json!({"path": "/bin/sh", "args": ["sh", "-c", script, self.dir]});
        self.hook_object(moment, hook)
    }

    pub(crate) fn hook_object(self, moment: &str, hook: Value) -> Bundle {
        self.edit(|config| {
            let list = &mut config["hooks"][moment];
            if list.is_null() {
                *list = json!([]);
            }
            list.as_array_mut().unwrap().push(hook);
        })
    }

    /// A file below the bundle's directory.
    pub(crate) fn file(self, name: &str, text: &str) -> Bundle {
        let path = self.dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn write_config(&self) {
        let text = serde_json::to_vec(&self.config).unwrap();
        std::fs::write(self.dir.join("config.json"), text).unwrap();
    }

    /// A call of the runtime with `--root` and then `args`.
    pub(crate) fn call(&self, args: &[&str]) -> Call {
        self.call_through(&[], args)
    }

    /// A call of the runtime with another state directory, beside the usual one.
    pub(crate) fn call_elsewhere(&self, args: &[&str]) -> Call {
        let root = self.dir.join("elsewhere");
        let words = ["--root", root.to_str().unwrap()];
        let args: Vec<&str> = words.iter().chain(args).copied().collect();
        self.raw(&[], &args)
    }

    /// The same through another program that starts what follows it.
    pub(crate) fn call_through(&self, before: &[&str], args: &[&str]) -> Call {
        let root = self.root();
        let words = ["--root", root.to_str().unwrap()];
        let args: Vec<&str> = words.iter().chain(args).copied().collect();
        self.raw(before, &args)
    }

    /// The same without `--root`.
    pub(crate) fn call_plain(&self, before: &[&str], args: &[&str]) -> Call {
        self.raw(before, args)
    }

    fn raw(&self, before: &[&str], args: &[&str]) -> Call {
        let number = self.calls.get();
        self.calls.set(number + 1);
        let files =
            (self.dir.join(format!("stdout.{number}")), self.dir.join(format!("stderr.{number}")));
        let names =
            vec![("{dir}", self.dir.to_string_lossy().into_owned()), ("{id}", self.id.clone())];
        let mut words: Vec<std::ffi::OsString> = before.iter().map(Into::into).collect();
        words.push(self.runtime.clone().into());
        let mut words = words.into_iter();
        let program = PathBuf::from(words.next().unwrap());
        Call::new(&program, files, names).args(words).args(args)
    }

    /// The call of `verb` for this bundle; writes its config.json.
    pub(crate) fn making(&self, verb: &str) -> Call {
        self.write_config();
        self.call(&[verb, "--bundle"]).arg(&self.dir).arg(&self.id)
    }

    pub(crate) fn run(&self) -> Outcome {
        self.making("run").done()
    }

    pub(crate) fn create(&self) -> Outcome {
        self.making("create").done()
    }

    pub(crate) fn start(&self) -> Outcome {
        self.call(&["start", &self.id]).done()
    }

    pub(crate) fn kill(&self, signal: &str) -> Outcome {
        self.call(&["kill", &self.id, signal]).done()
    }

    pub(crate) fn delete(&self) -> Outcome {
        self.call(&["delete", &self.id]).done()
    }

    pub(crate) fn delete_force(&self) -> Outcome {
        self.call(&["delete", "--force", &self.id]).done()
    }

    pub(crate) fn state(&self) -> Value {
        let outcome = self.call(&["state", &self.id]).done().ok();
        serde_json::from_str(&outcome.stdout).unwrap()
    }

    pub(crate) fn status(&self) -> String {
        self.state()["status"].as_str().unwrap().to_owned()
    }

    pub(crate) fn await_status(&self, status: &str) {
        until(&format!("{status} of {}", self.id), || (self.status() == status).then_some(()));
    }

    /// The pid of the container's first process, as its record says.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.state()["pid"].as_i64().unwrap()).unwrap()
    }

    /// `create` and `start` of a program that stays.
    pub(crate) fn started(self) -> Bundle {
        let _ = self.create().ok();
        let _ = self.start().ok();
        self
    }

    /// A fifo below the bundle's directory.
    pub(crate) fn fifo(self, name: &str) -> Bundle {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        mknodat(CWD, self.dir.join(name), FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
        self
    }

    /// Lets a script go on that reads a line from a fifo.
    pub(crate) fn go(&self, fifo: &str) {
        std::fs::write(self.dir.join(fifo), "\n").unwrap();
    }

    /// Waits for a file that somebody writes, and reads it.
    pub(crate) fn await_file(&self, name: &str) -> String {
        let path = self.dir.join(name);
        until(&format!("{}", path.display()), || {
            std::fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n'))
        })
    }

    /// The same, where a process may need a moment to notice.
    #[track_caller]
    pub(crate) fn await_nothing_left(&self) {
        let start = std::time::Instant::now();
        while !leftovers::find(self).is_empty() {
            if start.elapsed().as_secs() >= 3 {
                return self.assert_nothing_left();
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// Fails if anything of the container exists.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        let left = leftovers::find(self);
        assert!(left.is_empty(), "left of {}: {left:#?}", self.id);
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let ids = std::fs::read_dir(self.root()).into_iter().flatten().flatten();
        let ids: Vec<_> = ids.map(|entry| entry.file_name()).collect();
        let mut failures = Vec::new();
        for id in ids.iter().filter_map(|id| id.to_str()) {
            let id = id.strip_prefix(',').and_then(|id| id.rsplit_once('.')).map_or(id, |it| it.0);
            // While a test fails nothing may panic again.
            let deleted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                self.call(&["delete", "--force", id]).done()
            }));
            match deleted {
                Ok(outcome) if outcome.status == 0 => {}
                Ok(outcome) => failures.push(format!("delete --force: {}", outcome.stderr)),
                Err(_) => failures.push("delete --force hangs".to_owned()),
            }
        }
        failures.extend(leftovers::find(self));
        leftovers::remove(self);
        let _ = std::fs::remove_dir_all(&self.dir);
        if !std::thread::panicking() {
            assert!(failures.is_empty(), "left after `delete --force`: {failures:#?}");
        }
    }
}

/// Fills a root file system with busybox and the probe, hard-linked from one copy.
fn populate(rootfs: &Path) {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    let template = TEMPLATE.get_or_init(template);
    for dir in ["bin", "dev", "proc", "sys", "etc", "tmp", "root", "run"] {
        std::fs::create_dir_all(rootfs.join(dir)).unwrap();
    }
    for name in ["bin/busybox", "probe", "etc/passwd", "etc/group"] {
        std::fs::hard_link(template.join(name), rootfs.join(name)).unwrap();
    }
    for name in [
        "sh", "cat", "echo", "sleep", "true", "false", "ls", "mkdir", "mount", "touch", "stty",
        "readlink",
    ] {
        std::os::unix::fs::symlink("busybox", rootfs.join("bin").join(name)).unwrap();
    }
}

fn template() -> PathBuf {
    let dir = suite::directory().join("template");
    std::fs::create_dir_all(dir.join("bin")).unwrap();
    std::fs::create_dir_all(dir.join("etc")).unwrap();
    let busybox =
        ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|it| Path::new(it).exists());
    std::fs::copy(busybox.expect("busybox-static"), dir.join("bin/busybox")).unwrap();
    std::fs::copy(suite::probe(), dir.join("probe")).unwrap();
    let passwd = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n";
    std::fs::write(dir.join("etc/passwd"), passwd).unwrap();
    std::fs::write(dir.join("etc/group"), "root:x:0:\nalice:x:1000:\n").unwrap();
    dir
}

/// A seccomp agent on the host, as the probe has it: it listens at `socket`, and answers so many
/// calls.
pub(crate) fn agent(bundle: &Bundle, socket: &Path, answer: &str, calls: u32) -> Running {
    let files = (bundle.dir.join("agent.out"), bundle.dir.join("agent.err"));
    let call = Call::new(&suite::probe(), files, Vec::new()).arg("agent").arg(socket);
    call.arg(answer).arg(calls.to_string()).spawn()
}

/// Starts all calls at once; what came of each, in their order.
pub(crate) fn parallel(calls: Vec<Call>) -> Vec<Outcome> {
    let running: Vec<_> = calls.into_iter().map(Call::spawn).collect();
    running.into_iter().map(super::Running::done).collect()
}
