//! `pull`: a new manifest of an app, and changes of an existing one.

use super::{Run, World, folder_of, settled};
use crate::support::{ME, boxed, whole, with};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Two inputs with annotations of two users, a model and another set.
fn street() -> Vec<Value> {
    let mut mask = boxed("in-2", "mask", [0.0, 0.0, 0.0, 0.0], &["road"]);
    mask["data"]["regions"][0]["region_info"] = json!({"mask": {"image": {"base64": PNG}}});
    vec![
        boxed("in-1", "a1", [0.1, 0.2, 0.5, 0.6], &["car"]),
        with(
            boxed("in-1", "a2", [0.5, 0.5, 0.75, 1.0], &["no", "car"]),
            "user_id",
            json!("ann"),
        ),
        with(
            whole("in-2", "a3", &[("night", 1.0), ("rain", 0.25)]),
            "status",
            json!({"code": 24151}),
        ),
        mask,
        with(
            boxed("in-2", "found", [0.1, 0.2, 0.5, 0.6], &["car"]),
            "model_version_id",
            json!("v1"),
        ),
        boxed(
            "in-2",
            "as-00000000-0123456789abcdef0123",
            [0.1, 0.2, 0.5, 0.6],
            &["car"],
        ),
    ]
}

/// One white pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5ErkJggg==";

fn world() -> World {
    let world = World::new();
    world.seed(street());
    world
}

/// The files of a folder, without the endpoint, which differs on every run.
fn shown(world: &World, folder: &str) -> String {
    let files = folder_of(&world.path().join(folder));
    files
        .into_iter()
        .fold(String::new(), |mut all, (name, text)| {
            let is_image = Path::new(&name).extension().is_some_and(|it| it == "png");
            let text = if is_image { "(an image)\n" } else { &text };
            let text = text.replace(&world.emulator.url(), "http://emulator");
            write!(all, "== {name}\n{text}").unwrap();
            all
        })
}

/// Plans a manifest through its own target.
fn plan(world: &World, path: &str) -> Run {
    world.run(&["plan", path, "--detailed-exitcode"])
}

