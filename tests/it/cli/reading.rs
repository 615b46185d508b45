//! Faults and changes during a listing. A missed annotation must not cause a delete or a post.

use super::{Run, World};
use crate::support::whole;
use annosync::emulator::{
    ConcurrentChange, Config, Endpoint, Fault, ListingOrder, ResponseStyle, Scope,
};
use annosync::wire::Code;
use serde_json::Value;
use std::fmt::Write as _;

/// The number of declared annotations: with the input-level one they fill four pages of three.
const DECLARED: usize = 11;
const PAGES: u64 = 4;

/// Eleven applied annotations on one input, listed three at a time.
pub(super) fn world() -> World {
    world_in(ListingOrder::OldestFirst, 3, DECLARED)
}

/// This number of applied annotations on one input, listed in this order by pages of this size.
fn world_in(listings: ListingOrder, page_cap: u32, declared: usize) -> World {
    let world = World::with(Config {
        page_cap: Some(page_cap),
        response_style: ResponseStyle {
            listings,
            ..ResponseStyle::default()
        },
        ..Config::default()
    });
    let mut inputs = "  - id: in-1\n    annotations:\n".to_owned();
    for at in 0..declared {
        writeln!(inputs, "      - {{ key: k{at}, concepts: [car] }}").unwrap();
    }
    world.declare(&inputs);
    world.apply(&[]).exits(0);
    world.emulator.forget_calls();
    world
}

/// What a plan would do: (action, annotation id).
pub(super) fn operations(plan: &Run) -> Vec<(String, String)> {
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let operations = plan["operations"].as_array().unwrap().iter();
    operations
        .map(|it| (text(&it["action"]), text(&it["id"])))
        .collect()
}

/// A plan made during faults has at most this operation, or fails because the listing is unproven.
#[track_caller]
fn does_at_most(plan: &Run, action: &str, id: &str) {
    if plan.code == 1 {
        assert!(
            plan.stderr.contains("could not be proved complete"),
            "{}",
            plan.stderr
        );
        assert!(
            plan.stderr
                .contains("hint: run again when nothing else changes")
        );
        assert_eq!(plan.stdout, "");
        return;
    }
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    for operation in operations(plan) {
        assert_eq!(operation, (action.to_owned(), id.to_owned()));
    }
}

fn planned(world: &World) -> Run {
    let plan = world.plan(&["--format", "json"]);
    world.emulator.faults().clear();
    plan
}

#[test]
fn an_annotation_deleted_during_a_listing_causes_no_delete_and_no_other_post() {
    let world = world();
    // After each page's first and second read, an annotation is deleted at the front, in the middle, or at the end.
    for page in 1..=PAGES + 2 {
        for nth in 1..=2 {
            for victim in [0, DECLARED / 2, DECLARED - 1] {
                let victim = world.annotations().swap_remove(victim);
                let id = victim["id"].as_str().unwrap().to_owned();
                let gone = ConcurrentChange::Delete {
                    input_id: "in-1".to_owned(),
                    id: id.clone(),
                };
                let faults = world.emulator.faults();
                faults.on(Scope::Page(page), nth, Fault::ChangeAfterRead(vec![gone]));
                let plan = planned(&world);
                does_at_most(&plan, "post", &id);
                // It is created again, as the newest.
                if world.annotation(&id).is_none() {
                    world.seed(vec![victim]);
                }
                assert_eq!(world.annotations().len(), DECLARED);
            }
        }
    }
    assert_eq!(world.writes(), []);
    world.is_settled();
}

#[test]
fn an_annotation_created_during_a_listing_causes_no_other_delete_and_no_post() {
    let world = world();
    for page in 1..=PAGES + 2 {
        for nth in 1..=2 {
            let new = ConcurrentChange::Insert(whole("in-1", "new", &[("car", 1.0)]));
            let faults = world.emulator.faults();
            faults.on(Scope::Page(page), nth, Fault::ChangeAfterRead(vec![new]));
            let plan = planned(&world);
            does_at_most(&plan, "delete", "new");
            if world.annotation("new").is_some() {
                world.delete("in-1", "new");
            }
        }
    }
    world.is_settled();
}

#[test]
fn a_delete_and_a_post_between_pages_hide_no_annotation() {
    for (order, page_cap, declared) in ListingOrder::ALL
        .into_iter()
        .flat_map(|order| [(order, 3, DECLARED), (order, 20, 50)])
    {
        let world = world_in(order, page_cap, declared);
        for page in 1..=PAGES + 1 {
            let gone = world.annotations()[1]["id"].as_str().unwrap().to_owned();
            let swap = vec![
                ConcurrentChange::Delete {
                    input_id: "in-1".to_owned(),
                    id: gone.clone(),
                },
                ConcurrentChange::Insert(whole("in-1", "new", &[("tree", 1.0)])),
            ];
            let faults = world.emulator.faults();
            faults.on(Scope::Page(page), 1, Fault::ChangeAfterRead(swap));
            let plan = world.plan(&["--format", "json"]).exits(0);
            for operation in operations(&plan) {
                let expected = [
                    ("post".to_owned(), gone.clone()),
                    ("delete".to_owned(), "new".to_owned()),
                ];
                assert!(expected.contains(&operation), "{order:?} {operation:?}");
            }
            world.apply(&[]).exits(0);
            // It belongs to another user, so the apply kept it; it can be inserted only once.
            if world.annotation("new").is_some() {
                world.delete("in-1", "new");
            }
        }
    }
}

