//! Guards: limits that stop a plan that changes more than its author probably intended.

use super::classes::{self, ClassCount};
use super::operation::{Action, Cause, DoubledAnnotation, Operation};
use super::permit::Permit;
use super::plan::Plan;
use super::shard::ShardContext;
use super::summary::{self, Doubles, Summary};
use super::tripped_guard::{Rename, TrippedGuard};
use crate::matching::{self, Claims};
use crate::model::{
    ConceptId, DesiredAnnotation, DesiredState, GuardLimit, Guards, Identity, InputId, Maker,
    ObservedAnnotation, ObservedState, Origin,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The limits for a plan file.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    pub guards: &'a Guards,
    /// Old concept to new one; a renamed concept does not count as vanished.
    pub renamed: &'a BTreeMap<ConceptId, ConceptId>,
    /// Concepts that other shards declare; they do not count as vanished.
    pub elsewhere: &'a BTreeSet<ConceptId>,
}

/// The guards that these operations trip, before allowances. `summary` is the one of these operations.
pub(super) fn check(
    desired: &DesiredState,
    operations: &[Operation],
    summary: &Summary,
    shard: Option<&ShardContext>,
) -> Vec<TrippedGuard> {
    let guards = shard.map_or(desired.guards, |shard| shard.guards(&desired.guards));
    let declared = shard.map_or(desired.inputs.len() as u64, |shard| shard.declared_inputs);
    let none = BTreeSet::new();
    let limits = Limits {
        guards: &guards,
        renamed: &desired.renamed,
        elsewhere: shard.map_or(&none, |shard| &shard.other_concepts),
    };
    let mut trips: Vec<TrippedGuard> = emptying(declared, operations, summary)
        .into_iter()
        .collect();
    trips.extend(stated(operations, summary, limits));
    trips
}

/// The guard against deletes by a manifest that declares no input.
pub(super) fn emptying(
    declared_inputs: u64,
    operations: &[Operation],
    summary: &Summary,
) -> Option<TrippedGuard> {
    let deletes = deletes(operations, summary);
    (declared_inputs == 0 && deletes > 0).then_some(TrippedGuard::EmptyManifest { deletes })
}

/// The guards that these operations trip, by the numbers of their summary.
pub(super) fn stated(
    operations: &[Operation],
    summary: &Summary,
    limits: Limits<'_>,
) -> Vec<TrippedGuard> {
    let guards = limits.guards;
    let mut trips = too_many(guards, operations, summary, Scope::of(summary));
    trips.extend(vanishing(limits, summary));
    trips.extend(doubling(guards, summary));
    trips.extend(unknown(guards, summary));
    trips
}

fn vanishing(limits: Limits<'_>, summary: &Summary) -> Option<TrippedGuard> {
    let vanished = vanished(limits, summary);
    if vanished.len() as u64 <= limits.guards.max_vanished_concepts {
        return None;
    }
    let renames = renames(&vanished, summary);
    let concepts = vanished.iter().map(|id| id.as_str().to_owned()).collect();
    Some(TrippedGuard::VanishedConcepts {
        concepts,
        limit: limits.guards.max_vanished_concepts,
        renames,
    })
}

fn doubling(guards: &Guards, summary: &Summary) -> Option<TrippedGuard> {
    let doubles = doubles(summary);
    let equal = summary.doubles.iter().filter(|of| of.equal > 0);
    (doubles > guards.max_doubles).then(|| TrippedGuard::Doubles {
        count: doubles,
        limit: guards.max_doubles,
        of: equal.cloned().collect(),
    })
}

fn unknown(guards: &Guards, summary: &Summary) -> Option<TrippedGuard> {
    let limit = guards.max_new_concepts?;
    let concepts = summary.new_concepts.iter();
    (summary.new_concepts.len() as u64 > limit).then(|| TrippedGuard::NewConcepts {
        concepts: concepts.map(|it| it.concept.to_string()).collect(),
        limit,
    })
}

/// The concepts that replace these on most of their annotations.
fn renames(vanished: &[&ConceptId], summary: &Summary) -> Vec<Rename> {
    let classes = summary.classes.iter();
    let before: HashMap<_, _> = classes
        .map(|class| (&class.concept, class.before))
        .collect();
    let mut most: HashMap<&ConceptId, (&ConceptId, u64)> = HashMap::new();
    for pair in &summary.relabelled {
        if let ([from], [to]) = (&pair.from[..], &pair.to[..]) {
            let known = most.entry(from).or_insert((to, pair.count));
            if pair.count >= known.1 {
                *known = (to, pair.count);
            }
        }
    }
    let renamed = vanished.iter().filter_map(|from| {
        let (to, annotations) = most.get(from).copied()?;
        (annotations * 2 > before[from]).then(|| Rename {
            from: from.as_str().to_owned(),
            to: to.as_str().to_owned(),
            annotations,
        })
    });
    renamed.collect()
}

