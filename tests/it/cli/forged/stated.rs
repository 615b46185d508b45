//! What a plan file states beside its operations: counts, ids of posts, pairings.

use super::table::{Refused, of_another_manifest, refused, with};
use super::{HEADER, Run, World, apply, labels, read, scene};
use crate::cli::{boxes, header};
use crate::support::whole;
use annosync::emulator::Config;
use serde_json::{Value, json};

/// The only post of the scene, without its key, under another id.
fn posted_as(plan: &Value, id: &str) -> Value {
    with(plan, |it| {
        let operations = it["operations"].as_array_mut().unwrap();
        let post = operations.iter_mut().find(|it| it["action"] == "post");
        let post = post.unwrap().as_object_mut().unwrap();
        post.remove("key");
        post.insert("id".to_owned(), json!(id));
    })
}

#[test]
fn a_post_has_the_id_generated_by_its_set_or_declared_by_its_manifest() {
    let world = scene();
    let plan = read(&world, "plan.json");
    let operations = plan["operations"].as_array().unwrap();
    let post = operations.iter().find(|it| it["action"] == "post").unwrap();
    let prefix = &post["id"].as_str().unwrap()[..12];
    let another = format!("{prefix}00000000000000000001");
    let row = |id: &str| Refused {
        what: "a post under another id",
        file: posted_as(&plan, id),
        flags: &[],
        code: 1,
        says: "its id is not the one that its set makes of it",
    };
    refused(&world, vec![row(&another)]);
    // Without a key, the id is made from the content, or the manifest declares an id that no set generates.
    let added = "  - id: in-030\n    annotations:\n      - concepts: [car]\n      - id: named\n        \
                 box: { top: 0, left: 0, bottom: 1, right: 1 }\n        concepts: [car]\n";
    super::declare(&world, HEADER, &(super::wanted() + added));
    world.plan(&["--out", "plan.json"]).exits(0);
    apply(&world, "plan.json", &[]).exits(0);
    world.is_settled();
    super::declare(
        &world,
        HEADER,
        &(super::wanted() + added + "  - id: in-031\n    annotations:\n      - concepts: [car]\n"),
    );
    world.plan(&["--out", "plan.json"]).exits(0);
    apply(&world, "plan.json", &[]).exits(0);
    world.is_settled();
}

/// The plan with 1,000 more annotations of each class, before and after.
fn with_more(plan: &Value) -> Value {
    with(plan, |it| {
        for class in it["summary"]["classes"].as_array_mut().unwrap() {
            for count in ["before", "after"] {
                class[count] = json!(class[count].as_u64().unwrap() + 1000);
            }
        }
    })
}

#[test]
fn class_counts_of_a_plan_file_are_recounted_or_hidden() {
    let shown = |world: &World, file, flags: &[&str]| {
        let flags = [&["--dry-run"], flags].concat();
        apply(world, file, &flags).exits(0).stderr
    };
    let manifest: &[&str] = &["--manifest", "m.yaml"];
    let world = scene();
    let forged = with_more(&read(&world, "plan.json"));
    world.write("forged.json", &forged.to_string());
    for flags in [&[], manifest] {
        let honest = shown(&world, "plan.json", flags);
        assert!(honest.contains("Classes: bus 1 -> 2 (+1)"), "{honest}");
        assert_eq!(shown(&world, "forged.json", flags), honest);
    }
    apply(&world, "forged.json", manifest).exits(0);
    world.is_settled();

    // If no class vanishes from the inputs that the plan touches, only those inputs are listed.
    let one = |keys: &[&str]| {
        let one = |key: &&str| format!("      - {{ key: {key}, concepts: [car] }}\n");
        let all: String = keys.iter().map(one).collect();
        boxes(1..20, "car") + "  - id: in-020\n    annotations:\n" + &all
    };
    super::declare(&world, HEADER, &one(&["a", "b", "c", "d", "e"]));
    world
        .apply(&[
            "--allow-deletes",
            "20",
            "--allow-updates",
            "20",
            "--allow-vanished",
            "20",
        ])
        .exits(0);
    super::declare(&world, HEADER, &one(&["a", "b", "c", "d"]));
    world.plan(&["--out", "plan.json"]).exits(0);
    let forged = with_more(&read(&world, "plan.json"));
    world.write("forged.json", &forged.to_string());
    let alone = shown(&world, "forged.json", &[]);
    assert!(!alone.contains("Classes"), "{alone}");
    let counted = shown(&world, "forged.json", manifest);
    assert_eq!(counted, shown(&world, "plan.json", manifest));
    assert!(counted.contains("Classes: car 24 -> 23 (-1)"), "{counted}");
    apply(&world, "forged.json", &[]).exits(0);
    world.is_settled();
}

