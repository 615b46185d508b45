//! What is pulled plans to nothing, and pulling again changes nothing: for the strangest app.

use crate::support::{ME, base64, boxed, context, observed, png, try_plan, whole, with};
use annosync::manifest::{self, Header, Manifest, Overlay};
use annosync::model::{InputId, ObservedState, Policy, SetName, UserId, key_id, set_prefix};
use annosync::plan;
use annosync::pull::{
    self, Change, Choice, Form, Fresh, InputPattern, Layout, ModelMade, NewInputs, Over, PullError,
    Pulled,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Texts that a reader of YAML may take for something else.
const HOSTILE: [&str; 24] = [
    "no",
    "1_000",
    ": x",
    "- a",
    "#",
    "a #b",
    "日本",
    "it's",
    "say \"x\"",
    "{a}",
    "[a]",
    "null",
    "~",
    "2026-01-01",
    "&a",
    "*a",
    "!a",
    "a: b",
    "1e3",
    "%",
    "CON",
    "../up",
    "..",
    "0x1f",
];

fn set() -> SetName {
    SetName::new("street").unwrap()
}

fn header(policy: Policy) -> Header {
    Header::new(set(), policy)
}

/// A manifest in memory: texts, and the masks that they name.
pub(crate) fn parsed(files: &Overlay) -> Result<Manifest, manifest::Problems> {
    let (masks, texts): (Vec<_>, Vec<_>) = files
        .iter()
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .partition(|(path, _)| path.extension().is_some_and(|ending| ending == "png"));
    let texts = texts
        .into_iter()
        .map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap()));
    manifest::parse_with(texts.collect(), masks)
}

fn files_of(pulled: &Pulled) -> Overlay {
    let files = pulled.files.iter();
    files
        .map(|file| (file.path.clone(), file.content.clone()))
        .collect()
}

fn fresh(
    policy: Policy,
    form: Form,
    state: &ObservedState,
    choice: &Choice,
) -> Result<Overlay, PullError> {
    let header = header(policy);
    let fresh = Fresh {
        header: &header,
        path: Path::new(""),
        form,
        read_back: &parsed,
    };
    pull::fresh(&fresh, state, choice).map(|pulled| files_of(&pulled))
}

/// Pulls over files, which change.
pub(crate) fn over(
    files: &mut Overlay,
    state: &ObservedState,
    choice: &Choice,
) -> Result<Pulled, PullError> {
    let manifest = parsed(files).unwrap_or_else(|problems| panic!("{problems}"));
    let read_back = |overlay: &Overlay| {
        let mut all = files.clone();
        all.extend(overlay.clone());
        parsed(&all)
    };
    let text = |file: u32| manifest.text(file);
    let over = Over {
        manifest: &manifest,
        text: &text,
        new_inputs: NewInputs::WithTheOthers,
        form: Form::OneFile,
        read_back: &read_back,
    };
    let pulled = pull::over(&over, state, choice)?;
    files.extend(files_of(&pulled));
    Ok(pulled)
}

/// A manifest of one YAML file.
pub(crate) fn one_file(inputs: &str) -> Overlay {
    let text = format!("version: 1\nset: street\npolicy: sync\ninputs:\n{inputs}");
    Overlay::from([(PathBuf::from("m.yaml"), text.into_bytes())])
}

pub(crate) fn text(files: &Overlay, path: &str) -> String {
    String::from_utf8(files[Path::new(path)].clone()).unwrap()
}

/// Holds a manifest to say what the app holds.
#[track_caller]
fn plans_to_nothing(files: &Overlay, state: &ObservedState) {
    let manifest = parsed(files).unwrap_or_else(|problems| panic!("{problems}"));
    let plan = try_plan(&manifest.desired, state).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert!(plan.is_empty(), "{:#?}\n{}", plan.operations, shown(files));
    assert_eq!(plan.summary.held_back.updates, 0);
}

fn shown(files: &Overlay) -> String {
    files.iter().fold(String::new(), |mut all, (path, bytes)| {
        let text = String::from_utf8_lossy(bytes);
        writeln!(
            all,
            "{}:
{text}",
            path.display()
        )
        .unwrap();
        all
    })
}

/// The lines that differ, as a diff shows them.
fn diff(before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    diff.iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .fold(String::new(), |mut lines, change| {
            write!(lines, "{}{change}", change.tag()).unwrap();
            lines
        })
}

/// One observed annotation of a world in which everything collides with everything.
#[derive(Debug, Clone)]
struct Seen {
    input: usize,
    name: usize,
    place: usize,
    concepts: usize,
    maker: usize,
    words: usize,
    extra: usize,
}

