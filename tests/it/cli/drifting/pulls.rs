//! Pulls that keep what both sides changed.

use super::{applied, commit, drift, expect, git, of_ann, plan, relabel, written};
use crate::cli::{boxes, is_there, settled};
use serde_json::json;

#[test]
fn a_label_changed_in_the_app_is_shown_kept_and_pulled() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    relabel(&world, "in-001", "truck");
    // A branch changes another label, and one is added.
    world.declare(
        &(boxes(0..2, "car") + &boxes(2..3, "bus") + &boxes(3..5, "car") + &boxes(5..6, "car")),
    );
    let head = git(world.path(), &["rev-parse", "HEAD"]);
    let stored = world.annotation(&world.id_on("in-001")).unwrap();

    // Without a flag, drift is kept.
    let kept = plan(&world, &[]);
    assert_eq!(
        written(&kept),
        expect(&[
            ("in-002", "overwrite", "intended"),
            ("in-005", "post", "intended"),
        ])
    );
    assert_eq!(drift(&kept), expect(&[("in-001", "changed", "kept")]));
    let change = &kept["drift"][0];
    assert_eq!(change["seen"]["user"], "owner");
    assert_eq!(change["seen"]["modified_at"], stored["modified_at"]);
    assert_eq!(
        change["fields"][1],
        json!({"field": "concepts.truck", "app": 1.0})
    );
    let summary = &kept["summary"];
    assert_eq!(
        (&summary["drift"], &summary["conflicts"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(summary["held_back"]["drift"], 1);
    assert_eq!(kept["base"]["revision"], "HEAD");
    assert_eq!(kept["base"]["commit"], head.trim());
    assert_ne!(kept["base"]["manifest_hash"], kept["manifest_hash"]);
    // On a branch, a pull has to keep the branch's changes.
    let text = world.plan(&["--base", "HEAD"]).exits(0);
    assert!(
        text.stdout.contains("annosync pull --base HEAD takes"),
        "{}",
        text.stdout
    );

    world
        .plan(&["--base", "HEAD", "--on-drift", "fail"])
        .exits(3)
        .says("--on-drift keep");
    let all = plan(&world, &["--on-drift", "apply", "--allow-vanished", "1"]);
    assert_eq!(
        written(&all)[0],
        expect(&[("in-001", "overwrite", "drift")])[0]
    );
    assert_eq!(drift(&all), expect(&[("in-001", "changed", "reverted")]));

    world
        .on_app(&["apply", "m.yaml", "--auto-approve", "--base", "HEAD"])
        .exits(0);
    assert_eq!(world.annotation(&world.id_on("in-001")).unwrap(), stored);
    let again = plan(&world, &[]);
    assert_eq!(written(&again), []);
    assert_eq!(drift(&again), expect(&[("in-001", "changed", "kept")]));

    commit(&world);
    let text = world.plan(&["--base", "HEAD"]).exits(0);
    assert!(
        text.stdout.contains("annosync pull takes"),
        "{}",
        text.stdout
    );
    world.on_app(&["pull", "m.yaml"]).exits(0);
    assert!(world.read("m.yaml").contains("truck"));
    let fail = [
        "--base",
        "HEAD",
        "--on-drift",
        "fail",
        "--detailed-exitcode",
    ];
    settled(&world.plan(&fail));
}

#[test]
fn a_pull_on_a_branch_keeps_the_branchs_changes_comments_and_order() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    relabel(&world, "in-001", "truck");
    relabel(&world, "in-004", "truck");
    world.delete("in-003", &world.id_on("in-003"));
    world.seed(vec![of_ann("in-000")]);
    // The branch: one label changed, one added, one dropped, one changed as in the app, and comments.
    let branch = format!(
        "  # a branch's own words\n{}{}{}{}{}",
        boxes(5..6, "tree"),
        boxes(2..3, "bus"),
        boxes(0..2, "car"),
        "  - id: in-003\n    annotations: [] # dropped\n",
        boxes(4..5, "bus"),
    );
    world.declare(&branch);
    let before = world.read("m.yaml");
    let pull = |rest: &[&str]| world.on_app(&[&["pull", "m.yaml"], rest].concat());
    pull(&["--base", "HEAD", "--check", "--detailed-exitcode"]).exits(4);
    assert_eq!(world.read("m.yaml"), before);
    pull(&["--base", "HEAD"])
        .exits(4)
        .says("conflict: input in-004")
        .says("concepts.bus: base (not set), manifest 1, app (not set)")
        .says("concepts.truck: base (not set), manifest (not set), app 1")
        .says("1 unresolved conflict");
    let text = world.read("m.yaml");
    let place = |what: &str| {
        text.find(what)
            .unwrap_or_else(|| panic!("{what} is not in\n{text}"))
    };
    let own = [
        "a branch's own words",
        "in-005",
        "[tree]",
        "in-002",
        "[bus]",
        "in-000",
        "ann-s",
        "in-001",
        "[truck]",
        "# dropped",
        "in-004",
    ];
    assert!(own.iter().map(|it| place(it)).is_sorted(), "{text}");
    assert_eq!(
        (text.matches("truck").count(), text.matches("bus").count()),
        (1, 2),
        "{text}"
    );

    // Pulled changes are not drift any more; the branch's changes are still to be applied.
    let left = plan(&world, &[]);
    assert_eq!(drift(&left), expect(&[("in-004", "changed", "undecided")]));
    assert_eq!(
        written(&left),
        expect(&[
            ("in-002", "overwrite", "intended"),
            ("in-005", "post", "intended")
        ])
    );
    pull(&["--base", "HEAD", "--conflicts", "manifest"]).exits(0);
    assert_eq!(world.read("m.yaml"), text);
    pull(&["--base", "HEAD", "--conflicts", "app"]).exits(0);
    assert_eq!(world.read("m.yaml").matches("truck").count(), 2);
    let apply = ["--base", "HEAD", "--on-drift", "fail"];
    world.apply(&apply).exits(0);
    world.is_settled();
}

#[test]
fn a_pull_needs_two_manifests_to_compare() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    world
        .on_app(&["pull", "nowhere", "--base", "HEAD"])
        .exits(64)
        .says("--base compares two manifests");
    world
        .on_app(&["pull", "m.yaml", "--conflicts", "app"])
        .exits(64);
}
