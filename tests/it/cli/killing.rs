//! An apply that is killed at every call, before the server acted and after. The same command again ends as if nothing
//! had happened: nothing is lost, nothing is there twice.

use super::proxy::{self, Meddling, When};
use super::{World, boxes};
use crate::support::whole;
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;

/// Twelve boxes, and what the manifest does not manage: notes on them, data that annosync has no words for, and
/// somebody else's label.
fn world() -> World {
    let world = World::new();
    world.declare(&boxes(0..12, "car"));
    world.apply(&[]).exits(0);
    let mut stored = world.annotations();
    for annotation in &mut stored {
        let input = annotation["input_id"].as_str().unwrap().to_owned();
        world.delete(&input, annotation["id"].as_str().unwrap());
        annotation["data"]["metadata"] = json!({"note": input});
        annotation["data"]["geo"] = json!({"geo_point": {"longitude": 5.5, "latitude": 52.1}});
    }
    stored.push(whole("in-000", "theirs", &[("tree", 1.0)]));
    stored.last_mut().unwrap()["user_id"] = "ann".into();
    stored.push(whole("in-020", "model", &[("tree", 1.0)]));
    stored.push(whole("in-020", "stray", &[("car", 1.0)]));
    world.seed(stored);
    // Every kind of call: merge, overwrite, remove, post, delete, purge.
    let pending = "[car]\n        status: pending";
    let merged = boxes(0..2, "car").replace("[car]", pending);
    let overwritten = boxes(2..4, "tree");
    let removed = boxes(4..6, "car").replace("concepts: [car]", "concepts: []");
    let purged = "  - id: in-020\n    purge: true\n";
    let rest = format!("{}{}{purged}", boxes(6..9, "car"), boxes(30..33, "car"));
    world.declare(&format!("{merged}{overwritten}{removed}{rest}"));
    world
}

const APPLY: [&str; 6] = [
    "apply",
    "m.yaml",
    "--auto-approve",
    "--allow-purge",
    "--concurrency",
    "1",
];

/// What the app holds, but for what the service makes itself.
fn state(world: &World) -> Vec<Value> {
    let mut all = world.annotations();
    for annotation in &mut all {
        for field in ["created_at", "modified_at"] {
            annotation.as_object_mut().unwrap().remove(field);
        }
        if let Some(regions) = annotation["data"]["regions"].as_array_mut() {
            for region in regions {
                region.as_object_mut().unwrap().remove("id");
            }
        }
    }
    all.sort_by_key(|it| (it["input_id"].to_string(), it["id"].to_string()));
    all
}

/// Runs the apply until its call of this number stands still, and kills it there. Whether it came so far.
fn killed_at(world: &World, number: usize, when: When) -> bool {
    let (told, arrived) = std::sync::mpsc::channel();
    let meddling = Meddling::StandStill(number, when, told);
    let url = world.block_on(proxy::start(world.emulator.url(), meddling));
    let mut child = world
        .command()
        .args(APPLY)
        .args(["--endpoint", &url, "--user-id", "owner", "--app-id", "app"])
        .args(["--rate-limit", "1000"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    loop {
        if arrived.recv_timeout(Duration::from_millis(5)).is_ok() {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        if let Some(ended) = child.try_wait().unwrap() {
            assert!(ended.success(), "{ended}");
            return false;
        }
    }
}

#[test]
fn a_run_that_is_killed_at_any_call_is_finished_by_the_same_command() {
    let undisturbed = world();
    undisturbed.emulator.forget_calls();
    undisturbed.apply(&["--allow-purge"]).exits(0);
    let wanted = state(&undisturbed);
    assert!(
        wanted
            .iter()
            .any(|it| it["data"]["metadata"]["note"] == "in-002")
    );
    assert!(wanted.iter().any(|it| it["id"] == "theirs"));
    for when in [When::Before, When::After] {
        let mut number = 0;
        loop {
            let world = world();
            if !killed_at(&world, number, when) {
                break;
            }
            world.apply(&["--allow-purge"]).exits(0);
            assert_eq!(state(&world), wanted, "call {number}, {when:?}");
            number += 1;
        }
        assert!(number > 20, "{number} calls");
    }
}
