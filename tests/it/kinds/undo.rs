//! The undo of every change of every kind of annotation restores the previous state, and can be undone itself.

use super::laws::{only, stored};
use super::world::{additions, declarable, style};
use super::{by_id, by_key, declared};
use crate::support::{
    ME, Remote, boxed, desired, observed, observed_by, plan, purging, whole, with,
};
use annosync::model::{DesiredState, Fingerprint, ObservedState, UserId, fingerprint};
use annosync::plan::{
    self, ApplyStatus, ApplyStatuses, Before, Freshness, Plan, Purpose, freshness, undo,
};
use annosync::render;
use proptest::prelude::*;
use serde_json::json;

/// The previous state of everything that a plan changes.
fn before(plan: &Plan, state: &ObservedState) -> Before {
    let on = |input| state.inputs.get(input).cloned().unwrap_or_default();
    let operations = plan.operations.iter().map(|operation| {
        let mut on_it = on(&operation.input_id).into_iter();
        on_it.find(|annotation| annotation.id == operation.id)
    });
    Before {
        caller: UserId::new(ME).unwrap(),
        operations: operations.collect(),
        purges: plan.purges.iter().map(|it| on(&it.input_id)).collect(),
    }
}

/// The fingerprints of all annotations, without ids that the remote assigns to regions.
fn fingerprints(remote: &Remote) -> Vec<(String, Fingerprint)> {
    let mut remote = remote.clone();
    for annotation in &mut remote.annotations {
        if let Some(serde_json::Value::Object(region)) = annotation.pointer_mut("/data/regions/0")
            && let Some(id) = region.get("id").and_then(|id| id.as_str())
            && id.starts_with("made-")
        {
            region.remove("id");
        }
    }
    let state = remote.observed();
    let all = state.inputs.values().flatten();
    let mut all: Vec<_> = all.map(|it| (it.id.to_string(), fingerprint(it))).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// Whether the operations have the expected freshness.
fn find(undo: &Plan, state: &ObservedState, expected: Freshness) -> Result<(), TestCaseError> {
    let there = before(undo, state).operations;
    for (operation, now) in undo.operations.iter().zip(there) {
        let found = freshness(operation, now.as_ref());
        prop_assert_eq!(found, expected, "{:#?}\n{:#?}", operation, now);
    }
    Ok(())
}

/// Writes an undo as a file and reads it.
fn through_its_file(undo: &Plan) -> Result<Plan, TestCaseError> {
    let read = plan::read(&render::json(undo)).map_err(|it| TestCaseError::fail(it.to_string()))?;
    let read = read.expect("it is a plan");
    prop_assert_eq!(read.purpose, Purpose::Undo);
    prop_assert_eq!(render::json(&read), render::json(undo));
    Ok(read)
}

/// Applies a plan, undoes it, and undoes the undo.
fn undo_and_redo(state: &DesiredState, remote: &mut Remote) -> Result<(), TestCaseError> {
    let (was, there) = (remote.observed(), fingerprints(remote));
    let forth = plan(state, &was);
    let seen = before(&forth, &was);
    let back = through_its_file(&undo(&forth, &seen, &ApplyStatuses::unknown(&forth)))?;
    let count = forth.operations.len() + seen.purges.iter().map(Vec::len).sum::<usize>();
    prop_assert_eq!(back.operations.len(), count, "{:#?}", back);
    // Without the apply, everything is already restored.
    find(&back, &was, Freshness::AsWanted)?;

    remote.apply(&forth);
    let (is, made) = (remote.observed(), fingerprints(remote));
    find(&back, &is, Freshness::AsPlanned)?;
    let nothing = ApplyStatuses {
        operations: vec![ApplyStatus::NotApplied; forth.operations.len()],
        purges: vec![ApplyStatus::NotApplied; forth.purges.len()],
        inputs: vec![ApplyStatus::NotApplied; forth.inputs.len()],
    };
    prop_assert!(undo(&forth, &seen, &nothing).is_empty());

    let again = undo(&back, &before(&back, &is), &ApplyStatuses::unknown(&back));
    let again = through_its_file(&again)?;
    prop_assert_eq!(again.operations.len(), back.operations.len());
    remote.apply(&back);
    prop_assert_eq!(fingerprints(remote), there, "{:#?}", back);
    find(&back, &remote.observed(), Freshness::AsWanted)?;
    find(&again, &remote.observed(), Freshness::AsPlanned)?;
    remote.apply(&again);
    prop_assert_eq!(fingerprints(remote), made, "{:#?}", again);
    Ok(())
}

proptest! {
    #[test]
    fn a_change_is_undone(
        is in declarable(), wanted in declarable(), additions in additions(), style in style(),
    ) {
        let mut remote = Remote::new(vec![stored(&is, &additions, &style)]);
        undo_and_redo(&declared(by_id("1"), wanted), &mut remote)?;
    }

    #[test]
    fn a_post_is_undone(wanted in declarable()) {
        undo_and_redo(&declared(by_key(), wanted), &mut Remote::default())?;
    }

    #[test]
    fn a_delete_and_a_purge_are_undone(
        is in declarable(), additions in additions(), style in style(),
    ) {
        let annotation = stored(&is, &additions, &style);
        let mut none = declared(by_key(), is);
        none.inputs[0].annotations.clear();
        let mut remote = Remote::new(vec![annotation.clone()]);
        // Annotations of other users are not deleted, so there is nothing to undo.
        undo_and_redo(&none, &mut remote)?;
        none.inputs.clear();
        undo_and_redo(&purging(none, "a"), &mut Remote::new(vec![annotation]))?;
    }

    #[test]
    fn an_edit_by_another_user_is_never_undone(
        is in declarable(), wanted in declarable(), edit in declarable(), additions in additions(),
        style in style(),
    ) {
        let was = observed(&[stored(&is, &additions, &style)]);
        let forth = plan(&declared(by_id("1"), wanted), &was);
        let back = undo(&forth, &before(&forth, &was), &ApplyStatuses::unknown(&forth));
        let mut remote = Remote::new(vec![stored(&is, &additions, &style)]);
        remote.apply(&forth);
        let made = fingerprints(&remote);
        let edited = plan(&declared(by_id("1"), edit), &remote.observed());
        remote.apply(&edited);
        let now = remote.observed();
        if !edited.is_empty() && fingerprints(&remote) != made {
            for operation in &back.operations {
                let found = freshness(operation, Some(only(&now)));
                prop_assert_ne!(found, Freshness::AsPlanned, "{:#?}\n{:#?}", operation, now);
            }
        }
    }
}

#[test]
fn losses_are_reported() {
    let of = |user: &str, id: &str| with(whole("a", id, &[("car", 1.0)]), "user_id", json!(user));
    let mut without_user = whole("a", "3", &[]);
    without_user.as_object_mut().unwrap().remove("user_id");
    let models = with(of("", "4"), "model_version_id", json!("v1"));
    let there = [of("ann", "1"), of("bea", "2"), without_user, models];
    let owners = observed_by("ann", "ann", &there);
    let mut nothing = desired("  - id: b\n    annotations: []\n");
    nothing.inputs.clear();
    let forth = plan(&purging(nothing, "a"), &owners);
    let spots = |caller: &str, owner: &str| {
        let mut forth = forth.clone();
        owner.clone_into(&mut forth.target.user_id);
        let seen = Before {
            caller: UserId::new(caller).unwrap(),
            ..before(&forth, &owners)
        };
        let back = undo(&forth, &seen, &ApplyStatuses::unknown(&forth));
        let text = render::text(&back, &render::TextOptions::default());
        assert!(text.contains("Warning: not restored: "), "{text}");
        (back.operations.len(), back.blind_spots.join("\n"))
    };
    let (count, said) = spots("ann", "ann");
    assert_eq!(count, 3);
    insta::assert_snapshot!(said, @r"
    1 annotation made by models, which cannot be posted again: 4 of input a
    1 annotation without a user, which will belong to the user who applies this: 3 of input a
    the creation time, `consensus_info` and `trusted` of 3 annotations that will be posted again: the service sets them
    ");
    // The required token is checked at the apply.
    assert_eq!(spots("bea", "ann").0, 3);
}

#[test]
fn the_original_of_an_unfinished_replacement_is_lost() {
    let there = [boxed("a", "1", [0.1, 0.2, 0.5, 0.6], &["car"])];
    let declared = desired("  - id: a\n    annotations:\n      - { id: '1', user: bea }\n");
    let forth = plan(&declared, &observed(&there));
    let seen = before(&forth, &observed(&[]));
    let back = undo(&forth, &seen, &ApplyStatuses::unknown(&forth));
    assert!(back.is_empty());
    assert!(back.blind_spots[0].contains("the original is lost"));
}

#[test]
fn an_undo_shows_restored_and_deleted_annotations() {
    let was = [
        with(
            boxed("a", "1", [0.1, 0.2, 0.5, 0.6], &["car"]),
            "annotation_info",
            json!({"n": 1}),
        ),
        whole("b", "2", &[("car", 1.0)]),
    ];
    let declared = desired(
        "  - id: a\n    annotations:\n      - { id: '1', text: hello, metadata: { new: 1 } }\n\
         \x20 - id: b\n    annotations:\n      - { key: k, concepts: [bus] }\n",
    );
    let forth = plan(&declared, &observed(&was));
    let back = undo(
        &forth,
        &before(&forth, &observed(&was)),
        &ApplyStatuses::unknown(&forth),
    );
    insta::assert_snapshot!(render::text(&back, &render::TextOptions::default()), @r#"
    Undo of label set street on me-1/street at https://api.clarifai.com, policy sync: 2 to overwrite.
    App: https://clarifai.com/me-1/street

    Relabelled: bus -> car (1)

    a
      ~ overwrite box [car] 1: top, 16 % of the image; text "hello" -> none; metadata (undoes an apply)

    b
      ~ overwrite annotation [bus -> car] k 2 (undoes an apply)

    Plan: 2 to overwrite. 1 call (lower bound 1), about 0.1 s at 15 calls/s.
    "#);
}
