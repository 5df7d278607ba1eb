//! Pure: `linux.mountLabel`, the SELinux context of every file system that is made for the container.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::spec::{Config, escape_pointer};

/// What chooses the sort of context, as crun has it.
pub(super) const TYPE: &str = "run.oci.mount_context_type";

/// The sorts (mount(8), "context=").
const TYPES: [&str; 4] = ["context", "fscontext", "defcontext", "rootcontext"];

/// A label and how it is told to a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rootfs) struct Label {
    /// `context` or one of its kin.
    pub key: &'static str,
    /// The SELinux context.
    pub value: String,
}

impl Label {
    /// Reads the label; None where config.json has none.
    pub(super) fn compile(config: &Config) -> Result<Option<Label>> {
        let key = key(&config.annotations)?;
        let value = &config.linux.mount_label;
        if value.contains(['\0', '"', '\n']) {
            return Err(Error::config("/linux/mountLabel", "is no SELinux context"));
        }
        Ok((!value.is_empty()).then(|| Label { key, value: value.clone() }))
    }

    /// A file system of this type with these parameters gets the label as one more. Not those whose
    /// files the kernel labels by itself, nor where the options say something else already.
    pub(super) fn add_to(&self, fstype: &str, data: &mut Vec<String>) {
        let unlabelled = matches!(fstype, "proc" | "sysfs" | "mqueue" | "cgroup" | "cgroup2");
        let has = |word: &String| {
            TYPES.iter().any(|key| word.strip_prefix(key).is_some_and(|rest| rest.starts_with('=')))
        };
        if !unlabelled && !data.iter().any(has) {
            data.push(self.parameter());
        }
    }

    /// As mount(2) takes it: a context may have commas.
    pub(in crate::rootfs) fn parameter(&self) -> String {
        format!("{}=\"{}\"", self.key, self.value)
    }
}

fn key(annotations: &BTreeMap<String, String>) -> Result<&'static str> {
    let Some(word) = annotations.get(TYPE) else { return Ok(TYPES[0]) };
    let known = TYPES.iter().find(|known| *known == word);
    known.copied().ok_or_else(|| {
        let pointer = format!("/annotations/{}", escape_pointer(TYPE));
        Error::config(pointer, format!("`{word}` is none of `{}`", TYPES.join("`, `")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(text: &str) -> Result<Option<Label>> {
        Label::compile(&crate::spec::parse(text.as_bytes())?)
    }

    #[test]
    fn file_systems_of_the_container_get_the_label() {
        let label = compile(r#"{"linux":{"mountLabel":"u:r:t:s0:c1,c2"}}"#).unwrap().unwrap();
        let with = |fstype: &str, data: &[&str]| {
            let mut data: Vec<_> = data.iter().map(|word| (*word).to_owned()).collect();
            label.add_to(fstype, &mut data);
            data
        };
        assert_eq!(with("tmpfs", &["size=1"]), ["size=1", r#"context="u:r:t:s0:c1,c2""#]);
        assert_eq!(with("tmpfs", &["fscontext=a"]), ["fscontext=a"]);
        for fstype in ["proc", "sysfs", "mqueue", "cgroup", "cgroup2"] {
            assert!(with(fstype, &[]).is_empty(), "{fstype}");
        }
        let text = r#"{"annotations":{"run.oci.mount_context_type":"rootcontext"},
            "linux":{"mountLabel":"x"}}"#;
        assert_eq!(compile(text).unwrap().unwrap().parameter(), r#"rootcontext="x""#);
        assert_eq!(compile("{}").unwrap(), None);
    }

    #[test]
    fn mistakes_are_named() {
        let text = r#"{"annotations":{"run.oci.mount_context_type":"x"}}"#;
        let error = compile(text).unwrap_err().to_string();
        assert!(
            error.starts_with("/annotations/run.oci.mount_context_type: `x` is none"),
            "{error}"
        );
        let error = compile(r#"{"linux":{"mountLabel":"a\"b"}}"#).unwrap_err().to_string();
        assert_eq!(error, "/linux/mountLabel: is no SELinux context");
    }
}
