//! Packing of operations into calls.

use super::operation::{Action, Operation};
use super::planned_input::{Medium, MediumSource, PlannedInput};
use super::purge::Purge;
use super::stand_in;
use crate::model::{InputId, Json};

/// The largest number of annotations in one call.
pub const MAX_ITEMS: usize = 128;
/// The largest body of a call, in bytes. The service's own limit is not documented; its clients stay below this one.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The bytes of a delete in a body, without its two ids.
const PAIR_OVERHEAD: usize = 6;

/// The kinds of calls, in the order in which they are made.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// POST inputs.
    PostInputs,
    /// DELETE stand-ins that earlier runs left behind.
    DeleteLeftBehind,
    /// POST the stand-ins of replacements, before the originals are deleted.
    PostStandIn,
    /// DELETE the originals of replacements, before they are posted again.
    DeleteReplaced,
    /// PATCH with `merge`.
    Merge,
    /// PATCH with `remove`.
    Remove,
    /// PATCH with `overwrite`.
    Overwrite,
    /// POST annotations.
    Post,
    /// PATCH with `remove` and `delete_if_empty_data`: removes concepts, and deletes annotations that hold nothing
    /// else.
    RemoveOrDelete,
    /// DELETE annotations by pairs of ids.
    Delete,
    /// DELETE the stand-ins of finished replacements.
    DeleteStandIn,
    /// DELETE by input ids only: everything on these inputs except their input-level annotations.
    Purge,
    /// DELETE inputs.
    DeleteInputs,
}

/// One call of up to 128 operations.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Batch {
    /// The kind of the call.
    pub call: Call,
    /// Indices into the plan's operations; for a purge, into its purges; for a call about inputs, into its inputs or
    /// deleted inputs.
    pub operations: Vec<u32>,
}

/// The kinds of calls, in the order in which they are made.
const ORDER: [Call; 13] = [
    Call::PostInputs,
    Call::DeleteLeftBehind,
    Call::PostStandIn,
    Call::DeleteReplaced,
    Call::Merge,
    Call::Remove,
    Call::Overwrite,
    Call::Post,
    Call::RemoveOrDelete,
    Call::Delete,
    Call::DeleteStandIn,
    Call::Purge,
    Call::DeleteInputs,
];

/// Whether an operation takes part in a kind of call. Which removals share a call with deletes is known only once
/// calls are filled.
fn takes_part(operation: &Operation, call: Call) -> bool {
    match operation.action() {
        Action::Post => call == Call::Post,
        Action::Merge => call == Call::Merge,
        Action::Remove => call == Call::Remove,
        Action::Overwrite => call == Call::Overwrite,
        Action::Replace if operation.is_unfinished() => {
            matches!(call, Call::Post | Call::DeleteStandIn)
        }
        Action::Replace => matches!(
            call,
            Call::PostStandIn | Call::DeleteReplaced | Call::Post | Call::DeleteStandIn
        ),
        Action::Delete if operation.is_clean_up() => call == Call::DeleteLeftBehind,
        Action::Delete if operation.bytes > 0 => call == Call::RemoveOrDelete,
        Action::Delete => call == Call::Delete,
    }
}

/// Fills calls across inputs, in the order in which they are made; operations keep their order within a kind. Deletes with
/// `bytes` above 0 are sent with the last removals, as one `RemoveOrDelete` call.
pub(super) fn pack(operations: &[Operation], purges: &[Purge]) -> Vec<Batch> {
    let of_call = |call: Call| {
        let items = operations.iter().enumerate();
        let items = items.filter(move |(_, operation)| takes_part(operation, call));
        items.map(move |(at, operation)| (at, size(call, operation)))
    };
    let mut removals = fill(Call::Remove, of_call(Call::Remove));
    let mut shared = Vec::new();
    let riders: Vec<u32> = of_call(Call::RemoveOrDelete)
        .map(|(at, _)| at as u32)
        .collect();
    if !riders.is_empty() {
        let last = removals.pop().map(|batch| batch.operations);
        let mut operations = [last.unwrap_or_default(), riders].concat();
        operations.sort_unstable();
        shared.push(Batch {
            call: Call::RemoveOrDelete,
            operations,
        });
    }
    let mut batches = Vec::new();
    for call in ORDER {
        batches.extend(match call {
            Call::Remove => std::mem::take(&mut removals),
            Call::RemoveOrDelete => std::mem::take(&mut shared),
            Call::Purge => {
                let size = |purge: &Purge| purge.input_id.as_str().len() + PAIR_OVERHEAD;
                fill(call, purges.iter().map(size).enumerate())
            }
            _ => fill(call, of_call(call)),
        });
    }
    batches
}

