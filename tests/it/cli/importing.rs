//! `import coco` into a new manifest and into an existing one.

mod options;

use super::{World, folder_of, header, settled, skipped};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

pub(super) fn image(id: u32, name: &str) -> Value {
    json!({"id": id, "file_name": format!("street/{name}.jpg"), "width": 200, "height": 100})
}

pub(super) fn boxed(id: u32, image: u32, bbox: [f64; 4]) -> Value {
    json!({"id": id, "image_id": image, "category_id": 1, "bbox": bbox, "segmentation": []})
}

/// Three images and four annotations, all of which can be imported.
pub(super) fn whole() -> Value {
    json!({
        "info": {"unknown": true},
        "images": [image(1, "a"), image(2, "b"), image(3, "c")],
        "categories": [{"id": 1, "name": "Car"}, {"id": 2, "name": "Street Light"}],
        "annotations": [
            boxed(1, 1, [20.0, 10.0, 40.0, 30.0]),
            {"id": 2, "image_id": 1, "category_id": 2, "bbox": [0, 0, 200, 100], "segmentation": [[0, 0, 200, 0, 100, 100]]},
            boxed(3, 2, [10.0, 10.0, 20.0, 20.0]),
            boxed(4, 2, [60.0, 10.0, 20.0, 20.0]),
        ],
    })
}

/// The same, and two annotations that cannot be imported.
fn lossy() -> Value {
    let mut file = whole();
    file["annotations"].as_array_mut().unwrap().extend([
        boxed(5, 2, [10.0, 10.0, 0.0, 20.0]),
        boxed(6, 2, [190.0, 10.0, 20.0, 20.0]),
    ]);
    file
}

pub(super) const IMPORT: [&str; 5] = ["import", "coco", "coco.json", "--out", "labels"];

pub(super) fn world(coco: &Value) -> World {
    let world = World::new();
    world.write("coco.json", &coco.to_string());
    world
}

