//! The undo file itself: how it is written, kept, guarded and checked.

use super::*;

#[test]
fn an_undo_that_cannot_be_updated_after_the_run_is_still_valid() {
    let world = mixed();
    let was = state(&world);
    fs::create_dir(world.path().join("kept")).unwrap();
    let HeldRun {
        child,
        arrived,
        release,
    } = start_held(&world, "m.yaml", 0, &["--undo-out", "kept/undo.json"]);
    arrived.wait();
    fs::rename(world.path().join("kept"), world.path().join("away")).unwrap();
    release.send(()).unwrap();
    let run = Run::from(child.wait_with_output().unwrap()).exits(0);
    assert!(run.last_line().starts_with("Applied 5 ("), "{}", run.stdout);
    let said = "Warning: cannot write kept/undo.json: ";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    readdress(&world, "away/undo.json", &world.emulator.url());
    carry_out(&world, "away/undo.json", &[]).exits(0);
    let mut now = state(&world);
    now.retain(|it| it["input_id"] != "in-003");
    same(&now, &was);
}

#[test]
fn the_same_command_can_run_again_in_the_manifests_folder() {
    let world = World::new();
    let header = super::super::header();
    world.write("repo/annosync.yaml", &header);
    world.write("repo/a.yaml", &format!("inputs:\n{}", boxes(0..2, "car")));
    let apply = || {
        let mut command = world.command();
        command.current_dir(world.path().join("repo"));
        command
            .args(["apply", "--auto-approve", "--undo-out", "undo.json"])
            .args(["--log", "log.jsonl", "--endpoint", &world.emulator.url()])
            .args(["--user-id", "owner", "--app-id", "app"]);
        Run::of(command).exits(0)
    };
    apply();
    world.write("repo/a.yaml", &format!("inputs:\n{}", boxes(0..2, "tree")));
    assert!(apply().last_line().starts_with("Applied 2 (2 overwritten)"));
    assert!(apply().last_line().starts_with("No changes."));
    assert_eq!(world.read("repo/log.jsonl").lines().count(), 4);
}

#[test]
fn an_existing_undo_is_renamed_and_other_files_are_not_overwritten() {
    let world = mixed();
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    let first = world.read("undo.json");
    world.declare(&boxes(0..1, "tree"));
    let run = world.apply(&["--undo-out", "undo.json"]).exits(0);
    assert!(
        run.stderr
            .contains("undo.json existed, and was renamed to undo.json.1.")
    );
    assert_eq!(world.read("undo.json.1"), first);
    let second = world.read("undo.json");
    // The undo of an empty apply is empty; the existing file is kept.
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    assert_eq!(world.read("undo.json.2"), second);
    let run = carry_out(&world, "undo.json", &[]).exits(0);
    assert_eq!(run.last_line(), "No changes. There is nothing to undo.");
    // An empty undo is not kept.
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    assert!(!world.path().join("undo.json.3").exists());
    // Applied in order, they restore the initial state.
    carry_out(&world, "undo.json.2", &[]).exits(0);
    carry_out(&world, "undo.json.1", &[]).exits(0);
    world.declare(&(boxes(0..3, "car") + &boxes(4..5, "car")));
    world.is_settled();

    world.declare(&boxes(0..1, "tree"));
    world.emulator.forget_calls();
    let manifest = world.read("m.yaml");
    let run = world.apply(&["--undo-out", "m.yaml"]).exits(1);
    assert!(
        run.stderr.contains("exists and is not an undo file"),
        "{}",
        run.stderr
    );
    assert_eq!((world.read("m.yaml"), world.writes()), (manifest, vec![]));
}

#[test]
fn nothing_is_sent_if_the_undo_cannot_be_written() {
    let world = mixed();
    let was = state(&world);
    world.write("file", "");
    for path in ["missing/undo.json", "file/undo.json", "/proc/undo.json"] {
        let run = world.apply(&["--undo-out", path]).exits(1);
        assert!(
            run.stderr.contains("cannot write"),
            "{path}: {}",
            run.stderr
        );
    }
    assert_eq!(world.writes(), []);
    same(&state(&world), &was);
}

