//! Hand-written JSON Schemas of types with a serialized form that differs from their fields.
//!
//! They describe the manifest's notation. Schemas that can be derived are derived at the type.

use super::STATUS_WRITTEN_PATTERN;
use crate::model::{
    BoundingBox, Concepts, Content, Fingerprint, Fraction, Frame, Json, Keypoints, Mask, Overlap,
    Point, Polygon, RegionId, Segment, Span, Status, UserId, Visibility,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

macro_rules! written {
    ($($type:ident($generator:ident) => $schema:tt)*) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        })*
    };
}

/// A reference to the schema of a type, with its own description if one is given.
macro_rules! of {
    ($generator:ident, $type:ty) => {
        $generator.subschema_for::<$type>()
    };
    ($generator:ident, $type:ty, $description:literal) => {{
        let mut schema = $generator.subschema_for::<$type>();
        schema.insert("description".to_owned(), $description.into());
        schema
    }};
}

written! {
    Fraction(_generator) => {
        "description": "A number from 0 to 1.",
        "type": "number",
        "minimum": 0,
        "maximum": 1,
    }
    Fingerprint(_generator) => {
        "description": "A hash of an observed annotation: 32 hex digits of a SHA-256.",
        "type": "string",
        "pattern": "^[0-9a-f]{32}$",
    }
    Json(_generator) => {
        "description": "A JSON object, kept unchanged.",
        "type": "object",
    }
    Overlap(_generator) => {
        "description": "The similarity of two geometries in millionths: an IoU, or a comparable measure for geometries \
            without area. 0 means no overlap, 1000000 the same geometry.",
        "type": "integer",
        "minimum": 0,
        "maximum": 1_000_000,
    }
    Status(_generator) => {
        "description": "The status of an annotation: the API's name in lower case, or a number as a string if it has no \
            name.",
        "type": "string",
        "anyOf": [
            { "enum": Status::names().collect::<Vec<_>>() },
            { "pattern": STATUS_WRITTEN_PATTERN },
        ],
    }
    Concepts(generator) => {
        "description": "Concepts by id, each with its value from 0 (absent) to 1 (present); sorted by id.",
        "type": "object",
        "propertyNames": of!(generator, crate::model::ConceptId),
        "additionalProperties": of!(generator, Fraction),
    }
    BoundingBox(generator) => {
        "description": "An axis-aligned box; edges are fractions of the image (0 to 1) from its top left.",
        "type": "object",
        "properties": {
            "top": of!(generator, Fraction),
            "left": of!(generator, Fraction),
            "bottom": of!(generator, Fraction),
            "right": of!(generator, Fraction),
        },
        "required": ["top", "left", "bottom", "right"],
        "additionalProperties": false,
    }
    Point(generator) => {
        "description": "A point: [row, col], fractions of the image (0 to 1) from its top left.",
        "type": "array",
        "items": of!(generator, Fraction),
        "minItems": 2,
        "maxItems": 2,
    }
    Polygon(generator) => {
        "description": "One closed ring of points; the last one connects to the first.",
        "type": "array",
        "items": of!(generator, Point),
        "minItems": 3,
    }
    Keypoints(generator) => {
        "description": "A list of keypoints: [row, col], or [row, col, visibility]. The order is significant.",
        "type": "array",
        "items": {
            "type": "array",
            "prefixItems": [
                of!(generator, Fraction),
                of!(generator, Fraction),
                { "type": "string", "enum": Visibility::ALL.map(|(_, name)| name) },
            ],
            "minItems": 2,
            "maxItems": 3,
        },
        "minItems": 1,
    }
    Mask(_generator) => {
        "description": "A mask: the hash of its pixels and its size, its URL, or both.",
        "type": "object",
        "properties": {
            "sha256": {
                "description": "SHA-256 of its pixels: 64 hex digits.",
                "type": "string",
                "pattern": "^[0-9a-f]{64}$",
            },
            "width": count("In pixels."),
            "height": count("In pixels."),
            "url": { "description": "The URL of the image.", "type": "string" },
        },
        "anyOf": [{ "required": ["sha256", "width", "height"] }, { "required": ["url"] }],
        "additionalProperties": false,
    }
    Span(_generator) => {
        "description": "A range of characters of a text.",
        "type": "object",
        "properties": {
            "start": count("The first character, counted from 0."),
            "end": count("The end, exclusive."),
            "text": { "description": "The text of these characters.", "type": "string" },
        },
        "required": ["start", "end"],
        "additionalProperties": false,
    }
    Segment(_generator) => {
        "description": "A range of time, in seconds from the start.",
        "type": "object",
        "properties": {
            "begin": { "description": "Seconds from the start.", "type": "number", "minimum": 0 },
            "end": { "description": "Seconds from the start.", "type": "number", "minimum": 0 },
        },
        "required": ["begin", "end"],
        "additionalProperties": false,
    }
    Content(generator) => {
        "description": "The content of an annotation, in the manifest's notation; at most one geometry. Absent fields are \
            not managed.",
        "type": "object",
        "properties": {
            "whole": { "description": "The whole input, which is also the default.", "type": "null" },
            "frame": of!(generator, Frame),
            "box": of!(generator, BoundingBox),
            "polygon": of!(generator, Polygon),
            "point": of!(generator, Point),
            "keypoints": of!(generator, Keypoints),
            "mask": of!(generator, Mask),
            "span": of!(generator, Span),
            "segment": of!(generator, Segment),
            "region": of!(generator, RegionId),
            "concepts": of!(generator, Concepts),
            "status": of!(generator, Status),
            "user": of!(generator, UserId, "The user that the annotation belongs to."),
            "metadata": of!(generator, Json, "The object in `data.metadata`."),
            "info": of!(generator, Json, "The object in `annotation_info`."),
            "track": { "description": "The id of the video track that the region belongs to.", "type": "string" },
            "text": { "description": "The text of the region, frame, segment or input.", "type": "string" },
            "region_value": of!(generator, Fraction, "The confidence value of the region itself."),
            "embed_model_version": { "description": "The version of the embedding model.", "type": "string" },
        },
        "additionalProperties": false,
    }
}

fn count(description: &str) -> serde_json::Value {
    serde_json::json!({
        "description": description,
        "type": "integer",
        "minimum": 0,
        "maximum": u32::MAX,
    })
}
