//! Properties of all manifests and all apps.

mod fewest_writes;
mod worlds;

use crate::support::{Remote, boxed, context, desired, observed, plan, purging, whole};
use annosync::model::{DesiredAnnotation, Identity, InputId, Origin};
use annosync::plan::{self, Action, Call};
use annosync::render::{self, TextOptions};
use fewest_writes::fewest_writes;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use worlds::{Declared, Seen, doomed, listing, out_of_scope, seen, states, world};
pub(crate) use worlds::{declarations, remotes};

/// Counts of a remote, computed independently of the library.
struct Counted {
    /// Annotations with concepts that a model did not create.
    classes: BTreeMap<String, u64>,
    /// Inputs with annotations of users.
    labelled: BTreeSet<String>,
}

impl Counted {
    fn of(remote: &Remote) -> Self {
        let mut counted = Self {
            classes: BTreeMap::new(),
            labelled: BTreeSet::new(),
        };
        for annotation in &remote.annotations {
            if !annotation["model_version_id"].is_null() {
                continue;
            }
            if annotation["input_level"] != true {
                let input = annotation["input_id"].as_str().unwrap();
                counted.labelled.insert(input.to_owned());
            }
            let data = &annotation["data"];
            let frame = &data["frames"][0]["data"];
            let places = [
                &frame["regions"][0]["data"],
                &data["regions"][0]["data"],
                frame,
                data,
            ];
            let listed = places.iter().find_map(|place| place["concepts"].as_array());
            for concept in listed.into_iter().flatten() {
                if concept["value"].as_f64().unwrap_or_default() > 0.0 {
                    let id = concept["id"].as_str().unwrap().to_owned();
                    *counted.classes.entry(id).or_default() += 1;
                }
            }
        }
        counted
    }
}