#[test]
fn an_import_creates_a_project_that_can_be_applied() {
    let world = world(&whole());
    let run = world.run(&IMPORT).exits(0);
    assert_eq!(
        run.stdout,
        "Wrote 3 files; inputs: 3 new; annotations: 4 added.\nWrote annosync.yaml: read it before you apply.\n"
    );
    assert_eq!(
        run.stderr,
        "4 of 4 annotations on 3 of 3 images, 2 categories.\n"
    );
    let files: Vec<String> = folder_of(world.path()).into_iter().map(|it| it.0).collect();
    assert_eq!(
        files,
        [
            ".gitattributes",
            ".gitignore",
            "annosync.yaml",
            "coco.json",
            "labels/street-a.yaml",
            "labels/street-b.yaml",
            "labels/street-c.yaml"
        ]
    );
    let header = world.read("annosync.yaml");
    assert!(
        header.contains("policy: sync\nfiles: [\"labels/**\"]"),
        "{header}"
    );
    assert!(world.read(".gitignore").contains(".annosync/*"));
    world
        .run(&["validate"])
        .exits(0)
        .says("3 inputs, 4 annotations");
    world
        .run(&["apply", "--auto-approve"])
        .exits(0)
        .says("Applied 4 (4 posted)");
    settled(&world.run(&["plan", "--detailed-exitcode"]));
    let before = folder_of(world.path());
    let again = world.run(&IMPORT).exits(0);
    assert_eq!(again.stdout, "Nothing to write; inputs: 3 unchanged.\n");
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn an_image_with_left_out_objects_is_not_declared() {
    let world = world(&lossy());
    let run = world.run(&IMPORT).exits(5);
    insta::assert_snapshot!(run.stderr, @r#"
    left out: no_area: 1: annotation 5 image street/b.jpg: width 0, height 20
    left out: outside_image: 1: annotation 6 image street/b.jpg: out of the image of 200 x 100 px by 10.00 px right
    4 of 6 annotations on 3 of 3 images, 2 categories.
    warning: 1 input of which something was left out: not declared, so no plan deletes what was left out: street-b
    hint: --allow-incomplete declares them with what could be imported: under policy sync, a plan then deletes what was left out
    "#);
    assert!(world.read("annosync.yaml").contains("policy: upsert"));
    assert!(!world.path().join("labels/street-b.yaml").exists());
    world
        .run(&["validate"])
        .exits(0)
        .says("2 inputs, 2 annotations");
    let all = [&IMPORT[..], &["--allow-incomplete"]].concat();
    world.run(&all).exits(5);
    world
        .run(&["validate"])
        .exits(0)
        .says("3 inputs, 4 annotations");
}

#[test]
fn strict_fails_on_any_loss_and_writes_nothing() {
    let mut scored = whole();
    scored["annotations"][0]["score"] = json!(0.03);
    for file in [lossy(), scored] {
        let world = world(&file);
        let before = folder_of(world.path());
        let strict = [&IMPORT[..], &["--strict"]].concat();
        world.run(&strict).exits(1).says("nothing was written");
        assert_eq!(folder_of(world.path()), before);
        world.run(&IMPORT).exits(5);
    }
    let strict = [&IMPORT[..], &["--strict"]].concat();
    world(&whole()).run(&strict).exits(0);
}

#[test]
fn an_image_that_loses_its_size_keeps_the_labels_that_were_imported_before() {
    let world = world(&whole());
    world.run(&IMPORT).exits(0);
    world.run(&["apply", "--auto-approve"]).exits(0);
    let before = folder_of(&world.path().join("labels"));
    let mut next = whole();
    next["images"][1].as_object_mut().unwrap().remove("width");
    world.write("coco.json", &next.to_string());
    let run = world.run(&IMPORT).exits(5);
    assert!(
        run.stderr.contains(
            "keep the labels that the manifest has, so no plan deletes what was left out: street-b"
        ),
        "{}",
        run.stderr
    );
    assert_eq!(folder_of(&world.path().join("labels")), before);
    settled(&world.run(&["plan", "--detailed-exitcode"]));
}

#[test]
fn importing_over_a_manifest_keeps_keys_ids_metadata_and_comments() {
    let world = world(&whole());
    world.write(
        "annosync.yaml",
        &format!("# mine\n{}files: [\"labels/**\"]\n", header()),
    );
    let a = "# by hand
inputs:
  - id: street-a   # the first one
    annotations:
      - key: my-car  # reviewed
        box: { top: 0.1, left: 0.1, bottom: 0.4, right: 0.3 }  # measured
        concepts: [Car]
        metadata: { weather: rain }
      # a light
      - id: 300b8e39a65e4f33ae4e15e86eaf4a3b
        polygon: [[0, 0], [0, 1], [1, 0.5]]
        concepts: [Street Light]
        status: pending
      - concepts: { night: true }
  - id: elsewhere
    annotations: []
";
    world.write("labels/mine.yaml", a);
    let first = world.run(&IMPORT).exits(0);
    assert_eq!(
        first.stdout,
        "Wrote 2 files; inputs: 2 new, 1 unchanged; annotations: 2 added, 1 kept (the format cannot express them).\n"
    );
    assert!(
        first
            .stderr
            .contains("note: not in the file, and left unchanged: 1 input of the manifest"),
        "{}",
        first.stderr
    );
    assert_eq!(world.read("labels/mine.yaml"), a, "nothing of it changed");
    assert!(world.read("annosync.yaml").starts_with("# mine\n"));

    let mut next = whole();
    next["annotations"][0]["bbox"] = json!([20, 10, 42, 30]);
    next["annotations"][1]["category_id"] = json!(1);
    let all = next["annotations"].as_array_mut().unwrap();
    all.reverse();
    for (at, annotation) in all.iter_mut().enumerate() {
        annotation["id"] = json!(at + 100);
    }
    world.write("coco.json", &next.to_string());
    let second = world.run(&IMPORT).exits(0);
    assert_eq!(
        second.stdout,
        "Wrote 1 file; inputs: 1 changed, 2 unchanged; annotations: 2 changed, 1 kept (the format cannot express them).\n"
    );
    let diff: Vec<String> = similar::TextDiff::from_lines(a, &world.read("labels/mine.yaml"))
        .iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .map(|change| format!("{}{change}", change.tag()))
        .collect();
    insta::assert_snapshot!(diff.concat(), @r"
    -        box: { top: 0.1, left: 0.1, bottom: 0.4, right: 0.3 }  # measured
    +        box: { top: 0.1, left: 0.1, bottom: 0.4, right: 0.31 }  # measured
    -        concepts: [Street Light]
    +        concepts: [Car]
    ");

    let mut last = whole();
    last["annotations"].as_array_mut().unwrap().truncate(1);
    world.write("coco.json", &last.to_string());
    world.run(&IMPORT).exits(0).says("3 dropped");
    let text = world.read("labels/mine.yaml");
    for kept in [
        "my-car",
        "# the first one",
        "# reviewed",
        "# measured",
        "weather: rain",
        "night: true",
    ] {
        assert!(text.contains(kept), "{text}");
    }
}

#[test]
fn a_header_is_never_overwritten_and_an_image_with_its_name_gets_another_file() {
    let mut file = whole();
    file["images"][0]["file_name"] = json!("annosync.jpg");
    let world = world(&file);
    let mine = format!("# mine\n{}files: [\"*.yaml\"]\n", header());
    world.write("labels/annosync.yaml", &mine);
    world.run(&IMPORT).exits(0);
    assert_eq!(world.read("labels/annosync.yaml"), mine);
    assert!(
        !world.path().join("annosync.yaml").exists(),
        "one header is enough"
    );
    world
        .run(&["validate", "labels"])
        .exits(0)
        .says("3 inputs, 4 annotations");
    // A new project with the labels in the folder of the header.
    world.write("p/.keep", "");
    world
        .run_in("p", &["import", "coco", "../coco.json", "--out", "."])
        .exits(0);
    world
        .run(&["validate", "p"])
        .exits(0)
        .says("3 inputs, 4 annotations");
}

#[test]
fn hostile_names_write_nothing_outside_the_folder() {
    let names = [
        "../../etc/passwd",
        "/etc/passwd",
        "..\\..\\x.jpg",
        "C:\\windows\\x2.jpg",
        "https://h/%2e%2e%2f%2e%2e%2fy.jpg?a=../../z",
        "a\u{0}b.jpg",
        "..",
        "CON.jpg",
        "annosync.yaml",
        "-rf.jpg",
        "\u{202e}gpj.exe",
        ".hidden",
    ];
    let images: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(id, name)| json!({"id": id, "file_name": name, "width": 3, "height": 2}))
        .collect();
    let annotations: Vec<Value> = (0..names.len())
        .map(|id| json!({"id": id, "image_id": id, "category_id": 1, "segmentation": {"size": [2, 3], "counts": [1, 2, 2, 1]}}))
        .collect();
    let file = json!({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "../c"}]});
    let world = World::new();
    world.write("in/coco.json", &file.to_string());
    let outside = |world: &World| -> Vec<String> {
        let all = folder_of(world.path()).into_iter().map(|it| it.0);
        all.filter(|name| !name.starts_with("p/labels/")).collect()
    };
    fs::create_dir(world.path().join("p")).unwrap();
    let run = world.run_in(
        "p",
        &["import", "coco", "../in/coco.json", "--out", "labels"],
    );
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert_eq!(
        outside(&world),
        [
            "in/coco.json",
            "p/.gitattributes",
            "p/.gitignore",
            "p/annosync.yaml"
        ]
    );
    world.run(&["validate", "p"]).exits(0);
    let names: Vec<String> = folder_of(&world.path().join("p/labels"))
        .into_iter()
        .map(|it| it.0)
        .collect();
    assert!(names.iter().all(|name| !name.contains("..")), "{names:?}");
}

