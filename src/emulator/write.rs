//! POST and PATCH of annotations, and the permissions.

use super::call::{Call, take_status, take_text};
use super::config::RegionPlaces;
use super::data;
use super::patch::{self, Action};
use super::region;
use super::reply::{Answer, ItemFailure, Refusal};
use super::rows::Stored;
use super::session::Session;
use super::shown::Shown;
use crate::wire::Code;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The result of one item. The outer error comes from the database and ends the call.
type Outcome = Result<Result<Stored<String>, ItemFailure>, rusqlite::Error>;

/// Fields that only the server sets.
const SERVER_OWNED: [&str; 7] = [
    "worker",
    "model_version_id",
    "workflow_version_id",
    "input_level",
    "created_at",
    "modified_at",
    "consensus_info",
];

/// `POST /annotations`
pub(super) fn post_annotations(
    session: &mut Session<'_>,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    let items = call.items()?;
    let mut ready = HashSet::new();
    each(call, items, |item| {
        post_one(session, call, &mut ready, item)
    })
}

/// `PATCH /annotations`
pub(super) fn patch_annotations(
    session: &mut Session<'_>,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    let action = call.action()?;
    let items = call.items()?;
    each(call, items, |item| patch_one(session, call, action, item))
}

/// Runs `run` on all items in order, and answers with all results.
fn each(
    call: &Call<'_>,
    items: Vec<Map<String, Value>>,
    mut run: impl FnMut(Map<String, Value>) -> Outcome,
) -> Result<Answer, Refusal> {
    let response_style = call.config.response_style;
    let mut shown = Vec::with_capacity(items.len());
    let mut failed = 0;
    for (place, item) in items.into_iter().enumerate() {
        let name = |field: &str| {
            let text = item.get(field).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let (input_id, id) = (name("input_id"), name("id"));
        let outcome = match call.faults.failure(place) {
            Some(failure) => Err(failure),
            None => run(item)?,
        };
        shown.push(match outcome {
            Ok(stored) => Shown::Stored(stored),
            Err(failure) => {
                failed += 1;
                Shown::Failed(failure.item(&input_id, &id, response_style))
            }
        });
    }
    Ok(Answer::of_batch(shown.len(), failed, None).with_annotations(shown))
}

/// Posts one annotation. `ready` are the inputs that are known to exist and to be processed.
fn post_one(
    session: &Session<'_>,
    call: &Call<'_>,
    ready: &mut HashSet<String>,
    mut item: Map<String, Value>,
) -> Outcome {
    let mut new = match read_new(call, &mut item) {
        Ok(new) => new,
        Err(failure) => return Ok(Err(failure)),
    };
    if new.id.is_empty() {
        new.id = session.new_id()?;
    } else if session.has_annotation(&call.app, &new.input_id, &new.id)? {
        return Ok(Err(ItemFailure::invalid(format!(
            "duplicate: input `{}` already has an annotation `{}`",
            new.input_id, new.id
        ))));
    }
    if !ready.contains(&new.input_id) {
        let input = &new.input_id;
        match session.is_processed(&call.app, input)? {
            Some(true) => {}
            // According to the documentation, an input must be processed before it can be annotated. The code is not
            // specified.
            Some(false) => {
                return Ok(Err(ItemFailure::invalid(format!(
                    "input `{input}` is not processed yet"
                ))));
            }
            None if call.config.require_inputs => {
                return Ok(Err(ItemFailure::missing(format!("no input `{input}`"))));
            }
            None => {
                session.insert_input(&call.app, input, &call.app.owner, Map::new())?;
            }
        }
        ready.insert(input.clone());
    }
    new.body = item;
    data::name_parts(new.data_mut(), &mut || session.new_id())?;
    fill_in_places(session, call, &mut new)?;
    Ok(Ok(session.insert(&call.app, new)?))
}

/// Converts an item to a row, and makes all checks that need no database.
fn read_new(call: &Call<'_>, item: &mut Map<String, Value>) -> Result<Stored, ItemFailure> {
    let input_id = take_text(item, "input_id");
    if input_id.is_empty() {
        return Err(ItemFailure::invalid("`input_id` is missing"));
    }
    let worker = item.get("worker").and_then(|w| w.pointer("/user/id"));
    let worker = worker.and_then(Value::as_str).map(ToOwned::to_owned);
    let user = Some(take_text(item, "user_id")).filter(|user| !user.is_empty());
    let user = match user.or(worker) {
        Some(user) if !user.is_empty() && user != "me" => user,
        _ => call.caller.to_owned(),
    };
    if user != call.caller && !call.is_owner() {
        return Err(ItemFailure::forbidden(format!(
            "only the app's owner may post as another user (`{user}`)"
        )));
    }
    let status = take_status(item)?.unwrap_or(Code::ANNOTATION_SUCCESS);
    for field in SERVER_OWNED {
        item.shift_remove(field);
    }
    check_data(item)?;
    Ok(Stored {
        input_id,
        id: take_text(item, "id"),
        user_id: user,
        status,
        ..Stored::default()
    })
}

pub(super) fn check_data(body: &Map<String, Value>) -> Result<(), ItemFailure> {
    match body.get("data").and_then(Value::as_object) {
        Some(data) => data::check(data).map_err(ItemFailure::invalid),
        None => Ok(()),
    }
}

fn patch_one(
    session: &Session<'_>,
    call: &Call<'_>,
    action: Action,
    mut item: Map<String, Value>,
) -> Outcome {
    let (input_id, id) = (take_text(&mut item, "input_id"), take_text(&mut item, "id"));
    let Some(mut stored) = session.annotation(&call.app, &input_id, &id)? else {
        return Ok(Err(ItemFailure::missing(format!(
            "input `{input_id}` has no annotation `{id}`"
        ))));
    };
    if let Err(failure) = may_change(call, &stored) {
        return Ok(Err(failure));
    }
    // Fields that the server sets are ignored, as usual in protobuf updates.
    item.shift_remove("user_id");
    for field in SERVER_OWNED {
        item.shift_remove(field);
    }
    match take_status(&mut item) {
        // `remove` only removes elements of lists.
        Ok(Some(status)) if action != Action::Remove => stored.status = status,
        Ok(_) => {}
        Err(failure) => return Ok(Err(failure)),
    }
    patch::apply(action, &mut stored.body, &item);
    if let Err(failure) = check_data(&stored.body) {
        return Ok(Err(failure));
    }
    data::name_parts(stored.data_mut(), &mut || session.new_id())?;
    fill_in_places(session, call, &mut stored)?;
    // Documented for this action only.
    let deletes_empty = action == Action::Remove
        && call.sent.body.get("delete_if_empty_data") == Some(&Value::Bool(true));
    let empty = stored.body.get("data").is_none_or(data::is_empty);
    if deletes_empty && empty && !stored.input_level {
        session.delete(&stored)?;
        return Ok(Ok(stored.into_text()));
    }
    Ok(Ok(session.update(&call.app, stored)?))
}

fn fill_in_places(
    session: &Session<'_>,
    call: &Call<'_>,
    stored: &mut Stored,
) -> rusqlite::Result<()> {
    match call.config.response_style.regions {
        RegionPlaces::AsSent => Ok(()),
        RegionPlaces::FilledIn => region::fill_in(session, &call.app, stored),
    }
}

/// The owner can change the annotations of all users, a collaborator their own. No one can change those of models.
pub(super) fn may_change(call: &Call<'_>, stored: &Stored) -> Result<(), ItemFailure> {
    if stored.model_made {
        return Err(ItemFailure::forbidden(
            "a model created this annotation; it cannot be changed",
        ));
    }
    if call.is_owner() || stored.user_id == call.caller {
        return Ok(());
    }
    Err(ItemFailure::forbidden(format!(
        "the annotation belongs to user `{}`; only the app's owner may change it",
        stored.user_id
    )))
}