proptest! {
    #[test]
    fn the_plan_for_the_current_state_is_empty(seen in proptest::collection::vec(seen(), 0..5)) {
        let remote = Remote::new(listing(&seen)).observed();
        let mut same = desired("  - id: a\n    annotations: []\n");
        let observed = &remote.inputs[&InputId::new("a").unwrap()];
        same.inputs[0].annotations = observed
            .iter()
            .map(|o| DesiredAnnotation { identity: Identity::Id(o.id.clone()), content: o.content(), origin: Origin::default() })
            .filter(|d| !matches!(&d.identity, Identity::Id(id) if id.as_str().starts_with("as-")))
            .collect();
        prop_assert!(plan(&same, &remote).is_empty());
    }

    #[test]
    fn a_plan_after_an_apply_is_empty_and_a_second_apply_writes_nothing((declared, seen) in world()) {
        let (desired, mut remote) = states(&declared, &seen);
        let first = plan(&desired, &remote.observed());
        remote.apply(&first);
        let second = plan(&desired, &remote.observed());
        prop_assert!(second.is_empty(), "{}\nthen\n{}", render::text(&first, &TextOptions::default()), render::text(&second, &TextOptions::default()));
        let before = remote.clone();
        remote.apply(&second);
        prop_assert_eq!(before, remote);
    }

    #[test]
    fn every_operation_is_necessary((declared, seen) in world()) {
        let (desired, remote) = states(&declared, &seen);
        let whole = plan(&desired, &remote.observed());
        for left_out in 0..whole.operations.len() as u32 {
            let mut part = whole.clone();
            for batch in part.batches.iter_mut().filter(|batch| batch.call != Call::Purge) {
                batch.operations.retain(|operation| *operation != left_out);
            }
            let mut remote = remote.clone();
            remote.apply(&part);
            prop_assert!(!plan(&desired, &remote.observed()).is_empty(), "{:#?}", whole.operations[left_out as usize]);
        }
    }

    #[test]
    fn stopping_anywhere_and_running_again_converges((declared, seen) in world(), steps in 0_usize..10) {
        let (desired, mut remote) = states(&declared, &seen);
        let first = plan(&desired, &remote.observed());
        remote.apply_some(&first, steps);
        let second = plan(&desired, &remote.observed());
        remote.apply(&second);
        prop_assert!(plan(&desired, &remote.observed()).is_empty());
        let ids: std::collections::BTreeSet<String> = remote.annotations.iter().map(|a| a["id"].to_string() + &a["input_id"].to_string()).collect();
        prop_assert_eq!(ids.len(), remote.annotations.len());
    }

    #[test]
    fn annotations_out_of_scope_are_not_changed((declared, seen) in world()) {
        let (desired, mut remote) = states(&declared, &seen);
        let before: Vec<Value> = remote.annotations.iter().filter(|a| out_of_scope(a)).cloned().collect();
        remote.apply(&plan(&desired, &remote.observed()));
        for annotation in before {
            prop_assert!(remote.annotations.contains(&annotation), "{annotation}");
        }
    }

    #[test]
    fn unmodelled_fields_survive((declared, seen) in world()) {
        let (desired, mut remote) = states(&declared, &seen);
        let there: Vec<Value> = remote.annotations.iter().map(|a| a["id"].clone()).filter(|id| id.as_str().unwrap().starts_with('r')).collect();
        remote.apply(&plan(&desired, &remote.observed()));
        for annotation in remote.annotations.iter().filter(|a| there.contains(&a["id"])) {
            prop_assert_eq!(&annotation["data"]["unmodelled"], &json!({"left": [1, 2]}));
        }
    }

    #[test]
    fn the_plan_does_not_depend_on_the_order_of_a_listing((declared, seen) in world(), seed in any::<u64>()) {
        let (desired, remote) = states(&declared, &seen);
        let mut shuffled = remote.annotations.clone();
        let len = shuffled.len();
        for at in 0..len {
            shuffled.swap(at, (seed.rotate_left(at as u32 * 7) as usize) % len);
        }
        let json = |annotations: &[Value]| render::json(&plan(&desired, &observed(annotations)));
        prop_assert_eq!(json(&remote.annotations), json(&shuffled));
    }

    #[test]
    fn a_purge_leaves_the_input_level_annotation_alone_and_converges_wherever_it_stops(
        (declared, seen) in world(), purged in proptest::collection::vec(0_usize..5, 0..6), steps in 0_usize..12
    ) {
        let (desired, mut remote) = states(&declared, &seen);
        let desired = purging(desired, "p");
        for (at, kind) in purged.iter().enumerate() {
            remote.annotations.push(doomed(at, *kind));
        }
        let first = plan(&desired, &remote.observed());
        let stays = |it: &Value| it["input_id"] != "p" || it["input_level"] == true;
        let gone = remote.annotations.iter().filter(|it| !stays(it)).count() as u64;
        prop_assert_eq!((first.summary.purge, first.summary.purged), (u64::from(gone > 0), gone));
        prop_assert!(first.operations.iter().all(|operation| operation.input_id.as_str() != "p"));
        prop_assert_eq!(first.summary.calls, first.summary.lower_bound);
        remote.annotations.reverse();
        prop_assert_eq!(render::json(&first), render::json(&plan(&desired, &remote.observed())));
        let levels = |remote: &Remote| remote.annotations.iter().filter(|it| it["input_id"] == "p" && stays(it)).count();
        let before = levels(&remote);
        remote.apply_some(&first, steps);
        remote.apply(&plan(&desired, &remote.observed()));
        prop_assert!(plan(&desired, &remote.observed()).is_empty());
        prop_assert!(remote.annotations.iter().all(stays));
        prop_assert_eq!(levels(&remote), before);
    }

    #[test]
    fn the_summary_counts_the_app_before_and_after(
        (declared, seen) in world(),
        kinds in proptest::collection::vec(0_usize..5, 0..4)
    ) {
        let (desired, mut remote) = states(&declared, &seen);
        let desired = purging(desired, "p");
        remote.annotations.extend(kinds.iter().enumerate().map(|(at, kind)| doomed(at, *kind)));
        let before = Counted::of(&remote);
        let plan = plan(&desired, &remote.observed());
        remote.apply(&plan);
        let after = Counted::of(&remote);
        let mut classes = Vec::new();
        for concept in before.classes.keys().chain(after.classes.keys()).collect::<BTreeSet<_>>() {
            let of = |counted: &Counted| counted.classes.get(concept).copied().unwrap_or_default();
            if of(&before) != of(&after) {
                classes.push((concept.clone(), of(&before), of(&after)));
            }
        }
        let said: Vec<(String, u64, u64)> = plan
            .summary
            .classes
            .iter()
            .map(|class| (class.concept.to_string(), class.before, class.after))
            .collect();
        prop_assert_eq!(said, classes, "{:#?}", plan.summary);
        let emptied: Vec<&str> = before.labelled.difference(&after.labelled).map(String::as_str).collect();
        let said: Vec<&str> = plan.summary.emptied.iter().map(InputId::as_str).collect();
        prop_assert_eq!(said, emptied);
    }

    #[test]
    fn sharing_calls_changes_only_their_number(
        kept in proptest::collection::vec(0_usize..3, 0..4), gone in proptest::collection::vec(0_usize..3, 0..4), steps in 0_usize..10
    ) {
        let mut annotations = Vec::new();
        let mut inputs = "  - id: a\n    annotations:\n".to_owned();
        for (at, kind) in kept.iter().enumerate() {
            let mut seen = whole("a", &format!("k{at}"), &[("bus", 1.0), ("car", 1.0)]);
            match kind {
                0 => seen["data"]["metadata"] = json!({"n": 1}),
                1 => seen["data"]["text"] = json!({"raw": "t"}),
                _ => {}
            }
            annotations.push(seen);
            let declared = format!("      - {{ id: k{at}, concepts: [car] }}\n");
            inputs.push_str(&declared);
        }
        if kept.is_empty() {
            inputs = "  - id: a\n    annotations: []\n".to_owned();
        }
        for (at, kind) in gone.iter().enumerate() {
            let mut seen = whole("a", &format!("g{at}"), &[("car", 1.0)]);
            if *kind == 0 {
                seen["data"]["geo"] = json!({"geo_point": {"longitude": 1}});
            }
            annotations.push(seen);
        }
        let mut remote = Remote::new(annotations);
        let desired = desired(&inputs);
        let first = plan(&desired, &remote.observed());
        let shares = !kept.is_empty() && !gone.is_empty() && !kept.contains(&2) && !gone.contains(&0);
        let kinds = if shares { 1 } else { u64::from(!kept.is_empty()) + u64::from(!gone.is_empty()) };
        prop_assert_eq!((first.summary.calls, first.summary.lower_bound), (kinds, kinds));
        prop_assert_eq!(first.summary.actions.delete, gone.len() as u64);
        prop_assert!(plan::read(&render::json(&first)).unwrap() == Some(first.clone()));
        remote.apply_some(&first, steps);
        remote.apply(&plan(&desired, &remote.observed()));
        prop_assert!(plan(&desired, &remote.observed()).is_empty());
        prop_assert_eq!(remote.annotations.len(), kept.len());
    }

    #[test]
    fn the_plan_has_the_minimum_number_of_writes((declared, seen) in world()) {
        let (desired, remote) = states(&declared, &seen);
        let observed = remote.observed();
        let plan = plan(&desired, &observed);
        let writes = plan.operations.len() as u64;
        let fewest = fewest_writes(&desired, &observed);
        prop_assert_eq!(writes, fewest, "{}", render::text(&plan, &TextOptions::default()));
    }
}

