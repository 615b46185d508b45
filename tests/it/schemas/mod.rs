//! The committed JSON Schemas, and checks of values against them.
//!
//! Every plan that any test makes, and every manifest that a test's builder reads, goes through [`SchemaCheck::accepts`]. The
//! schemas of what is written are closed here: a field that they do not name is a failure.

mod manifest;
mod mistakes;
mod outputs;

use annosync::schemas;
use jsonschema::Validator;
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// A schema, to check values against.
pub(crate) struct SchemaCheck(Validator);

/// See [`schemas::MANIFEST`].
pub(crate) static MANIFEST: LazyLock<SchemaCheck> =
    LazyLock::new(|| SchemaCheck::to(&parsed(schemas::MANIFEST)));
/// See [`schemas::PLAN`].
pub(crate) static PLAN: LazyLock<SchemaCheck> =
    LazyLock::new(|| SchemaCheck::to(&closed(parsed(schemas::PLAN))));
/// See [`schemas::LISTING`].
pub(crate) static LISTING: LazyLock<SchemaCheck> =
    LazyLock::new(|| SchemaCheck::to(&closed(parsed(schemas::LISTING))));
/// See [`schemas::DIFF`].
pub(crate) static DIFF: LazyLock<SchemaCheck> =
    LazyLock::new(|| SchemaCheck::to(&closed(parsed(schemas::DIFF))));
/// See [`schemas::OUTCOME`].
pub(crate) static OUTCOME: LazyLock<SchemaCheck> =
    LazyLock::new(|| SchemaCheck::to(&closed(parsed(schemas::OUTCOME))));

impl SchemaCheck {
    pub(crate) fn to(schema: &Value) -> Self {
        Self(jsonschema::draft202012::new(schema).unwrap())
    }

    /// The errors of a value, one per line; empty if it is valid.
    fn refuses(&self, value: &Value) -> Option<String> {
        let lines: Vec<String> = self
            .0
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Checks a serialized value against the schema.
    #[track_caller]
    pub(crate) fn accepts(&self, written: &impl Serialize) {
        let value = serde_json::to_value(written).unwrap();
        if let Some(wrong) = self.refuses(&value) {
            panic!("{wrong}\n{value:#}");
        }
    }

    /// Checks a YAML text against the schema.
    #[track_caller]
    pub(crate) fn accepts_yaml(&self, text: &str) {
        self.accepts(&yaml(text));
    }
}

pub(crate) fn parsed(schema: &str) -> Value {
    serde_json::from_str(schema).unwrap()
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The schema of one input, for a line of JSON Lines.
fn of_an_input() -> SchemaCheck {
    let mut schema = parsed(schemas::MANIFEST);
    let definitions = schema["$defs"].take();
    SchemaCheck::to(&serde_json::json!({ "$ref": "#/$defs/input", "$defs": definitions }))
}

/// The schema with unknown fields forbidden.
fn closed(mut schema: Value) -> Value {
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
                fields.insert("additionalProperties".to_owned(), false.into());
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(elements) => elements.iter_mut().for_each(close),
        _ => {}
    }
}

/// Every schema by its name.
fn all() -> [(&'static str, Value); 7] {
    [
        ("manifest", parsed(schemas::MANIFEST)),
        ("plan", parsed(schemas::PLAN)),
        ("listing", parsed(schemas::LISTING)),
        ("outcome", parsed(schemas::OUTCOME)),
        ("diff", parsed(schemas::DIFF)),
        ("findings", parsed(schemas::FINDINGS)),
        ("stats", parsed(schemas::STATS)),
    ]
}

#[test]
fn each_schema_is_valid_and_has_a_title_and_descriptions() {
    for (name, schema) in all() {
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        let id = schema["$id"].as_str().unwrap();
        assert!(
            id.starts_with(&format!("urn:annosync:schema:{name}:")),
            "{id}"
        );
        assert!(schema["title"].is_string());
        let text = schema.to_string();
        assert_eq!(annosync::render::escape(&text), text, "{name}");
        // Rust comments that do not belong in a schema.
        assert!(!text.contains("[`") && !text.contains("Self::"), "{name}");
        every_property(&schema, "#", &mut |at, property| {
            let says = |key| property.get(key).is_some();
            let says_enough = ["description", "$ref", "const"].into_iter().any(says);
            assert!(says_enough || property.is_boolean(), "{name} {at}");
        });
    }
}

fn every_property(schema: &Value, at: &str, check: &mut impl FnMut(&str, &Value)) {
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            check(&format!("{at}/{name}"), property);
        }
    }
    match schema {
        Value::Object(fields) => each(fields, at, check),
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| every_property(element, at, check)),
        _ => {}
    }
}

fn each(fields: &Map<String, Value>, at: &str, check: &mut impl FnMut(&str, &Value)) {
    for (name, value) in fields.iter().filter(|(name, _)| *name != "examples") {
        every_property(value, &format!("{at}/{name}"), check);
    }
}
