//! Laws of apps that people edit by hand.

use super::{FAR, HERE, KEEP, NEAR, REVERT, against, covering};
use crate::laws::{declarations, remotes};
use crate::support::{ME, Remote, boxed, plan, with};
use annosync::model::Scope;
use annosync::plan::{self, AppChangeKind, Cause, Changed, Coverage, Plan};
use proptest::prelude::*;
use serde_json::{Value, json};

proptest! {
    #[test]
    fn a_plan_of_the_changed_inputs_has_the_writes_of_the_whole_plan(
        (before, now) in (declarations(), declarations()), is_changed in any::<bool>(),
        mut remote in remotes(), edits in edits()
    ) {
        let now = if is_changed { now } else { before.clone() };
        remote.apply(&plan(&before, &remote.observed()));
        edit_all(&mut remote, edits);
        let Changed::Inputs(inputs) = plan::changed(&before, &now) else {
            return Err(TestCaseError::fail("the headers are equal"));
        };
        let mut part = remote.observed();
        part.inputs.retain(|input, _| inputs.contains(input));
        part.unreadable.retain(|it| inputs.iter().any(|input| *it.input == *input.as_str()));
        part.scope = Scope::Inputs(inputs);
        let whole = against(&before, &now, &remote.observed(), KEEP);
        let part = covering(&before, &now, &part, KEEP, Coverage::Changed);
        prop_assert_eq!(part.operations, whole.operations);
        prop_assert_eq!(part.purges, whole.purges);
    }

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
