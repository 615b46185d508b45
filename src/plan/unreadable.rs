//! Inputs that hold an annotation which cannot be read.
//!
//! Such an annotation may be any that the manifest declares by its content, at its old place or at a new one. Only what does
//! not depend on that is planned: an annotation that is found by its name or that is there exactly as declared. Posts,
//! deletes and changes of what merely resembles a declaration are held back: they could double a label or delete one.

use super::error::PlanError;
use super::input::{Part, Planner};
use super::types::{Operation, Reason};
use crate::matching::MatchedBy;
use crate::model::{DesiredInput, Identity, InputId, Maker, ObservedState, counted, key_id};

/// How many of them are named.
const NAMED: usize = 10;

impl Planner<'_> {
    /// Reports the declared annotations that cannot be read.
    pub(super) fn unreadable_declared(&self, part: &mut Part, input: &DesiredInput) {
        let there = self.observed.unreadable_on(&input.id);
        if there.is_empty() {
            return;
        }
        for desired in &input.annotations {
            let by_id = |id: &str| there.iter().find(|it| *it.id == *id);
            let found = match &desired.identity {
                Identity::Id(id) => by_id(id.as_str()),
                Identity::Key(key) => by_id(key_id(&self.claims.set, &input.id, key).as_str()),
                Identity::InputLevel => there.iter().find(|it| it.maker == Maker::Input),
                Identity::Content => None,
            };
            part.errors.extend(found.map(|found| PlanError::Unreadable {
                input: input.id.clone(),
                id: found.id.clone(),
                why: found.why.clone(),
                origin: desired.origin,
            }));
        }
    }

    /// Counts what cannot be read on an input, and takes out of its part what could double or delete a label because of it.
    pub(super) fn hold_back_uncertain(&self, part: &mut Part, input: &InputId) {
        let there = self.observed.unreadable_on(input);
        if there.is_empty() {
            return;
        }
        let may_be_declared = there.iter().any(|it| self.claims.could_claim(it));
        let planned = part.operations.len();
        // A repair depends on which annotations are gone, and one that cannot be read is there.
        part.operations.retain(|operation| {
            !operation.reason.is_repair() && (!may_be_declared || is_certain(operation))
        });
        let held_back = (planned - part.operations.len()) as u64;
        part.held_back.unreadable += held_back;
    }
}

/// Whether an operation is right whatever the annotations are that cannot be read.
fn is_certain(operation: &Operation) -> bool {
    let by = operation.matched.map(|matched| matched.by);
    operation.reason == Reason::InputNotDeclared
        || matches!(
            by,
            Some(MatchedBy::Id | MatchedBy::Key | MatchedBy::InputLevel | MatchedBy::Exact)
        )
}

/// A line for each annotation that cannot be read, and how many more there are.
pub(super) fn in_words(observed: &ObservedState) -> Vec<String> {
    let all = &observed.unreadable;
    let mut lines: Vec<String> = all
        .iter()
        .take(NAMED)
        .map(|it| format!("{it}; it is left alone"))
        .collect();
    match all.len().saturating_sub(NAMED) {
        0 => {}
        more => lines.push(format!(
            "{} that cannot be read",
            counted(more as u64, "more annotation")
        )),
    }
    lines
}
