//! The schema of values: names, fractions, concepts, statuses, free JSON.

use super::{named, reference};
use crate::model::{NAME_PATTERN, STATUS_NUMBER_PATTERN, Status};
use serde_json::{Map, Value, json};

pub(super) fn definitions() -> Map<String, Value> {
    let names: Vec<&str> = Status::names().collect();
    let names_of_the_api: Vec<String> = names
        .iter()
        .map(|name| format!("ANNOTATION_{}", name.to_uppercase()))
        .collect();
    named([
        (
            "concepts",
            json!({
                "description": "The annotation's concepts; the list is complete. A list means that each is \
                    present; a map gives each a value: true (1), false (0), or a number from 0 to 1.",
                "anyOf": [
                    { "type": "array", "items": { "$ref": "#/$defs/name" }, "uniqueItems": true },
                    {
                        "type": "object",
                        "propertyNames": { "$ref": "#/$defs/name" },
                        "additionalProperties": { "type": ["boolean", "number"], "minimum": 0, "maximum": 1 },
                    },
                ],
                "examples": [["car"], { "car": true, "tree": false, "bush": 0.5 }],
            }),
        ),
        (
            "status",
            json!({
                "description": "The state of the labelling work: the API's name in lower case, or its number.",
                "anyOf": [
                    { "type": "string", "enum": names },
                    { "type": "string", "enum": names_of_the_api },
                    { "type": "integer", "minimum": 24000, "maximum": 24999 },
                    { "type": "string", "pattern": STATUS_NUMBER_PATTERN },
                ],
            }),
        ),
        (
            "fraction",
            json!({
                "description": "A number from 0 to 1.",
                "type": "number",
                "minimum": 0,
                "maximum": 1,
            }),
        ),
        (
            "name",
            json!({
                "description": "Text that is not empty, has no control characters, and no white space at its ends.",
                "type": "string",
                "pattern": *NAME_PATTERN,
            }),
        ),
        (
            "object",
            json!({
                "description": "Any map without null: the service ignores null, so it can never be set.",
                "type": "object",
                "additionalProperties": { "$ref": "#/$defs/json" },
            }),
        ),
        (
            "json",
            json!({
                "description": "Any value except null.",
                "type": ["string", "number", "boolean", "array", "object"],
                "items": reference("json", "Any value except null."),
                "additionalProperties": reference("json", "Any value except null."),
            }),
        ),
    ])
}
