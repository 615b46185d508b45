//! How fast calls are made, and how many at a time: against an emulator that counts as the service does.

use super::proxy::{self, ConcurrentCalls, ProxyAction};
use super::{Run, World, boxes};
use crate::support::whole;
use annosync::emulator::{Config, Endpoint};
use serde_json::{Value, json};
use std::sync::Arc;

/// A world with this rate limit and pages of one annotation, which need many calls.
fn bounded(rate: u32) -> World {
    World::with(Config {
        page_cap: Some(1),
        rate_limit: Some(rate),
        ..Config::default()
    })
}

/// Runs the binary with this --rate-limit.
fn at_rate(world: &World, rate: &str, arguments: &[&str]) -> Run {
    let url = world.emulator.url();
    let app = ["--endpoint", &url, "--user-id", "owner", "--app-id", "app"];
    world.run(&[arguments, &app, &["--rate-limit", rate]].concat())
}

/// How many calls there were, and how many of them were refused for the rate.
fn calls(world: &World) -> (usize, usize) {
    let calls = world.emulator.calls();
    let refused = calls.iter().filter(|call| call.status == Some(429));
    (calls.len(), refused.count())
}

/// Applies this many changes at the server's rate, and checks the number of calls.
fn is_never_refused(rate: u32, annotations: usize, least: usize) {
    let world = bounded(rate);
    let stored = |at: usize| whole(&format!("in-{at}"), &format!("a{at}"), &[("car", 1.0)]);
    world.seed((0..annotations).map(stored).collect());
    world.declare(&(0..annotations).fold(String::new(), |text, at| {
        let declared = format!("{{ id: a{at}, concepts: [tree] }}");
        text + &format!("  - id: in-{at}\n    annotations: [{declared}]\n")
    }));
    // The listing, the second read of each annotation and the writes share one rate limit.
    at_rate(
        &world,
        &rate.to_string(),
        &["apply", "m.yaml", "--auto-approve"],
    )
    .exits(0)
    .says(&format!("Applied {annotations} ("));
    let (calls, refused) = calls(&world);
    assert!(calls >= least, "{calls} calls at {rate}/s");
    assert_eq!(refused, 0, "of {calls} calls at {rate}/s");
}

#[test]
fn no_call_is_refused_at_the_services_rate() {
    is_never_refused(15, 18, 70);
}

#[test]
fn no_call_is_refused_at_a_higher_rate() {
    is_never_refused(100, 100, 300);
}

#[test]
fn a_lower_rate_than_expected_is_learnt() {
    let world = bounded(15);
    let stored = |at: usize| whole("in-1", &format!("a{at}"), &[("car", 1.0)]);
    world.seed((0..12).map(stored).collect());
    world.declare(&boxes(0..6, "car"));
    let plan = at_rate(&world, "1000", &["plan", "m.yaml"]).exits(0);
    assert!(plan.last_line().starts_with("Plan: 6 to post"));
    let (calls, refused) = calls(&world);
    // The calls in flight at the first refusal, and hardly any after it.
    assert!((1..=10).contains(&refused), "{refused} of {calls}");
}

#[test]
fn a_plan_of_what_is_declared_takes_the_least_calls() {
    let world = World::new();
    // With the annotation that each input has, 2,100 are listed.
    world.declare(&boxes(0..1_050, "car"));
    world.apply(&[]).exits(0);
    world.emulator.forget_calls();
    let plan = world.plan(&[]).exits(0);
    assert!(plan.last_line().starts_with("No changes."));
    // Who calls, three pages that overlap, two empty ones, and the first and the last page again.
    assert_eq!(calls(&world), (1 + 3 + 2 + 2, 0));
}

#[test]
fn a_first_plan_takes_the_least_calls() {
    let world = World::new();
    let ids = (0..1_050).map(|at| format!("in-{at}"));
    let own = |id: &String| json!({"id": format!("own-{id}"), "input_id": id, "input_level": true});
    world.seed(ids.clone().map(|id| own(&id)).collect());
    // Many pages of annotations are declared.
    let point = "{ point: [0.1, 0.2], concepts: [car] }";
    let points = [point; 20].join(", ");
    world.declare(&ids.fold(String::new(), |text, id| {
        text + &format!("  - id: {id}\n    annotations: [{points}]\n")
    }));
    // At this rate, as many pages would be read at a time as calls are allowed.
    let plan = at_rate(&world, "100000", &["plan", "m.yaml"]).exits(0);
    assert!(plan.last_line().starts_with("Plan: 21,000 to post"));
    let calls = world.emulator.calls();
    let pages = (calls.iter()).filter(|call| call.endpoint == Endpoint::ListAnnotations);
    // Two pages that overlap, two empty ones, and the first and the last page again.
    assert_eq!(pages.count(), 2 + 2 + 2);
}

#[test]
fn the_number_of_concurrent_calls_is_limited() {
    for (flags, most) in [
        (&["--concurrency", "1"][..], 1..=1),
        (&["--concurrency", "3"], 2..=3),
        (&[], 4..=8),
    ] {
        let world = World::with(Config {
            page_cap: Some(20),
            ..Config::default()
        });
        let crowd = Arc::<ConcurrentCalls>::default();
        let counting = ProxyAction::Count(Arc::clone(&crowd));
        let url = world.block_on(proxy::start(world.emulator.url(), counting));
        let app = ["--endpoint", &url, "--user-id", "owner", "--app-id", "app"];
        let app = [&app[..], &["--rate-limit", "1000"], flags].concat();
        let run = |arguments: &[&str]| world.run(&[arguments, &app].concat()).exits(0);
        for concept in ["car", "tree"] {
            world.declare(&boxes(0..200, concept));
            run(&["apply", "m.yaml", "--auto-approve"]);
        }
        run(&["plan", "m.yaml"]);
        run(&["list"]);
        run(&["list", "--all", "--format", "json"]);
        run(&["pull", "pulled", "--set", "street"]);
        assert!(most.contains(&crowd.most()), "{flags:?}: {}", crowd.most());
    }
}

#[test]
fn an_embedded_store_respects_the_rate_limit_flag() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let rate = |flags: &[&str]| {
        let plan = ["plan", "m.yaml", "--embedded", "s.db", "--format", "json"];
        let run = world.run(&[&plan, flags].concat()).exits(0);
        serde_json::from_str::<Value>(&run.stdout).unwrap()["summary"]["rate_limit"].clone()
    };
    assert_eq!(rate(&["--rate-limit", "7"]), 7);
    assert_eq!(rate(&[]), 1000);
}
