//! Pulls of small apps, with the files that they write.

mod edits;

use super::{
    FORMS, assert_empty_plan, base64_png, files_of, fresh, header, one_file, over, parsed, set,
    shown, text,
};
use crate::support::{boxed, observed, try_plan, whole, with};
use annosync::model::{Policy, set_prefix};
use annosync::pull::{self, Choice, Form, Fresh, InputPattern, ModelMade, PullError};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// The lines that differ, as in a diff.
fn diff(before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    diff.iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .fold(String::new(), |mut lines, change| {
            write!(lines, "{}{change}", change.tag()).unwrap();
            lines
        })
}

fn street() -> Vec<Value> {
    vec![
        boxed("in-1", "a1", [0.1, 0.2, 0.5, 0.6], &["car"]),
        boxed("in-1", "a2", [0.5, 0.5, 0.75, 1.0], &["tree", "car"]),
        with(
            whole("in-2", "a3", &[("night", 1.0), ("rain", 0.25)]),
            "status",
            json!({"code": 24151}),
        ),
        with(
            boxed("in-2", "a4", [0.0, 0.0, 1.0, 1.0], &["no"]),
            "user_id",
            json!("ann"),
        ),
    ]
}

#[test]
fn a_pulled_manifest_is_canonical() {
    let files = fresh(
        Policy::Upsert,
        Form::OneFile,
        &observed(&street()),
        &Choice::default(),
    )
    .unwrap();
    insta::assert_snapshot!(shown(&files), @r#"
    annosync.yaml:
    # A plan creates and updates, and deletes nothing. With policy: sync it deletes this set's annotations that are not declared below.
    version: 1
    set: street
    policy: upsert
    files: ["labels/**"]

    labels/pulled.yaml:
    inputs:
      - id: in-1
        annotations:
          - id: a1
            box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }
            concepts: [car]
          - id: a2
            box: { top: 0.5, left: 0.5, bottom: 0.75, right: 1 }
            concepts: [car, tree]
      - id: in-2
        annotations:
          - id: a3
            concepts: { night: true, rain: 0.25 }
            status: pending
          - id: a4
            box: { top: 0, left: 0, bottom: 1, right: 1 }
            concepts: ["no"]
            user: ann
    "#);
}

#[test]
fn a_label_edited_in_a_pulled_manifest_is_one_change() {
    let state = observed(&street());
    for form in FORMS {
        let files = fresh(Policy::Sync, form, &state, &Choice::default()).unwrap();
        let mut edited = 0;
        for (path, bytes) in &files {
            let text = String::from_utf8(bytes.clone()).unwrap();
            for (word, other) in [("night", "day"), ("0.6", "0.61")] {
                if !text.contains(word) {
                    continue;
                }
                let mut files = files.clone();
                files.insert(path.clone(), text.replacen(word, other, 1).into_bytes());
                let plan = try_plan(&parsed(&files).unwrap().desired, &state).unwrap();
                assert_eq!(plan.operations.len(), 1, "{:#?}", plan.operations);
                edited += 1;
            }
        }
        assert_eq!(edited, 2);
    }
}

#[test]
fn annotations_of_other_sets_and_models_are_counted_and_left_out() {
    let state = observed(&[
        boxed(
            "in-1",
            "as-00000000-0123456789abcdef0123",
            [0.1, 0.2, 0.5, 0.6],
            &["car"],
        ),
        with(
            boxed("in-1", "m", [0.1, 0.2, 0.5, 0.6], &["car"]),
            "model_version_id",
            json!("v1"),
        ),
        boxed("in-2", "mine", [0.1, 0.2, 0.5, 0.6], &["car"]),
    ]);
    let header = header(Policy::Sync);
    let made = Fresh {
        header: &header,
        path: Path::new(""),
        form: Form::OneFile,
        shard: None,
        read_back: &parsed,
    };
    let pulled = pull::fresh(&made, &state, &Choice::default()).unwrap();
    assert_eq!(
        (pulled.account.other_sets, pulled.account.model_made),
        (1, 1)
    );
    assert!(!shown(&files_of(&pulled)).contains("in-1"));
    let only = Choice {
        model_made: ModelMade::Only,
        ..Choice::default()
    };
    let pulled = pull::fresh(&made, &state, &only).unwrap();
    assert!(shown(&files_of(&pulled)).contains("id: m\n"));
    assert_eq!(pulled.account.annotations, 1);
}

#[test]
fn a_filtered_pull_is_refused_if_a_plan_would_delete_the_rest() {
    let state = observed(&street());
    let car = Choice {
        concepts: [annosync::model::ConceptId::new("tree").unwrap()].into(),
        ..Choice::default()
    };
    let refused = fresh(Policy::Sync, Form::OneFile, &state, &car).unwrap_err();
    insta::assert_snapshot!(refused, @"the filters leave out 1 annotation in scope of this manifest, first `a1` of input `in-1`: under policy sync, the next plan would delete what is left out");
    let files = fresh(Policy::Upsert, Form::OneFile, &state, &car).unwrap();
    assert!(!shown(&files).contains("a1"));
    assert_empty_plan(&files, &state);
}

