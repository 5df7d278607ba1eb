//! A connection to systemd: its own socket where we may use that, which needs no message broker, else
//! the bus. Everything has a deadline: a stuck bus never hangs rrun.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::wire::{self, Body, Call, FIXED, Kind, Message};
use crate::error::{Context, Error, Kind as Failure, Result};
use crate::sys;
use crate::sys::quoted;

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const OBJECT: &str = "/org/freedesktop/systemd1";

/// A connection on which one can ask.
#[derive(Debug)]
pub(super) struct Bus {
    stream: UnixStream,
    serial: u32,
    deadline: Instant,
    /// Signals that came while a reply was waited for.
    signals: Vec<Message>,
}

/// systemd's sockets: of the machine, or of the calling user.
pub(super) fn sockets(user: bool) -> Vec<(PathBuf, bool)> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let address = |name: &str| {
        let text = std::env::var(name).ok()?;
        let path = text.split(';').find_map(|one| one.strip_prefix("unix:path="))?;
        path.split(',').next().map(PathBuf::from)
    };
    let (own, bus) = match (user, runtime) {
        (false, _) => (
            Some(PathBuf::from("/run/systemd/private")),
            address("DBUS_SYSTEM_BUS_ADDRESS").or(Some("/run/dbus/system_bus_socket".into())),
        ),
        (true, runtime) => (
            runtime.as_ref().map(|dir| dir.join("systemd/private")),
            address("DBUS_SESSION_BUS_ADDRESS").or(runtime.map(|dir| dir.join("bus"))),
        ),
    };
    own.map(|path| (path, false)).into_iter().chain(bus.map(|path| (path, true))).collect()
}

impl Bus {
    /// Connects to the first of these sockets that answers. Whether it is a broker stands beside
    /// each.
    ///
    /// # Errors
    /// Where none answers in time.
    pub(super) fn connect(sockets: &[(PathBuf, bool)], patience: Duration) -> Result<Bus> {
        let deadline = Instant::now() + patience;
        let mut failed = None;
        for (path, is_broker) in sockets {
            match Bus::open(path, *is_broker, deadline) {
                // Of one that is there we tell, rather than of one that is not.
                Err(error) if error.is(libc::ENOENT) => failed = failed.or(Some(error)),
                Err(error) => failed = Some(error),
                connected => return connected,
            }
        }
        let none = || Error::message(Failure::System, "there is no socket of systemd's");
        Err(failed.unwrap_or_else(none)).context(|| "talk to systemd").hint(|| {
            "systemd has to run here as PID 1, or for this user (XDG_RUNTIME_DIR); else leave out \
             --systemd-cgroup"
        })
    }

    fn open(path: &Path, is_broker: bool, deadline: Instant) -> Result<Bus> {
        let stream = UnixStream::from(sys::socket::connect_stream_until(path, deadline)?);
        stream.set_nonblocking(false).map_err(|error| Error::io("fcntl", quoted(path), &error))?;
        let mut bus = Bus { stream, serial: 0, deadline, signals: Vec::new() };
        bus.authenticate()?;
        if is_broker {
            let mut hello = Body::default();
            bus.ask(
                &Call {
                    path: "/org/freedesktop/DBus",
                    interface: "org.freedesktop.DBus",
                    member: "Hello",
                    destination: "org.freedesktop.DBus",
                    signature: "",
                },
                &mut hello,
            )?;
            let mut rule = Body::default();
            rule.text(
                "type='signal',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'",
            );
            bus.ask(
                &Call {
                    path: "/org/freedesktop/DBus",
                    interface: "org.freedesktop.DBus",
                    member: "AddMatch",
                    destination: "org.freedesktop.DBus",
                    signature: "s",
                },
                &mut rule,
            )?;
        }
        Ok(bus)
    }

