//! Properties of all manifests and all apps.

mod fewest_writes;

use crate::support::{ME, Remote, boxed, context, desired, observed, plan, purging, whole, with};
use annosync::model::{DesiredAnnotation, DesiredState, Identity, InputId, Origin};
use annosync::plan::{self, Action, Call};
use annosync::render::{self, TextOptions};
use fewest_writes::fewest_writes;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A declared annotation with few possible values, so that collisions are frequent.
#[derive(Debug, Clone)]
struct Declared {
    place: usize,
    concepts: usize,
    name: usize,
    status: usize,
    metadata: usize,
}

/// An observed annotation with the same values.
#[derive(Debug, Clone)]
struct Seen {
    place: usize,
    concepts: usize,
    maker: usize,
    status: usize,
    metadata: usize,
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

fn manifest(declared: &[Declared]) -> String {
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

fn listing(seen: &[Seen]) -> Vec<Value> {
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

fn declared() -> impl Strategy<Value = Declared> {
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

fn seen() -> impl Strategy<Value = Seen> {
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

fn world() -> impl Strategy<Value = (Vec<Declared>, Vec<Seen>)> {
    (
        proptest::collection::vec(declared(), 0..5),
        proptest::collection::vec(seen(), 0..5),
    )
}

fn states(declared: &[Declared], seen: &[Seen]) -> (DesiredState, Remote) {
    (desired(&manifest(declared)), Remote::new(listing(seen)))
}

/// An annotation on the input `p`: of the caller, another user, a model, another set, or the input-level one.
fn doomed(at: usize, kind: usize) -> Value {
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
fn out_of_scope(annotation: &Value) -> bool {
    let id = annotation["id"].as_str().unwrap();
    annotation["input_id"] != "a"
        || (annotation["user_id"] != ME && id != "r0")
        || ["level", "model"].contains(&id)
        || id.starts_with("as-00000000-")
}

/// Counts of a remote, computed independently of the library.
struct Counted {
    /// Annotations with concepts that a model did not create.
    classes: BTreeMap<String, u64>,
    /// Inputs with annotations of users.
    labelled: BTreeSet<String>,
}

impl Counted {
    fn of(remote: &Remote) -> Self {
        let mut counted = Self {
            classes: BTreeMap::new(),
            labelled: BTreeSet::new(),
        };
        for annotation in &remote.annotations {
            if !annotation["model_version_id"].is_null() {
                continue;
            }
            if annotation["input_level"] != true {
                let input = annotation["input_id"].as_str().unwrap();
                counted.labelled.insert(input.to_owned());
            }
            let data = &annotation["data"];
            let frame = &data["frames"][0]["data"];
            let places = [
                &frame["regions"][0]["data"],
                &data["regions"][0]["data"],
                frame,
                data,
            ];
            let listed = places.iter().find_map(|place| place["concepts"].as_array());
            for concept in listed.into_iter().flatten() {
                if concept["value"].as_f64().unwrap_or_default() > 0.0 {
                    let id = concept["id"].as_str().unwrap().to_owned();
                    *counted.classes.entry(id).or_default() += 1;
                }
            }
        }
        counted
    }
}

proptest! {
    #[test]
    fn the_plan_for_the_current_state_is_empty(seen in proptest::collection::vec(seen(), 0..5)) {
        let remote = Remote::new(listing(&seen)).observed();
        let mut same = desired("  - id: a\n    annotations: []\n");
        let observed = &remote.inputs[&InputId::new("a").unwrap()];
        same.inputs[0].annotations = observed
            .iter()
            .map(|o| DesiredAnnotation { identity: Identity::Id(o.id.clone()), content: o.content(), origin: Origin::default() })
            .filter(|d| !matches!(&d.identity, Identity::Id(id) if id.as_str().starts_with("as-")))
            .collect();
        prop_assert!(plan(&same, &remote).is_empty());
    }

    #[test]
    fn a_plan_after_an_apply_is_empty_and_a_second_apply_writes_nothing((declared, seen) in world()) {
        let (desired, mut remote) = states(&declared, &seen);
        let first = plan(&desired, &remote.observed());
        remote.apply(&first);
        let second = plan(&desired, &remote.observed());
        prop_assert!(second.is_empty(), "{}\nthen\n{}", render::text(&first, &TextOptions::default()), render::text(&second, &TextOptions::default()));
        let before = remote.clone();
        remote.apply(&second);
        prop_assert_eq!(before, remote);
    }

    #[test]
    fn every_operation_is_necessary((declared, seen) in world()) {
        let (desired, remote) = states(&declared, &seen);
        let whole = plan(&desired, &remote.observed());
        for left_out in 0..whole.operations.len() as u32 {
            let mut part = whole.clone();
            for batch in part.batches.iter_mut().filter(|batch| batch.call != Call::Purge) {
                batch.operations.retain(|operation| *operation != left_out);
            }
            let mut remote = remote.clone();
            remote.apply(&part);
            prop_assert!(!plan(&desired, &remote.observed()).is_empty(), "{:#?}", whole.operations[left_out as usize]);
        }
    }

    #[test]
    fn stopping_anywhere_and_running_again_converges((declared, seen) in world(), steps in 0_usize..10) {
        let (desired, mut remote) = states(&declared, &seen);
        let first = plan(&desired, &remote.observed());
        remote.apply_some(&first, steps);
        let second = plan(&desired, &remote.observed());
        remote.apply(&second);
        prop_assert!(plan(&desired, &remote.observed()).is_empty());
        let ids: std::collections::BTreeSet<String> = remote.annotations.iter().map(|a| a["id"].to_string() + &a["input_id"].to_string()).collect();
        prop_assert_eq!(ids.len(), remote.annotations.len());
    }

    #[test]
    fn annotations_out_of_scope_are_not_changed((declared, seen) in world()) {
        let (desired, mut remote) = states(&declared, &seen);
        let before: Vec<Value> = remote.annotations.iter().filter(|a| out_of_scope(a)).cloned().collect();
        remote.apply(&plan(&desired, &remote.observed()));
        for annotation in before {
            prop_assert!(remote.annotations.contains(&annotation), "{annotation}");
        }
    }

    #[test]
    fn unmodelled_fields_survive((declared, seen) in world()) {
        let (desired, mut remote) = states(&declared, &seen);
        let there: Vec<Value> = remote.annotations.iter().map(|a| a["id"].clone()).filter(|id| id.as_str().unwrap().starts_with('r')).collect();
        remote.apply(&plan(&desired, &remote.observed()));
        for annotation in remote.annotations.iter().filter(|a| there.contains(&a["id"])) {
            prop_assert_eq!(&annotation["data"]["unmodelled"], &json!({"left": [1, 2]}));
        }
    }

    #[test]
    fn the_plan_does_not_depend_on_the_order_of_a_listing((declared, seen) in world(), seed in any::<u64>()) {
        let (desired, remote) = states(&declared, &seen);
        let mut shuffled = remote.annotations.clone();
        let len = shuffled.len();
        for at in 0..len {
            shuffled.swap(at, (seed.rotate_left(at as u32 * 7) as usize) % len);
        }
        let json = |annotations: &[Value]| render::json(&plan(&desired, &observed(annotations)));
        prop_assert_eq!(json(&remote.annotations), json(&shuffled));
    }

    #[test]
    fn a_purge_leaves_the_input_level_annotation_alone_and_converges_wherever_it_stops(
        (declared, seen) in world(), purged in proptest::collection::vec(0_usize..5, 0..6), steps in 0_usize..12
    ) {
        let (desired, mut remote) = states(&declared, &seen);
        let desired = purging(desired, "p");
        for (at, kind) in purged.iter().enumerate() {
            remote.annotations.push(doomed(at, *kind));
        }
        let first = plan(&desired, &remote.observed());
        let stays = |it: &Value| it["input_id"] != "p" || it["input_level"] == true;
        let gone = remote.annotations.iter().filter(|it| !stays(it)).count() as u64;
        prop_assert_eq!((first.summary.purge, first.summary.purged), (u64::from(gone > 0), gone));
        prop_assert!(first.operations.iter().all(|operation| operation.input_id.as_str() != "p"));
        prop_assert_eq!(first.summary.calls, first.summary.lower_bound);
        remote.annotations.reverse();
        prop_assert_eq!(render::json(&first), render::json(&plan(&desired, &remote.observed())));
        let levels = |remote: &Remote| remote.annotations.iter().filter(|it| it["input_id"] == "p" && stays(it)).count();
        let before = levels(&remote);
        remote.apply_some(&first, steps);
        remote.apply(&plan(&desired, &remote.observed()));
        prop_assert!(plan(&desired, &remote.observed()).is_empty());
        prop_assert!(remote.annotations.iter().all(stays));
        prop_assert_eq!(levels(&remote), before);
    }

    #[test]
    fn the_summary_counts_the_app_before_and_after(
        (declared, seen) in world(),
        kinds in proptest::collection::vec(0_usize..5, 0..4)
    ) {
        let (desired, mut remote) = states(&declared, &seen);
        let desired = purging(desired, "p");
        remote.annotations.extend(kinds.iter().enumerate().map(|(at, kind)| doomed(at, *kind)));
        let before = Counted::of(&remote);
        let plan = plan(&desired, &remote.observed());
        remote.apply(&plan);
        let after = Counted::of(&remote);
        let mut classes = Vec::new();
        for concept in before.classes.keys().chain(after.classes.keys()).collect::<BTreeSet<_>>() {
            let of = |counted: &Counted| counted.classes.get(concept).copied().unwrap_or_default();
            if of(&before) != of(&after) {
                classes.push((concept.clone(), of(&before), of(&after)));
            }
        }
        let said: Vec<(String, u64, u64)> = plan
            .summary
            .classes
            .iter()
            .map(|class| (class.concept.to_string(), class.before, class.after))
            .collect();
        prop_assert_eq!(said, classes, "{:#?}", plan.summary);
        let emptied: Vec<&str> = before.labelled.difference(&after.labelled).map(String::as_str).collect();
        let said: Vec<&str> = plan.summary.emptied.iter().map(InputId::as_str).collect();
        prop_assert_eq!(said, emptied);
    }

    #[test]
    fn sharing_calls_changes_only_their_number(
        kept in proptest::collection::vec(0_usize..3, 0..4), gone in proptest::collection::vec(0_usize..3, 0..4), steps in 0_usize..10
    ) {
        let mut annotations = Vec::new();
        let mut inputs = "  - id: a\n    annotations:\n".to_owned();
        for (at, kind) in kept.iter().enumerate() {
            let mut seen = whole("a", &format!("k{at}"), &[("bus", 1.0), ("car", 1.0)]);
            match kind {
                0 => seen["data"]["metadata"] = json!({"n": 1}),
                1 => seen["data"]["text"] = json!({"raw": "t"}),
                _ => {}
            }
            annotations.push(seen);
            let declared = format!("      - {{ id: k{at}, concepts: [car] }}\n");
            inputs.push_str(&declared);
        }
        if kept.is_empty() {
            inputs = "  - id: a\n    annotations: []\n".to_owned();
        }
        for (at, kind) in gone.iter().enumerate() {
            let mut seen = whole("a", &format!("g{at}"), &[("car", 1.0)]);
            if *kind == 0 {
                seen["data"]["geo"] = json!({"geo_point": {"longitude": 1}});
            }
            annotations.push(seen);
        }
        let mut remote = Remote::new(annotations);
        let desired = desired(&inputs);
        let first = plan(&desired, &remote.observed());
        let shares = !kept.is_empty() && !gone.is_empty() && !kept.contains(&2) && !gone.contains(&0);
        let kinds = if shares { 1 } else { u64::from(!kept.is_empty()) + u64::from(!gone.is_empty()) };
        prop_assert_eq!((first.summary.calls, first.summary.lower_bound), (kinds, kinds));
        prop_assert_eq!(first.summary.actions.delete, gone.len() as u64);
        prop_assert!(plan::read(&render::json(&first)).unwrap() == Some(first.clone()));
        remote.apply_some(&first, steps);
        remote.apply(&plan(&desired, &remote.observed()));
        prop_assert!(plan(&desired, &remote.observed()).is_empty());
        prop_assert_eq!(remote.annotations.len(), kept.len());
    }

    #[test]
    fn the_plan_has_the_minimum_number_of_writes((declared, seen) in world()) {
        let (desired, remote) = states(&declared, &seen);
        let observed = remote.observed();
        let plan = plan(&desired, &observed);
        let writes = plan.operations.len() as u64;
        let fewest = fewest_writes(&desired, &observed);
        prop_assert_eq!(writes, fewest, "{}", render::text(&plan, &TextOptions::default()));
    }
}

#[test]
fn plans_are_deterministic() {
    let declared: Vec<Declared> = (0..40)
        .map(|at| Declared {
            place: at % 8,
            concepts: at % 4,
            name: at % 8,
            status: at % 3,
            metadata: (at / 2) % 3,
        })
        .collect();
    let seen: Vec<Seen> = (0..40)
        .map(|at| Seen {
            place: (at * 3) % 8,
            concepts: (at / 3) % 4,
            maker: at % 5,
            status: (at / 5) % 3,
            metadata: at % 3,
        })
        .collect();
    let (desired, remote) = states(&declared, &seen);
    let run = || render::json(&plan::plan(&desired, &remote.observed(), &context()).unwrap());
    let first = run();
    assert!(first.len() > 1_000);
    for _ in 0..10 {
        assert_eq!(first, run());
    }
}

#[test]
fn the_test_remote_executes_deletes_and_posts() {
    // The laws above rely on this.
    let mut remote = Remote::new(vec![boxed("a", "r0", [0.1, 0.1, 0.3, 0.3], &["car"])]);
    let plan = plan(
        &desired("  - id: a\n    annotations: [{ concepts: [bus] }]\n"),
        &remote.observed(),
    );
    assert_eq!(
        plan.operations
            .iter()
            .map(annosync::plan::Operation::action)
            .collect::<Vec<_>>(),
        [Action::Delete, Action::Post]
    );
    remote.apply(&plan);
    assert_eq!(remote.annotations.len(), 1);
    assert_eq!(remote.annotations[0]["data"]["concepts"][0]["id"], "bus");
}
