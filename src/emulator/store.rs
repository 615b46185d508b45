//! The `SQLite` file: apps, inputs, annotations, and the counters that make ids and times. One transaction a call.
//!
//! It stores and finds; what may be stored is decided before. Server-owned fields are columns, everything else that
//! was sent is kept whole as JSON.

use super::config::{Clock, Config, Database};
use super::listing::{Bookmarks, Filter};
use crate::api::code::Code;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a call waits for another process that writes to the same file.
const BUSY: Duration = Duration::from_secs(10);
const SCHEMA_VERSION: i64 = 1;
const SCHEMA: &str = "
    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO counters VALUES ('ids', 0), ('milliseconds', 0);
    CREATE TABLE apps (
        app INTEGER PRIMARY KEY, user_id TEXT NOT NULL, app_id TEXT NOT NULL, UNIQUE (user_id, app_id)
    );
    CREATE TABLE inputs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        app INTEGER NOT NULL REFERENCES apps, id TEXT NOT NULL,
        created_at TEXT NOT NULL, data TEXT NOT NULL,
        UNIQUE (app, id)
    );
    CREATE INDEX inputs_by_age ON inputs (app, seq);
    CREATE TABLE annotations (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        app INTEGER NOT NULL REFERENCES apps, input_id TEXT NOT NULL, id TEXT NOT NULL,
        user_id TEXT NOT NULL, status INTEGER NOT NULL, input_level INTEGER NOT NULL,
        model_made INTEGER NOT NULL, model_version_id TEXT NOT NULL, workflow_version_id TEXT NOT NULL,
        task_id TEXT NOT NULL, created_at TEXT NOT NULL, modified_at TEXT NOT NULL, body TEXT NOT NULL,
        UNIQUE (app, input_id, id)
    );
    CREATE INDEX annotations_by_age ON annotations (app, seq);
";
pub(super) const COLUMNS: &str =
    "seq, input_id, id, user_id, status, input_level, model_made, created_at, modified_at, body";

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder of the file cannot be made.
    #[error("cannot make the folder {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `SQLite` cannot open the file, or it is no database.
    #[error("cannot use the database {path}")]
    Database {
        /// The file, or `:memory:`.
        path: String,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file was made by another version of the emulator.
    #[error(
        "the database {path} has format {found}, and this version knows format {SCHEMA_VERSION}"
    )]
    Version {
        /// The file.
        path: String,
        /// Its format.
        found: i64,
    },
}

/// An open database.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    clock: Clock,
    seed: u64,
    bookmarks: Bookmarks,
}

/// An app by its owner and id.
#[derive(Debug, Clone)]
pub(super) struct App {
    pub(super) key: i64,
    pub(super) owner: String,
}

/// An annotation as it is stored.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    pub(super) seq: i64,
    pub(super) input_id: String,
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) status: Code,
    pub(super) input_level: bool,
    pub(super) model_made: bool,
    pub(super) created_at: String,
    pub(super) modified_at: String,
    /// Everything else: `data`, `annotation_info`, what nobody models.
    pub(super) body: Map<String, Value>,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let body: String = row.get(9)?;
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
            body: serde_json::from_str(&body).map_err(|error| {
                let kind = rusqlite::types::Type::Text;
                rusqlite::Error::FromSqlConversionFailure(9, kind, Box::new(error))
            })?,
        })
    }

    /// `data`, made if there is none.
    pub(super) fn data_mut(&mut self) -> &mut Map<String, Value> {
        let data = self.body.entry("data").or_insert(Value::Null);
        if !data.is_object() {
            *data = Value::Object(Map::new());
        }
        data.as_object_mut().expect("it was made an object above")
    }
}

/// An input as it is stored.
#[derive(Debug, Clone)]
pub(super) struct StoredInput {
    pub(super) id: String,
    pub(super) created_at: String,
    pub(super) data: Value,
}

/// Whether a call writes. One that does takes the file's only write lock when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Reads,
    Writes,
}

impl Store {
    /// Opens the database, or makes it, and makes the app that the configuration names.
    pub(super) fn open(config: &Config) -> Result<Self, StoreError> {
        let path = match &config.database {
            Database::Memory => ":memory:".to_owned(),
            Database::File(file) => {
                make_folder_of(file)?;
                file.display().to_string()
            }
        };
        let failed = |source| StoreError::Database {
            path: path.clone(),
            source,
        };
        let mut connection = match &config.database {
            Database::Memory => Connection::open_in_memory(),
            Database::File(file) => Connection::open(file),
        }
        .map_err(failed)?;
        let found = prepare_file(&mut connection).map_err(failed)?;
        if found != SCHEMA_VERSION {
            return Err(StoreError::Version { path, found });
        }
        connection
            .execute(
                "INSERT OR IGNORE INTO apps (user_id, app_id) VALUES (?1, ?2)",
                [&config.owner, &config.app_id],
            )
            .map_err(failed)?;
        Ok(Self {
            connection,
            clock: config.clock,
            seed: config.seed,
            bookmarks: Bookmarks::default(),
        })
    }

