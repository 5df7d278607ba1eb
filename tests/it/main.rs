//! The integration tests: one binary that drives the built rrun through its command line, with a
//! small probe as the program in the container. A file here proves the file of the same name in `src`.

// A test that panics has failed, as it should, and a skipped one says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod harness;

mod cgroups;
mod commands;
mod host;
#[cfg(feature = "image")]
mod image;
mod namespaces;
mod plan;
mod process;
mod resctrl;
mod rootfs;
mod security;
mod state;
mod terminal;
mod workload;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = harness::stand_in() {
        return code;
    }
    let arguments = libtest_mimic::Arguments::from_args();
    if !arguments.list
        && let Some(status) = harness::enter()
    {
        return ExitCode::from(u8::try_from(status).unwrap_or(1));
    }
    let cases = [
        cgroups::cases(),
        commands::cases(),
        host::cases(),
        #[cfg(feature = "image")]
        image::cases(),
        namespaces::cases(),
        plan::cases(),
        process::cases(),
        resctrl::cases(),
        rootfs::cases(),
        security::cases(),
        state::cases(),
        terminal::cases(),
        workload::cases(),
    ]
    .into_iter()
    .flatten()
    .collect();
    libtest_mimic::run(&arguments, harness::trials(cases)).exit_code()
}
