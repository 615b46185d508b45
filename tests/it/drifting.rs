//! Plans against a base: changes of the manifest are written, changes in the app are reported and kept.

mod altered;
mod by_hand;
mod conflicts;
mod kept;

use crate::support::{Remote, boxed, context, desired, manifest_of, observed, plan, purging, with};
use annosync::model::{DesiredState, ObservedState};
use annosync::plan::{
    self, Action, AppChangeKind, Base, Cause, Coverage, Decision, OnConflict, OnDrift, Plan,
    PlanBase, Reason,
};
use annosync::render;
use serde_json::{Value, json};

const HERE: [f64; 4] = [0.1, 0.1, 0.3, 0.3];

const BOX: &str = "box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.3 }";

const NEAR: [f64; 4] = [0.12, 0.1, 0.32, 0.3];

const FAR: [f64; 4] = [0.6, 0.6, 0.9, 0.9];

pub(crate) fn base() -> Base {
    Base {
        revision: "main".into(),
        commit: "c".repeat(40),
        manifest_hash: "b".repeat(64),
    }
}

pub(crate) fn against(
    base_state: &DesiredState,
    desired: &DesiredState,
    observed: &ObservedState,
    picks: (OnDrift, OnConflict),
) -> Plan {
    covering(base_state, desired, observed, picks, Coverage::Declared)
}

fn covering(
    base_state: &DesiredState,
    desired: &DesiredState,
    observed: &ObservedState,
    (on_drift, on_conflict): (OnDrift, OnConflict),
    coverage: Coverage,
) -> Plan {
    let against = PlanBase {
        desired: base_state,
        base: base(),
        on_drift,
        on_conflict,
        coverage,
    };
    let plan = plan::plan_against(desired, observed, &context(), &against)
        .unwrap_or_else(|errors| panic!("{errors:#?}"));
    // Every plan can be saved and read back.
    assert_eq!(
        plan::read(&render::json(&plan)).unwrap(),
        Some(plan.clone())
    );
    plan
}

const KEEP: (OnDrift, OnConflict) = (OnDrift::Keep, OnConflict::Leave);

const REVERT: (OnDrift, OnConflict) = (OnDrift::Apply, OnConflict::Manifest);

/// One input `a` that declares these annotations.
fn a(annotations: &[&str]) -> String {
    if annotations.is_empty() {
        return "  - id: a\n    annotations: []\n".into();
    }
    let items = annotations.iter().map(|it| format!("      - {{ {it} }}\n"));
    format!("  - id: a\n    annotations:\n{}", items.collect::<String>())
}

/// The writes as (action, cause) of a plan that reverts everything, from two lists of annotations of one input.
fn causes(before: &[&str], now: &[&str], seen: &[Value]) -> Vec<(Action, Cause)> {
    causes_of(&desired(&a(before)), &desired(&a(now)), seen)
}

fn causes_of(before: &DesiredState, now: &DesiredState, seen: &[Value]) -> Vec<(Action, Cause)> {
    let plan = against(before, now, &observed(seen), REVERT);
    let told = |it: &plan::Operation| (it.action(), it.cause.unwrap());
    plan.operations.iter().map(told).collect()
}

/// The changes in the app as (kind, id, fields); conflicting fields have a `!`.
fn drift(plan: &Plan) -> Vec<(AppChangeKind, String, String)> {
    let field = |it: &plan::FieldChange| {
        let mark = if it.conflict { "!" } else { "" };
        format!("{mark}{}", it.field)
    };
    let told = |it: &plan::AppChange| {
        let fields: Vec<String> = it.fields.iter().map(field).collect();
        (it.kind, it.id.to_string(), fields.join(" "))
    };
    plan.drift.iter().map(told).collect()
}

/// The same if nothing is reverted, with the number of writes.
fn kept(
    before: &[&str],
    now: &[&str],
    seen: &[Value],
) -> (usize, Vec<(AppChangeKind, String, String)>) {
    let plan = against(
        &desired(&a(before)),
        &desired(&a(now)),
        &observed(seen),
        KEEP,
    );
    (plan.operations.len(), drift(&plan))
}

fn changed(id: &str, fields: &str) -> Vec<(AppChangeKind, String, String)> {
    vec![(AppChangeKind::Changed, id.to_owned(), fields.to_owned())]
}

fn added(id: &str) -> Vec<(AppChangeKind, String, String)> {
    vec![(AppChangeKind::Added, id.to_owned(), String::new())]
}

fn car(id: &str, edges: [f64; 4]) -> Value {
    boxed("a", id, edges, &["car"])
}

const CAR: &str = "box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.3 }, concepts: [car]";

const BUS: &str = "box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.3 }, concepts: [bus]";

const FAR_CAR: &str = "box: { top: 0.6, left: 0.6, bottom: 0.9, right: 0.9 }, concepts: [car]";

