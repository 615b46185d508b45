//! Plan files that are applied later, after the app may have changed.

use super::{World, boxes};
use serde_json::{Value, json};

/// An app that needs every kind of write, planned into `plan.json`: `in-000` is relabelled, `in-001` gets a status,
/// `in-002` loses a concept, `in-003` is deleted, `in-004` is posted, `in-005` gets another user.
fn planned() -> World {
    let world = World::new();
    let labels = |third: &str| {
        let mut text = boxes(0..4, "car").replace("in-002", "in-002\n    # third");
        text.push_str(&boxes(5..6, "car"));
        let at = text.find("# third").unwrap();
        let (before, after) = text.split_at(at);
        format!("{before}{}", after.replacen("[car]", third, 1))
    };
    world.declare(&labels("[car, tree]"));
    world.apply(&[]).exits(0);
    let mut text = labels("[car]");
    text = text.replacen("[car]", "[person]", 1);
    text = text.replacen("[car]", "[car]\n        status: pending", 1);
    let gone = text.find("  - id: in-003").unwrap();
    let rest = text.find("  - id: in-005").unwrap();
    let last = text[rest..].replace("[car]", "[car]\n        user: bea");
    text = format!(
        "{}  - id: in-003\n    annotations: []\n{}{last}",
        &text[..gone],
        boxes(4..5, "car")
    );
    world.declare(&text);
    let plan = world.plan(&["--out", "plan.json"]).exits(0);
    assert!(
        plan.last_line().starts_with(
            "Plan: 1 to post, 1 to merge, 1 to overwrite, 1 to remove, 1 to replace, 1 to delete. "
        ),
        "{}",
        plan.stdout
    );
    world.emulator.forget_calls();
    world
}

#[test]
fn a_plan_file_applied_twice_writes_nothing_the_second_time() {
    let world = planned();
    let first = world.apply_path("plan.json", &[]).exits(0);
    assert_eq!(
        first.last_line(),
        "Applied 6 (1 posted, 1 merged, 1 overwritten, 1 removed, 1 replaced, 1 deleted), \
         0 already up to date, 0 failed, 0 not attempted."
    );
    // A replacement takes four calls; its post shares one with the new annotation.
    assert_eq!(world.writes().len(), 8, "{:#?}", world.writes());
    let before = world.annotations();
    let again = world.apply_path("plan.json", &[]).exits(0);
    assert_eq!(
        again.last_line(),
        "Applied 0, 6 already up to date, 0 failed, 0 not attempted."
    );
    assert_eq!(world.annotations(), before, "times of change included");
}

#[test]
fn annotations_edited_since_the_plan_are_kept_and_the_rest_is_applied() {
    for (input, kind, difference) in [
        ("in-000", "overwrite", "- concepts: [car]"),
        ("in-002", "remove", "+ concepts: [car]"),
        ("in-003", "delete", "Now stored:"),
        ("in-005", "replace", "+ user: bea"),
    ] {
        let world = planned();
        let id = world.id_on(input);
        world.someone_marks_as_pending(input);
        let edited = world.annotation(&id);
        let run = world.apply_path("plan.json", &["--full"]).exits(4);
        let line = format!("Stale: {kind} ");
        assert!(run.stdout.contains(&line), "{}", run.stdout);
        assert!(run.stdout.contains(&format!("of input {input}:")));
        assert!(run.stdout.contains(difference), "{}", run.stdout);
        assert!(run.last_line().starts_with("Applied 5 ("));
        assert!(
            run.last_line()
                .ends_with("0 already up to date, 1 stale, 0 failed, 0 not attempted.")
        );
        assert_eq!(world.annotation(&id), edited, "{input} was written");
        // A new plan shows the edit for review.
        world.plan(&["--detailed-exitcode"]).exits(2);
        world.apply(&[]).exits(0);
    }
}

#[test]
fn changes_that_somebody_made_exactly_as_planned_count_as_done() {
    let world = planned();
    world.someone_marks_as_pending("in-001");
    let run = world.apply_path("plan.json", &[]).exits(0);
    assert!(run.last_line().starts_with("Applied 5 ("));
    assert!(run.last_line().contains(", 1 already up to date, 0 failed"));
}

