//! `list`: its filters and formats.

use super::{Run, World};
use crate::support::{boxed, whole, with};
use annosync::emulator::{Clock, Config};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

const EDGES: [f64; 4] = [0.1, 0.1, 0.5, 0.5];

/// Annotations of five makers on three inputs.
pub(super) fn world() -> World {
    let world = World::with(Config {
        clock: Clock::Ticking(1_767_225_600_000),
        ..Config::default()
    });
    world.seed(vec![
        whole("in-1", "mine", &[("car", 1.0)]),
        with(
            boxed("in-1", "beas", EDGES, &["car"]),
            "user_id",
            json!("bea"),
        ),
        with(
            with(
                whole("in-2", "pending", &[("tree", 0.0)]),
                "status",
                json!({"code": 24151}),
            ),
            "task_id",
            json!("task/1"),
        ),
        with(
            boxed("in-2", "found", EDGES, &["car"]),
            "model_version_id",
            json!("m-1"),
        ),
        with(
            boxed("in-3", "seen", EDGES, &["car"]),
            "model_version_id",
            json!("m-2"),
        ),
        with(
            with(
                boxed("in-3", "flowed", EDGES, &["car"]),
                "worker",
                json!({"workflow": {"version": {"id": "w-1"}}}),
            ),
            "user_id",
            json!(""),
        ),
    ]);
    world
}

/// The ids in a listing, without input-level annotations.
fn ids_in<'a>(annotations: impl IntoIterator<Item = &'a Value>) -> Vec<&'a str> {
    annotations
        .into_iter()
        .filter(|annotation| annotation["input_level"] != true)
        .map(|annotation| annotation["id"].as_str().unwrap())
        .collect()
}

