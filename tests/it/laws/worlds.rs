//! Random manifests and apps.

use crate::support::{ME, Remote, boxed, desired, with};
use annosync::model::DesiredState;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A declared annotation with few possible values, so that collisions are frequent.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) place: usize,
    pub(super) concepts: usize,
    pub(super) name: usize,
    pub(super) status: usize,
    pub(super) metadata: usize,
}

/// An observed annotation with the same values.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) place: usize,
    pub(super) concepts: usize,
    pub(super) maker: usize,
    pub(super) status: usize,
    pub(super) metadata: usize,
}

/// Geometries: whole input, distant boxes, close boxes, a polygon, a frame.
const PLACES: [&str; 8] = [
    "",
    "box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.3 }, ",
    "box: { top: 0.11, left: 0.1, bottom: 0.3, right: 0.3 }, ",
    "box: { top: 0.14, left: 0.1, bottom: 0.34, right: 0.3 }, ",
    "box: { top: 0.18, left: 0.1, bottom: 0.38, right: 0.3 }, ",
    "box: { top: 0.7, left: 0.7, bottom: 0.9, right: 0.9 }, ",
    "polygon: [[0.1, 0.1], [0.3, 0.1], [0.3, 0.3], [0.1, 0.3]], ",
    "frame: { time_ms: 40, number: 1 }, box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.3 }, ",
];

const CONCEPTS: [&str; 4] = ["[car]", "[bus]", "[car, bus]", "{ car: 0.5 }"];

const STATUSES: [&str; 3] = ["", ", status: pending", ", status: success"];

const METADATA: [&str; 3] = ["", ", metadata: { n: 1 }", ", metadata: { tags: [a, b] }"];

pub(super) fn manifest(declared: &[Declared]) -> String {
    if declared.is_empty() {
        return "  - id: a\n    annotations: []\n".to_owned();
    }
    let mut named = std::collections::BTreeSet::new();
    let items: Vec<String> = declared
        .iter()
        .map(|d| {
            // 1 to 3: an existing id, a key, a missing id; each at most once.
            let name = match (d.name, named.insert(d.name)) {
                (1, true) => "id: 'r0', ",
                (2, true) => "key: k, ",
                (3, true) => "id: 'nowhere', ",
                _ => "",
            };
            format!(
                "      - {{ {name}{}concepts: {}{}{} }}\n",
                PLACES[d.place], CONCEPTS[d.concepts], STATUSES[d.status], METADATA[d.metadata]
            )
        })
        .collect();
    format!("  - id: a\n    annotations:\n{}", items.concat())
}

pub(super) fn listing(seen: &[Seen]) -> Vec<Value> {
    let mut all = vec![
        with(
            boxed("a", "level", [0.1, 0.1, 0.3, 0.3], &["car"]),
            "input_level",
            json!(true),
        ),
        with(
            boxed("a", "model", [0.1, 0.1, 0.3, 0.3], &["car"]),
            "model_version_id",
            json!("v1"),
        ),
        with(
            boxed("a", "theirs", [0.1, 0.1, 0.3, 0.3], &["car"]),
            "user_id",
            json!("somebody"),
        ),
        boxed(
            "a",
            "as-00000000-0123456789abcdef0123",
            [0.1, 0.1, 0.3, 0.3],
            &["car"],
        ),
        boxed("elsewhere", "e", [0.1, 0.1, 0.3, 0.3], &["car"]),
    ];
    all.extend(seen.iter().enumerate().map(|(at, seen)| {
        let concepts: &[(&str, f64)] = match seen.concepts {
            0 => &[("car", 1.0)],
            1 => &[("bus", 1.0)],
            2 => &[("bus", 1.0), ("car", 1.0)],
            _ => &[("car", 0.5)],
        };
        let concepts: Value = concepts.iter().map(|(id, value)| json!({"id": id, "value": value, "app_id": "x"})).collect();
        let edges = |top: f64, left: f64, bottom: f64, right: f64| {
            json!({"bounding_box": {"top_row": top, "left_col": left, "bottom_row": bottom, "right_col": right}})
        };
        let info = match seen.place {
            1 | 7 => Some(edges(0.1, 0.1, 0.3, 0.3)),
            2 => Some(edges(0.11, 0.1, 0.3, 0.3)),
            3 => Some(edges(0.14, 0.1, 0.34, 0.3)),
            4 => Some(edges(0.18, 0.1, 0.38, 0.3)),
            5 => Some(edges(0.7, 0.7, 0.9, 0.9)),
            6 => Some(json!({"polygon": {"points": [
                {"row": 0.3, "col": 0.1, "z": 0.5}, {"row": 0.1, "col": 0.1}, {"row": 0.1, "col": 0.3}, {"row": 0.3, "col": 0.3}]}})),
            _ => None,
        };
        let mut data = match info {
            // Every third region has no id that a nested patch could name.
            Some(info) if at % 3 == 2 => json!({"regions": [{"region_info": info, "data": {"concepts": concepts}}]}),
            Some(info) => json!({"regions": [{"id": format!("g{at}"), "region_info": info, "data": {"concepts": concepts}}]}),
            None => json!({"concepts": concepts}),
        };
        if seen.place == 7 {
            data = json!({"frames": [{"id": format!("f{at}"), "frame_info": {"time": "40", "number": 1}, "data": data}]});
        }
        match seen.metadata {
            1 => data["metadata"] = json!({"n": 1, "kept": "x"}),
            2 => data["metadata"] = json!({"tags": ["a"]}),
            _ => {}
        }
        data["unmodelled"] = json!({"left": [1, 2]});
        json!({
            "id": format!("r{at}"), "input_id": "a", "data": data,
            "user_id": if seen.maker == 0 { "somebody" } else { ME },
            "status": {"code": if seen.status == 1 { 24151 } else { 24150 }},
            "created_at": format!("2026-01-01T00:00:0{}Z", at % 3),
        })
    }));
    all
}

