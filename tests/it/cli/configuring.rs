//! Options from the environment and from the user's own file, short forms, and words of other tools.

use super::{Run, World, app_flags, boxes, command, header, settled};
use std::fs;
use std::process::Command;

/// A manifest without targets, and the user's own file with one for the emulator's app.
fn world(more: &str) -> World {
    let world = World::new();
    world.declare(&boxes(0..2, "car"));
    let url = world.emulator.url();
    let own = format!(
        "targets:\n  mine: {{ user_id: owner, app_id: app, endpoint: \"{url}\", rate_limit: 1000{more} }}\n"
    );
    world.write("own/annosync/config.yaml", &own);
    world
}

/// The binary with the user's own file, and without a token.
fn mine(world: &World, arguments: &[&str]) -> Command {
    let mut command = command(world.path());
    command
        .env("XDG_CONFIG_HOME", world.path().join("own"))
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .args(arguments);
    command
}

#[test]
fn a_target_and_its_token_come_from_the_users_own_file() {
    for source in [", pat_command: cat key", ", pat_file: key"] {
        let world = world(source);
        world.write("key", "owner-key\n");
        let run = |arguments: &[&str]| Run::of(mine(&world, arguments));
        run(&["apply", "m.yaml", "--target", "mine", "-y"]).exits(0);
        settled(&run(&[
            "plan",
            "m.yaml",
            "--target",
            "mine",
            "--detailed-exitcode",
        ]));
        let listed = run(&["list", "--target", "mine"]).exits(0);
        assert_eq!(
            listed.stdout.matches("regions").count(),
            2,
            "{}",
            listed.stdout
        );
        run(&["plan", "m.yaml", "--target", "yours"])
            .exits(64)
            .says("config.yaml has: mine");
    }
}

#[test]
fn a_token_of_the_own_file_is_not_sent_to_another_app_or_host() {
    let world = world(", pat_command: cat key");
    world.write("key", "owner-key\n");
    let url = world.emulator.url();
    for arguments in [
        app_flags(&url).map(|it| if it == "app" { "other" } else { it }),
        app_flags("http://127.0.0.1:1"),
    ] {
        let all = [&["plan", "m.yaml"], &arguments[..]].concat();
        Run::of(mine(&world, &all)).exits(1).says("no token");
    }
    assert_eq!(world.emulator.calls(), []);
}

#[test]
fn a_token_command_that_fails_is_an_error() {
    for (command, why) in [
        ("'exit 3'", "exit status: 3"),
        ("'true'", "it printed nothing"),
    ] {
        let world = world(&format!(", pat_command: {command}"));
        Run::of(mine(&world, &["plan", "m.yaml", "--target", "mine"]))
            .exits(1)
            .says(why);
    }
}

