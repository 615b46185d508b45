//! `--shard`: parts of a manifest that are planned and applied by runs of their own, and their plans joined by `show`.

mod costs;
#[cfg(unix)]
mod examples;
mod guards;
mod pulls;
mod undoing;

use super::world::*;
use annosync::model::{InputId, Shard};
use serde_json::{Value, json};
use std::process::{Child, Stdio};

const SHARDS: u32 = 8;

/// A world with guards by default, in which a plan posts, changes and deletes on declared inputs, and deletes on inputs that
/// are not declared any more. Annotations of others and of the app's owner are left alone.
fn changed(inputs: usize) -> World {
    let world = World::new();
    let last = inputs + inputs / 10;
    world.declare(&boxes(0..last, "car"));
    world.apply(&[]).exits(0);
    let third = inputs / 3;
    world.declare(
        &(boxes(0..third, "car")
            + &boxes(third..third + 5, "bus")
            + &boxes(third + 5..inputs, "car")
            + &boxes(last..last + 7, "van")),
    );
    world.seed(vec![json!({
        "id": "foreign", "input_id": "elsewhere", "data": {"concepts": [{"id": "dog", "value": 1}]},
    })]);
    world
}

fn shard_file(index: u32) -> String {
    format!("shard-{index}.json")
}

/// Runs a command for every shard at once.
fn at_once(world: &World, shards: u32, arguments: impl Fn(u32) -> Vec<String>) -> Vec<Run> {
    let start = |index: u32| -> Child {
        let mut command = world.command();
        command
            .args(arguments(index))
            .args(app_flags(&world.emulator.url()))
            .args(["--rate-limit", "1000"])
            .args(["--shard", &format!("{index}/{shards}")]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let running: Vec<Child> = (0..shards).map(start).collect();
    let ended = running.into_iter().map(|it| it.wait_with_output().unwrap());
    ended.map(Run::from).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Plans every shard at once, and returns the names of the plan files.
fn plan_shards(world: &World, shards: u32) -> Vec<String> {
    let plan = |index| words(&["plan", "m.yaml", "--out", &shard_file(index)]);
    for run in at_once(world, shards, plan) {
        run.exits(0);
    }
    (0..shards).map(shard_file).collect()
}

fn joined(world: &World, files: &[String]) -> Run {
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    world.run(&[&["show", "--format", "json"], &files[..]].concat())
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What two plans of the same thing have in common: all but how calls are packed.
fn essence(mut plan: Value) -> Value {
    for field in ["batches", "blind_spots"] {
        plan.as_object_mut().unwrap().remove(field);
    }
    for field in ["calls", "lower_bound", "seconds"] {
        plan["summary"].as_object_mut().unwrap().remove(field);
    }
    for operation in plan["operations"].as_array_mut().unwrap() {
        operation.as_object_mut().unwrap().remove("bytes");
    }
    plan
}

#[test]
fn the_plans_of_all_shards_are_the_whole_plan() {
    let world = changed(120);
    let whole = world.plan_json();
    assert_eq!(whole["summary"]["post"], 7);
    assert_eq!(whole["summary"]["overwrite"], 5);
    assert_eq!(whole["summary"]["delete"], 12);
    let files = plan_shards(&world, SHARDS);
    let mut operations = 0;
    for (index, file) in (0..).zip(&files) {
        let plan = parsed(&world.read(file));
        crate::schemas::PLAN.accepts(&plan);
        assert_eq!(plan["shard"], json!({"index": index, "count": SHARDS}));
        let shard = Shard::new(index, SHARDS).unwrap();
        for operation in plan["operations"].as_array().unwrap() {
            let input = InputId::new(operation["input_id"].as_str().unwrap()).unwrap();
            assert!(shard.covers(&input), "{input} is not of shard {shard}");
            operations += 1;
        }
        let spots = plan["blind_spots"].as_array().unwrap();
        assert!(
            spots[0]
                .as_str()
                .unwrap()
                .contains("inputs of other shards"),
            "{spots:?}"
        );
    }
    assert_eq!(operations, 24);
    let joined = parsed(&joined(&world, &files).exits(0).stdout);
    crate::schemas::PLAN.accepts(&joined);
    assert_eq!(joined["blind_spots"], json!([]));
    assert_eq!(essence(joined), essence(whole));
}

#[test]
fn shards_that_apply_their_plans_at_once_settle_the_app() {
    let world = changed(120);
    plan_shards(&world, SHARDS);
    for (index, run) in (0..).zip(at_once(&world, SHARDS, |index| {
        words(&[
            "apply",
            &shard_file(index),
            "--auto-approve",
            "--allow-guards",
        ])
    })) {
        let _: u32 = index;
        run.exits(0);
    }
    world.is_settled();
    assert!(world.annotation("foreign").is_some());
}

#[test]
fn shards_of_a_whole_plan_apply_it_together() {
    let world = changed(120);
    world.plan(&["--out", "plan.json"]).exits(0);
    world.emulator.forget_calls();
    let apply = |_| {
        words(&[
            "apply",
            "plan.json",
            "--manifest",
            "m.yaml",
            "--auto-approve",
            "--format",
            "json",
        ])
    };
    let mut files = Vec::new();
    for (index, run) in (0..).zip(at_once(&world, SHARDS, apply)) {
        let run = run.exits(0);
        let file = format!("outcome-{index}.json");
        world.write(&file, &run.stdout);
        files.push(file);
        let _: u32 = index;
    }
    world.is_settled();
    let joined = parsed(&joined(&world, &files).exits(0).stdout);
    crate::schemas::OUTCOME.accepts(&joined);
    assert_eq!(joined["planned"], 24);
    assert_eq!(joined["applied"]["delete"], 12);
    assert_eq!(joined["ending"], "applied");
    assert_eq!(joined.get("shard"), None);
    world
        .run(&["show", &files[3]])
        .exits(0)
        .says("An apply of shard 3/8 of label set street to app app");
}

#[test]
fn shards_of_a_manifest_apply_it_together() {
    let world = changed(120);
    for run in at_once(&world, 3, |_| words(&["apply", "m.yaml", "--auto-approve"])) {
        run.exits(0);
    }
    world.is_settled();
}

#[test]
fn a_shard_deletes_nothing_of_another() {
    let world = changed(120);
    let before = world.annotations();
    let shard = Shard::new(2, SHARDS).unwrap();
    world
        .on_app(&["apply", "m.yaml", "--auto-approve", "--shard", "2/8"])
        .exits(0);
    let after = world.annotations();
    let gone: Vec<&Value> = before
        .iter()
        .filter(|it| !after.iter().any(|other| other["id"] == it["id"]))
        .collect();
    assert!(!gone.is_empty());
    for annotation in gone {
        let input = InputId::new(annotation["input_id"].as_str().unwrap()).unwrap();
        assert!(shard.covers(&input), "{input}");
    }
}

#[test]
fn joining_needs_every_shard_of_one_run_once() {
    let world = changed(40);
    let files = plan_shards(&world, 4);
    let join = |files: &[&str]| {
        let files: Vec<String> = files.iter().map(|it| (*it).to_owned()).collect();
        joined(&world, &files)
    };
    let [a, b, c, d] = [0, 1, 2, 3].map(|at: usize| files[at].as_str());
    join(&[a, b, d]).exits(1).says("1 of 4 shards missing: 2");
    join(&[a, b, b, c, d])
        .exits(1)
        .says("it is of shard 1/4, and so is an earlier file");
    world
        .plan(&["--shard", "1/5", "--out", "five.json"])
        .exits(0);
    join(&[a, "five.json", c, d])
        .exits(1)
        .says("it is of shard 1/5, and the first file is of shard 0/4");
    world.plan(&["--out", "whole.json"]).exits(0);
    join(&[a, b, c, d, "whole.json"])
        .exits(1)
        .says("it is not of a shard");
    world.declare(&boxes(0..40, "car"));
    world
        .plan(&["--shard", "1/4", "--out", "other.json"])
        .exits(0);
    join(&[a, "other.json", c, d])
        .exits(1)
        .says("its manifest differs from that of the first file");
    join(&[a, "m.yaml"]).exits(64).says("not all plans");
}

#[test]
fn a_plan_of_a_shard_that_writes_elsewhere_is_refused() {
    let world = changed(40);
    let files = plan_shards(&world, 2);
    let mut plans = [0, 1].map(|at: usize| parsed(&world.read(&files[at])));
    let other = plans[1]["shard"].take();
    plans[0]["shard"] = other;
    world.write("forged.json", &plans[0].to_string());
    world
        .run(&["apply", "forged.json", "--auto-approve"])
        .exits(1)
        .says("it writes on an input of another shard");
    let mut without = parsed(&world.read(&files[0]));
    without.as_object_mut().unwrap().remove("shard");
    world.write("forged.json", &without.to_string());
    world
        .run(&["apply", "forged.json", "--auto-approve"])
        .exits(1)
        .says("its fields of a shard contradict each other");
    world
        .run(&["apply", &files[0], "--auto-approve", "--shard", "1/2"])
        .exits(64)
        .says("is the plan of shard 0/2, and --shard 1/2 names another");
}

#[test]
fn an_indexed_job_names_its_shard() {
    let world = changed(40);
    let run = |index: Option<&str>, count: &str| {
        let mut command = world.command();
        command.args(["plan", "m.yaml", "--shard-count", count, "--format", "json"]);
        command.args(app_flags(&world.emulator.url()));
        command.envs(index.map(|index| ("JOB_COMPLETION_INDEX", index)));
        Run::of(command)
    };
    let plan = parsed(&run(Some("2"), "4").exits(0).stdout);
    assert_eq!(plan["shard"], json!({"index": 2, "count": 4}));
    run(None, "4")
        .exits(64)
        .says("JOB_COMPLETION_INDEX, which is not set");
    run(Some("4"), "4").exits(64).says("the last of 4 is 3");
    run(Some("x"), "4").exits(64).says("is not a whole number");
    world
        .plan(&["--shard", "4/4"])
        .exits(64)
        .says("the last of 4 is 3");
    world
        .plan(&["--shard", "1/4", "--shard-count", "4"])
        .exits(64);
    // Without a flag, the variable means nothing.
    let mut command = world.command();
    command.args([
        "plan",
        "m.yaml",
        "--format",
        "json",
        "--endpoint",
        &world.emulator.url(),
    ]);
    command
        .args(["--user-id", "owner", "--app-id", "app"])
        .env("JOB_COMPLETION_INDEX", "1");
    assert_eq!(parsed(&Run::of(command).exits(0).stdout).get("shard"), None);
}

#[test]
fn a_saved_listing_is_planned_in_shards_without_calls() {
    let world = changed(120);
    let listing = world
        .on_app(&["list", "--all", "--format", "json"])
        .exits(0)
        .stdout;
    world.write("listing.json", &listing);
    let whole = world.plan_json();
    world.emulator.forget_calls();
    let plan = |index| {
        words(&[
            "plan",
            "m.yaml",
            "--observed",
            "listing.json",
            "--out",
            &shard_file(index),
        ])
    };
    for run in at_once(&world, SHARDS, plan) {
        run.exits(0);
    }
    assert_eq!(world.emulator.calls().len(), 0);
    let files: Vec<String> = (0..SHARDS).map(shard_file).collect();
    let joined = parsed(&joined(&world, &files).exits(0).stdout);
    assert_eq!(joined["operations"], whole["operations"]);
}
