//! Plans against a base: which writes are meant, which would revert what was done on the remote, and what is left alone.

use crate::laws::{declarations, remotes};
use crate::support::{
    ME, Remote, boxed, context, desired, manifest_of, observed, observed_by, plan, purging, whole,
    with,
};
use annosync::model::{DesiredState, ObservedState};
use annosync::plan::{
    self, Action, Against, Allowances, Base, Cause, Drift, OnDrift, Plan, Reason, Trip,
};
use annosync::render;
use proptest::prelude::*;
use serde_json::{Value, json};

const HERE: [f64; 4] = [0.1, 0.1, 0.3, 0.3];
const BOX: &str = "box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.3 }";
const NEAR: [f64; 4] = [0.12, 0.1, 0.32, 0.3];
const FAR: [f64; 4] = [0.6, 0.6, 0.9, 0.9];

fn base() -> Base {
    Base {
        revision: "main".into(),
        commit: "c".repeat(40),
        manifest_hash: "b".repeat(64),
    }
}

fn try_against(
    base_state: &DesiredState,
    desired: &DesiredState,
    observed: &ObservedState,
    on_drift: OnDrift,
) -> Plan {
    let against = Against {
        desired: base_state,
        base: base(),
        on_drift,
    };
    let plan = plan::plan_against(desired, observed, &context(), &against)
        .unwrap_or_else(|errors| panic!("{errors:#?}"));
    // Whatever is planned can be kept and read back.
    assert_eq!(
        plan::read(&render::json(&plan)).unwrap(),
        Some(plan.clone())
    );
    plan
}

/// One input `a` that declares these annotations.
fn a(annotations: &[&str]) -> String {
    if annotations.is_empty() {
        return "  - id: a\n    annotations: []\n".into();
    }
    let items = annotations.iter().map(|it| format!("      - {{ {it} }}\n"));
    format!("  - id: a\n    annotations:\n{}", items.collect::<String>())
}

/// Each write as (action, cause), of a plan from two lists of annotations of one input.
fn causes(before: &[&str], now: &[&str], seen: &[Value]) -> Vec<(Action, Cause)> {
    causes_of(&desired(&a(before)), &desired(&a(now)), seen)
}

fn causes_of(before: &DesiredState, now: &DesiredState, seen: &[Value]) -> Vec<(Action, Cause)> {
    let plan = try_against(before, now, &observed(seen), OnDrift::Apply);
    let told = |it: &plan::Operation| (it.action, it.cause.unwrap());
    plan.operations.iter().map(told).collect()
}

fn car(id: &str, edges: [f64; 4]) -> Value {
    boxed("a", id, edges, &["car"])
}

const CAR: &str = "box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.3 }, concepts: [car]";
const BUS: &str = "box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.3 }, concepts: [bus]";
const FAR_CAR: &str = "box: { top: 0.6, left: 0.6, bottom: 0.9, right: 0.9 }, concepts: [car]";

#[test]
fn a_change_is_meant_where_the_remote_is_as_the_base_has_it() {
    let seen = [car("x", HERE)];
    assert_eq!(
        causes(&[CAR], &[BUS], &seen),
        [(Action::Overwrite, Cause::Intended)]
    );
    assert_eq!(
        causes(&[CAR], &[], &seen),
        [(Action::Delete, Cause::Intended)]
    );
    assert_eq!(
        causes(&[CAR], &[CAR, FAR_CAR], &seen),
        [(Action::Post, Cause::Intended)]
    );
    // What the base does not manage of it is nobody's drift.
    let pending = [with(car("x", HERE), "status", json!({"code": 24151}))];
    assert_eq!(
        causes(&[CAR], &[&format!("{CAR}, status: success")], &pending),
        [(Action::Merge, Cause::Intended)]
    );
}

