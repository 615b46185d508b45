//! Deletes that share a call with removals: in plans, plan files and applies.

use crate::cli::{World, header};
use crate::support::{bodies, boxed, manifest_of, observed, plan, printed_calls, whole, with};
use annosync::apply::{self, Options};
use annosync::emulator::{ConcurrentChange, Endpoint, Fault, Scope as Faulty};
use annosync::model::{DesiredState, Scope};
use annosync::observed as state;
use annosync::plan::{Action, Call, Outcome, Plan};
use annosync::render;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;

const CAR: [(&str, f64); 1] = [("car", 1.0)];
const BOX: [f64; 4] = [0.1, 0.2, 0.5, 0.6];

/// Boxes `k…` on input `a` that lose a concept.
fn kept(count: usize) -> Vec<Value> {
    (0..count)
        .map(|at| boxed("a", &format!("k{at:03}"), BOX, &["bus", "car"]))
        .collect()
}

/// Labels `g…` on input `b` that are deleted.
fn gone(count: usize) -> Vec<Value> {
    (0..count)
        .map(|at| whole("b", &format!("g{at:03}"), &CAR))
        .collect()
}

/// The desired state.
fn wanted(kept: usize) -> DesiredState {
    let mut inputs = "  - id: a\n    annotations:".to_owned();
    inputs += if kept == 0 { " []\n" } else { "\n" };
    for at in 0..kept {
        writeln!(inputs, "      - {{ id: k{at:03}, concepts: [car] }}").unwrap();
    }
    inputs += "  - id: b\n    annotations: []\n";
    manifest_of(&format!("{}inputs:\n{inputs}", header()))
}

fn planned(kept: usize, annotations: &[Value]) -> Plan {
    let plan = plan(&wanted(kept), &observed(annotations));
    assert_eq!(plan.summary.calls, plan.summary.lower_bound);
    assert_eq!(
        annosync::plan::read(&render::json(&plan)).unwrap(),
        Some(plan.clone())
    );
    plan
}

fn calls(plan: &Plan) -> Vec<(Call, usize)> {
    let size = |batch: &annosync::plan::Batch| (batch.call, batch.operations.len());
    plan.batches.iter().map(size).collect()
}

