//! The calls of a plan, as they would be made: what `apply --dry-run` prints.

use crate::plan::{Call, Operation, Plan};
use serde_json::{Value, json};

/// One JSON object a line: `{"method", "path", "body"}`, in the order in which the calls would be made. The token and
/// the host are not part of it.
pub fn calls(plan: &Plan) -> String {
    let path = format!(
        "/v2/users/{}/apps/{}/annotations",
        plan.target.user_id, plan.target.app_id
    );
    let mut text = String::new();
    for batch in &plan.batches {
        let operations: Vec<&Operation> = batch
            .operations
            .iter()
            .map(|&at| &plan.operations[at as usize])
            .collect();
        let annotations = || -> Value {
            operations
                .iter()
                .filter_map(|o| o.body.as_ref())
                .map(crate::model::Json::to_value)
                .collect()
        };
        let patched = |action: &str| {
            (
                "PATCH",
                json!({"action": action, "annotations": annotations()}),
            )
        };
        let (method, body) = match batch.call {
            Call::DeleteReplaced | Call::Delete => {
                let inputs: Value = operations.iter().map(|o| o.input_id.as_str()).collect();
                let ids: Value = operations.iter().map(|o| o.id.as_str()).collect();
                ("DELETE", json!({"input_ids": inputs, "ids": ids}))
            }
            Call::Merge => patched("merge"),
            Call::Remove | Call::RemoveOrDelete | Call::Purge => patched("remove"),
            Call::Overwrite => patched("overwrite"),
            Call::Post => ("POST", json!({"annotations": annotations()})),
        };
        text.push_str(&json!({"method": method, "path": path, "body": body}).to_string());
        text.push('\n');
    }
    text
}
