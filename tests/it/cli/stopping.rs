//! Applies that end early: by a failure, by Ctrl-C, by being killed. Finished writes are reported, and the next run does
//! the rest.

use super::proxy::{self, ProxyAction};
use super::undoing::{Arrival, arrival};
use super::{Run, World, boxes};
use annosync::emulator::{Endpoint, Fault};
use annosync::wire::Code;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Lines, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};
use tokio::sync::oneshot::Sender;

/// An apply of 300 posts, one call at a time, whose first call is held until it is released.
struct HeldRun {
    child: Child,
    arrived: Arrival,
    release: Sender<()>,
}

fn start_held(world: &World) -> HeldRun {
    start_held_with(world, &[])
}

fn start_held_with(world: &World, more: &[&str]) -> HeldRun {
    world.declare(&boxes(0..300, "car"));
    let mut command = world.command();
    let (told, arrived) = arrival(&mut command);
    let (release, go) = tokio::sync::oneshot::channel();
    let proxy_action = ProxyAction::hold(told, go);
    let url = world.block_on(proxy::start(world.emulator.url(), proxy_action));
    command
        .args(["apply", "m.yaml", "--auto-approve", "--concurrency", "1"])
        .args(["--endpoint", &url, "--user-id", "owner", "--app-id", "app"])
        .args(["--rate-limit", "1000"])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    HeldRun {
        child: command.spawn().unwrap(),
        arrived,
        release,
    }
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args([name, &pid])
            .status()
            .unwrap()
            .success()
    );
}

/// Reads stderr until a line contains this text.
fn hears(stderr: &mut Lines<BufReader<ChildStderr>>, text: &str) -> String {
    let mut lines = stderr.by_ref().map(Result::unwrap);
    let line = lines.find(|line| line.contains(text));
    line.unwrap_or_else(|| panic!("{text:?} was not said"))
}

fn lines_of(child: &mut Child) -> Lines<BufReader<ChildStderr>> {
    BufReader::new(child.stderr.take().unwrap()).lines()
}

/// The child's output and exit code.
fn ends(mut child: Child) -> (String, Option<i32>) {
    let mut stdout = String::new();
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_to_string(&mut stdout).unwrap();
    (stdout, child.wait().unwrap().code())
}

#[test]
fn ctrl_c_and_sigterm_let_calls_in_flight_finish() {
    for name in ["-INT", "-TERM"] {
        let world = World::new();
        let HeldRun {
            mut child,
            arrived,
            release,
        } = start_held(&world);
        let mut stderr = lines_of(&mut child);
        arrived.wait();
        signal(&child, name);
        let said = hears(&mut stderr, "Stopping:");
        assert!(said.contains("Press Ctrl-C again to end now"));
        release.send(()).unwrap();
        let account =
            "Applied 128 (128 posted), 0 already up to date, 0 failed, 172 not attempted.\n";
        assert_eq!(ends(child), (account.to_owned(), Some(5)), "{name}");
        assert_eq!(world.annotations().len(), 128);
        let run = world.apply(&[]).exits(0);
        assert!(run.last_line().starts_with("Applied 172 (172 posted)"));
    }
}

#[test]
fn the_deadline_lets_calls_in_flight_finish() {
    let world = World::new();
    let HeldRun {
        mut child,
        arrived,
        release,
    } = start_held_with(&world, &["--deadline", "5"]);
    let mut stderr = lines_of(&mut child);
    arrived.wait();
    hears(
        &mut stderr,
        "Stopping: the run took longer than 5 s (--deadline).",
    );
    release.send(()).unwrap();
    let account = "Applied 128 (128 posted), 0 already up to date, 0 failed, 172 not attempted.\n";
    assert_eq!(ends(child), (account.to_owned(), Some(5)));
    let run = world.apply(&[]).exits(0);
    assert!(run.last_line().starts_with("Applied 172 (172 posted)"));
    world.is_settled();
}

#[test]
fn a_second_signal_ends_the_run_at_once_and_the_next_one_repairs_it() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let world = World::new();
        let HeldRun {
            mut child,
            arrived,
            release,
        } = start_held(&world);
        let mut stderr = lines_of(&mut child);
        arrived.wait();
        signal(&child, name);
        hears(&mut stderr, "Stopping:");
        // The call is never answered.
        signal(&child, name);
        assert_eq!(ends(child), (String::new(), Some(code)));
        drop(release);
        world.apply(&[]).exits(0);
        assert_eq!(world.annotations().len(), 300);
    }
}

