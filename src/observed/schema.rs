//! The JSON Schema of a saved listing.
//!
//! Its head is ours and closed; its annotations are the service's, as far as annosync reads them, and a service may say
//! more.

use super::saved::FORMAT_VERSION;
use crate::model::NAME_PATTERN;
use serde_json::{Value, json};

/// The schema of a saved listing: JSON Schema, draft 2020-12.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:annosync:schema:listing:{FORMAT_VERSION}"),
        "title": format!("annosync listing, format {FORMAT_VERSION}"),
        "description": "What `annosync list --format json` writes and `plan --observed FILE` reads: a listing that was \
            proved complete when it was made.",
        "type": "object",
        "properties": {
            "format_version": {
                "description": format!("The version of this format: {FORMAT_VERSION}."),
                "type": "string",
                "const": FORMAT_VERSION,
            },
            "caller": name("The user whose token made the listing."),
            "app_owner": name("The user who owns the app."),
            "scope": {
                "description": "What the listing saw. A plan is made of whole_app and of inputs alone.",
                "oneOf": [
                    { "description": "All of the app.", "const": "whole_app" },
                    {
                        "description": "A part that was chosen by more than inputs.",
                        "const": "filtered",
                    },
                    {
                        "description": "These inputs alone.",
                        "type": "object",
                        "properties": {
                            "inputs": {
                                "description": "Their ids.",
                                "type": "array",
                                "items": name("The id of an input."),
                                "uniqueItems": true,
                            },
                        },
                        "required": ["inputs"],
                        "additionalProperties": false,
                    },
                ],
            },
            "annotations": {
                "description": "The annotations as the service sent them, in the order of the listing.",
                "type": "array",
                "items": { "$ref": "#/$defs/annotation" },
            },
        },
        "required": ["format_version", "caller", "app_owner", "scope", "annotations"],
        "additionalProperties": false,
        "$defs": { "annotation": annotation() },
    })
}

fn annotation() -> Value {
    json!({
        "description": "An annotation in the API's form. A field that has its default is left out.",
        "type": "object",
        "properties": {
            "id": name("Its id; unique within the input."),
            "input_id": name("Its input."),
            "data": {
                "description": "What it says: concepts, regions, frames, time segments, text, metadata.",
                "type": "object",
            },
            "status": {
                "description": "The state of the labelling work.",
                "type": "object",
                "properties": {
                    "code": {
                        "description": "Its number, such as 24150 (success) and 24151 (pending).",
                        "type": "integer",
                        "minimum": 0,
                    },
                    "description": text("One line for people."),
                    "details": text("More of it."),
                    "req_id": text("The id of a request."),
                },
                "required": ["code"],
            },
            "user_id": text("Whose it is. The service prefers `worker`, and writes both."),
            "model_version_id": text("The version of the model that made it. The service prefers `worker`."),
            "embed_model_version_id": text("The version of the embedding model."),
            "annotation_info": { "description": "Any map.", "type": "object" },
            "consensus_info": { "description": "What reviewers agreed on; only the service writes it.", "type": "object" },
            "task_id": text("The labelling task that it belongs to."),
            "trusted": { "description": "Whether the service trusts it.", "type": "boolean" },
            "input_level": {
                "description": "Whether it is the annotation that the app made with the input.",
                "type": "boolean",
            },
            "worker": {
                "description": "Who made it: a user, a model, or a workflow.",
                "type": "object",
                "properties": {
                    "user": {
                        "description": "A user.",
                        "type": "object",
                        "properties": { "id": text("Their id.") },
                        "required": ["id"],
                    },
                    "model": { "description": "A model, as the service describes it.", "type": "object" },
                    "workflow": { "description": "A workflow, as the service describes it.", "type": "object" },
                },
            },
            "created_at": text("When it was made: RFC 3339."),
            "modified_at": text("When it was last written: RFC 3339."),
        },
        "required": ["id", "input_id"],
    })
}

fn name(description: &str) -> Value {
    json!({ "description": description, "type": "string", "pattern": *NAME_PATTERN })
}

fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::code::Code;
    use crate::api::wire::{Annotation, Status, Worker, WorkerUser};
    use serde_json::value::RawValue;

    fn keys(map: &Value) -> Vec<&str> {
        let mut keys: Vec<&str> = map
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn the_schema_has_every_field_that_is_written_and_no_other() {
        let text = || "x".to_owned();
        let raw = || RawValue::from_string("{}".to_owned()).ok();
        // Without `..`: a new field has to be named here.
        let annotation = serde_json::to_value(Annotation {
            id: text(),
            input_id: text(),
            data: raw(),
            status: Some(Status {
                code: Code(24150),
                description: text(),
                details: text(),
                req_id: text(),
            }),
            user_id: text(),
            model_version_id: text(),
            embed_model_version_id: text(),
            annotation_info: raw(),
            consensus_info: raw(),
            task_id: text(),
            trusted: true,
            input_level: true,
            worker: Some(Worker {
                user: Some(WorkerUser { id: text() }),
                model: raw(),
                workflow: raw(),
            }),
            created_at: Some(text()),
            modified_at: Some(text()),
            broken: None,
        })
        .unwrap();
        let schema = schema();
        let declared = &schema["$defs"]["annotation"]["properties"];
        assert_eq!(keys(&annotation), keys(declared));
        for part in ["status", "worker"] {
            assert_eq!(keys(&annotation[part]), keys(&declared[part]["properties"]));
        }
        let listing = json!({
            "format_version": "1.0", "caller": "a", "app_owner": "b", "scope": "whole_app", "annotations": [annotation],
        });
        assert!(jsonschema::is_valid(&schema, &listing));
        assert_eq!(keys(&listing), keys(&schema["properties"]));
    }
}
