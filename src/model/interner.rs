//! Sharing of equal texts and lists of concepts.

use super::concepts::Concepts;
use super::ids::ConceptId;
use super::json::Json;
use super::packed_json::{PackedJson, Parts, Shape};
use super::state::Provenance;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Keeps one shared allocation per distinct text and per distinct list of concepts, because a million annotations use
/// only a few hundred of them.
#[derive(Debug, Default)]
pub struct Interner {
    texts: HashSet<Arc<str>>,
    shapes: VecDeque<Arc<Shape>>,
    parts: Parts,
    recent_texts: [Option<Arc<str>>; 4],
    concepts: HashMap<Vec<(ConceptId, u32)>, Concepts>,
    /// Lists of concepts that were shared last, which are the most likely to come again.
    recent: VecDeque<Concepts>,
    repeated: Option<Arc<str>>,
    provenance: Option<Arc<Provenance>>,
}

/// How many shapes are looked through before a new one is kept.
const SHAPES: usize = 64;

/// How many of them are tried on data that was not checked: what takes longer than the check is of no use.
const ALIKE: usize = 4;

/// How many lists are looked through before one is built to be looked up.
const RECENT: usize = 16;

impl Interner {
    /// The shared copy of `text`.
    pub fn intern(&mut self, text: &str) -> Arc<str> {
        // An input's annotations mostly follow each other, and are of one user.
        if let Some(known) = self
            .recent_texts
            .iter()
            .flatten()
            .find(|known| ***known == *text)
        {
            return Arc::clone(known);
        }
        let shared = if let Some(known) = self.texts.get(text) {
            Arc::clone(known)
        } else {
            let new: Arc<str> = Arc::from(text);
            self.texts.insert(Arc::clone(&new));
            new
        };
        self.recent_texts.rotate_right(1);
        self.recent_texts[0] = Some(Arc::clone(&shared));
        shared
    }

    /// The shared copy of these concepts.
    pub fn share(&mut self, concepts: Concepts) -> Concepts {
        // Compared bit for bit, so sharing changes no value.
        let key = concepts
            .iter()
            .map(|concept| (concept.id.clone(), concept.value.to_bits()))
            .collect();
        let shared = self.concepts.entry(key).or_insert(concepts).clone();
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(shared.clone());
        shared
    }

    /// A text whose shape is shared with others.
    pub fn pack(&mut self, json: &Json) -> PackedJson {
        let Self { shapes, parts, .. } = self;
        PackedJson::pack(json, parts, |text| {
            let mut known = shapes.iter();
            if let Some(at) = known.position(|known| known.as_str() == text) {
                shapes.swap(0, at);
                return Arc::clone(&shapes[0]);
            }
            let new = Shape::new(text);
            if shapes.len() == SHAPES {
                shapes.pop_back();
            }
            shapes.push_front(Arc::clone(&new));
            new
        })
    }

    /// [`Self::pack`] of JSON that was not checked. `None` unless it is like one that was packed recently, which shows that it
    /// can be kept without loss.
    pub fn pack_alike(&mut self, json: &RawValue) -> Option<PackedJson> {
        let Self { shapes, parts, .. } = self;
        let mut latest = shapes.iter().take(ALIKE).enumerate();
        let (at, packed) = latest.find_map(|(at, shape)| {
            PackedJson::of_shape(shape, json.get(), parts).map(|packed| (at, packed))
        })?;
        shapes.swap(0, at);
        Some(packed)
    }

    /// A text that mostly equals the one before.
    pub fn repeat(&mut self, text: &str) -> Arc<str> {
        match &self.repeated {
            Some(last) if **last == *text => Arc::clone(last),
            _ => Arc::clone(self.repeated.insert(text.into())),
        }
    }

    /// A provenance that mostly equals the one before.
    pub fn share_provenance(&mut self, provenance: Provenance) -> Arc<Provenance> {
        match &self.provenance {
            Some(last) if **last == provenance => Arc::clone(last),
            _ => Arc::clone(self.provenance.insert(Arc::new(provenance))),
        }
    }

    /// A recently shared list that satisfies `is_wanted`.
    pub fn recent(&self, is_wanted: impl Fn(&Concepts) -> bool) -> Option<Concepts> {
        self.recent.iter().find(|known| is_wanted(known)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::status::Status;
    use super::*;

    #[test]
    fn equal_texts_share_one_allocation() {
        let mut interner = Interner::default();
        assert!(Arc::ptr_eq(
            &interner.intern("car"),
            &interner.intern("car")
        ));
    }

    #[test]
    fn what_repeats_the_annotation_before_shares_one_allocation() {
        let mut interner = Interner::default();
        let time = "2026-01-01T00:00:00Z";
        assert!(Arc::ptr_eq(&interner.repeat(time), &interner.repeat(time)));
        assert_eq!(&*interner.repeat("2026"), "2026");
        assert_eq!(&*interner.repeat(time), time);
        let failed = Provenance {
            status: Status::from_code(24_000),
            ..Provenance::default()
        };
        let one = interner.share_provenance(failed.clone());
        assert!(Arc::ptr_eq(&one, &interner.share_provenance(failed)));
        let other = interner.share_provenance(Provenance::default());
        assert_eq!(
            (&*other, one.status.code()),
            (&Provenance::default(), 24_000)
        );
    }
}
