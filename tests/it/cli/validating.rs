//! `validate`: a manifest's problems, all of them, without a network.

use super::{World, header};
use crate::support::png;
use std::fs;

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
fn problems_are_shown_with_line_and_hint() {
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
      = help: did you mean `concepts`? allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`, `ignore`

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

    error: duplicate input `a`
     --> ./labels/two.yaml:2:9
      |
    2 |   - id: a
      |         ^
      |
      = help: the first is at ./labels/one.yaml:2:9; declare each input once, with all its annotations

    error: `annotations` has no value
     --> ./labels/two.yaml:3:17
      |
    3 |     annotations:
      |                 ^
      |
      = help: write [] if you mean none
    error: the manifest has 5 problems
    ");
    // `plan` shows the same problems.
    let plan = world.run(&["plan", "--embedded", "x.db"]).exits(1);
    assert_eq!(plan.stderr, run.stderr);
    assert!(!world.path().join("x.db").exists());
}

#[test]
fn a_folder_without_manifest_and_a_missing_path_are_errors() {
    let world = World::new();
    world.run(&["validate"]).exits(1);
    let run = world.run(&["validate", "nowhere"]).exits(1);
    assert!(run.stderr.contains("nowhere"), "{}", run.stderr);
}

#[test]
fn a_hint_quotes_the_number_as_the_file_spells_it() {
    let world = World::new();
    for (written, quoted) in [
        ("72225e2", "\"72225e2\""),
        ("1.10", "\"1.10\""),
        ("0x1F", "\"0x1F\""),
        ("true", "\"true\""),
    ] {
        world.declare(&format!("  - id: {written}\n    annotations: []\n"));
        let run = world.run(&["validate", "m.yaml"]).exits(1);
        assert!(run.stderr.contains(quoted), "{written}: {}", run.stderr);
        let input = format!(r#"{{"inputs": [{{"id": {written}, "annotations": []}}]}}"#);
        world.write("j/annosync.yaml", &header());
        world.write("j/in.json", &input);
        if written != "0x1F" {
            let run = world.run(&["validate", "j"]).exits(1);
            assert!(
                run.stderr.contains(quoted),
                "{written} in JSON: {}",
                run.stderr
            );
        }
    }
    world
        .declare("  - id: a\n    annotations:\n      - concepts: [1.10]\n      - { 72225e2: 1 }\n");
    let run = world.run(&["validate", "m.yaml"]).exits(1);
    for quoted in ["\"1.10\"", "\"72225e2\"", "found the number 1.10"] {
        assert!(run.stderr.contains(quoted), "{}", run.stderr);
    }
}

#[test]
fn equal_problems_are_shown_once_with_their_count() {
    let world = World::new();
    world.write("annosync.yaml", &format!("{}vocabulary: [car]\n", header()));
    for (file, concept) in [("a", "bus"), ("b", "bus"), ("c", "tram")] {
        let annotations = format!("      - concepts: [{concept}]\n").repeat(600);
        let text = format!("inputs:\n  - id: {file}\n    annotations:\n{annotations}");
        world.write(&format!("labels/{file}.yaml"), &text);
    }
    let run = world.run(&["validate"]).exits(1);
    insta::assert_snapshot!(run.stderr, @r"
    error: the concept `bus` is not in the vocabulary
     --> ./labels/a.yaml:4:20
      |
    4 |       - concepts: [bus]
      |                    ^^^
      |
      = note: this is the first of 1,200 places with the same problem
      = help: add it to `vocabulary` in the header

    error: the concept `tram` is not in the vocabulary
     --> ./labels/c.yaml:4:20
      |
    4 |       - concepts: [tram]
      |                    ^^^^
      |
      = note: this is the first of 600 places with the same problem
      = help: add it to `vocabulary` in the header
    error: the manifest has 1,800 problems, 2 of them different
    ");
    let again = world.run(&["validate"]).exits(1);
    assert_eq!(again.stderr, run.stderr);
}

#[test]
fn a_shape_without_area_as_32_bit_numbers_is_a_problem() {
    let world = World::new();
    for shape in [
        "box: { top: 0.5, left: 0.5, bottom: 0.5, right: 0.5 }",
        "box: { top: 0.1, left: 0.2, bottom: 0.10000000001, right: 0.6 }",
        "box: { top: 0.1, left: 0.2, bottom: 0.3, right: 0.20000000001 }",
        "polygon: [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]",
        "polygon: [[0.5, 0.1], [0.5, 0.2], [0.50000000001, 0.3]]",
        "polygon: [[0.5, 0.1], [0.50000000001, 0.10000000001], [0.5, 0.2], [0.50000000001, 0.2]]",
    ] {
        world.declare(&format!(
            "  - id: a\n    annotations:\n      - {{ {shape}, concepts: [car] }}\n"
        ));
        world
            .run(&["validate", "m.yaml"])
            .exits(1)
            .says("without area");
    }
    world.declare(
        "  - id: a\n    annotations:\n      - { box: { top: 0.1, left: 0.2, bottom: 0.1000001, right: 0.6 }, concepts: [car] }\n",
    );
    world.run(&["validate", "m.yaml"]).exits(0);
}

#[test]
fn an_unknown_id_without_fields_is_an_error_of_the_plan() {
    let world = World::new();
    for annotation in [
        "{ id: a }",
        "{ id: a, status: pending }",
        "{ key: a, status: pending }",
    ] {
        world.declare(&format!(
            "  - id: in-000\n    annotations:\n      - {annotation}\n"
        ));
        let run = world.plan(&[]).exits(1);
        assert!(run.stderr.contains("m.yaml:8:11: "), "{}", run.stderr);
        assert!(run.stderr.contains("is not in the app"), "{}", run.stderr);
        let run = world
            .on_app(&["apply", "m.yaml", "--auto-approve"])
            .exits(1);
        assert!(run.stderr.contains("nothing was sent"), "{}", run.stderr);
    }
    assert_eq!(world.writes(), []);
    let many = "      - id: ID\n".repeat(9);
    let many: String = (0..9).fold(many, |text, at| text.replacen("ID", &format!("a{at}"), 1));
    world.declare(&format!("  - id: in-000\n    annotations:\n{many}"));
    let run = world.plan(&[]).exits(1);
    assert_eq!(run.stderr.matches("is not in the app").count(), 3);
    assert!(
        run.stderr.contains("and 6 more like the last one"),
        "{}",
        run.stderr
    );
}

#[test]
fn masks_without_pixels_and_empty_spans_and_segments_are_problems() {
    let world = World::new();
    fs::create_dir(world.path().join("masks")).unwrap();
    fs::write(world.path().join("masks/black.png"), png(2, &[0, 0])).unwrap();
    fs::write(world.path().join("masks/dot.png"), png(2, &[0, 9])).unwrap();
    let check = |annotation: &str| {
        world.declare(&format!(
            "  - id: a\n    annotations:\n      - {{ {annotation}, concepts: [car] }}\n"
        ));
        world.run(&["validate", "m.yaml"])
    };
    for (annotation, message) in [
        (
            "mask: { path: masks/black.png }",
            "`masks/black.png` is a mask without an annotated pixel\n --> m.yaml:8:25\n",
        ),
        (
            "span: { start: 3, end: 3 }",
            "a span without characters: `start` and `end` are equal\n --> m.yaml:8:34\n",
        ),
        (
            "segment: { begin: 1.5, end: 1.5 }",
            "a segment without duration: `begin` and `end` are equal as 32-bit numbers\n --> m.yaml:8:39\n",
        ),
        (
            "segment: { begin: 100000, end: 100000.001 }",
            "a segment without duration",
        ),
    ] {
        check(annotation).exits(1).says(message);
    }
    for annotation in [
        "mask: { path: masks/dot.png }",
        "span: { start: 3, end: 4 }",
        "segment: { begin: 100000, end: 100000.1 }",
        "frame: { time_ms: 0, number: 0 }",
    ] {
        check(annotation).exits(0);
    }
}

#[test]
fn problems_of_one_kind_are_cut_and_counted() {
    let world = World::new();
    let input = |id: usize| format!("  - id: in-{id}\n    annotations: []\n");
    let inputs: String = (0..500).map(input).collect();
    world.declare(&format!("{inputs}{inputs}  - id: 7\n    annotations: []\n"));
    let run = world.run(&["validate", "m.yaml"]).exits(1);
    assert_eq!(run.stderr.matches("error: duplicate input `in-").count(), 5);
    assert!(
        run.stderr
            .contains("\n\nand 495 more like this; -v shows all\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("error: `id` must be text, found the number 7"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .ends_with("error: the manifest has 501 problems\n"),
        "{}",
        run.stderr
    );
    let all = world.run(&["validate", "m.yaml", "-v"]).exits(1);
    assert_eq!(
        all.stderr.matches("error: duplicate input `in-").count(),
        500
    );
    assert!(!all.stderr.contains("more like this"));
    // Different kinds are counted separately.
    world.declare("  - id: a\n    annotations:\n      - { box: 1, cocnepts: [a], polygon: 1, frame: 1, status: odd, key: 3, info: 1 }\n");
    let run = world.run(&["validate", "m.yaml"]).exits(1);
    assert!(!run.stderr.contains("more like this"), "{}", run.stderr);
}

#[test]
fn an_annotation_that_would_be_posted_empty_is_a_problem() {
    let world = World::new();
    let declare = |annotation: &str| {
        world.declare(&format!(
            "  - id: in-000\n    annotations:\n      - {annotation}\n"
        ));
    };
    for empty in ["concepts: []", "{ frame: { number: 3 }, concepts: [] }"] {
        declare(empty);
        world
            .run(&["validate", "m.yaml"])
            .exits(1)
            .says("an annotation without a geometry and with an empty list of concepts")
            .says("--> m.yaml:8:")
            .says("`annotations: []`");
    }
    // A labelling task is an annotation with a user and without concepts.
    declare("{ concepts: [], status: pending }");
    world.apply(&[]).exits(0);
    // An existing annotation may lose its last concept.
    declare("{ key: k, concepts: [car] }");
    world.apply(&["--allow-deletes", "1"]).exits(0);
    declare("{ key: k, concepts: [] }");
    world.apply(&["--allow-vanished", "1"]).exits(0);
}

#[test]
fn a_wrong_version_is_quoted_as_written() {
    let world = World::new();
    world.write(
        "m.yaml",
        &header().replace("version: 1\n", "version: 1.0\n"),
    );
    world
        .run(&["validate", "m.yaml"])
        .exits(1)
        .says("`version` must be 1, found the number 1.0");
}

#[test]
fn a_missing_annotation_is_named_by_its_key() {
    let world = World::new();
    world.declare("  - id: in-000\n    annotations:\n      - { key: red, status: pending }\n");
    let run = world
        .plan(&[])
        .exits(1)
        .says("m.yaml:8:11: the annotation with the key `red` of input `in-000` is not in the app");
    assert!(!run.stderr.contains("sent"), "{}", run.stderr);
    assert!(!run.stderr.contains("as-"), "{}", run.stderr);
}
