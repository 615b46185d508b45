//! Operations on inputs.
//!
//! URLs are not fetched. A URL with a host under the reserved top-level domain `.invalid` counts as unreachable.

use super::call::{Call, check_count, take_text};
use super::data::{self, MissingValue};
use super::hash::hex;
use super::input_table::MEDIA;
use super::listing::{MAX_PAGE, Page};
use super::reply::{self, Answer, ItemFailure, Refusal};
use super::rows::StoredInput;
use super::session::Session;
use super::write::check_data;
use crate::wire::Code;
use base64::Engine as _;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// `POST /inputs`
pub(super) fn post_inputs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let items = call.items("inputs", MissingValue::One)?;
    let response_style = call.config.response_style;
    let mut shown = Vec::with_capacity(items.len());
    let mut failed = 0;
    for (place, mut item) in items.into_iter().enumerate() {
        let id = take_text(&mut item, "id");
        let posted = match call.faults.failure(place) {
            Some(failure) => Err(failure),
            None => post_one(session, call, &id, item)?,
        };
        shown.push(match posted {
            Ok(input) => reply::input(input, response_style),
            Err(failure) => {
                failed += 1;
                let status = reply::status(failure.code, &failure.details, response_style);
                json!({"id": id, "status": status})
            }
        });
    }
    let total = shown.len();
    let content = Some(("inputs", Value::Array(shown)));
    Ok(Answer::of_batch(total, failed, content))
}

fn post_one(
    session: &Session<'_>,
    call: &Call<'_>,
    id: &str,
    mut item: Map<String, Value>,
) -> Result<Result<StoredInput, ItemFailure>, rusqlite::Error> {
    if !id.is_empty() && session.has_input(&call.app, id)? {
        return Ok(Err(ItemFailure {
            code: Code::INPUT_DUPLICATE,
            details: "Input has a duplicate ID.".into(),
        }));
    }
    if let Err(failure) = check_data(&item) {
        return Ok(Err(failure));
    }
    let mut data = match item.shift_remove("data") {
        Some(Value::Object(data)) => data,
        _ => Map::new(),
    };
    let mut status = Code::INPUT_DOWNLOAD_SUCCESS;
    for kind in MEDIA {
        if let Some(medium) = data.get_mut(kind).and_then(Value::as_object_mut) {
            match take_medium(session, call, kind, medium)? {
                Ok(Code::INPUT_DOWNLOAD_SUCCESS) => {}
                Ok(other) => status = other,
                Err(failure) => return Ok(Err(failure)),
            }
        }
    }
    data::name_parts(&mut data, &mut || session.new_id())?;
    let new_id;
    let id = if id.is_empty() {
        new_id = session.new_id()?;
        &new_id
    } else {
        id
    };
    let mut input = session.insert_input(&call.app, id, call.caller, data)?;
    input.status = status;
    input.polls = call.config.processing_polls;
    session.set_input_state(&call.app, &input)?;
    Ok(Ok(with_shown_status(input)))
}

/// Checks a medium and replaces its bytes by a URL, as the service does. Returns the status of the download.
fn take_medium(
    session: &Session<'_>,
    call: &Call<'_>,
    kind: &str,
    medium: &mut Map<String, Value>,
) -> Result<Result<Code, ItemFailure>, rusqlite::Error> {
    let failure = |code, details: String| Ok(Err(ItemFailure { code, details }));
    if let Some(bytes) = medium.shift_remove("base64") {
        let text = bytes.as_str().unwrap_or_default();
        let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(text) else {
            let details = format!("`base64` of the {kind} is not valid");
            return failure(Code::INPUT_INVALID_ARGUMENT, details);
        };
        if bytes.is_empty() {
            let details = format!("the {kind} is empty");
            return failure(Code::INPUT_UNSUPPORTED_FORMAT, details);
        }
        let url = format!("https://hosted.invalid/{}", hex(&Sha256::digest(&bytes)));
        medium.insert("url".to_owned(), Value::from(url));
        return Ok(Ok(Code::INPUT_DOWNLOAD_SUCCESS));
    }
    let Some(url) = medium.get("url").and_then(Value::as_str) else {
        return Ok(Ok(Code::INPUT_DOWNLOAD_SUCCESS));
    };
    let host = match url::Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            url.host_str().unwrap_or_default().to_owned()
        }
        _ => {
            return failure(
                Code::INPUT_INVALID_URL,
                format!("`{url}` is not a valid URL"),
            );
        }
    };
    let allowed = medium.get("allow_duplicate_url") == Some(&Value::Bool(true));
    if !allowed && session.has_url(&call.app, kind, url)? {
        return failure(Code::INPUT_DUPLICATE, "Input has a duplicate URL.".into());
    }
    Ok(Ok(if host.ends_with(".invalid") {
        Code::INPUT_DOWNLOAD_FAILED
    } else {
        Code::INPUT_DOWNLOAD_SUCCESS
    }))
}

/// An input shows as pending until it was read often enough.
fn with_shown_status(mut input: StoredInput) -> StoredInput {
    if input.polls > 0 {
        input.status = Code::INPUT_DOWNLOAD_PENDING;
    }
    input
}

/// `GET /inputs`
pub(super) fn list_inputs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let query = &call.sent.query;
    let page = Page::read(query, call.config.page_cap).map_err(Refusal::invalid)?;
    let ids = query.all("ids");
    let mut found = if ids.is_empty() {
        session.inputs(&call.app, page.offset, page.limit)?
    } else {
        let mut found = Vec::with_capacity(ids.len());
        for id in &ids {
            found.extend(match session.input(&call.app, id)? {
                None if call.config.require_inputs => None,
                None => Some(StoredInput {
                    id: id.clone(),
                    created_at: String::new(),
                    data: json!({}),
                    status: Code::INPUT_DOWNLOAD_SUCCESS,
                    polls: 0,
                }),
                stored => stored,
            });
        }
        let found = found.into_iter().skip(page.offset as usize);
        found.take(page.limit as usize).collect()
    };
    found.truncate(call.faults.page_limit.unwrap_or(usize::MAX));
    let response_style = call.config.response_style;
    let mut shown = Vec::with_capacity(found.len());
    for input in found {
        session.count_read(&call.app, &input)?;
        shown.push(reply::input(with_shown_status(input), response_style));
    }
    Ok(Answer::success(Some(("inputs", Value::Array(shown)))))
}

/// `GET /inputs/stream`
pub(super) fn stream_inputs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let query = &call.sent.query;
    let page = Page::read(query, call.config.page_cap).map_err(Refusal::invalid)?;
    let flag = |name: &str| matches!(query.last(name), Some("true" | "True" | "1"));
    let last = query.last("last_id").unwrap_or_default();
    let mut found = session.stream_inputs(
        &call.app,
        last,
        flag("order_by_id"),
        flag("descending"),
        page.limit.min(MAX_PAGE),
    )?;
    found.truncate(call.faults.page_limit.unwrap_or(usize::MAX));
    let response_style = call.config.response_style;
    let shown = found
        .into_iter()
        .map(|it| reply::input(with_shown_status(it), response_style));
    Ok(Answer::success(Some(("inputs", shown.collect()))))
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
    let shown = reply::input(with_shown_status(found), call.config.response_style);
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
