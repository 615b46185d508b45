//! `emulator --control`: the paths by which tests fill, read and empty a running emulator, and the example for pytest.

use super::serving::Server;
use super::{folder_of, skipped};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

fn reset(server: &Server) -> (u16, Value) {
    server.request("POST", "/_annosync/reset", "owner-key", "")
}

fn dump(server: &Server) -> Value {
    let (status, dump) = server.request("GET", "/_annosync/dump", "owner-key", "");
    assert_eq!(status, 200, "{dump}");
    dump
}

fn ids(dump: &Value, list: &str) -> Vec<String> {
    let all = dump[list].as_array().unwrap().iter();
    all.map(|it| it["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_app_is_filled_read_and_emptied_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--control"]);
    let (status, ready) = server.request("GET", "/_annosync/ready", "", "");
    assert_eq!((status, &ready["status"]["code"]), (200, &json!(10000)));
    let seed = json!({"annotations": [
        {"id": "level", "input_id": "i", "input_level": true, "created_at": "2026-01-01T00:00:00Z"},
        {"id": "a", "input_id": "i", "user_id": "bea", "data": {"concepts": [{"id": "car", "value": 1}]}},
    ]});
    let (status, answer) =
        server.request("POST", "/_annosync/seed", "owner-key", &seed.to_string());
    assert_eq!(status, 200, "{answer}");
    let first = dump(&server);
    assert_eq!(ids(&first, "annotations"), ["level", "a"]);
    assert_eq!(ids(&first, "inputs"), ["i"]);
    assert_eq!(ids(&first, "concepts"), ["car"]);
    assert_eq!(first["annotations"][1]["user_id"], "bea");

    // What would be stored twice is refused as a whole.
    let twice = json!([{"id": "new", "input_id": "i"}, {"id": "a", "input_id": "i"}]).to_string();
    let (status, answer) = server.request("POST", "/_annosync/seed", "owner-key", &twice);
    let details = answer["status"]["details"].as_str().unwrap();
    assert_eq!(status, 400);
    assert!(
        details.contains("already has an annotation `a`"),
        "{details}"
    );
    let (status, _) = server.request("POST", "/_annosync/seed", "owner-key", "{");
    assert_eq!(status, 400);

    assert_eq!(reset(&server).0, 200);
    let empty = dump(&server);
    for list in ["annotations", "inputs", "concepts"] {
        assert_eq!(empty[list], json!([]), "{list}");
    }
    // A dump is a seed.
    let (status, answer) =
        server.request("POST", "/_annosync/seed", "owner-key", &first.to_string());
    assert_eq!(status, 200, "{answer}");
    assert_eq!(dump(&server)["annotations"], first["annotations"]);
    assert_eq!(server.stop("-INT").0, Some(0));
}

#[test]
fn a_reset_makes_the_same_ids_again_and_drops_apps_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--control"]);
    let app = "/v2/users/owner/apps/app";
    let post = || {
        let body =
            json!({"inputs": [{"data": {"image": {"base64": "aGVsbG8="}}, "dataset_ids": ["d"]}]});
        let dataset = json!({"datasets": [{"id": "d"}]}).to_string();
        server.request("POST", &format!("{app}/datasets"), "owner-key", &dataset);
        let second = json!({"apps": [{"id": "second"}]}).to_string();
        let (status, _) = server.request("POST", "/v2/users/owner/apps", "owner-key", &second);
        assert_eq!(status, 200);
        let (_, posted) = server.request(
            "POST",
            &format!("{app}/inputs"),
            "owner-key",
            &body.to_string(),
        );
        assert_eq!(posted["status"]["code"], 10000, "{posted}");
        posted["inputs"][0]["id"].clone()
    };
    let first = post();
    assert_eq!(dump(&server)["inputs"][0]["dataset_ids"], json!(["d"]));
    assert_eq!(reset(&server).0, 200);
    let (_, apps) = server.request("GET", "/v2/users/owner/apps", "owner-key", "");
    assert_eq!(ids(&apps, "apps"), ["app"]);
    assert_eq!(post(), first);
    assert_eq!(server.stop("-INT").0, Some(0));
}

#[test]
fn the_paths_are_off_by_default_and_need_the_owner_and_a_store_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    for (method, action) in [("GET", "ready"), ("GET", "dump"), ("POST", "reset")] {
        let path = format!("/_annosync/{action}");
        assert_eq!(
            server.request(method, &path, "owner-key", "").0,
            404,
            "{action}"
        );
    }
    assert_eq!(server.stop("-INT").0, Some(0));

    let arguments = ["--control", "--db", "store.db", "--collaborator", "bea=b"];
    let server = Server::start(folder.path(), &arguments);
    for (key, expected) in [("", 401), ("wrong", 401), ("b", 403)] {
        for (method, action) in [("POST", "seed"), ("GET", "dump"), ("POST", "reset")] {
            let path = format!("/_annosync/{action}");
            let (status, _) = server.request(method, &path, key, "[]");
            assert_eq!(status, expected, "{action} with {key:?}");
        }
    }
    let seed = r#"[{"id":"a","input_id":"i"}]"#;
    assert_eq!(
        server
            .request("POST", "/_annosync/seed", "owner-key", seed)
            .0,
        200
    );
    let (status, answer) = reset(&server);
    let details = answer["status"]["details"].as_str().unwrap();
    assert_eq!(status, 409);
    assert!(
        details.contains("only one in memory can be reset"),
        "{details}"
    );
    assert!(ids(&dump(&server), "annotations").contains(&"a".to_owned()));
    assert_eq!(
        server.request("GET", "/_annosync/reset", "owner-key", "").0,
        405
    );
    assert_eq!(server.stop("-INT").0, Some(0));
}

#[test]
fn the_example_for_pytest_compiles() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pytest");
    let cache = tempfile::tempdir().unwrap();
    let mut files: Vec<_> = folder_of(&example)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    files.retain(|name| Path::new(name).extension().is_some_and(|it| it == "py"));
    files.sort();
    assert_eq!(files, ["conftest.py", "label.py", "test_label.py"]);
    let output = Command::new("python3")
        .args(["-m", "py_compile"])
        .args(&files)
        .current_dir(&example)
        .env("PYTHONPYCACHEPREFIX", cache.path())
        .output();
    let Ok(output) = output else {
        skipped("there is no python3");
        return;
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
}
