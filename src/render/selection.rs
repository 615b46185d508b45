//! The changes of a plan that are shown, and their order.

use super::filter::Filter;
use super::phrase::Phrase;
use crate::model::{InputId, counted, thousands};
use crate::plan::{Action, AppChange, Cause, Decision, Operation, Plan, Purge};
use std::collections::BTreeMap;

/// The changes of a plan that pass a filter.
pub(super) struct Selection<'a> {
    pub(super) purges: Vec<&'a Purge>,
    /// Operations that revert changes made in the app.
    pub(super) reverting: Vec<&'a Operation>,
    /// All other operations.
    pub(super) ordinary: Vec<&'a Operation>,
    /// Conflicts without a decision.
    pub(super) undecided: Vec<&'a AppChange>,
    /// Changes made in the app that are left alone.
    pub(super) kept: Vec<&'a AppChange>,
    /// Purges and operations without the filter.
    total: usize,
}

impl<'a> Selection<'a> {
    pub(super) fn of(plan: &'a Plan, filter: &Filter) -> Self {
        let shown = |operation: &&Operation| filter.shows(operation);
        let (reverting, ordinary) = plan
            .operations
            .iter()
            .filter(shown)
            .partition(|operation| operation.cause.is_some_and(Cause::reverts));
        let with = |decision| {
            let shown = |it: &&AppChange| it.decision == decision && filter.shows_app_change(it);
            plan.drift.iter().filter(shown).collect()
        };
        Self {
            purges: (plan.purges.iter())
                .filter(|purge| filter.shows_purge(purge))
                .collect(),
            reverting,
            ordinary,
            undecided: with(Decision::Undecided),
            kept: with(Decision::Kept),
            total: plan.operations.len() + plan.purges.len(),
        }
    }

    /// Purges and operations that are shown.
    pub(super) fn len(&self) -> usize {
        self.purges.len() + self.reverting.len() + self.ordinary.len()
    }

    /// `3 changes (1 shown)`: how many revert something; `None` if none does.
    pub(super) fn reverting_words(&self, plan: &Plan) -> Option<String> {
        let shown = self.reverting.len() as u64;
        let all = plan.summary.reverted;
        (all > 0).then(|| {
            let count = counted(all, "change");
            if shown < all {
                format!("{count} ({} shown)", thousands(shown))
            } else {
                count
            }
        })
    }

    /// The filter and the number of shown changes; `None` without a filter.
    pub(super) fn filter_note(&self, filter: &Filter) -> Option<Phrase> {
        let chosen = filter.phrase()?;
        let count = format!(
            ": {} of {} shown; apply carries out all of them.",
            thousands(self.len() as u64),
            counted(self.total as u64, "change"),
        );
        Some(Phrase::from("Only ").then(chosen).words(count))
    }
}

/// 0: deletes an annotation; 1: deletes parts of one; 2: deletes nothing.
pub(super) fn destructiveness(action: Action) -> u8 {
    match action {
        Action::Delete | Action::Replace => 0,
        Action::Overwrite | Action::Remove => 1,
        Action::Merge | Action::Post => 2,
    }
}

/// Changes by input: the most destructive inputs first, and within each the most destructive changes.
pub(super) fn groups<'a>(operations: &[&'a Operation]) -> Vec<(&'a InputId, Vec<&'a Operation>)> {
    let mut by_input: BTreeMap<&InputId, Vec<&Operation>> = BTreeMap::new();
    for &operation in operations {
        by_input
            .entry(&operation.input_id)
            .or_default()
            .push(operation);
    }
    let mut groups: Vec<_> = by_input.into_iter().collect();
    for (_, operations) in &mut groups {
        operations.sort_by_key(|operation| operation.action());
    }
    groups.sort_by_key(|(_, operations)| operations.first().map(|o| destructiveness(o.action())));
    groups
}

/// Counts of each action: `1 to merge, 50 to post`.
pub(super) fn by_action<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> String {
    let mut counts: BTreeMap<Action, u64> = BTreeMap::new();
    for operation in operations {
        *counts.entry(operation.action()).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(action, count)| format!("{} to {action}", thousands(*count)))
        .collect();
    parts.join(", ")
}
