//! What would be sent now, without sending it.

use super::before::by_name;
use crate::api::{ApiError, Reader};
use crate::model::Json;
use crate::plan::{Freshness, Permit, Plan, freshness, stand_in_id_for, write_body};

/// The body of each operation of a plan as it would be sent now; `None` where none would be: for a delete, for what is
/// already so, and for what is something else than the plan saw.
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
    let mut found = by_name(&names, reader).await?;
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