#[test]
fn an_empty_or_short_page_is_read_again() {
    let world = world();
    for fault in [Fault::EmptyPage, Fault::ShortPage(1), Fault::ShortPage(2)] {
        for page in 1..=PAGES {
            for nth in 1..=2 {
                let faults = world.emulator.faults();
                faults.on(Scope::Page(page), nth, fault.clone());
                let plan = planned(&world);
                assert_eq!(plan.code, 0, "{}", plan.stderr);
                assert_eq!(
                    operations(&plan),
                    [],
                    "{fault:?} of page {page}, reading {nth}"
                );
            }
        }
    }
    assert_eq!(world.writes(), []);
}

#[test]
fn a_server_that_always_returns_short_pages_is_read_to_the_end() {
    let world = world();
    // Every client misses the hidden annotations; the listing must go on after them, and nothing
    // may be deleted or doubled.
    for fault in [Fault::EmptyPage, Fault::ShortPage(1)] {
        for page in 2..=3 {
            let before = world.annotations();
            world
                .emulator
                .faults()
                .always(Scope::Page(page), fault.clone());
            let plan = world.plan(&["--format", "json"]).exits(0);
            let hidden = 3 - usize::from(fault == Fault::ShortPage(1));
            let posts = operations(&plan);
            assert_eq!(posts.len(), hidden);
            assert!(posts.iter().all(|(action, _)| action == "post"));
            let run = world.apply(&[]).exits(0);
            let account =
                format!("Applied 0, {hidden} already up to date, 0 failed, 0 not attempted.");
            assert_eq!(run.last_line(), account);
            assert_eq!(world.annotations(), before);
        }
    }
}

#[test]
fn a_transient_failure_is_retried() {
    let world = world();
    for fault in [
        Fault::Internal(Code(98_004)),
        Fault::Unavailable(503),
        Fault::TryAgain,
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::Throttle { retry_after: None },
    ] {
        let faults = world.emulator.faults();
        faults.next(Endpoint::GetUser, fault.clone());
        faults.next(Scope::Page(1), fault.clone());
        faults.on(Scope::Page(4), 2, fault.clone());
        let plan = world.plan(&["--format", "json"]).exits(0);
        assert_eq!(operations(&plan), [], "{fault:?}");
        assert_eq!(faults.pending(), 0, "{fault:?}");
    }
}

#[test]
fn an_app_that_changes_all_the_time_cannot_be_planned_or_listed() {
    let world = world();
    // Each read of any page creates another annotation.
    let new = ConcurrentChange::Insert(serde_json::json!({"input_id": "in-2", "data": {}}));
    world
        .emulator
        .faults()
        .always(Endpoint::ListAnnotations, Fault::ChangeAfterRead(vec![new]));
    for arguments in [
        &["plan", "m.yaml"][..],
        &["apply", "m.yaml"],
        &["list", "--format", "json"],
    ] {
        let run = world.on_app(arguments).exits(1);
        assert_eq!(run.stdout, "");
        assert!(
            run.stderr
                .contains("error: the listing could not be proved complete in 3 attempts: "),
            "{}",
            run.stderr
        );
        assert!(
            run.stderr
                .contains("hint: run again when nothing else changes the app's annotations")
        );
    }
    assert_eq!(world.writes(), []);
}

#[test]
fn an_unreachable_server_is_shown_in_the_error() {
    let world = world();
    world
        .emulator
        .faults()
        .always(Endpoint::GetUser, Fault::DropBefore);
    world
        .emulator
        .faults()
        .always(Endpoint::ListAnnotations, Fault::DropBefore);
    let run = world.plan(&[]).exits(1);
    let host = world.emulator.address().to_string();
    assert!(
        run.stderr.contains(&format!("cannot reach {host}")),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("hint: check the endpoint and the network")
    );
}

#[test]
fn a_plan_of_only_declared_inputs_lists_its_blind_spots() {
    let world = world();
    world.seed(vec![whole("in-9", "stray", &[("car", 1.0)])]);
    let text = world.read("m.yaml");
    world.write("m.yaml", &text.replace("in-1", "in-2"));
    let whole_app = world.plan(&[]).exits(0);
    assert!(
        whole_app.last_line().contains("11 to delete"),
        "what the set made elsewhere"
    );
    let declared = world.plan(&["--declared-only"]).exits(0);
    assert!(
        declared.last_line().contains("11 to post") && !declared.last_line().contains("to delete")
    );
    assert!(
        declared
            .stdout
            .contains("Warning: not seen: inputs that are not declared")
    );
}
