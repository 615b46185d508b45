//! What becomes of what earlier runs left of their replacements: the unfinished ones are finished, the stand-ins that
//! were left behind go. What that is, is `stand_in`'s.

use super::body;
use super::input::{Part, Planner, key_of, sides, size};
use super::permit::Permit;
use super::sent;
use super::stand_in::{self, Sorted};
use super::types::{Action, Operation, Reason, Seen};
use crate::matching::Pair;
use crate::model::{
    AnnotationId, Content, DesiredAnnotation, Difference, Fingerprint, InputId, ObservedAnnotation,
    Policy, difference, fingerprint,
};
use std::collections::HashMap;

impl Planner<'_> {
    /// Plans the end of a replacement that an earlier run began: the annotation as its stand-in holds it, with what is
    /// declared written into it. One that nobody declares any more is finished too; the next plan deletes it.
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
                // As it is.
            } else if self.desired.policy == Policy::Create {
                part.held_back.updates += 1;
                changes = Difference::default();
            } else if let Some(error) =
                Self::impossible(input, desired, held, &changes, Action::Replace)
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
        part.operations.push(Operation {
            action: Action::Replace,
            input_id: input.clone(),
            id: held.id.clone(),
            key: declared.and_then(|(desired, _)| key_of(desired)),
            reason: Reason::Unfinished,
            cause: None,
            needs: None,
            double: None,
            seen: Some(Seen::of(held)),
            matched: declared.map(|(_, pair)| pair.matched),
            before: Some(before),
            after: Some(after),
            fingerprint: Some(stand_in),
            bytes: size(&body::replacement(input, held, &wanted, &changes)),
            body: None,
        });
    }

    /// Deletes the stand-ins that earlier runs left behind, but for those that this plan posts again as they are.
    pub(super) fn clean_up(&self, part: &mut Part, input: &InputId, sorted: &Sorted<'_>) {
        if sorted.left_behind.is_empty() {
            return;
        }
        let replaced: HashMap<AnnotationId, usize> = (part.operations.iter().enumerate())
            .filter(|(_, operation)| operation.action == Action::Replace)
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
            part.operations.push(Operation {
                action: Action::Delete,
                input_id: input.clone(),
                id: stand_in.id.clone(),
                key: None,
                reason: Reason::LeftBehind,
                cause: None,
                needs: None,
                double: None,
                seen: Some(Seen::of(stand_in)),
                matched: None,
                before: Some(stand_in.content()),
                after: None,
                fingerprint: Some(fingerprint(stand_in)),
                bytes: 0,
                body: None,
            });
        }
    }
}
