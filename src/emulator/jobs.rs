//! Upload jobs: how many inputs of a post are processed. The official SDK waits for them.

use super::call::Call;
use super::listing::Page;
use super::reply::{Answer, Refusal};
use super::rows::App;
use super::session::{Session, signed};
use rusqlite::{OptionalExtension as _, params};
use serde_json::{Value, json};

/// `GET /inputs/jobs/add`
pub(super) fn list_jobs(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let page = Page::read(&call.sent.query, call.config).map_err(Refusal::invalid)?;
    let ids: Vec<String> = session
        .transaction
        .prepare_cached("SELECT id FROM jobs WHERE app = ?1 ORDER BY seq LIMIT ?2 OFFSET ?3")?
        .query_map(
            params![call.app.key, signed(page.limit), signed(page.offset)],
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    let mut shown = Vec::new();
    for id in ids {
        shown.extend(session.job(&call.app, &id)?);
    }
    Ok(Answer::success(Some(("inputs_add_jobs", shown.into()))))
}

/// `GET /inputs/jobs/add/{id}`. A read of the job is a read of its pending inputs.
pub(super) fn get_job(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let answer = answer(session, call)?;
    session
        .transaction
        .prepare_cached(
            "UPDATE inputs SET polls = polls - 1 WHERE app = ?1 AND job = ?2 AND job <> '' AND polls > 0",
        )?
        .execute(params![call.app.key, call.path("id")])?;
    Ok(answer)
}

/// `PATCH /inputs/jobs/add/{id}`. Pending inputs fail (30002).
pub(super) fn cancel_job(session: &mut Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    session
        .transaction
        .prepare_cached(
            "UPDATE inputs SET polls = 0, status = 30002 WHERE app = ?1 AND job = ?2 AND job <> '' AND polls > 0",
        )?
        .execute(params![call.app.key, call.path("id")])?;
    answer(session, call)
}

fn answer(session: &Session<'_>, call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = call.path("id");
    let found = session.job(&call.app, id)?;
    let found = found.ok_or_else(|| Refusal::missing(format!("no job `{id}`")))?;
    Ok(Answer::success(Some(("inputs_add_job", found))))
}

impl Session<'_> {
    /// Creates a job if it does not exist. `failed` inputs of it were refused.
    pub(super) fn add_to_job(&self, app: &App, id: &str, failed: usize) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "INSERT INTO jobs (app, id, created_at, failed) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET failed = failed + ?4",
            )?
            .execute(params![app.key, id, self.now, signed(failed as u64)])?;
        Ok(())
    }

    /// A job with its progress, as the API shows it.
    pub(super) fn job(&self, app: &App, id: &str) -> rusqlite::Result<Option<Value>> {
        let job = self
            .transaction
            .prepare_cached("SELECT created_at, failed FROM jobs WHERE app = ?1 AND id = ?2")?
            .query_row(params![app.key, id], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
            })
            .optional()?;
        let Some((created_at, refused)) = job else {
            return Ok(None);
        };
        let count = |condition: &str| -> rusqlite::Result<i64> {
            let sql = format!(
                "SELECT count(*) FROM inputs WHERE app = ?1 AND job = ?2 AND job <> '' AND {condition}"
            );
            self.transaction
                .prepare_cached(&sql)?
                .query_row(params![app.key, id], |row| row.get(0))
        };
        let failed = refused + count("polls = 0 AND status <> 30000")?;
        Ok(Some(json!({
            "id": id,
            "created_at": created_at,
            // 64-bit integers are strings in protobuf's JSON.
            "progress": {
                "pending_count": count("polls > 0")?.to_string(),
                "in_progress_count": "0",
                "success_count": count("polls = 0 AND status = 30000")?.to_string(),
                "failed_count": failed.to_string(),
            },
        })))
    }
}
