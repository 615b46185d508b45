//! The effect of a PATCH on a stored object, according to the API's documentation on patching.
//!
//! Permissions and the validity of the result are checked in `write`.

use serde_json::{Map, Value};
use std::collections::HashMap;

/// The `action` of a PATCH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Adds values, or replaces those with the same name or id.
    Merge,
    /// Replaces the stored values; `data` is removed even if none is given.
    Overwrite,
    /// Removes list elements by id.
    Remove,
}

impl Action {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "merge" => Some(Self::Merge),
            "overwrite" => Some(Self::Overwrite),
            "remove" => Some(Self::Remove),
            _ => None,
        }
    }
}

/// Applies `patch` to `stored`, the patchable fields of an annotation (`data`, `annotation_info`, …).
pub fn apply(action: Action, stored: &mut Map<String, Value>, patch: &Map<String, Value>) {
    if action == Action::Overwrite && !patch.contains_key("data") {
        stored.insert("data".to_owned(), Value::Object(Map::new()));
    }
    apply_to_fields(action, stored, patch);
}

/// Applies `patch` to `stored`, field by field.
pub(super) fn apply_to_fields(
    action: Action,
    stored: &mut Map<String, Value>,
    patch: &Map<String, Value>,
) {
    match action {
        Action::Merge => merge_object(stored, patch),
        Action::Remove => remove_from_object(stored, patch),
        Action::Overwrite => {
            for (name, value) in patch {
                stored.insert(name.clone(), value.clone());
            }
        }
    }
}

fn merge_object(stored: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, new) in patch {
        match (stored.get_mut(name), new) {
            (_, Value::Null) => {}
            (Some(Value::Object(old)), Value::Object(new)) if !new.is_empty() => {
                merge_object(old, new);
            }
            (Some(Value::Array(old)), Value::Array(new)) if !new.is_empty() => {
                merge_list(name, old, new);
            }
            (Some(old), new) => *old = new.clone(),
            (None, new) => {
                stored.insert(name.clone(), new.clone());
            }
        }
    }
}

fn merge_list(name: &str, stored: &mut Vec<Value>, patch: &[Value]) {
    let mut places = places(stored);
    for element in patch {
        let place = match id_of(element) {
            Some(id) => places.get(id).copied(),
            // An annotation has at most one region and one frame, so one without an id must be the stored one. A test
            // of the official SDK changes a box this way.
            None if matches!(name, "regions" | "frames") && stored.len() == 1 => Some(0),
            None => None,
        };
        match (place.map(|place| &mut stored[place]), element) {
            (Some(Value::Object(old)), Value::Object(new)) => merge_object(old, new),
            (Some(old), new) => *old = new.clone(),
            (None, new) => {
                if let Some(id) = id_of(new) {
                    places.insert(id.to_owned(), stored.len());
                }
                stored.push(new.clone());
            }
        }
    }
}

fn remove_from_object(stored: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, named) in patch {
        match (stored.get_mut(name), named) {
            (Some(Value::Object(old)), Value::Object(named)) => remove_from_object(old, named),
            (Some(Value::Array(old)), Value::Array(named)) => remove_from_list(old, named),
            // The documented rules for scalars are odd, and no client depends on them.
            _ => {}
        }
    }
}

fn remove_from_list(stored: &mut Vec<Value>, named: &[Value]) {
    let places = places(stored);
    let mut gone = vec![false; stored.len()];
    for element in named {
        let Some(place) = id_of(element).and_then(|id| places.get(id).copied()) else {
            continue;
        };
        match (&mut stored[place], element) {
            // The element has elements to remove itself, so it is kept.
            (Value::Object(old), Value::Object(element)) if holds_more(element) => {
                remove_from_object(old, element);
            }
            _ => gone[place] = true,
        }
    }
    let mut gone = gone.into_iter();
    stored.retain(|_| !gone.next().unwrap_or(false));
}

fn holds_more(element: &Map<String, Value>) -> bool {
    element.values().any(|v| v.is_object() || v.is_array())
}

