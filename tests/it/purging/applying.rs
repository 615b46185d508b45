//! Purges that are carried out, also with faults and changes meanwhile.

use super::{BOX, desired, everything};
use crate::cli::{Run, World, header};
use crate::support::{boxed, manifest_of, plan, purging, whole, with};
use annosync::apply::{self, OnFailure, Options, Stop};
use annosync::emulator::{
    Collaborator, ConcurrentChange, Config, Endpoint, Fault, Scope as Faulty,
};
use annosync::model::{DesiredState, Scope};
use annosync::observed as state;
use annosync::plan::{Outcome, Plan, Since, Target, TrippedGuard};
use annosync::render::{self, Detail};
use annosync::wire::Code;
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::sync::Arc;

/// Plans against the emulator, whose app the owner calls.
fn planned(world: &World, desired: &DesiredState) -> Plan {
    let reader = world.writer().reader();
    let observed = world
        .block_on(state::observe(&reader, "owner", &Scope::WholeApp))
        .unwrap();
    let mut plan = plan(desired, &observed);
    plan.target = Target {
        endpoint: world.emulator.url(),
        user_id: "owner".into(),
        app_id: "app".into(),
    };
    world.emulator.forget_calls();
    plan
}

fn execute_with(world: &World, plan: &Plan, options: &Options) -> Outcome {
    let plan = Arc::new(plan.clone());
    world.block_on(apply::execute(plan, &world.writer(), options))
}

fn execute(world: &World, plan: &Plan) -> Outcome {
    let outcome = execute_with(world, plan, &Options::default());
    let expected = (plan.operations.len() + plan.purges.len()) as u64;
    assert_eq!(outcome.operations(), expected);
    outcome
}

/// The app with everything on `p` and on `q`, both purged, and a box on `a` that stays.
fn world() -> (World, Plan) {
    let world = World::new();
    let stays = boxed("a", "stays", BOX, &["car"]);
    world.seed([everything("p"), everything("q"), vec![stays]].concat());
    let plan = planned(&world, &purging(desired(""), "q"));
    assert_eq!((plan.summary.purge, plan.summary.purged), (2, 8));
    (world, plan)
}

fn ids(world: &World) -> Vec<String> {
    let id = |it: &Value| format!("{}/{}", it["input_id"], it["id"]).replace('"', "");
    world.annotations().iter().map(id).collect()
}

fn shown(outcome: &Outcome) -> String {
    render::outcome_text(outcome, Detail::default())
}

#[test]
fn a_purge_is_one_call_and_a_second_apply_has_nothing_to_do() {
    let (world, plan) = world();
    let outcome = execute(&world, &plan);
    assert_snapshot!(shown(&outcome), @"Applied 2 (2 inputs purged of 8 annotations), 0 already up to date, 0 failed, 0 not attempted.");
    assert_eq!(ids(&world), ["a/stays"]);
    assert_eq!(world.writes().len(), 1);
    assert_eq!(world.writes()[0].endpoint, Endpoint::DeleteAnnotations);
    assert!(planned(&world, &purging(desired(""), "q")).is_empty());
    let again = execute(&world, &plan);
    assert_eq!((again.already_so, again.applied.total()), (2, 0));
    assert_eq!(world.writes(), [], "nothing is sent for what is so already");
}

#[test]
fn an_input_that_holds_less_than_planned_is_purged() {
    let (world, plan) = world();
    world.delete("p", "mine");
    let outcome = execute(&world, &plan);
    assert!(outcome.is_complete());
    assert_eq!(outcome.applied.purged, 7);
    assert_eq!(ids(&world), ["a/stays"]);
}

