//! `purge: true` in plan and apply.

mod applying;

use crate::cli::header;
use crate::support::{
    ME, boxed, manifest_of, observed, observed_by, plan, purging, try_plan, whole, with,
};
use annosync::apply::{self, Preview};
use annosync::model::{DesiredState, InputId, Scope};
use annosync::plan::{self as planning, Call, Due, Plan, TrippedGuard};
use annosync::render::{self, Detail, TextOptions};
use insta::assert_snapshot;
use serde_json::{Value, json};

const BOX: [f64; 4] = [0.1, 0.2, 0.5, 0.6];

/// The set's inputs, guards that let everything pass, and `p` purged.
fn desired(inputs: &str) -> DesiredState {
    let inputs = if inputs.is_empty() {
        "inputs: []\n".to_owned()
    } else {
        format!("inputs:\n{inputs}")
    };
    purging(manifest_of(&format!("{}{inputs}", header())), "p")
}

/// One annotation of each maker: the caller, another user, a model, another set, and the input-level one.
fn everything(input: &str) -> Vec<Value> {
    vec![
        boxed(input, "mine", BOX, &["car"]),
        with(
            boxed(input, "theirs", BOX, &["car"]),
            "user_id",
            json!("bea"),
        ),
        with(
            boxed(input, "model", BOX, &["car"]),
            "model_version_id",
            json!("v1"),
        ),
        boxed(input, "as-00000000-0123456789abcdef0123", BOX, &["car"]),
        with(
            whole(input, "level", &[("car", 1.0)]),
            "input_level",
            json!(true),
        ),
    ]
}

fn text(plan: &Plan) -> String {
    render::text(plan, &TextOptions::default())
}

