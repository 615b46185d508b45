//! COCO without naming the format.

use super::super::World;
use super::super::importing::{whole, world};

#[test]
fn a_coco_file_is_recognised() {
    let world: World = world(&whole());
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
        "error: plain.txt: no known format\nhint: name the format before the path: coco, yolo, voc, cvat, label-studio, labelme, open-images, conll, jsonl\n"
    );
}
