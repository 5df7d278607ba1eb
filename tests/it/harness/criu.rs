//! A stand-in for criu: it records what it is asked and answers what the test has written down.

use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::Bundle;

/// Names the directory of the stand-in, in its own environment.
const DIRECTORY: &str = "RRUN_IT_CRIU";

/// The stand-in of one bundle.
pub(crate) struct StandIn(PathBuf);

impl StandIn {
    /// Puts it into a directory for PATH. It goes through `script`, one line each: `say MOMENT [PID]`,
    /// `log FILE TEXT`, and at last `done`, `fail` or `die`.
    pub(crate) fn new(bundle: &Bundle, script: &str) -> StandIn {
        let dir = bundle.dir.join("criu");
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("script"), script).unwrap();
        let own = std::env::current_exe().unwrap();
        let text = format!(
            "#!/bin/bash\n[ \"$1\" = swrk ] || exit 1\nexport {DIRECTORY}='{}'\nexec '{}' <&\"$2\"\n",
            dir.display(),
            own.display()
        );
        let program = dir.join("criu");
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(program, PermissionsExt::from_mode(0o755)).unwrap();
        StandIn(dir)
    }

    /// A PATH with it.
    pub(crate) fn path(&self) -> String {
        format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.0.display())
    }

    /// The options that it was asked with: number and value of each field.
    pub(crate) fn asked(&self) -> (u64, Vec<(u64, Value)>) {
        let request = fields(&std::fs::read(self.0.join("request")).unwrap());
        let [(1, Value::Number(kind)), (2, Value::Bytes(options))] = request.as_slice() else {
            panic!("{request:?}")
        };
        (*kind, fields(options))
    }

    /// What came in answer to each `say`.
    pub(crate) fn answers(&self) -> Vec<u8> {
        std::fs::read(self.0.join("answers")).unwrap_or_default()
    }
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Value {
    pub(crate) fn text(text: impl AsRef<str>) -> Value {
        Value::Bytes(text.as_ref().as_bytes().to_vec())
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return value;
        }
    }
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Value)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut bytes)),
            _ => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                let (value, rest) = bytes.split_at(length);
                bytes = rest;
                Value::Bytes(value.to_vec())
            }
        };
        fields.push((tag >> 3, value));
    }
    fields
}

/// The stand-in itself, where this process is it.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let dir = PathBuf::from(std::env::var_os(DIRECTORY)?);
    let script = std::fs::read_to_string(dir.join("script")).unwrap();
    std::fs::write(dir.join("request"), receive()).unwrap();
    let mut answers = Vec::new();
    for line in script.lines() {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "say" => {
                send(&moment(rest));
                answers.extend(receive());
                std::fs::write(dir.join("answers"), &answers).unwrap();
            }
            "log" => {
                let (file, text) = rest.split_once(' ').unwrap();
                std::fs::write(Path::new(file), format!("{text}\n")).unwrap();
            }
            "done" => send(b"\x08\x01\x10\x01"),
            "fail" => send(b"\x08\x01\x10\x00"),
            _ => return Some(ExitCode::FAILURE),
        }
    }
    Some(ExitCode::SUCCESS)
}

/// A notification: its name, and a pid below 128 where one follows.
fn moment(words: &str) -> Vec<u8> {
    let (name, pid) = words.split_once(' ').unwrap_or((words, ""));
    let mut inner = vec![0x0a, u8::try_from(name.len()).unwrap()];
    inner.extend(name.as_bytes());
    if let Ok(pid) = pid.parse::<u8>() {
        inner.extend([0x10, pid]);
    }
    let mut message = vec![0x08, 6, 0x10, 1, 0x2a, u8::try_from(inner.len()).unwrap()];
    message.extend(inner);
    message
}

fn receive() -> Vec<u8> {
    let mut bytes = vec![0; 65536];
    let stdin = std::io::stdin();
    let flags = rustix::net::RecvFlags::empty();
    let (_, length) = rustix::net::recv(stdin.as_fd(), bytes.as_mut_slice(), flags).unwrap();
    bytes.truncate(length);
    bytes
}

fn send(bytes: &[u8]) {
    let flags = rustix::net::SendFlags::NOSIGNAL;
    let _ = rustix::net::send(std::io::stdin().as_fd(), bytes, flags);
}
