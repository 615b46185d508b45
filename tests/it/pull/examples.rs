//! Pulls of small apps, with the files that they write.

use super::{
    FORMS, assert_empty_plan, base64_png, files_of, fresh, header, one_file, over, parsed, set,
    shown, text,
};
use crate::support::{boxed, observed, try_plan, whole, with};
use annosync::manifest::Overlay;
use annosync::model::{InputId, Policy, key_id, set_prefix};
use annosync::pull::{
    self, Change, Choice, Form, Fresh, InputPattern, Layout, ModelMade, PullError,
};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

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
fn a_pull_changes_only_differing_parts_and_keeps_comments() {
    let mut files = one_file(
        "\
# Streets of the north.
- id: in-1    # the first
  image: { width: 1920, height: 1080 }
  annotations:

  # The red one.
  - concepts: [ 'car' ]
    box: {left: 0.2, top: 0.1, right: 0.6, bottom: 0.5}   # by hand
    id: a1
  - id: a2   # wrong on purpose
    box:
      top: 0.5
      left: 0.5
      # the lower edge
      bottom: 0.75
      right: 0.9
    concepts:   # two
    - tree
  # An idea.
  - { key: idea, concepts: [ idea ] }
  # The end of in-1.
- id: in-2
  annotations: []   # none yet
# The end.
",
    );
    let before = text(&files, "m.yaml");
    let pulled = over(&mut files, &observed(&street()), &Choice::default()).unwrap();
    insta::assert_snapshot!(diff(&before, &text(&files, "m.yaml")), @r#"
    -    box:
    -      top: 0.5
    -      left: 0.5
    -      # the lower edge
    -      bottom: 0.75
    -      right: 0.9
    -    concepts:   # two
    -    - tree
    +    box: { top: 0.5, left: 0.5, bottom: 0.75, right: 1 } # the lower edge
    +    concepts: [car, tree] # two
    -  - { key: idea, concepts: [ idea ] }
    -  annotations: []   # none yet
    +  annotations:   # none yet
    +    - id: a3
    +      concepts: { night: true, rain: 0.25 }
    +      status: pending
    +    - id: a4
    +      box: { top: 0, left: 0, bottom: 1, right: 1 }
    +      concepts: ["no"]
    +      user: ann
    "#);
    insta::assert_snapshot!(pulled.files[0], @"~ m.yaml (2 added, 1 changed, 1 dropped)");
    assert_empty_plan(&files, &observed(&street()));
}

#[test]
fn unsupported_layouts_are_rewritten_and_reported() {
    for (inputs, rewritten) in [
        (
            "- { id: in-1, annotations: [{ id: a1, concepts: [bus] }] } # one\n",
            false,
        ),
        (
            "- id: in-1\n  annotations: [{ id: a1, concepts: [bus] }]\n",
            false,
        ),
        (
            "- id: in-1\n  annotations:\n  - id: a1\n    user: &me me-1\n    concepts: [bus]\n  - id: a2\n    user: *me\n",
            false,
        ),
        (
            "- id: in-1\n  annotations:\n  -\n    id: a1\n    concepts: [bus]\n",
            false,
        ),
        (
            "-\n  id: in-1\n  annotations:\n  - id: a1\n    concepts: [bus]\n",
            true,
        ),
        (
            "[{ id: in-1, annotations: [{ id: a1, concepts: [bus] }] }]\n",
            true,
        ),
        (
            "- id: in-1\n  annotations:\n  - id: a1\n    concepts: &c [bus]\n  - id: a2\n    concepts: [car, tree]\n- id: in-2\n  annotations:\n  - id: a3\n    concepts: *c\n",
            false,
        ),
        (
            "- id: in-1\n  annotations:\n  - id: a1\n    concepts: &c [bus]\n  - id: mine\n    box: { top: 0, left: 0,\n right: 1, bottom: 1 }\n",
            true,
        ),
    ] {
        let mut files = one_file(inputs);
        if inputs.starts_with('[') {
            let flow = text(&files, "m.yaml").replace("inputs:\n", "inputs: ");
            files.insert(PathBuf::from("m.yaml"), flow.into_bytes());
        }
        let state = observed(&street());
        let pulled = over(&mut files, &state, &Choice::default()).unwrap();
        let layout = match pulled.files[0].change {
            Change::Changed { layout, .. } => layout,
            other => panic!("{other:?}"),
        };
        assert_eq!(layout == Layout::Rewritten, rewritten, "{}", shown(&files));
        assert!(text(&files, "m.yaml").starts_with("version: 1\nset: street\n"));
        assert_empty_plan(&files, &state);
    }
}

#[test]
fn json_lines_are_edited_line_by_line() {
    let state = observed(&street());
    let mut files = fresh(Policy::Sync, Form::JsonLines, &state, &Choice::default()).unwrap();
    let mut listed = street();
    listed[0]["data"]["regions"][0]["data"]["concepts"][0]["id"] = json!("bus");
    listed.push(whole("in-9", "n", &[("new", 1.0)]));
    let before =
        text(&files, "labels/pulled.jsonl").replace("\"id\":\"in-2\"", " \"id\" : \"in-2\"");
    files.insert("labels/pulled.jsonl".into(), before.clone().into_bytes());
    over(&mut files, &observed(&listed), &Choice::default()).unwrap();
    insta::assert_snapshot!(diff(&before, &text(&files, "labels/pulled.jsonl")), @r#"
    -{"id":"in-1","annotations":[{"id":"a1","box":{"top":0.1,"left":0.2,"bottom":0.5,"right":0.6},"concepts":["car"]},{"id":"a2","box":{"top":0.5,"left":0.5,"bottom":0.75,"right":1},"concepts":["car","tree"]}]}
    +{"id":"in-1","annotations":[{"id":"a1","box":{"top":0.1,"left":0.2,"bottom":0.5,"right":0.6},"concepts":["bus"]},{"id":"a2","box":{"top":0.5,"left":0.5,"bottom":0.75,"right":1},"concepts":["car","tree"]}]}
    +{"id":"in-9","annotations":[{"id":"n","concepts":["new"]}]}
    "#);
    assert_empty_plan(&files, &observed(&listed));
}

#[test]
fn a_file_is_edited_in_its_format_whatever_the_case_of_its_extension() {
    let state = observed(&street());
    let mut files = fresh(Policy::Sync, Form::JsonLines, &state, &Choice::default()).unwrap();
    let lines = files.remove(Path::new("labels/pulled.jsonl")).unwrap();
    files.insert("labels/PULLED.JSONL".into(), lines);
    let mut listed = street();
    listed[0]["data"]["regions"][0]["data"]["concepts"][0]["id"] = json!("bus");
    listed.push(whole("in-9", "n", &[("new", 1.0)]));
    over(&mut files, &observed(&listed), &Choice::default()).unwrap();
    let after = text(&files, "labels/PULLED.JSONL");
    assert!(
        after.lines().all(|line| line.starts_with("{\"id\":")),
        "{after}"
    );
    assert_empty_plan(&files, &observed(&listed));
}

#[test]
fn a_json_file_keeps_its_header() {
    let json = r#"{"version": 1, "set": "street", "policy": "sync", "inputs": [{"id": "in-1", "annotations": []}]}"#;
    let mut files = Overlay::from([(PathBuf::from("annosync.json"), json.as_bytes().to_owned())]);
    let state = observed(&street());
    over(&mut files, &state, &Choice::default()).unwrap();
    let read: Value = serde_json::from_str(&text(&files, "annosync.json")).unwrap();
    assert_eq!(read["policy"], "sync");
    assert_empty_plan(&files, &state);
}

#[test]
fn new_inputs_get_files_of_their_own_if_existing_ones_have() {
    let mut listed = street();
    let mut files = fresh(
        Policy::Sync,
        Form::FilePerInput,
        &observed(&listed),
        &Choice::default(),
    )
    .unwrap();
    listed.push(whole("In-2", "n", &[("new", 1.0)]));
    let pulled = over(&mut files, &observed(&listed), &Choice::default()).unwrap();
    let [file] = &pulled.files[..] else {
        panic!("{:?}", pulled.files);
    };
    let name = file.path.to_str().unwrap();
    assert!(
        name.starts_with("labels/In-2-") && file.path.extension().is_some_and(|it| it == "yaml"),
        "{name}"
    );
    assert_empty_plan(&files, &observed(&listed));
}

#[test]
fn an_emptied_input_stays_declared() {
    let mut files = one_file(
        "  - id: in-1\n    annotations: # mine\n      - id: gone\n        concepts: [x]\n",
    );
    let nothing = observed(&[]);
    let pulled = over(&mut files, &nothing, &Choice::default()).unwrap();
    assert_eq!(pulled.account.dropped, 1);
    assert!(
        text(&files, "m.yaml").ends_with("    annotations: [] # mine\n"),
        "{}",
        shown(&files)
    );
    assert_empty_plan(&files, &nothing);
}

#[test]
fn keys_and_undeclared_fields_stay() {
    let key = annosync::model::Key::new("red-car").unwrap();
    let id = key_id(&set(), &InputId::new("in-1").unwrap(), &key);
    let mut listed = boxed("in-1", id.as_str(), [0.1, 0.2, 0.5, 0.6], &["car", "red"]);
    listed["status"] = json!({"code": 24151});
    listed["data"]["metadata"] = json!({"weather": "sun", "theirs": 1});
    let state = observed(&[listed]);
    let mut files = one_file(
        "  - id: in-1\n    annotations:\n      - key: red-car\n        concepts: [car]\n        metadata: { weather: rain }\n",
    );
    let before = text(&files, "m.yaml");
    over(&mut files, &state, &Choice::default()).unwrap();
    insta::assert_snapshot!(diff(&before, &text(&files, "m.yaml")), @"
    -        concepts: [car]
    -        metadata: { weather: rain }
    +        concepts: [car, red]
    +        metadata: { weather: sun }
    ");
    assert_empty_plan(&files, &state);
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
