//! Which app is used: flags override the environment, which overrides the manifest.

use super::{Run, World, boxes, header, settled};
use annosync::emulator::Endpoint;
use std::process::Command;

/// A manifest with three targets: an embedded store, the emulator's app, and an app that does not exist.
fn world(default_target: &str) -> World {
    let world = World::new();
    let targets = format!(
        "target: {default_target}\ntargets:\n  local: {{ embedded: store/local.db }}\n  \
         here: {{ user_id: owner, app_id: app, endpoint: \"{}\" }}\n  \
         nowhere: {{ user_id: owner, app_id: app, endpoint: \"http://127.0.0.1:1\" }}\n",
        world.emulator.url()
    );
    let text = format!("{}{targets}inputs:\n{}", header(), boxes(0..1, "car"));
    world.write("m.yaml", &text);
    world
}

/// The command with variables for the emulator's app.
fn in_environment(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.command();
    command
        .env("CLARIFAI_API_BASE", world.emulator.url())
        .env("CLARIFAI_USER_ID", "owner")
        .env("CLARIFAI_APP_ID", "app")
        .args(arguments);
    command
}

fn was_called(world: &World) -> bool {
    let asked = world.emulator.calls();
    world.emulator.forget_calls();
    asked
        .iter()
        .any(|call| call.endpoint == Endpoint::ListAnnotations)
}

#[test]
fn a_target_of_the_manifest_is_used_by_default_and_by_name() {
    let world = world("here");
    world.run(&["apply", "m.yaml", "--auto-approve"]).exits(0);
    assert!(was_called(&world));
    settled(&world.run(&["plan", "m.yaml", "--detailed-exitcode"]));
    was_called(&world);
    world.run(&["plan", "m.yaml", "--target", "local"]).exits(0);
    assert!(!was_called(&world));
    assert!(world.path().join("store/local.db").is_file());
    world.run(&["list", "m.yaml", "--target", "here"]).exits(0);
    assert!(was_called(&world));
    let run = world.run(&["plan", "m.yaml", "--target", "prod"]).exits(64);
    assert!(
        run.stderr
            .contains("the manifest has: here, local, nowhere"),
        "{}",
        run.stderr
    );
    assert_eq!(world.emulator.calls(), []);
}

#[test]
fn the_environment_does_not_override_an_embedded_store() {
    let world = world("local");
    for arguments in [
        &["apply", "m.yaml", "--auto-approve"][..],
        &["plan", "m.yaml"],
        &["plan", "m.yaml", "--target", "local"],
        &["list", "m.yaml"],
        &["list", "--embedded", "store/local.db"],
        &["plan", "m.yaml", "--embedded", "other.db"],
    ] {
        Run::of(in_environment(&world, arguments)).exits(0);
        assert!(!was_called(&world), "{arguments:?}");
    }
    assert!(world.annotations().is_empty());
}

#[test]
fn the_environment_overrides_the_manifests_app_and_a_named_target_overrides_the_environment() {
    let world = world("nowhere");
    Run::of(in_environment(&world, &["plan", "m.yaml"])).exits(0);
    assert!(was_called(&world));
    let named = in_environment(&world, &["plan", "m.yaml", "--target", "nowhere"]);
    Run::of(named).exits(1).says("cannot reach 127.0.0.1:1");
    assert!(!was_called(&world));
    let mut empty = world.command();
    empty.env("CLARIFAI_API_BASE", "").args(["plan", "m.yaml"]);
    Run::of(empty).exits(1).says("cannot reach 127.0.0.1:1");
}

#[test]
fn flags_override_everything() {
    let world = world("local");
    let url = world.emulator.url();
    let mut command = world.command();
    command
        .env("CLARIFAI_API_BASE", "http://127.0.0.1:1")
        .env("CLARIFAI_USER_ID", "nobody")
        .env("CLARIFAI_APP_ID", "nothing")
        .args([
            "plan",
            "m.yaml",
            "--endpoint",
            &url,
            "--user-id",
            "owner",
            "--app-id",
            "app",
        ]);
    Run::of(command).exits(0);
    assert!(was_called(&world));
    // One flag; the rest comes from the environment.
    let run = Run::of(in_environment(
        &world,
        &["plan", "m.yaml", "--app-id", "other"],
    ))
    .exits(1);
    assert!(
        run.stderr
            .contains("app `other` of user `owner` was not found"),
        "{}",
        run.stderr
    );
    // An embedded store and an app exclude each other.
    world
        .run(&["plan", "m.yaml", "--embedded", "x.db", "--app-id", "app"])
        .exits(64);
}

#[test]
fn a_flag_that_names_an_app_overrides_an_embedded_target() {
    let world = world("local");
    // An embedded target has no app ids, so those that the flags omit are missing.
    let run = world.run(&["plan", "m.yaml", "--app-id", "app"]).exits(64);
    assert!(run.stderr.contains("no user is given"), "{}", run.stderr);
    assert!(!world.path().join("store").exists());
}

