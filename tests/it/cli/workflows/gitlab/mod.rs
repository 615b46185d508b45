//! The pipeline for GitLab CI, from the first branch to the last apply, against a server with GitLab's API.

mod hub;
mod server;

use super::LABELS;
use crate::cli::forged::listener;
use hub::{GitLab, Merge};
use serde_json::json;
use std::fs;
use std::sync::atomic::Ordering;

#[test]
fn a_label_is_edited_on_a_branch_planned_noted_merged_and_applied() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    hub.on_main("annosync-apply").exits(0).says("No changes.");
    project.branch("edit");
    project.relabel();
    let marker = "<!-- annosync:plan";
    hub.push(1, "edit").exits(0);
    let first = hub.note(1);
    assert!(first.starts_with(marker), "{first}");
    assert!(first.contains("person"), "{first}");
    assert!(first.contains("/acme/street/-/jobs/901"), "{first}");
    let sheet = "/acme/street/-/jobs/901/artifacts/raw/annosync-sheets/sheet-001.png>)";
    assert!(first.contains(sheet), "{first}");
    assert!(hub.artifact(1, "annosync-sheets/sheet-001.png").is_file());
    assert_eq!(project.world.writes().len(), 0, "a plan writes nothing");
    // Notes of other users come first, and one of them quotes the plan.
    hub.change(|known| {
        for (id, body) in [(1, "Looks good"), (2, &*first)] {
            let note = json!({"id": id, "merge_request": 1, "author": {"id": 3}, "body": body});
            known.notes.insert(0, note);
        }
    });
    project.edit(LABELS, "night: false", "night: true");
    hub.push(1, "edit").exits(0);
    let second = hub.note(1);
    assert!(second.contains("night"), "{second}");
    assert_eq!(hub.change(|known| known.notes.len()), 3);

    hub.merge(1, "edit", Merge::Commit)
        .exits(0)
        .says("Applied 2 (")
        .says("No changes.");
    assert_eq!(project.count("person"), 1);
    project.is_settled();
    assert!(hub.artifact(3, "undo.json").is_file());
    let log = fs::read_to_string(hub.artifact(3, "apply.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2, "{log}");

    // A project may fast-forward: then main's commit is the last one of the merge request.
    project.branch("next");
    project.relabel();
    project.edit(
        "annosync.yaml",
        "max_vanished_concepts: 0",
        "max_vanished_concepts: 1",
    );
    hub.push(2, "next").exits(0);
    hub.merge(2, "next", Merge::FastForward).exits(0);
    assert_eq!(project.count("person"), 2);
    project.is_settled();
}

#[test]
fn a_plan_for_another_main_is_refused_and_a_new_one_is_applied() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    project.branch("one");
    project.relabel();
    hub.push(1, "one").exits(0);
    project.branch("two");
    project.edit(LABELS, "night: false", "night: true");
    hub.push(2, "two").exits(0);
    hub.merge(1, "one", Merge::Commit).exits(0);
    project.world.emulator.forget_calls();
    hub.merge(2, "two", Merge::Commit)
        .exits(4)
        .says("is a plan of another manifest")
        .says(
            "(exit code 4). To have a new plan reviewed, open a merge request with an empty commit",
        );
    assert_eq!(project.world.writes().len(), 0);
    project.branch("three");
    hub.push(3, "three").exits(3);
    hub.label_and_retry(3, "annosync-allow-reverts").exits(0);
    hub.merge(3, "three", Merge::Commit).exits(0);
    project.is_settled();
}

#[test]
fn changes_in_the_app_after_the_plan_are_kept() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    project.branch("edit");
    project.relabel();
    project.edit(LABELS, "night: false", "night: true");
    hub.push(1, "edit").exits(0);
    let night = project.id_of("night");
    project.someone_marks_as_pending(&night);
    let theirs = project.world.annotation(&night);
    hub.merge(1, "edit", Merge::Commit)
        .exits(4)
        .says("0 already up to date, 1 stale");
    assert!(hub.artifact(1, "undo.json").is_file());
    assert_eq!(project.world.annotation(&night), theirs);
    assert_eq!(project.count("person"), 1, "the other one is applied");
}

#[test]
fn an_unreviewed_commit_is_not_applied() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    project.relabel();
    project.push("main");
    hub.on_main("annosync-apply")
        .exits(1)
        .says("No reviewed plan of this commit was found; nothing was applied.");
    // A deleted plan.
    project.branch("edit");
    hub.push(1, "edit").exits(3);
    fs::remove_file(hub.artifact(1, "plan.json")).unwrap();
    hub.merge(1, "edit", Merge::Commit)
        .exits(1)
        .says("No reviewed plan");
    // A plan from a fork's pipeline, which can have any content.
    project.branch("fork");
    hub.push(2, "fork").exits(3);
    hub.change(|known| known.merge_requests[1]["source_project_id"] = 2.into());
    hub.merge(2, "fork", Merge::Commit)
        .exits(1)
        .says("No reviewed plan");
    assert_eq!(project.world.writes().len(), 0);
}

