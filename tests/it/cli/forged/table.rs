//! One row per attack: the change to a plan file, the arguments of its apply, and the result.

mod guards;

use super::{
    HEADER, OTHER_SET, World, apply, changed, declare, labels, read, row, rows, scene, wanted,
};
use crate::cli::boxes;
use crate::support::png;
use annosync::model::fingerprint;
use serde_json::{Value, json};

/// A forged file that is refused before anything is sent.
pub(super) struct Refused {
    pub(super) what: &'static str,
    pub(super) file: Value,
    pub(super) flags: &'static [&'static str],
    pub(super) code: i32,
    pub(super) says: &'static str,
}

/// Checks the exit code and the message of every row, and that the app is unchanged.
pub(super) fn refused(world: &World, table: Vec<Refused>) {
    let before = super::rows(world);
    for row in table {
        world.write("forged.json", &row.file.to_string());
        world.emulator.forget_calls();
        let run = apply(world, "forged.json", row.flags);
        let told = format!("{}: exit code {}\n{}", row.what, run.code, run.stderr);
        assert_eq!(run.code, row.code, "{told}");
        assert!(run.stderr.contains(row.says), "{told}");
        assert_eq!(world.writes(), [], "{told}");
        assert_eq!(super::rows(world), before, "{told}");
    }
}

/// The operation of this action.
fn of<'v>(plan: &'v mut Value, action: &str) -> &'v mut Value {
    let operations = plan["operations"].as_array_mut().unwrap();
    operations
        .iter_mut()
        .find(|it| it["action"] == action)
        .unwrap()
}

/// The plan with a change.
pub(super) fn with(plan: &Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut plan = plan.clone();
    let before = plan.clone();
    change(&mut plan);
    assert_ne!(plan, before);
    plan
}

/// A plan made from the forger's manifest, with the hash of the real one.
pub(super) fn of_another_manifest(
    world: &World,
    header: &str,
    inputs: &str,
    flags: &[&str],
) -> Value {
    let real = world.read("m.yaml");
    let hash = read(world, "plan.json")["manifest_hash"].clone();
    declare(world, header, inputs);
    let run = world.plan(&[&["--out", "other.json"], flags].concat());
    assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
    world.write("m.yaml", &real);
    with(&read(world, "other.json"), |plan| {
        plan["manifest_hash"] = hash;
    })
}

