//! What a run that plans one shard knows of the others, and what its plan records for them.

use super::classes::ClassCount;
use crate::model::{ConceptId, DesiredInput, Guards, Maker, ObservedState, Shard};
use std::collections::{BTreeMap, BTreeSet};

/// What a run that plans one shard knows of the others.
#[derive(Debug, Clone)]
pub struct ShardContext {
    pub shard: Shard,
    /// The number of inputs that the whole manifest declares.
    pub declared_inputs: u64,
    /// The concepts that other shards declare: they do not vanish.
    pub other_concepts: BTreeSet<ConceptId>,
}

impl ShardContext {
    /// The limits of this shard's part.
    pub(super) fn guards(&self, whole: &Guards) -> Guards {
        whole.of_a_part(self.shard)
    }
}

/// What is needed to join a shard's plan with those of the others.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Whole {
    /// The number of inputs that the whole manifest declares.
    pub declared_inputs: u64,
    /// The limits of the manifest, for the whole.
    pub guards: Guards,
    /// Old concept to new one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub renamed: BTreeMap<ConceptId, ConceptId>,
    /// The number of annotations of this shard's inputs with each concept whose number stays the same.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept_concepts: BTreeMap<ConceptId, u64>,
}

/// The concepts whose numbers these classes do not list, counted as these are: those of listed annotations, and of inputs
/// that count as declared.
pub(super) fn kept_concepts<'a>(
    observed: &'a ObservedState,
    as_declared: impl Iterator<Item = &'a DesiredInput>,
    kinds: &[ClassCount],
) -> BTreeMap<ConceptId, u64> {
    let changed: BTreeSet<&ConceptId> = kinds.iter().map(|class| &class.concept).collect();
    let mut counts: BTreeMap<&ConceptId, u64> = BTreeMap::new();
    let listed = observed.inputs.values().flatten();
    let listed = listed.filter(|it| it.maker != Maker::Model);
    let declared = as_declared.flat_map(|input| &input.annotations);
    let all = (listed.map(|it| &it.concepts))
        .chain(declared.filter_map(|it| it.content.concepts.as_ref()));
    for concept in all.flatten() {
        if concept.value > 0.0 && !changed.contains(&concept.id) {
            *counts.entry(&concept.id).or_default() += 1;
        }
    }
    let counts = counts.into_iter();
    counts.map(|(id, count)| (id.clone(), count)).collect()
}

/// What a shard's plan says about the rest of the app.
pub(super) fn blind_spot(shard: Shard) -> String {
    format!(
        "inputs of other shards (--shard {shard}): their own plans cover them, and `annosync show` joins the plans of all {}",
        shard.count()
    )
}
