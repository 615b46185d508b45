//! The number of annotations with each concept before and after a plan, and which concepts replace which.
//!
//! The summary, the guards and the check of a plan file all count here.

use super::operation::Operation;
use super::purge::{Purge, PurgedAnnotation};
use crate::model::{AnnotationId, ConceptId, Concepts, Content, Maker, ObservedState};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The number of annotations with a concept: annotations of users, and input-level ones, that have it with a
/// value above 0.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClassCount {
    /// The concept.
    pub concept: ConceptId,
    /// The number of annotations in the listing that have it.
    pub before: u64,
    /// The number once the plan is applied.
    pub after: u64,
}

impl ClassCount {
    /// `after` minus `before`.
    pub fn difference(&self) -> i64 {
        // A plan file may hold any numbers.
        self.after.wrapping_sub(self.before).cast_signed()
    }
}

/// Annotations whose concepts change in the same way. An annotation is relabelled if its concepts or their values change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Relabelled {
    /// The concepts that are removed, sorted. A concept counts if its value is above 0.
    pub from: Vec<ConceptId>,
    /// The concepts that are added, sorted. If both lists are empty, only values change.
    pub to: Vec<ConceptId>,
    /// The number of annotations.
    pub count: u64,
}

/// The concepts with a value above 0.
fn present(concepts: &Concepts) -> impl Iterator<Item = &ConceptId> {
    let there = concepts.into_iter().filter(|concept| concept.value > 0.0);
    there.map(|concept| &concept.id)
}

pub(super) fn present_in(content: Option<&Content>) -> Option<Vec<&ConceptId>> {
    Some(present(content?.concepts.as_ref()?).collect())
}

/// Whether an annotation with these concepts before and after is relabelled.
pub(super) fn is_relabelled(before: &Concepts, after: &Concepts) -> bool {
    !Concepts::same(before, after)
}

/// The relabelled ones of these annotations, given by their concepts before and after.
pub(super) fn relabelled<'a>(
    annotations: impl Iterator<Item = (&'a Concepts, &'a Concepts)>,
) -> Vec<Relabelled> {
    let mut counts: BTreeMap<(Vec<ConceptId>, Vec<ConceptId>), u64> = BTreeMap::new();
    for (before, after) in annotations.filter(|(before, after)| is_relabelled(before, after)) {
        let without = |these: &Concepts, others: &Concepts| -> Vec<ConceptId> {
            let others: Vec<&ConceptId> = present(others).collect();
            let left = present(these).filter(|id| !others.contains(id));
            left.cloned().collect()
        };
        let pair = (without(before, after), without(after, before));
        *counts.entry(pair).or_default() += 1;
    }
    let mut relabelled: Vec<Relabelled> = counts
        .into_iter()
        .map(|((from, to), count)| Relabelled { from, to, count })
        .collect();
    // The sort is stable: equally frequent ones stay sorted by their concepts.
    relabelled.sort_by_key(|entry| std::cmp::Reverse(entry.count));
    relabelled
}

/// By how many annotations the count of each concept rises (or, if negative, falls); sorted.
pub(super) fn class_changes<'a>(
    operations: &'a [Operation],
    purges: &'a [Purge],
) -> BTreeMap<&'a ConceptId, i64> {
    let mut changes: BTreeMap<&ConceptId, i64> = BTreeMap::new();
    for operation in operations.iter().filter(|it| !it.is_clean_up()) {
        let (before, after) = (
            present_in(operation.before()),
            present_in(operation.after()),
        );
        // An edit without declared concepts keeps them; neither side shows any.
        for id in before.into_iter().flatten() {
            *changes.entry(id).or_default() -= 1;
        }
        for id in after.into_iter().flatten() {
            *changes.entry(id).or_default() += 1;
        }
    }
    // Annotations made by models are not counted.
    let by_people = |gone: &&PurgedAnnotation| gone.model_version.is_none();
    let all_gone = purges.iter().flat_map(|purge| &purge.annotations);
    for gone in all_gone.filter(by_people) {
        for id in present_in(Some(&gone.before)).into_iter().flatten() {
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
    let stand_ins: HashSet<&AnnotationId> = operations
        .iter()
        .filter(|operation| operation.is_clean_up())
        .map(|operation| &operation.id)
        .collect();
    let changes = class_changes(operations, purges);
    if changes.is_empty() {
        return Vec::new();
    }
    let mut before: HashMap<&ConceptId, u64> = HashMap::new();
    let all = observed.inputs.values().flatten();
    for annotation in all.filter(|it| it.maker != Maker::Model && !stand_ins.contains(&it.id)) {
        for id in present(&annotation.concepts).filter(|id| changes.contains_key(*id)) {
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
