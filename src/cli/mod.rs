//! The command line: one clap type a verb, built only for the verb that was asked for.
//!
//! Callers were written against runc or crun, so both dialects work: options before or after the
//! id, `--option value` and `--option=value`, and runc's long options with a single dash. What each
//! option means is said here, since this text is also the help and the man page.

mod checkpoint;
mod dialect;
mod edits;
#[cfg(feature = "image")]
mod unpack;
mod values;
mod verbs;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Command, FromArgMatches};

use crate::error::{Error, Kind, Result};

pub use checkpoint::*;
pub use edits::*;
#[cfg(feature = "image")]
pub use unpack::*;
pub use values::UserAndGroup;
pub use verbs::*;

/// Options before the verb.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// Write everything that happens to the log, at once
    #[arg(long, global = true)]
    pub debug: bool,
    /// Append errors and warnings to this file (errors go to stderr too)
    #[arg(long, value_name = "FILE", global = true)]
    pub log: Option<PathBuf>,
    /// How log lines look: text or json
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"], global = true)]
    pub log_format: Option<String>,
    /// error, warning or debug; debug is the same as --debug
    #[arg(long, value_name = "LEVEL", value_parser = ["error", "warning", "debug"], global = true)]
    pub log_level: Option<String>,
    /// Where containers are remembered [default: /run/rrun, or $XDG_RUNTIME_DIR/rrun]
    #[arg(long, value_name = "DIR", global = true)]
    pub root: Option<PathBuf>,
    /// Let systemd own the cgroups
    #[arg(long, global = true)]
    pub systemd_cgroup: bool,
    /// Who owns the cgroups: cgroupfs, systemd or disabled
    #[arg(long, value_name = "MANAGER", value_parser = ["cgroupfs", "systemd", "disabled"], global = true)]
    pub cgroup_manager: Option<String>,
    /// Accepted for runc's sake: what rrun may do is seen from its privileges
    #[arg(long, value_name = "true|false|auto", value_parser = ["true", "false", "auto"])]
    pub rootless: Option<String>,
}

/// A verb with its options.
#[derive(Debug)]
pub enum Verb {
    /// `create`
    Create(Create),
    /// `start`
    Start(Start),
    /// `state`
    State(State),
    /// `kill`
    Kill(Kill),
    /// `delete`
    Delete(Delete),
    /// `run`
    Run(Run),
    /// `exec`
    Exec(Exec),
    /// `list`
    List(List),
    /// `ps`
    Ps(Ps),
    /// `pause`
    Pause(Pause),
    /// `resume`
    Resume(Resume),
    /// `update`
    Update(Update),
    /// `events`
    Events(Events),
    /// `checkpoint`
    Checkpoint(Checkpoint),
    /// `restore`
    Restore(Restore),
    /// `spec`
    Spec(Spec),
    /// `unpack`
    #[cfg(feature = "image")]
    Unpack(Unpack),
    /// `sandbox`
    Sandbox(Sandbox),
    /// `seccomp`
    Seccomp(Seccomp),
    /// `features`
    Features(Features),
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// To do something.
    Do(Box<Global>, Box<Verb>),
    /// To say something: help or version, for stdout.
    Say(String),
}

impl Verb {
    /// What rrun exits with where the verb fails. `exec` hands on the status of its program, of which
    /// 255 is the least likely; callers know it from runc.
    pub fn failure_status(&self) -> i32 {
        if matches!(self, Verb::Exec(_)) { 255 } else { 1 }
    }
}

type Build = fn(Command) -> Command;
type Read = fn(&clap::ArgMatches) -> Result<Verb, clap::Error>;

macro_rules! verbs {
    ($($(#[$when:meta])? $name:literal $kind:ident $about:literal)*) => {
        /// Name, one line of help, and how to build and read each verb.
        const VERBS: &[(&str, &str, Build, Read)] = &[$($(#[$when])? (
            $name,
            $about,
            |command| $kind::augment_args(command),
            |matches| $kind::from_arg_matches(matches).map(Verb::$kind),
        )),*];
    };
}

verbs! {
    "create" Create "Create a container: everything but the program itself"
    "start" Start "Run the program of a created container"
    "state" State "Print the state of a container as JSON"
    "kill" Kill "Send a signal to the container's first process"
    "delete" Delete "Remove a stopped container and what it held"
    "run" Run "Create a container, start it and, in the foreground, wait for it"
    "exec" Exec "Run one more program in a container"
    "list" List "List containers"
    "ps" Ps "List the processes of a container"
    "pause" Pause "Freeze the processes of a container"
    "resume" Resume "Let the processes of a frozen container go on"
    "update" Update "Change the limits of a container"
    "events" Events "Tell what a container uses, and when it runs out of memory"
    "checkpoint" Checkpoint "Write the processes of a container to images, with CRIU"
    "restore" Restore "Make a container from the images of a checkpoint, with CRIU"
    #[cfg(feature = "image")]
    "unpack" Unpack "Make a bundle of an image: a layout, an archive or standard input"
    "spec" Spec "Write a config.json"
    "sandbox" Sandbox "Run a program in a throw-away copy of a tree"
    "seccomp" Seccomp "Show the filter that a config.json makes, or what it does to a system call"
    "features" Features "Print what this runtime can do as JSON (so far: seccomp)"
}

/// The names of all verbs.
pub fn verb_names() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|(name, ..)| *name)
}

