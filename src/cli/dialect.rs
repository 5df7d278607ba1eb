//! What Go programs take and clap does not: long options with a single dash. And finding the verb
//! without parsing, so that only its options need to be built.

use std::ffi::OsString;

/// Options before the verb that take a value of their own.
const GLOBAL_WITH_VALUE: &[&str] =
    &["--log", "--log-format", "--log-level", "--root", "--cgroup-manager", "--rootless"];

/// Rewrites `-no-subreaper` to `--no-subreaper` and `--detach=true` to `--detach`, as Go's flag
/// packages read them; go-runc really sends the first. A short option is one letter, and its value
/// may be glued to it, so only words that are known as long options are rewritten. Everything after
/// `--` stays, and so do the words of the program that `exec` runs.
pub(super) fn normalize(args: &[OsString]) -> Vec<OsString> {
    let mut literal = false;
    let program = program(args);
    // Theirs have a default that is not always false.
    let verb = find_verb(args);
    let keeps = |switch: &str| {
        verb.as_deref().is_some_and(|verb| ["spec", "sandbox"].contains(&verb))
            && ["--tty", "--read-only"].contains(&switch)
    };
    let rewrite = |(at, arg): (usize, &OsString)| {
        literal |= arg == "--" || program.is_some_and(|program| at >= program);
        // What follows `--arg` is a word of the program too.
        let literal = literal || at > 0 && args[at - 1] == "--arg";
        let Some(text) = arg.to_str().filter(|_| !literal) else { return Some(arg.clone()) };
        let dashes = if is_single_dash_long(text) { "-" } else { "" };
        let text = format!("{dashes}{text}");
        match text.split_once('=') {
            Some((switch, "true")) if SWITCHES.contains(&switch) => Some(switch.into()),
            Some((switch, "false")) if SWITCHES.contains(&switch) && !keeps(switch) => None,
            _ => Some(text.into()),
        }
    };
    args.iter().enumerate().filter_map(rewrite).collect()
}

/// Options of `exec` and `sandbox` that take a value of their own.
const WITH_VALUE: &[&str] = &[
    "additional-gids",
    "apparmor",
    "cap",
    "cap-add",
    "cap-drop",
    "cgroup",
    "console-socket",
    "cpus",
    "cwd",
    "env",
    "exec-wait-fifo",
    "hostname",
    "layer",
    "memory",
    "mount",
    "network",
    "pid-file",
    "pidfd-socket",
    "pids",
    "preserve-fds",
    "process",
    "process-label",
    "seccomp",
    "upper",
    "user",
];

/// Their short names.
const SHORT_WITH_VALUE: &[char] = &['c', 'e', 'g', 'p', 'u'];

/// Where in the command line of `exec` or `sandbox` the program begins: after the id, or the verb.
fn program(args: &[OsString]) -> Option<usize> {
    let before = match find_verb(args)?.as_str() {
        "exec" => 2,
        "sandbox" => 1,
        _ => return None,
    };
    let mut positionals = 0;
    let mut at = 1;
    while let Some(word) = args.get(at) {
        let word = word.to_str().unwrap_or_default();
        if !word.starts_with('-') || word == "-" {
            positionals += 1;
            // The verb, for `exec` the container, then the program.
            if positionals > before {
                return Some(at);
            }
        }
        at += if takes_the_next(word) { 2 } else { 1 };
    }
    None
}

fn takes_the_next(word: &str) -> bool {
    if GLOBAL_WITH_VALUE.iter().any(|name| word == *name || word == &name[1..]) {
        return true;
    }
    let Some(rest) = word.strip_prefix('-') else { return false };
    let name = rest.strip_prefix('-').unwrap_or(rest);
    if WITH_VALUE.contains(&name) {
        return true;
    }
    // `-e` or `-te`; in `-eA=1` the value is there already.
    let first = rest.find(SHORT_WITH_VALUE);
    !rest.starts_with('-') && first.is_some_and(|first| first + 1 == rest.len())
}

/// Options without a value, which Go lets one write with `=true` or `=false`.
const SWITCHES: &[&str] = &[
    "--all",
    "--auto-dedup",
    "--debug",
    "--detach",
    "--ext-unix-sk",
    "--file-locks",
    "--force",
    "--ignore-paused",
    "--keep",
    "--lazy-pages",
    "--leave-running",
    "--link-remap",
    "--no-new-keyring",
    "--no-new-privs",
    "--no-pivot",
    "--no-subreaper",
    "--pre-dump",
    "--quiet",
    "--raw",
    "--read-only",
    "--regex",
    "--shell-job",
    "--stats",
    "--systemd-cgroup",
    "--tcp-close",
    "--tcp-established",
    "--tcp-skip-in-flight",
    "--tty",
    "--with-mounts",
];