#[test]
fn what_somebody_changed_is_drift_and_a_conflict_where_the_manifest_changed_as_well() {
    let seen = [boxed("a", "x", HERE, &["tree"])];
    assert_eq!(
        causes(&[CAR], &[CAR], &seen),
        [(Action::Overwrite, Cause::Drift)]
    );
    assert_eq!(
        causes(&[CAR], &[BUS], &seen),
        [(Action::Overwrite, Cause::Conflict)]
    );
    assert_eq!(
        causes(&[CAR], &[], &seen),
        [(Action::Delete, Cause::Conflict)]
    );
    let moved = [car("x", NEAR)];
    assert_eq!(
        causes(&[CAR], &[CAR], &moved),
        [(Action::Overwrite, Cause::Drift)]
    );
}

#[test]
fn what_somebody_added_is_never_deleted_or_changed_as_if_that_was_meant() {
    let seen = [car("x", HERE), car("new", FAR)];
    assert_eq!(
        causes(&[CAR], &[CAR], &seen),
        [(Action::Delete, Cause::Drift)]
    );
    // The manifest declares something there as well.
    let near = "box: { top: 0.6, left: 0.6, bottom: 0.9, right: 0.88 }, concepts: [car]";
    assert_eq!(
        causes(&[CAR], &[CAR, near], &seen),
        [(Action::Overwrite, Cause::Conflict)]
    );
    // Its input was declared by nobody: nobody knows when it was made.
    let other = desired("  - id: b\n    annotations: []\n");
    assert_eq!(
        causes_of(&other, &desired(&a(&[CAR])), &seen),
        [(Action::Delete, Cause::Conflict)]
    );
    assert_eq!(
        causes_of(&other, &desired(&a(&[BUS])), &seen[..1]),
        [(Action::Overwrite, Cause::Conflict)]
    );
    // A person who names it by its id looked at it.
    assert_eq!(
        causes_of(
            &other,
            &desired(&a(&["id: x, concepts: [bus]"])),
            &seen[..1]
        ),
        [(Action::Overwrite, Cause::Intended)]
    );
}

#[test]
fn what_somebody_deleted_is_not_made_again_as_if_that_was_meant() {
    assert_eq!(causes(&[CAR], &[CAR], &[]), [(Action::Post, Cause::Drift)]);
    let keyed = |it: &str| format!("key: k, {it}");
    assert_eq!(
        causes(&[&keyed(CAR)], &[&keyed(BUS)], &[]),
        [(Action::Post, Cause::Conflict)]
    );
    // Without a key a declaration that changed has another id; it is found by what it is.
    assert_eq!(
        causes(&[CAR], &[BUS], &[]),
        [(Action::Post, Cause::Conflict)]
    );
    assert_eq!(
        causes(&[&keyed(CAR)], &[CAR], &[]),
        [(Action::Post, Cause::Drift)]
    );
    assert_eq!(
        causes(&[CAR], &[CAR, FAR_CAR], &[]),
        [
            (Action::Post, Cause::Drift),
            (Action::Post, Cause::Intended)
        ]
    );
}

#[test]
fn a_declaration_that_moved_is_no_new_one_where_its_annotation_moved_away() {
    // The remote moved it one way, the manifest another: the plan does not know it any more.
    let left = "box: { top: 0.1, left: 0.16, bottom: 0.3, right: 0.36 }, concepts: [car]";
    let right = [0.16, 0.1, 0.36, 0.3];
    assert_eq!(
        causes(&[CAR], &[left], &[car("x", right)]),
        [
            (Action::Delete, Cause::Conflict),
            (Action::Post, Cause::Conflict)
        ]
    );
    // The remote moved it out of sight of either.
    assert_eq!(
        causes(&[CAR], &[CAR], &[car("x", FAR)]),
        [(Action::Delete, Cause::Drift), (Action::Post, Cause::Drift)]
    );
    assert_eq!(
        causes(&[CAR], &[BUS], &[car("x", FAR)]),
        [
            (Action::Delete, Cause::Drift),
            (Action::Post, Cause::Conflict)
        ]
    );
    // Nothing happened there: the manifest moved it out of sight.
    assert_eq!(
        causes(&[CAR], &[FAR_CAR], &[car("x", HERE)]),
        [
            (Action::Delete, Cause::Intended),
            (Action::Post, Cause::Intended)
        ]
    );
}

