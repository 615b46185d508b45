//! The schema of an input.

use super::{closed, closed_with, named, reference, without};
use serde_json::{Map, Value, json};

/// The input, and the definitions that only inputs refer to.
pub(super) fn definitions() -> Map<String, Value> {
    named([
        (
            "input",
            closed_with(
                "One input (an image, a video, a text) with the annotations that it should have. A line of a .jsonl file.",
                json!({
                    "id": reference("name", "The input's id in the app."),
                    "image": { "$ref": "#/$defs/image" },
                    "video": { "$ref": "#/$defs/video" },
                    "text": { "$ref": "#/$defs/input_text" },
                    "annotations": {
                        "description": "All annotations of this set on the input. [] means that the input is managed \
                            and has none.",
                        "type": "array",
                        "items": { "$ref": "#/$defs/annotation" },
                    },
                    "purge": {
                        "description": "Instead of `annotations`: delete all annotations of the input, of any user, \
                            except the input-level one. `apply` needs --allow-purge.",
                        "const": true,
                    },
                    "ignore": reference(
                        "ignore",
                        "Rules of the linter that do not apply to the input and its annotations.",
                    ),
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
        ("ignore", ignore()),
        (
            "image",
            closed(
                "The input's image. Coordinates are fractions with or without it. It is posted if the app lacks the \
                    input and `create_inputs` is true.",
                json!({
                    "path": {
                        "description": "The image's path, relative to this file's folder. It is read only if the \
                            image is posted.",
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
                "The input's video: a file, or a URL. It is posted if the app lacks the input and `create_inputs` is true.",
                json!({
                    "path": {
                        "description": "The video's path, relative to this file's folder. It is read only if the \
                            video is posted.",
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
                "The text of a text input, to check spans and to fill in their texts: a file, the text itself, or a URL.",
                json!({
                    "path": {
                        "description": "A UTF-8 file; a path relative to this file's folder, inside the manifest's folder.",
                        "type": "string",
                        "minLength": 1,
                    },
                    "raw": {
                        "description": "The text itself.",
                        "type": "string",
                        "minLength": 1,
                    },
                    "url": url("Where the service can fetch the text. Spans are not checked then."),
                }),
                json!({ "minProperties": 1, "maxProperties": 1 }),
            ),
        ),
    ])
}

fn ignore() -> Value {
    json!({
        "description": "Rules of the linter that do not apply here, each with a reason.",
        "type": "array",
        "items": closed_with(
            "A rule that does not apply.",
            json!({
                "rule": reference("rule", "The rule."),
                "reason": {
                    "description": "Why the finding is right as it is.",
                    "type": "string",
                    "minLength": 1,
                },
            }),
            json!({ "required": ["rule", "reason"] }),
        ),
        "examples": [[{ "rule": "near-duplicate", "reason": "two panes of one window" }]],
    })
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
