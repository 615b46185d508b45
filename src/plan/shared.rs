//! Deletes that share a call with removals, if that saves a call: the last call of removals often has room for the
//! last few deletes.
//!
//! A removal of all concepts with `delete_if_empty_data` deletes an annotation that holds nothing else. The flag
//! would also delete any other annotation of the call that somebody empties at the same moment. The other removals
//! must therefore each leave data besides concepts.

use super::batch::Call;
use super::batch::{MAX_BYTES, MAX_ITEMS, pack, size, size_of_body};
use super::operation::{Action, Operation};
use crate::model::{
    AnnotationId, Concepts, Content, Geometry, InputId, Json, Maker, ObservedAnnotation,
    ObservedState,
};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// Gives the deletes that join the last call of removals their size, if that saves a call.
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
        if operation.action() == Action::Delete
            && !operation.is_clean_up()
            && let Some(body) = stored
                .get(operation)
                .and_then(|annotation| whole_removal(&operation.input_id, annotation))
        {
            bytes += body.as_str().len() + 1;
            riders.push((at, size_of_body(&body)));
        }
    }
    if riders.len() < needed || bytes > MAX_BYTES {
        return;
    }
    let places: Vec<usize> = riders.iter().map(|(at, _)| *at).collect();
    for (at, size) in riders {
        operations[at].bytes = size;
    }
    // Calls that are split by size may not become fewer.
    if pack(operations, &[]).len() >= apart.len() {
        for at in places {
            operations[at].bytes = 0;
        }
    }
}

/// Whether an annotation holds data besides concepts: a region, a frame, a text, metadata. Protobuf's default values
/// do not count.
pub fn outlasts(stored: &ObservedAnnotation) -> bool {
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

/// The removal of all that an annotation holds; `None` if it holds more than concepts, or concepts without an id.
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

/// Whether a delete shows an annotation that holds nothing but concepts.
pub(super) fn is_whole_removal(delete: &Operation) -> bool {
    matches!(delete.before(), Some(Content {
        frame: None,
        geometry: None,
        concepts: Some(concepts),
        metadata: None,
        ..
    }) if !concepts.is_empty())
}

/// Finds the observed annotations of operations. Indexes the annotations of one input at a time, because operations
/// are sorted by input.
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
