//! The difference of two label sets, with the matching and the counts of a plan.
//!
//! The old side takes the place of the app, the new side that of the manifest, and everything may be matched, whoever made
//! it. What a side does not show in full is counted as unknown, never as added or removed.

mod document;
mod label_set;
mod states;

use super::change::sides;
use super::classes::{classes, is_relabelled, relabelled};
use super::moves::{self, Moves};
use super::operation::{Change, DeleteReason, Edit, Observed, Operation};
use crate::matching::{Claims, Matched, MatchedBy, Matching, match_input};
use crate::model::{
    AnnotationId, Concepts, Content, DesiredAnnotation, DesiredState, Difference, Guards, Identity,
    InputId, ObservedAnnotation, ObservedState, Owner, Policy, Scope, SetName, UserId,
};
pub use document::{DIFF_VERSION, Diff, DiffChange, DiffKind, DiffSide, DiffSummary, InputLabels};
pub use label_set::LabelSet;
use rayon::prelude::*;
use states::{as_observed, common_fields, compare, identified, numbered, observed_of};
use std::collections::{BTreeMap, BTreeSet};

/// The result for one input.
#[derive(Default)]
struct Part {
    /// With the id that a side gives.
    changes: Vec<(DiffKind, Operation, Option<AnnotationId>)>,
    unchanged: u64,
    /// Positions of equal annotations on the new side.
    equal: Vec<usize>,
    unknown: u64,
    ambiguous: u64,
}

/// Compares two label sets.
pub fn diff(old: &LabelSet, new: &LabelSet) -> Diff {
    let differ = Differ::new(old, new);
    let inputs: Vec<&InputId> = old
        .inputs
        .keys()
        .chain(new.inputs.keys())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let parts: Vec<Part> = inputs.par_iter().map(|input| differ.input(input)).collect();

    let mut summary = DiffSummary::default();
    let mut operations = Vec::new();
    let mut kinds = Vec::new();
    let mut unchanged = BTreeMap::new();
    for (input, mut part) in inputs.into_iter().zip(parts) {
        if !part.changes.is_empty()
            && !part.equal.is_empty()
            && let Some(all) = new.inputs.get(input)
        {
            let equal = part.equal.iter().map(|at| all[*at].content.clone());
            unchanged.insert(input.clone(), equal.collect());
        }
        summary.unchanged += part.unchanged;
        summary.unknown += part.unknown;
        summary.ambiguous += part.ambiguous;
        // The sort is stable: within one kind the order of the sides stays.
        part.changes.sort_by_key(|(kind, ..)| *kind);
        for (kind, operation, id) in part.changes {
            summary.count(kind);
            operations.push(operation);
            kinds.push((kind, id));
        }
    }
    summary.classes = classes(&operations, &[], &differ.observed);
    let none = Concepts::default();
    let pairs = operations.iter().filter_map(|operation| {
        let (before, after) = (operation.before()?, operation.after()?);
        let [before, after] = [before, after].map(|it| it.concepts.as_ref().unwrap_or(&none));
        Some((before, after))
    });
    summary.relabellings = relabelled(pairs);
    summary.moves = Moves::of(&operations);
    summary.turns = moves::turned(&operations);
    let changes = operations.into_iter().zip(kinds);
    Diff {
        format_version: DIFF_VERSION.to_owned(),
        summary,
        added_inputs: only(new, old),
        removed_inputs: only(old, new),
        changes: changes
            .map(|(operation, (kind, id))| DiffChange::of(kind, operation, id))
            .collect(),
        unchanged,
        old: side(old),
        new: side(new),
    }
}

fn side(labels: &LabelSet) -> DiffSide {
    DiffSide {
        name: labels.name.clone(),
        kind: labels.kind,
        inputs: labels.inputs.len() as u64,
        annotations: labels.count(),
    }
}

/// The inputs that one side has and the other one lacks.
fn only(these: &LabelSet, others: &LabelSet) -> Vec<InputLabels> {
    let all = these.inputs.iter();
    all.filter(|(id, annotations)| others.lacks(id, annotations.len()))
        .map(|(id, annotations)| InputLabels {
            input_id: id.clone(),
            annotations: annotations.len() as u64,
        })
        .collect()
}

struct Differ<'a> {
    old: &'a LabelSet,
    new: &'a LabelSet,
    /// The old side in the place of the app.
    observed: ObservedState,
    claims: Claims,
    /// Whether a field that only one side has is a difference.
    is_same_kind: bool,
}

impl<'a> Differ<'a> {
    fn new(old: &'a LabelSet, new: &'a LabelSet) -> Self {
        let set = SetName::new("diff").expect("a word is a valid set name");
        let user = UserId::new("diff").expect("a word is a valid user id");
        let inputs = old.inputs.iter();
        let observed = ObservedState {
            caller: user.clone(),
            app_owner: user,
            scope: Scope::WholeApp,
            unreadable: Vec::new(),
            inputs: inputs
                .map(|(id, all)| {
                    let numbered = all.iter().enumerate();
                    let observed = numbered.map(|(at, it)| as_observed(&set, id, at, it));
                    (id.clone(), observed.collect())
                })
                .collect(),
        };
        let by_anyone = DesiredState {
            set,
            policy: Policy::Sync,
            owners: BTreeSet::from([Owner::Any]),
            guards: Guards::default(),
            renamed: BTreeMap::new(),
            adopts: BTreeSet::new(),
            inputs: Vec::new(),
        };
        Self {
            claims: Claims::new(&by_anyone, &observed).for_everything(),
            old,
            new,
            observed,
            is_same_kind: old.kind == new.kind,
        }
    }

