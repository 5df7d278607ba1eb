//! docs/spec.md: its table has every property of the schema, and each of the tests that it names exists.

#![allow(clippy::unwrap_used, clippy::panic)] // a test that panics has failed, as it should

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

/// Other systems than Linux, whose schemas are not here.
const FOREIGN: [&str; 5] = ["solaris", "windows", "vm", "zos", "freebsd"];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The schemas, each read once.
#[derive(Default)]
struct Schemas {
    documents: BTreeMap<String, Value>,
    properties: BTreeSet<String>,
}

impl Schemas {
    /// What `reference` means in the document `current`, and in which document that is.
    fn resolve(&mut self, reference: &str, current: &str) -> (Value, String) {
        let (file, pointer) = reference.split_once('#').unwrap();
        let file = if file.is_empty() { current } else { file };
        let document = self.documents.entry(file.to_owned()).or_insert_with(|| {
            serde_json::from_str(&read(&format!("tests/fixtures/spec/{file}"))).unwrap()
        });
        (document.pointer(pointer).unwrap().clone(), file.to_owned())
    }

    fn walk(&mut self, schema: &Value, file: &str, path: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            let (target, file) = self.resolve(reference, file);
            self.walk(&target, &file, path);
        }
        for several in ["allOf", "anyOf", "oneOf"] {
            for one in schema[several].as_array().into_iter().flatten() {
                self.walk(one, file, path);
            }
        }
        for (name, below) in schema["properties"].as_object().into_iter().flatten() {
            if path.is_empty() && FOREIGN.contains(&name.as_str()) {
                continue;
            }
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.properties.insert(path.clone());
            self.walk(below, file, &path);
        }
        for (member, step) in [("items", "[]"), ("additionalProperties", "{}")] {
            if schema[member].is_object() {
                self.walk(&schema[member].clone(), file, &format!("{path}{step}"));
            }
        }
        for below in schema["patternProperties"].as_object().into_iter().flat_map(|it| it.values())
        {
            self.walk(below, file, &format!("{path}{{}}"));
        }
    }
}

/// The rows below `## Properties`: property and the rest.
fn rows(text: &str) -> Vec<(String, String)> {
    let (_, table) = text.split_once("\n## Properties\n").unwrap();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.strip_suffix(" |")?.splitn(2, "` | ");
        Some((cells.next()?.to_owned(), cells.next()?.to_owned()))
    };
    table.lines().filter_map(row).collect()
}

#[test]
fn the_table_has_every_property_of_the_schema() {
    let mut schemas = Schemas::default();
    let (top, file) = schemas.resolve("config-schema.json#", "");
    schemas.walk(&top, &file, "");
    assert!(schemas.properties.len() > 200);
    let rows = rows(&read("docs/spec.md"));
    let named: BTreeSet<_> = rows.iter().map(|(property, _)| property.clone()).collect();
    assert_eq!(named.len(), rows.len(), "a property has two rows");
    let missing: Vec<_> = schemas.properties.difference(&named).collect();
    let invented: Vec<_> = named.difference(&schemas.properties).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "no row: {missing:?}; too many: {invented:?}"
    );
}

#[test]
fn the_tests_that_it_names_exist() {
    let mut texts = BTreeMap::new();
    for (property, cell) in rows(&read("docs/spec.md")) {
        if cell == "– (other systems)" {
            assert!(["process.commandLine", "process.user.username"].contains(&property.as_str()));
            continue;
        }
        let (file, name) =
            cell.strip_prefix('`').and_then(|cell| cell.split_once("`: ")).unwrap_or_else(|| {
                panic!("{property}: `{cell}` names no test");
            });
        let text = texts.entry(file.to_owned()).or_insert_with(|| read(file));
        let exists =
            text.contains(&format!("fn {name}()")) || text.contains(&format!("@test \"{name}\""));
        assert!(exists, "{property}: no test `{name}` in {file}");
    }
}