/// The annotations of a listing in JSON Lines.
fn lines(run: &Run) -> Vec<Value> {
    let lines = run.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The ids in a table, without input-level annotations.
fn ids_of_table(run: &Run) -> Vec<&str> {
    assert!(run.stdout.starts_with("INPUT "), "{}", run.stdout);
    let rows = run.stdout.lines().skip(1);
    rows.map(|row| row.split_whitespace().collect::<Vec<_>>())
        .filter(|cells| cells[2] != "input-level")
        .map(|cells| cells[1])
        .collect()
}

#[test]
fn every_filter_narrows_every_format() {
    let world = world();
    for (flags, expected) in [
        ("", "mine beas pending"),
        ("--all", "mine beas pending found seen flowed"),
        ("--input-id in-2", "pending"),
        ("--input-id in-2 --all", "pending found"),
        (
            "--input-id in-1 --input-id in-3 --all",
            "mine beas seen flowed",
        ),
        ("--input-id in-2 --id found", "found"),
        (
            "--input-id in-2 --input-id in-1 --id pending --id mine",
            "mine pending",
        ),
        ("--input-id in-1 --id pending", ""),
        ("--user bea", "beas"),
        ("--model-version m-1", "found"),
        ("--model-version m-1 --model-version m-2", "found seen"),
        ("--workflow-version w-1", "flowed"),
        (
            "--user bea --model-version m-2 --workflow-version w-1",
            "beas seen flowed",
        ),
        ("--status pending", "pending"),
        ("--status 24151", "pending"),
        ("--status ANNOTATION_PENDING", "pending"),
        ("--status pending --status success --user bea", "beas"),
        ("--status failed", ""),
        ("--task task/1", "pending"),
        ("--task task/2", ""),
        ("--task task/1 --user bea", ""),
        ("--model-output --model-version m-1", "found"),
        ("--input-id nowhere", ""),
    ] {
        let words: Vec<&str> = flags.split_whitespace().collect();
        let expected: Vec<&str> = expected.split_whitespace().collect();
        let list = |format: &str| {
            let run = world
                .on_app(&[&["list", "--format", format], &words[..]].concat())
                .exits(0);
            assert_eq!(run.stderr, "");
            run
        };
        let listed = lines(&list("jsonl"));
        assert_eq!(ids_in(&listed), expected, "{flags}");
        let saved: Value = serde_json::from_str(&list("json").stdout).unwrap();
        assert_eq!(saved["annotations"], json!(listed), "{flags}");
        assert_eq!(saved["caller"], "owner");
        let read: Vec<Value> = serde_yaml::from_str(&list("yaml").stdout).unwrap();
        assert_eq!(read, listed, "{flags}");
        assert_eq!(ids_of_table(&list("table")), expected, "{flags}");
    }
}

#[test]
fn the_default_format_is_json_lines() {
    let world = world();
    let plain = world.on_app(&["list"]).exits(0);
    let lines = world.on_app(&["list", "--format", "jsonl"]).exits(0);
    assert_eq!(plain.stdout, lines.stdout);
}

#[test]
fn the_server_applies_all_filters_except_statuses() {
    let world = world();
    world
        .on_app(&[
            "list",
            "--model-output",
            "--task",
            "t 1",
            "--workflow-version",
            "w",
            "--status",
            "pending",
        ])
        .exits(0);
    let calls = world.emulator.calls();
    assert_eq!(
        calls[0].query,
        "page=1&per_page=1000&workflow_version_ids=w&task_id=t%201&return_model_output=true"
    );
}

#[test]
fn a_table_shows_places_concepts_and_makers() {
    let world = World::with(Config {
        clock: Clock::Ticking(1_767_225_600_000),
        ..Config::default()
    });
    let placed = |id: &str, place: Value| {
        let mut annotation = boxed("in-2", id, EDGES, &["car", "tree"]);
        annotation["data"]["regions"][0]["region_info"] = place;
        annotation
    };
    world.seed(vec![
        with(
            whole("in-1", "level", &[]),
            "input_level",
            json!(true),
        ),
        whole("in-1", "w", &[("car", 1.0), ("tree", 0.0), ("fog", 0.1)]),
        placed("p", json!({"point": {"row": 0.5}})),
        placed("k", json!({"keypoint_locations": [{"row": 0.5}]})),
        with(
            placed("m", json!({"mask": {"image": {"base64": "iVBORw=="}}})),
            "worker",
            json!({"model": {"model_version": {"id": "300b8e39a65e4f33ae4e15e86eaf4a3b"}}}),
        ),
        with(
            whole("in-\u{1b}[31m3", "evil\n", &[("c\u{202e}ar", 1.0)]),
            "status",
            json!({"code": 24151}),
        ),
        with(
            whole("in-3", "a-segment", &[]),
            "data",
            json!({"time_segments": [{"time_info": {"end_time": 1.0}, "data": {"concepts": [{"id": "goal", "value": 1}]}}]}),
        ),
        with(
            whole("in-3", "x", &[]),
            "data",
            json!({"concepts": (0..9).map(|n| json!({"id": format!("concept-{n}"), "value": 1})).collect::<Vec<_>>()}),
        ),
    ]);
    let run = world
        .on_app(&["list", "--format", "table", "--all"])
        .exits(0);
    insta::assert_snapshot!(run.stdout, @r"
    INPUT           ID                                PLACE        CONCEPTS                                  STATUS   MADE BY                                 CREATED
    in-1            level                             input-level  -                                         success  owner                                   2026-01-01T00:00:00Z
    in-1            w                                 whole        car, tree: false, fog: 0.1                success  owner                                   2026-01-01T00:00:00Z
    in-2            eb319a2a27779584e45237f56e836404  input-level  -                                         success  owner                                   2026-01-01T00:00:00.000Z
    in-2            p                                 point        car, tree                                 success  owner                                   2026-01-01T00:00:00Z
    in-2            k                                 keypoints    car, tree                                 success  owner                                   2026-01-01T00:00:00Z
    in-2            m                                 mask         car, tree                                 success  model 300b8e39a65e4f33ae4e15e86eaf4a3b  2026-01-01T00:00:00Z
    in-\u001b[31m3  36eabff5b63208006f38dba486f8ec82  input-level  -                                         success  owner                                   2026-01-01T00:00:00.000Z
    in-\u001b[31m3  evil\n                            whole        c\u202ear                                 pending  owner                                   2026-01-01T00:00:00Z
    in-3            f72839de0fabc9543a4dcb7b35d61460  input-level  -                                         success  owner                                   2026-01-01T00:00:00.000Z
    in-3            a-segment                         segment      goal                                      success  owner                                   2026-01-01T00:00:00Z
    in-3            x                                 whole        concept-0, concept-1, concept-2, concep…  success  owner                                   2026-01-01T00:00:00Z
    ");
    assert_eq!(
        world
            .on_app(&["list", "--format", "table", "--status", "failed"])
            .exits(0)
            .stdout,
        "INPUT  ID  PLACE  CONCEPTS  STATUS  MADE BY  CREATED\n"
    );
}

#[test]
fn data_is_printed_byte_for_byte() {
    let world = World::new();
    let strange = "a\u{7f}b\u{1b}[31m\u{9b}2J\u{85}\u{2028}";
    world.seed(vec![whole("in-1", strange, &[(strange, 1.0)])]);
    let list = |format: &str| world.on_app(&["list", "--format", format]).exits(0);
    let listed = lines(&list("jsonl"));
    assert_eq!(ids_in(&listed), [strange]);
    let saved: Value = serde_json::from_str(&list("json").stdout).unwrap();
    assert_eq!(saved["annotations"], json!(listed));
    let read: Vec<Value> = serde_yaml::from_str(&list("yaml").stdout).unwrap();
    assert_eq!(read, listed);
    let table = list("table").stdout;
    assert!(
        table.contains(r"a\u007fb\u001b[31m\u009b2J\u0085\u2028"),
        "{table}"
    );
}

#[test]
fn later_pages_of_a_table_keep_the_widths_of_the_first() {
    let world = World::with(Config {
        page_cap: Some(2),
        ..Config::default()
    });
    world.seed(vec![
        with(whole("in-1", "l", &[]), "input_level", json!(true)),
        whole("in-1", "short", &[("car", 1.0)]),
        whole("in-1", "very-long-indeed", &[("motorcycle", 1.0)]),
    ]);
    let run = world.on_app(&["list", "--format", "table"]).exits(0);
    insta::assert_snapshot!(run.stdout, @r"
    INPUT  ID     PLACE        CONCEPTS  STATUS   MADE BY  CREATED
    in-1   l      input-level  -         success  owner    2026-01-01T00:00:00Z
    in-1   short  whole        car       success  owner    2026-01-01T00:00:00Z
    in-1   very…  whole        motorcy…  success  owner    2026-01-01T00:00:00Z
    ");
}

#[test]
fn yaml_is_a_list_of_the_annotations_of_the_api() {
    let world = World::new();
    let strange = json!({"1_000": "on", "a": "2026-01-01", "b": "a: b # c\n\u{85}", "long": "x ".repeat(90), "n": null, "e": {}});
    world.seed(vec![
        with(
            boxed("in-1", "a", EDGES, &["no", "12e3"]),
            "annotation_info",
            strange,
        ),
        whole("in-1", "b", &[("y", 0.1)]),
    ]);
    let run = world
        .on_app(&["list", "--format", "yaml", "--user", "owner"])
        .exits(0);
    for quoted in [
        "id: \"no\"",
        "\"12e3\"",
        "\"1_000\": \"on\"",
        "\"2026-01-01\"",
        "id: \"y\"",
    ] {
        assert!(run.stdout.contains(quoted), "{quoted}: {}", run.stdout);
    }
    let read: Vec<Value> = serde_yaml::from_str(&run.stdout).unwrap();
    assert_eq!(
        read,
        lines(&world.on_app(&["list", "--user", "owner"]).exits(0))
    );
    let none = world
        .on_app(&["list", "--format", "yaml", "--status", "failed"])
        .exits(0);
    assert_eq!(none.stdout, "[]\n");
}

/// Serves pages of one annotation each. The second page waits until the test has received the first.
fn pages_that_wait(seen: mpsc::Receiver<()>) -> (String, std::thread::JoinHandle<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut was_seen = false;
        for page in 1..=4 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            head.read_line(&mut line).unwrap();
            assert!(line.contains(&format!("page={page}&")), "{line}");
            while line.trim_end() != "" {
                line.clear();
                head.read_line(&mut line).unwrap();
            }
            if page == 2 {
                was_seen = seen.recv_timeout(Duration::from_secs(60)).is_ok();
            }
            let annotations = match page {
                1 | 2 => format!(r#"{{"id":"a{page}","input_id":"in-1"}}"#),
                _ => String::new(),
            };
            let body = format!(r#"{{"status":{{"code":10000}},"annotations":[{annotations}]}}"#);
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
        was_seen
    });
    (url, server)
}

#[test]
fn a_page_is_printed_before_the_next_one_arrives() {
    for (format, first_lines) in [("jsonl", 1), ("table", 2), ("yaml", 1)] {
        let (seen, waiting) = mpsc::channel();
        let (url, server) = pages_that_wait(waiting);
        let folder = tempfile::tempdir().unwrap();
        let mut child = super::command(folder.path())
            .env("CLARIFAI_PAT", "key")
            .args(["list", "--format", format, "--endpoint", &url])
            .args(["--user-id", "owner", "--app-id", "app"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        for _ in 0..first_lines {
            stdout.read_line(&mut text).unwrap();
        }
        assert!(text.contains("a1"), "{format}: {text}");
        seen.send(()).unwrap();
        stdout.read_to_string(&mut text).unwrap();
        assert!(text.contains("a2"), "{format}: {text}");
        assert!(child.wait().unwrap().success());
        assert!(server.join().unwrap(), "{format} held its first page back");
    }
}

#[test]
fn a_closed_pipe_ends_a_listing_without_an_error() {
    for format in ["jsonl", "table", "yaml"] {
        let (seen, waiting) = mpsc::channel();
        let (url, _server) = pages_that_wait(waiting);
        let folder = tempfile::tempdir().unwrap();
        let mut child = super::command(folder.path())
            .env("CLARIFAI_PAT", "key")
            .args(["list", "--format", format, "--endpoint", &url])
            .args(["--user-id", "owner", "--app-id", "app"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 1];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        seen.send(()).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(
            (ended.status.code(), ended.stderr),
            (Some(0), Vec::new()),
            "{format}"
        );
    }
}

#[test]
fn each_id_needs_an_input_id() {
    let world = world();
    let flags = ["list", "--input-id", "in-1", "--id", "a", "--id", "b"];
    let run = world.on_app(&flags).exits(64);
    assert!(
        run.stderr.contains("2 --id and 1 --input-id"),
        "{}",
        run.stderr
    );
    let run = world.on_app(&["list", "--status", "finished"]).exits(64);
    assert!(run.stderr.contains("awaiting_review"), "{}", run.stderr);
    assert_eq!(world.emulator.calls(), []);
}
