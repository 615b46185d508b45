//! `list`, and plans made offline from what it saved.

use super::{Run, World, boxes};
use crate::support::{boxed, whole, with};
use serde_json::{Value, json};

const EDGES: [f64; 4] = [0.1, 0.1, 0.5, 0.5];

/// Annotations of three makers on three inputs.
fn world() -> World {
    let world = World::new();
    world.seed(vec![
        whole("in-1", "mine", &[("car", 1.0)]),
        with(
            boxed("in-1", "beas", EDGES, &["car"]),
            "user_id",
            json!("bea"),
        ),
        with(
            whole("in-2", "pending", &[("tree", 0.0)]),
            "status",
            json!({"code": 24151}),
        ),
        with(
            boxed("in-2", "found", EDGES, &["car"]),
            "model_version_id",
            json!("m-1"),
        ),
        with(
            boxed("in-3", "seen", EDGES, &["car"]),
            "model_version_id",
            json!("m-2"),
        ),
    ]);
    world
}

/// The ids of a listing's lines but those of input-level annotations.
fn ids(run: &Run) -> Vec<String> {
    run.stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|annotation| annotation["input_level"] != true)
        .map(|annotation| annotation["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn lines_are_filtered_as_the_flags_say() {
    let world = world();
    for (flags, expected) in [
        (&[][..], &["mine", "beas", "pending"][..]),
        (&["--all"], &["mine", "beas", "pending", "found", "seen"]),
        (&["--input-id", "in-2"], &["pending"]),
        (&["--input-id", "in-2", "--all"], &["pending", "found"]),
        (
            &["--input-id", "in-1", "--input-id", "in-3", "--all"],
            &["mine", "beas", "seen"],
        ),
        (&["--input-id", "in-2", "--id", "found"], &["found"]),
        (
            &[
                "--input-id",
                "in-2",
                "--input-id",
                "in-1",
                "--id",
                "pending",
                "--id",
                "mine",
            ],
            &["mine", "pending"],
        ),
        (&["--input-id", "in-1", "--id", "pending"], &[]),
        (&["--user", "bea"], &["beas"]),
        (&["--model-version", "m-1"], &["found"]),
        (
            &["--user", "bea", "--model-version", "m-2"],
            &["beas", "seen"],
        ),
        (&["--status", "pending"], &["pending"]),
        (&["--status", "24151"], &["pending"]),
        (
            &[
                "--status", "pending", "--status", "success", "--user", "bea",
            ],
            &["beas"],
        ),
        (&["--status", "failed"], &[]),
        (&["--input-id", "nowhere"], &[]),
    ] {
        let run = world.on_app(&[&["list"], flags].concat()).exits(0);
        assert_eq!(ids(&run), expected, "{flags:?}");
        assert_eq!(run.stderr, "");
        // The document holds the same.
        let run = world
            .on_app(&[&["list", "--format", "json"], flags].concat())
            .exits(0);
        let saved: Value = serde_json::from_str(&run.stdout).unwrap();
        let listed = saved["annotations"].as_array().unwrap().iter();
        let listed: Vec<&str> = listed
            .filter(|annotation| annotation["input_level"] != true)
            .map(|annotation| annotation["id"].as_str().unwrap())
            .collect();
        assert_eq!(listed, expected, "{flags:?}");
        assert_eq!(saved["caller"], "owner");
    }
}

#[test]
fn ids_without_their_inputs_make_no_sense() {
    let world = world();
    let flags = ["list", "--input-id", "in-1", "--id", "a", "--id", "b"];
    let run = world.on_app(&flags).exits(64);
    assert!(
        run.stderr.contains("2 --id and 1 --input-id"),
        "{}",
        run.stderr
    );
    let run = world.on_app(&["list", "--status", "finished"]).exits(64);
    assert!(run.stderr.contains("awaiting_review"), "{}", run.stderr);
    assert_eq!(world.emulator.calls(), []);
}

/// A world that needs some of everything, its saved listing, and the online plan.
fn saved(flags: &[&str]) -> (World, String, Value) {
    let world = world();
    world.declare(&boxes(0..4, "car"));
    world.apply(&[]).exits(0);
    world.declare(&format!(
        "{}{}  - id: in-1\n    annotations:\n      - {{ box: {{ top: 0.1, left: 0.1, bottom: 0.5, right: 0.6 }}, concepts: [car] }}\n",
        boxes(0..2, "tree"),
        boxes(2..3, "car"),
    ));
    let listing = world
        .on_app(&[&["list", "--format", "json"], flags].concat())
        .exits(0);
    let plan = world.plan_json();
    world.emulator.forget_calls();
    (world, listing.stdout, plan)
}

#[test]
fn a_plan_from_a_saved_listing_is_the_online_plan_and_asks_no_server() {
    let (world, listing, online) = saved(&["--all"]);
    world.write("listing.json", &listing);
    let offline = world
        .plan(&["--observed", "listing.json", "--format", "json"])
        .exits(0);
    let offline: Value = serde_json::from_str(&offline.stdout).unwrap();
    assert_eq!(offline, online);
    assert!(online["operations"].as_array().unwrap().len() > 3);
    // Without a target and without a token, only the target differs.
    let mut command = super::command(world.path());
    command.args([
        "plan",
        "m.yaml",
        "--observed",
        "listing.json",
        "--format",
        "json",
    ]);
    let nowhere = Run::of(command).exits(0);
    let nowhere: Value = serde_json::from_str(&nowhere.stdout).unwrap();
    assert_eq!(nowhere["operations"], online["operations"]);
    assert_eq!(nowhere["batches"], online["batches"]);
    assert_eq!(world.emulator.calls(), []);
    world
        .plan(&["--observed", "listing.json", "--detailed-exitcode"])
        .exits(2);
}

#[test]
fn models_annotations_may_be_missing_from_a_saved_listing() {
    let (world, listing, online) = saved(&[]);
    world.write("listing.json", &listing);
    let offline = world
        .plan(&["--observed", "listing.json", "--format", "json"])
        .exits(0);
    let offline: Value = serde_json::from_str(&offline.stdout).unwrap();
    assert_eq!(offline["operations"], online["operations"]);
}

#[test]
fn a_listing_of_the_declared_inputs_is_enough_to_plan_them() {
    let flags = ["--all", "--input-id", "in-000", "--input-id", "in-001"];
    let (world, listing, _) = saved(&flags);
    world.write("listing.json", &listing);
    let run = world.plan(&["--observed", "listing.json"]).exits(1);
    assert!(
        run.stderr
            .contains("input `in-002` is declared, and was not listed"),
        "{}",
        run.stderr
    );
    world.declare(&boxes(0..2, "tree"));
    let run = world.plan(&["--observed", "listing.json"]).exits(0);
    assert!(run.stdout.contains("Warning: not seen: "), "{}", run.stdout);
    assert!(
        run.last_line()
            .contains(" 2 to overwrite, 0 to remove, 0 to delete;"),
        "{}",
        run.stdout
    );
}

#[test]
fn no_plan_is_made_of_a_filtered_or_broken_listing() {
    let (world, listing, _) = saved(&["--all", "--user", "owner"]);
    world.write("filtered.json", &listing);
    let (_, whole, _) = saved(&["--all"]);
    world.write("cut.json", &whole[..whole.len() / 2]);
    let lines = world.on_app(&["list", "--all"]).exits(0);
    world.write("lines.json", &lines.stdout);
    world.write("empty.json", "");
    for file in [
        "filtered.json",
        "cut.json",
        "lines.json",
        "empty.json",
        "missing.json",
    ] {
        let run = world.plan(&["--observed", file]).exits(1);
        assert!(run.stderr.contains(file), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    let run = world.plan(&["--observed", "filtered.json"]).exits(1);
    assert!(run.stderr.contains("filter"), "{}", run.stderr);
    world
        .plan(&["--observed", "cut.json", "--declared-only"])
        .exits(64);
}
