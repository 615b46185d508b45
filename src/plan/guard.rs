//! Guards: limits that stop a plan which goes further than its author is likely to have meant.

use super::permit::Permit;
use super::stand_in::{is_clean_up, is_unfinished};
use super::summary::{self, Doubles, Summary};
use super::trip::{Rename, Trip};
use super::types::{Action, Cause, Double, Likeness, Operation, Plan, Purge};
use crate::matching;
use crate::model::{
    ConceptId, DesiredAnnotation, DesiredState, Guards, Identity, InputId, Maker,
    ObservedAnnotation, ObservedState, Origin, Share,
};
use std::collections::{BTreeMap, HashSet};

/// What a plan file is held to.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// The limits that stop a plan.
    pub guards: &'a Guards,
    /// Concepts that were renamed, old to new: those do not vanish.
    pub renamed: &'a BTreeMap<ConceptId, ConceptId>,
}

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
    trips.extend(vanishing(
        guards,
        &desired.renamed,
        observed,
        writes,
        summary,
    ));
    trips.extend(doubling(guards, summary));
    trips.extend(unknown(guards, summary));
    trips
}

fn vanishing(
    guards: &Guards,
    known: &BTreeMap<ConceptId, ConceptId>,
    observed: &ObservedState,
    writes: Writes<'_>,
    summary: &Summary,
) -> Option<Trip> {
    let vanished = vanished(known, observed, writes);
    if vanished.len() as u64 <= guards.max_vanished_concepts {
        return None;
    }
    let renames = vanished.iter().filter_map(|id| rename(id, summary));
    let renames = renames.collect();
    let concepts = vanished
        .into_iter()
        .map(|id| id.as_str().to_owned())
        .collect();
    Some(Trip::VanishedConcepts {
        concepts,
        limit: guards.max_vanished_concepts,
        renames,
    })
}

fn doubling(guards: &Guards, summary: &Summary) -> Option<Trip> {
    let doubles = doubles(summary);
    let equal = summary.doubles.iter().filter(|of| of.equal > 0);
    (doubles > guards.max_doubles).then(|| Trip::Doubles {
        count: doubles,
        limit: guards.max_doubles,
        of: equal.cloned().collect(),
    })
}

