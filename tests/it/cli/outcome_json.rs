//! `apply --format json`: the outcome of an apply for programs, however it ends.

use super::{Run, World, boxes};
use crate::schemas::OUTCOME;
use crate::support::{boxed, whole, with};
use annosync::emulator::{Endpoint, Fault};
use annosync::wire::Code;
use serde_json::{Value, json};

const JSON: [&str; 2] = ["--format", "json"];

/// The JSON outcome that a run printed; checks its schema and that every operation is counted once.
#[track_caller]
fn outcome(run: &Run) -> Value {
    assert!(
        run.stdout.starts_with("{\n") && run.stdout.ends_with("}\n"),
        "{}",
        run.stdout
    );
    let outcome: Value = serde_json::from_str(&run.stdout).unwrap();
    OUTCOME.accepts(&outcome);
    let applied = outcome["applied"].as_object().unwrap().iter();
    let applied = applied.filter(|(name, _)| *name != "purged");
    let counts = applied
        .map(|(_, count)| count.as_u64().unwrap())
        .sum::<u64>()
        + outcome["already_so"].as_u64().unwrap()
        + outcome["not_attempted"].as_u64().unwrap();
    let lists = ["stale", "failed", "stale_purges", "failed_purges"];
    let listed: usize = lists
        .iter()
        .map(|list| outcome[list].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(outcome["planned"], counts + listed as u64, "{outcome:#}");
    outcome
}

#[test]
fn every_apply_prints_one_json_document() {
    let world = World::new();
    world.declare(&boxes(0..2, "car"));
    let run = world.apply(&JSON).exits(0);
    assert!(run.stderr.contains("Plan: 2 to post"), "{}", run.stderr);
    let first = outcome(&run);
    // Hashes, versions and ports change from run to run.
    let mut text = run.stdout.replace(&world.emulator.url(), "http://emulator");
    for name in ["tool_version", "manifest_hash"] {
        let line = text.lines().find(|line| line.contains(name)).unwrap();
        text = text.replace(&format!("{line}\n"), "");
    }
    insta::assert_snapshot!(text, @r#"
    {
      "format_version": "1.0",
      "ending": "applied",
      "purpose": "manifest",
      "target": {
        "endpoint": "http://emulator",
        "user_id": "owner",
        "app_id": "app"
      },
      "set": "street",
      "planned": 2,
      "applied": {
        "post": 2,
        "merge": 0,
        "overwrite": 0,
        "remove": 0,
        "replace": 0,
        "delete": 0
      },
      "already_so": 0,
      "stale": [],
      "failed": [],
      "not_attempted": 0,
      "calls": 1
    }
    "#);
    let run = world.apply(&JSON).exits(0);
    assert!(
        run.stderr.contains("No changes. 2 annotations match."),
        "{}",
        run.stderr
    );
    let second = outcome(&run);
    assert_eq!(
        (&second["ending"], &second["planned"]),
        (&json!("nothing_to_do"), &json!(0))
    );
    assert_eq!(second["manifest_hash"], first["manifest_hash"]);
}

#[test]
fn failures_are_listed_with_reasons_and_exit_codes_are_unchanged() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    let fail = |items: Vec<usize>| {
        let code = Code::ANNOTATION_INVALID_ARGUMENT;
        let faults = world.emulator.faults();
        faults.next(Endpoint::PostAnnotations, Fault::FailItems { items, code });
    };
    fail(vec![0, 1, 2]);
    let none = outcome(&world.apply(&JSON).exits(1));
    assert_eq!(none["ending"], "failed");
    fail(vec![1]);
    let part = outcome(&world.apply(&JSON).exits(5));
    assert_eq!(part["ending"], "partial");
    let failed = &part["failed"][0];
    assert_eq!(
        (&failed["input_id"], &failed["action"]),
        (&json!("in-001"), &json!("post"))
    );
    let reason = failed["reason"].as_str().unwrap();
    assert!(
        reason.contains("24155 ANNOTATION_INVALID_ARGUMENT"),
        "{reason}"
    );
    let rest = outcome(&world.apply(&JSON).exits(0));
    assert_eq!(rest["applied"]["post"], 1);
}

#[test]
fn fail_fast_reports_what_was_not_attempted() {
    let world = World::new();
    world.declare(&boxes(0..300, "car"));
    let items = (0..128).collect();
    let code = Code::ANNOTATION_INVALID_ARGUMENT;
    let faults = world.emulator.faults();
    faults.next(Endpoint::PostAnnotations, Fault::FailItems { items, code });
    let flags = ["--fail-fast", "--concurrency", "1"];
    let run = world.apply(&[&JSON[..], &flags].concat());
    assert_ne!(run.code, 0);
    let outcome = outcome(&run);
    assert_ne!(outcome["not_attempted"], 0, "{outcome:#}");
    world.apply(&[]).exits(0);
}

#[test]
fn a_partly_stale_plan_file_shows_the_current_state() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    world.apply(&[]).exits(0);
    world.declare(&boxes(0..3, "tree"));
    world.plan(&["--out", "plan.json"]).exits(0);
    world.someone_marks_as_pending("in-001");
    let id = world.id_on("in-002");
    world.delete("in-002", &id);
    let run = world.apply_path("plan.json", &JSON).exits(4);
    let outcome = outcome(&run);
    assert_eq!(outcome["ending"], "stale");
    assert_eq!(outcome["applied"]["overwrite"], 1);
    let stale = outcome["stale"].as_array().unwrap();
    let of = |input: &str| stale.iter().find(|it| it["input_id"] == input).unwrap();
    assert_eq!(of("in-001")["now"]["status"], "pending");
    assert_eq!(of("in-001")["wanted"]["concepts"], json!({"tree": 1}));
    assert_eq!(of("in-002")["now"], Value::Null);
    assert_eq!(of("in-002")["touched"], "not");
    world.apply(&[]).exits(0);
}