/// Adds the calls that post inputs at the start, and those that delete inputs at the end.
pub(super) fn pack_inputs(batches: &mut Vec<Batch>, inputs: &[PlannedInput], deleted: &[InputId]) {
    let posted = inputs.iter().enumerate().filter(|(_, it)| it.is_posted());
    let posts = fill(
        Call::PostInputs,
        posted.map(|(at, it)| (at, size_of_input(it))),
    );
    batches.splice(0..0, posts);
    let size = |(at, id): (usize, &InputId)| (at, id.as_str().len() + PAIR_OVERHEAD);
    batches.extend(fill(
        Call::DeleteInputs,
        deleted.iter().enumerate().map(size),
    ));
}

/// An upper bound of the bytes of an input in a call's body.
fn size_of_input(input: &PlannedInput) -> usize {
    const FIELDS: usize = 80;
    let medium = |medium: &Medium| {
        FIELDS
            + match &medium.source {
                MediumSource::File { bytes, .. } => (*bytes as usize).div_ceil(3) * 4,
                // Escapes lengthen the text.
                MediumSource::Url { url: text } | MediumSource::Raw { raw: text } => text.len() * 2,
            }
    };
    input.input_id.as_str().len() + FIELDS + input.media.iter().map(medium).sum::<usize>()
}

/// Fills calls of one kind. Items are pairs of index and bytes.
fn fill(call: Call, items: impl Iterator<Item = (usize, usize)>) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut operations: Vec<u32> = Vec::new();
    let mut bytes = 0;
    for (at, size) in items {
        if operations.len() == MAX_ITEMS || (!operations.is_empty() && bytes + size > MAX_BYTES) {
            let operations = std::mem::take(&mut operations);
            batches.push(Batch { call, operations });
            bytes = 0;
        }
        operations.push(at as u32);
        bytes += size;
    }
    if !operations.is_empty() {
        batches.push(Batch { call, operations });
    }
    batches
}

pub(super) fn size(call: Call, operation: &Operation) -> usize {
    let names = operation.id.as_str().len() + operation.input_id.as_str().len();
    match call {
        Call::DeleteStandIn => {
            stand_in::ID_LENGTH + operation.input_id.as_str().len() + PAIR_OVERHEAD
        }
        Call::DeleteLeftBehind | Call::DeleteReplaced | Call::Delete => names + PAIR_OVERHEAD,
        Call::PostStandIn => {
            operation.bytes as usize + operation.id.as_str().len() + stand_in::BODY_OVERHEAD
        }
        _ => operation.bytes as usize + 1,
    }
}

/// The bytes of a body in a call.
pub(super) fn size_of_body(body: &Json) -> u32 {
    u32::try_from(body.as_str().len()).unwrap_or(u32::MAX)
}

