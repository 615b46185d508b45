//! An annotation's part of the schema: its fields, and which of them go together.

use super::{any_of, closed_with, named, reference, without};
use crate::manifest::annotation::{GEOMETRY, IDENTITY, OF_REGION, REGION};
use serde_json::{Map, Value, json};

/// An annotation.
pub(super) fn definitions() -> Map<String, Value> {
    named([(
        "annotation",
        closed_with(
            "One annotation. A field that is not given is left as the app has it.",
            fields(),
            json!({
                "anyOf": enough(),
                "dependentSchemas": company(),
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
    let filled =
        |description: &str| json!({ "description": description, "type": "string", "minLength": 1 });
    json!({
        "key": reference(
            "name",
            "A stable name of your choice, unique within the input: the annotation's id is made of it, so that it is \
                found again whatever changes.",
        ),
        "id": reference("name", "The id of an annotation that exists already, to adopt it."),
        "input_level": {
            "description": "This is the input's own annotation, which the app made with the input. It is patched, and \
                never deleted.",
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
        "track": filled("The track of a video that the region belongs to. Needs a region."),
        "region_value": reference(
            "fraction",
            "The region's own value, 0 to 1: how sure its maker was that it is one. Needs a region.",
        ),
        "concepts": { "$ref": "#/$defs/concepts" },
        "text": filled("What is written there: in the region, else in the frame or segment, else in the whole input."),
        "embed_model_version": filled(
            "The version of the embedding model that ties the annotation to training and search. A change of it is a \
                delete and a post.",
        ),
        "status": { "$ref": "#/$defs/status" },
        "user": reference(
            "name",
            "Whose annotation it is. Only the app's owner may name somebody else. A change of it is a delete and a post.",
        ),
        "metadata": reference("object", "Any map, stored in `data.metadata`. It is managed key by key."),
        "info": reference("object", "Any map, stored in `annotation_info`. It is managed key by key."),
    })
}

/// What makes an annotation one that can be found again and has something in it.
fn enough() -> Value {
    let alone = GEOMETRY.iter().chain(&["concepts", "text"]);
    let alone = alone.chain(&["id", "input_level"]).copied();
    let Value::Object(mut any) = any_of(alone) else {
        return Value::Null;
    };
    let mut any = any["anyOf"].take();
    if let Value::Array(any) = &mut any {
        any.push(json!({ "required": ["key"], "minProperties": 2 }));
    }
    any
}

/// Which fields exclude or need which: an annotation has one identity and lies in one place.
fn company() -> Value {
    let mut company = Map::new();
    let identity = &IDENTITY[..2];
    let of_the_whole = identity.iter().chain(&["frame"]);
    let of_the_whole = of_the_whole.chain(&GEOMETRY).chain(&OF_REGION).copied();
    company.insert("input_level".to_owned(), without(of_the_whole));
    company.insert("key".to_owned(), without(["id"]));
    for key in GEOMETRY {
        let others = GEOMETRY.into_iter().filter(|other| *other != key);
        let timed = ["segment", "span"].contains(&key).then_some("frame");
        company.insert(key.to_owned(), without(others.chain(timed)));
    }
    for key in OF_REGION {
        company.insert(key.to_owned(), any_of(REGION.iter().copied()));
    }
    Value::Object(company)
}