/// The whole command line, for help, completions and man pages; with only the verb `only` where
/// that is all that is needed.
pub fn command(only: Option<&str>) -> Command {
    let base = Command::new("rrun")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(false)
        .arg(
            clap::Arg::new("version")
                .long("version")
                .short('v')
                .visible_short_alias('V')
                .action(clap::ArgAction::SetTrue)
                .help("Print the version"),
        );
    // The about comes last, for the options' type brings the first line of its own documentation.
    let base = Global::augment_args(base)
        .about(
            "Run OCI containers: a bundle is a directory with a config.json and a root file system",
        )
        .long_about(None);
    VERBS.iter().filter(|(name, ..)| only.is_none_or(|only| only == *name)).fold(
        base,
        |base, (name, about, build, _)| {
            base.subcommand(build(Command::new(*name)).about(*about).long_about(None))
        },
    )
}

/// The text of `--version`. Its first line is what engines parse.
pub fn version(spec: &str) -> String {
    format!(
        "rrun version {}\ncommit: {}\nspec: {spec}\nrustc: {}\n",
        env!("CARGO_PKG_VERSION"),
        option_env!("RRUN_COMMIT").unwrap_or("unknown"),
        option_env!("RRUN_RUSTC").unwrap_or("unknown"),
    )
}

/// Understands a command line. `args` begins with the program's own name; `spec` is the version of
/// the runtime-spec, for `--version`.
///
/// # Errors
/// Of kind [`Kind::Usage`], in clap's words.
pub fn parse(args: &[OsString], spec: &str) -> Result<Request> {
    let args = dialect::normalize(args);
    let word = dialect::find_verb(&args);
    let is_version = |arg: &OsString| ["--version", "-v", "-V"].iter().any(|flag| arg == flag);
    if word.is_none() && args.iter().any(is_version) {
        return Ok(Request::Say(version(spec)));
    }
    // Building the options of every verb costs more than most verbs do.
    let verb = word.filter(|verb| verb_names().any(|name| name == verb));
    let matches = match command(verb.as_deref()).try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) => return said(&error),
    };
    let global = Global::from_arg_matches(&matches).map_err(|error| usage(&error))?;
    if let Some((name, matches)) = matches.subcommand()
        && let Some((.., read)) = VERBS.iter().find(|(known, ..)| *known == name)
    {
        let verb = read(matches).map_err(|error| usage(&error))?;
        return Ok(Request::Do(Box::new(global), Box::new(verb)));
    }
    Err(Error::message(Kind::Usage, "no verb was given"))
}

/// Help is clap's "error" too.
fn said(error: &clap::Error) -> Result<Request> {
    use clap::error::ErrorKind;
    match error.kind() {
        // `rrun` alone, as runc does it.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion => Ok(Request::Say(error.render().to_string())),
        _ => Err(usage(error)),
    }
}

