//! `concepts` of an annotation: a list of names, or a map from names to values.
//!
//! That the vocabulary has them is checked later, over all files.

use super::fields::{as_number, name, null_list, text_keys, wrong_type};
use super::finding::{Findings, Place};
use super::node::{Entry, Node};
use super::words::quote;
use crate::model::{Concept, ConceptId, Concepts, Interner};
use std::collections::HashMap;
use std::sync::Arc;

/// Reads `concepts`: a list of names, or a map from names to values.
pub(super) fn concepts(
    node: &Node<'_>,
    interner: &mut Interner,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Concepts> {
    let read = match node {
        Node::List(elements) => concept_list(elements, interner, place, findings),
        Node::Map(entries) => concept_map(entries, interner, place, findings),
        Node::Null => {
            null_list("`concepts`", place, findings);
            return None;
        }
        _ => {
            let finding = wrong_type(node, "`concepts`", "a list or a map", place, findings);
            if let Node::Text(text) = node {
                finding.hint(format!("write a list: [{text}]"));
            }
            return None;
        }
    };
    // What stands twice was reported and left out.
    Some(interner.share(Concepts::new(read).ok()?))
}

fn concept_list(
    elements: &[Node<'_>],
    interner: &mut Interner,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Vec<Concept> {
    let mut first: HashMap<Arc<str>, usize> = HashMap::new();
    let mut concepts: Vec<Concept> = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let at = place.nth(index);
        if matches!(element, Node::Map(_)) {
            wrong_type(element, "a concept", "text", &at, findings)
                .hint("for values write a map: { car: 0.5, tree: true }");
            continue;
        }
        let Some(id) = name(element, "a concept", &at, findings, |id| {
            ConceptId::new(interner.intern(id))
        }) else {
            continue;
        };
        // Most lists have one element, and need no hash table.
        if elements.len() > 1 {
            let key = interner.intern(id.as_str());
            if let Some(earlier) = first.get(&key) {
                findings
                    .add(
                        at.value(),
                        format!("the concept {} is named twice", quote(id.as_str())),
                    )
                    .hint("keep one of the two")
                    .other("the first one is at", place.nth(*earlier).value());
                continue;
            }
            first.insert(key, index);
        }
        concepts.push(Concept { id, value: 1.0 });
    }
    concepts
}

fn concept_map(
    entries: &[Entry<'_>],
    interner: &mut Interner,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Vec<Concept> {
    let mut concepts = Vec::with_capacity(entries.len());
    for (index, key) in text_keys(entries, place, findings) {
        let at = place.nth(index);
        let id = match ConceptId::new(interner.intern(key)) {
            Ok(id) => Some(id),
            Err(error) => {
                findings
                    .add(at.key(), format!("a concept is invalid: {error}"))
                    .hint("a name is not empty, has no control characters, and no white space at its ends");
                None
            }
        };
        let value = concept_value(&entries[index].1, key, &at, findings);
        if let Some(id) = id {
            // A bad value was reported; the name is kept so that it is checked as well.
            let value = value.unwrap_or(1.0);
            concepts.push(Concept { id, value });
        }
    }
    concepts
}

fn concept_value(
    node: &Node<'_>,
    concept: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<f32> {
    let value = match node {
        Node::Bool(true) => 1.0,
        Node::Bool(false) => 0.0,
        _ => as_number(node).unwrap_or(f64::NAN),
    };
    if (0.0..=1.0).contains(&value) {
        // `+ 0.0` turns -0.0 into 0.0.
        return Some(value as f32 + 0.0);
    }
    let finding = wrong_type(
        node,
        &format!("the value of {}", quote(concept)),
        "true, false or a number from 0 to 1",
        place,
        findings,
    );
    if *node != Node::Null {
        finding.hint("true means present (1), false means absent (0)");
    }
    None
}
