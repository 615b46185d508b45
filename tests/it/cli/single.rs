//! Calls for a single annotation: it is read by its path before it is written, and deleted by its path.

use super::{World, boxes};
use crate::support::whole;
use annosync::emulator::{Endpoint, Fault};
use annosync::wire::Code;
use serde_json::{Value, json};

/// An app with one label of this id, which the manifest drops.
fn dropping(input: &str, id: &str) -> World {
    let world = World::new();
    world.seed(vec![whole(input, id, &[("car", 1.0)])]);
    let input = Value::from(input).to_string();
    world.declare(&format!("  - id: {input}\n    annotations: []\n"));
    world.emulator.forget_calls();
    world
}

#[test]
fn a_single_delete_uses_the_path_of_the_annotation_as_in_the_dry_run() {
    let prefix = "/v2/users/owner/apps/app";
    for (input, id, path) in [
        ("in", "plain", "/inputs/in/annotations/plain"),
        ("in 1", "ä?#&", "/inputs/in%201/annotations/%C3%A4%3F%23&"),
        ("in", "a/b", "/annotations"),
        ("in", "..", "/annotations"),
        ("in", "%2e%2e", "/annotations"),
        ("a\\b", "x", "/annotations"),
        (".", "x", "/annotations"),
    ] {
        let world = dropping(input, id);
        let dry = world.apply(&["--dry-run"]).exits(0);
        let printed: Value = serde_json::from_str(dry.stdout.trim_end()).unwrap();
        assert_eq!(printed["method"], "DELETE");
        assert_eq!(printed["path"], format!("{prefix}{path}"), "{input} {id}");
        let single = path != "/annotations";
        let body = json!({"input_ids": [input], "ids": [id]});
        let body = if single { None } else { Some(&body) };
        assert_eq!(printed.get("body"), body);
        assert_eq!(world.writes(), []);
        world.apply(&[]).exits(0);
        let sent: Vec<(String, String)> = world
            .writes()
            .into_iter()
            .map(|call| (call.method, call.path))
            .collect();
        assert_eq!(sent, [("DELETE".to_owned(), format!("{prefix}{path}"))]);
        let looked = world
            .emulator
            .calls()
            .iter()
            .any(|call| call.endpoint == Endpoint::GetAnnotation);
        assert_eq!(looked, single, "{input} {id}");
        assert_eq!(world.annotations(), Vec::<Value>::new());
    }
}

#[test]
fn a_single_delete_happens_once_despite_faults() {
    for fault in [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::Unavailable(503),
        Fault::TryAgain,
        Fault::Throttle { retry_after: None },
        Fault::FailItems {
            items: vec![0],
            code: Code::TRY_AGAIN,
        },
    ] {
        let world = dropping("in", "a");
        let faults = world.emulator.faults();
        faults.next(Endpoint::DeleteAnnotation, fault.clone());
        faults.next(Endpoint::GetAnnotation, Fault::DropBefore);
        let run = world.apply(&[]).exits(0);
        assert!(
            run.last_line().starts_with("Applied 1 (1 deleted), 0"),
            "{fault:?}: {}",
            run.stdout
        );
        assert_eq!(world.annotations(), Vec::<Value>::new(), "{fault:?}");
    }
}

#[test]
fn a_refused_single_delete_is_an_error_with_its_reason() {
    let world = dropping("in", "a");
    let fault = Fault::FailItems {
        items: vec![0],
        code: Code::ANNOTATION_PERMISSION_DENIED,
    };
    let faults = world.emulator.faults();
    faults.next(Endpoint::DeleteAnnotation, fault);
    let run = world.apply(&[]).exits(1);
    assert!(
        run.stdout.starts_with(
            "Failed: delete annotation a of input in: refused with HTTP 403, code 24156"
        ),
        "{}",
        run.stdout
    );
    world.apply(&[]).exits(0);
}

#[test]
fn a_single_patch_and_a_single_replacement_are_read_by_path() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    world.apply(&[]).exits(0);
    world.emulator.forget_calls();
    world.declare(&boxes(0..1, "tree"));
    world.apply(&[]).exits(0);
    world.declare(&boxes(0..1, "tree").replace("[tree]", "[tree]\n        user: bea"));
    world.apply(&[]).exits(0);
    let reads_and_writes: Vec<Endpoint> = world
        .emulator
        .calls()
        .into_iter()
        .map(|call| call.endpoint)
        .filter(|it| !matches!(it, Endpoint::ListAnnotations | Endpoint::GetUser))
        // A call of the plan: the listing does not have `tree`.
        .filter(|it| *it != Endpoint::ListConcepts)
        .collect();
    assert_eq!(
        reads_and_writes,
        [
            Endpoint::GetAnnotation,
            Endpoint::PatchAnnotations,
            // Before the stand-in is posted; later both are read together.
            Endpoint::GetAnnotation,
            Endpoint::PostAnnotations,
            Endpoint::DeleteAnnotation,
            Endpoint::PostAnnotations,
            Endpoint::DeleteAnnotation,
        ]
    );
    assert_eq!(world.annotations()[0]["user_id"], "bea");
}
