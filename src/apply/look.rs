//! Reads what the app holds now: annotations by id, and everything on some inputs.

use crate::api::{ApiError, Filter, Reader};
use crate::model::{AnnotationId, InputId, Interner, ObservedAnnotation};
use crate::wire::{self, decode};
use std::collections::HashMap;

/// Annotations by input and id.
pub(super) type ByName = HashMap<(InputId, AnnotationId), ObservedAnnotation>;

pub(super) fn decode(
    wire: wire::Annotation,
    interner: &mut Interner,
) -> Result<(InputId, ObservedAnnotation), ApiError> {
    decode::annotation(wire, interner).map_err(|error| ApiError::Malformed(error.to_string()))
}

/// These annotations as they are now; those that do not exist are left out.
pub(super) async fn by_name(
    names: &[(InputId, AnnotationId)],
    reader: &Reader,
    interner: &mut Interner,
) -> Result<ByName, ApiError> {
    let mut found = HashMap::new();
    if names.is_empty() {
        return Ok(found);
    }
    let texts: Vec<(String, String)> = names
        .iter()
        .map(|(input, id)| (input.to_string(), id.to_string()))
        .collect();
    for wire in reader.by_ids(&texts).await? {
        let (input, annotation) = decode(wire, interner)?;
        found.insert((input, annotation.id.clone()), annotation);
    }
    Ok(found)
}

/// Everything on these inputs, whoever made it.
pub(super) async fn on_inputs(
    ids: impl IntoIterator<Item = String>,
    reader: &Reader,
) -> Result<Vec<(InputId, ObservedAnnotation)>, ApiError> {
    let mut interner = Interner::default();
    let listing = reader
        .list_with(&Filter::inputs(ids), |wire| decode(wire, &mut interner))
        .await?;
    Ok(listing.into_parts().1)
}
