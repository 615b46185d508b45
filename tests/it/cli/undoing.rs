//! `apply --undo-out`: whatever an apply did to annotations of whatever kind, its undo brings back what was there, and
//! nothing else; the file is right at every moment.

use super::every::{kinds, mask, model_made};
use super::proxy::{self, Meddling};
use super::{Run, World, boxes};
use crate::schemas;
use annosync::api::code::Code;
use annosync::api::{ItemResult, PatchAction};
use annosync::emulator::{Endpoint, Fault};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use tokio::sync::oneshot::Sender;

/// Lets everything pass: what is tested here is what an undo does, not what holds it up.
const UNGUARDED: [&str; 4] = ["--allow-deletes", "999", "--allow-updates", "999"];

/// What an app holds, but for what the server makes anew: the times, and an empty object in the place of none.
fn state(world: &World) -> Vec<Value> {
    let mut all = world.block_on(world.emulator.annotations()).unwrap();
    for annotation in &mut all {
        let fields = annotation.as_object_mut().unwrap();
        fields.remove("created_at");
        fields.remove("modified_at");
        if fields.get("annotation_info") == Some(&json!({})) {
            fields.remove("annotation_info");
        }
        fields.sort_keys();
    }
    // Nobody can bring back what a model made.
    all.retain(|it| it["id"] != "m1");
    all.sort_by_key(|it| format!("{}/{}", it["input_id"], it["id"]));
    all
}

/// Applies a plan file.
fn carry_out(world: &World, file: &str, arguments: &[&str]) -> Run {
    let apply = ["apply", file, "--auto-approve"];
    world.run(&[&apply[..], &UNGUARDED, arguments].concat())
}

fn plan_file(world: &World, file: &str) -> Value {
    let plan = serde_json::from_str(&world.read(file)).unwrap();
    schemas::PLAN.takes(&plan);
    plan
}

fn names() -> Vec<String> {
    kinds().into_iter().map(|[name, ..]| name).collect()
}

/// One input for each row of the table of kinds in `examples/README.md`.
fn declared() -> String {
    let rows = kinds().into_iter().map(|[name, annotation, _]| {
        format!("  - id: in-{name}\n    annotations:\n      - {annotation}\n")
    });
    rows.collect()
}

/// An app that has the inputs, and on each what a model found.
fn inputs() -> World {
    let world = World::new();
    let on = |name: &String| {
        let mut found = model_made();
        found["input_id"] = json!(format!("in-{name}"));
        found
    };
    world.seed(names().iter().map(on).collect());
    mask(&world, 5);
    world
}

/// An app with an annotation of every kind, each with data that nothing here models.
fn every_kind() -> World {
    let world = inputs();
    world.declare(&declared());
    world.apply(&[]).exits(0);
    let patch = |it: &Value| {
        let data = json!({"unmodelled": {"left": [1, 2]}, "metadata": {"deep": {"list": [0]}}});
        json!({"id": it["id"], "input_id": it["input_id"], "data": data}).to_string()
    };
    let patches: Vec<String> = state(&world).iter().map(patch).collect();
    let patches: Vec<&str> = patches.iter().map(String::as_str).collect();
    let answer = world.block_on(world.writer().patch(PatchAction::Merge, &patches));
    let done = |item: &ItemResult<_>| matches!(item, ItemResult::Done(_));
    assert!(answer.unwrap().iter().all(done));
    world
}

/// Inputs that declare something of each annotation that is there, by its id.
fn changing(world: &World, leaving_out: &[&str], change: &str) -> String {
    let all = state(world);
    let names = names().into_iter();
    let changed = names.filter(|name| !leaving_out.contains(&name.as_str()));
    let input = changed.map(|name| {
        let input = format!("in-{name}");
        let is_it = |it: &&Value| {
            it["input_id"] == input.as_str()
                && (it["input_level"] == true) == (name == "input_level")
        };
        let id = all.iter().find(is_it).unwrap()["id"].as_str().unwrap();
        format!("  - id: {input}\n    annotations:\n      - {{ id: {id}, {change} }}\n")
    });
    input.collect()
}