#[test]
fn a_plan_after_a_new_pull_is_empty() {
    let world = world();
    let run = world.on_app(&["pull", "new"]).exits(0);
    insta::assert_snapshot!(run.stdout, @"
    new/labels/masks/1aa09979b73a3063.png
    new/labels/pulled.yaml
    new/annosync.yaml
    ");
    insta::assert_snapshot!(run.stderr, @"
    note: annotations of other sets are not pulled: as-00000000 (unknown name): 1 annotation
    hint: to pull another set's, give its name with --set; if the name is lost, give any --set, and what its ids begin with as --adopt-set
    + new/labels/masks/1aa09979b73a3063.png (mask)
    + new/labels/pulled.yaml (4 annotations)
    + new/annosync.yaml (header)
    note: 1 annotation made by models left out (--model-made include)
    4 annotations on 2 inputs; 3 files differ.
    ");
    insta::assert_snapshot!(shown(&world, "new"), @r#"
    == annosync.yaml
    # A plan creates and updates, and deletes nothing. With policy: sync it deletes this set's annotations that are not declared below.
    version: 1
    set: app
    policy: upsert
    files: ["labels/**"]
    target: pulled
    targets:
      pulled: { user_id: owner, app_id: app, endpoint: "http://emulator" }
    == labels/masks/1aa09979b73a3063.png
    (an image)
    == labels/pulled.yaml
    inputs:
      - id: in-1
        annotations:
          - id: a1
            box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }
            concepts: [car]
          - id: a2
            box: { top: 0.5, left: 0.5, bottom: 0.75, right: 1 }
            concepts: [car, "no"]
            user: ann
      - id: in-2
        annotations:
          - id: a3
            concepts: { night: true, rain: 0.25 }
            status: pending
          - id: mask
            mask: { path: masks/1aa09979b73a3063.png }
            concepts: [road]
    "#);
    settled(&plan(&world, "new"));
    assert!(world.writes().is_empty());

    let before = folder_of(world.path());
    let again = world.run(&["pull", "new"]).exits(0);
    assert_eq!(again.stdout, "");
    assert!(
        again.stderr.contains("the manifest new is up to date"),
        "{}",
        again.stderr
    );
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn a_plan_after_every_form_of_pull_is_empty() {
    for arguments in [
        &["--split"][..],
        &["--format", "jsonl"],
        &["--policy", "sync", "--set", "street"],
        &["--model-made", "include"],
        &["--model-made", "only"],
        &["--input", "in-1"],
        &["--input", "*-2", "--user", "me", "--concept", "night"],
    ] {
        let world = world();
        let run = world
            .on_app(&[&["pull", "new"], arguments].concat())
            .exits(0);
        assert!(run.stdout.contains("new/annosync.yaml\n"), "{}", run.stdout);
        settled(&plan(&world, "new"));
        let again = if arguments.contains(&"--policy") {
            &[][..]
        } else {
            arguments
        };
        let check = ["pull", "new", "--check", "--detailed-exitcode"];
        let check = [&check[..], again].concat();
        let again = world.run(&check).exits(0);
        assert_eq!(again.stdout, "", "{arguments:?}");
    }
    let world = world();
    world.on_app(&["pull", "m.yaml"]).exits(0);
    settled(&plan(&world, "m.yaml"));
}

#[test]
fn an_edited_label_is_one_change_and_pulling_again_drops_it() {
    let world = world();
    world.on_app(&["pull", "."]).exits(0);
    let pulled = world.read("labels/pulled.yaml");
    let mine = pulled.replace("night: true", "night: false") + "# mine\n";
    world.write("labels/pulled.yaml", &mine);
    plan(&world, ".").exits(2).says("Plan: 1 to merge; ");

    let check = world.run(&["pull", "--check"]).exits(0);
    assert_eq!(check.stdout, "~ labels/pulled.yaml (1 changed)\n");
    world
        .run(&["pull", "--check", "--detailed-exitcode"])
        .exits(2);
    assert_eq!(
        world.read("labels/pulled.yaml"),
        mine,
        "a check writes nothing"
    );

    world.run(&["pull"]).exits(0);
    assert_eq!(world.read("labels/pulled.yaml"), pulled + "# mine\n");
    settled(&plan(&world, "."));
}

#[test]
fn a_pull_into_a_manifest_reports_removed_annotations() {
    let world = world();
    world.on_app(&["pull", "."]).exits(0);
    world.delete("in-1", "a1");
    world.seed(vec![boxed("in-3", "new", [0.1, 0.2, 0.5, 0.6], &["bus"])]);
    let before = world.read("labels/pulled.yaml");
    world.write(
        "labels/pulled.yaml",
        &before.replace("  - id: in-2", "  # The second.\n  - id: in-2"),
    );
    let check = world.run(&["pull", "--check"]).exits(0);
    insta::assert_snapshot!(check.stdout, @"~ labels/pulled.yaml (1 added, 1 dropped)");
    insta::assert_snapshot!(check.stderr, @"
    note: annotations of other sets are not pulled: as-00000000 (unknown name): 1 annotation
    hint: to pull another set's, change `set` in the header to its name, or list it in `adopts` if it is this set's earlier name; if the name is lost, give what the ids begin with
    note: 1 declared annotation not in the app: removed from the manifest
    note: 1 annotation made by models left out (--model-made include)
    4 annotations on 3 inputs; 1 file differs.
    ");
    let run = world.run(&["pull"]).exits(0);
    assert_eq!(run.stdout, "labels/pulled.yaml\n");
    let after = world.read("labels/pulled.yaml");
    assert!(
        after.contains("  # The second.\n") && !after.contains("a1"),
        "{after}"
    );
    settled(&plan(&world, "."));
}

#[test]
fn annotations_of_the_set_are_declared_without_ids() {
    let world = World::new();
    world.declare("  - id: in-1\n    annotations:\n      - key: k\n        box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }\n        concepts: [car]\n      - concepts: [day]\n");
    world.apply(&[]).exits(0);
    world
        .on_app(&["pull", "new", "--set", "street", "--policy", "sync"])
        .exits(0);
    let text = world.read("new/labels/pulled.yaml");
    assert!(!text.contains("id: as-"), "{text}");
    settled(&plan(&world, "new"));
    // A key in the manifest is kept.
    let before = world.read("m.yaml");
    let run = world.on_app(&["pull", "m.yaml"]).exits(0);
    assert_eq!((run.stdout.as_str(), world.read("m.yaml")), ("", before));
}

#[test]
fn a_pulled_embedded_store_is_the_target() {
    let world = World::new();
    world.write("m.yaml", &format!("{}targets: {{ local: {{ embedded: store.db }} }}\ntarget: local\ninputs:\n  - id: in-1\n    annotations:\n      - concepts: [day]\n", super::header()));
    world.run(&["apply", "m.yaml", "--auto-approve"]).exits(0);
    world
        .run(&[
            "pull",
            "new/deep",
            "--embedded",
            "store.db",
            "--set",
            "street",
        ])
        .exits(0);
    let header = world.read("new/deep/annosync.yaml");
    assert!(header.contains("embedded: \"../../store.db\""), "{header}");
    settled(&plan(&world, "new/deep"));
}

#[test]
fn a_filtered_pull_is_refused_if_a_plan_would_delete_the_rest() {
    let world = world();
    let sync = ["pull", "new", "--policy", "sync"];
    let refused = world
        .on_app(&[&sync[..], &["--concept", "night"]].concat())
        .exits(1);
    insta::assert_snapshot!(refused.stderr, @"
    error: the filters leave out 1 annotation in scope of this manifest, first `mask` of input `in-2`: under policy sync, the next plan would delete what is left out; nothing was written
    hint: leave out --user, --status, --concept and `--model-made only`, or pull with --policy upsert, which never deletes
    ");
    assert!(!world.path().join("new").exists());

    world.on_app(&sync).exits(0);
    let before = folder_of(world.path());
    world.run(&["pull", "new", "--status", "pending"]).exits(0);
    world.seed(vec![boxed("in-1", "late", [0.1, 0.2, 0.5, 0.6], &["bus"])]);
    world
        .run(&["pull", "new", "--status", "pending"])
        .exits(1)
        .says("would delete what is left out");
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn invalid_pulls_write_nothing() {
    let world = world();
    world.write("taken/labels/mine.yaml", "inputs: []\n");
    world.declare("  - id: in-1\n    annotations: []\n");
    world.write("broken/annosync.yaml", "version: 1\nset: Street\n");
    world.write(
        "strict/annosync.yaml",
        &format!("{}vocabulary: [tree]\ninputs: []\n", super::header()),
    );
    let before = folder_of(world.path());
    for (arguments, code, says) in [
        (
            &["pull", "taken"][..],
            1,
            "mine.yaml exists without a header",
        ),
        (
            &["pull", "m.yaml", "--set", "x"],
            64,
            "--set is for a new manifest",
        ),
        (&["pull", "m.yaml", "--split"], 64, "is a complete manifest"),
        (
            &["pull", "new.jsonl"],
            64,
            "no new manifest is written to new.jsonl",
        ),
        (&["pull", "new.yaml", "--split"], 64, "need a folder"),
        (&["pull", "broken"], 1, "the manifest has"),
        (
            &["pull", "strict"],
            1,
            "do not fit the header of this manifest",
        ),
        (&["pull", "new", "--input", "a "], 64, "white space"),
        (&["pull", "new", "--detailed-exitcode"], 64, "--check"),
    ] {
        let run = world.on_app(arguments).exits(code).says(says);
        assert_eq!(run.stdout, "");
    }
    world
        .run(&["pull", "new"])
        .exits(64)
        .says("no user is given");
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn an_interrupted_pull_can_be_repeated() {
    let world = world();
    world.on_app(&["pull", "new", "--split"]).exits(0);
    let whole = folder_of(world.path());
    // The header is written last: without it, and without some of the files, the pull was interrupted.
    fs::remove_file(world.path().join("new/annosync.yaml")).unwrap();
    fs::remove_file(world.path().join("new/labels/in-2.yaml")).unwrap();
    world.on_app(&["pull", "new", "--split"]).exits(0);
    assert_eq!(folder_of(world.path()), whole);
    settled(&plan(&world, "new"));

    // A file with an input that the app no longer has is an error.
    fs::remove_file(world.path().join("new/annosync.yaml")).unwrap();
    world.write("new/labels/in-1.yaml", "- id: in-1\n");
    let before = folder_of(world.path());
    let again = world.on_app(&["pull", "new", "--split"]).exits(1);
    again
        .says("new/labels/in-1.yaml exists without a header")
        .says("if an interrupted pull left it, remove it");
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn a_new_file_that_is_ignored_is_an_error_before_anything_is_written() {
    let world = world();
    world.write("new/.gitignore", "labels/\n");
    for options in [&["pull", "new"][..], &["pull", "new", "--check"]] {
        let before = folder_of(world.path());
        let run = world.on_app(options).exits(1).says(
            "nothing was written:\n  new/labels/pulled.yaml: ignored by `labels/` in new/.gitignore\n",
        );
        assert_eq!((run.stdout.as_str(), folder_of(world.path())), ("", before));
    }
    world.on_app(&["pull", ".", "--split"]).exits(0);
    world.seed(vec![boxed("in-3", "n3", [0.1, 0.2, 0.5, 0.6], &["bus"])]);
    world.write("labels/.gitignore", "in-3.*\n");
    let before = folder_of(world.path());
    world
        .run(&["pull"])
        .exits(1)
        .says("labels/in-3.yaml: ignored by `in-3.*` in labels/.gitignore");
    assert_eq!(folder_of(world.path()), before);
    fs::remove_file(world.path().join("labels/.gitignore")).unwrap();
    world.run(&["pull"]).exits(0);
    settled(&plan(&world, "."));
}

#[test]
fn a_new_file_that_the_header_does_not_match_is_an_error() {
    let world = world();
    world.on_app(&["pull", "."]).exits(0);
    let text = world.read("annosync.yaml");
    let narrow = text.replace("labels/**", "labels/pulled.yaml");
    assert_ne!(narrow, text);
    world.write("annosync.yaml", &narrow);
    world.seed(vec![boxed("in-3", "n3", [0.1, 0.2, 0.5, 0.6], &["bus"])]);
    let before = folder_of(world.path());
    world
        .run(&["pull", "--split"])
        .exits(1)
        .says("labels/in-3.yaml would not belong to the manifest: `files:` does not match it; nothing was written");
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn a_folder_at_the_path_of_a_new_file_is_an_error_before_anything_is_written() {
    let world = world();
    world.on_app(&["pull", ".", "--split"]).exits(0);
    // A folder has the name of a new input's file.
    world.seed(vec![
        boxed("in-3", "n3", [0.1, 0.2, 0.5, 0.6], &["bus"]),
        boxed("in-4", "n4", [0.1, 0.2, 0.5, 0.6], &["bus"]),
    ]);
    fs::create_dir(world.path().join("labels/in-4.yaml")).unwrap();
    let before = folder_of(world.path());
    world
        .run(&["pull"])
        .exits(1)
        .says("labels/in-4.yaml is a folder; nothing was written");
    assert_eq!(folder_of(world.path()), before);
    fs::remove_dir(world.path().join("labels/in-4.yaml")).unwrap();
    world.run(&["pull"]).exits(0);
    settled(&plan(&world, "."));
}

#[test]
fn a_plan_after_a_pull_by_a_collaborator_is_empty() {
    let world = World::with(annosync::emulator::Config::default());
    world.seed(vec![
        with(
            boxed("in-1", "a1", [0.1, 0.2, 0.5, 0.6], &["car"]),
            "user_id",
            json!("ann"),
        ),
        with(whole("in-1", "a2", &[("day", 1.0)]), "user_id", json!(ME)),
    ]);
    world.on_app(&["pull", "new"]).exits(0);
    settled(&plan(&world, "new"));
}

#[test]
fn comments_survive_a_change_in_flow_style_and_in_lists_of_several_lines() {
    let world = World::new();
    world.declare(
        "  - id: in-1\n    annotations:\n      \
         - { key: k1, concepts: [car] }  # reviewed\n      \
         - \"key\": k2\n        \"concepts\":\n          - car  # sure\n          - red  # unsure\n",
    );
    world.apply(&[]).exits(0);
    for annotation in world.annotations() {
        let id = annotation["id"].as_str().unwrap();
        world.someone_labels("in-1", id, "night");
    }
    world.on_app(&["pull", "m.yaml"]).exits(0);
    let text = world.read("m.yaml");
    for kept in ["# reviewed", "# sure", "# unsure", "night"] {
        assert!(text.contains(kept), "{kept} in\n{text}");
    }
    world.is_settled();
}
