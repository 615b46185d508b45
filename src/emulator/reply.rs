//! Answers: status, stored rows as JSON, and errors with their HTTP status.

use super::config::ResponseStyle;
use super::echo;
use super::rows::{App, StoredConcept, StoredInput, StoredObject};
use super::shown::{self, Shown, status};
use crate::wire::Code;
use serde_json::{Map, Value, json};

/// The details of planned and random faults.
pub(super) const INJECTED: &str = "a fault injected by the emulator";

#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) http: u16,
    pub(super) code: Code,
    pub(super) details: String,
    /// The fields after `status`.
    content: Vec<(&'static str, Value)>,
    /// The field `annotations` after those, which is made outside the transaction.
    annotations: Option<Vec<Shown>>,
}

impl Answer {
    pub(super) fn success(content: Option<(&'static str, Value)>) -> Self {
        Self {
            http: 200,
            code: Code::SUCCESS,
            details: String::new(),
            content: content.into_iter().collect(),
            annotations: None,
        }
    }

    /// The answer to a call of `total` items of which `failed` failed. The documentation specifies the codes but not the HTTP
    /// status of a mixed result. It is 200 here, to reveal clients that check the HTTP status only.
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
            annotations: None,
        }
    }

    /// Adds a field after `status`.
    pub(super) fn and(mut self, name: &'static str, value: Value) -> Self {
        self.content.push((name, value));
        self
    }

    pub(super) fn with_annotations(mut self, annotations: Vec<Shown>) -> Self {
        self.annotations = Some(annotations);
        self
    }

    /// The body as text.
    ///
    /// # Errors
    ///
    /// If the body of a stored annotation is not JSON.
    pub(super) fn body(
        self,
        req_id: &str,
        response_style: ResponseStyle,
    ) -> rusqlite::Result<String> {
        let mut status = status(self.code, &self.details, response_style);
        status["req_id"] = Value::from(req_id);
        let mut body = b"{\"status\":".to_vec();
        shown::write(&mut body, &status);
        for (name, value) in self.content {
            body.push(b',');
            shown::write(&mut body, name);
            body.push(b':');
            shown::write(&mut body, &value);
        }
        if let Some(annotations) = self.annotations {
            body.extend_from_slice(b",\"annotations\":");
            shown::write_annotations(&mut body, annotations, response_style)?;
        }
        body.push(b'}');
        Ok(String::from_utf8(body).expect("only texts are written"))
    }
}

/// Why a whole call is rejected.
#[derive(Debug)]
pub(super) enum Refusal {
    Answer(Answer),
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl Refusal {
    pub(super) fn new(http: u16, code: Code, details: impl Into<String>) -> Self {
        Self::Answer(Answer {
            http,
            code,
            details: details.into(),
            content: Vec::new(),
            annotations: None,
        })
    }

    /// The request cannot be parsed.
    pub(super) fn format(details: impl Into<String>) -> Self {
        Self::new(400, Code::CONN_BAD_REQUEST_FORMAT, details)
    }

    /// The request is not allowed.
    pub(super) fn invalid(details: impl Into<String>) -> Self {
        Self::new(400, Code::CONN_INVALID_REQUEST, details)
    }

    /// The requested object does not exist.
    pub(super) fn missing(details: impl Into<String>) -> Self {
        Self::new(404, Code::CONN_DOES_NOT_EXIST, details)
    }

    pub(super) fn into_answer(self) -> Answer {
        match self {
            Self::Answer(answer) => answer,
            // Not an error that clients retry, because the file stays damaged or full.
            Self::Database(error) if !is_transient(&error) => Answer {
                http: 400,
                code: Code::FAILURE,
                details: format!("the database cannot be used: {error}"),
                content: Vec::new(),
                annotations: None,
            },
            // The documentation does not specify which of the codes 98xxx the service uses.
            Self::Database(error) => Answer {
                http: 500,
                code: Code(98_004),
                details: error.to_string(),
                content: Vec::new(),
                annotations: None,
            },
        }
    }
}

/// Whether another process locks the file, so that a retry can succeed.
fn is_transient(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked)
    )
}

/// Why one item of a call is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemFailure {
    pub(super) code: Code,
    pub(super) details: String,
}

impl ItemFailure {
    pub(super) fn invalid(details: impl Into<String>) -> Self {
        Self {
            code: Code::ANNOTATION_INVALID_ARGUMENT,
            details: details.into(),
        }
    }

    pub(super) fn forbidden(details: impl Into<String>) -> Self {
        Self {
            code: Code::ANNOTATION_PERMISSION_DENIED,
            details: details.into(),
        }
    }

    pub(super) fn missing(details: impl Into<String>) -> Self {
        Self {
            code: Code::CONN_DOES_NOT_EXIST,
            details: details.into(),
        }
    }

    /// A planned or random fault.
    pub(super) fn injected(code: Code) -> Self {
        Self {
            code,
            details: INJECTED.to_owned(),
        }
    }

    /// The JSON of the item in the answer.
    pub(super) fn item(&self, input_id: &str, id: &str, response_style: ResponseStyle) -> Value {
        json!({"id": id, "input_id": input_id, "status": status(self.code, &self.details, response_style)})
    }
}

/// A stored input as the API shows it.
pub(super) fn input(
    stored: StoredInput,
    dataset_ids: Vec<String>,
    response_style: ResponseStyle,
) -> Value {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), Value::from(stored.id));
    shown.insert("data".to_owned(), stored.data);
    // Inputs of an older database have no time of modification, and those that are only named have no time at all.
    let modified_at = Some(stored.modified_at).filter(|time| !time.is_empty());
    let modified_at = modified_at.unwrap_or_else(|| stored.created_at.clone());
    for (name, time) in [
        ("modified_at", modified_at),
        ("created_at", stored.created_at),
    ] {
        if !time.is_empty() {
            shown.insert(name.to_owned(), time.into());
        }
    }
    if !dataset_ids.is_empty() {
        shown.insert("dataset_ids".to_owned(), dataset_ids.into());
    }
    echo::write(&mut shown, response_style);
    let status = status(stored.status, "", response_style);
    shown.insert("status".to_owned(), status);
    Value::Object(shown)
}

/// A stored concept as the API shows it.
pub(super) fn concept(stored: &StoredConcept, app: &App) -> Value {
    json!({
        "id": stored.id, "name": stored.name, "created_at": stored.created_at,
        "app_id": app.id, "user_id": app.owner,
    })
}

/// A stored app or dataset as the API shows it. `owners` are the fields that name what it belongs to.
pub(super) fn object(stored: StoredObject, owners: &[(&str, &str)]) -> Value {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), Value::from(stored.id));
    let mut body = stored.body;
    shown.append(&mut body);
    for (name, id) in owners {
        shown.insert((*name).to_owned(), Value::from(*id));
    }
    if !stored.created_at.is_empty() {
        let created_at = Value::from(stored.created_at);
        shown.insert("created_at".to_owned(), created_at.clone());
        shown.entry("modified_at").or_insert(created_at);
    }
    Value::Object(shown)
}
