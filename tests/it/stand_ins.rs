//! Stand-ins in plans: how the leftovers of an earlier run are finished or deleted.

use crate::cli::World;
use crate::support::{
    ME, Remote, bodies, boxed, desired, manifest_of, observed, observed_by, plan, printed_calls,
    purging, sent, with,
};
use annosync::apply::{self, ItemOutcome, Options, Subject, Watch};
use annosync::model::{
    AnnotationId, InputId, ObservedAnnotation, ObservedState, SetName, is_owned_by, is_set_id,
    is_stand_in_id, stand_in_id,
};
use annosync::plan::{self, Action, Call, Plan, PlanFileError, Reason};
use annosync::render;
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const BOX: [f64; 4] = [0.1, 0.2, 0.5, 0.6];
const GIVEN: &str = "  - id: a\n    annotations: [{ id: x, user: bea }]\n";

fn set() -> SetName {
    SetName::new("street").unwrap()
}

/// The annotation to replace, with unmodelled fields.
fn original() -> Value {
    let mut original = boxed("a", "x", BOX, &["car"]);
    original["data"]["geo"] = json!({"x": 1});
    with(original, "annotation_info", json!({"n": 7}))
}

/// The app after `writes` writes of the replacement.
fn after(writes: usize) -> Remote {
    let mut remote = Remote::new(vec![original()]);
    let plan = plan(&desired(GIVEN), &remote.observed());
    remote.apply_some(&plan, writes);
    remote
}

fn kinds(plan: &Plan) -> Vec<(Action, Reason)> {
    let kind = |it: &annosync::plan::Operation| (it.action(), it.reason());
    plan.operations.iter().map(kind).collect()
}

fn calls(plan: &Plan) -> Vec<Call> {
    plan.batches.iter().map(|batch| batch.call).collect()
}

fn shown(plan: &Plan) -> String {
    render::text(plan, &render::TextOptions::default())
}

/// Applies the plan, and checks that only the complete annotation exists.
#[track_caller]
fn check_end(mut remote: Remote, manifest: &str, user: &str) {
    remote.apply(&plan(&desired(manifest), &remote.observed()));
    let [only] = &remote.annotations[..] else {
        panic!("{:#?}", remote.annotations);
    };
    assert_eq!(only["id"], "x");
    assert_eq!(only["user_id"], user);
    assert_eq!(only["data"]["geo"], json!({"x": 1}));
    assert_eq!(only["annotation_info"], json!({"n": 7}));
    assert!(plan(&desired(manifest), &remote.observed()).is_empty());
}

#[test]
fn stand_in_ids_do_not_change_between_versions() {
    let id = |input: &str, original: &str| {
        let (input, original) = (InputId::new(input), AnnotationId::new(original));
        stand_in_id(&set(), &input.unwrap(), &original.unwrap())
    };
    assert_snapshot!(id("street-0001", "as-6008c26f-2a3b80b400fb57cf8665"), @"as-6008c26f-r41ccf9ef9ff5f0797c0");
    assert_snapshot!(id("a", "x"), @"as-6008c26f-ra1e0c4ad34156195603");
    assert_ne!(id("b", "x"), id("a", "x"));
    let ours = id("a", "x");
    assert!(is_stand_in_id(&ours) && is_set_id(&ours) && is_owned_by(&ours, &set()));
    assert!(!is_owned_by(&ours, &SetName::new("other").unwrap()));
    for other in [
        "as-6008c26f-2a3b80b400fb57cf8665",
        "as-6008c26f-rr3b80b400fb57cf8665",
        "as-6008c26f-ra3b80b400fb57cf866",
        "as-6008c26fxra3b80b400fb57cf8665",
    ] {
        assert!(
            !is_stand_in_id(&AnnotationId::new(other).unwrap()),
            "{other}"
        );
    }
}

#[test]
fn a_stand_in_has_the_complete_content_and_names_its_original() {
    let observed = observed(&[original()]);
    let plan = plan(&desired(GIVEN), &observed);
    let operation = &plan.operations[0];
    let replacement = sent(&plan, &observed).remove(0).unwrap();
    let mut stand_in = plan::stand_in_body(&plan.set, operation, &replacement).to_value();
    let info = stand_in["annotation_info"].as_object_mut().unwrap();
    assert_eq!(info.remove(plan::STAND_IN_FOR), Some(json!("x")));
    let id = plan::stand_in_id_for(&plan.set, operation);
    assert_eq!(stand_in["id"], id.as_str());
    stand_in["id"] = json!("x");
    assert_eq!(stand_in, replacement.to_value());
}

