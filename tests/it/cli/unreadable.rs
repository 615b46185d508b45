//! Listed annotations that cannot be read, or cannot be written back unchanged.

use super::proxy::{self, ProxyAction};
use super::{Run, World, settled};
use crate::support::{boxed, with};
use serde_json::{Value, json};

const BOX: [f64; 4] = [0.1, 0.2, 0.5, 0.6];
/// The same, moved a little.
const MOVED: [f64; 4] = [0.11, 0.2, 0.5, 0.6];

/// Values that a server may send and JSON parsers refuse: half of a surrogate pair, and a number out of range.
const ODD: &[(&str, &str)] = &[
    (r#""surrogate""#, r#""\ud83d""#),
    (r#""huge""#, "1e999"),
    (r#""padded""#, r#""padded ""#),
];

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!({}), |inner, _| json!({ "a": inner }))
}

fn with_metadata(annotation: Value, metadata: Value) -> Value {
    let mut annotation = annotation;
    annotation["data"]["metadata"] = metadata;
    annotation
}

/// Runs the binary through a proxy that inserts [`ODD`] into answers.
fn through(world: &World, arguments: &[&str]) -> Run {
    through_with(world, ProxyAction::Replace(ODD), arguments)
}

/// Runs the binary through a proxy with this action.
fn through_with(world: &World, proxy_action: ProxyAction, arguments: &[&str]) -> Run {
    let url = world.block_on(proxy::start(world.emulator.url(), proxy_action));
    let mut command = world.command();
    command
        .args(arguments)
        .args(["--endpoint", &url, "--user-id", "owner", "--app-id", "app"])
        .args(["--rate-limit", "1000"]);
    Run::of(command)
}

fn declare_box(world: &World, head: &str) {
    world.declare(&format!(
        "  - id: in-1\n    annotations:\n      - {head}\n        \
         box: {{ top: 0.11, left: 0.2, bottom: 0.5, right: 0.6 }}\n        concepts: [car]\n"
    ));
}

/// One annotation on `in-1` with this metadata, and a readable one on `in-2`.
fn world_with(metadata: Value) -> World {
    let world = World::new();
    world.seed(vec![
        with_metadata(boxed("in-1", "a", BOX, &["car"]), metadata),
        boxed("in-2", "b", BOX, &["car"]),
    ]);
    world
}

#[test]
fn a_declared_unreadable_annotation_is_an_error_and_is_not_changed() {
    for (metadata, why) in [
        (
            json!({"m": "surrogate"}),
            "an escape that is not a character",
        ),
        (json!({"m": "huge"}), "a number too large to be read"),
        (nested(115), "nested more than 100 levels deep"),
    ] {
        let world = world_with(metadata);
        declare_box(&world, "id: a");
        let before = world.annotations();
        for command in [
            &["plan", "m.yaml"][..],
            &[
                "apply",
                "m.yaml",
                "--auto-approve",
                "--undo-out",
                "undo.json",
            ],
        ] {
            through(&world, command)
                .exits(1)
                .says("annotation `a` of input `in-1` cannot be read")
                .says(why)
                .says("m.yaml:");
        }
        assert_eq!(world.annotations(), before);
        assert!(world.writes().is_empty());
    }
}

#[test]
fn a_possible_match_of_an_unreadable_annotation_is_neither_posted_nor_deleted() {
    let world = world_with(json!({"m": "surrogate"}));
    // Undeclared: sync would delete it. Close to the declaration: sync would move it.
    world.seed(vec![
        boxed("in-1", "far", [0.7, 0.7, 0.9, 0.9], &["car"]),
        boxed("in-1", "tree", MOVED, &["tree"]),
    ]);
    world.declare(
        "  - id: in-1\n    annotations:\n      \
         - box: { top: 0.11, left: 0.2, bottom: 0.5, right: 0.6 }\n        concepts: [car]\n      \
         - { id: far, status: pending }\n  \
         - id: in-2\n    annotations: []\n",
    );
    let run = through(&world, &["apply", "m.yaml", "--auto-approve"])
        .exits(0)
        .says("1 unreadable")
        .says("annotation `a` of input `in-1` cannot be read")
        .says("1 write held back");
    assert_eq!(
        run.last_line(),
        "Applied 2 (1 merged, 1 deleted), 0 already up to date, 0 failed, 0 not attempted."
    );
    // An annotation that is matched by id is written, and so is the rest of the app.
    assert_eq!(world.annotation("far").unwrap()["status"]["code"], 24151);
    assert!(world.annotation("b").is_none());
    let tree = world.annotation("tree").unwrap();
    assert_eq!(tree["data"]["concepts"][0]["id"], json!(null));
    assert_eq!(
        tree["data"]["regions"][0]["data"]["concepts"][0]["id"],
        "tree"
    );
    assert_eq!(world.annotations().len(), 3);
    settled(&through(&world, &["plan", "m.yaml", "--detailed-exitcode"]));
    // When it can be read again, the plan shows the change.
    world.plan(&["--detailed-exitcode"]).exits(2);
}

#[test]
fn unreadable_annotations_on_other_inputs_do_not_block() {
    let world = World::new();
    world.seed(vec![
        boxed("padded", "p", BOX, &["car"]),
        with(
            boxed("in-3", "u", BOX, &["car"]),
            "model_version_id",
            json!("v1"),
        ),
        with_metadata(boxed("in-4", "m", BOX, &["car"]), json!({"m": "huge"})),
    ]);
    world.declare("  - id: in-1\n    annotations:\n      - { concepts: [night] }\n");
    let run = through(&world, &["apply", "m.yaml", "--auto-approve"])
        .exits(0)
        // The input-level annotation of the padded input counts too.
        .says("3 unreadable")
        .says("annotation `p` of input `padded ` cannot be read: its input id begins or ends with white space");
    assert_eq!(
        run.last_line(),
        "Applied 1 (1 posted), 0 already up to date, 0 failed, 0 not attempted."
    );
    settled(&through(&world, &["plan", "m.yaml", "--detailed-exitcode"]));
    assert_eq!(world.annotations().len(), 4);
}

#[test]
fn an_input_with_an_unreadable_annotation_is_not_purged() {
    let world = world_with(json!({"m": "huge"}));
    world.declare("  - id: in-1\n    purge: true\n");
    through(
        &world,
        &["apply", "m.yaml", "--auto-approve", "--allow-purge"],
    )
    .exits(1)
    .says("annotation `a` of input `in-1` cannot be read");
    assert_eq!(world.annotations().len(), 2);
}

#[test]
fn a_key_of_an_unreadable_annotation_is_an_error() {
    let world = World::new();
    world.declare(
        "  - id: in-1\n    annotations:\n      - { key: k, concepts: [car], metadata: { m: surrogate } }\n",
    );
    world.apply(&[]).exits(0);
    through(&world, &["apply", "m.yaml", "--auto-approve"])
        .exits(1)
        .says("cannot be read");
    assert_eq!(world.annotations().len(), 1);
}

#[test]
fn a_pull_leaves_declared_inputs_with_unreadable_annotations_alone() {
    let world = world_with(json!({"m": "surrogate"}));
    declare_box(&world, "key: k");
    let before = world.read("m.yaml");
    through(&world, &["pull", "m.yaml"]);
    let after = world.read("m.yaml");
    assert!(
        after.contains("key: k") && after.contains("id: in-2"),
        "{after}"
    );
    assert!(after.starts_with(before.trim_end()), "{after}");
}

#[test]
fn metadata_nested_too_deeply_is_refused_in_a_manifest() {
    let world = World::new();
    let deep = nested(101).to_string();
    world.declare(&format!(
        "  - id: in-1\n    annotations:\n      - {{ concepts: [car], metadata: {deep} }}\n"
    ));
    world
        .plan(&[])
        .exits(1)
        .says("`metadata` is nested more than 99 levels deep");
}

/// Puts another value into a field of the listed annotation `a`.
fn spoil(answer: &mut Value, field: &str, value: Value) {
    let listed = answer["annotations"].as_array_mut().into_iter().flatten();
    if let Some(annotation) = listed.into_iter().find(|it| it["id"] == "a") {
        annotation[field] = value;
    }
}

/// A change of an answer.
type Wrong = fn(&mut Value);

/// Fields of the wrong type, as what `list` prints of them, and as the service sends them.
const WRONG: [(&str, Wrong); 8] = [
    ("\"id\":7", |it| spoil(it, "id", json!(7))),
    ("\"id\":[\"a\"]", |it| spoil(it, "id", json!(["a"]))),
    ("\"status\":\"pending\"", |it| {
        spoil(it, "status", json!("pending"));
    }),
    ("\"user_id\":{}", |it| spoil(it, "user_id", json!({}))),
    ("\"worker\":\"owner\"", |it| {
        spoil(it, "worker", json!("owner"));
    }),
    ("\"trusted\":\"yes\"", |it| {
        spoil(it, "trusted", json!("yes"));
    }),
    ("\"created_at\":1", |it| spoil(it, "created_at", json!(1))),
    ("\"input_level\":\"no\"", |it| {
        spoil(it, "input_level", json!("no"));
    }),
];

#[test]
fn a_field_of_the_wrong_type_makes_one_annotation_unreadable_and_no_other() {
    for (raw, wrong) in WRONG {
        let world = World::new();
        world.seed(vec![
            boxed("in-1", "a", BOX, &["car"]),
            boxed("in-1", "far", [0.7, 0.7, 0.9, 0.9], &["car"]),
            boxed("in-2", "b", BOX, &["car"]),
        ]);
        world.declare(
            "  - id: in-1\n    annotations:\n      \
             - box: { top: 0.11, left: 0.2, bottom: 0.5, right: 0.6 }\n        concepts: [car]\n      \
             - { id: far, status: pending }\n  \
             - id: in-2\n    annotations: []\n",
        );
        let through =
            |arguments: &[&str]| through_with(&world, ProxyAction::Read(wrong), arguments);
        let listed = through(&["list"]).exits(0);
        assert!(listed.stdout.contains(raw), "{raw}: {}", listed.stdout);
        assert_eq!(listed.stdout.lines().count(), 5, "{raw}: {}", listed.stdout);
        through(&["list", "--format", "table"]).exits(0);
        let saved = through(&["list", "--all", "--format", "json"]).exits(0);
        assert!(saved.stdout.contains(raw), "{raw}: {}", saved.stdout);
        let before = world.annotation("a");
        let run = through(&["apply", "m.yaml", "--auto-approve"])
            .exits(0)
            .says("1 unreadable")
            .says("of input `in-1` cannot be read: it violates the API's schema: ")
            .says("1 write held back");
        assert_eq!(
            run.last_line(),
            "Applied 2 (1 merged, 1 deleted), 0 already up to date, 0 failed, 0 not attempted."
        );
        assert_eq!(world.annotation("a"), before, "{raw}");
        assert!(world.annotation("b").is_none(), "{raw}");
        assert_eq!(world.annotations().len(), 2, "{raw}");
        settled(&through(&["plan", "m.yaml", "--detailed-exitcode"]));
        // A saved listing gives the same message.
        world.write("state/listing.json", &saved.stdout);
        world
            .run(&["plan", "m.yaml", "--observed", "state/listing.json"])
            .exits(0)
            .says("1 unreadable")
            .says("1 write held back");
    }
}

#[test]
fn an_annotation_whose_input_cannot_be_read_stops_every_plan() {
    for wrong in [
        (|it| spoil(it, "input_id", json!(7))) as fn(&mut Value),
        |it| spoil(it, "input_id", json!(null)),
        |it| spoil(it, "id", json!(null)),
    ] {
        let world = World::new();
        world.seed(vec![
            boxed("in-1", "a", BOX, &["car"]),
            boxed("in-2", "b", BOX, &["car"]),
        ]);
        declare_box(&world, "key: k");
        for command in [
            &["plan", "m.yaml"][..],
            &["apply", "m.yaml", "--auto-approve"],
        ] {
            through_with(&world, ProxyAction::Read(wrong), command)
                .exits(1)
                .says("of page 1 of the listing cannot be read");
        }
        assert_eq!((world.annotations().len(), world.writes()), (2, vec![]));
    }
}

#[test]
fn a_declared_annotation_with_a_field_of_the_wrong_type_is_an_error() {
    let world = World::new();
    world.seed(vec![boxed("in-1", "a", BOX, &["car"])]);
    declare_box(&world, "id: a");
    let wrong = ProxyAction::Read(|it| spoil(it, "trusted", json!("yes")));
    through_with(&world, wrong, &["apply", "m.yaml", "--auto-approve"])
        .exits(1)
        .says("annotation `a` of input `in-1` cannot be read")
        .says("m.yaml:");
    assert_eq!(world.writes(), []);
}
