//! What a plan comes to, in numbers: the one model behind every format that a plan is shown in.
//!
//! Everything that can be counted from the operations alone is, so that a plan file whose numbers say something else is
//! found out; what takes the listing (how often a class is used, which inputs are left empty) is counted while planning.

use super::batch;
use super::moves::Moves;
use super::rights::{self, Needed};
use super::stand_in::is_clean_up;
use super::types::{
    Action, AppChange, AppChangeKind, Batch, Decision, Likeness, Operation, PlannedInput, Purge,
    PurgedAnnotation,
};
use crate::model::{
    AnnotationId, ConceptId, Concepts, Content, InputId, Maker, ObservedState, SetPrefix, UserId,
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What keeps parts of a plan from being done.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
pub struct HeldBack {
    /// Changes of existing annotations that the policy does not make.
    pub updates: u64,
    /// Deletes that the policy does not make.
    pub deletes: u64,
    /// Annotations that the app changed since the base and that the plan leaves alone, undecided conflicts among them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub drift: u64,
    /// Writes to inputs that hold an annotation which cannot be read: they could double or delete a label.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: u64,
}

/// Everything that a plan counts.
#[derive(
    Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Summary {
    /// Annotations that are made.
    pub post: u64,
    /// Patches with just the difference.
    pub merge: u64,
    /// Patches that carry everything that is to stay.
    pub overwrite: u64,
    /// Patches that name the concepts that go.
    pub remove: u64,
    /// Annotations that go, and come back with what a patch cannot change.
    pub replace: u64,
    /// Annotations that go.
    pub delete: u64,
    /// Declared annotations that are on the remote as declared.
    pub unchanged: u64,
    /// Annotations that people made and that this manifest does not manage: those of users outside `owners`, and
    /// those on inputs that are not declared.
    pub unmanaged: u64,
    /// Annotations that carry another label set's prefix.
    pub other_sets: u64,
    /// Annotations that were listed and cannot be read: they are left alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: u64,
    /// Annotations to replace whose `consensus_info` is lost: no call can write it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost_consensus: u64,
    /// Annotations in scope that existed before, which the plan could delete: what the percentage of `max_deletes` is taken
    /// of.
    pub existing: u64,
    /// These, and the declared ones that are not in scope, which the plan could change: what the percentage of
    /// `max_updates` is taken of.
    #[serde(default)]
    pub changeable: u64,
    /// Pairings whose runner-up is within 0.02.
    pub ambiguous: u64,
    /// Inputs to purge.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purge: u64,
    /// Annotations that go with them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purged: u64,
    /// Inputs to post.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub posted_inputs: u64,
    /// Inputs whose processing is waited for, beside those that are posted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub awaited_inputs: u64,
    /// Inputs to delete.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deleted_inputs: u64,
    /// The concepts that the app does not have yet and that the plan creates, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_concepts: Vec<NewConcept>,
    /// What the policy, or what was done on the remote, keeps from being done.
    pub held_back: HeldBack,
    /// Annotations that were added, changed or deleted in the app since the base, by anybody; `None` for a plan without
    /// a base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<u64>,
    /// Of these, those of which both sides changed the same field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<u64>,
    /// Of the drift, annotations that were added.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub drift_added: u64,
    /// Of the drift, annotations that were changed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub drift_changed: u64,
    /// Of the drift, annotations that were deleted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub drift_deleted: u64,
    /// Of the drift, annotations that this plan reverts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reverted: u64,
    /// Of the conflicts, those that nobody decided; nothing is written of their fields.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub undecided: u64,
    /// Annotations on declared inputs that people outside `owners` made and that the manifest does not declare, by user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmanaged_users: Vec<UserCount>,
    /// Whose annotations are changed or go, where they are not the app owner's; sorted by user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OthersWork>,
    /// What only one user and the app's owner may do, sorted by user. Whoever applies the plan must be the app's owner, or
    /// the only user listed here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Needed>,
    /// Posts that double annotations of users outside `owners`, or of other sets; sorted by set, then user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubles: Vec<Doubles>,
    /// Inputs that had annotations of people, and have none after this; sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emptied: Vec<InputId>,
    /// The concepts that are on more or on fewer annotations after this, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassCount>,
    /// Which concepts were exchanged for which, most frequent first, then sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relabelled: Vec<Relabelled>,
    /// Annotations that lie elsewhere after this.
    #[serde(default, skip_serializing_if = "Moves::is_nothing")]
    pub moved: Moves,
    /// Calls that the plan makes.
    pub calls: u64,
    /// The fewest calls that this could take: the sum over kinds of n / 128, rounded up. Deletes that share a call with
    /// removals count as those.
    pub lower_bound: u64,
    /// Calls a second that the target takes.
    pub rate_limit: u32,
    /// Seconds that the calls take at that rate, rounded up to tenths.
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

/// What is done to annotations that are not the app owner's.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct OthersWork {
    /// Whose they are; nothing where nobody is named, as with what a model made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// How many are changed.
    pub changed: u64,
    /// How many go, with purges among them.
    pub deleted: u64,
}

/// How many annotations a user has.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct UserCount {
    /// Who; `None` if the service reports no user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// How many.
    pub count: u64,
}

