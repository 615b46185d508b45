//! Deletes that share a call with removals, if that saves a call: the last call of removals often has room for the
//! last few deletes.
//!
//! A removal of all concepts with `delete_if_empty_data` deletes an annotation that holds nothing else. The flag
//! would also delete any other annotation of the call that somebody empties at the same moment. The other removals
//! must therefore each leave data besides concepts.

use super::batch::Call;
use super::batch::{MAX_BYTES, MAX_ITEMS, pack, size, size_of_body};
use super::operation::{Action, Operation};
use crate::model::{AnnotationId, InputId, ObservedAnnotation, ObservedState};
use crate::wire::encode::{outlasts, whole_removal};
use std::collections::HashMap;

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

/// Whether a delete shows an annotation that holds nothing but concepts.
pub(super) fn is_whole_removal(delete: &Operation) -> bool {
    delete.before().is_some_and(|it| {
        it.frame.is_none()
            && it.geometry.is_none()
            && it.concepts.as_ref().is_some_and(|it| !it.is_empty())
            && it.metadata.is_none()
    })
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
