//! `--base`: changes of the manifest since an applied git revision, and changes in the app since.

mod base;
mod changed;
mod pulls;

use super::{World, boxes, git, is_there, settled};
use crate::support::{boxed, named_body, with};
use annosync::api::{ItemResult, PatchAction};
use serde_json::{Value, json};

fn commit(world: &World) {
    git(world.path(), &["add", "--all"]);
    git(world.path(), &["commit", "--quiet", "--message", "labels"]);
}

/// A repository whose `m.yaml` declares `in-000` to `in-004` with a car each, committed and applied.
pub(super) fn applied() -> World {
    applied_of(5)
}

/// As [`applied`], with this number of inputs.
fn applied_of(count: usize) -> World {
    let world = World::new();
    git(world.path(), &["init", "--quiet"]);
    world.declare(&boxes(0..count, "car"));
    commit(&world);
    world.apply(&[]).exits(0);
    world
}

/// Changes the concept of an input's only annotation in the app, as another user would.
pub(super) fn relabel(world: &World, input: &str, concept: &str) {
    let id = world.id_on(input);
    let mut region = world.annotation(&id).unwrap()["data"]["regions"][0].clone();
    region["data"] = json!({"concepts": [{"id": concept, "value": 1}]});
    let patch = json!({"id": id, "input_id": input, "data": {"regions": [region]}});
    let answer = world.block_on(
        world
            .writer()
            .patch(PatchAction::Overwrite, &[named_body(&patch)]),
    );
    assert!(matches!(answer.unwrap()[..], [ItemResult::Done(_)]));
}

fn plan(world: &World, arguments: &[&str]) -> Value {
    let all = [&["--base", "HEAD", "--format", "json"], arguments].concat();
    let run = world.plan(&all);
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr))
}

/// The writes of a plan as (input, action, cause).
fn written(plan: &Value) -> Vec<(String, String, String)> {
    listed(plan, "operations", ["input_id", "action", "cause"])
}

/// What was changed in the app, as (input, kind, decision).
fn drift(plan: &Value) -> Vec<(String, String, String)> {
    listed(plan, "drift", ["input_id", "kind", "decision"])
}

fn listed(plan: &Value, list: &str, fields: [&str; 3]) -> Vec<(String, String, String)> {
    let text = |it: &Value, field: &str| it[field].as_str().unwrap_or("nothing").to_owned();
    let all = plan[list].as_array().cloned().unwrap_or_default();
    let row = |it| {
        (
            text(it, fields[0]),
            text(it, fields[1]),
            text(it, fields[2]),
        )
    };
    all.iter().map(row).collect()
}

fn expect(list: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    list.iter()
        .map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned()))
        .collect()
}

/// A box of a user outside `owners`.
fn of_ann(input: &str) -> Value {
    with(
        boxed(input, "ann-s", [0.7, 0.7, 0.9, 0.9], &["car"]),
        "user_id",
        json!("ann"),
    )
}

