//! One call's transaction: what is found and stored in it, and the ids and times that it gives out.
//!
//! It decides nothing: what may be stored is checked before.

use super::config::{Clock, ListingOrder};
use super::listing::{Bookmarks, Clause, Filter, Page};
use super::store::{App, COLUMNS, Stored, hex_id};
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

/// One call's transaction.
#[derive(Debug)]
pub(super) struct Session<'a> {
    /// RFC 3339; the same for everything that a call writes. Empty in a call that only reads.
    pub(super) now: String,
    pub(super) seed: u64,
    pub(super) bookmarks: &'a mut Bookmarks,
    pub(super) transaction: Transaction<'a>,
}

impl Session<'_> {
    /// The time of this call, later than that of every call before it.
    pub(super) fn tick(&self, clock: Clock) -> rusqlite::Result<String> {
        let wanted = match clock {
            Clock::Ticking(start) => start,
            Clock::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_millis() as i64),
        };
        let least = match clock {
            Clock::Ticking(_) => 1,
            Clock::System => 0,
        };
        self.transaction.query_row(
            "UPDATE counters SET value = max(value + ?1, ?2) WHERE name = 'milliseconds'
             RETURNING strftime('%Y-%m-%dT%H:%M:%S', value / 1000, 'unixepoch') || printf('.%03dZ', value % 1000)",
            [least, wanted],
            |row| row.get(0),
        )
    }

    /// A new id: 32 hex digits, the same for the same seed and the same calls.
    pub(super) fn new_id(&self) -> rusqlite::Result<String> {
        let count: i64 = self
            .transaction
            .prepare_cached(
                "UPDATE counters SET value = value + 1 WHERE name = 'ids' RETURNING value",
            )?
            .query_row([], |row| row.get(0))?;
        Ok(hex_id(self.seed, "id", count as u64))
    }

    /// The app of this owner and id.
    pub(super) fn app(&self, owner: &str, app_id: &str) -> rusqlite::Result<Option<App>> {
        self.transaction
            .prepare_cached("SELECT app FROM apps WHERE user_id = ?1 AND app_id = ?2")?
            .query_row([owner, app_id], |row| {
                Ok(App {
                    key: row.get(0)?,
                    owner: owner.to_owned(),
                })
            })
            .optional()
    }

    /// One annotation.
    pub(super) fn annotation(
        &self,
        app: &App,
        input_id: &str,
        id: &str,
    ) -> rusqlite::Result<Option<Stored>> {
        self.transaction
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM annotations WHERE app = ?1 AND input_id = ?2 AND id = ?3"
            ))?
            .query_row(params![app.key, input_id, id], Stored::read)
            .optional()
    }

    /// The annotations of one input, oldest first.
    pub(super) fn annotations_of(
        &self,
        app: &App,
        input_id: &str,
    ) -> rusqlite::Result<Vec<Stored>> {
        self.transaction
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM annotations WHERE app = ?1 AND input_id = ?2 ORDER BY +seq"
            ))?
            .query_map(params![app.key, input_id], Stored::read)?
            .collect()
    }

    /// `limit` of an app's annotations that pass a filter, oldest first, after the first `offset` of them.
    pub(super) fn list(
        &mut self,
        app: &App,
        filter: &Filter,
        offset: u64,
        limit: u64,
    ) -> rusqlite::Result<Vec<Stored>> {
        let page = Page { offset, limit };
        self.list_sorted(app, filter, page, ListingOrder::OldestFirst)
    }

    /// A page of an app's annotations that pass a filter, in this order.
    pub(super) fn list_sorted(
        &mut self,
        app: &App,
        filter: &Filter,
        Page { offset, limit }: Page,
        order: ListingOrder,
    ) -> rusqlite::Result<Vec<Stored>> {
        let clause = filter.clause();
        let (skipped, after) = match order {
            ListingOrder::OldestFirst => self.bookmarks.nearest(app.key, &clause, offset),
            _ => (0, 0),
        };
        let sql = list_sql(&clause, order);
        let text = |text: &String| rusqlite::types::Value::Text(text.clone());
        let mut values = vec![app.key.into(), after.into()];
        values.extend(clause.values.iter().map(text));
        values.push(signed(limit).into());
        values.push(signed(offset - skipped).into());
        let found: Vec<Stored> = self
            .transaction
            .prepare(&sql)?
            .query_map(rusqlite::params_from_iter(values), Stored::read)?
            .collect::<Result<_, _>>()?;
        if let (Some(last), ListingOrder::OldestFirst) = (found.last(), order) {
            let end = offset + found.len() as u64;
            self.bookmarks.mark(app.key, clause, end, last.seq);
        }
        Ok(found)
    }

    /// Stores a new annotation; its times are the call's, unless it has some. It must not exist.
    pub(super) fn insert(&self, app: &App, new: &mut Stored) -> rusqlite::Result<()> {
        if new.created_at.is_empty() {
            new.created_at.clone_from(&self.now);
        }
        if new.modified_at.is_empty() {
            new.modified_at.clone_from(&new.created_at);
        }
        let body = Value::Object(std::mem::take(&mut new.body));
        let text = body.to_string();
        let part = |path: &str| {
            let found = body.pointer(path).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        let either = |plain: String, nested: String| {
            if plain.is_empty() { nested } else { plain }
        };
        let model = either(
            part("/model_version_id"),
            part("/worker/model/model_version/id"),
        );
        let workflow = either(
            part("/workflow_version_id"),
            part("/worker/workflow/version/id"),
        );
        self.transaction
            .prepare_cached(
                "INSERT INTO annotations (app, input_id, id, user_id, status, input_level, model_made,
                     model_version_id, workflow_version_id, task_id, created_at, modified_at, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                app.key,
                new.input_id,
                new.id,
                new.user_id,
                new.status.0,
                new.input_level,
                new.model_made,
                model,
                workflow,
                part("/task_id"),
                new.created_at,
                new.modified_at,
                text,
            ])?;
        new.seq = self.transaction.last_insert_rowid();
        if !new.model_made {
            self.note_concepts(app.key, &body, &new.created_at)?;
        }
        if let Value::Object(body) = body {
            new.body = body;
        }
        Ok(())
    }

    /// Stores what a patch made of an annotation.
    pub(super) fn update(&self, app: &App, changed: &mut Stored) -> rusqlite::Result<()> {
        changed.modified_at.clone_from(&self.now);
        let body = Value::Object(changed.body.clone());
        self.note_concepts(app.key, &body, &self.now)?;
        let task = changed.body.get("task_id").and_then(Value::as_str);
        self.transaction
            .prepare_cached(
                "UPDATE annotations SET status = ?2, task_id = ?3, modified_at = ?4, body = ?5 WHERE seq = ?1",
            )?
            .execute(params![
                changed.seq,
                changed.status.0,
                task.unwrap_or_default(),
                changed.modified_at,
                body.to_string(),
            ])?;
        Ok(())
    }

    /// Deletes one annotation.
    pub(super) fn delete(&self, annotation: &Stored) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("DELETE FROM annotations WHERE seq = ?1")?
            .execute([annotation.seq])?;
        Ok(())
    }
}