#[test]
fn the_token_is_not_sent_to_a_host_named_by_a_merge_request_or_plan() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    let url = project.world.emulator.url();
    let (other, asked) = listener(&project.world);
    project.branch("host");
    project.edit("annosync.yaml", &url, &other);
    hub.push(1, "host").exits(1).says(&format!(
        "--endpoint names {url}, and target prod of the manifest names {other}"
    ));
    // A branch's own pipeline can upload any plan.
    project.branch("edit");
    project.relabel();
    hub.push(2, "edit").exits(0);
    let file = hub.artifact(1, "plan.json");
    let plan = fs::read_to_string(&file).unwrap();
    fs::write(&file, plan.replace(&url, &other)).unwrap();
    project.world.emulator.forget_calls();
    hub.merge(2, "edit", Merge::Commit)
        .exits(64)
        .says("the plan file is for one target, and the flags name another");
    assert_eq!(project.world.writes().len(), 0);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[test]
fn a_plan_that_a_guard_stops_is_noted_and_fails_and_is_not_applied() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    project.branch("edit");
    project.guard_few();
    project.relabel();
    project.relabel();
    hub.push(1, "edit").exits(3).says("The plan was stopped.");
    assert!(hub.note(1).contains("person"));
    hub.merge(1, "edit", Merge::Commit).exits(3);
    assert_eq!(project.world.writes().len(), 0);
}

#[test]
fn a_label_lets_a_guarded_plan_pass_and_the_apply_carries_out_what_was_recorded() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    project.branch("edit");
    project.guard_few();
    project.relabel();
    project.relabel();
    fs::write(project.dev().join("annosync-allow-guards"), "").unwrap();
    hub.push(1, "edit").exits(3);
    let note = hub.note(1);
    assert!(
        note.contains("set the label `annosync-allow-guards`"),
        "{note}"
    );
    assert!(note.contains("\n> renamed:\n>   car: person\n"), "{note}");
    hub.label_and_retry(1, "not-annosync-allow-guards").exits(3);
    hub.label_and_retry(1, "annosync-allow-guards").exits(0);
    let note = hub.note(1);
    assert!(note.contains("> **Let pass:** 1 concept"), "{note}");
    assert_eq!(project.world.writes().len(), 0);
    hub.merge(1, "edit", Merge::Commit)
        .exits(0)
        .says("Let pass: 1 concept would no longer be used (car)");
    assert_eq!(project.count("person"), 2);
    project.is_settled();
}

#[test]
fn work_done_in_the_app_is_reverted_only_with_its_label() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    let street = project.id_of("street");
    let world = &project.world;
    world.someone_labels("example-0001", &street, "tree");
    world.emulator.forget_calls();
    project.branch("edit");
    project.relabel();
    hub.push(1, "edit").exits(3);
    let note = hub.note(1);
    assert!(note.contains("### Changed in the app"), "{note}");
    assert!(
        note.contains("set the label `annosync-allow-reverts`"),
        "{note}"
    );
    hub.label_and_retry(1, "annosync-allow-guards").exits(3);
    hub.label_and_retry(1, "annosync-allow-reverts").exits(0);
    let note = hub.note(1);
    assert!(
        note.contains(
            "> **Let pass:** 1 annotation added, changed or deleted in the app since the base."
        ),
        "{note}"
    );
    assert_eq!(world.writes().len(), 0);
    hub.merge(1, "edit", Merge::Commit).exits(0);
    assert_eq!(project.count("person"), 1);
    project.is_settled();
}

#[test]
fn changes_in_the_app_fail_the_scheduled_check() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    hub.on_main("annosync-drift").exits(0).says("No changes.");
    // A user outside `owners` draws a box.
    project
        .world
        .seed(vec![super::Project::box_of_a_colleague()]);
    hub.on_main("annosync-drift").exits(3);
    let shown = fs::read_to_string(hub.artifact(1, "drift.md")).unwrap();
    assert!(shown.contains("added `box [car] ann-s`"), "{shown}");
    project.world.delete("example-0001", "ann-s");
    let street = project.id_of("street");
    project.world.delete("example-0001", &street);
    project.world.emulator.forget_calls();
    hub.on_main("annosync-drift")
        .exits(3)
        .says("The app differs from the branch.");
    let shown = fs::read_to_string(hub.artifact(1, "drift.md")).unwrap();
    assert!(shown.contains("street"), "{shown}");
    assert_eq!(project.world.writes().len(), 0);
}