#[test]
fn additions_deletes_and_changes_of_both_sides_are_distinguished() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    relabel(&world, "in-001", "truck");
    world.delete("in-002", &world.id_on("in-002"));
    world.seed(vec![
        boxed("in-003", "new", [0.7, 0.7, 0.9, 0.9], &["car"]),
        of_ann("in-004"),
    ]);
    let unchanged = plan(&world, &[]);
    assert_eq!(written(&unchanged), []);
    let all = [
        ("in-001", "changed", "kept"),
        ("in-002", "deleted", "kept"),
        ("in-003", "added", "kept"),
        ("in-004", "added", "kept"),
    ];
    assert_eq!(drift(&unchanged), expect(&all));
    // As in a scheduled run: nothing changed in the manifest, so every change is drift.
    let base = |rest: &[&str]| world.plan(&[&["--base", "HEAD"], rest].concat());
    base(&["--on-drift", "fail"]).exits(3).says("4 annotations");
    base(&["--detailed-exitcode"]).exits(0);
    base(&[
        "--detailed-exitcode",
        "--on-drift",
        "apply",
        "--allow-vanished",
        "1",
    ])
    .exits(2);

    // The manifest changes two of them as well, and drops one that was not changed in the app.
    world.declare(
        &(boxes(0..1, "car") + &boxes(1..3, "bus") + "  - id: in-003\n    annotations: []\n"),
    );
    let changed = plan(&world, &[]);
    assert_eq!(
        written(&changed),
        expect(&[
            ("in-003", "delete", "intended"),
            ("in-004", "delete", "intended"),
        ])
    );
    assert_eq!(
        drift(&changed),
        expect(&[
            ("in-001", "changed", "undecided"),
            ("in-002", "deleted", "undecided"),
            ("in-003", "added", "kept"),
            ("in-004", "added", "kept"),
        ])
    );
    assert_eq!(changed["summary"]["drift"], 4);
    assert_eq!(changed["summary"]["conflicts"], 2);
    base(&["--detailed-exitcode"])
        .exits(4)
        .says("2 unresolved conflicts")
        .says("--conflicts manifest");

    // Changes without a conflict are applied; the exit code reports that conflicts are left.
    let apply = |rest: &[&str]| {
        let all = ["apply", "m.yaml", "--auto-approve", "--base", "HEAD"];
        world.on_app(&[&all, rest].concat())
    };
    apply(&[]).exits(4).says("2 unresolved conflicts");
    let truck = world.annotation(&world.id_on("in-001")).unwrap();
    assert!(truck.to_string().contains("truck"), "{truck}");
    apply(&["--conflicts", "app"]).exits(0);
    assert_eq!(world.annotation(&world.id_on("in-001")).unwrap(), truck);
    apply(&["--conflicts", "manifest", "--allow-vanished", "1"]).exits(0);
    for input in ["in-001", "in-002"] {
        let bus = world.annotation(&world.id_on(input)).unwrap();
        assert!(bus.to_string().contains("bus"), "{bus}");
    }
    assert_eq!(written(&plan(&world, &[])), []);
}

#[test]
fn an_added_annotation_stops_plan_and_apply_with_on_drift_fail() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    world.seed(vec![of_ann("in-001")]);
    let fail = ["--base", "HEAD", "--on-drift", "fail"];
    let run = world.plan(&fail).exits(3);
    assert!(
        run.stdout.contains("+ added box [car] ann-s"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("user ann, last written"),
        "{}",
        run.stdout
    );
    world.apply(&fail).exits(3);
    // Without a base, a plan still lists the owners of unmanaged annotations.
    let without: Value = serde_json::from_str(&world.plan(&["--format", "json"]).stdout).unwrap();
    assert_eq!(
        without["summary"]["unmanaged_users"],
        json!([{"user": "ann", "count": 1}])
    );
}

#[test]
fn without_drift_a_base_changes_nothing_in_the_plan() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    settled(&world.plan(&[
        "--base",
        "HEAD",
        "--on-drift",
        "fail",
        "--detailed-exitcode",
    ]));
    world.declare(&boxes(0..4, "bus"));
    let all = plan(
        &world,
        &[
            "--on-drift",
            "fail",
            "--allow-vanished",
            "1",
            "--allow-deletes",
            "1",
        ],
    );
    let causes: Vec<String> = written(&all).into_iter().map(|it| it.2).collect();
    assert_eq!(causes, ["intended"; 5]);
    assert_eq!(all["guards"], json!([]));
    // The revision and the manifest can be given in different ways.
    for revision in ["main", "main~0", "@"] {
        world.on_app(&["plan", ".", "--base", revision]).exits(0);
    }
}