/// One line of what clap says in several.
fn usage(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    // Podman looks for these words, to learn whether an option is known.
    let text = &match text.strip_prefix("a value is required for ") {
        Some(rest) => rest.replacen(" but none was supplied", " requires an argument", 1),
        None => text.to_owned(),
    };
    let sentences: Vec<_> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("For more information"))
        .filter(|line| !line.is_empty())
        .collect();
    Error::message(Kind::Usage, sentences.join("; "))
        .hinted("`rrun --help` lists the verbs, `rrun VERB --help` the options of one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Request> {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        parse(&args, "1.3.0")
    }

    fn doing(line: &str) -> (Global, Verb) {
        match parse_line(line).unwrap() {
            Request::Do(global, verb) => (*global, *verb),
            Request::Say(text) => panic!("{line}: {text}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        command(None).debug_assert();
    }

    #[test]
    fn what_containerd_calls() {
        let (global, verb) = doing(
            "rrun --root /run/x/default --log /b/log.json --log-format json --systemd-cgroup \
             create --bundle /b --pid-file /b/init.pid --console-socket /s id",
        );
        assert_eq!(global.root, Some("/run/x/default".into()));
        assert_eq!(global.log_format.as_deref(), Some("json"));
        assert!(global.systemd_cgroup);
        let Verb::Create(create) = verb else { panic!("{verb:?}") };
        assert_eq!(create.id, "id");
        assert_eq!(create.container.pid_file, Some("/b/init.pid".into()));
        assert_eq!(create.container.console_socket, Some("/s".into()));
    }

    #[test]
    fn options_stand_before_or_after_the_id() {
        for line in ["rrun create -b /b --no-pivot id", "rrun create id --no-pivot --bundle=/b"] {
            let (_, Verb::Create(create)) = doing(line) else { panic!() };
            assert_eq!((create.id.as_str(), create.container.no_pivot), ("id", true));
            assert_eq!(create.container.bundle, Some("/b".into()));
        }
    }

    #[test]
    fn global_options_may_follow_the_verb() {
        let (global, _) = doing("rrun state --root /r id");
        assert_eq!(global.root, Some("/r".into()));
    }

    #[test]
    fn single_dash_long_options_as_go_takes_them() {
        let (_, Verb::Run(run)) = doing("rrun -root /r run -no-subreaper -bundle /b id") else {
            panic!()
        };
        assert!(run.container.no_subreaper);
        assert_eq!(run.container.bundle, Some("/b".into()));
    }

    fn executing(line: &str) -> Exec {
        let (_, Verb::Exec(exec)) = doing(line) else { panic!("{line}") };
        exec
    }

    #[test]
    fn what_engines_call_exec_with() {
        let exec =
            executing("rrun exec --process /p --console-socket /s --detach --pid-file /b/1.pid id");
        assert_eq!((exec.process, exec.console_socket), (Some("/p".into()), Some("/s".into())));
        assert!(exec.detach && exec.args.is_empty());
        assert_eq!(exec.id, "id");
    }

    #[test]
    fn options_of_the_program_are_its_own() {
        let exec =
            executing("rrun exec -e A=1 -t --cwd / -u 1:2 id ls -debug -t --root=x -all=true");
        assert_eq!(exec.args, ["ls", "-debug", "-t", "--root=x", "-all=true"]);
        assert_eq!(exec.user, Some(UserAndGroup { uid: 1, gid: Some(2) }));
        assert_eq!((exec.env, exec.tty), (vec!["A=1".to_owned()], true));
        let exec = executing("rrun exec --tty=false -g 3,4 -c CAP_KILL -te B=2 id -- sh -root");
        assert_eq!((exec.tty, exec.additional_gids), (true, vec![3, 4]));
        assert_eq!(exec.args, ["sh", "-root"]);
        let exec = executing("rrun exec -pid-file /p id sh -no-subreaper");
        assert_eq!((exec.pid_file, exec.args.len()), (Some("/p".into()), 2));
    }

    #[test]
    fn what_a_config_json_is_to_say() {
        let (_, Verb::Spec(spec)) = doing(
            "rrun spec --rootless --arg ls --arg -l --layer a --layer /b --upper ephemeral -e A=1 \
             --tty=false --read-only --cpus 0.5 --memory 64M --pids -1 --network none",
        ) else {
            panic!()
        };
        assert_eq!((spec.arg, spec.edits.layer.len()), (vec!["ls".to_owned(), "-l".into()], 2));
        assert_eq!((spec.edits.tty, spec.edits.read_only), (Some(false), Some(true)));
        assert_eq!((spec.edits.memory, spec.edits.pids), (Some(64 << 20), Some(-1)));
        let (_, Verb::Sandbox(sandbox)) =
            doing("rrun sandbox -t --user web --layer /l --cwd / make -C x --tty=false")
        else {
            panic!()
        };
        assert_eq!(sandbox.args, ["make", "-C", "x", "--tty=false"]);
        assert_eq!((sandbox.edits.tty, sandbox.edits.user), (Some(true), Some("web".into())));
        let (_, Verb::Sandbox(sandbox)) = doing("rrun sandbox -- ls -t") else { panic!() };
        assert_eq!(sandbox.args, ["ls", "-t"]);
        for line in [
            "rrun spec --memory 0",
            "rrun spec --cpus 0",
            "rrun sandbox --pids 0",
            "rrun sandbox --network bridge",
            "rrun spec --seccomp x",
            "rrun sandbox --with-mounts --layer /l",
        ] {
            assert!(parse_line(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_verb_as_a_value_is_no_verb() {
        let (global, verb) = doing("rrun --log create --root start state id");
        assert_eq!(global.log, Some("create".into()));
        assert!(matches!(verb, Verb::State(_)));
    }

    #[test]
    fn mistakes_are_one_line_with_a_hint() {
        for line in ["rrun frob", "rrun create", "rrun create a b", "rrun state --frob a"] {
            let error = parse_line(line);
            let error = error.map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            assert!(!error.to_string().contains('\n'), "{error}");
            assert!(error.hint_text().is_some());
        }
    }

    #[test]
    fn version_and_help_are_for_stdout() {
        for line in [
            "rrun",
            "rrun --version",
            "rrun -v",
            "rrun --root /r --version",
            "rrun --help",
            "rrun create --help",
            "rrun help",
        ] {
            assert!(matches!(parse_line(line), Ok(Request::Say(_))), "{line}");
        }
        let Request::Say(text) = parse_line("rrun").unwrap() else { panic!() };
        assert!(text.contains("Remove a stopped container"), "{text}");
        let Request::Say(text) = parse_line("rrun --version").unwrap() else { panic!() };
        assert!(text.starts_with("rrun version "), "{text}");
        assert!(text.contains("\nspec: 1.3.0\n"));
    }
}