#[test]
fn the_outcome_lists_purges_and_stale_purges() {
    let world = World::new();
    let seeded = vec![
        whole("p", "one", &[("car", 1.0)]),
        with(
            boxed("p", "two", [0.1, 0.1, 0.2, 0.2], &["car"]),
            "user_id",
            json!("bea"),
        ),
        whole("q", "three", &[("car", 1.0)]),
    ];
    world.seed(seeded);
    world.declare("  - id: p\n    purge: true\n  - id: q\n    purge: true\n");
    world.plan(&["--out", "plan.json"]).exits(0);
    world.seed(vec![whole("q", "new", &[("bus", 1.0)])]);
    let run = world.apply_path("plan.json", &[&JSON[..], &["--allow-purge"]].concat());
    let outcome = outcome(&run.exits(4));
    assert_eq!(outcome["applied"]["purge"], 1);
    assert_eq!(outcome["applied"]["purged"], 2);
    let stale = &outcome["stale_purges"][0];
    assert_eq!(
        (&stale["input_id"], &stale["unplanned"][0]["id"]),
        (&json!("q"), &json!("new"))
    );
    world.apply(&["--allow-purge"]).exits(0);
}

#[test]
fn a_dry_run_prints_its_calls_and_takes_no_format() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let run = world.apply(&["--dry-run", "--format", "json"]).exits(64);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("--dry-run"), "{}", run.stderr);
    world.apply(&["--dry-run"]).exits(0);
}

#[test]
fn a_stopped_or_unconfirmed_apply_prints_no_outcome() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let unasked = world
        .on_app(&["apply", "m.yaml", "--format", "json"])
        .exits(64);
    assert_eq!(unasked.stdout, "");
    let purge = world
        .read("m.yaml")
        .replace("    annotations:", "    purge: true #");
    let (head, _) = purge.split_once("      - key").unwrap();
    world.seed(vec![whole("in-000", "one", &[("car", 1.0)])]);
    world.write("m.yaml", head);
    let run = world.apply(&JSON).exits(3);
    assert_eq!(run.stdout, "");
    world.apply(&["--allow-purge"]).exits(0);
}