/// Posts that double annotations of one user, or of one other set.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Doubles {
    /// What the ids of the other set begin with; absent for annotations that no set made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// The user; absent for another set's, and if the service reports none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Posts whose place and concepts equal one of these annotations.
    pub equal: u64,
    /// Posts that have the same concepts as one of these annotations, and nearly the same place.
    pub near: u64,
}

/// A concept that the app does not have yet.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct NewConcept {
    /// Which.
    pub concept: ConceptId,
    /// On how many annotations that are written it stands.
    pub annotations: u64,
    /// The concept of the app that was probably meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<ConceptId>,
}

/// How often a concept is said to be there: annotations of people, and input-level ones, that name it with a value
/// above 0.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct ClassCount {
    /// Which.
    pub concept: ConceptId,
    /// On how many annotations of the listing.
    pub before: u64,
    /// On how many once the plan is applied.
    pub after: u64,
}

impl ClassCount {
    /// How many more; negative for fewer.
    pub fn difference(&self) -> i64 {
        // A plan file may name any numbers.
        self.after.wrapping_sub(self.before).cast_signed()
    }
}

/// Annotations that lose some concepts and get others for them.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Relabelled {
    /// What goes, sorted.
    pub from: Vec<ConceptId>,
    /// What comes, sorted.
    pub to: Vec<ConceptId>,
    /// On how many annotations.
    pub count: u64,
}

impl Summary {
    /// How many operations there are.
    pub fn operations(&self) -> u64 {
        self.post + self.merge + self.overwrite + self.remove + self.replace + self.delete
    }

    /// Tenths of a second that the calls take at the target's rate, rounded up.
    pub fn tenths_of_seconds(&self) -> u64 {
        (self.calls * 10).div_ceil(u64::from(self.rate_limit.max(1)))
    }

    /// The count of an action's operations.
    pub(super) fn of(&mut self, action: Action) -> &mut u64 {
        match action {
            Action::Post => &mut self.post,
            Action::Merge => &mut self.merge,
            Action::Overwrite => &mut self.overwrite,
            Action::Remove => &mut self.remove,
            Action::Replace => &mut self.replace,
            Action::Delete => &mut self.delete,
        }
    }

    /// Counts what the writes say by themselves.
    pub(super) fn count_writes(
        &mut self,
        operations: &[Operation],
        purges: &[Purge],
        app_owner: &UserId,
    ) {
        for operation in operations {
            *self.of(operation.action) += 1;
        }
        self.purge = purges.len() as u64;
        self.purged = purges
            .iter()
            .map(|purge| purge.annotations.len() as u64)
            .sum();
        self.others = others(operations, purges, app_owner);
        self.needs = rights::needed(operations, purges, app_owner);
        self.doubles = doubles(operations);
        self.relabelled = relabelled(operations);
        self.moved = Moves::of(operations);
    }

    /// Counts the inputs.
    pub(super) fn count_inputs(&mut self, inputs: &[PlannedInput], deleted: &[InputId]) {
        self.posted_inputs = inputs.iter().filter(|input| input.is_posted()).count() as u64;
        self.awaited_inputs = inputs.len() as u64 - self.posted_inputs;
        self.deleted_inputs = deleted.len() as u64;
    }

    /// What [`Summary::count_inputs`] counted.
    pub(super) fn inputs(&self) -> impl PartialEq + use<> {
        (self.posted_inputs, self.awaited_inputs, self.deleted_inputs)
    }

    /// Counts the annotations of other people on declared inputs.
    pub(super) fn count_unmanaged(&mut self, counts: BTreeMap<Option<UserId>, u64>) {
        let by_user = counts.into_iter();
        self.unmanaged_users = by_user
            .map(|(user, count)| UserCount { user, count })
            .collect();
    }

    /// Counts what was changed in the app since the base.
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

    /// Counts what takes the listing as well.
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

    /// Counts the calls, and the seconds that they take.
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
        let actions = [
            self.post,
            self.merge,
            self.overwrite,
            self.remove,
            self.replace,
            self.delete,
        ];
        (
            (actions, self.purge, self.purged),
            (&self.others, &self.relabelled, &self.moved, &self.doubles),
        )
    }
}

