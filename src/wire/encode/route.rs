//! Finds what a nested patch can reach: the path of ids from an annotation's `data` to the region, frame or segment
//! that holds its concepts.

use super::json::Object;
use crate::model::{ObservedAnnotation, PackedJson};
use serde_json::{Map, Value, json};

/// Whether the stored `data` has several places. The API documents one region and one frame; a manifest cannot
/// declare more, and a write of one place would lose the others.
pub(crate) fn has_several_places(observed: &ObservedAnnotation) -> bool {
    let data = (observed.data.as_ref()).map_or(Value::Null, PackedJson::to_value);
    let count = |of: &Value, list: &str| of[list].as_array().map_or(0, Vec::len);
    let inside: usize = ["frames", "time_segments", "tracks"]
        .iter()
        .flat_map(|list| data[*list].as_array().into_iter().flatten())
        .map(|part| count(&part["data"], "regions"))
        .sum();
    let around = ["frames", "time_segments", "tracks"]
        .map(|list| count(&data, list))
        .iter()
        .sum::<usize>();
    let regions = count(&data, "regions");
    around > 1 || regions + inside > 1 || (around > 0 && regions > 0)
}

/// The path to the concepts and the text in the stored `data`.
pub(crate) struct Route {
    /// The list of the outer level.
    list: &'static str,
    outer: Step,
    region: Step,
    text: Value,
}

/// A level between `data` and the concepts.
#[derive(PartialEq)]
enum Step {
    Absent,
    /// A level without an id, which a patch cannot name.
    Nameless,
    /// A level with this id.
    Named(String),
}

impl Step {
    fn of(element: Option<&Value>) -> Self {
        match element.map(|element| element["id"].as_str()) {
            None => Self::Absent,
            Some(None | Some("")) => Self::Nameless,
            Some(Some(id)) => Self::Named(id.to_owned()),
        }
    }
}

impl Route {
    /// The path to the innermost level: the region, else the frame, else the segment, else `data` itself.
    pub(crate) fn of(observed: &ObservedAnnotation) -> Self {
        let data = (observed.data.as_ref()).map_or(Value::Null, PackedJson::to_value);
        let frame = data["frames"].get(0);
        let region = frame.map_or(&data, |frame| &frame["data"])["regions"].get(0);
        let segment = data["time_segments"].get(0);
        let (list, outer) = match (frame, region, segment) {
            (Some(frame), ..) => ("frames", Some(frame)),
            (None, None, Some(segment)) => ("time_segments", Some(segment)),
            (None, ..) => ("frames", None),
        };
        let innermost = region.or(outer).map_or(&data, |part| &part["data"]);
        Self {
            list,
            outer: Step::of(outer),
            region: Step::of(region),
            text: innermost["text"].clone(),
        }
    }

    /// Whether a nested patch can reach the innermost level: all levels have ids.
    pub(crate) fn is_addressable(&self) -> bool {
        self.outer != Step::Nameless && self.region != Step::Nameless
    }

    pub(crate) fn has_region(&self) -> bool {
        self.region != Step::Absent
    }

    /// Whether the stored text has fields besides its words, such as its place: a merge would keep them beside other
    /// words.
    pub(crate) fn has_more_than_words(&self) -> bool {
        let would_post_empty =
            |value: &Value| value.is_null() || *value == "" || *value == json!({});
        self.text.as_object().is_some_and(|text| {
            text.iter()
                .any(|(field, value)| field != "raw" && !would_post_empty(value))
        })
    }

    /// Wraps the innermost data, and fields of the region itself, in their levels.
    pub(super) fn wrap(self, innermost: Object, region: Object) -> Object {
        let mut data = innermost;
        if let Step::Named(id) = self.region {
            let mut part = Map::from_iter([("id".to_owned(), Value::from(id))]);
            part.extend(region);
            if !data.is_empty() {
                part.insert("data".into(), data.into());
            }
            data = Map::from_iter([("regions".to_owned(), json!([part]))]);
        }
        if let Step::Named(id) = self.outer {
            let part = json!({"id": id, "data": data});
            data = Map::from_iter([(self.list.to_owned(), json!([part]))]);
        }
        data
    }
}
