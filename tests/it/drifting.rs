//! Plans against a base: changes of the manifest are written, changes in the app are reported and kept.

use crate::laws::{declarations, remotes};
use crate::support::{
    ME, Remote, boxed, context, desired, manifest_of, observed, plan, purging, whole, with,
};
use annosync::model::{DesiredState, GuardLimit, Guards, ObservedState};
use annosync::plan::{
    self, Action, Allowances, AppChangeKind, Base, Cause, Decision, Drift, OnConflict, OnDrift,
    Plan, PlanBase, Reason, TrippedGuard,
};
use annosync::render;
use proptest::prelude::*;
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
    (on_drift, on_conflict): (OnDrift, OnConflict),
) -> Plan {
    let against = PlanBase {
        desired: base_state,
        base: base(),
        on_drift,
        on_conflict,
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
fn a_field_that_both_sides_changed_is_a_conflict_and_is_not_written() {
    let key = |text: &str| format!("key: k, {text}");
    let mut remote = Remote::default();
    let before = desired(&a(&[&key(CAR)]));
    remote.apply(&plan(&before, &remote.observed()));
    remote.annotations[0]["data"]["regions"][0]["region_info"]["bounding_box"]["top_row"] =
        json!(0.05);
    // The geometry conflicts, and the concept that the manifest adds does not.
    let now = key("box: { top: 0.12, left: 0.1, bottom: 0.3, right: 0.3 }, concepts: [car, red]");
    let now = desired(&a(&[&now]));
    let id = remote.annotations[0]["id"].as_str().unwrap().to_owned();
    let plan = against(&before, &now, &remote.observed(), KEEP);
    assert_eq!(drift(&plan), changed(&id, "!geometry"));
    assert!(plan.has_undecided_conflicts());
    let field = &plan.drift[0].fields[0];
    let top = |value: &Option<Value>| value.as_ref().unwrap()["box"]["top"].clone();
    assert_eq!(
        [top(&field.base), top(&field.manifest), top(&field.app)],
        [0.1, 0.12, 0.05]
    );
    assert_eq!(
        (plan.summary.conflicts, plan.summary.undecided),
        (Some(1), 1)
    );
    assert_eq!(plan.operations[0].action(), Action::Merge);
    let written = |on_conflict| {
        let mut remote = remote.clone();
        let plan = against(
            &before,
            &now,
            &remote.observed(),
            (OnDrift::Keep, on_conflict),
        );
        assert_eq!(
            plan.has_undecided_conflicts(),
            on_conflict == OnConflict::Leave
        );
        remote.apply(&plan);
        let region = &remote.annotations[0]["data"]["regions"][0];
        assert_eq!(region["data"]["concepts"].as_array().unwrap().len(), 2);
        (
            region["region_info"]["bounding_box"]["top_row"].clone(),
            plan.operations[0].cause,
        )
    };
    assert_eq!(
        written(OnConflict::Leave),
        (json!(0.05), Some(Cause::Intended))
    );
    assert_eq!(
        written(OnConflict::App),
        (json!(0.05), Some(Cause::Intended))
    );
    assert_eq!(
        written(OnConflict::Manifest),
        (json!(0.12), Some(Cause::Conflict))
    );
}

#[test]
fn two_relabellings_of_one_concept_are_a_conflict_and_never_both_written() {
    let tree = [boxed("a", "x", HERE, &["tree"])];
    assert_eq!(
        kept(&[CAR], &[BUS], &tree),
        (0, changed("x", "!concepts.bus !concepts.tree"))
    );
    // The same relabelling on both sides needs no write.
    let bus = [boxed("a", "x", HERE, &["bus"])];
    assert_eq!(kept(&[CAR], &[BUS], &bus), (0, Vec::new()));
    // The app changed the value of the concept that the manifest replaces.
    let mut unsure = car("x", HERE);
    unsure["data"]["regions"][0]["data"]["concepts"][0]["value"] = json!(0.5);
    let both = changed("x", "!concepts.bus !concepts.car");
    assert_eq!(kept(&[CAR], &[BUS], &[unsure]), (0, both));
    // The app added a concept, which is not a relabelling.
    let two = [boxed("a", "x", HERE, &["car", "red"])];
    assert_eq!(
        kept(&[CAR], &[BUS], &two),
        (1, changed("x", "concepts.red"))
    );
}

#[test]
fn changes_in_the_app_are_drift_and_are_kept() {
    let seen = [boxed("a", "x", HERE, &["tree"])];
    assert_eq!(
        kept(&[CAR], &[CAR], &seen),
        (0, changed("x", "concepts.car concepts.tree"))
    );
    assert_eq!(
        causes(&[CAR], &[CAR], &seen),
        [(Action::Overwrite, Cause::Drift)]
    );
    // Removed from the manifest, changed in the app.
    assert_eq!(
        kept(&[CAR], &[], &seen),
        (0, changed("x", "!concepts.car !concepts.tree"))
    );
    assert_eq!(
        causes(&[CAR], &[], &seen),
        [(Action::Delete, Cause::Conflict)]
    );
    assert_eq!(
        kept(&[CAR], &[CAR], &[car("x", NEAR)]),
        (0, changed("x", "geometry"))
    );
    // A field that the manifest does not declare any more is reported, but not written.
    let pending = [with(car("x", HERE), "status", json!({"code": 24151}))];
    let declared = format!("{CAR}, status: success");
    assert_eq!(
        kept(&[&declared], &[CAR], &pending),
        (0, changed("x", "status"))
    );
}

#[test]
fn added_annotations_are_drift_and_not_deleted_by_default() {
    let mine = car("new", FAR);
    assert_eq!(
        kept(&[CAR], &[CAR], &[car("x", HERE), mine.clone()]),
        (0, added("new"))
    );
    assert_eq!(
        causes(&[CAR], &[CAR], &[car("x", HERE), mine.clone()]),
        [(Action::Delete, Cause::Drift)]
    );
    // Also of a user outside `owners`, whose annotations are never written.
    let theirs = with(
        with(mine.clone(), "user_id", json!("ann")),
        "modified_at",
        json!("2026-03-01T00:00:00Z"),
    );
    let seen = [car("x", HERE), theirs];
    assert_eq!(kept(&[CAR], &[CAR], &seen), (0, added("new")));
    let all = against(
        &desired(&a(&[CAR])),
        &desired(&a(&[CAR])),
        &observed(&seen),
        REVERT,
    );
    assert!(all.is_empty());
    assert_eq!(all.drift[0].decision, Decision::Kept);
    let by = all.drift[0].seen.as_ref().unwrap();
    assert_eq!(by.user.as_ref().unwrap().as_str(), "ann");
    assert_eq!(by.modified_at.as_deref(), Some("2026-03-01T00:00:00Z"));
    // Annotations that were not added in the app are not drift.
    for nobodys in [
        with(mine.clone(), "model_version_id", json!("v1")),
        with(mine.clone(), "input_level", json!(true)),
        with(
            mine.clone(),
            "id",
            json!("as-00000000-0123456789abcdef0123"),
        ),
        with(mine.clone(), "input_id", json!("elsewhere")),
    ] {
        assert_eq!(
            kept(&[CAR], &[CAR], &[car("x", HERE), nobodys]),
            (0, Vec::new())
        );
    }
}

#[test]
fn annotations_added_on_both_sides_conflict_by_field_unless_named_by_id() {
    let near = "box: { top: 0.6, left: 0.6, bottom: 0.9, right: 0.88 }, concepts: [car]";
    let seen = [car("x", HERE), car("new", FAR)];
    let both = vec![(
        AppChangeKind::Added,
        "new".to_owned(),
        "!geometry".to_owned(),
    )];
    assert_eq!(kept(&[CAR], &[CAR, near], &seen), (0, both));
    assert_eq!(kept(&[CAR], &[CAR, FAR_CAR], &seen), (0, Vec::new()));
    // An author who declares it by its id knows it.
    let named = "id: new, concepts: [bus]";
    assert_eq!(kept(&[CAR], &[CAR, named], &seen), (1, Vec::new()));
    // On an input that the base does not declare, it is unknown when it was made.
    let other = desired("  - id: b\n    annotations: []\n");
    assert_eq!(
        causes_of(&other, &desired(&a(&[CAR])), &seen),
        [(Action::Delete, Cause::Drift)]
    );
    assert_eq!(
        causes_of(&other, &desired(&a(&[BUS])), &seen[..1]),
        [(Action::Overwrite, Cause::Conflict)]
    );
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
fn deleted_annotations_are_not_posted_again_by_default() {
    let is_deleted = |(writes, drift): (usize, Vec<(AppChangeKind, String, String)>)| {
        assert_eq!((writes, drift.len()), (0, 1), "{drift:?}");
        assert_eq!(drift[0].0, AppChangeKind::Deleted);
    };
    is_deleted(kept(&[CAR], &[CAR], &[]));
    assert_eq!(causes(&[CAR], &[CAR], &[]), [(Action::Post, Cause::Drift)]);
    let keyed = |it: &str| format!("key: k, {it}");
    is_deleted(kept(&[&keyed(CAR)], &[&keyed(BUS)], &[]));
    assert_eq!(
        causes(&[&keyed(CAR)], &[&keyed(BUS)], &[]),
        [(Action::Post, Cause::Conflict)]
    );
    // Without a key a changed declaration has another id; it is matched by content.
    is_deleted(kept(&[CAR], &[BUS], &[]));
    assert_eq!(
        causes(&[CAR], &[BUS], &[]),
        [(Action::Post, Cause::Conflict)]
    );
    is_deleted(kept(&[&keyed(CAR)], &[CAR], &[]));
    let (writes, drift) = kept(&[CAR], &[CAR, FAR_CAR], &[]);
    assert_eq!((writes, drift.len()), (1, 1));
    // Deleted on both sides.
    assert_eq!(kept(&[CAR], &[], &[]), (0, Vec::new()));
}

#[test]
fn an_annotation_that_moved_too_far_counts_as_deleted_and_added() {
    let (writes, drift) = kept(&[CAR], &[CAR], &[car("x", FAR)]);
    let kinds: Vec<AppChangeKind> = drift.iter().map(|it| it.0).collect();
    assert_eq!(
        (writes, kinds),
        (0, vec![AppChangeKind::Added, AppChangeKind::Deleted])
    );
    // The app did not change: the manifest moved it beyond the matching distance.
    assert_eq!(
        causes(&[CAR], &[FAR_CAR], &[car("x", HERE)]),
        [
            (Action::Delete, Cause::Intended),
            (Action::Post, Cause::Intended)
        ]
    );
    // The app and the manifest moved it differently: a conflict in one field, and no second annotation.
    let left = "box: { top: 0.1, left: 0.16, bottom: 0.3, right: 0.36 }, concepts: [car]";
    let right = [0.16, 0.1, 0.36, 0.3];
    assert_eq!(
        kept(&[CAR], &[left], &[car("x", right)]),
        (0, changed("x", "!geometry"))
    );
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
fn kept_annotations_are_neither_counted_packed_nor_guarded() {
    let seen = [
        boxed("a", "x", HERE, &["tree"]),
        car("new", FAR),
        whole("a", "w", &[("night", 1.0)]),
    ];
    let before = desired(&a(&[CAR, "concepts: [night]"]));
    let mut now = desired(&a(&[CAR, "concepts: [night, rain]"]));
    now.guards = Guards {
        min_existing: 1,
        max_deletes: GuardLimit::Percent(100),
        max_updates: GuardLimit::Percent(100),
        ..Guards::default()
    };
    let plan = against(&before, &now, &observed(&seen), KEEP);
    let [made] = &plan.operations[..] else {
        panic!("{:#?}", plan.operations);
    };
    assert_eq!((made.id.as_str(), made.cause), ("w", Some(Cause::Intended)));
    let summary = &plan.summary;
    assert_eq!((summary.actions.merge, summary.actions.total()), (1, 1));
    assert_eq!(
        (summary.drift, summary.conflicts, summary.held_back.drift),
        (Some(2), Some(0), 2)
    );
    assert_eq!(
        (
            summary.drift_added,
            summary.drift_changed,
            summary.drift_deleted
        ),
        (1, 1, 0)
    );
    assert_eq!((summary.calls, summary.unmanaged), (1, 0));
    // `tree` would vanish from the app, but is kept.
    assert_eq!(plan.guards, []);
    let all = against(&before, &now, &observed(&seen), REVERT);
    assert!(matches!(
        all.guards[..],
        [TrippedGuard::VanishedConcepts { .. }]
    ));
    assert_eq!((all.summary.drift, all.summary.reverted), (Some(2), 2));
}

#[test]
fn on_drift_fail_stops_a_plan_only_if_the_app_was_changed() {
    let fail = (OnDrift::Fail, OnConflict::Leave);
    let trip = TrippedGuard::Drift {
        count: 1,
        reverted: 0,
    };
    let same = desired(&a(&[CAR]));
    for seen in [
        vec![boxed("a", "x", HERE, &["car", "tree"])],
        vec![
            car("x", HERE),
            with(car("ann-s", FAR), "user_id", json!("ann")),
        ],
        vec![],
    ] {
        let plan = against(&same, &same, &observed(&seen), fail);
        assert!(plan.is_empty());
        assert_eq!(plan.guards, std::slice::from_ref(&trip));
    }
    assert!(!trip.is_passed_by(&Allowances::default()));
    let passes = |trip: &TrippedGuard, drift| {
        trip.is_passed_by(&Allowances {
            drift,
            ..Allowances::default()
        })
    };
    assert!(passes(&trip, Drift::Keep) && !passes(&trip, Drift::Revert));
    let reverting = TrippedGuard::Drift {
        count: 1,
        reverted: 1,
    };
    assert!(passes(&reverting, Drift::Revert) && !passes(&reverting, Drift::Keep));
    assert_eq!(reverting.flag(), "--on-drift apply");
    let now = desired(&a(&[BUS]));
    let meant = against(&same, &now, &observed(&[car("x", HERE)]), fail);
    assert!(!meant.guards.contains(&trip) && !meant.is_empty());
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

/// Changes to a plan file that would hide that drift is reverted, or the reverse.
#[test]
fn a_plan_file_with_inconsistent_drift_is_refused() {
    let seen = observed(&[
        boxed("a", "x", HERE, &["car", "tree"]),
        whole("a", "w", &[("night", 1.0)]),
    ]);
    let before = desired(&a(&[CAR, "concepts: [night]"]));
    let now = desired(&a(&[CAR, "concepts: [night, rain]"]));
    let read = |plan: &Value| plan::read(&plan.to_string());
    let refused = |decided, change: &dyn Fn(&mut Value)| {
        let plan = against(&before, &now, &seen, decided);
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
    let keep = |change: &dyn Fn(&mut Value)| refused(KEEP, change);
    let all = |change: &dyn Fn(&mut Value)| refused(REVERT, change);
    keep(&|plan| plan["drift"][0]["decision"] = json!("reverted"));
    keep(&|plan| plan["drift"] = json!([]));
    keep(&|plan| plan["summary"]["held_back"]["drift"] = json!(2));
    keep(&|plan| {
        plan.as_object_mut().unwrap().remove("base");
    });
    keep(&|plan| {
        let twice = plan["drift"][0].clone();
        plan["drift"].as_array_mut().unwrap().push(twice);
        for count in ["drift", "drift_changed"] {
            plan["summary"][count] = json!(2);
        }
        plan["summary"]["held_back"]["drift"] = json!(2);
    });
    keep(&|plan| plan["operations"][0]["cause"] = json!("drift"));
    keep(&|plan| plan["guards"] = json!([{"guard": "drift", "count": 2}]));
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
    all(&|plan| plan["drift"][0]["decision"] = json!("kept"));
    all(&|plan| plan["summary"]["conflicts"] = json!(1));
    all(&|plan| {
        plan["summary"].as_object_mut().unwrap().remove("drift");
    });
}

proptest! {
    #[test]
    fn an_unchanged_manifest_writes_nothing_and_reports_every_difference(
        now in declarations(), remote in remotes()
    ) {
        let observed = remote.observed();
        let kept = against(&now, &now, &observed, KEEP);
        prop_assert!(kept.is_empty() && kept.batches.is_empty());
        prop_assert_eq!(kept.summary.conflicts, Some(0));
        if !plan(&now, &observed).is_empty() {
            prop_assert!(!kept.drift.is_empty());
        }
        let reverted = against(&now, &now, &observed, REVERT);
        for operation in &reverted.operations {
            prop_assert_eq!(operation.cause, Some(Cause::Drift), "{:#?}", operation);
        }
        // The reverted annotations are those that a plan without a base would write.
        let ids = |plan: &Plan| plan.operations.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
        prop_assert_eq!(ids(&reverted), ids(&plan(&now, &observed)));
    }

    #[test]
    fn if_the_app_is_unchanged_every_write_is_intended_and_the_result_equals_the_manifest(
        (before, now) in (declarations(), declarations()), mut remote in remotes()
    ) {
        remote.apply(&plan(&before, &remote.observed()));
        let told = against(&before, &now, &remote.observed(), KEEP);
        for operation in &told.operations {
            prop_assert_eq!(operation.cause, Some(Cause::Intended), "{:#?}", operation);
        }
        // There are annotations of others on the input, and those of the base are unchanged.
        prop_assert!(told.drift.iter().all(|it| it.kind == AppChangeKind::Added), "{:#?}", told.drift);
        remote.apply(&told);
        let left = plan(&now, &remote.observed());
        let theirs: Vec<_> = told.drift.iter().map(|it| it.id.clone()).collect();
        prop_assert!(left.operations.iter().all(|it| theirs.contains(&it.id)), "{:#?}", left.operations);
    }

    #[test]
    fn with_everything_reverted_the_app_equals_the_manifest(
        (before, now) in (declarations(), declarations()), mut remote in remotes(), edits in edits()
    ) {
        remote.apply(&plan(&before, &remote.observed()));
        edit_all(&mut remote, edits);
        remote.apply(&against(&before, &now, &remote.observed(), REVERT));
        let left = plan(&now, &remote.observed());
        prop_assert!(left.is_empty(), "{:#?}", left.operations);
    }

    #[test]
    fn kept_annotations_stay_byte_for_byte(
        (before, now) in (declarations(), declarations()), mut remote in remotes(), edits in edits()
    ) {
        remote.apply(&plan(&before, &remote.observed()));
        edit_all(&mut remote, edits);
        let kept = against(&before, &now, &remote.observed(), KEEP);
        prop_assert!(kept.operations.iter().all(|it| it.cause == Some(Cause::Intended)));
        let written: Vec<_> = kept.operations.iter().map(|it| it.id.clone()).collect();
        let is_left = |it: &Value| kept.drift.iter().any(|left| it["id"] == left.id.as_str() && !written.contains(&left.id));
        let stays: Vec<Value> = remote.annotations.iter().filter(|it| is_left(it)).cloned().collect();
        remote.apply(&kept);
        for annotation in stays {
            prop_assert!(remote.annotations.contains(&annotation), "{annotation:#}");
        }
    }
}

fn edits() -> impl Strategy<Value = Vec<(usize, usize)>> {
    proptest::collection::vec((0_usize..12, 0_usize..4), 0..4)
}

fn edit_all(remote: &mut Remote, edits: Vec<(usize, usize)>) {
    for (turn, (at, edit)) in edits.into_iter().enumerate() {
        edit_by_hand(remote, turn, at, edit);
    }
}

/// Relabels, moves, deletes or adds an annotation of input `a` in the app; returns its id, if any.
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
            // Of two equal annotations, the earlier one already existed.
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