fn seen() -> impl Strategy<Value = Seen> {
    (
        0_usize..6,
        0_usize..40,
        0_usize..22,
        0_usize..6,
        0_usize..9,
        0..HOSTILE.len(),
        0_usize..12,
    )
        .prop_map(|(input, name, place, concepts, maker, words, extra)| Seen {
            input,
            name,
            place,
            concepts,
            maker,
            words,
            extra,
        })
}

fn world() -> impl Strategy<Value = Vec<Seen>> {
    proptest::collection::vec(seen(), 0..14)
}

/// The region, or what else says where; many of them are equal.
fn place(data: &mut Value, at: usize, which: usize, concepts: &Value, word: &str) {
    let shift = (which % 3) as f64 * 0.004;
    let edges = json!({"bounding_box": {"top_row": 0.1 + shift, "left_col": 0.100_000_001_490_116_12, "bottom_row": 0.5, "right_col": 1.0 / 3.0}});
    let ring = json!({"polygon": {"points": [{"row": 0.3, "col": 0.1}, {"row": 0.1, "col": 0.1}, {"col": 0.3}]}});
    let info = match which {
        0..=2 => {
            data["concepts"] = concepts.clone();
            return;
        }
        9 | 10 => ring,
        11 => json!({"point": {"row": 0.5, "col": 0.25}}),
        12 => {
            json!({"keypoint_locations": [{"row": 0.5, "col": 0.25, "visibility": 1}, {"row": 0.1}]})
        }
        13 => json!({"span": {"char_start": 1, "char_end": 4, "raw_text": word}}),
        14 => json!({"token": {"char_start": 1}}),
        15 => mask(at),
        16 => Value::Null,
        17 => {
            data["time_segments"] = json!([{"id": "s", "time_info": {"begin_time": 1.5, "end_time": 2.25}, "data": {"concepts": concepts}}]);
            return;
        }
        18 => {
            // Two regions are more than one annotation can say.
            data["regions"] =
                json!([{"id": "x", "region_info": edges}, {"id": "y", "region_info": ring}]);
            return;
        }
        19 => {
            data["frames"] = json!([{"id": "f", "frame_info": {"time": "1500", "number": 45}, "data": {"concepts": concepts}}]);
            return;
        }
        _ => edges.clone(),
    };
    let mut region = json!({"id": format!("region-{at}"), "data": {"concepts": concepts}});
    if !info.is_null() {
        region["region_info"] = info;
    }
    match which {
        20 => {
            data["frames"] = json!([{"id": "f", "frame_info": {"time": "40", "number": 1}, "data": {"regions": [region]}}]);
        }
        21 => {
            region["track_id"] = json!(word);
            region["value"] = json!(0.9);
            data["regions"] = json!([region]);
        }
        _ => data["regions"] = json!([region]),
    }
}

/// A mask of one of three images, or found at a URL that a manifest can name or cannot.
fn mask(at: usize) -> Value {
    let image = match at % 5 {
        0 => json!({"url": "https://example.com/m.png"}),
        1 => json!({"url": "bucket/m.png"}),
        shade => json!({"base64": base64_png(shade as u8), "url": "https://example.com/n.png"}),
    };
    json!({"mask": {"image": image}})
}

fn base64_png(shade: u8) -> String {
    base64(&png(2, &[0, shade, 255, 0]))
}

