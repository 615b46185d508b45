//! The concepts of a header: `vocabulary` and `renamed`.

use super::at::At;
use super::words::{nearest, quote};
use crate::model::ConceptId;
use std::collections::BTreeMap;

/// Reads a list of concepts.
pub(super) fn vocabulary(at: At<'_, '_>) -> Option<Vec<ConceptId>> {
    let expected = "a list of concepts, or the word app: those that the app has";
    let elements = at.list("`vocabulary`", expected)?;
    let mut first: BTreeMap<ConceptId, At<'_, '_>> = BTreeMap::new();
    let mut vocabulary = Vec::with_capacity(elements.len());
    for at in at.elements(elements) {
        let Some(concept) = at.id("a concept", |id| ConceptId::new(id)) else {
            continue;
        };
        if let Some(earlier) = first.get(&concept) {
            at.error(format!("duplicate concept {}", quote(concept.as_str())))
                .hint("keep one of the two")
                .related("the first is at", earlier.place.value());
        } else {
            first.insert(concept.clone(), at);
            vocabulary.push(concept);
        }
    }
    Some(vocabulary)
}

/// Reads the old names of concepts with their new ones.
pub(super) fn renamed(
    at: At<'_, '_>,
    vocabulary: Option<&[ConceptId]>,
) -> BTreeMap<ConceptId, ConceptId> {
    let mut renamed = BTreeMap::new();
    let expected = "a map from old concepts to new ones";
    let Some(entries) = at.map("`renamed`", expected) else {
        return renamed;
    };
    let mut read: Vec<(At<'_, '_>, ConceptId, ConceptId)> = Vec::new();
    for (key, at) in at.text_entries(entries) {
        let old = ConceptId::new(key)
            .map_err(|error| drop(at.key_error(format!("the old concept is invalid: {error}"))))
            .ok();
        let new = at.id("the new concept", |id| ConceptId::new(id));
        if let Some((old, new)) = old.zip(new) {
            renamed.insert(old.clone(), new.clone());
            read.push((at, old, new));
        }
    }
    for (at, old, new) in &read {
        if old == new {
            at.error(format!("{} is renamed to itself", quote(old.as_str())))
                .hint("leave it out");
        } else if let Some(next) = renamed.get(new) {
            let mut finding = at.error(format!(
                "{} is renamed to {}, which is renamed as well",
                quote(old.as_str()),
                quote(new.as_str())
            ));
            // In a circle of renames there is no last name to suggest.
            if next != old && !renamed.contains_key(next) {
                finding.hint(format!("rename it directly to {}", quote(next.as_str())));
            } else {
                finding.hint("a concept can be renamed only once");
            }
        } else if let Some(vocabulary) = vocabulary
            && !vocabulary.contains(new)
        {
            let near = nearest(new.as_str(), vocabulary.iter().map(ConceptId::as_str))
                .map(|near| format!("did you mean {}? ", quote(near)))
                .unwrap_or_default();
            at.error(format!(
                "the new concept {} is not in the vocabulary",
                quote(new.as_str())
            ))
            .hint(format!(
                "{near}add it to `vocabulary`, or rename to a concept that is in it"
            ));
        }
    }
    renamed
}
