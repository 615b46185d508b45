//! The `SQLite` file: its tables, opening and closing it, and one transaction a call. What is done in a transaction is
//! `session`'s. Server-owned fields are columns, everything else that was sent is kept whole as JSON.

use super::concepts;
use super::config::{Clock, Config, Database};
use super::listing::Bookmarks;
use super::session::Session;
use crate::api::code::Code;
use rusqlite::{Connection, Row, TransactionBehavior};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a call waits for another process that writes to the same file.
const BUSY: Duration = Duration::from_secs(10);
const SCHEMA_VERSION: i64 = 2;
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
/// What version 2 has in addition: the state of inputs, and the app's concepts, which outlive the annotations that name them.
const SINCE_VERSION_2: &str = "
    ALTER TABLE inputs ADD COLUMN status INTEGER NOT NULL DEFAULT 30000;
    ALTER TABLE inputs ADD COLUMN polls INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE concepts (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        app INTEGER NOT NULL REFERENCES apps, id TEXT NOT NULL, name TEXT NOT NULL, created_at TEXT NOT NULL,
        UNIQUE (app, id)
    );
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
    /// The path leads to something that is no file.
    #[error("the database {path} is not a file")]
    NoFile {
        /// What is there.
        path: PathBuf,
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
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
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
    /// How far its processing is: 30000 and following.
    pub(super) status: Code,
    /// How many more reads show it as waiting.
    pub(super) polls: u32,
}

/// A concept as it is stored.
#[derive(Debug, Clone)]
pub(super) struct StoredConcept {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created_at: String,
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
                // Opening a pipe or a device would wait for ever, or write into it.
                if file.metadata().is_ok_and(|known| !known.is_file()) {
                    return Err(StoreError::NoFile { path: file.clone() });
                }
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
        version = 1;
    }
    if version == 1 {
        transaction.execute_batch(SINCE_VERSION_2)?;
        concepts::collect(&transaction)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        version = SCHEMA_VERSION;
    }
    transaction.commit()?;
    Ok(version)
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
