//! `--changed-only`: only inputs whose declaration changed since the base are listed and planned.

use super::*;
use annosync::emulator::Endpoint;
use std::fs;

/// The calls of a run, beside that for the user of the token.
fn queries(world: &World) -> Vec<(Endpoint, String)> {
    let calls = world.emulator.calls().into_iter();
    calls
        .filter(|call| call.endpoint != Endpoint::GetUser)
        .map(|call| (call.endpoint, call.query))
        .collect()
}

#[test]
fn only_changed_inputs_are_listed_and_the_plan_says_what_it_does_not_cover() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    relabel(&world, "in-000", "truck");
    // One is changed, one is no longer declared, and one is new.
    world.declare(
        &(boxes(0..2, "car") + &boxes(2..3, "bus") + &boxes(3..4, "car") + &boxes(5..6, "car")),
    );
    let whole = plan(&world, &[]);
    world.emulator.forget_calls();
    let part = plan(&world, &["--changed-only"]);
    let listings: Vec<String> = queries(&world)
        .into_iter()
        .filter(|(endpoint, _)| *endpoint == Endpoint::ListAnnotations)
        .map(|(_, query)| query)
        .collect();
    for (input, is_listed) in [
        ("in-000", false),
        ("in-001", false),
        ("in-002", true),
        ("in-003", false),
        ("in-004", true),
        ("in-005", true),
    ] {
        let named = listings.iter().any(|query| query.contains(input));
        assert_eq!(named, is_listed, "{input}: {listings:?}");
    }
    assert!(
        listings.iter().all(|query| query.contains("input_ids")),
        "{listings:?}"
    );

    assert_eq!(
        written(&part),
        expect(&[
            ("in-002", "overwrite", "intended"),
            ("in-004", "delete", "intended"),
            ("in-005", "post", "intended"),
        ])
    );
    assert_eq!(written(&part), written(&whole));
    assert_eq!(drift(&whole), expect(&[("in-000", "changed", "kept")]));
    assert_eq!(drift(&part), []);
    assert_eq!(
        part["blind_spots"],
        json!([
            "inputs whose declaration did not change since HEAD (--changed-only): what was changed in the app there is \
             not seen, and stays; they are counted as declared"
        ])
    );
}

#[test]
fn a_change_of_three_of_many_inputs_takes_as_many_calls_as_of_three() {
    if !is_there("git") {
        return;
    }
    let calls = |count: usize| {
        let world = applied_of(count);
        world.declare(&(boxes(0..3, "bus") + &boxes(3..count, "car")));
        world.emulator.forget_calls();
        assert_eq!(written(&plan(&world, &["--changed-only"])).len(), 3);
        world.emulator.calls()
    };
    let few = calls(3);
    // The user, the proof of one page in five calls, and the concepts in two.
    assert!(few.len() <= 8, "{few:#?}");
    assert_eq!(calls(400).len(), few.len());
}

/// An input with ten boxes of a concept.
fn row(input: &str, concept: &str) -> String {
    let boxes = (0..10).map(|at| {
        format!(
            "      - {{ box: {{ top: 0.1, left: 0.{at}, bottom: 0.2, right: 0.{at}5 }}, concepts: [{concept}] }}\n"
        )
    });
    format!(
        "  - id: {input}\n    annotations:\n{}",
        boxes.collect::<String>()
    )
}

