//! The whole `data` of an overwrite: the stored data with the declared fields written into it, so that everything
//! annosync does not model is kept.
//!
//! An annotation has one place. If the place changes its kind, its concepts, text and other data move into the new
//! one.

use super::json::{Object, number};
use super::place::{self, write_region_fields};
use crate::model::{
    Content, Difference, Geometry, ObservedAnnotation, PackedJson, float, merge_json,
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The stored `data` with the declared fields written into it.
pub(super) fn data(
    observed: &ObservedAnnotation,
    content: &Content,
    difference: &Difference,
) -> Object {
    let mut data = stored(observed);
    let carried = Carried::take(innermost(&mut data));
    let mut left = Map::new();
    if let Some(frame) = content.frame.filter(|_| difference.frame) {
        leave_segment(&mut data, &mut left);
        enter_frame(&mut data);
        place::write_frame(place::first(&mut data, "frames"), frame);
    }
    if let Some(geometry) = content.geometry.as_ref().filter(|_| difference.geometry) {
        move_to(&mut data, geometry, observed, &mut left);
    }
    if let Some(region) = region(&mut data) {
        write_region_fields(
            region,
            content.track().filter(|_| difference.track),
            content.region_value().filter(|_| difference.region_value),
        );
    }
    let place = innermost(&mut data);
    absorb(place, left);
    carried.write(place, content);
    if let Some(metadata) = &content.metadata {
        let all = merge_json(&metadata.to_value(), data.get("metadata"));
        data.insert("metadata".into(), all);
    }
    data
}

/// The stored `data` as it is sent back.
pub(super) fn stored(observed: &ObservedAnnotation) -> Object {
    let mut data = match observed.data.as_ref().map(PackedJson::to_value) {
        Some(Value::Object(data)) => data,
        _ => Map::new(),
    };
    write_zeros(&mut data);
    data
}

/// A stored concept without a value is 0; sent back without one it would become 1.
fn write_zeros(object: &mut Object) {
    for (name, value) in object.iter_mut() {
        match value {
            // Metadata is free JSON.
            _ if name == "metadata" => {}
            Value::Object(object) => write_zeros(object),
            Value::Array(elements) => {
                for element in elements.iter_mut().filter_map(Value::as_object_mut) {
                    if name == "concepts" && element.get("value").is_none_or(Value::is_null) {
                        element.insert("value".into(), json!(0.0));
                    }
                    write_zeros(element);
                }
            }
            _ => {}
        }
    }
}

fn has(data: &Object, list: &str) -> bool {
    data.get(list).and_then(|parts| parts.get(0)).is_some()
}

/// The data of the one frame, or the data itself.
fn frame_data(data: &mut Object) -> &mut Object {
    if has(data, "frames") {
        place::inside(place::first(data, "frames"))
    } else {
        data
    }
}

fn region(data: &mut Object) -> Option<&mut Object> {
    let level = frame_data(data);
    has(level, "regions").then(|| place::first(level, "regions"))
}

/// The data that holds concepts and text: of the region, else of the frame or the segment, else `data` itself.
fn innermost(data: &mut Object) -> &mut Object {
    let is_in_frame = has(data, "frames");
    let level = frame_data(data);
    if has(level, "regions") {
        place::inside(place::first(level, "regions"))
    } else if !is_in_frame && has(level, "time_segments") {
        place::inside(place::first(level, "time_segments"))
    } else {
        level
    }
}

/// Changes the place of the annotation to this geometry.
fn move_to(
    data: &mut Object,
    geometry: &Geometry,
    observed: &ObservedAnnotation,
    left: &mut Object,
) {
    match geometry {
        Geometry::Segment(segment) => {
            leave(frame_data(data), "regions", left);
            leave(data, "frames", left);
            place::write_segment(place::first(data, "time_segments"), *segment);
        }
        Geometry::Whole => {
            leave_segment(data, left);
            leave(frame_data(data), "regions", left);
        }
        geometry => {
            leave_segment(data, left);
            let region = place::first(frame_data(data), "regions");
            if matches!(observed.geometry, Geometry::Region(_)) {
                // The id names a region of somebody else's; the new place gets its own region.
                region.remove("id");
            }
            place::write_region(region, geometry);
        }
    }
}

/// Moves regions of the whole input into a frame.
fn enter_frame(data: &mut Object) {
    if has(data, "frames") {
        return;
    }
    let regions = data.remove("regions");
    let inner = place::inside(place::first(data, "frames"));
    if let Some(regions) = regions {
        inner.insert("regions".into(), regions);
    }
}

/// Removes a list of parts; the data of its first part is added to `left`.
fn leave(data: &mut Object, list: &str, left: &mut Object) {
    let Some(Value::Array(parts)) = data.remove(list) else {
        return;
    };
    if let Some(Value::Object(mut part)) = parts.into_iter().next()
        && let Some(Value::Object(inner)) = part.remove("data")
    {
        absorb(left, inner);
    }
}

/// Removes the segment. Several segments are not modelled, and stay.
fn leave_segment(data: &mut Object, left: &mut Object) {
    let is_one = |parts: &Value| parts.as_array().is_some_and(|parts| parts.len() <= 1);
    if data.get("time_segments").is_some_and(is_one) {
        leave(data, "time_segments", left);
    }
}

/// Adds the fields that are missing.
fn absorb(into: &mut Object, from: Object) {
    for (name, value) in from {
        into.entry(name).or_insert(value);
    }
}

/// The data that moves with the place.
struct Carried {
    concepts: Vec<Value>,
    text: Option<Value>,
}

impl Carried {
    fn take(place: &mut Object) -> Self {
        Self {
            concepts: match place.remove("concepts") {
                Some(Value::Array(concepts)) => concepts,
                _ => Vec::new(),
            },
            text: place.remove("text"),
        }
    }

    fn write(self, place: &mut Object, content: &Content) {
        let there = Self::take(place);
        let concepts = if let Some(named) = &content.concepts {
            let mut stored: HashMap<&str, &Value> = HashMap::new();
            for known in &self.concepts {
                if let Some(id) = known["id"].as_str() {
                    stored.entry(id).or_insert(known);
                }
            }
            named
                .iter()
                .map(|c| concept(stored.get(c.id.as_str()).copied(), c.id.as_str(), c.value))
                .collect()
        } else {
            let mut all = self.concepts;
            let is_new = |concept: &Value| all.iter().all(|c| c["id"] != concept["id"]);
            let more: Vec<Value> = there.concepts.into_iter().filter(is_new).collect();
            all.extend(more);
            all
        };
        if !concepts.is_empty() {
            place.insert("concepts".into(), concepts.into());
        }
        let stored = self.text.or(there.text);
        let words = |text: &Value| text["raw"].as_str().unwrap_or_default().to_owned();
        let text = match content.text() {
            Some(text) if stored.as_ref().map(words).unwrap_or_default() != text => {
                Some(json!({ "raw": text }))
            }
            _ => stored,
        };
        if let Some(text) = text {
            place.insert("text".into(), text);
        }
    }
}

/// The stored concept with this value, keeping fields that annosync does not model; or a new concept.
fn concept(stored: Option<&Value>, id: &str, value: f32) -> Value {
    let mut concept = stored.cloned().unwrap_or_else(|| json!({"id": id}));
    if !concept["value"]
        .as_f64()
        .is_some_and(|known| float::same(known as f32, value))
    {
        concept["value"] = number(value);
    }
    concept
}
