//! The decision list: which write a difference leads to, a test a row.

use crate::support::{
    ME, bodies, boxed, desired, manifest_of, observed, observed_by, only_write, plan, plan_text,
    try_plan, whole, with,
};
use annosync::model::{InputId, Scope, Share, UserId};
use annosync::plan::{Action, Call, Plan, Rename, Trip};
use insta::assert_snapshot;
use serde_json::{Value, json};

const BOX: [f64; 4] = [0.1, 0.2, 0.5, 0.6];
const DECLARED_BOX: &str = "box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }";

fn input(annotation: &str) -> String {
    format!("  - id: a\n    annotations:\n      - {annotation}\n")
}

#[test]
fn equal_is_nothing() {
    let text = plan_text(
        &input(&format!("{{ {DECLARED_BOX}, concepts: [car] }}")),
        &[boxed("a", "1", BOX, &["car"])],
    );
    assert_snapshot!(text, @"No changes. 1 annotation matches.");
}

#[test]
fn float_noise_and_the_order_of_concepts_are_equal() {
    let noisy = [
        0.100_000_001_490_116_12,
        0.200_000_002_980_232_24,
        0.5,
        0.600_000_023_841_858,
    ];
    let declared = input(&format!("{{ {DECLARED_BOX}, concepts: [car, bus] }}"));
    assert!(
        plan(
            &desired(&declared),
            &observed(&[boxed("a", "1", noisy, &["car", "bus"])])
        )
        .is_empty()
    );
}

#[test]
fn an_added_concept_is_a_merge_of_just_that_concept() {
    let declared = input(&format!(
        "{{ id: '1', {DECLARED_BOX}, concepts: {{ car: 1, red: 0 }} }}"
    ));
    let (action, body) = only_write(&declared, &[boxed("a", "1", BOX, &["car"])]);
    assert_eq!(action, Action::Merge);
    assert_eq!(
        body,
        json!({"id": "1", "input_id": "a", "data": {"regions": [
            {"id": "region-1", "data": {"concepts": [{"id": "red", "value": 0.0}]}}]}})
    );
}

#[test]
fn a_concept_of_another_value_is_a_merge() {
    let (action, body) = only_write(
        &input("{ id: '1', concepts: { tree: 0.25 } }"),
        &[whole("a", "1", &[("tree", 1.0)])],
    );
    assert_eq!(action, Action::Merge);
    assert_eq!(
        body,
        json!({"id": "1", "input_id": "a", "data": {"concepts": [{"id": "tree", "value": 0.25}]}})
    );
}

#[test]
fn metadata_info_and_status_are_one_merge() {
    let remote = with(
        whole("a", "1", &[("tree", 1.0)]),
        "annotation_info",
        json!({"by": "x", "n": 1}),
    );
    let declared =
        input("{ id: '1', metadata: { weather: rain }, info: { n: 2 }, status: pending }");
    let (action, body) = only_write(&declared, &[remote]);
    assert_eq!(action, Action::Merge);
    assert_eq!(
        body,
        json!({"id": "1", "input_id": "a", "data": {"metadata": {"weather": "rain"}},
               "status": {"code": 24151}, "annotation_info": {"n": 2}})
    );
}

#[test]
fn a_status_alone_is_a_merge_without_data() {
    let (action, body) = only_write(
        &input("{ id: '1', status: pending }"),
        &[whole("a", "1", &[("tree", 1.0)])],
    );
    assert_eq!(
        (action, body),
        (
            Action::Merge,
            json!({"id": "1", "input_id": "a", "status": {"code": 24151}})
        )
    );
}

#[test]
fn only_removed_concepts_are_a_remove_of_just_their_ids() {
    let declared = input(&format!("{{ id: '1', {DECLARED_BOX}, concepts: [car] }}"));
    let (action, body) = only_write(&declared, &[boxed("a", "1", BOX, &["car", "bus"])]);
    assert_eq!(action, Action::Remove);
    assert_eq!(
        body,
        json!({"id": "1", "input_id": "a", "data": {"regions": [
            {"id": "region-1", "data": {"concepts": [{"id": "bus"}]}}]}})
    );
}

