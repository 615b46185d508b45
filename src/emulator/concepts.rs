//! The app's concepts. A label that names a new one makes it, with its id as its name; nothing deletes one.

use super::call::{Call, take_text};
use super::data::{MissingValue, PARTS};
use super::listing::Page;
use super::reply::{self, Answer, Refusal};
use super::session::{Session, signed};
use super::store::{App, StoredConcept};
use crate::api::code::Code;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde_json::Value;

/// `GET /concepts`
pub(super) fn list_concepts(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let page = Page::read(&call.sent.query, call.config.page_cap).map_err(Refusal::invalid)?;
    let mut found = session.concepts(&call.app, page.offset, page.limit)?;
    found.truncate(call.effects.page_limit.unwrap_or(usize::MAX));
    let shown = found.iter().map(|it| reply::concept(it, call));
    Ok(Answer::success(Some(("concepts", shown.collect()))))
}

/// `GET /concepts/{concept_id}`
pub(super) fn get_concept(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = call.path("concept_id");
    let found = session.concept(&call.app, id)?;
    let found = found.ok_or_else(|| Refusal::missing(format!("no concept `{id}`")))?;
    Ok(Answer::success(Some((
        "concept",
        reply::concept(&found, call),
    ))))
}

/// `POST /concepts`
pub(super) fn post_concepts(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let mut shown = Vec::new();
    for mut concept in call.items("concepts", MissingValue::Nothing)? {
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
        insert(&session.transaction, call.app.key, &id, &name, &session.now)?;
        let created_at = session.now.clone();
        let stored = StoredConcept {
            id,
            name,
            created_at,
        };
        shown.push(reply::concept(&stored, call));
    }
    let content = ("concepts", Value::Array(shown));
    Ok(Answer::success(Some(content)))
}

impl Session<'_> {
    fn concepts(&self, app: &App, offset: u64, limit: u64) -> rusqlite::Result<Vec<StoredConcept>> {
        self.transaction
            .prepare_cached(
                "SELECT id, name, created_at FROM concepts WHERE app = ?1 ORDER BY seq LIMIT ?2 OFFSET ?3",
            )?
            .query_map(params![app.key, signed(limit), signed(offset)], read)?
            .collect()
    }

    fn concept(&self, app: &App, id: &str) -> rusqlite::Result<Option<StoredConcept>> {
        self.transaction
            .prepare_cached("SELECT id, name, created_at FROM concepts WHERE app = ?1 AND id = ?2")?
            .query_row(params![app.key, id], read)
            .optional()
    }

    /// Makes the concepts that an annotation names and that the app does not have.
    pub(super) fn note_concepts(
        &self,
        app: i64,
        body: &Value,
        created_at: &str,
    ) -> rusqlite::Result<()> {
        note(&self.transaction, app, &body["data"], created_at)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredConcept> {
    Ok(StoredConcept {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
    })
}

/// Makes the concepts of annotations that were stored before the app had a list of its concepts.
pub(super) fn collect(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare(
        "SELECT app, created_at, body FROM annotations WHERE NOT model_made ORDER BY seq",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let body: String = row.get(2)?;
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let created_at: String = row.get(1)?;
        note(transaction, row.get(0)?, &body["data"], &created_at)?;
    }
    Ok(())
}

fn note(
    transaction: &Transaction<'_>,
    app: i64,
    data: &Value,
    created_at: &str,
) -> rusqlite::Result<()> {
    let list = |name: &str| data[name].as_array().into_iter().flatten();
    for concept in list("concepts") {
        if let Some(id) = concept["id"].as_str().filter(|id| !id.is_empty()) {
            let name = concept["name"].as_str().filter(|name| !name.is_empty());
            insert(transaction, app, id, name.unwrap_or(id), created_at)?;
        }
    }
    for part in PARTS.iter().flat_map(|parts| list(parts)) {
        note(transaction, app, &part["data"], created_at)?;
    }
    Ok(())
}

fn insert(
    transaction: &Transaction<'_>,
    app: i64,
    id: &str,
    name: &str,
    created_at: &str,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO concepts (app, id, name, created_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![app, id, name, created_at])?;
    Ok(())
}