fn others(operations: &[Operation], purges: &[Purge], app_owner: &UserId) -> Vec<OthersWork> {
    let mut counts: BTreeMap<Option<&UserId>, (u64, u64)> = BTreeMap::new();
    for operation in operations {
        let Some(seen) = operation.seen.as_ref().filter(|_| !is_clean_up(operation)) else {
            continue;
        };
        let (changed, deleted) = counts.entry(seen.user.as_ref()).or_default();
        *(if operation.action == Action::Delete {
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

pub(super) fn doubles(operations: &[Operation]) -> Vec<Doubles> {
    let mut counts: BTreeMap<(Option<SetPrefix>, Option<&UserId>), Doubles> = BTreeMap::new();
    for double in operations.iter().filter_map(|it| it.double.as_deref()) {
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

/// The concepts that are said to be there.
fn said(concepts: &Concepts) -> impl Iterator<Item = &ConceptId> {
    let there = concepts.into_iter().filter(|concept| concept.value > 0.0);
    there.map(|concept| &concept.id)
}

fn said_in(content: Option<&Content>) -> Option<Vec<&ConceptId>> {
    Some(said(content?.concepts.as_ref()?).collect())
}

fn relabelled(operations: &[Operation]) -> Vec<Relabelled> {
    let mut counts: BTreeMap<(Vec<ConceptId>, Vec<ConceptId>), u64> = BTreeMap::new();
    for operation in operations {
        let (Some(before), Some(after)) = (
            said_in(operation.before.as_ref()),
            said_in(operation.after.as_ref()),
        ) else {
            continue;
        };
        let without = |these: &[&'_ ConceptId], others: &[&ConceptId]| -> Vec<ConceptId> {
            let left = these.iter().filter(|id| !others.contains(id));
            left.map(|id| (*id).clone()).collect()
        };
        let (from, to) = (without(&before, &after), without(&after, &before));
        if !from.is_empty() && !to.is_empty() {
            *counts.entry((from, to)).or_default() += 1;
        }
    }
    let mut relabelled: Vec<Relabelled> = counts
        .into_iter()
        .map(|((from, to), count)| Relabelled { from, to, count })
        .collect();
    // Stable: those as frequent stay sorted by their concepts.
    relabelled.sort_by_key(|entry| std::cmp::Reverse(entry.count));
    relabelled
}

/// On how many more annotations each concept is after these writes, or, negative, on how many fewer; sorted.
pub(super) fn class_changes<'a>(
    operations: &'a [Operation],
    purges: &'a [Purge],
) -> BTreeMap<&'a ConceptId, i64> {
    let mut changes: BTreeMap<&ConceptId, i64> = BTreeMap::new();
    for operation in operations.iter().filter(|it| !is_clean_up(it)) {
        let (before, after) = (
            said_in(operation.before.as_ref()),
            said_in(operation.after.as_ref()),
        );
        // Of a change that does not declare concepts, which keeps them, neither side has any.
        for id in before.into_iter().flatten() {
            *changes.entry(id).or_default() -= 1;
        }
        for id in after.into_iter().flatten() {
            *changes.entry(id).or_default() += 1;
        }
    }
    // What models made is not counted as anybody's labels.
    let by_people = |gone: &&PurgedAnnotation| gone.model_version.is_none();
    let all_gone = purges.iter().flat_map(|purge| &purge.annotations);
    for gone in all_gone.filter(by_people) {
        for id in said_in(Some(&gone.before)).into_iter().flatten() {
            *changes.entry(id).or_default() -= 1;
        }
    }
    changes.retain(|_, change| *change != 0);
    changes
}

pub(super) fn classes(
    operations: &[Operation],
    purges: &[Purge],
    observed: &ObservedState,
) -> Vec<ClassCount> {
    let copies: HashSet<&AnnotationId> = operations
        .iter()
        .filter(|operation| is_clean_up(operation))
        .map(|operation| &operation.id)
        .collect();
    let changes = class_changes(operations, purges);
    if changes.is_empty() {
        return Vec::new();
    }
    let mut before: HashMap<&ConceptId, u64> = HashMap::new();
    let all = observed.inputs.values().flatten();
    for annotation in all.filter(|it| it.maker != Maker::Model && !copies.contains(&it.id)) {
        for id in said(&annotation.concepts).filter(|id| changes.contains_key(*id)) {
            *before.entry(id).or_default() += 1;
        }
    }
    changes
        .into_iter()
        .map(|(concept, change)| {
            let before = before.get(concept).copied().unwrap_or_default();
            ClassCount {
                concept: concept.clone(),
                before,
                after: before.saturating_add_signed(change),
            }
        })
        .collect()
}

/// Replacements whose `consensus_info` is not carried over.
fn lost_consensus(operations: &[Operation], observed: &ObservedState) -> u64 {
    let replaced = operations
        .iter()
        .filter(|operation| operation.action == Action::Replace);
    let loses = |operation: &&Operation| {
        let annotations = observed.inputs.get(&operation.input_id);
        annotations.is_some_and(|all| {
            all.iter()
                .any(|it| it.id == operation.id && it.has_consensus())
        })
    };
    replaced.filter(loses).count() as u64
}

/// Inputs that had annotations of people and have none once these writes are made.
fn emptied(operations: &[Operation], purges: &[Purge], observed: &ObservedState) -> Vec<InputId> {
    let mut gone: BTreeMap<&InputId, HashSet<&AnnotationId>> = BTreeMap::new();
    let mut kept: HashSet<&InputId> = HashSet::new();
    for operation in operations {
        if operation.action == Action::Delete {
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
