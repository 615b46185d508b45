//! Reads bodies of requests: those of a plan file may be written by anybody.

use super::{Annotation, Code, Status, decode};
use crate::model::{AnnotationId, Content, InputId, Interner, Json, is_exactly};
use serde_json::{Value, json};

/// Whether a body names this annotation.
pub(crate) fn names(body: &Json, input: &InputId, id: &AnnotationId) -> bool {
    let body = body.to_value();
    body["id"] == id.as_str() && body["input_id"] == input.as_str()
}

/// Whether a body names the user of its annotation. A post without a user belongs to the caller.
pub(crate) fn names_user(body: &Json) -> bool {
    body.to_value().get("user_id").is_some()
}

/// The code of the status that a body sets, if any.
pub(crate) fn status_code(body: &Json) -> Option<Code> {
    #[derive(serde::Deserialize)]
    struct Sent {
        status: Option<Status>,
    }
    let sent: Sent = serde_json::from_str(body.as_str()).ok()?;
    sent.status.map(|status| status.code)
}

/// Whether a body, read as an annotation of the service, is this annotation with this content. `overwritten` is the content
/// that an overwrite replaces; `None` for a post.
pub(crate) fn is_as_shown(
    body: &Json,
    (input, id): (&InputId, &AnnotationId),
    after: &Content,
    overwritten: Option<&Content>,
) -> bool {
    let Ok(wire) = serde_json::from_str::<Annotation>(body.as_str()) else {
        return false;
    };
    let Ok((named, mut sent)) = decode::annotation(wire, &mut Interner::default()) else {
        return false;
    };
    let body = body.to_value();
    if !is_plain(&body, after) {
        return false;
    }
    let sends = |field: &str| body.get(field).is_some();
    match overwritten {
        // Fields that are not sent stay, and an overwrite does not change the user.
        Some(before) => {
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
        None if !sends("user_id") => sent.user.clone_from(&after.user),
        None => {}
    }
    named == *input && sent.id == *id && is_exactly(after, &sent)
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