#[test]
fn annotations_deleted_since_the_plan_are_not_recreated() {
    let world = planned();
    let id = world.id_on("in-000");
    world.delete("in-000", &id);
    let run = world.apply_path("plan.json", &[]).exits(4);
    assert!(
        run.stdout
            .contains("it no longer exists. Nothing was written.")
    );
    assert_eq!(world.annotation(&id), None);
}

#[test]
fn a_post_with_a_taken_id_is_stale_and_the_others_are_sent() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    world.plan(&["--out", "plan.json"]).exits(0);
    let plan: Value = serde_json::from_str(&world.read("plan.json")).unwrap();
    let taken = plan["operations"][1]["id"].as_str().unwrap();
    world.seed(vec![crate::support::whole(
        "in-001",
        taken,
        &[("tree", 1.0)],
    )]);
    let theirs = world.annotation(taken);
    let run = world.apply_path("plan.json", &[]).exits(4);
    assert!(run.stdout.contains("Stale: post k of input in-001"));
    assert_eq!(
        run.last_line(),
        "Applied 2 (2 posted), 0 already up to date, 1 stale, 0 failed, 0 not attempted."
    );
    assert_eq!(world.annotation(taken), theirs);
}

/// The description of an alteration of a plan file, and the function that makes it.
type Alteration = (&'static str, fn(&mut Value));

#[test]
fn an_altered_plan_file_is_refused_before_any_call() {
    let world = planned();
    let plan: Value = serde_json::from_str(&world.read("plan.json")).unwrap();
    let alterations: [Alteration; 8] = [
        ("an operation is gone", |plan| {
            plan["operations"].as_array_mut().unwrap().pop();
        }),
        ("a count", |plan| plan["summary"]["delete"] = json!(0)),
        ("a call is gone", |plan| {
            plan["batches"].as_array_mut().unwrap().pop();
        }),
        ("another format", |plan| {
            plan["format_version"] = json!("1.0");
        }),
        ("a body", |plan| {
            for operation in plan["operations"].as_array_mut().unwrap() {
                let name = json!({"id": operation["id"], "input_id": operation["input_id"]});
                operation["body"] = name;
            }
        }),
        ("a delete of something else", |plan| {
            for operation in plan["operations"].as_array_mut().unwrap() {
                if operation["action"] == "merge" {
                    operation["action"] = json!("delete");
                }
            }
        }),
        ("no such operation", |plan| {
            plan["batches"][0]["operations"] = json!([99]);
        }),
        ("no such action", |plan| {
            plan["operations"][0]["action"] = json!("purge");
        }),
    ];
    for (what, alter) in alterations {
        let mut altered = plan.clone();
        alter(&mut altered);
        assert_ne!(altered, plan, "{what}");
        world.write("altered.json", &altered.to_string());
        let run = world.run(&["apply", "altered.json", "--auto-approve"]);
        assert_eq!(run.code, 1, "{what}: {}", run.stderr);
        assert!(
            run.stderr.contains("error: altered.json:"),
            "{what}: {}",
            run.stderr
        );
        assert!(run.stderr.contains("annosync plan --out"), "{}", run.stderr);
    }
    let text = world.read("plan.json");
    world.write("cut.json", &text[..text.len() / 2]);
    world.run(&["apply", "cut.json", "--auto-approve"]).exits(1);
    assert_eq!(world.emulator.calls(), [], "nothing was sent");
}

#[test]
fn a_plan_file_applies_only_to_its_own_app() {
    let world = planned();
    for flags in [
        &["--embedded", "other.db"][..],
        &["--user-id", "owner", "--app-id", "other"],
        &["--app-id", "other"],
        &["--endpoint", "https://api.clarifai.com"],
        &["--target", "prod"],
    ] {
        let run = world.run(&[&["apply", "plan.json", "--auto-approve"], flags].concat());
        assert_eq!(run.code, 64, "{flags:?} {}", run.stderr);
        assert!(
            run.stderr.contains("the plan file is for one target"),
            "{}",
            run.stderr
        );
    }
    assert_eq!(world.emulator.calls(), []);
    // Only the host is taken from the environment; the plan names its app.
    let mut command = world.command();
    command
        .args([
            "apply",
            "plan.json",
            "--auto-approve",
            "--manifest",
            "m.yaml",
        ])
        .env("CLARIFAI_API_BASE", world.emulator.url())
        .env("CLARIFAI_APP_ID", "other");
    super::Run::of(command).exits(0);
    world.is_settled();
}

#[test]
fn a_plan_without_a_target_cannot_be_applied() {
    let world = planned();
    let listing = world
        .on_app(&["list", "--all", "--format", "json"])
        .exits(0);
    world.write("listing.json", &listing.stdout);
    let offline = &[
        "plan",
        "m.yaml",
        "--observed",
        "listing.json",
        "--out",
        "o.json",
    ];
    world.run(offline).exits(0);
    let run = world.run(&["apply", "o.json", "--auto-approve"]).exits(64);
    assert!(
        run.stderr.contains("plan again with --target"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_same_manifest_and_app_give_the_same_plan_file() {
    let world = planned();
    let first = world.read("plan.json");
    let printed = world
        .plan(&["--format", "json", "--out", "plan.json"])
        .exits(0);
    assert_eq!(world.read("plan.json"), first);
    assert_eq!(printed.stdout, first);
    assert!(!first.contains("owner-key"));
}

#[test]
fn an_empty_plan_file_applies_nothing() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    world.apply(&[]).exits(0);
    world.plan(&["--out", "plan.json"]).exits(0);
    world.emulator.forget_calls();
    let run = world.apply_path("plan.json", &[]).exits(0);
    assert_eq!(run.last_line(), "No changes. 1 annotation matches.");
    assert_eq!(world.writes(), []);
}

#[test]
fn a_plan_file_is_applied_only_if_the_given_manifest_gives_the_same_plan() {
    let world = World::new();
    world.declare(&boxes(0..2, "car"));
    world.plan(&["--out", "plan.json"]).exits(0);
    let hash = |name: &str| {
        let plan: Value = serde_json::from_str(&world.read(name)).unwrap();
        plan["manifest_hash"].as_str().unwrap()[..12].to_owned()
    };
    world.declare(&boxes(0..3, "car"));
    let apply = [
        "apply",
        "plan.json",
        "--manifest",
        "m.yaml",
        "--auto-approve",
    ];
    let refused = world.run(&apply).exits(4);
    assert_eq!(refused.stdout, "");
    world.plan(&["--out", "other.json"]).exits(0);
    let expected = format!(
        "error: plan.json is a plan of another manifest (SHA-256 {}…), and m.yaml is now {}…; nothing was written\n\
         hint: plan again, and look at the new plan: annosync plan m.yaml --out plan.json\n",
        hash("plan.json"),
        hash("other.json"),
    );
    assert_eq!(refused.stderr, expected);
    assert_eq!(world.writes().len(), 0);
    // A comment does not change the labels, but this version of the file was not reviewed.
    world.declare(&format!("{}  # looked at\n", boxes(0..2, "car")));
    world.run(&apply).exits(4);
    world.declare(&boxes(0..2, "car"));
    world
        .apply_path("plan.json", &["--manifest", "m.yaml"])
        .exits(0);
}

#[test]
fn the_manifest_flag_requires_a_plan_file() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    for path in ["m.yaml", "missing.json"] {
        let refused = world.run(&["apply", path, "--manifest", "m.yaml", "--auto-approve"]);
        let refused = refused.exits(64);
        let line = format!("error: --manifest needs a plan file, and {path} is not one\n");
        assert!(refused.stderr.starts_with(&line), "{}", refused.stderr);
    }
    world.plan(&["--out", "plan.json"]).exits(0);
    // A manifest that cannot be read does not match.
    world.write("m.yaml", "version: 1\n");
    world
        .run(&[
            "apply",
            "plan.json",
            "--manifest",
            "m.yaml",
            "--auto-approve",
        ])
        .exits(1);
    assert_eq!(world.writes().len(), 0);
}
