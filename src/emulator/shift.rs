//! Changes of the store that no call makes: annotations that models or other users made, and shifts behind a
//! listing's back.

use super::call::{take_status, take_text};
use super::data::{self, MissingValue};
use super::faults::Shift;
use super::reply::{ItemFailure, Refusal};
use super::session::Session;
use super::store::{App, Stored};
use crate::api::code::Code;
use serde_json::{Map, Value, json};

/// Carries shifts out, in order. Hiding and showing are the fault control's own.
pub(super) fn apply(session: &Session<'_>, app: &App, shifts: &[Shift]) -> Result<(), Refusal> {
    for shift in shifts {
        match shift {
            Shift::Delete { input_id, id } => {
                if let Some(stored) = session.annotation(app, input_id, id)? {
                    session.delete(&stored)?;
                }
            }
            Shift::Insert(annotation) => plant(session, app, annotation.clone())?,
            Shift::Hide { .. } | Shift::Show { .. } => {}
        }
    }
    Ok(())
}

/// Stores an annotation with whatever it says of itself: model-made ones too, and any user's. Its input is made if
/// there is none.
pub(super) fn plant(session: &Session<'_>, app: &App, annotation: Value) -> Result<(), Refusal> {
    let refused = |failure: ItemFailure| Refusal::invalid(failure.details);
    let Value::Object(mut body) = annotation else {
        return Err(Refusal::format("the annotation is no object"));
    };
    data::prepare(&mut body, MissingValue::Nothing).map_err(Refusal::format)?;
    let input_id = take_text(&mut body, "input_id");
    if input_id.is_empty() {
        return Err(Refusal::invalid("no `input_id`"));
    }
    let model_made = is_model_made(&body);
    let mut user_id = take_text(&mut body, "user_id");
    if !model_made {
        let worker = body.shift_remove("worker").unwrap_or_default();
        let worker = worker.pointer("/user/id").and_then(Value::as_str);
        if user_id.is_empty() {
            worker.unwrap_or(&app.owner).clone_into(&mut user_id);
        }
    }
    for times in ["created_at", "modified_at"] {
        body.shift_remove(times);
    }
    let mut new = Stored {
        id: take_text(&mut body, "id"),
        user_id,
        status: take_status(&mut body)
            .map_err(refused)?
            .unwrap_or(Code::ANNOTATION_SUCCESS),
        input_level: body.shift_remove("input_level") == Some(Value::Bool(true)),
        model_made,
        input_id,
        body,
        ..Stored::default()
    };
    if new.id.is_empty() {
        new.id = session.new_id()?;
    }
    if !session.has_input(app, &new.input_id)? {
        session.insert_input(app, &new.input_id, &app.owner, json!({}))?;
    }
    data::name_parts(new.data_mut(), &mut || session.new_id())?;
    session.insert(app, &mut new)?;
    Ok(())
}

fn is_model_made(body: &Map<String, Value>) -> bool {
    let worker = body.get("worker");
    body.contains_key("model_version_id")
        || body.contains_key("workflow_version_id")
        || worker.is_some_and(|w| w.get("model").is_some() || w.get("workflow").is_some())
}
