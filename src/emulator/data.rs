//! Normalization and checks of an annotation's JSON before it is stored. `echo` is the counterpart for answers.
//!
//! Unknown fields are kept. `metadata` and `annotation_info` are free JSON and are never changed.

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Number, Value};

/// Fields with 32-bit floats. `value` is one too, but only in concepts and regions.
const FLOATS: [&str; 9] = [
    "top_row",
    "left_col",
    "bottom_row",
    "right_col",
    "row",
    "col",
    "z",
    "begin_time",
    "end_time",
];
const LISTS: [&str; 7] = [
    "concepts",
    "regions",
    "frames",
    "time_segments",
    "tracks",
    "points",
    "keypoint_locations",
];
const OBJECTS: [&str; 14] = [
    "data",
    "metadata",
    "annotation_info",
    "region_info",
    "bounding_box",
    "polygon",
    "point",
    "mask",
    "image",
    "span",
    "token",
    "text",
    "frame_info",
    "time_info",
];
const TEXTS: [&str; 4] = ["id", "raw", "raw_text", "track_id"];
/// 32-bit integers.
const COUNTS: [&str; 3] = ["char_start", "char_end", "num_frames"];
/// Lists of elements with their own `data`.
pub(super) const PARTS: [&str; 4] = ["regions", "frames", "time_segments", "tracks"];
/// The API's enum; the index is the number.
pub(super) const VISIBILITIES: [&str; 4] = ["NOT_SET", "VISIBLE", "NOT_VISIBLE", "NOT_PRESENT"];
pub(super) const FREE: [&str; 2] = ["metadata", "annotation_info"];

/// The default of a concept's `value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingValue {
    /// 1, in requests with the content of annotations.
    One,
    /// None, in requests that only reference concepts.
    Nothing,
}

/// Converts a request's object to the stored form: floats are rounded to 32 bits (with their shortest digits), numbers in
/// strings become numbers, visibilities become numbers, `null` is removed.
///
/// # Errors
///
/// What the JSON parser of protobuf would reject.
pub(super) fn prepare(
    object: &mut Map<String, Value>,
    missing: MissingValue,
) -> Result<(), String> {
    prepare_object(object, "", missing)
}