/// The guards that a plan file trips, counted from its operations. Its own count of existing annotations is capped by
/// what was observed.
///
/// For an undo, only the number of writes is guarded: it reverts changes that were guarded when they were applied.
pub(super) fn recheck(
    plan: &Plan,
    observed: &ObservedState,
    permit: &Permit,
    limits: Limits<'_>,
) -> Vec<TrippedGuard> {
    let guards = limits.guards;
    let mut summary = plan.summary.clone();
    // A smaller number in the file makes a percentage stricter. But whether percentages count at all depends on the app alone: a
    // small number would switch them off.
    let mut scope = Scope::of(&summary);
    if let Some(claims) = permit.claims() {
        scope = seen(plan, observed, claims);
        summary.existing = summary.existing.min(scope.existing);
        summary.changeable = summary.changeable.min(scope.changeable);
    }
    let mut trips = too_many(guards, &plan.operations, &summary, scope);
    if plan.is_undo() {
        return trips;
    }
    // The counts of concepts require the listing.
    summary.classes = classes::classes(&plan.operations, &plan.purges, observed);
    trips.extend(vanishing(limits, &summary));
    summary.doubles = doubled(plan, observed, permit);
    trips.extend(doubling(guards, &summary));
    trips.extend(unknown(guards, &summary));
    let causes = plan.operations.iter().map(|it| it.cause);
    let mut causes = causes.chain(plan.purges.iter().map(|it| it.cause));
    if causes.any(|cause| cause.is_some_and(Cause::reverts)) {
        trips.push(TrippedGuard::Drift {
            count: summary.drift.unwrap_or_default(),
            reverted: summary.reverted,
        });
    }
    trips
}

/// The position of a guard in a plan's list.
pub(super) fn rank(trip: &TrippedGuard) -> u8 {
    match trip {
        TrippedGuard::EmptyManifest { .. } => 0,
        TrippedGuard::Deletes { .. } => 1,
        TrippedGuard::Updates { .. } => 2,
        TrippedGuard::VanishedConcepts { .. } => 3,
        TrippedGuard::Doubles { .. } => 4,
        TrippedGuard::NewConcepts { .. } => 5,
        TrippedGuard::Drift { .. } => 6,
    }
}

/// Whether the number of a guard in a plan file matches its operations. The number of vanished concepts requires the
/// listing; `read` checks drift.
pub(super) fn is_counted(plan: &Plan, trip: &TrippedGuard) -> bool {
    let deletes = deletes(&plan.operations, &plan.summary);
    match trip {
        TrippedGuard::Deletes { count, .. } | TrippedGuard::EmptyManifest { deletes: count } => {
            *count == deletes
        }
        TrippedGuard::Updates { count, .. } => *count == updates(&plan.operations, &plan.summary),
        TrippedGuard::Doubles { count, .. } => *count == doubles(&plan.summary),
        TrippedGuard::NewConcepts { concepts, .. } => {
            concepts.len() == plan.summary.new_concepts.len()
        }
        TrippedGuard::VanishedConcepts { .. } | TrippedGuard::Drift { .. } => true,
    }
}

/// How many annotations a plan file could delete, and how many it could change, at most.
fn seen(plan: &Plan, observed: &ObservedState, claims: &Claims) -> Scope {
    let name = |it: &'_ Operation| (it.input_id.clone(), it.id.clone());
    let changed: HashSet<_> = plan.operations.iter().map(name).collect();
    let purged: HashSet<&InputId> = plan.purges.iter().map(|it| &it.input_id).collect();
    let all = observed.inputs.iter();
    let all = all.flat_map(|(input, all)| all.iter().map(move |it| (input, it)));
    let exists = |input: &InputId, it: &ObservedAnnotation| {
        claims.is_in_scope(it) || (purged.contains(input) && it.maker != Maker::Input)
    };
    all.fold(Scope::default(), |scope, (input, it)| {
        let exists = exists(input, it);
        let may_change = exists || changed.contains(&(input.clone(), it.id.clone()));
        Scope {
            existing: scope.existing + u64::from(exists),
            changeable: scope.changeable + u64::from(may_change),
        }
    })
}

