//! What a diff counts, and what it leaves unknown.

use super::*;
use crate::model::{Key, Origin};
use serde_json::{Value, json};

fn annotation(identity: Identity, content: &Value) -> DesiredAnnotation {
    DesiredAnnotation {
        identity,
        content: serde_json::from_value(content.clone()).unwrap(),
        origin: Origin::default(),
    }
}

fn boxed(left: f64, concept: &str) -> Value {
    let place = json!({ "top": 0.1, "left": left, "bottom": 0.3, "right": left + 0.2 });
    json!({ "box": place, "concepts": { concept: 1 } })
}

fn labels(kind: &'static str, inputs: &[(&str, &[Value])]) -> LabelSet {
    let by_content = |content: &Value| annotation(Identity::Content, content);
    let inputs = inputs.iter().map(|(id, contents)| {
        let id = InputId::new(*id).unwrap();
        (id, contents.iter().map(by_content).collect())
    });
    LabelSet {
        name: kind.to_owned(),
        kind,
        inputs: inputs.collect(),
        is_whole: true,
        names_all_inputs: true,
        ..LabelSet::default()
    }
}

fn counts(diff: &Diff) -> Vec<(DiffKind, u64)> {
    let each = diff.summary.each().into_iter();
    each.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn a_label_set_equals_itself() {
    let set = labels(
        "manifest",
        &[("a", &[boxed(0.1, "car"), boxed(0.5, "bus")]), ("b", &[])],
    );
    let diff = diff(&set, &set);
    assert!(diff.is_empty());
    assert_eq!((diff.summary.unchanged, diff.summary.unknown), (2, 0));
}

#[test]
fn every_kind_of_difference_is_counted() {
    let old = labels(
        "manifest",
        &[
            (
                "a",
                &[boxed(0.1, "car"), boxed(0.5, "bus"), boxed(0.7, "van")],
            ),
            ("b", &[boxed(0.1, "car")]),
            ("c", &[boxed(0.1, "car")]),
        ],
    );
    let mut pending = boxed(0.1, "car");
    pending["status"] = json!("pending");
    let new = labels(
        "manifest",
        &[
            ("a", &[boxed(0.11, "car"), boxed(0.5, "taxi")]),
            ("b", &[pending]),
            ("d", &[boxed(0.1, "car"), boxed(0.5, "bus")]),
        ],
    );
    let diff = diff(&old, &new);
    assert_eq!(
        counts(&diff),
        [
            (DiffKind::Added, 2),
            (DiffKind::Removed, 2),
            (DiffKind::Relabelled, 1),
            (DiffKind::Moved, 1),
            (DiffKind::Attributes, 1),
        ]
    );
    assert_eq!(diff.summary.unchanged, 0);
    let only = |inputs: &[InputLabels]| -> Vec<(String, u64)> {
        inputs
            .iter()
            .map(|it| (it.input_id.to_string(), it.annotations))
            .collect()
    };
    assert_eq!(only(&diff.added_inputs), [("d".to_owned(), 2)]);
    assert_eq!(only(&diff.removed_inputs), [("c".to_owned(), 1)]);
}

#[test]
fn an_attribute_that_a_manifest_drops_is_a_difference() {
    let mut with = boxed(0.1, "car");
    with["metadata"] = json!({ "weather": "rain" });
    let old = labels("manifest", &[("a", &[with.clone()])]);
    let new = labels("manifest", &[("a", &[boxed(0.1, "car")])]);
    for (old, new) in [(&old, &new), (&new, &old)] {
        assert_eq!(counts(&diff(old, new)), [(DiffKind::Attributes, 1)]);
    }
    // A format without metadata says nothing about it.
    let coco = labels("coco", &[("a", &[boxed(0.1, "car")])]);
    for (old, new) in [(&old, &coco), (&coco, &old)] {
        assert_eq!(counts(&diff(old, new)), []);
    }
}

#[test]
fn metadata_of_sides_of_different_kinds_is_compared_by_the_keys_of_both() {
    let side = |kind, metadata: Value| {
        let mut label = boxed(0.1, "car");
        label["metadata"] = metadata;
        labels(kind, &[("a", &[label])])
    };
    let old = side("manifest", json!({ "weather": "rain", "by": "ann" }));
    let same = side("cvat", json!({ "weather": "rain", "z_order": 1 }));
    let other = side("cvat", json!({ "weather": "sun", "z_order": 1 }));
    assert_eq!(counts(&diff(&old, &same)), []);
    assert_eq!(counts(&diff(&old, &other)), [(DiffKind::Attributes, 1)]);
}

#[test]
fn what_an_incomplete_side_hides_is_unknown() {
    let a = InputId::new("a").unwrap();
    let whole = labels(
        "manifest",
        &[
            ("a", &[boxed(0.1, "car"), boxed(0.5, "bus")]),
            ("b", &[boxed(0.1, "car")]),
        ],
    );
    let mut part = labels("manifest", &[("a", &[boxed(0.1, "car")])]);
    part.incomplete.insert(a);
    part.is_whole = false;
    for (old, new) in [(&whole, &part), (&part, &whole)] {
        let diff = diff(old, new);
        assert!(diff.is_empty(), "{diff:?}");
        assert_eq!((diff.summary.unchanged, diff.summary.unknown), (1, 2));
    }
}

#[test]
fn objects_that_both_sides_leave_out_alike_are_unchanged() {
    let input = InputId::new("a").unwrap();
    let side = |boxes: &[Value], why: &[&str]| {
        let mut side = labels("voc", &[("a", boxes)]);
        let why = why.iter().map(|why| (*why).to_owned()).collect();
        side.left_out.insert(input.clone(), why);
        side
    };
    let old = side(&[boxed(0.1, "car")], &["no_area: width 0"]);
    let both = [boxed(0.1, "car"), boxed(0.5, "bus")];
    let same = diff(&old, &side(&both, &["no_area: width 0"]));
    assert_eq!(counts(&same), [(DiffKind::Added, 1)]);
    assert_eq!((same.summary.unchanged, same.summary.unknown), (2, 0));
    let other = diff(&old, &side(&both, &["no_area: width 1"]));
    assert_eq!(counts(&other), []);
    assert_eq!((other.summary.unchanged, other.summary.unknown), (1, 1));
}

#[test]
fn inputs_without_labels_do_not_differ_from_a_side_that_names_only_labelled_ones() {
    let manifest = labels("manifest", &[("a", &[])]);
    let mut listing = labels("listing", &[]);
    assert_eq!(diff(&listing, &manifest).added_inputs.len(), 1);
    listing.names_all_inputs = false;
    assert!(diff(&listing, &manifest).is_empty());
}

#[test]
fn ids_and_keys_pair_annotations_wherever_they_moved() {
    let side = |left: f64| {
        let mut set = labels("manifest", &[("a", &[])]);
        let key = Identity::Key(Key::new("red-car").unwrap());
        let id = Identity::Id(AnnotationId::new("300b8e39").unwrap());
        let all = set.inputs.values_mut().next().unwrap();
        all.push(annotation(key, &boxed(left, "car")));
        all.push(annotation(id, &boxed(left / 2.0, "car")));
        set
    };
    let found = diff(&side(0.1), &side(0.7));
    assert_eq!(counts(&found), [(DiffKind::Moved, 2)]);
    assert_eq!(found.changes[0].key.as_ref().unwrap().as_str(), "red-car");
    assert_eq!(found.changes[1].id.as_ref().unwrap().as_str(), "300b8e39");
    // A format has neither: its annotations are found by content.
    let coco = labels("coco", &[("a", &[boxed(0.1, "car"), boxed(0.05, "car")])]);
    assert_eq!(counts(&diff(&coco, &side(0.1))), []);
    assert_eq!(counts(&diff(&side(0.1), &coco)), []);
}

#[test]
fn equal_descriptions_of_a_region_are_equal() {
    let describe = |left: f64| {
        json!({
            "region_of": {
                "from_model": "m",
                "nearest": { "box": { "top": 0, "left": left, "bottom": 1, "right": 1 } },
            },
            "concepts": { "car": 1 },
        })
    };
    let old = labels("manifest", &[("a", &[describe(0.1)])]);
    assert!(diff(&old, &old).is_empty());
    let new = labels("manifest", &[("a", &[describe(0.2)])]);
    assert_eq!(
        counts(&diff(&old, &new)),
        [(DiffKind::Added, 1), (DiffKind::Removed, 1)]
    );
}

#[test]
fn the_rows_of_relabellings_have_every_relabelled_annotation() {
    let label = |left: f64, concepts: &[(&str, f64)]| {
        let mut label = boxed(left, "car");
        label["concepts"] = concepts
            .iter()
            .map(|(id, value)| ((*id).to_owned(), json!(value)))
            .collect();
        label
    };
    let old = labels(
        "manifest",
        &[
            ("gains", &[label(0.1, &[("car", 1.0)])]),
            ("loses", &[label(0.1, &[("car", 1.0), ("wet", 1.0)])]),
            ("value", &[label(0.1, &[("car", 1.0)])]),
            ("absent", &[label(0.1, &[("car", 1.0)])]),
            ("other", &[label(0.1, &[("car", 1.0)])]),
            ("moves", &[label(0.1, &[("car", 1.0)])]),
            ("same", &[label(0.1, &[("car", 1.0)])]),
        ],
    );
    let new = labels(
        "manifest",
        &[
            ("gains", &[label(0.1, &[("car", 1.0), ("wet", 1.0)])]),
            ("loses", &[label(0.1, &[("car", 1.0)])]),
            ("value", &[label(0.1, &[("car", 0.5)])]),
            ("absent", &[label(0.1, &[("car", 0.0)])]),
            ("other", &[label(0.1, &[("bus", 1.0)])]),
            ("moves", &[label(0.105, &[("bus", 1.0)])]),
            ("same", &[label(0.1, &[("car", 1.0)])]),
        ],
    );
    let summary = diff(&old, &new).summary;
    assert_eq!((summary.relabelled, summary.moved_and_relabelled), (5, 1));
    let ids = |ids: &[crate::model::ConceptId]| -> String {
        ids.iter()
            .map(crate::model::ConceptId::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let rows: Vec<(String, u64)> = summary
        .relabellings
        .iter()
        .map(|it| (format!("{} > {}", ids(&it.from), ids(&it.to)), it.count))
        .collect();
    let expected = [
        ("car > bus", 2),
        (" > ", 1),
        (" > wet", 1),
        ("car > ", 1),
        ("wet > ", 1),
    ];
    let expected = expected.map(|(row, count)| (row.to_owned(), count));
    assert_eq!(rows, expected);
}