fn unknown(guards: &Guards, summary: &Summary) -> Option<Trip> {
    let limit = guards.max_new_concepts?;
    let concepts = summary.new_concepts.iter();
    (summary.new_concepts.len() as u64 > limit).then(|| Trip::NewConcepts {
        concepts: concepts.map(|it| it.concept.to_string()).collect(),
        limit,
    })
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

/// The guards that a plan file trips, whatever it says itself. What it says exists counts only as far as it was seen.
///
/// What undoes an apply takes back what was guarded when it was applied: only how much it writes is guarded.
pub(super) fn recheck(
    plan: &Plan,
    observed: &ObservedState,
    permit: &Permit,
    limits: Limits<'_>,
) -> Vec<Trip> {
    let Limits { guards, renamed } = limits;
    let writes = Writes {
        operations: &plan.operations,
        purges: &plan.purges,
    };
    let mut summary = plan.summary.clone();
    summary.existing = summary.existing.min(seen(plan, observed, permit));
    let mut trips = too_many(guards, writes.operations, &summary);
    if plan.is_undo() {
        return trips;
    }
    trips.extend(vanishing(guards, renamed, observed, writes, &summary));
    summary.doubles = doubled(plan, observed, permit);
    trips.extend(doubling(guards, &summary));
    trips.extend(unknown(guards, &summary));
    let causes = plan.operations.iter().map(|it| it.cause);
    let mut causes = causes.chain(plan.purges.iter().map(|it| it.cause));
    if causes.any(|cause| cause.is_some_and(Cause::reverts)) {
        trips.push(Trip::Drift {
            count: summary.drift.unwrap_or_default(),
        });
    }
    trips
}

/// The place of a guard among those that a plan trips.
pub(super) fn rank(trip: &Trip) -> u8 {
    match trip {
        Trip::EmptyManifest { .. } => 0,
        Trip::Deletes { .. } => 1,
        Trip::Updates { .. } => 2,
        Trip::VanishedConcepts { .. } => 3,
        Trip::Doubles { .. } => 4,
        Trip::NewConcepts { .. } => 5,
        Trip::Drift { .. } => 6,
    }
}

/// Whether the number of a guard that a plan file names is that of its operations. How many concepts vanish, the file alone
/// does not say; of drift, its causes do.
pub(super) fn is_counted(plan: &Plan, trip: &Trip) -> bool {
    let deletes = deletes(&plan.operations, &plan.summary);
    match trip {
        Trip::Deletes { count, .. } | Trip::EmptyManifest { deletes: count } => *count == deletes,
        Trip::Updates { count, .. } => *count == updates(&plan.operations, &plan.summary),
        Trip::Doubles { count, .. } => *count == doubles(&plan.summary),
        Trip::NewConcepts { concepts, .. } => concepts.len() == plan.summary.new_concepts.len(),
        Trip::VanishedConcepts { .. } | Trip::Drift { .. } => true,
    }
}

/// How many annotations there are of which a plan file may say that they exist in its scope.
fn seen(plan: &Plan, observed: &ObservedState, permit: &Permit) -> u64 {
    let Some(claims) = permit.claims() else {
        return u64::MAX;
    };
    let name = |it: &'_ Operation| (it.input_id.clone(), it.id.clone());
    let changed: HashSet<_> = plan.operations.iter().map(name).collect();
    let purged: HashSet<&InputId> = plan.purges.iter().map(|it| &it.input_id).collect();
    let all = observed.inputs.iter();
    let all = all.flat_map(|(input, all)| all.iter().map(move |it| (input, it)));
    let exists = |(input, it): &(&InputId, &ObservedAnnotation)| {
        claims.is_in_scope(it)
            || purged.contains(input)
            || changed.contains(&((*input).clone(), it.id.clone()))
    };
    all.filter(exists).count() as u64
}

/// The posts that equal annotations of others, counted anew.
fn doubled(plan: &Plan, observed: &ObservedState, permit: &Permit) -> Vec<Doubles> {
    let Some(claims) = permit.claims() else {
        return plan.summary.doubles.clone();
    };
    let mut posts: BTreeMap<&InputId, Vec<&Operation>> = BTreeMap::new();
    for operation in plan
        .operations
        .iter()
        .filter(|it| it.action == Action::Post)
    {
        posts
            .entry(&operation.input_id)
            .or_default()
            .push(operation);
    }
    let mut doubling = Vec::new();
    for (input, posts) in posts {
        let there = observed.inputs.get(input).map_or(&[][..], Vec::as_slice);
        let declared = |operation: &&Operation| DesiredAnnotation {
            identity: Identity::Content,
            content: operation.after.clone().unwrap_or_default(),
            origin: Origin::default(),
        };
        let declared: Vec<DesiredAnnotation> = posts.iter().map(declared).collect();
        let missing: Vec<usize> = (0..declared.len()).collect();
        let unclaimed: Vec<usize> = (0..there.len()).collect();
        for double in matching::doubles(claims, (&declared, &missing), (there, &unclaimed)) {
            let of = &there[double.observed];
            let mut operation = posts[double.desired].clone();
            operation.double = Some(Box::new(Double {
                id: of.id.clone(),
                user: of.user.clone(),
                closeness: if double.is_equal {
                    Likeness::Equal
                } else {
                    Likeness::Near
                },
            }));
            doubling.push(operation);
        }
    }
    summary::doubles(&doubling)
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
    renamed: &BTreeMap<ConceptId, ConceptId>,
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
    losses.retain(|id, loss| *loss > 0 && !renamed.contains_key(*id));
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
