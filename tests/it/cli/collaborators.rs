//! Whose annotations a collaborator's token may touch: their own.

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
fn changing_somebody_elses_annotation_is_an_error_before_anything_is_sent() {
    let world = world().with_key("bea-key");
    world.seed(vec![
        whole("in-1", "mine", &[("car", 1.0)]),
        of("bea", whole("in-2", "hers", &[("car", 1.0)])),
    ]);
    // The annotation in line 11 is the owner's; the other one is hers to change.
    world.declare(
        "  - id: in-2\n    annotations:\n      - { id: hers, concepts: [tree] }\n  - id: in-1\n    annotations:\n      - id: mine\n        concepts: [tree]\n",
    );
    for command in ["plan", "apply"] {
        let run = world.on_app(&[command, "m.yaml"]).exits(1);
        assert_eq!(run.stdout, "");
        insta::allow_duplicates! {
            insta::assert_snapshot!(run.stderr, @r"
            error: m.yaml:11:9: annotation `mine` of input `in-1` belongs to `owner`: only they and the app's owner `owner` may change it, and the token is of `bea`
            hint: use the app owner's token, or leave it out of the manifest
            error: the manifest asks for 1 change that cannot be made; nothing was sent
            ");
        }
    }
    assert_eq!(world.writes(), []);
    // Declared as it is, it is nothing to change.
    world.declare("  - id: in-1\n    annotations:\n      - { id: mine, concepts: [car] }\n");
    world.apply(&[]).exits(0);
}

#[test]
fn posting_as_somebody_else_is_an_error_before_anything_is_sent() {
    let world = world().with_key("bea-key");
    world.declare(
        "  - id: in-1\n    annotations:\n      - concepts: [car]\n      - concepts: [tree]\n        user: carl\n  - id: in-2\n    annotations:\n      - { key: k, concepts: [car], user: owner }\n",
    );
    let run = world.apply(&[]).exits(1);
    insta::assert_snapshot!(run.stderr, @r"
    error: m.yaml:9:9: an annotation of input `in-1` is to be made for `carl`: only the app's owner `owner` may do that, and the token is of `bea`
    hint: use the app owner's token, or leave it out of the manifest
    error: m.yaml:13:11: an annotation of input `in-2` is to be made for `owner`: only the app's owner `owner` may do that, and the token is of `bea`
    hint: use the app owner's token, or leave it out of the manifest
    error: the manifest asks for 2 changes that cannot be made; nothing was sent
    ");
    assert_eq!(world.writes(), []);
}

#[test]
fn a_collaborators_own_annotations_are_hers_to_make_change_and_delete() {
    let world = world().with_key("bea-key");
    let edges = |n: f64| [0.1 * n, 0.1, 0.1 * n + 0.05, 0.9];
    world.seed(vec![
        boxed("in-1", "owners", edges(1.0), &["car"]),
        of("carl", boxed("in-1", "carls", edges(2.0), &["car"])),
        of("bea", boxed("in-1", "changed", edges(3.0), &["car"])),
        of("bea", boxed("in-1", "dropped", edges(4.0), &["car"])),
    ]);
    // The owner's box is declared as well: it is not hers to claim, so she makes one of her own.
    world.declare(
        "  - id: in-1\n    annotations:\n      \
         - { box: { top: 0.3, left: 0.1, bottom: 0.35, right: 0.9 }, concepts: [tree] }\n      \
         - { box: { top: 0.1, left: 0.1, bottom: 0.15, right: 0.9 }, concepts: [car], user: bea }\n",
    );
    let others = [world.annotation("owners"), world.annotation("carls")];
    let run = world.apply(&[]).exits(0);
    assert!(
        run.last_line()
            .starts_with("Applied 3 (1 posted, 1 overwritten, 1 deleted), ")
    );
    assert!(
        run.stderr.contains("0 unchanged, 2 unmanaged."),
        "{}",
        run.stderr
    );
    assert_eq!(
        [world.annotation("owners"), world.annotation("carls")],
        others
    );
    assert_eq!(world.annotation("dropped"), None);
    let made: Vec<Value> = world.annotations().into_iter().skip(3).collect();
    assert_eq!(made[0]["user_id"], "bea", "{made:#?}");
}

#[test]
fn owners_any_does_not_let_a_collaborator_delete_what_is_not_hers() {
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
    let run = world.apply(&[]).exits(0);
    assert!(run.last_line().starts_with("Applied 1 (1 deleted)"));
    let left: Vec<Value> = world.annotations();
    assert_eq!(left.len(), 2);
    // The app's owner means everybody's.
    let world = world.with_key("owner-key");
    let run = world.apply(&[]).exits(0);
    assert!(run.last_line().starts_with("Applied 2 (2 deleted)"));
}

#[test]
fn the_apps_owner_changes_everybodys_and_posts_for_everybody() {
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
fn what_models_made_is_neither_changed_nor_deleted_nor_claimed() {
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
            .contains("was made by a model: nobody can change it")
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
    world.write("two.yaml", &manifest("two", "car"));
    for _ in 0..2 {
        for name in ["one.yaml", "two.yaml"] {
            world.on_app(&["apply", name, "--auto-approve"]).exits(0);
        }
    }
    assert_eq!(world.writes().len(), 2, "one post each");
    // Each gives up its own alone.
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
