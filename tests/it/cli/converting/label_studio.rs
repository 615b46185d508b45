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
    let named = text.replacen(
        "      - box:",
        "      # the near one\n      - key: near\n        box:",
        1,
    );
    world.write("labels/street-a.yaml", &named);
    world.run(&["validate"]).exits(0);
    let mut moved = export();
    moved[0]["annotations"][0]["result"][0]["value"]["x"] = 6.0.into();
    world.write("export.json", &moved.to_string());
    world.run(&IMPORT).exits(5);
    let text = world.read("labels/street-a.yaml");
    assert!(
        text.contains("      # the near one\n      - key: near\n"),
        "{text}"
    );
    assert!(text.contains("0.06"), "{text}");
}

/// A header, and inputs with a text and a concept of it each.
fn texts(world: &World, inputs: &[(&str, &str, &str)]) {
    let header = "version: 1\nset: m\npolicy: sync\nfiles: [\"labels/**\"]\n";
    world.write("annosync.yaml", header);
    let inputs: Vec<String> = (inputs.iter())
        .map(|(id, raw, concept)| {
            format!("  - id: {id}\n    text:\n      raw: {raw}\n    annotations:\n      - concepts: [{concept}]\n")
        })
        .collect();
    world.write("labels/all.yaml", &format!("inputs:\n{}", inputs.concat()));
}

#[test]
fn texts_of_an_export_come_back_to_their_inputs() {
    let world = World::new();
    let inputs = [
        ("task-2", "good day", "positive"),
        ("task-3", "bad day", "negative"),
    ];
    texts(&world, &inputs);
    world
        .run(&["export", "label-studio", ".", "--out", "out"])
        .exits(0);
    // Label Studio numbers tasks anew.
    let mut tasks: Value = serde_json::from_str(&world.read("out/tasks.json")).unwrap();
    for (at, task) in tasks.as_array_mut().unwrap().iter_mut().enumerate() {
        task["id"] = (at + 2).into();
    }
    tasks.as_array_mut().unwrap().reverse();
    tasks[0]["id"] = 2.into();
    tasks[1]["id"] = 3.into();
    world.write("back.json", &tasks.to_string());
    let before = world.read("labels/all.yaml");
    world
        .run(&["import", "back.json", "--out", "labels"])
        .exits(0)
        .says("Nothing to write; inputs: 2 unchanged");
    assert_eq!(world.read("labels/all.yaml"), before);
}

#[test]
fn labels_of_another_text_are_refused() {
    let world = World::new();
    texts(
        &world,
        &[
            ("task-2", "good day", "positive"),
            ("task-4", "same  text", "negative"),
        ],
    );
    let task = |id: u32, text: &str| {
        json!({"id": id, "data": {"text": text}, "annotations": [{"result": [
            {"id": "c", "type": "choices", "value": {"choices": ["negative"]}}]}]})
    };
    let import = ["import", "label-studio", "in.json", "--out", "labels"];
    let before = world.read("labels/all.yaml");
    let both = json!([task(2, "bad day"), task(4, "same text")]);
    world.write("in.json", &both.to_string());
    world
        .run(&import)
        .exits(1)
        .says("1 input with a different text than in the manifest: task-2; nothing was written");
    assert_eq!(world.read("labels/all.yaml"), before);
    // White space does not count.
    world.write("in.json", &json!([task(4, "same text")]).to_string());
    world.run(&import).exits(0).says("Nothing to write");
    // A text in a file is compared as well.
    world.write("text.txt", "good day");
    world.write(
        "labels/all.yaml",
        &before.replace("raw: good day", "path: ../text.txt"),
    );
    world.write("in.json", &json!([task(2, "bad day")]).to_string());
    world
        .run(&import)
        .exits(1)
        .says("a different text than in the manifest: task-2");
}

#[test]
fn labels_of_other_annotators_are_not_dropped_silently() {
    let world = World::new();
    let by = |annotator: &str, x: f64| json!({"completed_by": {"email": annotator}, "result": [boxed(annotator, x, "car")]});
    let task = json!([{"id": 1, "data": {"image": "a.jpg"}, "annotations": [by("ada@x.example", 5.0), by("bob@x.example", 45.0)]}]);
    world.write("in.json", &task.to_string());
    let import = ["import", "in.json", "--out", "labels"];
    world.run(&import).exits(0).says("2 added");
    let mut of_ada = import.to_vec();
    of_ada.extend(["--annotator", "ada@x.example"]);
    world.run(&of_ada).exits(5).says(
        "warning: 1 annotation dropped from the manifest, which may be the work of other annotators: under policy sync, \
         a plan deletes what was dropped",
    );
    let mut without_user = import.to_vec();
    without_user.extend(["--annotator", "eve"]);
    world
        .run(&without_user)
        .exits(1)
        .says("annotator \"eve\" made no annotations; the files name ada@x.example, bob@x.example");
}

#[test]
fn pictures_in_two_files_are_told_with_their_files() {
    let world = World::new();
    let task = |id: u32| json!({"id": id, "data": {"image": format!("{id}.jpg")}, "annotations": [{"result": []}]});
    world.write("in/all.json", &json!([task(1), task(2)]).to_string());
    world.write("in/part.json", &json!([task(2), task(1)]).to_string());
    let run = world
        .run(&["import", "label-studio", "in", "--out", "labels"])
        .exits(1);
    let lines = "error: in:\n  \"2.jpg\" in \"all.json\" and \"2.jpg\" in \"part.json\" would both be the input \"2\"\n  \"1.jpg\" in ";
    run.says(lines)
        .says("hint: several files list the same images: import one of them");
}

#[test]
fn an_import_of_nothing_is_an_error() {
    let world = World::new();
    world.write("list.json", "[]");
    world.write("empty.conll", "");
    std::fs::create_dir(world.path().join("empty")).unwrap();
    for (format, path) in [("label-studio", "list.json"), ("conll", "empty.conll")] {
        let run = world.run(&["import", format, path, "--out", "labels"]);
        run.exits(1).says(&format!("{path}: nothing to import"));
    }
    for format in [
        "coco",
        "yolo",
        "voc",
        "cvat",
        "label-studio",
        "labelme",
        "open-images",
        "conll",
        "jsonl",
    ] {
        let run = world.run(&["import", format, "empty", "--out", "labels"]);
        run.exits(1).says("empty: no file to import");
    }
    assert!(!world.path().join("annosync.yaml").exists());
}
