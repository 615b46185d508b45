//! Guards: limits that stop a plan which goes further than its author is likely to have meant.

use super::stand_in::{is_clean_up, is_unfinished};
use super::summary::Summary;
use super::types::{Action, Operation, Purge, Trip};
use crate::model::{ConceptId, DesiredState, Guards, Maker, ObservedState, Share};
use std::collections::BTreeMap;

/// What a person let pass, by number: exactly the plan they saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowances {
    /// Up to this many deletes.
    pub deletes: Option<u64>,
    /// Up to this many changes of existing annotations.
    pub updates: Option<u64>,
    /// Up to this many concepts that vanish.
    pub vanished: Option<u64>,
    /// A manifest that declares no input.
    pub empty: EmptyManifest,
    /// Writes that revert what was done on the remote.
    pub drift: Drift,
}

/// Whether a plan whose author wanted none may revert what was done on the remote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Drift {
    /// It may not.
    #[default]
    Stops,
    /// It may.
    Passes,
}

/// Whether a manifest that declares no input may delete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EmptyManifest {
    /// It may not.
    #[default]
    Stops,
    /// It may.
    Passes,
}

impl Allowances {
    /// Whether this guard was told to let the plan pass.
    pub fn let_pass(&self, trip: &Trip) -> bool {
        let enough =
            |allowed: Option<u64>, count: u64| allowed.is_some_and(|allowed| count <= allowed);
        match trip {
            Trip::Deletes { count, .. } => enough(self.deletes, *count),
            Trip::Updates { count, .. } => enough(self.updates, *count),
            Trip::VanishedConcepts { concepts, .. } => enough(self.vanished, concepts.len() as u64),
            Trip::EmptyManifest { .. } => self.empty == EmptyManifest::Passes,
            Trip::Drift { .. } => self.drift == Drift::Passes,
        }
    }
}

/// Everything that a plan does.
#[derive(Clone, Copy)]
pub(super) struct Writes<'a> {
    pub(super) operations: &'a [Operation],
    pub(super) purges: &'a [Purge],
}

/// The guards that stop these writes.
pub(super) fn check(
    desired: &DesiredState,
    observed: &ObservedState,
    writes: Writes<'_>,
    summary: &Summary,
    allowances: &Allowances,
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
        let concepts = vanished
            .into_iter()
            .map(|id| id.as_str().to_owned())
            .collect();
        trips.push(Trip::VanishedConcepts {
            concepts,
            limit: guards.max_vanished_concepts,
        });
    }
    trips.retain(|trip| !allowances.let_pass(trip));
    trips
}

fn count(operations: &[Operation], is: fn(&Operation) -> bool) -> u64 {
    let of_kind = operations.iter().filter(|operation| is(operation));
    of_kind.count() as u64
}

/// What goes. What an earlier run left is our own, and was guarded when it was planned.
fn deletes(operations: &[Operation], summary: &Summary) -> u64 {
    summary.delete - count(operations, is_clean_up) + summary.purged
}

/// The guards that count: more deletes, or more changes, than the limits allow of what exists.
pub(super) fn too_many(guards: &Guards, operations: &[Operation], summary: &Summary) -> Vec<Trip> {
    let mut trips = Vec::new();
    let existing = summary.existing;
    let deletes = deletes(operations, summary);
    let updates = summary.merge + summary.overwrite + summary.remove + summary.replace
        - count(operations, is_unfinished);
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
