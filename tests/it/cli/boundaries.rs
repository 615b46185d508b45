//! Each kind of failure hits every call of an apply in turn, before the server acted and after: the answer never
//! comes, the connection breaks, the service is unavailable, the process is killed. In the end, if necessary after the same
//! command is run again, the app is as without failures: nothing is lost or doubled.

use super::proxy::{self, ProxyAction, When};
use super::{Run, World, boxes};
use crate::support::whole;
use annosync::emulator::{Fault, Scope};
use annosync::wire::Code;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The initial annotations: thirteen boxes of the set, with data that no manifest manages (free fields, and data that
/// annosync does not model), and annotations of other users.
pub(super) fn before() -> Vec<Value> {
    let world = World::new();
    world.declare(&boxes(0..13, "car"));
    world.apply(&[]).exits(0);
    let mut stored = world.annotations();
    for annotation in &mut stored {
        annotation["data"]["metadata"] = json!({"note": annotation["input_id"]});
        annotation["data"]["geo"] = json!({"geo_point": {"longitude": 5.5, "latitude": 52.1}});
    }
    stored.push(whole("in-000", "theirs", &[("tree", 1.0)]));
    stored.last_mut().unwrap()["user_id"] = "ann".into();
    stored.push(whole("in-020", "one", &[("tree", 1.0)]));
    stored.push(whole("in-020", "other", &[("car", 1.0)]));
    stored
}

/// The initial world, with a manifest that needs every kind of call: merge, overwrite, remove, replace, post, delete,
/// purge.
pub(super) fn world(before: &[Value]) -> World {
    let world = World::new();
    world.seed(before.to_vec());
    let pending = "[car]\n        status: pending";
    let merged = boxes(0..2, "car").replace("[car]", pending);
    let overwritten = boxes(2..4, "tree");
    let removed = boxes(4..6, "car").replace("concepts: [car]", "concepts: []");
    let purged = "  - id: in-020\n    purge: true\n";
    let replaced = boxes(9..11, "car").replace("[car]", "[car]\n        user: bea");
    let rest = format!("{}{}{purged}", boxes(6..9, "car"), boxes(30..33, "car"));
    world.declare(&format!("{merged}{overwritten}{removed}{replaced}{rest}"));
    world
}

/// The final state without faults.
pub(super) fn wanted(before: &[Value]) -> Vec<Value> {
    let world = world(before);
    world.apply(&["--allow-purge"]).exits(0);
    let wanted = state(&world);
    for input in ["in-002", "in-009"] {
        let note = |it: &Value| it["data"]["metadata"]["note"] == input;
        assert!(wanted.iter().any(note), "unmanaged data is kept");
    }
    assert!(wanted.iter().any(|it| it["id"] == "theirs"));
    wanted
}

pub(super) const APPLY: [&str; 6] = [
    "apply",
    "m.yaml",
    "--auto-approve",
    "--allow-purge",
    "--concurrency",
    "1",
];

/// The annotations of the app, without fields that the service sets.
pub(super) fn state(world: &World) -> Vec<Value> {
    let mut all = world.annotations();
    for annotation in &mut all {
        for field in ["created_at", "modified_at"] {
            annotation.as_object_mut().unwrap().remove(field);
        }
        if let Some(regions) = annotation["data"]["regions"].as_array_mut() {
            for region in regions {
                region.as_object_mut().unwrap().remove("id");
            }
        }
    }
    all.sort_by_key(|it| (it["input_id"].to_string(), it["id"].to_string()));
    all
}

/// The apply through a proxy.
pub(super) fn apply_through(world: &World, proxy_action: ProxyAction) -> Command {
    let url = world.block_on(proxy::start(world.emulator.url(), proxy_action));
    let mut command = world.command();
    command
        .args(APPLY)
        .args(["--endpoint", &url, "--user-id", "owner", "--app-id", "app"])
        .args(["--rate-limit", "1000"]);
    command
}

/// Runs the apply until its call of this number is held, and kills it. `false` if it ended before.
fn killed_at(world: &World, number: usize, when: When) -> bool {
    killed_with(world, &[], number, when)
}

/// The same with more arguments.
pub(super) fn killed_with(world: &World, more: &[&str], number: usize, when: When) -> bool {
    let (told, arrived) = std::sync::mpsc::channel();
    let mut command = apply_through(world, ProxyAction::NeverAnswer(number, when, told));
    command.args(more);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    loop {
        if arrived.recv_timeout(Duration::from_millis(5)).is_ok() {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        if let Some(ended) = child.try_wait().unwrap() {
            assert!(ended.success(), "{ended}");
            return false;
        }
    }
}

#[test]
fn a_run_that_is_killed_at_any_call_is_finished_by_the_same_command() {
    let before = before();
    let wanted = wanted(&before);
    for when in [When::Before, When::After] {
        let mut number = 0;
        loop {
            let world = world(&before);
            if !killed_at(&world, number, when) {
                break;
            }
            world.apply(&["--allow-purge"]).exits(0);
            assert_eq!(state(&world), wanted, "call {number}, {when:?}");
            number += 1;
        }
        assert!(number > 20, "{number} calls");
    }
}

/// How many calls the apply makes without faults.
pub(super) fn calls(before: &[Value]) -> usize {
    let world = world(before);
    world.emulator.forget_calls();
    let run = Run::of(apply_through(&world, ProxyAction::Without("nothing"))).exits(0);
    assert!(run.last_line().ends_with("0 failed, 0 not attempted."));
    world.emulator.calls().len()
}

/// Runs a check for each number, eight at a time: most of it is waiting.
pub(super) fn each(numbers: usize, check: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= numbers {
                        break;
                    }
                    check(number);
                }
            });
        }
    });
}

#[test]
fn a_call_without_an_answer_is_checked_by_a_read() {
    let before = before();
    let wanted = wanted(&before);
    each(calls(&before), |number| {
        for when in [When::Before, When::After] {
            let world = world(&before);
            let (told, arrived) = std::sync::mpsc::channel();
            let mut run = apply_through(&world, ProxyAction::NeverAnswer(number, when, told));
            run.args(["--timeout", "1"]);
            let run = Run::of(run).exits(0);
            assert!(arrived.try_recv().is_ok());
            let account = run.last_line();
            assert!(
                account.starts_with(
                    "Applied 14 (3 posted, 2 merged, 2 overwritten, 2 removed, 2 replaced, 2 deleted, 1 input purged"
                ),
                "call {number}, {when:?}: {account}"
            );
            assert_eq!(state(&world), wanted, "call {number}, {when:?}");
            world.is_settled();
        }
    });
}

#[test]
fn a_transient_fault_in_any_call_does_not_change_the_result() {
    let before = before();
    let wanted = wanted(&before);
    let faults = [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::Internal(Code(98_004)),
        Fault::TryAgain,
    ];
    let calls = calls(&before);
    each(calls * faults.len(), |number| {
        let (nth, fault) = (number / faults.len() + 1, &faults[number % faults.len()]);
        let world = world(&before);
        world.emulator.faults().on(Scope::Any, nth, fault.clone());
        let run = world.on_app(&APPLY).exits(0);
        assert_eq!(world.emulator.faults().pending(), 0);
        assert!(run.last_line().ends_with(" 0 failed, 0 not attempted."));
        assert_eq!(state(&world), wanted, "call {nth}: {fault:?}");
    });
}
