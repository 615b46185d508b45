//! Operations on inputs.

use super::call::{Call, check_count, take_text};
use super::data;
use super::input_table::MEDIA;
use super::listing::{MAX_PAGE, Page};
use super::media;
use super::patch::{self, Action};
use super::reply::{self, Answer, ItemFailure, Refusal};
use super::rows::StoredInput;
use super::session::Session;
use super::shown::status;
use super::write::check_data;
use crate::wire::Code;
use serde_json::{Map, Value, json};

/// `POST /inputs`
pub(super) fn post_inputs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let items = call.items()?;
    let job = call.sent.body.get("inputs_add_job_id");
    let job = job.and_then(Value::as_str).filter(|id| !id.is_empty());
    let (answer, failed) = each(session, call, items, |item| {
        post_one(session, call, job, item)
    })?;
    let Some(job) = job else {
        return Ok(answer);
    };
    session.add_to_job(&call.app, job, failed)?;
    let shown = session.job(&call.app, job)?;
    Ok(answer.and("inputs_add_job", shown.unwrap_or_default()))
}

/// `PATCH /inputs`. The media of an input cannot change.
pub(super) fn patch_inputs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let action = call.action()?;
    let items = call.items()?;
    let (answer, _) = each(session, call, items, |item| {
        patch_one(session, call, action, item)
    })?;
    Ok(answer)
}

/// The result of one item. The outer error comes from the database and ends the call.
type Outcome = Result<Result<StoredInput, ItemFailure>, rusqlite::Error>;

/// Runs `run` on all items in order. Returns the answer with all results, and how many failed.
fn each(
    session: &Session<'_>,
    call: &Call<'_>,
    items: Vec<Map<String, Value>>,
    run: impl Fn(Map<String, Value>) -> Outcome,
) -> Result<(Answer, usize), Refusal> {
    let mut shown = Vec::with_capacity(items.len());
    let mut failed = 0;
    for (place, item) in items.into_iter().enumerate() {
        let id = item.get("id").cloned().unwrap_or_default();
        let outcome = match call.faults.failure(place) {
            Some(failure) => Err(failure),
            None => run(item)?,
        };
        shown.push(match outcome {
            Ok(input) => show(session, call, input)?,
            Err(failure) => {
                failed += 1;
                let style = call.config.response_style;
                let status = status(failure.code, &failure.details, style);
                json!({"id": id.as_str().unwrap_or_default(), "status": status})
            }
        });
    }
    let content = Some(("inputs", Value::Array(shown)));
    let total = content
        .as_ref()
        .map_or(0, |(_, shown)| shown.as_array().map_or(0, Vec::len));
    Ok((Answer::of_batch(total, failed, content), failed))
}

fn post_one(
    session: &Session<'_>,
    call: &Call<'_>,
    job: Option<&str>,
    mut item: Map<String, Value>,
) -> Outcome {
    let id = take_text(&mut item, "id");
    if !id.is_empty() && session.has_input(&call.app, &id)? {
        return Ok(Err(ItemFailure {
            code: Code::INPUT_DUPLICATE,
            details: "Input has a duplicate ID.".into(),
        }));
    }
    if let Err(failure) = check_data(&item) {
        return Ok(Err(failure));
    }
    let datasets = item.shift_remove("dataset_ids").unwrap_or_default();
    let datasets: Vec<&str> = datasets.as_array().map_or_else(Vec::new, |ids| {
        ids.iter().filter_map(Value::as_str).collect()
    });
    for dataset in &datasets {
        if session.dataset(&call.app, dataset)?.is_none() {
            return Ok(Err(ItemFailure {
                code: Code::INPUT_INVALID_ARGUMENT,
                details: format!("no dataset `{dataset}`"),
            }));
        }
    }
    let mut data = match item.shift_remove("data") {
        Some(Value::Object(data)) => data,
        _ => Map::new(),
    };
    let mut status = Code::INPUT_DOWNLOAD_SUCCESS;
    let mut uploads = Vec::new();
    for kind in MEDIA {
        if let Some(medium) = data.get_mut(kind).and_then(Value::as_object_mut) {
            match media::take(session, call, kind, medium, &mut uploads)? {
                Ok(Code::INPUT_DOWNLOAD_SUCCESS) => {}
                Ok(other) => status = other,
                Err(failure) => return Ok(Err(failure)),
            }
        }
    }
    data::name_parts(&mut data, &mut || session.new_id())?;
    let id = if id.is_empty() { session.new_id()? } else { id };
    let mut input = session.insert_input(&call.app, &id, call.caller, data)?;
    input.status = status;
    input.polls = call.config.processing_polls;
    session.set_input_state(&call.app, &input, job.unwrap_or_default())?;
    media::store(session, call, &id, &uploads)?;
    for dataset in datasets {
        session.add_to_dataset(&call.app, dataset, &id)?;
    }
    Ok(Ok(input))
}

