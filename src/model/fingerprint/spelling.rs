//! One canonical spelling of JSON, of which a service may have several for the same.

use crate::model::keypoints::Visibility;
use crate::model::mask::Mask;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

/// Numbers, which may come as text.
const NUMBERS: [&str; 17] = [
    "value",
    "top_row",
    "left_col",
    "bottom_row",
    "right_col",
    "row",
    "col",
    "z",
    "char_start",
    "char_end",
    "begin_time",
    "end_time",
    "num_frames",
    "time",
    "number",
    "index",
    "visibility",
];

/// Messages that say something by being there, however empty: a point at the origin is another place than none.
const PLACES: [&str; 6] = ["bounding_box", "polygon", "point", "mask", "span", "token"];

/// The canonical spelling of a protobuf message: keys sorted, defaults left out, floats short, elements with an id
/// sorted by it, enums as numbers, images by their pixels. `metadata` is free JSON inside.
pub(super) fn message(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.into_iter().map(|(key, value)| {
                let value = field(&key, value);
                (key, value)
            });
            let says_something = |(key, value): &(String, Value)| {
                !is_default(value) || (value.is_object() && PLACES.contains(&key.as_str()))
            };
            sorted(fields.filter(says_something).collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(message).collect();
            if items
                .iter()
                .all(|item| item.get("id").is_some_and(Value::is_string))
            {
                items.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
            }
            Value::Array(items)
        }
        // Integers beyond 2^24 are no 32-bit floats: counters and times in milliseconds stay exact.
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.abs() < 16_777_216.0 => {
                let short = crate::model::float::shortest(float as f32);
                if short.fract() == 0.0 {
                    Value::from(short as i64)
                } else {
                    Value::from(short)
                }
            }
            _ => whole(number),
        },
        other => other,
    }
}

fn field(key: &str, value: Value) -> Value {
    match value {
        value if key == "metadata" => free(value),
        Value::String(text) if NUMBERS.contains(&key) => match number(key, &text) {
            Some(number) => message(number),
            None => Value::String(text),
        },
        Value::String(text) if key == "base64" => Value::String(image(&text)),
        value => message(value),
    }
}

/// The number that a text stands for; of a visibility, the one that its name has.
fn number(key: &str, text: &str) -> Option<Value> {
    let named = (key == "visibility")
        .then(|| {
            Visibility::ALL
                .iter()
                .position(|(_, name)| name.eq_ignore_ascii_case(text))
        })
        .flatten()
        .map(Value::from);
    named
        // 64 bits of a time are more than a float holds.
        .or_else(|| text.parse::<u64>().ok().map(Value::from))
        .or_else(|| Number::from_f64(text.parse().ok()?).map(Value::Number))
}

/// An image by its pixels, where it is one that masks are made of: a service may compress it anew. Else by its bytes,
/// wherever an encoder broke the lines.
fn image(base64: &str) -> String {
    let text: String = base64.split_ascii_whitespace().collect();
    let mask = STANDARD
        .decode(&text)
        .ok()
        .and_then(|bytes| Mask::seen(&bytes).ok());
    mask.and_then(|mask| mask.sha256()).unwrap_or(text)
}

/// A number that is too large for a 32-bit float, or has no fraction: one spelling of it, with and without a point.
fn whole(number: Number) -> Value {
    match number.as_f64() {
        Some(float)
            if number.is_f64() && float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 =>
        {
            Value::from(float as i64)
        }
        _ => Value::Number(number),
    }
}

/// The canonical spelling of free JSON: keys sorted, numbers as 64-bit floats where they have a fraction.
pub(super) fn free(value: Value) -> Value {
    match value {
        Value::Object(map) => sorted(
            map.into_iter()
                .map(|(key, value)| (key, free(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(free).collect()),
        Value::Number(number) => whole(number),
        other => other,
    }
}

fn sorted(mut fields: Vec<(String, Value)>) -> Value {
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    Value::Object(Map::from_iter(fields))
}

pub(super) fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}
