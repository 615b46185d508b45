//! SQL on the table of inputs.

use super::config::ListingOrder;
use super::listing::Page;
use super::rows::{App, Stored, StoredInput};
use super::session::{Session, signed};
use crate::wire::Code;
use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

const COLUMNS: &str = "id, created_at, modified_at, data, status, polls";

/// An input shows as pending (30001) until it was read often enough.
const SHOWN_STATUS: &str = "iif(polls > 0, 30001, status)";

/// The kinds of media, as keys of `data`.
pub(super) const MEDIA: [&str; 4] = ["image", "video", "audio", "text"];

fn read(row: &Row<'_>) -> rusqlite::Result<StoredInput> {
    let data: String = row.get(3)?;
    Ok(StoredInput {
        id: row.get(0)?,
        created_at: row.get(1)?,
        modified_at: row.get(2)?,
        data: serde_json::from_str(&data).unwrap_or_default(),
        status: Code(row.get(4)?),
        polls: row.get(5)?,
    })
}

impl Session<'_> {
    pub(super) fn has_input(&self, app: &App, id: &str) -> rusqlite::Result<bool> {
        self.transaction
            .prepare_cached("SELECT 1 FROM inputs WHERE app = ?1 AND id = ?2")?
            .exists(params![app.key, id])
    }

    /// Whether an input is processed; `None` if there is no such input.
    pub(super) fn is_processed(&self, app: &App, id: &str) -> rusqlite::Result<Option<bool>> {
        self.transaction
            .prepare_cached(
                "SELECT polls = 0 AND status = 30000 FROM inputs WHERE app = ?1 AND id = ?2",
            )?
            .query_row(params![app.key, id], |row| row.get(0))
            .optional()
    }

    pub(super) fn input(&self, app: &App, id: &str) -> rusqlite::Result<Option<StoredInput>> {
        let sql = format!("SELECT {COLUMNS} FROM inputs WHERE app = ?1 AND id = ?2");
        self.transaction
            .prepare_cached(&sql)?
            .query_row(params![app.key, id], read)
            .optional()
    }

    pub(super) fn has_url(&self, app: &App, kind: &str, url: &str) -> rusqlite::Result<bool> {
        let sql = format!(
            "SELECT 1 FROM inputs WHERE app = ?1 AND json_extract(data, '$.{kind}.url') = ?2"
        );
        self.transaction
            .prepare_cached(&sql)?
            .exists(params![app.key, url])
    }

    /// Creates an input, which must not exist, with its input-level annotation. The annotation does not contain the
    /// medium.
    pub(super) fn insert_input(
        &self,
        app: &App,
        id: &str,
        user_id: &str,
        data: Map<String, Value>,
    ) -> rusqlite::Result<StoredInput> {
        let mut own = data.clone();
        own.retain(|name, _| !MEDIA.contains(&name.as_str()));
        let data = Value::Object(data);
        self.insert_bare_input(app, id, &data)?;
        let mut body = Map::new();
        body.insert("data".to_owned(), Value::Object(own));
        self.insert(
            app,
            Stored {
                input_id: id.to_owned(),
                id: self.new_id()?,
                user_id: user_id.to_owned(),
                status: Code::ANNOTATION_SUCCESS,
                input_level: true,
                body,
                ..Stored::default()
            },
        )?;
        Ok(StoredInput {
            id: id.to_owned(),
            created_at: self.now.clone(),
            modified_at: self.now.clone(),
            data,
            status: Code::INPUT_DOWNLOAD_SUCCESS,
            polls: 0,
        })
    }

    /// Creates an input without an input-level annotation, which the caller must insert.
    pub(super) fn insert_bare_input(
        &self,
        app: &App,
        id: &str,
        data: &Value,
    ) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "INSERT INTO inputs (app, id, created_at, modified_at, data) VALUES (?1, ?2, ?3, ?3, ?4)",
            )?
            .execute(params![app.key, id, self.now, data.to_string()])?;
        Ok(())
    }

    pub(super) fn set_input_state(
        &self,
        app: &App,
        input: &StoredInput,
        job: &str,
    ) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "UPDATE inputs SET status = ?3, polls = ?4, job = ?5 WHERE app = ?1 AND id = ?2",
            )?
            .execute(params![app.key, input.id, input.status.0, input.polls, job])?;
        Ok(())
    }

    pub(super) fn set_input_data(&self, app: &App, input: &StoredInput) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "UPDATE inputs SET data = ?3, modified_at = ?4 WHERE app = ?1 AND id = ?2",
            )?
            .execute(params![
                app.key,
                input.id,
                input.data.to_string(),
                input.modified_at
            ])?;
        Ok(())
    }

    /// Counts a read of an input that is not processed yet.
    pub(super) fn count_read(&self, app: &App, input: &StoredInput) -> rusqlite::Result<()> {
        if input.polls > 0 {
            self.transaction
                .prepare_cached("UPDATE inputs SET polls = polls - 1 WHERE app = ?1 AND id = ?2")?
                .execute(params![app.key, input.id])?;
        }
        Ok(())
    }

    /// Deletes an input with its annotations and files, and from datasets. Returns whether it existed.
    pub(super) fn delete_input(&self, app: &App, id: &str) -> rusqlite::Result<bool> {
        for table in ["annotations", "media", "dataset_inputs"] {
            self.transaction
                .prepare_cached(&format!(
                    "DELETE FROM {table} WHERE app = ?1 AND input_id = ?2"
                ))?
                .execute(params![app.key, id])?;
        }
        let gone = self
            .transaction
            .prepare_cached("DELETE FROM inputs WHERE app = ?1 AND id = ?2")?
            .execute(params![app.key, id])?;
        Ok(gone > 0)
    }

    /// A page of an app's inputs with one of these statuses, if there are any.
    pub(super) fn inputs(
        &self,
        app: &App,
        statuses: &[Code],
        order: ListingOrder,
        Page { offset, limit }: Page,
    ) -> rusqlite::Result<Vec<StoredInput>> {
        let direction = match order {
            ListingOrder::NewestFirst => "DESC",
            _ => "ASC",
        };
        let mut condition = String::new();
        if !statuses.is_empty() {
            let codes: Vec<String> = statuses.iter().map(|code| code.0.to_string()).collect();
            // Numbers need no placeholders.
            condition = format!(" AND {SHOWN_STATUS} IN ({})", codes.join(","));
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM inputs WHERE app = ?1{condition}
             ORDER BY seq {direction} LIMIT ?2 OFFSET ?3"
        );
        self.transaction
            .prepare_cached(&sql)?
            .query_map(params![app.key, signed(limit), signed(offset)], read)?
            .collect()
    }

    /// Up to `limit` of an app's inputs after the one with the id `last`, or from the beginning if that is empty.
    pub(super) fn stream_inputs(
        &self,
        app: &App,
        last: &str,
        by_id: bool,
        descending: bool,
        limit: u64,
    ) -> rusqlite::Result<Vec<StoredInput>> {
        let (column, of_last) = if by_id {
            ("id", "?2")
        } else {
            ("seq", "(SELECT seq FROM inputs WHERE app = ?1 AND id = ?2)")
        };
        let (sign, order) = if descending {
            ("<", "DESC")
        } else {
            (">", "ASC")
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM inputs WHERE app = ?1 AND (?2 = '' OR {column} {sign} {of_last})
             ORDER BY {column} {order} LIMIT ?3"
        );
        self.transaction
            .prepare_cached(&sql)?
            .query_map(params![app.key, last, signed(limit)], read)?
            .collect()
    }

    pub(super) fn count_inputs(&self, app: &App) -> rusqlite::Result<Value> {
        let count = |condition: &str| -> rusqlite::Result<u32> {
            let sql = format!("SELECT count(*) FROM inputs WHERE app = ?1 AND {condition}");
            self.transaction
                .prepare_cached(&sql)?
                .query_row([app.key], |row| row.get(0))
        };
        Ok(json!({
            "processed": count("polls = 0 AND status = 30000")?,
            "to_process": count("polls > 0")?,
            "errors": count("polls = 0 AND status = 30002")?,
            "processing": 0,
        }))
    }
}
