//! `--fix`: edits that lose nothing.

use super::{an_input, declare, lint, rules};
use crate::cli::{World, header};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;

const FIXABLE: &str = "  # of the street
  - id: in-000  # the first
    annotations:
      # by Bea
      - box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }  # kept
        concepts: [car]
      - box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }
        concepts: [car]
      - key: named
        box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }
        concepts: [car]
      - polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]]  # the lake
        concepts: [lake]
  - id: in-001
    annotations:
      # the second frame
      - frame: { time_ms: 200 }
        box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }  # later
        track: t1
        concepts: [car]
      - concepts: [street]

      # the first frame
      - frame: { time_ms: 100 }
        box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.6 }
        track: t1
        concepts: [car]
";

#[test]
fn fixes_change_the_lines_at_fault_alone() {
    let world = World::new();
    declare(&world, "", FIXABLE);
    world.seed(vec![
        crate::support::whole("in-000", "x0", &[("x", 1.0)]),
        crate::support::whole("in-001", "x1", &[("x", 1.0)]),
    ]);
    world.apply(&[]).exits(0);
    let count = world.annotations().len();
    let run = lint(&world, &["--fix"]).exits(0);
    assert!(run.stderr.contains("Fixed 4 findings:\n"), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("note: 2 duplicates dropped: the next plan deletes"),
        "{}",
        run.stderr
    );
    let fixed = world.read("m.yaml");
    let inputs = fixed.split_once("inputs:\n").unwrap().1;
    insta::assert_snapshot!(inputs, @r"
      # of the street
      - id: in-000  # the first
        annotations:
          # by Bea
          - key: named
            box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }
            concepts: [car]
          - polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]  # the lake
            concepts: [lake]
      - id: in-001
        annotations:

          # the first frame
          - frame: { time_ms: 100 }
            box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.6 }
            track: t1
            concepts: [car]
          - concepts: [street]
          # the second frame
          - frame: { time_ms: 200 }
            box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }  # later
            track: t1
            concepts: [car]
    ");
    // A second run has nothing to do.
    let again = lint(&world, &["--fix"]).exits(0);
    assert!(
        again.stderr.starts_with("Nothing to fix."),
        "{}",
        again.stderr
    );
    assert_eq!(world.read("m.yaml"), fixed);
    // The plan deletes the two copies, and nothing else.
    let plan = world.plan_json();
    let actions: Vec<&str> = plan["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["delete", "delete"], "{plan:#}");
    world.apply(&[]).exits(0);
    assert_eq!(world.annotations().len(), count - 2);
}

#[test]
fn fixes_work_in_every_format_and_on_all_files_or_none() {
    let world = World::new();
    let ring = json!([[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]]);
    let input =
        |id: &str| json!({ "id": id, "annotations": [{ "polygon": ring, "concepts": ["lake"] }] });
    world.write("d/annosync.yaml", &header());
    world.write(
        "d/a.jsonl",
        &format!(
            "{}\n{}\n",
            input("a"),
            json!({ "id": "b", "annotations": [] })
        ),
    );
    world.write("d/c.json", &json!({ "inputs": [input("c")] }).to_string());
    world.write(
        "d/e.yaml",
        &format!(
            "inputs:\r\n{}",
            an_input(
                "e",
                &["polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]]"]
            )
            .replace('\n', "\r\n")
        ),
    );
    let before = ["d/a.jsonl", "d/c.json", "d/e.yaml"].map(|file| world.read(file));
    // A layout that cannot be edited in place stops everything.
    world.write("d/f.yaml", "inputs: [{ id: f, annotations: [{ polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]] }] }]  # kept\n");
    let run = world.run(&["validate", "d", "--fix"]).exits(1);
    assert!(
        run.stderr
            .contains("d/f.yaml does not allow changes in place; nothing was written"),
        "{}",
        run.stderr
    );
    assert_eq!(
        ["d/a.jsonl", "d/c.json", "d/e.yaml"].map(|file| world.read(file)),
        before
    );
    fs::remove_file(world.path().join("d/f.yaml")).unwrap();
    world
        .run(&["validate", "d", "--fix", "--deny-warnings"])
        .exits(0);
    assert!(
        world
            .read("d/a.jsonl")
            .ends_with("{\"id\":\"b\",\"annotations\":[]}\n")
    );
    assert_eq!(
        world.read("d/e.yaml"),
        before[2].replace(", [0.1, 0.1]]", "]")
    );
    let run = world.run(&["validate", "d", "--fix"]).exits(0);
    assert_eq!(run.stderr, "Nothing to fix.\n");
}

#[test]
fn every_point_at_the_end_that_repeats_the_first_is_removed_at_once() {
    let world = World::new();
    let ring = "polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1], [0.1, 0.1]]";
    declare(&world, "", &an_input("a", &[ring]));
    assert_eq!(
        rules(&world),
        BTreeSet::from(["repeated-vertex".to_owned()])
    );
    lint(&world, &["--fix", "--deny-warnings"]).exits(0);
    let fixed = world.read("m.yaml");
    assert!(
        fixed.contains("[[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]"),
        "{fixed}"
    );
    lint(&world, &["--fix"]).exits(0).says("Nothing to fix.");
}

#[test]
fn a_fix_that_would_lose_anchors_or_move_comments_is_refused() {
    let world = World::new();
    let ring = "polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]]";
    let other = "polygon: [[0.6, 0.6], [0.9, 0.6], [0.9, 0.9], [0.6, 0.6]]";
    for annotations in [
        // The copy is to be dropped, and both are to be trimmed.
        format!(
            "      # the lake\n      - &x {{ {ring}, concepts: [lake] }}  # first\n      # again\n      - *x  # second\n"
        ),
        // The alias is of another input.
        format!(
            "      # the lake\n      - &x {{ {other}, concepts: [lake] }}  # first\n  - id: b\n    annotations:\n      # as on a\n      - *x  # second\n"
        ),
    ] {
        declare(
            &world,
            "",
            &format!("  - id: a\n    annotations:\n{annotations}"),
        );
        let before = world.read("m.yaml");
        let run = lint(&world, &["--fix"]).exits(1);
        assert!(
            run.stderr.contains(
                "the layout of m.yaml does not allow changes in place; nothing was written"
            ),
            "{}",
            run.stderr
        );
        assert_eq!(world.read("m.yaml"), before);
    }
}

#[test]
fn what_is_ignored_or_off_is_not_fixed() {
    let world = World::new();
    let ring = "polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]]";
    let ignored =
        format!("{{ {ring}, ignore: [{{ rule: repeated-vertex, reason: exported so }}] }}");
    for (line, annotation) in [
        ("", ignored.as_str()),
        ("lint: { repeated-vertex: off }\n", ring),
    ] {
        declare(&world, line, &an_input("a", &[annotation]));
        let before = world.read("m.yaml");
        lint(&world, &["--fix"]).exits(0).says("Nothing to fix.");
        assert_eq!(world.read("m.yaml"), before);
    }
}
