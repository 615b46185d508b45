//! Operations on datasets, which are lists of inputs. Versions of datasets are not served.

use super::call::{Call, check_count, take_text};
use super::data::MissingValue;
use super::inputs;
use super::listing::Page;
use super::reply::{self, Answer, Refusal};
use super::rows::StoredObject;
use super::session::Session;
use crate::wire::Code;
use serde_json::{Value, json};

/// `POST /datasets`
pub(super) fn post_datasets(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let mut shown = Vec::new();
    for mut body in call.items("datasets", MissingValue::Nothing)? {
        let mut id = take_text(&mut body, "id");
        if id.is_empty() {
            id = session.new_id()?;
        }
        if session.dataset(&call.app, &id)?.is_some() {
            return Err(Refusal::invalid(format!("dataset `{id}` is a duplicate")));
        }
        let created_at = session.now.clone();
        let dataset = StoredObject {
            id,
            created_at,
            body,
        };
        session.insert_dataset(&call.app, &dataset)?;
        shown.push(show(dataset, call));
    }
    Ok(Answer::success(Some(("datasets", Value::Array(shown)))))
}

/// `GET /datasets`
pub(super) fn list_datasets(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let page = Page::read(&call.sent.query, call.config).map_err(Refusal::invalid)?;
    let found = session.datasets(&call.app, page)?.into_iter();
    let shown = found.map(|dataset| show(dataset, call)).collect();
    Ok(Answer::success(Some(("datasets", shown))))
}

/// `GET /datasets/{dataset_id}`
pub(super) fn get_dataset(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let found = named(session, call)?;
    Ok(Answer::success(Some(("dataset", show(found, call)))))
}

/// `DELETE /datasets`. Their inputs stay.
pub(super) fn delete_datasets(
    session: &mut Session<'_>,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    let ids = call.texts("dataset_ids")?;
    check_count("dataset_ids", ids.len())?;
    for id in ids {
        if !session.delete_dataset(&call.app, id)? {
            return Err(Refusal::missing(format!("no dataset `{id}`")));
        }
    }
    Ok(Answer::success(None))
}

/// `POST /datasets/{dataset_id}/inputs`
pub(super) fn post_inputs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let dataset = named(session, call)?.id;
    let mut shown = Vec::new();
    for item in call.items("dataset_inputs", MissingValue::Nothing)? {
        let id = item.get("input").and_then(|input| input["id"].as_str());
        let id = id.unwrap_or_default();
        let Some(input) = session.input(&call.app, id)? else {
            let details = format!("no input `{id}`");
            return Err(Refusal::new(400, Code::INPUT_DOES_NOT_EXIST, details));
        };
        session.add_to_dataset(&call.app, &dataset, id)?;
        let input = inputs::show(session, call, input)?;
        shown.push(json!({"created_at": session.now, "input": input}));
    }
    let content = ("dataset_inputs", Value::Array(shown));
    Ok(Answer::success(Some(content)))
}

/// `GET /datasets/{dataset_id}/inputs`
pub(super) fn list_inputs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let dataset = named(session, call)?.id;
    let page = Page::read(&call.sent.query, call.config).map_err(Refusal::invalid)?;
    let mut shown = Vec::new();
    for (id, created_at) in session.dataset_inputs(&call.app, &dataset, page)? {
        if let Some(input) = session.input(&call.app, &id)? {
            let input = inputs::show(session, call, input)?;
            shown.push(json!({"created_at": created_at, "input": input}));
        }
    }
    let content = ("dataset_inputs", Value::Array(shown));
    Ok(Answer::success(Some(content)))
}

/// `DELETE /datasets/{dataset_id}/inputs`. The inputs stay in the app.
pub(super) fn delete_inputs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let dataset = named(session, call)?.id;
    let ids = call.texts("input_ids")?;
    check_count("input_ids", ids.len())?;
    for id in ids {
        session.remove_from_dataset(&call.app, &dataset, id)?;
    }
    Ok(Answer::success(None))
}

fn named(session: &Session<'_>, call: &Call<'_>) -> Result<StoredObject, Refusal> {
    let id = call.path("dataset_id");
    let found = session.dataset(&call.app, id)?;
    found.ok_or_else(|| Refusal::missing(format!("no dataset `{id}`")))
}

fn show(dataset: StoredObject, call: &Call<'_>) -> Value {
    let owners = [
        ("app_id", call.app.id.as_str()),
        ("user_id", &call.app.owner),
    ];
    reply::object(dataset, &owners)
}