fn annotation(at: usize, seen: &Seen) -> Value {
    let word = HOSTILE[seen.words];
    let concept = |id: &str, value: f64| json!({"id": id, "name": id, "value": value});
    let concepts = match seen.concepts {
        0 => json!([]),
        1 => json!([concept("car", 1.0)]),
        2 => json!([concept("car", 1.0), concept("bus", 0.0)]),
        3 => json!([concept(word, 0.1)]),
        4 => json!([concept(word, 1.0), concept("car", 0.333_333_343_267_440_8)]),
        _ => json!([concept(word, 1.0)]),
    };
    let input = ["in-1", "in-1", "in-2", "in-2", word, "In-1"][seen.input];
    let id = match seen.maker {
        0..=2 => format!("{}{at:020x}", set_prefix(&set())),
        3 => format!("as-00000000-{at:020x}"),
        _ if seen.name < HOSTILE.len() => format!("{}{at}", HOSTILE[seen.name]),
        _ => format!("{at:032x}"),
    };
    let mut data = json!({});
    place(&mut data, at, seen.place, &concepts, word);
    match seen.extra {
        1 => {
            data["metadata"] =
                json!({"n": 1.0, word: [word, {"deep": {word: true}}], "long": "x y ".repeat(60)});
        }
        2 => {
            data["metadata"] = json!({"lines": "a\nb: c\n# d\n", "tab": "\t", "nul": null, "mixed": [null, 1], "": ""});
        }
        3 => data["text"] = json!({"raw": format!("{word}\n{word}")}),
        4 => data["geo"] = json!({"unmodelled": [1, 2]}),
        5 => {
            data["metadata"] = json!({"big": 18_446_744_073_709_551_615_u64, "tiny": 1e-300, "minus": -0.0, "nested": {}});
        }
        _ => {}
    }
    let mut annotation = json!({
        "id": id, "input_id": input, "data": data, "user_id": ME, "status": {"code": 24150},
        "created_at": format!("2026-01-01T00:00:0{}Z", at % 3),
    });
    match seen.extra {
        6 => annotation["status"] = json!({"code": 24151}),
        7 => annotation["annotation_info"] = json!({word: word, "no": "no"}),
        8 => annotation["user_id"] = json!(word),
        9 => annotation["user_id"] = json!(""),
        10 => annotation["status"] = json!({"code": 24199}),
        11 => annotation["embed_model_version_id"] = json!(word),
        _ => {}
    }
    match seen.maker {
        4 => annotation["model_version_id"] = json!("v1"),
        5 => annotation["user_id"] = json!("somebody"),
        6 => annotation["input_level"] = json!(true),
        _ => {}
    }
    annotation
}

fn listing(seen: &[Seen]) -> Vec<Value> {
    seen.iter()
        .enumerate()
        .map(|(at, seen)| annotation(at, seen))
        .collect()
}

const FORMS: [Form; 3] = [Form::OneFile, Form::FileAnInput, Form::JsonLines];
const POLICIES: [Policy; 3] = [Policy::Sync, Policy::Upsert, Policy::Create];

proptest! {
    #[test]
    fn a_plan_after_a_pull_is_empty_and_pulling_again_changes_no_byte(
        seen in world(), form in 0..FORMS.len(), policy in 0..POLICIES.len(), models in any::<bool>(),
    ) {
        let state = observed(&listing(&seen));
        let choice = Choice {
            model_made: if models { ModelMade::Include } else { ModelMade::LeaveOut },
            ..Choice::default()
        };
        let mut files = fresh(POLICIES[policy], FORMS[form], &state, &choice).unwrap();
        plans_to_nothing(&files, &state);
        let again = over(&mut files, &state, &choice).unwrap();
        prop_assert!(again.files.is_empty(), "{:?}", again.files.iter().map(ToString::to_string).collect::<Vec<_>>());
        prop_assert_eq!(fresh(POLICIES[policy], FORMS[form], &state, &choice).unwrap(), files);
    }

    #[test]
    fn pulling_over_another_state_in_place_plans_to_nothing(
        before in world(), after in world(), kept in any::<u32>(), form in 0..FORMS.len(),
    ) {
        let mut files = fresh(Policy::Sync, FORMS[form], &observed(&listing(&before)), &Choice::default()).unwrap();
        // Some annotations stay, some go, some change, and some are new.
        let mut listed = listing(&after);
        for (at, annotation) in listing(&before).into_iter().enumerate() {
            if kept & (1 << at) != 0 {
                listed.retain(|it| it["id"] != annotation["id"] || it["input_id"] != annotation["input_id"]);
                listed.push(annotation);
            }
        }
        let state = observed(&listed);
        let pulled = over(&mut files, &state, &Choice::default()).unwrap();
        for file in &pulled.files {
            let is_rewritten = matches!(file.change, Change::Changed { layout: Layout::Rewritten, .. });
            prop_assert!(!is_rewritten, "{file}\n{}", shown(&files));
        }
        plans_to_nothing(&files, &state);
        prop_assert!(over(&mut files, &state, &Choice::default()).unwrap().files.is_empty());
    }

    #[test]
    fn what_the_filters_leave_out_is_neither_deleted_nor_changed(
        before in world(), after in world(), filter in 0_usize..4, policy in 0..2_usize,
    ) {
        let choice = Choice {
            users: (filter == 0).then(|| UserId::new("me").unwrap()).into_iter().collect(),
            statuses: (filter == 1).then_some(annosync::model::Status::PENDING).into_iter().collect(),
            concepts: (filter == 2).then(|| annosync::model::ConceptId::new("car").unwrap()).into_iter().collect(),
            model_made: if filter == 3 { ModelMade::Only } else { ModelMade::LeaveOut },
            ..Choice::default()
        };
        let first = observed(&listing(&before));
        let state = observed(&listing(&after));
        let mut files = fresh([Policy::Sync, Policy::Upsert][policy], Form::OneFile, &first, &Choice::default()).unwrap();
        let deletes = |files: &Overlay| {
            let desired = parsed(files).unwrap().desired;
            // What is declared of an input that has lost its own annotation cannot be planned.
            let plan = plan::plan(&desired, &state, &context()).ok()?;
            Some(plan.operations.iter().filter(|it| it.action() == plan::Action::Delete).count())
        };
        let before = deletes(&files);
        match over(&mut files, &state, &choice) {
            Ok(_) => prop_assert!(before.is_none_or(|before| deletes(&files).unwrap() <= before)),
            // What could not be planned before, and is left as it is, cannot be planned now.
            Err(PullError::NotPlannable { .. }) => prop_assert!(before.is_none()),
            Err(error) => prop_assert!(matches!(error, PullError::WouldDelete { .. }) && policy == 0, "{error}"),
        }
    }
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
    # A plan creates and updates, and deletes nothing. With policy: sync it deletes what is ours and not declared.
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
fn only_what_differs_is_changed_in_a_file_and_comments_stay() {
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
    plans_to_nothing(&files, &observed(&street()));
}

#[test]
fn a_layout_that_cannot_be_changed_in_place_is_written_anew_and_said_so() {
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
        plans_to_nothing(&files, &state);
    }
}

