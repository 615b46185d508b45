//! Inputs: what is posted, how far its processing is, and what is listed of it.
//!
//! Nothing is fetched. A URL on a host under `.invalid`, which no network has, stands for one that cannot be.

use super::call::{Call, check_count, take_text};
use super::data::{self, MissingValue};
use super::listing::{MAX_PAGE, Page};
use super::reply::{self, Answer, ItemFailure, Refusal};
use super::session::{Session, signed};
use super::store::{App, Stored, StoredInput};
use super::write::check_data;
use crate::api::code::Code;
use base64::Engine as _;
use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

const COLUMNS: &str = "id, created_at, data, status, polls";

/// The kinds of an input.
const MEDIA: [&str; 4] = ["image", "video", "audio", "text"];

/// `POST /inputs`
pub(super) fn post_inputs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let items = call.items("inputs", MissingValue::One)?;
    let habits = call.config.habits;
    let mut shown = Vec::with_capacity(items.len());
    let mut failed = 0;
    for (place, mut item) in items.into_iter().enumerate() {
        let id = take_text(&mut item, "id");
        let posted = match call.effects.failure(place) {
            Some(failure) => Err(failure),
            None => post_one(session, call, &id, item)?,
        };
        shown.push(match posted {
            Ok(input) => reply::input(input, habits),
            Err(failure) => {
                failed += 1;
                let status = reply::status(failure.code, &failure.details, habits);
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
    let refused = |code, details: String| Ok(Err(ItemFailure { code, details }));
    if !id.is_empty() && session.has_input(&call.app, id)? {
        return refused(Code::INPUT_DUPLICATE, "Input has a duplicate ID.".into());
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
        let Some(medium) = data.get_mut(kind).and_then(Value::as_object_mut) else {
            continue;
        };
        if let Some(bytes) = medium.shift_remove("base64") {
            let text = bytes.as_str().unwrap_or_default();
            let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(text) else {
                let details = format!("the `base64` of the {kind} is not base64");
                return refused(Code::INPUT_INVALID_ARGUMENT, details);
            };
            if bytes.is_empty() {
                let details = format!("the {kind} has no bytes");
                return refused(Code::INPUT_UNSUPPORTED_FORMAT, details);
            }
            // The service keeps the file, and says where.
            medium.insert("url".to_owned(), Value::from(hosted(&bytes)));
        } else if let Some(url) = medium.get("url").and_then(Value::as_str) {
            let host = match url::Url::parse(url) {
                Ok(url) if matches!(url.scheme(), "http" | "https") => {
                    url.host_str().unwrap_or_default().to_owned()
                }
                _ => return refused(Code::INPUT_INVALID_URL, format!("`{url}` is not a URL")),
            };
            let allowed = medium.get("allow_duplicate_url") == Some(&Value::Bool(true));
            if !allowed && session.has_url(&call.app, kind, url)? {
                return refused(Code::INPUT_DUPLICATE, "Input has a duplicate URL.".into());
            }
            if host.ends_with(".invalid") {
                status = Code::INPUT_DOWNLOAD_FAILED;
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
    Ok(Ok(as_shown(input)))
}

fn hosted(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("https://hosted.invalid/{hex}")
}

/// An input that has to be read some more times is not processed yet.
fn as_shown(mut input: StoredInput) -> StoredInput {
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
    found.truncate(call.effects.page_limit.unwrap_or(usize::MAX));
    let habits = call.config.habits;
    let mut shown = Vec::with_capacity(found.len());
    for input in found {
        session.bring_forward(&call.app, &input)?;
        shown.push(reply::input(as_shown(input), habits));
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
    found.truncate(call.effects.page_limit.unwrap_or(usize::MAX));
    let habits = call.config.habits;
    let shown = found
        .into_iter()
        .map(|it| reply::input(as_shown(it), habits));
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
    session.bring_forward(&call.app, &found)?;
    let shown = reply::input(as_shown(found), call.config.habits);
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
        if let Some(failure) = call.effects.failure(place) {
            failures.push(format!("{}: {}", failure.code, failure.details));
        } else if !session.delete_input(&call.app, id)? {
            failures.push(format!("{}: no input `{id}`", Code::INPUT_DOES_NOT_EXIST));
        }
    }
    let mut answer = Answer::of_batch(ids.len(), failures.len(), None);
    answer.details = failures.join("; ");
    Ok(answer)
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredInput> {
    let data: String = row.get(2)?;
    Ok(StoredInput {
        id: row.get(0)?,
        created_at: row.get(1)?,
        data: serde_json::from_str(&data).unwrap_or_default(),
        status: Code(row.get(3)?),
        polls: row.get(4)?,
    })
}

impl Session<'_> {
    /// Whether the input exists.
    pub(super) fn has_input(&self, app: &App, id: &str) -> rusqlite::Result<bool> {
        self.transaction
            .prepare_cached("SELECT 1 FROM inputs WHERE app = ?1 AND id = ?2")?
            .exists(params![app.key, id])
    }

    /// One input, with what is stored of its state.
    pub(super) fn input(&self, app: &App, id: &str) -> rusqlite::Result<Option<StoredInput>> {
        let sql = format!("SELECT {COLUMNS} FROM inputs WHERE app = ?1 AND id = ?2");
        self.transaction
            .prepare_cached(&sql)?
            .query_row(params![app.key, id], read)
            .optional()
    }

    fn has_url(&self, app: &App, kind: &str, url: &str) -> rusqlite::Result<bool> {
        let sql = format!(
            "SELECT 1 FROM inputs WHERE app = ?1 AND json_extract(data, '$.{kind}.url') = ?2"
        );
        self.transaction
            .prepare_cached(&sql)?
            .exists(params![app.key, url])
    }

    /// Makes an input, which must not exist, with the annotation that every input has. What the input is itself is no
    /// part of that.
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
            &mut Stored {
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
            data,
            status: Code::INPUT_DOWNLOAD_SUCCESS,
            polls: 0,
        })
    }

    /// Makes an input without the annotation that every input has: the caller stores one.
    pub(super) fn insert_bare_input(
        &self,
        app: &App,
        id: &str,
        data: &Value,
    ) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "INSERT INTO inputs (app, id, created_at, data) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![app.key, id, self.now, data.to_string()])?;
        Ok(())
    }

    fn set_input_state(&self, app: &App, input: &StoredInput) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("UPDATE inputs SET status = ?3, polls = ?4 WHERE app = ?1 AND id = ?2")?
            .execute(params![app.key, input.id, input.status.0, input.polls])?;
        Ok(())
    }

    /// An input that waits was read once more.
    fn bring_forward(&self, app: &App, input: &StoredInput) -> rusqlite::Result<()> {
        if input.polls > 0 {
            self.transaction
                .prepare_cached("UPDATE inputs SET polls = polls - 1 WHERE app = ?1 AND id = ?2")?
                .execute(params![app.key, input.id])?;
        }
        Ok(())
    }

    /// Deletes an input with everything on it. Whether it was there.
    fn delete_input(&self, app: &App, id: &str) -> rusqlite::Result<bool> {
        self.transaction
            .prepare_cached("DELETE FROM annotations WHERE app = ?1 AND input_id = ?2")?
            .execute(params![app.key, id])?;
        let gone = self
            .transaction
            .prepare_cached("DELETE FROM inputs WHERE app = ?1 AND id = ?2")?
            .execute(params![app.key, id])?;
        Ok(gone > 0)
    }

    /// `limit` of an app's inputs, oldest first, after the first `offset`.
    fn inputs(&self, app: &App, offset: u64, limit: u64) -> rusqlite::Result<Vec<StoredInput>> {
        let sql =
            format!("SELECT {COLUMNS} FROM inputs WHERE app = ?1 ORDER BY seq LIMIT ?2 OFFSET ?3");
        self.transaction
            .prepare_cached(&sql)?
            .query_map(params![app.key, signed(limit), signed(offset)], read)?
            .collect()
    }

    /// `limit` of an app's inputs behind the one with the id `last`; from the beginning where that is empty.
    fn stream_inputs(
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

    fn count_inputs(&self, app: &App) -> rusqlite::Result<Value> {
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
