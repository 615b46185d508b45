//! The schema of geometries and times.

use super::{closed_with, named, reference};
use crate::model::Visibility;
use serde_json::{Map, Value, json};

pub(super) fn definitions() -> Map<String, Value> {
    let mut all = shapes();
    all.extend(named([
        (
            "mask",
            closed_with(
                "A mask: a PNG image of the input's shape in which the annotated pixels are not black. It is compared by \
                    its pixels.",
                json!({
                    "path": {
                        "description": "A file; a path relative to this file's folder, inside the manifest's folder.",
                        "type": "string",
                        "minLength": 1,
                        "examples": ["masks/road.png"],
                    },
                    "url": {
                        "description": "Where the service fetches it.",
                        "type": "string",
                        "pattern": "^https?://",
                    },
                }),
                json!({ "minProperties": 1, "maxProperties": 1 }),
            ),
        ),
        (
            "span",
            closed_with(
                "A part of a text input, in characters. `start` may not be after `end`.",
                json!({
                    "start": count32("The first character, counted from 0."),
                    "end": count32("One after the last character."),
                    "text": {
                        "description": "The text of these characters. If the input's `text` is given, it is filled in \
                            and checked.",
                        "type": "string",
                    },
                }),
                json!({ "required": ["start", "end"], "examples": [{ "start": 4, "end": 10, "text": "Geneva" }] }),
            ),
        ),
        ("segment", segment()),
        (
            "frame",
            closed_with(
                "A moment of a video: its time, its number, or both. It has at most one region.",
                json!({
                    "time_ms": {
                        "description": "Milliseconds from the start.",
                        "type": "integer",
                        "minimum": 0,
                        "default": 0,
                    },
                    "number": {
                        "description": "The number of the frame, counted from 0.",
                        "type": "integer",
                        "minimum": 0,
                        "maximum": u32::MAX,
                        "default": 0,
                    },
                }),
                json!({ "minProperties": 1, "examples": [{ "time_ms": 1500, "number": 45 }] }),
            ),
        ),
        ("region", region()),
    ]));
    all
}

fn shapes() -> Map<String, Value> {
    let names = Visibility::ALL.map(|(_, name)| name);
    named([
        (
            "box",
            closed_with(
                "An upright box, its edges as fractions of the image (0 to 1) from its top left. `top` may not lie below \
                    `bottom`, nor `left` right of `right`.",
                json!({
                    "top": reference("fraction", "The upper edge, from the top of the image (0 to 1)."),
                    "left": reference("fraction", "The left edge, from the left of the image (0 to 1)."),
                    "bottom": reference("fraction", "The lower edge, from the top of the image (0 to 1)."),
                    "right": reference("fraction", "The right edge, from the left of the image (0 to 1)."),
                }),
                json!({
                    "required": ["top", "left", "bottom", "right"],
                    "examples": [{ "top": 0.1, "left": 0.2, "bottom": 0.5, "right": 0.6 }],
                }),
            ),
        ),
        (
            "point",
            json!({
                "description": "A point: [row, col], fractions of the image (0 to 1) from its top left.",
                "type": "array",
                "items": { "$ref": "#/$defs/fraction" },
                "minItems": 2,
                "maxItems": 2,
                "examples": [[0.5, 0.25]],
            }),
        ),
        (
            "polygon",
            json!({
                "description": "One ring of at least three points, each [row, col] in fractions of the image (0 to 1) \
                    from its top left. The last point joins the first.",
                "type": "array",
                "items": { "$ref": "#/$defs/point" },
                "minItems": 3,
                "examples": [[[0.1, 0.2], [0.1, 0.9], [0.8, 0.5]]],
            }),
        ),
        (
            "keypoints",
            json!({
                "description": "Points in a fixed order, each [row, col] or [row, col, visibility] \
                    in fractions of the image (0 to 1) from its top left.",
                "type": "array",
                "items": {
                    "type": "array",
                    "prefixItems": [
                        reference("fraction", "The row: from the top of the image (0 to 1)."),
                        reference("fraction", "The column: from the left of the image (0 to 1)."),
                        { "description": "Whether the point is visible.", "type": "string", "enum": names },
                    ],
                    "minItems": 2,
                    "maxItems": 3,
                },
                "minItems": 1,
                "examples": [[[0.5, 0.25, "visible"], [0.6, 0.3, "not_visible"]]],
            }),
        ),
    ])
}

fn segment() -> Value {
    let seconds = |description: &str| {
        json!({
            "description": description,
            "type": "number",
            "minimum": 0,
            "maximum": f64::from(f32::MAX),
        })
    };
    closed_with(
        "A period of time, in seconds from the start. `begin` may not be after `end`.",
        json!({
            "begin": seconds("When it begins, in seconds from the start."),
            "end": seconds("When it ends, in seconds from the start."),
        }),
        json!({ "required": ["begin", "end"], "examples": [{ "begin": 1.5, "end": 4 }] }),
    )
}

fn region() -> Value {
    let example = json!({
        "from_model": "MODEL_VERSION_ID",
        "concept": "person",
        "nearest": { "box": { "top": 0.1, "left": 0.1, "bottom": 0.5, "right": 0.5 } },
    });
    json!({
        "description": "An existing region: its id, or a map that describes a region of a model.",
        "anyOf": [
            reference("name", "The id of the region."),
            closed_with(
                "A region that a model found: the one near this place. There must be exactly one.",
                json!({
                    "from_model": {
                        "description": "The version of the model.",
                        "type": "string",
                        "minLength": 1,
                    },
                    "concept": reference("name", "The concept that the model gave it."),
                    "nearest": closed_with(
                        "Its approximate place.",
                        json!({ "box": { "$ref": "#/$defs/box" } }),
                        json!({ "required": ["box"] }),
                    ),
                }),
                json!({ "required": ["from_model", "nearest"], "examples": [example] }),
            ),
        ],
    })
}

fn count32(description: &str) -> Value {
    json!({
        "description": description,
        "type": "integer",
        "minimum": 0,
        "maximum": u32::MAX,
    })
}
