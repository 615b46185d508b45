//! How each item of a plan ended, and who observes that while a run goes on: a progress bar, a log, the undo file.

use crate::model::ObservedAnnotation;
use crate::plan::Touched;
use std::fmt;

/// An item of a plan: an index into its operations, purges, inputs, or deleted inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    Operation(u32),
    Purge(u32),
    /// An input that is posted or waited for.
    Input(u32),
    /// An input that an undo deletes.
    DeletedInput(u32),
}

/// How an item ended. `S` is what a stale one was found to be; watchers do not see it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum ItemOutcome<S = ()> {
    Applied,
    /// There was nothing left to do.
    #[serde(rename = "already_so")]
    AlreadyUpToDate,
    /// The annotation, or the input, is not as the plan saw it.
    Stale {
        #[serde(skip)]
        found: S,
        /// What was written.
        touched: Touched,
    },
    Failed {
        /// The service's message, or ours.
        reason: String,
        /// What was written.
        touched: Touched,
    },
    /// The run was stopped before, or the input is missing.
    NotAttempted,
}

impl<S> ItemOutcome<S> {
    pub(super) fn failed(reason: impl Into<String>, touched: Touched) -> Self {
        let reason = reason.into();
        Self::Failed { reason, touched }
    }

    /// What watchers see.
    pub(super) fn summary(&self) -> ItemOutcome {
        match self {
            Self::Applied => ItemOutcome::Applied,
            Self::AlreadyUpToDate => ItemOutcome::AlreadyUpToDate,
            Self::Stale { touched, .. } => ItemOutcome::Stale {
                found: (),
                touched: *touched,
            },
            Self::Failed { reason, touched } => ItemOutcome::failed(reason, *touched),
            Self::NotAttempted => ItemOutcome::NotAttempted,
        }
    }
}

/// Observes a run. Calls run several at a time: a slow method here delays them.
pub trait Watch: fmt::Debug + Send + Sync {
    /// An item has ended. Called exactly once for each item of the plan, in any order.
    fn ended(&self, what: Subject, how: &ItemOutcome);

    /// This many inputs are not processed yet.
    fn waiting(&self, _inputs: u64) {}

    /// The service has shown what it stores of this operation's annotation now. Called before the operation ends.
    fn stored(&self, _operation: u32, _now: &ObservedAnnotation) {}
}

/// Observes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn ended(&self, _: Subject, _: &ItemOutcome) {}
}
