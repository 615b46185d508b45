//! Which of a plan's changes are shown, in which order, and what stands apart.

use super::drift;
use super::filter::Filter;
use super::page::thousands;
use super::phrase::Phrase;
use crate::model::InputId;
use crate::plan::{Action, AppChange, Cause, Decision, Operation, Plan, Purge};
use std::collections::BTreeMap;

/// The changes of a plan that a filter lets through.
pub(super) struct Selection<'a> {
    pub(super) purges: Vec<&'a Purge>,
    /// Those that revert what was changed in the app.
    pub(super) reverting: Vec<&'a Operation>,
    /// All others.
    pub(super) ordinary: Vec<&'a Operation>,
    /// What both sides changed, and nobody decided.
    pub(super) undecided: Vec<&'a AppChange>,
    /// What was changed in the app and is left alone.
    pub(super) kept: Vec<&'a AppChange>,
    /// How many there are without the filter, what is left alone not among them.
    all: usize,
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
            all: plan.operations.len() + plan.purges.len(),
        }
    }

    /// How many are shown.
    pub(super) fn len(&self) -> usize {
        self.purges.len() + self.reverting.len() + self.ordinary.len()
    }

    /// How many revert something, in words, and how many of those are shown; nothing where there are none.
    pub(super) fn reverting_words(&self, plan: &Plan) -> Option<String> {
        let shown = self.reverting.len() as u64;
        let all = plan.summary.reverted;
        (all > 0).then(|| {
            let count = drift::count(plan);
            if shown < all {
                format!("{count} ({} shown)", thousands(shown))
            } else {
                count
            }
        })
    }

    /// What a filter leaves out; nothing where there is none.
    pub(super) fn words(&self, filter: &Filter) -> Option<Phrase> {
        let chosen = filter.phrase()?;
        let are = if self.all == 1 { "change" } else { "changes" };
        let count = format!(
            ": {} of {} {are} shown; apply carries out all of them.",
            thousands(self.len() as u64),
            thousands(self.all as u64),
        );
        Some(Phrase::from("Only ").then(chosen).words(count))
    }
}

/// 0: annotations go; 1: parts of annotations go; 2: nothing goes.
pub(super) fn destructiveness(action: Action) -> u8 {
    match action {
        Action::Delete | Action::Replace => 0,
        Action::Overwrite | Action::Remove => 1,
        Action::Merge | Action::Post => 2,
    }
}

/// Inputs in the order of what is most destructive about them, and so are the changes of each.
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

/// How many of each action: `1 to merge, 50 to post`.
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
