//! Matching of every kind of geometry: unchanged, moved, distant; and regions of models.

use crate::support::{ME, base64, bodies, context, observed, png};
use annosync::manifest;
use annosync::model::DesiredState;
use annosync::plan::{self, Plan, PlanError};
use serde_json::{Value, json};
use std::path::PathBuf;

/// An image of 10 x 10 pixels with these columns set.
fn columns(from: u32, to: u32) -> Vec<u8> {
    let pixels: Vec<u8> = (0..100)
        .map(|at| {
            if (from..to).contains(&(at % 10)) {
                255
            } else {
                0
            }
        })
        .collect();
    png(10, &pixels)
}

fn desired(annotations: &[&str]) -> DesiredState {
    let mut text =
        "version: 1\nset: street\npolicy: sync\ninputs:\n  - id: a\n    annotations:\n".to_owned();
    for annotation in annotations {
        text.extend(["      - ", annotation, "\n"]);
    }
    let masks = [("left.png", columns(0, 5)), ("wide.png", columns(0, 6))];
    let masks = masks.map(|(name, bytes)| (PathBuf::from(name), bytes));
    match manifest::parse_with(vec![(PathBuf::from("m.yaml"), text)], masks.into()) {
        Ok(manifest) => manifest.desired,
        Err(problems) => panic!("the test's manifest is wrong:\n{problems}"),
    }
}

fn stored(id: &str, data: impl Into<Value>) -> Value {
    json!({
        "id": id, "input_id": "a", "user_id": ME, "status": {"code": 24150},
        "created_at": "2026-01-01T00:00:00Z", "data": data.into(),
    })
}

fn region(info: impl Into<Value>) -> Value {
    json!({"regions": [{"id": "r", "region_info": info.into(), "data": {"concepts": [{"id": "car", "value": 1}]}}]})
}

fn mask(file: &[u8]) -> Value {
    let text = base64(file);
    region(json!({"mask": {"image": {"base64": text}}}))
}

fn try_plan(annotations: &[&str], remote: &[Value]) -> Result<Plan, Vec<PlanError>> {
    plan::plan(&desired(annotations), &observed(remote), &context())
}

/// The operations with annotation and reason, one per line.
fn changes(annotations: &[&str], remote: &[Value]) -> String {
    let plan = try_plan(annotations, remote).unwrap();
    let mut lines = vec![format!("{} unchanged", plan.summary.unchanged)];
    for operation in &plan.operations {
        let id = if remote
            .iter()
            .any(|stored| stored["id"] == operation.id.as_str())
        {
            operation.id.as_str()
        } else {
            "new"
        };
        let why = operation
            .matched()
            .map_or_else(String::new, |m| format!(" ({m})"));
        lines.push(format!("{} {id}{why}", operation.action()));
    }
    lines.join(", ")
}

/// Each kind: declared, stored at the same location, a little moved, and distant.
fn table() -> Vec<(&'static str, [Value; 3], &'static str)> {
    let segment = |begin: f64, end: f64| {
        json!({"time_segments": [{"id": "s", "time_info": {"begin_time": begin, "end_time": end},
            "data": {"concepts": [{"id": "car", "value": 1}]}}]})
    };
    let span =
        |start: u32, end: u32| region(json!({"span": {"char_start": start, "char_end": end}}));
    let point = |row: f64| region(json!({"point": {"row": row, "col": 0.5}}));
    let keypoints = |row: f64| {
        region(json!({"keypoint_locations": [
            {"row": row, "col": 0.5, "visibility": 1}, {"row": 0.3, "col": 0.3, "visibility": "NOT_VISIBLE"},
        ]}))
    };
    vec![
        (
            "{ point: [0.5, 0.5], concepts: [car] }",
            [point(0.5), point(0.51), point(0.6)],
            "distance 0.0100",
        ),
        (
            "{ keypoints: [[0.5, 0.5, visible], [0.3, 0.3, not_visible]], concepts: [car] }",
            [keypoints(0.5), keypoints(0.52), keypoints(0.6)],
            "distance 0.0100",
        ),
        (
            "{ mask: { path: left.png }, concepts: [car] }",
            [
                mask(&columns(0, 5)),
                mask(&columns(0, 6)),
                mask(&columns(4, 10)),
            ],
            "IoU 0.83",
        ),
        (
            "{ span: { start: 2, end: 6 }, concepts: [car] }",
            [span(2, 6), span(3, 6), span(5, 9)],
            "IoU 0.75",
        ),
        (
            "{ segment: { begin: 1, end: 3 }, concepts: [car] }",
            [segment(1.0, 3.0), segment(1.5, 3.0), segment(2.5, 5.0)],
            "IoU 0.75",
        ),
        (
            "{ text: a red car, concepts: [car] }",
            [
                json!({"text": {"raw": "a red car"}, "concepts": [{"id": "car", "value": 1}]}),
                json!({"text": {"raw": "a red cars"}, "concepts": [{"id": "car", "value": 1}]}),
                json!({"text": {"raw": "two dogs"}, "concepts": [{"id": "car", "value": 1}]}),
            ],
            "text 0.88",
        ),
    ]
}

