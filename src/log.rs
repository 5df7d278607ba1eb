//! Where warnings and errors go: `--log`, `--log-format`, stderr.
//!
//! Warnings are kept until the verb ends: if it succeeds they are written, if it fails only the one
//! error is, since engines that read the log want exactly one JSON object there. `--debug` lifts
//! both rules. JSON lines have the members that containerd and Podman parse: `level` (lower case),
//! `msg`, `time` (RFC 3339); and `hint` where there is one.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::error::{Error, Result};

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For engines.
    Json,
}

/// What the command line said about logs.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The file to append to; stderr where absent.
    pub file: Option<PathBuf>,
    /// How a line looks.
    pub format: Format,
    /// Whether everything is written, and at once.
    pub debug: bool,
}

struct Logger {
    options: Options,
    file: Option<Mutex<File>>,
    kept: Mutex<Vec<String>>,
}

static LOGGER: OnceLock<Logger> = OnceLock::new();

/// Sets up the log for the rest of the process.
///
/// # Errors
/// Where the log file cannot be opened.
pub fn set_up(options: Options) -> Result<()> {
    let file = match &options.file {
        None => None,
        Some(path) => {
            let mut open = OpenOptions::new();
            // Appending: several verbs write to one file, and none may overwrite another's line.
            let file = open.append(true).create(true).mode(0o644).open(path);
            let file =
                file.map_err(|error| Error::io("open", format!("`{}`", path.display()), &error))?;
            Some(Mutex::new(file))
        }
    };
    let level = if options.debug { LevelFilter::Debug } else { LevelFilter::Warn };
    let logger = LOGGER.get_or_init(|| Logger { options, file, kept: Mutex::default() });
    if log::set_logger(logger).is_ok() {
        log::set_max_level(level);
    }
    Ok(())
}

/// The descriptor of the log file, where there is one: it is ours and not our caller's.
pub fn descriptor() -> Option<RawFd> {
    let file = LOGGER.get()?.file.as_ref()?;
    Some(file.lock().unwrap_or_else(PoisonError::into_inner).as_raw_fd())
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Debug
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = line(self.options.format, record.level(), &record.args().to_string(), None);
        if self.options.debug {
            self.write(&line);
        } else {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    fn flush(&self) {}
}

impl Logger {
    fn write(&self, line: &str) {
        // One write a line, so that lines of several processes do not mix.
        let written = match &self.file {
            Some(file) => {
                file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())
            }
            None => std::io::stderr().write_all(line.as_bytes()),
        };
        // There is nowhere to complain to.
        let _ = written;
    }
}

/// The verb succeeded: writes the warnings that were kept; without a log file only where a person
/// can see them.
pub fn finish() {
    let Some(logger) = LOGGER.get() else { return };
    if logger.file.is_none() && !std::io::stderr().is_terminal() {
        return;
    }
    for line in logger.kept.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        logger.write(&line);
    }
}

/// The verb failed: writes the error, to the log file and to stderr.
pub fn report(error: &Error) {
    let message = error.to_string();
    let write_stderr = |format| {
        let line = line(format, Level::Error, &message, error.hint_text());
        let _ = std::io::stderr().write_all(line.as_bytes());
    };
    let Some(logger) = LOGGER.get() else {
        write_stderr(Format::Text);
        return;
    };
    let line = line(logger.options.format, Level::Error, &message, error.hint_text());
    logger.write(&line);
    // Whoever gave a log file may still look at stderr only (conmon does, and people).
    if logger.file.is_some() {
        write_stderr(Format::Text);
    }
}

fn line(format: Format, level: Level, message: &str, hint: Option<&str>) -> String {
    let level = match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "info",
        Level::Debug | Level::Trace => "debug",
    };
    match format {
        Format::Text => {
            // One line whatever it quotes: escape codes and newlines of a hostile config.json or
            // image must not reach a terminal, in a hint neither.
            let harmless = |text: &str| text.chars().flat_map(escape).collect::<String>();
            let hint = hint.map(|hint| format!("rrun: hint: {}\n", harmless(hint)));
            format!("rrun: {level}: {}\n{}", harmless(message), hint.unwrap_or_default())
        }
        Format::Json => {
            let time = humantime::format_rfc3339_nanos(std::time::SystemTime::now()).to_string();
            let mut object = serde_json::json!({"level": level, "msg": message, "time": time});
            if let Some(hint) = hint {
                object["hint"] = hint.into();
            }
            format!("{object}\n")
        }
    }
}

fn escape(c: char) -> Box<dyn Iterator<Item = char>> {
    if c.is_control() { Box::new(c.escape_default()) } else { Box::new(std::iter::once(c)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_lines_have_what_engines_parse() {
        let text = line(Format::Json, Level::Error, "a \"b\"\nc", Some("do"));
        assert!(text.ends_with('\n') && text.matches('\n').count() == 1);
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object["level"], "error");
        assert_eq!(object["msg"], "a \"b\"\nc");
        assert_eq!(object["hint"], "do");
        let time = object["time"].as_str().unwrap();
        assert!(humantime::parse_rfc3339(time).is_ok(), "{time}");
    }

    #[test]
    fn text_lines_are_one_line_and_harmless() {
        let text = line(Format::Text, Level::Warn, "a\nb\x1b[31m", None);
        assert_eq!(text, "rrun: warning: a\\nb\\u{1b}[31m\n");
        let text = line(Format::Text, Level::Error, "x", Some("do"));
        assert_eq!(text, "rrun: error: x\nrrun: hint: do\n");
        let text = line(Format::Text, Level::Error, "x", Some("\x1b]0;title\x07\n"));
        assert_eq!(text, "rrun: error: x\nrrun: hint: \\u{1b}]0;title\\u{7}\\n\n");
    }
}
