//! A terminal in the foreground, with rrun between a person's and the program's.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use rustix::process::Signal;
use rustix::termios::{LocalModes, Winsize};

use crate::harness::{Bundle, Case, cases, terminal, until};

pub(super) fn cases() -> Vec<Case> {
    cases![
        input_of_every_sort_has_an_end,
        what_is_printed_last_is_not_lost,
        output_that_nobody_reads_holds_nobody_up,
        the_persons_terminal_is_given_back,
        a_size_goes_through,
        keys_are_the_containers,
    ]
}

fn with_terminal(script: &str) -> Bundle {
    Bundle::new().sh(script).set("/process/terminal", true)
}

fn input_of_every_sort_has_an_end() {
    let bundle = with_terminal("stty -echo; cat; echo over");
    let pipe = |text: &[u8]| {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(text).unwrap();
        reader
    };
    let outcome = bundle.making("run").stdin(pipe(b"a line\n")).done().code(0);
    assert!(outcome.stdout.ends_with("a line\nover\n"), "{}", outcome.stdout);
    // The last line has no end.
    let outcome = bundle.making("run").stdin(pipe(b"half")).done().code(0);
    assert!(outcome.stdout.ends_with("halfover\n"), "{}", outcome.stdout);
    let path = bundle.dir.join("input");
    std::fs::write(&path, "from a file\n").unwrap();
    let outcome = bundle.making("run").stdin(File::open(&path).unwrap()).done().code(0);
    assert!(outcome.stdout.ends_with("from a file\nover\n"), "{}", outcome.stdout);
    // A shell that edits its lines has the terminal in raw mode.
    let shell = with_terminal("exec sh -i");
    let outcome = shell.making("run").stdin(pipe(b"echo from $$\n")).done().code(0);
    assert!(outcome.stdout.contains("\nfrom 1\n"), "{}", outcome.stdout);
    // Not even open.
    bundle.write_config();
    let dir = bundle.dir.to_str().unwrap();
    let run = ["run", "--bundle", dir, &bundle.id];
    let closed = ["/bin/sh", "-c", "exec \"$@\" <&-", "sh"];
    let _ = bundle.call_through(&closed, &run).done();
    bundle.assert_nothing_left();
}

fn what_is_printed_last_is_not_lost() {
    let script = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done; printf end";
    let outcome = with_terminal(script).run().code(0);
    assert_eq!(outcome.stdout.lines().count(), 3001);
    assert!(outcome.stdout.ends_with("line 2999\nend"));
    let _ = with_terminal("printf x; exit 9").run().code(9).stdout("x");
}

fn output_that_nobody_reads_holds_nobody_up() {
    let script = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done; exit 4";
    let (reader, writer) = std::io::pipe().unwrap();
    let run = with_terminal(script);
    let running = run.making("run").to(writer);
    drop(reader);
    let _ = running.done().code(4);
}

fn is_raw(terminal: &OwnedFd) -> bool {
    !rustix::termios::tcgetattr(terminal).unwrap().local_modes.contains(LocalModes::ICANON)
}

/// How a container comes to its end: told by its bundle, or by rrun's pid.
type End<'a> = &'a dyn Fn(&Bundle, i32);

fn the_persons_terminal_is_given_back() {
    let endings: [(&str, End<'_>, i32); 4] = [
        ("exit 3", &|_, _| {}, 3),
        ("while :; do sleep 0.01; done", &|_, pid| signal(pid, Signal::TERM), 5),
        ("exec sleep 60", &|bundle, _| drop(bundle.kill("KILL").ok()), 137),
        ("exec sleep 60", &|bundle, _| drop(bundle.delete_force().ok()), 137),
    ];
    for (script, end, status) in endings {
        let (outer, inner) = terminal();
        let bundle = with_terminal(&format!("trap 'exit 5' TERM; echo ready >/ready; {script}"));
        let stdin = inner.try_clone().unwrap();
        let running = bundle.making("run").stdin(stdin).to(inner.try_clone().unwrap());
        bundle.await_file("rootfs/ready");
        if status != 3 {
            assert!(is_raw(&inner), "{script}");
        }
        end(&bundle, running.pid());
        let _ = running.done().code(status);
        assert!(!is_raw(&inner), "{script}");
        drop(outer);
    }
    // And where the program never comes to run.
    let (_outer, inner) = terminal();
    let bundle = with_terminal("exit 0").hook("startContainer", "exit 1");
    let running =
        bundle.making("run").stdin(inner.try_clone().unwrap()).to(inner.try_clone().unwrap());
    let _ = running.done().refused("startContainer hook");
    assert!(!is_raw(&inner));
}

fn signal(pid: i32, signal: Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
}

fn a_size_goes_through() {
    let (outer, inner) = terminal();
    let size =
        |rows, columns| Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&outer, size(11, 22)).unwrap();
    let script = "stty size >/first; trap 'stty size >/second; exit 0' WINCH; echo ready >/ready; \
        while :; do sleep 0.01; done";
    let bundle = with_terminal(script);
    let running = bundle.making("run").stdin(inner.try_clone().unwrap()).to(inner);
    bundle.await_file("rootfs/ready");
    assert_eq!(bundle.await_file("rootfs/first"), "11 22\n");
    rustix::termios::tcsetwinsize(&outer, size(33, 44)).unwrap();
    // The kernel tells the foreground of a session; here rrun is not in it.
    signal(running.pid(), Signal::WINCH);
    let _ = running.done().code(0);
    assert_eq!(bundle.await_file("rootfs/second"), "33 44\n");
}

/// ^C is a byte for rrun and a signal for the program.
fn keys_are_the_containers() {
    let (outer, inner) = terminal();
    let bundle = with_terminal(
        "trap 'echo interrupted; exit 6' INT; echo ready; while :; do sleep 0.01; done",
    );
    let running = bundle.making("run").stdin(inner.try_clone().unwrap()).to(inner);
    let mut outer = File::from(outer);
    let mut text = String::new();
    let mut more = |outer: &mut File| {
        let mut chunk = [0; 256];
        let count = outer.read(&mut chunk).unwrap();
        text.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
        text.clone()
    };
    until("ready", || more(&mut outer).contains("ready\r\n").then_some(()));
    outer.write_all(b"\x03").unwrap();
    until("interrupted", || more(&mut outer).contains("interrupted\r\n").then_some(()));
    let _ = running.done().code(6);
}