    /// Who we are, the kernel tells the other side.
    fn authenticate(&mut self) -> Result<()> {
        let uid = sys::cred::geteuid().as_raw().to_string();
        let hex: String = uid.bytes().map(|byte| format!("{byte:02x}")).collect();
        // In one piece: systemd's own socket overlooks a message that comes together with BEGIN.
        self.write(format!("\0AUTH EXTERNAL {hex}\r\nBEGIN\r\n").as_bytes())?;
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.read(&mut byte)?;
            line.extend(byte);
            if line.len() > 512 {
                return Err(Error::message(Failure::System, "its greeting never ends"));
            }
        }
        if !line.starts_with(b"OK ") {
            let words = String::from_utf8_lossy(&line).trim().to_owned();
            return Err(Error::message(Failure::System, format!("it refuses us: {words}")));
        }
        Ok(())
    }

    /// Calls a method of systemd's manager; the texts of the answer.
    ///
    /// # Errors
    /// What systemd answers, in its own words.
    pub(super) fn call(
        &mut self,
        member: &str,
        signature: &str,
        body: &mut Body,
    ) -> Result<Vec<String>> {
        let call =
            Call { path: OBJECT, interface: MANAGER, member, destination: SYSTEMD, signature };
        self.ask(&call, body)
    }

    /// Waits until a job of systemd's is over; how it ended.
    ///
    /// # Errors
    /// Where it is not over in time.
    pub(super) fn await_job(&mut self, job: &str) -> Result<String> {
        let ended = |message: &Message| match message.texts.as_slice() {
            [path, _, result] if message.member == "JobRemoved" && path == job => {
                Some(result.clone())
            }
            _ => None,
        };
        if let Some(result) = self.signals.iter().find_map(ended) {
            return Ok(result);
        }
        loop {
            let message = self.receive().context(|| format!("wait for systemd's job `{job}`"))?;
            if let Some(result) = ended(&message) {
                return Ok(result);
            }
        }
    }

    fn ask(&mut self, call: &Call<'_>, body: &mut Body) -> Result<Vec<String>> {
        self.serial += 1;
        let serial = self.serial;
        let intent = || format!("ask systemd for {}", call.member);
        self.write(&call.encode(serial, body)).context(intent)?;
        loop {
            let message = self.receive().context(intent)?;
            match message.kind {
                Kind::Reply if message.reply_to == serial => return Ok(message.texts),
                Kind::Failure if message.reply_to == serial => {
                    let words = message.texts.first().cloned().unwrap_or_default();
                    let text = format!("systemd says: {words} ({})", message.error);
                    return Err(Error::message(Failure::System, text)).context(intent);
                }
                Kind::Signal => self.signals.push(message),
                _ => {}
            }
        }
    }

    fn receive(&mut self) -> Result<Message> {
        let mut bytes = vec![0; FIXED];
        self.read(&mut bytes)?;
        let broken = || Error::message(Failure::System, "what it says is no D-Bus message");
        let length = wire::length(&bytes).ok_or_else(broken)?;
        bytes.resize(length, 0);
        let mut rest = bytes.split_off(FIXED);
        self.read(&mut rest)?;
        bytes.extend(rest);
        wire::decode(&bytes).ok_or_else(broken)
    }

    fn left(&self) -> Result<Duration> {
        match self.deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(Error::message(Failure::System, "no answer in time")
                .hinted("systemd is stuck or very busy: `systemctl is-system-running`")),
            left => Ok(left),
        }
    }

    fn read(&mut self, mut bytes: &mut [u8]) -> Result<()> {
        while !bytes.is_empty() {
            let left = self.left()?;
            let result = self.stream.set_read_timeout(Some(left));
            match result.and_then(|()| self.stream.read(bytes)) {
                Ok(0) => return Err(Error::message(Failure::System, "the connection was closed")),
                Ok(count) => bytes = bytes.split_at_mut(count).1,
                Err(error) if is_patience(&error) => {}
                Err(error) => return Err(Error::io("read", "socket of systemd's", &error)),
            }
        }
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let left = self.left()?;
            let result = self.stream.set_write_timeout(Some(left));
            match result.and_then(|()| self.stream.write(bytes)) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if is_patience(&error) => {}
                Err(error) => return Err(Error::io("write", "socket of systemd's", &error)),
            }
        }
        Ok(())
    }
}

