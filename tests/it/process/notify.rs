//! NOTIFY_SOCKET: what a container tells reaches the service manager that started rrun.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![
        start_returns_when_the_container_is_ready,
        the_end_of_the_container_ends_the_wait,
        run_in_the_foreground_and_detached,
        what_else_it_says_stays_inside,
        what_is_too_long_or_comes_without_end_holds_nobody_up,
        without_a_manager_there_is_no_socket,
        a_user_namespace_has_one_too,
        a_mount_namespace_that_is_not_its_own_has_none,
    ]
}

/// The service manager: its socket, and what it is told.
struct Manager {
    socket: UnixDatagram,
    path: String,
}

impl Manager {
    fn of(bundle: &Bundle) -> Manager {
        let path = bundle.dir.join("manager").to_str().unwrap().to_owned();
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Manager { socket, path }
    }

    /// One message, and the descriptors that come with it.
    fn hear(&self) -> (String, Vec<OwnedFd>) {
        let mut bytes = [0; 512];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let slices = &mut [IoSliceMut::new(&mut bytes)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let length = rustix::net::recvmsg(&self.socket, slices, &mut control, flags).unwrap().bytes;
        let mut fds = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                fds.extend(rights);
            }
        }
        (String::from_utf8(bytes[..length].to_vec()).unwrap(), fds)
    }

    fn hears_nothing(&self) {
        self.socket.set_nonblocking(true).unwrap();
        assert!(self.socket.recv(&mut [0; 8]).is_err());
    }
}

fn start_returns_when_the_container_is_ready() {
    let bundle = Bundle::new()
        .fifo("rootfs/go")
        .sh("read -r _ </go; /probe notify STATUS=early; /probe notify READY=1; exec /probe sleep");
    let manager = Manager::of(&bundle);
    let _ = bundle.making("create").env("NOTIFY_SOCKET", &manager.path).done().ok();
    let call = bundle.call(&["start", &bundle.id]).env("NOTIFY_SOCKET", &manager.path);
    let mut start = call.spawn();
    bundle.await_status("running");
    std::thread::sleep(Duration::from_millis(50));
    assert!(!start.is_over());
    bundle.go("rootfs/go");
    assert_eq!(manager.hear().0, format!("READY=1\nMAINPID={}", bundle.pid()));
    let (text, fds) = manager.hear();
    assert_eq!((text.as_str(), fds.len()), ("BARRIER=1", 1));
    std::thread::sleep(Duration::from_millis(50));
    assert!(!start.is_over(), "it did not wait for the barrier");
    drop(fds);
    let _ = start.done().ok();
    let _ = bundle.delete_force().ok();
    bundle.assert_nothing_left();
}

fn the_end_of_the_container_ends_the_wait() {
    let bundle = Bundle::new().sh("sleep 0.1; exit 3");
    let manager = Manager::of(&bundle);
    let _ = bundle.making("create").env("NOTIFY_SOCKET", &manager.path).done().ok();
    let call = bundle.call(&["start", &bundle.id]).env("NOTIFY_SOCKET", &manager.path);
    let _ = call.done().ok();
    manager.hears_nothing();
    // While start waits, everybody else may do what they like.
    let bundle = Bundle::new().probe("sleep");
    let _ = bundle.making("create").env("NOTIFY_SOCKET", &manager.path).done().ok();
    let call = bundle.call(&["start", &bundle.id]).env("NOTIFY_SOCKET", &manager.path);
    let start = call.spawn();
    bundle.await_status("running");
    let _ = bundle.delete_force().ok();
    let _ = start.done().ok();
}

fn run_in_the_foreground_and_detached() {
    let script = "/probe notify READY=1; exit 7";
    for (options, user) in [(&[][..], 0), (&[], 1000), (&["-d"], 0)] {
        let bundle = Bundle::new().sh(script).set("/process/user/uid", user);
        let manager = Manager::of(&bundle);
        let run = bundle.making("run").args(options).env("NOTIFY_SOCKET", &manager.path).spawn();
        let (text, _) = manager.hear();
        let (barrier, fds) = manager.hear();
        assert_eq!((barrier.as_str(), fds.len()), ("BARRIER=1", 1));
        drop(fds);
        if options.is_empty() {
            // rrun stays, and with it the process that the manager watches.
            assert_eq!(text, "READY=1");
            let _ = run.done().code(7).stdout("notify ok\n");
        } else {
            assert!(text.starts_with("READY=1\nMAINPID="), "{text}");
            let _ = run.done().ok();
        }
    }
}