fn places(list: &[Value]) -> HashMap<String, usize> {
    let ids = list.iter().enumerate();
    ids.filter_map(|(place, element)| Some((id_of(element)?.to_owned(), place)))
        .collect()
}

fn id_of(element: &Value) -> Option<&str> {
    element
        .get("id")
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    type Row = (&'static str, Value, Action, Value, Value);

    /// Each row: what it shows, the stored object, the action, the patch, the result.
    fn check(table: impl IntoIterator<Item = Row>) {
        for (name, stored, action, patch, expected) in table {
            let mut result = stored.as_object().unwrap().clone();
            apply(action, &mut result, patch.as_object().unwrap());
            assert_eq!(Value::Object(result), expected, "{name}");
        }
    }

    fn region(id: &str, top: f64) -> Value {
        json!({
            "id": id,
            "region_info": {"bounding_box": {"top_row": top, "left_col": 0.1}},
            "data": {"concepts": [{"id": "car", "value": 1.0}, {"id": "van", "value": 1.0}]},
        })
    }

    fn boxed() -> Value {
        json!({"data": {"regions": [region("r", 0.1)]}})
    }

    #[test]
    fn merge_follows_its_rules() {
        check([
            (
                "merge: a scalar replaces",
                json!({"text": "a"}),
                Action::Merge,
                json!({"text": "b"}),
                json!({"text": "b"}),
            ),
            (
                "merge: a new member is added",
                json!({"data": {}}),
                Action::Merge,
                json!({"annotation_info": {"a": 1}}),
                json!({"data": {}, "annotation_info": {"a": 1}}),
            ),
            (
                "merge: objects are merged deep",
                json!({"data": {"metadata": {"a": {"x": 1, "y": 2}, "b": 1}}}),
                Action::Merge,
                json!({"data": {"metadata": {"a": {"y": 3}, "c": 4}}}),
                json!({"data": {"metadata": {"a": {"x": 1, "y": 3}, "b": 1, "c": 4}}}),
            ),
            (
                "merge: a known id is merged into its element",
                json!({"data": {"concepts": [{"id": "a", "value": 1.0, "name": "A"}, {"id": "b", "value": 1.0}]}}),
                Action::Merge,
                json!({"data": {"concepts": [{"id": "a", "value": 0.0}]}}),
                json!({"data": {"concepts": [{"id": "a", "value": 0.0, "name": "A"}, {"id": "b", "value": 1.0}]}}),
            ),
            (
                "merge: an unknown id is added",
                json!({"data": {"concepts": [{"id": "a", "value": 1.0}]}}),
                Action::Merge,
                json!({"data": {"concepts": [{"id": "b", "value": 1.0}]}}),
                json!({"data": {"concepts": [{"id": "a", "value": 1.0}, {"id": "b", "value": 1.0}]}}),
            ),
            (
                "merge: an unknown id given twice is added once, with the later value",
                json!({"data": {"concepts": [{"id": "a"}]}}),
                Action::Merge,
                json!({"data": {"concepts": [{"id": "b", "value": 1.0}, {"id": "b", "value": 0.0}]}}),
                json!({"data": {"concepts": [{"id": "a"}, {"id": "b", "value": 0.0}]}}),
            ),
            (
                "merge: a list without ids is appended to",
                json!({"data": {"metadata": {"tags": ["x"]}}}),
                Action::Merge,
                json!({"data": {"metadata": {"tags": ["y", "x"]}}}),
                json!({"data": {"metadata": {"tags": ["x", "y", "x"]}}}),
            ),
            (
                "merge: an empty list replaces",
                json!({"data": {"concepts": [{"id": "a"}], "text": {"raw": "t"}}}),
                Action::Merge,
                json!({"data": {"concepts": []}}),
                json!({"data": {"concepts": [], "text": {"raw": "t"}}}),
            ),
            (
                "merge: an empty object replaces",
                json!({"data": {"metadata": {"a": 1}, "concepts": [{"id": "a"}]}}),
                Action::Merge,
                json!({"data": {"metadata": {}}}),
                json!({"data": {"metadata": {}, "concepts": [{"id": "a"}]}}),
            ),
            (
                "merge: null does nothing",
                json!({"data": {"concepts": [{"id": "a"}]}, "annotation_info": {"a": 1}}),
                Action::Merge,
                json!({"data": {"concepts": null}, "annotation_info": null, "text": null}),
                json!({"data": {"concepts": [{"id": "a"}]}, "annotation_info": {"a": 1}}),
            ),
        ]);
    }

    #[test]
    fn merge_of_a_region_follows_its_rules() {
        check([
            (
                "merge: nested concepts of a region named by its id",
                boxed(),
                Action::Merge,
                json!({"data": {"regions": [{"id": "r", "data": {"concepts": [{"id": "car", "value": 0.0}, {"id": "bus", "value": 1.0}]}}]}}),
                json!({"data": {"regions": [{"id": "r", "region_info": {"bounding_box": {"top_row": 0.1, "left_col": 0.1}}, "data": {"concepts": [{"id": "car", "value": 0.0}, {"id": "van", "value": 1.0}, {"id": "bus", "value": 1.0}]}}]}}),
            ),
            (
                "merge: a region without id is the stored one",
                boxed(),
                Action::Merge,
                json!({"data": {"regions": [{"region_info": {"bounding_box": {"top_row": 0.2}}}]}}),
                json!({"data": {"regions": [region("r", 0.2)]}}),
            ),
            (
                "merge: a region with another id is added",
                boxed(),
                Action::Merge,
                json!({"data": {"regions": [{"id": "s"}]}}),
                json!({"data": {"regions": [region("r", 0.1), {"id": "s"}]}}),
            ),
            (
                "merge: value and track of a region are scalars",
                json!({"data": {"regions": [{"id": "r", "value": 0.5, "track_id": "t1", "region_info": {"point": {"row": 0.1}}}]}}),
                Action::Merge,
                json!({"data": {"regions": [{"id": "r", "value": 0.9, "track_id": "t2"}]}}),
                json!({"data": {"regions": [{"id": "r", "value": 0.9, "track_id": "t2", "region_info": {"point": {"row": 0.1}}}]}}),
            ),
            (
                "merge: text is an object, of a region as of the whole",
                json!({"data": {"text": {"raw": "a", "url": "u"}, "regions": [{"id": "r", "data": {"text": {"raw": "b"}}}]}}),
                Action::Merge,
                json!({"data": {"text": {"raw": "c"}, "regions": [{"id": "r", "data": {"text": {"raw": "d"}}}]}}),
                json!({"data": {"text": {"raw": "c", "url": "u"}, "regions": [{"id": "r", "data": {"text": {"raw": "d"}}}]}}),
            ),
            (
                "merge: a segment is identified by its id",
                json!({"data": {"time_segments": [{"id": "s", "time_info": {"begin_time": 1.0, "end_time": 2.0}, "data": {"concepts": [{"id": "a"}]}}]}}),
                Action::Merge,
                json!({"data": {"time_segments": [{"id": "s", "time_info": {"end_time": 3.0}, "data": {"concepts": [{"id": "b"}]}}]}}),
                json!({"data": {"time_segments": [{"id": "s", "time_info": {"begin_time": 1.0, "end_time": 3.0}, "data": {"concepts": [{"id": "a"}, {"id": "b"}]}}]}}),
            ),
            (
                "merge: a segment without id is added",
                json!({"data": {"time_segments": [{"id": "s"}]}}),
                Action::Merge,
                json!({"data": {"time_segments": [{"time_info": {"end_time": 3.0}}]}}),
                json!({"data": {"time_segments": [{"id": "s"}, {"time_info": {"end_time": 3.0}}]}}),
            ),
            (
                "merge: keypoints are a list without ids",
                json!({"data": {"regions": [{"id": "r", "region_info": {"keypoint_locations": [{"row": 0.1, "visibility": 1}]}}]}}),
                Action::Merge,
                json!({"data": {"regions": [{"id": "r", "region_info": {"keypoint_locations": [{"row": 0.2}]}}]}}),
                json!({"data": {"regions": [{"id": "r", "region_info": {"keypoint_locations": [{"row": 0.1, "visibility": 1}, {"row": 0.2}]}}]}}),
            ),
            (
                "merge: the points of a polygon are a list without ids",
                json!({"data": {"regions": [{"id": "r", "region_info": {"polygon": {"points": [{"row": 0.1, "col": 0.1}]}}}]}}),
                Action::Merge,
                json!({"data": {"regions": [{"id": "r", "region_info": {"polygon": {"points": [{"row": 0.2, "col": 0.2}]}}}]}}),
                json!({"data": {"regions": [{"id": "r", "region_info": {"polygon": {"points": [{"row": 0.1, "col": 0.1}, {"row": 0.2, "col": 0.2}]}}}]}}),
            ),
        ]);
    }

    #[test]
    fn remove_follows_its_rules() {
        check([
            (
                "remove: elements with these ids are removed",
                json!({"data": {"concepts": [{"id": "a"}, {"id": "b"}, {"id": "c"}]}}),
                Action::Remove,
                json!({"data": {"concepts": [{"id": "c"}, {"id": "a", "value": 1.0}, {"id": "x"}]}}),
                json!({"data": {"concepts": [{"id": "b"}]}}),
            ),
            (
                "remove: a region with concepts loses only these",
                boxed(),
                Action::Remove,
                json!({"data": {"regions": [{"id": "r", "data": {"concepts": [{"id": "car"}]}}]}}),
                json!({"data": {"regions": [{"id": "r", "region_info": {"bounding_box": {"top_row": 0.1, "left_col": 0.1}}, "data": {"concepts": [{"id": "van", "value": 1.0}]}}]}}),
            ),
            (
                "remove: a region with its id only is removed",
                boxed(),
                Action::Remove,
                json!({"data": {"regions": [{"id": "r"}]}}),
                json!({"data": {"regions": []}}),
            ),
            (
                "remove: empty lists remove nothing",
                boxed(),
                Action::Remove,
                json!({"data": {"concepts": [], "regions": []}, "annotation_info": {"a": 1}}),
                boxed(),
            ),
        ]);
    }

    #[test]
    fn overwrite_follows_its_rules() {
        check([
            (
                "overwrite: data is replaced",
                json!({"data": {"concepts": [{"id": "a"}], "metadata": {"a": 1}}, "annotation_info": {"a": 1}}),
                Action::Overwrite,
                json!({"data": {"concepts": [{"id": "b"}]}}),
                json!({"data": {"concepts": [{"id": "b"}]}, "annotation_info": {"a": 1}}),
            ),
            (
                "overwrite: without data, data is emptied",
                json!({"data": {"concepts": [{"id": "a"}]}}),
                Action::Overwrite,
                json!({}),
                json!({"data": {}}),
            ),
            (
                "overwrite: other fields are replaced if given",
                json!({"data": {}, "annotation_info": {"a": 1, "b": 2}}),
                Action::Overwrite,
                json!({"data": {}, "annotation_info": {"a": 3}}),
                json!({"data": {}, "annotation_info": {"a": 3}}),
            ),
            (
                "overwrite: a region with its id keeps it",
                boxed(),
                Action::Overwrite,
                json!({"data": {"regions": [region("r", 0.5)]}}),
                json!({"data": {"regions": [region("r", 0.5)]}}),
            ),
        ]);
    }

    #[test]
    fn unknown_actions_are_rejected() {
        assert_eq!(Action::parse("merge"), Some(Action::Merge));
        assert_eq!(Action::parse("MERGE"), None);
        assert_eq!(Action::parse(""), None);
    }
}
