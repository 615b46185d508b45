//! Replacements that are killed, stopped, refused or disturbed at any step: nothing is lost or doubled, and the same
//! command finishes them.
//!
//! Runs are killed only at writes: reads change nothing, so being killed at a read equals being killed after the
//! previous write.

mod concurrent;

use super::proxy::{self, ProxyAction, RunEvent, When};
use super::writing::apply_through;
use super::{Run, World, header, settled};
use crate::support::named_body;
use annosync::api::{ItemResult, PatchAction};
use annosync::model::{InputId, Key, SetName, key_id, set_prefix};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{ChildStderr, Command, Stdio};
use std::sync::mpsc::Receiver;
use tokio::sync::oneshot::Sender;

/// A run with writes that are held one by one.
struct Stepped {
    pid: u32,
    events: Receiver<RunEvent>,
    stderr: Option<ChildStderr>,
    /// The write that is held now.
    held_write: Option<(When, Sender<()>)>,
    ended: Option<Run>,
}

impl Stepped {
    /// Starts a run and waits for its first write.
    fn start(world: &World, path: &str) -> Self {
        let (sender, events) = std::sync::mpsc::channel();
        let proxy_action = ProxyAction::Step(sender.clone());
        let url = world.block_on(proxy::start(world.emulator.url(), proxy_action));
        let mut command = world.command();
        command.args(["apply", "--auto-approve", "--concurrency", "1"]);
        if path == "plan.json" {
            // A plan file names its target itself; the token is sent there only if a flag names it too.
            let plan = world.read(path).replace(&world.emulator.url(), &url);
            world.write("stepped.json", &plan);
            command.args(["stepped.json", "--endpoint", &url, "--rate-limit", "1000"]);
        } else {
            command.args([path, "--endpoint", &url, "--user-id", "owner"]);
            command.args(["--app-id", "app", "--rate-limit", "1000"]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take();
        let pid = child.id();
        std::thread::spawn(move || sender.send(RunEvent::Ended(child.wait_with_output().unwrap())));
        let mut run = Self {
            pid,
            events,
            stderr,
            held_write: None,
            ended: None,
        };
        run.wait();
        run
    }

    fn wait(&mut self) {
        match self.events.recv().unwrap() {
            RunEvent::Write(when, go) => self.held_write = Some((when, go)),
            RunEvent::Ended(output) => self.ended = Some(Run::from(output)),
        }
    }

    /// Releases this number of writes, or runs to the end.
    fn advance(&mut self, times: usize) {
        for _ in 0..times {
            let Some((_, go)) = self.held_write.take() else {
                return;
            };
            go.send(()).unwrap();
            self.wait();
        }
    }

    fn finish(mut self) -> Run {
        self.advance(usize::MAX);
        self.ended.unwrap()
    }

    fn signal(&self, name: &str) {
        let pid = self.pid.to_string();
        let killed = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(killed.success());
    }

    /// Kills the run. `false` if it had ended already.
    fn kill(mut self) -> bool {
        if self.held_write.is_none() {
            return false;
        }
        self.signal("-KILL");
        while self.ended.is_none() {
            self.held_write = None;
            self.wait();
        }
        true
    }

    /// Asks the run to stop, and waits for its message.
    fn stop(&mut self) {
        self.signal("-INT");
        let lines = BufReader::new(self.stderr.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        assert!(lines.any(|line| line.starts_with("Stopping:")));
        // The rest is read, so that the run does not block on a full pipe.
        std::thread::spawn(move || lines.count());
    }
}

const INPUTS: [&str; 3] = ["in-1", "in-2", "in-3"];

/// One annotation on each input: declared by key, by id, by content.
fn ids() -> [String; 3] {
    let set = SetName::new("street").unwrap();
    let by_key = key_id(
        &set,
        &InputId::new("in-1").unwrap(),
        &Key::new("k").unwrap(),
    );
    let by_content = format!("{}0123456789abcdef0123", set_prefix(&set));
    [by_key.to_string(), "alone".to_owned(), by_content]
}

fn seeded(input: &str, id: &str) -> Value {
    json!({
        "id": id, "input_id": input, "user_id": "owner", "created_at": "2026-01-01T00:00:00Z",
        "status": {"code": 24151}, "annotation_info": {"n": 7},
        "data": {
            "geo": {"geo_point": {"latitude": 46.5, "longitude": 6.5}},
            "metadata": {"weather": "rain"},
            "regions": [{
                "id": format!("region-{input}"),
                "region_info": {"bounding_box": {"top_row": 0.1, "left_col": 0.2, "bottom_row": 0.5, "right_col": 0.6}},
                "data": {"concepts": [{"id": "car", "value": 1.0}]},
            }],
        },
    })
}

/// Three annotations of the owner with undeclared data, and a manifest that gives them to `user`.
fn world(policy: &str) -> World {
    let world = World::new();
    let ids = ids();
    let all = INPUTS.iter().zip(&ids).map(|(input, id)| seeded(input, id));
    world.seed(all.collect());
    given_to(&world, policy, "bea");
    world
}

fn given_to(world: &World, policy: &str, user: &str) {
    let box_ = "box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }";
    let header = header().replace("policy: sync", &format!("policy: {policy}"));
    let inputs = format!(
        "  - id: in-1\n    annotations: [{{ key: k, {box_}, concepts: [car], user: {user} }}]\n  \
           - id: in-2\n    annotations: [{{ id: alone, user: {user} }}]\n  \
           - id: in-3\n    annotations: [{{ {box_}, concepts: [car], user: {user} }}]\n"
    );
    world.write("m.yaml", &format!("{header}inputs:\n{inputs}"));
}

fn is_stand_in(annotation: &Value) -> bool {
    annotation["annotation_info"]
        .get("annosync_stand_in_for")
        .is_some()
}

/// An annotation without its user and its times.
fn substance(annotation: &Value) -> Value {
    json!({
        "data": annotation["data"], "info": annotation["annotation_info"],
        "status": annotation["status"]["code"],
    })
}

/// Checks that each id has one annotation with all its data.
#[track_caller]
fn nothing_is_lost(world: &World) {
    let all = world.annotations();
    assert_eq!(all.len(), 3, "{all:#?}");
    for (input, id) in INPUTS.iter().zip(ids()) {
        let now = world.annotation(&id).unwrap();
        assert_eq!(substance(&now), substance(&seeded(input, &id)), "{id}");
    }
}

#[track_caller]
fn all_are_of(world: &World, user: &str) {
    nothing_is_lost(world);
    for annotation in world.annotations() {
        assert_eq!(annotation["user_id"], user, "{annotation:#}");
    }
}

/// Checks that all data of each annotation exists under its own id or in a stand-in.
#[track_caller]
fn everything_is_somewhere(world: &World) {
    for (input, id) in INPUTS.iter().zip(ids()) {
        let expected = substance(&seeded(input, &id));
        let holds_it = |mut it: Value| {
            if let Some(info) = it["annotation_info"].as_object_mut() {
                info.remove("annosync_stand_in_for");
            }
            it["input_id"] == *input && substance(&it) == expected
        };
        assert!(world.annotations().into_iter().any(holds_it), "{id}");
    }
}

#[test]
fn a_run_killed_at_any_write_is_finished_by_the_same_command() {
    for policy in ["sync", "upsert"] {
        for path in ["m.yaml", "plan.json"] {
            for at in 0.. {
                let world = world(policy);
                world.plan(&["--out", "plan.json"]).exits(0);
                let mut run = Stepped::start(&world, path);
                run.advance(at);
                if !run.kill() {
                    assert_eq!(at, 8, "four writes, before and after each");
                    break;
                }
                everything_is_somewhere(&world);
                world.apply_path(path, &[]).exits(0);
                all_are_of(&world, "bea");
                world.is_settled();
            }
        }
    }
}

#[test]
fn a_run_killed_during_a_repair_loses_nothing() {
    for first in 0..8 {
        for second in 0.. {
            let world = world("sync");
            let mut run = Stepped::start(&world, "m.yaml");
            run.advance(first);
            assert!(run.kill());
            let mut run = Stepped::start(&world, "m.yaml");
            run.advance(second);
            let went_on = run.kill();
            everything_is_somewhere(&world);
            world.apply(&[]).exits(0);
            all_are_of(&world, "bea");
            if !went_on {
                break;
            }
        }
    }
}

#[test]
fn a_run_that_is_stopped_at_any_write_leaves_no_stand_in() {
    for at in 0..8 {
        let world = world("sync");
        let mut run = Stepped::start(&world, "m.yaml");
        run.advance(at);
        run.stop();
        let run = run.finish();
        nothing_is_lost(&world);
        let of_bea = |it: &&Value| it["user_id"] == "bea";
        let replaced = world.annotations().iter().filter(of_bea).count();
        // Calls in flight are finished; after a sent delete the post is necessary too.
        assert_eq!(replaced, if at < 2 { 0 } else { 3 }, "{at}");
        let account = if at < 2 {
            "Applied 0, 0 already up to date, 0 failed, 3 not attempted."
        } else {
            "Applied 3 (3 replaced), 0 already up to date, 0 failed, 0 not attempted."
        };
        assert_eq!(run.last_line(), account, "{at}");
        world.apply(&[]).exits(0);
        all_are_of(&world, "bea");
    }
}

#[test]
fn a_replacement_with_a_refused_user_loses_nothing() {
    let world = world("sync");
    let text = world.read("m.yaml");
    let typo = text.replace("id: alone, user: bea", "id: alone, user: bae");
    world.write("m.yaml", &typo);
    let before = world.annotation("alone");
    let run = apply_through(&world, ProxyAction::RefuseWith("bae")).exits(5);
    assert_eq!(
        run.last_line(),
        "Applied 2 (2 replaced), 0 already up to date, 1 failed, 0 not attempted."
    );
    let run = run.says("Failed: replace annotation alone of input in-2: refused with HTTP 400");
    assert!(!run.stdout.contains("stand-in"), "{}", run.stdout);
    nothing_is_lost(&world);
    assert_eq!(world.annotation("alone"), before);
    world.write("m.yaml", &text);
    world.apply(&[]).exits(0);
    all_are_of(&world, "bea");
}

#[test]
fn the_original_is_kept_if_the_service_does_not_store_the_whole_stand_in() {
    let world = world("sync");
    let forget = |answer: &mut Value| {
        for annotation in answer["annotations"].as_array_mut().into_iter().flatten() {
            if let Some(data) = annotation["data"].as_object_mut() {
                data.remove("metadata");
            }
        }
    };
    let run = apply_through(&world, ProxyAction::Answer(forget)).exits(1);
    run.says("the service accepted its stand-in and stored something else");
    all_are_of(&world, "owner");
}

/// Applies a plan file without its manifest, which makes no such plan any more.
const ALONE: [&str; 4] = ["apply", "plan.json", "--auto-approve", "--rate-limit=1000"];

/// A world in which a run was killed after this number of events.
fn killed_after(events: usize) -> World {
    let world = world("sync");
    let mut run = Stepped::start(&world, "m.yaml");
    run.advance(events);
    assert!(run.kill());
    world
}

#[test]
fn a_manifest_changed_after_a_killed_run_is_applied_by_the_next_one() {
    for at in 0..8 {
        let world = killed_after(at);
        given_to(&world, "sync", "cyd");
        let run = world.apply(&[]);
        // A declaration with another user does not match by content, because the annotation still has the earlier user.
        let kept: Vec<Value> = world.annotations();
        assert!(!kept.iter().any(is_stand_in), "{at}: {kept:#?}");
        assert_eq!(run.code, 0, "{at}: {}\n{}", run.stdout, run.stderr);
        for id in &ids()[..2] {
            assert_eq!(world.annotation(id).unwrap()["user_id"], "cyd", "{at}");
        }
        everything_is_somewhere(&world);
    }
}

#[test]
fn unfinished_replacements_are_repaired_before_undeclared_annotations_are_deleted() {
    let world = killed_after(3);
    assert_eq!(world.annotation("alone"), None, "it is deleted");
    world.declare("  - id: in-1\n    annotations: []\n");
    let plan = world.plan(&[]).exits(0);
    let plan = plan.says("± replace ");
    plan.says("(an earlier run did not finish it)");
    let apply = ["apply", "m.yaml", "--auto-approve"];
    world.on_app(&apply).exits(0);
    all_are_of(&world, "bea");
    // Then it is deleted, as an undeclared annotation of this set.
    world.apply(&[]).exits(0);
    assert_eq!(world.annotation("alone").unwrap()["user_id"], "bea");
}

#[test]
fn unfinished_replacements_are_repaired_under_every_policy() {
    for at in [1, 3, 5] {
        let world = killed_after(at);
        given_to(&world, "create", "bea");
        let run = world
            .on_app(&["apply", "m.yaml", "--auto-approve"])
            .exits(0);
        nothing_is_lost(&world);
        let applied = match at {
            1 | 5 => "Applied 3 (3 deleted), ",
            _ => "Applied 3 (3 replaced), ",
        };
        assert!(run.last_line().starts_with(applied), "{}", run.stdout);
    }
}

#[test]
fn guards_do_not_count_repairs() {
    for at in [1, 3, 5] {
        let world = killed_after(at);
        let text = world.read("m.yaml");
        let strict = text.replace(
            "guards: { max_deletes: 100%, max_updates: 100%",
            "guards: { max_deletes: 0, max_updates: 3",
        );
        assert_ne!(strict, text);
        world.write("m.yaml", &strict);
        world.apply(&[]).exits(0);
        all_are_of(&world, "bea");
    }
}

#[test]
fn a_pull_never_takes_a_stand_in_for_a_label() {
    for at in [1, 3, 5] {
        let world = killed_after(at);
        let known = world.read("m.yaml");
        // They contain fields that a manifest cannot declare.
        world
            .on_app(&["pull", "pulled", "--set", "street"])
            .exits(5)
            .says("warning[fields-not-declarable]: 3 annotations");
        let text = world.read("pulled/labels/pulled.yaml");
        assert!(!text.contains("as-6008c26f-r"), "{text}");
        assert!(!text.contains("annosync_stand_in_for"), "{text}");
        assert_eq!(text.matches("- id: in-").count(), 3, "{text}");
        world.on_app(&["pull", "m.yaml"]).exits(0);
        let text = world.read("m.yaml");
        assert!(!text.contains("as-6008c26f-r"), "{text}");
        if at > 1 {
            assert_eq!(text, known, "it says already what is, or is to be");
        }
        // The pulled manifest finishes the replacements, and then its plan is empty.
        world
            .on_app(&["apply", "pulled", "--auto-approve"])
            .exits(0);
        nothing_is_lost(&world);
        settled(&world.on_app(&["plan", "pulled", "--detailed-exitcode"]));
    }
}

#[test]
fn a_task_survives_a_replacement_and_an_undo_and_lost_consensus_is_named() {
    let world = World::new();
    world.seed(vec![json!({
        "id": "a", "input_id": "in", "task_id": "t1", "consensus_info": { "approved": 2 },
        "data": { "concepts": [{ "id": "car", "value": 1 }] },
    })]);
    let task = || world.annotation("a").map(|it| it["task_id"].clone());
    let listed = world.on_app(&["list", "--format", "jsonl"]).exits(0);
    assert!(listed.stdout.contains(r#""consensus_info":{"approved":2}"#));
    let annotation = "{ id: a, concepts: [car], user: labeler-1 }";
    world.write(
        "m.yaml",
        &format!(
            "{}inputs: [{{ id: in, annotations: [{annotation}] }}]\n",
            header()
        ),
    );
    world
        .apply(&["--undo-out", "undo.json"])
        .exits(0)
        .says("1 annotation that the plan replaces will lose `consensus_info`");
    assert_eq!(task(), Some(json!("t1")));
    world.is_settled();
    let undo = [
        "apply",
        "undo.json",
        "--auto-approve",
        "--allow-updates",
        "1",
        "--allow-user",
        "labeler-1",
    ];
    world.run(&undo).exits(0);
    assert_eq!(task(), Some(json!("t1")));
}
