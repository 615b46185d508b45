//! Removals of concepts.

use super::head;
use super::route::Route;
use crate::model::{ConceptId, Difference, Geometry, InputId, Json, Maker, ObservedAnnotation};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// A removal of just the concepts of the difference.
pub(crate) fn remove(
    input: &InputId,
    observed: &ObservedAnnotation,
    difference: &Difference,
) -> Json {
    removal(input, observed, &difference.removed)
}

/// The removal of all that an annotation holds; `None` if it holds more than concepts, or concepts without an id.
pub(crate) fn whole_removal(input: &InputId, annotation: &ObservedAnnotation) -> Option<Json> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Data {
        concepts: Vec<Concept>,
    }
    #[derive(serde::Deserialize)]
    struct Concept {
        id: String,
    }
    if annotation.maker != Maker::User || annotation.geometry != Geometry::Whole {
        return None;
    }
    let data: Data = serde_json::from_str(&annotation.data.as_ref()?.text()).ok()?;
    let named: HashSet<&str> = data.concepts.iter().map(|c| c.id.as_str()).collect();
    let known: HashSet<&str> = annotation.concepts.iter().map(|c| c.id.as_str()).collect();
    let all_named = !named.is_empty() && named == known && named.len() == data.concepts.len();
    let all = annotation.concepts.iter().map(|concept| &concept.id);
    all_named.then(|| removal(input, annotation, all))
}

fn removal<'a>(
    input: &InputId,
    observed: &ObservedAnnotation,
    concepts: impl IntoIterator<Item = &'a ConceptId>,
) -> Json {
    let removed = concepts.into_iter().map(|id| json!({"id": id.as_str()}));
    let innermost = Map::from_iter([("concepts".to_owned(), removed.collect())]);
    let data = Route::of(observed).wrap(innermost, Map::new());
    let mut body = head(input, &observed.id);
    body.insert("data".into(), data.into());
    Json::from_value(&body.into())
}

/// Whether an annotation holds data besides concepts: a region, a frame, a text, metadata. Protobuf's default values
/// do not count.
pub(crate) fn outlasts(stored: &ObservedAnnotation) -> bool {
    let data = stored.data.as_ref();
    data.is_some_and(|data| holds_more(&data.to_value()))
}

fn holds_more(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(holds_more),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name != "concepts" && holds_more(value)),
    }
}
