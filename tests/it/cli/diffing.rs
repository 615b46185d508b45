//! `diff`: two label sets compared offline, and as an external diff of git.

mod git;
mod real;

use super::{Run, World, boxes, command};
use crate::schemas::DIFF;
use git::repository;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use tempfile::TempDir;

const HEADER: &str = "version: 1\nset: street\npolicy: sync\ninputs:\n";

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// The binary without an app and without a token.
fn diff(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = command(folder);
    // git is found by it.
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.arg("diff").args(arguments);
    Run::of(command)
}

fn diff_json(folder: &Path, arguments: &[&str]) -> Value {
    let run = diff(folder, &[arguments, &["--format", "json"]].concat());
    let value: Value = serde_json::from_str(&run.stdout).unwrap();
    DIFF.accepts(&value);
    value
}

/// A line of a manifest: an input with boxes from this edge on, each with a concept.
fn input(id: &str, boxes: &[(f64, &str)]) -> String {
    let mut text = format!("  - id: {id}\n    annotations:\n");
    if boxes.is_empty() {
        text = format!("  - id: {id}\n    annotations: []\n");
    }
    for (left, concept) in boxes {
        let right = left + 0.2;
        writeln!(
            text,
            "      - {{ box: {{ top: 0.1, left: {left}, bottom: 0.3, right: {right} }}, concepts: [{concept}] }}"
        )
        .unwrap();
    }
    text
}

fn manifest(inputs: &[String]) -> String {
    format!("{HEADER}{}", inputs.concat())
}

fn coco(annotations: &[Value]) -> String {
    json!({
        "images": [
            { "id": 1, "file_name": "a.jpg", "width": 100, "height": 100 },
            { "id": 2, "file_name": "b.jpg", "width": 100, "height": 100 },
        ],
        "categories": [{ "id": 1, "name": "car" }, { "id": 2, "name": "bus" }],
        "annotations": annotations,
    })
    .to_string()
}

fn object(id: u32, image: u32, category: u32, bbox: [i32; 4]) -> Value {
    json!({ "id": id, "image_id": image, "category_id": category, "bbox": bbox })
}

