//! `features`: what this runtime can do, as features.md of the runtime-spec has it.

use serde_json::{Value, json};

use super::Call;
use crate::error::{Error, Result};
use crate::plan::OCI_VERSION;
use crate::security::seccomp;

/// Prints it. So far its seccomp part: a member that is missing says nothing.
pub(super) fn features(call: &mut Call<'_>) -> Result<i32> {
    let features = json!({
        "ociVersionMin": "1.0.0",
        "ociVersionMax": OCI_VERSION,
        "linux": { "seccomp": of_seccomp(seccomp::is_flag_supported) },
    });
    let text = serde_json::to_string_pretty(&features)
        .map_err(|error| Error::internal(format!("write the features: {error}")))?;
    call.say(&format!("{text}\n"))?;
    Ok(0)
}

/// From the tables by which profiles are read; `is_supported` asks the kernel.
fn of_seccomp(is_supported: impl Fn(u32) -> bool) -> Value {
    let names =
        |known: &[(&'static str, u32)]| known.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let supported: Vec<_> =
        seccomp::FLAGS.iter().filter(|(_, flag)| is_supported(*flag)).copied().collect();
    let operators: Vec<_> = seccomp::OPERATORS.iter().map(|(name, _)| *name).collect();
    let architectures: Vec<_> =
        seccomp::ARCHITECTURES.iter().map(seccomp::Architecture::name).collect();
    json!({
        "enabled": true,
        "actions": names(seccomp::ACTIONS),
        "operators": operators,
        "archs": architectures,
        "knownFlags": names(seccomp::FLAGS),
        "supportedFlags": names(&supported),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the specification, whose order is of no account.
    fn words(of: &str) -> Vec<String> {
        let path = format!("{}/tests/fixtures/spec/defs-linux.json", env!("CARGO_MANIFEST_DIR"));
        let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        sorted(&schema["definitions"][of]["enum"])
    }

    fn sorted(list: &Value) -> Vec<String> {
        let words = list.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned());
        let mut words: Vec<_> = words.collect();
        words.sort();
        words
    }

    #[test]
    fn seccomp_is_all_that_the_specification_has() {
        let features = of_seccomp(|flag| flag == 2);
        for (member, definition) in [
            ("actions", "SeccompAction"),
            ("operators", "SeccompOperators"),
            ("archs", "SeccompArch"),
            ("knownFlags", "SeccompFlag"),
        ] {
            assert_eq!(sorted(&features[member]), words(definition), "{member}");
        }
        assert_eq!(features["supportedFlags"], json!(["SECCOMP_FILTER_FLAG_LOG"]));
    }
}
