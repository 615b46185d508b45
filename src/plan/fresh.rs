//! Compares an annotation with what a plan saw and with what the plan wants.

use super::operation::{Action, Operation};
use crate::model::{Geometry, ObservedAnnotation, difference, fingerprint, is_exactly};

/// The state of an annotation just before its write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// As the plan saw it: write.
    AsPlanned,
    /// The original of a replacement is deleted: only its post is left to do.
    HalfReplaced,
    /// As the plan wants it: nothing left to do.
    AsWanted,
    /// Changed by somebody else: write nothing.
    Stale,
}

/// `now` is `None` if the annotation does not exist.
pub fn freshness(operation: &Operation, now: Option<&ObservedAnnotation>) -> Freshness {
    match (operation.action(), now) {
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
/// An operation of an undo may have no fingerprint, because the apply has not written the annotation yet. The
/// annotation must then equal `before` in every field, and must have no geometry that annosync does not model.
fn is_as_seen(operation: &Operation, now: &ObservedAnnotation) -> bool {
    match (operation.fingerprint(), operation.before()) {
        (Some(seen), _) => fingerprint(now) == seen,
        (None, Some(before)) => now.geometry != Geometry::Unmodelled && is_exactly(before, now),
        (None, None) => false,
    }
}

/// Whether the annotation is as after the operation: in the managed fields, or, for an undo, in all fields.
pub fn is_as_wanted(operation: &Operation, now: &ObservedAnnotation) -> bool {
    operation.after().is_some_and(|after| {
        if operation.is_undo() {
            is_exactly(after, now)
        } else {
            difference(after, now).is_empty()
        }
    })
}