fn what_else_it_says_stays_inside() {
    let bundle =
        Bundle::new().sh("/probe notify MAINPID=1; /probe notify FDSTORE=1; /probe notify x");
    let manager = Manager::of(&bundle);
    let run = bundle.making("run").env("NOTIFY_SOCKET", &manager.path).done().ok();
    let _ = run.stdout("notify ok\nnotify ok\nnotify ok\n");
    manager.hears_nothing();
    // Nor can the directory be written from inside, or more be seen in it.
    let bundle = Bundle::new().sh("ls /run/notify; touch /run/notify/x 2>/dev/null || echo ro");
    let run = bundle.making("run").env("NOTIFY_SOCKET", &manager.path).done().ok();
    let _ = run.stdout("notify.sock\nro\n");
}

/// A packet beyond the limit stayed in the queue, where rrun met it again for as long as it ran.
fn what_is_too_long_or_comes_without_end_holds_nobody_up() {
    let bundle = Bundle::new()
        .fifo("rootfs/go")
        .sh("read -r _ </go; /probe notify READY=nearly; /probe notify READY=1; exec /probe sleep");
    let manager = Manager::of(&bundle);
    let _ = bundle.making("create").env("NOTIFY_SOCKET", &manager.path).done().ok();
    let call = bundle.call(&["start", &bundle.id]).env("NOTIFY_SOCKET", &manager.path);
    let mut start = call.spawn();
    bundle.await_status("running");
    let inside = bundle.entry().join("notify/notify.sock");
    let program = UnixDatagram::unbound().unwrap();
    assert_eq!(program.send_to(&[b'x'; 5000], &inside).unwrap(), 5000);
    bundle.go("rootfs/go");
    assert_eq!(manager.hear().0, format!("READY=1\nMAINPID={}", bundle.pid()));
    let over = std::sync::atomic::AtomicBool::new(false);
    let relaxed = std::sync::atomic::Ordering::Relaxed;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let _ = scope.spawn(|| {
                while !over.load(relaxed) {
                    let _ = program.send_to(b"STATUS=x", &inside);
                }
            });
        }
        std::thread::sleep(Duration::from_millis(50));
        drop(manager.hear());
        let deadline = std::time::Instant::now() + Duration::from_secs(5);
        while !start.is_over() && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let in_time = start.is_over();
        over.store(true, relaxed);
        assert!(in_time, "it listened for as long as somebody talked");
    });
    let _ = start.done().ok();
    let _ = bundle.delete_force().ok();
}

fn without_a_manager_there_is_no_socket() {
    let bundle = Bundle::new().probe("notify READY=1 -- ls /run");
    let _ = bundle.run().ok().has("notify nobody");
    // One that is gone is no reason to leave the program alone.
    let bundle = Bundle::new().probe("notify READY=1 -- exit 5");
    let run = bundle.making("run").env("NOTIFY_SOCKET", "/nonexistent/socket").done();
    let _ = run.code(5).stdout("notify ok\n");
}

fn a_user_namespace_has_one_too() {
    let bundle = Bundle::new().mapped().join("user", "").probe("notify READY=1 -- exit 6");
    // The mount point is made there.
    std::os::unix::fs::chown(bundle.rootfs().join("run"), Some(100_000), Some(100_000)).unwrap();
    let manager = Manager::of(&bundle);
    let run = bundle.making("run").env("NOTIFY_SOCKET", &manager.path).spawn();
    assert_eq!(manager.hear().0, "READY=1");
    drop(manager.hear());
    let _ = run.done().code(6).stdout("notify ok\n");
}

/// It would be a mount of the host's.
fn a_mount_namespace_that_is_not_its_own_has_none() {
    let bundle = Bundle::new()
        .inherit("mount")
        .edit(|config| {
            config["mounts"] = serde_json::json!([]);
            let linux = config["linux"].as_object_mut().unwrap();
            linux.retain(|name, _| !["maskedPaths", "readonlyPaths"].contains(&name.as_str()));
        })
        .probe("notify READY=1");
    let manager = Manager::of(&bundle);
    let run = bundle.making("run").env("NOTIFY_SOCKET", &manager.path).done().ok();
    let _ = run.has("notify nobody");
}
