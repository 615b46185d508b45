//! Operations on apps, and what a key may do.

use super::call::{Call, take_text};
use super::endpoint::Endpoint;
use super::listing::Page;
use super::protobuf;
use super::reply::{self, Answer, Refusal};
use super::rows::{App, StoredObject};
use super::session::{Session, signed};
use rusqlite::params;
use serde_json::{Map, Value, json};

/// `GET /users/{user_id}/apps`
pub(super) fn list_apps(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let page = Page::read(&call.sent.query, call.config).map_err(Refusal::invalid)?;
    let found: Vec<StoredObject> = session
        .transaction
        .prepare_cached(
            "SELECT app_id, created_at, body FROM apps WHERE user_id = ?1 ORDER BY app LIMIT ?2 OFFSET ?3",
        )?
        .query_map(
            params![call.app.owner, signed(page.limit), signed(page.offset)],
            StoredObject::read,
        )?
        .collect::<Result<_, _>>()?;
    let shown = found.into_iter().map(|app| show(app, call)).collect();
    Ok(Answer::success(Some(("apps", shown))))
}

/// `GET /users/{user_id}/apps/{app_id}`
pub(super) fn get_app(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let found = read(session, &call.app)?;
    Ok(Answer::success(Some(("app", show(found, call)))))
}

/// `POST /users/{user_id}/apps`. A user creates apps of their own only.
pub(super) fn post_apps(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    check_owner(call)?;
    let mut shown = Vec::new();
    for mut body in call.items()? {
        let mut id = take_text(&mut body, "id");
        if id.is_empty() {
            id = session.new_id()?;
        }
        if session.app(&call.app.owner, &id)?.is_some() {
            return Err(Refusal::invalid(format!("app `{id}` is a duplicate")));
        }
        body.shift_remove("modified_at");
        let text = Value::Object(body.clone()).to_string();
        session
            .transaction
            .prepare_cached(
                "INSERT INTO apps (user_id, app_id, created_at, body) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![call.app.owner, id, session.now, text])?;
        let created_at = session.now.clone();
        let app = StoredObject {
            id,
            created_at,
            body,
        };
        shown.push(show(app, call));
    }
    Ok(Answer::success(Some(("apps", Value::Array(shown)))))
}

/// `PATCH /users/{user_id}/apps`
pub(super) fn patch_apps(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    check_owner(call)?;
    let mut shown = Vec::new();
    for patch in call.items()? {
        let id = patch.get("id").and_then(Value::as_str).unwrap_or_default();
        let Some(app) = session.app(&call.app.owner, id)? else {
            let details = format!("user `{}` has no app `{id}`", call.app.owner);
            return Err(Refusal::missing(details));
        };
        shown.push(patch_one(session, call, &app, patch)?);
    }
    Ok(Answer::success(Some(("apps", Value::Array(shown)))))
}

/// `PATCH /users/{user_id}/apps/{app_id}`
pub(super) fn patch_app(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    check_owner(call)?;
    let shown = patch_one(session, call, &call.app, call.item("app")?)?;
    Ok(Answer::success(Some(("app", shown))))
}

fn patch_one(
    session: &Session<'_>,
    call: &Call<'_>,
    app: &App,
    patch: Map<String, Value>,
) -> Result<Value, Refusal> {
    let mut stored = read(session, app)?;
    stored.patch(call.action()?, patch, &session.now);
    let text = Value::Object(stored.body.clone()).to_string();
    session
        .transaction
        .prepare_cached("UPDATE apps SET body = ?2 WHERE app = ?1")?
        .execute(params![app.key, text])?;
    Ok(show(stored, call))
}

/// `DELETE /users/{user_id}/apps/{app_id}`, with everything in it
pub(super) fn delete_app(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    check_owner(call)?;
    session.delete_app(&call.app)?;
    Ok(Answer::success(None))
}

fn check_owner(call: &Call<'_>) -> Result<(), Refusal> {
    if call.is_owner() {
        return Ok(());
    }
    let owner = &call.app.owner;
    let details = format!("only user `{owner}` may create, change and delete their apps");
    Err(Refusal::invalid(details))
}

/// `GET /myscopes`. A known key may make every call.
pub(super) fn my_scopes(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let app = show(read(session, &call.app)?, call);
    let calls = Endpoint::ALL.iter();
    let calls: Vec<String> = calls
        .map(|call| format!("/{}/{}", protobuf::SERVICE, call.name()))
        .collect();
    Ok(Answer::success(Some(("scopes", json!(["All"]))))
        .and("app", app)
        .and("endpoints", calls.into()))
}

fn read(session: &Session<'_>, app: &App) -> rusqlite::Result<StoredObject> {
    session
        .transaction
        .prepare_cached("SELECT app_id, created_at, body FROM apps WHERE app = ?1")?
        .query_row([app.key], StoredObject::read)
}

fn show(mut app: StoredObject, call: &Call<'_>) -> Value {
    if !app.body.contains_key("name") {
        app.body
            .insert("name".to_owned(), Value::from(app.id.as_str()));
    }
    reply::object(app, &[("user_id", &call.app.owner)])
}
