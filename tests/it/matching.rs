//! Matching of declared and observed annotations, and the reasons.

use crate::support::{boxed, desired, manifest_of, observed, plan, plan_text, whole, with};
use annosync::model::{
    AnnotationId, Content, InputId, Key, SetName, content_id, is_owned_by, is_set_id, key_id,
};
use annosync::plan::{Action, MatchedBy, Plan};
use insta::assert_snapshot;
use serde_json::{Value, json};

const HERE: [f64; 4] = [0.1, 0.1, 0.3, 0.3];

fn declared_box(edges: [f64; 4], rest: &str) -> String {
    let [top, left, bottom, right] = edges;
    format!(
        "      - {{ box: {{ top: {top}, left: {left}, bottom: {bottom}, right: {right} }}, {rest} }}\n"
    )
}

fn input(annotations: &[String]) -> String {
    format!("  - id: a\n    annotations:\n{}", annotations.concat())
}

fn outcome(plan: &Plan) -> Vec<(Action, String, Option<MatchedBy>)> {
    plan.operations
        .iter()
        .map(|o| (o.action(), o.id.to_string(), o.matched().map(|m| m.by)))
        .collect()
}

#[test]
fn a_set_is_given_by_its_name_or_its_prefix() {
    use annosync::model::SetPrefix;
    let street = SetName::new("street").unwrap();
    let id = key_id(
        &street,
        &InputId::new("a").unwrap(),
        &Key::new("k").unwrap(),
    );
    let prefix = SetPrefix::of_id(&id).unwrap();
    assert_snapshot!(prefix, @"as-6008c26f");
    let given = SetName::new("as-6008c26f").unwrap();
    assert_eq!(SetPrefix::of(&street), prefix);
    assert_eq!(SetPrefix::of_name_or_prefix(&street), prefix);
    assert_eq!(SetPrefix::of_name_or_prefix(&given), prefix);
    assert_ne!(SetPrefix::of(&given), prefix, "a set may have such a name");
    assert!(prefix.is_of(&id));
    assert_eq!(
        SetPrefix::of_id(&AnnotationId::new("as-6008c26f-x").unwrap()),
        None
    );
}

