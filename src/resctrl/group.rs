//! Making the directories of resctrl, filling them, and taking them away.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use super::plan::{Plan, Record};
use crate::error::{Context, Error, Kind, Result};
use crate::sys;

/// What [`apply`] has made; dropped before [`Made::keep`], it is removed.
#[derive(Debug)]
pub struct Made(Record);

/// What [`apply`] will make as it looks now, so that it can be recorded before it exists.
pub fn intended(plan: &Plan) -> Record {
    let is_missing = |path: &PathBuf| !path.exists();
    Record {
        monitor: plan.monitor.clone().filter(is_missing),
        class: Some(plan.class.clone()).filter(is_missing),
        used: Some(plan.class.clone()),
    }
}

/// Makes the groups of the plan, and puts the process `pid` in.
///
/// # Errors
/// A class that should be there and is not, or says something else than config.json; whatever the
/// kernel answers, with what it says in `info/last_cmd_status`.
pub fn apply(plan: &Plan, pid: i32) -> Result<Made> {
    let mut made = Made(Record::default());
    let intent = || format!("/linux/intelRdt: use the class of service `{}`", plan.class.display());
    let is_new = make(&plan.class, plan.must_exist).context(intent)?;
    if is_new {
        made.0.class = Some(plan.class.clone());
        for line in &plan.schemata {
            write(&plan.class, "schemata", line).context(intent)?;
        }
    } else {
        agrees(plan).context(intent)?;
    }
    write(&plan.class, "tasks", &pid.to_string()).context(intent)?;
    if let Some(monitor) = &plan.monitor {
        let intent = || format!("/linux/intelRdt: monitor in `{}`", monitor.display());
        if make(monitor, false).context(intent)? {
            made.0.monitor = Some(monitor.clone());
        }
        write(monitor, "tasks", &pid.to_string()).context(intent)?;
    }
    Ok(made)
}

/// Puts one more process of the container into its groups.
///
/// # Errors
/// As write(2) to `tasks`.
pub fn join(groups: &[PathBuf], pid: i32) -> Result<()> {
    groups.iter().try_for_each(|group| write(group, "tasks", &pid.to_string()))
}

/// Makes a directory; false where it is there already.
fn make(path: &Path, must_exist: bool) -> Result<bool> {
    if must_exist && !path.is_dir() {
        let text = "it does not exist, and there are no schemata to make it with";
        return Err(Error::message(Kind::Config, text));
    }
    match std::fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::io("mkdir", format!("`{}`", path.display()), &error)).hint(
            || "a processor has only so many classes; see /sys/fs/resctrl/info/*/num_closids",
        ),
    }
}

fn write(directory: &Path, name: &str, text: &str) -> Result<()> {
    let path = directory.join(name);
    let file = sys::file::open(&path, libc::O_WRONLY)?;
    sys::io::write_once(file.as_fd(), format!("{text}\n").as_bytes()).map_err(|error| {
        let root = directory.ancestors().find(|it| it.join("info/last_cmd_status").exists());
        let said =
            root.and_then(|it| std::fs::read_to_string(it.join("info/last_cmd_status")).ok());
        let error = error.wrap(format!("write `{text}` to `{}`", path.display()));
        match said.as_deref().map(str::trim) {
            Some(said) if !said.is_empty() && said != "ok" => {
                error.hinted(format!("the kernel says: {said}"))
            }
            _ => error,
        }
    })
}

/// A class that is there already may be others' too: it stays as it is, and must say what was asked.
fn agrees(plan: &Plan) -> Result<()> {
    if plan.schemata.is_empty() {
        return Ok(());
    }
    if !plan.is_named {
        return Err(Error::message(Kind::State, "it exists already, and is not ours"));
    }
    let path = plan.class.join("schemata");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Error::io("read", format!("`{}`", path.display()), &error))?;
    let there: BTreeMap<_, _> = text.lines().filter_map(parsed).collect();
    for line in &plan.schemata {
        let Some((resource, values)) = parsed(line) else { continue };
        let same = there
            .get(&resource)
            .is_some_and(|has| values.iter().all(|(domain, value)| has.get(domain) == Some(value)));
        if !same {
            let text = format!("it exists, and its schemata do not say `{line}`");
            return Err(Error::message(Kind::Config, text));
        }
    }
    Ok(())
}

