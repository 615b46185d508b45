//! The numbers of a plan, which every output format shows.
//!
//! Whatever can be counted from the operations is, so that `read` can check a plan file. Numbers that require the
//! listing (how often a concept is used, which inputs are left empty) are counted while planning.

use super::app_change::{AppChange, AppChangeKind, Decision};
use super::batch;
use super::batch::Batch;
use super::classes::{self, ClassCount, Relabelled, classes, relabelled};
use super::counts::ActionCounts;
use super::moves::{self, Moves, Turned};
use super::operation::{Action, DoubledAnnotation, Likeness, Operation};
use super::planned_input::PlannedInput;
use super::purge::Purge;
use super::rights::{self, Needed};
use crate::model::{
    AnnotationId, ConceptId, DesiredInput, Identity, InputId, Maker, ObservedState, SetPrefix,
    UserId,
};
use std::collections::{BTreeMap, HashSet};

/// Writes that are held back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HeldBack {
    /// Changes of existing annotations that the policy does not allow.
    pub updates: u64,
    /// Deletes that the policy does not allow.
    pub deletes: u64,
    /// Annotations that were changed in the app since the base and that the plan keeps, including undecided
    /// conflicts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub drift: u64,
    /// Writes on inputs with an annotation that cannot be read: they could double or delete a label.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: u64,
}

/// The numbers of a plan.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    #[serde(flatten)]
    pub actions: ActionCounts,
    /// Declared annotations that are in the app as declared.
    pub unchanged: u64,
    /// Annotations made by people that this manifest does not manage: those of users outside `owners`, and those on
    /// inputs that are not declared.
    pub unmanaged: u64,
    /// Annotations that carry another label set's prefix.
    pub other_sets: u64,
    /// Listed annotations that cannot be read; they are left alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: u64,
    /// Annotations to replace that lose their `consensus_info`, because no call can write it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost_consensus: u64,
    /// Existing annotations in scope, which the plan could delete. The percentage of `max_deletes` refers to them.
    pub existing: u64,
    /// Existing annotations that the plan could change: those in scope, and declared ones that are not. The
    /// percentage of `max_updates` refers to them.
    #[serde(default)]
    pub changeable: u64,
    /// Matches with a runner-up within 0.02.
    pub ambiguous: u64,
    /// Inputs to purge.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purge: u64,
    /// Annotations that the purges delete.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purged: u64,
    /// Inputs to post.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub posted_inputs: u64,
    /// Existing inputs that are not processed yet, which apply waits for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub awaited_inputs: u64,
    /// Inputs to delete.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deleted_inputs: u64,
    /// The concepts that the app does not have yet and that the plan creates, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_concepts: Vec<NewConcept>,
    /// Writes that the policy, changes in the app, or unreadable annotations hold back.
    pub held_back: HeldBack,
    /// Annotations that were added, changed or deleted in the app since the base, by anybody; absent from a plan
    /// without a base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<u64>,
    /// The part of the drift with a field that both sides changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<u64>,
    /// The part of the drift that was added.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub drift_added: u64,
    /// The part of the drift that was changed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub drift_changed: u64,
    /// The part of the drift that was deleted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub drift_deleted: u64,
    /// The part of the drift that this plan reverts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reverted: u64,
    /// The undecided conflicts; their fields are not written.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub undecided: u64,
    /// Undeclared annotations on declared inputs that users outside `owners` made, by user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmanaged_users: Vec<UserCount>,
    /// Annotations that are changed or deleted and are not the app owner's, by user; sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OthersWork>,
    /// Writes that only one user and the app's owner may make, sorted by user. The plan must be applied by the app's
    /// owner, or by the only user listed here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Needed>,
    /// Posts that double annotations of users outside `owners`, or of other sets; sorted by set, then user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubles: Vec<Doubles>,
    /// Inputs that lose their last annotations by users; sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emptied: Vec<InputId>,
    /// The concepts that more or fewer annotations have after the plan is applied, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassCount>,
    /// The relabelled annotations by what changes, most frequent first, then sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relabelled: Vec<Relabelled>,
    /// Annotations whose geometry changes, except turned ones.
    #[serde(default, skip_serializing_if = "Moves::is_nothing")]
    pub moved: Moves,
    /// Annotations whose picture was turned or mirrored, by turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turned: Vec<Turned>,
    /// Calls that the plan makes.
    pub calls: u64,
    /// The smallest possible number of calls: the sum over kinds of n / 128, rounded up. Deletes that share a call
    /// with removals count as removals.
    pub lower_bound: u64,
    /// The target's limit in calls per second.
    pub rate_limit: u32,
    /// How many shards share that rate; absent from a plan of all inputs.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rate_shares: u64,
    /// The duration of the calls at that rate in seconds, rounded up to tenths.
    #[serde(default)]
    pub seconds: f64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Writes to annotations of a user who is not the app's owner.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OthersWork {
    /// The user; absent if the service reports none, as for annotations made by a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The number of changed annotations.
    pub changed: u64,
    /// The number of deleted annotations, including those of purges.
    pub deleted: u64,
}