fn patch_one(
    session: &Session<'_>,
    call: &Call<'_>,
    action: Action,
    mut item: Map<String, Value>,
) -> Outcome {
    let id = take_text(&mut item, "id");
    let Some(mut input) = session.input(&call.app, &id)? else {
        return Ok(Err(ItemFailure {
            code: Code::INPUT_DOES_NOT_EXIST,
            details: format!("no input `{id}`"),
        }));
    };
    item.retain(|name, _| name == "data");
    if let Some(Value::Object(data)) = item.get_mut("data") {
        data.retain(|name, _| !MEDIA.contains(&name.as_str()));
    }
    let mut body = Map::new();
    body.insert("data".to_owned(), input.data.clone());
    patch::apply(action, &mut body, &item);
    if let Err(failure) = check_data(&body) {
        return Ok(Err(failure));
    }
    let mut data = match body.shift_remove("data") {
        Some(Value::Object(data)) => data,
        _ => Map::new(),
    };
    for kind in MEDIA {
        if let Some(medium) = input.data.get(kind) {
            data.insert(kind.to_owned(), medium.clone());
        }
    }
    data::name_parts(&mut data, &mut || session.new_id())?;
    input.data = Value::Object(data);
    input.modified_at.clone_from(&session.now);
    session.set_input_data(&call.app, &input)?;
    // A patch of the input also changes its input-level annotation.
    let own = session.annotations_of(&call.app, &id)?;
    if let Some(mut own) = own.into_iter().find(|annotation| annotation.input_level) {
        patch::apply(action, &mut own.body, &item);
        data::name_parts(own.data_mut(), &mut || session.new_id())?;
        session.update(&call.app, own)?;
    }
    Ok(Ok(input))
}

/// An input as answers have it. It shows as pending until it was read often enough.
pub(super) fn show(
    session: &Session<'_>,
    call: &Call<'_>,
    mut input: StoredInput,
) -> Result<Value, rusqlite::Error> {
    if input.polls > 0 {
        input.status = Code::INPUT_DOWNLOAD_PENDING;
    }
    media::show(&mut input.data, &call.sent.base_url);
    let datasets = session.datasets_of(&call.app, &input.id)?;
    Ok(reply::input(input, datasets, call.config.response_style))
}

/// `GET /inputs`
pub(super) fn list_inputs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let query = &call.sent.query;
    let page = Page::read(query, call.config).map_err(Refusal::invalid)?;
    let statuses = query.codes("status").map_err(Refusal::invalid)?;
    let ids = query.all("ids");
    let mut found = if ids.is_empty() {
        let order = call.config.response_style.listings;
        session.inputs(&call.app, &statuses, order, page)?
    } else {
        let mut found = Vec::with_capacity(ids.len());
        for id in &ids {
            found.extend(match session.input(&call.app, id)? {
                None if call.config.require_inputs => None,
                None => Some(StoredInput {
                    id: id.clone(),
                    created_at: String::new(),
                    modified_at: String::new(),
                    data: json!({}),
                    status: Code::INPUT_DOWNLOAD_SUCCESS,
                    polls: 0,
                }),
                stored => stored,
            });
        }
        if !statuses.is_empty() {
            found.retain(|input| input.polls == 0 && statuses.contains(&input.status));
        }
        let found = found.into_iter().skip(page.offset as usize);
        found.take(page.limit as usize).collect()
    };
    found.truncate(call.faults.page_limit.unwrap_or(usize::MAX));
    let mut shown = Vec::with_capacity(found.len());
    for input in found {
        session.count_read(&call.app, &input)?;
        shown.push(show(session, call, input)?);
    }
    Ok(Answer::success(Some(("inputs", Value::Array(shown)))))
}

/// `GET /inputs/stream`
pub(super) fn stream_inputs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let query = &call.sent.query;
    let page = Page::read(query, call.config).map_err(Refusal::invalid)?;
    let flag = |name: &str| query.flag(name).map_err(Refusal::invalid);
    let last = query.last("last_id").unwrap_or_default();
    let mut found = session.stream_inputs(
        &call.app,
        last,
        flag("order_by_id")?,
        flag("descending")?,
        page.limit.min(MAX_PAGE),
    )?;
    found.truncate(call.faults.page_limit.unwrap_or(usize::MAX));
    let shown = found.into_iter().map(|input| show(session, call, input));
    let shown: Result<Value, _> = shown.collect();
    Ok(Answer::success(Some(("inputs", shown?))))
}

/// `GET /inputs/status`
pub(super) fn get_input_count(
    session: &mut Session<'_>,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    let counts = session.count_inputs(&call.app)?;
    Ok(Answer::success(Some(("counts", counts))))
}

/// `GET /inputs/{input_id}`
pub(super) fn get_input(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = call.path("input_id");
    let found = session.input(&call.app, id)?;
    let found = found.ok_or_else(|| Refusal::missing(format!("no input `{id}`")))?;
    session.count_read(&call.app, &found)?;
    let shown = show(session, call, found)?;
    Ok(Answer::success(Some(("input", shown))))
}

/// `DELETE /inputs/{input_id}`
pub(super) fn delete_input(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = call.path("input_id");
    if !session.delete_input(&call.app, id)? {
        return Err(Refusal::missing(format!("no input `{id}`")));
    }
    Ok(Answer::success(None))
}

/// `DELETE /inputs`
pub(super) fn delete_inputs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let ids = call.texts("ids")?;
    check_count("ids", ids.len())?;
    let mut failures = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        if let Some(failure) = call.faults.failure(place) {
            failures.push(format!("{}: {}", failure.code, failure.details));
        } else if !session.delete_input(&call.app, id)? {
            failures.push(format!("{}: no input `{id}`", Code::INPUT_DOES_NOT_EXIST));
        }
    }
    let mut answer = Answer::of_batch(ids.len(), failures.len(), None);
    answer.details = failures.join("; ");
    Ok(answer)
}
