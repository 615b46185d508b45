//! Reads what a plan is about to change, so that it can be undone.

use super::look::by_name;
use super::purge;
use crate::api::{ApiError, Reader};
use crate::model::{AnnotationId, InputId, Interner, UserId};
use crate::plan::{Before, Plan};

/// Reads all annotations that a plan touches, and the calling user.
///
/// Includes annotations that the plan posts: one that exists already is not this plan's to undo.
pub async fn before(plan: &Plan, reader: &Reader) -> Result<Before, ApiError> {
    let caller = UserId::new(reader.caller().await?)
        .map_err(|error| ApiError::Malformed(error.to_string()))?;
    let names: Vec<(InputId, AnnotationId)> = plan
        .operations
        .iter()
        .map(|operation| (operation.input_id.clone(), operation.id.clone()))
        .collect();
    let mut found = by_name(&names, reader, &mut Interner::default()).await?;
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