#[test]
fn a_delete_shares_a_call_with_a_removal_if_that_saves_a_call() {
    let plan = planned(1, &[kept(1), gone(1)].concat());
    assert_eq!(calls(&plan), [(Call::RemoveOrDelete, 2)]);
    let delete = &plan.operations[1];
    assert_eq!(delete.action(), Action::Delete);
    assert_eq!(
        bodies(&plan, &observed(&[kept(1), gone(1)].concat()))[1]
            .clone()
            .unwrap(),
        json!({"id": "g000", "input_id": "b", "data": {"concepts": [{"id": "car"}]}})
    );
    insta::assert_snapshot!(render::text(&plan, &render::TextOptions::default()), @r"
    Label set street on me-1/street at https://api.clarifai.com, policy sync: 1 to remove, 1 to delete.
    App: https://clarifai.com/me-1/street

    Warning: 1 concept will no longer be used (bus).

    Left without labels (1 input): b
    Classes: bus 1 -> 0 (-1); car 2 -> 1 (-1)
    Relabelled: bus -> (none) (1)

    b
      - delete annotation [car] g000: by me-1 (not declared)

    a
      ~ remove annotation [bus, car -> car] k000 (matched: id)

    Plan: 1 to remove, 1 to delete. 1 call (lower bound 1), about 0.1 s at 15 calls/s.
    ");
    insta::assert_snapshot!(printed_calls(&plan, &observed(&[kept(1), gone(1)].concat())), @r#"{"method":"PATCH","path":"/v2/users/me-1/apps/street/annotations","body":{"action":"remove","delete_if_empty_data":true,"annotations":[{"id":"k000","input_id":"a","data":{"regions":[{"id":"region-k000","data":{"concepts":[{"id":"bus"}]}}]}},{"id":"g000","input_id":"b","data":{"concepts":[{"id":"car"}]}}]}}"#);
}

#[test]
fn the_last_deletes_share_and_the_others_fill_their_calls() {
    for (removals, deletes, expected) in [
        (126, 2, vec![(Call::RemoveOrDelete, 128)]),
        (127, 2, vec![(Call::Remove, 127), (Call::Delete, 2)]),
        (
            130,
            129,
            vec![
                (Call::Remove, 128),
                (Call::RemoveOrDelete, 3),
                (Call::Delete, 128),
            ],
        ),
        // Sharing would not save a call.
        (1, 128, vec![(Call::Remove, 1), (Call::Delete, 128)]),
        (0, 2, vec![(Call::Delete, 2)]),
    ] {
        let plan = planned(removals, &[kept(removals), gone(deletes)].concat());
        assert_eq!(calls(&plan), expected, "{removals} and {deletes}");
    }
}

#[test]
fn only_deletes_that_may_share_do() {
    let mut gone = gone(129);
    // Only this one has nothing except concepts.
    for annotation in gone.iter_mut().skip(1) {
        annotation["data"]["geo"] = json!({"geo_point": {"longitude": 1}});
    }
    let plan = planned(1, &[kept(1), gone.clone()].concat());
    assert_eq!(
        calls(&plan),
        [(Call::RemoveOrDelete, 2), (Call::Delete, 128)]
    );
    gone[0]["data"]["metadata"] = json!({"a": 1});
    let plan = planned(1, &[kept(1), gone].concat());
    assert_eq!(
        calls(&plan),
        [(Call::Remove, 1), (Call::Delete, 128), (Call::Delete, 1)]
    );
}

#[test]
fn deletes_of_annotations_with_other_data_do_not_share() {
    for data in [
        json!({"concepts": [{"id": "car", "value": 1}], "metadata": {"a": 1}}),
        json!({"concepts": [{"id": "car", "value": 1}], "text": {"raw": ""}}),
        json!({"concepts": [{"id": "car", "value": 1}, {"id": "car", "value": 1}]}),
        json!({"concepts": [{"id": "car", "value": 1}, {"id": ""}]}),
        json!({"concepts": [{"id": "car", "value": 1}, {"name": "bus"}]}),
        json!({"concepts": []}),
        json!({}),
        json!({"regions": [{"id": "r", "data": {"concepts": [{"id": "car", "value": 1}]}}]}),
        json!({"frames": [{"data": {"concepts": [{"id": "car", "value": 1}]}}]}),
    ] {
        let doomed = with(gone(1).remove(0), "data", data.clone());
        let plan = planned(1, &[kept(1), vec![doomed]].concat());
        assert_eq!(
            calls(&plan),
            [(Call::Remove, 1), (Call::Delete, 1)],
            "{data}"
        );
    }
}

#[test]
fn deletes_do_not_share_with_removals_that_could_empty_an_annotation() {
    let concepts = json!([{"id": "bus", "value": 1}, {"id": "car", "value": 1}]);
    for (data, shares) in [
        (json!({"concepts": concepts}), false),
        (json!({"concepts": concepts, "metadata": {}}), false),
        (json!({"concepts": concepts, "metadata": {"a": ""}}), false),
        (json!({"concepts": concepts, "text": {"raw": ""}}), false),
        (json!({"concepts": concepts, "regions": [{}]}), false),
        (json!({"concepts": concepts, "text": {"raw": "t"}}), true),
        (json!({"concepts": concepts, "metadata": {"a": "b"}}), true),
        (
            json!({"frames": [{"id": "f", "frame_info": {"number": 1}, "data": {"concepts": concepts}}]}),
            true,
        ),
    ] {
        let stays = with(kept(1).remove(0), "data", data.clone());
        let plan = plan(&wanted(1), &observed(&[vec![stays], gone(1)].concat()));
        let shared = plan
            .batches
            .iter()
            .any(|batch| batch.call == Call::RemoveOrDelete);
        assert_eq!(shared, shares, "{data}");
    }
    // One of them is enough to prevent sharing.
    let mut many = kept(3);
    many[1]["data"] = json!({"concepts": concepts});
    let plan = planned(3, &[many, gone(1)].concat());
    assert_eq!(calls(&plan), [(Call::Remove, 3), (Call::Delete, 1)]);
}

/// An alteration of a plan file with its name.
type Alteration = (&'static str, fn(&mut Value));

#[test]
fn an_altered_shared_call_is_rejected() {
    let file = render::json(&planned(1, &[kept(1), gone(1)].concat()));
    let alterations: [Alteration; 5] = [
        ("more is removed than is shown", |plan| {
            plan["operations"][1]["body"]["data"]["concepts"] = json!([{"id": "car"}, {"id": "x"}]);
        }),
        ("less is removed than is shown", |plan| {
            plan["operations"][1]["body"]["data"]["concepts"] = json!([]);
        }),
        ("something else is removed", |plan| {
            plan["operations"][1]["body"]["data"]["regions"] = json!([{"id": "r"}]);
        }),
        ("the delete is sent on its own", |plan| {
            plan["batches"] = json!([
                {"call": "remove", "operations": [0]}, {"call": "delete", "operations": [1]}]);
        }),
        ("it shares with nothing", |plan| {
            plan["operations"].as_array_mut().unwrap().remove(0);
            plan["batches"] = json!([{"call": "remove_or_delete", "operations": [0]}]);
            plan["summary"]["remove"] = json!(0);
        }),
    ];
    for (what, alter) in alterations {
        let mut plan: Value = serde_json::from_str(&file).unwrap();
        alter(&mut plan);
        let error = annosync::plan::read(&plan.to_string()).unwrap_err();
        assert!(error.to_string().contains("altered"), "{what}: {error}");
    }
}

/// An emulator with these annotations, and the plan.
fn world(kept: usize, annotations: Vec<Value>) -> (World, Plan) {
    let world = World::new();
    world.seed(annotations);
    let reader = world.writer().reader();
    let observed = world
        .block_on(state::observe(&reader, "owner", &Scope::WholeApp))
        .unwrap();
    let plan = plan(&wanted(kept), &observed);
    world.emulator.forget_calls();
    (world, plan)
}

fn execute(world: &World, plan: &Plan) -> Outcome {
    let plan = Arc::new(plan.clone());
    world.block_on(apply::execute(plan, &world.writer(), &Options::default()))
}

fn ids(world: &World) -> Vec<String> {
    let id = |it: &Value| it["id"].as_str().unwrap().to_owned();
    world.annotations().iter().map(id).collect()
}

fn endpoints(world: &World) -> Vec<Endpoint> {
    world.writes().iter().map(|call| call.endpoint).collect()
}

#[test]
fn a_shared_call_removes_and_deletes_in_one_write() {
    let (world, plan) = world(2, [kept(2), gone(3)].concat());
    assert_eq!(calls(&plan), [(Call::RemoveOrDelete, 5)]);
    let outcome = execute(&world, &plan);
    insta::assert_snapshot!(render::outcome_text(&outcome, render::Detail::default()), @"Applied 5 (2 removed, 3 deleted), 0 already up to date, 0 failed, 0 not attempted.");
    assert_eq!(endpoints(&world), [Endpoint::PatchAnnotations]);
    assert_eq!(ids(&world), ["k000", "k001"]);
    // A second apply changes nothing.
    let again = execute(&world, &plan);
    assert_eq!((again.already_so, again.applied.total()), (5, 0));
}

#[test]
fn a_changed_annotation_is_stale_and_the_others_of_the_call_are_applied() {
    let (world, plan) = world(1, [kept(1), gone(2)].concat());
    world.someone_labels("b", "g000", "late");
    let outcome = execute(&world, &plan);
    assert_eq!(
        (
            outcome.applied.actions.remove,
            outcome.applied.actions.delete
        ),
        (1, 1)
    );
    assert_eq!(outcome.stale.len(), 1);
    assert_eq!(ids(&world), ["k000", "g000"]);
    let left = world.annotation("g000").unwrap();
    assert_eq!(left["data"]["concepts"].as_array().unwrap().len(), 2);
}

#[test]
fn half_of_a_shared_call_is_sent_as_an_ordinary_call() {
    let (world, plan) = world(1, [kept(1), gone(2)].concat());
    world.someone_labels("a", "k000", "late");
    world.emulator.forget_calls();
    let outcome = execute(&world, &plan);
    assert_eq!(
        (outcome.stale.len(), outcome.applied.actions.delete),
        (1, 2)
    );
    assert_eq!(endpoints(&world), [Endpoint::DeleteAnnotations]);
    assert_eq!(ids(&world), ["k000"]);
}

#[test]
fn a_concurrent_label_keeps_the_annotation() {
    let (world, plan) = world(1, [kept(1), gone(1)].concat());
    // The check before the call finds it as planned; then, before the call, another user adds a label.
    let mut late = whole("b", "g000", &[("car", 1.0), ("late", 1.0)]);
    late["user_id"] = json!("owner");
    let shifts = vec![
        ConcurrentChange::Delete {
            input_id: "b".to_owned(),
            id: "g000".to_owned(),
        },
        ConcurrentChange::Insert(late),
    ];
    world
        .emulator
        .faults()
        .next(Faulty::Page(1), Fault::ChangeAfterRead(shifts));
    let outcome = execute(&world, &plan);
    let text = render::outcome_text(&outcome, render::Detail::default());
    insta::assert_snapshot!(text, @r"
    Stale: delete annotation g000 of input b: it was changed during the delete. Its previous concepts were removed, and it was not deleted. Now stored:
        annotation [late]
    Applied 1 (1 removed), 0 already up to date, 1 stale, 0 failed, 0 not attempted.
    ");
    assert_eq!(ids(&world), ["k000", "g000"]);
}

#[test]
fn failed_or_lost_answers_are_retried() {
    use annosync::wire::Code;
    for fault in [
        Fault::DropAfter,
        Fault::DropBefore,
        Fault::TryAgain,
        Fault::Throttle { retry_after: None },
        Fault::Unavailable(503),
        Fault::FailItems {
            items: vec![0, 1, 2],
            code: Code::TRY_AGAIN,
        },
    ] {
        let (world, plan) = world(1, [kept(1), gone(2)].concat());
        world
            .emulator
            .faults()
            .next(Endpoint::PatchAnnotations, fault.clone());
        let outcome = execute(&world, &plan);
        assert!(outcome.is_complete(), "{fault:?}: {outcome:#?}");
        assert_eq!(ids(&world), ["k000"], "{fault:?}");
    }
}

#[test]
fn missing_annotations_count_as_deleted() {
    let (world, plan) = world(1, [kept(1), gone(2)].concat());
    world.delete("b", "g001");
    let outcome = execute(&world, &plan);
    assert!(outcome.is_complete());
    assert_eq!((outcome.applied.total(), outcome.already_so), (2, 1));
}

#[test]
fn an_unsafe_shared_call_is_split_in_two() {
    // Edited by hand: a plan would not let these share a call.
    let concepts = json!([{"id": "bus", "value": 1}, {"id": "car", "value": 1}]);
    let stays = with(kept(1).remove(0), "data", json!({"concepts": concepts}));
    let (world, apart) = world(1, [vec![stays], gone(1)].concat());
    let mut file: Value = serde_json::from_str(&render::json(&apart)).unwrap();
    file["operations"][1]["bytes"] = json!(60);
    for (count, value) in [
        ("calls", json!(1)),
        ("lower_bound", json!(1)),
        ("seconds", json!(0.1)),
    ] {
        file["summary"][count] = value;
    }
    file["batches"] = json!([{"call": "remove_or_delete", "operations": [0, 1]}]);
    file["target"]["user_id"] = file["app_owner"].clone();
    let forged = annosync::plan::read(&file.to_string()).unwrap().unwrap();
    let outcome = execute(&world, &forged);
    assert!(outcome.is_complete(), "{outcome:#?}");
    assert_eq!(
        endpoints(&world),
        [Endpoint::PatchAnnotations, Endpoint::DeleteAnnotation]
    );
    assert_eq!(ids(&world), ["k000"]);
}