/// Applies a manifest with `--undo-out`, undoes it, undoes that, and undoes that again.
fn there_and_back(world: &World, inputs: &str, count: usize, done: &str) {
    world.declare(inputs);
    let was = state(world);
    let run = world.apply(&["--undo-out", "undo.json", "--allow-purge"]);
    let run = run.exits(0);
    let done = format!("{count} {done}");
    assert!(run.last_line().contains(&done), "{done}: {}", run.stdout);
    let is = state(world);
    assert_ne!(is, was);
    let run = carry_out(world, "undo.json", &["--undo-out", "redo.json"]).exits(0);
    assert!(run.stderr.contains("(undoes an apply)"), "{}", run.stderr);
    same(&state(world), &was);
    let run = carry_out(world, "undo.json", &[]).exits(0);
    assert!(run.last_line().starts_with("Applied 0, "), "{}", run.stdout);
    carry_out(world, "redo.json", &["--undo-out", "back.json"]).exits(0);
    same(&state(world), &is);
    carry_out(world, "back.json", &[]).exits(0);
    same(&state(world), &was);
}

#[track_caller]
fn same(one: &[Value], other: &[Value]) {
    for (one, other) in one.iter().zip(other) {
        assert_eq!(one, other, "\n{one:#}\n{other:#}");
    }
    assert_eq!(one.len(), other.len());
}

#[test]
fn a_post_of_every_kind_is_undone() {
    let world = inputs();
    there_and_back(&world, &declared(), names().len() - 1, "posted");
}

#[test]
fn a_merge_into_every_kind_is_undone() {
    let world = every_kind();
    let change =
        "status: awaiting_review, metadata: { new: 1, deep: { more: 2 } }, info: { who: me }";
    let inputs = changing(&world, &[], change);
    there_and_back(&world, &inputs, names().len(), "merged");
}

#[test]
fn a_removal_from_every_kind_is_undone() {
    let world = every_kind();
    let inputs = changing(&world, &["text"], "concepts: []");
    there_and_back(&world, &inputs, names().len() - 1, "removed");
}

#[test]
fn an_overwrite_of_every_kind_is_undone() {
    let world = every_kind();
    let change = "polygon: [[0.3, 0.3], [0.3, 0.4], [0.4, 0.4]], concepts: [other], info: { a: 1 }";
    let inputs = changing(&world, &[], change);
    there_and_back(&world, &inputs, names().len(), "overwritten");
}

#[test]
fn a_replacement_of_every_kind_is_undone() {
    let world = every_kind();
    let inputs = changing(&world, &["input_level"], "user: bea, metadata: { new: 1 }");
    there_and_back(&world, &inputs, names().len() - 1, "replaced");
}

#[test]
fn a_delete_of_every_kind_is_undone() {
    let world = every_kind();
    let inputs = names().into_iter();
    let inputs = inputs.map(|name| format!("  - id: in-{name}\n    annotations: []\n"));
    // What the app made stays.
    there_and_back(
        &world,
        &inputs.collect::<String>(),
        names().len() - 1,
        "deleted",
    );
}

#[test]
fn a_purge_of_every_kind_is_undone_but_for_what_models_made() {
    let world = every_kind();
    let inputs = names().into_iter();
    let inputs = inputs.map(|name| format!("  - id: in-{name}\n    purge: true\n"));
    let count = names().len();
    there_and_back(&world, &inputs.collect::<String>(), count, "inputs purged");
    let spots = plan_file(&world, "undo.json")["blind_spots"].to_string();
    let lost = format!(
        "{count} annotations that a model made, which cannot be posted again: m1 of input in-box"
    );
    assert!(spots.contains(&lost), "{spots}");
}