/// The posts that equal annotations of other users, counted from the listing.
fn doubled(plan: &Plan, observed: &ObservedState, permit: &Permit) -> Vec<Doubles> {
    let Some(claims) = permit.claims() else {
        return plan.summary.doubles.clone();
    };
    let mut posts: BTreeMap<&InputId, Vec<&Operation>> = BTreeMap::new();
    for operation in plan
        .operations
        .iter()
        .filter(|it| it.action() == Action::Post)
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
            content: operation.after().cloned().unwrap_or_default(),
            origin: Origin::default(),
        };
        let declared: Vec<DesiredAnnotation> = posts.iter().map(declared).collect();
        let missing: Vec<usize> = (0..declared.len()).collect();
        let unclaimed: Vec<usize> = (0..there.len()).collect();
        for double in matching::doubles(claims, (&declared, &missing), (there, &unclaimed)) {
            let of = &there[double.observed];
            doubling.push(DoubledAnnotation::new(of, double.is_equal));
        }
    }
    summary::doubles(doubling.iter())
}

/// The number of posts that equal an annotation of another user or set.
fn doubles(summary: &Summary) -> u64 {
    summary.doubles.iter().map(|of| of.equal).sum()
}

fn count(operations: &[Operation], is: fn(&Operation) -> bool) -> u64 {
    let of_kind = operations.iter().filter(|operation| is(operation));
    of_kind.count() as u64
}

/// The number of deleted annotations, without stand-ins that earlier runs left behind.
fn deletes(operations: &[Operation], summary: &Summary) -> u64 {
    summary.actions.delete - count(operations, Operation::is_clean_up) + summary.purged
}

/// The number of changed annotations, without replacements that an earlier run began: they were guarded when they
/// were planned.
fn updates(operations: &[Operation], summary: &Summary) -> u64 {
    summary.actions.updates() - count(operations, Operation::is_unfinished)
}

/// How many annotations a plan could delete, and how many it could change.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scope {
    existing: u64,
    changeable: u64,
}

impl Scope {
    pub(super) fn of(summary: &Summary) -> Self {
        Self {
            existing: summary.existing,
            changeable: summary.changeable,
        }
    }
}

/// The guards against too many deletes or changes. `scope` decides whether `min_existing` annotations exist;
/// percentages refer to the numbers in `summary`.
pub(super) fn too_many(
    guards: &Guards,
    operations: &[Operation],
    summary: &Summary,
    scope: Scope,
) -> Vec<TrippedGuard> {
    let mut trips = Vec::new();
    let deletes = deletes(operations, summary);
    let updates = updates(operations, summary);
    // A percentage of few annotations means little; a number always counts, and so does 0 %.
    let exceeds = |limit: GuardLimit, count: u64, existing: u64, there: u64| {
        (matches!(limit, GuardLimit::Count(_) | GuardLimit::Percent(0))
            || there >= guards.min_existing)
            && limit.is_exceeded_by(count, existing)
    };
    if exceeds(
        guards.max_deletes,
        deletes,
        summary.existing,
        scope.existing,
    ) {
        trips.push(TrippedGuard::Deletes {
            count: deletes,
            existing: summary.existing,
            limit: guards.max_deletes.to_string(),
        });
    }
    if exceeds(
        guards.max_updates,
        updates,
        summary.changeable,
        scope.changeable,
    ) {
        trips.push(TrippedGuard::Updates {
            count: updates,
            existing: summary.changeable,
            limit: guards.max_updates.to_string(),
        });
    }
    trips
}

/// Concepts that at least `min_existing` annotations have now and that none would have after these writes, sorted. A
/// renamed concept does not count if most of its annotations get the new one.
fn vanished<'s>(limits: Limits<'_>, summary: &'s Summary) -> Vec<&'s ConceptId> {
    let mut renamed: HashMap<&ConceptId, u64> = HashMap::new();
    if !limits.renamed.is_empty() {
        for pair in &summary.relabelled {
            for from in &pair.from {
                if limits
                    .renamed
                    .get(from)
                    .is_some_and(|to| pair.to.contains(to))
                {
                    *renamed.entry(from).or_default() += pair.count;
                }
            }
        }
    }
    let is_renamed = |class: &ClassCount| {
        let count = renamed.get(&class.concept);
        count.is_some_and(|count| count * 2 > class.before)
    };
    let classes = summary.classes.iter();
    classes
        .filter(|class| class.after == 0 && class.before >= limits.guards.min_existing.max(1))
        .filter(|class| !is_renamed(class) && !limits.elsewhere.contains(&class.concept))
        .map(|class| &class.concept)
        .collect()
}
