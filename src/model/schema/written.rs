//! The schemas of what writes itself by hand, or writes less than its fields could hold: names, numbers, shapes, contents.
//!
//! Each says what is written, in the words of a manifest; what can be derived is, beside its type.

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

/// What a generator calls the schema of a type where it stands.
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
        "description": "What an annotation was when it was observed: 32 hex digits of a SHA-256.",
        "type": "string",
        "pattern": "^[0-9a-f]{32}$",
    }
    Json(_generator) => {
        "description": "A map in JSON, kept as it is.",
        "type": "object",
    }
    Overlap(_generator) => {
        "description": "How closely two places lie together, in millionths: of an IoU, or of another measure where \
            places have no area. 0 is apart, 1000000 is the same place.",
        "type": "integer",
        "minimum": 0,
        "maximum": 1_000_000,
    }
    Status(_generator) => {
        "description": "The state of the labelling work: the API's name in lower case, or its number in text where it has \
            no name.",
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
        "description": "An upright box, its edges as fractions of the image (0 to 1) from its top left.",
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
        "description": "One ring of points; the last one joins the first.",
        "type": "array",
        "items": of!(generator, Point),
        "minItems": 3,
    }
    Keypoints(generator) => {
        "description": "Points whose order says what each of them is: [row, col], or [row, col, visibility].",
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
        "description": "A mask: the hash of its pixels and its size, or where it is found, or both.",
        "type": "object",
        "properties": {
            "sha256": {
                "description": "SHA-256 of its pixels: 64 hex digits.",
                "type": "string",
                "pattern": "^[0-9a-f]{64}$",
            },
            "width": count("In pixels."),
            "height": count("In pixels."),
            "url": { "description": "Where it is found.", "type": "string" },
        },
        "anyOf": [{ "required": ["sha256", "width", "height"] }, { "required": ["url"] }],
        "additionalProperties": false,
    }
    Span(_generator) => {
        "description": "A stretch of a text, in characters.",
        "type": "object",
        "properties": {
            "start": count("The first character, counted from 0."),
            "end": count("Behind the last character."),
            "text": { "description": "What these characters say.", "type": "string" },
        },
        "required": ["start", "end"],
        "additionalProperties": false,
    }
    Segment(_generator) => {
        "description": "A stretch of time, in seconds from the start.",
        "type": "object",
        "properties": {
            "begin": { "description": "Seconds from the start.", "type": "number", "minimum": 0 },
            "end": { "description": "Seconds from the start.", "type": "number", "minimum": 0 },
        },
        "required": ["begin", "end"],
        "additionalProperties": false,
    }
    Content(generator) => {
        "description": "What an annotation is, in the manifest's notation; at most one geometry. A field that is not there \
            is not managed.",
        "type": "object",
        "properties": {
            "whole": { "description": "The whole input, where that is said; it goes without saying.", "type": "null" },
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
            "user": of!(generator, UserId, "Whose annotation it is."),
            "metadata": of!(generator, Json, "`data.metadata`."),
            "info": of!(generator, Json, "`annotation_info`."),
            "track": { "description": "The track of a video that its region belongs to.", "type": "string" },
            "text": { "description": "What is written there.", "type": "string" },
            "region_value": of!(generator, Fraction, "The region's own value: how sure its maker was that it is one."),
            "embed_model_version": { "description": "The version of its embedding model.", "type": "string" },
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
