//! SQL on the table of concepts.

use super::data::Lists;
use super::rows::{App, StoredConcept};
use super::session::{Session, signed};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde_json::Value;

impl Session<'_> {
    pub(super) fn concepts(
        &self,
        app: &App,
        offset: u64,
        limit: u64,
    ) -> rusqlite::Result<Vec<StoredConcept>> {
        self.transaction
            .prepare_cached(
                "SELECT id, name, created_at FROM concepts WHERE app = ?1 ORDER BY seq LIMIT ?2 OFFSET ?3",
            )?
            .query_map(params![app.key, signed(limit), signed(offset)], read)?
            .collect()
    }

    pub(super) fn concept(&self, app: &App, id: &str) -> rusqlite::Result<Option<StoredConcept>> {
        self.transaction
            .prepare_cached("SELECT id, name, created_at FROM concepts WHERE app = ?1 AND id = ?2")?
            .query_row(params![app.key, id], read)
            .optional()
    }

    pub(super) fn rename_concept(
        &self,
        app: &App,
        concept: &StoredConcept,
    ) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("UPDATE concepts SET name = ?3 WHERE app = ?1 AND id = ?2")?
            .execute(params![app.key, concept.id, concept.name])?;
        Ok(())
    }

    /// Inserts the concepts in an annotation's `data`, unless they exist.
    pub(super) fn insert_concepts(
        &self,
        app: &App,
        data: &Value,
        created_at: &str,
    ) -> rusqlite::Result<()> {
        let mut known = self.known_concepts.borrow_mut();
        let known = known.entry(app.key).or_default();
        each_concept(data, &mut |id, name| {
            if !known.contains(id) {
                insert(&self.transaction, app.key, id, name, created_at)?;
                known.insert(id.to_owned());
            }
            Ok(())
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredConcept> {
    Ok(StoredConcept {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
    })
}

/// Fills the table from the annotations of a database that had no such table.
pub(super) fn insert_all_named(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare(
        "SELECT app, created_at, body FROM annotations WHERE NOT model_made ORDER BY seq",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let body: String = row.get(2)?;
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let created_at: String = row.get(1)?;
        let app = row.get(0)?;
        each_concept(&body["data"], &mut |id, name| {
            insert(transaction, app, id, name, &created_at)
        })?;
    }
    Ok(())
}

/// Visits the ids and names of the concepts in an annotation's `data`.
fn each_concept(
    data: &Value,
    visit: &mut impl FnMut(&str, &str) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let Some(data) = data.as_object() else {
        return Ok(());
    };
    let Lists { concepts, parts } = Lists::of(data);
    for concept in concepts {
        if let Some(id) = concept["id"].as_str().filter(|id| !id.is_empty()) {
            let name = concept["name"].as_str().filter(|name| !name.is_empty());
            visit(id, name.unwrap_or(id))?;
        }
    }
    for part in parts.into_iter().flatten() {
        each_concept(&part["data"], visit)?;
    }
    Ok(())
}

/// Does nothing if the concept exists.
pub(super) fn insert(
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