#[test]
fn an_input_that_holds_more_than_planned_is_left_out() {
    let (world, plan) = world();
    world.seed(vec![whole("p", "late", &[("car", 1.0)])]);
    let outcome = execute(&world, &plan);
    assert_snapshot!(shown(&outcome), @r"
    Stale: purge of input p: 1 annotation created after the plan was made. Nothing was purged.
        late (created) annotation [car]
    Applied 1 (1 input purged of 4 annotations), 0 already up to date, 1 stale, 0 failed, 0 not attempted.
    ");
    assert!(outcome.has_stale() && !outcome.is_partial());
    assert!(ids(&world).iter().all(|id| !id.starts_with("q/")));
    assert_eq!(ids(&world).len(), 6);
}

#[test]
fn a_model_that_ran_since_the_plan_makes_a_purge_stale() {
    let (world, plan) = world();
    let found = whole("q", "found", &[("car", 1.0)]);
    world.seed(vec![with(found, "model_version_id", json!("v2"))]);
    let outcome = execute(&world, &plan);
    assert_eq!(outcome.stale_purges.len(), 1);
    assert_eq!(outcome.stale_purges[0].input_id.as_str(), "q");
    assert_eq!(outcome.stale_purges[0].unplanned[0].since, Since::Made);
}

#[test]
fn an_annotation_that_was_changed_makes_its_purge_stale() {
    let (world, plan) = world();
    let shifts = vec![
        ConcurrentChange::Delete {
            input_id: "p".to_owned(),
            id: "theirs".to_owned(),
        },
        ConcurrentChange::Insert(with(
            boxed("p", "theirs", BOX, &["tree"]),
            "user_id",
            json!("bea"),
        )),
    ];
    let faults = world.emulator.faults();
    // While the listing is made that comes right before the purge: it is not proved, and made again.
    faults.next(Faulty::Page(1), Fault::ChangeAfterRead(shifts));
    let outcome = execute(&world, &plan);
    let unplanned = &outcome.stale_purges[0].unplanned;
    assert_eq!((unplanned.len(), unplanned[0].since), (1, Since::Changed));
    assert!(ids(&world).contains(&"p/theirs".to_owned()));
    assert_eq!(outcome.applied.purge, 1);
}

#[test]
fn a_purge_that_leaves_annotations_fails_and_reports_them() {
    let (world, plan) = world();
    let fault = Fault::FailItems {
        items: vec![1],
        code: Code::ANNOTATION_PERMISSION_DENIED,
    };
    let first = Fault::FailItems {
        items: vec![0],
        code: Code::ANNOTATION_PERMISSION_DENIED,
    };
    let faults = world.emulator.faults();
    faults.next(Endpoint::DeleteAnnotations, fault);
    // Sent again on its own, it gets an answer of its own.
    faults.on(Endpoint::DeleteAnnotations, 2, first);
    let outcome = execute(&world, &plan);
    assert_snapshot!(shown(&outcome), @r"
    Failed: purge of input q: 4 annotations are still there: refused with HTTP 403, code 24156 ANNOTATION_PERMISSION_DENIED: 24156 ANNOTATION_PERMISSION_DENIED: a fault injected by the emulator
    Applied 1 (1 input purged of 4 annotations), 0 already up to date, 1 failed, 0 not attempted.
    ");
    assert!(outcome.is_partial());
    assert_eq!(ids(&world).len(), 5);
    assert!(execute(&world, &plan).is_complete());
}

#[test]
fn purges_with_lost_or_late_answers_are_verified() {
    for fault in [
        Fault::DropAfter,
        Fault::DropBefore,
        Fault::TryAgain,
        Fault::Throttle { retry_after: None },
        Fault::Unavailable(503),
        Fault::FailItems {
            items: vec![0, 1],
            code: Code::TRY_AGAIN,
        },
        Fault::FailItems {
            items: vec![1],
            code: Code::TRY_AGAIN,
        },
    ] {
        let (world, plan) = world();
        let faults = world.emulator.faults();
        faults.next(Endpoint::DeleteAnnotations, fault.clone());
        let outcome = execute(&world, &plan);
        assert!(outcome.is_complete(), "{fault:?}: {outcome:#?}");
        assert_eq!(
            (outcome.applied.purge, outcome.applied.purged),
            (2, 8),
            "{fault:?}"
        );
        assert_eq!(ids(&world), ["a/stays"]);
    }
}

#[test]
fn an_input_that_cannot_be_listed_is_not_purged() {
    let (world, plan) = world();
    let faults = world.emulator.faults();
    faults.always(Endpoint::ListAnnotations, Fault::Internal(Code(11_102)));
    let outcome = execute(&world, &plan);
    assert_eq!(outcome.failed_purges.len(), 2);
    assert_eq!(world.writes(), []);
}

#[test]
fn nothing_is_purged_after_a_stop() {
    let (world, plan) = world();
    let stop = Stop::default();
    stop.request();
    let options = Options {
        stop,
        ..Options::default()
    };
    let outcome = execute_with(&world, &plan, &options);
    assert_eq!(outcome.not_attempted, 2);
    assert_eq!(world.emulator.calls(), []);
}

#[test]
fn with_fail_fast_a_failure_prevents_purges() {
    for (on_failure, purged) in [(OnFailure::Stop, 0), (OnFailure::Continue, 1)] {
        let world = World::new();
        world.seed(everything("p"));
        let inputs = "  - id: a\n    annotations: [{ key: k, concepts: [car] }]\n";
        let plan = planned(&world, &desired(inputs));
        let fault = Fault::FailItems {
            items: vec![0],
            code: Code::ANNOTATION_INVALID_ARGUMENT,
        };
        let faults = world.emulator.faults();
        faults.next(Endpoint::PostAnnotations, fault);
        let options = Options {
            on_failure,
            ..Options::default()
        };
        let outcome = execute_with(&world, &plan, &options);
        assert_eq!(outcome.failed.len(), 1);
        assert_eq!(outcome.applied.purge, purged);
        assert_eq!(outcome.not_attempted, 1 - purged);
    }
}

#[test]
fn with_fail_fast_a_failed_purge_prevents_the_next_call_of_purges() {
    let world = World::new();
    let seen = (0..130).map(|at| whole(&format!("p{at:03}"), "1", &[("car", 1.0)]));
    world.seed(seen.collect());
    let manifest = manifest_of(&format!("{}inputs: []\n", header()));
    let purged = (0..130).fold(manifest, |state, at| purging(state, &format!("p{at:03}")));
    let plan = planned(&world, &purged);
    for (nth, item) in [(1, 5), (2, 0)] {
        let fault = Fault::FailItems {
            items: vec![item],
            code: Code::ANNOTATION_PERMISSION_DENIED,
        };
        let faults = world.emulator.faults();
        faults.on(Endpoint::DeleteAnnotations, nth, fault);
    }
    let options = Options {
        on_failure: OnFailure::Stop,
        ..Options::default()
    };
    let outcome = execute_with(&world, &plan, &options);
    assert_eq!(outcome.failed_purges.len(), 1);
    assert_eq!(outcome.failed_purges[0].input_id.as_str(), "p005");
    assert_eq!((outcome.applied.purge, outcome.not_attempted), (127, 2));
    assert_eq!(execute(&world, &plan).applied.purge, 3);
}

#[test]
fn annotations_that_a_collaborator_may_not_delete_are_reported() {
    let world = World::with(Config {
        collaborators: vec![Collaborator {
            user: "bea".to_owned(),
            key: "bea-key".to_owned(),
        }],
        ..Config::default()
    });
    let own = with(whole("p", "own", &[("car", 1.0)]), "user_id", json!("bea"));
    let found = with(
        whole("p", "found", &[("car", 1.0)]),
        "model_version_id",
        json!("v"),
    );
    world.seed(vec![own, found]);
    let plan = planned(&world, &desired(""));
    world.write("plan.json", &render::json(&plan));
    let world = world.with_key("bea-key");
    // The plan is the owner's; carried out with a collaborator's token, the service has the last word.
    let flags = ["--allow-purge", "--allow-vanished", "1"];
    let run = world.apply_path("plan.json", &flags).exits(1);
    assert!(
        run.stdout
            .contains("Failed: purge of input p: 2 annotations are still there: "),
        "{}",
        run.stdout
    );
    assert_eq!(world.annotations().len(), 2);
}

fn apply_file(world: &World, plan: &Plan, flags: &[&str]) -> Run {
    world.write("plan.json", &render::json(plan));
    world.run(&[&["apply", "plan.json", "--auto-approve"], flags].concat())
}

#[test]
fn apply_refuses_a_purge_that_is_not_allowed() {
    let (world, plan) = world();
    let run = apply_file(&world, &plan, &[]).exits(3);
    assert!(
        run.stderr.contains(
            "error: the plan purges 2 inputs: 8 annotations would be deleted, whoever made them\n\
             hint: if this is what you mean, let exactly this plan pass with --allow-purge\n"
        ),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");
    let dry = apply_file(&world, &plan, &["--dry-run"]).exits(3);
    assert!(dry.stdout.contains(r#""body":{"input_ids":["p","q"]}"#));
    assert_eq!(world.writes(), []);
    assert_eq!(ids(&world).len(), 9);
    apply_file(&world, &plan, &["--dry-run", "--allow-purge"]).exits(0);
    assert_eq!(world.writes(), []);
    let run = apply_file(&world, &plan, &["--allow-purge"]).exits(0);
    assert_eq!(
        run.last_line(),
        "Applied 2 (2 inputs purged of 8 annotations), 0 already up to date, 0 failed, 0 not attempted."
    );
    assert_eq!(ids(&world), ["a/stays"]);
}

#[test]
fn a_guard_and_a_purge_name_both_their_flags() {
    let (world, mut plan) = world();
    plan.guards = vec![TrippedGuard::Deletes {
        count: 8,
        existing: 9,
        limit: "30%".to_owned(),
    }];
    let run = apply_file(&world, &plan, &[]).exits(3);
    assert!(
        run.stderr
            .contains("pass with --allow-deletes 8 --allow-purge\n"),
        "{}",
        run.stderr
    );
    let run = apply_file(&world, &plan, &["--allow-purge"]).exits(3);
    assert!(
        !run.stderr.contains("would be deleted, whoever"),
        "{}",
        run.stderr
    );
    apply_file(&world, &plan, &["--allow-purge", "--allow-deletes", "8"]).exits(0);
}

#[test]
fn the_exit_code_of_a_purge_says_how_it_ended() {
    let (world, plan) = world();
    world.seed(vec![whole("p", "late", &[("car", 1.0)])]);
    // With the new annotation there are enough for the guard of deletes.
    let flags = ["--allow-purge", "--allow-guards"];
    let run = apply_file(&world, &plan, &flags).exits(4);
    assert!(run.stdout.starts_with("Stale: purge of input p: "));
    let (world, plan) = self::world();
    for nth in 1..=4 {
        let items = if nth == 1 { vec![1] } else { vec![0] };
        let code = Code::ANNOTATION_PERMISSION_DENIED;
        let fault = Fault::FailItems { items, code };
        world
            .emulator
            .faults()
            .on(Endpoint::DeleteAnnotations, nth, fault);
    }
    let run = apply_file(&world, &plan, &["--allow-purge"]).exits(5);
    assert!(run.last_line().starts_with("Applied 1 ("), "{}", run.stdout);
}
