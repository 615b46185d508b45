//! annosync's own JSON Lines, through the binary.

use super::super::{World, folder_of, settled};

const LINES: &str = r#"{"id": "a", "image": {"path": "images/a.jpg", "width": 100, "height": 50}, "annotations": [{"box": {"top": 0.1, "left": 0.1, "bottom": 0.5, "right": 0.5}, "concepts": ["car"]}, {"concepts": {"night": 0}}]}
{"id": "b", "text": {"raw": "a cat\r\nsat"}, "annotations": [{"span": {"start": 2, "end": 5}, "concepts": ["cat"]}]}
"#;

const IMPORT: [&str; 4] = ["import", "lines.jsonl", "--out", "labels"];

#[test]
fn lines_are_recognised_and_apply() {
    let world = World::new();
    world.write("lines.jsonl", LINES);
    let run = world.run(&IMPORT).exits(0);
    assert!(
        run.stderr
            .starts_with("Recognised annosync's JSON Lines.\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout.contains("inputs: 2 new; annotations: 3 added"),
        "{}",
        run.stdout
    );
    world.run(&["apply", "--auto-approve"]).exits(0);
    settled(&world.run(&["plan", "--detailed-exitcode"]));
    let before = folder_of(world.path());
    world.run(&IMPORT).exits(0);
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn keys_are_taken_over_unless_the_manifest_has_them() {
    let world = World::new();
    let line = |first: &str, second: &str| {
        let boxes = [(first, "0.1", "0.5"), (second, "0.6", "0.9")].map(|(key, from, to)| {
            format!(
                r#"{{{key}"box": {{"top": {from}, "left": {from}, "bottom": {to}, "right": {to}}}, "concepts": ["car"]}}"#
            )
        });
        format!(
            "{{\"id\": \"a\", \"annotations\": [{}]}}\n",
            boxes.join(", ")
        )
    };
    world.write("lines.jsonl", &line(r#""key": "near", "#, ""));
    world.run(&IMPORT).exits(0);
    let first = world.read("labels/a.yaml");
    assert_eq!(first.matches("key: near").count(), 1, "{first}");
    // The annotation that has the key keeps it, whatever the file calls the other one.
    let moved = line("", r#""key": "near", "#);
    world.write("lines.jsonl", &moved);
    world.run(&IMPORT).exits(0);
    assert_eq!(world.read("labels/a.yaml"), first);
}

#[test]
fn one_wrong_line_costs_its_input_alone() {
    let world = World::new();
    world.write("lines.jsonl", &format!("{LINES}{{\"id\": \"c\", \"annot"));
    world
        .run(&IMPORT)
        .exits(5)
        .says("wrong_type")
        .says("lines.jsonl:3");
    world
        .run(&["validate"])
        .exits(0)
        .says("2 inputs, 3 annotations");
}

#[test]
fn an_export_keeps_keys() {
    let world = World::new();
    world.write("lines.jsonl", LINES);
    world.run(&IMPORT).exits(0);
    let text = world.read("labels/a.yaml");
    let with_key = text.replacen("      - box", "      - key: mine\n        box", 1);
    assert_ne!(with_key, text);
    world.write("labels/a.yaml", &with_key);
    let export = ["export", "jsonl", "--out", ".annosync/out.jsonl"];
    world.run(&export).exits(0);
    let lines = world.read(".annosync/out.jsonl");
    assert!(lines.contains(r#""key":"mine""#), "{lines}");
    world
        .run(&["import", ".annosync/out.jsonl", "--out", "labels"])
        .exits(0);
    assert_eq!(world.read("labels/a.yaml"), with_key);
}