#[test]
fn every_kind_is_unchanged_at_the_same_location() {
    for (declared, [same, ..], _) in table() {
        assert_eq!(
            changes(&[declared], &[stored("1", same)]),
            "1 unchanged",
            "{declared}"
        );
    }
}

#[test]
fn every_kind_is_matched_if_it_moved_a_little() {
    for (declared, [_, near, _], measure) in table() {
        let action = if declared.contains("text") {
            "merge"
        } else {
            "overwrite"
        };
        assert_eq!(
            changes(&[declared], &[stored("1", near)]),
            format!("0 unchanged, {action} 1 (matched: moved, {measure})"),
            "{declared}"
        );
    }
}

#[test]
fn distant_annotations_are_not_matched() {
    for (declared, [_, _, far], _) in table() {
        assert_eq!(
            changes(&[declared], &[stored("1", far)]),
            "0 unchanged, delete 1, post new",
            "{declared}"
        );
    }
}

#[test]
fn different_kinds_are_not_matched() {
    let table = table();
    for (at, (declared, ..)) in table.iter().enumerate() {
        for (other, (_, [same, ..], _)) in table.iter().enumerate() {
            if at != other {
                assert_eq!(
                    changes(&[declared], &[stored("1", same.clone())]),
                    "0 unchanged, delete 1, post new",
                    "{declared} {same}"
                );
            }
        }
    }
}

#[test]
fn other_concepts_at_the_same_location_are_relabelled() {
    for (declared, [same, ..], _) in table() {
        let declared = declared.replace("[car]", "[bus]");
        assert_eq!(
            changes(&[&declared], &[stored("1", same)]),
            "0 unchanged, overwrite 1 (matched: same place, other concepts)",
            "{declared}"
        );
    }
}

#[test]
fn declared_tracks_must_match_and_undeclared_ones_are_unmanaged() {
    let box_info = json!({"bounding_box": {"bottom_row": 0.5, "right_col": 0.5}});
    let tracked = |track: &str| {
        let mut data = region(box_info.clone());
        data["regions"][0]["track_id"] = json!(track);
        data
    };
    let declared = |rest: &str| {
        format!("{{ box: {{ top: 0, left: 0, bottom: 0.5, right: 0.5 }}, concepts: [car]{rest} }}")
    };
    let (one, any) = (declared(", track: t1"), declared(""));
    assert_eq!(
        changes(&[&one], &[stored("1", tracked("t1"))]),
        "1 unchanged"
    );
    assert_eq!(
        changes(&[&one], &[stored("1", tracked("t2"))]),
        "0 unchanged, delete 1, post new"
    );
    assert_eq!(
        changes(&[&any], &[stored("1", tracked("t2"))]),
        "1 unchanged"
    );
    // A declared track has priority.
    assert_eq!(
        changes(
            &[&any, &one],
            &[stored("1", tracked("t1")), stored("2", tracked("t2"))]
        ),
        "2 unchanged"
    );
}

