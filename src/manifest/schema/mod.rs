//! The JSON Schema of a manifest's files, for editors and for programs that write manifests.
//!
//! One schema for every file; a line of a `.jsonl` file is its `$defs/input`. A test ensures that it agrees with the
//! readers. It does not cover what JSON Schema cannot express: edges out of order, duplicate ids, missing files, the
//! vocabulary.

mod annotation;
mod header;
mod input;
mod place;
mod value;

use super::header::{HEADER, INPUTS, REQUIRED};
use serde_json::{Map, Value, json};

/// The schema of a manifest's file: JSON Schema, draft 2020-12.
fn schema() -> Value {
    let mut properties = header::properties();
    properties.insert(
        INPUTS.to_owned(),
        json!({
            "type": "array",
            "items": { "$ref": "#/$defs/input" },
            "description": "The inputs (images, videos, texts) of this file, with their annotations. They may be \
                spread over any number of files; each input is declared once. On an input that no file declares, only \
                annotations that this set made are touched.",
        }),
    );
    let required: Vec<&str> = REQUIRED.iter().map(|(key, _)| *key).collect();
    let mut dependencies: Map<String, Value> = HEADER
        .into_iter()
        .map(|key| (key.to_owned(), json!(required)))
        .collect();
    dependencies["target"] = json!([&required[..], &["targets"]].concat());
    let mut definitions = Map::new();
    for part in [
        input::definitions(),
        annotation::definitions(),
        place::definitions(),
        value::definitions(),
        header::definitions(),
    ] {
        definitions.extend(part);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:annosync:schema:manifest:1",
        "title": "annosync manifest, version 1",
        "description": "One file of a manifest: the annotations that an app should have. The header (all keys except \
            `inputs`) is in exactly one file, usually annosync.yaml. A line of a .jsonl file is an input: \
            `#/$defs/input`.",
        "type": "object",
        "minProperties": 1,
        "properties": properties,
        "additionalProperties": false,
        "dependentRequired": dependencies,
        "$defs": definitions,
    })
}

/// A map with only these keys.
fn closed(description: &str, properties: Value) -> Value {
    let mut schema = json!({ "description": description, "type": "object" });
    schema["properties"] = properties;
    schema["additionalProperties"] = Value::Bool(false);
    schema
}

/// [`closed`] with further keywords.
fn closed_with(description: &str, properties: Value, more: Value) -> Value {
    let mut schema = closed(description, properties);
    if let (Value::Object(schema), Value::Object(more)) = (&mut schema, more) {
        schema.extend(more);
    }
    schema
}

/// A reference to a definition, with its own description.
fn reference(definition: &str, description: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{definition}"), "description": description })
}

/// A map with none of these keys.
fn without<'k>(keys: impl IntoIterator<Item = &'k str>) -> Value {
    let keys: Map<String, Value> = keys
        .into_iter()
        .map(|key| (key.to_owned(), Value::Bool(false)))
        .collect();
    json!({ "properties": keys })
}

/// A map with at least one of these keys.
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

#[test]
fn the_committed_schema_is_up_to_date() {
    crate::schemas::check("manifest", crate::schemas::MANIFEST, &schema());
}
