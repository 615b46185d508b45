//! The token is not sent to a host that only a plan file names.

use super::{Run, World, read, scene};
use crate::cli::proxy;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server that counts its calls.
pub(in crate::cli) fn listener(world: &World) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let url = world.block_on(proxy::answering(move |_| {
        use axum::response::IntoResponse as _;
        count.fetch_add(1, Ordering::Relaxed);
        axum::http::StatusCode::NOT_FOUND.into_response()
    }));
    (url, asked)
}

/// The binary with a token, and a host only if `base` is given.
fn apply(world: &World, file: &str, arguments: &[&str], base: Option<&str>) -> Run {
    let mut command = world.command();
    command
        .args(["apply", file, "--auto-approve"])
        .args(arguments);
    if let Some(base) = base {
        command.env("CLARIFAI_API_BASE", base);
    }
    Run::of(command)
}

#[test]
fn a_host_that_only_a_plan_file_names_is_not_called() {
    let world = scene();
    world
        .apply_path("plan.json", &["--undo-out", "undo.json"])
        .exits(0);
    let real = world.emulator.url();
    let (host, asked) = listener(&world);
    let targets = |endpoint: &str| {
        format!(
            "{}targets:\n  prod: {{ user_id: owner, app_id: app, endpoint: \"{endpoint}\" }}\n",
            super::HEADER
        )
    };
    for file in ["plan.json", "undo.json"] {
        let mut plan = read(&world, file);
        plan["target"]["endpoint"] = json!(host);
        for endpoint in ["https://api.clarifai.com", &real] {
            super::declare(&world, &targets(endpoint), &super::wanted());
            // The manifest has another target, and the forger has set its hash.
            world.plan(&["--out", "now.json"]).exits(0);
            plan["manifest_hash"] = read(&world, "now.json")["manifest_hash"].clone();
            world.write("forged.json", &plan.to_string());
            for (flags, base, by) in [
                (&[][..], None, "the default is https://api.clarifai.com"),
                (&[], Some(&*real), "CLARIFAI_API_BASE names"),
                (&["--manifest", "m.yaml"], None, "the manifest names"),
                (
                    &["--manifest", "m.yaml"],
                    Some(&real),
                    "CLARIFAI_API_BASE names",
                ),
            ] {
                if file == "undo.json" && !flags.is_empty() {
                    // An undo is not made from a manifest.
                    apply(&world, "forged.json", flags, base).exits(64);
                    continue;
                }
                let run = apply(&world, "forged.json", flags, base).exits(1);
                let refused = format!(
                    "the token is not sent to {host}, which only the plan file names: {by}"
                );
                assert!(run.stderr.contains(&refused), "{}", run.stderr);
                run.says(&format!("--endpoint {host}"));
            }
            for other in [
                &["--endpoint", real.as_str()][..],
                &["--manifest", "m.yaml", "--target", "prod"],
            ] {
                let says = if file == "undo.json" && other.contains(&"--manifest") {
                    "no manifest makes such a plan"
                } else {
                    "the flags name another"
                };
                apply(&world, "forged.json", other, None)
                    .exits(64)
                    .says(says);
            }
        }
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    // A host that the user names is allowed.
    apply(&world, "forged.json", &["--endpoint", &host], None).exits(1);
    assert!(asked.load(Ordering::Relaxed) > 0);
}

#[test]
fn another_app_than_the_manifests_is_refused() {
    let world = scene();
    let header = format!(
        "{}targets:\n  prod: {{ user_id: owner, app_id: app, endpoint: \"{}\" }}\n",
        super::HEADER,
        world.emulator.url()
    );
    super::declare(&world, &header, &super::wanted());
    world.plan(&["--out", "plan.json"]).exits(0);
    let mut plan = read(&world, "plan.json");
    plan["target"]["app_id"] = json!("other");
    world.write("forged.json", &plan.to_string());
    world.emulator.forget_calls();
    let run = apply(&world, "forged.json", &["--manifest", "m.yaml"], None).exits(1);
    run.says("the plan is for app other of owner, and no target of the manifest is that app");
    let named = ["--manifest", "m.yaml", "--target", "prod"];
    apply(&world, "forged.json", &named, None).exits(64);
    assert_eq!(world.emulator.calls(), []);
    apply(&world, "plan.json", &named, None).exits(0);
    world.is_settled();
}

#[test]
fn a_target_flag_that_names_another_host_than_the_plan_file_is_refused() {
    let world = scene();
    let (host, asked) = listener(&world);
    let header = format!(
        "{}targets:\n  here: {{ user_id: owner, app_id: app, endpoint: \"{}\" }}\n  there: {{ user_id: owner, app_id: app, endpoint: \"{host}\" }}\n",
        super::HEADER,
        world.emulator.url()
    );
    super::declare(&world, &header, &super::wanted());
    world
        .run(&["plan", "m.yaml", "--target", "here", "--out", "plan.json"])
        .exits(0);
    let mut plan = read(&world, "plan.json");
    plan["target"]["endpoint"] = json!(host);
    world.write("forged.json", &plan.to_string());
    for (file, target) in [("plan.json", "there"), ("forged.json", "here")] {
        let flags = ["--manifest", "m.yaml", "--target", target];
        let run = apply(&world, file, &flags, None).exits(64);
        run.says("the plan file is for one target, and the flags name another");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    let flags = ["--manifest", "m.yaml", "--target", "here"];
    apply(&world, "plan.json", &flags, None).exits(0);
    world.is_settled();
}

#[test]
fn a_target_that_names_another_host_than_the_flag_is_refused() {
    let world = scene();
    let (host, asked) = listener(&world);
    let header = format!(
        "{}targets:\n  prod: {{ user_id: owner, app_id: app, endpoint: \"{host}\" }}\n",
        super::HEADER
    );
    super::declare(&world, &header, &super::wanted());
    let url = world.emulator.url();
    for command in [
        &["plan", "m.yaml"][..],
        &["apply", "m.yaml", "--auto-approve"],
    ] {
        let flags = ["--target", "prod", "--endpoint", &url];
        let run = world.run(&[command, &flags].concat()).exits(1);
        run.says(&format!(
            "--endpoint names {url}, and target prod of the manifest names {host}"
        ));
    }
    assert_eq!(
        (asked.load(Ordering::Relaxed), world.emulator.calls().len()),
        (0, 0)
    );
}

#[test]
fn redirects_are_not_followed_for_a_plan_file() {
    let world = scene();
    let plan = world.read("plan.json");
    for status in [301, 302, 303, 307, 308] {
        let host = world.emulator.url().replace("127.0.0.1", "localhost");
        let url = world.block_on(proxy::redirect(host, status));
        world.write("forged.json", &plan.replace(&world.emulator.url(), &url));
        apply(&world, "forged.json", &["--endpoint", &url], None)
            .exits(1)
            .says("the server redirects to");
    }
    assert_eq!(world.emulator.calls(), []);
}
