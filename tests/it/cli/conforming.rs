//! `conformance`: the emulator does what is assumed, a server that does not is found out, and nothing is left.

use super::{Run, World, app_flags, proxy};
use crate::support::whole;
use annosync::emulator::{Config, Endpoint, ListingOrder, ResponseStyle};
use proxy::{ProxyAction, Spoil};
use serde_json::Value;

fn conformance(world: &World, url: &str, more: &[&str]) -> Run {
    let mut command = world.command();
    command
        .arg("conformance")
        .args(app_flags(url))
        .args(["--rate-limit", "1000"])
        .args(more);
    Run::of(command)
}

const WRITE: [&str; 3] = ["--auto-approve", "--allow-new-concepts", "--json"];

fn verdicts(run: &Run) -> Vec<(String, String)> {
    let findings: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = findings.as_array().unwrap().iter();
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    findings
        .map(|it| (word(it, "assumption"), word(it, "verdict")))
        .collect()
}

/// Whether the run left an input or an annotation.
fn has_left(world: &World) -> bool {
    world.annotations().iter().any(|it| {
        let input = it["input_id"].as_str().unwrap();
        input.starts_with("annosync-conformance-")
    })
}

#[test]
fn the_emulator_does_all_that_is_assumed_in_every_style() {
    for listings in [ListingOrder::OldestFirst, ListingOrder::NewestFirst] {
        let world = World::with(Config {
            page_cap: Some(20),
            require_inputs: true,
            response_style: ResponseStyle {
                listings,
                ..ResponseStyle::default()
            },
            ..Config::default()
        });
        let run = conformance(&world, &world.emulator.url(), &WRITE).exits(0);
        let verdicts = verdicts(&run);
        assert_eq!(verdicts.len(), 15);
        assert!(
            verdicts.iter().all(|(_, verdict)| verdict == "holds"),
            "{verdicts:?}"
        );
        assert!(!has_left(&world));
    }
}

#[test]
fn nothing_is_sent_without_approval_and_no_concept_is_created_unasked() {
    let world = World::new();
    let url = world.emulator.url();
    conformance(&world, &url, &[])
        .exits(64)
        .says("--auto-approve");
    assert_eq!(world.emulator.calls(), []);
    conformance(&world, &url, &["--auto-approve"])
        .exits(1)
        .says("--allow-new-concepts");
    assert_eq!(world.writes(), []);
}

#[test]
fn concepts_of_the_app_are_used_and_its_labels_stay() {
    let world = World::with(Config {
        require_inputs: true,
        ..Config::default()
    });
    world.seed(vec![
        whole("in-1", "one", &[("car", 1.0)]),
        whole("in-2", "two", &[("tree", 1.0)]),
    ]);
    let before = world.annotations();
    conformance(&world, &world.emulator.url(), &["--auto-approve"])
        .exits(0)
        .says("holds    ids that the client chose are kept");
    assert_eq!(world.annotations(), before);
}

#[test]
fn what_cannot_be_tried_is_told_and_the_input_is_deleted() {
    let world = World::new();
    let spoil = ProxyAction::Page(0, Spoil::Html);
    let url = world.block_on(proxy::start(world.emulator.url(), spoil));
    let run = conformance(&world, &url, &WRITE).exits(1);
    let verdicts = verdicts(&run);
    let unknown: Vec<&str> = verdicts
        .iter()
        .filter(|(_, verdict)| verdict == "unknown")
        .map(|(assumption, _)| assumption.as_str())
        .collect();
    assert_eq!(unknown, ["every input has an input-level annotation"]);
    assert!(!has_left(&world));
    let deletes = world.emulator.calls();
    assert!(
        deletes
            .iter()
            .any(|call| call.endpoint == Endpoint::DeleteInputs)
    );
}
