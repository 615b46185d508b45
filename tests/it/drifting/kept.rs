//! Changes of the app, which are kept by default.

use super::{
    BUS, CAR, FAR, FAR_CAR, HERE, KEEP, NEAR, REVERT, a, added, against, car, causes, changed, kept,
};
use crate::support::{boxed, desired, observed, whole, with};
use annosync::model::{GuardLimit, Guards};
use annosync::plan::{
    Action, Allowances, AppChangeKind, Cause, Decision, Drift, OnConflict, OnDrift, TrippedGuard,
};
use serde_json::json;

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
