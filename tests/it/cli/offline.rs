//! Plans from a listing that `list` saved.

use super::listing::world;
use super::{Run, World, boxes};
use serde_json::Value;

/// A world with a plan that has several kinds of changes, its saved listing, and the online plan.
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
fn a_plan_from_a_saved_listing_is_the_online_plan_without_calls() {
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
fn a_saved_listing_may_lack_annotations_of_models() {
    let (world, listing, online) = saved(&[]);
    world.write("listing.json", &listing);
    let offline = world
        .plan(&["--observed", "listing.json", "--format", "json"])
        .exits(0);
    let offline: Value = serde_json::from_str(&offline.stdout).unwrap();
    assert_eq!(offline["operations"], online["operations"]);
}

#[test]
fn declared_inputs_can_be_planned_from_their_listing() {
    let flags = ["--all", "--input-id", "in-000", "--input-id", "in-001"];
    let (world, listing, _) = saved(&flags);
    world.write("listing.json", &listing);
    let run = world.plan(&["--observed", "listing.json"]).exits(1);
    assert!(
        run.stderr
            .contains("input `in-002` is declared, but the listing does not cover it"),
        "{}",
        run.stderr
    );
    world.declare(&boxes(0..2, "tree"));
    let run = world.plan(&["--observed", "listing.json"]).exits(0);
    assert!(run.stdout.contains("Warning: not seen: "), "{}", run.stdout);
    assert!(
        run.last_line().contains(" 2 to overwrite. "),
        "{}",
        run.stdout
    );
}

#[test]
fn filtered_and_broken_listings_are_refused() {
    for narrow in [
        ["--user", "owner"],
        ["--workflow-version", "w-1"],
        ["--task", "task/1"],
        ["--status", "success"],
    ] {
        let (world, listing, _) = saved(&narrow);
        world.write("filtered.json", &listing);
        let run = world.plan(&["--observed", "filtered.json"]).exits(1);
        assert!(run.stderr.contains("filter"), "{}", run.stderr);
    }
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
        "empty.json",
        "missing.json",
        "lines.json",
    ] {
        let code = if file == "lines.json" { 64 } else { 1 };
        let run = world.plan(&["--observed", file]).exits(code);
        assert!(run.stderr.contains(file), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    let run = world.plan(&["--observed", "filtered.json"]).exits(1);
    assert!(run.stderr.contains("filter"), "{}", run.stderr);
    world
        .plan(&["--observed", "cut.json", "--declared-only"])
        .exits(64);
}
