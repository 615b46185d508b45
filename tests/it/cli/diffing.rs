//! `diff`: two label sets compared offline, and as an external diff of git.

use super::{Run, World, boxes, command, is_there, skipped, taco};
use crate::schemas::DIFF;
use annosync::render::thousands;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
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

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE")
        .env_remove("GIT_EXTERNAL_DIFF")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", "user.name=tester", "-c", "user.email=t@example.com"])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = folder(files);
    git(folder.path(), &["init", "--quiet"]);
    commit(folder.path());
    folder
}

fn commit(folder: &Path) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", "labels"]);
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
fn a_git_revision_is_a_side_whether_it_has_a_manifest_or_files_of_another_tool() {
    if !is_there("git") {
        return;
    }
    let labels = manifest(&[input("a", &[(0.1, "car")])]);
    let file = coco(&[object(1, 1, 1, [10, 10, 20, 20])]);
    let folder = repository(&[("labels/annosync.yaml", &labels), ("coco/all.json", &file)]);
    let path = folder.path();
    let changed = labels.replace("[car]", "[bus]");
    write(path, "labels/annosync.yaml", &changed);
    let more = coco(&[
        object(7, 1, 1, [10, 10, 20, 20]),
        object(8, 1, 1, [50, 50, 20, 20]),
    ]);
    write(path, "coco/all.json", &more);

    let relabelled = diff(path, &["git:HEAD:labels", "labels"]).exits(2);
    assert_eq!(relabelled.last_line(), "1 relabelled.");
    let below = diff(&path.join("labels"), &["git:HEAD", "."]).exits(2);
    assert_eq!(below.last_line(), "1 relabelled.");
    let added = diff(path, &["git:HEAD:coco/all.json", "coco/all.json"]).exits(2);
    assert_eq!(added.last_line(), "1 added; 1 unchanged.");
    let none = diff(path, &["git:HEAD:nothing", "labels"]).exits(1);
    assert!(none.stderr.contains("revision HEAD has no nothing"));
    let unknown = diff(path, &["git:v9:labels", "labels"]).exits(1);
    assert!(unknown.stderr.contains("there is no commit \"v9\""));
}

/// `git diff` with the binary as an external diff of the label files.
fn git_diff(folder: &Path, arguments: &[&str]) -> String {
    let setting = format!(
        "diff.annosync.command='{}' diff --git",
        env!("CARGO_BIN_EXE_annosync")
    );
    git(folder, &[&["-c", &setting, "diff"], arguments].concat())
}

