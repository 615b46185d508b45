//! The JSON Schemas of the plan file, the account of an apply and a diff, derived from the types.
//!
//! They describe what this version writes. A later version of the same format may write more fields; a reader ignores
//! unknown ones.

use super::diff::{DIFF_VERSION, Diff};
use super::outcome_document::{OUTCOME_VERSION, OutcomeDocument};
use super::plan::{FORMAT_VERSION, Plan};
use crate::schemas;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

fn schema() -> Value {
    document::<Plan>(
        ("plan", FORMAT_VERSION),
        "annosync plan",
        "What `annosync plan --out FILE` and `--format json` write, and `apply --undo-out FILE`: the writes that make \
         an app equal to a manifest.",
    )
}

fn outcome_schema() -> Value {
    document::<OutcomeDocument>(
        ("outcome", OUTCOME_VERSION),
        "annosync outcome",
        "What `annosync apply --format json` prints: the result of a plan. Every operation, purge and input of the plan \
         is counted in exactly one of `applied`, `already_so`, `stale`, `failed` (or the same for purges and inputs) and \
         `not_attempted`.",
    )
}

fn diff_schema() -> Value {
    document::<Diff>(
        ("diff", DIFF_VERSION),
        "annosync diff",
        "What `annosync diff --format json` prints: the differences of two label sets.",
    )
}

fn document<T: JsonSchema>((name, version): (&str, &str), title: &str, description: &str) -> Value {
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(RecursiveTransform(as_written))
        .into_generator();
    let Value::Object(generated) = generator.into_root_schema_for::<T>().to_value() else {
        unreachable!("the schema of a struct is a map");
    };
    let mut schema = Map::new();
    for (key, value) in [
        ("$schema", generated["$schema"].clone()),
        (
            "$id",
            json!(format!("urn:annosync:schema:{name}:{version}")),
        ),
        ("title", json!(format!("{title}, format {version}"))),
        (
            "description",
            json!(format!(
                "{description} A later version of format {} may write more fields: ignore unknown ones.",
                version.split('.').next().unwrap_or_default()
            )),
        ),
    ] {
        schema.insert(key.to_owned(), value);
    }
    for (key, value) in generated {
        schema.entry(key).or_insert(value);
    }
    schema["properties"]["format_version"]["const"] = json!(version);
    Value::Object(schema)
}

/// Removes what holds for the types but not for what they write: null for fields that are left out instead, sizes of
/// numbers, and line breaks of comments.
fn as_written(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    schema.remove("format");
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
    let required = schema.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| {
        let required = required.as_array().into_iter().flatten();
        required.into_iter().any(|known| known == name)
    };
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (name, property) in properties {
            if let (false, Value::Object(property)) = (is_required(name), property) {
                without_null(property);
            }
        }
    }
}

fn without_null(property: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            property["type"] = only.clone();
        }
    }
    if let Some(Value::Array(choices)) = property.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [Value::Object(only)] = &choices[..] {
            let only = only.clone();
            property.remove("anyOf");
            for (key, value) in only {
                property.entry(key).or_insert(value);
            }
        }
    }
}

#[test]
fn the_committed_schemas_are_up_to_date() {
    schemas::check("plan", schemas::PLAN, &schema());
    schemas::check("outcome", schemas::OUTCOME, &outcome_schema());
    schemas::check("diff", schemas::DIFF, &diff_schema());
}
