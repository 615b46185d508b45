//! `validate`: a manifest's problems, all of them, without a network.

use super::{World, header};

#[test]
fn a_valid_manifest_is_counted() {
    let world = World::new();
    world.declare("  - id: a\n    annotations:\n      - concepts: [car]\n      - concepts: [tree]\n  - id: b\n    annotations: []\n");
    let run = world.run(&["validate", "m.yaml"]).exits(0);
    assert_eq!(
        run.stdout,
        "The manifest is valid: set street, 2 inputs, 2 annotations.\n"
    );
    assert_eq!(run.stderr, "");
}

#[test]
fn every_problem_is_shown_with_its_line_and_what_is_allowed() {
    let world = World::new();
    world.write(
        "annosync.yaml",
        &format!("{}vocabulary: [car, tree]\n", header()),
    );
    world.write(
        "labels/one.yaml",
        "inputs:\n  - id: a\n    annotations:\n      - concpets: [car]\n      - concepts: [caar]\n      - box: { top: 0.5, left: 0, bottom: 0.1, right: 1 }\n",
    );
    world.write("labels/two.yaml", "inputs:\n  - id: a\n    annotations:\n");
    let run = world.run(&["validate"]).exits(1);
    assert_eq!(run.stdout, "");
    assert!(!run.stderr.contains('\u{1b}'), "no colours into a pipe");
    insta::assert_snapshot!(run.stderr, @r"
    error: unknown key `concpets` in an annotation
     --> ./labels/one.yaml:4:9
      |
    4 |       - concpets: [car]
      |         ^^^^^^^^
      |
      = help: did you mean `concepts`? allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`

    error: the concept `caar` is not in the vocabulary
     --> ./labels/one.yaml:5:20
      |
    5 |       - concepts: [caar]
      |                    ^^^^
      |
      = help: did you mean `car`? otherwise add it to `vocabulary` in the header

    error: top (0.5) is greater than bottom (0.1)
     --> ./labels/one.yaml:6:21
      |
    6 |       - box: { top: 0.5, left: 0, bottom: 0.1, right: 1 }
      |                     ^^^
      |
      = help: `top` is the edge nearer to the image's top left; swap it with `bottom`

    error: the input `a` stands twice
     --> ./labels/two.yaml:2:9
      |
    2 |   - id: a
      |         ^
      |
      = help: the first one is at ./labels/one.yaml:2:9; put all its annotations in one place

    error: `annotations` has no value
     --> ./labels/two.yaml:3:17
      |
    3 |     annotations:
      |                 ^
      |
      = help: write [] if you mean none
    error: the manifest has 5 problems
    ");
    // Whoever plans sees the same.
    let plan = world.run(&["plan", "--embedded", "x.db"]).exits(1);
    assert_eq!(plan.stderr, run.stderr);
    assert!(!world.path().join("x.db").exists());
}

#[test]
fn a_folder_without_a_manifest_and_a_path_without_anything_are_errors() {
    let world = World::new();
    world.run(&["validate"]).exits(1);
    let run = world.run(&["validate", "nowhere"]).exits(1);
    assert!(run.stderr.contains("nowhere"), "{}", run.stderr);
}