#[test]
fn a_purge_deletes_everything_except_the_input_level_annotation_and_is_shown_first() {
    let inputs = "  - id: a\n    annotations: [{ key: k, region: r, concepts: [car] }]\n";
    let seen = [everything("p"), vec![whole("a", "old", &[("car", 1.0)])]].concat();
    let plan = plan(&desired(inputs), &observed(&seen));
    assert_snapshot!(text(&plan), @r"
    Label set street on me-1/street at https://api.clarifai.com, policy sync: 1 input to purge (4 annotations), 1 to post, 1 to delete.
    App: https://clarifai.com/me-1/street

    Warning: apply purges only with --allow-purge.
    Note: needs the app's owner: 1 change to annotations of bea, 3 changes to annotations of me-1.

    Other people's work: bea 1 deleted; (user unknown) 1 deleted
    Left without labels (1 input): p
    Classes: car 5 -> 2 (-3)

    ! purge p: deletes all 4 annotations, whoever made them (2 by me-1, 1 by bea, 1 by a model)

    a
      - delete annotation [car] old: by me-1 (not declared)
      + post region [car] k: region r

    Plan: 1 input to purge (4 annotations), 1 to post, 1 to delete. 3 calls (lower bound 3), about 0.2 s at 15 calls/s.
    ");
    let calls: Vec<Call> = plan.batches.iter().map(|batch| batch.call).collect();
    assert_eq!(calls, [Call::Post, Call::Delete, Call::Purge]);
    assert_eq!((plan.summary.existing, plan.summary.purged), (5, 4));
    let preview = Preview {
        operations: vec![Due::Sent(None); plan.operations.len()],
        purges: vec![Due::Sent(None); plan.purges.len()],
    };
    let sent = render::calls(&plan.target, &apply::calls(&plan, &preview).unwrap());
    assert_eq!(
        sent.lines().last().unwrap(),
        r#"{"method":"DELETE","path":"/v2/users/me-1/apps/street/annotations","body":{"input_ids":["p"]}}"#
    );
    let full = TextOptions {
        detail: Detail::Full,
        ..TextOptions::default()
    };
    let full = render::text(&plan, &full);
    for id in [
        "mine",
        "theirs",
        "model",
        "as-00000000-0123456789abcdef0123",
    ] {
        assert!(full.contains(&format!("] {id}")), "{full}");
    }
    assert!(!full.contains("level"));
}

#[test]
fn a_purge_of_an_empty_input_is_nothing_to_do() {
    let level = everything("p").pop().unwrap();
    for seen in [vec![], vec![level]] {
        let plan = plan(&desired(""), &observed(&seen));
        assert!(plan.is_empty());
        assert_eq!(plan.summary.existing, 0);
        assert!(text(&plan).ends_with("\n\nNo changes. 0 annotations match.\n"));
    }
}

#[test]
fn the_policy_holds_a_purge_back() {
    for (policy, held) in [("sync", 0), ("upsert", 4), ("create", 4)] {
        let manifest = manifest_of(&format!(
            "version: 1\nset: street\npolicy: {policy}\ninputs: []\n"
        ));
        let plan = plan(&purging(manifest, "p"), &observed(&everything("p")));
        assert_eq!(plan.summary.held_back.deletes, held, "{policy}");
        assert_eq!(plan.purges.is_empty(), held > 0);
        assert_eq!(plan.batches.is_empty(), held > 0);
    }
}

#[test]
fn a_purge_is_the_same_for_every_caller_and_says_what_it_needs() {
    let seen = everything("p");
    let of = |caller| plan(&desired(""), &observed_by(caller, "owner-1", &seen));
    assert_eq!(of(ME), of("owner-1"));
    assert_eq!(of(ME).summary.purged, 4);
    assert!(text(&of(ME)).contains(
        "Note: needs the app's owner: 1 change to annotations of bea, 2 changes to annotations of me-1."
    ));
}

#[test]
fn a_purged_input_that_was_not_listed_is_an_error() {
    let mut seen = observed(&[]);
    seen.scope = Scope::Inputs([InputId::new("a").unwrap()].into());
    let errors = try_plan(&desired(""), &seen).unwrap_err();
    assert_snapshot!(errors[0], @"input `p` is declared, but the listing does not cover it");
}

#[test]
fn purged_annotations_count_for_the_guards() {
    let purged: Vec<Value> = (0..7)
        .map(|at| {
            let gone = whole("p", &format!("{at}"), &[("tree", 1.0)]);
            let by_model = at % 2 == 1;
            if by_model {
                with(gone, "model_version_id", json!("v1"))
            } else {
                with(gone, "user_id", json!("bea"))
            }
        })
        .collect();
    let kept = (0..3).map(|at| whole("a", &format!("{at}"), &[("car", 1.0)]));
    let seen: Vec<Value> = purged.into_iter().chain(kept).collect();
    let inputs = "  - id: a\n    annotations: [{ id: '0' }, { id: '1' }]\n";
    let manifest = manifest_of(&format!(
        "version: 1\nset: street\npolicy: sync\nguards: {{ min_existing: 4 }}\ninputs:\n{inputs}"
    ));
    let trips = plan(&purging(manifest, "p"), &observed(&seen)).guards;
    let flags: Vec<String> = trips.iter().map(TrippedGuard::flag).collect();
    assert_eq!(flags, ["--allow-deletes 8", "--allow-vanished 1"]);
    // A model still names it elsewhere: no person does. What models named, people did not lose.
    let by_models: Vec<Value> = seen
        .iter()
        .map(|it| with(it.clone(), "model_version_id", json!("v1")))
        .collect();
    let manifest = manifest_of("version: 1\nset: street\npolicy: sync\ninputs: []\n");
    let trips = plan(&purging(manifest, "p"), &observed(&by_models)).guards;
    let flags: Vec<String> = trips.iter().map(TrippedGuard::flag).collect();
    assert_eq!(flags, Vec::<String>::new());
}

#[test]
fn a_call_takes_128_inputs() {
    let seen: Vec<Value> = (0..130)
        .map(|at| whole(&format!("p{at:03}"), "1", &[("car", 1.0)]))
        .collect();
    let manifest = manifest_of(&format!("{}inputs: []\n", header()));
    let purged = (0..130).fold(manifest, |state, at| purging(state, &format!("p{at:03}")));
    let plan = plan(&purged, &observed(&seen));
    assert_eq!((plan.summary.calls, plan.summary.lower_bound), (2, 2));
    assert_eq!(plan.batches[0].operations.len(), 128);
    let listed: Vec<&str> = plan.purges.iter().map(|p| p.input_id.as_str()).collect();
    assert!(listed.is_sorted());
}

/// A change to a plan file, with its description.
type Alteration = (&'static str, fn(&mut Value));

#[test]
fn a_plan_file_with_inconsistent_purges_is_refused() {
    let seen = [everything("p"), everything("q")].concat();
    let inputs = "  - id: a\n    annotations: [{ key: k, concepts: [car] }]\n";
    let plan = plan(&purging(desired(inputs), "q"), &observed(&seen));
    let file = render::json(&plan);
    assert_eq!(planning::read(&file).unwrap(), Some(plan));
    let alterations: [Alteration; 10] = [
        ("no purges", |plan| plan["purges"] = json!([])),
        ("one less", |plan| {
            plan["purges"].as_array_mut().unwrap().pop();
        }),
        ("one twice", |plan| {
            plan["purges"][1] = plan["purges"][0].clone();
        }),
        ("another order", |plan| {
            plan["purges"].as_array_mut().unwrap().reverse();
        }),
        ("nothing that goes", |plan| {
            plan["purges"][0]["annotations"] = json!([]);
        }),
        ("one that goes twice", |plan| {
            plan["purges"][0]["annotations"][1] = plan["purges"][0]["annotations"][0].clone();
        }),
        ("an operation on a purged input", |plan| {
            plan["operations"][0]["input_id"] = json!("p");
            plan["operations"][0]["body"]["input_id"] = json!("p");
        }),
        ("a count", |plan| plan["summary"]["purged"] = json!(3)),
        ("no call", |plan| {
            plan["batches"].as_array_mut().unwrap().pop();
        }),
        ("a policy that does not delete", |plan| {
            plan["policy"] = json!("upsert");
        }),
    ];
    for (what, alter) in alterations {
        let mut altered: Value = serde_json::from_str(&file).unwrap();
        alter(&mut altered);
        let error = planning::read(&altered.to_string()).unwrap_err();
        assert!(error.to_string().contains("altered"), "{what}: {error}");
    }
}
