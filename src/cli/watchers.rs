//! Several watchers of one run.

use crate::apply::{ItemOutcome, Subject, Watch};
use crate::model::ObservedAnnotation;
use std::sync::Arc;

/// Passes every event to each watcher in order.
#[derive(Debug)]
pub(crate) struct Watchers(Vec<Arc<dyn Watch>>);

impl Watchers {
    /// Skips those that are `None`.
    pub(crate) fn of(watchers: impl IntoIterator<Item = Option<Arc<dyn Watch>>>) -> Self {
        Self(watchers.into_iter().flatten().collect())
    }
}

impl Watch for Watchers {
    fn ended(&self, what: Subject, how: &ItemOutcome) {
        for watcher in &self.0 {
            watcher.ended(what, how);
        }
    }

    fn waiting(&self, inputs: u64) {
        for watcher in &self.0 {
            watcher.waiting(inputs);
        }
    }

    fn stored(&self, operation: u32, now: &ObservedAnnotation) {
        for watcher in &self.0 {
            watcher.stored(operation, now);
        }
    }
}
