//! Answers: status bodies, stored annotations as JSON, and refusals with their HTTP status.

use super::call::Call;
use super::config::{Authors, Codes, Habits};
use super::echo;
use super::store::{Stored, StoredConcept, StoredInput};
use crate::api::code::Code;
use serde_json::{Map, Value, json};

/// The answer to a call.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) http: u16,
    pub(super) code: Code,
    pub(super) details: String,
    /// What stands beside `status`.
    pub(super) content: Vec<(&'static str, Value)>,
}

impl Answer {
    /// Everything went well.
    pub(super) fn success(content: Option<(&'static str, Value)>) -> Self {
        Self {
            http: 200,
            code: Code::SUCCESS,
            details: String::new(),
            content: content.into_iter().collect(),
        }
    }

    /// The answer to a call of `total` items of which `failed` did. The documents give the codes and no HTTP status
    /// for a mixed outcome: 200, so that a client that looks at the HTTP status alone is found out.
    pub(super) fn of_batch(
        total: usize,
        failed: usize,
        content: Option<(&'static str, Value)>,
    ) -> Self {
        let (http, code) = match failed {
            0 => (200, Code::SUCCESS),
            _ if failed < total => (200, Code::MIXED_STATUS),
            _ => (400, Code::FAILURE),
        };
        Self {
            http,
            code,
            details: String::new(),
            content: content.into_iter().collect(),
        }
    }

    /// With something more beside `status`.
    pub(super) fn and(mut self, name: &'static str, value: Value) -> Self {
        self.content.push((name, value));
        self
    }

    /// The body.
    pub(super) fn body(self, req_id: &str, habits: Habits) -> Value {
        let mut status = status(self.code, &self.details, habits);
        status["req_id"] = Value::from(req_id);
        let mut body = Map::new();
        body.insert("status".to_owned(), status);
        for (name, value) in self.content {
            body.insert(name.to_owned(), value);
        }
        Value::Object(body)
    }
}

/// Why a call as a whole is not carried out.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The caller's fault, or a limit.
    Answer(Answer),
    /// The database failed.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl Refusal {
    /// A refusal with this HTTP status.
    pub(super) fn new(http: u16, code: Code, details: impl Into<String>) -> Self {
        Self::Answer(Answer {
            http,
            code,
            details: details.into(),
            content: Vec::new(),
        })
    }

    /// What was sent cannot be read.
    pub(super) fn format(details: impl Into<String>) -> Self {
        Self::new(400, Code::CONN_BAD_REQUEST_FORMAT, details)
    }

    /// What was sent can be read, and is not allowed.
    pub(super) fn invalid(details: impl Into<String>) -> Self {
        Self::new(400, Code::CONN_INVALID_REQUEST, details)
    }

    /// What was asked for is not there.
    pub(super) fn missing(details: impl Into<String>) -> Self {
        Self::new(404, Code::CONN_DOES_NOT_EXIST, details)
    }

    /// As an answer.
    pub(super) fn into_answer(self) -> Answer {
        match self {
            Self::Answer(answer) => answer,
            // A file that is damaged or full is so at the next attempt too: nothing that a client tries again.
            Self::Database(error) if !is_passing(&error) => Answer {
                http: 400,
                code: Code::FAILURE,
                details: format!("the database cannot be used: {error}"),
                content: Vec::new(),
            },
            // Internal issues of the service are 98xxx; which of them, the documents do not say.
            Self::Database(error) => Answer {
                http: 500,
                code: Code(98_004),
                details: error.to_string(),
                content: Vec::new(),
            },
        }
    }
}

/// Whether a failure may be gone at the next attempt: another process has the file.
fn is_passing(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked)
    )
}

/// Why one item of a call is not carried out, while others may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemFailure {
    pub(super) code: Code,
    pub(super) details: String,
}

impl ItemFailure {
    /// What is sent is not allowed.
    pub(super) fn invalid(details: impl Into<String>) -> Self {
        Self {
            code: Code::ANNOTATION_INVALID_ARGUMENT,
            details: details.into(),
        }
    }

    /// The caller may not.
    pub(super) fn forbidden(details: impl Into<String>) -> Self {
        Self {
            code: Code::ANNOTATION_PERMISSION_DENIED,
            details: details.into(),
        }
    }