#[test]
fn imported_masks_and_split_objects_apply_and_plan_empty() {
    let mut file = whole();
    file["annotations"] = json!([
        {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 50, 0, 50, 25], [60, 0, 80, 0, 80, 50]]},
        {"id": 2, "image_id": 2, "category_id": 1, "segmentation": {"size": [100, 200], "counts": [100, 50, 19850]}},
        {"id": 3, "image_id": 3, "category_id": 1, "bbox": [0, 0, 20, 20], "keypoints": [1, 1, 2, 5, 5, 1, 0, 0, 0]},
    ]);
    let world = world(&file);
    world.run(&IMPORT).exits(0);
    let masks = fs::read_dir(world.path().join("labels/masks"))
        .unwrap()
        .count();
    assert_eq!(masks, 1);
    world
        .run(&["apply", "--auto-approve"])
        .exits(0)
        .says("Applied 5 (5 posted)");
    settled(&world.run(&["plan", "--detailed-exitcode"]));
    let before = folder_of(world.path());
    world.run(&IMPORT).exits(0).says("Nothing to write");
    assert_eq!(folder_of(world.path()), before);
    // The pieces of a moved object keep the name that identifies them.
    file["annotations"][0]["segmentation"][0][2] = json!(49);
    world.write("coco.json", &file.to_string());
    let a = world.read("labels/street-a.yaml");
    world.run(&IMPORT).exits(0).says("1 changed");
    let moved = world.read("labels/street-a.yaml");
    let names = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| line.contains("part_of"))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(names(&a), names(&moved));
}