#[test]
fn masks_are_matched_by_url() {
    let url = json!({"mask": {"image": {"url": "https://example.com/m.png"}}});
    let declared = "{ mask: { url: 'https://example.com/m.png' }, concepts: [car] }";
    assert_eq!(
        changes(&[declared], &[stored("1", region(url))]),
        "1 unchanged"
    );
    let mut both = mask(&columns(0, 5));
    both["regions"][0]["region_info"]["mask"]["image"]["url"] = json!("https://example.com/m.png");
    assert_eq!(changes(&[declared], &[stored("1", both)]), "1 unchanged");
}

#[test]
fn the_text_of_a_box_does_not_identify_it() {
    let mut data = region(json!({"bounding_box": {"bottom_row": 0.5, "right_col": 0.5}}));
    data["regions"][0]["data"]["text"] = json!({"raw": "B 1234"});
    let declared =
        "{ box: { top: 0, left: 0, bottom: 0.5, right: 0.5 }, concepts: [car], text: B 1235 }";
    assert_eq!(
        changes(&[declared], &[stored("1", data)]),
        "0 unchanged, merge 1 (matched: exact)"
    );
}

fn of_model(id: &str, region_id: &str, edges: [f64; 4], concept: &str) -> Value {
    let [top, left, bottom, right] = edges;
    json!({
        "id": id, "input_id": "a", "model_version_id": "mv", "created_at": "2026-01-01T00:00:00Z",
        "data": {"regions": [{
            "id": region_id,
            "region_info": {"bounding_box": {"top_row": top, "left_col": left, "bottom_row": bottom, "right_col": right}},
            "data": {"concepts": [{"id": concept, "value": 0.9}]},
        }]},
    })
}

const FOUND: &str = "{ region: { from_model: mv, concept: person, nearest: { box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 } } }, concepts: [worker] }";

#[test]
fn a_region_of_a_model_is_labelled_by_its_id() {
    let remote = [
        of_model("m1", "r1", [0.1, 0.1, 0.5, 0.45], "person"),
        of_model("m2", "r2", [0.1, 0.1, 0.5, 0.5], "dog"),
        of_model("m3", "r3", [0.6, 0.6, 0.9, 0.9], "person"),
    ];
    let plan = try_plan(&[FOUND], &remote).unwrap();
    let [operation] = &plan.operations[..] else {
        panic!("{:?}", plan.operations);
    };
    assert_eq!(operation.action(), annosync::plan::Action::Post);
    let body = bodies(&plan, &observed(&remote)).remove(0).unwrap();
    assert_eq!(body["data"]["regions"][0]["id"], "r1");
    assert_eq!(
        body["data"]["regions"][0]["data"]["concepts"][0]["id"],
        "worker"
    );
    // Once posted, it is matched.
    let mut remote = remote.to_vec();
    remote.push(json!({
        "id": operation.id.as_str(), "input_id": "a", "user_id": ME, "status": {"code": 24150},
        "data": body["data"],
    }));
    assert!(try_plan(&[FOUND], &remote).unwrap().is_empty());
}

#[test]
fn a_missing_or_ambiguous_region_is_an_error() {
    let far = [of_model("m1", "r1", [0.3, 0.1, 0.9, 0.5], "person")];
    let error = |remote: &[Value]| try_plan(&[FOUND], remote).unwrap_err()[0].to_string();
    insta::assert_snapshot!(error(&far), @"model version `mv` has no region with concept `person` at this place of input `a`; the closest has IoU 0.25, and 0.50 is required");
    insta::assert_snapshot!(error(&[]), @"model version `mv` has no region with concept `person` at this place of input `a`; none overlaps it");
    let two = [
        of_model("m1", "r1", [0.1, 0.1, 0.5, 0.4], "person"),
        of_model("m2", "r2", [0.1, 0.1, 0.5, 0.5], "person"),
    ];
    insta::assert_snapshot!(error(&two), @"model version `mv` has 2 regions with concept `person` at this place of input `a`: `r2` (IoU 1.00), `r1` (IoU 0.75)");
    // Two annotations of one region count once.
    let twice = [
        of_model("m1", "r1", [0.1, 0.1, 0.5, 0.5], "person"),
        of_model("m2", "r1", [0.1, 0.1, 0.5, 0.5], "person"),
    ];
    assert!(try_plan(&[FOUND], &twice).is_ok());
    // A region of one frame is not found in others.
    let mut framed = of_model("m1", "r1", [0.1, 0.1, 0.5, 0.5], "person");
    framed["data"] = json!({"frames": [{"frame_info": {"time": 1500}, "data": framed["data"]}]});
    assert!(try_plan(&[FOUND], std::slice::from_ref(&framed)).is_err());
    let in_frame = FOUND.replace("{ region", "{ frame: { time_ms: 1500 }, region");
    assert!(try_plan(&[&in_frame], &[framed]).is_ok());
    // Other versions of the model do not match.
    let mut other = of_model("m1", "r1", [0.1, 0.1, 0.5, 0.5], "person");
    other["model_version_id"] = json!("mv-2");
    assert!(try_plan(&[FOUND], &[other]).is_err());
}

