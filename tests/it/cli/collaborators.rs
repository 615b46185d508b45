//! A collaborator's token may change only the collaborator's own annotations.

use super::{World, header};
use crate::support::{boxed, whole, with};
use annosync::emulator::{Collaborator, Config};
use serde_json::{Value, json};

fn world() -> World {
    let collaborator = |user: &str| Collaborator {
        user: user.to_owned(),
        key: format!("{user}-key"),
    };
    World::with(Config {
        collaborators: vec![collaborator("bea"), collaborator("carl")],
        ..Config::default()
    })
}

fn of(user: &str, annotation: Value) -> Value {
    with(annotation, "user_id", json!(user))
}

#[test]
fn missing_permissions_are_shown_in_the_plan_and_refused_by_apply() {
    let world = world().with_key("bea-key");
    world.seed(vec![
        whole("in-1", "mine", &[("car", 1.0)]),
        of("bea", whole("in-2", "hers", &[("car", 1.0)])),
    ]);
    world.declare(
        "  - id: in-2\n    annotations:\n      - { id: hers, concepts: [tree] }\n  - id: in-1\n    annotations:\n      - id: mine\n        concepts: [tree]\n      - { concepts: [car], user: carl }\n",
    );
    let plan = world.plan(&["--out", "plan.json"]).exits(0);
    assert_eq!(
        plan.stderr,
        "warning: the token belongs to bea, and the plan needs the app's owner: 1 post on behalf of carl, 1 change to \
         annotations of owner; `apply` would refuse it\n"
    );
    for path in ["m.yaml", "plan.json"] {
        let run = world.apply_path(path, &[]).exits(1);
        assert_eq!(run.stdout, "");
        let error: Vec<&str> = run.stderr.lines().rev().take(2).collect();
        assert_eq!(
            error,
            [
                "hint: apply it with a token of that user: in CLARIFAI_PAT, or in a file with --pat-file",
                "error: the token belongs to bea, and the plan needs the app's owner: 1 post on behalf of carl, 1 change to \
                 annotations of owner; nothing was sent",
            ]
        );
    }
    assert_eq!(world.writes(), []);
    // The owner applies the same file.
    let world = world.with_key("owner-key");
    world.apply_path("plan.json", &[]).exits(0);
}

#[test]
fn collaborators_may_post_change_and_delete_their_own_annotations() {
    let world = world().with_key("bea-key");
    let edges = |n: f64| [0.1 * n, 0.1, 0.1 * n + 0.05, 0.9];
    world.seed(vec![
        boxed("in-1", "owners", edges(1.0), &["car"]),
        of("carl", boxed("in-1", "carls", edges(2.0), &["car"])),
        of("bea", boxed("in-1", "changed", edges(3.0), &["car"])),
        of("bea", boxed("in-1", "dropped", edges(4.0), &["car"])),
    ]);
    let inputs = "inputs:\n  - id: in-1\n    annotations:\n      \
         - { box: { top: 0.3, left: 0.1, bottom: 0.35, right: 0.9 }, concepts: [tree] }\n      \
         - { box: { top: 0.6, left: 0.1, bottom: 0.65, right: 0.9 }, concepts: [car], user: bea }\n";
    world.write("m.yaml", &format!("{}owners: [bea]\n{inputs}", header()));
    let others = [world.annotation("owners"), world.annotation("carls")];
    let run = world.apply(&[]).exits(0);
    assert!(
        run.last_line()
            .starts_with("Applied 3 (1 posted, 1 overwritten, 1 deleted), ")
    );
    assert!(run.stderr.contains("; 2 unmanaged."), "{}", run.stderr);
    assert_eq!(
        [world.annotation("owners"), world.annotation("carls")],
        others
    );
    assert_eq!(world.annotation("dropped"), None);
    let made: Vec<Value> = world.annotations().into_iter().skip(3).collect();
    assert_eq!(made[0]["user_id"], "bea", "{made:#?}");
}

