//! The schema of the header: its keys, targets and guards.

use super::{closed, closed_with, named, reference, without};
use crate::manifest::header::{POLICIES, VERSION, VOCABULARY_OF_APP};
use crate::manifest::target::TARGET;
use crate::model::{Guards, Level, Rule, SET_NAME_PATTERN, SHARE_PATTERN};
use serde_json::{Map, Value, json};

pub(super) fn properties() -> Map<String, Value> {
    named([
        (
            "version",
            json!({
                "description": "The version of the format: 1. Required in the header.",
                "type": "integer",
                "const": VERSION,
            }),
        ),
        (
            "set",
            json!({
                "description": "The name of this label set: 1 to 40 of a-z, 0-9 and -. It is part of the ids of what \
                    the manifest creates, and distinguishes its annotations from those of other sets. Required in the \
                    header.",
                "type": "string",
                "pattern": SET_NAME_PATTERN,
                "examples": ["street"],
            }),
        ),
        (
            "policy",
            json!({
                "description": "What a plan may do. sync: create, update and delete; upsert: create and update; \
                    create: create only. Required in the header.",
                "type": "string",
                "enum": POLICIES.map(|(name, _)| name),
            }),
        ),
        (
            "files",
            json!({
                "description": "Which files hold the manifest's inputs: patterns of paths below this file's folder, with \
                    *, **, ?, [ab] and {a,b}. Without it, every *.yaml, *.yml, *.json and *.jsonl of the folder.",
                "type": "array",
                "items": { "type": "string" },
                "minItems": 1,
                "examples": [["labels/**"]],
            }),
        ),
        (
            "target",
            json!({
                "description": "The target to use unless --target names another; one of `targets`.",
                "type": "string",
            }),
        ),
        (
            "targets",
            json!({
                "description": "Where the manifest can be applied, by name.",
                "type": "object",
                "propertyNames": { "$ref": "#/$defs/name" },
                "additionalProperties": { "$ref": "#/$defs/target" },
                "examples": [{
                    "local": { "embedded": ".annosync/local.db" },
                    "prod": { "user_id": "acme", "app_id": "street" },
                }],
            }),
        ),
        (
            "vocabulary",
            json!({
                "description": "The concepts that annotations may name; any other is an error. The word app: the \
                    concepts that the app has. Without it, any.",
                "anyOf": [
                    { "const": VOCABULARY_OF_APP },
                    { "type": "array", "items": { "$ref": "#/$defs/name" }, "uniqueItems": true },
                ],
                "examples": [["car", "person", "tree"], VOCABULARY_OF_APP],
            }),
        ),
        (
            "owners",
            json!({
                "description": "User ids, me (the token's user), or any: the manifest may claim and delete undeclared \
                    annotations of these users, besides those that its set made. Without it, the app's owner.",
                "type": "array",
                "items": { "$ref": "#/$defs/name" },
                "minItems": 1,
                "examples": [["acme", "labeler-1"]],
            }),
        ),
        (
            "create_inputs",
            json!({
                "description": "Post the inputs that the app lacks, from their `image`, `video` or `text`, before they are \
                    annotated. Without it, an input that the app lacks is an error of the plan.",
                "type": "boolean",
                "default": false,
            }),
        ),
        (
            "guards",
            reference("guards", "The limits that stop a plan."),
        ),
        (
            "renamed",
            json!({
                "description": "Concepts that were renamed: the old id to the new one. Annotations with the old one \
                    are patched, and neither deleted nor posted again.",
                "type": "object",
                "propertyNames": { "$ref": "#/$defs/name" },
                "additionalProperties": { "$ref": "#/$defs/name" },
                "examples": [{ "plastic-film": "plastic_film" }],
            }),
        ),
        (
            "adopts",
            json!({
                "description": "Other label sets, such as earlier names of this set, that this set takes over. \
                    They are matched by content and by key, keep their ids, and are deleted when they are no longer \
                    declared. If the name of a set is unknown, give the prefix of its ids: as- and 8 hex digits.",
                "type": "array",
                "items": { "type": "string", "pattern": SET_NAME_PATTERN },
                "examples": [["street-old"]],
            }),
        ),
        (
            "lint",
            reference(
                "lint",
                "The levels of the linter's rules, where they are not the defaults.",
            ),
        ),
    ])
}

