//! What an apply would send now, without sending it.

use super::look::by_name;
use super::purge::{listed, purged_inputs, unplanned};
use super::send::patch_action;
use crate::api::{ApiError, DeleteInputs, DeletePairs, Reader, annotations_call, inputs_call};
use crate::model::{AnnotationId, Interner, Json, ObservedAnnotation};
use crate::plan::{
    Batch, Call, Due, Operation, Permit, Plan, Purge, due, stand_in_body, stand_in_id_for,
};
use crate::wire::WriteCall;

/// What an apply of a plan would do now, for each operation and each purge.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// For each operation.
    pub operations: Vec<Due>,
    /// For each purge; its call has no body.
    pub purges: Vec<Due>,
}

/// What would be done now for each operation and each purge of a plan.
pub async fn preview(plan: &Plan, reader: &Reader, permit: &Permit) -> Result<Preview, ApiError> {
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
        // An operation that does not fit any more was changed since the check.
        due(operation, now.as_ref(), permit).unwrap_or(Due::Stale)
    });
    let operations = dues.collect();
    let mut purges = Vec::with_capacity(plan.purges.len());
    if !plan.purges.is_empty() {
        let listed = listed(reader, plan.purges.iter()).await?;
        purges.extend(plan.purges.iter().zip(&listed).map(purge_due));
    }
    Ok(Preview { operations, purges })
}

fn purge_due((purge, listed): (&Purge, &Vec<ObservedAnnotation>)) -> Due {
    if !unplanned(purge, listed).is_empty() {
        Due::Stale
    } else if listed.is_empty() {
        Due::Done
    } else {
        Due::Sent(None)
    }
}

/// The calls of a plan, in order. Operations and purges that send nothing are left out. Instead of a file's bytes, a
/// call has the file's name.
pub fn calls(plan: &Plan, preview: &Preview) -> Result<Vec<WriteCall>, ApiError> {
    let calls = plan.batches.iter();
    calls
        .filter_map(|batch| call(plan, batch, preview).transpose())
        .collect()
}

fn call(plan: &Plan, batch: &Batch, preview: &Preview) -> Result<Option<WriteCall>, ApiError> {
    let dues = &preview.operations;
    let operations = batch.operations.iter().map(|at| *at as usize);
    Ok(match batch.call {
        Call::Purge => {
            let is_sent = |at: &usize| matches!(preview.purges.get(*at), Some(Due::Sent(_)));
            let inputs = operations.filter(is_sent);
            let inputs: Vec<_> = inputs.map(|at| &plan.purges[at].input_id).collect();
            if inputs.is_empty() {
                return Ok(None);
            }
            Some(purged_inputs(inputs.into_iter())?.call())
        }
        Call::DeleteInputs => {
            let ids = operations.map(|at| plan.deleted_inputs[at].to_string());
            DeleteInputs::new(ids.collect()).map(|inputs| inputs.call())
        }
        Call::PostInputs => {
            let named = |path: &str, _: &str, _| Ok::<_, ApiError>(format!("the bytes of {path}"));
            let bodies = operations.map(|at| plan.inputs[at].body(named));
            let bodies: Vec<Json> = bodies.collect::<Result<_, _>>()?;
            Some(inputs_call(&bodies))
        }
        Call::DeleteLeftBehind | Call::DeleteReplaced | Call::Delete | Call::DeleteStandIn => {
            delete_call(plan, batch.call, sent(plan, batch, dues))?
        }
        Call::Merge
        | Call::Remove
        | Call::RemoveOrDelete
        | Call::Overwrite
        | Call::PostStandIn
        | Call::Post => {
            let bodies = sent(plan, batch, dues).filter_map(|(operation, body)| {
                let body = body.as_ref()?;
                Some(match batch.call {
                    Call::PostStandIn => stand_in_body(&plan.set, operation, body),
                    _ => body.clone(),
                })
            });
            let bodies: Vec<Json> = bodies.collect();
            let is_any = !bodies.is_empty();
            is_any.then(|| annotations_call(patch_action(batch.call), bodies.iter()))
        }
    })
}

fn delete_call<'a>(
    plan: &Plan,
    call: Call,
    sent: impl Iterator<Item = (&'a Operation, &'a Option<Json>)>,
) -> Result<Option<WriteCall>, ApiError> {
    let pairs = sent.map(|(operation, _)| {
        let id: AnnotationId = match call {
            Call::DeleteStandIn => stand_in_id_for(&plan.set, operation),
            _ => operation.id.clone(),
        };
        (operation.input_id.to_string(), id.to_string())
    });
    let pairs: Vec<_> = pairs.collect();
    if pairs.is_empty() {
        return Ok(None);
    }
    let pairs = DeletePairs::new(pairs).map_err(|error| ApiError::Unsendable(error.to_string()))?;
    Ok(Some(pairs.call()))
}

/// The operations of a call that are sent, each with its body.
fn sent<'a>(
    plan: &'a Plan,
    batch: &'a Batch,
    dues: &'a [Due],
) -> impl Iterator<Item = (&'a Operation, &'a Option<Json>)> {
    batch.operations.iter().filter_map(|&at| {
        let Some(Due::Sent(body)) = dues.get(at as usize) else {
            return None;
        };
        Some((&plan.operations[at as usize], body))
    })
}
