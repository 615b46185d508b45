//! The part of a plan that one shard applies, and the join of the plans of all shards.
//!
//! An input belongs to exactly one shard, and everything that a plan does happens within one input. So the plans of all
//! shards together have the operations of the whole plan. What concerns the whole is counted again when plans are joined.

use super::batch;
use super::classes::{ClassCount, class_changes};
use super::drift;
use super::guard::{self, Limits};
use super::masks;
use super::operation::{Action, Operation};
use super::plan::Plan;
use super::shard::{Whole, blind_spot};
use super::summary::{NewConcept, Summary, UserCount};
use super::tripped_guard::TrippedGuard;
use crate::model::{ConceptId, InputId, Shard, UserId};
use std::collections::{BTreeMap, BTreeSet};

impl Plan {
    /// The part of the plan that writes on the inputs of a shard. Numbers that need the listing stay those of the whole.
    #[must_use]
    pub fn part(&self, shard: Shard) -> Self {
        let covers = |input: &InputId| shard.covers(input);
        let mut part = self.clone();
        part.shard = Some(shard);
        part.operations.retain(|it| covers(&it.input_id));
        part.purges.retain(|it| covers(&it.input_id));
        part.inputs.retain(|it| covers(&it.input_id));
        part.drift.retain(|it| covers(&it.input_id));
        part.deleted_inputs.retain(covers);
        part.settle();
        part.summary
            .count_inputs(&part.inputs, &part.deleted_inputs);
        if part.base.is_some() {
            part.summary.count_drift(&part.drift);
        }
        part.summary.rate_shares = u64::from(shard.count());
        let before: BTreeMap<&ConceptId, u64> = (self.summary.classes.iter())
            .map(|class| (&class.concept, class.before))
            .collect();
        part.summary.classes = classes(&part, |id| before.get(id).copied().unwrap_or_default());
        part.forecast();
        part
    }

    /// Counts again what follows from the operations.
    fn settle(&mut self) {
        for operation in &mut self.operations {
            // Which deletes share a call with removals depends on all of them.
            if operation.action() == Action::Delete {
                operation.bytes = 0;
            }
        }
        self.masks = masks::of(&self.operations);
        let Self {
            summary,
            operations,
            purges,
            app_owner,
            ..
        } = self;
        summary.count_writes(operations, purges, app_owner);
    }

    fn forecast(&mut self) {
        self.batches = batch::pack(&self.operations, &self.purges);
        batch::pack_inputs(&mut self.batches, &self.inputs, &self.deleted_inputs);
        self.summary.forecast(&self.batches);
    }

    /// The guards that the plan trips by its own numbers, before anything is let pass.
    pub fn stated_guards(&self, limits: Limits<'_>) -> Vec<TrippedGuard> {
        guard::stated(&self.operations, &self.summary, limits)
    }

    /// Replaces the guards of the same kinds by these.
    pub fn replace_guards(&mut self, trips: Vec<TrippedGuard>) {
        let kind = std::mem::discriminant;
        let kinds: Vec<_> = trips.iter().map(kind).collect();
        self.guards.retain(|it| !kinds.contains(&kind(it)));
        self.passed_guards.retain(|it| !kinds.contains(&kind(it)));
        self.add_guards(trips);
    }

    /// Adds guards of kinds that the plan does not have yet.
    pub fn add_guards(&mut self, trips: Vec<TrippedGuard>) {
        let kind = std::mem::discriminant;
        for trip in trips {
            let stated = self.guards.iter().chain(&self.passed_guards);
            if stated.map(kind).all(|it| it != kind(&trip)) {
                self.guards.push(trip);
            }
        }
        self.guards.sort_by_key(guard::rank);
    }

    /// Lets no guard pass.
    pub fn pass_no_guards(&mut self) {
        let passed = std::mem::take(&mut self.passed_guards);
        self.add_guards(passed);
    }
}

fn classes(plan: &Plan, before: impl Fn(&ConceptId) -> u64) -> Vec<ClassCount> {
    let changes = class_changes(&plan.operations, &plan.purges).into_iter();
    changes
        .map(|(concept, change)| {
            let before = before(concept);
            ClassCount {
                concept: concept.clone(),
                before,
                after: before.saturating_add_signed(change),
            }
        })
        .collect()
}

/// Why plans or outcomes cannot be joined.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    #[error("it is not of a shard")]
    NotOfAShard(usize),
    #[error("it is of shard {shard}, and the first file is of shard {first}")]
    OtherCount {
        at: usize,
        shard: Shard,
        first: Shard,
    },
    #[error("it is of shard {shard}, and so is an earlier file")]
    Twice { at: usize, shard: Shard },
    #[error("its {what} differs from that of the first file")]
    Differs { at: usize, what: &'static str },
    #[error("{} of {count} shards missing: {}", missing.len(), list(missing))]
    Missing { missing: Vec<u32>, count: u32 },
}

