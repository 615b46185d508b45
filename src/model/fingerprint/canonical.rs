//! The canonical form of JSON that the service may encode in several ways.

use crate::model::keypoints::Visibility;
use crate::model::mask::Mask;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

/// Number fields, which may be sent as strings.
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

/// Messages that are significant even if empty: a point at the origin differs from no point.
const GEOMETRIES: [&str; 6] = ["bounding_box", "polygon", "point", "mask", "span", "token"];

/// The canonical form of a protobuf message: sorted keys, no defaults, short floats, elements sorted by their ids,
/// enums as numbers, images as hashes of their pixels. `metadata` is free JSON.
pub(super) fn message(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.into_iter().map(|(key, value)| {
                let value = field(&key, value);
                (key, value)
            });
            let is_significant = |(key, value): &(String, Value)| {
                !is_default(value) || (value.is_object() && GEOMETRIES.contains(&key.as_str()))
            };
            sorted(fields.filter(is_significant).collect())
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
        // Integers from 2^24 on, such as times in milliseconds, are not 32-bit floats and stay exact.
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

/// Parses a number, or the name of a visibility.
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
        // Times have 64 bits, more than a float can hold.
        .or_else(|| text.parse::<u64>().ok().map(Value::from))
        .or_else(|| Number::from_f64(text.parse().ok()?).map(Value::Number))
}

/// The hash of an image's pixels, because the service may recompress it; its base64 without line breaks if it is not
/// a PNG.
fn image(base64: &str) -> String {
    let text: String = base64.split_ascii_whitespace().collect();
    let mask = STANDARD
        .decode(&text)
        .ok()
        .and_then(|bytes| Mask::without_file(&bytes).ok());
    mask.and_then(|mask| mask.sha256()).unwrap_or(text)
}

/// Removes the decimal point of a whole number.
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

/// The canonical form of free JSON: sorted keys, whole numbers without a decimal point.
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
