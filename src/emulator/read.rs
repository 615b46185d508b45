//! GET of annotations and users.

use super::call::Call;
use super::concurrent;
use super::config::Config;
use super::listing::{Filter, Page};
use super::reply::{Answer, Refusal};
use super::session::Session;
use super::shown::{Shown, annotation};
use serde_json::json;

/// `GET /annotations`
pub(super) fn list_annotations(
    session: &mut Session<'_>,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    let query = &call.sent.query;
    let page = Page::read(query, call.config).map_err(Refusal::invalid)?;
    let filter = Filter::read(query)
        .map_err(Refusal::invalid)?
        .without(call.faults.hidden.clone());
    let mut found = session.list_sorted(
        &call.app,
        &filter,
        page,
        call.config.response_style.listings,
    )?;
    found.truncate(call.faults.page_limit.unwrap_or(usize::MAX));
    concurrent::apply(session, &call.app, &call.faults.changes)?;
    let shown = found.into_iter().map(Shown::Stored).collect();
    Ok(Answer::success(None).with_annotations(shown))
}

/// `GET /inputs/{input_id}/annotations/{id}`
pub(super) fn get_annotation(
    session: &mut Session<'_>,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    let (input_id, id) = (call.path("input_id"), call.path("annotation_id"));
    let found = session.annotation(&call.app, input_id, id)?;
    let stored = found
        .ok_or_else(|| Refusal::missing(format!("input `{input_id}` has no annotation `{id}`")))?;
    concurrent::apply(session, &call.app, &call.faults.changes)?;
    let shown = annotation(stored, call.config.response_style);
    Ok(Answer::success(Some(("annotation", shown))))
}

/// `GET /users/{user_id}`
pub(super) fn get_user(config: &Config, caller: &str, user: &str) -> Result<Answer, Refusal> {
    let user = if user == "me" { caller } else { user };
    if !config.knows_user(user) {
        return Err(Refusal::missing(format!("no user `{user}`")));
    }
    Ok(Answer::success(Some(("user", json!({"id": user})))))
}
