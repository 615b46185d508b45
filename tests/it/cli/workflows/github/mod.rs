//! The workflows for GitHub Actions, from the first branch to the last apply.

mod action;
mod expressions;
mod hub;

use super::LABELS;
use hub::GitHub;
use serde_json::json;
use std::fs;

/// Relabels the first car of the example.
#[test]
fn a_label_is_edited_on_a_branch_planned_commented_merged_and_applied() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    // The first apply was manual: a commit without a plan is accepted if there is nothing to apply.
    hub.pushed_to_main().exits(0).says("No changes.");

    project.branch("edit");
    project.relabel();
    let planned = hub.push(1, "edit").exits(0);
    let first = hub.comment(1);
    assert!(first.starts_with("<!-- annosync:plan"), "{first}");
    assert!(first.contains("person"), "{first}");
    assert!(first.contains("/acme/street/actions/runs/1001"), "{first}");
    assert!(
        first.contains(planned.summary.trim_end()),
        "{}",
        planned.summary
    );
    assert_eq!(project.world.writes().len(), 0, "a plan writes nothing");

    // A user quotes the comment: that reply is not changed.
    let mut comments = hub.read("comments");
    comments.push(json!({"id": 7, "pull": "1", "user": {"login": "bea"}, "body": first}));
    hub.write("comments", &comments.into());
    // A second push updates the same comment.
    project.edit(LABELS, "night: false", "night: true");
    let planned = hub.push(1, "edit").exits(0);
    let second = hub.comment(1);
    assert!(second.contains("night"), "{second}");
    assert_ne!(first, second);
    assert_eq!(hub.read("comments").len(), 2);

    let applied = hub.merge(1, "edit").exits(0);
    assert!(applied.log.contains("No changes."), "{}", applied.log);
    assert!(
        applied.summary.contains("Applied 2 ("),
        "{}",
        applied.summary
    );
    assert_eq!(project.count("person"), 1);
    project.is_settled();
    // The applied plan is the shown one, byte for byte.
    let reviewed = hub.artifact(planned.id, "annosync-plan").join("plan.json");
    let carried_out = applied.folder.join("workspace/reviewed/plan.json");
    assert_eq!(fs::read(reviewed).unwrap(), fs::read(carried_out).unwrap());

    // It can be undone.
    let kept = hub.artifact(applied.id, "annosync-apply-1");
    let log = fs::read_to_string(kept.join("apply.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2, "{log}");
    let undo = kept.join("undo.json");
    let undo = undo.to_str().unwrap();
    let undone = project.run(
        &project.dev(),
        &[
            "apply",
            undo,
            "--auto-approve",
            "--endpoint",
            &project.world.emulator.url(),
        ],
    );
    undone.exits(0);
    assert_eq!(project.count("person"), 0);
}

#[test]
fn pictures_of_the_changes_are_an_artifact_and_on_a_branch_if_one_is_named() {
    let Some(mut hub) = GitHub::new() else { return };
    hub.project.branch("edit");
    hub.project.relabel();
    let run = hub.push(1, "edit").exits(0);
    let sheet = hub
        .artifact(run.id, "annosync-pictures")
        .join("sheet-001.png");
    let first = fs::read(sheet).unwrap();
    let comment = hub.comment(1);
    assert!(
        comment.contains("\n`sheet-001.png`: change 1\n"),
        "{comment}"
    );
    let dev = hub.project.dev();
    let branches = |hub: &GitHub| {
        hub.project.git(
            &dev,
            &["ls-remote", "origin", "refs/heads/annosync-pictures"],
        )
    };
    assert_eq!(branches(&hub), "");

    hub.pictures = "annosync-pictures";
    for number in [1, 2] {
        let name = format!("edit-{number}");
        hub.project.branch(&name);
        hub.project.relabel();
        hub.push(number, &name).exits(0);
        let head = hub.project.git(&dev, &["rev-parse", &name]);
        let place = format!("pull-{number}/{head}/sheet-001.png");
        let shown = format!("(<https://github.com/acme/street/raw/annosync-pictures/{place}>)");
        let comment = hub.comment(number);
        assert!(comment.contains(&shown), "{comment}");
        assert_ne!(branches(&hub), "");
        hub.project
            .git(&dev, &["fetch", "-q", "origin", "annosync-pictures"]);
        let size = hub
            .project
            .git(&dev, &["cat-file", "-s", &format!("FETCH_HEAD:{place}")]);
        assert_eq!(size, first.len().to_string());
    }
    let files = ["ls-tree", "-r", "--name-only", "FETCH_HEAD"];
    let files = hub.project.git(&dev, &files);
    assert_eq!(files.lines().count(), 2, "only pictures, of both: {files}");
}

#[test]
fn a_plan_for_another_main_is_refused_and_a_new_one_is_applied() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    project.branch("one");
    project.relabel();
    hub.push(1, "one").exits(0);
    project.branch("two");
    project.edit(LABELS, "night: false", "night: true");
    hub.push(2, "two").exits(0);
    hub.merge(1, "one").exits(0);
    project.world.emulator.forget_calls();
    let refused = hub.merge(2, "two").exits(4);
    assert_eq!(project.world.writes().len(), 0);
    refused
        .says("is a plan of another manifest")
        .says("::error::The reviewed plan was not fully applied (exit code 4). To have a new plan reviewed, open a pull request");
    // The suggested solution.
    project.branch("three");
    hub.push(3, "three").exits(3);
    hub.label(3, "annosync-allow-reverts").exits(0);
    assert!(hub.comment(3).contains("night"));
    hub.merge(3, "three").exits(0);
    project.is_settled();
}

