//! Writes with lost or failed requests or answers.

use super::proxy::{self, ProxyAction};
use super::{Run, World, boxes};
use crate::support::{boxed, whole};
use annosync::api::DeleteInputs;
use annosync::emulator::{ConcurrentChange, Config, Endpoint, Fault, MissingDelete, Scope};
use annosync::wire::Code;
use serde_json::json;

/// A transient fault of a call.
fn passing_faults() -> Vec<Fault> {
    vec![
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::Unavailable(503),
        Fault::Internal(Code(98_004)),
        Fault::TryAgain,
        Fault::Throttle { retry_after: None },
        Fault::Throttle {
            retry_after: Some(1),
        },
        Fault::FailItems {
            items: vec![0, 2],
            code: Code::TRY_AGAIN,
        },
    ]
}

/// Runs a check for each fault, all at the same time: most of it is waiting.
fn each(faults: Vec<Fault>, check: impl Fn(Fault) + Sync) {
    let check = &check;
    std::thread::scope(|scope| {
        for fault in faults {
            scope.spawn(move || check(fault));
        }
    });
}

#[test]
fn a_post_is_made_once_despite_faults() {
    each(passing_faults(), |fault| {
        let world = World::new();
        world.declare(&boxes(0..3, "car"));
        let faults = world.emulator.faults();
        faults.next(Endpoint::PostAnnotations, fault.clone());
        let run = world.apply(&[]).exits(0);
        assert_eq!(
            run.last_line(),
            "Applied 3 (3 posted), 0 already up to date, 0 failed, 0 not attempted.",
            "{fault:?}"
        );
        assert_eq!(world.annotations().len(), 3, "{fault:?}");
        assert_eq!(faults.pending(), 0, "{fault:?}");
    });
}

#[test]
fn patches_and_deletes_are_made_once_despite_faults() {
    each(passing_faults(), |fault| {
        let world = World::new();
        world.declare(&boxes(0..12, "car"));
        world.apply(&[]).exits(0);
        let relabelled = boxes(0..3, "tree");
        let pending = boxes(3..6, "car").replace("[car]", "[car]\n        status: pending");
        let others = boxes(9..12, "car").replace("[car]", "[car]\n        user: bea");
        world.declare(&format!("{relabelled}{pending}{others}"));
        let faults = world.emulator.faults();
        faults.on(Endpoint::PatchAnnotations, 1, fault.clone());
        faults.on(Endpoint::PatchAnnotations, 2, fault.clone());
        // First the deletes for replacements, last those of undeclared annotations.
        faults.on(Endpoint::DeleteAnnotations, 1, fault.clone());
        faults.on(Endpoint::DeleteAnnotations, 3, fault.clone());
        let run = world.apply(&["--concurrency", "1"]).exits(0);
        assert_eq!(
            run.last_line(),
            "Applied 12 (3 merged, 3 overwritten, 3 replaced, 3 deleted), \
             0 already up to date, 0 failed, 0 not attempted.",
            "{fault:?}"
        );
        assert_eq!(world.annotations().len(), 9);
    });
}

#[test]
fn deletes_with_lost_answers_are_verified_and_not_sent_again() {
    let world = World::new();
    world.declare(&boxes(0..40, "car"));
    world.apply(&[]).exits(0);
    world.declare(&boxes(0..1, "car"));
    world.emulator.forget_calls();
    let faults = world.emulator.faults();
    faults.next(Endpoint::DeleteAnnotations, Fault::DropAfter);
    let run = world.apply(&[]).exits(0);
    assert!(run.last_line().starts_with("Applied 39 (39 deleted)"));
    let items: Vec<usize> = world.writes().iter().map(|call| call.items).collect();
    assert_eq!(items, [39]);
}

#[test]
fn one_bad_annotation_of_a_full_call_fails_alone_and_a_second_run_repairs_it() {
    let world = World::new();
    world.declare(&boxes(0..128, "car"));
    let fault = Fault::FailItems {
        items: vec![77],
        code: Code::ANNOTATION_INVALID_ARGUMENT,
    };
    world
        .emulator
        .faults()
        .next(Endpoint::PostAnnotations, fault);
    let run = world.apply(&[]).exits(5);
    assert_eq!(
        run.stdout,
        "Failed: post k of input in-077: 24155 ANNOTATION_INVALID_ARGUMENT: \
         a fault injected by the emulator\n\
         Applied 127 (127 posted), 0 already up to date, 1 failed, 0 not attempted.\n"
    );
    assert_eq!(world.writes().len(), 1);
    let again = world.apply(&[]).exits(0);
    assert!(again.last_line().starts_with("Applied 1 (1 posted)"));
}

