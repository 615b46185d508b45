use super::*;
use crate::plan::DiffChange;

fn content(json: &str) -> Content {
    serde_json::from_str(json).unwrap()
}

/// The line of a difference between these contents.
fn line(kind: DiffKind, before: Option<&str>, after: Option<&str>) -> String {
    let change = DiffChange {
        kind,
        input_id: InputId::new("a").unwrap(),
        id: None,
        key: Some(Key::new("k").unwrap()),
        matched: None,
        before: before.map(content),
        after: after.map(content),
    };
    ShownChange::of_difference(&change, &ShortIds::whole()).line()
}

fn changed(before: &str, after: &str) -> String {
    line(DiffKind::Attributes, Some(before), Some(after))
}

#[test]
fn a_line_names_what_changes() {
    for (before, after, expected) in [
        (
            r#"{"box": {"top": 0, "left": 0, "bottom": 0.2, "right": 0.2}, "concepts": {"car": 1}}"#,
            r#"{"box": {"top": 0, "left": 0, "bottom": 0.2, "right": 0.4}, "concepts": {"car": 0.5}}"#,
            "box [car -> car: 0.5] k: top left, 8.0 % of the image; IoU 0.50",
        ),
        (
            r#"{"box": {"top": 0, "left": 0, "bottom": 0.2, "right": 0.2}}"#,
            r#"{"polygon": [[0, 0], [0, 0.2], [0.2, 0.2]]}"#,
            "box k: top left, 4.0 % of the image; box -> polygon",
        ),
        (
            r#"{"concepts": {"car": 1}, "status": "pending", "metadata": {"a": 1}}"#,
            r#"{"concepts": {"car": 1}, "status": "success", "metadata": {"a": 2}}"#,
            "whole input [car] k: status pending -> success; metadata",
        ),
        (
            r#"{"text": "a red car"}"#,
            r#"{"text": "a blue car"}"#,
            "text k: text \"a red car\" -> \"a blue car\"",
        ),
        // Also if the points are too far apart for an overlap.
        (
            r#"{"point": [0.5, 0.25]}"#,
            r#"{"point": [0.5, 0.75]}"#,
            "point k: right; distance 0.5000",
        ),
        (
            r#"{"point": [0.5, 0.25]}"#,
            r#"{"point": [0.51, 0.25]}"#,
            "point k: left; distance 0.0100",
        ),
        // Float noise and the spelling of JSON are not differences.
        (
            r#"{"point": [0.1, 0.9], "metadata": {"a": 1, "b": 2}}"#,
            r#"{"point": [0.10000001, 0.9], "metadata": {"b": 2, "a": 1.0}}"#,
            "point k: top right",
        ),
    ] {
        let expected = format!("changed {expected}");
        assert_eq!(changed(before, after), expected);
    }
    assert_eq!(
        line(
            DiffKind::Removed,
            Some(r#"{"text": "x", "concepts": {}, "user": "ann"}"#),
            None
        ),
        "removed text k: text \"x\"; by ann"
    );
}

#[test]
fn of_many_concepts_those_that_change_are_named() {
    let before = r#"{"concepts": {"a": 1, "b": 1, "c": 1, "d": 1}}"#;
    let after = r#"{"concepts": {"a": 1, "b": 0, "c": 1, "e": 1}}"#;
    assert_eq!(
        changed(before, after),
        "changed whole input [+b: false, +e, -d, 2 unchanged] k"
    );
    let after = r#"{"concepts": {"v": 1, "w": 1, "x": 1, "y": 1, "z": 1}}"#;
    assert_eq!(
        changed(before, after),
        "changed whole input [+v, +w, +x, 6 more changed] k"
    );
}

#[test]
fn fields_that_the_manifest_leaves_out_are_no_change() {
    let (before, after) = (
        content(r#"{"status": "pending", "user": "ann", "metadata": {"a": 1, "b": 2}}"#),
        content(r#"{"status": "success", "metadata": {"a": 1}}"#),
    );
    let input_id = InputId::new("a").unwrap();
    let shown = ShownChange::of_contents(&input_id, &before, Some(&after));
    assert_eq!(shown.other_fields(), ["status pending -> success"]);
    let whole = ShownChange {
        is_after_whole: true,
        ..shown
    };
    assert_eq!(
        whole.other_fields(),
        ["status pending -> success", "user ann -> none", "metadata"]
    );
}
