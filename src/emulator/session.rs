//! The transaction of one call, with its ids and time. The SQL on annotations, inputs and concepts is in the `_table` files.

use super::config::Clock;
use super::hash::hex_id;
use super::listing::Bookmarks;
use super::rows::App;
use rusqlite::{OptionalExtension, Transaction};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::time::{SystemTime, UNIX_EPOCH};

/// The tables with parts of apps. Rows that refer to others come first.
const TABLES: [&str; 7] = [
    "dataset_inputs",
    "datasets",
    "jobs",
    "media",
    "concepts",
    "annotations",
    "inputs",
];

#[derive(Debug)]
pub(super) struct Session<'a> {
    /// RFC 3339; the same for all writes of a call, and empty in a call that only reads.
    pub(super) now: String,
    pub(super) seed: u64,
    pub(super) bookmarks: &'a mut Bookmarks,
    pub(super) transaction: Transaction<'a>,
    /// How many ids there are, once the call has made one. Stored at its end.
    ids: Cell<Option<i64>>,
    /// Concepts that exist, by the keys of their apps.
    pub(super) known_concepts: RefCell<HashMap<i64, HashSet<String>>>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        transaction: Transaction<'a>,
        seed: u64,
        bookmarks: &'a mut Bookmarks,
    ) -> Self {
        Self {
            now: String::new(),
            seed,
            bookmarks,
            transaction,
            ids: Cell::default(),
            known_concepts: RefCell::default(),
        }
    }

    pub(super) fn commit(self) -> rusqlite::Result<()> {
        if let Some(count) = self.ids.get() {
            self.transaction
                .prepare_cached("UPDATE counters SET value = ?1 WHERE name = 'ids'")?
                .execute([count])?;
        }
        self.transaction.commit()
    }
}

impl Session<'_> {
    /// The time of this call, not earlier than that of any previous call.
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
        self.transaction
            .prepare_cached(
                "UPDATE counters SET value = max(value + ?1, ?2) WHERE name = 'milliseconds'
                 RETURNING strftime('%Y-%m-%dT%H:%M:%S', value / 1000, 'unixepoch') || printf('.%03dZ', value % 1000)",
            )?
            .query_row([least, wanted], |row| row.get(0))
    }

    /// A new id: 32 hex digits, deterministic for the same seed and calls.
    pub(super) fn new_id(&self) -> rusqlite::Result<String> {
        let before: i64 = match self.ids.get() {
            Some(count) => count,
            None => self
                .transaction
                .prepare_cached("SELECT value FROM counters WHERE name = 'ids'")?
                .query_row([], |row| row.get(0))?,
        };
        let count = before + 1;
        self.ids.set(Some(count));
        Ok(hex_id(self.seed, "id", count as u64))
    }

    /// Deletes everything, and makes an empty app with this owner and id. New ids are those of a new database again.
    pub(super) fn clear(&self, owner: &str, app_id: &str) -> rusqlite::Result<()> {
        for table in TABLES.iter().chain(&["apps"]) {
            self.transaction
                .execute(&format!("DELETE FROM {table}"), [])?;
        }
        self.transaction.execute(
            "INSERT INTO apps (user_id, app_id) VALUES (?1, ?2)",
            [owner, app_id],
        )?;
        self.transaction
            .execute("UPDATE counters SET value = 0 WHERE name = 'ids'", [])?;
        self.ids.set(None);
        self.known_concepts.take();
        Ok(())
    }

    /// Deletes an app with everything in it.
    pub(super) fn delete_app(&self, app: &App) -> rusqlite::Result<()> {
        for table in TABLES.iter().chain(&["apps"]) {
            self.transaction
                .execute(&format!("DELETE FROM {table} WHERE app = ?1"), [app.key])?;
        }
        self.known_concepts.take();
        Ok(())
    }

    pub(super) fn app(&self, owner: &str, app_id: &str) -> rusqlite::Result<Option<App>> {
        self.transaction
            .prepare_cached("SELECT app FROM apps WHERE user_id = ?1 AND app_id = ?2")?
            .query_row([owner, app_id], |row| {
                Ok(App {
                    key: row.get(0)?,
                    owner: owner.to_owned(),
                    id: app_id.to_owned(),
                })
            })
            .optional()
    }
}

/// Converts to the integer type of SQL; greater numbers are clamped.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