#[test]
fn removed_concepts_and_a_status_are_one_overwrite() {
    let declared = input("{ id: '1', concepts: [tree], status: pending }");
    let (action, body) = only_write(
        &declared,
        &[whole("a", "1", &[("tree", 1.0), ("car", 1.0)])],
    );
    assert_eq!(action, Action::Overwrite);
    assert_eq!(
        body,
        json!({"id": "1", "input_id": "a", "data": {"concepts": [{"id": "tree", "value": 1.0}]}, "status": {"code": 24151}})
    );
}

#[test]
fn a_moved_box_is_an_overwrite_that_carries_what_is_not_modelled() {
    let mut remote = boxed("a", "1", BOX, &["car"]);
    remote["data"]["regions"][0]["value"] = json!(0.75);
    remote["data"]["regions"][0]["data"]["concepts"][0]["app_id"] = json!("street");
    remote["data"]["geo"] = json!({"geo_point": {"longitude": 1.5}});
    remote["annotation_info"] = json!({"by": "x"});
    remote["embed_model_version_id"] = json!("embedder");
    let declared = input("{ id: '1', box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.75 } }");
    let (action, body) = only_write(&declared, &[remote]);
    assert_eq!(action, Action::Overwrite);
    assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
    {
      "id": "1",
      "input_id": "a",
      "data": {
        "regions": [
          {
            "id": "region-1",
            "region_info": {
              "bounding_box": {
                "top_row": 0.1,
                "left_col": 0.2,
                "bottom_row": 0.5,
                "right_col": 0.75
              }
            },
            "data": {
              "concepts": [
                {
                  "id": "car",
                  "name": "car",
                  "value": 1,
                  "app_id": "street"
                }
              ]
            },
            "value": 0.75
          }
        ],
        "geo": {
          "geo_point": {
            "longitude": 1.5
          }
        }
      },
      "annotation_info": {
        "by": "x"
      },
      "embed_model_version_id": "embedder"
    }
    "#);
}

#[test]
fn a_stored_zero_that_was_left_out_stays_zero_in_an_overwrite() {
    let mut remote = boxed("a", "1", BOX, &["car"]);
    remote["data"]["regions"][0]["data"]["concepts"][0]
        .as_object_mut()
        .unwrap()
        .remove("value");
    let (action, body) = only_write(
        &input("{ id: '1', box: { top: 0, left: 0, bottom: 1, right: 1 } }"),
        &[remote],
    );
    assert_eq!(action, Action::Overwrite);
    assert_eq!(
        body.pointer("/data/regions/0/data/concepts/0/value"),
        Some(&json!(0.0))
    );
}

#[test]
fn concepts_added_and_removed_are_one_overwrite() {
    let (action, body) = only_write(
        &input("{ id: '1', concepts: [car] }"),
        &[whole("a", "1", &[("tree", 1.0)])],
    );
    assert_eq!(action, Action::Overwrite);
    assert_eq!(
        body,
        json!({"id": "1", "input_id": "a", "data": {"concepts": [{"id": "car", "value": 1.0}]}})
    );
}

#[test]
fn another_frame_is_an_overwrite() {
    let remote = json!({"id": "1", "input_id": "a", "user_id": ME, "data": {"frames": [
        {"id": "f", "frame_info": {"time": "1500", "number": 45, "x": 1}, "data": {"concepts": [{"id": "car", "value": 1}]}}]}});
    let (action, body) = only_write(
        &input("{ id: '1', frame: { time_ms: 2000, number: 60 } }"),
        &[remote],
    );
    assert_eq!(action, Action::Overwrite);
    assert_eq!(
        body.pointer("/data/frames/0"),
        Some(
            &json!({"id": "f", "frame_info": {"time": 2000, "number": 60, "x": 1},
                     "data": {"concepts": [{"id": "car", "value": 1}]}})
        )
    );
}

#[test]
fn a_label_on_the_whole_input_that_gets_a_box_takes_its_concepts_along() {
    let declared = input(&format!("{{ id: '1', {DECLARED_BOX} }}"));
    let (action, body) = only_write(&declared, &[whole("a", "1", &[("tree", 1.0)])]);
    assert_eq!(action, Action::Overwrite);
    assert_eq!(body["data"]["concepts"], json!(null));
    assert_eq!(
        body.pointer("/data/regions/0/data/concepts/0/id"),
        Some(&json!("tree"))
    );
}