#[test]
fn guards_and_classes_count_the_inputs_that_were_not_listed() {
    if !is_there("git") {
        return;
    }
    let world = World::new();
    git(world.path(), &["init", "--quiet"]);
    // With the default guards.
    let declare = |inputs: &str| {
        let text = format!("version: 1\nset: street\npolicy: sync\ninputs:\n{inputs}");
        world.write("m.yaml", &text);
    };
    let cars = |input: &str| row(input, "car");
    let others = cars("in-002") + &cars("in-003") + &cars("in-004");
    declare(&(cars("in-000") + &cars("in-001") + &others));
    commit(&world);
    world.apply(&[]).exits(0);
    let both = |code: i32| {
        let base = ["--base", "HEAD", "--format", "json"];
        let part = world.plan(&[&base[..], &["--changed-only"]].concat());
        let whole = world.plan(&base);
        let [part, whole]: [Value; 2] = [part.exits(code), whole.exits(code)]
            .map(|run| serde_json::from_str(&run.stdout).unwrap());
        for field in ["existing", "changeable", "classes"] {
            assert_eq!(part["summary"][field], whole["summary"][field], "{field}");
        }
        assert_eq!(part["guards"], whole["guards"]);
    };
    // Few annotations are listed, and 40 % of all are deleted.
    let none = |input: &str| format!("  - id: {input}\n    annotations: []\n");
    declare(&(none("in-000") + &none("in-001") + &others));
    both(3);
    // Every listed annotation changes its class, which are 20 % of all.
    declare(&(cars("in-000") + &row("in-001", "van") + &others));
    both(0);

    // The plan file is checked against the whole app.
    let plan = ["--base", "HEAD", "--changed-only", "--out", "plan.json"];
    world.plan(&plan).exits(0);
    world
        .run(&[
            "apply",
            "plan.json",
            "--manifest",
            "m.yaml",
            "--base",
            "HEAD",
            "--auto-approve",
        ])
        .exits(0);
    settled(&world.plan(&["--detailed-exitcode"]));
}

#[test]
fn without_a_changed_declaration_the_whole_app_is_listed() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    relabel(&world, "in-000", "truck");
    let run = world.plan(&["--base", "HEAD", "--changed-only", "--format", "json"]);
    let run = run.says("note: no declaration changed since HEAD, so the whole app is listed");
    let plan: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(drift(&plan), expect(&[("in-000", "changed", "kept")]));
    assert_eq!(plan["blind_spots"], json!([]));
}

#[test]
fn a_reviewed_plan_of_the_changed_inputs_is_applied_with_the_whole_listing() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    relabel(&world, "in-000", "truck");
    world.declare(&(boxes(0..2, "car") + &boxes(2..3, "bus") + &boxes(3..5, "car")));
    let plan = ["--base", "HEAD", "--changed-only", "--out", "plan.json"];
    world.plan(&plan).exits(0);
    let apply = [
        "apply",
        "plan.json",
        "--manifest",
        "m.yaml",
        "--base",
        "HEAD",
        "--auto-approve",
    ];
    world.run(&apply).exits(0);
    commit(&world);
    settled(&world.plan(&["--base", "HEAD", "--detailed-exitcode"]));
}

#[test]
fn a_changed_header_lists_the_whole_app() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    let text = fs::read_to_string(world.path().join("m.yaml")).unwrap();
    fs::write(
        world.path().join("m.yaml"),
        text.replacen("version: 1\n", "version: 1\nrenamed: { car: auto }\n", 1)
            .replace("[car]", "[auto]"),
    )
    .unwrap();
    world.emulator.forget_calls();
    let run = world.plan(&["--base", "HEAD", "--changed-only", "--format", "json"]);
    let run = run.says("note: `renamed`, which decides about every input, changed since HEAD, so the whole app is listed");
    assert!(
        queries(&world)
            .iter()
            .all(|(_, query)| !query.contains("input_ids=")),
        "{:?}",
        queries(&world)
    );
    assert_eq!(
        serde_json::from_str::<Value>(&run.stdout).unwrap()["blind_spots"],
        json!([])
    );
}

#[test]
fn changed_only_needs_a_base_and_is_for_plans() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    world.plan(&["--changed-only"]).exits(64).says("--base");
    world
        .plan(&["--base", "HEAD", "--changed-only", "--declared-only"])
        .exits(64);
    // An apply counts its guards over the whole app.
    world.apply(&["--base", "HEAD", "--changed-only"]).exits(64);
}
