//! Operations on datasets, which are lists of inputs. Versions of datasets are not served.

use super::call::{Call, check_count, take_text};
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
    for mut body in call.items()? {
        let mut id = take_text(&mut body, "id");
        if id.is_empty() {
            id = session.new_id()?;
        }
        if session.dataset(&call.app, &id)?.is_some() {
            return Err(Refusal::invalid(format!("dataset `{id}` is a duplicate")));
        }
        body.shift_remove("modified_at");
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

/// `PATCH /datasets`
pub(super) fn patch_datasets(
    session: &mut Session<'_>,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    let action = call.action()?;
    let mut shown = Vec::new();
    for mut patch in call.items()? {
        let id = take_text(&mut patch, "id");
        let Some(mut dataset) = session.dataset(&call.app, &id)? else {
            return Err(Refusal::missing(format!("no dataset `{id}`")));
        };
        dataset.patch(action, patch, &session.now);
        session.update_dataset(&call.app, &dataset)?;
        shown.push(show(dataset, call));
    }
    Ok(Answer::success(Some(("datasets", Value::Array(shown)))))
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
    let mut ids = Vec::new();
    match call.sent.body.get("search") {
        Some(search) if !search.is_null() => {
            let others = searched_datasets(search).ok_or_else(|| {
                let known = "search.query.filters[0].input.dataset_ids";
                Refusal::invalid(format!("inputs to add are found only by `{known}`"))
            })?;
            for other in others {
                let inputs = session.dataset_inputs(&call.app, other, Page::ALL)?;
                ids.extend(inputs.into_iter().map(|(id, _)| id));
            }
        }
        _ => {
            for item in call.items()? {
                let id = item.get("input").and_then(|input| input["id"].as_str());
                ids.push(id.unwrap_or_default().to_owned());
            }
        }
    }
    let mut shown = Vec::new();
    for id in &ids {
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

/// The datasets named by a search for inputs of datasets, with which the official SDK merges datasets.
fn searched_datasets(search: &Value) -> Option<Vec<&str>> {
    let [filter] = &search["query"]["filters"].as_array()?[..] else {
        return None;
    };
    let input = filter["input"].as_object()?;
    let is_only = filter.as_object()?.len() == 1 && input.len() == 1;
    let ids = input.get("dataset_ids")?.as_array()?.iter();
    let ids: Option<Vec<&str>> = ids.map(Value::as_str).collect();
    ids.filter(|ids| is_only && !ids.is_empty())
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
