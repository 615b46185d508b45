//! `concepts` of an annotation: a list of names, or a map from names to values.
//!
//! Whether the vocabulary has them is checked later, over all files.

use super::at::At;
use super::node::{Entry, Node};
use super::words::quote;
use crate::model::{Concept, ConceptId, Concepts, Interner};
use std::collections::HashMap;
use std::sync::Arc;

pub(super) fn concepts(at: At<'_, '_>, interner: &mut Interner) -> Option<Concepts> {
    if let Node::List(elements) = at.node {
        let same = |(known, element): (&Concept, &Node<'_>)| {
            matches!(element, Node::Text(text) if text == known.id.as_str())
                && known.value.to_bits() == 1.0_f32.to_bits()
        };
        // Only valid lists without duplicates are known.
        let known = interner
            .recent(|known| known.len() == elements.len() && known.iter().zip(elements).all(same));
        if known.is_some() {
            return known;
        }
    }
    let read = match at.node {
        Node::List(elements) => concept_list(at, elements, interner),
        Node::Map(entries) => concept_map(at, entries, interner),
        Node::Null => {
            at.null_list("`concepts`");
            return None;
        }
        node => {
            let mut finding = at.wrong_type("`concepts`", "a list or a map");
            if let Node::Text(text) = node {
                finding.hint(format!("write a list: [{text}]"));
            }
            return None;
        }
    };
    // Duplicates were reported and left out.
    Some(interner.share(Concepts::new(read).ok()?))
}

fn concept_list<'n>(
    at: At<'_, 'n>,
    elements: &'n [Node<'n>],
    interner: &mut Interner,
) -> Vec<Concept> {
    let mut first: HashMap<Arc<str>, At<'_, '_>> = HashMap::new();
    let mut concepts: Vec<Concept> = Vec::with_capacity(elements.len());
    for element in at.elements(elements) {
        if matches!(element.node, Node::Map(_)) {
            element
                .wrong_type("a concept", "text")
                .hint("for values write a map: { car: 0.5, tree: true }");
            continue;
        }
        let Some(id) = element.id("a concept", |id| ConceptId::new(interner.intern(id))) else {
            continue;
        };
        // Most lists have one element and need no hash table.
        if elements.len() > 1 {
            let key = interner.intern(id.as_str());
            if let Some(earlier) = first.get(&key) {
                element
                    .error(format!("duplicate concept {}", quote(id.as_str())))
                    .hint("keep one of the two")
                    .related("the first is at", earlier.place.value());
                continue;
            }
            first.insert(key, element);
        }
        concepts.push(Concept { id, value: 1.0 });
    }
    concepts
}

fn concept_map<'n>(
    at: At<'_, 'n>,
    entries: &'n [Entry<'n>],
    interner: &mut Interner,
) -> Vec<Concept> {
    let mut concepts = Vec::with_capacity(entries.len());
    for (key, at) in at.text_entries(entries) {
        let id = match ConceptId::new(interner.intern(key)) {
            Ok(id) => Some(id),
            Err(error) => {
                at.key_error(format!("a concept is invalid: {error}"))
                    .hint("a name is not empty, has no control characters, and no white space at its ends");
                None
            }
        };
        let value = concept_value(at, key);
        if let Some(id) = id {
            // The name is checked against the vocabulary even if its value is invalid (already reported).
            let value = value.unwrap_or(1.0);
            concepts.push(Concept { id, value });
        }
    }
    concepts
}

fn concept_value(at: At<'_, '_>, concept: &str) -> Option<f32> {
    let value = match at.node {
        Node::Bool(true) => 1.0,
        Node::Bool(false) => 0.0,
        _ => at.as_number().unwrap_or(f64::NAN),
    };
    if (0.0..=1.0).contains(&value) {
        // `+ 0.0` turns -0.0 into 0.0.
        return Some(value as f32 + 0.0);
    }
    let mut finding = at.wrong_type(
        &format!("the value of {}", quote(concept)),
        "true, false or a number from 0 to 1",
    );
    if *at.node != Node::Null {
        finding.hint("true means present (1), false means absent (0)");
    }
    None
}