#[test]
fn huge_counts_neither_trip_guards_nor_crash() {
    let world = scene();
    let plan = read(&world, "plan.json");
    let largest = json!(u64::MAX);
    let classes = with(&plan, |it| {
        it["summary"]["classes"][0]["after"] = json!(u64::MAX / 2);
        it["summary"]["classes"][0]["before"] = json!(u64::MAX / 2 + 1);
    });
    refused(
        &world,
        vec![Refused {
            what: "classes with huge changes",
            file: classes,
            flags: &[],
            code: 1,
            says: "its summary does not match the concepts that its operations change",
        }],
    );
    let most = with(&plan, |it| {
        it["summary"]["existing"] = largest.clone();
        it["summary"]["changeable"] = largest.clone();
    });
    world.write("forged.json", &most.to_string());
    apply(&world, "forged.json", &["--undo-out", "undo.json"]).exits(0);
    world.is_settled();
    apply(&world, "undo.json", &[]).exits(0);
    world.apply(&[]).exits(0);
}

#[test]
fn an_empty_plan_file_is_refused_if_its_manifest_requires_changes() {
    let world = scene();
    let empty = of_another_manifest(&world, HEADER, &labels(), &[]);
    assert_eq!(empty["operations"], json!([]));
    refused(
        &world,
        vec![Refused {
            what: "an empty plan",
            file: empty.clone(),
            flags: &["--manifest", "m.yaml"],
            code: 4,
            says: "(missing)",
        }],
    );
    apply(&world, "plan.json", &["--manifest", "m.yaml"]).exits(0);
    world.is_settled();
    // Now it equals the plan of the manifest.
    world.write("forged.json", &empty.to_string());
    apply(&world, "forged.json", &["--manifest", "m.yaml"])
        .exits(0)
        .says("No changes.");
}

#[test]
fn a_plan_file_with_ambiguous_matches_is_refused_if_they_are_forbidden() {
    let world = World::new();
    let place = |left: &str, concept: &str| {
        format!(
            "      - box: {{ top: 0.1, left: {left}, bottom: 0.5, right: 0.6 }}\n        concepts: [{concept}]\n"
        )
    };
    let input = "  - id: in-000\n    annotations:\n";
    world.declare(&[input, &place("0.10", "car"), &place("0.12", "car")].concat());
    world.apply(&[]).exits(0);
    world.declare(&[input, &place("0.11", "car"), &place("0.3", "bus")].concat());
    world.plan(&["--out", "plan.json"]).exits(0);
    let plan = read(&world, "plan.json");
    assert_eq!(plan["summary"]["ambiguous"], 1, "{plan:#}");
    world.emulator.forget_calls();
    for flags in [&[][..], &["--manifest", "m.yaml"]] {
        let flags = [&["--fail-on-ambiguous"], flags].concat();
        apply(&world, "plan.json", &flags)
            .exits(1)
            .says("1 ambiguous pairing\n");
    }
    let fewer = with(&plan, |it| it["summary"]["ambiguous"] = json!(0));
    world.write("forged.json", &fewer.to_string());
    apply(&world, "forged.json", &["--fail-on-ambiguous"])
        .exits(1)
        .says("fewer ambiguous pairings than it shows");
    assert_eq!(world.writes(), []);
    apply(&world, "plan.json", &[]).exits(0);
    world.is_settled();
}

#[test]
fn a_dry_run_of_a_plan_file_prints_the_calls_of_apply_and_has_its_exit_code() {
    let world = World::new();
    world.declare(&boxes(0..4, "car"));
    world.apply(&[]).exits(0);
    world.declare(&boxes(0..1, "bus"));
    world.plan(&["--out", "plan.json"]).exits(0);
    // Since the plan, one to overwrite and one to delete were edited, and another one to delete was deleted.
    world.someone_marks_as_pending("in-000");
    world.someone_marks_as_pending("in-001");
    let gone = world.id_on("in-002");
    world.delete("in-002", &gone);
    let due = world.id_on("in-003");
    let dry = apply(&world, "plan.json", &["--dry-run"])
        .exits(4)
        .says("2 annotations changed since the plan");
    assert_eq!(dry.stdout.lines().count(), 1, "{}", dry.stdout);
    assert!(dry.stdout.contains(&due), "{}", dry.stdout);
    assert_eq!(world.annotations().len(), 3);
    apply(&world, "plan.json", &[])
        .exits(4)
        .says("Applied 1 (1 deleted), 1 already up to date, 2 stale");
    world.apply(&[]).exits(0);
}

#[test]
fn a_user_with_the_id_any_is_not_everybody() {
    let world = World::with(Config {
        owner: "any".to_owned(),
        ..Config::default()
    });
    let hers = whole("in-000", "hers", &[("tree", 1.0)]);
    world.seed(vec![crate::support::with(hers, "user_id", json!("bea"))]);
    let header = format!("{}owners: [any]\n", header());
    super::declare(&world, &header, "  - id: in-000\n    annotations: []\n");
    let mut plan = world.command();
    plan.args(["plan", "m.yaml", "--endpoint", &world.emulator.url()])
        .args(["--user-id", "any", "--app-id", "app", "--out", "plan.json"]);
    Run::of(plan).exits(0);
    assert_eq!(read(&world, "plan.json")["summary"]["delete"], 1);
    world.emulator.forget_calls();
    apply(&world, "plan.json", &[])
        .exits(1)
        .says("--allow-user bea");
    assert_eq!(world.writes(), []);
    apply(&world, "plan.json", &["--allow-user", "any"]).exits(0);
    assert_eq!(world.annotation("hers"), None);
}