#[test]
fn the_input_level_annotation_is_patched_but_never_posted() {
    let input_level = json!({
        "id": "own", "input_id": "a", "user_id": ME, "input_level": true, "status": {"code": 24150},
        "created_at": "2026-02-01T00:00:00Z",
        "data": {"concepts": [{"id": "day", "value": 1}]},
    });
    let declared = "{ input_level: true, concepts: [day, street] }";
    assert_eq!(
        changes(&[declared], std::slice::from_ref(&input_level)),
        "0 unchanged, merge own (matched: input-level annotation)"
    );
    // In any order of creation.
    let other = stored("1", json!({"concepts": [{"id": "day", "value": 1}]}));
    assert_eq!(
        changes(
            &[declared, "{ concepts: [day] }"],
            &[other, input_level.clone()]
        ),
        "1 unchanged, merge own (matched: input-level annotation)"
    );
    // Undeclared, it is kept.
    assert_eq!(
        changes(&["{ concepts: [day] }"], &[input_level]),
        "0 unchanged, post new"
    );
    insta::assert_snapshot!(try_plan(&[declared], &[]).unwrap_err()[0], @"input `a` has no input-level annotation in the app");
}

#[test]
fn annotations_with_several_regions_are_not_moved() {
    let two = json!({"regions": [
        {"id": "r", "region_info": {"point": {"row": 0.5}}}, {"id": "s", "region_info": {"point": {"row": 0.6}}},
    ]});
    let declared = "{ id: '1', point: [0.5, 0], concepts: [car] }";
    let errors = try_plan(&[declared], &[stored("1", two.clone())]).unwrap_err();
    insta::assert_snapshot!(errors[0], @"annotation `1` of input `a` has several regions or frames: a write of the declared one would lose the others");
    // It can be declared without its geometry.
    let changed = changes(&["{ id: '1', status: pending }"], &[stored("1", two)]);
    assert_eq!(changed, "0 unchanged, merge 1 (matched: id)");
    // A single unmodelled geometry can be replaced by a known one.
    let token = region(json!({"token": {"char_start": 1}}));
    let changed = changes(&[declared], &[stored("1", token)]);
    assert_eq!(changed, "0 unchanged, overwrite 1 (matched: id)");
}

#[test]
fn plans_describe_geometries_without_a_shape() {
    let shown = |declared: &str| {
        let plan = try_plan(&[declared], &[]).unwrap();
        annosync::render::text(&plan, &annosync::render::TextOptions::default())
    };
    for (declared, name) in [
        (
            "{ frame: { time_ms: 5 }, concepts: [car] }",
            "+ post frame [car] as-",
        ),
        ("{ text: hello }", "+ post text as-"),
        ("{ concepts: [car] }", "+ post whole input [car] as-"),
    ] {
        assert!(shown(declared).contains(name), "{}", shown(declared));
    }
}

#[test]
fn a_plan_file_contains_the_hash_of_a_mask_and_allows_no_other() {
    let plan = try_plan(&["{ mask: { path: left.png }, concepts: [road] }"], &[]).unwrap();
    let text = annosync::render::json(&plan);
    assert!(plan::read(&text).unwrap().is_some());
    let altered = text.replace(&base64(&columns(0, 5)), &base64(&columns(0, 6)));
    assert_ne!(altered, text);
    let error = plan::read(&altered).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"the plan was altered: the pixels of a mask do not match its hash");
}
