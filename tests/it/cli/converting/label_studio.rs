//! Label Studio exports, through the binary.

use super::super::{World, folder_of, settled};
use serde_json::{Value, json};

fn boxed(id: &str, x: f64, label: &str) -> Value {
    json!({"id": id, "from_name": "box", "to_name": "img", "type": "rectanglelabels", "original_width": 640,
        "original_height": 480, "value": {"x": x, "y": 20, "width": 10, "height": 10, "rotation": 0,
        "rectanglelabels": [label]}})
}

/// Two pictures, the second by two annotators, and a text.
fn export() -> Value {
    let work = |by: &str, results: Value| json!({"completed_by": {"email": by}, "result": results});
    let text = "Gr\u{fc}\u{df}e \u{1f1e8}\u{1f1ed}\r\nfrom Ada";
    json!([
        {"id": 1, "data": {"image": "/data/local-files/?d=street/a.jpg"}, "annotations": [
            work("ada@example.com", json!([boxed("r1", 5.0, "car"), boxed("r2", 45.0, "bus")]))]},
        {"id": 2, "data": {"image": "/data/local-files/?d=street/b.jpg"}, "annotations": [
            work("ada@example.com", json!([boxed("r3", 5.0, "car")])),
            work("bob@example.com", json!([boxed("r4", 6.0, "car")]))]},
        {"id": 3, "data": {"text": text}, "annotations": [work("ada@example.com", json!([
            {"id": "s1", "type": "labels", "value": {"start": 15, "end": 18, "text": "Ada", "labels": ["PER"]}}]))]},
        {"id": 4, "data": {"image": "/data/local-files/?d=street/d.jpg"}, "annotations": []},
    ])
}

const IMPORT: [&str; 6] = [
    "import",
    "export.json",
    "--annotator",
    "ada@example.com",
    "--out",
    "labels",
];

#[test]
fn an_export_is_recognised_and_applies() {
    let world = World::new();
    world.write("export.json", &export().to_string());
    let run = world.run(&IMPORT).exits(5);
    assert!(
        run.stderr
            .starts_with("Recognised a Label Studio export.\n"),
        "{}",
        run.stderr
    );
    let run = run.says("other_annotator").says("not_annotated");
    // What was not asked for leaves no input incomplete.
    assert!(!run.stderr.contains("not declared, so"), "{}", run.stderr);
    assert!(
        run.stdout.contains("inputs: 3 new; annotations: 4 added"),
        "{}",
        run.stdout
    );
    let text = world.read("labels/task-3.yaml");
    assert!(text.contains("\\r\\n"), "{text}");
    world
        .run(&["validate"])
        .exits(0)
        .says("3 inputs, 4 annotations");
    world.run(&["apply", "--auto-approve"]).exits(0);
    settled(&world.run(&["plan", "--detailed-exitcode"]));
    let before = folder_of(world.path());
    world.run(&IMPORT).exits(5);
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn an_import_over_labels_keeps_keys_and_comments() {
    let world = World::new();
    world.write("export.json", &export().to_string());
    world.run(&IMPORT).exits(5);
    let text = world.read("labels/street-a.yaml");
    let (head, rest) = text.split_once("  - ").unwrap();
    let named = format!("{head}  # the near one\n  - key: near\n    {rest}");
    world.write("labels/street-a.yaml", &named);
    world.run(&["validate"]).exits(0);
    let mut moved = export();
    moved[0]["annotations"][0]["result"][0]["value"]["x"] = 6.0.into();
    world.write("export.json", &moved.to_string());
    world.run(&IMPORT).exits(5);
    let text = world.read("labels/street-a.yaml");
    assert!(text.contains("  # the near one\n  - key: near\n"), "{text}");
    assert!(text.contains("0.06"), "{text}");
}
