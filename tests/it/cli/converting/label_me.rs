//! LabelMe files, through the binary.

use super::super::{World, folder_of, settled};
use serde_json::{Value, json};

#[expect(clippy::needless_pass_by_value, reason = "tests write a literal")]
fn file(name: &str, shapes: Value) -> String {
    json!({"version": "5.5.0", "flags": {"indoor": true}, "shapes": shapes, "imagePath": format!("..\\images\\{name}.jpg"),
        "imageData": null, "imageHeight": 50, "imageWidth": 100})
    .to_string()
}

fn boxed(left: f64) -> Value {
    json!({"label": "cat", "points": [[left, 10], [left + 20.0, 30]], "shape_type": "rectangle", "group_id": 2,
        "flags": {}, "description": "asleep"})
}

const IMPORT: [&str; 4] = ["import", "set", "--out", "labels"];

#[test]
fn a_folder_of_files_is_recognised_and_applies() {
    let world = World::new();
    world.write("set/json/a.json", &file("a", json!([boxed(10.0)])));
    world.write("set/json/b.json", &file("b", json!([])));
    let run = world.run(&IMPORT).exits(0);
    assert!(
        run.stderr.starts_with("Recognised LabelMe JSON.\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout.contains("inputs: 2 new; annotations: 3 added"),
        "{}",
        run.stdout
    );
    assert!(world.read("labels/images-a.yaml").contains("group_id"));
    world.run(&["apply", "--auto-approve"]).exits(0);
    settled(&world.run(&["plan", "--detailed-exitcode"]));
    let before = folder_of(world.path());
    world.run(&IMPORT).exits(0);
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn a_file_that_cannot_be_read_costs_its_picture_alone() {
    let world = World::new();
    world.write("set/a.json", &file("a", json!([boxed(10.0)])));
    world.write("set/b.json", "{\"shapes\": [");
    world
        .run(&["import", "labelme", "set", "--out", "labels"])
        .exits(5)
        .says("unreadable_file")
        .says("b.json:1:12");
    assert!(!world.path().join("labels/b.yaml").exists());
    world
        .run(&["validate"])
        .exits(0)
        .says("1 input, 2 annotations");
}
