//! Pure: the compiled filter as it is loaded, and as `process.json` keeps it.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::architecture::Architecture;
use super::filter::Filter;
use crate::error::Result;
use crate::spec;

/// A filter that can be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The program, as the kernel reads it.
    #[serde(serialize_with = "to_hex", deserialize_with = "from_hex")]
    pub program: Vec<[u8; 8]>,
    /// `SECCOMP_FILTER_FLAG_*`.
    pub flags: u32,
    /// Who is told of calls that the filter leaves to somebody.
    pub listener: Option<Listener>,
}

/// Where the listener's descriptor goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// The socket of an agent.
    pub path: PathBuf,
    /// What the agent is told with it.
    pub metadata: String,
}

impl Plan {
    /// Compiles a profile for this machine. What it does not know is told to the debug log: an
    /// engine's profile may be newer than rrun.
    ///
    /// # Errors
    /// The first mistake, with its JSON pointer.
    pub fn compile(written: &spec::Seccomp) -> Result<Plan> {
        let filter = Filter::read(written, Architecture::native())?;
        for name in &filter.unknown_names {
            log::debug!("seccomp: no architecture has a system call `{name}`");
        }
        let program = filter.assemble()?;
        log::debug!("seccomp: {} instructions", program.len());
        let path = written.listener_path.clone();
        let metadata = written.listener_metadata.clone();
        Ok(Plan {
            program: program.into_iter().map(super::Instruction::to_bytes).collect(),
            flags: filter.flags,
            listener: filter.notifies.then_some(Listener { path, metadata }),
        })
    }
}

/// Sixteen digits an instruction.
fn to_hex<S: Serializer>(program: &[[u8; 8]], to: S) -> Result<S::Ok, S::Error> {
    let digits = b"0123456789abcdef";
    let mut text = String::with_capacity(program.len() * 16);
    for byte in program.iter().flatten() {
        text.push(char::from(digits[usize::from(byte >> 4)]));
        text.push(char::from(digits[usize::from(byte & 15)]));
    }
    to.serialize_str(&text)
}

fn from_hex<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<[u8; 8]>, D::Error> {
    use serde::de::Error;
    let text = String::deserialize(from)?;
    let (chunks, rest) = text.as_bytes().as_chunks::<16>();
    let instruction = |digits: &[u8; 16]| {
        let text = str::from_utf8(digits).ok()?;
        // from_str_radix would take a sign.
        let plain = text.bytes().all(|digit| digit.is_ascii_hexdigit());
        u64::from_str_radix(text, 16).ok().filter(|_| plain).map(u64::to_be_bytes)
    };
    let program: Option<Vec<_>> = chunks.iter().map(instruction).collect();
    match program {
        Some(program) if rest.is_empty() => Ok(program),
        _ => Err(D::Error::custom("the filter is not in hexadecimal")),
    }
}
