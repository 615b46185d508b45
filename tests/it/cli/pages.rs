//! Every page of a listing, corrupted in every way: a plan is empty, or an error.

use super::proxy::{self, ProxyAction, Spoil};
use super::reading::{operations, world};
use super::{Run, World};

/// A plan of the world's manifest, as JSON, through a proxy that corrupts the listing with this number.
fn planned(world: &World, number: usize, spoil: Spoil) -> Run {
    let proxy_action = ProxyAction::Page(number, spoil);
    let url = world.block_on(proxy::start(world.emulator.url(), proxy_action));
    let app = ["--user-id", "owner", "--app-id", "app"];
    let fast = ["--rate-limit", "1000", "--concurrency", "1"];
    let plan = ["plan", "m.yaml", "--format", "json", "--endpoint", &url];
    world.run(&[&plan[..], &app, &fast].concat())
}

/// How many listings a plan needs without faults.
fn listings(world: &World) -> usize {
    world.emulator.forget_calls();
    world.plan(&[]).exits(0);
    let calls = world.emulator.calls();
    let lists = |path: &str| path.ends_with("/annotations");
    calls.iter().filter(|call| lists(&call.path)).count()
}

/// Checks that plans are empty or errors, whichever page is corrupted; returns the number of errors.
#[track_caller]
fn never_believed(spoil: Spoil, complaint: &str, hint: &str) -> usize {
    let world = world();
    let mut errors = 0;
    let count = listings(&world);
    assert!(count > 8, "{count}");
    for number in 0..count {
        let plan = planned(&world, number, spoil);
        if plan.code == 0 {
            assert_eq!(operations(&plan), [], "{spoil:?} of listing {number}");
        } else {
            let plan = plan.exits(1).says(complaint).says(hint);
            assert_eq!(plan.stdout, "");
            errors += 1;
        }
    }
    assert_eq!(world.writes(), []);
    world.is_settled();
    errors
}

#[test]
fn a_broken_page_is_read_again() {
    for spoil in [Spoil::BreakOff, Spoil::CutOff, Spoil::BadGateway] {
        assert_eq!(never_believed(spoil, "", ""), 0, "{spoil:?}");
    }
}

#[test]
fn an_html_page_is_an_error() {
    let complaint = "error: the answer (HTTP 200) is not JSON, it begins with `<html>";
    let hint = "hint: check that the endpoint is the API's address";
    let errors = never_believed(Spoil::Html, complaint, hint);
    assert_eq!(errors, listings(&world()));
}

#[test]
fn a_failure_status_with_http_200_is_an_error() {
    let later = "hint: the service failed and gave no other reason: run again later";
    for (spoil, complaint, hint) in [
        (
            Spoil::Failure,
            "refused with HTTP 200, code 10020 FAILURE",
            later,
        ),
        (
            Spoil::Mixed,
            "refused with HTTP 200, code 10010 MIXED_STATUS",
            later,
        ),
        (
            Spoil::NoStatus,
            "the answer does not have the API's form: it has no status code",
            "hint: check that the endpoint is the API's address",
        ),
    ] {
        let errors = never_believed(spoil, complaint, hint);
        assert_eq!(errors, listings(&world()), "{spoil:?}");
    }
}

#[test]
fn inconsistent_pages_are_listed_again() {
    for spoil in [
        Spoil::Neighbour,
        Spoil::Reversed,
        Spoil::Short,
        Spoil::Empty,
        Spoil::Repeated,
    ] {
        assert_eq!(never_believed(spoil, "", ""), 0, "{spoil:?}");
    }
}