#[test]
fn git_diff_shows_the_differences_of_labels() {
    if !is_there("git") {
        return;
    }
    let part = |inputs: &[String]| format!("inputs:\n{}", inputs.concat());
    let header = "version: 1\nset: street\npolicy: sync\nfiles: ['labels/**']\n";
    let folder = repository(&[
        (".gitattributes", "*.yaml diff=annosync\n"),
        ("annosync.yaml", header),
        (
            "labels/a.yaml",
            &part(&[input("a", &[(0.1, "car"), (0.5, "bus")])]),
        ),
        ("labels/b [1].yaml", &part(&[input("b", &[(0.1, "car")])])),
        ("labels/gone.yaml", &part(&[input("c", &[(0.1, "car")])])),
    ]);
    let path = folder.path();
    write(
        path,
        "labels/a.yaml",
        &part(&[input("a", &[(0.12, "car"), (0.5, "bus")])]),
    );
    write(
        path,
        "labels/b [1].yaml",
        &format!("# checked\n{}", part(&[input("b", &[(0.1, "car")])])),
    );
    std::fs::remove_file(path.join("labels/gone.yaml")).unwrap();
    write(
        path,
        "annosync.yaml",
        &header.replace("policy: sync", "policy: upsert"),
    );
    insta::assert_snapshot!(git_diff(path, &[]), @r"
    annosync diff annosync.yaml
    The labels are equal. As text:
    --- annosync.yaml
    +++ annosync.yaml
    @@ -1,4 +1,4 @@
     version: 1
     set: street
    -policy: sync
    +policy: upsert
     files: ['labels/**']
    annosync diff labels/a.yaml
    Moved (1 annotation): a number-1 IoU 0.81

    a
      ~ moved box [car]: top left, 4.0 % of the image (matched: moved, IoU 0.81)

    1 moved; 1 unchanged.
    annosync diff labels/b [1].yaml
    The labels are equal. As text:
    --- labels/b [1].yaml
    +++ labels/b [1].yaml
    @@ -1,3 +1,4 @@
    +# checked
     inputs:
       - id: b
         annotations:
    annosync diff labels/gone.yaml
    Classes: car 1 -> 0 (-1)

    Removed inputs (1): c (1 label)

    c
      - removed box [car]: top left, 4.0 % of the image

    1 removed, 1 input removed.
    ");
    // A file that cannot be read is compared as text, and the other files are still shown.
    write(path, "labels/a.yaml", "inputs:\n  - id: [\n");
    let broken = git_diff(path, &["--", "labels"]);
    assert!(
        broken.contains("labels/a.yaml has problems. As text:\n--- labels/a.yaml\n"),
        "{broken}"
    );
    assert!(
        broken.ends_with("1 removed, 1 input removed.\n"),
        "{broken}"
    );
    // A commit with another one, where the work tree has no part in it.
    write(path, "labels/a.yaml", &part(&[input("a", &[(0.5, "bus")])]));
    commit(path);
    let commits = git_diff(path, &["HEAD^", "HEAD", "--", "labels/a.yaml"]);
    assert!(
        commits.ends_with("\n1 removed; 1 unchanged.\n"),
        "{commits}"
    );
}

fn shared(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    skipped(&format!("no data in {}", folder.display()));
    None
}

#[test]
fn the_versions_of_taco_differ_by_few_labels_and_two_turned_pictures() {
    let Some(data) = taco::data() else { return };
    let sides = ["annotations-a56f6cb.json", "annotations-a35e944.json"];
    let run = diff(&data, &sides).exits(2);
    assert_eq!(
        run.last_line(),
        "325 added, 8 relabelled, 4 turned; 1,815 unchanged."
    );
    assert!(
        run.stdout.contains(
            "\nTurned pictures (4 annotations on 2 inputs): turned by 90 degrees (4 on 2)\n"
        ),
        "{}",
        run.stdout
    );
    let back = diff(&data, &[sides[1], sides[0], "--only", "turned"]).exits(2);
    assert_eq!(
        back.last_line(),
        "325 removed, 8 relabelled, 4 turned; 1,815 unchanged."
    );
    assert_eq!(
        back.stdout
            .matches("(matched: turned by 270 degrees)")
            .count(),
        4
    );
}

#[test]
fn the_same_labels_in_four_formats_have_no_differences() {
    let Some(data) = shared("voc100") else { return };
    let coco = "coco_format_v1";
    for other in ["voc:pascalvoc_format", "cvat:cvat_format", "yolo_format"] {
        for sides in [[coco, other], [other, coco]] {
            let run = diff(&data, &sides).exits(0);
            assert_eq!(run.stdout, "No differences; 273 unchanged.\n", "{sides:?}");
        }
    }
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
fn the_versions_of_the_blood_cells_differ_as_counted_by_hand() {
    let Some(data) = shared("bccd") else { return };
    let run = diff(&data, &["v1", "v2", "--only", "removed"]).exits(2);
    // Two boxes without an area are on both sides: not imported, and unchanged.
    assert_eq!(
        run.last_line(),
        "1,109 added, 75 removed, 517 moved, 21 inputs added; 3,262 unchanged.",
        "{}",
        run.stderr
    );
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
                "error: {named} is part of the manifest of {header}, and no label set of its own\n\
                 hint: name the folder with annosync.yaml\n"
            )
        );
    }
    diff(folder.path(), &["git:HEAD:m", "m"]).exits(0);
}

