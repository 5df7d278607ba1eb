//! Pure: which class of service, what it says, and whether it is watched.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::spec;

/// What is done about resctrl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The directory of the class of service.
    pub class: PathBuf,
    /// Whether it was named, so that it may exist already: then it has to say what config.json says.
    pub is_named: bool,
    /// Whether it has to exist, since config.json has nothing to put into a new one.
    pub must_exist: bool,
    /// Lines of `schemata`.
    pub schemata: Vec<String>,
    /// The directory of the monitoring group.
    pub monitor: Option<PathBuf>,
}

/// Directories that go with the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The monitoring group.
    pub monitor: Option<PathBuf>,
    /// The class of service, where it bears the container's name: such a one is never somebody else's.
    pub class: Option<PathBuf>,
    /// The class that the container is in, whoever's it is.
    pub used: Option<PathBuf>,
}

impl Plan {
    /// All groups that the container's processes are in.
    pub fn groups(&self) -> Vec<PathBuf> {
        std::iter::once(&self.class).chain(&self.monitor).cloned().collect()
    }

    /// Reads `linux.intelRdt`; None where config.json has none. `root` is where resctrl is mounted.
    ///
    /// # Errors
    /// Names that are none, schemata of more than a line, a host without resctrl.
    pub fn compile(
        wanted: Option<&spec::IntelRdt>,
        id: &str,
        root: Option<&Path>,
    ) -> Result<Option<Plan>> {
        let Some(wanted) = wanted else { return Ok(None) };
        let name = if wanted.clos_id.is_empty() { id } else { &wanted.clos_id };
        if matches!(name, "." | ".." | "info" | "mon_groups" | "mon_data")
            || name.contains(['/', '\0', '\n']) && name != "/"
        {
            let text = format!("`{}` is no class of service", name.escape_debug());
            return Err(Error::config("/linux/intelRdt/closID", text));
        }
        let schemata = schemata(wanted)?;
        let Some(root) = root else {
            let error = Error::config("/linux/intelRdt", "resctrl is not mounted");
            return Err(error
                .hinted("where the processor has RDT: mount -t resctrl resctrl /sys/fs/resctrl"));
        };
        // The class of everything that is in no other is the root itself.
        let class = root.join(name.trim_start_matches('/'));
        Ok(Some(Plan {
            monitor: wanted.enable_monitoring.then(|| class.join("mon_groups").join(id)),
            is_named: !wanted.clos_id.is_empty(),
            must_exist: !wanted.clos_id.is_empty() && schemata.is_empty(),
            class,
            schemata,
        }))
    }

    /// What is remembered before anything is made. Which groups `delete` may remove shows only when
    /// they are looked for, right before they are made: until then one with the container's name is
    /// somebody else's.
    pub fn record(&self) -> Record {
        Record { used: Some(self.class.clone()), ..Record::default() }
    }
}

/// The lines of `update --l3-cache-schema` and `--mem-bw-schema`.
///
/// # Errors
/// As in config.json.
pub fn changed(caches: Option<&str>, bandwidth: Option<&str>) -> Result<Vec<String>> {
    schemata(&spec::IntelRdt {
        l3_cache_schema: caches.unwrap_or_default().to_owned(),
        mem_bw_schema: bandwidth.unwrap_or_default().to_owned(),
        ..spec::IntelRdt::default()
    })
}

/// All lines in the order in which they are written: the newer member has the last word.
fn schemata(wanted: &spec::IntelRdt) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut add = |pointer: &str, line: &str| {
        let (resource, values) = line.split_once(':').unwrap_or((line, ""));
        if resource.trim().is_empty() || values.is_empty() || line.contains(['\n', '\0']) {
            let text = format!("`{}` is not RESOURCE:ID=VALUE;…", line.escape_debug());
            return Err(Error::config(format!("/linux/intelRdt/{pointer}"), text));
        }
        lines.push(line.to_owned());
        Ok(())
    };
    // The two older members may hold several lines, and what of them is not theirs is left out, as
    // runc does with a bandwidth among the caches.
    for line in wanted.l3_cache_schema.lines().filter(|line| !line.trim_start().starts_with("MB:"))
    {
        add("l3CacheSchema", line)?;
    }
    if !wanted.mem_bw_schema.is_empty() {
        if !wanted.mem_bw_schema.starts_with("MB:") {
            return Err(Error::config("/linux/intelRdt/memBwSchema", "does not begin with `MB:`"));
        }
        add("memBwSchema", &wanted.mem_bw_schema)?;
    }
    for (at, line) in wanted.schemata.iter().enumerate() {
        add(&format!("schemata/{at}"), line)?;
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(text: &str) -> Result<Option<Plan>> {
        let wanted: spec::IntelRdt = spec::parse(text.as_bytes())?;
        Plan::compile(Some(&wanted), "web", Some(Path::new("/r")))
    }

    #[test]
    fn classes_have_a_name_of_their_own_or_the_containers() {
        let plan = compile(r#"{"l3CacheSchema":"L3:0=f\nMB:0=1","memBwSchema":"MB:0=20"}"#);
        let plan = plan.unwrap().unwrap();
        assert_eq!(plan.class, Path::new("/r/web"));
        assert_eq!(plan.schemata, ["L3:0=f", "MB:0=20"]);
        assert!(!plan.must_exist && !plan.is_named);
        let used = Record { used: Some(PathBuf::from("/r/web")), ..Record::default() };
        assert_eq!(plan.record(), used);
        let plan = compile(r#"{"closID":"gold","enableMonitoring":true}"#).unwrap().unwrap();
        assert!(plan.must_exist && plan.is_named);
        assert_eq!(plan.monitor.as_deref(), Some(Path::new("/r/gold/mon_groups/web")));
        assert_eq!(plan.record().class, None);
        let plan = compile(r#"{"closID":"/"}"#).unwrap().unwrap();
        assert_eq!(plan.class, Path::new("/r/"));
        assert_eq!(Plan::compile(None, "web", None).unwrap(), None);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            (r#"{"closID":".."}"#, "/linux/intelRdt/closID: `..` is no class of service"),
            (r#"{"closID":"a/b"}"#, "/linux/intelRdt/closID: `a/b` is no class of service"),
            (r#"{"schemata":["L3"]}"#, "/linux/intelRdt/schemata/0: `L3` is not RESOURCE:"),
            (r#"{"schemata":["L3:0=f","x\ny:1"]}"#, r"/linux/intelRdt/schemata/1: `x\ny:1` is"),
            (r#"{"memBwSchema":"L3:0=f"}"#, "/linux/intelRdt/memBwSchema: does not begin"),
        ] {
            let error = compile(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let error = Plan::compile(Some(&spec::IntelRdt::default()), "web", None).unwrap_err();
        assert_eq!(error.to_string(), "/linux/intelRdt: resctrl is not mounted");
    }
}