#[test]
fn a_list_in_metadata_that_changes_is_an_overwrite() {
    let mut remote = whole("a", "1", &[("tree", 1.0)]);
    remote["data"]["metadata"] = json!({"tags": ["a"], "kept": true});
    let (action, body) = only_write(&input("{ id: '1', metadata: { tags: [b] } }"), &[remote]);
    assert_eq!(action, Action::Overwrite);
    assert_eq!(
        body["data"]["metadata"],
        json!({"tags": ["b"], "kept": true})
    );
}

#[test]
fn a_region_without_an_id_cannot_be_reached_by_a_nested_patch() {
    let mut remote = boxed("a", "1", BOX, &["car"]);
    remote["data"]["regions"][0]
        .as_object_mut()
        .unwrap()
        .remove("id");
    let (action, _) = only_write(
        &input(&format!(
            "{{ id: '1', {DECLARED_BOX}, concepts: [car, red] }}"
        )),
        &[remote],
    );
    assert_eq!(action, Action::Overwrite);
}

#[test]
fn another_user_is_a_replace_under_the_same_id() {
    let mut remote = boxed("a", "1", BOX, &["car"]);
    remote["data"]["geo"] = json!({"x": 1});
    remote["status"] = json!({"code": 24157});
    let observed = observed(&[remote]);
    let plan = plan(&desired(&input("{ id: '1', user: labeler-1 }")), &observed);
    assert_eq!(plan.operations[0].action(), Action::Replace);
    assert_eq!(plan.operations[0].id.as_str(), "1");
    let body = bodies(&plan, &observed).remove(0).unwrap();
    assert_eq!(
        (&body["user_id"], &body["status"]["code"]),
        (&json!("labeler-1"), &json!(24157))
    );
    assert_eq!(body["data"]["geo"], json!({"x": 1}));
    let calls: Vec<Call> = plan.batches.iter().map(|batch| batch.call).collect();
    assert_eq!(
        calls,
        [
            Call::PostStandIn,
            Call::DeleteReplaced,
            Call::Post,
            Call::DeleteStandIn
        ]
    );
}

#[test]
fn what_is_not_on_the_remote_is_posted() {
    let (action, body) = only_write(
        &input(
            "{ key: k, box: { top: 0, left: 0, bottom: 0.5, right: 1 }, concepts: { car: true, bus: false }, user: u, status: pending, metadata: { a: 1 }, info: { b: 2 } }",
        ),
        &[],
    );
    assert_eq!(action, Action::Post);
    assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
    {
      "id": "as-6008c26f-f017037d21a4ca66a841",
      "input_id": "a",
      "data": {
        "regions": [
          {
            "region_info": {
              "bounding_box": {
                "top_row": 0.0,
                "left_col": 0.0,
                "bottom_row": 0.5,
                "right_col": 1.0
              }
            },
            "data": {
              "concepts": [
                {
                  "id": "bus",
                  "value": 0.0
                },
                {
                  "id": "car",
                  "value": 1.0
                }
              ]
            }
          }
        ],
        "metadata": {
          "a": 1
        }
      },
      "status": {
        "code": 24151
      },
      "user_id": "u",
      "annotation_info": {
        "b": 2
      }
    }
    "#);
}

#[test]
fn what_is_on_the_remote_and_not_declared_is_deleted() {
    let observed = observed(&[boxed("a", "1", BOX, &["car"])]);
    let plan = plan(&desired("  - id: a\n    annotations: []\n"), &observed);
    assert_eq!(plan.operations[0].action(), Action::Delete);
    assert_eq!(bodies(&plan, &observed), [None]);
}

#[test]
fn an_input_that_is_not_declared_is_not_touched() {
    let plan = plan(
        &desired("  - id: b\n    annotations: []\n"),
        &observed(&[boxed("a", "1", BOX, &["car"])]),
    );
    assert!(plan.is_empty());
    assert_eq!(plan.summary.unmanaged, 1);
}

