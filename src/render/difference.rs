//! The difference between a stored and a wanted annotation, as a small YAML diff.
//!
//! Equal values look equal: float noise, another first point of the same ring and the order of keys are not differences.
//! Fields that the manifest does not manage are left out.

use super::notation::{Layout, Line, lines};
use super::page::{Ink, Page};
use crate::model::{
    Concepts, Content, Extras, Fraction, Geometry, Json, RareFields, float, select_keys,
};
use similar::{Algorithm, ChangeTag, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};
use std::collections::HashSet;

/// Writes the lines that differ with one line of context, each after `indent`. Fields that `wanted` lacks are not managed.
pub(super) fn write(page: &mut Page, indent: &str, is: &Content, wanted: &Content) {
    let (is, wanted) = managed_sides(is, wanted);
    write_sides(page, indent, &is, &wanted);
}

/// Writes the difference of two complete annotations: a field that `wanted` lacks is removed.
pub(super) fn write_whole(page: &mut Page, indent: &str, is: &Content, wanted: &Content) {
    let (is, wanted) = whole_sides(is, wanted);
    write_sides(page, indent, &is, &wanted);
}

/// Both sides as far as `wanted` has the fields, with equal values written alike.
pub(super) fn managed_sides(is: &Content, wanted: &Content) -> (Content, Content) {
    (managed(is, wanted), spelled_as(wanted, is))
}

/// Both sides with all fields, with equal values written alike.
pub(super) fn whole_sides(is: &Content, wanted: &Content) -> (Content, Content) {
    (is.clone(), spelled_as(wanted, is))
}

fn write_sides(page: &mut Page, indent: &str, is: &Content, wanted: &Content) {
    let layout = Layout::of(&[is, wanted]);
    let (old, new) = (lines(is, layout), lines(wanted, layout));
    if old == new {
        page.line(
            Ink::Faint,
            &format!("{indent}(no difference in the fields shown here)"),
        );
        return;
    }
    let (old_texts, new_texts) = (texts(&old), texts(&new));
    let ops = group_diff_ops(compare(&old_texts, &new_texts), 1);
    let changes = ops.iter().flatten().flat_map(|op| {
        op.iter_changes(&old_texts[..], &new_texts[..])
            .map(|change| {
                let line = match (change.old_index(), change.new_index()) {
                    (Some(at), _) => Some(&old[at]),
                    (None, at) => at.map(|at| &new[at]),
                };
                let field = line.and_then(|line| line.field);
                (change.tag(), field, change.value())
            })
    });
    let mut changes = changes.peekable();
    let mut heading = None;
    while let Some((tag, field, text)) = changes.next() {
        if field.is_some() && field != heading {
            let field = field.unwrap_or_default();
            page.line(Ink::Plain, &format!("{indent}  {field}:"));
        }
        let block = heading_of(text).filter(|_| field.is_none());
        let next = changes.peek().and_then(|(_, field, _)| *field);
        // Context that ends with the first line of a block says nothing about the block.
        if tag == ChangeTag::Equal && block.is_some() && block != next {
            heading = None;
            continue;
        }
        heading = field.or(block);
        let (sign, ink) = match tag {
            ChangeTag::Equal => (' ', Ink::Plain),
            ChangeTag::Delete => ('-', Ink::Removed),
            ChangeTag::Insert => ('+', Ink::Added),
        };
        page.line(ink, &format!("{indent}{sign} {text}"));
    }
}