impl JoinError {
    /// The index of the file that is wrong, if it is one.
    pub fn at(&self) -> Option<usize> {
        match self {
            Self::NotOfAShard(at)
            | Self::OtherCount { at, .. }
            | Self::Twice { at, .. }
            | Self::Differs { at, .. } => Some(*at),
            Self::Missing { .. } => None,
        }
    }
}

fn list(numbers: &[u32]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
    numbers.join(", ")
}

/// Checks that these are all shards of one count, each once.
pub(super) fn check_shards(shards: &[Option<Shard>]) -> Result<(), JoinError> {
    let mut seen = BTreeSet::new();
    let mut first = None;
    for (at, shard) in shards.iter().enumerate() {
        let shard = shard.ok_or(JoinError::NotOfAShard(at))?;
        let first = *first.get_or_insert(shard);
        if shard.count() != first.count() {
            return Err(JoinError::OtherCount { at, shard, first });
        }
        if !seen.insert(shard.index()) {
            return Err(JoinError::Twice { at, shard });
        }
    }
    let count = first.map_or(0, Shard::count);
    let missing: Vec<u32> = (0..count).filter(|index| !seen.contains(index)).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(JoinError::Missing { missing, count })
    }
}

/// The plan of the whole, from the plans of all its shards. Guards are counted over the whole; those that a flag let pass in
/// a shard stop it again.
///
/// # Errors
///
/// The plans are not those of all shards of one manifest and one app.
pub fn join(plans: Vec<Plan>) -> Result<Plan, JoinError> {
    let shards: Vec<Option<Shard>> = plans.iter().map(|plan| plan.shard).collect();
    check_shards(&shards)?;
    for (at, plan) in plans.iter().enumerate() {
        if let Some(what) = difference(&plans[0], plan) {
            return Err(JoinError::Differs { at, what });
        }
    }
    let mut plans = plans;
    plans.sort_by_key(|plan| plan.shard);
    let mut parts = plans.into_iter();
    let mut joined = parts.next().expect("a shard count is at least 1");
    let shard = joined.shard.take().expect("it was checked");
    let whole = joined.whole.take().expect("a plan of a shard has it");
    let mut kept = whole.kept_concepts.clone();
    let spot = |index: u32| Shard::new(index, shard.count()).map(blind_spot).ok();
    joined.blind_spots.retain(|it| Some(it) != spot(0).as_ref());
    joined.pass_no_guards();
    for mut part in parts {
        let index = part.shard.map_or(0, Shard::index);
        part.blind_spots
            .retain(|it| Some(it) != spot(index).as_ref());
        part.pass_no_guards();
        for (concept, count) in part
            .whole
            .take()
            .into_iter()
            .flat_map(|it| it.kept_concepts)
        {
            *kept.entry(concept).or_default() += count;
        }
        joined.append(part);
    }
    joined.finish_join(&whole, &kept);
    Ok(joined)
}

/// In what two plans of one run may not differ.
fn difference(one: &Plan, other: &Plan) -> Option<&'static str> {
    let limits = |plan: &Plan| {
        let whole = plan.whole.as_ref()?;
        Some((whole.declared_inputs, whole.guards, whole.renamed.clone()))
    };
    let base = |plan: &Plan| plan.base.as_ref().map(|it| it.manifest_hash.clone());
    let same = [
        (
            "version of annosync",
            one.tool_version == other.tool_version,
        ),
        ("manifest", one.manifest_hash == other.manifest_hash),
        (
            "app",
            one.target == other.target && one.app_owner == other.app_owner,
        ),
        ("set", one.set == other.set),
        ("policy", one.policy == other.policy),
        ("list of owners", one.owners == other.owners),
        ("list of adopted sets", one.adopts == other.adopts),
        ("base", base(one) == base(other)),
        ("rate", one.summary.rate_limit == other.summary.rate_limit),
        ("list of limits", limits(one) == limits(other)),
    ];
    let other = same.into_iter().find(|(_, is_same)| !is_same);
    other.map(|(what, _)| what)
}

impl Plan {
    fn append(&mut self, part: Self) {
        self.operations.extend(part.operations);
        self.purges.extend(part.purges);
        self.inputs.extend(part.inputs);
        self.drift.extend(part.drift);
        for trip in part.guards {
            let kind = std::mem::discriminant::<TrippedGuard>;
            match self.guards.iter_mut().find(|it| kind(it) == kind(&trip)) {
                Some(known) => known.add(&trip),
                None => self.guards.push(trip),
            }
        }
        for spot in part.blind_spots {
            if !self.blind_spots.contains(&spot) {
                self.blind_spots.push(spot);
            }
        }
        self.summary.add(part.summary);
    }