#[test]
fn generated_ids_do_not_change_between_versions() {
    // After a change, no id in use would match any more.
    let set = SetName::new("street").unwrap();
    let input = InputId::new("street-0001").unwrap();
    assert_snapshot!(key_id(&set, &input, &Key::new("red-car").unwrap()), @"as-6008c26f-2a3b80b400fb57cf8665");
    let declared = desired(
        "  - id: street-0001\n    annotations:\n      - { frame: { time_ms: 1500, number: 45 }, box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }, concepts: { car: 1, bus: 0.5 }, status: pending }\n      - { concepts: [tree] }\n      - { polygon: [[0.1, 0.2], [0.1, 0.9], [0.8, 0.5]] }\n",
    );
    let ids: Vec<String> = declared.inputs[0]
        .annotations
        .iter()
        .map(|annotation| content_id(&set, &input, &annotation.content, 0).to_string())
        .collect();
    assert_snapshot!(ids.join("\n"), @"
    as-6008c26f-7a08599b0537fb6324e3
    as-6008c26f-d1336cc9e4116f431c42
    as-6008c26f-5c58a80f5ef82ddfc7ff
    ");
    assert_snapshot!(content_id(&set, &input, &Content::default(), 7), @"as-6008c26f-a1e1ea6bef593070998d");
}

#[test]
fn ids_of_the_server_are_not_ids_of_a_set() {
    let set = SetName::new("street").unwrap();
    let ours = key_id(&set, &InputId::new("a").unwrap(), &Key::new("k").unwrap());
    assert_eq!(ours.as_str().len(), 32);
    assert!(is_set_id(&ours) && is_owned_by(&ours, &set));
    assert!(!is_owned_by(&ours, &SetName::new("other").unwrap()));
    for foreign in [
        "300b8e39a65e4f33ae4e15e86eaf4a3b",
        "as-street-1",
        "as-0123456g-0123456789abcdef0123",
    ] {
        assert!(
            !is_set_id(&AnnotationId::new(foreign).unwrap()),
            "{foreign}"
        );
    }
}

#[test]
fn a_declared_id_is_matched_with_any_content() {
    let remote = [
        boxed("a", "1", HERE, &["car"]),
        boxed("a", "2", [0.8, 0.8, 0.9, 0.9], &["bus"]),
    ];
    let plan = plan(
        &desired(&input(&[declared_box(HERE, "id: '2', concepts: [car]")])),
        &observed(&remote),
    );
    assert_eq!(
        outcome(&plan),
        [
            (Action::Delete, "1".into(), None),
            (Action::Overwrite, "2".into(), Some(MatchedBy::Id))
        ]
    );
}

#[test]
fn a_key_matches_its_id_then_equal_content_then_is_posted() {
    let keyed = input(&[declared_box(HERE, "key: k, concepts: [car]")]);
    assert!(
        plan(
            &desired(&keyed),
            &observed(&[boxed("a", "1", HERE, &["car"])])
        )
        .is_empty()
    );
    let made = plan(&desired(&keyed), &observed(&[]));
    let id = made.operations[0].id.to_string();
    let moved = plan(
        &desired(&keyed),
        &observed(&[boxed("a", &id, [0.8, 0.8, 0.9, 0.9], &["car"])]),
    );
    assert_eq!(
        outcome(&moved),
        [(Action::Overwrite, id, Some(MatchedBy::Key))]
    );
}

#[test]
fn stages_have_priority_in_order() {
    let declared = input(&[
        declared_box(HERE, "concepts: [car]"),
        declared_box([0.5, 0.5, 0.7, 0.7], "concepts: [bus]"),
        declared_box([0.5, 0.1, 0.7, 0.3], "concepts: [car]"),
        declared_box([0.1, 0.5, 0.3, 0.7], "concepts: [bus]"),
    ]);
    let remote = [
        boxed("a", "exact", HERE, &["car"]),
        boxed("a", "relabelled", [0.5, 0.5, 0.7, 0.7], &["lorry"]),
        boxed("a", "moved", [0.52, 0.1, 0.7, 0.3], &["car"]),
        boxed("a", "both", [0.102, 0.5, 0.3, 0.7], &["lorry"]),
        boxed("a", "gone", [0.9, 0.9, 1.0, 1.0], &["car"]),
    ];
    let mut got = outcome(&plan(&desired(&declared), &observed(&remote)));
    got.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(
        got,
        [
            (
                Action::Overwrite,
                "both".into(),
                Some(MatchedBy::MovedAndRelabelled)
            ),
            (Action::Delete, "gone".into(), None),
            (Action::Overwrite, "moved".into(), Some(MatchedBy::Moved)),
            (
                Action::Overwrite,
                "relabelled".into(),
                Some(MatchedBy::Relabelled)
            ),
        ]
    );
}

#[test]
fn overlaps_below_the_limits_are_not_matched() {
    for (remote, concepts) in [
        (
            boxed("a", "1", [0.1, 0.1, 0.3, 0.1 + 0.2 / 2.02], &["car"]),
            "[car]",
        ),
        (
            boxed("a", "1", [0.1, 0.1, 0.3, 0.1 + 0.2 * 0.89], &["bus"]),
            "[car]",
        ),
    ] {
        let declared = input(&[declared_box(HERE, &format!("concepts: {concepts}"))]);
        let actions: Vec<Action> = plan(&desired(&declared), &observed(&[remote]))
            .operations
            .iter()
            .map(annosync::plan::Operation::action)
            .collect();
        assert_eq!(actions, [Action::Delete, Action::Post]);
    }
}

#[test]
fn different_kinds_and_frames_are_not_matched() {
    let in_frame = |id: &str, time: u64| {
        json!({"id": id, "input_id": "a", "user_id": crate::support::ME, "data": {"frames": [
            {"id": "f", "frame_info": {"time": time.to_string()}, "data": {"concepts": [{"id": "car", "value": 1}]}}]}})
    };
    let declared = input(&["      - { frame: { time_ms: 1000 }, concepts: [car] }\n".into()]);
    assert!(plan(&desired(&declared), &observed(&[in_frame("1", 1000)])).is_empty());
    for remote in [
        in_frame("1", 1001),
        whole("a", "1", &[("car", 1.0)]),
        boxed("a", "1", HERE, &["car"]),
    ] {
        let actions: Vec<Action> = plan(&desired(&declared), &observed(&[remote]))
            .operations
            .iter()
            .map(annosync::plan::Operation::action)
            .collect();
        assert_eq!(actions, [Action::Delete, Action::Post]);
    }
}

#[test]
fn an_existing_region_is_matched_by_id_with_or_without_geometry() {
    let declared = input(&["      - { region: r1, concepts: [person] }\n".into()]);
    let bare = json!({"id": "1", "input_id": "a", "user_id": crate::support::ME, "data": {"regions": [
        {"id": "r1", "data": {"concepts": [{"id": "person", "value": 1}]}}]}});
    let mut filled = boxed("a", "1", HERE, &["person"]);
    filled["data"]["regions"][0]["id"] = json!("r1");
    for remote in [&bare, &filled] {
        assert!(plan(&desired(&declared), &observed(std::slice::from_ref(remote))).is_empty());
    }
    let mut other = bare;
    other["data"]["regions"][0]["id"] = json!("r2");
    assert_eq!(
        plan(&desired(&declared), &observed(&[other]))
            .operations
            .len(),
        2
    );
}

#[test]
fn equal_annotations_are_matched_as_multisets() {
    let declared = input(&vec![declared_box(HERE, "concepts: [car]"); 3]);
    let remote: Vec<Value> = (0..2)
        .map(|at| boxed("a", &format!("{at}"), HERE, &["car"]))
        .collect();
    let plan = plan(&desired(&declared), &observed(&remote));
    assert_eq!(
        (
            plan.summary.unchanged,
            plan.summary.actions.post,
            plan.operations.len()
        ),
        (2, 1, 1)
    );
}

#[test]
fn many_equal_annotations_are_matched_like_a_few() {
    let declared = input(&vec![declared_box(HERE, "concepts: [car]"); 300]);
    let remote: Vec<Value> = (0..301)
        .map(|at| boxed("a", &format!("{at:03}"), HERE, &["car"]))
        .collect();
    let plan = plan(&desired(&declared), &observed(&remote));
    assert_eq!(
        (
            plan.summary.unchanged,
            plan.summary.actions.delete,
            plan.operations.len()
        ),
        (300, 1, 1)
    );
}

#[test]
fn at_equal_locations_the_pairing_with_the_fewest_writes_wins() {
    let declared = input(&[
        declared_box(HERE, "concepts: [car], status: success"),
        declared_box(HERE, "concepts: [car], status: pending"),
    ]);
    let remote = [
        with(
            boxed("a", "1", HERE, &["car"]),
            "status",
            json!({"code": 24151}),
        ),
        boxed("a", "2", HERE, &["car"]),
    ];
    assert!(plan(&desired(&declared), &observed(&remote)).is_empty());
}

#[test]
fn two_near_duplicates_get_the_pairing_of_the_greatest_sum() {
    // The first declared box is closest to the second observed one, but that would leave the second declared one without a pair.
    let declared = input(&[
        declared_box([0.10, 0.1, 0.30, 0.3], "concepts: [car]"),
        declared_box([0.18, 0.1, 0.38, 0.3], "concepts: [car]"),
    ]);
    let remote = [
        boxed("a", "low", [0.13, 0.1, 0.33, 0.3], &["car"]),
        boxed("a", "high", [0.05, 0.1, 0.25, 0.3], &["car"]),
    ];
    let got = outcome(&plan(&desired(&declared), &observed(&remote)));
    assert_eq!(got.len(), 2);
    assert!(
        got.iter().all(|(action, ..)| *action == Action::Overwrite),
        "{got:?}"
    );
}

#[test]
fn a_close_runner_up_is_reported_as_ambiguous() {
    let declared = input(&[declared_box(HERE, "concepts: [car]")]);
    let remote = [
        boxed("a", "1", [0.12, 0.1, 0.3, 0.3], &["car"]),
        boxed("a", "2", [0.1, 0.121, 0.3, 0.3], &["car"]),
    ];
    let ambiguous = plan(&desired(&declared), &observed(&remote));
    assert_eq!(ambiguous.summary.ambiguous, 1);
    assert_snapshot!(ambiguous.operations[1].matched().unwrap(), @"matched: moved, IoU 0.90, runner-up 0.89, ambiguous");
    let clear = plan(
        &desired(&declared),
        &observed(&[
            remote[0].clone(),
            boxed("a", "2", [0.1, 0.2, 0.3, 0.4], &["car"]),
        ]),
    );
    assert_eq!(clear.summary.ambiguous, 0);
    assert_snapshot!(clear.operations[1].matched().unwrap(), @"matched: moved, IoU 0.90, runner-up 0.33");
}

#[test]
fn ties_go_to_the_first_declared_and_the_earliest_created() {
    let declared = input(&[
        declared_box(HERE, "concepts: [car]"),
        declared_box(HERE, "concepts: [bus]"),
    ]);
    let at =
        |id: &str, made: &str| with(boxed("a", id, HERE, &["lorry"]), "created_at", json!(made));
    for remote in [
        [
            at("z", "2026-01-01T00:00:00Z"),
            at("b", "2026-01-02T00:00:00Z"),
        ],
        [
            at("b", "2026-01-02T00:00:00Z"),
            at("z", "2026-01-01T00:00:00Z"),
        ],
    ] {
        let plan = plan(&desired(&declared), &observed(&remote));
        let got: Vec<(String, String)> = plan
            .operations
            .iter()
            .map(|o| {
                (
                    o.id.to_string(),
                    serde_json::to_string(&o.after().unwrap().concepts).unwrap(),
                )
            })
            .collect();
        assert_eq!(
            got,
            [
                ("z".into(), r#"{"car":1}"#.into()),
                ("b".into(), r#"{"bus":1}"#.into())
            ]
        );
    }
}

#[test]
fn a_relabelling_selects_the_annotation_that_loses_least() {
    let declared = "  - id: a\n    annotations:\n      - { concepts: { tree: false } }\n      - { concepts: [bus, red] }\n";
    let remote = [
        whole("a", "1", &[("bus", 1.0)]),
        whole("a", "2", &[("tree", 1.0)]),
    ];
    let got = outcome(&plan(&desired(declared), &observed(&remote)));
    assert_eq!(
        got,
        [
            (Action::Merge, "2".into(), Some(MatchedBy::Relabelled)),
            (Action::Merge, "1".into(), Some(MatchedBy::Relabelled)),
        ]
    );
}

#[test]
fn a_renamed_concept_matches_its_new_name() {
    let header = "version: 1\nset: street\npolicy: sync\nrenamed: { lorry: truck }\ninputs:\n";
    let declared = manifest_of(&format!(
        "{header}{}",
        input(&[declared_box(HERE, "concepts: [truck]")])
    ));
    let got = outcome(&plan(
        &declared,
        &observed(&[boxed("a", "1", [0.12, 0.1, 0.3, 0.3], &["lorry"])]),
    ));
    assert_eq!(
        got,
        [(Action::Overwrite, "1".into(), Some(MatchedBy::Moved))]
    );
}

#[test]
fn annotations_on_an_input_removed_from_the_manifest_are_deleted() {
    let declared = desired(&input(&[declared_box(HERE, "concepts: [car]")]));
    let mut remote =
        crate::support::Remote::new(vec![boxed("a", "by-hand", [0.8, 0.8, 0.9, 0.9], &["bus"])]);
    let first = plan(&declared, &remote.observed());
    let made = first
        .operations
        .iter()
        .find(|o| o.action() == Action::Post)
        .unwrap()
        .id
        .to_string();
    remote.annotations.push(boxed("a", &made, HERE, &["car"]));
    let text = plan_text("  - id: b\n    annotations: []\n", &remote.annotations);
    assert_snapshot!(text, @r"
    Label set street on me-1/street at https://api.clarifai.com, policy sync: 1 to delete.
    App: https://clarifai.com/me-1/street

    Warning: 1 concept will no longer be used (car).

    Classes: car 1 -> 0 (-1)

    a
      - delete box [car] as-6008c26f-a55499edfb6a12ee7a74: top left, 4.0 % of the image; by me-1 (its input is no longer declared)

    Plan: 1 to delete; 1 unmanaged. 1 call (lower bound 1), about 0.1 s at 15 calls/s.
    ");
}

#[test]
fn a_moved_annotation_keeps_its_id_and_the_next_one_gets_a_free_ordinal() {
    // It was moved after the post, so its id is derived from the old content.
    let first = desired(&input(&[declared_box(HERE, "concepts: [car]")]));
    let mut remote = crate::support::Remote::default();
    remote.apply(&plan(&first, &remote.observed()));
    let moved = [0.12, 0.1, 0.3, 0.3];
    remote.apply(&plan(
        &desired(&input(&[declared_box(moved, "concepts: [car]")])),
        &remote.observed(),
    ));
    // A second one is declared with the old content of the first one.
    let both = desired(&input(&[
        declared_box(moved, "concepts: [car]"),
        declared_box(HERE, "concepts: [car]"),
    ]));
    let second = plan(&both, &remote.observed());
    assert_eq!(
        (second.summary.actions.post, second.summary.unchanged),
        (1, 1)
    );
    remote.apply(&second);
    assert!(plan(&both, &remote.observed()).is_empty());
}

fn counted(plan: &Plan) -> std::collections::BTreeMap<(Action, Option<MatchedBy>), usize> {
    let mut counts = std::collections::BTreeMap::new();
    for (action, _, by) in outcome(plan) {
        *counts.entry((action, by)).or_default() += 1;
    }
    counts
}

#[test]
fn a_thousand_equal_boxes_that_were_relabelled_are_all_paired() {
    let there: Vec<Value> = (0..1_000)
        .map(|at| boxed("a", &format!("o{at:04}"), HERE, &["car"]))
        .collect();
    let wanted = vec![declared_box(HERE, "concepts: [bus]"); 1_000];
    let plan = plan(&desired(&input(&wanted)), &observed(&there));
    assert_eq!(
        counted(&plan),
        [((Action::Overwrite, Some(MatchedBy::Relabelled)), 1_000)].into()
    );
}

#[test]
fn many_moved_boxes_close_together_are_all_paired() {
    let edges = |at: usize, moved: f64| {
        let by = at as f64 * 0.0002;
        [0.1 + by + moved, 0.1 + by, 0.3 + by + moved, 0.3 + by]
    };
    let there: Vec<Value> = (0..1_000)
        .map(|at| boxed("a", &format!("o{at:04}"), edges(at, 0.0), &["car"]))
        .collect();
    let wanted: Vec<String> = (0..1_000)
        .map(|at| declared_box(edges(at, 0.001), "concepts: [car]"))
        .collect();
    let plan = plan(&desired(&input(&wanted)), &observed(&there));
    assert_eq!(
        counted(&plan),
        [((Action::Overwrite, Some(MatchedBy::Moved)), 1_000)].into()
    );
}
