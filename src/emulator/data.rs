//! An annotation's JSON on its way into the store: what is sent is brought into one form and checked. Pure functions;
//! fields that nobody models pass through whole. `echo` is the way back.
//!
//! `metadata` and `annotation_info` hold any JSON and are never touched.

use serde_json::{Map, Number, Value};

/// 32-bit floats wherever they stand; `value` only is one in concepts and regions.
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
const OBJECTS: [&str; 8] = [
    "data",
    "metadata",
    "annotation_info",
    "region_info",
    "bounding_box",
    "polygon",
    "frame_info",
    "time_info",
];
pub(super) const FREE: [&str; 2] = ["metadata", "annotation_info"];

/// What a concept without `value` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingValue {
    /// 1, as in every request that says what an annotation is.
    One,
    /// Nothing: the request only names concepts.
    Nothing,
}

/// Brings a request's object into the stored form: floats have 32 bits (kept as their shortest digits), numbers in
/// text are numbers, members that are `null` are gone. An error is what protobuf's JSON parser would refuse.
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
            return Err(format!("`{name}` is no object"));
        }
        if name == "id" && !value.is_string() {
            return Err("`id` is no text".to_owned());
        }
        if FREE.contains(&name.as_str()) {
            continue;
        }
        let is_value = name == "value" && matches!(list, "concepts" | "regions");
        match value {
            _ if is_value || FLOATS.contains(&name.as_str()) => {
                *value = float(value).ok_or_else(|| format!("`{name}` is no number"))?;
            }
            Value::Array(elements) => {
                for element in elements {
                    match element {
                        Value::Object(element) => prepare_object(element, name, missing)?,
                        _ if LISTS.contains(&name.as_str()) => {
                            return Err(format!("`{name}` holds something that is no object"));
                        }
                        _ => {}
                    }
                }
            }
            _ if LISTS.contains(&name.as_str()) => return Err(format!("`{name}` is no list")),
            Value::Object(object) => prepare_object(object, "", missing)?,
            Value::Number(number) if number.is_f64() => {
                *value = float(value).ok_or_else(|| format!("`{name}` is out of range"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The 32-bit float that a value stands for, as its shortest digits.
fn float(value: &Value) -> Option<Value> {
    let wide = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    // Rust prints the shortest digits that read back as the same 32 bits.
    let short = (wide as f32).to_string().parse().ok()?;
    Number::from_f64(short).map(Value::Number)
}

/// Checks what the API demands of every annotation's `data`: at most one region and one frame, coordinates and
/// concept values within 0..=1, box edges in order.
pub(super) fn check(data: &Map<String, Value>) -> Result<(), String> {
    let frames = list(data, "frames");
    if frames.len() > 1 {
        return Err(format!("{} frames; at most one", frames.len()));
    }
    let mut regions: Vec<&Value> = list(data, "regions").iter().collect();
    check_concepts(data)?;
    for frame in frames {
        if let Some(inside) = frame.get("data").and_then(Value::as_object) {
            check_concepts(inside)?;
            regions.extend(list(inside, "regions"));
        }
    }
    if regions.len() > 1 {
        return Err(format!("{} regions; at most one", regions.len()));
    }
    for region in regions {
        if let Some(inside) = region.get("data").and_then(Value::as_object) {
            check_concepts(inside)?;
        }
        if let Some(place) = region.get("region_info").and_then(Value::as_object) {
            check_place(place)?;
        }
    }
    Ok(())
}

fn check_concepts(data: &Map<String, Value>) -> Result<(), String> {
    for concept in list(data, "concepts") {
        let id = concept.get("id").and_then(Value::as_str).unwrap_or("");
        if id.is_empty() {
            return Err("a concept has no id".to_owned());
        }
        fraction(concept, "value").map_err(|problem| format!("concept `{id}`: {problem}"))?;
    }
    Ok(())
}

fn check_place(place: &Map<String, Value>) -> Result<(), String> {
    if let Some(edges) = place.get("bounding_box") {
        let [top, left] = [fraction(edges, "top_row")?, fraction(edges, "left_col")?];
        let [bottom, right] = [
            fraction(edges, "bottom_row")?,
            fraction(edges, "right_col")?,
        ];
        if top > bottom || left > right {
            return Err("the edges of a box are out of order".to_owned());
        }
    }
    let points = place.get("polygon").and_then(Value::as_object);
    let points = points.map_or(&[][..], |polygon| list(polygon, "points"));
    let keypoints = list(place, "keypoint_locations");
    for point in points.iter().chain(keypoints).chain(place.get("point")) {
        fraction(point, "row")?;
        fraction(point, "col")?;
    }
    Ok(())
}

fn fraction(object: &Value, name: &str) -> Result<f64, String> {
    let number = object.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    if (0.0..=1.0).contains(&number) {
        Ok(number)
    } else {
        Err(format!("`{name}` is {number}; it lies in 0..1"))
    }
}

fn list<'a>(object: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    object
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Gives every region, frame and time segment without an id one.
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
                // In front, where every answer of the service has it.
                part.shift_insert(0, "id".to_owned(), Value::String(new_id()?));
            }
            if let Some(Value::Object(inside)) = part.get_mut("data") {
                name_parts(inside, new_id)?;
            }
        }
    }
    Ok(())
}