/// The listing of a clause: app, the last annotation before, the clause's values, limit, offset.
fn list_sql(clause: &Clause, sorted: ListingOrder) -> String {
    let Clause { sql, order, .. } = clause;
    let by = sorted.sql().unwrap_or(order);
    format!(
        "SELECT {COLUMNS} FROM annotations WHERE app = ? AND {order} > ?{sql} ORDER BY {by} LIMIT ? OFFSET ?"
    )
}

/// As SQL counts; more than it can count is more than there is.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::config::Config;
    use super::super::listing::Query;
    use super::super::store::{Access, Store};
    use super::*;

    fn how(session: &Session<'_>, query: &str) -> String {
        let filter = Filter::read(&Query::parse(query)).unwrap();
        let clause = filter.clause();
        let sql = format!(
            "EXPLAIN QUERY PLAN {}",
            list_sql(&clause, ListingOrder::default())
        );
        let mut statement = session.transaction.prepare(&sql).unwrap();
        let values = vec!["1".to_owned(); statement.parameter_count()];
        let lines = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(3));
        lines
            .unwrap()
            .map(Result::unwrap)
            .collect::<Vec<String>>()
            .join("; ")
    }

    #[test]
    fn a_listing_walks_no_more_of_the_app_than_it_must() {
        let mut store = Store::open(&Config::default()).unwrap();
        store
            .run(Access::Reads, |session| {
                let whole = how(session, "");
                assert!(
                    whole.contains("(app=? AND seq>?)") && !whole.contains("ORDER BY"),
                    "{whole}"
                );
                for narrow in ["input_ids=a&input_ids=b", "input_ids=a&ids=b"] {
                    let plan = how(session, narrow);
                    assert!(plan.contains("(app=? AND input_id=?"), "{plan}");
                }
                Ok::<_, rusqlite::Error>(())
            })
            .unwrap();
    }

    #[test]
    fn times_never_run_backwards_and_are_written_as_rfc_3339() {
        let mut store = Store::open(&Config::default()).unwrap();
        let mut tick = |clock| {
            let tick = |session: &mut Session<'_>| session.tick(clock);
            store.run(Access::Reads, tick).unwrap()
        };
        assert_eq!(tick(Clock::Ticking(1_000)), "1970-01-01T00:00:01.000Z");
        assert_eq!(tick(Clock::Ticking(1_000)), "1970-01-01T00:00:01.001Z");
        assert_eq!(
            tick(Clock::Ticking(1_709_164_799_999)),
            "2024-02-28T23:59:59.999Z"
        );
        assert_eq!(tick(Clock::Ticking(5)), "2024-02-29T00:00:00.000Z");
        assert!(tick(Clock::System).as_str() > "2024-02-29");
    }
}
