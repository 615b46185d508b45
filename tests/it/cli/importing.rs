//! `import coco`: from a file of another world to a manifest that applies.

use super::{World, folder_of, header, settled};
use serde_json::{Value, json};
use std::fs;

/// Three images and six annotations, three of which say nothing that could be taken over.
fn coco() -> Value {
    let image = |id: u32, name: &str| json!({"id": id, "file_name": format!("street/{name}.jpg"), "width": 200, "height": 100});
    let boxed = |id: u32, image: u32, bbox: [f64; 4]| json!({"id": id, "image_id": image, "category_id": 1, "bbox": bbox, "segmentation": []});
    let ring = json!([[0, 0, 200, 0, 100, 100]]);
    json!({
        "info": {"unknown": true},
        "images": [image(1, "a"), image(2, "b"), image(3, "c")],
        "categories": [{"id": 1, "name": "Car"}, {"id": 2, "name": "Street Light"}],
        "annotations": [
            boxed(1, 1, [20.0, 10.0, 40.0, 30.0]),
            {"id": 2, "image_id": 1, "category_id": 2, "bbox": [0, 0, 200, 100], "segmentation": ring},
            boxed(3, 2, [10.0, 10.0, 20.0, 20.0]),
            boxed(4, 2, [10.0, 10.0, 0.0, 20.0]),
            boxed(5, 2, [190.0, 10.0, 20.0, 20.0]),
            boxed(6, 9, [10.0, 10.0, 20.0, 20.0]),
        ],
    })
}

fn world() -> World {
    let world = World::new();
    world.write("coco.json", &coco().to_string());
    world
}