#[test]
fn changes_in_the_app_after_the_plan_are_kept() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    project.branch("edit");
    project.relabel();
    project.edit(LABELS, "left: 0.05", "left: 0.06");
    project.edit(LABELS, "night: false", "night: true");
    hub.push(1, "edit").exits(0);
    let night = project.id_of("night");
    project.someone_marks_as_pending(&night);
    let theirs = project.world.annotation(&night);
    let applied = hub.merge(1, "edit").exits(4);
    assert!(
        hub.artifact(applied.id, "annosync-apply-1")
            .join("undo.json")
            .is_file()
    );
    applied.says("Applied 2 (2 overwritten), 0 already up to date, 1 stale");
    assert_eq!(project.world.annotation(&night), theirs);
    assert_eq!(project.count("person"), 1, "the others are applied");
}

#[test]
fn changes_in_the_app_before_the_plan_are_shown_separately_and_reverted_only_with_a_label() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    let street = project.id_of("street");
    let world = &project.world;
    world.someone_labels("example-0001", &street, "tree");
    world.emulator.forget_calls();
    project.branch("edit");
    project.relabel();
    // It stops, also with another label.
    hub.push(1, "edit").exits(3);
    let comment = hub.comment(1);
    assert!(
        comment.contains("set the label `annosync-allow-reverts`"),
        "{comment}"
    );
    hub.label(1, "annosync-allow-guards").exits(3);
    hub.label(1, "annosync-allow-reverts").exits(0);
    let comment = hub.comment(1);
    assert!(
        comment.contains(
            "> **Let pass:** 1 annotation added, changed or deleted in the app since the base."
        ),
        "{comment}"
    );
    let (_, apart) = comment.split_once("### Reverts").unwrap();
    let (apart, rest) = apart.split_once("\n### ").unwrap();
    assert!(
        apart.contains("[night: false, street, tree -> night: false, street]"),
        "{apart}"
    );
    assert!(
        apart.contains("| user `owner`, last written `20"),
        "{apart}"
    );
    assert!(!apart.contains("person"), "{apart}");
    assert!(rest.contains("person"), "{rest}");
    assert_eq!(world.writes().len(), 0);
    // It was reviewed and merged.
    hub.merge(1, "edit").exits(0);
    assert_eq!(project.count("tree"), 1);
    project.is_settled();
}

#[test]
fn an_unreviewed_commit_is_not_applied() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    let dev = project.dev();
    // A direct push to main.
    project.relabel();
    project.push("main");
    hub.pushed_to_main()
        .exits(1)
        .says("::error::No reviewed plan of this commit was found; nothing was applied.");
    assert_eq!(project.world.writes().len(), 0);
    // A pull request without a plan artifact.
    project.branch("edit");
    let run = hub.push(1, "edit").exits(3);
    fs::remove_dir_all(hub.artifact(run.id, "annosync-plan")).unwrap();
    hub.merge(1, "edit").exits(1).says("left no plan");
    assert_eq!(project.world.writes().len(), 0);
    // A commit of a pull request that is not its merge commit: the state of main was not reviewed.
    project.branch("late");
    hub.push(2, "late").exits(3);
    project.merge("late");
    project.edit(LABELS, "night: false", "night: true");
    project.push("main");
    let on_main = project.git(&dev, &["rev-parse", "main"]);
    let mut pulls = hub.read("pulls");
    pulls[1]["merged_at"] = "2026-01-01T00:00:00Z".into();
    pulls[1]["commits"] = json!([on_main]);
    hub.write("pulls", &pulls.into());
    hub.pushed_to_main().exits(1).says("No reviewed plan");
    assert_eq!(project.world.writes().len(), 0);
}