#[test]
fn plans_are_deterministic() {
    let declared: Vec<Declared> = (0..40)
        .map(|at| Declared {
            place: at % 8,
            concepts: at % 4,
            name: at % 8,
            status: at % 3,
            metadata: (at / 2) % 3,
        })
        .collect();
    let seen: Vec<Seen> = (0..40)
        .map(|at| Seen {
            place: (at * 3) % 8,
            concepts: (at / 3) % 4,
            maker: at % 5,
            status: (at / 5) % 3,
            metadata: at % 3,
        })
        .collect();
    let (desired, remote) = states(&declared, &seen);
    let run = || render::json(&plan::plan(&desired, &remote.observed(), &context()).unwrap());
    let first = run();
    assert!(first.len() > 1_000);
    for _ in 0..10 {
        assert_eq!(first, run());
    }
}

#[test]
fn the_test_remote_executes_deletes_and_posts() {
    // The laws above rely on this.
    let mut remote = Remote::new(vec![boxed("a", "r0", [0.1, 0.1, 0.3, 0.3], &["car"])]);
    let plan = plan(
        &desired("  - id: a\n    annotations: [{ concepts: [bus] }]\n"),
        &remote.observed(),
    );
    assert_eq!(
        plan.operations
            .iter()
            .map(annosync::plan::Operation::action)
            .collect::<Vec<_>>(),
        [Action::Delete, Action::Post]
    );
    remote.apply(&plan);
    assert_eq!(remote.annotations.len(), 1);
    assert_eq!(remote.annotations[0]["data"]["concepts"][0]["id"], "bus");
}
