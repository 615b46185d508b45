//! Plans leave annotations of models, other sets and other users alone, and know which token each write needs.

use crate::decisions::input;
use crate::support::{boxed, desired, observed, observed_by, plan, try_plan, whole, with};
use annosync::model::UserId;
use annosync::plan::{Action, Plan};
use insta::assert_snapshot;
use serde_json::json;

const BOX: [f64; 4] = [0.1, 0.2, 0.5, 0.6];
const DECLARED_BOX: &str = "box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }";

#[test]
fn annotations_of_models_the_app_other_sets_and_other_users_are_kept() {
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
    // They are not claimed either: the same box is posted.
    let beside = plan(
        &desired(&input(&format!("{{ {DECLARED_BOX}, concepts: [car] }}"))),
        &observed(&remote),
    );
    assert_eq!(beside.operations.len(), 1);
    assert_eq!(beside.operations[0].action(), Action::Post);
}

#[test]
fn annotations_assigned_to_a_user_are_matched() {
    let declared = desired(&input(&format!(
        "{{ {DECLARED_BOX}, concepts: [car], user: labeler-1 }}"
    )));
    let first = plan(&declared, &observed(&[]));
    let mut remote = crate::support::Remote::default();
    remote.apply(&first);
    assert!(plan(&declared, &remote.observed()).is_empty());
    // It belongs to this set, whichever user it is assigned to.
    let dropped = plan(
        &desired("  - id: a\n    annotations: []\n"),
        &remote.observed(),
    );
    assert_eq!(actions(&dropped), [Action::Delete]);
}

fn actions(plan: &Plan) -> Vec<Action> {
    plan.operations
        .iter()
        .map(annosync::plan::Operation::action)
        .collect()
}

#[test]
fn a_plan_has_the_required_token_of_each_write_and_is_the_same_for_every_token() {
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
    // A plan file is checked against its operations.
    let mut file: serde_json::Value =
        serde_json::from_str(&annosync::render::json(&plans[0])).unwrap();
    file["operations"][0]["needs"] = json!("bea");
    assert!(annosync::plan::read(&file.to_string()).is_err());
}

#[test]
fn annotations_of_models_cannot_be_changed() {
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
fn annotations_of_other_sets_cannot_be_claimed_by_id() {
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
