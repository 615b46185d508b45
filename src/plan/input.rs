//! Plans one input.

use super::app_change::Decision;
use super::batch::size_of_body;
use super::change::{self, Write, sides};
use super::drift;
use super::error::PlanError;
use super::links::key_of;
use super::operation::{Action, Cause, Change, DeleteReason, Edit, Observed, Operation};
use super::planner::{Part, Planner};
use super::purge;
use super::region;
use super::stand_in;
use super::three_way::{MergedInput, ThreeWay};
use crate::matching::{Pair, match_input};
use crate::model::{
    AnnotationId, DesiredAnnotation, DesiredInput, Identity, InputId, Maker, ObservedAnnotation,
    Policy, Undeclared, difference,
};
use rayon::prelude::*;
use std::collections::HashSet;

/// The number of pairs that are planned one after the other.
const CHUNK: usize = 8;
/// The number where there are more inputs than this, which occupy all cores.
const CHUNK_OF_MANY: usize = 64;

impl Planner<'_> {
    pub(super) fn declared(&self, input: &DesiredInput) -> Part {
        let mut part = Part::default();
        if !self.observed.scope.covers(&input.id) {
            part.errors.push(PlanError::NotListed {
                input: input.id.clone(),
                origin: input.origin,
            });
            return part;
        }
        let observed = self
            .observed
            .inputs
            .get(&input.id)
            .map_or(&[][..], Vec::as_slice);
        if input.undeclared == Undeclared::Purged {
            return self.purged(input, observed);
        }
        self.unreadable_declared(&mut part, input);
        let sorted = stand_in::sort_out(&self.claims.set, &input.id, &input.annotations, observed);
        let observed = &*sorted.annotations;
        let resolved = region::resolve(input, observed, &mut part.errors);
        let mut merged = self.three_way.as_ref().map(|three| {
            let is_repaired = |id: &AnnotationId| sorted.unfinished.contains_key(id);
            three.merge(&resolved, true, observed, is_repaired)
        });
        let plain;
        let (input, matching) = if let Some(merged) = &merged {
            (&merged.input, &merged.matching)
        } else {
            let input = resolved.as_ref();
            plain = match_input(&self.claims, &input.id, &input.annotations, observed);
            (input, &plain)
        };
        // An input may have many large annotations.
        let is_one_of_many = self.desired.inputs.len() > CHUNK_OF_MANY;
        let chunk = if is_one_of_many { CHUNK_OF_MANY } else { CHUNK };
        let parts = matching.pairs.par_chunks(chunk).map(|pairs| {
            let mut part = Part::default();
            for pair in pairs {
                let (desired, found) = (&input.annotations[pair.desired], &observed[pair.observed]);
                match sorted.unfinished.get(&found.id) {
                    Some(&seen) => {
                        self.finish(&mut part, &input.id, Some((desired, *pair)), found, seen);
                    }
                    None => self.matched(&mut part, &input.id, desired, found, *pair),
                }
            }
            part
        });
        for matched in parts.collect::<Vec<Part>>() {
            part.append(matched);
        }
        self.posts(&mut part, input, observed, matching);
        for &at in &matching.unclaimed {
            let found = &observed[at];
            match sorted.unfinished.get(&found.id) {
                Some(&seen) => self.finish(&mut part, &input.id, None, found, seen),
                None => self.unclaimed(&mut part, &input.id, found, DeleteReason::NotDeclared),
            }
        }
        let left = merged.iter().flat_map(|merged| &merged.left);
        for &at in left {
            self.keep(&mut part, &observed[at]);
        }
        self.clean_up(&mut part, &input.id, &sorted);
        if let Some(merged) = &mut merged {
            assign_causes(&mut part, merged);
        }
        self.hold_back_uncertain(&mut part, &resolved.id);
        settle_decisions(&mut part);
        part.unmanaged_users = std::mem::take(&mut part.left_users);
        part
    }

    /// Plans an input that the manifest purges; it gets no other operations.
    pub(super) fn purged(&self, input: &DesiredInput, observed: &[ObservedAnnotation]) -> Part {
        let mut part = Part::default();
        // A purge deletes only annotations that the plan shows, and these cannot be shown.
        let unreadable = self.observed.unreadable_on(&input.id).iter();
        part.errors
            .extend(unreadable.filter(|it| it.maker != Maker::Input).map(|it| {
                PlanError::Unreadable {
                    input: input.id.clone(),
                    id: it.id.clone(),
                    why: it.why.clone(),
                    origin: input.origin,
                }
            }));
        if !part.errors.is_empty() {
            return part;
        }
        let doomed: Vec<&ObservedAnnotation> = observed
            .iter()
            .filter(|annotation| annotation.maker != Maker::Input)
            .collect();
        if self.desired.policy != Policy::Sync {
            part.held_back.deletes += doomed.len() as u64;
        } else if !doomed.is_empty() {
            let mut purge = purge::of(&input.id, observed);
            let is_made = (self.three_way.as_ref())
                .is_none_or(|three| three.decide_purge(&mut purge, observed, &mut part.drift));
            part.purges.extend(is_made.then_some(purge));
        }
        part.existing += if part.purges.is_empty() {
            let in_scope = doomed.iter().filter(|it| self.claims.is_in_scope(it));
            in_scope.count()
        } else {
            doomed.len()
        } as u64;
        part
    }

    /// Plans an input that the manifest does not declare: only annotations that this set made are touched.
    pub(super) fn undeclared(&self, input: &InputId, annotations: &[ObservedAnnotation]) -> Part {
        let mut part = Part::default();
        let sorted = stand_in::sort_out(&self.claims.set, input, &[], annotations);
        let observed = &*sorted.annotations;
        let is_touched = |three: &&ThreeWay<'_>| {
            three.declares(input) || observed.iter().any(|it| self.claims.is_owned(&it.id))
        };
        let mut merged = (self.three_way.as_ref().filter(is_touched)).map(|three| {
            let is_repaired = |id: &AnnotationId| sorted.unfinished.contains_key(id);
            three.merge(&drift::undeclared(input), false, observed, is_repaired)
        });
        let left: HashSet<usize> = merged
            .iter()
            .flat_map(|merged| merged.left.clone())
            .collect();
        for (at, annotation) in observed.iter().enumerate() {
            if let Some(&seen) = sorted.unfinished.get(&annotation.id) {
                self.finish(&mut part, input, None, annotation, seen);
            } else if left.contains(&at) {
                self.keep(&mut part, annotation);
            } else if self.claims.is_owned(&annotation.id) {
                self.unclaimed(&mut part, input, annotation, DeleteReason::InputNotDeclared);
            } else {
                self.leave(&mut part, annotation);
            }
        }
        self.clean_up(&mut part, input, &sorted);
        if let Some(merged) = &mut merged {
            assign_causes(&mut part, merged);
        }
        self.hold_back_uncertain(&mut part, input);
        settle_decisions(&mut part);
        part
    }

    fn unclaimed(
        &self,
        part: &mut Part,
        input: &InputId,
        annotation: &ObservedAnnotation,
        reason: DeleteReason,
    ) {
        if !self.claims.is_in_scope(annotation) {
            self.leave(part, annotation);
            return;
        }
        part.existing += 1;
        if self.desired.policy != Policy::Sync {
            part.held_back.deletes += 1;
            return;
        }
        let observed = Box::new(Observed::of(annotation));
        let change = Change::Delete { observed, reason };
        let operation = Operation::new(input.clone(), annotation.id.clone(), change);
        part.operations.push(operation);
    }

    fn matched(
        &self,
        part: &mut Part,
        input: &InputId,
        desired: &DesiredAnnotation,
        observed: &ObservedAnnotation,
        pair: Pair,
    ) {
        if let (Identity::Id(id), true) = (
            &desired.identity,
            self.claims.is_of_another_set(&observed.id),
        ) {
            let (input, id, origin) = (input.clone(), id.clone(), desired.origin);
            part.errors
                .push(PlanError::OfAnotherSet { input, id, origin });
            return;
        }
        if self.claims.is_in_scope(observed) {
            part.existing += 1;
        } else {
            part.others += 1;
        }
        part.ambiguous += u64::from(pair.matched.ambiguous);
        let difference = difference(&desired.content, observed);
        let Some(Write { kind, body }) =
            change::write(input, observed, &desired.content, &difference)
        else {
            part.unchanged += 1;
            return;
        };
        if let Some(error) = Self::error_of_edit(input, desired, observed, &difference, kind) {
            part.errors.push(error);
            return;
        }
        if self.desired.policy == Policy::Create {
            part.held_back.updates += 1;
            return;
        }
        let (before, after) = sides(&desired.content, observed);
        let change = kind.of(Edit {
            observed: Observed::with_content(observed, before),
            after,
            matched: pair.matched,
        });
        part.operations.push(Operation {
            key: key_of(desired),
            bytes: size_of_body(&body),
            ..Operation::new(input.clone(), observed.id.clone(), change)
        });
    }
}

/// Sets the cause of each write, and adds the changes made in the app.
fn assign_causes(part: &mut Part, merged: &mut MergedInput) {
    let mut posts = merged.posts.iter();
    for operation in &mut part.operations {
        let cause = match operation.action() {
            _ if operation.is_repair() => None,
            Action::Post => posts.next().copied().flatten().map(|(cause, change)| {
                // Without a key the id depends on what the manifest declares now.
                merged.changes[change].id = operation.id.clone();
                cause
            }),
            _ => merged.causes.get(&operation.id).copied(),
        };
        operation.cause = Some(cause.unwrap_or(Cause::Intended));
    }
    part.drift.append(&mut merged.changes);
}

/// Marks changes as kept that no operation reverts: the policy, the owners or an unreadable annotation may hold the
/// write back.
fn settle_decisions(part: &mut Part) {
    let reverting = part.operations.iter().filter(|it| it.reverts());
    let reverted: HashSet<&AnnotationId> = reverting.map(|it| &it.id).collect();
    for change in &mut part.drift {
        if change.decision == Decision::Reverted && !reverted.contains(&change.id) {
            change.decision = Decision::Kept;
        }
    }
}
