//! Guards: limits that stop a plan which goes further than its author is likely to have meant.

use super::stand_in::{is_clean_up, is_unfinished};
use super::summary::Summary;
use super::trip::{Rename, Trip};
use super::types::{Action, Operation, Plan, Purge};
use crate::model::{ConceptId, DesiredState, Guards, Maker, ObservedState, Share};
use std::collections::BTreeMap;

/// Everything that a plan does.
#[derive(Clone, Copy)]
pub(super) struct Writes<'a> {
    pub(super) operations: &'a [Operation],
    pub(super) purges: &'a [Purge],
}

/// The guards that these writes trip, whatever is allowed to pass.
pub(super) fn check(
    desired: &DesiredState,
    observed: &ObservedState,
    writes: Writes<'_>,
    summary: &Summary,
) -> Vec<Trip> {
    let mut trips = Vec::new();
    let guards = &desired.guards;
    let deletes = deletes(writes.operations, summary);
    if desired.inputs.is_empty() && deletes > 0 {
        trips.push(Trip::EmptyManifest { deletes });
    }
    trips.extend(too_many(guards, writes.operations, summary));
    let vanished = vanished(desired, observed, writes);
    if vanished.len() as u64 > guards.max_vanished_concepts {
        let renames = vanished.iter().filter_map(|id| rename(id, summary));
        let renames = renames.collect();
        let concepts = vanished
            .into_iter()
            .map(|id| id.as_str().to_owned())
            .collect();
        trips.push(Trip::VanishedConcepts {
            concepts,
            limit: guards.max_vanished_concepts,
            renames,
        });
    }
    let doubles = doubles(summary);
    if doubles > guards.max_doubles {
        let equal = summary.doubles.iter().filter(|of| of.equal > 0);
        trips.push(Trip::Doubles {
            count: doubles,
            limit: guards.max_doubles,
            of: equal.cloned().collect(),
        });
    }
    if let Some(limit) = guards.max_new_concepts
        && summary.new_concepts.len() as u64 > limit
    {
        let concepts = summary.new_concepts.iter();
        trips.push(Trip::NewConcepts {
            concepts: concepts.map(|it| it.concept.to_string()).collect(),
            limit,
        });
    }
    trips
}

/// The concept that most annotations of this one get instead, if there is one.
fn rename(vanished: &ConceptId, summary: &Summary) -> Option<Rename> {
    let class = summary
        .classes
        .iter()
        .find(|class| class.concept == *vanished)?;
    let pairs = summary.relabelled.iter();
    let (to, annotations) = pairs
        .filter_map(|pair| match (&pair.from[..], &pair.to[..]) {
            ([from], [to]) if from == vanished => Some((to, pair.count)),
            _ => None,
        })
        .max_by_key(|(_, count)| *count)?;
    (annotations * 2 > class.before).then(|| Rename {
        from: vanished.as_str().to_owned(),
        to: to.as_str().to_owned(),
        annotations,
    })
}

/// Takes back what a plan file let pass with smaller numbers than it has now. The file alone does not say how many
/// concepts vanish; and that it reverts no more than it says is checked with its causes.
pub(super) fn take_back(plan: &mut Plan) {
    let deletes = deletes(&plan.operations, &plan.summary);
    let updates = updates(&plan.operations, &plan.summary);
    for mut trip in std::mem::take(&mut plan.passed_guards) {
        let (recorded, now) = match &mut trip {
            Trip::Deletes { count, .. } | Trip::EmptyManifest { deletes: count } => {
                (count, deletes)
            }
            Trip::Updates { count, .. } => (count, updates),
            Trip::Doubles { count, .. } => (count, doubles(&plan.summary)),
            Trip::VanishedConcepts { .. } | Trip::NewConcepts { .. } | Trip::Drift { .. } => {
                plan.passed_guards.push(trip);
                continue;
            }
        };
        if now > *recorded {
            *recorded = now;
            plan.guards.push(trip);
        } else {
            plan.passed_guards.push(trip);
        }
    }
}

/// Posts that equal somebody else's annotation.
fn doubles(summary: &Summary) -> u64 {
    summary.doubles.iter().map(|of| of.equal).sum()
}

fn count(operations: &[Operation], is: fn(&Operation) -> bool) -> u64 {
    let of_kind = operations.iter().filter(|operation| is(operation));
    of_kind.count() as u64
}

/// What goes. What an earlier run left is our own, and was guarded when it was planned.
fn deletes(operations: &[Operation], summary: &Summary) -> u64 {
    summary.delete - count(operations, is_clean_up) + summary.purged
}

/// Existing annotations that change. What an earlier run began was guarded when it was planned.
fn updates(operations: &[Operation], summary: &Summary) -> u64 {
    summary.merge + summary.overwrite + summary.remove + summary.replace
        - count(operations, is_unfinished)
}

/// The guards that count: more deletes, or more changes, than the limits allow of what exists.
pub(super) fn too_many(guards: &Guards, operations: &[Operation], summary: &Summary) -> Vec<Trip> {
    let mut trips = Vec::new();
    let existing = summary.existing;
    let deletes = deletes(operations, summary);
    let updates = updates(operations, summary);
    // A percentage of next to nothing says nothing; a number counts always.
    let exceeds = |limit: Share, count: u64| {
        (matches!(limit, Share::Count(_)) || existing >= guards.min_existing)
            && limit.is_exceeded_by(count, existing)
    };
    if exceeds(guards.max_deletes, deletes) {
        trips.push(Trip::Deletes {
            count: deletes,
            existing,
            limit: guards.max_deletes.to_string(),
        });
    }
    if exceeds(guards.max_updates, updates) {
        trips.push(Trip::Updates {
            count: updates,
            existing,
            limit: guards.max_updates.to_string(),
        });
    }
    trips
}

/// Concepts that people's annotations name now and that none would name after these writes, sorted. One that was
/// renamed does not count.
fn vanished(
    desired: &DesiredState,
    observed: &ObservedState,
    writes: Writes<'_>,
) -> Vec<ConceptId> {
    let mut losses: BTreeMap<&ConceptId, i64> = BTreeMap::new();
    let purged = writes.purges.iter().flat_map(|purge| &purge.annotations);
    for concept in purged
        .filter(|annotation| annotation.model_version.is_none())
        .filter_map(|annotation| annotation.before.concepts.as_ref())
        .flatten()
    {
        *losses.entry(&concept.id).or_default() += 1;
    }
    for operation in writes.operations {
        let before = operation
            .before
            .as_ref()
            .and_then(|content| content.concepts.as_ref());
        let after = operation
            .after
            .as_ref()
            .and_then(|content| content.concepts.as_ref());
        // A change that does not declare concepts keeps them; only a delete loses what it had.
        if operation.action == Action::Delete || after.is_some() {
            before
                .into_iter()
                .flatten()
                .for_each(|c| *losses.entry(&c.id).or_default() += 1);
        }
        after
            .into_iter()
            .flatten()
            .for_each(|c| *losses.entry(&c.id).or_default() -= 1);
    }
    losses.retain(|id, loss| *loss > 0 && !desired.renamed.contains_key(*id));
    if losses.is_empty() {
        return Vec::new();
    }
    let people = observed
        .inputs
        .values()
        .flatten()
        .filter(|annotation| annotation.maker != Maker::Model);
    for concept in people.flat_map(|annotation| &annotation.concepts) {
        if let Some(left) = losses.get_mut(&concept.id) {
            *left -= 1;
        }
    }
    losses
        .into_iter()
        .filter(|(_, left)| *left >= 0)
        .map(|(id, _)| id.clone())
        .collect()
}