/// The binary on the emulator's app, through a proxy.
pub(super) fn apply_through(world: &World, proxy_action: ProxyAction) -> Run {
    apply_with(world, proxy_action, &[])
}

/// The same with more arguments.
pub(super) fn apply_with(world: &World, proxy_action: ProxyAction, more: &[&str]) -> Run {
    let url = world.block_on(proxy::start(world.emulator.url(), proxy_action));
    let flags = ["--endpoint", &url, "--user-id", "owner", "--app-id", "app"];
    let fast = ["--rate-limit", "1000", "--auto-approve"];
    world.run(&[&["apply", "m.yaml"], &flags[..], &fast, more].concat())
}

#[test]
fn a_call_that_is_refused_for_one_annotation_is_split_until_that_one_is_found() {
    let world = World::new();
    let mut inputs = boxes(0..60, "car");
    inputs = inputs.replace("in-023", "poison");
    world.declare(&inputs);
    let run = apply_through(&world, ProxyAction::RefuseWith("poison")).exits(5);
    assert_eq!(
        run.stdout,
        "Failed: post k of input poison: refused with HTTP 400, code 11102 CONN_INVALID_REQUEST: one of these is not to be taken\n\
         Applied 59 (59 posted), 0 already up to date, 1 failed, 0 not attempted.\n"
    );
    assert!(world.writes().len() <= 7, "halves, not single calls");
    world.apply(&[]).exits(0);
}

#[test]
fn a_refused_patch_or_delete_leaves_the_others_alone_too() {
    let world = World::new();
    let inputs = boxes(0..20, "car")
        .replace("in-003", "poison-a")
        .replace("in-013", "poison-b");
    world.declare(&inputs);
    world.apply(&[]).exits(0);
    let (changed, dropped) = inputs.split_at(inputs.find("  - id: in-010").unwrap());
    world.declare(&changed.replace("[car]", "[tree]"));
    let run = apply_through(&world, ProxyAction::RefuseWith("poison")).exits(5);
    assert!(
        run.stdout
            .contains("Failed: overwrite k of input poison-a: "),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("of input poison-b: "), "{}", run.stdout);
    assert_eq!(
        run.last_line(),
        "Applied 18 (9 overwritten, 9 deleted), 0 already up to date, 2 failed, 0 not attempted."
    );
    assert!(!dropped.is_empty());
    world.apply(&[]).exits(0);
}

#[test]
fn a_write_with_a_different_result_is_an_error() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    let run = apply_through(
        &world,
        ProxyAction::Answer(|answer| {
            let concept = "/annotations/1/data/regions/0/data/concepts/0/id";
            *answer.pointer_mut(concept).unwrap() = json!("tree");
        }),
    )
    .exits(5);
    assert_eq!(
        run.stdout,
        "Failed: post k of input in-001: the service accepted it and stored something else\n\
         Applied 2 (2 posted), 0 already up to date, 1 failed, 0 not attempted.\n"
    );
}

#[test]
fn a_write_that_the_answer_does_not_mention_is_looked_up() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    let forget = ProxyAction::Answer(|answer| {
        answer["annotations"].as_array_mut().unwrap().remove(1);
    });
    let run = apply_through(&world, forget).exits(0);
    assert!(
        run.last_line().starts_with("Applied 3 (3 posted)"),
        "{}",
        run.stdout
    );
    world.is_settled();
    // The order of an answer has no meaning.
    world.declare(&boxes(0..3, "tree"));
    let reverse = ProxyAction::Answer(|answer| {
        answer["annotations"].as_array_mut().unwrap().reverse();
    });
    let run = apply_through(&world, reverse).exits(0);
    assert!(run.last_line().starts_with("Applied 3 (3 overwritten)"));
    world.is_settled();
}

/// The last read of the only page before the plan, for the proof.
const BEFORE_THE_READ: (Scope, usize) = (Scope::Page(1), 2);

