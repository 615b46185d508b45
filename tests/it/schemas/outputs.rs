//! The JSON output of the binary matches its schemas: listings, plans, undos. For outcomes, see
//! `cli/outcome_json.rs`.

use super::{LISTING, PLAN, all};
use crate::cli::{World, boxes, kinds};
use crate::support::{boxed, whole, with};
use serde_json::{Value, json};

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_binary_prints_each_schema_and_lists_them_without_a_name() {
    let world = World::new();
    for (name, schema) in all() {
        let run = world.run(&["schema", name]).exits(0);
        assert_eq!(run.stdout, format!("{schema:#}\n"));
        assert_eq!(run.stderr, "");
    }
    let none = world.run(&["schema"]).exits(64);
    assert_eq!(none.stdout, "");
    for (name, _) in all() {
        assert!(none.stderr.contains(name), "{}", none.stderr);
    }
    world.run(&["schema", "manifests"]).exits(64);
}

#[test]
fn a_listing_of_every_kind_and_maker_matches_its_schema() {
    let world = World::new();
    let found = |id: &str, field: &str, value: Value| {
        with(
            boxed("in-9", id, [0.1, 0.1, 0.5, 0.5], &["car"]),
            field,
            value,
        )
    };
    world.seed(vec![
        found("m", "model_version_id", json!("m-1")),
        found(
            "w",
            "worker",
            json!({"workflow": {"version": {"id": "w-1"}}}),
        ),
        found("t", "task_id", json!("task/1")),
        found("i", "annotation_info", json!({"deep": [{}]})),
        with(
            whole("in-9", "p", &[("car", 1.0)]),
            "status",
            json!({"code": 24151}),
        ),
        with(
            whole("in-9", "l", &[("car", 1.0)]),
            "input_level",
            json!(true),
        ),
    ]);
    let known = ["mask_path", "region", "region_from_model", "input_level"];
    let rows = kinds()
        .into_iter()
        .filter(|[name, ..]| !known.contains(&name.as_str()));
    let inputs = rows.map(|[name, annotation, _]| {
        format!("  - id: in-{name}\n    annotations:\n      - {annotation}\n")
    });
    world.declare(&inputs.collect::<String>());
    world.apply(&[]).exits(0);
    for arguments in [
        &["--all"][..],
        &["--all", "--input-id", "in-box"],
        &["--user", "owner"],
        &["--model-version", "m-1"],
    ] {
        let list = [&["list", "--format", "json"], arguments].concat();
        let run = world.on_app(&list).exits(0);
        let listing = read(&run.stdout);
        assert_ne!(listing["annotations"], json!([]), "{arguments:?}");
        LISTING.accepts(&listing);
    }
}

#[test]
fn a_stopped_plan_and_its_undo_match_their_schema() {
    let world = World::new();
    world.declare(&boxes(0..12, "car"));
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    PLAN.accepts(&read(&world.read("undo.json")));
    let guarded = world
        .read("m.yaml")
        .replace("max_deletes: 100%", "max_deletes: 0")
        .replace("max_updates: 100%", "max_updates: 0")
        .replace("max_vanished_concepts: 1000", "max_vanished_concepts: 0");
    let (header, _) = guarded.split_once("inputs:").unwrap();
    let relabelled = boxes(0..4, "tree");
    world.write("m.yaml", &format!("{header}inputs:\n{relabelled}"));
    let plan = world
        .plan(&["--format", "json", "--out", "plan.json"])
        .exits(3);
    let plan = read(&plan.stdout);
    assert_eq!(plan["guards"].as_array().unwrap().len(), 3, "{plan:#}");
    PLAN.accepts(&plan);
    world.write("m.yaml", &format!("{header}inputs: []\n"));
    let plan = read(&world.plan(&["--format", "json"]).exits(3).stdout);
    PLAN.accepts(&plan);
}
