//! Guards: a plan beyond a limit is stopped, and the message names the flag that lets it pass.

use super::{World, boxes, settled};
use crate::schemas;
use crate::support::{boxed, with};
use serde_json::json;
use std::fmt::Write as _;

/// Twelve applied annotations, with a header that has the default guards.
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

/// Checks that every command stops without writing, that the named flags let the plan pass, and that smaller numbers do not.
fn stops_and_passes(world: &World, expected: &[&str]) {
    let before = world.annotations();
    let plan = world.plan(&["--out", "plan.json"]).exits(3);
    let apply = world.apply(&[]).exits(3);
    assert_eq!(apply.stdout, "", "the plan is talk until it is applied");
    let dry = world.apply(&["--dry-run"]).exits(3);
    let kept = world.apply_path("plan.json", &[]).exits(3);
    for run in [&plan, &apply, &dry, &kept] {
        assert_eq!(named_flags(&run.stderr), expected, "{}", run.stderr);
    }
    let flags = named_flags(&plan.stderr);
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
    // A number allows that many, and allowances do not change the plan.
    world.apply(&flags).exits(0);
}

#[test]
fn too_many_deletes_stop_the_plan() {
    let world = guarded();
    let mut inputs = boxes(0..8, "car");
    for at in 8..12 {
        writeln!(inputs, "  - id: in-{at:03}\n    annotations: []").unwrap();
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
    // Three of eight are more than 30 %, but fewer than ten exist.
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
fn a_manifest_without_inputs_is_stopped_even_if_all_numeric_guards_pass() {
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
fn a_vanishing_concept_stops_the_plan() {
    let world = guarded();
    let updates = "guards: { max_updates: 100% }\n";
    let declare = |inputs: &str| {
        let header = format!("version: 1\nset: street\npolicy: sync\n{updates}");
        world.write("m.yaml", &format!("{header}{}", list(inputs)));
    };
    declare(&(boxes(0..12, "car") + &boxes(12..22, "tree") + &boxes(22..31, "bus")));
    world.apply(&[]).exits(0);
    world.emulator.forget_calls();
    // A concept of fewer than `min_existing` annotations is reported, but does not stop the plan.
    declare(&(boxes(0..12, "car") + &boxes(12..22, "tree") + &boxes(22..31, "car")));
    world
        .plan(&[])
        .exits(0)
        .says("1 concept will no longer be used (bus).");
    declare(&(boxes(0..22, "car") + &boxes(22..31, "bus")));
    let plan = world.plan(&[]).exits(3);
    assert!(
        plan.stdout
            .contains("1 concept would no longer be used (tree)")
    );
    stops_and_passes(&world, &["--allow-vanished", "1"]);
}

#[test]
fn a_limit_of_0_allows_no_delete_in_a_small_app() {
    let world = World::new();
    let header =
        "version: 1\nset: street\npolicy: sync\nguards: { max_deletes: 0%, max_updates: 0% }\n";
    let declare = |inputs: &str| world.write("m.yaml", &format!("{header}{}", list(inputs)));
    declare(&boxes(0..3, "car"));
    world.apply(&[]).exits(0);
    world.emulator.forget_calls();
    declare(&boxes(0..2, "car"));
    stops_and_passes(&world, &["--allow-deletes", "1"]);
    declare(&boxes(0..2, "bus"));
    world
        .plan(&[])
        .exits(3)
        .says("2 changes of 2 existing annotations; the guard max_updates allows 0%");
}

#[test]
fn percentages_refer_to_deletable_annotations() {
    let world = guarded();
    // Another user's are declared by their ids, and could be changed, but not deleted.
    let theirs = |at: usize| {
        with(
            boxed("in-000", &format!("b{at}"), [0.5, 0.5, 0.6, 0.6], &["bus"]),
            "user_id",
            json!("bea"),
        )
    };
    world.seed((0..40).map(theirs).collect());
    let adopted = |inputs: String| {
        let ids: String = (0..40).fold(String::new(), |mut text, at| {
            writeln!(text, "      - id: b{at}").unwrap();
            text
        });
        inputs.replacen("annotations:\n", &format!("annotations:\n{ids}"), 1)
    };
    declare(&world, &adopted(boxes(0..12, "car")));
    settled(&world.plan(&["--detailed-exitcode"]));
    declare(&world, &adopted(boxes(0..8, "car")));
    world
        .plan(&[])
        .exits(3)
        .says("4 deletes of 12 existing annotations; the guard max_deletes allows 30%");
}

#[test]
fn a_vanished_concept_counts_even_if_the_manifest_names_it() {
    let world = guarded();
    let guards = "guards: { max_deletes: 100%, max_updates: 100% }\n";
    let declare = |more: &str, inputs: &str| {
        let header = format!("version: 1\nset: street\npolicy: sync\n{guards}{more}");
        world.write("m.yaml", &format!("{header}{}", list(inputs)));
    };
    declare("", &(boxes(0..12, "car") + &boxes(12..24, "precious")));
    world.apply(&[]).exits(0);
    world.emulator.forget_calls();
    for (more, inputs) in [
        ("", boxes(0..12, "car")),
        ("renamed: { precious: gone }\n", boxes(0..12, "car")),
        ("", boxes(0..12, "car") + &boxes(12..24, "precious: false")),
        ("", boxes(0..11, "car") + &boxes(11..12, "precious: false")),
    ] {
        let inputs = inputs.replace("[precious: false]", "{ precious: false }");
        declare(more, &inputs);
        world
            .plan(&[])
            .exits(3)
            .says("1 concept would no longer be used (precious)");
    }
    assert_eq!(world.writes(), []);
}

#[test]
fn allow_guards_passes_all_numeric_guards_and_apply_needs_it_too() {
    let world = guarded();
    declare(&world, &boxes(0..6, "car"));
    world.plan(&["--out", "plan.json"]).exits(3);
    let plan = world.plan(&["--allow-guards", "--out", "plan.json"]);
    let line =
        "Let pass: 6 deletes of 12 existing annotations; the guard max_deletes allows 30%.\n";
    plan.exits(0).says(line);
    let kept: serde_json::Value = serde_json::from_str(&world.read("plan.json")).unwrap();
    schemas::PLAN.accepts(&kept);
    assert_eq!(kept["guards"], json!([]));
    assert_eq!(
        kept["passed_guards"],
        json!([{"guard": "deletes", "count": 6, "existing": 12, "limit": "30%"}])
    );
    let markdown = world.plan(&["--allow-guards", "--format", "markdown"]);
    markdown.says(
        "> **Let pass:** 6 deletes of 12 existing annotations; the guard max_deletes allows `30%`.\n",
    );
    // Anybody can edit the file, so the flag must be given again.
    world.apply_path("plan.json", &[]).exits(3);
    let applied = world
        .apply_path("plan.json", &["--allow-guards", "--format", "json"])
        .exits(0);
    let outcome: serde_json::Value = serde_json::from_str(&applied.stdout).unwrap();
    schemas::OUTCOME.accepts(&outcome);
    assert_eq!(outcome["passed_guards"], kept["passed_guards"]);
    applied.says(line);
    assert_eq!(world.annotations().len(), 6);
}

#[test]
fn an_apply_recounts_the_guards_that_a_plan_file_passed() {
    let world = guarded();
    declare(&world, &boxes(0..6, "car"));
    world
        .plan(&["--allow-guards", "--out", "plan.json"])
        .exits(0);
    let kept = world.read("plan.json");
    let smaller = kept.replace("\"count\": 6", "\"count\": 5");
    assert_ne!(kept, smaller);
    world.write("plan.json", &smaller);
    world
        .apply_path("plan.json", &["--allow-deletes", "5"])
        .exits(1)
        .says("the plan was altered: the number of a guard does not match its operations");
    for (from, to) in [("\"passed_guards\"", "\"unknown\""), ("30%", "100%")] {
        world.write("plan.json", &kept.replace(from, to));
        for manifest in [&["--manifest", "m.yaml"][..], &[]] {
            let apply = [&["apply", "plan.json", "--auto-approve"], manifest].concat();
            let refused = world.run(&apply).exits(3);
            assert_eq!(named_flags(&refused.stderr), ["--allow-deletes", "6"]);
            assert!(!refused.stderr.contains("Let pass"), "{}", refused.stderr);
        }
    }
    assert_eq!(world.writes(), []);
    world
        .apply_path("plan.json", &["--allow-deletes", "6"])
        .exits(0);
}

#[test]
fn allow_guards_requires_a_plan_file_and_passes_only_numeric_guards() {
    let world = guarded();
    declare(&world, "");
    world.apply(&["--allow-guards"]).exits(64);
    let stopped = world.plan(&["--allow-guards"]).exits(3);
    assert_eq!(named_flags(&stopped.stderr), ["--allow-empty"]);
    stopped
        .says("Let pass: 12 deletes of 12")
        .says("Stopped: the manifest declares no input");
    assert_eq!(world.writes(), []);
}

#[test]
fn a_comment_names_the_label_that_lets_the_plan_pass() {
    let world = guarded();
    let comment = || world.plan(&["--format", "markdown"]).exits(3).stdout;
    declare(&world, &boxes(0..6, "car"));
    let text = comment();
    assert!(
        text.contains("set the label `annosync-allow-guards` on this pull request"),
        "{text}"
    );
    // No pull request label lets an empty manifest delete.
    declare(&world, "");
    let text = comment();
    assert!(!text.contains("annosync-allow-guards"), "{text}");
}

#[test]
fn a_concept_that_relabelling_explains_gets_a_hint_with_the_lines_to_add() {
    let world = guarded();
    let header = "version: 1\nset: street\npolicy: sync\nguards: { max_updates: 100% }\n";
    let as_yes = list(&boxes(0..12, "\"yes\""));
    world.write("m.yaml", &format!("{header}{as_yes}"));
    let stopped = world.plan(&[]).exits(3);
    assert!(
        stopped.stdout.contains(
            "To let exactly this plan pass: --allow-vanished 1. If this is a rename, add this to the header instead:\n\
             \x20   renamed:\n\
             \x20     car: \"yes\"\n"
        ),
        "{}",
        stopped.stdout
    );
    world
        .plan(&["--format", "markdown"])
        .says("\n> ```yaml\n> renamed:\n>   car: \"yes\"\n> ```\n");
    // The suggested lines let the plan pass.
    let lines = "renamed:\n  car: \"yes\"\n";
    world.write("m.yaml", &format!("{header}{lines}{as_yes}"));
    world.apply(&[]).exits(0);
}

#[test]
fn a_concept_that_is_mostly_deleted_does_not_count_as_renamed() {
    let world = guarded();
    let header =
        "version: 1\nset: street\npolicy: sync\nguards: { max_updates: 100%, max_deletes: 100% }\n";
    // Half get `bus`, the others are deleted.
    world.write("m.yaml", &format!("{header}{}", list(&boxes(0..6, "bus"))));
    let stopped = world.plan(&[]).exits(3).says("--allow-vanished 1");
    assert!(!stopped.stdout.contains("renamed:"), "{}", stopped.stdout);
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
fn changes_that_the_policy_forbids_are_shown_and_not_made() {
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