    fn finish_join(&mut self, whole: &Whole, kept: &BTreeMap<ConceptId, u64>) {
        // The sorts are stable: within one input the order of its plan stays.
        (self.operations).sort_by(|a, b| (&a.input_id, a.action()).cmp(&(&b.input_id, b.action())));
        self.purges.sort_by(|a, b| a.input_id.cmp(&b.input_id));
        self.inputs.sort_by(|a, b| a.input_id.cmp(&b.input_id));
        drift::sort(&mut self.drift);
        self.settle();
        self.summary.count_inputs(&self.inputs, &[]);
        if self.base.is_some() {
            self.summary.count_drift(&self.drift);
        }
        self.summary.rate_shares = 0;
        // `add` summed what each shard has; a concept that no write of a shard changes is counted in `kept`.
        let before: BTreeMap<ConceptId, u64> = (self.summary.classes.iter())
            .map(|class| {
                let more = kept.get(&class.concept).copied().unwrap_or_default();
                (class.concept.clone(), class.before.saturating_add(more))
            })
            .collect();
        self.summary.classes = classes(self, |id| before.get(id).copied().unwrap_or_default());
        self.forecast();
        // Drift and its stop are decisions of the run, not numbers of the whole.
        self.guards
            .retain(|it| matches!(it, TrippedGuard::Drift { .. }));
        let limits = Limits {
            guards: &whole.guards,
            renamed: &whole.renamed,
            elsewhere: &BTreeSet::new(),
        };
        let mut trips = self.stated_guards(limits);
        trips.extend(guard::emptying(
            whole.declared_inputs,
            &self.operations,
            &self.summary,
        ));
        self.add_guards(trips);
    }
}

impl Summary {
    /// Adds the numbers of another part that do not follow from the operations.
    fn add(&mut self, part: Self) {
        for (sum, more) in [
            (&mut self.unchanged, part.unchanged),
            (&mut self.unmanaged, part.unmanaged),
            (&mut self.other_sets, part.other_sets),
            (&mut self.unreadable, part.unreadable),
            (&mut self.lost_consensus, part.lost_consensus),
            (&mut self.existing, part.existing),
            (&mut self.changeable, part.changeable),
            (&mut self.ambiguous, part.ambiguous),
            (&mut self.held_back.updates, part.held_back.updates),
            (&mut self.held_back.deletes, part.held_back.deletes),
            (&mut self.held_back.unreadable, part.held_back.unreadable),
        ] {
            // A plan file may hold any numbers.
            *sum = sum.saturating_add(more);
        }
        self.emptied.extend(part.emptied);
        self.emptied.sort();
        let mut users: BTreeMap<Option<UserId>, u64> = BTreeMap::new();
        let all = std::mem::take(&mut self.unmanaged_users).into_iter();
        for UserCount { user, count } in all.chain(part.unmanaged_users) {
            let sum = users.entry(user).or_default();
            *sum = sum.saturating_add(count);
        }
        self.count_unmanaged(users);
        let mut concepts: BTreeMap<ConceptId, NewConcept> = BTreeMap::new();
        let all = std::mem::take(&mut self.new_concepts).into_iter();
        for new in all.chain(part.new_concepts) {
            match concepts.get_mut(&new.concept) {
                Some(known) => {
                    known.annotations = known.annotations.saturating_add(new.annotations);
                }
                None => {
                    concepts.insert(new.concept.clone(), new);
                }
            }
        }
        self.new_concepts = concepts.into_values().collect();
        let mut classes: BTreeMap<ConceptId, ClassCount> = BTreeMap::new();
        let all = std::mem::take(&mut self.classes).into_iter();
        for class in all.chain(part.classes) {
            match classes.get_mut(&class.concept) {
                Some(known) => known.before = known.before.saturating_add(class.before),
                None => {
                    classes.insert(class.concept.clone(), class);
                }
            }
        }
        self.classes = classes.into_values().collect();
    }
}

impl TrippedGuard {
    /// Adds the numbers of the same guard in another part. Only those of drift are kept: the others are counted again.
    fn add(&mut self, part: &Self) {
        if let (
            Self::Drift { count, reverted },
            Self::Drift {
                count: more,
                reverted: more_reverted,
            },
        ) = (self, part)
        {
            *count = count.saturating_add(*more);
            *reverted = reverted.saturating_add(*more_reverted);
        }
    }
}

/// Whether all that a plan does is within its shard.
pub(super) fn is_within(plan: &Plan) -> bool {
    let Some(shard) = plan.shard else {
        return true;
    };
    let operations = plan.operations.iter().map(|it: &Operation| &it.input_id);
    let purges = plan.purges.iter().map(|it| &it.input_id);
    let inputs = plan.inputs.iter().map(|it| &it.input_id);
    let drift = plan.drift.iter().map(|it| &it.input_id);
    let mut all = operations
        .chain(purges)
        .chain(inputs)
        .chain(drift)
        .chain(&plan.deleted_inputs);
    all.all(|input| shard.covers(input))
}
