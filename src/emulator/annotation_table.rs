//! SQL on the table of annotations.
//!
//! Checks nothing: what may be stored is decided by the operations.

use super::config::ListingOrder;
use super::listing::{Clause, Filter, Page};
use super::rows::{App, Stored, text_of};
use super::session::{Session, signed};
use rusqlite::{OptionalExtension, params};
use serde_json::Value;

const COLUMNS: &str =
    "seq, input_id, id, user_id, status, input_level, model_made, created_at, modified_at, body";

impl Session<'_> {
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
            .optional()?
            .map(Stored::parse)
            .transpose()
    }

    pub(super) fn has_annotation(
        &self,
        app: &App,
        input_id: &str,
        id: &str,
    ) -> rusqlite::Result<bool> {
        self.transaction
            .prepare_cached(
                "SELECT 1 FROM annotations WHERE app = ?1 AND input_id = ?2 AND id = ?3",
            )?
            .exists(params![app.key, input_id, id])
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
            .query_map(params![app.key, input_id], |row| Stored::read(row)?.parse())?
            .collect()
    }

    /// A page of an app's annotations that match a filter, oldest first.
    pub(super) fn list(
        &mut self,
        app: &App,
        filter: &Filter,
        offset: u64,
        limit: u64,
    ) -> rusqlite::Result<Vec<Stored>> {
        let page = Page { offset, limit };
        self.list_sorted(app, filter, page, ListingOrder::OldestFirst)?
            .into_iter()
            .map(Stored::parse)
            .collect()
    }

    /// A page of an app's annotations that match a filter.
    pub(super) fn list_sorted(
        &mut self,
        app: &App,
        filter: &Filter,
        Page { offset, limit }: Page,
        order: ListingOrder,
    ) -> rusqlite::Result<Vec<Stored<String>>> {
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
        let found: Vec<Stored<String>> = self
            .transaction
            .prepare_cached(&sql)?
            .query_map(rusqlite::params_from_iter(values), Stored::read)?
            .collect::<Result<_, _>>()?;
        if let (Some(last), ListingOrder::OldestFirst) = (found.last(), order) {
            let end = offset + found.len() as u64;
            self.bookmarks.mark(app.key, clause, end, last.seq);
        }
        Ok(found)
    }

    /// Inserts an annotation, which must not exist. Missing times are set to that of the call.
    pub(super) fn insert(&self, app: &App, mut new: Stored) -> rusqlite::Result<Stored<String>> {
        if new.created_at.is_empty() {
            new.created_at.clone_from(&self.now);
        }
        if new.modified_at.is_empty() {
            new.modified_at.clone_from(&new.created_at);
        }
        let body = text_of(&new.body);
        let worker = |path: &str| text(new.body.get("worker").and_then(|it| it.pointer(path)));
        let either = |plain: &str, nested: &str| {
            let plain = text(new.body.get(plain));
            if plain.is_empty() {
                worker(nested)
            } else {
                plain
            }
        };
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
                either("model_version_id", "/model/model_version/id"),
                either("workflow_version_id", "/workflow/version/id"),
                text(new.body.get("task_id")),
                new.created_at,
                new.modified_at,
                body,
            ])?;
        new.seq = self.transaction.last_insert_rowid();
        if let Some(data) = new.body.get("data").filter(|_| !new.model_made) {
            self.insert_concepts(app, data, &new.created_at)?;
        }
        Ok(new.with_body(body))
    }

    /// Stores a changed annotation.
    pub(super) fn update(
        &self,
        app: &App,
        mut changed: Stored,
    ) -> rusqlite::Result<Stored<String>> {
        changed.modified_at.clone_from(&self.now);
        if let Some(data) = changed.body.get("data") {
            self.insert_concepts(app, data, &self.now)?;
        }
        let body = text_of(&changed.body);
        self.transaction
            .prepare_cached(
                "UPDATE annotations SET status = ?2, task_id = ?3, modified_at = ?4, body = ?5 WHERE seq = ?1",
            )?
            .execute(params![
                changed.seq,
                changed.status.0,
                text(changed.body.get("task_id")),
                changed.modified_at,
                body,
            ])?;
        Ok(changed.with_body(body))
    }

    pub(super) fn delete(&self, annotation: &Stored) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("DELETE FROM annotations WHERE seq = ?1")?
            .execute([annotation.seq])?;
        Ok(())
    }
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// The SQL of a listing. Its values are: app, `seq` of the last annotation before, values of the clause, limit, offset.
fn list_sql(clause: &Clause, sorted: ListingOrder) -> String {
    let Clause { sql, order, .. } = clause;
    let by = sorted.sql().unwrap_or(order);
    format!(
        "SELECT {COLUMNS} FROM annotations WHERE app = ? AND {order} > ?{sql} ORDER BY {by} LIMIT ? OFFSET ?"
    )
}

#[cfg(test)]
mod tests {
    use super::super::config::Config;
    use super::super::listing::Query;
    use super::super::store::{Access, Store};
    use super::*;

    fn query_plan(session: &Session<'_>, query: &str) -> String {
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
    fn listings_use_an_index() {
        let mut store = Store::open(&Config::default()).unwrap();
        store
            .run(Access::Reads, |session| {
                let whole = query_plan(session, "");
                assert!(
                    whole.contains("(app=? AND seq>?)") && !whole.contains("ORDER BY"),
                    "{whole}"
                );
                for narrow in ["input_ids=a&input_ids=b", "input_ids=a&ids=b"] {
                    let plan = query_plan(session, narrow);
                    assert!(plan.contains("(app=? AND input_id=?"), "{plan}");
                }
                Ok::<_, rusqlite::Error>(())
            })
            .unwrap();
    }
}