fn is_patience(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    const PATIENCE: Duration = Duration::from_millis(300);

    /// A socket at which `serve` gets the first connection.
    fn mock(name: &str, serve: impl FnOnce(UnixStream) + Send + 'static) -> Vec<(PathBuf, bool)> {
        let path = std::env::temp_dir().join(format!("rrun-bus-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let own = path.clone();
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let _ = std::fs::remove_file(own);
            serve(stream);
        });
        vec![(path, false)]
    }

    fn read_until(stream: &mut UnixStream, end: &[u8]) {
        let mut seen = Vec::new();
        while !seen.ends_with(end) {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            seen.extend(byte);
        }
    }

    fn greet(stream: &mut UnixStream) {
        read_until(stream, b"\r\n");
        stream.write_all(b"OK 1234\r\n").unwrap();
        read_until(stream, b"BEGIN\r\n");
    }

    fn read_message(stream: &mut UnixStream) {
        let mut fixed = [0; FIXED];
        stream.read_exact(&mut fixed).unwrap();
        let mut rest = vec![0; wire::length(&fixed).unwrap() - FIXED];
        stream.read_exact(&mut rest).unwrap();
    }

    #[test]
    fn a_job_that_ends_before_its_reply_is_not_missed() {
        let sockets = mock("job", |mut stream| {
            greet(&mut stream);
            read_message(&mut stream);
            let signal = wire::answer(4, 0, ("", "JobRemoved"), &["/job/1", "a.scope", "done"]);
            stream.write_all(&signal).unwrap();
            stream.write_all(&wire::answer(2, 1, ("", ""), &["/job/1"])).unwrap();
        });
        let mut bus = Bus::connect(&sockets, PATIENCE).unwrap();
        let job = bus.call("StopUnit", "ss", Body::default().text("a").text("b")).unwrap();
        assert_eq!(bus.await_job(&job[0]).unwrap(), "done");
        assert!(bus.await_job("/job/2").unwrap_err().to_string().contains("/job/2"));
    }

    #[test]
    fn what_systemd_refuses_is_told_in_its_words() {
        let sockets = mock("refuse", |mut stream| {
            greet(&mut stream);
            read_message(&mut stream);
            stream.write_all(&wire::answer(3, 1, ("a.UnitExists", ""), &["it exists"])).unwrap();
        });
        let mut bus = Bus::connect(&sockets, PATIENCE).unwrap();
        let error = bus.call("StopUnit", "", &mut Body::default()).unwrap_err().to_string();
        assert_eq!(error, "ask systemd for StopUnit: systemd says: it exists (a.UnitExists)");
    }

    #[test]
    fn a_stuck_systemd_does_not_hang_us() {
        for (name, greets) in [("mute", false), ("stuck", true)] {
            let (sender, receiver) = std::sync::mpsc::channel::<()>();
            let sockets = mock(name, move |mut stream| {
                if greets {
                    greet(&mut stream);
                }
                let _ = receiver.recv();
            });
            let nowhere = (PathBuf::from("/nowhere/private"), false);
            let sockets: Vec<_> = std::iter::once(nowhere).chain(sockets).collect();
            let start = Instant::now();
            let asked = Bus::connect(&sockets, PATIENCE)
                .and_then(|mut bus| bus.call("StopUnit", "", &mut Body::default()));
            assert!(asked.unwrap_err().to_string().contains("no answer in time"));
            assert!(start.elapsed() < PATIENCE * 10);
            drop(sender);
        }
    }

    #[test]
    fn nobody_there_has_a_hint() {
        let sockets = [(PathBuf::from("/nowhere/private"), false)];
        let error = Bus::connect(&sockets, PATIENCE).unwrap_err();
        assert!(error.hint_text().unwrap().contains("--systemd-cgroup"), "{error}");
    }
}
