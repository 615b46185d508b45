//! Counts how each item of a plan ended in the outcome of the run.

use super::watch::ItemOutcome;
use crate::model::Content;
use crate::plan::{
    FailedInput, FailedItem, FailedPurge, Outcome, Plan, StaleInput, StaleItem, StalePurge,
    Touched, Unplanned,
};

/// A stale operation found this annotation; `None` if there is none.
pub(super) type OperationOutcome = ItemOutcome<Option<Box<Content>>>;
pub(super) type PurgeOutcome = ItemOutcome<FoundOnInput>;
/// A stale delete of an input found this many annotations on it.
pub(super) type DeletedInputOutcome = ItemOutcome<u64>;

/// What a stale purge found.
#[derive(Debug)]
pub(super) struct FoundOnInput {
    /// Annotations that the plan did not show.
    pub(super) unplanned: Vec<Unplanned>,
    /// How many annotations an earlier attempt has deleted.
    pub(super) deleted: u64,
}

pub(super) fn count_operation(
    outcome: &mut Outcome,
    plan: &Plan,
    at: u32,
    ended: OperationOutcome,
) {
    let operation = &plan.operations[at as usize];
    match ended {
        ItemOutcome::Applied => outcome.applied.actions.add(operation.action()),
        ItemOutcome::AlreadyUpToDate => outcome.already_so += 1,
        ItemOutcome::Stale { found, touched } => outcome.stale.push(StaleItem {
            touched,
            ..StaleItem::new(at, operation, found.map(|now| *now))
        }),
        ItemOutcome::Failed { reason, touched } => outcome.failed.push(FailedItem {
            touched,
            ..FailedItem::new(at, operation, reason)
        }),
        ItemOutcome::NotAttempted => outcome.not_attempted += 1,
    }
}

pub(super) fn count_purge(outcome: &mut Outcome, plan: &Plan, at: u32, ended: PurgeOutcome) {
    let purge = &plan.purges[at as usize];
    match ended {
        ItemOutcome::Applied => outcome.applied.purge += 1,
        ItemOutcome::AlreadyUpToDate => outcome.already_so += 1,
        ItemOutcome::Stale { found, .. } => {
            outcome
                .stale_purges
                .push(StalePurge::new(at, purge, found.unplanned, found.deleted));
        }
        ItemOutcome::Failed { reason, .. } => outcome
            .failed_purges
            .push(FailedPurge::new(at, purge, reason)),
        ItemOutcome::NotAttempted => outcome.not_attempted += 1,
    }
}

/// Counts an input that was posted or waited for.
pub(super) fn count_input(outcome: &mut Outcome, plan: &Plan, at: u32, ended: ItemOutcome) {
    let input_id = plan.inputs[at as usize].input_id.clone();
    match ended {
        ItemOutcome::Applied => outcome.applied.posted_inputs += 1,
        ItemOutcome::AlreadyUpToDate => outcome.already_so += 1,
        ItemOutcome::Failed { reason, touched } => outcome.failed_inputs.push(FailedInput {
            input_id,
            reason,
            touched,
        }),
        ItemOutcome::Stale { .. } | ItemOutcome::NotAttempted => outcome.not_attempted += 1,
    }
}

pub(super) fn count_deleted_input(
    outcome: &mut Outcome,
    plan: &Plan,
    at: u32,
    ended: DeletedInputOutcome,
) {
    let input_id = plan.deleted_inputs[at as usize].clone();
    match ended {
        ItemOutcome::Applied => outcome.applied.deleted_inputs += 1,
        ItemOutcome::AlreadyUpToDate => outcome.already_so += 1,
        ItemOutcome::Stale { found, .. } => outcome.stale_inputs.push(StaleInput {
            input_id,
            annotations: found,
        }),
        ItemOutcome::Failed { reason, .. } => outcome.failed_inputs.push(FailedInput {
            input_id,
            reason,
            touched: Touched::Nothing,
        }),
        ItemOutcome::NotAttempted => outcome.not_attempted += 1,
    }
}
