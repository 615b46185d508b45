//! Several annotations that are one object of a file: an annotation lies in one place, an object may have several.

use crate::model::{Concepts, Content, Geometry, Json};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The key of `metadata` under which the pieces of one object have the same value.
pub(super) const PART_OF: &str = "part_of";

/// The annotations of an object that lies in these places. If there are several, `metadata.part_of` says that they
/// belong together: its value is made from what the object is, so that it is the same on every import.
pub(super) fn annotations(
    places: Vec<Geometry>,
    concepts: &Concepts,
    mut metadata: Map<String, Value>,
) -> Vec<Content> {
    if places.len() > 1 {
        metadata.insert(PART_OF.to_owned(), name(&places, concepts).into());
    }
    let metadata = (!metadata.is_empty()).then(|| Json::from_value(&Value::Object(metadata)));
    places
        .into_iter()
        .map(|geometry| Content {
            geometry: Some(geometry),
            concepts: Some(concepts.clone()),
            metadata: metadata.clone(),
            ..Content::default()
        })
        .collect()
}

fn name(places: &[Geometry], concepts: &Concepts) -> String {
    let mut hash = Sha256::new();
    for place in places {
        hash.update(serde_json::to_vec(place).unwrap_or_default());
    }
    hash.update(serde_json::to_vec(concepts).unwrap_or_default());
    hash.finalize()[..5]
        .iter()
        .fold("object-".to_owned(), |mut name, byte| {
            let _ = write!(name, "{byte:02x}");
            name
        })
}