/// The numbers of a diff by their places in text, Markdown, page and contact sheets.
#[test]
fn every_format_shows_the_same_numbers_of_real_versions() {
    for (set, sides) in [
        ("bccd", ["v1", "v2"]),
        (
            "taco",
            ["annotations-a56f6cb.json", "annotations-a35e944.json"],
        ),
    ] {
        let Some(data) = shared(set) else { return };
        let out = tempfile::tempdir().unwrap();
        let sheets = format!("images={}", out.path().join("sheets").display());
        let of = |more: &[&str]| diff(&data, &[&sides[..], more].concat()).exits(2).stdout;
        let json: Value = serde_json::from_str(&of(&["--format", "json"])).unwrap();
        let text = of(&["--full"]);
        let closing = text
            .lines()
            .last()
            .unwrap()
            .trim_end_matches('.')
            .to_owned();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let page = of(&["--format", "html"]);
        let markdown = of(&[
            "--format",
            "markdown",
            "--also",
            &sheets,
            "--max-sheets",
            "1",
        ]);
        let all = json["changes"].as_array().unwrap().len();
        let summary = &json["summary"];
        let kinds = "added removed relabelled moved moved_and_relabelled turned attributes";
        let sum: u64 = kinds
            .split(' ')
            .map(|kind| summary[kind].as_u64().unwrap())
            .sum();
        assert_eq!(sum, all as u64);

        assert!(
            markdown.starts_with(&format!("## annosync diff: {closing}\n")),
            "{set}"
        );
        assert!(page.contains(&format!("<p>{closing}.</p>")), "{set}");
        assert!(page.contains(&format!(" of {} differences shown.", thousands(all as u64))));
        let left_out = thousands(all as u64 - 12);
        assert!(markdown.contains("12 changes on 1 contact sheet."), "{set}");
        assert!(
            markdown.contains(&format!(" {left_out} more on no sheet")),
            "{set}"
        );

        let shown = Shown {
            text: &text,
            markdown: &markdown,
            page: &page,
        };
        shown.has_classes(summary);
        shown.has_relabellings(summary);
        shown.has_moves(summary);
    }
}

/// A diff in the formats for people; the text on one line.
struct Shown<'a> {
    text: &'a str,
    markdown: &'a str,
    page: &'a str,
}

impl Shown<'_> {
    fn has_classes(&self, summary: &Value) {
        let Self {
            text,
            markdown,
            page,
        } = self;
        for class in summary["classes"].as_array().unwrap() {
            let name = class["concept"].as_str().unwrap();
            let [before, after] = ["before", "after"].map(|side| class[side].as_u64().unwrap());
            let change = after.cast_signed() - before.cast_signed();
            let sign = if change < 0 { "-" } else { "+" };
            let change = format!("{sign}{}", thousands(change.unsigned_abs()));
            let [before, after] = [before, after].map(thousands);
            let row = format!("| `{name}` | {before} | {after} | {change} |");
            assert!(markdown.contains(&row), "{row}");
            let row = format!("{name} {before} -> {after} ({change})");
            assert!(text.contains(&row), "{row}");
            let number = |text: &str| format!("<td class=\"n\">{text}</td>");
            let numbers = [&before, &after, &change].map(|it| number(it)).concat();
            let row = format!("<bdi>{name}</bdi></th>{numbers}");
            assert!(page.contains(&row), "{row}");
        }
    }

    fn has_relabellings(&self, summary: &Value) {
        let Self {
            text,
            markdown,
            page,
        } = self;
        for pair in summary["relabellings"].as_array().unwrap() {
            let [from, to] = ["from", "to"].map(|side| pair[side][0].as_str().unwrap());
            let count = pair["count"].as_u64().unwrap();
            assert!(
                markdown.contains(&format!("| `{from}` | `{to}` | {count} |")),
                "{from}"
            );
            assert!(
                text.contains(&format!("{from} -> {to} ({count})")),
                "{from}"
            );
            let matrix = &page[page.find("class=\"matrix\"").unwrap()..];
            let row = &matrix[matrix.find(&format!("<bdi>{from}</bdi></th>")).unwrap()..];
            assert!(
                row[..row.find("</tr>").unwrap()].contains(&format!(">{count}</td>")),
                "{from}"
            );
        }
    }

    fn has_moves(&self, summary: &Value) {
        let Self {
            text,
            markdown,
            page,
        } = self;
        let histogram = summary["moves"]["histogram"].as_array().unwrap();
        for (tenth, count) in histogram.iter().enumerate() {
            let count = count.as_u64().unwrap();
            if count == 0 {
                continue;
            }
            let end = format!("{:.1}", (tenth + 1) as f64 / 10.0);
            let name = format!("IoU 0.{tenth} to {end}");
            let count = thousands(count);
            assert!(
                markdown.contains(&format!("| {name} | {count} |")),
                "{name}"
            );
            assert!(text.contains(&format!("{name}: {count} ")), "{name}");
            assert!(
                page.contains(&format!("{name}</th><td class=\"n\">{count}</td>")),
                "{name}"
            );
        }
    }
}
