//! The token never appears in output.

use super::{World, boxes, folder_of, proxy};
use annosync::api::{Connection, InsecureHttp, Token, connect};
use annosync::emulator::{Config, Endpoint, Fault};
use annosync::wire::Code;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};

/// A unique text.
const MARKER: &str = "pat-5f0c2e9b-marker";

/// Runs the binary with each of these arguments; checks the exit code, and that the token is not in the output.
#[track_caller]
fn run_without_showing_the_token(world: &World, runs: Vec<(Vec<&str>, i32)>) {
    for (arguments, code) in runs {
        let run = world.run(&arguments).exits(code);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(!said.contains("marker"), "{arguments:?}\n{said}");
    }
}

#[test]
fn no_output_and_no_file_contains_the_token() {
    let world = World::with(Config {
        owner_key: MARKER.to_owned(),
        ..Config::default()
    })
    .with_key(MARKER);
    world.write("secret/pat", MARKER);
    world.declare(&boxes(0..3, "car"));
    let url = world.emulator.url();
    let app = [
        "--endpoint",
        &url,
        "--user-id",
        "owner",
        "--app-id",
        "app",
        "-vv",
    ];
    let wrong_app = [
        "--endpoint",
        &url,
        "--user-id",
        "owner",
        "--app-id",
        "other",
        "-vv",
    ];
    let nowhere = [
        "--endpoint",
        "http://127.0.0.1:1",
        "--user-id",
        "owner",
        "--app-id",
        "app",
        "-vv",
    ];
    let file = ["--pat-file", "secret/pat"];
    let faults = world.emulator.faults();
    faults.next(Endpoint::GetUser, Fault::Unavailable(503));
    faults.next(Endpoint::ListAnnotations, Fault::DropAfter);
    let code = Code::ANNOTATION_INVALID_ARGUMENT;
    let items = vec![1];
    faults.next(Endpoint::PostAnnotations, Fault::FailItems { items, code });
    let runs = [
        (
            [&["plan", "m.yaml", "--out", "plan.json"], &app[..]].concat(),
            0,
        ),
        ([&["apply", "m.yaml", "--dry-run"], &app[..]].concat(), 0),
        (
            [&["apply", "m.yaml", "--auto-approve"], &app[..]].concat(),
            5,
        ),
        (
            [&["apply", "plan.json", "--auto-approve", "-vv"], &file[..]].concat(),
            0,
        ),
        (
            [&["list", "--all", "--format", "json"], &app[..], &file].concat(),
            0,
        ),
        ([&["list"], &app[..]].concat(), 0),
        ([&["plan", "m.yaml"], &wrong_app[..]].concat(), 1),
        ([&["plan", "m.yaml"], &nowhere[..]].concat(), 1),
        (
            [&["plan", "m.yaml", "--format", "json"], &app[..]].concat(),
            0,
        ),
        (
            vec![
                "plan",
                "m.yaml",
                "--endpoint",
                "ftp://x",
                "--user-id",
                "a",
                "--app-id",
                "b",
            ],
            1,
        ),
        (vec!["validate", "m.yaml", "-vv"], 0),
    ];
    run_without_showing_the_token(&world, runs.into());
    std::fs::remove_file(world.path().join("secret/pat")).unwrap();
    for (name, text) in folder_of(world.path()) {
        assert!(!text.contains(MARKER), "{name}");
    }
    world.is_settled();
}

#[test]
fn no_other_command_shows_the_token() {
    let config = Config {
        owner_key: MARKER.to_owned(),
        ..Config::default()
    };
    let world = World::with(config).with_key(MARKER);
    world.declare(&boxes(0..3, "car"));
    let url = world.emulator.url();
    let app = [
        "--endpoint",
        &url,
        "--user-id",
        "owner",
        "--app-id",
        "app",
        "-vv",
    ];
    let wrong_app = [
        "--endpoint",
        &url,
        "--user-id",
        "owner",
        "--app-id",
        "other",
        "-vv",
    ];
    world
        .on_app(&["apply", "m.yaml", "--auto-approve"])
        .exits(0);
    let runs = vec![
        ([&["apply", "m.yaml", "--out", "x"], &app[..]].concat(), 64),
        (
            [&["pull", "pulled", "--set", "street"], &app[..]].concat(),
            0,
        ),
        ([&["pull", "pulled", "--check"], &app[..]].concat(), 0),
        ([&["list", "--format", "table"], &app[..]].concat(), 0),
        ([&["list", "--format", "yaml"], &app[..]].concat(), 0),
        ([&["list", "--format", "jsonl"], &wrong_app[..]].concat(), 1),
        (
            vec!["import", "coco", "m.yaml", "--out", "imported.yaml", "-vv"],
            64,
        ),
        (
            vec![
                "emulator",
                "--owner-key",
                MARKER,
                "--listen",
                "203.0.113.1:1",
                "-vv",
            ],
            1,
        ),
    ];
    run_without_showing_the_token(&world, runs);
    for (name, text) in folder_of(world.path()) {
        assert!(!text.contains(MARKER), "{name}");
    }
}

/// An answer that contains the caller's token.
type Echo = fn(&str) -> Response;

