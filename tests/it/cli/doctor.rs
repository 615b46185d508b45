//! `doctor`: what it finds, and what it says to do.

use super::{Run, World, app_flags, boxes, git, header};
use annosync::emulator::{Collaborator, Config};
use serde_json::Value;

fn doctor(world: &World, arguments: &[&str]) -> (Run, Vec<Value>) {
    let mut command = world.command();
    command
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .args([&["doctor", ".", "--json"], arguments].concat());
    let run = Run::of(command);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    (run, report["checks"].as_array().unwrap().clone())
}

fn states(checks: &[Value]) -> Vec<String> {
    let word = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    let one = |check| format!("{} {}", word(check, "name"), word(check, "state"));
    checks.iter().map(one).collect()
}

fn next<'c>(checks: &'c [Value], name: &str) -> &'c str {
    let check = checks.iter().find(|check| check["name"] == name).unwrap();
    check["next"].as_str().unwrap_or_default()
}

fn app(world: &World) -> Vec<String> {
    let url = world.emulator.url();
    app_flags(&url).map(str::to_owned).into()
}

#[test]
fn a_setup_in_order_has_no_errors_and_nothing_is_written() {
    let world = World::new();
    let inputs = boxes(0..2, "car").replace(
        "annotations:",
        "image: { url: \"https://a.example/1.jpg\" }\n    annotations:",
    );
    world.write("m.yaml", &format!("{}inputs:\n{inputs}", header()));
    git(world.path(), &["init", "-q"]);
    git(world.path(), &["add", "m.yaml"]);
    git(
        world.path(),
        &["config", "diff.annosync.command", "annosync diff --git"],
    );
    let app = app(&world);
    let app: Vec<&str> = app.iter().map(String::as_str).collect();
    let (run, checks) = doctor(&world, &app);
    run.exits(0);
    assert_eq!(
        states(&checks),
        [
            "manifest ok",
            "git ok",
            "git diff ok",
            "target ok",
            "token ok",
            "app ok",
            "rights ok",
            "clock ok",
            "rate ok",
            "pictures ok"
        ]
    );
    assert_eq!(world.writes(), []);
    // The header's file means the same manifest.
    let mut command = world.command();
    command
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .args([&["doctor", "m.yaml"], &app[..]].concat());
    Run::of(command)
        .exits(0)
        .says("ok       git       git version");
}

#[test]
fn what_is_missing_is_named_with_what_to_do() {
    let world = World::with(Config::default());
    world.write(
        "m.yaml",
        "version: 1\nset: s\npolicy: sync\ninputs:\n  - { id: a, annotation: [] }\n",
    );
    let (run, checks) = doctor(&world, &[]);
    let run = run.exits(1);
    assert_eq!(
        states(&checks),
        [
            "manifest error",
            "git warning",
            "target error",
            "token skipped",
            "app skipped",
            "rights skipped",
            "clock skipped",
            "rate skipped",
            "pictures skipped"
        ],
        "{}",
        run.stderr
    );
    assert!(next(&checks, "manifest").contains("annosync validate"));
    assert!(next(&checks, "git").contains("git init"));
    assert!(next(&checks, "target").contains("--user-id"));
}

#[test]
fn a_wrong_token_a_wrong_app_and_a_collaborator_are_told_apart() {
    let world = World::with(Config {
        collaborators: vec![Collaborator {
            user: "bea".to_owned(),
            key: "bea-key".to_owned(),
        }],
        ..Config::default()
    });
    world.write(
        "m.yaml",
        &format!("{}inputs:\n{}", header(), boxes(0..1, "car")),
    );
    let found = |world: &World, app_id: &str| {
        let mut arguments = app(world);
        app_id.clone_into(&mut arguments[5]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (_, checks) = doctor(world, &arguments);
        let from =
            |state: &String| ["token", "app", "rights"].contains(&state.split(' ').next().unwrap());
        states(&checks).into_iter().filter(from).collect::<Vec<_>>()
    };
    assert_eq!(found(&world, "app"), ["token ok", "app ok", "rights ok"]);
    assert_eq!(
        found(&world, "other"),
        ["token ok", "app error", "rights skipped"]
    );
    let world = world.with_key("bea-key");
    assert_eq!(
        found(&world, "app"),
        ["token ok", "app ok", "rights warning"]
    );
    let world = world.with_key("wrong-key");
    assert_eq!(
        found(&world, "app"),
        ["token error", "app skipped", "rights skipped"]
    );
}
