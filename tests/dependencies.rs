//! What rrun is made of: licences, sources and duplicates of its dependencies, by `cargo metadata`.
//! Known vulnerabilities are cargo-deny's to check, where it and its database can be had.

#![allow(clippy::unwrap_used, clippy::panic)] // a test that panics has failed, as it should

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Licences that fit Apache-2.0. An expression is fine if one of its alternatives is.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "0BSD",
    "Unicode-3.0",
    "Apache-2.0 WITH LLVM-exception",
];

/// The most crates that a release may be made of. Each beyond it is a decision for the changelog.
const MOST: usize = 45;

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform"])
        .arg("x86_64-unknown-linux-gnu")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn is_fine(expression: &str) -> bool {
    let expression = expression.replace(['(', ')'], "").replace('/', " OR ");
    expression.split(" OR ").any(|alternative| {
        LICENCES.contains(&alternative.trim())
            || alternative.split(" AND ").all(|part| LICENCES.contains(&part.trim()))
    })
}

#[test]
fn licences_and_sources() {
    for package in metadata()["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(is_fine(licence), "{name}: licence `{licence}`");
        if name != "rrun" {
            let source = package["source"].as_str().unwrap_or("a local path");
            assert!(source.starts_with("registry+"), "{name}: comes from {source}");
        }
    }
}

/// The crates that end up in the binary or help to build it, by name.
#[test]
fn no_crate_twice_and_not_too_many() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--edges", "normal,build", "--prefix", "none"])
        .args(["--target", "x86_64-unknown-linux-gnu", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            let known = versions.entry(name.to_owned()).or_default();
            if !known.contains(&version.to_owned()) {
                known.push(version.to_owned());
            }
        }
    }
    for (name, known) in &versions {
        assert_eq!(known.len(), 1, "{name} in versions {known:?}");
    }
    assert!(versions.len() <= MOST, "{} crates: {:?}", versions.len(), versions.keys());
}
