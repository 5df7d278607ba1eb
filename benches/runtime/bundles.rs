//! The bundles that are run, on a tmpfs that goes away with this program's mount namespace.
//!
//! - **a** is what `spec` writes, with `/bin/true` of a static busybox;
//! - **b** is what Docker writes for `docker run` with limits: its default seccomp profile,
//!   capabilities, masks, mounts, three bind mounts of files (`tests/fixtures/engines`);
//! - **c** is a with 100 bind mounts;
//! - **d** is a with a seccomp profile of 200 rules, each with two arguments.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// The scratch directory and what is in it.
pub(crate) struct Work {
    pub(crate) directory: PathBuf,
    pub(crate) floor: PathBuf,
    pub(crate) measure: PathBuf,
    /// The filter of bundle b, for the floor.
    pub(crate) filter: PathBuf,
    /// `v1` (hybrid) or `v2`.
    pub(crate) layout: &'static str,
}

impl Work {
    pub(crate) fn bundle(&self, name: &str) -> String {
        self.directory.join("bundles").join(name).to_string_lossy().into_owned()
    }

    /// For the records of the runtime under test.
    pub(crate) fn state(&self) -> PathBuf {
        self.directory.join("state")
    }

    pub(crate) fn rootfs(&self) -> PathBuf {
        self.directory.join("rootfs")
    }

    /// crun refuses a hybrid host where the v2 side has controllers: with their list hidden it runs.
    pub(crate) fn suit_crun(&self) {
        let list = "/sys/fs/cgroup/unified/cgroup.controllers";
        if Path::new(list).exists() {
            let empty = self.directory.join("empty");
            fs::write(&empty, "").unwrap();
            check(Command::new("mount").arg("--bind").args([empty.as_os_str(), list.as_ref()]));
        }
    }

    /// Writes a bundle made from another one.
    pub(crate) fn write(&self, name: &str, config: &Value) {
        let bundle = self.directory.join("bundles").join(name);
        fs::create_dir_all(&bundle).unwrap();
        fs::write(bundle.join("config.json"), serde_json::to_vec_pretty(config).unwrap()).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Value {
        let text = fs::read(Path::new(&self.bundle(name)).join("config.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

pub(crate) fn check(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// Makes everything. Needs cc, a static busybox and root.
pub(crate) fn prepare(runtime: &Path, directory: PathBuf) -> Work {
    check(Command::new("mount").args(["-t", "tmpfs", "rrun-bench"]).arg(&directory));
    let is_v2 = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let work = Work {
        floor: directory.join("floor"),
        measure: directory.join("measure"),
        filter: directory.join("filter"),
        layout: if is_v2 { "v2" } else { "v1" },
        directory,
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (program, source) in [(&work.floor, "floor.c"), (&work.measure, "measure.c")] {
        let source = here.join("benches/runtime").join(source);
        check(Command::new("cc").args(["-O2", "-static", "-o"]).args([program, &source]));
    }
    make_rootfs(&work);
    make_bundles(runtime, here, &work);
    let program = Command::new(runtime)
        .args(["seccomp", "--raw", "--bundle", &work.bundle("b")])
        .output()
        .unwrap();
    fs::write(&work.filter, program.stdout).unwrap();
    work
}

fn make_rootfs(work: &Work) {
    let root = work.rootfs();
    for name in ["bin", "proc", "sys", "dev", "etc", "tmp", "mnt"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].iter().find(|path| Path::new(path).exists());
    fs::copy(busybox.expect("a static busybox"), root.join("bin/busybox")).unwrap();
    for name in ["true", "sh", "sleep", "cat"] {
        std::os::unix::fs::symlink("busybox", root.join("bin").join(name)).unwrap();
    }
    for name in ["resolv.conf", "hostname", "hosts"] {
        fs::write(root.join("etc").join(name), "").unwrap();
    }
    for number in 0..100 {
        fs::create_dir_all(work.directory.join(format!("source/m{number}"))).unwrap();
        fs::create_dir_all(root.join(format!("mnt/m{number}"))).unwrap();
    }
}

fn make_bundles(runtime: &Path, here: &Path, work: &Work) {
    let spec = work.directory.join("spec");
    fs::create_dir_all(&spec).unwrap();
    check(Command::new(runtime).arg("spec").current_dir(&spec));
    let mut a: Value =
        serde_json::from_slice(&fs::read(spec.join("config.json")).unwrap()).unwrap();
    a["process"]["terminal"] = json!(false);
    a["process"]["args"] = json!(["/bin/true"]);
    a["root"] = json!({"path": work.rootfs(), "readonly": true});
    // What the oldest peer knows, too.
    a["ociVersion"] = json!("1.0.2");

    let fixture = here.join("tests/fixtures/engines/docker-default.json");
    let mut b: Value = serde_json::from_slice(&fs::read(fixture).unwrap()).unwrap();
    b.as_object_mut().unwrap().remove("hooks");
    b["process"]["args"] = json!(["/bin/true"]);
    b["process"]["cwd"] = json!("/");
    b["process"]["terminal"] = json!(false);
    b["root"] = json!({"path": work.rootfs()});
    b["linux"].as_object_mut().unwrap().remove("cgroupsPath");
    b["linux"]["resources"] = json!({
        "devices": b["linux"]["resources"]["devices"],
        "memory": {"limit": 536_870_912}, "cpu": {"shares": 1024, "quota": 50_000, "period": 100_000},
        "pids": {"limit": 100}});
    // As on a host where its default is a private one; the floor makes one too.
    b["linux"]["namespaces"].as_array_mut().unwrap().push(json!({"type": "cgroup"}));
    for mount in b["mounts"].as_array_mut().unwrap() {
        if mount["type"] == "bind" {
            let name =
                Path::new(mount["destination"].as_str().unwrap()).file_name().unwrap().to_owned();
            mount["source"] = json!(work.rootfs().join("etc").join(name));
        }
    }

    let mut c = a.clone();
    for number in 0..100 {
        let source = work.directory.join(format!("source/m{number}"));
        c["mounts"].as_array_mut().unwrap().push(json!({"destination": format!("/mnt/m{number}"),
            "type": "bind", "source": source, "options": ["rbind", "ro"]}));
    }
    let mut d = a.clone();
    d["linux"]["seccomp"] = conditions();
    for (name, config) in [("a", a), ("b", b), ("c", c), ("d", d)] {
        work.write(name, &config);
        let mut pausing = config;
        pausing["process"]["args"] = json!(["/bin/sleep", "1000"]);
        work.write(&format!("{name}-pause"), &pausing);
    }
}

/// 200 rules that nobody's program meets, each with two arguments.
fn conditions() -> Value {
    let argument =
        |index: u32, value: u32| json!({"index": index, "value": value, "op": "SCMP_CMP_EQ"});
    let calls = ["ioctl", "fcntl", "prctl", "personality", "socket"];
    let rules: Vec<Value> = (0..200)
        .map(|number| {
            let name = calls[usize::try_from(number).unwrap() % calls.len()];
            json!({"names": [name], "action": "SCMP_ACT_ERRNO", "errnoRet": 95,
                "args": [argument(0, 7_000_000 + number), argument(1, 9_000_000 + number)]})
        })
        .collect();
    json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": rules})
}