#[test]
fn a_pull_is_refused_if_a_plan_would_delete_on_other_inputs() {
    let id = format!("{}0123456789abcdef0123", set_prefix(&set()));
    let state = observed(&[
        boxed("in-1", "a", [0.1, 0.2, 0.5, 0.6], &["car"]),
        boxed("other", &id, [0.1, 0.2, 0.5, 0.6], &["car"]),
    ]);
    let some = Choice {
        inputs: vec![InputPattern::new("in-*")],
        ..Choice::default()
    };
    let refused = fresh(Policy::Sync, Form::OneFile, &state, &some).unwrap_err();
    insta::assert_snapshot!(refused, @"set street has 1 annotation on inputs that are not pulled: under policy sync, the next plan would delete them");
    let files = fresh(Policy::Upsert, Form::OneFile, &state, &some).unwrap();
    assert_empty_plan(&files, &state);
}

#[test]
fn a_concept_outside_the_vocabulary_is_an_error() {
    let mut files = one_file("  - id: in-1\n    annotations: []\n");
    let strict = text(&files, "m.yaml").replace("inputs:", "vocabulary: [tree]\ninputs:");
    files.insert("m.yaml".into(), strict.into_bytes());
    let before = files.clone();
    let error = over(&mut files, &observed(&street()), &Choice::default()).unwrap_err();
    let PullError::DoesNotFit(problems) = error else {
        panic!("{error}");
    };
    assert!(
        problems
            .to_string()
            .contains("the concept `car` is not in the vocabulary"),
        "{problems}"
    );
    assert_eq!(files, before);
}

#[test]
fn files_named_by_an_input_stay_named() {
    use base64::Engine as _;
    let png = base64_png(7);
    let mut mask = boxed("in-1", "m", [0.0, 0.0, 0.0, 0.0], &["road"]);
    mask["data"]["regions"][0]["region_info"] = json!({"mask": {"image": {"base64": png}}});
    let mut span = boxed("in-2", "s", [0.0, 0.0, 0.0, 0.0], &["noun"]);
    span["data"]["regions"][0]["region_info"] = json!({"span": {"char_end": 3, "raw_text": "car"}});
    let state = observed(&[mask, span]);
    let mut files = one_file(
        "\
- id: in-1
  image: { path: a.jpg }
  annotations:
  - id: m
    mask: { path: mine/one.png }
    concepts: [street]
- id: in-2
  text: { raw: \"car park\" }
  annotations: [{ id: s, span: { start: 0, end: 3 }, concepts: [verb] }]
",
    );
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(png)
        .unwrap();
    files.insert("mine/one.png".into(), bytes);
    let before = text(&files, "m.yaml");
    over(&mut files, &state, &Choice::default()).unwrap();
    insta::assert_snapshot!(diff(&before, &text(&files, "m.yaml")), @r#"
    -    concepts: [street]
    +    concepts: [road]
    -  text: { raw: "car park" }
    -  annotations: [{ id: s, span: { start: 0, end: 3 }, concepts: [verb] }]
    +  text: { raw: car park }
    +  annotations:
    +    - id: s
    +      span: { start: 0, end: 3, text: car }
    +      concepts: [noun]
    "#);
    assert_empty_plan(&files, &state);

    // The same if the whole file is rewritten.
    let flow = before.replace("- id: in-1", "-\n  id: in-1");
    files.insert("m.yaml".into(), flow.into_bytes());
    over(&mut files, &state, &Choice::default()).unwrap();
    let rewritten = text(&files, "m.yaml");
    for kept in [
        "mask: { path: mine/one.png }",
        "text: { raw: car park }",
        "image: { path: a.jpg }",
    ] {
        assert!(rewritten.contains(kept), "{kept} is not in\n{rewritten}");
    }
    assert_empty_plan(&files, &state);
}

#[test]
fn a_region_of_a_model_stays_declared_by_the_model() {
    let found = with(
        boxed("in-1", "f", [0.1, 0.2, 0.5, 0.6], &["car"]),
        "model_version_id",
        json!("v1"),
    );
    let mut label = boxed("in-1", "l", [0.1, 0.2, 0.5, 0.6], &["bus"]);
    label["data"]["regions"][0]["id"] = json!("region-f");
    let state = observed(&[found, label]);
    let mut files = one_file(
        "\
- id: in-1
  annotations:
  - region: { from_model: v1, nearest: { box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 } } }
    concepts: [van]
",
    );
    let before = text(&files, "m.yaml");
    over(&mut files, &state, &Choice::default()).unwrap();
    insta::assert_snapshot!(diff(&before, &text(&files, "m.yaml")), @"
    -    concepts: [van]
    +    concepts: [bus]
    ");
    assert_empty_plan(&files, &state);
}

#[test]
fn a_purged_input_stays_purged_while_it_is_empty() {
    let mut files = one_file("- id: in-1\n  purge: true   # all of it\n");
    let level = with(
        whole("in-1", "level", &[("a", 1.0)]),
        "input_level",
        json!(true),
    );
    let before = files.clone();
    over(
        &mut files,
        &observed(std::slice::from_ref(&level)),
        &Choice::default(),
    )
    .unwrap();
    assert_eq!(files, before);
    let state = observed(&[level, whole("in-1", "late", &[("b", 1.0)])]);
    over(&mut files, &state, &Choice::default()).unwrap();
    assert!(!shown(&files).contains("purge"), "{}", shown(&files));
    assert_empty_plan(&files, &state);
}