/// The edits from one list of lines to the other. Lines that only one list has are not given to the library, whose time
/// would be their number times that of all lines.
fn compare(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let shared = |lines: &[&str], others: &[&str]| -> Vec<usize> {
        let others: HashSet<&str> = others.iter().copied().collect();
        let all = 0..lines.len();
        all.filter(|&at| others.contains(lines[at])).collect()
    };
    let (of_old, of_new) = (shared(old, new), shared(new, old));
    let old_shared: Vec<&str> = of_old.iter().map(|&at| old[at]).collect();
    let new_shared: Vec<&str> = of_new.iter().map(|&at| new[at]).collect();
    let kept = capture_diff_slices(Algorithm::Myers, &old_shared, &new_shared);
    let equal = kept.iter().filter(|op| op.tag() == DiffTag::Equal);
    let equal = equal.flat_map(|op| op.old_range().zip(op.new_range()));
    let equal = equal.map(|(old, new)| (of_old[old], of_new[new], 1));
    let mut ops = Vec::new();
    let (mut old_index, mut new_index) = (0, 0);
    for (old_at, new_at, len) in equal.chain([(old.len(), new.len(), 0)]) {
        let (old_len, new_len) = (old_at - old_index, new_at - new_index);
        match (old_len, new_len) {
            (0, 0) => {}
            (_, 0) => ops.push(DiffOp::Delete {
                old_index,
                old_len,
                new_index,
            }),
            (0, _) => ops.push(DiffOp::Insert {
                old_index,
                new_index,
                new_len,
            }),
            _ => ops.push(DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            }),
        }
        match ops.last_mut() {
            Some(DiffOp::Equal { len: equal, .. }) => *equal += len,
            _ if len > 0 => ops.push(DiffOp::Equal {
                old_index: old_at,
                new_index: new_at,
                len,
            }),
            _ => {}
        }
        (old_index, new_index) = (old_at + len, new_at + len);
    }
    ops
}

fn texts(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

/// The field with a block that starts with this line.
fn heading_of(line: &str) -> Option<&'static str> {
    ["concepts", "metadata", "info"]
        .into_iter()
        .find(|name| line.strip_suffix(':') == Some(name))
}

/// The fields of `is` that `wanted` has too.
fn managed(is: &Content, wanted: &Content) -> Content {
    let keep = |is: &Option<Json>, wanted: &Option<Json>| match (is, wanted) {
        (Some(is), Some(wanted)) => Some(Json::from_value(&select_keys(
            &wanted.to_value(),
            &is.to_value(),
        ))),
        _ => None,
    };
    Content {
        frame: is.frame.filter(|_| wanted.frame.is_some()),
        geometry: is.geometry.clone().filter(|_| wanted.geometry.is_some()),
        concepts: is.concepts.clone().filter(|_| wanted.concepts.is_some()),
        rare: RareFields {
            status: is.status.filter(|_| wanted.status.is_some()),
            user: is.user.clone().filter(|_| wanted.user.is_some()),
            metadata: keep(&is.metadata, &wanted.metadata),
            info: keep(&is.info, &wanted.info),
            extras: extras(is, wanted),
        }
        .into(),
    }
}

/// A missing field has its default value, which the service leaves out.
fn extras(is: &Content, wanted: &Content) -> Extras {
    let text = |is: Option<&str>, wanted: Option<&str>| {
        let is = is.or(wanted.filter(|text| text.is_empty()));
        is.filter(|_| wanted.is_some()).map(Box::from)
    };
    let value = |value: f32| Fraction::new(f64::from(value)).ok();
    Extras {
        track: text(is.track(), wanted.track()),
        text: text(is.text(), wanted.text()),
        region_value: wanted
            .region_value()
            .and_then(|_| value(is.region_value().unwrap_or(0.0))),
        embed_model_version: text(is.embed_model_version(), wanted.embed_model_version()),
    }
}

