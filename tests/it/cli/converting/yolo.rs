//! YOLO, in the layouts of two tools.

use super::super::World;
use super::keeps_keys_and_comments;

fn world() -> World {
    let world = World::new();
    for (path, text) in [
        (
            "set/data.yaml",
            "path: /home/me/set\ntrain: images/train\nnames: [car, bus]\n",
        ),
        (
            "set/labels/train/a.txt",
            "0 0.5 0.5 0.5 0.5\n1 0.2 0.2 0.1 0.1\n",
        ),
        ("set/labels/train/b.txt", ""),
        ("set/images/train/c.jpg", ""),
    ] {
        world.write(path, text);
    }
    world
}

#[test]
fn an_import_says_what_it_recognised_and_which_pictures_have_no_label_file() {
    let world = world();
    let run = world
        .run(&["import", "set/data.yaml", "--out", "labels"])
        .exits(0);
    insta::assert_snapshot!(run.stderr, @r"
    Recognised a YOLO data set.
    note: no_label_file: 1 image (images/train/c.jpg): no label file, so not declared
    2 of 2 annotations on 2 of 2 images, 2 categories.
    ");
    assert!(world.path().join("labels/b.yaml").exists());
    assert!(!world.path().join("labels/c.yaml").exists());
}

#[test]
fn an_import_over_the_manifest_keeps_keys_ids_and_comments() {
    let moved = "0 0.5 0.5 0.5 0.45\n1 0.2 0.2 0.1 0.1\n";
    let next = ("set/labels/train/a.txt", moved);
    keeps_keys_and_comments(&world(), "labels/a.yaml", "box", next);
}

#[test]
fn a_picture_with_a_wrong_row_is_not_declared() {
    let world = world();
    world.write(
        "set/labels/train/a.txt",
        "0 0.5 0.5 0.5\n1 0.2 0.2 0.1 0.1\n",
    );
    let run = world
        .run(&["import", "yolo", "set", "--out", "labels"])
        .exits(5);
    assert!(
        run.stderr.starts_with(
            "left out: wrong_type: 1: annotation line 1 image a: labels/train/a.txt:1: 3 numbers after the class: a box has 4\n"
        ),
        "{}",
        run.stderr
    );
    assert!(!world.path().join("labels/a.yaml").exists());
}

#[test]
fn label_files_of_an_earlier_export_are_refused() {
    let world = world();
    world
        .run(&["import", "yolo", "set", "--out", "labels"])
        .exits(0);
    let export = ["export", "yolo", "--out", "out"];
    world.run(&export).exits(0);
    std::fs::remove_file(world.path().join("labels/b.yaml")).unwrap();
    world.write("out/readme.txt", "");
    let again = [&export[..], &["--overwrite"]].concat();
    world
        .run(&again)
        .exits(1)
        .says("out has 1 other label file that this export does not write, first out/labels/train/b.txt; nothing was written")
        .says("remove them, or choose another --out");
    std::fs::remove_file(world.path().join("out/labels/train/b.txt")).unwrap();
    world
        .run(&again)
        .exits(0)
        .says("warning: out has 1 other file that this export does not write");
}

#[test]
fn a_split_by_a_key_that_no_annotation_has_is_refused() {
    let world = world();
    world
        .run(&["import", "yolo", "set", "--out", "labels"])
        .exits(0);
    world
        .run(&["export", "yolo", "--out", "out", "--split-by", "part"])
        .exits(1)
        .says("--split-by part: no annotation has this key in its metadata; nothing was written");
    assert!(!world.path().join("out").exists());
}

#[test]
fn labels_of_another_image_are_refused() {
    let world = World::new();
    world.write(
        "annosync.yaml",
        "version: 1\nset: m\npolicy: sync\nfiles: [\"labels/**\"]\n",
    );
    let labels: String = [("img-1", "img/2.jpg", "car"), ("img-2", "img/1.jpg", "tree")]
        .map(|(id, path, class)| {
            format!(
                "  - id: {id}\n    image: {{path: {path}}}\n    annotations:\n      - box: {{top: 0.1, left: 0.1, bottom: 0.5, right: 0.5}}\n        concepts: [{class}]\n"
            )
        })
        .concat();
    let labels = format!("inputs:\n{labels}");
    world.write("labels/all.yaml", &labels);
    world.run(&["export", "yolo", "--out", "out"]).exits(0);
    world
        .run(&["import", "yolo", "out", "--out", "labels"])
        .exits(1)
        .says("2 inputs with a different image than in the manifest: img-1: img/2.jpg and a label file");
    assert_eq!(world.read("labels/all.yaml"), labels);
    // With the right paths, the labels come back.
    let swapped = labels.replace("img/2.jpg", "img/0.jpg");
    let right = swapped
        .replace("img/1.jpg", "img/2.jpg")
        .replace("img/0.jpg", "img/1.jpg");
    world.write("labels/all.yaml", &right);
    world.run(&["export", "yolo", "--out", "right"]).exits(0);
    world
        .run(&["import", "yolo", "right", "--out", "labels"])
        .exits(0)
        .says("inputs: 2 unchanged");
}
