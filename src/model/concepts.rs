//! The concepts of an annotation and their values.

use super::float;
use super::ids::ConceptId;
use serde::de::Error as _;
use serde::ser::SerializeMap;
use std::fmt;
use std::sync::Arc;

/// One concept with its value: 1 means present, 0 absent, anything between is a confidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Concept {
    pub id: ConceptId,
    /// 0..=1.
    pub value: f32,
}

/// The concepts of one annotation, sorted by id, without duplicates. Cheap to clone.
#[derive(Clone, Default, PartialEq)]
pub struct Concepts(
    // Of a pointer to a list each annotation would keep the length, too.
    Arc<Vec<Concept>>,
);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("duplicate concept `{0}`")]
pub struct DuplicateConcept(pub ConceptId);

impl Concepts {
    /// Sorts the concepts by id.
    pub fn new(mut concepts: Vec<Concept>) -> Result<Self, DuplicateConcept> {
        concepts.sort_by(|a, b| a.id.cmp(&b.id));
        match concepts.windows(2).find(|pair| pair[0].id == pair[1].id) {
            Some(pair) => Err(DuplicateConcept(pair[0].id.clone())),
            None => Ok(Self(Arc::new(concepts))),
        }
    }

    /// The value of a concept; `None` if it is not in the list.
    pub fn get(&self, id: &ConceptId) -> Option<f32> {
        self.0
            .binary_search_by(|concept| concept.id.cmp(id))
            .ok()
            .map(|at| self.0[at].value)
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Concept> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both lists have the same ids with equal values; see [`float::same`].
    pub fn same(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .zip(other.iter())
                .all(|(a, b)| a.id == b.id && float::same(a.value, b.value))
    }
}

impl From<Concept> for Concepts {
    fn from(concept: Concept) -> Self {
        Self(Arc::new(vec![concept]))
    }
}

impl<'a> IntoIterator for &'a Concepts {
    type Item = &'a Concept;
    type IntoIter = std::slice::Iter<'a, Concept>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Concepts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|c| (&c.id, c.value)))
            .finish()
    }
}

impl serde::Serialize for Concepts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Value(f32);
        impl serde::Serialize for Value {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                float::serialize(self.0, serializer)
            }
        }
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for concept in self {
            map.serialize_entry(concept.id.as_str(), &Value(concept.value))?;
        }
        map.end()
    }
}

impl<'de> serde::Deserialize<'de> for Concepts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map: std::collections::BTreeMap<ConceptId, f32> =
            serde::Deserialize::deserialize(deserializer)?;
        if let Some((id, value)) = map.iter().find(|(_, value)| !(0.0..=1.0).contains(*value)) {
            return Err(D::Error::custom(format!(
                "value {value} of concept `{id}` is not within 0..1"
            )));
        }
        Self::new(
            map.into_iter()
                .map(|(id, value)| Concept { id, value })
                .collect(),
        )
        .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concepts(pairs: &[(&str, f32)]) -> Concepts {
        Concepts::new(
            pairs
                .iter()
                .map(|(id, value)| Concept {
                    id: ConceptId::new(*id).unwrap(),
                    value: *value,
                })
                .collect(),
        )
        .unwrap()
    }

    #[test]
    fn order_and_float_noise_are_ignored() {
        assert!(
            concepts(&[("b", 1.0), ("a", 0.1)]).same(&concepts(&[("a", 0.100_000_1), ("b", 1.0)]))
        );
        assert!(!concepts(&[("a", 1.0)]).same(&concepts(&[("a", 0.0)])));
        assert!(!concepts(&[("a", 1.0)]).same(&concepts(&[("b", 1.0)])));
        assert!(!concepts(&[("a", 1.0)]).same(&concepts(&[])));
    }

    #[test]
    fn duplicate_concepts_are_rejected() {
        let twice = vec![
            Concept {
                id: ConceptId::new("a").unwrap(),
                value: 1.0,
            },
            Concept {
                id: ConceptId::new("a").unwrap(),
                value: 0.0,
            },
        ];
        assert_eq!(
            Concepts::new(twice).unwrap_err().to_string(),
            "duplicate concept `a`"
        );
    }

    #[test]
    fn concepts_serialize_as_a_map_of_short_numbers() {
        let json = serde_json::to_string(&concepts(&[("b", 1.0), ("a", 0.1)])).unwrap();
        assert_eq!(json, r#"{"a":0.1,"b":1}"#);
        assert!(
            serde_json::from_str::<Concepts>(&json)
                .unwrap()
                .same(&concepts(&[("a", 0.1), ("b", 1.0)]))
        );
        assert!(serde_json::from_str::<Concepts>(r#"{"a":2}"#).is_err());
    }
}