/// The smallest possible number of calls: the sum over kinds of n / 128, rounded up. A call that removals and deletes
/// share counts with the removals.
pub(super) fn lower_bound(batches: &[Batch]) -> u64 {
    let count = |call: Call| -> usize {
        let of_kind = batches.iter().filter(|batch| match call {
            Call::Remove => matches!(batch.call, Call::Remove | Call::RemoveOrDelete),
            Call::RemoveOrDelete => false,
            _ => batch.call == call,
        });
        of_kind.map(|batch| batch.operations.len()).sum()
    };
    ORDER
        .into_iter()
        .map(|call| count(call).div_ceil(MAX_ITEMS) as u64)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::{Matched, MatchedBy};
    use crate::model::{AnnotationId, Content, InputId};
    use crate::plan::operation::{Change, DeleteReason, Edit, Observed, Seen};

    fn operation(at: usize, action: Action, bytes: usize) -> Operation {
        let observed = Observed {
            content: Content::default(),
            seen: Seen::default(),
            fingerprint: serde_json::from_str(&format!("\"{at:032x}\"")).unwrap(),
        };
        let edit = Box::new(Edit {
            observed: observed.clone(),
            after: Content::default(),
            matched: Matched::without_measure(MatchedBy::Id),
        });
        let change = match action {
            Action::Delete => Change::Delete {
                observed: Box::new(observed),
                reason: DeleteReason::NotDeclared,
            },
            Action::Replace => Change::Replace(edit),
            Action::Overwrite => Change::Overwrite(edit),
            Action::Remove => Change::Remove(edit),
            Action::Merge => Change::Merge(edit),
            Action::Post => Change::Post {
                after: Content::default(),
                double: None,
            },
        };
        let (input, id) = (
            InputId::new("a").unwrap(),
            AnnotationId::new(format!("{at}")).unwrap(),
        );
        Operation {
            bytes: bytes as u32,
            ..Operation::new(input, id, change)
        }
    }

    #[test]
    fn calls_fill_up_and_keep_their_order() {
        let mut operations: Vec<Operation> =
            (0..300).map(|at| operation(at, Action::Post, 10)).collect();
        operations.extend((300..430).map(|at| operation(at, Action::Delete, 0)));
        operations.push(operation(430, Action::Replace, 10));
        let batches = pack(&operations, &[]);
        let sizes: Vec<(Call, usize)> = batches
            .iter()
            .map(|b| (b.call, b.operations.len()))
            .collect();
        assert_eq!(
            sizes,
            [
                (Call::PostStandIn, 1),
                (Call::DeleteReplaced, 1),
                (Call::Post, 128),
                (Call::Post, 128),
                (Call::Post, 45),
                (Call::Delete, 128),
                (Call::Delete, 2),
                (Call::DeleteStandIn, 1),
            ]
        );
        assert_eq!(lower_bound(&batches), 8);
        let posts: Vec<u32> = batches
            .iter()
            .filter(|b| b.call == Call::Post)
            .flat_map(|b| b.operations.clone())
            .collect();
        assert!(posts.is_sorted());
    }

    #[test]
    fn no_call_is_larger_than_the_limit_unless_one_annotation_is() {
        let operations: Vec<Operation> = (0..10)
            .map(|at| operation(at, Action::Post, MAX_BYTES / 3))
            .collect();
        let batches = pack(&operations, &[]);
        assert!(batches.iter().all(|batch| batch.operations.len() <= 2));
        assert_eq!(
            batches
                .iter()
                .map(|batch| batch.operations.len())
                .sum::<usize>(),
            10
        );
        assert_eq!(lower_bound(&batches), 1);
        assert_eq!(
            pack(&[operation(0, Action::Post, MAX_BYTES * 2)], &[]).len(),
            1
        );
    }

    fn sizes(batches: &[Batch]) -> Vec<(Call, usize)> {
        let size = |batch: &Batch| (batch.call, batch.operations.len());
        batches.iter().map(size).collect()
    }

    #[test]
    fn deletes_with_a_size_join_the_last_call_of_removals_and_keep_their_order() {
        let mut operations: Vec<Operation> = (0..130)
            .map(|at| operation(at, Action::Remove, 10))
            .collect();
        operations.insert(0, operation(130, Action::Delete, 10));
        operations.extend((131..259).map(|at| operation(at, Action::Delete, 0)));
        operations.push(operation(259, Action::Delete, 10));
        operations.push(operation(260, Action::Post, 10));
        let batches = pack(&operations, &[]);
        assert_eq!(
            sizes(&batches),
            [
                (Call::Remove, 128),
                (Call::Post, 1),
                (Call::RemoveOrDelete, 4),
                (Call::Delete, 128),
            ]
        );
        assert_eq!(batches[2].operations, [0, 129, 130, 259]);
        assert_eq!(lower_bound(&batches), 4);
    }

    #[test]
    fn purges_are_called_last_128_inputs_at_a_time() {
        let purge = |at: usize| Purge {
            input_id: InputId::new(format!("{at}")).unwrap(),
            cause: None,
            needs: None,
            annotations: Vec::new(),
        };
        let purges: Vec<Purge> = (0..129).map(purge).collect();
        let batches = pack(&[operation(0, Action::Delete, 0)], &purges);
        assert_eq!(
            sizes(&batches),
            [(Call::Delete, 1), (Call::Purge, 128), (Call::Purge, 1)]
        );
        assert_eq!(batches[2].operations, [128]);
        assert_eq!(lower_bound(&batches), 3);
    }
}