#[test]
fn an_input_that_is_dropped_drops_what_is_as_the_base_has_it() {
    let mut remote = Remote::default();
    let keyed = format!("key: k, {CAR}");
    let before = desired(&a(&[&keyed]));
    remote.apply(&plan(&before, &remote.observed()));
    let now = desired("  - id: b\n    annotations: []\n");
    let reason = |it: &Plan| (it.operations[0].reason, it.operations[0].cause);
    let made = try_against(&before, &now, &remote.observed(), OnDrift::Apply);
    assert_eq!(
        reason(&made),
        (Reason::InputNotDeclared, Some(Cause::Intended))
    );
    remote.annotations[0]["data"]["regions"][0]["data"]["concepts"][0]["id"] = json!("bus");
    let made = try_against(&before, &now, &remote.observed(), OnDrift::Apply);
    assert_eq!(
        reason(&made),
        (Reason::InputNotDeclared, Some(Cause::Conflict))
    );
    // The base had dropped it before: somebody made it since.
    let made = try_against(&now, &now, &remote.observed(), OnDrift::Apply);
    assert_eq!(
        reason(&made),
        (Reason::InputNotDeclared, Some(Cause::Drift))
    );
}

#[test]
fn owners_and_policies_that_widened_hide_nothing() {
    let header = |rest: &str| format!("version: 1\nset: street\n{rest}\ninputs:\n{}", a(&[CAR]));
    let theirs = [
        car("x", HERE),
        with(car("ann-s", FAR), "user_id", json!("ann")),
    ];
    let before = manifest_of(&header("policy: upsert"));
    let now = manifest_of(&header("policy: sync\nowners: [me, ann]"));
    assert_eq!(
        causes_of(&before, &now, &theirs),
        [(Action::Delete, Cause::Drift)]
    );
    // Under a policy that deletes nothing, what somebody added is still theirs.
    let near = "box: { top: 0.6, left: 0.6, bottom: 0.9, right: 0.88 }, concepts: [car]";
    let now = header("policy: upsert").replace(&a(&[CAR]), &a(&[CAR, near]));
    assert_eq!(
        causes_of(
            &before,
            &manifest_of(&now),
            &[car("x", HERE), car("new", FAR)]
        ),
        [(Action::Overwrite, Cause::Conflict)]
    );
}

#[test]
fn a_rename_of_concepts_is_meant() {
    let header = |renamed: &str, concept: &str| {
        let annotation = format!("{BOX}, concepts: [{concept}]");
        manifest_of(&format!(
            "version: 1\nset: street\npolicy: sync\n{renamed}inputs:\n{}",
            a(&[&annotation])
        ))
    };
    let seen = [car("x", HERE)];
    let now = header("renamed: { car: auto }\n", "auto");
    assert_eq!(
        causes_of(&header("", "car"), &now, &seen),
        [(Action::Overwrite, Cause::Intended)]
    );
}

#[test]
fn a_purge_is_one_write_with_one_cause() {
    let purged = purging(desired("  - id: z\n    annotations: []\n"), "a");
    let before = desired(&a(&[CAR]));
    let cause = |before: &DesiredState, seen: &[Value]| {
        let plan = try_against(before, &purged, &observed(seen), OnDrift::Apply);
        (plan.purges[0].cause.unwrap(), plan.summary.drift)
    };
    let mine = car("x", HERE);
    let by_model = with(car("m", FAR), "model_version_id", json!("v1"));
    let theirs = with(car("ann-s", FAR), "user_id", json!("ann"));
    assert_eq!(
        cause(&before, std::slice::from_ref(&mine)),
        (Cause::Intended, Some(0))
    );
    assert_eq!(
        cause(&before, &[mine.clone(), by_model.clone()]),
        (Cause::Intended, Some(0))
    );
    assert_eq!(
        cause(&before, &[mine.clone(), theirs]),
        (Cause::Conflict, Some(2))
    );
    assert_eq!(
        cause(&before, &[boxed("a", "x", HERE, &["bus"])]),
        (Cause::Conflict, Some(1))
    );
    assert_eq!(cause(&purged, &[mine, by_model]), (Cause::Drift, Some(2)));
}

