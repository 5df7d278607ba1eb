//! Pure: the hooks that config.json lists.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::spec;

/// One hook, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The command, absolute.
    pub path: PathBuf,
    /// Its argument vector, never empty.
    pub args: Vec<String>,
    /// Its environment; None takes what the place of the hook has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<String>>,
    /// Seconds after which it is killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// A file to which its output goes, rather than into the error where it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<PathBuf>,
    /// The same for its errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<PathBuf>,
}

/// Their moments, as config.json calls them, in the order in which they come.
pub const MOMENTS: [&str; 6] =
    ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];

/// All hooks of a container, by moment.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In the runtime's namespaces, before the pivot; deprecated.
    pub prestart: Vec<Hook>,
    /// In the runtime's namespaces, before the pivot.
    pub create_runtime: Vec<Hook>,
    /// In the container's namespaces, before the pivot.
    pub create_container: Vec<Hook>,
    /// Inside the container, before the program.
    pub start_container: Vec<Hook>,
    /// In the runtime's namespaces, after the program has started.
    pub poststart: Vec<Hook>,
    /// In the runtime's namespaces, after the container is gone.
    pub poststop: Vec<Hook>,
}

/// The hooks that later verbs run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Run by `start`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub poststart: Vec<Hook>,
    /// Run by `delete`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub poststop: Vec<Hook>,
}

impl Plan {
    /// Checks every hook.
    ///
    /// # Errors
    /// Relative paths, time-outs that are not positive, strings with a NUL.
    pub fn compile(hooks: &spec::Hooks) -> Result<Plan> {
        Ok(Plan {
            prestart: list(MOMENTS[0], &hooks.prestart)?,
            create_runtime: list(MOMENTS[1], &hooks.create_runtime)?,
            create_container: list(MOMENTS[2], &hooks.create_container)?,
            start_container: list(MOMENTS[3], &hooks.start_container)?,
            poststart: list(MOMENTS[4], &hooks.poststart)?,
            poststop: list(MOMENTS[5], &hooks.poststop)?,
        })
    }

    /// Sends what hooks write to files of the host. Not what startContainer hooks write: from inside the
    /// container there is no way to such a file, and a descriptor of one would be a way out.
    pub fn redirect(&mut self, stdout: Option<&Path>, stderr: Option<&Path>) {
        let lists = [
            &mut self.prestart,
            &mut self.create_runtime,
            &mut self.create_container,
            &mut self.poststart,
            &mut self.poststop,
        ];
        for hook in lists.into_iter().flatten() {
            hook.stdout = stdout.map(Path::to_path_buf);
            hook.stderr = stderr.map(Path::to_path_buf);
        }
    }

    /// What `start` and `delete` need to know.
    pub fn record(&self) -> Record {
        Record { poststart: self.poststart.clone(), poststop: self.poststop.clone() }
    }
}

fn list(name: &str, hooks: &[spec::Hook]) -> Result<Vec<Hook>> {
    hooks
        .iter()
        .enumerate()
        .map(|(index, hook)| one(&format!("/hooks/{name}/{index}"), hook))
        .collect()
}

fn one(pointer: &str, hook: &spec::Hook) -> Result<Hook> {
    if !hook.path.is_absolute() {
        let text = format!("`{}` is not absolute", hook.path.display());
        return Err(Error::config(format!("{pointer}/path"), text));
    }
    let timeout = match hook.timeout {
        None => None,
        Some(seconds) if seconds > 0 => Some(seconds.unsigned_abs()),
        Some(seconds) => {
            let text = format!("{seconds} is not greater than zero");
            return Err(Error::config(format!("{pointer}/timeout"), text));
        }
    };
    let path = hook.path.to_string_lossy().into_owned();
    let args = if hook.args.is_empty() { vec![path] } else { hook.args.clone() };
    let strings = args.iter().chain(hook.env.iter().flatten());
    if strings
        .chain(Some(&hook.path.to_string_lossy().into_owned()))
        .any(|text| text.contains('\0'))
    {
        return Err(Error::config(pointer, "a string contains a NUL"));
    }
    let (path, env) = (hook.path.clone(), hook.env.clone());
    Ok(Hook { path, args, env, timeout, stdout: None, stderr: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(hooks: &str) -> Result<Plan> {
        Plan::compile(&spec::parse(hooks.as_bytes()).unwrap())
    }

    #[test]
    fn a_hook_without_args_is_called_by_its_path() {
        let plan = compile(r#"{"prestart":[{"path":"/bin/a"}],"poststop":[{"path":"/b","args":["c","d"],"env":[],"timeout":3}]}"#).unwrap();
        assert_eq!(plan.prestart[0].args, ["/bin/a"]);
        assert_eq!(plan.prestart[0].env, None);
        let record = plan.record();
        assert_eq!(record.poststop[0].args, ["c", "d"]);
        assert_eq!(record.poststop[0].env, Some(vec![]));
        assert_eq!(record.poststop[0].timeout, Some(3));
    }

    #[test]
    fn mistakes_are_named() {
        for (hooks, expected) in [
            (r#"{"prestart":[{"path":"a"}]}"#, "/hooks/prestart/0/path: `a` is not absolute"),
            (r#"{"poststart":[{}]}"#, "/hooks/poststart/0/path: `` is not absolute"),
            (
                r#"{"createRuntime":[{"path":"/a"},{"path":"/a","timeout":0}]}"#,
                "/hooks/createRuntime/1/timeout: 0 is not greater than zero",
            ),
            (
                r#"{"startContainer":[{"path":"/a","env":["A=\u0000"]}]}"#,
                "/hooks/startContainer/0: a string contains a NUL",
            ),
        ] {
            assert_eq!(compile(hooks).unwrap_err().to_string(), expected);
        }
    }
}
