//! The SQLite file: schema, opening, closing, and one transaction per call. Fields that the server sets are columns; all
//! others are kept as JSON.

use super::concept_table;
use super::config::{Clock, Config, Database};
use super::listing::Bookmarks;
use super::session::Session;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a call waits for a lock of another process.
const BUSY: Duration = Duration::from_secs(10);
const SCHEMA_VERSION: i64 = 3;
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
/// Version 2 adds the state of inputs and a table of concepts, because concepts outlive their annotations.
const UPGRADE_TO_2: &str = "
    ALTER TABLE inputs ADD COLUMN status INTEGER NOT NULL DEFAULT 30000;
    ALTER TABLE inputs ADD COLUMN polls INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE concepts (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        app INTEGER NOT NULL REFERENCES apps, id TEXT NOT NULL, name TEXT NOT NULL, created_at TEXT NOT NULL,
        UNIQUE (app, id)
    );
";
/// Version 3 adds what clients store besides annotations: properties of apps, files of inputs, upload jobs and datasets.
const UPGRADE_TO_3: &str = "
    ALTER TABLE apps ADD COLUMN created_at TEXT NOT NULL DEFAULT '';
    ALTER TABLE apps ADD COLUMN body TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE inputs ADD COLUMN modified_at TEXT NOT NULL DEFAULT '';
    ALTER TABLE inputs ADD COLUMN job TEXT NOT NULL DEFAULT '';
    CREATE INDEX inputs_by_job ON inputs (app, job) WHERE job <> '';
    CREATE TABLE media (
        app INTEGER NOT NULL REFERENCES apps, input_id TEXT NOT NULL, hash TEXT NOT NULL, bytes BLOB NOT NULL
    );
    CREATE INDEX media_by_input ON media (app, input_id);
    CREATE INDEX media_by_hash ON media (hash);
    CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        app INTEGER NOT NULL REFERENCES apps, id TEXT NOT NULL, created_at TEXT NOT NULL, failed INTEGER NOT NULL,
        UNIQUE (app, id)
    );
    CREATE TABLE datasets (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        app INTEGER NOT NULL REFERENCES apps, id TEXT NOT NULL, created_at TEXT NOT NULL, body TEXT NOT NULL,
        UNIQUE (app, id)
    );
    CREATE TABLE dataset_inputs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        app INTEGER NOT NULL REFERENCES apps, dataset_id TEXT NOT NULL, input_id TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (app, dataset_id, input_id)
    );
    CREATE INDEX dataset_inputs_by_input ON dataset_inputs (app, input_id);
";
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot create the folder {path}")]
    Folder {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot use the database {path}")]
    Database {
        /// The file, or `:memory:`.
        path: String,
        source: rusqlite::Error,
    },
    #[error("the database {path} is not a regular file")]
    NotAFile { path: PathBuf },
    #[error(
        "the database {path} has format {found}, but this version of annosync supports format {SCHEMA_VERSION}"
    )]
    Version { path: String, found: i64 },
}

#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    clock: Clock,
    seed: u64,
    bookmarks: Bookmarks,
}

/// Whether a call writes. If so, it takes the write lock of the file at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Reads,
    Writes,
}

impl Store {
    /// Opens or creates the database, and creates the configured app if necessary.
    pub(super) fn open(config: &Config) -> Result<Self, StoreError> {
        let path = match &config.database {
            Database::Memory => ":memory:".to_owned(),
            Database::File(file) => {
                make_folder_of(file)?;
                // Opening a pipe or a device could block or write to it.
                if file.metadata().is_ok_and(|known| !known.is_file()) {
                    return Err(StoreError::NotAFile { path: file.clone() });
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

    /// Runs a call in a transaction, which an error rolls back.
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
        // Bookmarks are invalid after a write, by this or another process. The first read fixes the snapshot of the
        // transaction, so the version must be queried after it.
        transaction
            .prepare_cached("SELECT count(*) FROM counters")?
            .query_row([], |_| Ok(()))?;
        let version = transaction
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        self.bookmarks.see(version, transaction.total_changes());
        let mut session = Session::new(transaction, self.seed, &mut self.bookmarks);
        if access == Access::Writes {
            session.now = session.tick(self.clock)?;
        }
        let result = call(&mut session)?;
        session.commit()?;
        Ok(result)
    }

    /// Closes the file and merges the write-ahead log into it.
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

/// Configures a connection, and creates or upgrades the tables. Returns the version of the format.
fn prepare_file(connection: &mut Connection) -> rusqlite::Result<i64> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    // WAL: readers are not blocked by a writer. FULL: successful writes survive a power failure.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Query plans do not depend on values. Otherwise a prepared statement would be prepared again for other values.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // With the write lock, because two processes may open a new file at the same time.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut version = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if version == 0 && tables == 0 {
        transaction.execute_batch(SCHEMA)?;
        version = 1;
    }
    if version == 1 {
        transaction.execute_batch(UPGRADE_TO_2)?;
        concept_table::insert_all_named(&transaction)?;
        version = 2;
    }
    if version == 2 {
        transaction.execute_batch(UPGRADE_TO_3)?;
        version = SCHEMA_VERSION;
        transaction.pragma_update(None, "user_version", version)?;
    }
    transaction.commit()?;
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_failed_call_uses_no_ids_and_makes_no_concepts() {
        let mut store = Store::open(&Config::default()).unwrap();
        let mut call = |fails: bool| {
            store.run(Access::Writes, |session| {
                let app = session.app("owner", "app")?.unwrap();
                let known = session.concepts(&app, 0, 10)?.len();
                for _ in 0..2 {
                    session.insert_concepts(&app, &json!({"concepts": [{"id": "car"}]}), "")?;
                }
                let ids = [session.new_id()?, session.new_id()?];
                assert_eq!(session.concepts(&app, 0, 10)?.len(), 1);
                if fails {
                    return Err(rusqlite::Error::InvalidQuery);
                }
                Ok((known, ids))
            })
        };
        let hashed = |count| super::super::hash::hex_id(0, "id", count);
        call(true).unwrap_err();
        assert_eq!(call(false).unwrap(), (0, [hashed(1), hashed(2)]));
        call(true).unwrap_err();
        assert_eq!(call(false).unwrap(), (1, [hashed(3), hashed(4)]));
    }

    #[test]
    fn times_never_decrease_and_are_written_as_rfc_3339() {
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