#[test]
fn a_renamed_concept_is_a_patch() {
    let header = "version: 1\nset: street\npolicy: sync\nrenamed: { lorry: truck }\ninputs:\n";
    let declared = manifest_of(&format!(
        "{header}{}",
        input(&format!("{{ {DECLARED_BOX}, concepts: [truck] }}"))
    ));
    let plan = plan(&declared, &observed(&[boxed("a", "1", BOX, &["lorry"])]));
    assert_eq!(plan.operations[0].action(), Action::Overwrite);
    assert_eq!(plan.operations[0].id.as_str(), "1");
    assert!(
        plan.guards.is_empty(),
        "a concept that was renamed did not vanish"
    );
}

#[test]
fn models_the_app_other_sets_and_other_users_keep_what_they_made() {
    let remote = [
        with(
            boxed("a", "m", BOX, &["car"]),
            "model_version_id",
            json!("v"),
        ),
        with(boxed("a", "i", BOX, &["car"]), "input_level", json!(true)),
        with(boxed("a", "u", BOX, &["car"]), "user_id", json!("somebody")),
        boxed("a", "as-00000000-0123456789abcdef0123", BOX, &["car"]),
    ];
    let nothing = plan(
        &desired("  - id: a\n    annotations: []\n"),
        &observed(&remote),
    );
    assert!(nothing.is_empty());
    assert_eq!(
        (nothing.summary.unmanaged, nothing.summary.other_sets),
        (1, 1)
    );
    // Nor are they claimed: the same box is posted beside them.
    let beside = plan(
        &desired(&input(&format!("{{ {DECLARED_BOX}, concepts: [car] }}"))),
        &observed(&remote),
    );
    assert_eq!(beside.operations.len(), 1);
    assert_eq!(beside.operations[0].action(), Action::Post);
}

#[test]
fn work_assigned_to_a_user_is_found_again() {
    let declared = desired(&input(&format!(
        "{{ {DECLARED_BOX}, concepts: [car], user: labeler-1 }}"
    )));
    let first = plan(&declared, &observed(&[]));
    let mut remote = crate::support::Remote::default();
    remote.apply(&first);
    assert!(plan(&declared, &remote.observed()).is_empty());
    // It is this set's, whoever it was given to.
    let dropped = plan(
        &desired("  - id: a\n    annotations: []\n"),
        &remote.observed(),
    );
    assert_eq!(actions(&dropped), [Action::Delete]);
}

fn actions(plan: &Plan) -> Vec<Action> {
    plan.operations.iter().map(|it| it.action()).collect()
}

#[test]
fn a_plan_says_whose_token_each_write_takes_and_is_the_same_for_every_token() {
    let of = |annotation, user: &str| with(annotation, "user_id", json!(user));
    let there = [
        of(whole("a", "1", &[("tree", 1.0)]), "owner-1"),
        of(whole("a", "2", &[("tree", 1.0)]), "bea"),
        of(whole("a", "3", &[("tree", 1.0)]), "bea"),
    ];
    let inputs = "  - id: a\n    annotations:\n      - { id: '1', concepts: [car] }\n      \
                  - { id: '2', concepts: [car] }\n      - { id: '3', concepts: [tree], user: carl }\n      \
                  - { concepts: [new], user: carl }\n      - { concepts: [free] }\n";
    let plans = ["owner-1", "bea", "reader"].map(|caller| {
        let seen = observed_by(caller, "owner-1", &there);
        plan(&desired(inputs), &seen)
    });
    assert_eq!(plans[0], plans[1]);
    assert_eq!(plans[0], plans[2]);
    let needs: Vec<_> = (plans[0].operations.iter())
        .map(|it| (it.action(), it.needs.as_ref().map(UserId::as_str)))
        .collect();
    assert_eq!(
        needs,
        [
            (Action::Replace, Some("owner-1")),
            (Action::Overwrite, Some("owner-1")),
            (Action::Overwrite, Some("bea")),
            (Action::Post, Some("carl")),
            (Action::Post, None),
        ]
    );
    let needed = plans[0].needed(&UserId::new("owner-1").unwrap());
    let needed: Vec<_> = (needed.iter())
        .map(|it| (it.user.as_str(), it.changes, it.posts))
        .collect();
    assert_eq!(needed, [("bea", 2, 0), ("carl", 0, 2), ("owner-1", 1, 0)]);
    // What a plan file says of it is held to its operations.
    let mut file: serde_json::Value =
        serde_json::from_str(&annosync::render::json(&plans[0])).unwrap();
    file["operations"][0]["needs"] = json!("bea");
    assert!(annosync::plan::read(&file.to_string()).is_err());
}