/// A number of annotations of a user.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UserCount {
    /// The user; absent if the service reports none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The number of annotations.
    pub count: u64,
}

/// Posts that double annotations of one user, or of one other set.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Doubles {
    /// The prefix of the other set's ids; absent for annotations that no set made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// The user; absent for annotations of another set, and if the service reports none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The number of posts with the same place and concepts as one of these annotations.
    pub equal: u64,
    /// The number of posts that have the same concepts as one of these annotations, and nearly the same place.
    pub near: u64,
}

/// A concept that the app does not have yet.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NewConcept {
    /// The concept.
    pub concept: ConceptId,
    /// The number of written annotations that name it.
    pub annotations: u64,
    /// The most similar concept of the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<ConceptId>,
}

impl Summary {
    /// The duration of the calls at the target's rate, in tenths of a second, rounded up.
    pub fn tenths_of_seconds(&self) -> u64 {
        let rate = u64::from(self.rate_limit.max(1));
        // A plan file may hold any numbers.
        (self.calls * 10)
            .saturating_mul(self.rate_shares.max(1))
            .div_ceil(rate)
    }

    /// Counts what follows only from the writes.
    pub(super) fn count_writes(
        &mut self,
        operations: &[Operation],
        purges: &[Purge],
        app_owner: &UserId,
    ) {
        self.actions = ActionCounts::of(operations.iter().map(Operation::action));
        self.purge = purges.len() as u64;
        self.purged = purges
            .iter()
            .map(|purge| purge.annotations.len() as u64)
            .sum();
        self.others = others(operations, purges, app_owner);
        self.needs = rights::needed(operations, purges, app_owner);
        self.doubles = doubles(operations.iter().filter_map(Operation::double));
        // A plan does not manage concepts that a side does not name.
        self.relabelled = relabelled(operations.iter().filter_map(|operation| {
            let before = operation.before()?.concepts.as_ref()?;
            Some((before, operation.after()?.concepts.as_ref()?))
        }));
        self.moved = Moves::of(operations);
        self.turned = moves::turned(operations);
    }

    pub(super) fn count_inputs(&mut self, inputs: &[PlannedInput], deleted: &[InputId]) {
        self.posted_inputs = inputs.iter().filter(|input| input.is_posted()).count() as u64;
        self.awaited_inputs = inputs.len() as u64 - self.posted_inputs;
        self.deleted_inputs = deleted.len() as u64;
    }

    /// What [`Summary::count_inputs`] counted.
    pub(super) fn inputs(&self) -> impl PartialEq + use<> {
        (self.posted_inputs, self.awaited_inputs, self.deleted_inputs)
    }

    /// Counts undeclared annotations of other people on declared inputs.
    pub(super) fn count_unmanaged(&mut self, counts: BTreeMap<Option<UserId>, u64>) {
        let by_user = counts.into_iter();
        self.unmanaged_users = by_user
            .map(|(user, count)| UserCount { user, count })
            .collect();
    }

    pub(crate) fn count_drift(&mut self, drift: &[AppChange]) {
        let count = |is: &dyn Fn(&AppChange) -> bool| {
            drift.iter().filter(|change| is(change)).count() as u64
        };
        let of_kind = |kind| count(&|change| change.kind == kind);
        let decided = |decision| count(&|change| change.decision == decision);
        self.drift = Some(drift.len() as u64);
        self.conflicts = Some(count(&|change| change.conflict));
        self.drift_added = of_kind(AppChangeKind::Added);
        self.drift_changed = of_kind(AppChangeKind::Changed);
        self.drift_deleted = of_kind(AppChangeKind::Deleted);
        self.reverted = decided(Decision::Reverted);
        self.undecided = decided(Decision::Undecided);
        self.held_back.drift = drift.len() as u64 - self.reverted;
    }

    /// Counts what requires the listing.
    pub(super) fn count_listed(
        &mut self,
        operations: &[Operation],
        purges: &[Purge],
        observed: &ObservedState,
    ) {
        self.classes = classes(operations, purges, observed);
        self.emptied = emptied(operations, purges, observed);
        self.lost_consensus = lost_consensus(operations, observed);
    }

