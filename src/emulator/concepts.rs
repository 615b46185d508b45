//! Operations on concepts. An annotation with an unknown concept creates it, with its id as its name. Concepts are never
//! deleted.

use super::call::{Call, take_text};
use super::concept_table;
use super::listing::Page;
use super::reply::{self, Answer, Refusal};
use super::rows::StoredConcept;
use super::session::Session;
use crate::wire::Code;
use serde_json::Value;

/// `GET /concepts`
pub(super) fn list_concepts(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let page = Page::read(&call.sent.query, call.config).map_err(Refusal::invalid)?;
    let mut found = session.concepts(&call.app, page.offset, page.limit)?;
    found.truncate(call.faults.page_limit.unwrap_or(usize::MAX));
    let shown = found.iter().map(|it| show(it, call));
    Ok(Answer::success(Some(("concepts", shown.collect()))))
}

/// `GET /concepts/{concept_id}`
pub(super) fn get_concept(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = call.path("concept_id");
    let found = session.concept(&call.app, id)?;
    let found = found.ok_or_else(|| Refusal::missing(format!("no concept `{id}`")))?;
    Ok(Answer::success(Some(("concept", show(&found, call)))))
}

/// `POST /concepts`
pub(super) fn post_concepts(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let mut shown = Vec::new();
    for mut concept in call.items()? {
        let (id, name) = (
            take_text(&mut concept, "id"),
            take_text(&mut concept, "name"),
        );
        if id.is_empty() {
            return Err(Refusal::invalid("a concept has no id"));
        }
        if session.concept(&call.app, &id)?.is_some() {
            let details = format!("concept `{id}` is a duplicate");
            return Err(Refusal::new(400, Code::CONCEPTS_INVALID_REQUEST, details));
        }
        let name = if name.is_empty() { id.clone() } else { name };
        concept_table::insert(&session.transaction, call.app.key, &id, &name, &session.now)?;
        let created_at = session.now.clone();
        let stored = StoredConcept {
            id,
            name,
            created_at,
        };
        shown.push(show(&stored, call));
    }
    let content = ("concepts", Value::Array(shown));
    Ok(Answer::success(Some(content)))
}

/// `PATCH /concepts`. Only the name can change; all actions replace it.
pub(super) fn patch_concepts(
    session: &mut Session<'_>,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    call.action()?;
    let mut shown = Vec::new();
    for mut concept in call.items()? {
        let id = take_text(&mut concept, "id");
        let Some(mut stored) = session.concept(&call.app, &id)? else {
            return Err(Refusal::missing(format!("no concept `{id}`")));
        };
        let name = take_text(&mut concept, "name");
        if !name.is_empty() {
            stored.name = name;
            session.rename_concept(&call.app, &stored)?;
        }
        shown.push(show(&stored, call));
    }
    Ok(Answer::success(Some(("concepts", Value::Array(shown)))))
}

fn show(concept: &StoredConcept, call: &Call<'_>) -> Value {
    reply::concept(concept, &call.app)
}