pub(super) fn declared() -> impl Strategy<Value = Declared> {
    (
        0..PLACES.len(),
        0..CONCEPTS.len(),
        0_usize..8,
        0..STATUSES.len(),
        0..METADATA.len(),
    )
        .prop_map(|(place, concepts, name, status, metadata)| Declared {
            place,
            concepts,
            name,
            status,
            metadata,
        })
}

pub(super) fn seen() -> impl Strategy<Value = Seen> {
    (
        0..PLACES.len(),
        0..CONCEPTS.len(),
        0_usize..5,
        0_usize..3,
        0_usize..3,
    )
        .prop_map(|(place, concepts, maker, status, metadata)| Seen {
            place,
            concepts,
            maker,
            status,
            metadata,
        })
}

pub(crate) fn declarations() -> impl Strategy<Value = DesiredState> {
    proptest::collection::vec(declared(), 0..5).prop_map(|it| desired(&manifest(&it)))
}

pub(crate) fn remotes() -> impl Strategy<Value = Remote> {
    proptest::collection::vec(seen(), 0..5).prop_map(|it| Remote::new(listing(&it)))
}

pub(super) fn world() -> impl Strategy<Value = (Vec<Declared>, Vec<Seen>)> {
    (
        proptest::collection::vec(declared(), 0..5),
        proptest::collection::vec(seen(), 0..5),
    )
}

pub(super) fn states(declared: &[Declared], seen: &[Seen]) -> (DesiredState, Remote) {
    (desired(&manifest(declared)), Remote::new(listing(seen)))
}

/// An annotation on the input `p`: of the caller, another user, a model, another set, or the input-level one.
pub(super) fn doomed(at: usize, kind: usize) -> Value {
    let id = if kind == 3 {
        format!("as-00000000-{at:020x}")
    } else {
        format!("p{at}")
    };
    let annotation = boxed("p", &id, [0.1, 0.1, 0.3, 0.3], &["car"]);
    match kind {
        1 => with(annotation, "user_id", json!("somebody")),
        2 => with(annotation, "model_version_id", json!("v1")),
        4 => with(annotation, "input_level", json!(true)),
        _ => annotation,
    }
}

/// Whether no plan may change an annotation. Annotations declared by `id: 'r0'` may be changed, because the caller owns the app.
pub(super) fn out_of_scope(annotation: &Value) -> bool {
    let id = annotation["id"].as_str().unwrap();
    annotation["input_id"] != "a"
        || (annotation["user_id"] != ME && id != "r0")
        || ["level", "model"].contains(&id)
        || id.starts_with("as-00000000-")
}
