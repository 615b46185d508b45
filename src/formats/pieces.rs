//! Objects with several shapes become several annotations, since an annotation has only one.

use crate::model::{Concepts, Geometry, Json, hex};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The key of `metadata` with the same value for all annotations of one object.
pub(super) const PART_OF: &str = "part_of";

/// The metadata of each annotation of an object with these shapes. If there are several, `metadata.part_of` links them.
/// Its value is a hash of the object, so it is the same on every import.
pub(super) fn metadata(
    shapes: &[Geometry],
    concepts: &Concepts,
    mut metadata: Map<String, Value>,
) -> Option<Json> {
    if shapes.len() > 1 {
        metadata.insert(PART_OF.to_owned(), name(shapes, concepts).into());
    }
    (!metadata.is_empty()).then(|| Json::from_value(&Value::Object(metadata)))
}

fn name(shapes: &[Geometry], concepts: &Concepts) -> String {
    let mut hash = Sha256::new();
    for shape in shapes {
        hash.update(serde_json::to_vec(shape).unwrap_or_default());
    }
    hash.update(serde_json::to_vec(concepts).unwrap_or_default());
    format!("object-{}", hex(&hash.finalize()[..5]))
}