#[test]
fn json_lines_change_line_by_line() {
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
    plans_to_nothing(&files, &observed(&listed));
}

#[test]
fn a_json_file_keeps_its_header() {
    let json = r#"{"version": 1, "set": "street", "policy": "sync", "inputs": [{"id": "in-1", "annotations": []}]}"#;
    let mut files = Overlay::from([(PathBuf::from("annosync.json"), json.as_bytes().to_owned())]);
    let state = observed(&street());
    over(&mut files, &state, &Choice::default()).unwrap();
    let read: Value = serde_json::from_str(&text(&files, "annosync.json")).unwrap();
    assert_eq!(read["policy"], "sync");
    plans_to_nothing(&files, &state);
}

#[test]
fn new_inputs_get_files_of_their_own_where_the_others_have_such() {
    let mut listed = street();
    let mut files = fresh(
        Policy::Sync,
        Form::FileAnInput,
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
    plans_to_nothing(&files, &observed(&listed));
}

#[test]
fn an_input_on_which_nothing_is_left_stays_declared() {
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
    plans_to_nothing(&files, &nothing);
}

#[test]
fn keys_and_fields_that_are_left_out_stay_as_they_are() {
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
    plans_to_nothing(&files, &state);
}

#[test]
fn of_other_sets_and_of_models_nothing_is_declared_and_it_is_counted() {
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
fn a_part_of_an_input_is_refused_where_the_rest_would_be_deleted() {
    let state = observed(&street());
    let car = Choice {
        concepts: [annosync::model::ConceptId::new("tree").unwrap()].into(),
        ..Choice::default()
    };
    let refused = fresh(Policy::Sync, Form::OneFile, &state, &car).unwrap_err();
    insta::assert_snapshot!(refused, @"the filters leave out 1 annotation in scope of this manifest, first `a1` of input `in-1`: under policy sync the next plan would delete what is left out");
    let files = fresh(Policy::Upsert, Form::OneFile, &state, &car).unwrap();
    assert!(!shown(&files).contains("a1"));
    plans_to_nothing(&files, &state);
}

#[test]
fn what_the_set_made_elsewhere_is_not_left_to_a_delete() {
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
    insta::assert_snapshot!(refused, @"set street made 1 annotation on inputs that are not pulled: under policy sync the next plan would delete what is not declared");
    let files = fresh(Policy::Upsert, Form::OneFile, &state, &some).unwrap();
    plans_to_nothing(&files, &state);
}

#[test]
fn a_concept_outside_the_vocabulary_is_an_error_that_names_it() {
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
fn the_files_that_an_input_names_stay_named() {
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
    plans_to_nothing(&files, &state);

    // The same where the whole file has to be written anew.
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
    plans_to_nothing(&files, &state);
}

#[test]
fn a_region_that_a_model_found_stays_named_by_the_model() {
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
    plans_to_nothing(&files, &state);
}

#[test]
fn a_purged_input_stays_purged_while_nothing_is_on_it() {
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
    plans_to_nothing(&files, &state);
}
