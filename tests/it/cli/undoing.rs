//! `apply --undo-out`: an undo restores exactly the state before the apply, for annotations of every kind; the file is
//! valid at every moment.

mod file;

use super::every::{kinds, mask, model_made};
use super::proxy::{self, ProxyAction};
use super::{Run, World, boxes};
use crate::schemas;
use crate::support::named_body;
use annosync::api::{ItemResult, PatchAction};
use annosync::emulator::{Endpoint, Fault};
use annosync::wire::Code;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use tokio::sync::oneshot::Sender;

/// Flags that let all guards pass, which are not tested here.
const UNGUARDED: [&str; 4] = ["--allow-deletes", "999", "--allow-updates", "999"];

/// The annotations of the app, without times and empty objects, which the server sets.
pub(super) fn state(world: &World) -> Vec<Value> {
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
    // An annotation of a model cannot be restored.
    all.retain(|it| it["id"] != "m1");
    all.sort_by_key(|it| format!("{}/{}", it["input_id"], it["id"]));
    all
}

/// Applies a plan file.
pub(super) fn carry_out(world: &World, file: &str, arguments: &[&str]) -> Run {
    let apply = ["apply", file, "--auto-approve"];
    world.run(&[&apply[..], &UNGUARDED, arguments].concat())
}