#[test]
fn a_plan_file_keeps_its_drift_and_needs_a_flag_to_pass() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    relabel(&world, "in-001", "truck");
    let run = [
        "--base",
        "HEAD",
        "--allow-vanished",
        "1",
        "--out",
        "plan.json",
    ];
    world
        .plan(&[&run[..], &["--on-drift", "fail"]].concat())
        .exits(3);
    world
        .run(&["apply", "plan.json", "--auto-approve"])
        .exits(3)
        .says("--on-drift keep");
    for (arguments, says) in [
        (["--base", "HEAD"], "--base is used to make a plan"),
        (["--on-drift", "fail"], "drift was decided when"),
        (["--conflicts", "app"], "conflicts were decided when"),
    ] {
        let all = [&["apply", "plan.json", "--auto-approve"], &arguments[..]].concat();
        world.run(&all).exits(64).says(says);
    }
    assert_eq!(world.annotations().len(), 5);
    let truck = world.annotation(&world.id_on("in-001"));
    world
        .run(&["apply", "plan.json", "--auto-approve", "--on-drift", "keep"])
        .exits(0);
    assert_eq!(world.annotation(&world.id_on("in-001")), truck);
    // A plan that reverts changes says so, and apply requires a flag for it.
    world
        .plan(&[&run[..], &["--on-drift", "apply"]].concat())
        .exits(0);
    for keeping in [&[][..], &["--on-drift", "keep"]] {
        let apply = [&["apply", "plan.json", "--auto-approve"], keeping].concat();
        world
            .run(&apply)
            .exits(3)
            .says("let exactly this plan pass with --on-drift apply");
        assert_eq!(world.annotation(&world.id_on("in-001")), truck);
    }
    let base = ["--base", "HEAD"];
    world.apply_path("plan.json", &base).exits(4);
    let reverting = ["--base", "HEAD", "--on-drift", "apply"];
    world.apply_path("plan.json", &reverting).exits(0);

    // Kept changes stay, with any flags of apply.
    relabel(&world, "in-001", "truck");
    world.declare(&(boxes(0..4, "car") + &boxes(4..5, "bus")));
    world
        .plan(&[&run[..], &["--on-drift", "keep"]].concat())
        .exits(0);
    let before = world.annotation(&world.id_on("in-001"));
    world
        .run(&["apply", "plan.json", "--auto-approve"])
        .exits(0);
    assert_eq!(world.annotation(&world.id_on("in-001")), before);
    let bus = world.annotation(&world.id_on("in-004")).unwrap();
    assert!(bus.to_string().contains("bus"), "{bus}");
}

#[test]
fn a_plan_file_does_not_say_which_base_its_manifest_has() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    let labels = |bus: &str| boxes(0..4, "car") + &boxes(4..5, bus);
    world.declare(&labels("bus"));
    commit(&world);
    world.apply(&[]).exits(0);
    // In the app a label becomes what it was at the first commit, and another one is changed.
    relabel(&world, "in-004", "car");
    relabel(&world, "in-001", "truck");
    world.declare(&(boxes(0..1, "tree") + &boxes(1..4, "car") + &boxes(4..5, "bus")));
    let kept = world.annotations();
    let plan = |flags: &[&str]| {
        let allowed = ["--allow-vanished", "2", "--out", "plan.json"];
        world.plan(&[&allowed[..], flags].concat()).exits(0);
    };
    for (flags, given, says) in [
        (
            &[][..],
            &["--base", "HEAD"][..],
            "planned without a base, and apply names HEAD (",
        ),
        (
            &["--base", "HEAD~1"],
            &["--base", "HEAD"],
            "was planned with base HEAD~1 (",
        ),
        (&["--base", "HEAD"], &[], "and apply names none"),
    ] {
        plan(flags);
        let run = world.apply_path("plan.json", given).exits(4).says(says);
        assert!(run.stderr.contains("nothing was written"), "{}", run.stderr);
        assert_eq!(world.annotations(), kept, "{says}");
    }
    // Another path to the same manifest is the same base.
    git(
        world.path(),
        &[
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            "no labels",
        ],
    );
    plan(&["--base", "HEAD~1"]);
    let apply = [
        "apply",
        "plan.json",
        "--auto-approve",
        "--manifest",
        "m.yaml",
        "--base",
        "HEAD",
    ];
    world.run(&apply).exits(0).says("Applied 1 (1 overwritten)");
    let held: Vec<String> = world.annotations().iter().map(Value::to_string).collect();
    let count = |concept: &str| held.iter().filter(|it| it.contains(concept)).count();
    assert_eq!(["tree", "truck", "bus"].map(count), [1, 1, 0]);
}

#[test]
fn drift_without_a_base_is_a_usage_error() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    world
        .plan(&["--on-drift", "keep"])
        .exits(64)
        .says("--base REV");
    world
        .plan(&["--conflicts", "app"])
        .exits(64)
        .says("--base REV");
}