#[test]
fn a_folder_of_an_import_is_a_manifest_that_applies_at_once() {
    let world = world();
    let run = world
        .run(&["import", "coco", "coco.json", "--out", "labels"])
        .exits(0);
    assert_eq!(
        run.stdout,
        "Wrote 3 of 3 files in labels.\nWrote labels/annosync.yaml: read it before you apply.\n"
    );
    insta::assert_snapshot!(run.stderr, @r#"
    left out: no_area: annotation 4 image street/b.jpg: width 0, height 20
    left out: outside_image: annotation 5 image street/b.jpg: out of the image of 200 x 100 px by 10.00 px right
    left out: unknown_image: annotation 6 image 9: image_id is "9"
    left out: unknown_image: 1
    left out: no_area: 1
    left out: outside_image: 1
    3 of 6 annotations on 3 of 3 images, 2 categories.
    "#);
    world
        .run(&["validate", "labels"])
        .exits(0)
        .says("set labels, 3 inputs, 3 annotations");
    world
        .run(&["apply", "labels", "--auto-approve"])
        .exits(0)
        .says("Applied 3 (3 posted)");
    settled(&world.run(&["plan", "labels", "--detailed-exitcode"]));
}

#[test]
fn importing_again_writes_only_what_changed_and_names_what_it_did_not_write() {
    let world = world();
    let import = ["import", "coco", "coco.json", "--out", "labels"];
    world.run(&import).exits(0);
    let mut header = world.read("labels/annosync.yaml");
    header.push_str("# mine\n");
    world.write("labels/annosync.yaml", &header);
    let again = world.run(&import).exits(0);
    assert_eq!(again.stdout, "Wrote 0 of 3 files in labels.\n");

    world.run(&["apply", "labels", "--auto-approve"]).exits(0);
    let before = folder_of(&world.path().join("labels"));
    let mut changed = coco();
    changed["annotations"][2]["bbox"] = json!([10, 10, 21, 20]);
    changed["images"].as_array_mut().unwrap().pop();
    // COCO ids get renumbered; they are no identity.
    for annotation in changed["annotations"].as_array_mut().unwrap() {
        annotation["id"] = json!(annotation["id"].as_u64().unwrap() + 100);
    }
    world.write("coco.json", &changed.to_string());
    let third = world.run(&import).exits(0);
    assert_eq!(third.stdout, "Wrote 1 of 2 files in labels.\n");
    let leftover = "warning: labels/c.yaml is not of this import; delete it if its inputs are gone";
    assert!(third.stderr.contains(leftover), "{}", third.stderr);
    let after = folder_of(&world.path().join("labels"));
    let differing: Vec<&str> = before
        .iter()
        .zip(&after)
        .filter(|(one, other)| one != other)
        .map(|((name, _), _)| name.as_str())
        .collect();
    assert_eq!(differing, ["b.yaml"], "the header is a person's");
    let plan = world.run(&["plan", "labels"]).exits(0);
    assert!(
        plan.last_line().starts_with(
            "Plan: 0 to post, 0 to merge, 1 to overwrite, 0 to remove, 0 to delete; 2 unchanged"
        ),
        "{}",
        plan.stdout
    );
    world.run(&["apply", "labels", "--auto-approve"]).exits(0);
    settled(&world.run(&["plan", "labels", "--detailed-exitcode"]));
}

#[test]
fn one_file_of_any_form_plans_the_same() {
    let world = world();
    world.write("annosync.yaml", &format!("{}files: [\"in.*\"]\n", header()));
    for (at, end) in ["yaml", "json", "jsonl"].into_iter().enumerate() {
        let file = format!("in.{end}");
        let run = world
            .run(&["import", "coco", "coco.json", "--out", &file])
            .exits(0);
        assert_eq!(run.stdout, format!("Wrote {file}.\n"));
        assert!(!run.stderr.contains("hint"), "there is a header beside it");
        let run = world
            .run(&["apply", "--embedded", "store.db", "--auto-approve"])
            .exits(0);
        let expected = if at == 0 {
            "Applied 3 (3 posted)"
        } else {
            "No changes. 3 annotations match."
        };
        assert!(
            run.last_line().starts_with(expected),
            "{end}: {}",
            run.stdout
        );
        settled(&world.run(&["plan", "--embedded", "store.db", "--detailed-exitcode"]));
        fs::remove_file(world.path().join(file)).unwrap();
    }
}

#[test]
fn options_say_what_inputs_and_concepts_are_called_and_what_is_clipped() {
    let world = world();
    let mut import = vec!["import", "coco", "coco.json", "--out", "in.jsonl"];
    import.extend([
        "--input-id",
        "file_name",
        "--images",
        "img",
        "--slug",
        "--clip",
    ]);
    let run = world.run(&import).exits(0);
    assert!(run.stderr.contains("note: clipped: 1"), "{}", run.stderr);
    assert!(run.stderr.contains("4 of 6 annotations"));
    assert!(run.stderr.contains("hint: a manifest needs a header too"));
    let inputs: Vec<Value> = world
        .read("in.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(inputs[0]["id"], "street/a.jpg");
    assert_eq!(inputs[0]["image"]["path"], "img/street/a.jpg");
    assert_eq!(
        inputs[0]["annotations"][1]["concepts"],
        json!(["street-light"])
    );
    assert_eq!(inputs[1]["annotations"][1]["box"]["right"], 1);
    let import = [
        "import",
        "coco",
        "coco.json",
        "--out",
        "in.jsonl",
        "--input-id",
        "image_id",
    ];
    world.run(&import).exits(0);
    assert!(world.read("in.jsonl").starts_with(r#"{"id":"1","#));
}

#[test]
fn what_is_no_coco_file_is_an_error_and_writes_nothing() {
    let world = World::new();
    world.write("cut.json", &coco().to_string()[..300]);
    world.write("other.json", r#"{"format_version":"1.0"}"#);
    let before = folder_of(world.path());
    for (file, out) in [
        ("cut.json", "labels"),
        ("other.json", "labels"),
        ("missing.json", "labels"),
    ] {
        let run = world.run(&["import", "coco", file, "--out", out]).exits(1);
        assert!(run.stderr.contains(file), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    assert_eq!(folder_of(world.path()), before);
}