#[test]
fn the_own_file_may_not_hold_anything_else() {
    let world = world(", token: abc");
    let run = Run::of(mine(&world, &["plan", "m.yaml", "--target", "mine"])).exits(1);
    assert!(run.stderr.contains("config.yaml:2:"), "{}", run.stderr);
    assert!(
        run.stderr.contains("unknown field `token`"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_manifests_target_comes_before_one_of_the_own_file() {
    let world = world("");
    let text = format!(
        "{}targets: {{ mine: {{ embedded: store.db }} }}\ninputs:\n{}",
        header(),
        boxes(0..1, "car")
    );
    world.write("m.yaml", &text);
    Run::of(mine(&world, &["plan", "m.yaml", "--target", "mine"])).exits(0);
    assert!(world.path().join("store.db").is_file());
    assert_eq!(world.emulator.calls(), []);
}

#[test]
fn options_come_from_variables_unless_a_flag_says_otherwise() {
    let world = world("");
    let with = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = world.command();
        command.envs(variables.iter().copied()).args(arguments);
        Run::of(command)
    };
    let embedded = ("ANNOSYNC_EMBEDDED", "store.db");
    let plan = with(
        &[embedded, ("ANNOSYNC_FORMAT", "json")],
        &["plan", "m.yaml"],
    )
    .exits(0);
    assert!(plan.stdout.starts_with('{'), "{}", plan.stdout);
    let plan = with(
        &[embedded, ("ANNOSYNC_FORMAT", "json")],
        &["plan", "m.yaml", "--format", "text"],
    );
    assert!(plan.stdout.starts_with("Label set"), "{}", plan.stdout);
    with(
        &[embedded, ("ANNOSYNC_DETAILED_EXITCODE", "true")],
        &["plan", "m.yaml"],
    )
    .exits(2);
    with(
        &[embedded, ("ANNOSYNC_DETAILED_EXITCODE", "0")],
        &["plan", "m.yaml"],
    )
    .exits(0);
    with(&[embedded, ("ANNOSYNC_SUMMARY", "")], &["plan", "m.yaml"]).exits(0);
    // What excludes a flag on the command line does not count.
    let url = world.emulator.url();
    let app = [&["plan", "m.yaml"], &app_flags(&url)[..]].concat();
    let plan = with(&[embedded], &app).exits(0);
    assert!(plan.stdout.contains(&url), "{}", plan.stdout);
    let plan = ["plan", "m.yaml", "--embedded", "store.db"];
    with(&[("ANNOSYNC_FORMAT", "jsn")], &plan)
        .exits(64)
        .says("set in the environment: ANNOSYNC_FORMAT");
    // Only `validate` knows it.
    let text = with(&[("ANNOSYNC_FORMAT", "sarif")], &plan).exits(0);
    assert!(text.stdout.starts_with("Label set"), "{}", text.stdout);
    with(
        &[("ANNOSYNC_FORMAT", "json"), ("ANNOSYNC_STRICT", "1")],
        &["init", "x"],
    )
    .exits(0);
}

#[test]
fn what_lets_a_plan_pass_is_never_read_from_a_variable() {
    let world = world("");
    let mut command = world.command();
    command.env("ANNOSYNC_AUTO_APPROVE", "true").args([
        "apply",
        "m.yaml",
        "--embedded",
        "store.db",
    ]);
    Run::of(command).exits(64).says("--auto-approve");

    let guarded = header().replace("guards:", "guards_were:");
    assert_ne!(guarded, "");
    world.write(
        "m.yaml",
        "version: 1\nset: s\npolicy: sync\nguards: { max_new_concepts: 0 }\ninputs:\n  \
         - { id: a, annotations: [{ concepts: [car] }] }\n",
    );
    let mut command = world.command();
    command
        .env("ANNOSYNC_ALLOW_GUARDS", "true")
        .args(["plan", "m.yaml", "--embedded", "store.db"]);
    Run::of(command).exits(3);
}

#[test]
fn short_forms_mean_the_long_ones() {
    let world = world("");
    let plan = world
        .on_app(&["plan", "m.yaml", "--json", "-o", "plan.json"])
        .exits(0);
    assert_eq!(plan.stdout, world.read("plan.json"));
    let run = world.run(&["apply", "plan.json", "-y", "--json"]).exits(0);
    assert!(
        run.stdout.contains("\"ending\": \"applied\""),
        "{}",
        run.stdout
    );
    world.is_settled();
    world.run(&["init", "x", "--json"]).exits(64).says("--json");
    let version = world.run(&["version"]).exits(0);
    assert_eq!(version.stdout, world.run(&["--version"]).stdout);
}

#[test]
fn colours_can_be_turned_off() {
    let world = world("");
    let colours = |arguments: &[&str]| {
        let mut command = world.command();
        command.env("CLICOLOR_FORCE", "1").args(arguments);
        Run::of(command).exits(0).stdout.contains('\u{1b}')
    };
    assert!(colours(&["plan", "m.yaml", "--embedded", "store.db"]));
    assert!(!colours(&[
        "plan",
        "m.yaml",
        "--embedded",
        "store.db",
        "--no-color"
    ]));
}

#[test]
fn words_of_other_tools_lead_to_ours() {
    let world = world("");
    for (arguments, advice) in [
        (&["destroy"][..], "purge: true"),
        (&["state", "list"], "annosync list"),
        (&["get", "annotations"], "annosync list"),
        (&["status"], "annosync plan"),
        (&["login"], "CLARIFAI_PAT"),
    ] {
        world.run(arguments).exits(64).says(advice);
    }
    // A typing error is corrected.
    world.run(&["plam"]).exits(64).says("plan");
}

#[test]
fn a_variable_with_a_target_is_named_when_a_plan_file_has_another() {
    let world = world("");
    world
        .on_app(&["plan", "m.yaml", "-o", "plan.json"])
        .exits(0);
    let mut command = world.command();
    command
        .env("ANNOSYNC_TARGET", "mine")
        .env("CLARIFAI_API_BASE", world.emulator.url())
        .args(["apply", "plan.json", "-y"]);
    Run::of(command).exits(64).says("ANNOSYNC_TARGET");
    assert!(fs::exists(world.path().join("plan.json")).unwrap());
    assert!(world.annotations().is_empty());
}
