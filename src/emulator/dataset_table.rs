//! SQL on the tables of datasets and their inputs.

use super::listing::Page;
use super::rows::{App, StoredObject};
use super::session::{Session, signed};
use rusqlite::{OptionalExtension, params};
use serde_json::Value;

impl Session<'_> {
    pub(super) fn dataset(&self, app: &App, id: &str) -> rusqlite::Result<Option<StoredObject>> {
        self.transaction
            .prepare_cached("SELECT id, created_at, body FROM datasets WHERE app = ?1 AND id = ?2")?
            .query_row(params![app.key, id], StoredObject::read)
            .optional()
    }

    pub(super) fn datasets(&self, app: &App, page: Page) -> rusqlite::Result<Vec<StoredObject>> {
        self.transaction
            .prepare_cached(
                "SELECT id, created_at, body FROM datasets WHERE app = ?1 ORDER BY seq LIMIT ?2 OFFSET ?3",
            )?
            .query_map(
                params![app.key, signed(page.limit), signed(page.offset)],
                StoredObject::read,
            )?
            .collect()
    }

    pub(super) fn insert_dataset(&self, app: &App, new: &StoredObject) -> rusqlite::Result<()> {
        let body = Value::Object(new.body.clone()).to_string();
        self.transaction
            .prepare_cached(
                "INSERT INTO datasets (app, id, created_at, body) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![app.key, new.id, new.created_at, body])?;
        Ok(())
    }

    pub(super) fn update_dataset(&self, app: &App, changed: &StoredObject) -> rusqlite::Result<()> {
        let body = Value::Object(changed.body.clone()).to_string();
        self.transaction
            .prepare_cached("UPDATE datasets SET body = ?3 WHERE app = ?1 AND id = ?2")?
            .execute(params![app.key, changed.id, body])?;
        Ok(())
    }

    /// Returns whether the dataset existed.
    pub(super) fn delete_dataset(&self, app: &App, id: &str) -> rusqlite::Result<bool> {
        self.transaction
            .prepare_cached("DELETE FROM dataset_inputs WHERE app = ?1 AND dataset_id = ?2")?
            .execute(params![app.key, id])?;
        let gone = self
            .transaction
            .prepare_cached("DELETE FROM datasets WHERE app = ?1 AND id = ?2")?
            .execute(params![app.key, id])?;
        Ok(gone > 0)
    }

    /// The ids of a dataset's inputs, and when they were added.
    pub(super) fn dataset_inputs(
        &self,
        app: &App,
        dataset: &str,
        page: Page,
    ) -> rusqlite::Result<Vec<(String, String)>> {
        self.transaction
            .prepare_cached(
                "SELECT input_id, created_at FROM dataset_inputs WHERE app = ?1 AND dataset_id = ?2
                 ORDER BY seq LIMIT ?3 OFFSET ?4",
            )?
            .query_map(
                params![app.key, dataset, signed(page.limit), signed(page.offset)],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?
            .collect()
    }

    /// The ids of an input's datasets.
    pub(super) fn datasets_of(&self, app: &App, input_id: &str) -> rusqlite::Result<Vec<String>> {
        self.transaction
            .prepare_cached(
                "SELECT dataset_id FROM dataset_inputs WHERE app = ?1 AND input_id = ?2 ORDER BY seq",
            )?
            .query_map(params![app.key, input_id], |row| row.get(0))?
            .collect()
    }

    /// Does nothing if the input is in the dataset.
    pub(super) fn add_to_dataset(
        &self,
        app: &App,
        dataset: &str,
        input_id: &str,
    ) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO dataset_inputs (app, dataset_id, input_id, created_at)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![app.key, dataset, input_id, self.now])?;
        Ok(())
    }

    pub(super) fn remove_from_dataset(
        &self,
        app: &App,
        dataset: &str,
        input_id: &str,
    ) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "DELETE FROM dataset_inputs WHERE app = ?1 AND dataset_id = ?2 AND input_id = ?3",
            )?
            .execute(params![app.key, dataset, input_id])?;
        Ok(())
    }
}