    /// There is no such thing.
    pub(super) fn missing(details: impl Into<String>) -> Self {
        Self {
            code: Code::CONN_DOES_NOT_EXIST,
            details: details.into(),
        }
    }

    /// A fault that was asked for.
    pub(super) fn injected(code: Code) -> Self {
        Self {
            code,
            details: "a fault that the emulator was asked for".to_owned(),
        }
    }

    /// The item as it appears in the answer.
    pub(super) fn item(&self, input_id: &str, id: &str, habits: Habits) -> Value {
        json!({"id": id, "input_id": input_id, "status": status(self.code, &self.details, habits)})
    }
}

/// A status body.
pub(super) fn status(code: Code, details: &str, habits: Habits) -> Value {
    let shown = match (habits.codes, code.name()) {
        (Codes::Names, Some(name)) => Value::from(name),
        _ => Value::from(code.0),
    };
    let description = match code {
        Code::SUCCESS => "Ok".to_owned(),
        // The details of a failure are its description too: a duplicate is known by this word.
        _ if !details.is_empty() => details.to_owned(),
        _ => code
            .name()
            .unwrap_or("status")
            .replace('_', " ")
            .to_lowercase(),
    };
    let mut body = json!({"code": shown, "description": description});
    if !details.is_empty() {
        body["details"] = Value::from(details);
    }
    body
}

/// A stored annotation as the API shows it.
pub(super) fn annotation(stored: Stored, habits: Habits) -> Value {
    let mut body = stored.body;
    let mut shown = Map::new();
    shown.insert("id".to_owned(), Value::from(stored.id));
    shown.insert("input_id".to_owned(), Value::from(stored.input_id));
    let data = body.shift_remove("data");
    shown.insert("data".to_owned(), data.unwrap_or_else(|| json!({})));
    shown.append(&mut body);
    show_author(&mut shown, &stored.user_id, habits.authors);
    if stored.input_level {
        shown.insert("input_level".to_owned(), Value::from(true));
    }
    shown.insert("created_at".to_owned(), Value::from(stored.created_at));
    shown.insert("modified_at".to_owned(), Value::from(stored.modified_at));
    echo::write(&mut shown, habits);
    // Last: a status is no data, and is written in full in every habit.
    shown.insert("status".to_owned(), status(stored.status, "", habits));
    Value::Object(shown)
}

/// Models are named in the same two places as users: a deprecated field of their own, and `worker`. A workflow stands
/// in `worker` alone.
fn show_author(shown: &mut Map<String, Value>, user_id: &str, authors: Authors) {
    let worker = shown.shift_remove("worker");
    let model = shown.shift_remove("model_version_id").or_else(|| {
        let nested = worker.as_ref()?.pointer("/model/model_version/id");
        nested.cloned()
    });
    let workflow = shown.shift_remove("workflow_version_id");
    let worker = worker.or_else(|| match (&model, workflow) {
        (Some(version), _) => Some(json!({"model": {"model_version": {"id": version}}})),
        (None, Some(version)) => Some(json!({"workflow": {"version": {"id": version}}})),
        (None, None) if user_id.is_empty() => None,
        (None, None) => Some(json!({"user": {"id": user_id}})),
    });
    let is_workflow = worker.as_ref().is_some_and(|w| w.get("workflow").is_some());
    if authors != Authors::Worker {
        if !user_id.is_empty() {
            shown.insert("user_id".to_owned(), Value::from(user_id));
        }
        shown.extend(model.map(|model| ("model_version_id".to_owned(), model)));
    }
    if authors != Authors::Plain || is_workflow {
        shown.extend(worker.map(|worker| ("worker".to_owned(), worker)));
    }
}

/// A stored input as the API shows it.
pub(super) fn input(stored: StoredInput, habits: Habits) -> Value {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), Value::from(stored.id));
    shown.insert("data".to_owned(), stored.data);
    shown.insert("modified_at".to_owned(), stored.created_at.clone().into());
    shown.insert("created_at".to_owned(), stored.created_at.into());
    echo::write(&mut shown, habits);
    let status = status(stored.status, "", habits);
    shown.insert("status".to_owned(), status);
    Value::Object(shown)
}

/// A stored concept as the API shows it.
pub(super) fn concept(stored: &StoredConcept, call: &Call<'_>) -> Value {
    json!({
        "id": stored.id, "name": stored.name, "created_at": stored.created_at,
        "app_id": call.config.app_id, "user_id": call.app.owner,
    })
}
