//! All text from outside is escaped: from manifests, apps, servers, paths, the environment and the command line.
//!
//! The binary runs with colours. Without these, its output must have no control characters.

use super::{Run, World, boxes, header, proxy};
use annosync::render::escape;
use serde_json::json;
use std::borrow::Cow;
use std::fs;

/// A colour that annosync does not use, a window title, a C1 code that clears the screen, characters that overwrite a line,
/// bidirectional controls, and characters without width.
const HOSTILE: &str = "\u{1b}[35m\u{1b}]0;x\u{7}\u{9b}2J\r\u{8}\u{7f}\u{202e}\u{2066}\u{200f}\u{61c}\u{feff}\u{e0041}x";

/// Runs the binary with colours and the most verbose output.
fn run(world: &World, arguments: &[&str]) -> Run {
    let mut command = world.command();
    command
        .env("CLICOLOR_FORCE", "1")
        .arg("-vv")
        .args(arguments);
    Run::of(command)
}

/// A text without annosync's colour codes.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';');
        match end.map(|end| part.split_at(end)) {
            Some((code, rest)) if rest.starts_with('m') && !code.contains("35") => {
                plain.push_str(&rest[1..]);
            }
            _ => plain.extend(["\u{1b}[", part]),
        }
    }
    plain
}

#[track_caller]
fn is_harmless(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        for line in without_colours(text).lines() {
            assert!(
                matches!(escape(line), Cow::Borrowed(_)),
                "{line:?}\n{run:#?}"
            );
        }
    }
}

#[test]
fn every_harmful_character_is_found() {
    assert!(matches!(escape(HOSTILE), Cow::Owned(_)));
    assert_eq!(
        without_colours("\u{1b}[1m\u{1b}[94ma\u{1b}[0m\u{1b}[35m"),
        "a\u{1b}[35m"
    );
}

#[test]
fn text_of_manifests_is_escaped() {
    let world = World::new();
    let json = serde_json::to_string(HOSTILE).unwrap();
    let yaml = json.clone();
    let texts = [
        format!("inputs:\n  - id: {yaml}\n    annotations: [{{ {yaml}: 1 }}]\n"),
        format!(
            "inputs:\n  - id: a\n    annotations: [{{ status: {yaml}, user: {yaml}, key: {yaml}, box: {yaml} }}]\n"
        ),
        format!(
            "inputs:\n  - id: a\n    annotations: [{{ mask: {{ path: {yaml} }} }}, {{ mask: {{ url: {yaml} }} }}]\n"
        ),
        format!(
            "inputs:\n  - id: a\n    annotations: [{{ concepts: [{yaml}, b{yaml}] }}]\n    {HOSTILE}: 1\n"
        ),
        format!("{yaml}: 1\ninputs: []\n"),
        format!("# {HOSTILE}\ninputs: [{{ idd: a }}]\n"),
        "inputs: [{ idd: a, x: 1 }] # \u{9b}2J \u{202e} \u{2066} \u{feff} \u{85}\n".to_owned(),
        "inputs: [{ \u{202e}idd\u{200f}: !\u{202e} a, x: *\u{202e} }]\n".to_owned(),
        "inputs:\t[{ idd: a }]\n".to_owned(),
    ];
    for text in texts {
        for extension in ["yaml", "json", "jsonl"] {
            let text = match extension {
                "yaml" => text.clone(),
                _ => format!(
                    "{{\"id\": {json}, {json}: [{json}], \"annotations\": [{{{json}: \"{HOSTILE}\"}}]}}"
                ),
            };
            world.write("m/annosync.yaml", &header());
            let name = format!("m/labels/a{HOSTILE}.{extension}");
            world.write(&name, &text);
            let validated = run(&world, &["validate", "m"]);
            assert_ne!(validated.code, 0, "{text}");
            is_harmless(&validated);
            is_harmless(&run(&world, &["plan", "m", "--embedded", "s.db"]));
            fs::remove_file(world.path().join(name)).unwrap();
        }
    }
}

