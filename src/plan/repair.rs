//! Repairs replacements of earlier runs: finishes those that did not end, and deletes stand-ins that were left
//! behind.

use super::batch::size_of_body;
use super::change::{Kind, sides};
use super::links::key_of;
use super::operation::{Action, Change, DeleteReason, Observed, Operation, Seen};
use super::permit::Permit;
use super::planner::{Part, Planner};
use super::sent;
use super::stand_in::{self, Sorted};
use crate::matching::Pair;
use crate::model::{
    AnnotationId, Content, DesiredAnnotation, Difference, Fingerprint, InputId, ObservedAnnotation,
    Policy, difference,
};
use crate::wire::encode;
use std::collections::HashMap;

impl Planner<'_> {
    /// Plans the end of a replacement that an earlier run began: the annotation as its stand-in holds it, with the
    /// declared fields written into it. If it is not declared any more, the next plan deletes it.
    pub(super) fn finish(
        &self,
        part: &mut Part,
        input: &InputId,
        declared: Option<(&DesiredAnnotation, Pair)>,
        held: &ObservedAnnotation,
        stand_in: Fingerprint,
    ) {
        part.existing += 1;
        let mut wanted = Content::default();
        let mut changes = Difference::default();
        if let Some((desired, pair)) = declared {
            part.ambiguous += u64::from(pair.matched.ambiguous);
            changes = difference(&desired.content, held);
            if changes.is_empty() {
                // Post it as its stand-in holds it.
            } else if self.desired.policy == Policy::Create {
                part.held_back.updates += 1;
                changes = Difference::default();
            } else if let Some(error) =
                Self::error_of_edit(input, desired, held, &changes, Kind::Replace)
            {
                part.errors.push(error);
                return;
            } else {
                wanted = desired.content.clone();
            }
        }
        let (before, after) = if changes.is_empty() {
            (held.content(), held.content())
        } else {
            sides(&wanted, held)
        };
        let change = Change::Finish {
            observed: Box::new(Observed {
                content: before,
                seen: Seen::of(held),
                fingerprint: stand_in,
            }),
            after,
            matched: declared.map(|(_, pair)| pair.matched),
        };
        part.operations.push(Operation {
            key: declared.and_then(|(desired, _)| key_of(desired)),
            bytes: size_of_body(&encode::replacement(input, held, &wanted, &changes)),
            ..Operation::new(input.clone(), held.id.clone(), change)
        });
    }

    /// Deletes the stand-ins that earlier runs left behind, except those that this plan would post again unchanged.
    pub(super) fn clean_up(&self, part: &mut Part, input: &InputId, sorted: &Sorted<'_>) {
        if sorted.left_behind.is_empty() {
            return;
        }
        let replaced: HashMap<AnnotationId, usize> = (part.operations.iter().enumerate())
            .filter(|(_, operation)| operation.action() == Action::Replace)
            .map(|(at, operation)| (operation.id.clone(), at))
            .collect();
        for (stand_in, original) in &sorted.left_behind {
            let is_used = replaced.get(original).is_some_and(|&at| {
                let operation = &part.operations[at];
                let there = sorted.annotations.iter().find(|it| it.id == *original);
                let replacement = sent::write_body(operation, there, &Permit::Planned);
                matches!(replacement, Ok(Some(body))
                    if stand_in::is_stand_in_of(&self.claims.set, operation, &body, stand_in))
            });
            if is_used {
                continue;
            }
            let change = Change::Delete {
                observed: Box::new(Observed::of(stand_in)),
                reason: DeleteReason::LeftBehind,
            };
            let operation = Operation::new(input.clone(), stand_in.id.clone(), change);
            part.operations.push(operation);
        }
    }
}
