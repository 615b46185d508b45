//! GitLab's API, as far as the pipeline calls it.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The user that the project's token belongs to.
pub(super) const BOT: u64 = 7;

/// GitLab's data.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// `{id, merge_request, author: {id}, body}`
    pub(super) notes: Vec<Json>,
    /// In the API's form, with `commits`.
    pub(super) merge_requests: Vec<Json>,
    /// `{id, merge_request, ref}`
    pub(super) pipelines: Vec<Json>,
    /// `{id, pipeline, name}`
    pub(super) jobs: Vec<Json>,
    /// The folder of artifacts, with a folder for each job.
    pub(super) artifacts: PathBuf,
}

/// Answers as GitLab does; a call that the pipeline does not make is a 404.
pub(super) async fn answer(
    State(known): State<Arc<Mutex<Known>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if headers
        .get("private-token")
        .is_none_or(|token| token != "project-token")
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let path = uri.path().strip_prefix("/api/v4/").unwrap_or_default();
    let words: Vec<&str> = path.split('/').collect();
    let ok = |json: Json| axum::Json(json).into_response();
    let of = |all: &[Json], key: &str, value: &str| -> Vec<Json> {
        let fits = |one: &&Json| is(&one[key], value);
        all.iter().filter(fits).cloned().collect()
    };
    match (method.as_str(), &words[..]) {
        ("GET", ["user"]) => ok(json!({"id": BOT})),
        ("GET", ["projects", "1", "merge_requests", number, "notes"]) => {
            // One item per page, whatever size is requested.
            let query = uri.query().unwrap();
            let page: usize = query
                .strip_prefix("per_page=100&page=")
                .unwrap()
                .parse()
                .unwrap();
            let notes = of(&known.notes, "merge_request", number);
            ok(notes.into_iter().skip(page - 1).take(1).collect())
        }
        ("GET", ["projects", "1", "merge_requests", number]) => {
            match &of(&known.merge_requests, "iid", number)[..] {
                [one] => ok(one.clone()),
                _ => StatusCode::NOT_FOUND.into_response(),
            }
        }
        ("POST", ["projects", "1", "merge_requests", number, "notes"]) => {
            let Some(text) = text_of(&headers, &body) else {
                return StatusCode::BAD_REQUEST.into_response();
            };
            let id = 100 + known.notes.len();
            let number: usize = number.parse().unwrap();
            known.notes.push(
                json!({"id": id, "merge_request": number, "author": {"id": BOT}, "body": text}),
            );
            (StatusCode::CREATED, axum::Json(json!({"id": id}))).into_response()
        }
        ("PUT", ["projects", "1", "merge_requests", number, "notes", id]) => {
            let Some(text) = text_of(&headers, &body) else {
                return StatusCode::BAD_REQUEST.into_response();
            };
            let fits = |note: &&mut Json| is(&note["id"], id) && is(&note["merge_request"], number);
            match known.notes.iter_mut().find(fits) {
                Some(note) if note["author"]["id"] == BOT => {
                    note["body"] = text.into();
                    ok(json!({"id": note["id"]}))
                }
                Some(_) => StatusCode::FORBIDDEN.into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        }
        (
            "GET",
            [
                "projects",
                "1",
                "repository",
                "commits",
                commit,
                "merge_requests",
            ],
        ) => {
            let brought = |one: &&Json| {
                let commits = one["commits"].as_array().unwrap();
                commits.iter().any(|known| known == commit)
            };
            let found = known.merge_requests.iter().filter(brought).cloned();
            ok(found.collect())
        }
        ("GET", ["projects", "1", "merge_requests", number, "pipelines"]) => {
            let mut pipelines = of(&known.pipelines, "merge_request", number);
            pipelines.reverse();
            ok(pipelines.into())
        }
        ("GET", ["projects", "1", "pipelines", id, "jobs"]) => {
            ok(of(&known.jobs, "pipeline", id).into())
        }
        // GitLab redirects to another URL for artifacts.
        ("GET", ["projects", "1", "jobs", id, "artifacts", "plan.json"]) => {
            let place = format!("/api/v4/store/{id}");
            (StatusCode::FOUND, [(header::LOCATION, place)]).into_response()
        }
        ("GET", ["store", id]) => match fs::read(known.artifacts.join(id).join("plan.json")) {
            Ok(plan) => plan.into_response(),
            Err(_) => StatusCode::NOT_FOUND.into_response(),
        },
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Whether a number equals the one in a path.
fn is(number: &Json, named: &str) -> bool {
    named.parse::<u64>().is_ok_and(|named| *number == named)
}

/// The text of a note that is sent as JSON.
fn text_of(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if headers.get(header::CONTENT_TYPE)? != "application/json" {
        return None;
    }
    let body: Json = serde_json::from_slice(body).ok()?;
    body["body"].as_str().map(str::to_owned)
}
