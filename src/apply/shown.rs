//! Whether the plan of an undo sends what it shows.

use crate::api::wire;
use crate::model::{Content, Interner, is_exactly};
use crate::observed;
use crate::plan::{Action, Operation, Plan, Purpose};
use serde_json::{Value, json};

/// Whether every body of an undo plan, read as an annotation of the service, is what the plan shows as its result: anybody
/// can change a file. Other plans hold no bodies.
pub fn is_as_shown(plan: &Plan) -> bool {
    plan.purpose != Purpose::Undo || plan.operations.iter().all(sends_what_it_shows)
}

/// Whether each field of a body has the form that a request needs: the service may read another form differently than our
/// reader does.
fn is_plain(body: &Value, after: &Content) -> bool {
    let Value::Object(fields) = body else {
        return false;
    };
    fields.iter().all(|(name, value)| match name.as_str() {
        "id" | "input_id" => true,
        "data" => value.is_object() && has_values(value),
        "status" => after
            .status
            .is_some_and(|status| *value == json!({"code": status.code()})),
        "user_id" => after
            .user
            .as_ref()
            .is_some_and(|user| *value == user.as_str()),
        "annotation_info" => value.is_object(),
        // The task is not part of an annotation's content, and no plan shows it.
        "task_id" => value.is_string(),
        "embed_model_version_id" => after
            .embed_model_version()
            .is_some_and(|model| *value == model),
        _ => false,
    })
}

/// Whether every concept has a value: in a request, a missing value is 1.
fn has_values(data: &Value) -> bool {
    match data {
        Value::Object(fields) => fields
            .iter()
            .all(|(name, value)| match (name.as_str(), value) {
                ("metadata", _) => true,
                ("concepts", Value::Array(concepts)) => {
                    concepts.iter().all(|concept| has_value(&concept["value"]))
                }
                ("concepts", _) => false,
                (_, value) => has_values(value),
            }),
        Value::Array(items) => items.iter().all(has_values),
        _ => true,
    }
}

/// Some services write numbers as text.
fn has_value(value: &Value) -> bool {
    value.is_number()
        || value
            .as_str()
            .is_some_and(|text| text.parse::<f64>().is_ok())
}

fn sends_what_it_shows(operation: &Operation) -> bool {
    let Some(body) = operation.body() else {
        return true;
    };
    let Ok(wire) = serde_json::from_str::<wire::Annotation>(body.as_str()) else {
        return false;
    };
    let Ok((input, mut sent)) = observed::annotation(wire, &mut Interner::default()) else {
        return false;
    };
    let Some(after) = operation.after() else {
        return false;
    };
    let body = body.to_value();
    if !is_plain(&body, after) {
        return false;
    }
    let sends = |field: &str| body.get(field).is_some();
    match (operation.action(), operation.before()) {
        // Fields that are not sent stay, and an overwrite does not change the user.
        (Action::Overwrite, Some(before)) => {
            if !sends("status") {
                sent.status = before.status.unwrap_or(sent.status);
            }
            if !sends("annotation_info") {
                sent.info.clone_from(&before.info);
            }
            if !sends("embed_model_version_id") && before.embed_model_version().is_some() {
                return false;
            }
            sent.user.clone_from(&before.user);
        }
        // Without a user it belongs to the caller; whether that fits is checked when it is sent.
        _ if !sends("user_id") => sent.user.clone_from(&after.user),
        _ => {}
    }
    input == operation.input_id && sent.id == operation.id && is_exactly(after, &sent)
}
