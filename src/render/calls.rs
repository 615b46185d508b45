//! The calls of a plan, as `apply --dry-run` prints them.

use crate::model::{AnnotationId, escape_json, is_path_segment};
use crate::plan::{Batch, Call, Due, Plan, stand_in_body, stand_in_id_for};
use serde_json::{Value, json};
use url::Url;

/// One JSON object per line, `{"method", "path", "body"}`, in the order of the calls, without token and host. A single
/// annotation is deleted by its path, without a body. `dues` says what is left to do for each operation; those of which
/// nothing is sent are left out.
pub fn calls(plan: &Plan, dues: &[Due]) -> String {
    let calls = plan.batches.iter().filter_map(|batch| match batch.call {
        Call::Purge => Some(purge_call(plan, batch)),
        Call::PostInputs | Call::DeleteInputs => Some(input_call(plan, batch)),
        Call::DeleteLeftBehind | Call::DeleteReplaced | Call::Delete | Call::DeleteStandIn => {
            delete_call(plan, batch, dues)
        }
        Call::Merge
        | Call::Remove
        | Call::RemoveOrDelete
        | Call::Overwrite
        | Call::PostStandIn
        | Call::Post => write_call(plan, batch, dues),
    });
    calls.fold(String::new(), |mut text, call| {
        text.push_str(&escape_json(&call.to_string()));
        text.push('\n');
        text
    })
}

fn purge_call(plan: &Plan, batch: &Batch) -> Value {
    let inputs = batch.operations.iter();
    let inputs: Value = inputs
        .map(|&at| plan.purges[at as usize].input_id.as_str())
        .collect();
    let path = path(plan, &["annotations"]);
    json!({"method": "DELETE", "path": path, "body": {"input_ids": inputs}})
}

fn delete_call(plan: &Plan, batch: &Batch, dues: &[Due]) -> Option<Value> {
    let is_sent = |at: &&u32| matches!(dues.get(**at as usize), Some(Due::Sent(_)));
    let operations = batch.operations.iter().filter(is_sent);
    let pairs: Vec<(&str, AnnotationId)> = operations
        .map(|&at| {
            let operation = &plan.operations[at as usize];
            let id = match batch.call {
                Call::DeleteStandIn => stand_in_id_for(&plan.set, operation),
                _ => operation.id.clone(),
            };
            (operation.input_id.as_str(), id)
        })
        .collect();
    match &pairs[..] {
        [] => None,
        [(input, id)] if is_path_segment(input) && is_path_segment(id.as_str()) => {
            let path = path(plan, &["inputs", input, "annotations", id.as_str()]);
            Some(json!({"method": "DELETE", "path": path}))
        }
        _ => {
            let inputs: Value = pairs.iter().map(|(input, _)| *input).collect();
            let ids: Value = pairs.iter().map(|(_, id)| id.as_str()).collect();
            let body = json!({"input_ids": inputs, "ids": ids});
            let path = path(plan, &["annotations"]);
            Some(json!({"method": "DELETE", "path": path, "body": body}))
        }
    }
}

fn write_call(plan: &Plan, batch: &Batch, dues: &[Due]) -> Option<Value> {
    let operations = batch.operations.iter();
    let annotations: Vec<Value> = operations
        .filter_map(|&at| {
            let Some(Due::Sent(Some(body))) = dues.get(at as usize) else {
                return None;
            };
            Some(match batch.call {
                Call::PostStandIn => {
                    stand_in_body(&plan.set, &plan.operations[at as usize], body).to_value()
                }
                _ => body.to_value(),
            })
        })
        .collect();
    if annotations.is_empty() {
        return None;
    }
    let (method, body) = match batch.call {
        Call::Merge => (
            "PATCH",
            json!({"action": "merge", "annotations": annotations}),
        ),
        Call::Remove => (
            "PATCH",
            json!({"action": "remove", "annotations": annotations}),
        ),
        Call::RemoveOrDelete => (
            "PATCH",
            json!({"action": "remove", "delete_if_empty_data": true, "annotations": annotations}),
        ),
        Call::Overwrite => (
            "PATCH",
            json!({"action": "overwrite", "annotations": annotations}),
        ),
        _ => ("POST", json!({"annotations": annotations})),
    };
    let path = path(plan, &["annotations"]);
    Some(json!({"method": method, "path": path, "body": body}))
}

/// A call that posts or deletes inputs. Instead of a file's bytes, it has the file's name.
fn input_call(plan: &Plan, batch: &Batch) -> Value {
    let path = path(plan, &["inputs"]);
    let at = batch.operations.iter().map(|at| *at as usize);
    if batch.call == Call::DeleteInputs {
        let ids: Value = at.map(|at| plan.deleted_inputs[at].as_str()).collect();
        return json!({"method": "DELETE", "path": path, "body": {"ids": ids}});
    }
    let inputs: Value = at
        .map(|at| plan.inputs[at].body(|path, _, _| Ok::<_, ()>(format!("the bytes of {path}"))))
        .map(|body| body.map_or(Value::Null, |body| body.to_value()))
        .collect();
    json!({"method": "POST", "path": path, "body": {"inputs": inputs}})
}

/// A path of the app, percent-encoded as it is sent.
fn path(plan: &Plan, segments: &[&str]) -> String {
    let target = &plan.target;
    let mut url = Url::parse("http://localhost").expect("the literal is a URL");
    url.path_segments_mut()
        .expect("http URLs have a path")
        .pop_if_empty()
        .extend(["v2", "users", &target.user_id, "apps", &target.app_id])
        .extend(segments);
    url.path().to_owned()
}
