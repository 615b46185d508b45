//! What an apply would send now, without sending it.

use super::look::by_name;
use crate::api::{ApiError, Reader};
use crate::model::{Interner, Json};
use crate::plan::{Freshness, Permit, Plan, freshness, stand_in_id_for, write_body};

/// The body that each operation of a plan would send now; `None` for deletes and for operations that are stale or already
/// carried out.
pub async fn preview(
    plan: &Plan,
    reader: &Reader,
    permit: &Permit,
) -> Result<Vec<Option<Json>>, ApiError> {
    let names = plan.operations.iter().map(|operation| {
        let id = if operation.is_unfinished() {
            stand_in_id_for(&plan.set, operation)
        } else {
            operation.id.clone()
        };
        (operation.input_id.clone(), id)
    });
    let names: Vec<_> = names.collect();
    let mut found = by_name(&names, reader, &mut Interner::default()).await?;
    let with_names = plan.operations.iter().zip(&names);
    let bodies = with_names.map(|(operation, name)| {
        let now = found.remove(name);
        let is_due =
            operation.is_unfinished() || freshness(operation, now.as_ref()) == Freshness::AsPlanned;
        let body = write_body(operation, now.as_ref(), permit).ok().flatten();
        body.filter(|_| is_due)
    });
    Ok(bodies.collect())
}
