//! Whether an annotation is still as a plan saw it, already as the plan wants it, or neither.

use super::types::{Action, Operation};
use crate::model::{ObservedAnnotation, difference, fingerprint};

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
        (_, Some(now)) if Some(fingerprint(now)) == operation.fingerprint => Freshness::AsPlanned,
        (_, Some(now)) if is_as_wanted(operation, now) => Freshness::AsWanted,
        _ => Freshness::Stale,
    }
}

/// Whether what is there now is what the operation is to bring about.
pub fn is_as_wanted(operation: &Operation, now: &ObservedAnnotation) -> bool {
    operation
        .after
        .as_ref()
        .is_some_and(|after| difference(after, now).is_empty())
}
