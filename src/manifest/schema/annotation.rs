//! The schema of an annotation: its fields, and which of them can be combined.

use super::{any_of, closed_with, named, reference, without};
use crate::manifest::annotation::{GEOMETRY, IDENTITY, OF_REGION, REGION};
use serde_json::{Map, Value, json};

pub(super) fn definitions() -> Map<String, Value> {
    named([(
        "annotation",
        closed_with(
            "One annotation. A field that is not given is left as the app has it.",
            fields(),
            json!({
                "anyOf": has_content(),
                "dependentSchemas": exclusions(),
                "examples": [
                    { "concepts": { "tree": true, "water": false } },
                    {
                        "key": "red-car",
                        "box": { "top": 0.1, "left": 0.2, "bottom": 0.5, "right": 0.6 },
                        "concepts": ["car"],
                    },
                ],
            }),
        ),
    )])
}

fn fields() -> Value {
    let nonempty =
        |description: &str| json!({ "description": description, "type": "string", "minLength": 1 });
    json!({
        "key": reference(
            "name",
            "A stable name of your choice, unique within the input. The annotation's id is derived from it, so that \
                it is matched whatever else changes.",
        ),
        "id": reference("name", "The id of an annotation that exists already, to adopt it."),
        "input_level": {
            "description": "The input's own annotation, which the app made with the input. It is patched and never deleted.",
            "const": true,
        },
        "frame": { "$ref": "#/$defs/frame" },
        "segment": { "$ref": "#/$defs/segment" },
        "box": { "$ref": "#/$defs/box" },
        "polygon": { "$ref": "#/$defs/polygon" },
        "point": { "$ref": "#/$defs/point" },
        "keypoints": { "$ref": "#/$defs/keypoints" },
        "mask": { "$ref": "#/$defs/mask" },
        "span": { "$ref": "#/$defs/span" },
        "region": { "$ref": "#/$defs/region" },
        "track": nonempty("The track of a video that the region belongs to. Needs a region."),
        "region_value": reference(
            "fraction",
            "The region's own value, 0 to 1: the confidence that it is one. Needs a region.",
        ),
        "concepts": { "$ref": "#/$defs/concepts" },
        "text": nonempty("The text in the region; without one, in the frame or segment, else in the whole input."),
        "embed_model_version": nonempty(
            "The version of the embedding model that ties the annotation to training and search. Changing it takes \
                a delete and a post.",
        ),
        "status": { "$ref": "#/$defs/status" },
        "user": reference(
            "name",
            "The user to whom the annotation belongs. Only the app's owner may name a different user than themselves. \
                Changing it takes a delete and a post.",
        ),
        "metadata": reference("object", "Any map, stored in `data.metadata`. It is managed key by key."),
        "ignore": reference("ignore", "Rules of the linter that do not apply to the annotation."),
        "info": reference("object", "Any map, stored in `annotation_info`. It is managed key by key."),
    })
}

/// Alternatives of which an annotation needs one to be matched and not be empty.
fn has_content() -> Value {
    let alone = GEOMETRY.iter().chain(&["concepts", "text"]);
    let alone = alone.chain(&["id", "input_level"]).copied();
    let Value::Object(mut any) = any_of(alone) else {
        return Value::Null;
    };
    let mut any = any["anyOf"].take();
    if let Value::Array(any) = &mut any {
        // `ignore` is not content.
        any.push(json!({
            "required": ["key"],
            "minProperties": 2,
            "if": { "required": ["ignore"] },
            "then": { "minProperties": 3 },
        }));
    }
    any
}

/// Which fields exclude or need others: an annotation has one identity and one geometry.
fn exclusions() -> Value {
    let mut exclusions = Map::new();
    let identity = &IDENTITY[..2];
    let of_the_whole = identity.iter().chain(&["frame"]);
    let of_the_whole = of_the_whole.chain(&GEOMETRY).chain(&OF_REGION).copied();
    exclusions.insert("input_level".to_owned(), without(of_the_whole));
    exclusions.insert("key".to_owned(), without(["id"]));
    for key in GEOMETRY {
        let others = GEOMETRY.into_iter().filter(|other| *other != key);
        let timed = ["segment", "span"].contains(&key).then_some("frame");
        exclusions.insert(key.to_owned(), without(others.chain(timed)));
    }
    for key in OF_REGION {
        exclusions.insert(key.to_owned(), any_of(REGION.iter().copied()));
    }
    Value::Object(exclusions)
}
