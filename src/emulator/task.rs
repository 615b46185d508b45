//! PATCH of the status of a task's annotations. Tasks themselves are not served; annotations only have their ids.

use super::call::{Call, is_annotation_status};
use super::listing::Filter;
use super::reply::{Answer, Refusal};
use super::session::Session;
use super::write::may_change;
use crate::wire::Code;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `PATCH /task/{task_id}/annotations/status`. Annotations that the caller may not change are skipped.
pub(super) fn patch_status(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let body = &call.sent.body;
    let action = body.get("action").and_then(Value::as_str);
    if action != Some("overwrite") {
        return Err(Refusal::invalid(format!(
            "`action` is `{}`, but must be overwrite",
            action.unwrap_or_default()
        )));
    }
    let status = status(
        "status_code",
        body.get("status_code").unwrap_or(&Value::Null),
    )?;
    let statuses = match body.get("status_codes") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(codes)) => codes
            .iter()
            .map(|code| self::status("status_codes", code))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(Refusal::format("`status_codes` is not a list")),
    };
    let user_ids = call.texts("user_ids")?.into_iter().map(ToOwned::to_owned);
    let filter = Filter::of_task(call.path("task_id"), user_ids.collect(), statuses);
    let mut users = BTreeSet::new();
    let mut updated = 0_u64;
    for mut stored in session.list(&call.app, &filter, 0, u64::MAX)? {
        if may_change(call, &stored).is_ok() {
            stored.status = status;
            updated += 1;
            users.insert(session.update(&call.app, stored)?.user_id);
        }
    }
    Ok(Answer::success(None)
        .and("user_ids", json!(users))
        .and("updated_count", Value::from(updated)))
}

/// Parses a status of annotations, a number or a name.
fn status(field: &str, value: &Value) -> Result<Code, Refusal> {
    match serde_json::from_value(value.clone()) {
        Ok(code) if is_annotation_status(code) => Ok(code),
        _ => Err(Refusal::invalid(format!(
            "`{field}`: {value} is not a status of an annotation"
        ))),
    }
}
