//! `purge: true` in plan and apply.

use crate::cli::{Run, World, header};
use crate::support::{
    ME, boxed, manifest_of, observed, observed_by, plan, purging, try_plan, whole, with,
};
use annosync::apply::{self, OnFailure, Options, Stop};
use annosync::emulator::{
    Collaborator, ConcurrentChange, Config, Endpoint, Fault, Scope as Faulty,
};
use annosync::model::{DesiredState, InputId, Scope};
use annosync::observed as state;
use annosync::plan::{self as planning, Call, Due, Outcome, Plan, Since, Target, TrippedGuard};
use annosync::render::{self, Detail, TextOptions};
use annosync::wire::Code;
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::sync::Arc;

const BOX: [f64; 4] = [0.1, 0.2, 0.5, 0.6];

/// The set's inputs, guards that let everything pass, and `p` purged.
fn desired(inputs: &str) -> DesiredState {
    let inputs = if inputs.is_empty() {
        "inputs: []\n".to_owned()
    } else {
        format!("inputs:\n{inputs}")
    };
    purging(manifest_of(&format!("{}{inputs}", header())), "p")
}

/// One annotation of each maker: the caller, another user, a model, another set, and the input-level one.
fn everything(input: &str) -> Vec<Value> {
    vec![
        boxed(input, "mine", BOX, &["car"]),
        with(
            boxed(input, "theirs", BOX, &["car"]),
            "user_id",
            json!("bea"),
        ),
        with(
            boxed(input, "model", BOX, &["car"]),
            "model_version_id",
            json!("v1"),
        ),
        boxed(input, "as-00000000-0123456789abcdef0123", BOX, &["car"]),
        with(
            whole(input, "level", &[("car", 1.0)]),
            "input_level",
            json!(true),
        ),
    ]
}

fn text(plan: &Plan) -> String {
    render::text(plan, &TextOptions::default())
}