#[test]
fn a_purge_that_was_taken_back_does_not_hide_what_was_made_since() {
    let purged = purging(desired("  - id: z\n    annotations: []\n"), "a");
    let now = desired(&a(&["id: x, concepts: [bus]", FAR_CAR]));
    assert_eq!(
        causes_of(&purged, &now, &[car("x", HERE), car("y", HERE)]),
        [
            (Action::Delete, Cause::Drift),
            (Action::Overwrite, Cause::Conflict),
            (Action::Post, Cause::Intended)
        ]
    );
}

#[test]
fn keep_leaves_a_purge_out_whole_and_shows_what_would_have_gone() {
    let purged = purging(desired("  - id: z\n    annotations: []\n"), "a");
    let seen = [
        car("x", HERE),
        with(
            with(car("ann-s", FAR), "user_id", json!("ann")),
            "modified_at",
            json!("2026-03-01T00:00:00Z"),
        ),
    ];
    let plan = try_against(
        &desired(&a(&[CAR])),
        &purged,
        &observed(&seen),
        OnDrift::Keep,
    );
    assert!(plan.is_empty() && plan.batches.is_empty() && plan.guards.is_empty());
    let shown: Vec<_> = plan
        .kept
        .iter()
        .map(|it| (it.id.as_str(), it.action, it.cause))
        .collect();
    let conflict = Some(Cause::Conflict);
    assert_eq!(
        shown,
        [
            ("ann-s", Action::Delete, conflict),
            ("x", Action::Delete, conflict)
        ]
    );
    let seen = plan.kept[0].seen.as_ref().unwrap();
    assert_eq!(seen.user.as_ref().unwrap().as_str(), "ann");
    assert_eq!(seen.modified_at.as_deref(), Some("2026-03-01T00:00:00Z"));
    let summary = &plan.summary;
    assert_eq!(
        (summary.held_back.drift, summary.drift, summary.purged),
        (2, Some(0), 0)
    );
}

#[test]
fn keep_takes_out_what_reverts_before_anything_is_counted_packed_or_guarded() {
    let seen = [
        boxed("a", "x", HERE, &["tree"]),
        car("new", FAR),
        whole("a", "w", &[("night", 1.0)]),
    ];
    let before = desired(&a(&[CAR, "concepts: [night]"]));
    let now = desired(&a(&[CAR, "concepts: [night, rain]"]));
    let plan = try_against(&before, &now, &observed(&seen), OnDrift::Keep);
    let [made] = &plan.operations[..] else {
        panic!("{:#?}", plan.operations);
    };
    assert_eq!((made.id.as_str(), made.cause), ("w", Some(Cause::Intended)));
    let kept: Vec<_> = plan
        .kept
        .iter()
        .map(|it| (it.id.as_str(), it.action))
        .collect();
    assert_eq!(kept, [("new", Action::Delete), ("x", Action::Overwrite)]);
    assert!(plan.kept.iter().all(|it| it.body.is_none()));
    let summary = &plan.summary;
    assert_eq!((summary.merge, summary.operations()), (1, 1));
    assert_eq!(
        (summary.drift, summary.conflicts, summary.held_back.drift),
        (Some(0), Some(0), 2)
    );
    assert_eq!(summary.calls, 1);
    // `tree` would vanish from the app, and does not.
    assert_eq!(plan.guards, []);
    let all = try_against(&before, &now, &observed(&seen), OnDrift::Apply);
    assert!(matches!(all.guards[..], [Trip::VanishedConcepts { .. }]));
    assert_eq!(
        (all.summary.drift, all.summary.conflicts),
        (Some(2), Some(0))
    );
}