fn prepare_object(
    object: &mut Map<String, Value>,
    list: &str,
    missing: MissingValue,
) -> Result<(), String> {
    object.retain(|_, value| !value.is_null());
    if list == "concepts" && missing == MissingValue::One && !object.contains_key("value") {
        object.insert("value".to_owned(), Value::from(1.0));
    }
    for (name, value) in object {
        if OBJECTS.contains(&name.as_str()) && !value.is_object() {
            return Err(format!("`{name}` is not an object"));
        }
        if TEXTS.contains(&name.as_str()) && !value.is_string() {
            return Err(format!("`{name}` is not a string"));
        }
        if FREE.contains(&name.as_str()) {
            continue;
        }
        let is_value = name == "value" && matches!(list, "concepts" | "regions");
        match value {
            _ if is_value || FLOATS.contains(&name.as_str()) => {
                *value = float(value).ok_or_else(|| format!("`{name}` is not a number"))?;
            }
            _ if COUNTS.contains(&name.as_str()) => {
                *value =
                    count(value).ok_or_else(|| format!("`{name}` is not an integer of 0..2^32"))?;
            }
            // In concepts and inputs `visibility` is an object.
            Value::String(_) | Value::Number(_) if name == "visibility" => {
                *value = visibility(value).ok_or_else(|| {
                    format!(
                        "`{name}` is {value}, but must be one of {}",
                        VISIBILITIES.join(", ")
                    )
                })?;
            }
            Value::Array(elements) => {
                for element in elements {
                    match element {
                        Value::Object(element) => prepare_object(element, name, missing)?,
                        _ if LISTS.contains(&name.as_str()) => {
                            return Err(format!("`{name}` has an element that is not an object"));
                        }
                        _ => {}
                    }
                }
            }
            _ if LISTS.contains(&name.as_str()) => return Err(format!("`{name}` is not a list")),
            Value::Object(object) => prepare_object(object, "", missing)?,
            Value::Number(number) if number.is_f64() => {
                *value = float(value).ok_or_else(|| format!("`{name}` is out of range"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Parses a 32-bit float and returns it with its shortest digits.
fn float(value: &Value) -> Option<Value> {
    let wide = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    // Rust prints the shortest digits that parse as the same 32-bit float.
    let short = (wide as f32).to_string().parse().ok()?;
    Number::from_f64(short).map(Value::Number)
}

fn count(value: &Value) -> Option<Value> {
    let count: u32 = match value {
        Value::Number(number) => match number.as_u64() {
            Some(whole) => u32::try_from(whole).ok()?,
            None => return None,
        },
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    Some(Value::from(count))
}

/// The number of a visibility, which is given by number or name.
fn visibility(value: &Value) -> Option<Value> {
    let number = match value {
        Value::String(text) => VISIBILITIES.iter().position(|name| name == text)? as u64,
        _ => value.as_u64()?,
    };
    (number < VISIBILITIES.len() as u64).then(|| Value::from(number))
}

/// Checks the constraints of the API on `data`: at most one region and one frame, coordinates and concept values within
/// 0..=1, edges of boxes and ends of spans in order, masks in base64.
pub(super) fn check(data: &Map<String, Value>) -> Result<(), String> {
    let lists = Lists::of(data);
    let [regions, frames, ..] = lists.parts;
    if frames.len() > 1 {
        return Err(format!("{} frames; at most one", frames.len()));
    }
    let in_frames = frames.iter().filter_map(inside);
    let regions = regions.len()
        + in_frames
            .map(|frame| list(frame, "regions").len())
            .sum::<usize>();
    if regions > 1 {
        return Err(format!("{regions} regions; at most one"));
    }
    check_inside(&lists)
}

/// The lists in `data` whose elements are checked.
pub(super) struct Lists<'a> {
    pub(super) concepts: &'a [Value],
    /// Those of [`PARTS`].
    pub(super) parts: [&'a [Value]; PARTS.len()],
}

impl<'a> Lists<'a> {
    /// Compares the names of the few members, which is faster than to look up each list.
    pub(super) fn of(data: &'a Map<String, Value>) -> Self {
        let mut lists = Self {
            concepts: &[],
            parts: [&[]; PARTS.len()],
        };
        for (name, value) in data {
            let Value::Array(elements) = value else {
                continue;
            };
            if name == "concepts" {
                lists.concepts = elements;
            } else if let Some(place) = PARTS.iter().position(|it| it == name) {
                lists.parts[place] = elements;
            }
        }
        lists
    }
}

/// Checks the constraints that hold for `data` of regions, frames and other parts too.
fn check_inside(lists: &Lists<'_>) -> Result<(), String> {
    check_concepts(lists.concepts)?;
    let [regions, ..] = lists.parts;
    for region in regions {
        if let Some(place) = region.get("region_info").and_then(Value::as_object) {
            check_geometry(place)?;
        }
    }
    let mut parts = lists.parts.into_iter().flatten().filter_map(inside);
    parts.try_for_each(|data| check_inside(&Lists::of(data)))
}

fn inside(part: &Value) -> Option<&Map<String, Value>> {
    part.get("data")?.as_object()
}

fn check_concepts(concepts: &[Value]) -> Result<(), String> {
    for concept in concepts {
        let id = concept.get("id").and_then(Value::as_str).unwrap_or("");
        if id.is_empty() {
            return Err("a concept has no id".to_owned());
        }
        fraction(concept, "value").map_err(|problem| format!("concept `{id}`: {problem}"))?;
    }
    Ok(())
}

fn check_geometry(place: &Map<String, Value>) -> Result<(), String> {
    if let Some(edges) = place.get("bounding_box") {
        let [top, left] = [fraction(edges, "top_row")?, fraction(edges, "left_col")?];
        let [bottom, right] = [
            fraction(edges, "bottom_row")?,
            fraction(edges, "right_col")?,
        ];
        if top > bottom || left > right {
            return Err("the edges of a box are in the wrong order".to_owned());
        }
    }
    let points = place.get("polygon").and_then(Value::as_object);
    let points = points.map_or(&[][..], |polygon| list(polygon, "points"));
    let keypoints = list(place, "keypoint_locations");
    for point in points.iter().chain(keypoints).chain(place.get("point")) {
        fraction(point, "row")?;
        fraction(point, "col")?;
    }
    if let Some(span) = place.get("span") {
        let end = |name: &str| span.get(name).and_then(Value::as_u64).unwrap_or(0);
        if end("char_start") > end("char_end") {
            return Err("the ends of a span are in the wrong order".to_owned());
        }
    }
    match place
        .get("mask")
        .and_then(|mask| mask.pointer("/image/base64"))
    {
        Some(Value::String(text)) if is_base64(text) => Ok(()),
        None => Ok(()),
        Some(_) => Err("`base64` of a mask is not valid".to_owned()),
    }
}

/// Whether the JSON parser of protobuf accepts a string as bytes: either alphabet, with or without padding.
fn is_base64(text: &str) -> bool {
    let decodes = |alphabet: &Alphabet| {
        let config =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        GeneralPurpose::new(alphabet, config).decode(text).is_ok()
    };
    decodes(&STANDARD) || decodes(&URL_SAFE)
}

fn fraction(object: &Value, name: &str) -> Result<f64, String> {
    let number = object.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    if (0.0..=1.0).contains(&number) {
        Ok(number)
    } else {
        Err(format!("`{name}` is {number}, but must be within 0..1"))
    }
}

fn list<'a>(object: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    object
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Assigns ids to regions, frames and time segments that have none.
pub(super) fn name_parts<E>(
    data: &mut Map<String, Value>,
    new_id: &mut impl FnMut() -> Result<String, E>,
) -> Result<(), E> {
    for parts in ["regions", "frames", "time_segments"] {
        let Some(Value::Array(parts)) = data.get_mut(parts) else {
            continue;
        };
        for part in parts.iter_mut().filter_map(Value::as_object_mut) {
            if part
                .get("id")
                .and_then(Value::as_str)
                .is_none_or(str::is_empty)
            {
                // The service has the id in front.
                part.shift_insert(0, "id".to_owned(), Value::String(new_id()?));
            }
            if let Some(Value::Object(inside)) = part.get_mut("data") {
                name_parts(inside, new_id)?;
            }
        }
    }
    Ok(())
}

/// Whether a value consists of empty lists and objects only.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().all(is_empty),
        Value::Object(members) => members.values().all(is_empty),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
