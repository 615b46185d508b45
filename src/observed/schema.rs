//! The JSON Schema of a saved listing.
//!
//! The header allows no other fields. Annotations are those of the service, which may have fields that annosync does not
//! read.

use super::saved::FORMAT_VERSION;
use crate::model::NAME_PATTERN;
use serde_json::{Value, json};

/// JSON Schema, draft 2020-12.
fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:annosync:schema:listing:{FORMAT_VERSION}"),
        "title": format!("annosync listing, format {FORMAT_VERSION}"),
        "description": "The output of `annosync list --format json` and input of `plan --observed FILE`: a listing that was \
            proved complete when it was made.",
        "type": "object",
        "properties": {
            "format_version": {
                "description": format!("The version of this format: {FORMAT_VERSION}."),
                "type": "string",
                "const": FORMAT_VERSION,
            },
            "caller": name("The user who made the listing."),
            "app_owner": name("The user who owns the app."),
            "scope": {
                "description": "The scope of the listing. A plan can be made from whole_app and from inputs.",
                "oneOf": [
                    { "description": "The whole app.", "const": "whole_app" },
                    {
                        "description": "A part that was selected by filters other than inputs.",
                        "const": "filtered",
                    },
                    {
                        "description": "Only these inputs.",
                        "type": "object",
                        "properties": {
                            "inputs": {
                                "description": "Ids of inputs.",
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
        "description": "An annotation as in the API. Fields with default values are omitted.",
        "type": "object",
        "properties": {
            "id": name("The id, unique within the input."),
            "input_id": name("The id of the input."),
            "data": {
                "description": "The content: concepts, regions, frames, time segments, text, metadata.",
                "type": "object",
            },
            "status": {
                "description": "The status of the annotation.",
                "type": "object",
                "properties": {
                    "code": {
                        "description": "The number, such as 24150 (success) and 24151 (pending).",
                        "type": "integer",
                        "minimum": 0,
                    },
                    "description": text("A message."),
                    "details": text("Details of the message."),
                    "req_id": text("The id of a request."),
                },
                "required": ["code"],
            },
            "user_id": text("The user that it belongs to. Deprecated in favour of `worker`, but the service writes both."),
            "model_version_id": text("The version of the model that created it. Deprecated in favour of `worker`."),
            "embed_model_version_id": text("The version of the embedding model."),
            "annotation_info": { "description": "Any object.", "type": "object" },
            "consensus_info": { "description": "The result of a review by several users; only the service sets it.", "type": "object" },
            "task_id": text("The id of the labelling task."),
            "trusted": { "description": "Whether the service trusts the annotation.", "type": "boolean" },
            "input_level": {
                "description": "Whether the app created the annotation with the input.",
                "type": "boolean",
            },
            "worker": {
                "description": "The creator: a user, a model, or a workflow.",
                "type": "object",
                "properties": {
                    "user": {
                        "description": "A user.",
                        "type": "object",
                        "properties": { "id": text("The user id.") },
                        "required": ["id"],
                    },
                    "model": { "description": "A model, as the service describes it.", "type": "object" },
                    "workflow": { "description": "A workflow, as the service describes it.", "type": "object" },
                },
            },
            "created_at": text("The time of creation: RFC 3339."),
            "modified_at": text("The time of the last change: RFC 3339."),
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
    use crate::wire::Code;
    use crate::wire::{Annotation, Status, Worker, WorkerUser};
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
    fn the_committed_schema_is_up_to_date() {
        crate::schemas::check("listing", crate::schemas::LISTING, &schema());
    }

    #[test]
    fn the_schema_has_exactly_the_written_fields() {
        let text = || "x".to_owned();
        let raw = || RawValue::from_string("{}".to_owned()).ok();
        // Without `..`, so that new fields must be added here.
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
