//! `pull`: from an app to a manifest that plans to nothing, and back into one that is there.

use super::{Run, World, folder_of, settled};
use crate::support::{ME, base64, boxed, png, whole, with};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Two inputs, with what two people, a model and another set made of them.
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

/// What stands in a folder but for the endpoint, which is another one on every run.
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
fn a_fresh_pull_is_a_manifest_that_plans_to_nothing() {
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
    note: 1 annotation that a model made is left out (--model-made include)
    4 annotations on 2 inputs; 3 files differ.
    ");
    insta::assert_snapshot!(shown(&world, "new"), @r#"
    == annosync.yaml
    # A plan creates and updates, and deletes nothing. With policy: sync it deletes what is ours and not declared.
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
        again.stderr.contains("the manifest new says so already"),
        "{}",
        again.stderr
    );
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn every_form_of_a_fresh_pull_plans_to_nothing() {
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
fn a_pull_over_a_manifest_changes_what_differs_and_says_what_goes() {
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
    hint: to pull another set's, change `set` in the header to its name, or list it in `adopts` if it is this set's earlier name; a name that is lost is given by what the ids begin with
    note: 1 declared annotation is not in the app, and goes
    note: 1 annotation that a model made is left out (--model-made include)
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
fn a_set_finds_what_it_made_again_without_ids() {
    let world = World::new();
    world.declare("  - id: in-1\n    annotations:\n      - key: k\n        box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }\n        concepts: [car]\n      - concepts: [day]\n");
    world.apply(&[]).exits(0);
    world
        .on_app(&["pull", "new", "--set", "street", "--policy", "sync"])
        .exits(0);
    let text = world.read("new/labels/pulled.yaml");
    assert!(!text.contains("id: as-"), "{text}");
    settled(&plan(&world, "new"));
    // Where the manifest has the key, it stays.
    let before = world.read("m.yaml");
    let run = world.on_app(&["pull", "m.yaml"]).exits(0);
    assert_eq!((run.stdout.as_str(), world.read("m.yaml")), ("", before));
}

#[test]
fn an_embedded_store_is_pulled_with_a_target_that_leads_to_it() {
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
fn a_part_is_refused_where_a_plan_would_delete_the_rest() {
    let world = world();
    let sync = ["pull", "new", "--policy", "sync"];
    let refused = world
        .on_app(&[&sync[..], &["--concept", "night"]].concat())
        .exits(1);
    insta::assert_snapshot!(refused.stderr, @"
    error: the filters leave out 1 annotation in scope of this manifest, first `mask` of input `in-2`: under policy sync the next plan would delete what is left out; nothing was written
    hint: pull without --user, --status, --concept and --model-made only, or with policy upsert, which never deletes
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
fn a_pull_that_makes_no_sense_writes_nothing() {
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
        (&["pull", "strict"], 1, "does not fit this manifest"),
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
fn what_a_pull_that_was_interrupted_left_is_no_hindrance() {
    let world = world();
    world.on_app(&["pull", "new", "--split"]).exits(0);
    let whole = folder_of(world.path());
    // The header is written last: without it, and without some of the files, the pull was interrupted.
    fs::remove_file(world.path().join("new/annosync.yaml")).unwrap();
    fs::remove_file(world.path().join("new/labels/in-2.yaml")).unwrap();
    world.on_app(&["pull", "new", "--split"]).exits(0);
    assert_eq!(folder_of(world.path()), whole);
    settled(&plan(&world, "new"));

    // What the app does not hold any more is in the way, and is named.
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
fn a_new_file_that_a_rule_would_leave_out_is_named_before_anything_is_written() {
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
fn a_new_file_that_the_header_leaves_out_is_named() {
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
        .says("labels/in-3.yaml would not belong to the manifest: its `files:` leave it out; nothing was written");
    assert_eq!(folder_of(world.path()), before);
}

#[test]
fn a_folder_in_the_way_of_a_new_file_is_named_before_anything_is_written() {
    let world = world();
    world.on_app(&["pull", ".", "--split"]).exits(0);
    // A folder stands where a new input's file belongs.
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
fn a_collaborator_pulls_what_others_made_and_plans_to_nothing() {
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
fn what_cannot_be_written_in_full_is_named_and_changes_the_exit_code() {
    let world = World::new();
    let at = |id: &str, info: Value| {
        let mut annotation = boxed("in-1", id, [0.0, 0.0, 0.0, 0.0], &["car"]);
        annotation["data"]["regions"][0]["region_info"] = info;
        annotation
    };
    world.seed(vec![
        at("token", json!({"token": {"char_start": 1, "char_end": 2}})),
        at("url", json!({"mask": {"image": {"url": "s3://b/x.png"}}})),
        at(
            "black",
            json!({"mask": {"image": {"base64": base64(&png(2, &[0, 0]))}}}),
        ),
        at(
            "no-letter",
            json!({"span": {"char_start": 3, "char_end": 3}}),
        ),
        boxed("in-1", "flat", [0.1, 0.2, 0.1, 0.6], &["car"]),
        boxed("in-1", "above", [-0.01, 0.2, 0.5, 0.6], &["car"]),
        with(
            whole("in-1", "null", &[("car", 1.0)]),
            "annotation_info",
            json!({"reviewed": null}),
        ),
        boxed("in-1", "whole", [0.1, 0.2, 0.5, 0.6], &["car"]),
    ]);
    let run = world
        .on_app(&["pull", "out"])
        .exits(5)
        .says("`token` of input `in-1`")
        .says("`url` of input `in-1`")
        .says("`above` of input `in-1`")
        .says("`null` of input `in-1`")
        .says("`black` of input `in-1`")
        .says("`no-letter` of input `in-1`")
        .says("`flat` of input `in-1`")
        .says("warning[place-not-declarable]: 4 annotations named by id alone")
        .says("warning[null-values]: 1 annotation named by id alone")
        .says("warning[mask-not-declarable]: 2 annotations named by id alone");
    assert!(!run.stderr.contains("`whole`"), "{}", run.stderr);
    assert!(!world.path().join("out/labels/masks").exists());
    let before = world.annotations();
    world
        .on_app(&["apply", "out", "--auto-approve"])
        .exits(0)
        .says("No changes.");
    assert_eq!(world.annotations(), before);

    // On another app there is nothing of them to post: it is said, and none is posted in part.
    let other = World::new();
    other.seed(vec![boxed("in-1", "else", [0.1, 0.2, 0.5, 0.6], &["car"])]);
    for name in ["annosync.yaml", "labels/pulled.yaml"] {
        other.write(name, &world.read(&format!("out/{name}")));
    }
    let before = other.annotations();
    let run = other.on_app(&["apply", ".", "--auto-approve"]).exits(1);
    run.says("annotation `above` of input `in-1` is not in the app")
        .says("the manifest asks for 7 changes that cannot be made; nothing was sent");
    assert_eq!(other.annotations(), before);
}

#[test]
fn fields_that_no_manifest_can_declare_are_named_and_never_left_out_in_silence() {
    let world = World::new();
    let region = |id: &str, region: Value| json!({"id": id, "input_id": "in-1", "user_id": ME, "status": {"code": 24150}, "data": {"regions": [region]}});
    let place = json!({"bounding_box": {"top_row": 0.1, "left_col": 0.2, "bottom_row": 0.5, "right_col": 0.6}});
    let car = json!({"id": "car", "name": "Car", "app_id": "app", "language": "en", "value": 1});
    let with_data = |id: &str, name: &str, value: Value| {
        let mut annotation = region(
            id,
            json!({"region_info": place, "data": {"concepts": [car]}}),
        );
        annotation["data"][name] = value;
        annotation
    };
    let corner = |row: f64, col: f64, z: f64| json!({"row": row, "col": col, "z": z});
    let polygon = |z: f64| json!({"polygon": {"points": [corner(0.1, 0.1, z), corner(0.5, 0.1, 0.0), corner(0.5, 0.5, 0.0)]}});
    world.seed(vec![
        region("plain", json!({"id": "r", "region_info": place, "data": {"concepts": [car]}})),
        region("flat", json!({"region_info": polygon(0.0), "data": {"concepts": [car]}})),
        region("lost-depth", json!({"region_info": polygon(0.5), "data": {"concepts": [car]}})),
        with_data("lost-day", "concepts", json!([{"id": "day", "value": 1}])),
        with_data("lost-geo", "geo", json!({"geo_point": {"longitude": 1.5, "latitude": 2.5}})),
        with_data("lost-color", "colors", json!([{"raw_hex": "#102030", "value": 1}])),
        with_data("lost-text", "text", json!({"url": "https://example.org/t.txt"})),
        region(
            "lost-inner",
            json!({"region_info": place, "data": {"concepts": [car], "regions": [{"region_info": place}]}}),
        ),
        whole("in-1", "lost-value", &[("car", 1.5)]),
        whole("in-1", "lost-twice", &[("car", 1.0), ("car", 0.2)]),
    ]);
    let run = world.on_app(&["pull", "out"]).exits(5);
    let stored: Vec<String> = world
        .annotations()
        .iter()
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(stored.len(), 10);
    let text = world.read("out/labels/pulled.yaml");
    for id in &stored {
        let named = run.stderr.contains(&format!("`{id}` of input `in-1`"));
        assert_eq!(named, id.starts_with("lost-"), "{id}: {}", run.stderr);
        if named {
            assert!(text.contains(&format!("- id: {id}\n")), "{id}: {text}");
        }
    }
    run.says("fields-not-declarable");
    settled(&plan(&world, "out"));
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