/// A line of `schemata`: resource, and value by domain; masks without the zeros before them.
fn parsed(line: &str) -> Option<(String, BTreeMap<String, String>)> {
    let (resource, values) = line.trim().split_once(':')?;
    let value = |text: &str| -> Option<(String, String)> {
        let (domain, value) = text.split_once('=')?;
        let bare = value.trim().trim_start_matches('0');
        let bare = if bare.is_empty() { "0" } else { bare };
        Some((domain.trim().to_owned(), bare.to_ascii_lowercase()))
    };
    Some((resource.trim().to_owned(), values.split(';').filter_map(value).collect()))
}

impl Made {
    /// The container has been created: what was made goes with it.
    pub fn keep(mut self) -> Record {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // The failure that brought us here is the one to be told.
        let _ = self.0.remove();
    }
}

/// What a class said before [`Record::update`].
#[derive(Debug)]
pub struct Before {
    class: PathBuf,
    lines: Vec<String>,
}

impl Before {
    /// Says it again: what was to change together with it could not.
    ///
    /// # Errors
    /// As write(2).
    pub fn restore(&self) -> Result<()> {
        self.lines.iter().try_for_each(|line| write(&self.class, "schemata", line))
    }
}

impl Record {
    /// Changes what the container's class of service says; for others that are in it, too.
    ///
    /// # Errors
    /// Where the container is in none; whatever the kernel answers.
    pub fn update(&self, lines: &[String]) -> Result<Option<Before>> {
        if lines.is_empty() {
            return Ok(None);
        }
        let Some(class) = &self.used else {
            let text = "the container was created without /linux/intelRdt";
            return Err(Error::message(Kind::Config, text));
        };
        let path = class.join("schemata");
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Error::io("read", format!("`{}`", path.display()), &error))?;
        let resource = |line: &str| line.split(':').next().map(|name| name.trim().to_owned());
        let changes = |line: &&str| lines.iter().any(|new| resource(new) == resource(line));
        let lines_before = text.lines().filter(changes).map(|line| line.trim().to_owned());
        let before = Before { class: class.clone(), lines: lines_before.collect() };
        for line in lines {
            if let Err(error) = write(class, "schemata", line) {
                let _ = before.restore();
                return Err(error);
            }
        }
        Ok(Some(before))
    }

    /// Removes what is the container's. The kernel moves what may still be inside to the group above.
    ///
    /// # Errors
    /// As rmdir(2); what is not there is none.
    pub fn remove(&self) -> Result<()> {
        let paths: [&Option<PathBuf>; 2] = [&self.monitor, &self.class];
        for path in paths.into_iter().flatten() {
            match std::fs::remove_dir(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("rmdir", format!("`{}`", path.display()), &error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that looks like resctrl, but that its files do not come by themselves.
    struct Fake(PathBuf);

    impl Fake {
        fn new(name: &str) -> Fake {
            let path = std::env::temp_dir().join(format!("rrun-rdt-{name}-{}", std::process::id()));
            std::fs::create_dir_all(path.join("info")).unwrap();
            std::fs::write(path.join("info/last_cmd_status"), "mask f is beyond\n").unwrap();
            Fake(path)
        }

        fn group(&self, name: &str, schemata: &str) -> PathBuf {
            let path = self.0.join(name);
            std::fs::create_dir_all(path.join("mon_groups/web")).unwrap();
            std::fs::write(path.join("schemata"), schemata).unwrap();
            std::fs::write(path.join("tasks"), "").unwrap();
            std::fs::write(path.join("mon_groups/web/tasks"), "").unwrap();
            path
        }
    }

    impl Drop for Fake {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn plan(class: PathBuf, named: bool, schemata: &[&str], monitor: bool) -> Plan {
        Plan {
            monitor: monitor.then(|| class.join("mon_groups/web")),
            must_exist: named && schemata.is_empty(),
            schemata: schemata.iter().map(|line| (*line).to_owned()).collect(),
            is_named: named,
            class,
        }
    }

    #[test]
    fn a_class_that_exists_is_used_and_left() {
        let fake = Fake::new("used");
        let class = fake.group("gold", "    L3:0=0f;1=ff\nMB:0= 20\n");
        let made =
            apply(&plan(class.clone(), true, &["L3:1=ff;0=f", "MB:0=20"], true), 42).unwrap();
        assert_eq!(std::fs::read_to_string(class.join("tasks")).unwrap(), "42\n");
        let tasks = std::fs::read_to_string(class.join("mon_groups/web/tasks")).unwrap();
        assert_eq!(tasks, "42\n");
        assert_eq!(made.keep(), Record::default());
        assert!(class.join("schemata").exists());
    }

    #[test]
    fn a_class_that_says_something_else_is_refused() {
        let fake = Fake::new("other");
        let class = fake.group("gold", "L3:0=0f;1=ff\n");
        for schemata in ["L3:0=ff", "L3:2=f", "L2:0=f"] {
            let error = apply(&plan(class.clone(), true, &[schemata], false), 42).unwrap_err();
            let text = format!("it exists, and its schemata do not say `{schemata}`");
            assert!(error.to_string().ends_with(&text), "{error}");
        }
        let error = apply(&plan(class.clone(), false, &["L3:0=f"], false), 42).unwrap_err();
        assert!(error.to_string().ends_with("it exists already, and is not ours"), "{error}");
        assert_eq!(std::fs::read_to_string(class.join("tasks")).unwrap(), "");
    }

    #[test]
    fn a_class_that_must_exist_is_not_made() {
        let fake = Fake::new("absent");
        let class = fake.0.join("gold");
        let error = apply(&plan(class.clone(), true, &[], false), 42).unwrap_err();
        assert!(error.to_string().contains("it does not exist"), "{error}");
        assert!(!class.exists());
    }

    /// A plain directory has no `schemata`: as where the kernel refuses the first write.
    #[test]
    fn what_was_made_goes_when_the_rest_fails() {
        let fake = Fake::new("undone");
        let class = fake.0.join("web");
        let error = apply(&plan(class.clone(), false, &["L3:0=f"], false), 42).unwrap_err();
        assert!(error.is(libc::ENOENT), "{error}");
        assert!(!class.exists());
    }

    #[test]
    fn an_update_can_be_taken_back() {
        let fake = Fake::new("update");
        let class = fake.group("gold", "    L3:0=0f\n    MB:0= 20\n");
        let record = Record { used: Some(class.clone()), ..Record::default() };
        let says = || std::fs::read_to_string(class.join("schemata")).unwrap();
        let before = record.update(&["L3:0=ff0000000000000000".to_owned()]).unwrap().unwrap();
        assert!(says().starts_with("L3:0=ff0000000000000000\n"), "{}", says());
        before.restore().unwrap();
        assert!(says().starts_with("L3:0=0f\n"), "{}", says());
        assert!(record.update(&[]).unwrap().is_none());
        let error = Record::default().update(&["L3:0=f".to_owned()]).unwrap_err().to_string();
        assert_eq!(error, "the container was created without /linux/intelRdt");
    }

    #[test]
    fn what_is_the_containers_is_removed_and_no_more() {
        let fake = Fake::new("removed");
        let class = fake.0.join("web");
        std::fs::create_dir_all(class.join("mon_groups/web")).unwrap();
        let record = Record {
            monitor: Some(class.join("mon_groups/web")),
            class: Some(fake.0.join("gone")),
            used: None,
        };
        record.remove().unwrap();
        record.remove().unwrap();
        assert!(class.join("mon_groups").exists() && !class.join("mon_groups/web").exists());
    }
}