#[test]
fn text_of_apps_is_escaped() {
    let world = World::new();
    let hostile = |id: &str, input: &str| {
        json!({"id": id, "input_id": input, "user_id": "owner",
            "data": {"concepts": [{"id": "car", "value": 1, "name": HOSTILE}],
                     "text": {"raw": HOSTILE}, "metadata": {HOSTILE: [HOSTILE]}, HOSTILE: HOSTILE},
            "annotation_info": {HOSTILE: HOSTILE}})
    };
    world.seed(vec![
        hostile("a", "in-000"),
        hostile("b", "in-001"),
        json!({"id": "c", "input_id": "in-001", "user_id": "owner", "data": {"concepts": [{"id": HOSTILE, "value": 1}]}}),
        json!({"id": "d", "input_id": "in-001", "user_id": "owner", "data": {"regions": [{"track_id": HOSTILE,
            "data": {"concepts": [{"id": "car", "value": 1}], "text": {"raw": HOSTILE}},
            "region_info": {"span": {"char_end": 3, "raw_text": HOSTILE}}}]}}),
        json!({"id": "e", "input_id": "in-001", "data": {"concepts": [{"id": "car"}]}, "model_version_id": HOSTILE}),
    ]);
    let url = world.emulator.url();
    let app = ["--endpoint", &url, "--user-id", "owner", "--app-id", "app"];
    let on_app = |arguments: &[&str]| run(&world, &[arguments, &app].concat());
    world.declare(
        "  - id: in-000\n    annotations: [{ id: a, concepts: [tree], metadata: { k: v }, text: t, info: { k: v } }]\n  \
         - id: in-001\n    annotations: []\n",
    );
    for format in ["table", "jsonl", "json", "yaml"] {
        let listed = on_app(&["list", "--all", "--format", format]);
        is_harmless(&listed.exits(0));
    }
    for arguments in [
        &["plan", "m.yaml", "--full", "--out", "plan.json"][..],
        &["plan", "m.yaml", "--format", "json"],
        &["apply", "m.yaml", "--dry-run"],
        &["pull", "pulled", "--model-made", "include", "--check"],
        &["pull", "pulled", "--model-made", "include"],
        &["pull", "m.yaml", "--check"],
    ] {
        is_harmless(&on_app(arguments));
    }
    // The annotation is changed after the plan.
    world.someone_labels("in-000", "a", "stone");
    is_harmless(&run(&world, &["apply", "plan.json", "--auto-approve"]));
    is_harmless(&on_app(&["apply", "m.yaml", "--auto-approve"]).exits(0));
    for id in [HOSTILE, "in-\u{202e}002"] {
        world.seed(vec![
            json!({"id": "x", "input_id": id, "user_id": "owner", "data": {}}),
        ]);
        is_harmless(&on_app(&["plan", "m.yaml"]).exits(0));
        is_harmless(&on_app(&["list", "--format", "table"]).exits(0));
    }
}

#[test]
fn answers_of_servers_are_escaped() {
    use axum::http::StatusCode;
    use axum::response::IntoResponse as _;
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let status = |code: u32| {
        json!({"status": {"code": code, "description": HOSTILE, "details": HOSTILE, "req_id": HOSTILE}}).to_string()
    };
    let answers = [
        (400, status(11102)),
        (401, status(11009)),
        (404, status(11101)),
        (200, HOSTILE.to_owned()),
        (200, format!("{{\"status\": \"{HOSTILE}")),
        (
            200,
            json!({"status": {"code": 10000}, "user": {"id": HOSTILE}}).to_string(),
        ),
        (
            200,
            json!({"status": {"code": 10000}, "user": {"id": "owner"}, "annotations": HOSTILE})
                .to_string(),
        ),
        (
            200,
            json!({"status": {"code": 10000}, "user": {"id": "owner"},
            "annotations": [{"id": HOSTILE, "input_id": HOSTILE, "data": HOSTILE}]})
            .to_string(),
        ),
    ];
    for (http, body) in answers {
        let answer = body.clone();
        let url = world.block_on(proxy::answering(move |_| {
            (StatusCode::from_u16(http).unwrap(), answer.clone()).into_response()
        }));
        for command in [
            &["plan", "m.yaml"][..],
            &["list", "--format", "table"],
            &["pull", "p"],
        ] {
            let app = ["--endpoint", &url, "--user-id", "owner", "--app-id", "app"];
            is_harmless(&run(&world, &[command, &app].concat()));
        }
    }
    // One refused annotation in a successful answer.
    let proxy_action = proxy::ProxyAction::Answer(|answer| {
        answer["status"] = json!({"code": 10010, "description": HOSTILE});
        answer["annotations"][0]["status"] =
            json!({"code": 24155, "description": HOSTILE, "details": "why"});
    });
    let url = world.block_on(proxy::start(world.emulator.url(), proxy_action));
    let app = ["--endpoint", &url, "--user-id", "owner", "--app-id", "app"];
    let applied = run(
        &world,
        &[&["apply", "m.yaml", "--auto-approve"], &app[..]].concat(),
    );
    is_harmless(&applied);
}

