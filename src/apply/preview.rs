//! What an apply would send now, without sending it.

use super::look::by_name;
use crate::api::{ApiError, Reader};
use crate::model::Interner;
use crate::plan::{Due, Permit, Plan, due, stand_in_id_for};

/// What would be done now for each operation of a plan.
pub async fn preview(plan: &Plan, reader: &Reader, permit: &Permit) -> Result<Vec<Due>, ApiError> {
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
    let dues = with_names.map(|(operation, name)| {
        let now = found.remove(name);
        // What does not fit any more was changed since it was checked.
        due(operation, now.as_ref(), permit).unwrap_or(Due::Stale)
    });
    Ok(dues.collect())
}
