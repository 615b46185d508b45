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