#[test]
fn the_printed_calls_of_a_replacement_are_the_sent_ones() {
    let observed = observed(&[original()]);
    let plan = plan(&desired(GIVEN), &observed);
    let printed: Vec<Value> = (printed_calls(&plan, &observed).lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let methods: Vec<&str> = (printed.iter())
        .map(|it| it["method"].as_str().unwrap())
        .collect();
    assert_eq!(methods, ["POST", "DELETE", "POST", "DELETE"]);
    let stand_in = plan::stand_in_id_for(&plan.set, &plan.operations[0]);
    let annotation = |at: usize| &printed[at]["body"]["annotations"][0];
    assert_eq!(annotation(0)["id"], stand_in.as_str());
    assert_eq!(annotation(0)["annotation_info"][plan::STAND_IN_FOR], "x");
    assert!(
        printed[1]["path"]
            .as_str()
            .unwrap()
            .ends_with("/inputs/a/annotations/x")
    );
    assert_eq!(annotation(2)["id"], "x");
    assert!(
        printed[3]["path"]
            .as_str()
            .unwrap()
            .ends_with(stand_in.as_str())
    );
}

#[test]
fn an_equal_stand_in_is_reused() {
    let remote = after(1);
    assert_eq!(remote.annotations.len(), 2);
    let again = plan(&desired(GIVEN), &remote.observed());
    assert_eq!(kinds(&again), [(Action::Replace, Reason::Differs)]);
    check_end(remote, GIVEN, "bea");
}

#[test]
fn another_stand_in_is_deleted_before_the_new_one_is_posted() {
    let manifest = GIVEN.replace("bea", "cyd");
    let remote = after(1);
    let again = plan(&desired(&manifest), &remote.observed());
    assert_eq!(
        kinds(&again),
        [
            (Action::Delete, Reason::LeftBehind),
            (Action::Replace, Reason::Differs)
        ]
    );
    assert_eq!(
        calls(&again),
        [
            Call::DeleteLeftBehind,
            Call::PostStandIn,
            Call::DeleteReplaced,
            Call::Post,
            Call::DeleteStandIn
        ]
    );
    check_end(remote, &manifest, "cyd");
}

#[test]
fn an_unfinished_replacement_is_finished_from_its_stand_in() {
    let remote = after(2);
    let again = plan(&desired(GIVEN), &remote.observed());
    assert_eq!(kinds(&again), [(Action::Replace, Reason::Unfinished)]);
    assert_eq!(calls(&again), [Call::Post, Call::DeleteStandIn]);
    assert_snapshot!(shown(&again), @r"
    Label set street on me-1/street at https://api.clarifai.com, policy sync: 1 to replace.
    App: https://clarifai.com/me-1/street

    Note: needs bea or the app's owner: 1 change to annotations of bea.

    Other people's work: bea 1 changed

    a
      ± replace box [car] x: top, 16 % of the image (an earlier run did not finish it)

    Plan: 1 to replace. 2 calls (lower bound 2), about 0.2 s at 15 calls/s.
    ");
    check_end(remote, GIVEN, "bea");
    // The current declaration is written at once.
    check_end(after(2), &GIVEN.replace("bea", "cyd"), "cyd");
}

#[test]
fn a_left_stand_in_is_deleted_and_shown() {
    let remote = after(3);
    let again = plan(&desired(GIVEN), &remote.observed());
    assert_eq!(kinds(&again), [(Action::Delete, Reason::LeftBehind)]);
    assert_eq!((again.summary.unchanged, again.summary.changeable), (1, 1));
    assert_snapshot!(shown(&again), @r"
    Label set street on me-1/street at https://api.clarifai.com, policy sync: 1 to delete.
    App: https://clarifai.com/me-1/street

    Note: needs bea or the app's owner: 1 change to annotations of bea.

    a
      - delete box [car] as-6008c26f-ra1e0c4ad34156195603: top, 16 % of the image; by bea (a stand-in that an earlier run left behind)

    Plan: 1 to delete; 1 unchanged. 1 call (lower bound 1), about 0.1 s at 15 calls/s.
    ");
    check_end(remote, GIVEN, "bea");
}

#[test]
fn replacements_on_undeclared_inputs_are_finished() {
    let elsewhere = "  - id: b\n    annotations: []\n";
    for (writes, kind) in [
        (1, (Action::Delete, Reason::LeftBehind)),
        (2, (Action::Replace, Reason::Unfinished)),
        (3, (Action::Delete, Reason::LeftBehind)),
    ] {
        let remote = after(writes);
        let again = plan(&desired(elsewhere), &remote.observed());
        assert_eq!(kinds(&again), [kind], "{writes}");
        check_end(remote, elsewhere, if writes == 1 { ME } else { "bea" });
    }
}

#[test]
fn replacements_of_undeclared_annotations_are_finished_first() {
    let manifest = "  - id: a\n    annotations: []\n";
    let again = plan(&desired(manifest), &after(2).observed());
    assert_eq!(kinds(&again), [(Action::Replace, Reason::Unfinished)]);
}

#[test]
fn every_policy_finishes_and_cleans_up() {
    for policy in ["sync", "upsert", "create"] {
        let manifest = |user: &str| {
            let inputs = GIVEN.replace("bea", user);
            manifest_of(&format!(
                "version: 1\nset: street\npolicy: {policy}\ninputs:\n{inputs}"
            ))
        };
        let unfinished = plan(&manifest("bea"), &after(2).observed());
        assert_eq!(
            kinds(&unfinished),
            [(Action::Replace, Reason::Unfinished)],
            "{policy}"
        );
        let left = plan(&manifest("bea"), &after(3).observed());
        assert_eq!(
            kinds(&left),
            [(Action::Delete, Reason::LeftBehind)],
            "{policy}"
        );
        // A policy without changes only finishes the replacement.
        let changed = plan(&manifest("cyd"), &after(2).observed());
        let body = bodies(&changed, &after(2).observed()).remove(0).unwrap();
        let (user, held) = if policy == "create" {
            ("bea", 1)
        } else {
            ("cyd", 0)
        };
        assert_eq!(body["user_id"], user, "{policy}");
        assert_eq!(changed.summary.held_back.updates, held, "{policy}");
    }
}

#[test]
fn guards_do_not_count_finished_replacements() {
    for (writes, trips) in [(0, 1), (2, 0), (3, 0)] {
        let manifest = format!(
            "version: 1\nset: street\npolicy: sync\nguards: {{ max_deletes: 0, max_updates: 0 }}\ninputs:\n{GIVEN}"
        );
        let plan = plan(&manifest_of(&manifest), &after(writes).observed());
        assert_eq!(plan.guards.len(), trips, "{writes}: {:?}", plan.guards);
    }
}

fn edited(writes: usize, edit: impl Fn(&mut Value)) -> ObservedState {
    let mut remote = after(writes);
    let is_stand_in = |it: &&mut Value| it["id"] != "x";
    edit(remote.annotations.iter_mut().find(is_stand_in).unwrap());
    remote.observed()
}

#[test]
fn a_stand_in_needs_a_matching_id_and_original() {
    let undeclared = desired("  - id: a\n    annotations: [{ id: x }]\n");
    for (what, state) in [
        (
            "it does not name its original",
            edited(3, |it| it["annotation_info"] = json!({"n": 7})),
        ),
        (
            "it is one of something else",
            edited(3, |it| {
                it["annotation_info"][plan::STAND_IN_FOR] = json!("y");
            }),
        ),
        (
            "it says no name",
            edited(3, |it| it["annotation_info"][plan::STAND_IN_FOR] = json!(7)),
        ),
        (
            "its id is another",
            edited(3, |it| it["id"] = json!("as-6008c26f-r0000000000000000000")),
        ),
        (
            "its id is a server's",
            edited(3, |it| it["id"] = json!("300b8e39a65e4f33ae4e15e86eaf4a3b")),
        ),
        (
            "it is another set's",
            edited(3, |it| {
                let id = it["id"].as_str().unwrap().replace("6008c26f", "00000000");
                it["id"] = json!(id);
            }),
        ),
    ] {
        let plan = plan(&undeclared, &state);
        // With this set's prefix it is an undeclared annotation of the set; otherwise it belongs to a user outside `owners`.
        let (own, other) = ([(Action::Delete, Reason::NotDeclared)], []);
        let is_own = !["its id is a server's", "it is another set's"].contains(&what);
        let expected = if is_own { &own[..] } else { &other[..] };
        assert_eq!(kinds(&plan), expected, "{what}: {:#?}", plan.operations);
    }
}

#[test]
fn a_stand_in_declared_by_id_is_an_ordinary_annotation() {
    let remote = after(3);
    let id = remote
        .annotations
        .iter()
        .find(|it| it["id"] != "x")
        .unwrap()["id"]
        .clone();
    let manifest = format!(
        "  - id: a\n    annotations: [{{ id: x, user: bea }}, {{ id: {}, concepts: [car, red] }}]\n",
        id.as_str().unwrap()
    );
    let plan = plan(&desired(&manifest), &remote.observed());
    assert_eq!(kinds(&plan), [(Action::Merge, Reason::Differs)]);
}

#[test]
fn additions_to_a_stand_in_are_kept() {
    let state = edited(2, |it| it["data"]["late"] = json!({"y": 2}));
    let plan = plan(&desired(GIVEN), &state);
    let body = bodies(&plan, &state).remove(0).unwrap();
    assert_eq!(body["data"]["late"], json!({"y": 2}));
    assert_eq!(body["annotation_info"], json!({"n": 7}));
}

#[test]
fn leftovers_are_planned_the_same_for_every_caller() {
    for writes in [1, 2, 3] {
        let remote = after(writes);
        let declared = desired("  - id: a\n    annotations: []\n");
        let of = |caller| plan(&declared, &observed_by(caller, ME, &remote.annotations));
        assert!(!of(ME).is_empty());
        assert_eq!(of("cyd"), of(ME));
    }
}

#[test]
fn a_purge_deletes_stand_ins_too() {
    let desired = purging(desired("  - id: b\n    annotations: []\n"), "a");
    let plan = plan(&desired, &after(2).observed());
    assert_eq!((plan.operations.len(), plan.summary.purged), (0, 1));
}

/// Reads a plan with altered JSON.
fn read_altered(plan: &Plan, alter: impl Fn(&mut Value)) -> Result<Option<Plan>, PlanFileError> {
    let mut json = serde_json::to_value(plan).unwrap();
    alter(&mut json);
    plan::read(&json.to_string())
}

#[test]
fn a_plan_file_cannot_name_another_annotation_as_a_stand_in() {
    let left = plan(&desired(GIVEN), &after(3).observed());
    assert!(matches!(read_altered(&left, |_| ()), Ok(Some(read)) if read == left));
    let alterations: [fn(&mut Value); 3] = [
        |plan| plan["operations"][0]["id"] = json!("x"),
        |plan| plan["operations"][0]["input_id"] = json!("b"),
        |plan| plan["operations"][0]["before"]["info"][plan::STAND_IN_FOR] = json!("y"),
    ];
    for alter in alterations {
        let read = read_altered(&left, alter);
        assert!(matches!(read, Err(PlanFileError::Altered(_))), "{read:?}");
    }
}

#[test]
fn a_plan_file_with_replacements_in_two_calls_is_rejected() {
    let made = plan(&desired(GIVEN), &observed(&[original()]));
    let old = read_altered(&made, |plan| {
        plan["batches"] = json!([
            {"call": "delete_replaced", "operations": [0]},
            {"call": "post", "operations": [0]},
        ]);
    });
    assert!(matches!(old, Err(PlanFileError::Altered(_))), "{old:?}");
}

/// The reported events, in order.
#[derive(Debug, Default)]
struct Events {
    ended: Mutex<Vec<(Subject, ItemOutcome)>>,
    stored: Mutex<Vec<u32>>,
}

impl Watch for Events {
    fn ended(&self, what: Subject, how: &ItemOutcome) {
        self.ended.lock().unwrap().push((what, how.clone()));
    }

    fn stored(&self, operation: u32, _: &ObservedAnnotation) {
        self.stored.lock().unwrap().push(operation);
    }
}

#[test]
fn a_replacement_is_reported_once_after_its_last_step() {
    let world = World::new();
    let annotations = ["a", "b", "c"].map(|input| {
        let mut annotation = boxed(input, &format!("on-{input}"), BOX, &["car"]);
        annotation["user_id"] = json!("owner");
        annotation
    });
    let inputs: String = ["a", "b", "c"]
        .map(|input| {
            format!("  - id: {input}\n    annotations: [{{ id: on-{input}, user: bea }}]\n")
        })
        .concat();
    world.seed(annotations.to_vec());
    let listed = world.annotations();
    let state = observed_by("owner", "owner", &listed);
    let plan = Arc::new(plan(&desired(&inputs), &state));
    world.someone_marks_as_pending("b");
    let events = Arc::new(Events::default());
    let options = Options {
        watch: Arc::clone(&events) as Arc<dyn Watch>,
        ..Options::default()
    };
    let outcome = world.block_on(apply::execute(plan, &world.writer(), &options));
    assert_eq!(
        (outcome.applied.actions.replace, outcome.stale.len()),
        (2, 1)
    );
    assert_eq!(outcome.calls, 4);
    let mut ended = events.ended.lock().unwrap().clone();
    ended.sort_by_key(|(what, _)| *what);
    let subjects: Vec<Subject> = ended.iter().map(|(what, _)| *what).collect();
    assert_eq!(subjects, [0, 1, 2].map(Subject::Operation));
    assert_eq!(ended[0].1, ItemOutcome::Applied);
    assert!(matches!(ended[1].1, ItemOutcome::Stale { .. }));
    let mut stored = events.stored.lock().unwrap().clone();
    stored.sort_unstable();
    assert_eq!(
        stored,
        [0, 2],
        "what is stored of the annotation, not of its stand-in"
    );
}
