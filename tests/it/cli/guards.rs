//! Guards: a plan that goes too far stops, and names the flag that lets exactly it pass.

use super::{World, boxes};

/// Twelve annotations that are in place, under a header with the guards that a manifest has by itself.
fn guarded() -> World {
    let world = World::new();
    declare(&world, &boxes(0..12, "car"));
    world.apply(&[]).exits(0);
    world.emulator.forget_calls();
    world
}

fn declare(world: &World, inputs: &str) {
    world.write(
        "m.yaml",
        &format!("version: 1\nset: street\npolicy: sync\n{}", list(inputs)),
    );
}

fn list(inputs: &str) -> String {
    if inputs.is_empty() {
        "inputs: []\n".to_owned()
    } else {
        format!("inputs:\n{inputs}")
    }
}

/// The flags that the hint names.
fn named_flags(stderr: &str) -> Vec<String> {
    let start = "let exactly this plan pass with ";
    let at = stderr.rfind(start).unwrap_or_else(|| panic!("{stderr}")) + start.len();
    let line = stderr[at..].lines().next().unwrap();
    line.split(' ').map(str::to_owned).collect()
}

/// Every command stops, nothing is written, and the named flags let the plan pass where smaller numbers do not.
fn stops_and_passes(world: &World, expected: &[&str]) {
    let before = world.annotations();
    let flags = loop {
        let plan = world.plan(&["--out", "plan.json"]).exits(3);
        let apply = world.apply(&[]).exits(3);
        assert_eq!(apply.stdout, "", "the plan is talk until it is applied");
        let dry = world.apply(&["--dry-run"]).exits(3);
        let kept = world.apply_path("plan.json", &[]).exits(3);
        for run in [&plan, &apply, &dry, &kept] {
            assert_eq!(named_flags(&run.stderr), expected, "{}", run.stderr);
        }
        break named_flags(&plan.stderr);
    };
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    for at in 0..flags.len() {
        let Ok(number) = flags[at].parse::<u64>() else {
            continue;
        };
        let smaller = (number - 1).to_string();
        let mut too_small = flags.clone();
        too_small[at] = &smaller;
        world.apply(&too_small).exits(3);
        world.apply_path("plan.json", &too_small).exits(3);
    }
    assert_eq!(world.writes(), []);
    assert_eq!(world.annotations(), before);
    // A number allows that many, and a plan is not changed by what it was allowed.
    world.apply(&flags).exits(0);
}

#[test]
fn too_many_deletes_stop_the_plan() {
    let world = guarded();
    let mut inputs = boxes(0..8, "car");
    for at in 8..12 {
        inputs.push_str(&format!("  - id: in-{at:03}\n    annotations: []\n"));
    }
    declare(&world, &inputs);
    stops_and_passes(&world, &["--allow-deletes", "4"]);
    assert_eq!(world.annotations().len(), 8);
}

#[test]
fn inputs_dropped_from_the_manifest_count_as_deletes() {
    let world = guarded();
    declare(&world, &boxes(0..8, "car"));
    stops_and_passes(&world, &["--allow-deletes", "4"]);
    // Three of eight are no more than 30 per cent of what may count: fewer than ten exist.
    declare(&world, &boxes(0..5, "car"));
    world.apply(&[]).exits(0);
}

#[test]
fn too_many_changes_stop_the_plan() {
    let world = guarded();
    declare(&world, &(boxes(0..8, "car") + &boxes(8..12, "tree")));
    stops_and_passes(&world, &["--allow-updates", "4"]);
}

#[test]
fn a_manifest_without_inputs_stops_although_every_number_is_allowed() {
    let world = guarded();
    declare(&world, "");
    world
        .apply(&["--allow-deletes", "12", "--allow-vanished", "1"])
        .exits(3);
    world.apply(&["--allow-empty"]).exits(3);
    let flags = [
        "--allow-empty",
        "--allow-deletes",
        "12",
        "--allow-vanished",
        "1",
    ];
    stops_and_passes(&world, &flags);
    assert!(world.annotations().is_empty());
}

#[test]
fn a_concept_that_would_vanish_stops_the_plan() {
    let world = guarded();
    declare(&world, &(boxes(0..11, "car") + &boxes(11..12, "tree")));
    world.apply(&[]).exits(0);
    world.emulator.forget_calls();
    declare(&world, &boxes(0..12, "car"));
    let plan = world.plan(&[]).exits(3);
    assert!(
        plan.stdout
            .contains("1 concept would be on no annotation any more (tree)")
    );
    stops_and_passes(&world, &["--allow-vanished", "1"]);
}

#[test]
fn a_renamed_concept_does_not_vanish() {
    let world = guarded();
    let header = "version: 1\nset: street\npolicy: sync\nrenamed: { car: auto }\n";
    world.write(
        "m.yaml",
        &format!(
            "{header}guards: {{ max_updates: 100% }}\n{}",
            list(&boxes(0..12, "auto"))
        ),
    );
    let run = world.apply(&[]).exits(0);
    assert!(
        run.last_line().starts_with("Applied 12 (12 overwritten)"),
        "{}",
        run.stdout
    );
}

#[test]
fn what_the_policy_holds_back_is_shown_and_left() {
    let world = guarded();
    let before = world.annotations();
    let inputs = boxes(0..6, "car") + &boxes(6..7, "tree") + &boxes(20..21, "car");
    for (policy, held, applied) in [
        ("create", "1 change and 5 deletes", "Applied 1 (1 posted)"),
        ("upsert", "5 deletes", "Applied 1 (1 overwritten)"),
    ] {
        let text = format!(
            "version: 1\nset: street\npolicy: {policy}\n{}",
            list(&inputs)
        );
        world.write("m.yaml", &text);
        let run = world.apply(&[]).exits(0);
        assert!(
            run.stderr.contains(&format!("holds back {held};")),
            "{}",
            run.stderr
        );
        assert!(run.last_line().starts_with(applied), "{}", run.stdout);
    }
    assert_eq!(world.annotations().len(), before.len() + 1);
}