/// Possible answers of a server that repeats the token.
fn echoes() -> Vec<(&'static str, Echo)> {
    vec![
        ("a description", |token| {
            let body = format!(
                r#"{{"status":{{"code":11102,"description":"no: {token}","details":"{token}"}}}}"#
            );
            (StatusCode::BAD_REQUEST, body).into_response()
        }),
        ("a key of no user", |token| {
            let body =
                format!(r#"{{"status":{{"code":11009,"description":"Key {token} is nobody's"}}}}"#);
            (StatusCode::UNAUTHORIZED, body).into_response()
        }),
        ("HTML as an error", |token| {
            (StatusCode::FORBIDDEN, Html(format!("<p>{token}"))).into_response()
        }),
        ("HTML as a success", |token| {
            Html(format!("<p>{token}")).into_response()
        }),
        ("a redirect", |token| {
            let to = format!("https://annosync.invalid/login?key={token}");
            (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
        }),
        ("an outage", |token| {
            let body = format!(r#"{{"status":{{"code":98004,"description":"{token}"}}}}"#);
            let wait = [(header::RETRY_AFTER, "100000")];
            (StatusCode::SERVICE_UNAVAILABLE, wait, body).into_response()
        }),
        ("the caller's id", |token| {
            let status = r#"{"code":10000}"#;
            format!(r#"{{"status":{status},"user":{{"id":"{token}"}},"annotations":[]}}"#)
                .into_response()
        }),
        ("ids that are none", |token| {
            let status = r#"{"code":10000}"#;
            let annotation = format!(r#"{{"id":"{token}\n","input_id":"{token}\u001b"}}"#);
            format!(r#"{{"status":{status},"user":{{"id":"owner"}},"annotations":[{annotation}]}}"#)
                .into_response()
        }),
        ("data of another form", |token| {
            let status = r#"{"code":10000}"#;
            let annotation =
                format!(r#"{{"id":"a","input_id":"i","data":{{"regions":"{token}"}}}}"#);
            format!(r#"{{"status":{status},"user":{{"id":"owner"}},"annotations":[{annotation}]}}"#)
                .into_response()
        }),
        ("another form", |token| {
            format!(r#"{{"status":{{"code":10000}},"user":"{token}","annotations":"{token}"}}"#)
                .into_response()
        }),
    ]
}

#[test]
fn a_token_repeated_by_the_server_is_not_shown() {
    let world = World::new().with_key(MARKER);
    world.declare(&boxes(0..1, "car"));
    for (what, echo) in echoes() {
        let url = world.block_on(proxy::answering(move |request| {
            let key = request.headers()[header::AUTHORIZATION].to_str().unwrap();
            echo(key.strip_prefix("Key ").unwrap())
        }));
        for command in [
            &["plan", "m.yaml", "--out", "plan.json"][..],
            &["apply", "m.yaml", "--auto-approve"],
            &["pull", "pulled"],
            &["list", "--format", "json"],
            &["list", "--format", "table"],
        ] {
            let app = [
                "--endpoint",
                &url,
                "--user-id",
                "owner",
                "--app-id",
                "app",
                "-vv",
            ];
            let run = world.run(&[command, &app].concat());
            // A listing prints the server's data, including ids, unless it is not a valid listing.
            if command[0] != "list" {
                assert_eq!(run.code, 1, "{what} {command:?}\n{}", run.stderr);
                assert!(!run.stdout.contains("marker"), "{what}\n{}", run.stdout);
            }
            assert!(
                !run.stderr.contains("marker"),
                "{what} {command:?}\n{}",
                run.stderr
            );
        }
        for (name, text) in folder_of(world.path()) {
            assert!(!text.contains(MARKER), "{what} {name}");
        }
    }
}

#[test]
fn a_panic_does_not_show_the_token() {
    let world = World::new();
    let endpoint =
        annosync::api::Endpoint::new(&world.emulator.url(), InsecureHttp::Refuse).unwrap();
    let token = Token::new(MARKER).unwrap();
    let connection = Connection::new(endpoint, "owner".into(), "app".into(), token.clone());
    let (reader, writer) = connect(&connection).unwrap();
    let config = Config {
        owner_key: MARKER.to_owned(),
        ..Config::default()
    };
    let shown = format!(
        "{token:?} {connection:?} {connection:#?} {reader:?} {reader:#?} {writer:?} {writer:#?} {config:?}"
    );
    let panicked = std::panic::catch_unwind(|| panic!("{shown}")).unwrap_err();
    let message = panicked.downcast_ref::<String>().unwrap();
    assert!(message.contains("Token(…)"), "{message}");
    assert!(!message.contains("marker"), "{message}");
}

#[test]
fn rejected_and_malformed_tokens_are_not_shown() {
    let world = World::new().with_key(MARKER);
    world.declare(&boxes(0..1, "car"));
    let run = world.plan(&["-vv"]).exits(1);
    assert!(run.stderr.contains("not authorised"));
    assert!(!run.stderr.contains(MARKER), "{}", run.stderr);
    let world = world.with_key("pat with-marker spaces");
    let run = world.plan(&["-vv"]).exits(1);
    assert!(
        run.stderr
            .contains("error: the token contains characters that are not allowed in a token")
    );
    assert!(!run.stderr.contains("marker"), "{}", run.stderr);
    world.write("pat", "");
    let run = world.plan(&["--pat-file", "pat"]).exits(1);
    assert!(
        run.stderr.contains("error: the token is empty"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_token_file_may_end_with_a_line_feed_and_overrides_the_environment() {
    let world = World::new().with_key("nobody's");
    world.declare(&boxes(0..1, "car"));
    world.write("pat", "owner-key\n");
    world.plan(&["--pat-file", "pat"]).exits(0);
    let run = world.plan(&["--pat-file", "missing"]).exits(1);
    assert!(
        run.stderr.contains("error: missing does not exist"),
        "{}",
        run.stderr
    );
}