#[test]
fn a_fork_gets_no_plan_and_a_plan_made_by_it_is_not_applied() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    project.branch("edit");
    project.relabel();
    let skipped = hub.push_from(1, "edit", "mallory/street", "fork").exits(0);
    assert_eq!(hub.read("comments").len(), 0);
    // The fork's own workflow uploads a plan that fits the manifest.
    let artifact = hub.artifact(skipped.id, "annosync-plan");
    fs::create_dir_all(&artifact).unwrap();
    let out = artifact.join("plan.json");
    let plan = ["plan", "--target", "prod", "--out"];
    let plan = [&plan[..], &[out.to_str().unwrap()]].concat();
    project.run(&project.dev(), &plan).exits(0);
    skipped.says("::notice::No plan: a pull request from a fork gets no token.");
    hub.merge(1, "edit")
        .exits(1)
        .says("No pull request of this repository was merged as ");
    assert_eq!(project.world.writes().len(), 0);
}

#[test]
fn the_token_is_not_sent_to_a_host_named_by_a_pull_request_or_plan() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    let url = project.world.emulator.url();
    // No server listens there: a call to it would fail with another error.
    let other = "http://127.0.0.1:1";
    project.branch("host");
    project.edit("annosync.yaml", &url, other);
    hub.push(1, "host").exits(1).says(&format!(
        "--endpoint names {url}, and target prod of the manifest names {other}"
    ));
    // A branch's own workflow can upload any plan.
    project.branch("edit");
    project.relabel();
    let planned = hub.push(2, "edit").exits(0);
    let file = hub.artifact(planned.id, "annosync-plan").join("plan.json");
    let plan = fs::read_to_string(&file).unwrap();
    fs::write(&file, plan.replace(&url, other)).unwrap();
    project.world.emulator.forget_calls();
    hub.merge(2, "edit")
        .exits(64)
        .says("the plan file is for one target, and the flags name another");
    assert_eq!(project.world.writes().len(), 0);
}

#[test]
fn an_undo_or_a_plan_with_another_base_is_not_applied_instead_of_the_plan() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    let dev = project.dev();
    project.branch("one");
    project.edit(LABELS, "night: false", "night: true");
    hub.push(1, "one").exits(0);
    let applied = hub.merge(1, "one").exits(0);
    let undo = hub
        .artifact(applied.id, "annosync-apply-1")
        .join("undo.json");
    // A change made in the app, which is reverted only with a label.
    let street = project.id_of("street");
    project
        .world
        .someone_labels("example-0001", &street, "tree");
    let theirs = project.world.annotation(&street);
    for (number, branch, code, says) in [
        (
            2,
            "undo",
            64,
            "undoes an apply, and no manifest makes such a plan",
        ),
        (3, "bare", 4, "planned without a base, and apply names"),
        (4, "older", 4, "planned with base main~2 ("),
    ] {
        project.branch(branch);
        project.edit(LABELS, "concepts: [car]", "concepts: [car] # seen");
        let planned = hub.push(number, branch).exits(3);
        let file = hub.artifact(planned.id, "annosync-plan").join("plan.json");
        let out = file.to_str().unwrap();
        let plan = ["plan", "--target", "prod", "--out", out];
        let older = [&plan[..], &["--base", "main~2"]].concat();
        match branch {
            "undo" => {
                let text = fs::read_to_string(&file).unwrap();
                let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
                let undo = fs::read_to_string(&undo).unwrap();
                let mut undo: serde_json::Value = serde_json::from_str(&undo).unwrap();
                undo["manifest_hash"] = plan["manifest_hash"].clone();
                fs::write(&file, undo.to_string()).unwrap();
            }
            "bare" => drop(project.run(&dev, &plan).exits(0)),
            _ => drop(project.run(&dev, &older).exits(0)),
        }
        project.world.emulator.forget_calls();
        hub.merge(number, branch).exits(code).says(says);
        assert_eq!(project.world.writes(), [], "{branch}");
        assert_eq!(project.world.annotation(&street), theirs, "{branch}");
    }
}

