//! Sharing of equal texts and lists of concepts.

use super::concepts::Concepts;
use super::ids::ConceptId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Keeps one shared allocation per distinct text and per distinct list of concepts, because a million annotations use
/// only a few hundred of them.
#[derive(Debug, Default)]
pub struct Interner {
    texts: HashSet<Arc<str>>,
    concepts: HashMap<Vec<(ConceptId, u32)>, Concepts>,
}

impl Interner {
    /// The shared copy of `text`.
    pub fn intern(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&new));
        new
    }

    /// The shared copy of these concepts.
    pub fn share(&mut self, concepts: Concepts) -> Concepts {
        // Compared bit for bit, so sharing changes no value.
        let key = concepts
            .iter()
            .map(|concept| (concept.id.clone(), concept.value.to_bits()))
            .collect();
        self.concepts.entry(key).or_insert(concepts).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_one_allocation() {
        let mut interner = Interner::default();
        assert!(Arc::ptr_eq(
            &interner.intern("car"),
            &interner.intern("car")
        ));
    }
}
