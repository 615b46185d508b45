//! The calls of a plan, as they would be made: what `apply --dry-run` prints.

use crate::model::{Json, escape_json, is_path_segment};
use crate::plan::{Batch, Call, Due, Operation, Plan, stand_in_body, stand_in_id_for};
use serde_json::{Value, json};
use url::Url;

/// One JSON object a line: `{"method", "path", "body"}`, in the order in which the calls would be made. The token and
/// the host are not part of it. A single annotation is deleted by its path, without a body. `dues`: what is done
/// for each operation; those of which nothing is sent are left out.
pub fn calls(plan: &Plan, dues: &[Due]) -> String {
    let bulk = path(plan, &["annotations"]);
    let mut text = String::new();
    for batch in &plan.batches {
        if batch.call == Call::Purge {
            let inputs: Value = batch
                .operations
                .iter()
                .map(|&at| plan.purges[at as usize].input_id.as_str())
                .collect();
            let body = json!({"input_ids": inputs});
            write(
                &mut text,
                &json!({"method": "DELETE", "path": bulk, "body": body}),
            );
            continue;
        }
        if let Call::PostInputs | Call::DeleteInputs = batch.call {
            write(&mut text, &about_inputs(plan, batch));
            continue;
        }
        let deletes = matches!(
            batch.call,
            Call::DeleteLeftBehind | Call::DeleteReplaced | Call::Delete | Call::DeleteStandIn
        );
        let sent = |at: u32| match dues.get(at as usize) {
            Some(Due::Sent(body)) => Some(body.as_ref()),
            Some(Due::Done | Due::Stale) | None => None,
        };
        let body = |at: u32| sent(at).flatten();
        let is_due = |at: &u32| sent(*at).is_some_and(|body| deletes || body.is_some());
        let due: Vec<u32> = batch.operations.iter().copied().filter(is_due).collect();
        if due.is_empty() {
            continue;
        }
        let operations: Vec<&Operation> = due
            .iter()
            .map(|&at| &plan.operations[at as usize])
            .collect();
        let annotations = || -> Value {
            let with_bodies = due.iter().zip(&operations);
            with_bodies
                .filter_map(|(&at, o)| match batch.call {
                    Call::PostStandIn => Some(stand_in_body(&plan.set, o, body(at)?).to_value()),
                    _ => body(at).map(Json::to_value),
                })
                .collect()
        };
        let id = |o: &Operation| match batch.call {
            Call::DeleteStandIn => stand_in_id_for(&plan.set, o),
            _ => o.id.clone(),
        };
        if let (true, [only]) = (deletes, &operations[..])
            && let (input, id) = (only.input_id.as_str(), id(only))
            && is_path_segment(input)
            && is_path_segment(id.as_str())
        {
            let path = path(plan, &["inputs", input, "annotations", id.as_str()]);
            write(&mut text, &json!({"method": "DELETE", "path": path}));
            continue;
        }
        let patched = |action: &str| {
            (
                "PATCH",
                json!({"action": action, "annotations": annotations()}),
            )
        };
        let (method, body) = match batch.call {
            Call::DeleteLeftBehind | Call::DeleteReplaced | Call::Delete | Call::DeleteStandIn => {
                let inputs: Value = operations.iter().map(|o| o.input_id.as_str()).collect();
                let ids: Value = (operations.iter())
                    .map(|o| Value::from(id(o).as_str()))
                    .collect();
                ("DELETE", json!({"input_ids": inputs, "ids": ids}))
            }
            Call::Merge => patched("merge"),
            Call::Remove => patched("remove"),
            Call::RemoveOrDelete => (
                "PATCH",
                json!({"action": "remove", "delete_if_empty_data": true, "annotations": annotations()}),
            ),
            Call::Overwrite => patched("overwrite"),
            Call::PostStandIn | Call::Post => ("POST", json!({"annotations": annotations()})),
            Call::Purge | Call::PostInputs | Call::DeleteInputs => {
                unreachable!("these were written above")
            }
        };
        write(
            &mut text,
            &json!({"method": method, "path": bulk, "body": body}),
        );
    }
    text
}

/// A call that posts or deletes inputs. Files are named in place of their bytes.
fn about_inputs(plan: &Plan, batch: &Batch) -> Value {
    let path = path(plan, &["inputs"]);
    let at = batch.operations.iter().map(|at| *at as usize);
    if batch.call == Call::DeleteInputs {
        let ids: Value = at.map(|at| plan.deleted_inputs[at].as_str()).collect();
        return json!({"method": "DELETE", "path": path, "body": {"ids": ids}});
    }
    let inputs: Value = at
        .map(|at| plan.inputs[at].body(|path, _, _| Ok::<_, ()>(format!("the bytes of {path}"))))
        .map(Result::unwrap_or_default)
        .collect();
    json!({"method": "POST", "path": path, "body": {"inputs": inputs}})
}

fn write(text: &mut String, call: &Value) {
    text.push_str(&escape_json(&call.to_string()));
    text.push('\n');
}

/// A path of the app, percent-encoded as it is sent.
fn path(plan: &Plan, segments: &[&str]) -> String {
    let target = &plan.target;
    let mut url = Url::parse("http://localhost").expect("it is a URL");
    url.path_segments_mut()
        .expect("http URLs have a path")
        .pop_if_empty()
        .extend(["v2", "users", &target.user_id, "apps", &target.app_id])
        .extend(segments);
    url.path().to_owned()
}
