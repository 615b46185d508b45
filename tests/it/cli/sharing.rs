//! A delete that shares a call with a removal, end to end, also with services that do not support the flag.

use super::World;
use super::proxy::ProxyAction;
use super::writing::{apply_through, apply_with};
use crate::support::{boxed, whole};
use annosync::emulator::{Endpoint, Fault};
use annosync::wire::Code;
use serde_json::{Value, json};

/// A box that loses a concept, and a label that is deleted.
fn world() -> World {
    let world = World::new();
    world.seed(vec![
        boxed("a", "stays", [0.1, 0.2, 0.5, 0.6], &["bus", "car"]),
        whole("b", "goes", &[("car", 1.0)]),
    ]);
    world.declare(
        "  - id: a\n    annotations: [{ id: stays, concepts: [car] }]\n  - id: b\n    annotations: []\n",
    );
    world.emulator.forget_calls();
    world
}

fn endpoints(world: &World) -> Vec<Endpoint> {
    world.writes().iter().map(|call| call.endpoint).collect()
}

const DONE: &str =
    "Applied 2 (1 removed, 1 deleted), 0 already up to date, 0 failed, 0 not attempted.";

#[test]
fn a_removal_and_a_delete_are_one_call() {
    let world = world();
    let plan = world.plan(&["--out", "plan.json"]).exits(0);
    assert!(plan.last_line().contains(" 1 call (lower bound 1)"));
    let dry = world.apply(&["--dry-run"]).exits(0);
    let printed: Value = serde_json::from_str(dry.stdout.trim_end()).unwrap();
    assert_eq!(printed["body"]["delete_if_empty_data"], true);
    let run = world.apply_path("plan.json", &[]).exits(0);
    assert_eq!(run.last_line(), DONE);
    assert_eq!(endpoints(&world), [Endpoint::PatchAnnotations]);
}

#[test]
fn without_support_for_the_flag_the_annotation_is_deleted_by_id() {
    for fault in [None, Some(Fault::DropAfter), Some(Fault::DropBefore)] {
        let world = world();
        let faults = world.emulator.faults();
        if let Some(fault) = fault {
            faults.next(Endpoint::DeleteAnnotation, fault);
        }
        let run = apply_through(&world, ProxyAction::Without("delete_if_empty_data")).exits(0);
        assert_eq!(run.last_line(), DONE);
        let sent = endpoints(&world);
        assert_eq!(
            sent[..2],
            [Endpoint::PatchAnnotations, Endpoint::DeleteAnnotation]
        );
        world.is_settled();
    }
}

#[test]
fn a_delete_that_fails_after_its_removal_reports_the_removed_concepts() {
    let failing = |more: &[&str]| {
        let world = world();
        let refused = Fault::FailItems {
            items: vec![0],
            code: Code::ANNOTATION_INVALID_ARGUMENT,
        };
        let faults = world.emulator.faults();
        faults.next(Endpoint::DeleteAnnotation, refused);
        let without = ProxyAction::Without("delete_if_empty_data");
        let run = apply_with(&world, without, more).exits(5);
        assert!(world.annotation("goes").is_some());
        (world, run)
    };
    let (_, run) = failing(&[]);
    run.says("Its concepts were removed, but it was not deleted");
    let (world, run) = failing(&["--undo-out", "undo.json", "--format", "json"]);
    let account: Value = serde_json::from_str(&run.stdout).unwrap();
    let failed = &account["failed"][0];
    assert_eq!(
        (&failed["id"], &failed["touched"]),
        (&json!("goes"), &json!("concepts_removed"))
    );
    // Its undo may have to restore it.
    let undo = world.read("undo.json");
    assert!(undo.contains("\"goes\""), "{undo}");
    world.apply(&[]).exits(0);
    world.is_settled();
}

#[test]
fn an_answer_without_the_deleted_annotation_counts_as_deleted() {
    let world = world();
    let forget = ProxyAction::Answer(|answer| {
        let all = answer["annotations"].as_array_mut().unwrap();
        all.retain(|annotation| annotation["id"] != "goes");
    });
    let run = apply_through(&world, forget).exits(0);
    assert_eq!(run.last_line(), DONE);
    assert_eq!(endpoints(&world), [Endpoint::PatchAnnotations]);
    world.is_settled();
}
