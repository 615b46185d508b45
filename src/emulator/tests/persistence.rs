//! The database file: restarts, invalid files, and concurrent clients.

use super::{OWNER, Server, boxed, config, tagged};
use crate::emulator::{Config, Database, Emulator, EmulatorError, StoreError};
use serde_json::json;
use std::path::Path;

fn over(file: &Path) -> Config {
    Config {
        database: Database::File(file.to_owned()),
        ..config()
    }
}

#[tokio::test]
async fn annotations_and_ids_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made/on/demand/store.db");
    let server = Server::with(over(&file)).await;
    server.make(OWNER, boxed("", "i", 0.1)).await;
    server
        .patch(OWNER, "merge", json!([{"id": "none", "input_id": "i"}]))
        .await;
    let before = server.emulator.annotations().await.unwrap();
    server.emulator.stop().await.unwrap();
    let beside = std::fs::read_dir(file.parent().unwrap()).unwrap().count();
    assert_eq!(beside, 1, "the write-ahead log is merged");
    let server = Server::with(over(&file)).await;
    assert_eq!(server.emulator.annotations().await.unwrap(), before);
    let new = server.make(OWNER, boxed("", "i", 0.2)).await;
    assert!(before.iter().all(|old| old["id"] != new["id"]));
    assert!(
        before
            .iter()
            .all(|old| old["created_at"].as_str() < new["created_at"].as_str())
    );
}

#[tokio::test]
async fn one_file_holds_several_apps() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let server = Server::with(over(&file)).await;
    server.make(OWNER, tagged("a", "i", "car")).await;
    server.emulator.stop().await.unwrap();
    let other = Server::with(Config {
        app_id: "other".to_owned(),
        ..over(&file)
    })
    .await;
    assert!(other.emulator.annotations().await.unwrap().is_empty());
    assert_eq!(other.ids("").await, ["a"], "all apps are served");
}

#[tokio::test]
async fn other_files_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    std::fs::write(&file, "labels: [car, person, tree]\n".repeat(50)).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    // Spawned: a caller may start an emulator on any task.
    let started = tokio::spawn(Emulator::start(over(&file), listen)).await;
    let error = started.unwrap().unwrap_err();
    assert!(
        matches!(error, EmulatorError::Store(StoreError::Database { .. })),
        "{error:?}"
    );
    assert!(error.to_string().contains("store.db"));
    let foreign = folder.path().join("foreign.db");
    let connection = rusqlite::Connection::open(&foreign).unwrap();
    connection
        .execute_batch("CREATE TABLE notes (text)")
        .unwrap();
    drop(connection);
    let error = Emulator::start(over(&foreign), listen).await.unwrap_err();
    assert!(
        matches!(
            error,
            EmulatorError::Store(StoreError::Version { found: 0, .. })
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let server = Server::start().await;
    let error = Emulator::start(config(), server.emulator.address())
        .await
        .unwrap_err();
    assert!(matches!(error, EmulatorError::Listen { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_clients_get_what_they_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    // Two servers over one file: the harder case, with two connections to the database.
    let (one, two) = (
        Server::with(over(&file)).await,
        Server::with(over(&file)).await,
    );
    let write = async |server: &Server, who: &str| {
        for n in 0..20 {
            let batch = json!([
                tagged(&format!("{who}{n}"), "i", "car"),
                tagged("same", &format!("j{n}"), who)
            ]);
            let (http, body) = server.post(OWNER, batch).await;
            assert_eq!(http, 200, "{body}");
        }
    };
    tokio::join!(write(&one, "x"), write(&two, "y"));
    let all = one.emulator.annotations().await.unwrap();
    let count = |prefix: &str| {
        all.iter()
            .filter(|a| {
                a["id"].as_str().unwrap().starts_with(prefix)
                    && a["input_id"] == "i"
                    && a["input_level"] != true
            })
            .count()
    };
    assert_eq!((count("x"), count("y")), (20, 20));
    assert_eq!(
        all.iter().filter(|a| a["id"] == "same").count(),
        20,
        "an id exists once on an input"
    );
    assert_eq!(all.iter().filter(|a| a["input_level"] == true).count(), 21);
    assert_eq!(two.emulator.annotations().await.unwrap(), all);
}

#[tokio::test]
async fn a_running_call_is_finished_when_the_server_stops() {
    let server = Server::start().await;
    let latency = crate::emulator::Fault::Latency(std::time::Duration::from_millis(50));
    server
        .emulator
        .faults()
        .next(crate::emulator::Scope::Any, latency);
    let url = format!("{}/v2/users/me", server.emulator.url());
    let request = server
        .client
        .get(url)
        .header("Authorization", "Key owner-key");
    let answer = tokio::spawn(request.send());
    while server.emulator.faults().pending() > 0 {
        tokio::task::yield_now().await;
    }
    server.emulator.stop().await.unwrap();
    assert_eq!(answer.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_file_of_the_first_format_is_upgraded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let server = Server::with(over(&file)).await;
    server.make(OWNER, tagged("a", "i", "car")).await;
    server.emulator.stop().await.unwrap();
    let database = rusqlite::Connection::open(&file).unwrap();
    database
        .execute_batch(
            "DROP TABLE media; DROP TABLE jobs; DROP TABLE dataset_inputs; DROP TABLE datasets; DROP INDEX inputs_by_job;
             ALTER TABLE apps DROP COLUMN created_at; ALTER TABLE apps DROP COLUMN body;
             ALTER TABLE inputs DROP COLUMN modified_at; ALTER TABLE inputs DROP COLUMN job;
             DROP TABLE concepts; ALTER TABLE inputs DROP COLUMN status; ALTER TABLE inputs DROP COLUMN polls;
             PRAGMA user_version = 1;",
        )
        .unwrap();
    drop(database);
    let server = Server::with(over(&file)).await;
    assert_eq!(server.ids("").await, ["a"]);
    let (_, listed) = server.get(OWNER, "/concepts").await;
    assert_eq!(listed["concepts"][0]["id"], "car");
}
