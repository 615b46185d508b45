//! The canonical form of JSON that the service may encode in several ways.

use super::tree::{Field, Tree};
use crate::model::keypoints::Visibility;
use crate::model::mask::Mask;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Number;

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
pub(super) fn message(value: Tree<'_>) -> Tree<'_> {
    match value {
        Tree::Map(fields) => {
            let fields = fields.into_iter().map(|(key, value)| {
                let value = field(&key, value);
                (key, value)
            });
            let is_significant = |(key, value): &Field<'_>| {
                !is_default(value)
                    || (matches!(value, Tree::Map(_)) && GEOMETRIES.contains(&key.as_ref()))
            };
            sorted(fields.filter(is_significant).collect())
        }
        Tree::List(items) => {
            let mut items: Vec<Tree<'_>> = items.into_iter().map(message).collect();
            if items.iter().all(|item| id(item).is_some()) {
                items.sort_by(|a, b| id(a).cmp(&id(b)));
            }
            Tree::List(items)
        }
        // Integers from 2^24 on, such as times in milliseconds, are not 32-bit floats and stay exact.
        Tree::Number(number) => match number.as_f64() {
            Some(float) if float.abs() < 16_777_216.0 => {
                let short = crate::model::float::shortest(float as f32);
                if short.fract() == 0.0 {
                    Tree::Number((short as i64).into())
                } else {
                    Number::from_f64(short).map_or(Tree::Null, Tree::Number)
                }
            }
            _ => Tree::Number(whole(number)),
        },
        other => other,
    }
}

fn id<'v>(item: &'v Tree<'_>) -> Option<&'v str> {
    item.get("id")?.as_str()
}

fn field<'t>(key: &str, value: Tree<'t>) -> Tree<'t> {
    match value {
        value if key == "metadata" => free(value),
        Tree::Text(text) if NUMBERS.contains(&key) => match number(key, &text) {
            Some(number) => message(Tree::Number(number)),
            None => Tree::Text(text),
        },
        Tree::Text(text) if key == "base64" => Tree::Text(image(&text).into()),
        value => message(value),
    }
}

/// Parses a number, or the name of a visibility.
fn number(key: &str, text: &str) -> Option<Number> {
    let named = (key == "visibility")
        .then(|| {
            Visibility::ALL
                .iter()
                .position(|(_, name)| name.eq_ignore_ascii_case(text))
        })
        .flatten()
        .map(Number::from);
    named
        // Times have 64 bits, more than a float can hold.
        .or_else(|| text.parse::<u64>().ok().map(Number::from))
        .or_else(|| Number::from_f64(text.parse().ok()?))
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
fn whole(number: Number) -> Number {
    match number.as_f64() {
        Some(float)
            if number.is_f64() && float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 =>
        {
            (float as i64).into()
        }
        _ => number,
    }
}

/// The canonical form of free JSON: sorted keys, whole numbers without a decimal point.
pub(super) fn free(value: Tree<'_>) -> Tree<'_> {
    match value {
        Tree::Map(fields) => {
            let fields = fields.into_iter().map(|(key, value)| (key, free(value)));
            sorted(fields.collect())
        }
        Tree::List(items) => Tree::List(items.into_iter().map(free).collect()),
        Tree::Number(number) => Tree::Number(whole(number)),
        other => other,
    }
}

fn sorted(mut fields: Vec<Field<'_>>) -> Tree<'_> {
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    Tree::Map(fields)
}

pub(super) fn is_default(value: &Tree<'_>) -> bool {
    match value {
        Tree::Null => true,
        Tree::Bool(flag) => !flag,
        Tree::Number(number) => number.as_f64() == Some(0.0),
        Tree::Text(text) => text.is_empty(),
        Tree::List(items) => items.is_empty(),
        Tree::Map(fields) => fields.is_empty(),
    }
}