#[test]
fn fail_stops_a_plan_that_would_revert_anything_and_no_other() {
    let seen = observed(&[boxed("a", "x", HERE, &["car", "tree"])]);
    let (before, now) = (desired(&a(&[CAR])), desired(&a(&[CAR])));
    let trip = Trip::Drift { count: 1 };
    let mut guarded = try_against(&before, &now, &seen, OnDrift::Fail).guards;
    guarded.retain(|it| !matches!(it, Trip::VanishedConcepts { .. }));
    assert_eq!(guarded, std::slice::from_ref(&trip));
    assert!(!trip.is_passed_by(&Allowances::default()));
    assert!(trip.is_passed_by(&Allowances {
        drift: Drift::Passes,
        ..Allowances::default()
    }));
    let meant = try_against(
        &desired(&a(&[&format!("{BOX}, concepts: [car, tree]")])),
        &now,
        &seen,
        OnDrift::Fail,
    );
    assert!(!meant.guards.contains(&trip) && !meant.is_empty());
}

#[test]
fn what_the_base_cannot_do_now_makes_everything_on_that_input_a_conflict_and_is_said() {
    // Somebody else's annotation, which its owner changed since: a collaborator cannot bring it back.
    let before = desired(&a(&[
        "id: theirs, concepts: [car]",
        "key: k, concepts: [night]",
    ]));
    let now = desired(&a(&["key: k, concepts: [rain]"]));
    let mut remote = Remote::default();
    remote.apply(&plan(
        &desired(&a(&["key: k, concepts: [night]"])),
        &remote.observed(),
    ));
    let theirs = with(boxed("a", "theirs", FAR, &["bus"]), "user_id", json!("ann"));
    remote.annotations.push(theirs);
    let seen = observed_by(ME, "owner", &remote.annotations);
    let plan = try_against(&before, &now, &seen, OnDrift::Apply);
    assert_eq!(plan.operations.len(), 1);
    assert_eq!(plan.operations[0].cause, Some(Cause::Conflict));
    let [said] = &plan.blind_spots[..] else {
        panic!("{:?}", plan.blind_spots);
    };
    assert!(
        said.contains("since main") && said.contains("`theirs`"),
        "{said}"
    );
}

#[test]
fn what_an_earlier_run_left_is_repaired_and_never_kept() {
    let before = desired(&a(&[&format!("key: k, {CAR}")]));
    let now = desired(&a(&[&format!("key: k, {CAR}, user: bea")]));
    let mut remote = Remote::default();
    remote.apply(&plan(&before, &remote.observed()));
    let replacing = plan(&now, &remote.observed());
    assert_eq!(replacing.operations[0].action, Action::Replace);
    for steps in 1..4 {
        let mut remote = remote.clone();
        remote.apply_some(&replacing, steps);
        let plan = try_against(&before, &now, &remote.observed(), OnDrift::Keep);
        assert!(plan.kept.is_empty(), "after {steps}: {:#?}", plan.kept);
        remote.apply(&plan);
        let after = crate::support::plan(&now, &remote.observed());
        assert!(after.is_empty(), "after {steps}");
    }
}

