//! The rows of the database: apps, annotations, inputs and concepts as they are stored.

use super::patch::{self, Action};
use crate::wire::Code;
use rusqlite::Row;
use serde_json::{Map, Value};

#[derive(Debug, Clone)]
pub(super) struct App {
    pub(super) key: i64,
    pub(super) owner: String,
    pub(super) id: String,
}

/// An annotation as it is stored, with its body as JSON or as the text of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored<Body = Map<String, Value>> {
    pub(super) seq: i64,
    pub(super) input_id: String,
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) status: Code,
    pub(super) input_level: bool,
    pub(super) model_made: bool,
    pub(super) created_at: String,
    pub(super) modified_at: String,
    /// All other fields, such as `data` and `annotation_info`, including unknown ones.
    pub(super) body: Body,
}

impl Stored<String> {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            input_id: row.get(1)?,
            id: row.get(2)?,
            user_id: row.get(3)?,
            status: Code(row.get(4)?),
            input_level: row.get(5)?,
            model_made: row.get(6)?,
            created_at: row.get(7)?,
            modified_at: row.get(8)?,
            body: row.get(9)?,
        })
    }

    pub(super) fn parse(self) -> rusqlite::Result<Stored> {
        let body = serde_json::from_str(&self.body).map_err(|error| {
            let kind = rusqlite::types::Type::Text;
            rusqlite::Error::FromSqlConversionFailure(9, kind, Box::new(error))
        })?;
        Ok(self.with_body(body))
    }
}

impl<Body> Stored<Body> {
    pub(super) fn with_body<Other>(self, body: Other) -> Stored<Other> {
        Stored {
            seq: self.seq,
            input_id: self.input_id,
            id: self.id,
            user_id: self.user_id,
            status: self.status,
            input_level: self.input_level,
            model_made: self.model_made,
            created_at: self.created_at,
            modified_at: self.modified_at,
            body,
        }
    }
}

impl Stored {
    pub(super) fn into_text(self) -> Stored<String> {
        let text = text_of(&self.body);
        self.with_body(text)
    }

    /// `data`, made if there is none.
    pub(super) fn data_mut(&mut self) -> &mut Map<String, Value> {
        let data = self.body.entry("data").or_insert(Value::Null);
        if !data.is_object() {
            *data = Value::Object(Map::new());
        }
        data.as_object_mut().expect("set to an object above")
    }
}

/// An input as it is stored.
#[derive(Debug, Clone)]
pub(super) struct StoredInput {
    pub(super) id: String,
    pub(super) created_at: String,
    pub(super) modified_at: String,
    pub(super) data: Value,
    /// The processing status, 30000 and following.
    pub(super) status: Code,
    /// How many more reads show it as pending.
    pub(super) polls: u32,
}

/// An app or a dataset as it is stored.
#[derive(Debug, Clone)]
pub(super) struct StoredObject {
    pub(super) id: String,
    pub(super) created_at: String,
    /// All other fields that the client sent, and the time of the last patch.
    pub(super) body: Map<String, Value>,
}

impl StoredObject {
    /// Only the server sets the fields that name the object's place and times.
    pub(super) fn patch(&mut self, action: Action, mut patch: Map<String, Value>, now: &str) {
        for name in ["id", "user_id", "app_id", "created_at"] {
            patch.shift_remove(name);
        }
        patch::apply_to_fields(action, &mut self.body, &patch);
        self.body.insert("modified_at".to_owned(), Value::from(now));
    }

    /// Reads the columns of id, time and body.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let body: String = row.get(2)?;
        Ok(Self {
            id: row.get(0)?,
            created_at: row.get(1)?,
            body: serde_json::from_str(&body).unwrap_or_default(),
        })
    }
}

/// A concept as it is stored.
#[derive(Debug, Clone)]
pub(super) struct StoredConcept {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created_at: String,
}

/// The JSON of a body, as it is stored.
pub(super) fn text_of(body: &Map<String, Value>) -> String {
    serde_json::to_string(body).expect("a JSON object is written without errors")
}
