//! Fields that both sides changed.

use super::{BUS, CAR, FAR, FAR_CAR, HERE, KEEP, a, against, car, causes_of, changed, drift, kept};
use crate::support::{Remote, boxed, desired, plan};
use annosync::plan::{Action, AppChangeKind, Cause, OnConflict, OnDrift};
use serde_json::{Value, json};

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