fn is_single_dash_long(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('-') else { return false };
    let name = rest.split('=').next().unwrap_or_default();
    !rest.starts_with('-') && name.len() > 2 && LONG_OPTIONS.contains(&name)
}

/// Every long option of every verb.
const LONG_OPTIONS: &[&str] = &[
    "additional-gids",
    "all",
    "apparmor",
    "arch",
    "arg",
    "auto-dedup",
    "blkio-weight",
    "bundle",
    "cap",
    "cap-add",
    "cap-drop",
    "cgroup",
    "cgroup-manager",
    "config",
    "console-socket",
    "cpu-burst",
    "cpu-idle",
    "cpu-period",
    "cpu-quota",
    "cpu-rt-period",
    "cpu-rt-runtime",
    "cpu-share",
    "cpus",
    "cpuset-cpus",
    "cpuset-mems",
    "cwd",
    "debug",
    "detach",
    "empty-ns",
    "env",
    "exec-wait-fifo",
    "ext-unix-sk",
    "file",
    "file-locks",
    "force",
    "format",
    "help",
    "hostname",
    "ignore-paused",
    "image-config",
    "image-path",
    "interval",
    "keep",
    "kernel-memory",
    "kernel-memory-tcp",
    "l3-cache-schema",
    "layer",
    "lazy-pages",
    "leave-running",
    "link-remap",
    "log",
    "log-format",
    "log-level",
    "lsm-mount-context",
    "lsm-profile",
    "manage-cgroups-mode",
    "max-entries",
    "max-size",
    "mem-bw-schema",
    "memory",
    "memory-reservation",
    "memory-swap",
    "mount",
    "network",
    "network-lock",
    "no-new-keyring",
    "no-new-privs",
    "no-pivot",
    "no-subreaper",
    "page-server",
    "parent-path",
    "pid-file",
    "pidfd-socket",
    "pids",
    "pids-limit",
    "platform",
    "pre-dump",
    "preserve-fds",
    "process",
    "process-label",
    "quiet",
    "raw",
    "read-only",
    "regex",
    "resources",
    "root",
    "rootless",
    "seccomp",
    "shell-job",
    "stats",
    "status-fd",
    "store",
    "systemd-cgroup",
    "tcp-close",
    "tcp-established",
    "tcp-skip-in-flight",
    "tty",
    "upper",
    "user",
    "version",
    "with-mounts",
    "work-path",
];

/// The first word that is neither an option nor an option's value.
pub(super) fn find_verb(args: &[OsString]) -> Option<String> {
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        let word = word.to_str()?;
        if GLOBAL_WITH_VALUE.contains(&word) {
            words.next();
        } else if !word.starts_with('-') {
            return Some(word.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_long_option_of_the_command_line_is_known() {
        let command = crate::cli::command(None);
        let verbs = command.get_subcommands().filter(|verb| verb.get_name() != "help");
        let arguments = command.get_arguments().chain(verbs.flat_map(clap::Command::get_arguments));
        for long in arguments.filter_map(clap::Arg::get_long) {
            assert!(LONG_OPTIONS.contains(&long), "{long}");
        }
    }

    #[test]
    fn short_options_with_glued_values_stay() {
        for word in ["-b/x", "-d", "-", "-rx", "--root"] {
            assert_eq!(normalize(&[word.into()]), [word]);
        }
        assert_eq!(normalize(&["-root=/x".into()]), ["--root=/x"]);
        assert_eq!(normalize(&["--".into(), "-root".into()]), ["--", "-root"]);
    }

    #[test]
    fn switches_with_values() {
        assert_eq!(
            normalize(&["--debug=true".into(), "-force=true".into()]),
            ["--debug", "--force"]
        );
        assert_eq!(normalize(&["--debug=false".into(), "x=true".into()]), ["x=true"]);
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        for line in [
            "rrun spec --tty=false --arg -debug --arg --force=true",
            "rrun sandbox --read-only=false --layer spec sh -debug --tty=true",
            "rrun sandbox -e A=1 --memory 1m -- -debug",
        ] {
            assert_eq!(normalize(&words(line)), words(line), "{line}");
        }
        let line = words("rrun sandbox -tty=true -with-mounts sh");
        assert_eq!(normalize(&line), words("rrun sandbox --tty --with-mounts sh"));
    }
}
