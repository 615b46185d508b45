//! Deletes that share a call with removals, where that saves a call: the last few deletes take a call of their own,
//! and the last call of removals often has room for them.
//!
//! A removal of all concepts with `delete_if_empty_data` deletes an annotation that holds nothing else. The same flag
//! would delete any other annotation of the call that somebody empties at that very moment; so the removals beside
//! it must each leave something that is no concept.

use super::batch::{MAX_BYTES, MAX_ITEMS, pack, size};
use super::stand_in::is_clean_up;
use super::types::{Action, Call, Operation};
use crate::model::{
    AnnotationId, Concepts, Content, Geometry, InputId, Json, Maker, ObservedAnnotation,
    ObservedState,
};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// Gives the deletes that ride in the last call of removals their size there, if that saves a call.
pub(super) fn share(operations: &mut [Operation], observed: &ObservedState) {
    let apart = pack(operations, &[]);
    let last = |call| apart.iter().rfind(|batch| batch.call == call);
    let (Some(removals), Some(deletes)) = (last(Call::Remove), last(Call::Delete)) else {
        return;
    };
    let needed = deletes.operations.len();
    if removals.operations.len() + needed > MAX_ITEMS {
        return;
    }
    let mut stored = Stored::of(observed);
    let mut bytes = 0;
    for &at in &removals.operations {
        let operation = &operations[at as usize];
        bytes += size(Call::RemoveOrDelete, operation);
        if !stored.get(operation).is_some_and(outlasts) {
            return;
        }
    }
    let mut riders = Vec::with_capacity(needed);
    for (at, operation) in operations.iter().enumerate().rev() {
        if riders.len() == needed {
            break;
        }
        if operation.action == Action::Delete
            && !is_clean_up(operation)
            && let Some(body) = stored
                .get(operation)
                .and_then(|annotation| whole_removal(&operation.input_id, annotation))
        {
            bytes += body.as_str().len() + 1;
            riders.push((at, super::input::size(&body)));
        }
    }
    if riders.len() < needed || bytes > MAX_BYTES {
        return;
    }
    let places: Vec<usize> = riders.iter().map(|(at, _)| *at).collect();
    for (at, size) in riders {
        operations[at].bytes = size;
    }
    // Calls that are split by their bytes may not close the gap that the riders leave.
    if pack(operations, &[]).len() >= apart.len() {
        for at in places {
            operations[at].bytes = 0;
        }
    }
}

/// Whether a removal of concepts leaves something of an annotation, whatever becomes of its concepts: a region, a frame, a
/// text, metadata. What holds protobuf's defaults alone does not count.
pub fn outlasts(stored: &ObservedAnnotation) -> bool {
    let data = stored.data.as_ref();
    data.is_some_and(|data| holds_more(&data.to_value()))
}

/// Whether there is anything in it beside concepts and protobuf's defaults.
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

/// The removal of all that an annotation holds, if that is nothing but concepts that can be named.
pub(super) fn whole_removal(input: &InputId, annotation: &ObservedAnnotation) -> Option<Json> {
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
    let data: Data = serde_json::from_str(annotation.data.as_ref()?.as_str()).ok()?;
    let named: HashSet<&str> = data.concepts.iter().map(|c| c.id.as_str()).collect();
    let known: HashSet<&str> = annotation.concepts.iter().map(|c| c.id.as_str()).collect();
    let all_named = !named.is_empty() && named == known && named.len() == data.concepts.len();
    all_named.then(|| removal(input, &annotation.id, &annotation.concepts))
}

fn removal(input: &InputId, id: &AnnotationId, concepts: &Concepts) -> Json {
    let named: Value = concepts
        .iter()
        .map(|concept| json!({"id": concept.id.as_str()}))
        .collect();
    Json::from_value(&json!({
        "id": id.as_str(), "input_id": input.as_str(), "data": {"concepts": named},
    }))
}

/// Whether a delete shows an annotation of which a removal of all concepts leaves nothing.
pub(super) fn is_whole_removal(delete: &Operation) -> bool {
    matches!(&delete.before, Some(Content {
        frame: None,
        geometry: None,
        concepts: Some(concepts),
        metadata: None,
        ..
    }) if !concepts.is_empty())
}

/// What was observed of operations. The annotations of one input are put in order once, however many of them are
/// asked for: operations come input by input.
struct Stored<'a> {
    observed: &'a ObservedState,
    input: Option<InputId>,
    annotations: HashMap<&'a AnnotationId, &'a ObservedAnnotation>,
}

impl<'a> Stored<'a> {
    fn of(observed: &'a ObservedState) -> Self {
        Self {
            observed,
            input: None,
            annotations: HashMap::new(),
        }
    }

    fn get(&mut self, operation: &Operation) -> Option<&'a ObservedAnnotation> {
        if self.input.as_ref() != Some(&operation.input_id) {
            let all = self.observed.inputs.get(&operation.input_id);
            self.annotations = all
                .into_iter()
                .flatten()
                .map(|annotation| (&annotation.id, annotation))
                .collect();
            self.input = Some(operation.input_id.clone());
        }
        self.annotations.get(&operation.id).copied()
    }
}