/// The definitions that the header's keys refer to.
pub(super) fn definitions() -> Map<String, Value> {
    let guards = Guards::default();
    let share = |what: &str, default: &str| {
        json!({
            "description": format!("{what}: a percentage of what exists, 0% to 100%, or a number."),
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": SHARE_PATTERN },
            ],
            "default": default,
            "examples": ["30%", 75],
        })
    };
    let count = |what: &str, default: u64| json!({ "description": what, "type": "integer", "minimum": 0, "default": default });
    named([
        (
            "guards",
            closed(
                "The limits that stop a plan. Each can be lifted for one plan on the command line.",
                json!({
                    "max_deletes": share(
                        "The plan stops if it deletes more annotations than this",
                        &guards.max_deletes.to_string(),
                    ),
                    "max_updates": share(
                        "The plan stops if it changes more existing annotations than this",
                        &guards.max_updates.to_string(),
                    ),
                    "min_existing": count(
                        "Percentages count only where at least this many annotations exist.",
                        guards.min_existing,
                    ),
                    "max_vanished_concepts": count(
                        "The plan stops if more concepts than this would have no annotation after the apply.",
                        guards.max_vanished_concepts,
                    ),
                    "max_doubles": count(
                        "The plan stops if more of its posts than this equal an annotation of a user outside `owners`, or of \
                            another set.",
                        guards.max_doubles,
                    ),
                    "max_new_concepts": {
                        "description": "The plan stops if it creates more concepts than this: the service cannot delete \
                            a concept. Without it, any number.",
                        "type": "integer",
                        "minimum": 0,
                    },
                }),
            ),
        ),
        ("target", target()),
        ("lint", lint()),
        ("rule", rule()),
    ])
}

fn lint() -> Value {
    let levels = Level::ALL.map(|(name, _)| name);
    let rules: Map<String, Value> = Rule::ALL
        .iter()
        .map(|rule| {
            let description = format!(
                "{}. Default: {}.",
                rule.meaning(),
                rule.default_level().name()
            );
            let level = if rule.is_of_manifest() {
                json!({ "description": description, "const": Level::Error.name() })
            } else {
                json!({ "description": description, "enum": levels })
            };
            (rule.name().to_owned(), level)
        })
        .collect();
    let mut schema = closed(
        "Rules of the linter, `annosync validate`, with their levels.",
        Value::Object(rules),
    );
    schema["examples"] = json!([{ "near-duplicate": "error", "tiny": "off" }]);
    schema
}

/// A rule that can be ignored.
fn rule() -> Value {
    let rules = Rule::ALL.iter();
    let names = rules.filter(|rule| !rule.is_of_manifest() && **rule != Rule::UnusedIgnore);
    let names: Vec<&str> = names.map(|rule| rule.name()).collect();
    json!({ "description": "A rule of the linter.", "enum": names })
}

fn target() -> Value {
    closed_with(
        "Where a manifest can be applied: an app of the service, or a store in a file.",
        json!({
            "embedded": {
                "description": "The file of the embedded store; a path relative to this file's folder.",
                "type": "string",
                "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$",
                "examples": [".annosync/local.db"],
            },
            "user_id": reference("name", "The user, or the organisation, that owns the app."),
            "app_id": reference("name", "The app."),
            "endpoint": {
                "description": "The base URL of the service; without it, https://api.clarifai.com. It has no user \
                    name, password or query.",
                "type": "string",
                "pattern": "^https?://[^?#]+$",
                "examples": ["https://api.clarifai.com"],
            },
            "rate_limit": {
                "description": "The maximum number of calls per second; without it, 15.",
                "type": "integer",
                "minimum": 1,
                "maximum": u32::MAX,
            },
        }),
        json!({
            "if": { "required": ["embedded"] },
            "then": without(TARGET.into_iter().filter(|key| *key != "embedded")),
            "else": { "required": ["user_id", "app_id"] },
            "examples": [
                { "embedded": ".annosync/local.db" },
                { "user_id": "acme", "app_id": "street" },
            ],
        }),
    )
}
