//! `emulator --record` and `--replay`: a run against a recording is the run that was recorded.

use super::serving::Server;
use super::{Run, boxes, command, settled};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::path::Path;

const APPLY: [&str; 3] = ["apply", "m.yaml", "--auto-approve"];
const PLAN: [&str; 3] = ["plan", "m.yaml", "--detailed-exitcode"];
const APP: &str = "/v2/users/owner/apps/app";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{}inputs:\n{}", super::header(), boxes(0..3, "car"));
    fs::write(folder.path().join("m.yaml"), text).unwrap();
    folder
}

/// The lines of a recording.
fn lines(folder: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A run of the emulator that ends at once.
fn refused(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = command(folder);
    command.args(["emulator", "--listen", "127.0.0.1:0"]);
    command.args(arguments);
    let run = Run::of(command);
    assert_eq!(run.stdout, "");
    run
}

#[test]
fn an_apply_runs_again_against_its_recording() {
    let folder = folder();
    let key = "a-token-of-the-owner";
    let arguments = ["--record", "calls.jsonl", "--owner-key", key];
    let server = Server::start(folder.path(), &arguments);
    let applied = server.run(folder.path(), key, &APPLY).exits(0);
    settled(&server.run(folder.path(), key, &PLAN));
    assert_eq!(server.stop("-INT").0, Some(0));

    let lines = lines(folder.path(), "calls.jsonl");
    assert_eq!(
        lines[0],
        json!({"format_version": "1.0", "recorded_from": "emulator"})
    );
    let posts = |it: &&Value| it["request"]["method"] == "POST";
    let posted = lines.iter().find(posts).unwrap();
    assert_eq!(posted["request"]["path"], format!("{APP}/annotations"));
    assert_eq!(posted["answer"]["status"], 200);
    let text = fs::read_to_string(folder.path().join("calls.jsonl")).unwrap();
    assert!(!text.contains(key) && !text.to_lowercase().contains("authorization"));

    // With another token, and without a store.
    let server = Server::start(folder.path(), &["--replay", "calls.jsonl", "--control"]);
    let again = server.run(folder.path(), "any", &APPLY).exits(0);
    assert_eq!(again.stdout, applied.stdout);
    settled(&server.run(folder.path(), "any", &PLAN));
    // From its start again.
    assert_eq!(
        server
            .request("POST", "/_annosync/reset", "owner-key", "")
            .0,
        200
    );
    let again = server.run(folder.path(), "any", &APPLY).exits(0);
    assert_eq!(again.stdout, applied.stdout);
    settled(&server.run(folder.path(), "any", &PLAN));
    let (status, _) = server.request("GET", "/_annosync/dump", "owner-key", "");
    assert_eq!(status, 409);

    let (status, answer) = server.request("GET", &format!("{APP}/annotation?page=1"), "any", "");
    let description = answer["status"]["description"].as_str().unwrap();
    assert_eq!((status, &answer["status"]["code"]), (404, &json!(11102)));
    let named = format!(
        "not recorded in calls.jsonl: `GET {APP}/annotation?page=1`; the nearest request is in line "
    );
    assert!(description.starts_with(&named), "{description}");
    assert_eq!(server.stop("-INT").0, Some(0));
}

#[test]
fn calls_are_forwarded_with_the_callers_token_and_recorded() {
    let folder = folder();
    let key = "the-token-of-a-real-app";
    let real = Server::start(folder.path(), &["--owner-key", key, "--control"]);
    let arguments = [
        "--record",
        "calls.jsonl",
        "--forward",
        &real.url,
        "--control",
    ];
    let server = Server::start(folder.path(), &arguments);
    let applied = server.run(folder.path(), key, &APPLY).exits(0);
    settled(&server.run(folder.path(), key, &PLAN));
    // The endpoint checks the token, and answers calls that the emulator does not know.
    let (status, answer) = server.request("GET", &format!("{APP}/annotations"), "owner-key", "");
    assert_eq!((status, &answer["status"]["code"]), (401, &json!(11008)));
    assert_eq!(server.request("GET", "/v2/unknown?a=b", key, "").0, 404);
    let (_, scopes) = server.request("POST", &format!("{APP}/keys"), key, r#"{"keys":[{}]}"#);
    assert_eq!(scopes["status"]["code"], 11101);
    // A token in a body reaches the endpoint, and not the recording.
    let noted = json!({"concepts": [{"id": "note", "name": format!("by {key}")}]}).to_string();
    let (status, answer) = server.request("POST", &format!("{APP}/concepts"), key, &noted);
    assert_eq!(status, 200);
    assert_eq!(answer["concepts"][0]["name"], format!("by {key}"));
    let (status, answer) = server.request("POST", "/_annosync/reset", "owner-key", "");
    assert_eq!(status, 409, "{answer}");
    let (_, dump) = real.request("GET", "/_annosync/dump", key, "");
    assert_eq!(dump["inputs"].as_array().unwrap().len(), 3);
    assert_eq!(real.stop("-INT").0, Some(0));
    let (status, answer) = server.request("GET", "/v2/users/me", key, "");
    let details = answer["status"]["details"].as_str().unwrap();
    assert_eq!(status, 502);
    assert!(
        details.starts_with("cannot forward the call: http://127.0.0.1:"),
        "{details}"
    );
    assert_eq!(server.stop("-INT").0, Some(0));

    let text = fs::read_to_string(folder.path().join("calls.jsonl")).unwrap();
    assert!(!text.contains(key), "{text}");
    let lines = lines(folder.path(), "calls.jsonl");
    assert!(
        lines[0]["recorded_from"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    let last = lines.last().unwrap();
    assert_eq!(last["request"]["json"]["concepts"][0]["name"], "by <token>");
    assert_eq!(last["answer"]["json"]["concepts"][0]["name"], "by <token>");
    let with_keys = |it: &&Value| {
        it["request"]["path"]
            .as_str()
            .is_some_and(|it| it.ends_with("/keys"))
    };
    assert_eq!(lines.iter().filter(with_keys).count(), 0);
    assert_eq!(lines[lines.len() - 2]["request"]["query"], "a=b");

    let server = Server::start(folder.path(), &["--replay", "calls.jsonl"]);
    let again = server.run(folder.path(), key, &APPLY).exits(0);
    assert_eq!(again.stdout, applied.stdout);
    settled(&server.run(folder.path(), key, &PLAN));
    let noted = noted.replace(key, "another-token-of-mine");
    let path = format!("{APP}/concepts");
    let (status, _) = server.request("POST", &path, "another-token-of-mine", &noted);
    assert_eq!(status, 200);
    assert_eq!(server.stop("-INT").0, Some(0));
}

#[test]
fn calls_are_not_forwarded_to_the_emulator_itself() {
    let folder = folder();
    // No one listens there now.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    for endpoint in [
        format!("http://{address}"),
        format!("http://localhost:{}", address.port()),
    ] {
        let mut command = command(folder.path());
        command.args(["emulator", "--listen", &address.to_string()]);
        command.args(["--record", "calls.jsonl", "--forward", &endpoint]);
        let run = Run::of(command).exits(64);
        let why = "the emulator itself listens there, on 127.0.0.1:";
        assert!(run.stderr.contains(why), "{}", run.stderr);
    }
    assert!(!folder.path().join("calls.jsonl").exists());
}

#[test]
fn uploaded_files_are_replayed_at_the_new_address() {
    let folder = folder();
    let upload =
        json!({"inputs": [{"id": "i", "data": {"text": {"base64": "eyJhIjoxfQ=="}}}]}).to_string();
    let upload = |server: &Server| {
        let (status, posted) =
            server.request("POST", &format!("{APP}/inputs"), "owner-key", &upload);
        assert_eq!(status, 200, "{posted}");
        let url = posted["inputs"][0]["data"]["text"]["url"].as_str().unwrap();
        let path = url.strip_prefix(&server.url).unwrap();
        assert_eq!(server.request("GET", path, "", ""), (200, json!({"a": 1})));
    };
    for arguments in [["--record", "calls.jsonl"], ["--replay", "calls.jsonl"]] {
        let server = Server::start(folder.path(), &arguments);
        upload(&server);
        assert_eq!(server.stop("-INT").0, Some(0));
    }
}

#[test]
fn faulty_recordings_and_options_are_refused() {
    let folder = folder();
    let path = folder.path();
    let whole = "{\"format_version\":\"1.0\",\"recorded_from\":\"emulator\"}\n";
    fs::write(path.join("cut.jsonl"), format!("{whole}{{\"request\":{{")).unwrap();
    fs::write(path.join("new.jsonl"), whole.replace("1.0", "9.0")).unwrap();
    fs::write(path.join("empty.jsonl"), "").unwrap();
    for (arguments, exit, why) in [
        (&["--record", "m.yaml"][..], 1, "m.yaml exists already"),
        (
            &["--record", "no/calls.jsonl"],
            1,
            "cannot create no/calls.jsonl",
        ),
        (
            &["--replay", "missing.jsonl"],
            1,
            "cannot read missing.jsonl",
        ),
        (
            &["--replay", "cut.jsonl"],
            1,
            "cut.jsonl:2:12: the line is cut off",
        ),
        (
            &["--replay", "new.jsonl"],
            1,
            "new.jsonl:1:1: the recording has format 9.0",
        ),
        (
            &["--replay", "empty.jsonl"],
            1,
            "empty.jsonl:1:1: the file is empty",
        ),
        (
            &["--replay", "m.yaml"],
            64,
            "m.yaml is a part of a manifest, not a recording",
        ),
        (
            &["--replay", "cut.jsonl", "--db", "a.db"],
            64,
            "cannot be used with",
        ),
        (&["--forward", "http://127.0.0.1:1"], 64, "--record"),
        (
            &["--record", "a.jsonl", "--forward", "http://example.com"],
            64,
            "plain http",
        ),
    ] {
        let run = refused(path, arguments).exits(exit);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    }
    assert!(!path.join("a.jsonl").exists());
    assert!(
        fs::read_to_string(path.join("m.yaml"))
            .unwrap()
            .contains("inputs:")
    );
    let mut show = command(path);
    show.args(["show", "new.jsonl"]);
    let show = Run::of(show).exits(64);
    assert!(
        show.stderr.contains("annosync emulator --replay new.jsonl"),
        "{}",
        show.stderr
    );
}