#[test]
fn arguments_are_escaped() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let flag = format!("--{HOSTILE}");
    let file = format!("{HOSTILE}.yaml");
    let endpoint = format!("https://{HOSTILE}");
    for arguments in [
        &["plan", "m.yaml", "--target", HOSTILE][..],
        &["plan", "m.yaml", &flag],
        &["plan", "m.yaml", "--format", HOSTILE],
        &["plan", "m.yaml", "--concurrency", HOSTILE],
        &[HOSTILE],
        &["plan", &file],
        &["validate", HOSTILE],
        &["apply", HOSTILE],
        &["plan", "m.yaml", "--observed", HOSTILE],
        &["plan", "m.yaml", "--embedded", "m.yaml/\u{1b}[35m"],
        &[
            "plan",
            "m.yaml",
            "--pat-file",
            HOSTILE,
            "--endpoint",
            "https://x",
            "--user-id",
            "a",
            "--app-id",
            "b",
        ],
        &[
            "plan",
            "m.yaml",
            "--endpoint",
            HOSTILE,
            "--user-id",
            "a",
            "--app-id",
            "b",
        ],
        &[
            "plan",
            "m.yaml",
            "--endpoint",
            &endpoint,
            "--user-id",
            "a",
            "--app-id",
            "b",
        ],
        &[
            "plan",
            "m.yaml",
            "--user-id",
            HOSTILE,
            "--app-id",
            HOSTILE,
            "--endpoint",
            "http://127.0.0.1:1",
        ],
        &[
            "list",
            "--input-id",
            HOSTILE,
            "--endpoint",
            "http://127.0.0.1:1",
            "--user-id",
            "a",
            "--app-id",
            "b",
        ],
        &["list", "--status", HOSTILE],
        &["pull", HOSTILE, "--embedded", HOSTILE],
        &["pull", "p", "--set", HOSTILE, "--embedded", "s.db"],
        &["pull", "p", "--input", HOSTILE, "--embedded", "s.db"],
        &["import", "coco", HOSTILE],
        &["import", HOSTILE],
        &["emulator", "--listen", HOSTILE],
        &["emulator", "--listen", "127.0.0.1:0", "--seed", HOSTILE],
        &[
            "emulator",
            "--listen",
            "127.0.0.1:0",
            "--db",
            "m.yaml/\u{1b}[35m\u{9b}",
        ],
        &["emulator", "--collaborator", HOSTILE],
    ] {
        let ended = run(&world, arguments);
        is_harmless(&ended);
    }
}

#[test]
fn environment_variables_are_escaped() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let app = ["--user-id", "owner", "--app-id", "app"];
    for name in [
        "CLARIFAI_API_BASE",
        "CLARIFAI_USER_ID",
        "CLARIFAI_APP_ID",
        "CLARIFAI_PAT",
        "RUST_LOG",
    ] {
        let mut command = world.command();
        command
            .env("CLICOLOR_FORCE", "1")
            .env("CLARIFAI_API_BASE", "http://127.0.0.1:1")
            .env(name, HOSTILE)
            .args(["plan", "m.yaml", "-vv"]);
        if !name.ends_with("_ID") {
            command.args(app);
        }
        let ended = Run::of(command).exits(if name.ends_with("_ID") { 64 } else { 1 });
        is_harmless(&ended);
    }
}

#[test]
fn text_of_plan_files_is_escaped() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    world.plan(&["--out", "plan.json"]).exits(0);
    let hostile = serde_json::to_string(HOSTILE).unwrap();
    for (from, to) in [
        ("\"2.0\"", hostile.as_str()),
        ("\"post\"", &hostile),
        ("\"app\"", &hostile),
        ("\"not_on_remote\"", &hostile),
        (
            "\"blind_spots\": []",
            &format!("\"blind_spots\": [{hostile}]"),
        ),
    ] {
        let text = world.read("plan.json");
        assert!(text.contains(from), "{from}\n{text}");
        world.write("altered.json", &text.replacen(from, to, 1));
        is_harmless(&run(&world, &["apply", "altered.json", "--dry-run"]));
        is_harmless(&run(&world, &["apply", "altered.json"]));
    }
}

#[test]
fn every_harmful_character_of_a_server_is_escaped() {
    use axum::http::StatusCode;
    use axum::response::IntoResponse as _;
    let world = World::new();
    let all: String = (0..=0x000e_ffff)
        .filter_map(char::from_u32)
        .filter(|c| annosync::model::is_harmful(*c))
        .collect();
    let body = json!({"status": {"code": 11102, "description": format!("<{all}>")}}).to_string();
    let url = world.block_on(proxy::answering(move |_| {
        (StatusCode::BAD_REQUEST, body.clone()).into_response()
    }));
    let app = ["--endpoint", &url, "--user-id", "owner", "--app-id", "app"];
    let listed = world.run(&[&["list"], &app[..]].concat()).exits(1);
    // White space becomes a space; all other characters were escaped, not removed.
    let shown = listed.stderr.split_once('<').unwrap().1;
    let shown = shown.split_once('>').unwrap().0;
    assert_eq!(shown.trim(), "", "{}", listed.stderr);
}