#[test]
fn a_plan_that_a_guard_stops_is_commented_and_fails_and_is_not_applied() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    project.branch("edit");
    project.guard_few();
    project.relabel();
    project.relabel();
    let stopped = hub.push(1, "edit").exits(3);
    assert!(hub.comment(1).contains("person"));
    assert!(stopped.summary.contains("person"));
    stopped.says("::error::The plan was stopped.");
    hub.merge(1, "edit").exits(3);
    assert_eq!(project.world.writes().len(), 0);
    // The suggested solution: the limit, in the pull request.
    project.branch("limit");
    project.edit(
        "annosync.yaml",
        "max_vanished_concepts: 0",
        "max_vanished_concepts: 1",
    );
    hub.push(2, "limit").exits(3);
    hub.label(2, "annosync-allow-reverts").exits(0);
    hub.merge(2, "limit").exits(0);
    assert_eq!(project.count("person"), 2);
    project.is_settled();
}

#[test]
fn a_label_lets_a_guarded_plan_pass_and_the_apply_carries_out_what_was_recorded() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    project.branch("edit");
    project.guard_few();
    project.relabel();
    project.relabel();
    // A file of the pull request cannot replace the label.
    for file in ["annosync-allow-guards", ".github/labels.yml", "labels.json"] {
        let text = "[{\"name\": \"annosync-allow-guards\"}]\n";
        fs::write(project.dev().join(file), text).unwrap();
    }
    project.git(&project.dev(), &["add", "--all"]);
    hub.push(1, "edit").exits(3);
    let comment = hub.comment(1);
    for text in [
        "> **Stopped:** 1 concept would no longer be used (`car`)",
        "> ```yaml\n> renamed:\n>   car: person\n> ```\n",
        "set the label `annosync-allow-guards` on this pull request",
    ] {
        assert!(comment.contains(text), "{text} in\n{comment}");
    }
    // A label with another name does not help either.
    hub.label(1, "annosync-allow-guards?").exits(3);
    let planned = hub.label(1, "annosync-allow-guards").exits(0);
    let comment = hub.comment(1);
    assert!(
        comment.contains("> **Let pass:** 1 concept would no longer be used (`car`)"),
        "{comment}"
    );
    assert!(!comment.contains("Stopped"), "{comment}");
    assert_eq!(project.world.writes().len(), 0);
    let plan = hub.artifact(planned.id, "annosync-plan").join("plan.json");
    let plan: serde_json::Value = serde_json::from_slice(&fs::read(plan).unwrap()).unwrap();
    assert_eq!(
        plan["passed_guards"][0]["concepts"],
        json!(["car"]),
        "{plan:#}"
    );
    hub.merge(1, "edit")
        .exits(0)
        .says("Let pass: 1 concept would no longer be used (car)");
    assert_eq!(project.count("person"), 2);
    project.is_settled();
}

#[test]
fn conflicts_are_commented_and_wait_for_their_label() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    let street = project.id_of("street");
    let world = &project.world;
    world.someone_labels("example-0001", &street, "night");
    world.emulator.forget_calls();
    project.branch("edit");
    project.edit(LABELS, "night: false", "night: 0.5");
    hub.push(1, "edit").exits(3);
    let comment = hub.comment(1);
    assert!(
        comment.contains("set the label `annosync-allow-reverts`"),
        "{comment}"
    );
    hub.merge(1, "edit").exits(3);
    assert_eq!(world.writes().len(), 0);
}

#[test]
fn a_manifest_with_a_problem_fails_with_a_comment() {
    let Some(hub) = GitHub::new() else { return };
    hub.project.branch("edit");
    hub.project
        .edit(LABELS, "concepts: [car]", "concepts: [cra]");
    hub.push(1, "edit").exits(1).says("car");
    assert_eq!(hub.read("comments").len(), 0);
}

#[test]
fn changes_in_the_app_fail_the_daily_check() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    hub.on_main("drift", "schedule")
        .exits(0)
        .says("No changes.");
    // A user outside `owners` draws a box.
    project
        .world
        .seed(vec![super::Project::box_of_a_colleague()]);
    let run = hub.on_main("drift", "schedule").exits(3);
    assert!(
        run.summary.contains("added `box [car] ann-s`"),
        "{}",
        run.summary
    );
    assert!(run.summary.contains("user `ann`"), "{}", run.summary);
    project.world.delete("example-0001", "ann-s");
    hub.on_main("drift", "schedule").exits(0);
    let street = project.id_of("street");
    project.world.delete("example-0001", &street);
    project.world.emulator.forget_calls();
    let run = hub.on_main("drift", "schedule").exits(3);
    assert!(run.summary.contains("street"), "{}", run.summary);
    run.says("::error::The app differs from main.");
    assert_eq!(project.world.writes().len(), 0);
}