#[cfg(unix)]
#[test]
fn a_full_disk_stops_the_apply_before_anything_is_sent() {
    let world = mixed();
    let was = state(&world);
    let apply = world.command();
    let mut command = Command::new("sh");
    // No file of this process can grow beyond 512 bytes, as on a full disk.
    let script = r#"trap "" XFSZ; ulimit -f 1; exec "$0" "$@""#;
    command.current_dir(world.path()).env_clear();
    command.env("CLARIFAI_PAT", "owner-key");
    command.args(["-c", script]).arg(apply.get_program());
    command
        .args([
            "apply",
            "m.yaml",
            "--auto-approve",
            "--undo-out",
            "undo.json",
        ])
        .args(["--endpoint", &world.emulator.url()])
        .args(["--user-id", "owner", "--app-id", "app"]);
    let run = Run::of(command).exits(1);
    assert!(
        run.stderr.contains("cannot write undo.json"),
        "{}",
        run.stderr
    );
    assert_eq!(world.writes(), []);
    same(&state(&world), &was);
    let left: Vec<_> = fs::read_dir(world.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_dry_run_writes_no_undo() {
    let world = mixed();
    for flag in ["--undo-out", "--log"] {
        let run = world.on_app(&["apply", "m.yaml", "--dry-run", flag, "x"]);
        assert!(run.exits(64).stderr.contains("cannot be used with"));
    }
    assert!(!world.path().join("x").exists());
}

#[test]
fn an_undo_stops_at_the_guards_and_names_the_flag() {
    let world = World::new();
    world.declare(&boxes(0..12, "car"));
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    world.emulator.forget_calls();
    let run = world
        .run(&["apply", "undo.json", "--auto-approve"])
        .exits(3);
    assert!(
        run.stderr.contains("12 deletes of 12 existing annotations"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("--allow-deletes 12"), "{}", run.stderr);
    assert_eq!(world.writes(), []);
    let let_pass = [
        "apply",
        "undo.json",
        "--auto-approve",
        "--allow-deletes",
        "12",
    ];
    world.run(&let_pass).exits(0);
    assert_eq!(world.annotations(), Vec::<Value>::new());
}

/// The description of an alteration of an undo, and the function that makes it.
type Alteration = (&'static str, fn(&mut Value));

#[test]
fn an_altered_undo_is_refused_before_any_call() {
    fn each(plan: &mut Value, action: &str, alter: fn(&mut Value)) {
        let operations = plan["operations"].as_array_mut().unwrap();
        operations
            .iter_mut()
            .filter(|it| it["action"] == action)
            .for_each(alter);
    }
    let world = mixed();
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    world.emulator.forget_calls();
    let undo = plan_file(&world, "undo.json");
    let alterations: [Alteration; 9] = [
        ("not an undo", |plan| plan["purpose"] = json!("manifest")),
        ("one operation undoes nothing", |plan| {
            plan["operations"][0]["reason"] = json!("differs");
        }),
        ("a post of another concept than it shows", |plan| {
            each(plan, "post", |it| {
                it["body"]["data"]["regions"][0]["data"]["concepts"][0]["id"] = json!("x");
            });
        }),
        ("a post of another place than it shows", |plan| {
            each(plan, "post", |it| {
                it["body"]["data"]["regions"][0]["region_info"] = json!({"point": {"row": 0.5}});
            });
        }),
        ("an overwrite with metadata that it does not show", |plan| {
            each(plan, "overwrite", |it| {
                it["body"]["data"]["metadata"] = json!({"a": 1});
            });
        }),
        ("a replacement for somebody else than it shows", |plan| {
            each(plan, "replace", |it| it["body"]["user_id"] = json!("eve"));
        }),
        ("a status that it does not show", |plan| {
            each(plan, "replace", |it| {
                it["body"]["status"]["code"] = json!(24151);
            });
        }),
        ("a delete that does not show what goes", |plan| {
            each(plan, "delete", |it| {
                it.as_object_mut().unwrap().remove("before");
            });
        }),
        ("a body of another annotation", |plan| {
            each(plan, "overwrite", |it| it["body"]["id"] = json!("other"));
        }),
    ];
    for (what, alter) in alterations {
        let mut altered = undo.clone();
        alter(&mut altered);
        assert_ne!(altered, undo, "{what}");
        world.write("altered.json", &altered.to_string());
        let run = carry_out(&world, "altered.json", &[]).exits(1);
        assert!(
            run.stderr.contains("the plan was altered"),
            "{what}: {}",
            run.stderr
        );
    }
    assert_eq!(world.emulator.calls(), [], "nothing was sent");
}

#[test]
fn a_removed_fingerprint_does_not_weaken_the_checks() {
    let strip = |world: &World, from: &str| {
        let mut plan = plan_file(world, from);
        for operation in plan["operations"].as_array_mut().unwrap() {
            operation.as_object_mut().unwrap().remove("fingerprint");
        }
        world.write("stripped.json", &plan.to_string());
    };
    // A plan made from a manifest is refused.
    let world = mixed();
    world.plan(&["--out", "plan.json"]).exits(0);
    strip(&world, "plan.json");
    let run = carry_out(&world, "stripped.json", &[]).exits(1);
    run.says("`fingerprint` is missing");
    assert_eq!(world.writes(), []);
    // For an undo, the stored annotation must be exactly what the operation shows.
    let world = mixed();
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    strip(&world, "undo.json");
    let id = world.id_on("in-003");
    let more = json!({"id": id, "input_id": "in-003", "data": {"metadata": {"mine": 1}}});
    let patched = world.writer();
    let answer = world.block_on(patched.patch(PatchAction::Merge, &[named_body(&more)]));
    assert!(matches!(answer.unwrap()[..], [ItemResult::Done(_)]));
    let run = carry_out(&world, "stripped.json", &[]).exits(4);
    assert!(run.last_line().contains("Applied 4 ("), "{}", run.stdout);
    assert!(world.annotation(&id).is_some());
}
