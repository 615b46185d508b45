//! Exit codes, which scripts rely on.

use super::{World, boxes, header};
use annosync::emulator::{Config, Endpoint, Fault};
use annosync::wire::Code;

#[test]
fn an_empty_plan_and_a_finished_apply_exit_with_0() {
    let world = World::new();
    world.declare(&boxes(0..2, "car"));
    let first = world.apply(&[]).exits(0);
    assert_eq!(
        first.last_line(),
        "Applied 2 (2 posted), 0 already up to date, 0 failed, 0 not attempted."
    );
    let second = world.apply(&[]).exits(0);
    assert_eq!(second.last_line(), "No changes. 2 annotations match.");
}

#[test]
fn detailed_exitcode_reports_whether_there_are_changes() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    world.plan(&[]).exits(0);
    world.plan(&["--detailed-exitcode"]).exits(2);
    world.apply(&[]).exits(0);
    world.plan(&["--detailed-exitcode"]).exits(0);
    assert_eq!(world.writes().len(), 1, "a plan writes nothing");
}

#[test]
fn an_invalid_manifest_is_an_error_before_any_call() {
    let world = World::new();
    world.write("m.yaml", "version: 1\nset: street\npolicy: sync\ninputs:\n");
    for command in ["plan", "apply"] {
        let run = world.on_app(&[command, "m.yaml"]).exits(1);
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains("m.yaml:4:"), "{}", run.stderr);
    }
    assert_eq!(world.emulator.calls(), []);
}

#[test]
fn wrong_and_missing_tokens_and_unknown_apps_are_errors_with_hints() {
    let world = World::new().with_key("nobody's");
    world.declare(&boxes(0..1, "car"));
    let wrong = world.plan(&[]).exits(1);
    assert!(wrong.stderr.contains("not authorised"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("hint: set CLARIFAI_PAT"));
    assert!(!wrong.stderr.contains("nobody's\n"));

    let world = world.with_key("owner-key");
    let url = world.emulator.url();
    let flags = [
        "--endpoint",
        &url,
        "--user-id",
        "owner",
        "--app-id",
        "other",
    ];
    let unknown = world
        .run(&[&["plan", "m.yaml"], &flags[..]].concat())
        .exits(1);
    let message = "app `other` of user `owner` was not found";
    assert!(unknown.stderr.contains(message), "{}", unknown.stderr);
    assert!(
        unknown
            .stderr
            .contains("check the target's user_id and app_id")
    );

    let mut command = super::command(world.path());
    command.args(["plan", "m.yaml"]).args(flags);
    let none = super::Run::of(command).exits(1);
    assert!(none.stderr.contains("no token"), "{}", none.stderr);
    assert!(none.stderr.contains("CLARIFAI_PAT"));
}

#[test]
fn an_invalid_command_line_exits_with_64() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    for arguments in [
        &[][..],
        &["plam"],
        &["plan", "--no-such-flag"],
        &["plan", "--format", "xml"],
        &["apply", "--token", "x"],
        &["list", "--status", "finished", "--embedded", "x.db"],
        &["list", "--id", "a"],
        &["plan", "m.yaml", "--rate-limit", "0"],
        // Neither the manifest nor a flag names a target.
        &["plan", "m.yaml"],
        &["plan", "m.yaml", "--user-id", "owner"],
        &["list"],
        &["plan", "m.yaml", "--target", "prod"],
        &["emulator", "--collaborator", "nokey"],
    ] {
        let run = world.run(arguments).exits(64);
        assert_eq!(run.stdout, "", "{arguments:?}");
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
    let help = world.run(&["--help"]).exits(0);
    assert!(help.stdout.contains("Exit codes:") && help.stderr.is_empty());
    world.run(&["--version"]).exits(0).says("annosync 0.");
}

#[test]
fn without_a_terminal_and_without_approval_nothing_is_written() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let run = world.on_app(&["apply", "m.yaml"]).exits(64);
    assert!(run.stderr.contains("Plan: 1 to post"), "the plan is shown");
    assert!(run.stderr.contains("--auto-approve"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    assert!(world.writes().is_empty());
}

#[test]
fn a_partial_failure_exits_with_5_and_a_complete_one_with_1() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    let code = Code::ANNOTATION_INVALID_ARGUMENT;
    let fail = |items: Vec<usize>| {
        let fault = Fault::FailItems { items, code };
        world
            .emulator
            .faults()
            .next(Endpoint::PostAnnotations, fault);
    };
    fail(vec![0, 1, 2]);
    let none = world.apply(&[]).exits(1);
    assert_eq!(
        none.last_line(),
        "Applied 0, 0 already up to date, 3 failed, 0 not attempted."
    );
    fail(vec![1]);
    let part = world.apply(&[]).exits(5);
    assert!(
        part.stdout.contains(
            "of input in-001: 24155 ANNOTATION_INVALID_ARGUMENT: a fault injected by the emulator\n"
        ),
        "{}",
        part.stdout
    );
    assert_eq!(
        part.last_line(),
        "Applied 2 (2 posted), 0 already up to date, 1 failed, 0 not attempted."
    );
    world.apply(&[]).exits(0);
}

#[test]
fn only_the_plan_is_on_stdout() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let plan = world.plan(&[]).exits(0);
    assert!(plan.stdout.ends_with("calls/s.\n"));
    assert!(!plan.stdout.contains('\u{1b}'), "no colours into a pipe");
    assert_eq!(plan.stderr, "");
    let json = world.plan(&["--format", "json", "-v"]).exits(0);
    serde_json::from_str::<serde_json::Value>(&json.stdout).unwrap();
    assert!(json.stderr.contains("DEBUG"), "talk goes to stderr");
}

#[test]
fn long_plans_are_cut_in_text_and_complete_in_json() {
    let world = World::with(Config::default());
    world.write(
        "m.yaml",
        &format!("{}inputs:\n{}", header(), boxes(0..230, "car")),
    );
    let short = world.plan(&[]).exits(0);
    assert_eq!(short.stdout.matches("+ post").count(), 200);
    assert!(short.stdout.contains("See all with --all"));
    for flag in ["--all", "--full"] {
        let all = world.plan(&[flag]).exits(0);
        assert_eq!(all.stdout.matches("+ post").count(), 230);
        assert_eq!(all.stdout.contains("{box: "), flag == "--full");
    }
    assert_eq!(
        world.plan_json()["operations"].as_array().unwrap().len(),
        230
    );
}