    /// Runs one call in one transaction; an error takes everything back.
    pub(super) fn run<T, E: From<rusqlite::Error>>(
        &mut self,
        access: Access,
        call: impl FnOnce(&mut Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let behavior = match access {
            Access::Reads => TransactionBehavior::Deferred,
            Access::Writes => TransactionBehavior::Immediate,
        };
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        // Pages that were counted before a write, ours or another process's, say nothing about the pages after it.
        // The first read fixes what this transaction sees; only then is its version the one to compare.
        transaction.query_row("SELECT count(*) FROM counters", [], |_| Ok(()))?;
        let version = transaction.pragma_query_value(None, "data_version", |row| row.get(0))?;
        self.bookmarks.see(version, transaction.total_changes());
        let mut session = Session {
            now: String::new(),
            seed: self.seed,
            bookmarks: &mut self.bookmarks,
            transaction,
        };
        if access == Access::Writes {
            session.now = session.tick(self.clock)?;
        }
        let result = call(&mut session)?;
        session.transaction.commit()?;
        Ok(result)
    }

    /// Closes the file, with everything in it and nothing beside it.
    pub(super) fn close(self) -> Result<(), rusqlite::Error> {
        self.connection.close().map_err(|(_, error)| error)
    }
}

fn make_folder_of(file: &Path) -> Result<(), StoreError> {
    match file.parent() {
        Some(folder) if folder != Path::new("") => {
            fs::create_dir_all(folder).map_err(|source| StoreError::Folder {
                path: folder.to_owned(),
                source,
            })
        }
        _ => Ok(()),
    }
}

/// Sets a connection up and makes the tables where there are none. The version of the format found or made.
fn prepare_file(connection: &mut Connection) -> rusqlite::Result<i64> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Readers of another process go on while one writes. FULL: what was answered with success survives a power cut.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Under the write lock: two processes may open a new file at once.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut version = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if version == 0 && tables == 0 {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        version = SCHEMA_VERSION;
    }
    transaction.commit()?;
    Ok(version)
}

/// One call's transaction.
#[derive(Debug)]
pub(super) struct Session<'a> {
    /// RFC 3339; the same for everything that a call writes. Empty in a call that only reads.
    now: String,
    seed: u64,
    bookmarks: &'a mut Bookmarks,
    transaction: Transaction<'a>,
}

impl Session<'_> {
    fn tick(&self, clock: Clock) -> rusqlite::Result<String> {
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
                "SELECT {COLUMNS} FROM annotations WHERE app = ?1 AND input_id = ?2 ORDER BY seq"
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
        let clause = filter.clause();
        let (skipped, after) = self.bookmarks.nearest(app.key, &clause, offset);
        let sql = format!(
            "SELECT {COLUMNS} FROM annotations WHERE app = ? AND seq > ?{} ORDER BY seq LIMIT ? OFFSET ?",
            clause.sql
        );
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
        if let Some(last) = found.last() {
            let end = offset + found.len() as u64;
            self.bookmarks.mark(app.key, clause, end, last.seq);
        }
        Ok(found)
    }

    /// Stores a new annotation; its times are the call's. It must not exist.
    pub(super) fn insert(&self, app: &App, new: &mut Stored) -> rusqlite::Result<()> {
        new.created_at.clone_from(&self.now);
        new.modified_at.clone_from(&self.now);
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
        if let Value::Object(body) = body {
            new.body = body;
        }
        Ok(())
    }

    /// Stores what a patch made of an annotation.
    pub(super) fn update(&self, changed: &mut Stored) -> rusqlite::Result<()> {
        changed.modified_at.clone_from(&self.now);
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
                Value::Object(changed.body.clone()).to_string(),
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

    /// Whether the input exists.
    pub(super) fn has_input(&self, app: &App, id: &str) -> rusqlite::Result<bool> {
        self.transaction
            .prepare_cached("SELECT 1 FROM inputs WHERE app = ?1 AND id = ?2")?
            .exists(params![app.key, id])
    }

    /// Makes an input, which must not exist, with the annotation that every input has.
    pub(super) fn insert_input(
        &self,
        app: &App,
        id: &str,
        user_id: &str,
        data: Value,
    ) -> rusqlite::Result<StoredInput> {
        self.transaction
            .prepare_cached(
                "INSERT INTO inputs (app, id, created_at, data) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![app.key, id, self.now, data.to_string()])?;
        let mut body = Map::new();
        body.insert("data".to_owned(), data.clone());
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
        })
    }

    /// `limit` of an app's inputs, oldest first, after the first `offset`.
    pub(super) fn inputs(
        &self,
        app: &App,
        offset: u64,
        limit: u64,
    ) -> rusqlite::Result<Vec<StoredInput>> {
        self.transaction
            .prepare_cached(
                "SELECT id, created_at, data FROM inputs WHERE app = ?1 ORDER BY seq LIMIT ?2 OFFSET ?3",
            )?
            .query_map(params![app.key, signed(limit), signed(offset)], |row| {
                let data: String = row.get(2)?;
                Ok(StoredInput {
                    id: row.get(0)?,
                    created_at: row.get(1)?,
                    data: serde_json::from_str(&data).unwrap_or_default(),
                })
            })?
            .collect()
    }
}

/// As SQL counts; more than it can count is more than there is.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// 32 hex digits from a seed, a kind and a counter.
pub(super) fn hex_id(seed: u64, kind: &str, count: u64) -> String {
    let digest = Sha256::digest(format!("{seed} {kind} {count}"));
    digest.iter().take(16).fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
