//! The JSON Schema of a manifest's files, for editors and for programs that write manifests.
//!
//! One schema for every file; a line of a `.jsonl` file is its `$defs/input`. Its keys, words and limits are those of the
//! readers beside it, and a test holds the two together. It says less than the readers where JSON Schema has no words
//! for it: edges out of order, ids that stand twice, files that are not there, the vocabulary. Uses `model` alone.

mod annotation;
mod header;
mod input;
mod place;
mod value;

use super::header::{HEADER, INPUTS, REQUIRED};
use serde_json::{Map, Value, json};

/// The schema of a manifest's file: JSON Schema, draft 2020-12.
pub fn schema() -> Value {
    let mut properties = header::properties();
    properties.insert(
        INPUTS.to_owned(),
        json!({
            "type": "array",
            "items": { "$ref": "#/$defs/input" },
            "description": "The inputs (images, videos, texts) whose annotations this file declares. They may be spread \
                over any number of files; each input stands once. An input that no file declares is not touched, but \
                for what this set made there.",
        }),
    );
    let required: Vec<&str> = REQUIRED.iter().map(|(key, _)| *key).collect();
    let mut together: Map<String, Value> = HEADER
        .into_iter()
        .map(|key| (key.to_owned(), json!(required)))
        .collect();
    together["target"] = json!([&required[..], &["targets"]].concat());
    let mut definitions = Map::new();
    for of_a_part in [
        input::definitions(),
        annotation::definitions(),
        place::definitions(),
        value::definitions(),
        header::definitions(),
    ] {
        definitions.extend(of_a_part);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:annosync:schema:manifest:1",
        "title": "annosync manifest, version 1",
        "description": "One file of a manifest: the annotations that an app is to hold. The header (everything but \
            `inputs`) stands in exactly one file, by custom annosync.yaml. A line of a .jsonl file is an input: \
            `#/$defs/input`.",
        "type": "object",
        "minProperties": 1,
        "properties": properties,
        "additionalProperties": false,
        "dependentRequired": together,
        "$defs": definitions,
    })
}

/// [`schema`] as text: several lines, the last one ended.
pub fn schema_text() -> String {
    format!("{:#}\n", schema())
}

/// A map with these keys and no other.
fn closed(description: &str, properties: Value) -> Value {
    let mut schema = json!({ "description": description, "type": "object" });
    schema["properties"] = properties;
    schema["additionalProperties"] = Value::Bool(false);
    schema
}

/// The same, with what else is to be said of it.
fn closed_with(description: &str, properties: Value, more: Value) -> Value {
    let mut schema = closed(description, properties);
    if let (Value::Object(schema), Value::Object(more)) = (&mut schema, more) {
        schema.extend(more);
    }
    schema
}

/// One of the schema's own definitions, with what it means where it stands.
fn reference(definition: &str, description: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{definition}"), "description": description })
}

/// A map in which none of these keys stands.
fn without<'k>(keys: impl IntoIterator<Item = &'k str>) -> Value {
    let keys: Map<String, Value> = keys
        .into_iter()
        .map(|key| (key.to_owned(), Value::Bool(false)))
        .collect();
    json!({ "properties": keys })
}

/// A map in which at least one of these keys stands.
fn any_of<'k>(keys: impl IntoIterator<Item = &'k str>) -> Value {
    let keys: Vec<Value> = keys
        .into_iter()
        .map(|key| json!({ "required": [key] }))
        .collect();
    json!({ "anyOf": keys })
}

/// Definitions by name.
fn named<const N: usize>(definitions: [(&str, Value); N]) -> Map<String, Value> {
    definitions
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}