/// What a person changes in a plan file to have drift reverted without a word, or the other way round.
#[test]
fn a_plan_file_whose_causes_do_not_hang_together_is_refused() {
    let seen = observed(&[
        boxed("a", "x", HERE, &["car", "tree"]),
        whole("a", "w", &[("night", 1.0)]),
    ]);
    let before = desired(&a(&[CAR, "concepts: [night]"]));
    let now = desired(&a(&[CAR, "concepts: [night, rain]"]));
    let read = |plan: &Value| plan::read(&plan.to_string());
    let refused = |on_drift, change: &dyn Fn(&mut Value)| {
        let plan = try_against(&before, &now, &seen, on_drift);
        let mut plan: Value = serde_json::from_str(&render::json(&plan)).unwrap();
        read(&plan).unwrap();
        change(&mut plan);
        match read(&plan) {
            Err(error) => assert!(
                error.to_string().contains("the plan was altered"),
                "{error}"
            ),
            Ok(_) => panic!("accepted: {plan:#}"),
        }
    };
    let keep = |change: &dyn Fn(&mut Value)| refused(OnDrift::Keep, change);
    let all = |change: &dyn Fn(&mut Value)| refused(OnDrift::Apply, change);
    keep(&|plan| plan["kept"][0]["body"] = json!({"id": "x", "input_id": "a"}));
    keep(&|plan| plan["kept"][0]["cause"] = json!("intended"));
    keep(&|plan| plan["kept"] = json!([]));
    keep(&|plan| plan["summary"]["held_back"]["drift"] = json!(2));
    keep(&|plan| {
        plan.as_object_mut().unwrap().remove("base");
    });
    keep(&|plan| {
        let twice = plan["kept"][0].clone();
        plan["kept"].as_array_mut().unwrap().push(twice);
        plan["summary"]["held_back"]["drift"] = json!(2);
    });
    keep(&|plan| plan["kept"][0]["id"] = json!("w"));
    keep(&|plan| plan["guards"] = json!([{"guard": "drift", "count": 1}]));
    all(&|plan| {
        plan.as_object_mut().unwrap().remove("base");
    });
    all(&|plan| {
        plan["operations"][0]
            .as_object_mut()
            .unwrap()
            .remove("cause");
    });
    all(&|plan| {
        for operation in plan["operations"].as_array_mut().unwrap() {
            operation["cause"] = json!("intended");
        }
    });
    all(&|plan| plan["summary"]["conflicts"] = json!(1));
    all(&|plan| {
        plan["summary"].as_object_mut().unwrap().remove("drift");
    });
}

fn is_repair(operation: &plan::Operation) -> bool {
    matches!(operation.reason, Reason::LeftBehind | Reason::Unfinished)
}

fn without_causes(mut plan: Plan) -> Plan {
    plan.base = None;
    (plan.summary.drift, plan.summary.conflicts) = (None, None);
    plan.operations.iter_mut().for_each(|it| it.cause = None);
    plan.purges.iter_mut().for_each(|it| it.cause = None);
    plan
}

