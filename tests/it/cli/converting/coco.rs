//! COCO: recognised, exported, and imported again.

use super::super::importing::{boxed, image, whole, world};
use super::super::{World, folder_of};
use serde_json::{Value, json};

#[test]
fn a_coco_file_is_recognised() {
    let world = world(&whole());
    let run = world
        .run(&["import", "coco.json", "--out", "labels"])
        .exits(0);
    assert!(
        run.stderr.starts_with("Recognised a COCO file.\n"),
        "{}",
        run.stderr
    );
    world.write("plain.txt", "nothing");
    let run = world
        .run(&["import", "plain.txt", "--out", "labels"])
        .exits(64);
    assert_eq!(
        run.stderr,
        "error: plain.txt: no known format\n\
         hint: name the format before the path: coco, yolo, voc, cvat, label-studio, labelme, open-images, conll, jsonl\n"
    );
    let run = world.run(&["import", "yolo", "--out", "labels"]).exits(64);
    assert!(run.stderr.contains("no file to import as yolo"));
}

#[test]
fn an_export_imports_as_the_same_manifest() {
    let world = world(&whole());
    world
        .run(&["import", "coco.json", "--out", "labels"])
        .exits(0);
    let run = world
        .run(&["export", "coco", "--out", "out/again.json"])
        .exits(0);
    assert_eq!(run.stdout, "Wrote 1 file to out/again.json.\n");
    assert_eq!(
        run.stderr,
        "4 of 4 annotations on 3 inputs, 2 categories.\n"
    );
    let run = world
        .run(&["import", "coco", "out/again.json", "--out", "labels"])
        .exits(0);
    assert_eq!(run.stdout, "Nothing to write; inputs: 3 unchanged.\n");
    // The same bytes again.
    let before = folder_of(world.path());
    world
        .run(&["export", "coco", "--out", "out/again.json"])
        .exits(0);
    assert_eq!(folder_of(world.path()), before);
}

fn json_of(world: &World, path: &str) -> Value {
    serde_json::from_str(&world.read(path)).unwrap()
}

