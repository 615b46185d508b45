//! The declared inputs and concepts that the app does not have.
//!
//! Only inputs without a listed annotation are requested, because every input has an input-level annotation.

use super::error::ObservedError;
use crate::api::{ApiError, Processing, Reader};
use crate::model::{
    ConceptId, DesiredInput, DesiredState, InputId, Maker, ObservedState, Undeclared, WordIndex,
};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of missing inputs with a suggestion.
const MAX_SUGGESTIONS: usize = 20;

/// The declared inputs that the listing covers.
fn covered<'a>(
    desired: &'a DesiredState,
    observed: &ObservedState,
) -> impl Iterator<Item = &'a DesiredInput> {
    let inputs = desired.inputs.iter();
    inputs.filter(|input| observed.scope.covers(&input.id))
}

/// The declared inputs with annotations that are not in the listing although it covers them.
pub fn unseen_inputs(desired: &DesiredState, observed: &ObservedState) -> BTreeSet<InputId> {
    let declared = covered(desired, observed).filter(|input| {
        input.undeclared == Undeclared::Managed
            && !input.annotations.is_empty()
            && !observed.inputs.contains_key(&input.id)
    });
    declared.map(|input| input.id.clone()).collect()
}

/// The declared inputs that the app does not have, each with a suggestion.
pub async fn missing_inputs(
    reader: &Reader,
    desired: &DesiredState,
    observed: &ObservedState,
) -> Result<BTreeMap<InputId, Option<InputId>>, ObservedError> {
    let unseen = unseen_inputs(desired, observed);
    let mut names: BTreeSet<String> = unseen.iter().map(ToString::to_string).collect();
    let mut others = BTreeSet::new();
    if Reader::calls_for_all_inputs(observed.inputs.len()) + 1 < Reader::calls_for_inputs(&names) {
        others = reader.all_inputs().await?;
        names.retain(|name| !others.contains(name));
        // If none of the first 100 exists, the others are assumed to be missing too.
        let probe: BTreeSet<String> = names.iter().take(100).cloned().collect();
        if reader.inputs(&probe).await?.is_empty() {
            return Ok(with_nearest(&names, &others, observed));
        }
    }
    for there in reader.inputs(&names).await? {
        names.remove(&there.id);
    }
    Ok(with_nearest(&names, &others, observed))
}

fn with_nearest(
    missing: &BTreeSet<String>,
    others: &BTreeSet<String>,
    observed: &ObservedState,
) -> BTreeMap<InputId, Option<InputId>> {
    if missing.is_empty() {
        return BTreeMap::new();
    }
    let listed = observed.inputs.keys().map(InputId::as_str);
    let known = WordIndex::new(listed.chain(others.iter().map(String::as_str)));
    let with_suggestions = missing.iter().enumerate().filter_map(|(at, name)| {
        let nearest = (at < MAX_SUGGESTIONS)
            .then(|| known.nearest(name))
            .flatten();
        let nearest = nearest.and_then(|near| InputId::new(near).ok());
        Some((InputId::new(name.as_str()).ok()?, nearest))
    });
    with_suggestions.collect()
}

/// The declared inputs that are not processed yet. Inputs with annotations of users are processed; the others are requested
/// only if the app has any unprocessed input.
pub async fn waiting_inputs(
    reader: &Reader,
    desired: &DesiredState,
    observed: &ObservedState,
) -> Result<BTreeSet<InputId>, ObservedError> {
    let is_bare = |id: &InputId| {
        observed
            .inputs
            .get(id)
            .is_some_and(|all| all.iter().all(|it| it.maker != Maker::User))
    };
    let bare: BTreeSet<String> = covered(desired, observed)
        .filter(|input| !input.annotations.is_empty() && is_bare(&input.id))
        .map(|input| input.id.to_string())
        .collect();
    if bare.is_empty() || reader.waiting_inputs().await? == 0 {
        return Ok(BTreeSet::new());
    }
    let states = reader.inputs(&bare).await?;
    let waiting = states
        .into_iter()
        .filter(|state| state.processing == Processing::Waiting);
    Ok(waiting
        .filter_map(|state| InputId::new(state.id).ok())
        .collect())
}

/// The declared concepts that no listed annotation has, except those of models.
pub fn unseen_concepts(desired: &DesiredState, observed: &ObservedState) -> BTreeSet<ConceptId> {
    let declared = covered(desired, observed).flat_map(|input| &input.annotations);
    let mut concepts: BTreeSet<ConceptId> = BTreeSet::new();
    for concept in declared
        .filter_map(|it| it.content.concepts.as_ref())
        .flatten()
    {
        if !concepts.contains(&concept.id) {
            concepts.insert(concept.id.clone());
        }
    }
    let people = observed.inputs.values().flatten();
    let people = people.filter(|annotation| annotation.maker != Maker::Model);
    for concept in people.flat_map(|annotation| &annotation.concepts) {
        if concepts.is_empty() {
            break;
        }
        concepts.remove(&concept.id);
    }
    concepts
}

/// The declared concepts that the app does not have, each with a suggestion.
pub async fn new_concepts(
    reader: &Reader,
    desired: &DesiredState,
    observed: &ObservedState,
) -> Result<BTreeMap<ConceptId, Option<ConceptId>>, ApiError> {
    let unseen = unseen_concepts(desired, observed);
    if unseen.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = unseen.iter().map(ToString::to_string).collect();
    let known = reader.concepts(&wanted).await?;
    let words = WordIndex::new(known.iter().map(String::as_str));
    let new = unseen.into_iter().filter(|id| !known.contains(id.as_str()));
    let with_nearest = new.map(|id| {
        let nearest = words.nearest(id.as_str());
        let nearest = nearest.and_then(|near| ConceptId::new(near).ok());
        (id, nearest)
    });
    Ok(with_nearest.collect())
}
