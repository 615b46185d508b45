//! The write that each difference leads to, one test per rule.

use crate::support::{
    ME, bodies, boxed, desired, manifest_of, observed, only_write, plan, plan_text, try_plan,
    whole, with,
};
use annosync::model::{InputId, Scope};
use annosync::plan::{Action, Call};
use insta::assert_snapshot;
use serde_json::json;

const BOX: [f64; 4] = [0.1, 0.2, 0.5, 0.6];
const DECLARED_BOX: &str = "box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }";

pub(crate) fn input(annotation: &str) -> String {
    format!("  - id: a\n    annotations:\n      - {annotation}\n")
}

#[test]
fn equal_annotations_need_no_write() {
    let text = plan_text(
        &input(&format!("{{ {DECLARED_BOX}, concepts: [car] }}")),
        &[boxed("a", "1", BOX, &["car"])],
    );
    assert_snapshot!(text, @r"
    Label set street on me-1/street at https://api.clarifai.com, policy sync.
    App: https://clarifai.com/me-1/street

    No changes. 1 annotation matches.
    ");
}

#[test]
fn float_noise_and_the_order_of_concepts_are_ignored() {
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
fn an_added_concept_is_a_merge_of_only_that_concept() {
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
fn a_changed_value_is_a_merge() {
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
fn removed_concepts_are_a_remove_of_their_ids() {
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
fn a_moved_box_is_an_overwrite_that_keeps_unmodelled_fields() {
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
fn an_omitted_zero_stays_zero_in_an_overwrite() {
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
fn a_changed_frame_is_an_overwrite() {
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
fn a_label_that_gets_a_box_keeps_its_concepts() {
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
fn a_changed_list_in_metadata_is_an_overwrite() {
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
fn a_changed_user_is_a_replace_with_the_same_id() {
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
fn missing_annotations_are_posted() {
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
fn undeclared_annotations_are_deleted() {
    let observed = observed(&[boxed("a", "1", BOX, &["car"])]);
    let plan = plan(&desired("  - id: a\n    annotations: []\n"), &observed);
    assert_eq!(plan.operations[0].action(), Action::Delete);
    assert_eq!(bodies(&plan, &observed), [None]);
}

#[test]
fn undeclared_inputs_are_not_changed() {
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
fn unlisted_inputs_are_neither_posted_to_nor_deleted_from() {
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
fn a_listing_of_declared_inputs_has_blind_spots() {
    let mut seen = observed(&[whole("a", "1", &[("car", 1.0)])]);
    seen.scope = Scope::Inputs([InputId::new("a").unwrap()].into());
    let plan = plan(&desired(&input("{ concepts: [car] }")), &seen);
    assert!(plan.is_empty());
    assert_eq!(plan.blind_spots.len(), 1);
}

#[test]
fn the_input_level_annotation_can_be_patched_but_not_replaced() {
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
fn posts_are_in_declared_order_and_equal_ones_get_ordinals() {
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
fn an_ordinal_is_skipped_only_if_its_annotation_has_other_content() {
    let declared = desired(
        "  - id: a\n    annotations: [{ box: { top: 0, left: 0, bottom: 0.2, right: 0.2 }, concepts: [car] }, { box: { top: 0.8, left: 0.8, bottom: 0.9, right: 0.9 }, concepts: [bus] }]\n",
    );
    let content = &declared.inputs[0].annotations[0].content;
    let first = annosync::model::content_id(&declared.set, &declared.inputs[0].id, content, 0);
    // Its id was derived from this content, but it has changed since and matches another declaration.
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
    // An equal annotation of another user is matched, and nothing is posted.
    let equal = with(
        boxed("a", first.as_str(), [0.0, 0.0, 0.2, 0.2], &["car"]),
        "user_id",
        json!("somebody"),
    );
    let other = boxed("a", "bus", [0.8, 0.8, 0.9, 0.9], &["bus"]);
    assert!(plan(&declared, &observed(&[equal, other])).is_empty());
}
