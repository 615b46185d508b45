//! Concurrent changes while an apply runs: by another apply, or by a person.

use super::boundaries::{apply_through, before, calls, each, state, wanted, world};
use super::proxy::ProxyAction;
use super::{Run, World, boxes, settled};
use crate::support::whole;
use annosync::emulator::{CallRecord, ConcurrentChange, Endpoint, Fault, Scope};
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;

/// Starts an apply, holds its call with this number, runs `meanwhile`, and releases the call.
fn meanwhile(world: &World, number: usize, something: impl FnOnce()) -> Run {
    let (told, arrived) = std::sync::mpsc::channel();
    let (release, go) = tokio::sync::oneshot::channel();
    let mut command = apply_through(world, ProxyAction::hold_at(number, told, go));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let waited = arrived.recv_timeout(Duration::from_secs(60));
    waited.expect("the call is made");
    something();
    release.send(()).unwrap();
    Run::from(child.wait_with_output().unwrap())
}

#[test]
fn concurrent_applies_have_the_result_of_sequential_ones() {
    let before = before();
    let wanted = wanted(&before);
    each(calls(&before), |number| {
        let world = world(&before);
        let first = meanwhile(&world, number, || {
            world.apply(&["--allow-purge"]).exits(0);
        });
        // What the second apply did counts as done, and nothing is done twice.
        let first = first.exits(0);
        let ending = first.last_line();
        assert!(
            ending.starts_with("No changes.") || ending.ends_with(" 0 failed, 0 not attempted."),
            "{ending}"
        );
        assert_eq!(state(&world), wanted, "held at call {number}");
        world.is_settled();
    });
}

#[test]
fn concurrent_applies_of_two_sets_do_not_interfere() {
    let before = before();
    let wanted = wanted(&before);
    let other = "version: 1\nset: other\npolicy: sync\nguards: { max_doubles: 1 }\ninputs:\n  - id: in-000\n    annotations:\n                       - { key: k, box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }, concepts: [car] }\n";
    each(calls(&before), |number| {
        let world = world(&before);
        world.write("other.yaml", other);
        // Each set may see the other's annotations at the same place.
        let declared = world.read("m.yaml");
        world.write(
            "m.yaml",
            &declared.replace("guards: {", "guards: { max_doubles: 1,"),
        );
        meanwhile(&world, number, || {
            let apply = ["apply", "other.yaml", "--auto-approve"];
            world.on_app(&apply).exits(0);
        })
        .exits(0);
        world.is_settled();
        settled(&world.on_app(&["plan", "other.yaml", "--detailed-exitcode"]));
        let all = state(&world);
        assert_eq!(all.len(), wanted.len() + 1, "held at call {number}");
        for annotation in &wanted {
            assert!(all.contains(annotation), "held at call {number}");
        }
    });
}

#[test]
fn labels_made_while_an_apply_runs_are_not_overwritten() {
    for (change, action) in [
        ("[car]\n        status: pending", "merge"),
        ("[tree]", "overwrite"),
        ("[]", "remove"),
    ] {
        let world = World::new();
        world.declare(&boxes(0..6, "car"));
        world.apply(&[]).exits(0);
        let id = world.id_on("in-004");
        world.declare(&boxes(0..6, "car").replace("[car]", change));
        world.emulator.forget_calls();
        let shifts = vec![
            ConcurrentChange::Delete {
                input_id: "in-004".to_owned(),
                id: id.clone(),
            },
            ConcurrentChange::Insert(whole("in-004", &id, &[("cloud", 1.0)])),
        ];
        // The last call before the plan is the second read of the only page, for the proof.
        let faults = world.emulator.faults();
        faults.on(Scope::Page(1), 2, Fault::ChangeAfterRead(shifts));
        let run = world.on_app(&["apply", "m.yaml", "--auto-approve", "--concurrency", "1"]);
        assert_eq!(faults.pending(), 0);
        let run = run.exits(4);
        assert!(
            run.stdout
                .contains(&format!("Stale: {action} k of input in-004: ")),
            "{}",
            run.stdout
        );
        assert!(run.stdout.contains("cloud"), "{}", run.stdout);
        assert!(
            run.last_line().starts_with("Applied 5 (5 "),
            "{}",
            run.stdout
        );
        let now = world.annotation(&id).unwrap();
        assert_eq!(now["data"]["concepts"][0]["id"], "cloud", "{action}");
        // All six were read in one call, just before they were written.
        let calls = world.emulator.calls();
        let patches = |call: &CallRecord| call.endpoint == Endpoint::PatchAnnotations;
        let patch = calls.iter().position(patches).unwrap();
        assert_eq!(calls[patch].items, 5);
        let names = |call: &CallRecord| {
            call.query
                .split('&')
                .filter(|it| it.starts_with("ids="))
                .count()
        };
        assert_eq!(
            calls[..patch]
                .iter()
                .map(names)
                .filter(|count| *count > 0)
                .collect::<Vec<_>>(),
            [6]
        );
    }
}

/// Six boxes, and a manifest that changes them.
fn six_boxes(inputs: &str) -> World {
    let world = World::new();
    world.declare(&boxes(0..6, "car"));
    world.apply(&[]).exits(0);
    world.declare(inputs);
    world.emulator.forget_calls();
    world
}

#[test]
fn labels_changed_before_a_retry_are_not_overwritten() {
    for (inputs, endpoint, action) in [
        (boxes(0..6, "tree"), Endpoint::PatchAnnotations, "overwrite"),
        (boxes(0..3, "car"), Endpoint::DeleteAnnotations, "delete"),
    ] {
        // The number of the write among the calls.
        let probe = six_boxes(&inputs);
        Run::of(apply_through(&probe, ProxyAction::Without("nothing"))).exits(0);
        let calls = probe.emulator.calls();
        let write = calls.iter().position(|call| call.endpoint == endpoint);
        // The service is unavailable for the first attempt; before the read of the second one another user relabels in-004.
        let world = six_boxes(&inputs);
        let faults = world.emulator.faults();
        faults.next(endpoint, Fault::Unavailable(503));
        let id = world.id_on("in-004");
        let run = meanwhile(&world, write.unwrap() + 1, || {
            world.delete("in-004", &id);
            world.seed(vec![whole("in-004", &id, &[("cloud", 1.0)])]);
        });
        let run = run.exits(4).says(&format!("Stale: {action} "));
        assert!(
            run.last_line().contains(", 1 stale, 0 failed"),
            "{}",
            run.stdout
        );
        let now: Value = world.annotation(&id).unwrap();
        assert_eq!(now["data"]["concepts"][0]["id"], "cloud", "{action}");
    }
}
