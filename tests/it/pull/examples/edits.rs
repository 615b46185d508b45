//! Pulls into existing files, which change as little as possible.

use super::{diff, street};
use crate::pull::{assert_empty_plan, fresh, one_file, over, set, shown, text};
use crate::support::{boxed, observed, whole};
use annosync::manifest::Overlay;
use annosync::model::{InputId, Policy, key_id};
use annosync::pull::{Change, Choice, Form, Layout};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

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
