//! An input's part of the schema.

use super::{closed, closed_with, named, reference, without};
use serde_json::{Map, Value, json};

/// An input, and what only inputs have.
pub(super) fn definitions() -> Map<String, Value> {
    named([
        (
            "input",
            closed_with(
                "One input (an image, a video, a text) and the annotations that it is to have. A line of a .jsonl file.",
                json!({
                    "id": reference("name", "The input's id in the app."),
                    "image": { "$ref": "#/$defs/image" },
                    "video": { "$ref": "#/$defs/video" },
                    "text": { "$ref": "#/$defs/input_text" },
                    "annotations": {
                        "description": "Every annotation that this set wants on the input. [] means that the input is \
                            managed and holds none.",
                        "type": "array",
                        "items": { "$ref": "#/$defs/annotation" },
                    },
                    "purge": {
                        "description": "Instead of `annotations`: delete everything on the input, whoever made it, but \
                            its input-level annotation. `apply` needs --allow-purge.",
                        "const": true,
                    },
                }),
                json!({
                    "required": ["id"],
                    "if": { "required": ["purge"] },
                    "then": without(["annotations"]),
                    "else": { "required": ["annotations"] },
                    "examples": [{
                        "id": "street-0001",
                        "annotations": [{
                            "box": { "top": 0.1, "left": 0.2, "bottom": 0.5, "right": 0.6 },
                            "concepts": ["car"],
                        }],
                    }],
                }),
            ),
        ),
        (
            "image",
            closed(
                "What the input's image is: coordinates are fractions with or without it. It is posted where the app lacks \
                    the input and `create_inputs` is true.",
                json!({
                    "path": {
                        "description": "Where the image lies: a path relative to this file's folder. It is read only where \
                            the image is posted.",
                        "type": "string",
                    },
                    "url": url("Where the service can fetch the image; instead of `path`."),
                    "width": pixels("The image's width, in pixels."),
                    "height": pixels("The image's height, in pixels."),
                }),
            ),
        ),
        (
            "video",
            closed_with(
                "What the input's video is: a file, or where the service can fetch it. It is posted where the app lacks the \
                    input and `create_inputs` is true.",
                json!({
                    "path": {
                        "description": "Where the video lies: a path relative to this file's folder. It is read only where \
                            the video is posted.",
                        "type": "string",
                        "minLength": 1,
                    },
                    "url": url("Where the service can fetch the video."),
                }),
                json!({ "minProperties": 1, "maxProperties": 1 }),
            ),
        ),
        (
            "input_text",
            closed_with(
                "What a text input says, to check and to fill in what spans say: a file, or the text itself.",
                json!({
                    "path": {
                        "description": "The file that says it, UTF-8; a path relative to this file's folder, below the \
                            manifest's.",
                        "type": "string",
                        "minLength": 1,
                    },
                    "raw": {
                        "description": "The text itself.",
                        "type": "string",
                        "minLength": 1,
                    },
                    "url": url("Where the service can fetch the text. Spans say their text themselves then."),
                }),
                json!({ "minProperties": 1, "maxProperties": 1 }),
            ),
        ),
    ])
}

fn url(description: &str) -> Value {
    json!({ "description": description, "type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://." })
}

fn pixels(description: &str) -> Value {
    json!({
        "description": description,
        "type": "integer",
        "minimum": 1,
        "maximum": u32::MAX,
    })
}
