//! `--console-socket` and `--pidfd-socket`, from the side of the one who listens.

use std::fs::File;
use std::io::{IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};

use crate::harness::{Bundle, Case, cases};

pub(super) fn cases() -> Vec<Case> {
    cases![
        the_terminal_goes_to_the_socket,
        a_socket_may_have_a_long_path,
        a_pidfd_goes_to_its_socket,
        nobody_listens,
        what_does_not_go_together_is_refused,
    ]
}

/// What engines do: one connection, one message, one descriptor.
fn receive(listener: &UnixListener) -> OwnedFd {
    let (connection, _) = listener.accept().unwrap();
    let mut bytes = [0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let slices = &mut [IoSliceMut::new(&mut bytes)];
    let flags = RecvFlags::CMSG_CLOEXEC;
    let received = rustix::net::recvmsg(&connection, slices, &mut control, flags).unwrap();
    assert!(received.bytes > 0 && received.bytes < 4096);
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    assert_eq!(fds.len(), 1);
    fds.pop().unwrap()
}

fn with_terminal(script: &str) -> Bundle {
    let size = serde_json::json!({"height": 33, "width": 44});
    Bundle::new().sh(script).set("/process/terminal", true).set("/process/consoleSize", size)
}

fn listen(path: &Path) -> (UnixListener, String) {
    (UnixListener::bind(path).unwrap(), path.to_str().unwrap().to_owned())
}

/// What the program prints, until it has ended.
fn read_to_end(master: OwnedFd) -> String {
    let mut text = Vec::new();
    let mut chunk = [0; 1024];
    let mut master = File::from(master);
    // The end is EIO: nobody has the other side open.
    while let Ok(count @ 1..) = master.read(&mut chunk) {
        text.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8(text).unwrap()
}

fn the_terminal_goes_to_the_socket() {
    let bundle = with_terminal("stty size; read line; echo got $line >/dev/console");
    let (listener, path) = listen(&bundle.dir.join("socket"));
    for detached in [&["create"][..], &["run", "-d"]] {
        let call = bundle.making(detached[0]).args(&detached[1..]);
        let _ = call.arg("--console-socket").arg(&path).done().ok().stdout("");
        let master = receive(&listener);
        let size = rustix::termios::tcgetwinsize(&master).unwrap();
        assert_eq!((size.ws_row, size.ws_col), (33, 44));
        if detached.len() == 1 {
            let _ = bundle.start().ok();
        }
        let mut file = File::from(master);
        file.write_all(b"typed\n").unwrap();
        // Whoever holds it finds it as the kernel makes it: LF is CR LF.
        let text = read_to_end(file.into());
        let lines: Vec<_> = text.split("\r\n").collect();
        assert!(lines.contains(&"33 44") && lines.contains(&"got typed"), "{text:?}");
        bundle.await_status("stopped");
        let _ = bundle.delete().ok();
    }
}

/// A socket's address holds 107 bytes.
fn a_socket_may_have_a_long_path() {
    let bundle = with_terminal("echo fine");
    let deep = bundle.dir.join("d".repeat(120));
    std::fs::create_dir(&deep).unwrap();
    let dir = File::open(&deep).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&dir);
    let (listener, _) = listen(&PathBuf::from(format!("/proc/self/fd/{number}/socket")));
    let path = deep.join("socket");
    let _ = bundle.making("run").args(["-d", "--console-socket"]).arg(path).done().ok();
    assert_eq!(read_to_end(receive(&listener)), "fine\r\n");
}

fn a_pidfd_goes_to_its_socket() {
    let bundle = Bundle::new().probe("sleep");
    let (listener, path) = listen(&bundle.dir.join("socket"));
    let _ = bundle.making("create").args(["--pidfd-socket", &path]).done().ok();
    let pidfd = receive(&listener);
    let number = std::os::fd::AsRawFd::as_raw_fd(&pidfd);
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap();
    assert!(info.contains(&format!("Pid:\t{}\n", bundle.pid())), "{info}");
    let _ = bundle.start().ok();
    rustix::process::pidfd_send_signal(&pidfd, rustix::process::Signal::KILL).unwrap();
    bundle.await_status("stopped");
}

fn nobody_listens() {
    for flag in ["--console-socket", "--pidfd-socket"] {
        let bundle = with_terminal("exit 0");
        let gone = bundle.dir.join("gone");
        drop(UnixListener::bind(&gone).unwrap());
        for path in ["/nonexistent/socket", gone.to_str().unwrap(), "/"] {
            let call = bundle.making("run").args([flag, path]);
            let path = path.replace(bundle.dir.to_str().unwrap(), "{dir}");
            let _ = call.done().refused(&format!("{flag}: connect(`{path}`)"));
            bundle.assert_nothing_left();
        }
    }
    // It was there, and goes before it has taken anything.
    let bundle =
        with_terminal("exit 0").hook("createRuntime", "echo here >$0/here; read -r _ <$0/go");
    let bundle = bundle.fifo("go");
    let (listener, path) = listen(&bundle.dir.join("socket"));
    let create = bundle.making("create").args(["--console-socket", &path]).spawn();
    bundle.await_file("here");
    drop(listener.accept().unwrap());
    bundle.go("go");
    let _ = create.done().refused("send the terminal to its receiver");
    bundle.assert_nothing_left();
}

fn what_does_not_go_together_is_refused() {
    let bundle = with_terminal("exit 0");
    let hint = "name the socket of somebody who will by --console-socket";
    let error = "create container `{id}`: /process/terminal: nobody stays to hold the terminal";
    let _ = bundle.create().fails_with_hint(error, hint);
    let _ = bundle.making("run").arg("-d").done().fails_with_hint(error, hint);
    let plain = Bundle::new();
    let (_listener, path) = listen(&plain.dir.join("socket"));
    let _ = plain.making("create").args(["--console-socket", &path]).done().fails(
        "create container `{id}`: --console-socket: there is no terminal to send: \
         /process/terminal is false",
    );
    let wide = serde_json::json!({"height": 1, "width": 65536});
    let _ = bundle.set("/process/consoleSize", wide).run().fails(
        "create container `{id}`: /process/consoleSize/width: 65536 is more than a terminal can have",
    );
}