#[test]
fn a_change_is_intended_if_the_app_is_unchanged_since_the_base() {
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
    // A field that the base does not declare cannot drift.
    let pending = [with(car("x", HERE), "status", json!({"code": 24151}))];
    assert_eq!(
        causes(&[CAR], &[&format!("{CAR}, status: success")], &pending),
        [(Action::Merge, Cause::Intended)]
    );
}

#[test]
fn each_side_keeps_the_fields_that_it_changed() {
    // Moved in the app, relabelled in the manifest: without a key the two are paired only through the base.
    let moved = [0.15, 0.1, 0.35, 0.3];
    let mut remote = Remote::new(vec![car("x", moved)]);
    let (before, now) = (desired(&a(&[CAR])), desired(&a(&[BUS])));
    let plan = against(&before, &now, &remote.observed(), KEEP);
    assert_eq!(drift(&plan), changed("x", "geometry"));
    assert_eq!(plan.drift[0].decision, Decision::Kept);
    remote.apply(&plan);
    let region = &remote.annotations[0]["data"]["regions"][0];
    assert_eq!(region["region_info"]["bounding_box"]["top_row"], 0.15);
    assert_eq!(region["data"]["concepts"][0]["id"], "bus");
    assert!(against(&before, &now, &remote.observed(), KEEP).is_empty());
    assert!(against(&now, &now, &remote.observed(), KEEP).is_empty());

    // Concepts and keys are merged one by one, like the other fields.
    let before = format!(
        "key: k, {BOX}, concepts: {{ car: 1, bus: 1 }}, metadata: {{ w: rain, d: {{ x: 1, y: 1 }} }}, status: pending"
    );
    let now = before.replace("bus: 1", "bus: 0.5").replace("x: 1", "x: 2");
    let mut remote = Remote::default();
    remote.apply(&crate::support::plan(
        &desired(&a(&[&before])),
        &remote.observed(),
    ));
    let edited = &mut remote.annotations[0];
    edited["data"]["regions"][0]["data"]["concepts"] =
        json!([{"id": "bus", "value": 1}, {"id": "tree", "value": 1}]);
    edited["data"]["metadata"] = json!({"w": "sun", "d": {"x": 1, "y": 2}});
    edited["status"] = json!({"code": 24150});
    let (before, now) = (desired(&a(&[&before])), desired(&a(&[&now])));
    let plan = against(&before, &now, &remote.observed(), KEEP);
    let id = remote.annotations[0]["id"].as_str().unwrap().to_owned();
    let fields = "concepts.car concepts.tree status metadata.d.y metadata.w";
    assert_eq!(drift(&plan), changed(&id, fields));
    remote.apply(&plan);
    let data = &remote.annotations[0]["data"];
    assert_eq!(data["metadata"], json!({"w": "sun", "d": {"x": 2, "y": 2}}));
    assert_eq!(
        data["regions"][0]["data"]["concepts"],
        json!([{"id": "bus", "value": 0.5}, {"id": "tree", "value": 1}])
    );
    assert_eq!(remote.annotations[0]["status"]["code"], 24150);
}

#[test]
fn a_removed_input_deletes_annotations_that_are_unchanged_since_the_base() {
    let mut remote = Remote::default();
    let keyed = format!("key: k, {CAR}");
    let before = desired(&a(&[&keyed]));
    remote.apply(&plan(&before, &remote.observed()));
    let now = desired("  - id: b\n    annotations: []\n");
    let reason = |it: &Plan| (it.operations[0].reason(), it.operations[0].cause);
    let made = against(&before, &now, &remote.observed(), KEEP);
    assert_eq!(
        reason(&made),
        (Reason::InputNotDeclared, Some(Cause::Intended))
    );
    remote.annotations[0]["data"]["regions"][0]["data"]["concepts"][0]["id"] = json!("bus");
    assert!(against(&before, &now, &remote.observed(), KEEP).is_empty());
    let made = against(&before, &now, &remote.observed(), REVERT);
    assert_eq!(
        reason(&made),
        (Reason::InputNotDeclared, Some(Cause::Conflict))
    );
    // The base did not declare it, so it was made later.
    assert!(against(&now, &now, &remote.observed(), KEEP).is_empty());
    let made = against(&now, &now, &remote.observed(), REVERT);
    assert_eq!(
        reason(&made),
        (Reason::InputNotDeclared, Some(Cause::Drift))
    );
}

#[test]
fn wider_owners_and_policies_hide_no_drift() {
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
    // Under a policy without deletes, added annotations are drift too.
    let plan = against(&before, &before, &observed(&theirs), REVERT);
    assert!(plan.is_empty());
    assert_eq!(drift(&plan), added("ann-s"));
    assert_eq!((plan.summary.drift, plan.summary.reverted), (Some(1), 0));
}

