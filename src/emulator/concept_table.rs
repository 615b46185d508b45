//! SQL on the table of concepts.

use super::data::PARTS;
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
        insert_named(transaction, row.get(0)?, &body["data"], &created_at)?;
    }
    Ok(())
}

/// Inserts the concepts in an annotation's `data`, unless they exist.
pub(super) fn insert_named(
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
        insert_named(transaction, app, &part["data"], created_at)?;
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