    /// Counts the annotations of inputs that were not listed because they are declared as in the base.
    pub(super) fn count_unlisted<'a>(&mut self, inputs: impl Iterator<Item = &'a DesiredInput>) {
        let mut concepts: BTreeMap<&ConceptId, u64> = BTreeMap::new();
        for annotation in inputs.flat_map(|input| &input.annotations) {
            // That of the input itself cannot be deleted.
            let is_own = annotation.identity != Identity::InputLevel;
            self.existing += u64::from(is_own);
            self.changeable += u64::from(is_own);
            for id in classes::present_in(Some(&annotation.content))
                .into_iter()
                .flatten()
            {
                *concepts.entry(id).or_default() += 1;
            }
        }
        for class in &mut self.classes {
            let more = concepts.get(&class.concept).copied().unwrap_or_default();
            class.before += more;
            class.after += more;
        }
    }

    /// Annotations that were changed in the app since the base and that the plan keeps, without undecided conflicts.
    pub fn left_alone(&self) -> u64 {
        self.held_back.drift.saturating_sub(self.undecided)
    }

    /// Counts the calls and their duration.
    pub(super) fn forecast(&mut self, batches: &[Batch]) {
        self.calls = batches.len() as u64;
        self.lower_bound = batch::lower_bound(batches);
        self.seconds = self.tenths_of_seconds() as f64 / 10.0;
    }

    /// What [`Summary::count_drift`] counted.
    pub(super) fn drifted(&self) -> impl PartialEq + use<> {
        (
            (self.drift, self.conflicts, self.held_back.drift),
            (self.drift_added, self.drift_changed, self.drift_deleted),
            (self.reverted, self.undecided),
        )
    }

    /// What [`Summary::count_writes`] counted.
    pub(super) fn written(&self) -> impl PartialEq + '_ {
        (
            (self.actions, self.purge, self.purged),
            (&self.others, &self.relabelled, &self.doubles),
            (&self.moved, &self.turned),
        )
    }
}

fn others(operations: &[Operation], purges: &[Purge], app_owner: &UserId) -> Vec<OthersWork> {
    let mut counts: BTreeMap<Option<&UserId>, (u64, u64)> = BTreeMap::new();
    for operation in operations {
        let Some(seen) = operation.seen().filter(|_| !operation.is_clean_up()) else {
            continue;
        };
        let (changed, deleted) = counts.entry(seen.user.as_ref()).or_default();
        *(if operation.action() == Action::Delete {
            deleted
        } else {
            changed
        }) += 1;
    }
    for gone in purges.iter().flat_map(|purge| &purge.annotations) {
        counts.entry(gone.user.as_ref()).or_default().1 += 1;
    }
    counts.remove(&Some(app_owner));
    counts
        .into_iter()
        .map(|(user, (changed, deleted))| OthersWork {
            user: user.cloned(),
            changed,
            deleted,
        })
        .collect()
}

pub(super) fn doubles<'a>(doubles: impl Iterator<Item = &'a DoubledAnnotation>) -> Vec<Doubles> {
    let mut counts: BTreeMap<(Option<SetPrefix>, Option<&UserId>), Doubles> = BTreeMap::new();
    for double in doubles {
        let set = SetPrefix::of_id(&double.id);
        let user = double.user.as_ref().filter(|_| set.is_none());
        let empty = Doubles {
            set: set.as_ref().map(ToString::to_string),
            user: user.cloned(),
            equal: 0,
            near: 0,
        };
        let of = counts.entry((set, user)).or_insert(empty);
        match double.closeness {
            Likeness::Equal => of.equal += 1,
            Likeness::Near => of.near += 1,
        }
    }
    counts.into_values().collect()
}

/// Replacements that lose `consensus_info`.
fn lost_consensus(operations: &[Operation], observed: &ObservedState) -> u64 {
    let replaced = operations
        .iter()
        .filter(|operation| operation.action() == Action::Replace);
    let loses = |operation: &&Operation| {
        let annotations = observed.inputs.get(&operation.input_id);
        annotations.is_some_and(|all| {
            all.iter()
                .any(|it| it.id == operation.id && it.has_consensus())
        })
    };
    replaced.filter(loses).count() as u64
}

/// Inputs that lose their last annotations by users through these writes.
fn emptied(operations: &[Operation], purges: &[Purge], observed: &ObservedState) -> Vec<InputId> {
    let mut gone: BTreeMap<&InputId, HashSet<&AnnotationId>> = BTreeMap::new();
    let mut kept: HashSet<&InputId> = HashSet::new();
    for operation in operations {
        if operation.action() == Action::Delete {
            let gone = gone.entry(&operation.input_id).or_default();
            gone.insert(&operation.id);
        } else {
            kept.insert(&operation.input_id);
        }
    }
    for purge in purges {
        let ids = purge.annotations.iter().map(|annotation| &annotation.id);
        gone.entry(&purge.input_id).or_default().extend(ids);
    }
    let of_people = |input: &InputId| {
        let all = observed.inputs.get(input).into_iter().flatten();
        all.filter(|annotation| annotation.maker == Maker::User)
    };
    gone.retain(|input, ids| {
        !kept.contains(input)
            && of_people(input).next().is_some()
            && of_people(input).all(|annotation| ids.contains(&annotation.id))
    });
    gone.into_keys().cloned().collect()
}