/// Whether nothing is left of an annotation's data but empty lists and objects.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().all(is_empty),
        Value::Object(members) => members.values().all(is_empty),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn prepared(value: Value, missing: MissingValue) -> Result<Value, String> {
        let Value::Object(mut object) = value else {
            panic!("not an object")
        };
        prepare(&mut object, missing)?;
        Ok(Value::Object(object))
    }

    #[test]
    fn floats_have_32_bits_and_free_objects_are_left_alone() {
        let sent = json!({"data": {
            "regions": [{"region_info": {"bounding_box": {"top_row": 0.100_000_001_490_116_12, "left_col": "0.25", "right_col": 1}}}],
            "concepts": [{"id": "a", "value": 0.333_333_333_333}],
            "metadata": {"x": 0.333_333_333_333, "top_row": "north", "n": null},
        }, "annotation_info": {"y": 0.333_333_333_333}});
        let stored = json!({"data": {
            "regions": [{"region_info": {"bounding_box": {"top_row": 0.1, "left_col": 0.25, "right_col": 1.0}}}],
            "concepts": [{"id": "a", "value": 0.333_333_34}],
            "metadata": {"x": 0.333_333_333_333, "top_row": "north", "n": null},
        }, "annotation_info": {"y": 0.333_333_333_333}});
        assert_eq!(prepared(sent, MissingValue::One), Ok(stored));
    }

    #[test]
    fn a_concept_without_a_value_is_present() {
        let sent = json!({"data": {"concepts": [{"id": "a"}, {"id": "b", "value": null}, {"id": "c", "value": 0}]}});
        assert_eq!(
            prepared(sent.clone(), MissingValue::One).unwrap()["data"]["concepts"],
            json!([{"id": "a", "value": 1.0}, {"id": "b", "value": 1.0}, {"id": "c", "value": 0.0}])
        );
        assert_eq!(
            prepared(sent, MissingValue::Nothing).unwrap()["data"]["concepts"],
            json!([{"id": "a"}, {"id": "b"}, {"id": "c", "value": 0.0}])
        );
    }

    #[test]
    fn what_is_no_annotation_at_all_is_refused() {
        for bad in [
            json!({"data": []}),
            json!({"data": {"concepts": {}}}),
            json!({"data": {"concepts": ["car"]}}),
            json!({"data": {"concepts": [{"id": 7}]}}),
            json!({"data": {"concepts": [{"id": "a", "value": "much"}]}}),
            json!({"data": {"concepts": [{"id": "a", "value": 1e300}]}}),
            json!({"data": {"regions": [{"region_info": {"bounding_box": {"top_row": true}}}]}}),
            json!({"data": {"metadata": 3}}),
        ] {
            assert!(prepared(bad.clone(), MissingValue::One).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_limits_of_an_annotation_are_checked() {
        let region = |place: Value| json!({"regions": [{"region_info": place}]});
        let edges = |top: f64, left: f64, bottom: f64, right: f64| {
            region(
                json!({"bounding_box": {"top_row": top, "left_col": left, "bottom_row": bottom, "right_col": right}}),
            )
        };
        let table = [
            (edges(0.0, 0.0, 1.0, 1.0), true),
            (edges(0.5, 0.1, 0.4, 0.9), false),
            (edges(0.1, 0.9, 0.4, 0.5), false),
            (edges(-0.1, 0.0, 0.5, 0.5), false),
            (edges(0.0, 0.0, 0.5, 1.1), false),
            (
                region(json!({"polygon": {"points": [{"row": 0.5, "col": 1.5}]}})),
                false,
            ),
            (region(json!({"point": {"row": 2.0}})), false),
            (
                region(json!({"keypoint_locations": [{"col": -1.0}]})),
                false,
            ),
            (json!({"regions": [{}, {}]}), false),
            (json!({"frames": [{}, {}]}), false),
            (json!({"frames": [{"data": {"regions": [{}]}}]}), true),
            (json!({"frames": [{"data": {"regions": [{}, {}]}}]}), false),
            (json!({"concepts": [{"id": "a", "value": 1.5}]}), false),
            (json!({"concepts": [{"value": 1.0}]}), false),
            (
                json!({"regions": [{"data": {"concepts": [{"id": "a", "value": -0.5}]}}]}),
                false,
            ),
            (json!({}), true),
        ];
        for (data, valid) in table {
            assert_eq!(check(data.as_object().unwrap()).is_ok(), valid, "{data}");
        }
    }

    #[test]
    fn parts_without_an_id_get_one_and_others_keep_theirs() {
        let Value::Object(mut data) =
            json!({"regions": [{"id": "r"}], "frames": [{"data": {"regions": [{}]}}]})
        else {
            panic!("not an object")
        };
        let mut count = 0;
        let mut next = || {
            count += 1;
            Ok::<_, ()>(format!("n{count}"))
        };
        name_parts(&mut data, &mut next).unwrap();
        assert_eq!(
            Value::Object(data),
            json!({"regions": [{"id": "r"}], "frames": [{"id": "n1", "data": {"regions": [{"id": "n2"}]}}]})
        );
    }

    #[test]
    fn data_is_empty_when_only_empty_lists_are_left() {
        assert!(is_empty(&json!({"concepts": [], "regions": [{}]})));
        assert!(!is_empty(&json!({"concepts": [{"id": "a"}]})));
    }
}