#[test]
fn nobody_changes_what_a_model_made() {
    let made = with(
        whole("a", "1", &[("tree", 1.0)]),
        "model_version_id",
        json!("v"),
    );
    let errors = try_plan(
        &desired(&input("{ id: '1', concepts: [car] }")),
        &observed(&[made]),
    )
    .unwrap_err();
    assert_snapshot!(errors[0], @"annotation `1` of input `a` was made by a model and cannot be changed");
}

#[test]
fn policies_hold_back_and_count() {
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
            .map(|operation| operation.action())
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

#[test]
fn what_was_not_listed_is_neither_posted_nor_deleted() {
    let declared = desired(
        "  - id: a\n    annotations: [{ concepts: [car] }]\n  - id: b\n    annotations: []\n",
    );
    let mut seen = observed(&[whole("b", "1", &[("tree", 1.0)])]);
    seen.scope = Scope::Inputs([InputId::new("b").unwrap()].into());
    let errors = try_plan(&declared, &seen).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_snapshot!(errors[0], @"input `a` is declared, but the listing does not cover it");
}

#[test]
fn a_listing_of_the_declared_inputs_says_what_it_does_not_see() {
    let mut seen = observed(&[whole("a", "1", &[("car", 1.0)])]);
    seen.scope = Scope::Inputs([InputId::new("a").unwrap()].into());
    let plan = plan(&desired(&input("{ concepts: [car] }")), &seen);
    assert!(plan.is_empty());
    assert_eq!(plan.blind_spots.len(), 1);
}

/// A manifest that keeps so many of the remote's whole-input annotations, and the plan's guards.
fn guards_of(header: &str, existing: usize, kept: usize) -> Vec<Trip> {
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
fn deletes_above_the_share_trip_the_guard_and_at_the_share_do_not() {
    assert!(guards_of("", 10, 7).is_empty());
    let trips = guards_of("", 10, 6);
    assert_eq!(
        trips.iter().map(Trip::flag).collect::<Vec<_>>(),
        ["--allow-deletes 4"]
    );
    assert!(guards_of("guards: { max_deletes: 40% }\n", 10, 6).is_empty());
}

#[test]
fn a_share_counts_only_once_enough_exists_and_a_number_always() {
    assert!(guards_of("", 9, 0).is_empty());
    assert!(guards_of("guards: { min_existing: 9 }\n", 9, 0).len() == 1);
    assert!(guards_of("guards: { max_deletes: 3 }\n", 4, 0).len() == 1);
    assert!(guards_of("guards: { max_deletes: 4 }\n", 4, 0).is_empty());
}

#[test]
fn updates_have_a_guard_of_their_own() {
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
        plan.guards.iter().map(Trip::flag).collect::<Vec<_>>(),
        ["--allow-updates 4"]
    );
}

#[test]
fn a_concept_that_nobody_would_name_any_more_trips_a_guard() {
    let mut remote = vec![whole("a", "1", &[("car", 1.0)])];
    let mut declared = desired(&input("{ id: '1', concepts: [bus] }"));
    declared.guards.max_updates = Share::Percent(100);
    // With fewer than `min_existing` annotations a concept vanishes without a guard.
    assert!(plan(&declared, &observed(&remote)).guards.is_empty());
    declared.guards.min_existing = 1;
    let trips = plan(&declared, &observed(&remote)).guards;
    assert_eq!(
        trips,
        [Trip::VanishedConcepts {
            concepts: vec!["car".into()],
            limit: 0,
            renames: vec![Rename {
                from: "car".into(),
                to: "bus".into(),
                annotations: 1
            }]
        }]
    );
    // Somebody else still names it: it did not vanish.
    remote.push(with(
        whole("b", "2", &[("car", 1.0)]),
        "user_id",
        json!("somebody"),
    ));
    assert!(plan(&declared, &observed(&remote)).guards.is_empty());
}

#[test]
fn an_allowance_lets_up_to_its_number_pass() {
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
fn a_manifest_without_inputs_deletes_nothing_unless_it_is_told_to() {
    let mut remote = crate::support::Remote::default();
    remote.apply(&plan(
        &desired(&input("{ key: k, concepts: [car] }")),
        &remote.observed(),
    ));
    let empty = manifest_of("version: 1\nset: street\npolicy: sync\ninputs: []\n");
    let trips = plan(&empty, &remote.observed()).guards;
    assert!(
        trips.contains(&Trip::EmptyManifest { deletes: 1 }),
        "{trips:?}"
    );
}

#[test]
fn another_sets_annotation_cannot_be_claimed_by_its_id() {
    let theirs = "as-00000000-0123456789abcdef0123";
    let declared = desired(&input(&format!("{{ id: {theirs}, concepts: [car] }}")));
    let there = try_plan(
        &declared,
        &observed(&[whole("a", theirs, &[("tree", 1.0)])]),
    )
    .unwrap_err();
    assert_snapshot!(there[0], @"annotation `as-00000000-0123456789abcdef0123` of input `a` belongs to another label set");
    let not_there = try_plan(&declared, &observed(&[])).unwrap_err();
    assert_eq!(there, not_there);
}

#[test]
fn the_input_level_annotation_can_be_patched_and_not_replaced() {
    let level = with(
        whole("a", "1", &[("tree", 1.0)]),
        "input_level",
        json!(true),
    );
    let (action, _) = only_write(
        &input("{ id: '1', concepts: [tree, car] }"),
        std::slice::from_ref(&level),
    );
    assert_eq!(action, Action::Merge);
    let errors = try_plan(
        &desired(&input("{ id: '1', user: labeler-1 }")),
        &observed(&[level]),
    )
    .unwrap_err();
    assert_snapshot!(errors[0], @"annotation `1` is the input-level annotation of input `a`: its user and embedding model cannot be changed, because that requires a delete");
}

#[test]
fn posts_stand_in_declared_order_and_equal_ones_get_ordinals_in_turn() {
    let many = "      - { concepts: [car] }\n".repeat(3_000);
    let declared = desired(&format!(
        "  - id: a\n    annotations:\n      - {{ concepts: [bus] }}\n      - {{ key: k, concepts: [car] }}\n{many}"
    ));
    let made = plan(&declared, &observed(&[]));
    assert_eq!(made.operations.len(), 3_002);
    assert_eq!(
        made.operations[1]
            .key
            .as_ref()
            .map(annosync::model::Key::as_str),
        Some("k")
    );
    let content = &declared.inputs[0].annotations[2].content;
    let id = |ordinal| {
        annosync::model::content_id(&declared.set, &declared.inputs[0].id, content, ordinal)
    };
    assert_eq!(
        (&made.operations[2].id, &made.operations[3_001].id),
        (&id(0), &id(2_999))
    );
}

#[test]
fn an_ordinal_is_passed_over_only_if_its_annotation_moved_away_from_the_content() {
    let declared = desired(
        "  - id: a\n    annotations: [{ box: { top: 0, left: 0, bottom: 0.2, right: 0.2 }, concepts: [car] }, { box: { top: 0.8, left: 0.8, bottom: 0.9, right: 0.9 }, concepts: [bus] }]\n",
    );
    let content = &declared.inputs[0].annotations[0].content;
    let first = annosync::model::content_id(&declared.set, &declared.inputs[0].id, content, 0);
    // It was named for this content, has moved away from it since, and is what another declaration is about.
    let moved = with(
        boxed("a", first.as_str(), [0.8, 0.8, 0.9, 0.9], &["bus"]),
        "user_id",
        json!("somebody"),
    );
    let made = plan(&declared, &observed(&[moved]));
    let second = annosync::model::content_id(&declared.set, &declared.inputs[0].id, content, 1);
    assert_eq!(
        made.operations
            .iter()
            .map(|o| (o.action(), &o.id))
            .collect::<Vec<_>>(),
        [(Action::Post, &second)]
    );
    // Made by another user, and equal: it is that annotation, and nothing is posted beside it.
    let equal = with(
        boxed("a", first.as_str(), [0.0, 0.0, 0.2, 0.2], &["car"]),
        "user_id",
        json!("somebody"),
    );
    let other = boxed("a", "bus", [0.8, 0.8, 0.9, 0.9], &["bus"]);
    assert!(plan(&declared, &observed(&[equal, other])).is_empty());
}
