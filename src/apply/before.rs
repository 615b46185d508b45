//! What is there before a plan is carried out, so that it can be undone.

use super::purge;
use crate::api::{ApiError, Reader};
use crate::model::{AnnotationId, InputId, Interner, ObservedAnnotation, UserId};
use crate::observed;
use crate::plan::{Before, Plan};
use std::collections::HashMap;

/// Reads everything that a plan touches, whole, and who calls.
///
/// An annotation that is posted is looked for too: one that is there already is nothing that this plan makes.
pub async fn before(plan: &Plan, reader: &Reader) -> Result<Before, ApiError> {
    let malformed = |error: &dyn std::fmt::Display| ApiError::Malformed(error.to_string());
    let caller = UserId::new(reader.caller().await?).map_err(|error| malformed(&error))?;
    let names: Vec<(InputId, AnnotationId)> = plan
        .operations
        .iter()
        .map(|operation| (operation.input_id.clone(), operation.id.clone()))
        .collect();
    let mut found = by_name(&names, reader).await?;
    let operations = names.iter().map(|name| found.remove(name)).collect();
    let purges = if plan.purges.is_empty() {
        Vec::new()
    } else {
        purge::listed(reader, plan.purges.iter()).await?
    };
    Ok(Before {
        caller,
        operations,
        purges,
    })
}

/// These annotations as they are now, by input and id.
pub(super) async fn by_name(
    names: &[(InputId, AnnotationId)],
    reader: &Reader,
) -> Result<HashMap<(InputId, AnnotationId), ObservedAnnotation>, ApiError> {
    let mut found = HashMap::new();
    if names.is_empty() {
        return Ok(found);
    }
    let texts = names
        .iter()
        .map(|(input, id)| (input.to_string(), id.to_string()));
    let mut interner = Interner::default();
    for wire in reader.by_ids(&texts.collect::<Vec<_>>()).await? {
        let (input, annotation) = observed::annotation(wire, &mut interner)
            .map_err(|error| ApiError::Malformed(error.to_string()))?;
        found.insert((input, annotation.id.clone()), annotation);
    }
    Ok(found)
}
