//! Whether an annotation is still as a plan saw it, already as the plan wants it, or neither.

use super::types::{Action, Operation, Reason};
use crate::model::{Geometry, ObservedAnnotation, difference, fingerprint, is_exactly};

/// What an operation finds when it looks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// As the plan saw it: go ahead.
    AsPlanned,
    /// A replacement whose original is gone; what is left to do is its post.
    HalfReplaced,
    /// As the plan wants it: nothing left to do.
    AsWanted,
    /// Something else: somebody changed it, and nothing of it is written.
    Stale,
}

/// Holds an operation against what is there now; `None` is an annotation that is not there.
pub fn freshness(operation: &Operation, now: Option<&ObservedAnnotation>) -> Freshness {
    match (operation.action, now) {
        (Action::Post, None) => Freshness::AsPlanned,
        (Action::Delete, None) => Freshness::AsWanted,
        (Action::Replace, None) => Freshness::HalfReplaced,
        (_, Some(now)) if is_as_seen(operation, now) => Freshness::AsPlanned,
        (_, Some(now)) if is_as_wanted(operation, now) => Freshness::AsWanted,
        _ => Freshness::Stale,
    }
}

/// Whether an annotation is what the operation was planned for.
///
/// What an apply will make of an annotation has no fingerprint before it is made, so that an operation that undoes it may
/// have none: then the annotation must be all of `before` and nothing more, and everything about it must be known.
fn is_as_seen(operation: &Operation, now: &ObservedAnnotation) -> bool {
    match (&operation.fingerprint, &operation.before) {
        (Some(seen), _) => fingerprint(now) == *seen,
        (None, Some(before)) => {
            operation.reason == Reason::Undone
                && now.geometry != Geometry::Unmodelled
                && is_exactly(before, now)
        }
        (None, None) => false,
    }
}

/// Whether what is there now is what the operation is to bring about: in the fields that are managed, or, of an undo,
/// altogether.
pub fn is_as_wanted(operation: &Operation, now: &ObservedAnnotation) -> bool {
    operation.after.as_ref().is_some_and(|after| {
        if operation.reason == Reason::Undone {
            is_exactly(after, now)
        } else {
            difference(after, now).is_empty()
        }
    })
}