fn plan_file(world: &World, file: &str) -> Value {
    let plan = serde_json::from_str(&world.read(file)).unwrap();
    schemas::PLAN.accepts(&plan);
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

/// An app with the inputs, and an annotation of a model on each.
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

/// An app with an annotation of every kind, each with unmodelled data.
fn every_kind() -> World {
    let world = inputs();
    world.declare(&declared());
    world.apply(&[]).exits(0);
    let patch = |it: &Value| {
        let data = json!({"unmodelled": {"left": [1, 2]}, "metadata": {"deep": {"list": [0]}}});
        json!({"id": it["id"], "input_id": it["input_id"], "data": data})
    };
    let patches: Vec<_> = state(&world)
        .iter()
        .map(|it| named_body(&patch(it)))
        .collect();
    let answer = world.block_on(world.writer().patch(PatchAction::Merge, &patches));
    let done = |item: &ItemResult<_>| matches!(item, ItemResult::Done(_));
    assert!(answer.unwrap().iter().all(done));
    world
}

/// Inputs that declare a change of each existing annotation, by its id.
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
fn undo_and_redo(world: &World, inputs: &str, count: usize, done: &str) {
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
pub(super) fn same(one: &[Value], other: &[Value]) {
    for (one, other) in one.iter().zip(other) {
        assert_eq!(one, other, "\n{one:#}\n{other:#}");
    }
    assert_eq!(one.len(), other.len());
}

#[test]
fn a_post_of_every_kind_is_undone() {
    let world = inputs();
    undo_and_redo(&world, &declared(), names().len() - 1, "posted");
}

#[test]
fn a_merge_into_every_kind_is_undone() {
    let world = every_kind();
    let change =
        "status: awaiting_review, metadata: { new: 1, deep: { more: 2 } }, info: { who: me }";
    let inputs = changing(&world, &[], change);
    undo_and_redo(&world, &inputs, names().len(), "merged");
}

#[test]
fn a_removal_from_every_kind_is_undone() {
    let world = every_kind();
    let inputs = changing(&world, &["text"], "concepts: []");
    undo_and_redo(&world, &inputs, names().len() - 1, "removed");
}

#[test]
fn an_overwrite_of_every_kind_is_undone() {
    let world = every_kind();
    let change = "polygon: [[0.3, 0.3], [0.3, 0.4], [0.4, 0.4]], concepts: [other], info: { a: 1 }";
    let inputs = changing(&world, &[], change);
    undo_and_redo(&world, &inputs, names().len(), "overwritten");
}

#[test]
fn a_replacement_of_every_kind_is_undone() {
    let world = every_kind();
    let inputs = changing(&world, &["input_level"], "user: bea, metadata: { new: 1 }");
    undo_and_redo(&world, &inputs, names().len() - 1, "replaced");
}

#[test]
fn a_delete_of_every_kind_is_undone() {
    let world = every_kind();
    let inputs = names().into_iter();
    let inputs = inputs.map(|name| format!("  - id: in-{name}\n    annotations: []\n"));
    // Annotations made by the app stay.
    undo_and_redo(
        &world,
        &inputs.collect::<String>(),
        names().len() - 1,
        "deleted",
    );
}

#[test]
fn a_purge_of_every_kind_is_undone_except_for_annotations_of_models() {
    let world = every_kind();
    let inputs = names().into_iter();
    let inputs = inputs.map(|name| format!("  - id: in-{name}\n    purge: true\n"));
    let count = names().len();
    undo_and_redo(&world, &inputs.collect::<String>(), count, "inputs purged");
    let spots = plan_file(&world, "undo.json")["blind_spots"].to_string();
    let lost = format!(
        "{count} annotations made by models, which cannot be posted again: m1 of input in-box"
    );
    assert!(spots.contains(&lost), "{spots}");
}

/// An app that needs every kind of write except a purge: `in-000` is relabelled, `in-001` gets a status, `in-002` is
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
fn operations_that_were_not_applied_are_not_in_the_undo() {
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
    // The posted input stays, with its input-level annotation.
    now.retain(|it| it["input_id"] != "in-003");
    same(&now, &was);
    world.declare(&(boxes(0..3, "car") + &boxes(4..5, "car")));
    world.apply(&["--undo-out", "undo.json"]).exits(0);
}

#[test]
fn writes_with_lost_answers_are_undone_too() {
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
fn an_undo_leaves_later_edits_alone() {
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

/// A started apply with one write held until it is released.
pub(super) struct HeldRun {
    pub(super) child: Child,
    pub(super) arrived: Arrival,
    pub(super) release: Sender<()>,
}

/// Whether the held write has arrived, or the run ended before it.
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

/// A sender for the arrival of the write, and its receiver. The receiver also learns when the command ends, by its stdin.
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
        // The receiver may have been dropped.
        let _ = tell_of_end.send(false);
    });
    (told, Arrival(arrived))
}

#[test]
#[should_panic(expected = "the run ended before its write arrived")]
fn waiting_for_a_write_fails_if_the_run_ends_before_it() {
    let world = World::new();
    world.declare("  - id: in-000\n    annotations: []\n");
    let mut held = start_held(&world, "m.yaml", 0, &[]);
    held.child.wait().unwrap();
    held.arrived.wait();
}

/// Applies a manifest or a plan file one call at a time; the write after this many is held.
pub(super) fn start_held(world: &World, path: &str, after: usize, arguments: &[&str]) -> HeldRun {
    let mut command = world.command();
    let (told, arrived) = arrival(&mut command);
    let (release, go) = tokio::sync::oneshot::channel();
    let proxy_action = ProxyAction::hold_after(after, told, go);
    let url = world.block_on(proxy::start(world.emulator.url(), proxy_action));
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
    HeldRun {
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
fn a_killed_run_leaves_a_valid_undo() {
    for takes_effect in [false, true] {
        let world = mixed();
        let was = state(&world);
        let HeldRun {
            mut child,
            arrived,
            release,
        } = start_held(&world, "m.yaml", 0, &["--undo-out", "undo.json"]);
        arrived.wait();
        // It is complete before anything takes effect.
        let undo = plan_file(&world, "undo.json");
        assert_eq!(undo["operations"].as_array().unwrap().len(), 5, "{undo:#}");
        assert_eq!(world.writes(), []);
        if takes_effect {
            // The calls are carried out, but the file is not updated.
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
fn the_finished_writes_of_a_killed_or_stopped_run_are_undone() {
    for signal in ["-KILL", "-INT"] {
        let world = World::new();
        world.declare(&boxes(0..600, "car"));
        let HeldRun {
            mut child,
            arrived,
            release,
        } = start_held(&world, "m.yaml", 2, &["--undo-out", "undo.json"]);
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