/// An app that needs every kind of write but a purge: `in-000` is relabelled, `in-001` gets a status, `in-002` is
/// deleted, `in-003` is posted, `in-004` goes to another user.
fn mixed() -> World {
    let world = World::new();
    world.declare(&(boxes(0..3, "car") + &boxes(4..5, "car")));
    world.apply(&[]).exits(0);
    let status = boxes(1..2, "car").replace("[car]", "[car]\n        status: pending");
    let user = boxes(4..5, "car").replace("[car]", "[car]\n        user: bea");
    world.declare(&(boxes(0..1, "person") + &status + &boxes(3..4, "car") + &user));
    world.emulator.forget_calls();
    world
}

#[test]
fn what_was_not_carried_out_is_left_out_of_the_undo() {
    let world = mixed();
    let was = state(&world);
    let fault = Fault::FailItems {
        items: vec![0],
        code: Code::ANNOTATION_INVALID_ARGUMENT,
    };
    let faults = world.emulator.faults();
    faults.next(Endpoint::PatchAnnotations, fault);
    world.apply(&["--undo-out", "undo.json"]).exits(5);
    let undo = plan_file(&world, "undo.json");
    let operations = undo["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 4, "{undo:#}");
    for operation in operations {
        let seen = operation["action"] != "post";
        assert_eq!(operation["fingerprint"].is_string(), seen, "{operation:#}");
    }
    let run = carry_out(&world, "undo.json", &[]).exits(0);
    assert!(run.last_line().starts_with("Applied 4 ("), "{}", run.stdout);
    let mut now = state(&world);
    // The input of what was posted stays, with what the app made with it.
    now.retain(|it| it["input_id"] != "in-003");
    same(&now, &was);
    world.declare(&(boxes(0..3, "car") + &boxes(4..5, "car")));
    world.apply(&["--undo-out", "undo.json"]).exits(0);
}

#[test]
fn what_a_lost_answer_left_done_is_undone_too() {
    let world = mixed();
    let was = state(&world);
    for endpoint in [
        Endpoint::PostAnnotations,
        Endpoint::PatchAnnotations,
        Endpoint::DeleteAnnotation,
    ] {
        world.emulator.faults().next(endpoint, Fault::DropAfter);
    }
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    let undo = plan_file(&world, "undo.json");
    assert_eq!(undo["operations"].as_array().unwrap().len(), 5, "{undo:#}");
    carry_out(&world, "undo.json", &[]).exits(0);
    let mut now = state(&world);
    now.retain(|it| it["input_id"] != "in-003");
    same(&now, &was);
}

#[test]
fn what_somebody_edited_since_is_left_alone_by_the_undo() {
    for input in ["in-000", "in-003", "in-004"] {
        let world = mixed();
        world.apply(&["--undo-out", "undo.json"]).exits(0);
        let id = world.id_on(input);
        world.someone_marks_as_pending(input);
        let edited = world.annotation(&id);
        let run = carry_out(&world, "undo.json", &[]).exits(4);
        assert!(run.last_line().contains("Applied 4 ("), "{}", run.stdout);
        assert!(run.stdout.contains(&format!("of input {input}:")));
        assert_eq!(world.annotation(&id), edited);
    }
}

/// An apply that was started, one of whose writes is held until it is let go.
pub(super) struct Held {
    pub(super) child: Child,
    pub(super) arrived: Arrival,
    pub(super) release: Sender<()>,
}

/// That the write which is held has arrived, or that the run ended before it.
pub(super) struct Arrival(Receiver<bool>);

impl Arrival {
    /// Waits for the write, and fails if the run ends first.
    #[track_caller]
    pub(super) fn wait(&self) {
        assert!(
            self.0.recv().unwrap(),
            "the run ended before its write arrived"
        );
    }
}

/// Who is told of the write, and what waits for it; also for the end of the command, which gets its stdin here.
pub(super) fn arrival(command: &mut Command) -> (std::sync::mpsc::Sender<()>, Arrival) {
    let (told, write) = std::sync::mpsc::channel();
    let (tell, arrived) = std::sync::mpsc::channel();
    let tell_of_end = tell.clone();
    std::thread::spawn(move || write.recv().is_ok_and(|()| tell.send(true).is_ok()));
    // The command holds one end of a pipe, which is closed once it ends.
    let (mut end, held) = std::io::pipe().unwrap();
    command.stdin(Stdio::from(held));
    std::thread::spawn(move || {
        let _ = end.read_to_end(&mut Vec::new());
        // Nobody may wait any more.
        let _ = tell_of_end.send(false);
    });
    (told, Arrival(arrived))
}

#[test]
#[should_panic(expected = "the run ended before its write arrived")]
fn waiting_for_a_write_fails_where_the_run_ends_before_it() {
    let world = World::new();
    world.declare("  - id: in-000\n    annotations: []\n");
    let mut held = held(&world, "m.yaml", 0, &[]);
    held.child.wait().unwrap();
    held.arrived.wait();
}

/// Applies a manifest or a plan file one call at a time; the write after so many is held.
pub(super) fn held(world: &World, path: &str, after: usize, arguments: &[&str]) -> Held {
    let mut command = world.command();
    let (told, arrived) = arrival(&mut command);
    let (release, go) = tokio::sync::oneshot::channel();
    let meddling = Meddling::hold_after(after, told, go);
    let url = world.block_on(proxy::start(world.emulator.url(), meddling));
    command.args(["apply", path, "--auto-approve", "--concurrency", "1"]);
    if path == "m.yaml" {
        command.args(["--endpoint", &url, "--user-id", "owner", "--app-id", "app"]);
    } else {
        readdress(world, path, &url);
        command.args(["--endpoint", &url]);
    }
    command
        .args(["--rate-limit", "1000"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Held {
        child: command.spawn().unwrap(),
        arrived,
        release,
    }
}

/// The same plan, for the same app at this URL.
fn readdress(world: &World, file: &str, url: &str) {
    let mut plan = plan_file(world, file);
    plan["target"]["endpoint"] = json!(url);
    world.write(file, &plan.to_string());
}

#[test]
fn a_run_that_was_killed_left_the_file_that_undoes_what_it_did() {
    for takes_effect in [false, true] {
        let world = mixed();
        let was = state(&world);
        let Held {
            mut child,
            arrived,
            release,
        } = held(&world, "m.yaml", 0, &["--undo-out", "undo.json"]);
        arrived.wait();
        // It is there, whole, before anything takes effect.
        let undo = plan_file(&world, "undo.json");
        assert_eq!(undo["operations"].as_array().unwrap().len(), 5, "{undo:#}");
        assert_eq!(world.writes(), []);
        if takes_effect {
            // The calls go through, and the file is not written again.
            release.send(()).unwrap();
            let kept = world.read("undo.json");
            child.wait().unwrap();
            world.write("undo.json", &kept);
        } else {
            child.kill().unwrap();
            child.wait().unwrap();
            drop(release);
        }
        readdress(&world, "undo.json", &world.emulator.url());
        let run = carry_out(&world, "undo.json", &[]).exits(0);
        let done = if takes_effect { 5 } else { 0 };
        assert!(
            run.last_line().starts_with(&format!("Applied {done}")),
            "{}",
            run.stdout
        );
        let mut now = state(&world);
        now.retain(|it| it["input_id"] != "in-003");
        same(&now, &was);
    }
}

#[test]
fn a_run_that_was_killed_or_stopped_in_the_middle_is_undone_as_far_as_it_came() {
    for signal in ["-KILL", "-INT"] {
        let world = World::new();
        world.declare(&boxes(0..600, "car"));
        let Held {
            mut child,
            arrived,
            release,
        } = held(&world, "m.yaml", 2, &["--undo-out", "undo.json"]);
        arrived.wait();
        assert_eq!(world.annotations().len(), 256);
        let pid = child.id().to_string();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let kill = Command::new("kill").args([signal, &pid]).status();
        assert!(kill.unwrap().success());
        if signal == "-KILL" {
            child.wait().unwrap();
            drop(release);
        } else {
            let mut said = stderr.by_ref().map(Result::unwrap);
            assert!(said.any(|line| line.starts_with("Stopping:")));
            release.send(()).unwrap();
            let run = Run::from(child.wait_with_output().unwrap()).exits(5);
            assert!(run.last_line().starts_with("Applied 384 (384 posted)"));
        }
        let undo = plan_file(&world, "undo.json");
        let all = undo["operations"].as_array().unwrap();
        assert_eq!(all.len(), if signal == "-KILL" { 600 } else { 384 });
        readdress(&world, "undo.json", &world.emulator.url());
        let run = carry_out(&world, "undo.json", &[]).exits(0);
        let account = if signal == "-KILL" {
            "Applied 256 (256 deleted), 344 already up to date, 0 failed, 0 not attempted."
        } else {
            "Applied 384 (384 deleted), 0 already up to date, 0 failed, 0 not attempted."
        };
        assert_eq!(run.last_line(), account);
        assert_eq!(world.annotations(), Vec::<Value>::new());
    }
}

#[test]
fn a_file_that_cannot_be_written_again_after_the_run_is_right_as_it_was() {
    let world = mixed();
    let was = state(&world);
    fs::create_dir(world.path().join("kept")).unwrap();
    let Held {
        child,
        arrived,
        release,
    } = held(&world, "m.yaml", 0, &["--undo-out", "kept/undo.json"]);
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
fn the_same_command_in_the_manifests_folder_runs_again_beside_its_own_files() {
    let world = World::new();
    let header = super::header();
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
fn an_undo_that_is_there_is_kept_and_nothing_else_is_overwritten() {
    let world = mixed();
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    let first = world.read("undo.json");
    world.declare(&boxes(0..1, "tree"));
    let run = world.apply(&["--undo-out", "undo.json"]).exits(0);
    assert!(
        run.stderr
            .contains("undo.json was there, and is kept as undo.json.1.")
    );
    assert_eq!(world.read("undo.json.1"), first);
    let second = world.read("undo.json");
    // Nothing to do is undone by doing nothing; what was there is kept all the same.
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    assert_eq!(world.read("undo.json.2"), second);
    let run = carry_out(&world, "undo.json", &[]).exits(0);
    assert_eq!(run.stdout, "No changes. There is nothing to undo.\n");
    // An undo that has nothing to do is worth nothing.
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    assert!(!world.path().join("undo.json.3").exists());
    // One after the other, they lead all the way back.
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
fn where_the_undo_cannot_be_written_nothing_is_sent() {
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
    // No file can grow beyond 512 bytes: what a full disk does, and only to this process.
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
fn a_dry_run_has_nothing_to_undo() {
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

/// What is done to an undo, in words, and what does it.
type Alteration = (&'static str, fn(&mut Value));

#[test]
fn an_undo_that_was_altered_is_refused_and_nothing_is_sent() {
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
        ("it is no undo", |plan| plan["purpose"] = json!("manifest")),
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
fn a_fingerprint_that_was_taken_out_makes_nothing_easier() {
    let strip = |world: &World, from: &str| {
        let mut plan = plan_file(world, from);
        for operation in plan["operations"].as_array_mut().unwrap() {
            operation.as_object_mut().unwrap().remove("fingerprint");
        }
        world.write("stripped.json", &plan.to_string());
    };
    // A plan that a manifest made is refused.
    let world = mixed();
    world.plan(&["--out", "plan.json"]).exits(0);
    strip(&world, "plan.json");
    let run = carry_out(&world, "stripped.json", &[]).exits(1);
    run.says("it does not show what is there and what comes of it");
    assert_eq!(world.writes(), []);
    // Of an undo, what is there must be all that the operation shows, and nothing more.
    let world = mixed();
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    strip(&world, "undo.json");
    let id = world.id_on("in-003");
    let more = json!({"id": id, "input_id": "in-003", "data": {"metadata": {"mine": 1}}});
    let patch = more.to_string();
    let patched = world.writer();
    let answer = world.block_on(patched.patch(PatchAction::Merge, &[&patch]));
    assert!(matches!(answer.unwrap()[..], [ItemResult::Done(_)]));
    let run = carry_out(&world, "stripped.json", &[]).exits(4);
    assert!(run.last_line().contains("Applied 4 ("), "{}", run.stdout);
    assert!(world.annotation(&id).is_some());
}