    fn input(&self, input: &InputId) -> Part {
        let mut part = Part::default();
        let old = self.old.inputs.get(input).map_or(&[][..], Vec::as_slice);
        let new = self.new.inputs.get(input).map_or(&[][..], Vec::as_slice);
        let observed = self.observed.inputs.get(input);
        let observed = observed.map_or(&[][..], Vec::as_slice);
        let Matching {
            pairs,
            missing,
            unclaimed,
        } = match_input(&self.claims, input, &identified(new, observed), observed);
        for pair in pairs {
            part.ambiguous += u64::from(pair.matched.ambiguous);
            let (was, is) = (&old[pair.observed], &new[pair.desired]);
            let seen = &observed[pair.observed];
            let Some((kind, before, after)) = self.change(was, is, seen, pair.matched) else {
                part.unchanged += 1;
                part.equal.push(pair.desired);
                continue;
            };
            let change = Change::Overwrite(Box::new(Edit {
                observed: Observed::with_content(seen, before),
                after,
                matched: pair.matched,
            }));
            part.push(kind, input, seen.id.clone(), change, (Some(was), Some(is)));
        }
        let same = self.left_out_alike(input);
        part.unchanged += same;
        let is_complete = |side: &LabelSet| {
            side.is_complete(input) || same > 0 && !side.incomplete.contains(input)
        };
        let (old_is_complete, new_is_complete) = (is_complete(self.old), is_complete(self.new));
        for at in unclaimed {
            if !new_is_complete {
                part.unknown += 1;
                continue;
            }
            let change = Change::Delete {
                observed: Box::new(Observed::with_content(
                    &observed[at],
                    old[at].content.clone(),
                )),
                reason: DeleteReason::NotDeclared,
            };
            let sides = (Some(&old[at]), None);
            let id = observed[at].id.clone();
            part.push(DiffKind::Removed, input, id, change, sides);
        }
        for at in missing {
            if !old_is_complete {
                part.unknown += 1;
                continue;
            }
            let change = Change::Post {
                after: new[at].content.clone(),
                double: None,
            };
            let sides = (None, Some(&new[at]));
            part.push(DiffKind::Added, input, numbered(at), change, sides);
        }
        part
    }

    /// How many objects of an input both sides leave out in the same way; 0 if they differ in any.
    fn left_out_alike(&self, input: &InputId) -> u64 {
        let [old, new] = [self.old, self.new].map(|side| side.left_out.get(input));
        match (old, new) {
            (Some(old), Some(new)) if self.old.kind == self.new.kind && old == new => {
                old.len() as u64
            }
            _ => 0,
        }
    }

    /// What differs between two paired annotations, with the contents to show; `None` if nothing does.
    fn change(
        &self,
        was: &DesiredAnnotation,
        is: &DesiredAnnotation,
        seen: &ObservedAnnotation,
        matched: Matched,
    ) -> Option<(DiffKind, Content, Content)> {
        let declared = if self.is_same_kind {
            is.content.clone()
        } else {
            common_fields(&is.content, &was.content)
        };
        let mut differences = vec![compare(&declared, seen)];
        if self.is_same_kind {
            // A field that the new side does not give is not managed in a plan, and here it is gone.
            differences.push(compare(&was.content, &observed_of(numbered(0), is)));
        }
        let any = |is: fn(&Difference) -> bool| differences.iter().any(is);
        let is_moved = any(|it| it.geometry || it.frame);
        let is_turned = matched.by == MatchedBy::Turned;
        if !is_turned && !any(|it| !it.is_empty()) {
            return None;
        }
        let (before, after) = if self.is_same_kind {
            (was.content.clone(), declared)
        } else {
            sides(&declared, seen)
        };
        let none = Concepts::default();
        let [old, new] = [&before, &after].map(|it| it.concepts.as_ref().unwrap_or(&none));
        let kind = match (is_moved, is_relabelled(old, new)) {
            _ if is_turned => DiffKind::Turned,
            (true, true) => DiffKind::MovedAndRelabelled,
            (true, false) => DiffKind::Moved,
            (false, true) => DiffKind::Relabelled,
            (false, false) => DiffKind::Attributes,
        };
        Some((kind, before, after))
    }
}

impl Part {
    fn push(
        &mut self,
        kind: DiffKind,
        input: &InputId,
        id: AnnotationId,
        change: Change,
        (was, is): (Option<&DesiredAnnotation>, Option<&DesiredAnnotation>),
    ) {
        let key = |it: &DesiredAnnotation| match &it.identity {
            Identity::Key(key) => Some(key.clone()),
            _ => None,
        };
        let given = |it: &DesiredAnnotation| match &it.identity {
            Identity::Id(id) => Some(id.clone()),
            _ => None,
        };
        let operation = Operation {
            key: is.and_then(key).or_else(|| was.and_then(key)),
            ..Operation::new(input.clone(), id, change)
        };
        let id = was.and_then(given).or_else(|| is.and_then(given));
        self.changes.push((kind, operation, id));
    }
}

#[cfg(test)]
mod tests;