/// `wanted`, with equal values written as in `is`.
fn spelled_as(wanted: &Content, is: &Content) -> Content {
    let mut spelled = wanted.clone();
    if let (Some(ours), Some(theirs)) = (&spelled.geometry, &is.geometry)
        && Geometry::same(ours, theirs)
    {
        spelled.geometry.clone_from(&is.geometry);
    }
    if let (Some(ours), Some(theirs)) = (&spelled.concepts, &is.concepts)
        && Concepts::same(ours, theirs)
    {
        spelled.concepts.clone_from(&is.concepts);
    }
    if let (Some(ours), Some(theirs)) = (wanted.region_value(), is.region_value())
        && float::same(ours, theirs)
    {
        spelled
            .rare
            .change(|rare| rare.extras.region_value = is.extras.region_value);
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Color;

    fn diff(is: &str, wanted: &str) -> String {
        let mut page = Page::new(Color::Never);
        let read = |text: &str| serde_json::from_str(text).unwrap();
        write(&mut page, "", &read(is), &read(wanted));
        page.finish()
    }

    #[test]
    fn changed_lines_are_shown_with_one_line_of_context() {
        insta::assert_snapshot!(diff(
            r#"{"box": {"top": 0, "left": 0, "bottom": 1, "right": 1}, "concepts": {"car": 1}, "status": "pending"}"#,
            r#"{"box": {"top": 0, "left": 0, "bottom": 1, "right": 0.5}, "concepts": {"car": 1}, "status": "pending"}"#,
        ), @r"
        - box: {top: 0, left: 0, bottom: 1, right: 1}
        + box: {top: 0, left: 0, bottom: 1, right: 0.5}
          concepts: [car]
        ");
    }

    #[test]
    fn a_changed_key_is_shown_under_its_field() {
        insta::assert_snapshot!(diff(
            r#"{"metadata": {"a": 1, "b": 2, "c": 3, "d": {"x": 1, "y": 2}}}"#,
            r#"{"metadata": {"a": 1, "b": 2, "c": 3, "d": {"x": 5, "y": 2}}}"#,
        ), @r#"
          metadata:
            c: 3
        -   d: {x: 1, "y": 2}
        +   d: {x: 5, "y": 2}
        "#);
    }

    #[test]
    fn a_field_without_a_shown_key_is_not_context() {
        insta::assert_snapshot!(diff(
            r#"{"status": "pending", "metadata": {"a": 1}}"#,
            r#"{"status": "success", "metadata": {"a": 1}}"#,
        ), @r"
        - status: pending
        + status: success
        ");
        insta::assert_snapshot!(diff(
            r#"{"status": "pending", "metadata": {"a": 1, "b": 2, "c": 3, "d": 4}}"#,
            r#"{"status": "success", "metadata": {"a": 1, "b": 2, "c": 3, "d": 5}}"#,
        ), @r"
        - status: pending
        + status: success
          metadata:
            c: 3
        -   d: 4
        +   d: 5
        ");
    }

    #[test]
    fn each_of_many_concepts_has_its_own_line() {
        insta::assert_snapshot!(diff(
            r#"{"concepts": {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1}}"#,
            r#"{"concepts": {"a": 1, "b": 1, "c": 1, "d": 1, "e": 0, "f": 1, "g": 1, "h": 0.5}}"#,
        ), @r"
          concepts:
            d: true
        -   e: true
        +   e: false
            f: true
            g: true
        +   h: 0.5
        ");
    }

    #[test]
    fn edits_are_as_short_as_those_of_the_library() {
        let lists = [
            "",
            "a",
            "a b",
            "b a",
            "a b c d",
            "a x c d",
            "x y z",
            "a b x d e",
            "d c b a",
            "a a b a",
            "x a a y",
        ];
        let lists = lists.map(|list| list.split_whitespace().collect::<Vec<_>>());
        for (old, new) in lists
            .iter()
            .flat_map(|one| lists.iter().map(move |it| (one, it)))
        {
            let same = |ops: &[DiffOp]| -> usize {
                let equal = ops.iter().filter(|op| op.tag() == DiffTag::Equal);
                equal.map(|op| op.old_range().len()).sum()
            };
            let ops = compare(old, new);
            let shortest = capture_diff_slices(Algorithm::Myers, old, new);
            assert_eq!(same(&ops), same(&shortest), "{old:?} {new:?}");
            // Applied in order, the edits turn one list into the other.
            let changes = ops
                .iter()
                .flat_map(|op| op.iter_changes(&old[..], &new[..]));
            let changes: Vec<_> = changes.collect();
            let side = |excluded: ChangeTag| -> Vec<&str> {
                let of_side = changes.iter().filter(|change| change.tag() != excluded);
                of_side.map(similar::Change::value).collect()
            };
            assert_eq!(
                (&side(ChangeTag::Insert), &side(ChangeTag::Delete)),
                (old, new)
            );
        }
    }

    #[test]
    fn a_hundred_thousand_replaced_concepts_are_compared_quickly() {
        let concepts = |name: &str| {
            let concepts: Vec<String> = (0..100_000)
                .map(|at| format!("\"{name}{at:06}\": 1"))
                .collect();
            format!("{{\"concepts\": {{{}}}}}", concepts.join(", "))
        };
        let text = diff(&concepts("old"), &concepts("new"));
        assert_eq!(text.lines().count(), 200_001);
    }

    #[test]
    fn equal_values_are_not_a_difference() {
        insta::assert_snapshot!(diff(
            r#"{"polygon": [[0.1, 0.1], [0.1, 0.9], [0.9, 0.9]], "concepts": {"a": 0.10000001}, "metadata": {"x": 1, "y": 2}}"#,
            r#"{"polygon": [[0.9, 0.9], [0.1, 0.1], [0.1, 0.9]], "concepts": {"a": 0.1}, "metadata": {"y": 2.0, "x": 1.0}}"#,
        ), @r"
        (no difference in the fields shown here)
        ");
    }

    #[test]
    fn unmanaged_fields_are_left_out() {
        insta::assert_snapshot!(diff(
            r#"{"concepts": {"a": 1}, "status": "pending", "user": "me", "info": {"x": 1}, "metadata": {"a": {"b": 1, "c": 2}, "d": 3}}"#,
            r#"{"concepts": {"b": 1}, "metadata": {"a": {"b": 9}}}"#,
        ), @r"
        - concepts: [a]
        + concepts: [b]
          metadata:
        -   a: {b: 1}
        +   a: {b: 9}
        ");
    }

    #[test]
    fn every_changed_kind_of_place_is_two_lines() {
        let hash = |digit: &str| digit.repeat(64);
        let mask =
            |hash: &str| format!(r#"{{"mask": {{"sha256": "{hash}", "width": 4, "height": 2}}}}"#);
        let (black, white) = (mask(&hash("0")), mask(&hash("f")));
        let all = [
            (r#"{"point": [0.1, 0.2]}"#, r#"{"point": [0.1, 0.25]}"#),
            (
                r#"{"keypoints": [[0.1, 0.2], [0.5, 0.5, "visible"]]}"#,
                r#"{"keypoints": [[0.1, 0.2], [0.5, 0.5, "not_visible"]]}"#,
            ),
            (&black, &white),
            (
                r#"{"span": {"start": 0, "end": 3, "text": "car"}}"#,
                r#"{"span": {"start": 1, "end": 3, "text": "ar"}}"#,
            ),
            (
                r#"{"segment": {"begin": 0, "end": 3}}"#,
                r#"{"segment": {"begin": 0, "end": 3.5}}"#,
            ),
            (
                r#"{"track": "t1", "text": "a red car", "embed_model_version": "e1"}"#,
                r#"{"track": "t2", "text": "a car", "region_value": 0.5, "embed_model_version": "e2"}"#,
            ),
        ]
        .map(|(is, wanted)| diff(is, wanted))
        .concat();
        insta::assert_snapshot!(all, @"
        - point: [0.1, 0.2]
        + point: [0.1, 0.25]
        - keypoints: [[0.1, 0.2], [0.5, 0.5, visible]]
        + keypoints: [[0.1, 0.2], [0.5, 0.5, not_visible]]
        - mask: {size: 4 x 2, sha256: 000000000000…}
        + mask: {size: 4 x 2, sha256: ffffffffffff…}
        - span: {start: 0, end: 3, text: car}
        + span: {start: 1, end: 3, text: ar}
        - segment: {begin: 0, end: 3}
        + segment: {begin: 0, end: 3.5}
        - track: t1
        - text: a red car
        - region_value: 0
        - embed_model_version: e1
        + track: t2
        + text: a car
        + region_value: 0.5
        + embed_model_version: e2
        ");
    }

    #[test]
    fn a_missing_default_is_not_a_difference() {
        insta::assert_snapshot!(diff(
            r#"{"segment": {"begin": 0.1, "end": 3}}"#,
            r#"{"segment": {"begin": 0.10000001, "end": 3}, "region_value": 0, "text": ""}"#,
        ), @"(no difference in the fields shown here)");
        insta::assert_snapshot!(diff(
            r#"{"region_value": 0.5}"#,
            r#"{"region_value": 0.50000006}"#,
        ), @"(no difference in the fields shown here)");
    }

    #[test]
    fn new_fields_are_added() {
        insta::assert_snapshot!(diff(
            r#"{"concepts": {}}"#,
            r#"{"concepts": {"a": 1}, "status": "success", "metadata": {"a": "\u001b[2J"}}"#,
        ), @r#"
        - concepts: []
        + concepts: [a]
        + status: success
        + metadata:
        +   a: "\u001b[2J"
        "#);
    }
}