#[test]
fn a_purge_deletes_everything_except_the_input_level_annotation_and_is_shown_first() {
    let inputs = "  - id: a\n    annotations: [{ key: k, region: r, concepts: [car] }]\n";
    let seen = [everything("p"), vec![whole("a", "old", &[("car", 1.0)])]].concat();
    let plan = plan(&desired(inputs), &observed(&seen));
    assert_snapshot!(text(&plan), @r"
    Label set street on me-1/street at https://api.clarifai.com, policy sync: 1 input to purge (4 annotations), 1 to post, 1 to delete.
    App: https://clarifai.com/me-1/street

    Warning: apply purges only with --allow-purge.
    Note: needs the app's owner: 1 change to annotations of bea, 3 changes to annotations of me-1.

    Other people's work: bea 1 deleted; (user unknown) 1 deleted
    Left without labels (1 input): p
    Classes: car 5 -> 2 (-3)

    ! purge p: deletes all 4 annotations, whoever made them (2 by me-1, 1 by bea, 1 by a model)

    a
      - delete annotation [car] old: by me-1 (not declared)
      + post region [car] k: region r

    Plan: 1 input to purge (4 annotations), 1 to post, 1 to delete. 3 calls (lower bound 3), about 0.2 s at 15 calls/s.
    ");
    let calls: Vec<Call> = plan.batches.iter().map(|batch| batch.call).collect();
    assert_eq!(calls, [Call::Post, Call::Delete, Call::Purge]);
    assert_eq!((plan.summary.existing, plan.summary.purged), (5, 4));
    let dues = vec![Due::Sent(None); plan.operations.len()];
    let sent = render::calls(&plan.target, &apply::calls(&plan, &dues).unwrap());
    assert_eq!(
        sent.lines().last().unwrap(),
        r#"{"method":"DELETE","path":"/v2/users/me-1/apps/street/annotations","body":{"input_ids":["p"]}}"#
    );
    let full = TextOptions {
        detail: Detail::Full,
        ..TextOptions::default()
    };
    let full = render::text(&plan, &full);
    for id in [
        "mine",
        "theirs",
        "model",
        "as-00000000-0123456789abcdef0123",
    ] {
        assert!(full.contains(&format!("] {id}")), "{full}");
    }
    assert!(!full.contains("level"));
}

#[test]
fn a_purge_of_an_empty_input_is_nothing_to_do() {
    let level = everything("p").pop().unwrap();
    for seen in [vec![], vec![level]] {
        let plan = plan(&desired(""), &observed(&seen));
        assert!(plan.is_empty());
        assert_eq!(plan.summary.existing, 0);
        assert!(text(&plan).ends_with("\n\nNo changes. 0 annotations match.\n"));
    }
}

#[test]
fn the_policy_holds_a_purge_back() {
    for (policy, held) in [("sync", 0), ("upsert", 4), ("create", 4)] {
        let manifest = manifest_of(&format!(
            "version: 1\nset: street\npolicy: {policy}\ninputs: []\n"
        ));
        let plan = plan(&purging(manifest, "p"), &observed(&everything("p")));
        assert_eq!(plan.summary.held_back.deletes, held, "{policy}");
        assert_eq!(plan.purges.is_empty(), held > 0);
        assert_eq!(plan.batches.is_empty(), held > 0);
    }
}

#[test]
fn a_purge_is_the_same_for_every_caller_and_says_what_it_needs() {
    let seen = everything("p");
    let of = |caller| plan(&desired(""), &observed_by(caller, "owner-1", &seen));
    assert_eq!(of(ME), of("owner-1"));
    assert_eq!(of(ME).summary.purged, 4);
    assert!(text(&of(ME)).contains(
        "Note: needs the app's owner: 1 change to annotations of bea, 2 changes to annotations of me-1."
    ));
}

#[test]
fn a_purged_input_that_was_not_listed_is_an_error() {
    let mut seen = observed(&[]);
    seen.scope = Scope::Inputs([InputId::new("a").unwrap()].into());
    let errors = try_plan(&desired(""), &seen).unwrap_err();
    assert_snapshot!(errors[0], @"input `p` is declared, but the listing does not cover it");
}

#[test]
fn purged_annotations_count_for_the_guards() {
    let purged: Vec<Value> = (0..7)
        .map(|at| {
            let gone = whole("p", &format!("{at}"), &[("tree", 1.0)]);
            let by_model = at % 2 == 1;
            if by_model {
                with(gone, "model_version_id", json!("v1"))
            } else {
                with(gone, "user_id", json!("bea"))
            }
        })
        .collect();
    let kept = (0..3).map(|at| whole("a", &format!("{at}"), &[("car", 1.0)]));
    let seen: Vec<Value> = purged.into_iter().chain(kept).collect();
    let inputs = "  - id: a\n    annotations: [{ id: '0' }, { id: '1' }]\n";
    let manifest = manifest_of(&format!(
        "version: 1\nset: street\npolicy: sync\nguards: {{ min_existing: 4 }}\ninputs:\n{inputs}"
    ));
    let trips = plan(&purging(manifest, "p"), &observed(&seen)).guards;
    let flags: Vec<String> = trips.iter().map(TrippedGuard::flag).collect();
    assert_eq!(flags, ["--allow-deletes 8", "--allow-vanished 1"]);
    // A model still names it elsewhere: no person does. What models named, people did not lose.
    let by_models: Vec<Value> = seen
        .iter()
        .map(|it| with(it.clone(), "model_version_id", json!("v1")))
        .collect();
    let manifest = manifest_of("version: 1\nset: street\npolicy: sync\ninputs: []\n");
    let trips = plan(&purging(manifest, "p"), &observed(&by_models)).guards;
    let flags: Vec<String> = trips.iter().map(TrippedGuard::flag).collect();
    assert_eq!(flags, Vec::<String>::new());
}

#[test]
fn a_call_takes_128_inputs() {
    let seen: Vec<Value> = (0..130)
        .map(|at| whole(&format!("p{at:03}"), "1", &[("car", 1.0)]))
        .collect();
    let manifest = manifest_of(&format!("{}inputs: []\n", header()));
    let purged = (0..130).fold(manifest, |state, at| purging(state, &format!("p{at:03}")));
    let plan = plan(&purged, &observed(&seen));
    assert_eq!((plan.summary.calls, plan.summary.lower_bound), (2, 2));
    assert_eq!(plan.batches[0].operations.len(), 128);
    let listed: Vec<&str> = plan.purges.iter().map(|p| p.input_id.as_str()).collect();
    assert!(listed.is_sorted());
}

/// A change to a plan file, with its description.
type Alteration = (&'static str, fn(&mut Value));

#[test]
fn a_plan_file_with_inconsistent_purges_is_refused() {
    let seen = [everything("p"), everything("q")].concat();
    let inputs = "  - id: a\n    annotations: [{ key: k, concepts: [car] }]\n";
    let plan = plan(&purging(desired(inputs), "q"), &observed(&seen));
    let file = render::json(&plan);
    assert_eq!(planning::read(&file).unwrap(), Some(plan));
    let alterations: [Alteration; 10] = [
        ("no purges", |plan| plan["purges"] = json!([])),
        ("one less", |plan| {
            plan["purges"].as_array_mut().unwrap().pop();
        }),
        ("one twice", |plan| {
            plan["purges"][1] = plan["purges"][0].clone();
        }),
        ("another order", |plan| {
            plan["purges"].as_array_mut().unwrap().reverse();
        }),
        ("nothing that goes", |plan| {
            plan["purges"][0]["annotations"] = json!([]);
        }),
        ("one that goes twice", |plan| {
            plan["purges"][0]["annotations"][1] = plan["purges"][0]["annotations"][0].clone();
        }),
        ("an operation on a purged input", |plan| {
            plan["operations"][0]["input_id"] = json!("p");
            plan["operations"][0]["body"]["input_id"] = json!("p");
        }),
        ("a count", |plan| plan["summary"]["purged"] = json!(3)),
        ("no call", |plan| {
            plan["batches"].as_array_mut().unwrap().pop();
        }),
        ("a policy that does not delete", |plan| {
            plan["policy"] = json!("upsert");
        }),
    ];
    for (what, alter) in alterations {
        let mut altered: Value = serde_json::from_str(&file).unwrap();
        alter(&mut altered);
        let error = planning::read(&altered.to_string()).unwrap_err();
        assert!(error.to_string().contains("altered"), "{what}: {error}");
    }
}

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