/// Six annotations, of which the manifest drops the last ones; `in-005` is changed in this way during an apply that
/// makes one call at a time. Readings of page 1: to find the end, for the proof, and just before several deletes (a
/// single one is looked at by its path).
fn dropped_during_apply(
    config: Config,
    dropped: usize,
    when: (Scope, usize),
    then: &str,
) -> (World, Run) {
    let world = World::with(config);
    world.declare(&boxes(0..6, "car"));
    world.apply(&[]).exits(0);
    let id = world.id_on("in-005");
    world.declare(&boxes(0..6 - dropped, "car"));
    let mut shifts = vec![ConcurrentChange::Delete {
        input_id: "in-005".to_owned(),
        id: id.clone(),
    }];
    if then == "edited" {
        shifts.push(ConcurrentChange::Insert(whole(
            "in-005",
            &id,
            &[("tree", 1.0)],
        )));
    }
    let faults = world.emulator.faults();
    faults.on(when.0, when.1, Fault::ChangeAfterRead(shifts));
    let run = world.on_app(&["apply", "m.yaml", "--auto-approve", "--concurrency", "1"]);
    assert_eq!(faults.pending(), 0);
    (world, run)
}

#[test]
fn an_annotation_that_is_gone_counts_as_deleted() {
    for missing_delete in [MissingDelete::Succeeds, MissingDelete::Fails] {
        for dropped in [1, 3] {
            let config = || Config {
                missing_delete,
                ..Config::default()
            };
            // Between the proof and the read before the delete: there is nothing left to do.
            let (world, run) = dropped_during_apply(config(), dropped, BEFORE_THE_READ, "gone");
            let rest = dropped - 1;
            let account = ", 1 already up to date, 0 failed, 0 not attempted.";
            assert!(
                run.last_line().starts_with(&format!("Applied {rest}")),
                "{}",
                run.stdout
            );
            assert!(run.exits(0).last_line().ends_with(account));
            assert_eq!(world.annotations().len(), 6 - dropped);
            world.is_settled();
            // Between that read and the delete.
            let look = if dropped == 1 {
                (Scope::Endpoint(Endpoint::GetAnnotation), 1)
            } else {
                (Scope::Page(1), 3)
            };
            let (world, run) = dropped_during_apply(config(), dropped, look, "gone");
            let account = format!(
                "Applied {dropped} ({dropped} deleted), 0 already up to date, 0 failed, 0 not attempted."
            );
            assert_eq!(run.exits(0).last_line(), account);
            assert_eq!(world.annotations().len(), 6 - dropped);
            world.is_settled();
        }
    }
}

#[test]
fn annotations_edited_while_an_apply_runs_are_not_deleted() {
    let (world, run) = dropped_during_apply(Config::default(), 3, BEFORE_THE_READ, "edited");
    let run = run.exits(4);
    assert!(run.stdout.contains("Stale: delete "), "{}", run.stdout);
    assert!(
        run.stdout.contains("Now stored:\n    annotation [tree]\n"),
        "{}",
        run.stdout
    );
    assert_eq!(
        run.last_line(),
        "Applied 2 (2 deleted), 0 already up to date, 1 stale, 0 failed, 0 not attempted."
    );
    assert_eq!(world.annotations().len(), 4);
}

#[test]
fn an_input_that_is_deleted_after_the_plan_fails_alone() {
    let world = World::with(Config {
        require_inputs: true,
        ..Config::default()
    });
    world.seed(vec![
        whole("in-000", "made-with-it", &[("tree", 1.0)]),
        boxed("in-001", "gone-with-it", [0.1, 0.2, 0.5, 0.6], &["tree"]),
    ]);
    world.declare(&format!(
        "{}  - id: in-001\n    annotations:\n      - {{ key: k, concepts: [car] }}\n",
        boxes(0..1, "car")
    ));
    world.plan(&["--out", "plan.json"]).exits(0);
    let gone = DeleteInputs::new(vec!["in-001".to_owned()]).unwrap();
    world.block_on(world.writer().delete_inputs(&gone)).unwrap();
    // The manifest gives another plan now.
    let apply = ["apply", "plan.json", "--auto-approve"];
    let with_manifest = [&apply[..], &["--manifest", "m.yaml"]].concat();
    world
        .run(&with_manifest)
        .exits(1)
        .says("the app has no input `in-001`");
    let run = world.run(&apply).exits(5);
    assert!(
        run.stdout.contains(
            "Failed: post k of input in-001: 11101 CONN_DOES_NOT_EXIST: Resource does not exist: no input `in-001`\n"
        ),
        "{}",
        run.stdout
    );
    assert!(
        run.last_line()
            .starts_with("Applied 2 (1 posted, 1 deleted)"),
        "{}",
        run.stdout
    );
}