#[test]
fn a_vocabulary_that_lacks_concepts_is_extended_on_request() {
    let world = world(&whole());
    world.run(&["init", "--ci", "none"]).exits(0);
    let before = folder_of(world.path());
    let run = world.run(&IMPORT).exits(1);
    insta::assert_snapshot!(run.stderr, @"
    4 of 4 annotations on 3 of 3 images, 2 categories.
    error: the vocabulary in annosync.yaml lacks 2 of the file's concepts; nothing was written
    hint: import with --extend-vocabulary, or add them to `vocabulary`:
      - Car
      - Street Light
    ");
    assert_eq!(folder_of(world.path()), before);
    let extend = [&IMPORT[..], &["--extend-vocabulary"]].concat();
    world.run(&extend).exits(0).says("Added 2 concepts");
    let header = world.read("annosync.yaml");
    assert!(
        header.contains("vocabulary: [car, night, person, street, tree, Car, Street Light]\n"),
        "{header}"
    );
    world.run(&["validate"]).exits(0);
    world.run(&IMPORT).exits(0).says("Nothing to write");
}

#[test]
fn one_file_in_any_format_gives_the_same_plan() {
    let world = world(&whole());
    world.write("annosync.yaml", &format!("{}files: [\"in.*\"]\n", header()));
    for (at, end) in ["yaml", "json", "jsonl"].into_iter().enumerate() {
        let file = format!("in.{end}");
        let run = world
            .run(&["import", "coco", "coco.json", "--out", &file])
            .exits(0);
        assert_eq!(
            run.stdout,
            "Wrote 1 file; inputs: 3 new; annotations: 4 added.\n"
        );
        let run = world
            .run(&["apply", "--embedded", "store.db", "--auto-approve"])
            .exits(0);
        let expected = if at == 0 {
            "Applied 4 (4 posted)"
        } else {
            "No changes. 4 annotations match."
        };
        assert!(
            run.last_line().starts_with(expected),
            "{end}: {}",
            run.stdout
        );
        settled(&world.run(&["plan", "--embedded", "store.db", "--detailed-exitcode"]));
        let again = ["import", "coco", "coco.json", "--out", &file];
        world.run(&again).exits(0).says("Nothing to write");
        fs::remove_file(world.path().join(file)).unwrap();
    }
}

#[test]
fn an_import_changes_only_the_json_lines_of_changed_inputs() {
    let world = world(&whole());
    let import = [&IMPORT[..], &["--format", "jsonl"]].concat();
    world.run(&import).exits(0);
    let before = world.read("labels/imported.jsonl");
    assert_eq!(before.lines().count(), 3);
    let mut next = whole();
    next["annotations"][2]["bbox"] = json!([10, 10, 21, 20]);
    world.write("coco.json", &next.to_string());
    world.run(&import).exits(0);
    let after = world.read("labels/imported.jsonl");
    let differing = before.lines().zip(after.lines()).filter(|(a, b)| a != b);
    assert_eq!(differing.count(), 1);
    world
        .run(&["validate"])
        .exits(0)
        .says("3 inputs, 4 annotations");
}