#[test]
fn a_stop_ends_a_pause_and_reports_what_was_waiting() {
    let world = World::new();
    world.declare(&boxes(0..300, "car"));
    let hour = Fault::Throttle {
        retry_after: Some(250),
    };
    world
        .emulator
        .faults()
        .next(Endpoint::PostAnnotations, hour);
    let mut command = world.command();
    command
        .args(["apply", "m.yaml", "--auto-approve", "--concurrency", "1"])
        .args(["--endpoint", &world.emulator.url(), "--user-id", "owner"])
        .args(["--app-id", "app", "--rate-limit", "1000", "-v"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = lines_of(&mut child);
    hears(&mut stderr, "waiting before another attempt");
    signal(&child, "-INT");
    hears(&mut stderr, "Stopping:");
    let (stdout, code) = ends(child);
    assert_eq!(code, Some(1), "{stdout}");
    let account = "Applied 0, 0 already up to date, 128 failed, 172 not attempted.";
    assert_eq!(stdout.lines().last(), Some(account));
    assert!(stdout.contains("CONN_THROTTLED"), "{stdout}");
    assert_eq!(world.annotations().len(), 0);
    world.apply(&[]).exits(0);
}

#[test]
fn a_run_killed_during_a_call_is_repaired_by_the_next_one() {
    for takes_effect in [false, true] {
        let world = World::new();
        let HeldRun {
            mut child,
            arrived,
            release,
        } = start_held(&world);
        arrived.wait();
        if takes_effect {
            // The call is carried out, but its answer is lost.
            release.send(()).unwrap();
            signal(&child, "-KILL");
        } else {
            signal(&child, "-KILL");
            drop(release);
        }
        assert_eq!(child.wait().unwrap().code(), None);
        world.apply(&[]).exits(0);
        assert_eq!(world.annotations().len(), 300);
    }
}

#[test]
fn a_closed_stdout_is_not_an_error() {
    let world = World::new();
    world.declare(&boxes(0..600, "car"));
    world.apply(&[]).exits(0);
    for arguments in [
        &["list", "--all"][..],
        &["list", "--format", "json"],
        &["plan", "m.yaml", "--full"],
    ] {
        world.declare(&boxes(0..600, "tree"));
        let mut command = world.command();
        command
            .args(arguments)
            .args([
                "--endpoint",
                &world.emulator.url(),
                "--user-id",
                "owner",
                "--app-id",
                "app",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut start = [0; 40];
        child.stdout.take().unwrap().read_exact(&mut start).unwrap();
        let ended = Run::from(child.wait_with_output().unwrap()).exits(0);
        assert_eq!(ended.stderr, "", "{arguments:?}");
    }
}

#[test]
fn fail_fast_starts_no_calls_after_the_first_failure() {
    let world = World::new();
    world.declare(&boxes(0..300, "car"));
    let fault = Fault::FailItems {
        items: vec![5],
        code: Code::ANNOTATION_INVALID_ARGUMENT,
    };
    world
        .emulator
        .faults()
        .next(Endpoint::PostAnnotations, fault);
    let run = world.apply(&["--fail-fast", "--concurrency", "1"]).exits(5);
    assert_eq!(
        run.last_line(),
        "Applied 127 (127 posted), 0 already up to date, 1 failed, 172 not attempted."
    );
    assert_eq!(world.writes().len(), 1);
    let run = world.apply(&["--fail-fast"]).exits(0);
    assert!(run.last_line().starts_with("Applied 173 (173 posted)"));
}

#[test]
fn a_stop_leaves_no_replacement_half_done() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    world.apply(&[]).exits(0);
    let replaced = boxes(0..1, "car").replace("[car]", "[car]\n        user: bea");
    world.declare(&(replaced + &boxes(1..2, "tree") + &boxes(3..4, "car")));
    let fault = Fault::FailItems {
        items: vec![0],
        code: Code::ANNOTATION_INVALID_ARGUMENT,
    };
    world
        .emulator
        .faults()
        .next(Endpoint::PatchAnnotations, fault);
    // The patch fails between the replacement's delete and its post: the post is made, and nothing else.
    let run = world.apply(&["--fail-fast"]).exits(5);
    assert_eq!(
        run.last_line(),
        "Applied 1 (1 replaced), 0 already up to date, 1 failed, 2 not attempted."
    );
    assert_eq!(world.annotations().len(), 3);
    assert!(world.annotations().iter().any(|a| a["user_id"] == "bea"));
    world.apply(&[]).exits(0);
}

#[test]
fn a_dry_run_prints_the_calls_and_makes_none() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    world.apply(&[]).exits(0);
    world.declare(&(boxes(0..1, "tree") + &boxes(1..2, "car") + &boxes(3..4, "car")));
    world.emulator.forget_calls();
    let run = world.on_app(&["apply", "m.yaml", "--dry-run"]).exits(0);
    let calls: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let methods: Vec<&str> = calls
        .iter()
        .map(|it| it["method"].as_str().unwrap())
        .collect();
    assert_eq!(methods, ["PATCH", "POST", "DELETE"]);
    let app = "/v2/users/owner/apps/app";
    let id = world.id_on("in-002");
    let single = format!("{app}/inputs/in-002/annotations/{id}");
    let bulk = format!("{app}/annotations");
    let paths: Vec<&str> = calls
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, [&bulk, &bulk, &single]);
    assert_eq!(calls[0]["body"]["action"], "overwrite");
    assert_eq!(calls[2].get("body"), None);
    assert!(run.stderr.contains("Plan: 1 to post, 1 to overwrite"));
    assert_eq!(world.writes(), []);
    // The printed calls are the sent ones.
    world.apply(&[]).exits(0);
    let sent: Vec<(String, String)> = world
        .writes()
        .into_iter()
        .map(|it| (it.method, it.path))
        .collect();
    let printed: Vec<(String, String)> = methods
        .iter()
        .zip(paths)
        .map(|(method, path)| ((*method).to_owned(), path.to_owned()))
        .collect();
    assert_eq!(sent, printed);
}