proptest! {
    #[test]
    fn a_base_changes_nothing_but_what_is_said((before, now) in (declarations(), declarations()), remote in remotes()) {
        let observed = remote.observed();
        let told = try_against(&before, &now, &observed, OnDrift::Apply);
        prop_assert_eq!(without_causes(told), plan(&now, &observed));
    }

    #[test]
    fn where_the_manifest_did_not_change_every_write_is_drift(now in declarations(), remote in remotes()) {
        let told = try_against(&now, &now, &remote.observed(), OnDrift::Apply);
        for operation in &told.operations {
            prop_assert_eq!(operation.cause, Some(Cause::Drift), "{:#?}", operation);
        }
        let kept = try_against(&now, &now, &remote.observed(), OnDrift::Keep);
        prop_assert!(kept.is_empty() && kept.batches.is_empty());
        prop_assert_eq!(kept.kept.len(), told.operations.len());
    }

    #[test]
    fn where_the_remote_did_not_change_every_write_is_meant((before, now) in (declarations(), declarations()), mut remote in remotes()) {
        remote.apply(&plan(&before, &remote.observed()));
        let told = try_against(&before, &now, &remote.observed(), OnDrift::Apply);
        for operation in &told.operations {
            prop_assert_eq!(operation.cause, Some(Cause::Intended), "{:#?}", operation);
        }
    }

    #[test]
    fn what_is_kept_stays_byte_for_byte_and_the_rest_is_made(
        (before, now) in (declarations(), declarations()), mut remote in remotes(), edits in proptest::collection::vec((0_usize..12, 0_usize..4), 0..4)
    ) {
        remote.apply(&plan(&before, &remote.observed()));
        for (turn, (at, edit)) in edits.into_iter().enumerate() {
            edit_by_hand(&mut remote, turn, at, edit);
        }
        let observed = remote.observed();
        let whole = try_against(&before, &now, &observed, OnDrift::Apply);
        let kept = try_against(&before, &now, &observed, OnDrift::Keep);
        // Nothing is lost between the two lists, and nothing that somebody did is written.
        prop_assert_eq!(kept.operations.len() + kept.kept.len(), whole.operations.len());
        prop_assert!(kept.operations.iter().all(|it| it.cause == Some(Cause::Intended) || is_repair(it)));
        let stays: Vec<Value> = remote.annotations.iter()
            .filter(|it| kept.kept.iter().any(|kept| it["id"] == kept.id.as_str() && it["input_id"] == kept.input_id.as_str()))
            .cloned().collect();
        let count = remote.annotations.len();
        remote.apply(&kept);
        for annotation in stays {
            prop_assert!(remote.annotations.contains(&annotation), "{annotation:#}");
        }
        let made = kept.summary.post as usize;
        prop_assert_eq!(remote.annotations.len(), count + made - kept.summary.delete as usize);
        for operation in &kept.operations {
            let there = remote.annotations.iter().any(|it| it["id"] == operation.id.as_str());
            prop_assert_eq!(there, operation.action != Action::Delete);
        }
    }

    #[test]
    fn what_somebody_added_changed_or_deleted_is_never_written_as_if_that_was_meant(
        (before, now) in (declarations(), declarations()), mut remote in remotes(), at in 0_usize..12, edit in 0_usize..4
    ) {
        remote.apply(&plan(&before, &remote.observed()));
        let Some(edited) = edit_by_hand(&mut remote, 0, at, edit) else { return Ok(()); };
        // What the base does not manage of an annotation is not the base's to know.
        let back = plan(&before, &remote.observed());
        let told = try_against(&before, &now, &remote.observed(), OnDrift::Apply);
        for operation in told.operations.iter().filter(|it| edited == it.id.as_str() && it.input_id.as_str() == "a") {
            // What was deleted is made again under the name that a declaration gives it, or as what nobody knows.
            let is_known = match operation.action {
                Action::Post => back.operations.iter().any(|it| it.id == operation.id),
                _ => !back.is_empty(),
            };
            prop_assert!(!is_known || operation.cause != Some(Cause::Intended), "{:#?}", operation);
        }
    }
}

/// Somebody works on the input `a`: relabels, moves, deletes, or adds one; which was touched, if any.
fn edit_by_hand(remote: &mut Remote, turn: usize, at: usize, edit: usize) -> Option<String> {
    let mine: Vec<usize> = (0..remote.annotations.len())
        .filter(|&at| {
            let it = &remote.annotations[at];
            it["user_id"] == ME
                && it["input_id"] == "a"
                && it["model_version_id"].is_null()
                && it["input_level"].is_null()
        })
        .collect();
    if edit == 3 || mine.is_empty() {
        let id = format!("added-{turn}");
        let edges = [NEAR, FAR, HERE][at % 3];
        remote.annotations.push(with(
            boxed("a", &id, edges, &["car"]),
            "created_at",
            // Of two that are equal the earlier one is the one that was there.
            json!("2026-03-01T00:00:00Z"),
        ));
        return Some(id);
    }
    let at = mine[at % mine.len()];
    let id = remote.annotations[at]["id"].as_str().unwrap().to_owned();
    let data = &mut remote.annotations[at]["data"];
    match edit {
        0 => {
            remote.annotations.remove(at);
        }
        1 => {
            let concepts = json!([{"id": "tree", "value": 1}]);
            let holder = ["/frames/0/data/regions/0/data", "/regions/0/data", ""]
                .into_iter()
                .find(|path| data.pointer(path).is_some())
                .unwrap();
            data.pointer_mut(holder).unwrap()["concepts"] = concepts;
        }
        _ => {
            let place = data.pointer_mut("/regions/0/region_info/bounding_box")?;
            place["top_row"] = json!(0.05);
        }
    }
    Some(id)
}