#[test]
fn owners_any_deletes_annotations_of_everybody_only_with_the_owners_token() {
    let world = world().with_key("bea-key");
    world.seed(vec![
        whole("in-1", "owners", &[("car", 1.0)]),
        of("carl", whole("in-1", "carls", &[("car", 1.0)])),
        of("bea", whole("in-1", "hers", &[("car", 1.0)])),
    ]);
    let text = format!(
        "{}owners: [any]\ninputs:\n  - id: in-1\n    annotations: []\n",
        header()
    );
    world.write("m.yaml", &text);
    world.apply(&[]).exits(1).says("needs the app's owner");
    assert_eq!(world.writes(), []);
    let world = world.with_key("owner-key");
    let run = world.apply(&[]).exits(0);
    assert!(run.last_line().starts_with("Applied 3 (3 deleted)"));
}

#[test]
fn the_apps_owner_may_change_and_post_annotations_of_every_user() {
    let world = world();
    world.seed(vec![of("carl", whole("in-1", "carls", &[("car", 1.0)]))]);
    world.declare(
        "  - id: in-1\n    annotations:\n      - { id: carls, concepts: [tree] }\n      - { concepts: [car], user: bea, status: pending }\n",
    );
    world.apply(&[]).exits(0);
    let users: Vec<Value> = world
        .annotations()
        .iter()
        .map(|it| it["user_id"].clone())
        .collect();
    assert_eq!(users, ["carl", "bea"]);
    // `me` is the calling user, in the path as well.
    let url = world.emulator.url();
    let flags = ["--endpoint", &url, "--user-id", "me", "--app-id", "app"];
    let run = world.run(&[&["plan", "m.yaml"], &flags[..]].concat());
    super::settled(&run);
}

#[test]
fn annotations_of_models_are_neither_changed_nor_deleted_nor_claimed() {
    let world = world();
    let model = |id: &str| {
        let annotation = boxed("in-1", id, [0.1, 0.1, 0.5, 0.5], &["car"]);
        with(annotation, "model_version_id", json!("detector-1"))
    };
    world.seed(vec![model("detected")]);
    let before = world.annotation("detected");
    world.declare("  - id: in-1\n    annotations:\n      - { id: detected, concepts: [tree] }\n");
    let run = world.apply(&[]).exits(1);
    assert!(
        run.stderr
            .contains("was made by a model and cannot be changed")
    );
    world.declare(
        "  - id: in-1\n    annotations:\n      - { box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }, concepts: [car] }\n",
    );
    let run = world.apply(&[]).exits(0);
    assert!(run.last_line().starts_with("Applied 1 (1 posted)"));
    world.declare("  - id: in-1\n    annotations: []\n");
    let run = world.apply(&[]).exits(0);
    assert!(run.last_line().starts_with("Applied 1 (1 deleted)"));
    assert_eq!(world.annotation("detected"), before);
}

#[test]
fn two_label_sets_share_an_input_and_leave_each_other_alone() {
    let world = world();
    let manifest = |set: &str, concept: &str| {
        format!(
            "{}inputs:\n  - id: in-1\n    annotations:\n      - {{ key: k, concepts: [{concept}] }}\n",
            header().replace("street", set)
        )
    };
    world.write("one.yaml", &manifest("one", "car"));
    world.write("two.yaml", &manifest("two", "tree"));
    for _ in 0..2 {
        for name in ["one.yaml", "two.yaml"] {
            world.on_app(&["apply", name, "--auto-approve"]).exits(0);
        }
    }
    assert_eq!(world.writes().len(), 2, "one post each");
    // Each deletes only its own annotations.
    world.write(
        "one.yaml",
        &format!("{}inputs: []\n", header().replace("street", "one")),
    );
    let run = world
        .on_app(&["apply", "one.yaml", "--auto-approve", "--allow-empty"])
        .exits(0);
    assert!(run.last_line().starts_with("Applied 1 (1 deleted)"));
    assert_eq!(world.annotations().len(), 1);
    super::settled(&world.on_app(&["plan", "two.yaml", "--detailed-exitcode"]));
}