#[test]
fn the_vocabulary_orders_the_classes_and_parts_are_files_of_their_own() {
    let world = world(&whole());
    world
        .run(&["import", "coco.json", "--out", "labels"])
        .exits(0);
    let header = world.read("annosync.yaml");
    world.write(
        "annosync.yaml",
        &format!("{header}vocabulary: [Street Light, Car, Tree]\n"),
    );
    let split = ["--split", "train=1,val=0"];
    let export = [&["export", "coco", "--out", "out"][..], &split].concat();
    let run = world.run(&export).exits(0);
    assert_eq!(run.stdout, "Wrote 1 file to out.\n");
    let file = json_of(&world, "out/instances_train.json");
    let names: Vec<&str> = file["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|category| category["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Street Light", "Car", "Tree"]);
    assert_eq!(file["images"].as_array().unwrap().len(), 3);
    world
        .run(&["export", "coco", "--out", "x", "--split", "train"])
        .exits(64)
        .says("write NAME=SHARE,NAME=SHARE, such as train=80,val=20");
}

#[test]
fn what_the_format_cannot_hold_is_counted_and_refused_with_strict() {
    let world = World::new();
    world.declare(
        "- id: a\n  image: {path: a.jpg, width: 100, height: 100}\n  annotations:\n  - concepts: [car]\n  - box: {top: 0.1, left: 0.1, bottom: 0.2, right: 0.2}\n    concepts: {car: false}\n  - box: {top: 0.1, left: 0.1, bottom: 0.2, right: 0.2}\n    concepts: [car]\n    user: me\n- id: b\n  annotations:\n  - box: {top: 0.1, left: 0.1, bottom: 0.2, right: 0.2}\n    concepts: [car]\n",
    );
    let export = ["export", "coco", "--out", "out.json"];
    let strict = [&export[..], &["--strict"]].concat();
    world.run(&strict).exits(1).says("nothing was written");
    assert!(!world.path().join("out.json").exists());
    let run = world.run(&export).exits(1);
    assert!(
        run.stderr
            .contains("out.json would be read as part of the manifest"),
        "{}",
        run.stderr
    );
    let run = world
        .run(&["export", "coco", "--out", ".annosync/out.json"])
        .exits(5);
    insta::assert_snapshot!(run.stderr, @r"
    left out: image_without_size: 1: annotation number 1 image b: the size of its image is not known
    left out: other_shape: 1: annotation number 1 image a: concepts of the whole input
    left out: other_value: 1: annotation number 2 image a: car of value 0
    note: state_left_out: 1 annotation (annotation number 3, a): id, key, status, user or text was left out
    note: nothing_written: 1 input (b): all of its annotations were left out: a training run takes its image for one without objects
    1 of 4 annotations on 2 inputs, 1 category.
    ");
}

#[test]
fn files_of_others_are_not_replaced_unasked() {
    let world = world(&whole());
    world
        .run(&["import", "coco.json", "--out", "labels"])
        .exits(0);
    let export = ["export", "coco", "--out", "coco.json"];
    let before = world.read("coco.json");
    world
        .run(&export)
        .exits(1)
        .says("a file exists with other content, first coco.json; nothing was written");
    assert_eq!(world.read("coco.json"), before);
    world
        .run(&[&export[..], &["--overwrite"]].concat())
        .exits(0);
    assert_ne!(world.read("coco.json"), before);
    world.write("old/other.txt", "");
    world
        .run(&["export", "coco", "--out", "old"])
        .exits(0)
        .says("warning: old has 1 other file that this export does not write");
}

#[test]
fn a_listing_exports_what_people_made() {
    let mut file = whole();
    file["annotations"] = json!([boxed(1, 1, [20.0, 10.0, 40.0, 30.0])]);
    file["images"] = json!([image(1, "a")]);
    let world = world(&file);
    world
        .run(&["import", "coco.json", "--out", "labels"])
        .exits(0);
    world.run(&["apply", "--auto-approve"]).exits(0);
    let listing = world
        .run(&["list", "--all", "--format", "json", "--target", "local"])
        .exits(0);
    world.write(".annosync/listing.json", &listing.stdout);
    world
        .run(&[
            "export",
            "coco",
            "--observed",
            ".annosync/listing.json",
            "--out",
            ".annosync/app.json",
        ])
        .exits(0);
    world
        .run(&["export", "coco", "--out", ".annosync/labels.json"])
        .exits(0);
    let [app, labels] = [".annosync/app.json", ".annosync/labels.json"].map(|it| world.read(it));
    assert_eq!(app, labels);
}

#[test]
fn a_listing_exports_with_the_sizes_and_texts_that_the_manifest_names() {
    let world = World::new();
    world.write(
        "annosync.yaml",
        "version: 1\nset: s\npolicy: sync\ntarget: local\ntargets: {local: {embedded: .annosync/local.db}}\n",
    );
    world.write(
        "a/first.yaml",
        "inputs:\n- id: first\n  annotations: [{concepts: [car]}]\n",
    );
    let one = "box: {top: 0.1, left: 0.1, bottom: 0.2, right: 0.2}, concepts: [car]";
    world.write(
        "b/labels.yaml",
        &format!(
            "inputs:\n- id: p\n  image: {{path: p.png}}\n  annotations:\n  - {{{one}}}\n- id: t\n  text: {{path: t.txt}}\n  annotations:\n  - {{span: {{start: 0, end: 3}}, concepts: [name]}}\n"
        ),
    );
    world.write("b/t.txt", "Ada in Rome");
    // The first bytes of a PNG of 30 x 20 pixels.
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x1e\0\0\0\x14\x08\0\0\0\0".to_vec();
    png.extend([0; 4]);
    std::fs::write(world.path().join("b/p.png"), png).unwrap();
    world.run(&["apply", "--auto-approve"]).exits(0);
    let listing = world.run(&["list", "--all", "--format", "json", "--target", "local"]);
    world.write(".annosync/listing.json", &listing.exits(0).stdout);
    for (format, content) in [("coco", "\"bbox\""), ("conll", "Ada B-name")] {
        let export = |out: &str, more: &[&str]| {
            let run = [&["export", format, "--out", out][..], more].concat();
            world.run(&run).exits(5);
            folder_of(&world.path().join(out))
        };
        let declared = export(&format!(".annosync/{format}-declared"), &[]);
        let listing = ["--observed", ".annosync/listing.json"];
        let observed = export(&format!(".annosync/{format}-observed"), &listing);
        assert!(declared[0].1.contains(content), "{declared:?}");
        assert_eq!(observed, declared);
    }
}
