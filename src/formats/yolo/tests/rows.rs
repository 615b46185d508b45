//! The numbers of a row.

use super::{content, imported};
use crate::formats::checks::{notes, skips};
use crate::formats::options::Scores;
use crate::formats::source::Memory;
use crate::formats::yolo::*;

/// The one object of a set with this row, or why it is left out.
fn row(yaml: &str, row: &str) -> (String, Vec<(&'static str, u64)>) {
    let yaml = format!("train: labels\nnames: [car]\n{yaml}");
    let imported = imported(&[("d.yaml", &yaml), ("labels/a.txt", row)]);
    let what = if imported.taken_over == 1 {
        content(&imported).join(" + ")
    } else {
        assert_eq!(imported.inputs[0].left_out, 1);
        skips(&imported).join("; ")
    };
    (what, notes(&imported))
}

#[test]
fn the_numbers_of_a_row_tell_what_it_is() {
    let boxed = r#"car 1 {"box":{"top":0.25,"left":0.25,"bottom":0.75,"right":0.75}}"#;
    let polygon = r#"car 1 {"polygon":[[0.1,0.1],[0.1,0.9],[0.9,0.9]]}"#;
    let square = r#"car 1 {"polygon":[[0.1,0.1],[0.1,0.9],[0.9,0.9],[0.9,0.1]]}"#;
    for (line, what, noted) in [
        ("0 0.5 0.5 0.5 0.5", boxed, &[][..]),
        ("0 0.5 0.5 0.5 0.5 0.9", boxed, &[("score_left_out", 1)]),
        ("0 0.1 0.1 0.9 0.1 0.9 0.9", polygon, &[]),
        (
            "0 0.1 0.1 0.9 0.1 0.9 0.9 0.5",
            polygon,
            &[("score_left_out", 1)],
        ),
        (
            "0 0.1 0.1 0.9 0.1 0.9 0.9 0.1 0.9",
            square,
            &[("ambiguous_rows", 1)],
        ),
    ] {
        assert_eq!(row("", line), (what.to_owned(), noted.to_vec()), "{line}");
    }
    for (line, why) in [
        (
            "0",
            "wrong_type: labels/a.txt:1: 0 numbers after the class: a box has 4",
        ),
        (
            "0 0.5 0.5 1",
            "wrong_type: labels/a.txt:1: 3 numbers after the class: a box has 4",
        ),
        (
            "car 0.5 0.5 1 1",
            "wrong_type: labels/a.txt:1: the class is \"car\", not a whole number from 0",
        ),
        (
            "-1 0.5 0.5 1 1",
            "wrong_type: labels/a.txt:1: the class is \"-1\", not a whole number from 0",
        ),
        (
            "0.5 0.5 0.5 1 1",
            "wrong_type: labels/a.txt:1: the class is \"0.5\", not a whole number from 0",
        ),
        (
            "0 NaN 0.5 1 1",
            "wrong_type: labels/a.txt:1: \"NaN\" is not a number",
        ),
        (
            "0 0.5 1e999 1 1",
            "wrong_type: labels/a.txt:1: \"1e999\" is not a number",
        ),
        (
            "99999999999 0.5 0.5 1 1",
            "unknown_category: labels/a.txt:1: class 99999999999: the names are those of 0 to 0",
        ),
        (
            "0 0.5 0.5 0 1",
            "no_area: labels/a.txt:1: width 0, height 1",
        ),
        (
            "0 0.5 0.5 1.2 1",
            "outside_image: out of the image by 10.00 % left, 10.00 % right",
        ),
        (
            "0 0.5 0.5 0.2 0.2 45",
            "wrong_score: labels/a.txt:1: the last number is 45: a score is from 0 to 1",
        ),
    ] {
        assert_eq!(row("", line).0, why, "{line}");
    }
}

#[test]
fn kpt_shape_makes_keypoints_of_what_follows_the_box() {
    let boxed = r#"car 1 {"box":{"top":0.25,"left":0.25,"bottom":0.75,"right":0.75}}"#;
    let (what, noted) = row("kpt_shape: [2, 3]", "0 0.5 0.5 0.5 0.5 0.3 0.4 2 0 0 0");
    assert_eq!(
        what,
        format!(r#"{boxed} + car 1 {{"keypoints":[[0.4,0.3,"visible"],[0,0,"not_present"]]}}"#)
    );
    assert_eq!(noted, [("split_keypoints", 1)]);
    assert_eq!(
        row("kpt_shape: [1, 3]", "0 0.5 0.5 0.5 0.5 0 0 0"),
        (boxed.to_owned(), vec![])
    );
    assert_eq!(
        row("kpt_shape: [17, 3]", "0 0.5 0.5 0.5 0.5"),
        (boxed.to_owned(), vec![])
    );
    let (what, _) = row("kpt_shape: [2, 2]", "0 0.5 0.5 0.5 0.5 0.3 0.4 -1 -1");
    assert!(what.ends_with(r#","not_present"]]}"#), "{what}");
    assert_eq!(
        row("kpt_shape: [2, 3]", "0 0.5 0.5 0.5 0.5 0.3 0.4 2").0,
        "wrong_type: labels/a.txt:1: 7 numbers after the class: a box and 2 keypoints are 10"
    );
    assert_eq!(
        row("kpt_shape: [1, 3]", "0 0.5 0.5 0.5 0.5 0.3 0.4 0.5").0,
        "wrong_type: labels/a.txt:1: a keypoint with visibility 0.5, which must be 0, 1 or 2"
    );
}

#[test]
fn a_set_of_boxes_with_triples_has_keypoints_without_kpt_shape() {
    let pose = "0 0.5 0.5 0.5 0.5 0.3 0.4 2 0.4 0.4 1\n";
    let poses = imported(&[("a.txt", pose), ("b.txt", pose)]);
    assert_eq!(
        notes(&poses),
        [
            ("split_keypoints", 2),
            ("ambiguous_rows", 1),
            ("unnamed_classes", 1)
        ]
    );
    // Polygons that touch the edges have coordinates of 0 and 1, but never 2.
    let polygon = "0 0.5 0 1 0 1 0.5 1 1 0.5 1\n";
    for files in [
        &[("a.txt", polygon)][..],
        &[("a.txt", pose), ("b.txt", "0 0.5 0.5 1 1")],
    ] {
        let others = imported(files);
        assert!(
            others.notes.iter().all(|it| it.code != Note::SplitShapes),
            "{files:?}"
        );
    }
}

#[test]
fn four_points_everywhere_may_be_oriented_boxes_and_are_said_once() {
    let four = "0 0.1 0.1 0.9 0.1 0.9 0.9 0.1 0.9\n";
    let boxes = imported(&[("classes.txt", "car"), ("a.txt", four), ("b.txt", four)]);
    assert_eq!(notes(&boxes), [("ambiguous_rows", 1)]);
    assert_eq!(
        boxes.notes[0].place,
        "every outline has 4 points (2 in all, the first at line 1 of a): oriented boxes or polygons, imported as polygons"
    );
    let three = "0 0.1 0.1 0.9 0.1 0.9 0.9\n";
    let polygons = imported(&[("classes.txt", "car"), ("a.txt", four), ("b.txt", three)]);
    assert_eq!(notes(&polygons), []);
}

#[test]
fn the_last_of_an_odd_count_is_a_score_only_if_every_row_has_one() {
    let square = "0 0.1 0.1 0.9 0.1 0.9 0.9 0.1 0.9";
    let short = "0 0.1 0.1 0.9 0.1 0.9 0.9 0.1";
    let mixed = imported(&[("classes.txt", "car"), ("a.txt", short), ("b.txt", square)]);
    assert_eq!(
        skips(&mixed),
        [
            "wrong_type: a.txt:1: 7 numbers after the class: an outline has two for each point, and a score only if every row of the set has one"
        ]
    );
    assert_eq!((mixed.taken_over, mixed.inputs[0].left_out), (1, 1));
    let scored = format!("{square} 0.5");
    let boxed = "0 0.5 0.5 1 1 0.5";
    let all = imported(&[("classes.txt", "car"), ("a.txt", &scored), ("b.txt", boxed)]);
    assert_eq!(skips(&all), [""; 0]);
    assert_eq!(all.taken_over, 2);
}

#[test]
fn a_lone_cr_ends_a_line() {
    let rows = "0 0.5 0.5 1 1\r1 0.2 0.2 0.1 0.1\r";
    let imported = imported(&[("classes.txt", "car\rbus\r"), ("a.txt", rows)]);
    assert_eq!(skips(&imported), [""; 0]);
    assert_eq!((imported.taken_over, imported.concepts.len()), (2, 2));
}

#[test]
fn scores_are_values_on_request() {
    let options = ImportOptions {
        scores: Scores::Values,
        ..ImportOptions::default()
    };
    let source = Memory::of([("classes.txt", "car"), ("a.txt", "0 0.5 0.5 1 1 0.25")]);
    let imported = import(&source, &options).unwrap();
    assert!(content(&imported)[0].starts_with("car 0.25 "));
    assert_eq!(imported.notes, []);
}
