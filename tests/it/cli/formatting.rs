//! `fmt`: which files are written, what is said, and the exit codes.

use super::{World, header, settled};
use std::fs;

const WRONG: &str = "inputs:\n- id: a # first\n  annotations:\n  - {concepts: [car], box: {left: 0.1, top: 0.1, right: 0.5, bottom: 0.5}}\n";
const RIGHT: &str = "inputs:\n  - id: a  # first\n    annotations:\n      - box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }\n        concepts: [car]\n";

/// A manifest with a file that is right, and one that is not.
fn project() -> World {
    let world = World::new();
    world.write(
        "annosync.yaml",
        &format!("{}files: [\"labels/**\"]\n", header()),
    );
    world.write("labels/wrong.yaml", WRONG);
    world.write("labels/right.yaml", &RIGHT.replace("id: a", "id: b"));
    world
}

fn wrong(id: &str) -> String {
    WRONG.replace("id: a", &format!("id: {id}"))
}

#[test]
fn check_lists_the_files_and_writes_nothing() {
    let world = project();
    let run = world.run(&["fmt", "--check"]).exits(1);
    assert_eq!(run.stdout, "labels/wrong.yaml\n");
    assert_eq!(
        run.stderr,
        "error: 1 file is not in the form that pull writes\nhint: run `annosync fmt`, and commit the result\n"
    );
    assert_eq!(world.read("labels/wrong.yaml"), WRONG);
    let run = world.run(&["fmt"]).exits(0);
    assert_eq!(run.stdout, "labels/wrong.yaml\n");
    assert_eq!(run.stderr, "1 file formatted; 2 files right already.\n");
    assert_eq!(world.read("labels/wrong.yaml"), RIGHT);
    let run = world.run(&["fmt", "--check"]).exits(0);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("", "3 files checked; nothing to format.\n")
    );
}

#[test]
fn files_that_are_right_are_not_touched() {
    let world = project();
    let modified = |name| {
        fs::metadata(world.path().join(name))
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = modified("labels/right.yaml");
    world.run(&["fmt"]).exits(0);
    assert_eq!(modified("labels/right.yaml"), before);
}

#[test]
fn only_the_named_label_files_are_written() {
    let world = project();
    world.write("labels/c/one.yaml", &wrong("c"));
    world.write("labels/d/two.yaml", &wrong("d"));
    world.write("other.yaml", "a: b\n");
    world.write("notes.txt", "a\n");
    // A hook of git names files of any kind, and may run anywhere.
    let run = world
        .run(&[
            "fmt",
            "labels/c/one.yaml",
            "annosync.yaml",
            "other.yaml",
            "notes.txt",
        ])
        .exits(0);
    assert_eq!(run.stdout, "labels/c/one.yaml\n");
    assert_eq!(
        run.stderr,
        "note: skipped 2 files of no manifest, first notes.txt\n1 file formatted; 1 file right already.\n"
    );
    let run = world
        .run_in("labels/d", &["fmt", "two.yaml", "--check"])
        .exits(1);
    assert!(
        run.stdout.ends_with("labels/d/two.yaml\n"),
        "{}",
        run.stdout
    );
    // A folder of label files.
    assert_eq!(
        world.run(&["fmt", "labels/d"]).exits(0).stdout,
        "labels/d/two.yaml\n"
    );
    assert_eq!(world.read("labels/wrong.yaml"), WRONG);
    // The header's file is the manifest.
    assert_eq!(
        world.run(&["fmt", "annosync.yaml"]).exits(0).stdout,
        "labels/wrong.yaml\n"
    );
    world
        .run(&["fmt", "notes.txt"])
        .exits(0)
        .says("skipped 1 file of no manifest");
    world
        .run(&["fmt", "labels/none.yaml"])
        .exits(1)
        .says("labels/none.yaml does not exist");
}

#[test]
fn a_file_that_cannot_be_formatted_is_left_as_it_is() {
    let world = project();
    let flow = "inputs: [\n{ id: c, annotations: [] }\n]\n";
    world.write("labels/flow.yaml", flow);
    let run = world.run(&["fmt"]).exits(5);
    assert_eq!(run.stdout, "labels/wrong.yaml\n");
    insta::assert_snapshot!(run.stderr, @"
    warning: labels/flow.yaml is left as it is: its `inputs:` cannot be rewritten without changing the rest of the file
    hint: write its `inputs:` at the beginning of a line, as a block list
    error: 1 file cannot be formatted
    ");
    assert_eq!(world.read("labels/flow.yaml"), flow);
    world.run(&["fmt", "--check"]).exits(1);
    // Anchors are the author's choice.
    let anchor = "inputs:\n- &c\n  id: c\n  annotations: []\n";
    world.write("labels/flow.yaml", anchor);
    world
        .run(&["fmt", "--check"])
        .exits(0)
        .says("note: labels/flow.yaml is left as it is");
    assert_eq!(world.read("labels/flow.yaml"), anchor);
}

#[test]
fn an_invalid_manifest_is_not_formatted() {
    let world = project();
    world.write("labels/bad.yaml", "inputs: [{ id: x }]\n");
    world
        .run(&["fmt"])
        .exits(1)
        .says("error: the manifest has a problem");
    assert_eq!(world.read("labels/wrong.yaml"), WRONG);
}

#[test]
fn formatting_changes_no_plan() {
    let world = World::new();
    world.declare(&format!("{}{}", &wrong("in-000")[8..], "# end\n"));
    world.seed(vec![crate::support::whole("in-000", "x", &[("car", 1.0)])]);
    world.apply(&[]).exits(0);
    world.run(&["fmt", "m.yaml"]).exits(0);
    assert!(world.read("m.yaml").ends_with("concepts: [car]\n# end\n"));
    settled(&world.plan(&["--detailed-exitcode"]));
}
