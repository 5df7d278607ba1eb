//! Pure: the program of `exec`: like the container's own but for what was asked for.

use std::path::PathBuf;

use super::plan::{Plan, put};
use crate::error::{Error, Kind, Result};
use crate::spec;

/// What the command line of `exec` asks for. What it leaves out stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// argv.
    pub args: Vec<String>,
    /// Entries of the environment.
    pub env: Vec<String>,
    /// The working directory.
    pub cwd: Option<PathBuf>,
    /// The user.
    pub uid: Option<u32>,
    /// The group.
    pub gid: Option<u32>,
    /// More supplementary groups.
    pub groups: Vec<u32>,
}

impl Plan {
    /// The program that a process file describes, in the container whose own program is `self`. What
    /// the container has and the file does not say is the container's, as with runc.
    ///
    /// # Errors
    /// As [`Plan::compile`].
    pub fn beside(&self, process: &spec::Process) -> Result<Plan> {
        let mut plan = Plan::compile(process)?;
        if process.rlimits.is_empty() {
            plan.rlimits.clone_from(&self.rlimits);
        }
        plan.umask = plan.umask.or(self.umask);
        plan.oom_score_adj = plan.oom_score_adj.or(self.oom_score_adj);
        plan.keep_groups = self.keep_groups;
        plan.domain.clone_from(&self.domain);
        let (asked, own) = (&mut plan.share, &self.share);
        asked.scheduler = asked.scheduler.or(own.scheduler);
        asked.io_priority = asked.io_priority.or(own.io_priority);
        if asked.initial_cpus.is_none() && asked.final_cpus.is_none() {
            asked.initial_cpus.clone_from(&own.initial_cpus);
            asked.final_cpus.clone_from(&own.final_cpus);
        }
        Ok(plan)
    }

    /// The same program again, without its arguments; with a terminal if that is asked for.
    pub fn again(&self, terminal: bool) -> Plan {
        let console_size = self.console_size.filter(|_| terminal);
        Plan { args: Vec::new(), terminal, console_size, ..self.clone() }
    }

    /// Applies what the command line says.
    ///
    /// # Errors
    /// Of kind [`Kind::Usage`], naming the option.
    pub fn change(&mut self, change: &Change) -> Result<()> {
        let wrong = |text: String| Err(Error::message(Kind::Usage, text));
        if !change.args.is_empty() {
            self.args.clone_from(&change.args);
        }
        match self.args.first().map(String::as_str) {
            None => return wrong("no program was named to run in the container".to_owned()),
            Some("") => {
                return wrong("the program's name is empty: executable file not found".into());
            }
            Some(_) => {}
        }
        for entry in &change.env {
            match entry.split_once('=') {
                Some((name, _)) if !name.is_empty() => put(&mut self.env, name, entry.clone()),
                _ => return wrong(format!("--env: `{}` is not NAME=value", entry.escape_debug())),
            }
        }
        if let Some(cwd) = &change.cwd {
            if !cwd.is_absolute() {
                return wrong(format!("--cwd: `{}` is not absolute", cwd.display()));
            }
            self.cwd.clone_from(cwd);
        }
        self.uid = change.uid.unwrap_or(self.uid);
        self.gid = change.gid.unwrap_or(self.gid);
        let more: Vec<u32> =
            change.groups.iter().copied().filter(|gid| !self.groups.contains(gid)).collect();
        self.groups.extend(more);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Plan {
        let text = r#"{"args":["init"],"cwd":"/a","env":["A=1","B=2"],"oomScoreAdj":5,
            "terminal":true,"consoleSize":{"height":3,"width":4},
            "user":{"uid":7,"gid":8,"umask":7,"additionalGids":[9]},
            "rlimits":[{"type":"RLIMIT_CPU","soft":1,"hard":2}]}"#;
        Plan::compile(&spec::parse(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn what_a_process_file_leaves_out_is_the_containers() {
        let file = |text: &str| own().beside(&spec::parse(text.as_bytes()).unwrap()).unwrap();
        let plan = file(r#"{"args":["a"],"cwd":"/"}"#);
        assert_eq!((plan.umask, plan.oom_score_adj), (Some(7), Some(5)));
        assert_eq!((plan.rlimits, plan.uid), (own().rlimits, 0));
        assert!(plan.env.is_empty() && plan.groups.is_empty() && !plan.terminal);
        let plan = file(
            r#"{"args":["a"],"cwd":"/","oomScoreAdj":0,"user":{"umask":18},
                "rlimits":[{"type":"RLIMIT_CORE","soft":0,"hard":0}]}"#,
        );
        assert_eq!((plan.umask, plan.oom_score_adj, plan.rlimits.len()), (Some(18), Some(0), 1));
        assert_eq!(plan.rlimits[0].name, "RLIMIT_CORE");
    }

    #[test]
    fn the_command_line_goes_on_top() {
        let mut plan = own().again(false);
        assert_eq!((plan.terminal, plan.console_size), (false, None));
        let change = Change {
            args: vec!["sh".into(), "-c".into()],
            env: vec!["B=3".into(), "C=a=b".into()],
            cwd: Some("/x".into()),
            uid: Some(1),
            groups: vec![9, 10],
            gid: None,
        };
        plan.change(&change).unwrap();
        assert_eq!(plan.args, ["sh", "-c"]);
        assert_eq!(plan.env, ["A=1", "B=3", "C=a=b"]);
        // -u 1 is user 1 and no other group
        assert_eq!((plan.uid, plan.gid, plan.groups), (1, 8, vec![9, 10]));
        assert_eq!(own().again(true).console_size, Some((3, 4)));
    }

    #[test]
    fn mistakes_name_the_option() {
        let refusal = |change: Change| {
            let mut plan = own().again(false);
            plan.change(&change).unwrap_err().to_string()
        };
        let args = || vec!["a".to_owned()];
        assert!(refusal(Change::default()).contains("no program"));
        assert!(
            refusal(Change { args: vec![String::new()], ..Change::default() }).contains("empty")
        );
        let env = Change { args: args(), env: vec!["A".into()], ..Change::default() };
        assert_eq!(refusal(env), "--env: `A` is not NAME=value");
        let cwd = Change { args: args(), cwd: Some("x".into()), ..Change::default() };
        assert_eq!(refusal(cwd), "--cwd: `x` is not absolute");
    }
}