#[test]
fn a_rename_of_concepts_is_intended_and_keeps_changes_in_the_app() {
    let header = |renamed: &str, concepts: &str| {
        let annotation = format!("{BOX}, concepts: [{concepts}]");
        manifest_of(&format!(
            "version: 1\nset: street\npolicy: sync\n{renamed}inputs:\n{}",
            a(&[&annotation])
        ))
    };
    let before = header("", "car");
    let now = header("renamed: { car: auto }\n", "auto");
    assert_eq!(
        causes_of(&before, &now, &[car("x", HERE)]),
        [(Action::Overwrite, Cause::Intended)]
    );
    let two = [boxed("a", "x", HERE, &["car", "red"])];
    let plan = against(&before, &now, &observed(&two), KEEP);
    assert_eq!(drift(&plan), changed("x", "concepts.red"));
    let mut remote = Remote::new(two.to_vec());
    remote.apply(&plan);
    let concepts = &remote.annotations[0]["data"]["regions"][0]["data"]["concepts"];
    let ids: Vec<&str> = concepts
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["auto", "red"]);
}

#[test]
fn a_purge_is_one_write_with_one_cause() {
    let purged = purging(desired("  - id: z\n    annotations: []\n"), "a");
    let before = desired(&a(&[CAR]));
    let cause = |before: &DesiredState, seen: &[Value]| {
        let plan = against(before, &purged, &observed(seen), REVERT);
        let kept = against(before, &purged, &observed(seen), KEEP);
        assert_eq!(
            kept.purges.is_empty(),
            plan.purges[0].cause.unwrap().reverts()
        );
        assert_eq!(plan.summary.drift, kept.summary.drift);
        (
            plan.purges[0].cause.unwrap(),
            plan.summary.drift.unwrap(),
            plan.summary.reverted,
        )
    };
    let mine = car("x", HERE);
    let by_model = with(car("m", FAR), "model_version_id", json!("v1"));
    let theirs = with(car("ann-s", FAR), "user_id", json!("ann"));
    assert_eq!(
        cause(&before, std::slice::from_ref(&mine)),
        (Cause::Intended, 0, 0)
    );
    assert_eq!(
        cause(&before, &[mine.clone(), by_model.clone()]),
        (Cause::Intended, 0, 0)
    );
    assert_eq!(
        cause(&before, &[mine.clone(), theirs]),
        (Cause::Conflict, 1, 1)
    );
    assert_eq!(
        cause(&before, &[boxed("a", "x", HERE, &["bus"])]),
        (Cause::Conflict, 1, 1)
    );
    assert_eq!(cause(&purged, &[mine, by_model]), (Cause::Drift, 2, 2));
}

#[test]
fn a_removed_purge_does_not_hide_annotations_made_since() {
    let purged = purging(desired("  - id: z\n    annotations: []\n"), "a");
    let now = desired(&a(&["id: x, concepts: [bus]", FAR_CAR]));
    assert_eq!(
        causes_of(&purged, &now, &[car("x", HERE), car("y", HERE)]),
        [
            (Action::Delete, Cause::Drift),
            (Action::Overwrite, Cause::Intended),
            (Action::Post, Cause::Intended)
        ]
    );
}

#[test]
fn stand_ins_of_an_earlier_run_are_repaired_and_are_not_drift() {
    let before = desired(&a(&[&format!("key: k, {CAR}")]));
    let now = desired(&a(&[&format!("key: k, {CAR}, user: bea")]));
    let mut remote = Remote::default();
    remote.apply(&plan(&before, &remote.observed()));
    let replacing = plan(&now, &remote.observed());
    assert_eq!(replacing.operations[0].action(), Action::Replace);
    for steps in 1..4 {
        let mut remote = remote.clone();
        remote.apply_some(&replacing, steps);
        let plan = against(&before, &now, &remote.observed(), KEEP);
        assert!(plan.drift.is_empty(), "after {steps}: {:#?}", plan.drift);
        remote.apply(&plan);
        let after = crate::support::plan(&now, &remote.observed());
        assert!(after.is_empty(), "after {steps}");
    }
}

#[test]
fn unmanaged_annotations_on_declared_inputs_are_counted_by_user() {
    let by = |id: &str, user: &str| with(car(id, FAR), "user_id", json!(user));
    let seen = [
        car("x", HERE),
        by("1", "bea"),
        by("2", "ann"),
        by("3", "bea"),
        with(by("4", "ann"), "input_id", json!("elsewhere")),
        with(by("5", "ann"), "model_version_id", json!("v1")),
    ];
    let plan = plan(&desired(&a(&[CAR])), &observed(&seen));
    let counts: Vec<_> = (plan.summary.unmanaged_users.iter())
        .map(|it| (it.user.as_ref().unwrap().as_str(), it.count))
        .collect();
    assert_eq!(counts, [("ann", 1), ("bea", 2)]);
    let text = render::text(&plan, &render::TextOptions::default());
    let said = "Unmanaged annotations of other people on declared inputs:";
    assert!(text.contains(said) && text.contains("bea"), "{text}");
    let markdown = render::markdown(&plan, &render::MarkdownOptions::default());
    assert!(markdown.contains("| `bea` | 2 |"), "{markdown}");
}
