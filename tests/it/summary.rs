//! The summary of a plan: work of other users, emptied inputs, changes of classes and places.

mod small_plan;

use crate::support::{
    boxed, desired, manifest_of, observed, observed_by, plan, purging, whole, with,
};
use annosync::model::{AnnotationId, InputId};
use annosync::plan::{LARGEST_MOVES, Plan, Summary, read};
use annosync::render;
use insta::assert_debug_snapshot;
use serde_json::{Value, json};
use std::fmt::Write as _;

const BOX: [f64; 4] = [0.1, 0.1, 0.3, 0.3];

fn summary(inputs: &str, listing: &[Value]) -> Summary {
    plan(&desired(inputs), &observed(listing)).summary
}

fn declared(input: &str, annotations: &[&str]) -> String {
    let mut text = format!("  - id: {input}\n    annotations:");
    if annotations.is_empty() {
        text.push_str(" []");
    }
    text.push('\n');
    for annotation in annotations {
        let _ = writeln!(text, "      - {{ {annotation} }}");
    }
    text
}

fn of(annotation: Value, user: &str) -> Value {
    with(annotation, "user_id", json!(user))
}

#[test]
fn a_class_counts_where_its_value_is_above_0_and_only_changes_are_listed() {
    let listing = [
        whole("a", "1", &[("car", 1.0), ("tree", 1.0)]),
        whole("b", "2", &[("car", 0.4)]),
        whole("b", "3", &[("car", 0.0)]),
        with(
            whole("b", "4", &[("car", 1.0)]),
            "model_version_id",
            json!("v1"),
        ),
        with(whole("b", "5", &[("car", 1.0)]), "input_level", json!(true)),
        of(whole("elsewhere", "6", &[("car", 1.0)]), "bea"),
    ];
    let inputs = declared(
        "a",
        &["id: '1', concepts: { car: false, tree: true, bus: true }"],
    ) + &declared(
        "b",
        &[
            "id: '2', concepts: [car]",
            "id: '3', concepts: { car: true }",
        ],
    );
    // car: 1, 2, 5 and 6 before; 2, 3, 5 and 6 after: as many as before, hence not listed.
    assert_debug_snapshot!(summary(&inputs, &listing).classes, @r#"
    [
        ClassCount {
            concept: "bus",
            before: 0,
            after: 1,
        },
    ]
    "#);
    let fewer = declared("a", &["id: '1', concepts: [tree]"]) + &declared("b", &[]);
    assert_debug_snapshot!(summary(&fewer, &listing).classes, @r#"
    [
        ClassCount {
            concept: "car",
            before: 4,
            after: 2,
        },
    ]
    "#);
}

#[test]
fn undeclared_concepts_do_not_count_as_removed() {
    let listing = [boxed("a", "1", BOX, &["car"])];
    let moved = "id: '1', box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.4 }";
    assert_eq!(summary(&declared("a", &[moved]), &listing).classes, []);
}

#[test]
fn relabellings_are_counted_by_removed_and_added_concepts() {
    let listing: Vec<Value> = (0..6)
        .map(|at| {
            let input = format!("in-{at}");
            let concepts: &[&str] = if at < 4 { &["bag"] } else { &["bag", "wet"] };
            boxed(&input, &format!("r{at}"), BOX, concepts)
        })
        .collect();
    let wanted = [
        "[film]",
        "[film]",
        "[lid]",
        "[bag, film]",
        "[film, dry]",
        "[bag]",
    ];
    let inputs: String = wanted
        .iter()
        .enumerate()
        .map(|(at, concepts)| {
            declared(
                &format!("in-{at}"),
                &[&format!("id: r{at}, concepts: {concepts}")],
            )
        })
        .collect();
    // `in-3` only gains a concept, and `in-5` only loses one.
    assert_debug_snapshot!(summary(&inputs, &listing).relabelled, @r#"
    [
        Relabelled {
            from: [
                "bag",
            ],
            to: [
                "film",
            ],
            count: 2,
        },
        Relabelled {
            from: [],
            to: [
                "film",
            ],
            count: 1,
        },
        Relabelled {
            from: [
                "bag",
            ],
            to: [
                "lid",
            ],
            count: 1,
        },
        Relabelled {
            from: [
                "bag",
                "wet",
            ],
            to: [
                "dry",
                "film",
            ],
            count: 1,
        },
        Relabelled {
            from: [
                "wet",
            ],
            to: [],
            count: 1,
        },
    ]
    "#);
}

#[test]
fn moves_are_counted_by_iou_and_the_largest_come_first() {
    let mut listing = Vec::new();
    let mut inputs = String::new();
    for at in 0..12_u32 {
        let input = format!("in-{at:02}");
        listing.push(boxed(&input, "r", BOX, &["car"]));
        // Boxes of 0.2 by 0.2 that are shifted by hundredths.
        let left = 0.1 + f64::from(at) / 100.0;
        let right = 0.3 + f64::from(at) / 100.0;
        inputs += &declared(
            &input,
            &[&format!(
                "id: r, box: {{ top: 0.1, left: {left:.2}, bottom: 0.3, right: {right:.2} }}"
            )],
        );
    }
    inputs += &declared("kind", &["id: r, point: [0.1, 0.1]"]);
    listing.push(boxed("kind", "r", BOX, &["car"]));
    let moved = summary(&inputs, &listing).moved;
    // Shifted by 0.01 n, the IoU is (20 - n) / (20 + n): 1 -> 0.905, 2 -> 0.818, … 11 -> 0.290.
    assert_eq!(moved.histogram, [0, 0, 1, 2, 2, 1, 2, 1, 1, 1]);
    assert_eq!(moved.unmeasured, 1);
    assert_eq!(moved.count(), 12);
    assert_eq!(moved.largest.len(), LARGEST_MOVES);
    let overlaps: Vec<u32> = moved
        .largest
        .iter()
        .map(|it| it.overlap.millionths())
        .collect();
    assert!(overlaps.is_sorted());
    assert_eq!(moved.largest[0].input_id, InputId::new("in-11").unwrap());
    assert_eq!(moved.largest[0].id, AnnotationId::new("r").unwrap());
}

#[test]
fn points_are_counted_by_distance() {
    let mut listing = Vec::new();
    let mut inputs = String::new();
    for (at, col) in [0.505, 0.53, 0.6, 0.9].into_iter().enumerate() {
        let input = format!("in-{at}");
        let mut label = boxed(&input, "r", BOX, &["car"]);
        label["data"]["regions"][0]["region_info"] =
            serde_json::json!({ "point": { "row": 0.5, "col": 0.5 } });
        listing.push(label);
        inputs += &declared(&input, &[&format!("id: r, point: [0.5, {col}]")]);
    }
    let plan = plan(&desired(&inputs), &observed(&listing));
    let moved = &plan.summary.moved;
    assert_eq!((moved.histogram, moved.unmeasured), ([0; 10], 0));
    assert_eq!(moved.distances, [1, 0, 1, 0, 1, 1]);
    let largest: Vec<String> = moved
        .largest
        .iter()
        .map(annosync::plan::Move::measured)
        .collect();
    let expected = ["0.4000", "0.1000", "0.0300", "0.0050"].map(|it| format!("distance {it}"));
    assert_eq!(largest, expected);
    // The lines of the changes have the same numbers.
    let text = annosync::render::text(&plan, &annosync::render::TextOptions::default());
    for distance in expected {
        assert_eq!(text.matches(&distance).count(), 2, "{distance} in {text}");
    }
    assert!(!text.contains("or more") && !text.contains("IoU"), "{text}");
}

#[test]
fn work_of_other_people_is_counted_by_user() {
    let manifest = "version: 1\nset: street\npolicy: sync\nowners: [any]\ninputs:\n".to_owned()
        + &declared(
            "a",
            &["id: '1', concepts: [bus]", "id: '2', concepts: [bus]"],
        );
    let listing = [
        of(whole("a", "1", &[("car", 1.0)]), "bea"),
        whole("a", "2", &[("car", 1.0)]),
        of(whole("a", "3", &[("car", 1.0)]), "bea"),
        of(whole("a", "4", &[("car", 1.0)]), "cem"),
        whole("a", "5", &[("car", 1.0)]),
        of(whole("p", "6", &[("car", 1.0)]), "cem"),
        with(
            whole("p", "7", &[("car", 1.0)]),
            "model_version_id",
            json!("v1"),
        ),
    ];
    let plan = plan(&purging(manifest_of(&manifest), "p"), &observed(&listing));
    assert_debug_snapshot!(plan.summary.others, @r#"
    [
        OthersWork {
            user: None,
            changed: 0,
            deleted: 1,
        },
        OthersWork {
            user: Some(
                "bea",
            ),
            changed: 1,
            deleted: 1,
        },
        OthersWork {
            user: Some(
                "cem",
            ),
            changed: 0,
            deleted: 2,
        },
    ]
    "#);
}

#[test]
fn an_input_is_emptied_when_the_last_annotation_of_a_person_is_deleted() {
    let level = with(
        whole("a", "level", &[("car", 1.0)]),
        "input_level",
        json!(true),
    );
    let listing = [
        level,
        whole("a", "1", &[("car", 1.0)]),
        whole("b", "2", &[("car", 1.0)]),
        whole("c", "3", &[("car", 1.0)]),
        of(whole("c", "4", &[("car", 1.0)]), "bea"),
        with(
            whole("d", "5", &[("car", 1.0)]),
            "model_version_id",
            json!("v1"),
        ),
    ];
    let post = declared("b", &["point: [0.1, 0.2], concepts: [nose]"]);
    let inputs = declared("a", &[]) + &post + &declared("c", &[]) + &declared("d", &[]);
    let emptied: Vec<String> = summary(&inputs, &listing)
        .emptied
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(emptied, ["a"]);
}

#[test]
fn an_operation_shows_owner_and_time_of_the_last_write() {
    let mut changed = of(whole("a", "1", &[("car", 1.0)]), "bea");
    changed["created_at"] = json!("2026-01-01T00:00:00Z");
    changed["modified_at"] = json!("2026-02-03T04:05:06Z");
    let mut untouched = changed.clone();
    untouched["id"] = json!("2");
    untouched["modified_at"] = json!("2026-01-01T00:00:00Z");
    let inputs = declared(
        "a",
        &[
            "id: '1', concepts: [bus]",
            "id: '2', concepts: [bus]",
            "point: [0.1, 0.2]",
        ],
    );
    let plan = plan(&desired(&inputs), &observed(&[changed, untouched]));
    let seen: Vec<Value> = plan
        .operations
        .iter()
        .map(|operation| serde_json::to_value(operation.seen()).unwrap())
        .collect();
    assert_eq!(
        seen,
        [
            json!({"user": "bea", "modified_at": "2026-02-03T04:05:06Z"}),
            json!({"user": "bea", "modified_at": "2026-01-01T00:00:00Z"}),
            Value::Null,
        ]
    );
}

#[test]
fn a_plan_file_with_a_wrong_summary_is_refused() {
    let listing = [
        of(boxed("a", "1", BOX, &["car"]), "bea"),
        boxed("a", "2", BOX, &["car"]),
    ];
    let inputs = declared(
        "a",
        &[
            "id: '1', box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.4 }, concepts: [bus]",
            "id: '2', concepts: [bus]",
        ],
    );
    let plan = plan(
        &desired(&inputs),
        &observed_by(crate::support::ME, crate::support::ME, &listing),
    );
    assert!(read(&render::json(&plan)).unwrap().is_some());
    let altered: [fn(&mut Plan); 5] = [
        |plan| plan.summary.actions.overwrite += 1,
        |plan| plan.summary.others.clear(),
        |plan| plan.summary.relabelled[0].count += 1,
        |plan| plan.summary.moved.histogram[9] += 1,
        |plan| plan.summary.moved.largest.clear(),
    ];
    for (at, alter) in altered.iter().enumerate() {
        let mut plan = plan.clone();
        alter(&mut plan);
        let error = read(&render::json(&plan)).unwrap_err().to_string();
        assert_eq!(
            error, "the plan was altered: its summary does not match its operations",
            "alteration {at}"
        );
    }
}
