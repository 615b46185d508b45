//! Inputs with annotations that cannot be read.
//!
//! Such an annotation may be any that the manifest declares by its content. Only operations on annotations that are
//! matched by id or key, or that exist exactly as declared, do not depend on that. All others are held back: they
//! could double or delete a label.

use super::error::PlanError;
use super::operation::{Operation, Reason};
use super::planner::{Part, Planner};
use crate::matching::MatchedBy;
use crate::model::{DesiredInput, Identity, InputId, Maker, ObservedState, counted, key_id};

/// The number of annotations that are named.
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

    /// Removes the operations of an input that depend on unreadable annotations, and counts them as held back.
    pub(super) fn hold_back_uncertain(&self, part: &mut Part, input: &InputId) {
        let there = self.observed.unreadable_on(input);
        if there.is_empty() {
            return;
        }
        let may_be_declared = there.iter().any(|it| self.claims.could_claim(it));
        let planned = part.operations.len();
        // A repair depends on which annotations do not exist, and an unreadable one exists.
        part.operations.retain(|operation| {
            !operation.is_repair() && (!may_be_declared || is_certain(operation))
        });
        let held_back = (planned - part.operations.len()) as u64;
        part.held_back.unreadable += held_back;
    }
}

/// Whether an operation does not depend on unreadable annotations.
fn is_certain(operation: &Operation) -> bool {
    let by = operation.matched().map(|matched| matched.by);
    operation.reason() == Reason::InputNotDeclared
        || matches!(
            by,
            Some(MatchedBy::Id | MatchedBy::Key | MatchedBy::InputLevel | MatchedBy::Exact)
        )
}

/// A line for each unreadable annotation, up to a limit, and the number of the others.
pub(super) fn descriptions(observed: &ObservedState) -> Vec<String> {
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
