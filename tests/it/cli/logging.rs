//! `apply --log`: every change is logged once with its result, while the apply still runs.

use super::undoing::{HeldRun, start_held};
use super::{Run, World, boxes};
use annosync::emulator::{Endpoint, Fault};
use annosync::wire::Code;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

fn lines(world: &World) -> Vec<Value> {
    let log = world.read("log.jsonl");
    assert!(log.is_empty() || log.ends_with('\n'), "{log}");
    let lines = log.lines();
    lines.map(|it| serde_json::from_str(it).unwrap()).collect()
}

/// The number of log lines with each result; checks that each operation and each purge has one line.
fn account(world: &World) -> BTreeMap<String, usize> {
    let lines = lines(world);
    let mut names: Vec<String> = lines
        .iter()
        .map(|it| format!("{} {}", it["operation"], it["purge"]))
        .collect();
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "{lines:#?}");
    let mut account = BTreeMap::new();
    for line in lines {
        let ended = line["ended"].as_str().unwrap().to_owned();
        *account.entry(ended).or_default() += 1;
    }
    account
}

fn counts<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts.map(|(how, count)| (how.to_owned(), count)).into()
}

#[test]
fn the_log_accounts_for_every_change_once() {
    let world = World::new();
    world.declare(&boxes(0..4, "car"));
    world.apply(&["--log", "log.jsonl"]).exits(0);
    assert_eq!(account(&world), counts([("applied", 4)]));
    let first = &lines(&world)[0];
    let id = world.id_on("in-000");
    let expected = json!({
        "operation": 0, "action": "post", "input_id": "in-000", "id": id, "key": "k", "ended": "applied",
    });
    assert_eq!(*first, expected);

    // A failure, a stale operation, one with nothing to do, and a purge; the plan file is older than these changes.
    fs::remove_file(world.path().join("log.jsonl")).unwrap();
    let purge = "  - id: in-003\n    purge: true\n";
    world.declare(&(boxes(0..3, "tree") + purge + &boxes(4..5, "car")));
    world.plan(&["--out", "plan.json"]).exits(0);
    world.someone_marks_as_pending("in-001");
    let fault = Fault::FailItems {
        items: vec![0],
        code: Code::ANNOTATION_INVALID_ARGUMENT,
    };
    world
        .emulator
        .faults()
        .next(Endpoint::PatchAnnotations, fault);
    let arguments = ["--log", "log.jsonl", "--allow-purge"];
    let run = world.apply_path("plan.json", &arguments).exits(5);
    assert_eq!(
        run.last_line(),
        "Applied 3 (1 posted, 1 overwritten, 1 input purged of 1 annotation), 0 already up to date, 1 stale, 1 failed, 0 not attempted."
    );
    assert_eq!(
        account(&world),
        counts([("applied", 3), ("stale", 1), ("failed", 1)])
    );
    let all = lines(&world);
    let failed = all.iter().find(|it| it["ended"] == "failed").unwrap();
    assert!(failed["reason"].is_string(), "{failed}");
    assert_eq!(
        (&failed["touched"], &failed["input_id"]),
        (&json!("not"), &json!("in-000"))
    );
    let purged = all.iter().find(|it| it["purge"] == 0).unwrap();
    assert_eq!(
        (&purged["input_id"], &purged["annotations"]),
        (&json!("in-003"), &json!(1))
    );
}

#[test]
fn log_lines_are_written_while_the_apply_runs() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    world.apply(&[]).exits(0);
    world.declare(&boxes(0..300, "tree"));
    world.plan(&["--out", "plan.json"]).exits(0);
    // Stale operations end before the first write, which is held.
    for input in ["in-000", "in-001", "in-002"] {
        world.someone_marks_as_pending(input);
    }
    let HeldRun {
        child,
        arrived,
        release,
    } = start_held(&world, "plan.json", 0, &["--log", "log.jsonl"]);
    arrived.wait();
    assert_eq!(account(&world), counts([("stale", 3)]));
    release.send(()).unwrap();
    let run = Run::from(child.wait_with_output().unwrap()).exits(4);
    assert!(run.last_line().starts_with("Applied 297 (297 posted)"));
    assert_eq!(account(&world), counts([("stale", 3), ("applied", 297)]));
}

#[test]
fn operations_not_attempted_are_in_the_log() {
    let world = World::new();
    world.declare(&boxes(0..300, "car"));
    let fault = Fault::FailItems {
        items: vec![5],
        code: Code::ANNOTATION_INVALID_ARGUMENT,
    };
    world
        .emulator
        .faults()
        .next(Endpoint::PostAnnotations, fault);
    let arguments = ["--fail-fast", "--concurrency", "1", "--log", "log.jsonl"];
    world.apply(&arguments).exits(5);
    let expected = [("applied", 127), ("failed", 1), ("not_attempted", 172)];
    assert_eq!(account(&world), counts(expected));
}

#[test]
fn a_log_is_appended_to_after_ending_an_incomplete_line() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let torn_line = "{\"ended\":\"applied\",\"oper";
    world.write("log.jsonl", torn_line);
    world.apply(&["--log", "log.jsonl"]).exits(0);
    let log = world.read("log.jsonl");
    let [torn, whole] = &log.lines().collect::<Vec<_>>()[..] else {
        panic!("{log}");
    };
    assert_eq!(*torn, torn_line);
    assert_eq!(
        serde_json::from_str::<Value>(whole).unwrap()["ended"],
        "applied"
    );
}

#[test]
fn nothing_is_sent_if_the_log_cannot_be_opened() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    world.write("file", "");
    world.write("labels.jsonl", "{\"id\":\"a\",\"annotations\":[]}\n");
    for path in ["missing/log.jsonl", "file/log.jsonl", ".", "labels.jsonl"] {
        let run = world
            .apply(&["--log", path, "--undo-out", "undo.json"])
            .exits(1);
        assert!(
            run.stderr.contains("cannot write"),
            "{path}: {}",
            run.stderr
        );
    }
    assert_eq!(world.writes(), []);
    assert!(!world.path().join("undo.json").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_becomes_unwritable_stops_the_run_and_is_reported_once() {
    let world = World::new();
    world.declare(&boxes(0..300, "car"));
    // A device that can be opened and is always full.
    let run = world
        .apply(&["--log", "/dev/full", "--concurrency", "1"])
        .exits(5);
    assert_eq!(
        run.stderr.matches("cannot write /dev/full").count(),
        1,
        "{}",
        run.stderr
    );
    assert_eq!(
        run.last_line(),
        "Applied 128 (128 posted), 0 already up to date, 0 failed, 172 not attempted."
    );
    // Everything is applied before the log fails, but the log is incomplete.
    world.declare(&boxes(0..128, "car"));
    world.apply(&[]).exits(0);
    world.declare(&boxes(0..129, "car"));
    let run = world.apply(&["--log", "/dev/full"]).exits(1);
    assert_eq!(
        run.last_line(),
        "Applied 1 (1 posted), 0 already up to date, 0 failed, 0 not attempted."
    );
    world.is_settled();
}