#[test]
fn plain_http_to_other_machines_requires_a_flag() {
    let world = world("local");
    let away = [
        "--user-id",
        "owner",
        "--app-id",
        "app",
        "--endpoint",
        "http://annosync.invalid",
    ];
    let run = world
        .run(&[&["plan", "m.yaml"], &away[..]].concat())
        .exits(1);
    assert!(
        run.stderr
            .contains("plain http would send the token unprotected"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("--insecure-http"));
    let run = world
        .run(&[&["plan", "m.yaml", "--insecure-http"], &away[..]].concat())
        .exits(1);
    assert!(
        run.stderr.contains("cannot reach annosync.invalid"),
        "{}",
        run.stderr
    );
    for bad in [
        "annosync.invalid",
        "https://owner:owner-key@annosync.invalid",
        "https://x/?a=b",
    ] {
        let flags = ["--user-id", "owner", "--app-id", "app", "--endpoint", bad];
        let run = world
            .run(&[&["plan", "m.yaml"], &flags[..]].concat())
            .exits(1);
        assert!(!run.stderr.contains("owner-key"), "{}", run.stderr);
        assert!(run.stderr.contains("hint: "), "{}", run.stderr);
    }
}

#[test]
fn a_manifest_or_the_environment_cannot_allow_plain_http() {
    let world = World::new();
    let target = "target: t\ntargets:\n  t: { user_id: owner, app_id: app, endpoint: \"http://annosync.invalid\" }\n";
    let inputs = format!("inputs:\n{}", boxes(0..1, "car"));
    world.write("m.yaml", &format!("{}{target}{inputs}", header()));
    let refused = "plain http would send the token unprotected";
    for command in [
        &["plan", "m.yaml"][..],
        &["apply", "m.yaml", "--auto-approve"],
        &["list", "m.yaml"],
        &["pull", "m.yaml"],
        &["plan", "m.yaml", "--target", "t"],
    ] {
        world.run(command).exits(1).says(refused);
    }
    world.declare(&boxes(0..1, "car"));
    let mut command = world.command();
    command
        .env("CLARIFAI_API_BASE", "http://annosync.invalid")
        .env("CLARIFAI_USER_ID", "owner")
        .env("CLARIFAI_APP_ID", "app")
        .args(["plan", "m.yaml"]);
    Run::of(command).exits(1).says(refused);
    // A plan file names its endpoint itself.
    let url = world.emulator.url();
    world.plan(&["--out", "plan.json"]).exits(0);
    let altered = world
        .read("plan.json")
        .replace(&url, "http://annosync.invalid");
    world.write("plan.json", &altered);
    let apply = ["apply", "plan.json", "--auto-approve"];
    world.run(&apply).exits(1).says(refused);
}

#[test]
fn redirects_to_other_servers_are_not_followed() {
    let world = world("local");
    for status in [301, 302, 303, 307, 308] {
        // To another host, and to another port of the same one: `localhost` is not `127.0.0.1`.
        for host in ["127.0.0.1", "localhost"] {
            let target = world.emulator.url().replace("127.0.0.1", host);
            let url = world.block_on(super::proxy::redirect(target, status));
            for command in [
                &["plan", "m.yaml"][..],
                &["apply", "m.yaml", "--auto-approve"],
                &["list"],
            ] {
                let flags = ["--user-id", "owner", "--app-id", "app", "--endpoint", &url];
                world
                    .run(&[command, &flags[..]].concat())
                    .exits(1)
                    .says("the server redirects to");
            }
        }
    }
    // The second server was not called.
    assert_eq!(world.emulator.calls(), []);
}

#[test]
fn a_redirect_within_the_same_server_is_not_followed() {
    let world = world("local");
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&asked);
    let url = world.block_on(super::proxy::answering(move |_| {
        use axum::response::IntoResponse as _;
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (axum::http::StatusCode::FOUND, [("location", "/elsewhere")]).into_response()
    }));
    let flags = ["--user-id", "owner", "--app-id", "app", "--endpoint", &url];
    let run = world.run(&[&["plan", "m.yaml"], &flags[..]].concat());
    run.exits(1).says("the server redirects to `/elsewhere`");
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn list_uses_the_target_of_the_manifest_in_its_folder_unless_an_app_is_given() {
    let world = world("here");
    world.run(&["apply", "m.yaml", "--auto-approve"]).exits(0);
    was_called(&world);
    let listed = world.run(&["list", "--all"]).exits(0).stdout;
    assert!(listed.contains("\"car\""), "{listed}");
    assert!(was_called(&world));
    let local = world.run(&["list", "--target", "local"]).exits(0);
    assert_eq!(local.stdout, "");
    assert!(!was_called(&world));
    // The manifest is not read if it is not needed.
    world.write("m.yaml", "version: 1\nset: street\npolicy: sync\ninputs:\n");
    world.run(&["list"]).exits(1).says("m.yaml:4:");
    assert_eq!(world.on_app(&["list", "--all"]).exits(0).stdout, listed);
    let run = Run::of(in_environment(&world, &["list", "--all"])).exits(0);
    assert_eq!(run.stdout, listed);
}
