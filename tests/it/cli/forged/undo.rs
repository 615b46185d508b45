//! The same attacks on the file that undoes an apply, which has to carry what it restores.

use super::{OTHER_SET, Run, World, apply, read, row, rows, scene};
use crate::cli::boxes;
use annosync::model::fingerprint;
use serde_json::{Value, json};

/// An undo that is changed.
type Change = Box<dyn Fn(&mut Value)>;

fn each(plan: &mut Value, action: &str, change: impl Fn(&mut Value)) {
    let operations = plan["operations"].as_array_mut().unwrap();
    let of_action = operations.iter_mut().filter(|it| it["action"] == action);
    of_action.for_each(change);
}

/// An undo of one post, which deletes another annotation, and shows all of it.
fn deletes(undo: &Value, row: &Value) -> Value {
    let mut undo = undo.clone();
    let needs = row["user_id"].as_str().unwrap_or("owner").to_owned();
    each(&mut undo, "delete", |operation| {
        let annotation = super::decoded(row);
        operation["id"] = row["id"].clone();
        operation["input_id"] = row["input_id"].clone();
        operation["fingerprint"] = json!(fingerprint(&annotation).to_string());
        operation["before"] = serde_json::to_value(annotation.content()).unwrap();
        operation["needs"] = json!(needs);
        operation.as_object_mut().unwrap().remove("key");
    });
    undo["summary"]["needs"] = json!([{"user": needs, "changes": 1, "posts": 0}]);
    undo
}

#[test]
fn an_undo_file_deletes_only_what_its_apply_can_have_posted() {
    let world = scene();
    super::declare(
        &world,
        super::HEADER,
        &(super::labels() + &boxes(20..21, "car")),
    );
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    let undo = read(&world, "undo.json");
    assert_eq!(undo["operations"].as_array().unwrap().len(), 1);
    let all = rows(&world);
    let level = all.values().find(|it| it["input_level"] == true).unwrap();
    let mut level = level.clone();
    level["user_id"] = json!("owner");
    for (what, row, flags, says) in [
        (
            "another user's",
            row(&all, "hers"),
            &[][..],
            "--allow-user bea",
        ),
        (
            "a model's",
            row(&all, "m1"),
            &["--allow-user", "any"],
            "a model made it",
        ),
        (
            "another set's",
            row(&all, OTHER_SET),
            &["--allow-user", "any"],
            "it belongs to another label set",
        ),
        ("an input's own", &level, &[], "cannot be deleted"),
    ] {
        world.write("forged.json", &deletes(&undo, row).to_string());
        world.emulator.forget_calls();
        let run = apply(&world, "forged.json", flags);
        assert_eq!(run.code, 1, "{what}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{what}: {}", run.stderr);
        assert_eq!(
            (rows(&world), world.writes()),
            (all.clone(), vec![]),
            "{what}"
        );
    }
    // An undo with many deletes is guarded like a plan.
    super::declare(&world, super::HEADER, &super::labels());
    world.apply(&[]).exits(0);
    super::declare(
        &world,
        super::HEADER,
        &(super::labels() + &boxes(20..40, "car")),
    );
    world.apply(&["--undo-out", "many.json"]).exits(0);
    let mut many = read(&world, "many.json");
    assert_ne!(many["guards"], json!([]));
    many["guards"] = json!([]);
    for existing in [1_000_000, 0] {
        many["summary"]["existing"] = json!(existing);
        world.write("forged.json", &many.to_string());
        apply(&world, "forged.json", &[])
            .exits(3)
            .says("20 deletes of ");
    }
    apply(&world, "forged.json", &["--allow-deletes", "20"]).exits(0);
    super::declare(&world, super::HEADER, &super::labels());
    world.is_settled();
}

#[test]
fn an_undo_file_cannot_pass_as_the_plan_of_a_manifest() {
    let world = scene();
    world
        .apply_path("plan.json", &["--undo-out", "undo.json"])
        .exits(0);
    let undo = read(&world, "undo.json");
    assert_eq!(
        undo["manifest_hash"],
        read(&world, "plan.json")["manifest_hash"]
    );
    let all = rows(&world);
    world.emulator.forget_calls();
    apply(&world, "undo.json", &["--manifest", "m.yaml"])
        .exits(64)
        .says("undoes an apply, and no manifest makes such a plan; nothing was written")
        .says("apply it by hand without --manifest");
    assert_eq!(world.emulator.calls(), []);
    assert_eq!(rows(&world), all);
    world.is_settled();
}

#[test]
fn an_undo_file_may_do_no_more_than_a_plan_file() {
    let world = scene();
    world
        .apply_path("plan.json", &["--undo-out", "undo.json"])
        .exits(0);
    let undo = read(&world, "undo.json");
    let all = rows(&world);
    let put = |action: &'static str, path: [&'static str; 2], value: Value| -> Change {
        Box::new(move |plan| {
            each(plan, action, |it| it[path[0]][path[1]] = value.clone());
        })
    };
    let changes: Vec<(&str, Change, &str)> = vec![
        (
            "an overwrite without data",
            put("overwrite", ["body", "data"], json!({})),
            "not what it shows",
        ),
        (
            "a post without data",
            put("post", ["body", "data"], json!({})),
            "not what it shows",
        ),
        (
            "a replacement without data",
            put("replace", ["body", "data"], json!({})),
            "not what it shows",
        ),
        (
            "another status",
            put("overwrite", ["body", "status"], json!({"code": 24158})),
            "not what it shows",
        ),
        (
            "another annotation's body",
            put("post", ["body", "id"], json!("hers")),
            "its body names another annotation",
        ),
        (
            "a policy that deletes nothing",
            Box::new(|it| it["policy"] = json!("create")),
            "policy",
        ),
        (
            "the same twice",
            Box::new(|it| {
                let operations = it["operations"].as_array_mut().unwrap();
                let first = operations[0].clone();
                operations.push(first);
            }),
            "the plan was altered",
        ),
        (
            "a merge",
            Box::new(|it| each(it, "overwrite", |it| it["action"] = json!("merge"))),
            "the plan was altered",
        ),
        (
            "a purge",
            Box::new(|it| {
                it["purges"] = json!([{"input_id": "in-006", "annotations": []}]);
            }),
            "the plan was altered",
        ),
    ];
    for (what, change, says) in changes {
        let mut forged = undo.clone();
        change(&mut forged);
        assert_ne!(forged, undo, "{what}");
        world.write("forged.json", &forged.to_string());
        world.emulator.forget_calls();
        let run: Run = apply(&world, "forged.json", &[]);
        assert_eq!(run.code, 1, "{what}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{what}: {}", run.stderr);
        assert_eq!(rows(&world), all, "{what}");
        assert_eq!(world.writes(), [], "{what}");
    }
    world.is_settled();
    apply(&world, "undo.json", &[]).exits(0);
    check_is_undone(&world, &all);
}

/// Checks that everything that the apply changed is restored.
fn check_is_undone(world: &World, applied: &super::Rows) {
    assert_ne!(rows(world), *applied);
    world.plan(&["--detailed-exitcode"]).exits(2);
    let plan = super::read(world, "plan.json");
    let again = world.plan_json();
    assert_eq!(
        again["summary"]["relabelled"],
        plan["summary"]["relabelled"]
    );
    assert_eq!(again["summary"]["classes"], plan["summary"]["classes"]);
}