#[test]
fn two_manifests_are_compared_as_a_plan_compares_them() {
    let old = manifest(&[
        input("a", &[(0.1, "car"), (0.5, "bus"), (0.7, "van")]),
        input("b", &[(0.1, "car")]),
        input("c", &[(0.1, "car")]),
    ]);
    let new = manifest(&[
        input("a", &[(0.12, "car"), (0.5, "taxi")]),
        input("b", &[(0.1, "car")]),
        input("d", &[(0.1, "car"), (0.5, "bus")]),
    ]);
    let folder = folder(&[("old.yaml", &old), ("new.yaml", &new)]);
    let run = diff(folder.path(), &["old.yaml", "new.yaml"]).exits(2);
    assert_eq!(run.stderr, "");
    insta::assert_snapshot!(run.stdout, @r"
    From old.yaml to new.yaml: 2 added, 2 removed, 1 relabelled, 1 moved, 1 input added, 1 input removed.

    Classes: taxi 0 -> 1 (+1); van 1 -> 0 (-1)
    Relabelled: bus -> taxi (1)
    Moved (1 annotation): a number-1 IoU 0.81

    Added inputs (1): d (2 labels)

    Removed inputs (1): c (1 label)

    a
      - removed box [van]: top right, 4.0 % of the image
      ~ relabelled box [bus -> taxi]: top, 4.0 % of the image (matched: same place, other concepts)
      ~ moved box [car]: top left, 4.0 % of the image (matched: moved, IoU 0.81)

    c
      - removed box [car]: top left, 4.0 % of the image

    d
      + added box [car]: top left, 4.0 % of the image
      + added box [bus]: top, 4.0 % of the image

    2 added, 2 removed, 1 relabelled, 1 moved, 1 input added, 1 input removed; 1 unchanged.
    ");
    let equal = diff(folder.path(), &["old.yaml", "old.yaml"]).exits(0);
    assert_eq!(equal.stdout, "No differences; 5 unchanged.\n");
}

#[test]
fn differences_are_shown_in_more_or_less_detail() {
    let old = manifest(&[input("a", &[(0.1, "car"), (0.5, "bus")])]);
    let new = manifest(&[input("a", &[(0.12, "car"), (0.7, "car")])]);
    let folder = folder(&[("old.yaml", &old), ("new.yaml", &new)]);
    let shown = |flags: &[&str]| {
        let sides = ["old.yaml", "new.yaml"];
        diff(folder.path(), &[&sides[..], flags].concat())
    };
    insta::assert_snapshot!(shown(&["--summary"]).exits(2).stdout, @r"
    From old.yaml to new.yaml: 1 added, 1 removed, 1 moved.

    Classes: bus 1 -> 0 (-1); car 1 -> 2 (+1)

    1 added, 1 removed, 1 moved.
    ");
    insta::assert_snapshot!(shown(&["--full"]).exits(2).stdout, @r"
    From old.yaml to new.yaml: 1 added, 1 removed, 1 moved.

    Classes: bus 1 -> 0 (-1); car 1 -> 2 (+1)
    Moved (1 annotation): a number-1 IoU 0.81

    a
      - removed box [bus]: top, 4.0 % of the image
          {box: {top: 0.1, left: 0.5, bottom: 0.3, right: 0.7}, concepts: [bus]}
      ~ moved box [car]: top left, 4.0 % of the image (matched: moved, IoU 0.81)
          - box: {top: 0.1, left: 0.1, bottom: 0.3, right: 0.3}
          + box: {top: 0.1, left: 0.12, bottom: 0.3, right: 0.32}
            concepts: [car]
      + added box [car]: top right, 4.0 % of the image
          {box: {top: 0.1, left: 0.7, bottom: 0.3, right: 0.9}, concepts: [car]}

    1 added, 1 removed, 1 moved.
    ");
    assert_eq!(
        shown(&["--all"]).exits(2).stdout,
        shown(&[]).exits(2).stdout
    );
    let markdown = shown(&["--summary", "--format", "markdown"])
        .exits(2)
        .stdout;
    assert!(!markdown.contains("```diff"), "{markdown}");
    shown(&["--summary", "--format", "json"])
        .exits(64)
        .says("JSON always holds everything");
    shown(&["--summary", "--only", "added"])
        .exits(64)
        .says("cannot be used with");
}

#[test]
fn every_format_has_the_same_numbers() {
    let old = manifest(&[input("a", &[(0.1, "car"), (0.5, "bus")])]);
    let new = manifest(&[input("a", &[(0.12, "car"), (0.7, "car")])]);
    let folder = folder(&[("old.yaml", &old), ("new.yaml", &new)]);
    let json = diff_json(folder.path(), &["old.yaml", "new.yaml"]);
    let count = |name: &str| json["summary"][name].as_u64().unwrap();
    assert_eq!(
        ["added", "removed", "moved", "unchanged"].map(count),
        [1, 1, 1, 0]
    );
    assert_eq!(json["changes"].as_array().unwrap().len(), 3);
    let markdown = diff(
        folder.path(),
        &["old.yaml", "new.yaml", "--format", "markdown"],
    )
    .exits(2);
    insta::assert_snapshot!(markdown.stdout, @r"
    ## annosync diff: 1 added, 1 removed, 1 moved

    old: `old.yaml`, new: `new.yaml`

    | added | removed | moved |
    | ---: | ---: | ---: |
    | 1 | 1 | 1 |

    ### Classes

    | class | before | after | change |
    | --- | ---: | ---: | ---: |
    | `bus` | 1 | 0 | -1 |
    | `car` | 1 | 2 | +1 |

    ### Moved (1 annotation)

    | input | annotation | before and after |
    | --- | --- | --- |
    | `a` | `number-1` | IoU 0.81 |

    ```diff
    a
    - removed box [bus]: top, 4.0 % of the image
    ~ moved box [car]: top left, 4.0 % of the image (matched: moved, IoU 0.81)
    + added box [car]: top right, 4.0 % of the image
    ```
    ");
    for (only, shown) in [("added", 1), ("moved,removed", 2)] {
        let run = diff(folder.path(), &["old.yaml", "new.yaml", "--only", only]).exits(2);
        assert!(
            run.stdout
                .contains(&format!("\n{shown} of 3 differences shown.\n")),
            "{}",
            run.stdout
        );
        assert!(run.stdout.ends_with("1 added, 1 removed, 1 moved.\n"));
    }
    diff(
        folder.path(),
        &[
            "old.yaml", "new.yaml", "--only", "added", "--format", "json",
        ],
    )
    .exits(64);
    diff(folder.path(), &["old.yaml"]).exits(64);
}

#[test]
fn a_file_of_another_tool_is_compared_with_a_manifest_and_what_it_left_out_is_unknown() {
    let file = coco(&[
        object(1, 1, 1, [10, 10, 20, 20]),
        object(2, 2, 1, [10, 10, 20, 20]),
        object(3, 2, 2, [90, 90, 40, 40]),
    ]);
    let labels = manifest(&[
        input("a", &[(0.1, "car"), (0.6, "bus")]),
        input("b", &[(0.1, "car"), (0.6, "bus")]),
    ]);
    let folder = folder(&[("labels.yaml", &labels), ("coco.json", &file)]);
    // The third object is outside of its image and not imported: what it is on the other side is not known.
    let run = diff(folder.path(), &["labels.yaml", "coco.json"]).exits(2);
    assert!(
        run.stdout
            .ends_with("\n1 removed; 2 unchanged, 1 unknown.\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains(
            "warning: coco.json is not complete: 1 input with labels that were left out\n\
             warning: 1 label of the other side counted as unknown, not as added or removed\n"
        ),
        "{}",
        run.stderr
    );
    let named = diff(folder.path(), &["coco:coco.json", "labels.yaml"]).exits(2);
    assert!(
        named
            .stdout
            .ends_with("\n1 added; 2 unchanged, 1 unknown.\n"),
        "{}",
        named.stdout
    );
    // Clipped, it is imported.
    let clipped = diff(folder.path(), &["labels.yaml", "coco.json", "--clip"]).exits(2);
    assert!(
        clipped
            .stdout
            .ends_with("\n1 added, 2 removed; 2 unchanged.\n"),
        "{}",
        clipped.stdout
    );
}

#[test]
fn unknown_labels_alone_are_no_difference_and_no_equality() {
    let labels = manifest(&[input("a", &[]), input("b", &[(0.1, "car"), (0.6, "bus")])]);
    let file = coco(&[
        object(1, 2, 1, [10, 10, 20, 20]),
        object(2, 2, 2, [90, 90, 40, 40]),
    ]);
    let folder = folder(&[("labels.yaml", &labels), ("coco.json", &file)]);
    let run = diff(folder.path(), &["labels.yaml", "coco.json"]).exits(5);
    assert_eq!(run.stdout, "No differences; 1 unchanged, 1 unknown.\n");
}

#[test]
fn a_saved_listing_is_a_side() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    world.apply(&[]).exits(0);
    let listing = world
        .on_app(&["list", "--all", "--format", "json"])
        .exits(0);
    world.write("listing.json", &listing.stdout);
    let equal = diff(world.path(), &["listing.json", "m.yaml"]).exits(0);
    assert_eq!(equal.stdout, "No differences; 3 unchanged.\n");
    diff(world.path(), &["m.yaml", "listing.json"]).exits(0);
    world.declare(&format!("{}{}", boxes(0..1, "bus"), boxes(1..2, "car")));
    let run = diff(world.path(), &["listing.json", "m.yaml"]).exits(2);
    assert_eq!(
        run.last_line(),
        "1 removed, 1 relabelled, 1 input removed; 1 unchanged."
    );
}

#[test]
fn a_diff_is_no_plan() {
    let labels = manifest(&[input("a", &[(0.1, "car")])]);
    let folder = folder(&[("m.yaml", &labels)]);
    let run = diff(folder.path(), &["m.yaml", "m.yaml", "--format", "json"]).exits(0);
    write(folder.path(), "diff.json", &run.stdout);
    for words in [&["apply", "diff.json"], &["show", "diff.json"]] {
        let mut command = command(folder.path());
        command.args(words.iter());
        let refused = Run::of(command).exits(64);
        assert!(
            refused.stderr.contains("diff.json is a diff"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn a_folder_of_a_manifest_is_not_a_side_without_its_header() {
    let labels = format!("inputs:\n{}", input("a", &[(0.1, "car")]));
    let folder = repository(&[
        (
            "m/annosync.yaml",
            "version: 1\nset: s\npolicy: sync\nfiles: [\"labels/**\"]\n",
        ),
        ("m/labels/a.yaml", &labels),
    ]);
    for (side, named, header) in [
        ("m/labels", "m/labels", "m/annosync.yaml"),
        ("git:HEAD:m/labels", "HEAD:m/labels/", "m/annosync.yaml"),
    ] {
        let run = diff(folder.path(), &[side, side]).exits(64);
        assert_eq!(
            run.stderr,
            format!(
                "error: {named} is part of the manifest of {header}, and not a label set of its own\n\
                 hint: name the folder with annosync.yaml\n"
            )
        );
    }
    diff(folder.path(), &["git:HEAD:m", "m"]).exits(0);
}
