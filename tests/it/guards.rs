//! Policies and guards: what a plan leaves out, and what stops it.

use crate::decisions::input;
use crate::support::{desired, manifest_of, observed, plan, whole, with};
use annosync::model::GuardLimit;
use annosync::plan::{Action, Rename, TrippedGuard};
use serde_json::{Value, json};

/// The tripped guards of a plan that keeps `kept` of `existing` annotations.
fn guards_of(header: &str, existing: usize, kept: usize) -> Vec<TrippedGuard> {
    let remote: Vec<Value> = (0..existing)
        .map(|at| whole("a", &format!("{at:03}"), &[("car", 1.0)]))
        .collect();
    let annotations: String = (0..kept)
        .map(|at| format!("\n      - {{ id: '{at:03}' }}"))
        .collect::<Vec<_>>()
        .concat();
    let annotations = if kept == 0 {
        " []".to_owned()
    } else {
        annotations
    };
    let inputs = format!(
        "  - id: a\n    annotations:{annotations}\n  - id: z\n    annotations: [{{ concepts: [car] }}]\n"
    );
    plan(
        &manifest_of(&format!(
            "version: 1\nset: street\npolicy: sync\n{header}inputs:\n{inputs}"
        )),
        &observed(&remote),
    )
    .guards
}

#[test]
fn only_deletes_above_the_limit_trip_the_guard() {
    assert!(guards_of("", 10, 7).is_empty());
    let trips = guards_of("", 10, 6);
    assert_eq!(
        trips.iter().map(TrippedGuard::flag).collect::<Vec<_>>(),
        ["--allow-deletes 4"]
    );
    assert!(guards_of("guards: { max_deletes: 40% }\n", 10, 6).is_empty());
}

#[test]
fn a_percentage_requires_min_existing_but_a_number_does_not() {
    assert!(guards_of("", 9, 0).is_empty());
    assert!(guards_of("guards: { min_existing: 9 }\n", 9, 0).len() == 1);
    assert!(guards_of("guards: { max_deletes: 3 }\n", 4, 0).len() == 1);
    assert!(guards_of("guards: { max_deletes: 4 }\n", 4, 0).is_empty());
}

#[test]
fn updates_have_their_own_guard() {
    let remote: Vec<Value> = (0..10)
        .map(|at| whole("a", &format!("{at}"), &[("car", 1.0)]))
        .collect();
    let changed: String = (0..10)
        .map(|at| {
            format!(
                "      - {{ id: '{at}', concepts: [{}] }}\n",
                if at < 4 { "car, red" } else { "car" }
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let plan = plan(
        &desired(&format!("  - id: a\n    annotations:\n{changed}")),
        &observed(&remote),
    );
    assert_eq!(
        plan.guards
            .iter()
            .map(TrippedGuard::flag)
            .collect::<Vec<_>>(),
        ["--allow-updates 4"]
    );
}

#[test]
fn a_vanishing_concept_trips_a_guard() {
    let mut remote = vec![whole("a", "1", &[("car", 1.0)])];
    let mut declared = desired(&input("{ id: '1', concepts: [bus] }"));
    declared.guards.max_updates = GuardLimit::Percent(100);
    // The guard does not apply to fewer than `min_existing` annotations.
    assert!(plan(&declared, &observed(&remote)).guards.is_empty());
    declared.guards.min_existing = 1;
    let trips = plan(&declared, &observed(&remote)).guards;
    assert_eq!(
        trips,
        [TrippedGuard::VanishedConcepts {
            concepts: vec!["car".into()],
            limit: 0,
            renames: vec![Rename {
                from: "car".into(),
                to: "bus".into(),
                annotations: 1
            }]
        }]
    );
    // Another user still uses it, so it does not vanish.
    remote.push(with(
        whole("b", "2", &[("car", 1.0)]),
        "user_id",
        json!("somebody"),
    ));
    assert!(plan(&declared, &observed(&remote)).guards.is_empty());
}

#[test]
fn an_allowance_permits_up_to_its_number() {
    let remote: Vec<Value> = (0..10)
        .map(|at| whole("a", &format!("{at}"), &[("car", 1.0)]))
        .collect();
    let declared = desired(
        "  - id: a\n    annotations: []\n  - id: z\n    annotations: [{ concepts: [car] }]\n",
    );
    let guards = |deletes| {
        let mut context = crate::support::context();
        context.allowances.deletes = deletes;
        annosync::plan::plan(&declared, &observed(&remote), &context)
            .unwrap()
            .guards
            .len()
    };
    assert_eq!(
        (
            guards(None),
            guards(Some(9)),
            guards(Some(10)),
            guards(Some(11))
        ),
        (1, 1, 0, 0)
    );
}

#[test]
fn a_manifest_without_inputs_trips_a_guard() {
    let mut remote = crate::support::Remote::default();
    remote.apply(&plan(
        &desired(&input("{ key: k, concepts: [car] }")),
        &remote.observed(),
    ));
    let empty = manifest_of("version: 1\nset: street\npolicy: sync\ninputs: []\n");
    let trips = plan(&empty, &remote.observed()).guards;
    assert!(
        trips.contains(&TrippedGuard::EmptyManifest { deletes: 1 }),
        "{trips:?}"
    );
}

#[test]
fn policies_hold_back_operations_and_count_them() {
    let remote = [
        whole("a", "1", &[("tree", 1.0)]),
        whole("a", "2", &[("car", 1.0), ("bus", 1.0)]),
    ];
    let inputs = input("{ id: '1', concepts: [tree, bush] }");
    for (policy, actions, held) in [
        ("sync", vec![Action::Delete, Action::Merge], (0, 0)),
        ("upsert", vec![Action::Merge], (0, 1)),
        ("create", vec![], (1, 1)),
    ] {
        let declared = manifest_of(&format!(
            "version: 1\nset: street\npolicy: {policy}\ninputs:\n{inputs}"
        ));
        let plan = plan(&declared, &observed(&remote));
        let got: Vec<Action> = plan
            .operations
            .iter()
            .map(annosync::plan::Operation::action)
            .collect();
        assert_eq!(
            (
                got,
                (
                    plan.summary.held_back.updates,
                    plan.summary.held_back.deletes
                )
            ),
            (actions, held),
            "{policy}"
        );
    }
}