/// A plan with one delete, of an annotation that no plan would delete. Everything that it shows and counts is true.
fn lone_delete(world: &World, row: &Value) -> Value {
    let fewer = labels().replace(&boxes(3..4, "car"), "  - id: in-003\n    annotations: []\n");
    let plan = of_another_manifest(world, HEADER, &fewer, &[]);
    with(&plan, |it| {
        let operation = of(it, "delete");
        retargeted(operation, row);
        let user = row["user_id"].as_str();
        let needs = user.unwrap_or("owner");
        operation["needs"] = json!(needs);
        let lost = operation["before"]["concepts"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let class = |concept: &String| json!({"concept": concept, "before": 9, "after": 8});
        let summary = it["summary"].as_object_mut().unwrap();
        summary["classes"] = lost.keys().map(class).collect();
        if lost.is_empty() {
            summary.remove("classes");
        }
        summary["needs"] = json!([{"user": needs, "changes": 1, "posts": 0}]);
        if user != Some("owner") {
            let mut others = json!({"user": user, "changed": 0, "deleted": 1});
            if user.is_none() {
                others.as_object_mut().unwrap().remove("user");
            }
            summary.insert("others".into(), json!([others]));
        }
    })
}

/// An operation retargeted to another annotation; everything that it shows of that annotation is true.
pub(super) fn retargeted(operation: &mut Value, row: &Value) {
    let annotation = super::decoded(row);
    operation["id"] = row["id"].clone();
    operation["input_id"] = row["input_id"].clone();
    operation["fingerprint"] = json!(fingerprint(&annotation).to_string());
    operation["before"] = serde_json::to_value(annotation.content()).unwrap();
    match &annotation.user {
        Some(user) => operation["seen"]["user"] = json!(user),
        None => drop(operation["seen"].as_object_mut().unwrap().remove("user")),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row an attack")]
fn forged_operations_are_refused() {
    let world = scene();
    let plan = read(&world, "plan.json");
    let attack = |what, file, says| Refused {
        what,
        file,
        flags: &[],
        code: 1,
        says,
    };
    let body = |action: &'static str, body: Value| with(&plan, |it| of(it, action)["body"] = body);
    let named = |action: &str, data: Value| {
        let mut plan = plan.clone();
        let operation = of(&mut plan, action);
        json!({"id": operation["id"], "input_id": operation["input_id"], "data": data})
    };
    refused(
        &world,
        vec![
            attack(
                "a merge that carries data",
                body("merge", named("merge", json!({}))),
                "`body` is not allowed",
            ),
            attack(
                "a replacement that loses its data",
                body("replace", named("replace", json!({}))),
                "`body` is not allowed",
            ),
            attack(
                "an overwrite without data",
                body("overwrite", named("overwrite", json!({}))),
                "`body` is not allowed",
            ),
            attack(
                "a merge that relabels",
                body(
                    "merge",
                    named("merge", json!({"concepts": [{"id": "bus", "value": 1}]})),
                ),
                "`body` is not allowed",
            ),
            attack(
                "an overwrite that shows another state before",
                with(&plan, |it| {
                    of(it, "overwrite")["before"]["concepts"] = json!({"tree": 1});
                }),
                "its summary does not match its operations",
            ),
            attack(
                "a merge that shows another state before",
                with(&plan, |it| {
                    of(it, "merge")["before"]["status"] = json!("awaiting_review");
                }),
                "the annotation differs from what the plan shows",
            ),
            attack(
                "a merge that is shown as an overwrite",
                with(&plan, |it| {
                    of(it, "merge")["action"] = json!("overwrite");
                    it["summary"]["merge"] = json!(0);
                    it["summary"]["overwrite"] = json!(2);
                    it["batches"]
                        .as_array_mut()
                        .unwrap()
                        .retain(|batch| batch["call"] != "merge");
                    let calls = json!(it["batches"].as_array().unwrap().len());
                    it["summary"]["calls"] = calls.clone();
                    it["summary"]["lower_bound"] = calls;
                    for batch in it["batches"].as_array_mut().unwrap() {
                        if batch["call"] == "overwrite" {
                            let both = [0, 1, 2, 3, 4, 5].map(|at| json!(at));
                            let all = plan["operations"].as_array().unwrap();
                            let is_it = |at: &&Value| {
                                let action = &all[at.as_u64().unwrap() as usize]["action"];
                                action == "overwrite" || action == "merge"
                            };
                            batch["operations"] = both.iter().filter(is_it).cloned().collect();
                        }
                    }
                }),
                "the change that the plan shows requires a merge",
            ),
            attack(
                "the same operation twice",
                with(&plan, |it| {
                    let delete = of(it, "delete").clone();
                    it["operations"].as_array_mut().unwrap().push(delete);
                }),
                "its calls do not match its operations",
            ),
            attack(
                "a delete that is not counted",
                with(&plan, |it| it["summary"]["delete"] = json!(0)),
                "its summary does not match its operations",
            ),
            attack(
                "a vanishing class that is shown as remaining",
                with(&plan, |it| it["summary"]["classes"] = json!([])),
                "its summary does not match the concepts that its operations change",
            ),
            attack(
                "fewer calls than it makes",
                with(&plan, |it| it["summary"]["calls"] = json!(1)),
                "its summary does not match its calls",
            ),
            attack(
                "another owner of the app",
                with(&plan, |it| it["app_owner"] = json!("bea")),
                "the user of its target is not its app owner",
            ),
            attack(
                "a write that seems to require no token",
                with(&plan, |it| {
                    drop(of(it, "delete").as_object_mut().unwrap().remove("needs"));
                }),
                "the users whose tokens it requires do not match its operations",
            ),
            attack(
                "a policy that deletes nothing",
                with(&plan, |it| it["policy"] = json!("upsert")),
                "the plan's policy does not delete",
            ),
            attack(
                "a policy that changes nothing",
                with(&plan, |it| it["policy"] = json!("create")),
                "the plan's policy does not change annotations",
            ),
            attack(
                "another mask",
                with(&plan, |it| {
                    use base64::Engine as _;
                    let other = base64::engine::general_purpose::STANDARD.encode(png(2, &[255; 4]));
                    for (_, file) in it["masks"].as_object_mut().unwrap() {
                        *file = json!(other);
                    }
                }),
                "the pixels of a mask do not match its hash",
            ),
            attack(
                "no mask",
                with(&plan, |it| it["masks"] = json!({})),
                "the file of a mask is missing",
            ),
            attack(
                "a post under the id of another set",
                with(&plan, |it| {
                    let post = of(it, "post");
                    post["id"] = json!("as-00000000-00000000000000000002");
                    post.as_object_mut().unwrap().remove("key");
                }),
                "its id belongs to another label set",
            ),
            attack(
                "the name of another annotation",
                with(&plan, |it| of(it, "delete")["key"] = json!("another")),
                "its key belongs to another annotation",
            ),
            attack(
                "a box without edges, which would label the whole input",
                with(&plan, |it| {
                    of(it, "post")["after"]["box"]["top"] = json!(1.5);
                }),
                "`box`: ",
            ),
            attack(
                "an older format",
                with(&plan, |it| it["format_version"] = json!("1.0")),
                "format version \"1.0\"",
            ),
        ],
    );
    apply(&world, "plan.json", &[]).exits(0);
    world.is_settled();
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row an attack")]
fn forged_owners_are_refused() {
    let world = scene();
    let all = rows(&world);
    let delete = |id: &str| lone_delete(&world, row(&all, id));
    let input_level = all
        .values()
        .find(|it| it["input_level"] == true && it["input_id"] == "in-003");
    let input_level = input_level.unwrap()["id"].as_str().unwrap().to_owned();
    let everybodys = of_another_manifest(
        &world,
        &format!("{HEADER}owners: [any]\n"),
        &relabel_in_006(),
        &[],
    );
    let adopted = of_another_manifest(
        &world,
        HEADER,
        &changed(
            &labels(),
            "in-007",
            "- key: k",
            "- key: k\n        status: success",
        ),
        &["--adopt-set", "as-00000000"],
    );
    assert!(everybodys.to_string().contains("\"hers\""), "{everybodys}");
    assert!(adopted.to_string().contains(OTHER_SET), "{adopted}");
    let mut table = Vec::new();
    for (what, file, flags, says) in [
        (
            "another user's, with owners: any",
            everybodys.clone(),
            &[][..],
            "--allow-user bea",
        ),
        (
            "another user's, added to the owners",
            with(&everybodys, |it| it["owners"] = json!(["bea", "owner"])),
            &[],
            "it belongs to bea",
        ),
        (
            "another user's, who is not an owner",
            with(&everybodys, |it| it["owners"] = json!(["owner"])),
            &["--allow-user", "bea"],
            "it belongs to bea, who is not an owner of this plan",
        ),
        (
            "another set's",
            adopted.clone(),
            &[],
            "it belongs to another label set",
        ),
        (
            "another set's, with its name removed",
            with(&adopted, |it| {
                drop(it.as_object_mut().unwrap().remove("adopts"));
            }),
            &["--adopt-set", "as-00000000"],
            "it belongs to another label set",
        ),
        (
            "another user's, with the right fingerprint",
            delete("hers"),
            &[],
            "it belongs to bea; a plan file writes only",
        ),
        (
            "a model's, with the right fingerprint",
            delete("m1"),
            &["--allow-user", "any"],
            "a model made it",
        ),
        (
            "another set's, with the right fingerprint",
            delete(OTHER_SET),
            &["--allow-user", "any"],
            "it belongs to another label set",
        ),
        (
            "an input's own",
            delete(&input_level),
            &[],
            "cannot be deleted",
        ),
        (
            "another user's, shown with a third user",
            with(&everybodys, |it| {
                for operation in it["operations"].as_array_mut().unwrap() {
                    if operation["id"] == "hers" {
                        operation["seen"]["user"] = json!("owner");
                    }
                }
            }),
            &["--allow-user", "any"],
            "the plan was altered",
        ),
        (
            "an annotation on an undeclared input",
            with(&delete("mine"), |it| {
                of(it, "delete")["reason"] = json!("input_not_declared");
            }),
            &[],
            "its input is not declared, and the plan's set did not make it",
        ),
    ] {
        table.push(Refused {
            what,
            file,
            flags,
            code: 1,
            says,
        });
    }
    refused(&world, table);
    // The right flag or the manifest allows it.
    world.write("other.json", &everybodys.to_string());
    apply(&world, "other.json", &["--allow-user", "any"]).exits(0);
    assert_eq!(world.annotation("hers"), None);
}

#[test]
fn forged_plans_with_a_manifest_are_refused() {
    let world = scene();
    let with_manifest: &[&str] = &["--manifest", "m.yaml"];
    let more = of_another_manifest(&world, HEADER, &relabel_more(), &[]);
    let without = {
        // One delete less, and everything recounted, as in a plan with another policy.
        let upsert = HEADER.replace("sync", "upsert");
        let plan = of_another_manifest(&world, &upsert, &wanted(), &[]);
        with(&plan, |it| it["policy"] = json!("sync"))
    };
    let purging = of_another_manifest(
        &world,
        HEADER,
        "  - id: in-006\n    purge: true\n",
        &["--allow-empty"],
    );
    let mut table = Vec::new();
    for (what, file, flags, code, says) in [
        ("a write more", more, with_manifest, 4, "overwrite as-"),
        ("a delete less", without, with_manifest, 4, "(missing)"),
        (
            "a purge that was not allowed",
            purging.clone(),
            &[],
            3,
            "--allow-purge",
        ),
        (
            "a purge that shows an annotation of another user",
            with(&purging, |it| {
                for gone in it["purges"][0]["annotations"].as_array_mut().unwrap() {
                    if gone["id"] == "hers" {
                        gone["user"] = json!("owner");
                    }
                }
            }),
            &["--allow-purge"],
            1,
            "",
        ),
        (
            "a purge that its manifest does not declare",
            purging,
            &["--manifest", "m.yaml", "--allow-purge"],
            4,
            "",
        ),
    ] {
        table.push(Refused {
            what,
            file,
            flags,
            code,
            says,
        });
    }
    refused(&world, table);
    world.apply_path("plan.json", &[]).exits(0);
}

/// The manifest with one additional label.
fn relabel_more() -> String {
    changed(&wanted(), "in-010", "[car]", "[bus]")
}

/// The labels, with `in-006` as if only the set's own annotation belonged there.
fn relabel_in_006() -> String {
    changed(
        &labels(),
        "in-006",
        "- key: k",
        "- key: k\n        status: success",
    )
}
